//! The simulator: what a subscriber or a plan gets at some moment with some usage, and why. Nothing is written or sent.
//!
//! The page, the command line and the preview of the plan form ask here, and get the same sentences. What depends on one
//! request is left out: MAC address, router, sessions that are open, extra check attributes.

mod case;
mod preview;

pub use preview::{PlanPreview, PreviewRow, preview};

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::Invalid;
use crate::domain::octets::Octets;
use crate::domain::quota::QuotaKind;
use crate::domain::schedule;
use crate::domain::time::{DAY, Day, Timestamp};

use super::Error;
use case::{Case, Look};

/// How far the moment may be from now: usage is summed day by day from the last renewal.
const FURTHEST: i64 = 731 * DAY;
/// How far ahead changes are looked for.
const AHEAD: i64 = DAY;
/// Changes that are told.
const MOST_CHANGES: usize = 100;

/// What is asked, as typed; what is empty is taken from the real state of things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// A user name; else `plan` is looked at.
    pub subscriber: String,
    /// Name or number of a plan.
    pub plan: String,
    /// Such as `2026-12-31 18:30`, on the ISP's wall clock; empty is now.
    pub at: String,
    /// Gigabytes that count.
    pub today: String,
    pub month: String,
    pub term: String,
    /// The last day of the term.
    pub expires: String,
}

/// The names of the fields of [`Asked`], for forms and addresses.
pub const FIELDS: [&str; 7] = [
    "subscriber",
    "plan",
    "at",
    "today",
    "month",
    "term",
    "expires",
];

/// What is asked, understood.
#[derive(Debug, Clone)]
pub struct Question {
    case: Case,
    at: Timestamp,
}

/// What would be at the moment that was asked for. The command line prints it as it is with `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The user name; empty for a plan alone.
    pub subscriber: String,
    pub plan: String,
    /// On the ISP's wall clock.
    pub at: String,
    /// Whether a login would be accepted.
    pub is_accepted: bool,
    /// Why not, or empty.
    pub reason: String,
    pub download_kbps: u64,
    pub upload_kbps: u64,
    /// Both with their units.
    pub speed: String,
    pub quota: String,
    /// What counts in each period that the plan looks at: `today 1.0 GB of 5.0 GB`.
    pub used: Vec<String>,
    /// One sentence for each step that changed the speed.
    pub steps: Vec<String>,
    /// Seconds; nothing is sent where a session may last for ever.
    pub session_timeout: Option<u32>,
    /// What free hours make of a gigabyte, or empty.
    pub free_hours: String,
    /// The attributes of the accept for the router, without those that only a real login has.
    pub reply: Vec<String>,
    /// What changes by the clock within a day, if nothing more is used.
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub at: String,
    pub what: String,
}

/// Understands what was typed. Every problem stands with the name of its field.
pub fn read(app: &App, asked: &Asked) -> Result<Result<Question, Vec<Problem>>, Error> {
    let settings = app.settings();
    let (calendar, now) = (&settings.calendar, app.now());
    let mut problems = Vec::new();
    let mut octets = |field, text: &str| match gigabytes(text) {
        Ok(octets) => octets,
        Err(problem) => {
            problems.push((field, problem));
            None
        }
    };
    let today = octets("today", &asked.today);
    let month = octets("month", &asked.month);
    let term = octets("term", &asked.term);
    let at = match asked.at.trim() {
        "" => Ok(now),
        text => calendar.parse_minute(text).and_then(|at| near(at, now)),
    };
    let expires = match asked.expires.trim() {
        "" => Ok(None),
        text => Day::parse(text).map(|day| Some(calendar.end_of(day))),
    };
    let case = Case::find(app, asked, *at.as_ref().unwrap_or(&now))?;
    let at = at.map_err(|problem| problems.push(("at", problem)));
    let expires = expires.map_err(|problem| problems.push(("expires", problem)));
    let case = case.map_err(|problem| problems.push(problem));
    let (Ok(at), Ok(expires), Ok(mut case), true) = (at, expires, case, problems.is_empty()) else {
        return Ok(Err(problems));
    };
    case.suppose(QuotaKind::Day, today);
    case.suppose(QuotaKind::Month, month);
    case.suppose(QuotaKind::Term, term);
    case.expires_at = expires.or(case.expires_at);
    Ok(Ok(Question { case, at }))
}

