//! The form of a NAS: from what was typed to a draft, with every problem beside its field.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::id::NasId;
use crate::domain::nas::{MessageAuthenticator, Nas, Network, Profile};
use crate::domain::text;
use crate::operations::nas::{self as verbs, Draft};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::page::Page;
use crate::web::parts::{Field, Select};
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};

use super::PATH;
use super::api_form::{self, ApiFields};
use super::radsec::{self, RadsecFields};

const LONGEST_NAME: usize = 64;
const LONGEST_NOTES: usize = 4_000;
/// Seconds between interim records: less than a minute is load without use (radius.md section 10), more than a day is none.
const SHORTEST_INTERVAL: u32 = 60;
const LONGEST_INTERVAL: u32 = 86_400;

/// `GET /nas/new`, `GET /nas/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/nas/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub name: Field,
    /// One address or a CIDR.
    pub address: Field,
    /// Empty keeps the present one when editing.
    pub secret: Field,
    pub profile: Select,
    pub coa_port: Field,
    pub message_authenticator: Select,
    pub limit_proxy_state: bool,
    pub send_message_authenticator: bool,
    pub swap_octets: bool,
    /// Seconds; empty is automatic.
    pub interim_interval: Field,
    pub api: ApiFields,
    pub radsec: RadsecFields,
    pub notes: Field,
}

/// A form with the defaults for RouterOS; `address`, `name` and `certificate` of the page's address are filled in, as they
/// were seen.
pub async fn new(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &["address", "name", "certificate"]);
    let certificate = query.get("certificate");
    let radsec = if certificate.is_empty() {
        "off"
    } else {
        "pinned"
    };
    let form = defaults()
        .with("name", query.get("name"))
        .with("address", query.get("address"))
        .with("radsec", radsec)
        .with("radsec_certificate", certificate);
    Ok(Page::ok(page(&signed, None, &form, &Problems::default())).into_response())
}

/// The form of a new NAS: what suits RouterOS.
pub fn defaults() -> FormData {
    FormData::filled(vec![
        ("profile", Profile::MikroTik.word().to_owned()),
        ("coa_port", "3799".to_owned()),
        ("message_authenticator", "auto".to_owned()),
        ("limit_proxy_state", "on".to_owned()),
        ("send_message_authenticator", "on".to_owned()),
        ("api_access", "none".to_owned()),
        ("radsec", "off".to_owned()),
    ])
}

pub async fn create(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    if let Some(draft) = parse(&form, None, &mut problems) {
        let flash = Flash::good(format!("{} is added and may ask from now on.", draft.name));
        let created = verbs::create(signed.app(), &signed.actor(), draft).await;
        if let Some(id) = problems.absorb(created)? {
            return Ok(done(&signed, flash, &format!("{PATH}/{id}")));
        }
    }
    Ok(Page::unprocessable(page(&signed, None, &form, &problems)).into_response())
}

/// The form as it stands; `certificate` of the page's address is filled in for the one that is saved.
pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let entry = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?;
    let query = Query::read(&signed.here, &["certificate"]);
    let form = filled(&entry.nas, query.get("certificate"));
    let page = page(&signed, Some(&entry.nas), &form, &Problems::default());
    Ok(Page::ok(page).into_response())
}

pub async fn update(Path(id): Path<u32>, Change { signed, form }: Change) -> Reply {
    let entry = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?;
    let id = entry.nas.id;
    let mut problems = Problems::default();
    if let Some(draft) = parse(&form, Some(&entry.nas), &mut problems) {
        let flash = Flash::good(format!("{} is saved.", draft.name));
        let saved = verbs::update(signed.app(), &signed.actor(), id, draft).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, &format!("{PATH}/{id}")));
        }
    }
    let page = page(&signed, Some(&entry.nas), &form, &problems);
    Ok(Page::unprocessable(page).into_response())
}

fn page(signed: &Signed, old: Option<&Nas>, form: &FormData, problems: &Problems) -> FormPage {
    let field = |name| problems.field(form, name);
    let profiles = Profile::ALL.map(|profile| (profile.word(), profile.label()));
    let policies = [
        ("auto", "Required once the first one was seen"),
        ("required", "Required"),
        ("optional", "Optional (not safe)"),
    ];
    let (title, action, back) = match old {
        None => ("New NAS", PATH.to_owned(), PATH.to_owned()),
        Some(old) => {
            let path = format!("{PATH}/{}", old.id);
            ("Edit NAS", format!("{path}/edit"), path)
        }
    };
    FormPage {
        shell: signed.shell(title, Nav::Nas),
        action,
        back,
        is_new: old.is_none(),
        refusal: problems.summary(),
        name: field("name"),
        address: field("address"),
        secret: problems.secret("secret"),
        profile: problems.select("profile", Select::new(profiles, form.text("profile"))),
        coa_port: field("coa_port"),
        message_authenticator: problems.select(
            "message_authenticator",
            Select::new(policies, form.text("message_authenticator")),
        ),
        limit_proxy_state: form.has("limit_proxy_state"),
        send_message_authenticator: form.has("send_message_authenticator"),
        swap_octets: form.has("swap_octets"),
        interim_interval: field("interim_interval"),
        api: api_form::fields(form, problems, old.is_some_and(|old| old.api.is_some())),
        radsec: radsec::fields(form, problems),
        notes: field("notes"),
    }
}

