//! The first page: is the network well, and if not, where.

use askama::Template;

use crate::web::chart::Sparkline;
use crate::web::filters;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Fact, Meter};
use crate::web::shell::Shell;

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
    /// Reasons of the last hour, most frequent first; the percentage is of all rejects.
    pub reject_reasons: Vec<Meter>,
    /// Active, expiring soon, expired, disabled; the percentage is of all subscribers.
    pub states: Vec<StateCount>,
    pub nas: Vec<NasHealth>,
    /// CPU, memory, disk, daemon memory.
    pub machine: Vec<Meter>,
    /// Load, uptime, version.
    pub machine_facts: Vec<Fact>,
    pub store: Badge,
    /// File size, last commit, accounting journal.
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
