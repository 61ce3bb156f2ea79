//! The page for the vendor's people: sign in, see licences, issue, renew, revoke, free. Plain links and forms.
//!
//! The look, the forms and the cookies are those of the panel. Invariant: no form is carried out without the token of its
//! browser, and none that another site sent.

mod gate;
mod releases;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::api::Counter;
use super::licences::{Issue, Listed, MOST_DAYS, MOST_GRACE_DAYS, PAGE, Terms, USUAL_GRACE_DAYS};
use super::{Refusal, VendorError, records};
use crate::domain::duration::short;
use crate::domain::time::{Calendar, DAY, Timestamp};
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Field, Tone, thousands};
use crate::web::query::Query;
use crate::web::shell::{Bare, Flash};
use crate::web::{assets, cookies, filters};
use gate::{Form, Signed};
pub(super) use releases::line as release_line;

/// Octets of a form.
const LARGEST_FORM: usize = 16 << 10;
/// Lines of the log and heartbeats that are shown.
const MOST_LINES: usize = 200;
const MOST_HEARTBEATS: usize = 30;

pub(super) fn routes() -> Router<Counter> {
    Router::new()
        .route("/", get(list))
        .route("/login", get(gate::sign_in).post(gate::signed_in))
        .route("/logout", post(gate::sign_out))
        .route("/issue", get(new).post(create))
        .route("/licences/{id}", get(show))
        .route("/licences/{id}/renew", post(renew))
        .route("/licences/{id}/revoke", post(revoke))
        .route("/licences/{id}/move", post(move_on))
        .route("/licences/{id}/key", post(show_key))
        .route("/releases", get(releases::list))
        .route("/releases/{id}/withdraw", post(releases::withdraw))
        .route("/log", get(log))
        .merge(assets::router())
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

#[derive(Template)]
#[template(path = "vendor/list.html")]
pub struct ListPage {
    pub shell: Bare,
    pub search: String,
    pub rows: Vec<Row>,
    /// Where the older ones are; empty on the last page.
    pub older: String,
    pub key_lines: String,
}

#[derive(Clone, Default)]
pub struct Row {
    pub href: String,
    pub id: u32,
    pub customer: String,
    pub state: Badge,
    pub subscribers: String,
    pub ends: String,
    pub version: String,
    pub heard: String,
}

#[derive(Template)]
#[template(path = "vendor/issue.html")]
pub struct IssuePage {
    pub shell: Bare,
    pub refusal: Option<String>,
    pub customer: Field,
    pub email: Field,
    pub terms: TermFields,
}

/// The fields of a licence's terms.
#[derive(Clone, Default)]
pub struct TermFields {
    pub subscribers: Field,
    pub days: Field,
    pub grace: Field,
}

#[derive(Template)]
#[template(path = "vendor/licence.html")]
pub struct LicencePage {
    pub shell: Bare,
    pub refusal: Option<String>,
    pub path: String,
    pub key_action: String,
    pub move_action: String,
    pub title: String,
    pub state: Badge,
    pub facts: Vec<Fact>,
    /// The key in plain, right after somebody asked for it.
    pub key: String,
    pub terms: TermFields,
    pub reason: Field,
    pub heartbeats: Vec<HeartbeatLine>,
}

#[derive(Clone, Default)]
pub struct HeartbeatLine {
    pub at: String,
    pub address: String,
    pub version: String,
    pub subscribers: String,
    pub machine: Badge,
}

#[derive(Template)]
#[template(path = "vendor/log.html")]
pub struct LogPage {
    pub shell: Bare,
    pub rows: Vec<LogLine>,
}

#[derive(Clone, Default)]
pub struct LogLine {
    pub at: String,
    pub who: String,
    pub what: String,
    pub href: String,
    pub licence: String,
    pub detail: String,
}

async fn list(
    signed: Signed,
    axum::extract::Query(asked): axum::extract::Query<Vec<(String, String)>>,
) -> Result<Response, VendorError> {
    let text = |name: &str| {
        let found = asked.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let (desk, now) = (signed.desk(), signed.desk().now());
    let before = text("before").parse().unwrap_or(u32::MAX);
    let listed = desk.licences(before, text("q"))?;
    let older = match listed.last().filter(|_| listed.len() == PAGE) {
        Some(last) => Query::new()
            .with("q", text("q"))
            .with("before", &last.id.to_string())
            .href("/"),
        None => String::new(),
    };
    let page = ListPage {
        shell: signed.shell("Licences"),
        search: text("q").to_owned(),
        rows: listed.iter().map(|listed| row(listed, now)).collect(),
        older,
        key_lines: desk.key_lines()?.join("\n"),
    };
    Ok(Page::ok(page).into_response())
}

async fn new(signed: Signed) -> Response {
    let form = FormData::filled(vec![
        ("days", "365".to_owned()),
        ("grace", USUAL_GRACE_DAYS.to_string()),
    ]);
    Page::ok(issue_page(&signed, &form, &Problems::default())).into_response()
}

fn issue_page(signed: &Signed, form: &FormData, problems: &Problems) -> IssuePage {
    IssuePage {
        shell: signed.shell("Issue a licence"),
        refusal: problems.summary(),
        customer: problems.field(form, "customer"),
        email: problems.field(form, "email"),
        terms: term_fields(form, problems),
    }
}

async fn create(Form { signed, form }: Form) -> Result<Response, VendorError> {
    let mut problems = Problems::default();
    if let Some(terms) = terms(&form, &mut problems) {
        let issue = Issue {
            customer: form.text("customer").to_owned(),
            email: form.text("email").to_owned(),
            terms,
        };
        match signed.desk().issue(signed.who(), &issue).await {
            Ok((id, key)) => {
                let page = licence_page(&signed, id, None, &Problems::default())?;
                let key = key.expose().to_owned();
                return Ok(Page::ok(LicencePage { key, ..page }).into_response());
            }
            Err(VendorError::Field { field, problem }) => problems.add(field, problem),
            Err(other) => return Err(other),
        }
    }
    Ok(Page::unprocessable(issue_page(&signed, &form, &problems)).into_response())
}

fn terms(form: &FormData, problems: &mut Problems) -> Option<Terms> {
    let subscribers = optional(form.text("subscribers"), |text| number(text, 1, u32::MAX));
    let days = optional(form.text("days"), |text| number(text, 1, MOST_DAYS));
    let grace = number(form.text("grace"), 0, MOST_GRACE_DAYS);
    let most_subscribers = problems.take("subscribers", subscribers);
    let days = problems.take("days", days);
    let grace_days = problems.take("grace", grace);
    Some(Terms {
        most_subscribers: most_subscribers?,
        days: days?,
        grace_days: grace_days?,
    })
}

fn term_fields(form: &FormData, problems: &Problems) -> TermFields {
    TermFields {
        subscribers: problems.field(form, "subscribers"),
        days: problems.field(form, "days"),
        grace: problems.field(form, "grace"),
    }
}

async fn show(signed: Signed, Path(id): Path<u32>) -> Response {
    match licence_page(&signed, id, None, &Problems::default()) {
        Ok(page) => Page::ok(page).into_response(),
        Err(error) => told(&error),
    }
}

async fn renew(Path(id): Path<u32>, Form { signed, form }: Form) -> Response {
    let mut problems = Problems::default();
    let outcome = match terms(&form, &mut problems) {
        Some(terms) => signed.desk().renew(signed.who(), id, terms).await,
        None => {
            return match licence_page(&signed, id, Some(&form), &problems) {
                Ok(page) => Page::unprocessable(page).into_response(),
                Err(error) => told(&error),
            };
        }
    };
    back(id, outcome, "The licence has new terms.")
}

async fn revoke(Path(id): Path<u32>, Form { signed, form }: Form) -> Response {
    let outcome = signed
        .desk()
        .revoke(signed.who(), id, form.text("reason"))
        .await;
    back(
        id,
        outcome,
        "The licence is revoked. Its machine hears of it within the hour.",
    )
}

async fn move_on(Path(id): Path<u32>, Form { signed, .. }: Form) -> Response {
    let outcome = signed.desk().move_on(signed.who(), id).await;
    back(
        id,
        outcome,
        "The licence is free: the next machine that activates it has it.",
    )
}

async fn show_key(Path(id): Path<u32>, Form { signed, .. }: Form) -> Response {
    let shown = signed.desk().show_key(signed.who(), id).await;
    let page = shown.and_then(|key| {
        let page = licence_page(&signed, id, None, &Problems::default())?;
        let key = key.expose().to_owned();
        Ok(LicencePage { key, ..page })
    });
    page.map_or_else(|error| told(&error), |page| Page::ok(page).into_response())
}

fn back(id: u32, outcome: Result<(), VendorError>, good: &str) -> Response {
    match outcome {
        Ok(()) => {
            let mut response = Redirect::to(&format!("/licences/{id}")).into_response();
            cookies::set_flash(&mut response, &Flash::good(good), true);
            response
        }
        Err(error) => told(&error),
    }
}

/// What a person is told in one sentence.
fn told(error: &VendorError) -> Response {
    let status = match error {
        VendorError::Missing(_) => StatusCode::NOT_FOUND,
        VendorError::Field { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        VendorError::Refused(Refusal::TooMany) => StatusCode::TOO_MANY_REQUESTS,
        _ => {
            tracing::error!(%error, "a page was not shown");
            let text = "Something went wrong here. The cause is in the log.";
            return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
        }
    };
    (status, error.to_string()).into_response()
}

fn licence_page(
    signed: &Signed,
    id: u32,
    form: Option<&FormData>,
    problems: &Problems,
) -> Result<LicencePage, VendorError> {
    let (desk, now) = (signed.desk(), signed.desk().now());
    let listed = desk.licence(id)?;
    let licence = &listed.licence;
    let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    let left = licence.expires_at.map(|at| Timestamp(at).since(now) / DAY);
    let filled = FormData::filled(vec![
        ("subscribers", number(licence.most_subscribers)),
        (
            "days",
            left.map_or_else(String::new, |days| days.max(1).to_string()),
        ),
        ("grace", licence.grace_days.to_string()),
    ]);
    let heartbeats = records::heartbeats(&desk.store.view()?, id, MOST_HEARTBEATS)?;
    Ok(LicencePage {
        shell: signed.shell(&format!("Licence {id}")),
        refusal: problems.summary(),
        path: format!("/licences/{id}"),
        key_action: format!("/licences/{id}/key"),
        move_action: format!("/licences/{id}/move"),
        title: format!("Licence {id}"),
        state: state(&listed, now),
        facts: facts(&listed),
        key: String::new(),
        terms: term_fields(form.unwrap_or(&filled), problems),
        reason: Field::default(),
        heartbeats: heartbeats
            .into_iter()
            .map(|beat| HeartbeatLine {
                at: minute(Some(beat.at)),
                address: beat.address,
                version: beat.version,
                subscribers: thousands(beat.subscribers),
                machine: match beat.is_bound {
                    true => Badge::new(Tone::Good, "Its machine"),
                    false => Badge::new(Tone::Bad, "Another, or refused"),
                },
            })
            .collect(),
    })
}

fn facts(listed: &Listed) -> Vec<Fact> {
    let licence = &listed.licence;
    let machine = licence.hardware.as_ref();
    let mut facts = vec![
        Fact::new("Customer", &listed.customer.name),
        Fact::new("E-mail", &listed.customer.email),
        Fact::new("Key", format!("ends with {}", licence.key_hint)),
        Fact::new("Subscribers", allowed(licence.most_subscribers)),
        Fact::new("Issued", minute(Some(licence.issued_at))),
        Fact::new("Ends", ends(licence.expires_at)),
        Fact::new("Grace", format!("{} days", licence.grace_days)),
        Fact::new(
            "Machine",
            machine.map_or_else(|| "not activated".to_owned(), |machine| machine.id()),
        ),
        Fact::new("Freed", format!("{} times", licence.moves)),
    ];
    if let Some(revoked) = &licence.revoked {
        facts.push(Fact::new("Revoked", minute(Some(revoked.at))));
        facts.push(Fact::new("Reason", &revoked.reason));
    }
    facts
}

async fn log(signed: Signed) -> Result<Response, VendorError> {
    let lines = records::last_lines(&signed.desk().store.view()?, MOST_LINES)?;
    let rows = lines.into_iter().map(|line| LogLine {
        at: minute(Some(line.at)),
        who: line.who,
        what: line.what,
        href: line
            .licence
            .map_or_else(String::new, |id| format!("/licences/{id}")),
        licence: line.licence.map_or_else(String::new, |id| id.to_string()),
        detail: line.detail,
    });
    let page = LogPage {
        shell: signed.shell("Log"),
        rows: rows.collect(),
    };
    Ok(Page::ok(page).into_response())
}

fn row(listed: &Listed, now: Timestamp) -> Row {
    let last = listed.licence.last.as_ref();
    let used = last.map_or_else(|| "0".to_owned(), |last| thousands(last.subscribers));
    Row {
        href: format!("/licences/{}", listed.id),
        id: listed.id,
        customer: listed.customer.name.clone(),
        state: state(listed, now),
        subscribers: format!("{used} of {}", allowed(listed.licence.most_subscribers)),
        ends: ends(listed.licence.expires_at),
        version: last.map_or_else(String::new, |last| last.version.clone()),
        heard: last.map_or_else(
            || "never".to_owned(),
            |last| format!("{} ago", short(now.since(Timestamp(last.at)))),
        ),
    }
}

fn state(listed: &Listed, now: Timestamp) -> Badge {
    let licence = &listed.licence;
    let is_over = licence.expires_at.is_some_and(|end| end <= now.0);
    match (&licence.revoked, is_over, &licence.hardware) {
        (Some(_), _, _) => Badge::new(Tone::Bad, "Revoked"),
        (None, true, _) => Badge::new(Tone::Warn, "Term over"),
        (None, false, None) => Badge::new(Tone::Quiet, "Not activated"),
        (None, false, Some(_)) if licence.is_trial => Badge::new(Tone::Info, "Trial"),
        (None, false, Some(_)) => Badge::new(Tone::Good, "Active"),
    }
}

fn allowed(most: Option<u32>) -> String {
    most.map_or_else(|| "any".to_owned(), |most| thousands(most.into()))
}

fn ends(at: Option<i64>) -> String {
    match at {
        None => "never".to_owned(),
        at => minute(at),
    }
}

/// The vendor's people and its log speak UTC.
fn minute(at: Option<i64>) -> String {
    at.map_or_else(String::new, |at| {
        Calendar::utc().format_minute(Timestamp(at))
    })
}

/// One line for a terminal.
pub(super) fn line(listed: &Listed, now: Timestamp) -> String {
    let row = row(listed, now);
    format!(
        "{:>6}  {:<13}  {:<30}  subscribers {}, ends {}, heard {}",
        row.id, row.state.text, row.customer, row.subscribers, row.ends, row.heard
    )
}
