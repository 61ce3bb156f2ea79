//! One change to one session: as CoA-Request or Disconnect-Request, or through the router's API.

use std::net::{IpAddr, SocketAddr};

use crate::app::{App, CoaOutcome, NasEntry};
use crate::domain::nas::CoaForm;
use crate::domain::rate::RateLimit;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::radius::coa::{self, CoaClient, CoaTarget, Schedule};
use crate::radius::{AttributeBuffer, EncodeError, number};
use crate::routers::{RouterError, profile};

use super::is_gone;

/// The clients for both families; a router only believes the address it sends RADIUS to.
pub struct Clients {
    v4: CoaClient,
    v6: Option<CoaClient>,
    schedule: Schedule,
}

impl Clients {
    /// `bind` is the address of this machine that routers know, if it was set.
    pub fn bind(bind: Option<IpAddr>) -> Result<Clients, Error> {
        let any_v4 = IpAddr::from([0u8; 4]);
        let any_v6 = IpAddr::from([0u16; 8]);
        let v4 = CoaClient::bind(bind.filter(IpAddr::is_ipv4).unwrap_or(any_v4))?;
        // A machine without IPv6 has no IPv6 routers either.
        let v6 = CoaClient::bind(bind.filter(IpAddr::is_ipv6).unwrap_or(any_v6)).ok();
        Ok(Clients {
            v4,
            v6,
            schedule: Schedule::JOB,
        })
    }

    /// With other waits between tries.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Clients {
        Clients { schedule, ..self }
    }

    pub(in crate::operations) fn for_router(&self, address: IpAddr) -> Option<&CoaClient> {
        match address {
            IpAddr::V4(_) => Some(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        }
    }
}

/// What a session is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Speed {
        limit: RateLimit,
        /// Seconds left, if they are bounded.
        timeout: Option<u32>,
    },
    End,
}

/// Asks the router by CoA or Disconnect.
pub(super) async fn change(
    app: &App,
    clients: &Clients,
    change: &Change,
    session: &Session,
    nas: &NasEntry,
) -> Result<CoaOutcome, Error> {
    let address = session.place.source.or_else(|| nas.nas.network.single());
    let Some(address) = address else {
        return Ok(CoaOutcome::Failed(
            "the router's address is not known".to_owned(),
        ));
    };
    let Some(client) = clients.for_router(address) else {
        return Ok(CoaOutcome::Failed("this machine has no IPv6".to_owned()));
    };
    // Plain until the test found out what the router wants (radius.md section 12).
    let form = nas.nas.coa_form.unwrap_or(CoaForm::Plain);
    let mut target = coa_target(
        form,
        SocketAddr::new(address, nas.nas.coa_port),
        nas,
        app.now(),
    );
    // A router that went back to UDP has no connection, and never will.
    if form == CoaForm::Radsec && nas.nas.radsec.is_some() {
        target.link = app.radsec_links.find(nas.peer.nas, Some(address));
        if target.link.is_none() {
            return Ok(CoaOutcome::Failed(
                "the router's RadSec connection is not open".to_owned(),
            ));
        }
    }
    let client = (client, &clients.schedule);
    let outcome = exchange(client, &target, change, session, nas, Identify::Fully).await?;
    // Once more by name and address alone (rules.md section 6), where the first try named more.
    if is_gone(&outcome) && session.place.address.is_some() {
        return exchange(client, &target, change, session, nas, Identify::ByAddress).await;
    }
    Ok(outcome)
}

/// A router that gets its requests in this form over UDP.
pub(in crate::operations) fn coa_target(
    form: CoaForm,
    address: SocketAddr,
    nas: &NasEntry,
    now: Timestamp,
) -> CoaTarget {
    CoaTarget {
        address,
        secret: nas.peer.secret.clone(),
        message_authenticator: matches!(form, CoaForm::MessageAuthenticator | CoaForm::Dated),
        event_timestamp: (form == CoaForm::Dated)
            .then(|| u32::try_from(now.seconds()).ok())
            .flatten(),
        link: None,
    }
}

async fn exchange(
    (client, schedule): (&CoaClient, &Schedule),
    target: &CoaTarget,
    change: &Change,
    session: &Session,
    nas: &NasEntry,
    how: Identify,
) -> Result<CoaOutcome, Error> {
    let mut attributes = AttributeBuffer::new();
    identify(session, how, &mut attributes).map_err(unsendable)?;
    let result = match change {
        Change::End => client.disconnect(target, &attributes, schedule).await,
        Change::Speed { limit, timeout } => {
            profile::change(nas.nas.profile, limit, *timeout, &mut attributes)
                .map_err(|error: RouterError| unsendable(error))?;
            client.change(target, &attributes, schedule).await
        }
    };
    Ok(match result {
        Ok(coa::CoaOutcome::Ack) => CoaOutcome::Confirmed,
        Ok(coa::CoaOutcome::Nak { error_cause }) => CoaOutcome::Refused(error_cause),
        Ok(coa::CoaOutcome::Timeout) => CoaOutcome::NoAnswer,
        Err(error) => CoaOutcome::Failed(error.to_string()),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Identify {
    Fully,
    ByAddress,
}

/// Names the session as the router does: User-Name and Acct-Session-Id byte for byte, its addresses as received.
fn identify(
    session: &Session,
    how: Identify,
    out: &mut AttributeBuffer,
) -> Result<(), EncodeError> {
    out.push_text(number::USER_NAME, &session.username)?;
    if how == Identify::Fully {
        out.push_octets(number::ACCT_SESSION_ID, &session.acct_session_id)?;
        if let Some(nas_ip) = session.place.nas_ip {
            out.push_ipv4(number::NAS_IP_ADDRESS, nas_ip)?;
        }
    }
    if let Some(address) = session.place.address {
        out.push_ipv4(number::FRAMED_IP_ADDRESS, address)?;
    }
    Ok(())
}

fn unsendable(error: impl std::fmt::Display) -> Error {
    Error::Refused(error.to_string())
}
