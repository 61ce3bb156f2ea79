//! The first page: is the network well, and if not, where.

mod live;

pub(in crate::web::pages) use live::{machine, machine_facts};

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::{blocking, overview, setup};
use crate::web::chart::Sparkline;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::auth_log;
use crate::web::pages::setup::{StepLink, step_links};
use crate::web::parts::{Badge, Fact, Meter};
use crate::web::shell::{Nav, Shell};

/// `GET /`; htmx gets `LivePart` from the same address every few seconds.
#[derive(Template)]
#[template(path = "pages/dashboard/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    /// What is left of the first run, for administrators; empty once everything is done or it was dismissed.
    pub steps: Vec<StepLink>,
    /// How many of them are done or skipped.
    pub settled: usize,
    pub live: LivePart,
}

#[derive(Template, Default)]
#[template(path = "pages/dashboard/_live.html")]
pub struct LivePart {
    pub cards: Vec<StatCard>,
    /// Authentications per second over the last hour.
    pub rate: Sparkline,
    /// Such as `Now 3.2/s`, `Peak 41/s`.
    pub rate_now: String,
    pub rate_peak: String,
    pub accepts: String,
    pub rejects: String,
    /// Since when accepts and rejects are counted: `since the start, 3 d 4 h ago`.
    pub since: String,
    /// Most frequent first; the percentage is of all rejects.
    pub reject_reasons: Vec<Meter>,
    /// Active, expiring soon, expired, disabled; the percentage is of all subscribers.
    pub states: Vec<StateCount>,
    pub nas: Vec<NasHealth>,
    /// CPU, memory, disk, daemon memory.
    pub machine: Vec<Meter>,
    /// Load, uptime, version.
    pub machine_facts: Vec<Fact>,
    pub store: Badge,
    /// Size of the files, commits, search index.
    pub store_facts: Vec<Fact>,
    pub latest_rejects: Vec<auth_log::Row>,
    /// `14:03:22`, in the time zone of the ISP.
    pub updated: String,
}

/// A large figure with its name.
#[derive(Clone, Default)]
pub struct StatCard {
    pub label: String,
    pub value: String,
    /// Small unit behind the figure, such as `/s`, or empty.
    pub unit: String,
    pub note: String,
    pub icon: &'static str,
    /// Where the card leads, or empty.
    pub href: String,
}

/// Subscribers in one state.
#[derive(Clone, Default)]
pub struct StateCount {
    pub badge: Badge,
    pub count: String,
    /// The list, filtered by this state.
    pub href: String,
    pub percent: u8,
}

/// One NAS as the dashboard sees it.
#[derive(Clone, Default)]
pub struct NasHealth {
    pub name: String,
    pub href: String,
    pub address: String,
    pub state: Badge,
    pub last_seen: String,
    pub online: String,
    /// What should be mended, one sentence each: wrong secret, no Message-Authenticator.
    pub hints: Vec<String>,
}

pub async fn show(signed: Signed) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let live = blocking(move || live::part(&app, &overview::counts(&app)?)).await??;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(live).into_response());
    }
    let progress = setup::progress(signed.app())?;
    let is_shown = signed.may_change() && progress.is_open();
    let page = ShowPage {
        shell: signed.shell("Dashboard", Nav::Dashboard),
        steps: match is_shown {
            true => step_links(&progress, None),
            false => Vec::new(),
        },
        settled: progress.settled(),
        live,
    };
    Ok(Page::ok(page).into_response())
}
