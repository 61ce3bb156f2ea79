//! PPPoE interfaces: what went through them, whose they are, and what goes through right now.
//!
//! A router receives what the subscriber sends: `rx` is upload, `tx` download (mikrotik.md b4).

use std::collections::HashMap;
use std::time::Duration;

use super::row::Row;
use super::{ItemId, read, verb};
use crate::domain::octets::Traffic;
use crate::routers::mikrotik::Pair;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;

/// The counters of a session's interface; they begin at zero with every session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceCounters {
    pub id: ItemId,
    /// `<pppoe-USER>`, or the name of a static binding.
    pub name: String,
    pub octets: Traffic,
    /// Packets, by the same directions.
    pub packets: Traffic,
    pub is_running: bool,
    /// In the router's zone and the format of its version: for telling two sessions apart, not for reading.
    pub last_link_up: Option<String>,
}

pub async fn pppoe_counters(router: &Router) -> Result<Vec<InterfaceCounters>, ApiError> {
    let command = verb("/interface", "print")
        .query("type=pppoe-in")
        .fields(".id,name,rx-byte,tx-byte,rx-packet,tx-packet,running,last-link-up-time");
    read(router, command, |row| {
        let count = |name| row.count(name).unwrap_or_default();
        Ok(InterfaceCounters {
            id: row.id(".id")?,
            name: row.required("name")?,
            octets: Traffic::new(row.number("rx-byte")?, row.number("tx-byte")?),
            packets: Traffic::new(count("rx-packet"), count("tx-packet")),
            is_running: row.is("running"),
            last_link_up: row.text("last-link-up-time"),
        })
    })
    .await
}

/// Whose session an interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PppoeSession {
    /// The name of the interface.
    pub name: String,
    /// None for a static binding that nobody uses now.
    pub user: Option<String>,
    pub service: Option<String>,
    pub uptime: Option<Duration>,
    /// The subscriber's MAC address.
    pub remote_address: Option<String>,
    /// The access port, and the VLAN where the version tells it.
    pub interface: Option<String>,
    pub vlan: Option<String>,
    pub is_dynamic: bool,
    pub is_running: bool,
}

pub async fn pppoe_sessions(router: &Router) -> Result<Vec<PppoeSession>, ApiError> {
    let command = verb("/interface/pppoe-server", "print")
        .fields("name,user,service,uptime,remote-address,interface,vid,dynamic,running");
    read(router, command, |row| {
        Ok(PppoeSession {
            name: row.required("name")?,
            user: row.text("user").filter(|user| !user.is_empty()),
            service: row.text("service"),
            uptime: row.duration("uptime"),
            remote_address: row.text("remote-address"),
            interface: row.text("interface"),
            vlan: row.text("vid"),
            is_dynamic: row.is("dynamic"),
            is_running: row.is("running"),
        })
    })
    .await
}

/// What one session of a user has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserTraffic {
    pub session: PppoeSession,
    pub user: String,
    pub octets: Traffic,
}

/// The traffic of every running session, from two lists read at once. A session that began or ended in between is in
/// one of them only, and is left out.
pub async fn user_traffic(router: &Router) -> Result<Vec<UserTraffic>, ApiError> {
    let (counters, sessions) = tokio::try_join!(pppoe_counters(router), pppoe_sessions(router))?;
    Ok(join(counters, sessions))
}

/// Joined by the name of the interface: it need not hold the user's name.
fn join(counters: Vec<InterfaceCounters>, sessions: Vec<PppoeSession>) -> Vec<UserTraffic> {
    let mut octets: HashMap<String, Traffic> = counters
        .into_iter()
        .filter(|interface| interface.is_running)
        .map(|interface| (interface.name, interface.octets))
        .collect();
    sessions
        .into_iter()
        .filter_map(|session| {
            Some(UserTraffic {
                octets: octets.remove(&session.name)?,
                user: session.user.clone()?,
                session,
            })
        })
        .collect()
}

/// The speed of an interface, in bit/s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRate {
    pub interface: String,
    pub rate: Pair,
}

impl LiveRate {
    fn read(row: Row<'_>) -> Result<LiveRate, ApiError> {
        Ok(LiveRate {
            interface: row.required("name")?,
            rate: Pair::new(
                row.number("rx-bits-per-second")?,
                row.number("tx-bits-per-second")?,
            ),
        })
    }
}

/// The speeds of some interfaces right now, a row for each.
pub async fn live_rates(router: &Router, interfaces: &[&str]) -> Result<Vec<LiveRate>, ApiError> {
    let command = verb("/interface", "monitor-traffic")
        .with("interface", interfaces.join(","))
        .with("once", "");
    read(router, command, LiveRate::read).await
}
