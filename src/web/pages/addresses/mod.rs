//! Addresses: the pools of this side and how full they are, what is set aside, and who had an address.

mod form;
mod holder;
mod statics;

pub use form::{FormPage, create, edit, new, update};
pub use holder::{HolderPage, HolderRow, holder};
pub use statics::{StaticRow, StaticsPage, note, statics};

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::{App, Counted};
use crate::domain::id::PoolId;
use crate::domain::pool::{Pool, PoolKind};
use crate::operations::{blocking, pools as verbs};
use crate::store::{pools as stored, statics as set_aside};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Field, Meter, Tone, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

/// `GET /addresses`.
#[derive(Template)]
#[template(path = "pages/addresses/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    /// The form of [`HolderPage`], set to this minute.
    pub address: Field,
    pub date: Field,
    pub time: Field,
    pub zone: String,
    /// How many addresses and prefixes are set aside.
    pub statics: String,
}

#[derive(Clone, Default)]
pub struct Row {
    /// `/addresses/{id}`; editing and deletion are below it.
    pub href: String,
    pub name: String,
    /// The ranges, or how the network is cut.
    pub what: String,
    pub sort: String,
    /// Used and reserved of all.
    pub fill: Meter,
    pub free: String,
    /// Plans that take addresses from it.
    pub plans: Vec<String>,
}

const PATH: &str = "/addresses";

/// From here on a pool is shown as nearly full, in percent.
const NEARLY_FULL: u8 = 90;

pub async fn list(signed: Signed) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let (counted, statics) = blocking(move || counts(&app)).await??;
    let words = Words::of(signed.app());
    let plans = signed.app().plans();
    let names = |pool: &Pool| verbs::plans_of(pool, plans.iter().map(AsRef::as_ref));
    let (date, time) = holder::present(&words);
    let page = ListPage {
        shell: signed.shell("Addresses", Nav::Addresses),
        rows: counted.iter().map(|it| row(it, names(&it.pool))).collect(),
        address: Field::default(),
        date: Field::new(date),
        time: Field::new(time),
        zone: words.calendar().zone_name().to_owned(),
        statics: thousands(statics),
    };
    Ok(Page::ok(page).into_response())
}

fn counts(app: &App) -> Result<(Vec<Counted>, u64), Failure> {
    let counted = app.addresses().counts(&app.accounting.live(), app.now());
    let statics = set_aside::count(&app.store.view()?)?;
    Ok((counted, statics))
}

fn row(it: &Counted, plans: Vec<String>) -> Row {
    let pool = &it.pool;
    let said = |number: u32| thousands(number.into());
    let size = pool.kind.size();
    let taken = u64::from(size.saturating_sub(it.free()));
    // Rounded up: nothing looks empty that is not.
    let percent = taken.saturating_mul(100).div_ceil(u64::from(size.max(1)));
    let percent = u8::try_from(percent).unwrap_or(100);
    Row {
        href: format!("{PATH}/{}", pool.id),
        name: pool.name.clone(),
        what: pool.kind.to_string(),
        sort: kind_words(&pool.kind).to_owned(),
        fill: Meter {
            label: match it.reserved {
                0 => format!("{} used", said(it.used)),
                reserved => format!("{} used, {} reserved", said(it.used), said(reserved)),
            },
            value: format!("of {}", said(size)),
            percent,
            tone: match (it.free(), percent) {
                (0, _) => Tone::Bad,
                (_, NEARLY_FULL..) => Tone::Warn,
                _ => Tone::Good,
            },
        },
        free: said(it.free()),
        plans,
    }
}

fn kind_words(kind: &PoolKind) -> &'static str {
    match kind {
        PoolKind::V4(_) => "IPv4 addresses",
        PoolKind::Delegated(_) => "IPv6 prefixes",
    }
}

fn find(signed: &Signed, id: u32) -> Result<Pool, Failure> {
    stored::get(&signed.app().store.view()?, PoolId(id))?.ok_or(Failure::Missing)
}

/// Asks before deleting; a pool that a plan needs cannot go.
pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let pool = find(&signed, id)?;
    let plans = signed.app().plans();
    let used_by = verbs::plans_of(&pool, plans.iter().map(AsRef::as_ref));
    let path = format!("{PATH}/{id}");
    let page = DeletePage {
        shell: signed.shell("Delete pool", Nav::Addresses),
        list: "Addresses",
        list_href: PATH,
        verb: "Delete",
        thing: "pool",
        action: format!("{path}/delete"),
        back: format!("{path}/edit"),
        name: pool.name.clone(),
        consequences: vec![
            "Nobody gets an address from it any more.".to_owned(),
            "Those who are online keep theirs until they sign in again.".to_owned(),
            "Who had which address stays on record.".to_owned(),
        ],
        blocked: match used_by.first() {
            None => String::new(),
            Some(plan) => {
                format!(
                    "The plan {plan} takes addresses from it. Give the plan another pool first."
                )
            }
        },
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let pool = find(&signed, id)?;
    verbs::remove(signed.app(), &signed.actor(), pool.id).await?;
    let flash = Flash::good(format!("The pool {} is deleted.", pool.name));
    Ok(done(&signed, flash, PATH))
}
