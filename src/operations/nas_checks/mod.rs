//! The checks of a router's page: what works, what does not, and the exact command that mends it.
//!
//! `judge` is pure: observations in, verdicts out. `gather` makes the observations, those of the API within one deadline.
//! Invariant: what could not be read is unknown, never red.

mod by_api;
mod by_radius;
mod gather;

use std::net::IpAddr;

use crate::app::CoaReport;
use crate::domain::nas::{Nas, Network};
use crate::domain::time::Timestamp;
use crate::operations::router_script::Named;
use crate::routers::routeros::commands::firewall::Rule;
use crate::routers::routeros::commands::ppp::PppAaa;
use crate::routers::routeros::commands::radius::{RadiusEntry, RadiusIncoming};
use crate::routers::routeros::error::ApiError;

pub use gather::run;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Bad,
    /// Not seen, or not asked.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    /// One sentence.
    pub says: String,
    /// What mends it, in RouterOS; empty where nothing is to mend, or nothing on the router.
    pub command: String,
}

impl Check {
    fn good(name: &'static str, says: impl Into<String>) -> Check {
        Check::new(name, Verdict::Good, says, String::new())
    }

    fn unknown(name: &'static str, says: impl Into<String>) -> Check {
        Check::new(name, Verdict::Unknown, says, String::new())
    }

    fn bad(name: &'static str, says: impl Into<String>, command: impl Into<String>) -> Check {
        Check::new(name, Verdict::Bad, says, command.into())
    }

    fn new(
        name: &'static str,
        verdict: Verdict,
        says: impl Into<String>,
        command: String,
    ) -> Check {
        Check {
            name,
            verdict,
            says: says.into(),
            command,
        }
    }
}

/// What is known of a router at one moment.
#[derive(Debug, Clone)]
pub struct Observed {
    pub now: Timestamp,
    pub nas: Nas,
    pub named: Named,
    /// Our address as the router knows it, if the configuration says it.
    pub server: Option<IpAddr>,
    /// Seconds between interim records.
    pub interim_interval: u32,
    pub last_auth: Option<Timestamp>,
    pub last_acct: Option<Timestamp>,
    pub last_wrong_secret: Option<Timestamp>,
    /// Newest first.
    pub coa: Vec<CoaReport>,
    /// Open sessions through it, and those whose records are overdue.
    pub open: usize,
    pub overdue: usize,
    pub api: ApiSeen,
}

/// What the API said.
#[derive(Debug, Clone)]
pub enum ApiSeen {
    NotSet,
    Failed(ApiError),
    Read(Box<RouterFacts>),
}

/// What was read of a router. Each list may be refused by itself, such as for want of rights.
#[derive(Debug, Clone)]
pub struct RouterFacts {
    /// `7.15.3 (stable)`.
    pub version: String,
    /// The router's clock, and ours when it was read.
    pub clock: Result<Option<Timestamp>, ApiError>,
    pub read_at: Timestamp,
    pub radius: Result<Vec<RadiusEntry>, ApiError>,
    pub incoming: Result<RadiusIncoming, ApiError>,
    pub aaa: Result<PppAaa, ApiError>,
    pub filter: Result<Vec<Rule>, ApiError>,
    pub pools: Result<Vec<String>, ApiError>,
    pub ipv6_pools: Result<Vec<String>, ApiError>,
    /// Enabled local secrets that have the name of a subscriber.
    pub shadowing: Result<Vec<String>, ApiError>,
}

/// All checks, in the order in which a technician would try them.
pub fn judge(observed: &Observed) -> Vec<Check> {
    let mut checks = by_radius::checks(observed);
    checks.extend(by_api::checks(observed));
    checks
}

/// Our RADIUS entry on the router, as commands find it.
fn ours(observed: &Observed) -> String {
    format!("/radius set [find where address={}]", server(observed))
}

fn server(observed: &Observed) -> String {
    let known = observed.server.map(|address| address.to_string());
    known.unwrap_or_else(|| "SERVER".to_owned())
}

/// What points the router here where nothing does.
fn add_entry(observed: &Observed) -> String {
    let source = observed.nas.network.single();
    let source = source.map_or_else(String::new, |ip| format!(" src-address={ip}"));
    format!(
        "/radius add service=ppp address={}{source} secret=\"SECRET\" timeout=3s comment=\"proxpanel\"",
        server(observed)
    )
}

fn accept_incoming(observed: &Observed) -> String {
    let port = observed.nas.coa_port;
    format!("/radius incoming set accept=yes port={port}")
}

/// Whether an address that a router writes as text is of this NAS.
fn is_of(network: &Network, address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|address| network.contains(address))
}

#[cfg(test)]
mod tests;
