//! The API of a router among its settings: access, password and certificate, and showing what is secret of a NAS.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::{self, Sealer, Secret};
use crate::domain::Invalid;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::NasId;
use crate::domain::nas::{ApiAccess, ApiTransport, Nas, UsageSource};
use crate::operations::Error;
use crate::operations::trail::note;
use crate::routers::routeros::tls::{self, Trust};
use crate::store::nas::{self, StoredNas, api_context, secret_context};

use super::{Draft, check_secret, differences};

/// What a form says of the API of a router.
#[derive(Clone)]
pub struct ApiDraft {
    /// A certificate that is pinned already stays so while the transport stays the same.
    pub access: ApiAccess,
    /// `None` keeps the present one.
    pub password: Option<Arc<Secret<String>>>,
}

/// The password of an API user.
pub fn check_api_password(password: &str) -> Result<(), Invalid> {
    match password.len() {
        0 => Err(Invalid::new("A password is needed")),
        _ => check_secret(password),
    }
}

/// Keeps the certificate that the router showed at the first login. Does nothing where another was kept meanwhile, or where
/// the router is trusted in another way.
pub async fn pin_certificate(app: &App, id: NasId, fingerprint: [u8; 32]) -> Result<(), Error> {
    let actor = Actor::System("first API login");
    let waits = |transport: &ApiTransport| *transport == ApiTransport::Pinned(None);
    change_pin(app, actor, id, "certificate kept", waits, Some(fingerprint)).await
}

/// Trusts the next certificate that the router shows: it was replaced on the router.
pub async fn forget_certificate(app: &App, actor: &Actor, id: NasId) -> Result<(), Error> {
    let is_kept = |transport: &ApiTransport| matches!(transport, ApiTransport::Pinned(Some(_)));
    change_pin(
        app,
        actor.clone(),
        id,
        "certificate forgotten",
        is_kept,
        None,
    )
    .await
}

async fn change_pin(
    app: &App,
    actor: Actor,
    id: NasId,
    action: &'static str,
    applies: fn(&ApiTransport) -> bool,
    pin: Option<[u8; 32]>,
) -> Result<(), Error> {
    let now = app.now();
    app.store
        .write("router certificate", move |tx| {
            let old = nas::get(tx, id)?.ok_or(Error::Missing("NAS"))?;
            let Some(api) = old.nas.api.clone().filter(|api| applies(&api.transport)) else {
                return Ok(());
            };
            let transport = ApiTransport::Pinned(pin);
            let new = StoredNas {
                nas: Nas {
                    api: Some(ApiAccess { transport, ..api }),
                    ..old.nas.clone()
                },
                ..old.clone()
            };
            nas::put(tx, &new)?;
            let difference = differences(&old.nas, &new.nas);
            note(tx, &actor, action, &new.nas, difference, now)
        })
        .await?;
    app.routers.refresh(app, id);
    Ok(())
}

/// What a setup script needs besides what everybody may see.
pub struct RouterSecrets {
    pub shared: Secret<String>,
    pub api_password: Option<Secret<String>>,
}

/// Gives the secrets of a NAS away to be shown, which is noted in the audit log.
pub async fn reveal_secrets(app: &App, actor: &Actor, id: NasId) -> Result<RouterSecrets, Error> {
    let stored = nas::get(&app.store.view()?, id)?.ok_or(Error::Missing("NAS"))?;
    let open = |context: String, sealed: &[u8]| {
        let plain = app.store.sealer().unseal(context.as_bytes(), sealed)?;
        Ok::<_, Error>(Secret::new(
            String::from_utf8_lossy(plain.expose()).into_owned(),
        ))
    };
    let secrets = RouterSecrets {
        shared: open(secret_context(id), &stored.sealed_secret)?,
        api_password: match stored.sealed_api_password.as_slice() {
            [] => None,
            sealed => Some(open(api_context(id), sealed)?),
        },
    };
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("reveal NAS secrets", move |tx| {
            let difference = Difference::default();
            note(tx, &actor, "secrets shown", &stored.nas, difference, now)
        })
        .await?;
    Ok(secrets)
}

