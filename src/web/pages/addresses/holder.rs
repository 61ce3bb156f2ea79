//! Who had this address at that time: the answer from accounting, and the sessions around when nobody had it.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::Invalid;
use crate::domain::nas::Network;
use crate::domain::session::Session;
use crate::domain::time::{Calendar, Day, Timestamp};
use crate::domain::window::parse_minutes;
use crate::operations::addresses::{self as verbs, Held};
use crate::operations::blocking;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::Field;
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /addresses/holder?address=&date=&time=`.
#[derive(Template)]
#[template(path = "pages/addresses/holder.html")]
pub struct HolderPage {
    pub shell: Shell,
    pub address: Field,
    /// `YYYY-MM-DD` and `HH:MM` on the ISP's wall clock.
    pub date: Field,
    pub time: Field,
    pub zone: String,
    /// `10.0.0.5 at 2026-11-22 15:04`; empty while nothing was asked that can be answered.
    pub asked: String,
    pub holders: Vec<HolderRow>,
    /// When nobody had it: the session before and the one after.
    pub around: Vec<HolderRow>,
    /// Not every session could be looked at.
    pub is_cut: bool,
}

#[derive(Clone, Default)]
pub struct HolderRow {
    /// `Before`, `After`, or empty for who had it.
    pub when: String,
    pub user_name: String,
    pub user_href: String,
    /// What the session held.
    pub address: String,
    pub mac: String,
    pub nas: String,
    pub nas_href: String,
    pub from: String,
    pub until: String,
    /// Acct-Session-Id, as the router writes it in its own log.
    pub session: String,
}

/// This minute as the fields of the form.
pub(super) fn present(words: &Words<'_>) -> (String, String) {
    let now = words.minute(words.now);
    let (date, time) = now.split_once(' ').unwrap_or_default();
    (date.to_owned(), time.to_owned())
}

pub async fn holder(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &["address", "date", "time"]);
    let words = Words::of(signed.app());
    let (today, minute) = present(&words);
    let or = |name: &str, other: String| match query.get(name) {
        "" => other,
        typed => typed.to_owned(),
    };
    let (date, time) = (or("date", today), or("time", minute));
    let network = match query.get("address") {
        "" => None,
        typed => Some(Network::parse(typed)),
    };
    let day = Day::parse(&date);
    let minutes = parse_minutes(&time).ok_or_else(|| Invalid::new("A time such as 15:04"));
    let at = instant(words.calendar(), &day, &minutes);
    let held = match (&network, at) {
        (Some(Ok(network)), Some(at)) => {
            let (app, network) = (Arc::clone(&signed.panel.app), *network);
            let held = blocking(move || verbs::holders(&app, network, at)).await??;
            Some((format!("{network} at {}", words.minute(at)), held))
        }
        _ => None,
    };
    let (asked, held) = held.unwrap_or_default();
    let around = match held.holders.is_empty() {
        true => around(&words, &held),
        false => Vec::new(),
    };
    let page = HolderPage {
        shell: signed.shell("Who had this address", Nav::Addresses),
        address: field(query.get("address"), network.and_then(Result::err)),
        date: field(&date, day.err()),
        time: field(&time, minutes.err()),
        zone: words.calendar().zone_name().to_owned(),
        asked,
        holders: held
            .holders
            .iter()
            .map(|session| row(&words, "", session))
            .collect(),
        around,
        is_cut: held.is_cut,
    };
    Ok(Page::ok(page).into_response())
}

fn field(value: &str, problem: Option<Invalid>) -> Field {
    match problem {
        Some(problem) => Field::wrong(value, problem.0),
        None => Field::new(value),
    }
}

fn instant(
    calendar: &Calendar,
    day: &Result<Day, Invalid>,
    minutes: &Result<u16, Invalid>,
) -> Option<Timestamp> {
    let (day, minutes) = (day.as_ref().ok()?, minutes.as_ref().ok()?);
    Some(calendar.at(*day, *minutes))
}

fn around(words: &Words<'_>, held: &Held) -> Vec<HolderRow> {
    let before = held.before.iter().map(|s| row(words, "Before", s));
    let after = held.after.iter().map(|s| row(words, "After", s));
    before.chain(after).collect()
}

fn row(words: &Words<'_>, when: &str, session: &Session) -> HolderRow {
    HolderRow {
        when: when.to_owned(),
        user_name: session.username.clone(),
        user_href: session
            .subscriber
            .map_or_else(String::new, words::subscriber_href),
        address: words::place(session),
        mac: words::station(session),
        nas: words.nas(session.nas),
        nas_href: words.nas_href(session.nas),
        from: words.second(session.started_at),
        until: session
            .stopped
            .map_or_else(|| "still online".to_owned(), |s| words.second(s.at)),
        session: String::from_utf8_lossy(&session.acct_session_id).into_owned(),
    }
}
