//! The first page: is the network well, and if not, where.

mod live;

pub(in crate::web::pages) use live::{machine, machine_facts};

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::operations::{Error, blocking, overview};
use crate::store::auth_log as stored_attempts;
use crate::web::chart::Sparkline;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Fact, Meter};
use crate::web::shell::{Nav, Shell};

/// `GET /`; htmx gets `LivePart` from the same address every few seconds.
#[derive(Template)]
#[template(path = "pages/dashboard/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    /// What is left to do after setup; empty once everything is done.
    pub steps: Vec<Step>,
    pub live: LivePart,
}

/// One of the first steps of a new installation.
#[derive(Clone, Default)]
pub struct Step {
    pub is_done: bool,
    pub title: String,
    pub text: String,
    /// Link to do it, or empty.
    pub href: String,
    pub action: String,
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
    let (live, steps) = blocking(move || {
        let counts = overview::counts(&app)?;
        Ok::<_, Error>((live::part(&app, &counts)?, steps(&app, &counts)?))
    })
    .await??;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(live).into_response());
    }
    let shell = signed.shell("Dashboard", Nav::Dashboard);
    Ok(Page::ok(ShowPage { shell, steps, live }).into_response())
}

/// What is left of the first steps; nothing once the first packet was answered.
fn steps(app: &App, counts: &overview::Counts) -> Result<Vec<Step>, Error> {
    let was_asked = app.telemetry.counters.access_requests.get() > 0
        || stored_attempts::last(&app.store.view()?)? > 0;
    let strangers = app.sightings.list();
    let waiting = match strangers.first() {
        Some(stranger) => format!(
            "Packets come from {}, which is no NAS yet.",
            stranger.source
        ),
        None => "It appears here as soon as the router asks.".to_owned(),
    };
    let step = |is_done, title: &str, text: &str, href: &str, action: &str| Step {
        is_done,
        title: title.to_owned(),
        text: text.to_owned(),
        href: href.to_owned(),
        action: action.to_owned(),
    };
    let steps = vec![
        step(true, "Create the first operator", "That is you.", "", ""),
        step(
            !app.plans().is_empty(),
            "Create a plan",
            "A speed, a price and a term.",
            "/plans/new",
            "New plan",
        ),
        step(
            !app.nas_table().all().is_empty(),
            "Add your router",
            "Its address and a shared secret.",
            "/nas/new",
            "New NAS",
        ),
        step(
            counts.subscribers > 0,
            "Add a subscriber",
            "A user name, a password, a plan.",
            "/subscribers/new",
            "New subscriber",
        ),
        step(was_asked, "See the first sign-in", &waiting, "", ""),
    ];
    Ok(if steps.iter().all(|step| step.is_done) {
        Vec::new()
    } else {
        steps
    })
}