/// A field of [`Asked`] and what is wrong with it.
pub type Problem = (&'static str, Invalid);

fn near(at: Timestamp, now: Timestamp) -> Result<Timestamp, Invalid> {
    match at.since(now) <= FURTHEST && now.since(at) <= FURTHEST {
        true => Ok(at),
        false => Err(Invalid::new("At most two years from now")),
    }
}

/// Gigabytes, where nothing at all is an answer too.
fn gigabytes(text: &str) -> Result<Option<u64>, Invalid> {
    match text.trim() {
        "" => Ok(None),
        "0" => Ok(Some(0)),
        text => Octets::parse_gigabytes(text).map(|octets| Some(octets.0)),
    }
}

/// Answers. Errors: `Refused` when the reply does not fit into a packet.
pub fn answer(app: &App, question: &Question) -> Result<Answer, Error> {
    let Question { case, at } = question;
    let calendar = &app.settings().calendar;
    let look = case.look(app, *at);
    Ok(Answer {
        subscriber: case.username.clone(),
        plan: case.plan.name.clone(),
        at: calendar.format_minute(*at),
        is_accepted: look.entitlement.is_ok(),
        reason: look.reason().to_owned(),
        download_kbps: look.limit.rate.download_kbps,
        upload_kbps: look.limit.rate.upload_kbps,
        speed: look.limit.rate.to_string(),
        quota: look.quota.clone(),
        used: case.used_words(app, *at),
        session_timeout: look
            .entitlement
            .as_ref()
            .ok()
            .and_then(|entitlement| entitlement.session_timeout),
        free_hours: look.free_hours.clone(),
        reply: look.reply(case.profile)?,
        changes: changes(app, case, *at, &look),
        steps: look.steps,
    })
}

/// What the clock changes within a day: asked at each instant at which it could.
fn changes(app: &App, case: &Case, at: Timestamp, first: &Look) -> Vec<Change> {
    let settings = app.settings();
    let until = at.plus(AHEAD);
    let rules = app.rules();
    let mut edges = schedule::edges(&case.plan, &rules, &settings.calendar, at, until);
    edges.extend(case.turns().filter(|turn| at < *turn && *turn <= until));
    edges.sort_unstable();
    edges.dedup();
    let mut told = first.in_short();
    let mut changes = Vec::new();
    for edge in edges {
        let what = case.look(app, edge).in_short();
        if what != told {
            changes.push(Change {
                at: settings.calendar.format_minute(edge),
                what: what.clone(),
            });
            told = what;
        }
        if changes.len() == MOST_CHANGES {
            break;
        }
    }
    changes
}

impl Answer {
    /// The answer as lines for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |label: &str, text: &str| {
            if !text.is_empty() {
                lines.push(format!("{label:<17} {text}"));
            }
        };
        say("subscriber", &self.subscriber);
        say("plan", &self.plan);
        say("at", &self.at);
        let login = match self.is_accepted {
            true => "accepted".to_owned(),
            false => format!("rejected: {}", self.reason),
        };
        say("login", &login);
        say("speed", &self.speed);
        for step in &self.steps {
            say("", step);
        }
        say("quota", &self.quota);
        for used in &self.used {
            say("", used);
        }
        say("free hours", &self.free_hours);
        let timeout = self.session_timeout;
        let timeout = timeout.map_or_else(|| "none".to_owned(), |seconds| format!("{seconds} s"));
        say("session timeout", &timeout);
        for line in &self.reply {
            say("reply", line);
        }
        for change in &self.changes {
            say("then", &format!("{} {}", change.at, change.what));
        }
        lines
    }
}
