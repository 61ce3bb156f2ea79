//! Sessions that have ended.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::duration::short;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::session::Session;
use crate::operations::blocking;
use crate::operations::records::{self, HistoryFilter};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging};
use crate::web::pages;
use crate::web::parts::{Field, Select};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /sessions?q=&nas=&subscriber=&from=&to=&before=&size=`; htmx gets `HistoryPart`.
#[derive(Template)]
#[template(path = "pages/sessions/history.html")]
pub struct HistoryPage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    /// `YYYY-MM-DD`, both days included.
    pub from: Field,
    pub to: Field,
    /// Id of the only subscriber that is shown, or empty.
    pub subscriber: String,
    pub size: String,
    pub part: HistoryPart,
}

#[derive(Template, Default)]
#[template(path = "pages/sessions/_history.html")]
pub struct HistoryPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<HistoryRow>,
    pub pager: Pager,
}

#[derive(Clone, Default)]
pub struct HistoryRow {
    pub user_name: String,
    pub user_href: String,
    pub nas: String,
    pub address: String,
    pub mac: String,
    pub start: String,
    pub stop: String,
    pub duration: String,
    pub download: String,
    pub upload: String,
    /// Why it ended, in words.
    pub cause: String,
}

const PATH: &str = "/sessions";

/// Ended sessions, newest first: the page, or its rows to htmx.
pub async fn history(signed: Signed) -> Reply {
    let known = ["q", "nas", "subscriber", "from", "to", "before", "size"];
    let query = Query::read(&signed.here, &known);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let part = blocking(move || part(&app, &asked)).await??;
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let words = Words::of(signed.app());
    let page = HistoryPage {
        shell: signed.shell("Session history", Nav::Sessions),
        q: query.get("q").to_owned(),
        nas: words.nas_choices("Any", query.get("nas")),
        from: pages::date_field(&query, "from"),
        to: pages::date_field(&query, "to"),
        subscriber: query.get("subscriber").to_owned(),
        size: query.get("size").to_owned(),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query) -> Result<HistoryPart, Failure> {
    let words = Words::of(app);
    let paging = Paging::of(query);
    let filter = HistoryFilter {
        text: query.get("q").to_owned(),
        nas: query.number("nas").map(NasId),
        subscriber: query.number("subscriber").map(SubscriberId),
        span: pages::span(query, words.calendar()),
    };
    let before = SessionId(query.number("before").unwrap_or(u64::MAX));
    let found = records::history(app, &filter, before, paging.limit())?;
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.named("nas", "NAS", |id| words.nas(NasId(id)));
    chips.named("subscriber", "subscriber", |id| {
        words.subscriber(SubscriberId(id))
    });
    chips.plain("from", "from");
    chips.plain("to", "to");
    let rows: Vec<HistoryRow> = found
        .rows
        .iter()
        .map(|session| closed_row(&words, session))
        .collect();
    Ok(HistoryPart {
        filters: chips.list,
        pager: Pager::log(PATH, query, paging.size, rows.len(), found.older),
        rows,
    })
}

/// An ended session as lists show it.
pub fn closed_row(words: &Words<'_>, session: &Session) -> HistoryRow {
    let ended_at = session
        .stopped
        .map_or(session.updated_at, |stopped| stopped.at);
    HistoryRow {
        user_name: session.username.clone(),
        user_href: session
            .subscriber
            .map_or_else(String::new, words::subscriber_href),
        nas: words.nas(session.nas),
        address: words::place(session),
        mac: words::station(session),
        start: words.minute(session.started_at),
        stop: words.minute(ended_at),
        duration: short(ended_at.since(session.started_at)),
        download: words::octets(session.booked.download),
        upload: words::octets(session.booked.upload),
        cause: session
            .stopped
            .map_or_else(String::new, |stopped| words::cause(stopped.cause)),
    }
}
