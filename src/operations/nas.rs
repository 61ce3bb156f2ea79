//! NAS devices: add, change, delete.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::NasId;
use crate::domain::nas::{CoaForm, MessageAuthenticator, Nas, Network, Profile, UsageSource};
use crate::domain::radsec::RadsecTrust;
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::nas::{self, StoredNas, secret_context};
use crate::store::outbox::{self, Work};
use crate::store::{Read, Tx, cdn, tables};

use super::Error;
use super::others::check_room;
use super::trail::note;

mod api;
mod radsec;

pub use api::{
    ApiDraft, RouterSecrets, check_api_password, forget_certificate, pin_certificate,
    reveal_secrets,
};
use api::{api_words, certificate, check_api, keep_pin, seal_api_password, source_word};
pub use radsec::certificate_fingerprint;

/// What a form says of a NAS.
#[derive(Clone)]
pub struct Draft {
    pub name: String,
    pub network: Network,
    /// `None` keeps the present one; needed for a new NAS.
    pub secret: Option<Arc<Secret<String>>>,
    pub profile: Profile,
    pub coa_port: u16,
    pub message_authenticator: MessageAuthenticator,
    pub limit_proxy_state: bool,
    pub send_message_authenticator: bool,
    pub swap_octets: bool,
    pub interim_interval: Option<u32>,
    /// `None` for no API.
    pub api: Option<ApiDraft>,
    pub usage_source: UsageSource,
    pub api_fallback: bool,
    /// `None` for UDP only.
    pub radsec: Option<RadsecTrust>,
    pub notes: String,
}

impl Draft {
    /// What suits RouterOS, over UDP and without its API. The secret is still to be given.
    pub fn new(name: &str, network: Network) -> Draft {
        Draft {
            name: name.to_owned(),
            network,
            secret: None,
            profile: Profile::MikroTik,
            coa_port: 3799,
            message_authenticator: MessageAuthenticator::Auto { pinned: false },
            limit_proxy_state: true,
            send_message_authenticator: true,
            swap_octets: false,
            interim_interval: None,
            api: None,
            usage_source: UsageSource::Accounting,
            api_fallback: false,
            radsec: None,
            notes: String::new(),
        }
    }
}

/// A shared secret: 1 to 128 octets (radius.md section 1).
pub fn check_secret(secret: &str) -> Result<(), Invalid> {
    match secret.len() {
        0 => Err(Invalid::new("A shared secret is needed")),
        1..=128 if secret.chars().all(|c| !c.is_control()) => Ok(()),
        1..=128 => Err(Invalid::new("No control characters")),
        _ => Err(Invalid::new("At most 128 octets")),
    }
}

/// Errors: `Field` for a name or network that is taken, or a missing secret.
pub async fn create(app: &App, actor: &Actor, draft: Draft) -> Result<NasId, Error> {
    let (actor, now, sealer) = (actor.clone(), app.now(), app.store.sealer().clone());
    let (network, radsec) = (draft.network, draft.radsec.clone());
    let id = app
        .store
        .write("add NAS", move |tx| {
            let Some(secret) = draft.secret.as_ref() else {
                return Err(Error::field("secret", "A shared secret is needed"));
            };
            check(tx, &draft, None)?;
            let count = usize::try_from(tx.count(&tables::NAS)?).unwrap_or(usize::MAX);
            check_room("NAS devices", count, nas::MOST_NAS)?;
            let id = nas::next_id(tx)?;
            let sealed_secret =
                sealer.seal(secret_context(id).as_bytes(), secret.expose().as_bytes())?;
            let sealed_api_password = seal_api_password(&sealer, &draft, id, &[])?;
            let device = build(&draft, id, now, None);
            nas::put(
                tx,
                &StoredNas {
                    nas: device.clone(),
                    sealed_secret,
                    sealed_api_password,
                },
            )?;
            outbox::add(tx, Work::IndexNas(id))?;
            let mut difference = Difference::default();
            difference.field("address", "", device.network).field(
                "profile",
                "",
                device.profile.word(),
            );
            note(tx, &actor, "added", &device, difference, now)?;
            Ok::<_, Error>(id)
        })
        .await?;
    app.sightings.forget(|source| network.contains(source));
    app.strangers.forget(|seen| seen.is_of(radsec.as_ref()));
    Ok(id)
}

pub async fn update(app: &App, actor: &Actor, id: NasId, draft: Draft) -> Result<(), Error> {
    let (actor, now, sealer) = (actor.clone(), app.now(), app.store.sealer().clone());
    let (network, radsec) = (draft.network, draft.radsec.clone());
    app.store
        .write("change NAS", move |tx| {
            let old = nas::get(tx, id)?.ok_or(Error::Missing("NAS"))?;
            check(tx, &draft, Some(id))?;
            let new = build(&draft, id, old.nas.created_at, Some(&old.nas));
            let api_password = draft.api.as_ref().and_then(|api| api.password.as_ref());
            let mut difference = differences(&old.nas, &new);
            difference
                .secret("shared secret", draft.secret.is_some())
                .secret("API password", api_password.is_some());
            if old.nas == new && draft.secret.is_none() && api_password.is_none() {
                return Ok(());
            }
            let sealed_secret = match &draft.secret {
                Some(secret) => {
                    sealer.seal(secret_context(id).as_bytes(), secret.expose().as_bytes())?
                }
                None => old.sealed_secret.clone(),
            };
            let sealed_api_password =
                seal_api_password(&sealer, &draft, id, &old.sealed_api_password)?;
            nas::put(
                tx,
                &StoredNas {
                    nas: new.clone(),
                    sealed_secret,
                    sealed_api_password,
                },
            )?;
            outbox::add(tx, Work::IndexNas(id))?;
            note(tx, &actor, "changed", &new, difference, now)
        })
        .await?;
    app.sightings.forget(|source| network.contains(source));
    app.strangers.forget(|seen| seen.is_of(radsec.as_ref()));
    app.routers.refresh(app, id);
    Ok(())
}

