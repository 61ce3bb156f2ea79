//! The connections to the API of the routers: one each, made when somebody asks for it first.
//!
//! Not here: what is asked. Invariant: a router has one connection at most, and it is of the access that its row says now;
//! it ends when the access is changed or taken away, or the NAS is gone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::App;
use crate::crypto::{CryptoError, Secret};
use crate::domain::id::NasId;
use crate::domain::nas::{ApiAccess, ApiTransport};
use crate::routers::routeros::client::{Access, Router, Security, State};
use crate::routers::routeros::exchange::Credentials;
use crate::routers::routeros::tls::{Fingerprint, Trust};
use crate::store::StoreError;
use crate::store::nas::{self, StoredNas, api_context};

/// Why a router cannot be asked through its API. That it does not answer is said by the call, not here.
#[derive(Debug, thiserror::Error)]
pub enum NoApi {
    #[error("this NAS does not exist (any more)")]
    Missing,
    #[error("no access to the API is set for this NAS")]
    NotSet,
    #[error("the address of the API is not set, and the NAS is a network")]
    NoAddress,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// At most one entry for each NAS that has an API, of which there are at most [`nas::MOST_NAS`].
#[derive(Default)]
pub struct Routers {
    links: Mutex<HashMap<NasId, Link>>,
}

struct Link {
    made_for: MadeFor,
    router: Router,
}

/// What a connection was made for; another one needs another connection.
#[derive(PartialEq)]
struct MadeFor {
    address: SocketAddr,
    access: ApiAccess,
    sealed_password: Vec<u8>,
}

impl MadeFor {
    fn read(stored: &StoredNas) -> Result<MadeFor, NoApi> {
        let access = stored.nas.api.clone().ok_or(NoApi::NotSet)?;
        let host = access.host(&stored.nas.network).ok_or(NoApi::NoAddress)?;
        Ok(MadeFor {
            address: SocketAddr::new(host, access.port),
            access,
            sealed_password: stored.sealed_api_password.clone(),
        })
    }
}

impl Link {
    /// The certificate that this very connection saw first, once it is kept in the row, is no other access.
    fn serves(&self, wanted: &MadeFor) -> bool {
        if self.made_for == *wanted {
            return true;
        }
        let ApiTransport::Pinned(Some(pin)) = &wanted.access.transport else {
            return false;
        };
        let before = ApiAccess {
            transport: ApiTransport::Pinned(None),
            ..wanted.access.clone()
        };
        self.made_for.access == before
            && self.made_for.address == wanted.address
            && self.made_for.sealed_password == wanted.sealed_password
            && certificate(&self.router.state()) == Some(*pin)
    }
}

/// SHA-256 of the certificate that an open connection saw.
fn certificate(state: &State) -> Option<[u8; 32]> {
    match state {
        State::Ready { certificate, .. } => certificate.map(|Fingerprint(octets)| octets),
        State::Offline { .. } | State::Connecting => None,
    }
}

impl Routers {
    /// The handle of a router's connection; the same for all who ask. Must be called inside a tokio runtime.
    pub fn of(&self, app: &App, id: NasId) -> Result<Router, NoApi> {
        let stored = nas::get(&app.store.view()?, id)?.ok_or(NoApi::Missing)?;
        let wanted = MadeFor::read(&stored)?;
        let mut links = self.lock();
        if let Some(link) = links.get_mut(&id)
            && link.serves(&wanted)
        {
            link.made_for = wanted;
            return Ok(link.router.clone());
        }
        let password = app
            .store
            .sealer()
            .unseal(api_context(id).as_bytes(), &wanted.sealed_password)?;
        let router = Router::spawn(access(&wanted, password.expose()));
        let link = Link {
            made_for: wanted,
            router: router.clone(),
        };
        links.retain(|id, _| app.nas(*id).is_some_and(|entry| entry.nas.api.is_some()));
        links.insert(id, link);
        Ok(router)
    }

    /// How the connection is; `None` when nobody asked for it since the start or the last change of its access.
    pub fn state(&self, id: NasId) -> Option<State> {
        self.lock().get(&id).map(|link| link.router.state())
    }

    /// Ends the connection of a NAS that was changed or deleted, unless it is still right.
    pub fn refresh(&self, app: &App, id: NasId) {
        let stored = app.store.view().and_then(|view| nas::get(&view, id));
        // What cannot be read now is compared again by the next who asks.
        let Ok(stored) = stored else { return };
        let wanted = stored.and_then(|stored| MadeFor::read(&stored).ok());
        let mut links = self.lock();
        let is_right = |link: &Link| wanted.as_ref().is_some_and(|wanted| link.serves(wanted));
        if links.get(&id).is_some_and(|link| !is_right(link)) {
            links.remove(&id);
        }
    }

    /// A poisoned lock is entered: the map is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, HashMap<NasId, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn access(wanted: &MadeFor, password: &[u8]) -> Access {
    let security = match &wanted.access.transport {
        ApiTransport::Plain => Security::Plain,
        ApiTransport::Pinned(None) => Security::Tls(Trust::FirstUse),
        ApiTransport::Pinned(Some(pin)) => Security::Tls(Trust::Pinned(Fingerprint(*pin))),
        ApiTransport::Authority(pem) => Security::Tls(Trust::Authority(pem.clone())),
    };
    Access {
        address: wanted.address,
        security,
        credentials: Credentials {
            name: wanted.access.user.clone(),
            password: Secret::new(String::from_utf8_lossy(password).into_owned()),
            legacy_first: wanted.access.legacy_login,
        },
    }
}
