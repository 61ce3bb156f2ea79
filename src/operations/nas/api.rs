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