/// Its sessions stay in the history; open ones are closed as lost when they stay silent.
pub async fn remove(app: &App, actor: &Actor, id: NasId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete NAS", move |tx| {
            let old = nas::get(tx, id)?.ok_or(Error::Missing("NAS"))?.nas;
            nas::remove(tx, id)?;
            cdn::let_go(tx, id)?;
            outbox::add(tx, Work::IndexNas(id))?;
            let mut difference = Difference::default();
            difference.field("address", old.network, "");
            note(tx, &actor, "deleted", &old, difference, now)
        })
        .await?;
    app.routers.refresh(app, id);
    Ok(())
}

/// Keeps the form of CoA that a router was found to take, for all that it is sent from now on.
pub(super) async fn keep_coa_form(
    app: &App,
    actor: &Actor,
    id: NasId,
    form: CoaForm,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("CoA form", move |tx| {
            let mut stored = nas::get(tx, id)?.ok_or(Error::Missing("NAS"))?;
            let old = stored.nas.clone();
            stored.nas.coa_form = Some(form);
            if old == stored.nas {
                return Ok(());
            }
            nas::put(tx, &stored)?;
            let difference = differences(&old, &stored.nas);
            note(tx, &actor, "CoA tested", &stored.nas, difference, now)
        })
        .await
}

fn build(draft: &Draft, id: NasId, created_at: Timestamp, old: Option<&Nas>) -> Nas {
    let old_api = old.and_then(|old| old.api.as_ref());
    Nas {
        id,
        name: draft.name.clone(),
        network: draft.network,
        profile: draft.profile,
        coa_port: draft.coa_port,
        coa_form: old.and_then(|old| old.coa_form),
        message_authenticator: draft.message_authenticator,
        limit_proxy_state: draft.limit_proxy_state,
        send_message_authenticator: draft.send_message_authenticator,
        swap_octets: draft.swap_octets,
        interim_interval: draft.interim_interval,
        api: draft.api.as_ref().map(|api| keep_pin(&api.access, old_api)),
        usage_source: draft.usage_source,
        api_fallback: draft.api_fallback && draft.api.is_some(),
        radsec: draft.radsec.clone(),
        notes: draft.notes.clone(),
        created_at,
    }
}

fn check(tx: &mut Tx<'_>, draft: &Draft, own: Option<NasId>) -> Result<(), Error> {
    check_api(draft)?;
    radsec::check(draft)?;
    let wanted = fold_case(&draft.name);
    for other in nas::all(tx)?
        .into_iter()
        .map(|stored| stored.nas)
        .filter(|n| Some(n.id) != own)
    {
        if fold_case(&other.name) == wanted {
            return Err(Error::field("name", "Another NAS has this name"));
        }
        if other.network == draft.network {
            return Err(Error::field(
                "address",
                format!("{} has this address", other.name),
            ));
        }
        radsec::check_other(draft, &other)?;
    }
    Ok(())
}

fn differences(old: &Nas, new: &Nas) -> Difference {
    let interval = |nas: &Nas| {
        nas.interim_interval
            .map_or_else(|| "automatic".to_owned(), |s| format!("{s} s"))
    };
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("address", old.network, new.network)
        .field("profile", old.profile.word(), new.profile.word())
        .field("CoA port", old.coa_port, new.coa_port)
        .field("CoA requests", coa_form_word(old), coa_form_word(new))
        .field(
            "Message-Authenticator",
            policy_word(old.message_authenticator),
            policy_word(new.message_authenticator),
        )
        .field(
            "limit Proxy-State",
            old.limit_proxy_state,
            new.limit_proxy_state,
        )
        .field(
            "send Message-Authenticator",
            old.send_message_authenticator,
            new.send_message_authenticator,
        )
        .field("swap octets", old.swap_octets, new.swap_octets)
        .field("interim interval", interval(old), interval(new))
        .field("API", api_words(old), api_words(new))
        .field("API certificate", certificate(old), certificate(new))
        .field(
            "usage from",
            source_word(old.usage_source),
            source_word(new.usage_source),
        )
        .field("change by API", old.api_fallback, new.api_fallback)
        .field("RadSec", radsec::words(old), radsec::words(new))
        .field("notes", &old.notes, &new.notes);
    difference
}

fn coa_form_word(nas: &Nas) -> &'static str {
    nas.coa_form.map_or("not tested", CoaForm::label)
}

fn policy_word(policy: MessageAuthenticator) -> &'static str {
    match policy {
        MessageAuthenticator::Auto { pinned: false } => "automatic, not seen yet",
        MessageAuthenticator::Auto { pinned: true } => "automatic, required since it was seen",
        MessageAuthenticator::Required => "required",
        MessageAuthenticator::Optional => "optional",
    }
}
