//! The form of a subscriber: from what was typed to a draft, with every problem beside its field.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::address::{parse_address, parse_prefix};
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::plan::OnLimit;
use crate::domain::rate::Rate;
use crate::domain::subscriber::{MOST_MACS, MacMode, Subscriber, typed};
use crate::domain::text::{self, Username};
use crate::domain::time::{Calendar, Day, Timestamp};
use crate::operations::subscribers::{self as verbs, Draft};
use crate::store::subscribers as stored;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, extras, extras_filled, number, optional};
use crate::web::page::Page;
use crate::web::pages::addresses;
use crate::web::parts::{Field, Select};
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::{self, Words};

use super::{PATH, reconnect};

/// `GET /subscribers/new`, `GET /subscribers/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/subscribers/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub user_name: Field,
    /// Empty keeps the present one when editing.
    pub password: Field,
    pub full_name: Field,
    pub phone: Field,
    pub email: Field,
    pub address: Field,
    pub notes: Field,
    pub plan: Select,
    /// `YYYY-MM-DD`; the last day that still works.
    pub expires: Field,
    pub enabled: bool,
    pub max_sessions: Field,
    pub on_limit: Select,
    pub mac_mode: Select,
    pub mac_learn: Field,
    /// One MAC a line, any notation.
    pub macs: Field,
    pub static_address: Field,
    /// Delegated IPv6 prefix.
    pub static_prefix: Field,
    /// The only NAS that may bring this subscriber in.
    pub only_nas: Select,
    /// When a live session ends for what only a login brings; shown while one is open.
    pub reconnect: Select,
    pub is_online: bool,
    /// kbps; empty means the plan's speed.
    pub download_kbps: Field,
    pub upload_kbps: Field,
    /// An attribute a line, beside those of the plan.
    pub extra_check: Field,
    pub extra_reply: Field,
}

/// An empty form. `plan` of the address is chosen already.
pub async fn new(signed: Signed) -> Reply {
    if signed.app().plans().is_empty() {
        let flash = Flash::bad("A subscriber needs a plan: create one first.");
        return Ok(done(&signed, flash, "/plans/new"));
    }
    let query = Query::read(&signed.here, &["plan"]);
    let form = defaults(query.get("plan"));
    Ok(Page::ok(page(&signed, None, &form, &Problems::default())).into_response())
}

/// The form of a new subscriber with a plan.
pub fn defaults(plan: &str) -> FormData {
    FormData::filled(vec![
        ("enabled", "on".to_owned()),
        ("plan", plan.to_owned()),
        ("mac_mode", "off".to_owned()),
        ("mac_learn", "1".to_owned()),
    ])
}

pub async fn create(Work { signed, form }: Work) -> Reply {
    let mut problems = Problems::default();
    let draft = parse(
        &form,
        None,
        signed.app().settings().calendar.clone(),
        &mut problems,
    );
    if let Some(draft) = draft {
        let name = draft.username.as_str();
        let text = with_note(
            &signed,
            format!("{name} is created and can sign in now."),
            &draft,
        );
        let created = verbs::create(signed.app(), &signed.actor(), draft).await;
        if let Some(id) = problems.absorb(created)? {
            return Ok(done(
                &signed,
                Flash::good(text),
                &words::subscriber_href(id),
            ));
        }
    }
    Ok(Page::unprocessable(page(&signed, None, &form, &problems)).into_response())
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let subscriber = find(&signed, SubscriberId(id))?;
    let form = filled(&subscriber, &signed.app().settings().calendar);
    let fine = Problems::default();
    let page = page(&signed, Some(&subscriber), &form, &fine);
    Ok(Page::ok(page).into_response())
}

pub async fn update(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let subscriber = find(&signed, SubscriberId(id))?;
    let mut problems = Problems::default();
    let calendar = signed.app().settings().calendar.clone();
    let draft = parse(&form, Some(&subscriber), calendar, &mut problems);
    if let Some(draft) = draft {
        let text = with_note(
            &signed,
            format!("{} is saved.", draft.username.as_str()),
            &draft,
        );
        let saved = verbs::update(signed.app(), &signed.actor(), subscriber.id, draft).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(
                &signed,
                Flash::good(text),
                &words::subscriber_href(subscriber.id),
            ));
        }
    }
    let page = page(&signed, Some(&subscriber), &form, &problems);
    Ok(Page::unprocessable(page).into_response())
}

/// A static address in a pool is allowed, but worth a word.
fn with_note(signed: &Signed, text: String, draft: &Draft) -> String {
    match addresses::note(signed.app(), draft.static_address, draft.static_prefix) {
        note if note.is_empty() => text,
        note => format!("{text} The static address is {note}."),
    }
}

fn find(signed: &Signed, id: SubscriberId) -> Result<Subscriber, Failure> {
    let found = stored::get(&signed.app().store.view()?, id)?;
    found
        .map(|stored| stored.subscriber)
        .ok_or(Failure::Missing)
}

