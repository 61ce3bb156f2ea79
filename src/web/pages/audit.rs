//! The audit log: who changed what, with old and new values.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::audit::{Entry, Object};
use crate::operations::blocking;
use crate::operations::records::{self, AuditFilter};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging};
use crate::web::pages;
use crate::web::parts::Field;
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::Words;

/// `GET /audit?q=&from=&to=&before=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/audit/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub from: Field,
    pub to: Field,
    pub size: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/audit/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

#[derive(Clone, Default)]
pub struct Row {
    pub time: String,
    pub who: String,
    /// What was done, in the past tense: `changed`, `suspended`.
    pub action: String,
    /// What it was done to, such as `Subscriber user00042`.
    pub object: String,
    pub object_href: String,
    /// Changed values; secrets stand as `changed`, never as text.
    pub changes: Vec<Change>,
    /// Network address of the operator's browser.
    pub address: String,
}

#[derive(Clone, Default)]
pub struct Change {
    pub field: String,
    pub old: String,
    pub new: String,
}

const PATH: &str = "/audit";

/// Changes, newest first: the page, or its rows to htmx.
pub async fn list(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &["q", "from", "to", "before", "size"]);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let part = blocking(move || part(&app, &asked)).await??;
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let page = ListPage {
        shell: signed.shell("Audit log", Nav::Audit),
        q: query.get("q").to_owned(),
        from: pages::date_field(&query, "from"),
        to: pages::date_field(&query, "to"),
        size: query.get("size").to_owned(),
        rows: part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query) -> Result<RowsPart, Failure> {
    let words = Words::of(app);
    let paging = Paging::of(query);
    let filter = AuditFilter {
        text: query.get("q").to_owned(),
        span: pages::span(query, words.calendar()),
    };
    let before = query.number("before").unwrap_or(u64::MAX);
    let found = records::audit_log(app, &filter, before, paging.limit())?;
    let rows: Vec<Row> = found.rows.iter().map(|entry| row(&words, entry)).collect();
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.plain("from", "from");
    chips.plain("to", "to");
    Ok(RowsPart {
        filters: chips.list,
        pager: Pager::log(PATH, query, paging.size, rows.len(), found.older),
        rows,
    })
}

/// One change, also on the page of a subscriber. What was deleted has no page to lead to.
pub fn row(words: &Words<'_>, entry: &Entry) -> Row {
    let (kind, href) = match entry.object {
        Object::Subscriber(id) => ("Subscriber ", format!("/subscribers/{id}")),
        Object::Plan(id) => ("Plan ", format!("/plans/{id}/edit")),
        Object::Cdn(id) => ("CDN profile ", format!("/cdn/{id}/edit")),
        Object::Nas(id) => ("NAS ", format!("/nas/{id}")),
        Object::Operator(_) => ("Operator ", String::new()),
        Object::Settings => ("", String::new()),
        Object::Pool(id) => ("Pool ", format!("/addresses/{id}/edit")),
        Object::BandwidthRule(id) => ("Rule ", format!("/rules/{id}/edit")),
    };
    Row {
        time: words.second(entry.at),
        who: entry.actor.clone(),
        action: entry.action.clone(),
        object: format!("{kind}{}", entry.object_name),
        object_href: if entry.action == "deleted" {
            String::new()
        } else {
            href
        },
        changes: entry
            .changes
            .iter()
            .map(|change| Change {
                field: change.field.clone(),
                old: change.old.clone(),
                new: change.new.clone(),
            })
            .collect(),
        address: entry.address.clone(),
    }
}