/// The password for the row: a new one sealed, the old one kept, none without an API.
pub(super) fn seal_api_password(
    sealer: &Sealer,
    draft: &Draft,
    id: NasId,
    old: &[u8],
) -> Result<Vec<u8>, Error> {
    let Some(api) = &draft.api else {
        return Ok(Vec::new());
    };
    match &api.password {
        Some(password) => {
            Ok(sealer.seal(api_context(id).as_bytes(), password.expose().as_bytes())?)
        }
        None if old.is_empty() => Err(Error::field("api_password", "A password is needed")),
        None => Ok(old.to_vec()),
    }
}

/// What was learned of the router stays learned: forms do not carry the certificate.
pub(super) fn keep_pin(access: &ApiAccess, old: Option<&ApiAccess>) -> ApiAccess {
    let known = old.map(|old| &old.transport);
    let transport = match (&access.transport, known) {
        (ApiTransport::Pinned(None), Some(pinned @ ApiTransport::Pinned(_))) => pinned.clone(),
        (transport, _) => transport.clone(),
    };
    ApiAccess {
        transport,
        ..access.clone()
    }
}

pub(super) fn check_api(draft: &Draft) -> Result<(), Error> {
    let Some(api) = &draft.api else {
        return match draft.usage_source {
            UsageSource::Accounting => Ok(()),
            UsageSource::Api => Err(Error::field("usage_source", "This needs access to the API")),
        };
    };
    if let ApiTransport::Authority(pem) = &api.access.transport {
        tls::client_config(&Trust::Authority(pem.clone()))
            .map_err(|error| Error::field("api_authority", error.to_string()))?;
    }
    match api.access.host(&draft.network) {
        Some(_) => Ok(()),
        None => Err(Error::field(
            "api_address",
            "Needed, since the device is a network",
        )),
    }
}

/// `proxpanel at 10.0.0.1 port 8729, pinned`, without certificates.
pub(super) fn api_words(nas: &Nas) -> String {
    let Some(api) = &nas.api else {
        return "none".to_owned();
    };
    let host = api
        .host(&nas.network)
        .map_or_else(String::new, |host| host.to_string());
    let login = if api.legacy_login { ", old login" } else { "" };
    let transport = api.transport.word();
    format!(
        "{} at {host} port {}, {transport}{login}",
        api.user, api.port
    )
}

/// SHA-256 in hex of the router's certificate or of the authority's text; empty where there is none.
pub(super) fn certificate(nas: &Nas) -> String {
    match nas.api.as_ref().map(|api| &api.transport) {
        Some(ApiTransport::Pinned(Some(pin))) => crypto::hex(pin),
        Some(ApiTransport::Authority(pem)) => crypto::hex(&crypto::sha256(pem.as_bytes())),
        Some(ApiTransport::Pinned(None) | ApiTransport::Plain) | None => String::new(),
    }
}