fn page(
    signed: &Signed,
    old: Option<&Subscriber>,
    form: &FormData,
    problems: &Problems,
) -> FormPage {
    let words = Words::of(signed.app());
    let field = |name| problems.field(form, name);
    let select = |name, choices| problems.select(name, choices);
    let on_limits = [
        ("", "As the plan says"),
        ("replace_old", "Disconnect the oldest session"),
        ("reject_new", "Reject the new one"),
    ];
    let mac_modes = [
        ("off", "Any device"),
        ("learn", "Learn the first ones, then only those"),
        ("fixed", "Only those listed"),
    ];
    let (title, action, back) = match old {
        None => ("New subscriber", PATH.to_owned(), PATH.to_owned()),
        Some(old) => {
            let path = words::subscriber_href(old.id);
            ("Edit subscriber", format!("{path}/edit"), path)
        }
    };
    FormPage {
        shell: signed.shell(title, Nav::Subscribers),
        action,
        back,
        is_new: old.is_none(),
        refusal: problems.summary(),
        user_name: field("user_name"),
        password: problems.secret("password"),
        full_name: field("full_name"),
        phone: field("phone"),
        email: field("email"),
        address: field("address"),
        notes: field("notes"),
        plan: select("plan", words.plan_choices("", form.text("plan"))),
        expires: field("expires"),
        enabled: form.has("enabled"),
        max_sessions: field("max_sessions"),
        on_limit: select("on_limit", Select::new(on_limits, form.text("on_limit"))),
        mac_mode: select("mac_mode", Select::new(mac_modes, form.text("mac_mode"))),
        mac_learn: field("mac_learn"),
        macs: field("macs"),
        static_address: field("static_address"),
        static_prefix: field("static_prefix"),
        only_nas: select(
            "only_nas",
            words.nas_choices("Any NAS", form.text("only_nas")),
        ),
        reconnect: select("reconnect", reconnect::choices(form)),
        is_online: old.is_some_and(|old| signed.app().accounting.live().is_online(old.id)),
        download_kbps: field("download_kbps"),
        upload_kbps: field("upload_kbps"),
        extra_check: field("extra_check"),
        extra_reply: field("extra_reply"),
    }
}

/// The form as it stands for a record.
pub fn filled(old: &Subscriber, calendar: &Calendar) -> FormData {
    let text = |value: Option<String>| value.unwrap_or_default();
    let (mac_mode, mac_learn) = match old.mac_mode {
        MacMode::Off => ("off", 1),
        MacMode::Learn(most) => ("learn", most),
        MacMode::Fixed => ("fixed", 1),
    };
    let macs: Vec<String> = old.macs.iter().map(ToString::to_string).collect();
    let prefix = old.static_prefix;
    let prefix = prefix.map(|(address, length)| format!("{address}/{length}"));
    let expires = old.expires_at.map(|at| calendar.last_day(at).to_string());
    let mut fields = vec![
        ("user_name", old.username.as_str().to_owned()),
        ("full_name", old.full_name.clone()),
        ("phone", old.phone.clone()),
        ("email", old.email.clone()),
        ("address", old.address.clone()),
        ("notes", old.notes.clone()),
        ("plan", old.plan.to_string()),
        ("expires", text(expires)),
        (
            "max_sessions",
            text(old.max_sessions.map(|n| n.to_string())),
        ),
        ("on_limit", on_limit_word(old.on_limit).to_owned()),
        ("mac_mode", mac_mode.to_owned()),
        ("mac_learn", mac_learn.to_string()),
        ("macs", macs.join("\n")),
        (
            "static_address",
            text(old.static_address.map(|a| a.to_string())),
        ),
        ("static_prefix", text(prefix)),
        ("only_nas", text(old.only_nas.map(|id| id.to_string()))),
        (
            "download_kbps",
            text(old.rate_override.map(|r| r.download_kbps.to_string())),
        ),
        (
            "upload_kbps",
            text(old.rate_override.map(|r| r.upload_kbps.to_string())),
        ),
    ];
    fields.extend(extras_filled(&old.extras));
    if !old.is_suspended() {
        fields.push(("enabled", "on".to_owned()));
    }
    FormData::filled(fields)
}

fn on_limit_word(on_limit: Option<OnLimit>) -> &'static str {
    match on_limit {
        None => "",
        Some(OnLimit::ReplaceOld) => "replace_old",
        Some(OnLimit::RejectNew) => "reject_new",
    }
}

