//! Who is online now.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::duration::short;
use crate::domain::id::{NasId, PlanId, SessionId};
use crate::operations::online::{Online, OnlineFilter, OnlineSort};
use crate::operations::{blocking, online as listing, sessions};
use crate::web::error::{Reply, stay};
use crate::web::extract::{Change, Id, Signed};
use crate::web::filters;
use crate::web::htmx::with_address;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging, SortHead};
use crate::web::parts::{Badge, Select, Tone, thousands};
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
/// Newest first, if nothing else is asked for.
const SORT: &str = "-since";

pub async fn online(signed: Signed) -> Reply {
    let known = ["q", "nas", "plan", "state", "sort", "page", "size"];
    let query = Query::read(&signed.here, &known);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let csrf = signed.csrf().to_owned();
    let part = blocking(move || part(&app, &asked, csrf)).await??;
    if signed.htmx.wants_partial {
        return Ok(answer(&signed, part, &query.href(PATH)));
    }
    let words = Words::of(signed.app());
    let page = OnlinePage {
        shell: signed.shell("Online", Nav::Online),
        q: query.get("q").to_owned(),
        nas: words.nas_choices("Any", query.get("nas")),
        plan: words.plan_choices("Any", query.get("plan")),
        state: Select::new(
            [("", "Any"), ("online", "Online"), ("stale", "Stale")],
            query.get("state"),
        ),
        sort: query.get("sort").to_owned(),
        size: query.get("size").to_owned(),
        part,
    };
    Ok(Page::ok(page).into_response())
}
