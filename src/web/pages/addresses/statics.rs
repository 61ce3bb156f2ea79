//! Addresses and prefixes that are set aside for one subscriber each.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::address::Block;
use crate::operations::addresses as verbs;
use crate::operations::blocking;
use crate::store::statics::Static;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{Pager, Paging};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

/// `GET /addresses/static?page=&size=`.
#[derive(Template)]
#[template(path = "pages/addresses/static.html")]
pub struct StaticsPage {
    pub shell: Shell,
    pub rows: Vec<StaticRow>,
    pub pager: Pager,
}

#[derive(Clone, Default)]
pub struct StaticRow {
    pub address: String,
    pub user_name: String,
    pub user_href: String,
    /// The pool that it lies in, or empty.
    pub pool: String,
}

const STATIC_PATH: &str = "/addresses/static";

pub async fn statics(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &["page", "size"]);
    let paging = Paging::of(&query);
    let app = Arc::clone(&signed.panel.app);
    let found = blocking(move || verbs::statics(&app, paging.skip(), paging.limit()));
    let (found, total) = found.await??;
    let words = Words::of(signed.app());
    let rows: Vec<StaticRow> = found.iter().map(|item| row(&words, item)).collect();
    let page = StaticsPage {
        shell: signed.shell("Static addresses", Nav::Addresses),
        pager: Pager::of(STATIC_PATH, &query, paging, rows.len(), total),
        rows,
    };
    Ok(Page::ok(page).into_response())
}

fn row(words: &Words<'_>, item: &Static) -> StaticRow {
    let pool = words
        .app
        .addresses()
        .pool_over(Block::of_network(item.network));
    StaticRow {
        address: item.network.to_string(),
        user_name: words.subscriber(item.subscriber),
        user_href: words::subscriber_href(item.subscriber),
        pool: pool.map_or_else(String::new, |pool| pool.name.clone()),
    }
}

/// The end of a sentence about a static address or prefix that lies in a pool, or the empty text. No mistake, since the pool
/// leaves it out; but somebody may have it until now.
pub fn note(app: &App, address: Option<Ipv4Addr>, prefix: Option<(Ipv6Addr, u8)>) -> String {
    let blocks = [address.map(Block::of_v4), prefix.map(Block::of_prefix)];
    let pool = blocks
        .into_iter()
        .flatten()
        .find_map(|block| app.addresses().pool_over(block));
    pool.map_or_else(String::new, |pool| {
        format!("in the pool {}, which leaves it out", pool.name)
    })
}
