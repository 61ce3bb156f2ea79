//! The API of the routers: how a connection does, and the certificate that the first login showed.
//!
//! The connections themselves are in `app.routers`; what is asked is with its noun.

use std::time::Duration;

use crate::app::{App, NoApi};
use crate::domain::id::NasId;
use crate::domain::nas::ApiTransport;
use crate::routers::routeros::client::{Router, State};
use crate::routers::routeros::tls::Fingerprint;
use crate::telemetry::monotonic;

use super::{Error, nas};

/// How the connection to a router is right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Nobody asked for it yet.
    Unused,
    Offline {
        lasted: Duration,
        /// Why it ended or failed.
        error: Option<String>,
        next_try: Duration,
    },
    Connecting,
    Ready {
        lasted: Duration,
        identity: Option<String>,
        version: Option<String>,
    },
}

pub fn connection(app: &App, id: NasId) -> Connection {
    let now = monotonic();
    match app.routers.state(id) {
        None => Connection::Unused,
        Some(State::Offline { error: None, .. }) => Connection::Unused,
        Some(State::Offline {
            since,
            error,
            next_try,
        }) => Connection::Offline {
            lasted: now.saturating_duration_since(since),
            error: error.map(|error| error.to_string()),
            next_try: next_try.saturating_duration_since(now),
        },
        Some(State::Connecting) => Connection::Connecting,
        Some(State::Ready {
            since,
            identity,
            version,
            ..
        }) => Connection::Ready {
            lasted: now.saturating_duration_since(since),
            identity,
            version,
        },
    }
}

/// The handle of a router's connection. Whoever has asked something calls [`keep_certificate`] once.
pub fn of(app: &App, id: NasId) -> Result<Router, NoApi> {
    app.routers.of(app, id)
}

