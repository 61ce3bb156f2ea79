//! The authentication log: every attempt with its reason.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::access::Reason;
use crate::domain::id::NasId;
use crate::operations::blocking;
use crate::operations::records::{self, AttemptFilter, OutcomeFilter};
use crate::store::auth_log::MOST_ATTEMPTS;
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging};
use crate::web::pages;
use crate::web::parts::{Badge, Field, Select, thousands};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /auth-log?q=&nas=&result=&reason=&from=&to=&before=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/auth_log/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    pub result: Select,
    pub reason: Select,
    pub from: Field,
    pub to: Field,
    pub size: String,
    /// How long attempts are kept, as one sentence.
    pub retention: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/auth_log/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// One attempt. Also shown on the dashboard, and on the pages of a subscriber and a NAS.
#[derive(Clone, Default)]
pub struct Row {
    pub time: String,
    pub user_name: String,
    /// The subscriber, or empty when nobody has this name.
    pub user_href: String,
    pub nas: String,
    pub method: String,
    pub mac: String,
    pub result: Badge,
    /// The reason in words, such as `Wrong password`; empty when accepted.
    pub reason: String,
}

const PATH: &str = "/auth-log";

/// Attempts, newest first: the page, or its rows to htmx.
pub async fn list(signed: Signed) -> Reply {
    let known = [
        "q", "nas", "result", "reason", "from", "to", "before", "size",
    ];
    let query = Query::read(&signed.here, &known);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let part = blocking(move || part(&app, &asked)).await??;
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let results = [
        ("", "Any"),
        ("accepted", "Accepted"),
        ("rejected", "Rejected"),
    ];
    let reasons = Reason::ALL
        .iter()
        .map(|reason| (reason.code(), reason.words()));
    let page = ListPage {
        shell: signed.shell("Authentication log", Nav::AuthLog),
        q: query.get("q").to_owned(),
        nas: Words::of(signed.app()).nas_choices("Any", query.get("nas")),
        result: Select::new(results, query.get("result")),
        reason: Select::new(
            std::iter::once(("", "Any")).chain(reasons),
            query.get("reason"),
        ),
        from: pages::date_field(&query, "from"),
        to: pages::date_field(&query, "to"),
        size: query.get("size").to_owned(),
        retention: format!(
            "Attempts are kept for {} days, and at most {} of them.",
            signed.app().settings().attempt_days,
            thousands(MOST_ATTEMPTS)
        ),
        rows: part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query) -> Result<RowsPart, Failure> {
    let paging = Paging::of(query);
    let before = query.number("before").unwrap_or(u64::MAX);
    let filter = filter(query, &Words::of(app));
    let found = records::attempts(app, &filter, before, paging.limit())?;
    let rows: Vec<Row> = found
        .rows
        .iter()
        .map(|(_, attempt)| words::attempt(app, attempt))
        .collect();
    Ok(RowsPart {
        filters: active(&Words::of(app), query),
        pager: Pager::log(PATH, query, paging.size, rows.len(), found.older),
        rows,
    })
}

/// A reason says more than a result, and wins over it.
fn filter(query: &Query, words: &Words<'_>) -> AttemptFilter {
    let result = match query.get("result") {
        "accepted" => Some(OutcomeFilter::Accepted),
        "rejected" => Some(OutcomeFilter::Rejected),
        _ => None,
    };
    let reason = Reason::from_code(query.get("reason")).map(OutcomeFilter::Because);
    AttemptFilter {
        text: query.get("q").to_owned(),
        nas: query.number("nas").map(NasId),
        outcome: reason.or(result),
        span: pages::span(query, words.calendar()),
    }
}

fn active(words: &Words<'_>, query: &Query) -> Vec<ActiveFilter> {
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.named("nas", "NAS", |id| words.nas(NasId(id)));
    chips.plain("result", "result");
    chips.add("reason", |code| {
        Reason::from_code(code).map_or_else(|| code.to_owned(), |r| r.words().to_owned())
    });
    chips.plain("from", "from");
    chips.plain("to", "to");
    chips.list
}