pub(super) fn source_word(source: UsageSource) -> &'static str {
    match source {
        UsageSource::Accounting => "accounting",
        UsageSource::Api => "API",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::HIDDEN;
    use crate::operations::nas::{create, update};
    use crate::operations::testing::{SECRET, TestApp, actor, router, run, secret};
    use crate::store::audit;

    const PIN: [u8; 32] = [0xAB; 32];

    fn with_api(transport: ApiTransport, password: Option<&str>) -> Draft {
        let access = ApiAccess {
            address: None,
            port: 8729,
            user: "proxpanel".into(),
            transport,
            legacy_login: false,
        };
        Draft {
            api: Some(ApiDraft {
                access,
                password: password.and_then(secret),
            }),
            usage_source: UsageSource::Api,
            api_fallback: true,
            ..router("Tower", "10.0.0.1")
        }
    }

    #[track_caller]
    fn refused(result: Result<NasId, Error>) -> &'static str {
        match result {
            Err(Error::Field { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    fn transport(test: &TestApp, id: NasId) -> ApiTransport {
        let entry = test.app.nas(id).unwrap();
        entry.nas.api.clone().unwrap().transport
    }

    /// Action and changed fields of the newest entry.
    fn newest(test: &TestApp) -> (String, Vec<(String, String, String)>) {
        let view = test.app.store.view().unwrap();
        let entry = audit::newest(&view, u64::MAX, 1, 1, |_| true)
            .unwrap()
            .remove(0);
        let changes = entry.changes.into_iter();
        let told = changes.map(|change| (change.field, change.old, change.new));
        (entry.action, told.collect())
    }

    #[test]
    fn access_needs_a_password_and_an_address() {
        let test = TestApp::new();
        let app = &test.app;
        let pinned = || ApiTransport::Pinned(None);
        let add = |draft| run(create(app, &actor(), draft));
        assert_eq!(refused(add(with_api(pinned(), None))), "api_password");
        let network = Draft {
            network: crate::domain::nas::Network::parse("10.0.0.0/24").unwrap(),
            ..with_api(pinned(), Some("api-pass"))
        };
        assert_eq!(refused(add(network)), "api_address");
        let no_api = Draft {
            api: None,
            ..with_api(pinned(), None)
        };
        assert_eq!(refused(add(no_api)), "usage_source");
        let authority = ApiTransport::Authority("no certificate".into());
        let no_pem = with_api(authority, Some("api-pass"));
        assert_eq!(refused(add(no_pem)), "api_authority");
        let without = Draft {
            api: None,
            usage_source: UsageSource::Accounting,
            ..with_api(pinned(), None)
        };
        let id = add(without).unwrap();
        assert!(
            !app.nas(id).unwrap().nas.api_fallback,
            "there is no API to fall back to"
        );
    }

    #[test]
    fn the_password_is_kept_replaced_and_forgotten_with_the_access() {
        let test = TestApp::new();
        let app = &test.app;
        let pinned = || ApiTransport::Pinned(None);
        let id = run(create(app, &actor(), with_api(pinned(), Some("api-pass")))).unwrap();
        let password = || {
            let secrets = run(reveal_secrets(app, &actor(), id)).unwrap();
            assert_eq!(secrets.shared.expose(), SECRET);
            secrets
                .api_password
                .map(|password| password.expose().clone())
        };
        assert_eq!(password().as_deref(), Some("api-pass"));
        assert_eq!(newest(&test).0, "secrets shown");
        let change = |draft| {
            let secret = None;
            run(update(app, &actor(), id, Draft { secret, ..draft })).unwrap();
        };
        change(with_api(pinned(), None));
        assert_eq!(password().as_deref(), Some("api-pass"));
        change(with_api(pinned(), Some("other-pass")));
        let hidden = ("API password".into(), HIDDEN.into(), HIDDEN.into());
        assert_eq!(newest(&test), ("changed".into(), vec![hidden]));
        assert_eq!(password().as_deref(), Some("other-pass"));
        let without = Draft {
            api: None,
            usage_source: UsageSource::Accounting,
            ..with_api(pinned(), None)
        };
        change(without);
        let (_, changes) = newest(&test);
        let fields: Vec<&str> = changes.iter().map(|(field, ..)| field.as_str()).collect();
        assert_eq!(fields, ["API", "usage from", "change by API"]);
        assert_eq!(changes[0].1, "proxpanel at 10.0.0.1 port 8729, pinned");
        assert_eq!(password(), None);
    }

    #[test]
    fn the_first_certificate_is_kept_until_it_is_forgotten() {
        let test = TestApp::new();
        let app = &test.app;
        let draft = |password| with_api(ApiTransport::Pinned(None), password);
        let id = run(create(app, &actor(), draft(Some("api-pass")))).unwrap();
        run(pin_certificate(app, id, PIN)).unwrap();
        assert_eq!(transport(&test, id), ApiTransport::Pinned(Some(PIN)));
        let (action, changes) = newest(&test);
        assert_eq!(
            (action.as_str(), changes[0].2.as_str()),
            ("certificate kept", crypto::hex(&PIN).as_str())
        );
        run(pin_certificate(app, id, [0xCD; 32])).unwrap();
        assert_eq!(
            transport(&test, id),
            ApiTransport::Pinned(Some(PIN)),
            "the second one changes nothing"
        );
        run(update(app, &actor(), id, draft(None))).unwrap();
        assert_eq!(
            transport(&test, id),
            ApiTransport::Pinned(Some(PIN)),
            "forms keep it"
        );
        run(forget_certificate(app, &actor(), id)).unwrap();
        assert_eq!(transport(&test, id), ApiTransport::Pinned(None));
        assert_eq!(newest(&test).0, "certificate forgotten");
        let plain = with_api(ApiTransport::Plain, None);
        run(update(app, &actor(), id, plain)).unwrap();
        run(pin_certificate(app, id, PIN)).unwrap();
        assert_eq!(
            transport(&test, id),
            ApiTransport::Plain,
            "where none is looked at, none is kept"
        );
    }
}
