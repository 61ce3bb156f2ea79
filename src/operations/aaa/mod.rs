//! Authentication, authorisation and accounting: what the protocol asks of the appliance.

mod access;
mod account;
mod address;
mod observe;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::app::App;
use crate::radius::radsec::ClientCertificate;
use crate::radius::{
    AccessOutcome, AccessRequest, AccountingRequest, Acknowledgement, AttributeBuffer, Handler,
    NasPeer, Observation, Port,
};

#[cfg(test)]
pub(super) use access::learn;
pub use access::reject_slot;
pub(super) use account::whose;

/// Answers the RADIUS sockets from the store and the sessions in memory.
pub struct Aaa {
    app: Arc<App>,
}

impl Aaa {
    pub fn new(app: Arc<App>) -> Aaa {
        Aaa { app }
    }
}

impl Handler for Aaa {
    fn nas(&self, source: IpAddr) -> Option<Arc<NasPeer>> {
        self.app.peer(source)
    }

    fn nas_of_certificate(
        &self,
        certificate: &ClientCertificate,
        source: SocketAddr,
    ) -> Option<Arc<NasPeer>> {
        let now = self.app.now();
        match self.app.nas_table().find_certificate(certificate, now) {
            Ok(peer) => Some(peer),
            Err(refusals) => {
                for (entry, error) in refusals {
                    let why = error.to_string();
                    entry.stats.radsec.saw_trouble(source, why, now);
                }
                None
            }
        }
    }

    fn access(&self, request: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome {
        access::decide(&self.app, request, reply)
    }

    fn account(&self, request: &AccountingRequest<'_>, acknowledgement: Acknowledgement) {
        account::take(&self.app, request, acknowledgement);
    }

    /// A service whose store fails does not say that it is well, so that routers turn to another server.
    fn status(&self, port: Port) -> bool {
        match port {
            // With a full disk logins go on, so the one port for both services stays.
            Port::Auth | Port::Both => self.app.store.view().is_ok(),
            Port::Acct => self.app.accounting.health().failing.is_none(),
        }
    }

    fn observe(&self, event: Observation<'_>) {
        observe::note(&self.app, event);
    }
}