/// What was typed as a draft; `None` once any problem was noted.
pub fn parse(
    form: &FormData,
    old: Option<&Subscriber>,
    calendar: Calendar,
    problems: &mut Problems,
) -> Option<Draft> {
    let username = problems.take("user_name", Username::parse(form.text("user_name")));
    let password = problems.take("password", password(form.text("password"), old.is_none()));
    let full_name = problems.take("full_name", typed::full_name(form.text("full_name")));
    let phone = problems.take("phone", typed::phone(form.text("phone")));
    let email = problems.take("email", typed::email(form.text("email")));
    let address = problems.take("address", typed::address(form.text("address")));
    let notes = problems.take("notes", typed::notes(form.text("notes")));
    let plan = problems.take("plan", plan(form.text("plan")));
    let expires_at = problems.take("expires", expiry(form.text("expires"), old, &calendar));
    let most = form.text("max_sessions");
    let max_sessions = problems.take("max_sessions", optional(most, typed::max_sessions));
    let on_limit = problems.take("on_limit", on_limit(form.text("on_limit")));
    let mac_mode = mac_mode(form, problems);
    let macs = problems.take("macs", typed::macs(form.text("macs").lines()));
    let static_address = problems.take(
        "static_address",
        optional(form.text("static_address"), parse_address),
    );
    let static_prefix = problems.take(
        "static_prefix",
        optional(form.text("static_prefix"), parse_prefix),
    );
    let only_nas = problems.take("only_nas", optional(form.text("only_nas"), nas));
    let rate_override = rate(form, problems);
    let extras = extras(form, problems);
    let reconnect = reconnect::parse(form, problems);
    // Each field that is missing here has noted its problem.
    Some(Draft {
        username: username?,
        password: password?,
        full_name: full_name?,
        phone: phone?,
        email: email?,
        address: address?,
        notes: notes?,
        plan: plan?,
        enabled: form.has("enabled"),
        expires_at: expires_at?,
        max_sessions: max_sessions?,
        on_limit: on_limit?,
        mac_mode: mac_mode?,
        macs: macs?,
        only_nas: only_nas?,
        static_address: static_address?,
        static_prefix: static_prefix?,
        rate_override: rate_override?,
        extras: extras?,
        reconnect: reconnect?,
    })
}

/// An empty password keeps the present one, if there is one.
fn password(text: &str, is_needed: bool) -> Result<Option<Arc<Secret<String>>>, Invalid> {
    if text.is_empty() && !is_needed {
        return Ok(None);
    }
    let password = text::ppp_password(text)?;
    Ok(Some(Arc::new(Secret::new(password.to_owned()))))
}

fn plan(text: &str) -> Result<PlanId, Invalid> {
    text.parse()
        .map(PlanId)
        .map_err(|_| Invalid::new("Choose a plan"))
}

fn nas(text: &str) -> Result<NasId, Invalid> {
    text.parse()
        .map(NasId)
        .map_err(|_| Invalid::new("Choose a NAS, or any"))
}

/// The end of the last day that still works. The day of the record itself keeps its exact instant.
fn expiry(
    text: &str,
    old: Option<&Subscriber>,
    calendar: &Calendar,
) -> Result<Option<Timestamp>, Invalid> {
    let Some(day) = optional(text, Day::parse)? else {
        return Ok(None);
    };
    let present = old.and_then(|old| old.expires_at);
    let is_unchanged = present.is_some_and(|at| calendar.last_day(at) == day);
    Ok(if is_unchanged {
        present
    } else {
        Some(calendar.end_of(day))
    })
}

fn on_limit(text: &str) -> Result<Option<OnLimit>, Invalid> {
    match text {
        "" => Ok(None),
        "replace_old" => Ok(Some(OnLimit::ReplaceOld)),
        "reject_new" => Ok(Some(OnLimit::RejectNew)),
        _ => Err(Invalid::new("Choose one of the list")),
    }
}

fn mac_mode(form: &FormData, problems: &mut Problems) -> Option<MacMode> {
    match form.text("mac_mode") {
        "off" => Some(MacMode::Off),
        "fixed" => Some(MacMode::Fixed),
        "learn" => {
            let most = u8::try_from(MOST_MACS).unwrap_or(u8::MAX);
            let learned = number(form.text("mac_learn"), 1, most);
            problems.take("mac_learn", learned).map(MacMode::Learn)
        }
        _ => {
            problems.add("mac_mode", Invalid::new("Choose one of the list"));
            None
        }
    }
}

/// Both directions, or neither.
fn rate(form: &FormData, problems: &mut Problems) -> Option<Option<Rate>> {
    let mut kbps = |name| problems.take(name, optional(form.text(name), Rate::parse_kbps));
    let (download, upload) = (kbps("download_kbps"), kbps("upload_kbps"));
    match (download?, upload?) {
        (None, None) => Some(None),
        (Some(download), Some(upload)) => Some(Some(Rate::new(upload, download))),
        (download, _) => {
            let empty = match download {
                None => "download_kbps",
                Some(_) => "upload_kbps",
            };
            problems.add(empty, Invalid::new("Both speeds, or neither"));
            None
        }
    }
}
