//! One search box over everything.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::operations::overview::State;
use crate::operations::{blocking, search};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::Badge;
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /search?q=`; htmx gets `ResultsPart` while somebody types.
#[derive(Template)]
#[template(path = "pages/search/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub results: ResultsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/search/_results.html")]
pub struct ResultsPart {
    /// What was asked; empty shows nothing.
    pub q: String,
    pub hits: Vec<Hit>,
    /// Such as `12 results`.
    pub summary: String,
}

#[derive(Clone, Default)]
pub struct Hit {
    pub href: String,
    /// Symbol of the kind: `user`, `layers`, `router`.
    pub icon: &'static str,
    pub kind: String,
    pub title: String,
    /// Full name, phone, address: whatever tells two hits apart.
    pub details: Vec<String>,
    pub state: Option<Badge>,
}

/// Results under the box while somebody types.
const MOST_LIVE: usize = 20;
/// Results on the page.
const MOST_ON_PAGE: usize = 100;

/// What fits the words: under the box to htmx, else a page, or the only hit itself.
pub async fn show(signed: Signed) -> Reply {
    let q = Query::read(&signed.here, &["q"]).get("q").to_owned();
    let is_live = signed.htmx.wants_partial;
    let limit = if is_live { MOST_LIVE } else { MOST_ON_PAGE };
    let (app, asked) = (Arc::clone(&signed.panel.app), q.clone());
    let results = blocking(move || results(&app, asked, limit)).await??;
    if is_live {
        return Ok(Page::ok(results).into_response());
    }
    if let [only] = results.hits.as_slice() {
        return Ok(signed.htmx.redirect(&only.href));
    }
    let mut shell = signed.shell("Search", Nav::Elsewhere);
    shell.search = q;
    Ok(Page::ok(ShowPage { shell, results }).into_response())
}

fn results(app: &App, q: String, limit: usize) -> Result<ResultsPart, Failure> {
    if q.is_empty() {
        return Ok(ResultsPart::default());
    }
    // One more than is shown tells whether there are more.
    let mut found = search::find(app, &q, limit + 1)?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let words = Words::of(app);
    let hits: Vec<Hit> = found.into_iter().map(|found| hit(&words, found)).collect();
    let summary = match (hits.len(), has_more) {
        (count, true) => format!("The best {count} results; type more to narrow them down"),
        (1, false) => "1 result".to_owned(),
        (count, false) => format!("{count} results"),
    };
    Ok(ResultsPart { q, hits, summary })
}

fn hit(words: &Words<'_>, found: search::Hit) -> Hit {
    match found {
        search::Hit::Subscriber(subscriber) => {
            let is_online = words.app.accounting.live().is_online(subscriber.id);
            let state = State::of(&subscriber, words.now);
            let mut details = vec![
                subscriber.full_name.clone(),
                subscriber.phone.clone(),
                words.plan(subscriber.plan),
            ];
            if is_online {
                details.push("online".to_owned());
            }
            details.retain(|detail| !detail.is_empty());
            Hit {
                href: words::subscriber_href(subscriber.id),
                icon: "user",
                kind: "Subscriber".to_owned(),
                title: subscriber.username.as_str().to_owned(),
                details,
                state: Some(words::state_badge(state)),
            }
        }
        search::Hit::Plan(plan) => Hit {
            href: format!("/plans/{}/edit", plan.id),
            icon: "layers",
            kind: "Plan".to_owned(),
            title: plan.name,
            details: vec![plan.price.to_string(), plan.rate.to_string()],
            state: None,
        },
        search::Hit::Nas(nas) => Hit {
            href: format!("/nas/{}", nas.id),
            icon: "router",
            kind: "NAS".to_owned(),
            title: nas.name,
            details: vec![nas.network.to_string()],
            state: None,
        },
    }
}
