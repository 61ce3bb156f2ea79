//! Plans: what is sold.

mod fill;
mod form;
mod groups;
mod parse;
mod preview;
mod week;

pub(in crate::web) use fill::filled;
#[cfg(test)]
pub(in crate::web) use form::page as form_page;
pub use form::{FormPage, create, defaults, edit, new, update};
pub use parse::parse;
pub use preview::{PreviewPart, preview};
pub use week::{Run, Week, WeekDay};

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::id::PlanId;
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::rate::{Burst, Kbps};
use crate::operations::{blocking, overview, plans as verbs};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::thousands;
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};

/// `GET /plans`.
#[derive(Template)]
#[template(path = "pages/plans/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

#[derive(Clone, Default)]
pub struct Row {
    /// `/plans/{id}`; editing and deletion are below it.
    pub href: String,
    pub name: String,
    pub price: String,
    pub term: String,
    pub download: String,
    pub upload: String,
    /// Such as `20M for 8 s`, or empty.
    pub burst: String,
    pub pool: String,
    pub on_expiry: String,
    pub subscribers: String,
    /// The list of subscribers with this plan.
    pub subscribers_href: String,
}

const PATH: &str = "/plans";

/// All plans by name; there are at most a few dozen.
pub async fn list(signed: Signed) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let counts = blocking(move || overview::plan_counts(&app)).await??;
    let plans = signed.app().plans();
    let count = |id| counts.get(&id).copied().unwrap_or(0);
    let page = ListPage {
        shell: signed.shell("Plans", Nav::Plans),
        rows: plans.iter().map(|plan| row(plan, count(plan.id))).collect(),
    };
    Ok(Page::ok(page).into_response())
}

fn row(plan: &Plan, subscribers: usize) -> Row {
    Row {
        href: format!("{PATH}/{}", plan.id),
        name: plan.name.clone(),
        price: plan.price.to_string(),
        term: plan.term.to_string(),
        download: Kbps(plan.rate.download_kbps).to_string(),
        upload: Kbps(plan.rate.upload_kbps).to_string(),
        burst: plan.burst.map_or_else(String::new, burst),
        pool: plan.pool.clone(),
        on_expiry: match &plan.on_expiry {
            OnExpiry::Reject => "Reject".to_owned(),
            OnExpiry::ExpiredPool { pool } => format!("Pool {pool}"),
            OnExpiry::ExpiredSpeed { rate } => format!("Goes on at {rate}"),
            OnExpiry::Grace { days, .. } => format!("{days} days of grace"),
        },
        subscribers: thousands(u64::try_from(subscribers).unwrap_or(u64::MAX)),
        subscribers_href: Query::new()
            .with("plan", &plan.id.to_string())
            .href("/subscribers"),
    }
}

/// How long the burst lasts from idle.
fn burst(burst: Burst) -> String {
    let (_, seconds) = burst.seconds_from_idle();
    format!("{} for {seconds} s", Kbps(burst.rate.download_kbps))
}

/// Asks before deleting; a plan that somebody has cannot go.
pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let plan = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?;
    let app = Arc::clone(&signed.panel.app);
    let counts = blocking(move || overview::plan_counts(&app)).await??;
    let path = format!("{PATH}/{id}");
    let page = DeletePage {
        shell: signed.shell("Delete plan", Nav::Plans),
        list: "Plans",
        list_href: PATH,
        verb: "Delete",
        thing: "plan",
        action: format!("{path}/delete"),
        back: format!("{path}/edit"),
        name: plan.name.clone(),
        consequences: vec![
            "No subscriber can get it any more.".to_owned(),
            "Its changes stay in the audit log.".to_owned(),
        ],
        blocked: match counts.get(&plan.id) {
            None | Some(0) => String::new(),
            Some(1) => "One subscriber has this plan. Give it another one first.".to_owned(),
            Some(count) => {
                let count = thousands(u64::try_from(*count).unwrap_or(u64::MAX));
                format!("{count} subscribers have this plan. Give them another one first.")
            }
        },
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let plan = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?;
    verbs::remove(signed.app(), &signed.actor(), plan.id).await?;
    let flash = Flash::good(format!("The plan {} is deleted.", plan.name));
    Ok(done(&signed, flash, PATH))
}
