//! Who is online now.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::duration::short;
use crate::domain::id::{NasId, PlanId, SessionId};
use crate::domain::session::{Presence, Session};
use crate::operations::online::{self as listing, OnlineFilter, OnlineSort};
use crate::operations::{blocking, sessions};
use crate::web::error::{Failure, Reply, stay};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging, SortHead};
use crate::web::pages;
use crate::web::parts::{Badge, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /online?q=&nas=&plan=&state=&sort=&page=&size=`; htmx gets `OnlinePart`, also every 10 s.
#[derive(Template)]
#[template(path = "pages/sessions/online.html")]
pub struct OnlinePage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    pub plan: Select,
    pub state: Select,
    pub sort: String,
    pub size: String,
    pub part: OnlinePart,
}

#[derive(Template, Default)]
#[template(path = "pages/sessions/_online.html")]
pub struct OnlinePart {
    pub csrf: String,
    /// Path and query of this list, which htmx asks for again.
    pub here: String,
    pub filters: Vec<ActiveFilter>,
    pub by_user: SortHead,
    pub by_since: SortHead,
    pub by_download: SortHead,
    pub rows: Vec<OnlineRow>,
    pub pager: Pager,
    pub updated: String,
}

#[derive(Clone, Default)]
pub struct OnlineRow {
    pub user_name: String,
    /// The subscriber, or empty when it was deleted meanwhile.
    pub user_href: String,
    pub plan: String,
    pub nas: String,
    pub nas_href: String,
    pub address: String,
    pub mac: String,
    pub since: String,
    pub duration: String,
    pub download: String,
    pub upload: String,
    /// Small print under the state, such as `updated 22 s ago`.
    pub last_update: String,
    pub state: Badge,
    /// `POST` here sends the Disconnect-Request.
    pub disconnect: String,
}

const PATH: &str = "/online";
/// Newest first, unless something else is asked for.
const SORT: &str = "-since";

/// Who is online: the page, or its rows to htmx.
pub async fn online(signed: Signed) -> Reply {
    let known = ["q", "nas", "plan", "state", "sort", "page", "size"];
    let query = Query::read(&signed.here, &known);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let csrf = pages::button_token(&signed);
    let part = blocking(move || part(&app, &asked, csrf)).await??;
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let words = Words::of(signed.app());
    let states = [("", "Any"), ("online", "Online"), ("stale", "Stale")];
    let page = OnlinePage {
        shell: signed.shell("Online", Nav::Online),
        q: query.get("q").to_owned(),
        nas: words.nas_choices("Any", query.get("nas")),
        plan: words.plan_choices("Any", query.get("plan")),
        state: Select::new(states, query.get("state")),
        sort: query.get("sort").to_owned(),
        size: query.get("size").to_owned(),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query, csrf: String) -> Result<OnlinePart, Failure> {
    let words = Words::of(app);
    let paging = Paging::of(query);
    let (found, total) = listing::online(app, &filter(query), paging.skip(), paging.limit())?;
    let rows: Vec<OnlineRow> = found
        .iter()
        .map(|row| OnlineRow {
            plan: row.plan.map_or_else(String::new, |plan| words.plan(plan)),
            ..open_row(&words, &row.session, row.presence)
        })
        .collect();
    let sort = match query.get("sort") {
        "" => SORT,
        sort => sort,
    };
    let head = |column| SortHead::new(PATH, query, column, sort);
    Ok(OnlinePart {
        csrf,
        here: query.href(PATH),
        filters: active(&words, query),
        by_user: head("user"),
        by_since: head("since"),
        by_download: head("download"),
        pager: Pager::of(PATH, query, paging, rows.len(), total),
        rows,
        updated: words.second(words.now),
    })
}

fn filter(query: &Query) -> OnlineFilter {
    let sort = match query.get("sort") {
        "" => SORT,
        sort => sort,
    };
    OnlineFilter {
        text: query.get("q").to_owned(),
        nas: query.number("nas").map(NasId),
        plan: query.number("plan").map(PlanId),
        is_stale: match query.get("state") {
            "online" => Some(false),
            "stale" => Some(true),
            _ => None,
        },
        sort: match sort.trim_start_matches('-') {
            "user" => OnlineSort::Name,
            "download" => OnlineSort::Download,
            _ => OnlineSort::Since,
        },
        descending: sort.starts_with('-'),
    }
}

fn active(words: &Words<'_>, query: &Query) -> Vec<ActiveFilter> {
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.named("nas", "NAS", |id| words.nas(NasId(id)));
    chips.named("plan", "plan", |id| words.plan(PlanId(id)));
    chips.plain("state", "state");
    chips.list
}

/// An open session as lists show it, without its plan.
pub fn open_row(words: &Words<'_>, session: &Session, presence: Presence) -> OnlineRow {
    let heard = short(words.now.since(session.heard_at));
    OnlineRow {
        user_name: session.username.clone(),
        user_href: session
            .subscriber
            .map_or_else(String::new, words::subscriber_href),
        plan: String::new(),
        nas: words.nas(session.nas),
        nas_href: words.nas_href(session.nas),
        address: words::place(session),
        mac: words::station(session),
        since: words.minute(session.started_at),
        duration: short(words.now.since(session.started_at)),
        download: words::octets(session.booked.download),
        upload: words::octets(session.booked.upload),
        last_update: format!("heard {heard} ago"),
        state: words::presence_badge(presence),
        disconnect: words::disconnect_href(session.id),
    }
}

/// Asks the router to end one session.
pub async fn disconnect(Path(id): Path<u64>, work: Work) -> Reply {
    let signed = work.signed;
    sessions::disconnect(signed.app(), &signed.actor(), SessionId(id)).await?;
    Ok(stay(
        &signed,
        Tone::Info,
        "The router was asked to end the session.",
    ))
}