/// The form as it stands for a NAS, but for a certificate that it shall have from now on.
pub fn filled(nas: &Nas, certificate: &str) -> FormData {
    let policy = match nas.message_authenticator {
        MessageAuthenticator::Auto { .. } => "auto",
        MessageAuthenticator::Required => "required",
        MessageAuthenticator::Optional => "optional",
    };
    let interval = nas.interim_interval.map(|seconds| seconds.to_string());
    let mut fields = vec![
        ("name", nas.name.clone()),
        ("address", nas.network.to_string()),
        ("profile", nas.profile.word().to_owned()),
        ("coa_port", nas.coa_port.to_string()),
        ("message_authenticator", policy.to_owned()),
        ("interim_interval", interval.unwrap_or_default()),
        ("notes", nas.notes.clone()),
    ];
    for (name, on) in [
        ("limit_proxy_state", nas.limit_proxy_state),
        ("send_message_authenticator", nas.send_message_authenticator),
        ("swap_octets", nas.swap_octets),
    ] {
        if on {
            fields.push((name, "on".to_owned()));
        }
    }
    api_form::fill(nas, &mut fields);
    radsec::fill(nas, certificate, &mut fields);
    FormData::filled(fields)
}

/// What was typed as a draft; `None` once any problem was noted.
pub fn parse(form: &FormData, old: Option<&Nas>, problems: &mut Problems) -> Option<Draft> {
    let name = problems.take("name", text::name(form.text("name"), LONGEST_NAME));
    let network = problems.take("address", Network::parse(form.text("address")));
    let secret = problems.take("secret", secret(form.text("secret"), old.is_none()));
    let profile = problems.take("profile", Profile::parse(form.text("profile")));
    let coa_port = problems.take("coa_port", number(form.text("coa_port"), 1, u16::MAX));
    let policy = problems.take(
        "message_authenticator",
        policy(form.text("message_authenticator"), old),
    );
    let interval = optional(form.text("interim_interval"), |text| {
        number(text, SHORTEST_INTERVAL, LONGEST_INTERVAL)
    });
    let interim_interval = problems.take("interim_interval", interval);
    let api = api_form::parse(form, problems);
    let radsec = radsec::parse(form, problems);
    let notes = problems.take("notes", text::paragraph(form.text("notes"), LONGEST_NOTES));
    let api = api?;
    Some(Draft {
        name: name?,
        network: network?,
        secret: secret?,
        profile: profile?,
        coa_port: coa_port?,
        message_authenticator: policy?,
        limit_proxy_state: form.has("limit_proxy_state"),
        send_message_authenticator: form.has("send_message_authenticator"),
        swap_octets: form.has("swap_octets"),
        interim_interval: interim_interval?,
        api: api.api,
        usage_source: api.usage_source,
        api_fallback: api.fallback,
        radsec: radsec?,
        notes: notes?,
    })
}

/// An empty secret keeps the present one, if there is one.
fn secret(typed: &str, is_needed: bool) -> Result<Option<Arc<Secret<String>>>, Invalid> {
    if typed.is_empty() && !is_needed {
        return Ok(None);
    }
    verbs::check_secret(typed)?;
    Ok(Some(Arc::new(Secret::new(typed.to_owned()))))
}

/// What was learned of the router stays learned while the choice stays automatic.
fn policy(typed: &str, old: Option<&Nas>) -> Result<MessageAuthenticator, Invalid> {
    let pinned = MessageAuthenticator::Auto { pinned: true };
    match typed {
        "auto" if old.is_some_and(|old| old.message_authenticator == pinned) => Ok(pinned),
        "auto" => Ok(MessageAuthenticator::Auto { pinned: false }),
        "required" => Ok(MessageAuthenticator::Required),
        "optional" => Ok(MessageAuthenticator::Optional),
        _ => Err(Invalid::new("Choose one of the list")),
    }
}