/// Keeps the certificate of the first login in the row of the NAS, so that another one is refused from then on.
pub async fn keep_certificate(app: &App, id: NasId, router: &Router) -> Result<(), Error> {
    let entry = app.nas(id);
    let api = entry.as_ref().and_then(|entry| entry.nas.api.as_ref());
    if api.is_none_or(|api| api.transport != ApiTransport::Pinned(None)) {
        return Ok(());
    }
    match router.state() {
        State::Ready {
            certificate: Some(Fingerprint(pin)),
            ..
        } => nas::pin_certificate(app, id, pin).await,
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::crypto;
    use crate::domain::nas::{ApiAccess, UsageSource};
    use crate::operations::nas::{ApiDraft, Draft};
    use crate::operations::testing::{TestApp, actor, router, secret};
    use crate::routers::routeros::error::ApiError;
    use crate::routers::routeros::peer::{LIMITS, Peer, both};
    use crate::routers::routeros::request::Command;

    fn with_api(peer: &Peer, password: &str) -> Draft {
        let access = ApiAccess {
            address: Some(peer.address().ip()),
            port: peer.address().port(),
            user: "panel".into(),
            transport: ApiTransport::Plain,
            legacy_login: false,
        };
        Draft {
            api: Some(ApiDraft {
                access,
                password: secret(password),
            }),
            ..router("Tower", "10.0.0.0/24")
        }
    }

    async fn ask(app: &App, id: NasId) -> Result<(), ApiError> {
        let router = of(app, id).unwrap();
        let asked = Command::new("/system/identity/print");
        router.call(asked, LIMITS).await.map(|_| ())
    }

    #[tokio::test]
    async fn all_who_ask_share_one_connection_until_the_access_is_another() {
        let test = TestApp::new();
        let app = &test.app;
        let peer = Peer::listen().await;
        let id = nas::create(app, &actor(), with_api(&peer, "pass")).await;
        let id = id.unwrap();
        assert_eq!(connection(app, id), Connection::Unused);
        assert!(of(app, id).is_ok(), "a handle connects nobody");
        assert_eq!(connection(app, id), Connection::Unused);
        let asked = async {
            ask(app, id).await.unwrap();
            assert!(matches!(connection(app, id), Connection::Ready { .. }));
            // What is no access leaves the connection alone.
            let renamed = Draft {
                name: "Hill".into(),
                usage_source: UsageSource::Api,
                ..with_api(&peer, "pass")
            };
            let no_password = Draft {
                api: renamed.api.clone().map(|api| ApiDraft {
                    password: None,
                    ..api
                }),
                ..renamed
            };
            nas::update(app, &actor(), id, no_password).await.unwrap();
            ask(app, id).await.unwrap();
            // Another password needs another login.
            nas::update(app, &actor(), id, with_api(&peer, "pass"))
                .await
                .unwrap();
            assert_eq!(connection(app, id), Connection::Unused);
            ask(app, id).await.unwrap();
        };
        let served = async {
            let mut first = peer.welcome().await;
            for _ in 0..2 {
                let tag = first.expect(&["/system/identity/print"]).await;
                first.answer(&tag, &[]).await;
            }
            let mut second = peer.welcome().await;
            let tag = second.expect(&["/system/identity/print"]).await;
            second.answer(&tag, &[]).await;
            assert_eq!(first.try_hear().await, None, "the first one ended");
        };
        both(asked, served).await;
        nas::remove(app, &actor(), id).await.unwrap();
        assert_eq!(connection(app, id), Connection::Unused);
        assert!(matches!(of(app, id), Err(NoApi::Missing)));
    }

    #[tokio::test]
    async fn what_is_not_set_is_said() {
        let test = TestApp::new();
        let app = &test.app;
        let id = nas::create(app, &actor(), router("Tower", "10.0.0.1"))
            .await
            .unwrap();
        assert!(matches!(of(app, id), Err(NoApi::NotSet)));
        assert!(matches!(of(app, NasId(99)), Err(NoApi::Missing)));
    }

    #[tokio::test]
    async fn a_failed_login_is_said_with_its_reason() {
        let test = TestApp::new();
        let app = &test.app;
        let peer = Peer::listen().await;
        let id = nas::create(app, &actor(), with_api(&peer, "pass"))
            .await
            .unwrap();
        let refused = async {
            let mut talk = peer.accept().await;
            talk.hear().await;
            talk.say(&["!trap", "=message=invalid user name or password"])
                .await;
            talk.say(&["!done"]).await;
            talk
        };
        let (asked, _talk) = both(ask(app, id), refused).await;
        assert!(asked.is_err());
        let Connection::Offline { error, .. } = connection(app, id) else {
            panic!("{:?}", connection(app, id));
        };
        assert!(error.unwrap().contains("invalid user name or password"));
    }

    /// What a router shows that made its certificate itself, and its SHA-256.
    fn certificate() -> (Arc<ServerConfig>, [u8; 32]) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let pin = crypto::sha256(&certificate);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.clone_key());
        (Arc::new(config.unwrap()), pin)
    }

    #[tokio::test]
    async fn the_first_certificate_is_kept_and_the_connection_with_it() {
        let test = TestApp::new();
        let app = &test.app;
        let peer = Peer::listen().await;
        let mut draft = with_api(&peer, "pass");
        let api = draft.api.as_mut().unwrap();
        api.access.transport = ApiTransport::Pinned(None);
        let id = nas::create(app, &actor(), draft).await.unwrap();
        let (config, pin) = certificate();
        let asked = async {
            ask(app, id).await.unwrap();
            let router = of(app, id).unwrap();
            keep_certificate(app, id, &router).await.unwrap();
            let kept = app.nas(id).unwrap().nas.api.clone().unwrap().transport;
            assert_eq!(kept, ApiTransport::Pinned(Some(pin)));
            // No second login for what this very connection has seen.
            ask(app, id).await.unwrap();
            keep_certificate(app, id, &router).await.unwrap();
        };
        let served = async {
            let mut talk = peer.accept_tls(&config).await.unwrap();
            talk.welcome().await;
            for _ in 0..2 {
                let tag = talk.expect(&["/system/identity/print"]).await;
                talk.answer(&tag, &[]).await;
            }
            talk
        };
        let ((), _talk) = both(asked, served).await;
        // Another router in its place is refused.
        nas::update(app, &actor(), id, {
            let mut draft = with_api(&peer, "pass");
            let api = draft.api.as_mut().unwrap();
            api.access.transport = ApiTransport::Pinned(None);
            draft
        })
        .await
        .unwrap();
        let (other, found) = certificate();
        let served = async { peer.accept_tls(&other).await.is_err() };
        let (asked, was_left) = both(ask(app, id), served).await;
        let Err(ApiError::CertificateDiffers {
            expected,
            found: shown,
        }) = asked
        else {
            panic!("{asked:?}");
        };
        assert_eq!((expected, shown), (Fingerprint(pin), Fingerprint(found)));
        let _ = was_left;
        nas::forget_certificate(app, &actor(), id).await.unwrap();
        assert_eq!(connection(app, id), Connection::Unused);
    }
}
