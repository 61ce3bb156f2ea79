//! The list of subscribers.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::duration::short;
use crate::domain::id::PlanId;
use crate::operations::blocking;
use crate::operations::overview::{self, Listed, State, SubscriberFilter, SubscriberSort};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging, SortHead};
use crate::web::pages;
use crate::web::parts::{Badge, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

use super::PATH;
use super::macs::{FORGET_PATH, MEANT};

/// `GET /subscribers?q=&plan=&state=&presence=&sort=&page=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/subscribers/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub plan: Select,
    pub state: Select,
    pub presence: Select,
    /// The present order, kept by the filter form: `user`, `-expiry`.
    pub sort: String,
    pub size: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/subscribers/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub by_user: SortHead,
    pub by_expiry: SortHead,
    pub by_created: SortHead,
    pub rows: Vec<Row>,
    pub pager: Pager,
    /// True when there is no subscriber at all, so that the page offers to add the first.
    pub is_first_run: bool,
    /// Where the learned devices of all that fit can be forgotten, or empty for who may not.
    pub forget_href: String,
}

#[derive(Clone, Default)]
pub struct Row {
    pub href: String,
    pub user_name: String,
    pub full_name: String,
    pub phone: String,
    pub plan: String,
    pub state: Badge,
    pub presence: Badge,
    /// Small print under the presence, such as `5 h 51 min`, or empty.
    pub presence_note: String,
    pub expires: String,
    /// Small print under the expiry, such as `in 3 days`, or empty.
    pub expires_note: String,
    pub used_this_month: String,
    pub created: String,
}

/// By user name, unless something else is asked for.
const SORT: &str = "user";

/// The subscribers that fit the filters: the page, or its rows to htmx.
pub async fn list(signed: Signed) -> Reply {
    let known = ["q", "plan", "state", "presence", "sort", "page", "size"];
    let query = Query::read(&signed.here, &known);
    let (app, asked) = (Arc::clone(&signed.panel.app), query.clone());
    let mut part = blocking(move || part(&app, &asked)).await??;
    if signed.may_change() {
        let meant = MEANT.into_iter().fold(Query::new(), |meant, name| {
            meant.with(name, query.get(name))
        });
        part.forget_href = meant.href(FORGET_PATH);
    }
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let states = State::ALL.map(|state| (state.word().to_owned(), words::state_badge(state).text));
    let any = || std::iter::once((String::new(), "Any".to_owned()));
    let presences = [("", "Any"), ("online", "Online"), ("offline", "Offline")];
    let page = ListPage {
        shell: signed.shell("Subscribers", Nav::Subscribers),
        q: query.get("q").to_owned(),
        plan: Words::of(signed.app()).plan_choices("Any", query.get("plan")),
        state: Select::new(any().chain(states), query.get("state")),
        presence: Select::new(presences, query.get("presence")),
        sort: query.get("sort").to_owned(),
        size: query.get("size").to_owned(),
        rows: part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query) -> Result<RowsPart, Failure> {
    let words = Words::of(app);
    let paging = Paging::of(query);
    let (found, total) = overview::subscribers(app, &filter(query), paging.skip(), paging.limit())?;
    let sort = match query.get("sort") {
        "" => SORT,
        sort => sort,
    };
    let head = |column| SortHead::new(PATH, query, column, sort);
    let filters = active(&words, query);
    Ok(RowsPart {
        by_user: head("user"),
        by_expiry: head("expiry"),
        by_created: head("created"),
        pager: Pager::of(PATH, query, paging, found.len(), total),
        is_first_run: total == 0 && filters.is_empty(),
        rows: found.iter().map(|listed| row(&words, listed)).collect(),
        filters,
        forget_href: String::new(),
    })
}

pub(super) fn filter(query: &Query) -> SubscriberFilter {
    let sort = query.get("sort");
    SubscriberFilter {
        text: query.get("q").to_owned(),
        plan: query.number("plan").map(PlanId),
        state: State::ALL
            .into_iter()
            .find(|state| state.word() == query.get("state")),
        is_online: match query.get("presence") {
            "online" => Some(true),
            "offline" => Some(false),
            _ => None,
        },
        sort: match sort.trim_start_matches('-') {
            "expiry" => SubscriberSort::Expiry,
            "created" => SubscriberSort::Created,
            _ => SubscriberSort::Name,
        },
        descending: sort.starts_with('-'),
    }
}

pub(super) fn active(words: &Words<'_>, query: &Query) -> Vec<ActiveFilter> {
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.named("plan", "plan", |id| words.plan(PlanId(id)));
    chips.plain("state", "state");
    chips.plain("presence", "presence");
    chips.list
}

fn row(words: &Words<'_>, listed: &Listed) -> Row {
    let subscriber = &listed.subscriber;
    let (expires, expires_note) = words.expiry(subscriber.expires_at);
    Row {
        href: words::subscriber_href(subscriber.id),
        user_name: subscriber.username.as_str().to_owned(),
        full_name: subscriber.full_name.clone(),
        phone: subscriber.phone.clone(),
        plan: words.plan(subscriber.plan),
        state: words::state_badge(listed.state),
        presence: match listed.online_since {
            Some(_) => Badge::new(Tone::Good, "Online"),
            None => Badge::new(Tone::Quiet, "Offline"),
        },
        presence_note: listed
            .online_since
            .map_or_else(String::new, |since| short(words.now.since(since))),
        expires,
        expires_note,
        used_this_month: words::octets(listed.used_this_month.raw.total()),
        created: words.day(subscriber.created_at),
    }
}
