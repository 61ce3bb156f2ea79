//! PPP: who is online, ending a session, and the settings that decide whether RADIUS is asked.

use std::net::IpAddr;
use std::time::Duration;

use super::row::Row;
use super::{ItemId, read, read_one, remove, verb};
use crate::domain::octets::Traffic;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;
use crate::routers::routeros::rows::Rows;
use crate::routers::routeros::values;

const ACTIVE: &str = "/ppp/active";
const ACTIVE_FIELDS: &str = ".id,name,service,caller-id,address,uptime,encoding,session-id,limit-bytes-in,limit-bytes-out,radius";

/// A session of `/ppp/active` (mikrotik.md b4). It has no counters: those are of its interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivePpp {
    pub id: ItemId,
    /// The login name as the router has it.
    pub name: String,
    /// `pppoe`, `l2tp` and so on.
    pub service: Option<String>,
    /// The subscriber's MAC address for PPPoE.
    pub caller_id: Option<String>,
    pub address: Option<IpAddr>,
    pub uptime: Option<Duration>,
    pub encoding: Option<String>,
    /// As RADIUS writes it in Acct-Session-Id.
    pub session_id: Option<String>,
    /// Octets after which the router ends the session; 0 is never.
    pub limit: Traffic,
    /// It was let in by RADIUS, not by a local secret.
    pub is_radius: bool,
}

impl ActivePpp {
    fn read(row: Row<'_>) -> Result<ActivePpp, ApiError> {
        Ok(ActivePpp {
            id: row.id(".id")?,
            name: row.required("name")?,
            service: row.text("service"),
            caller_id: row.text("caller-id"),
            address: row.address("address"),
            uptime: row.duration("uptime"),
            encoding: row.text("encoding"),
            session_id: row.plain("session-id").and_then(values::session_id),
            limit: Traffic::new(
                row.count("limit-bytes-in").unwrap_or_default(),
                row.count("limit-bytes-out").unwrap_or_default(),
            ),
            is_radius: row.is("radius"),
        })
    }
}

/// All sessions that are up.
pub async fn active(router: &Router) -> Result<Vec<ActivePpp>, ApiError> {
    let command = verb(ACTIVE, "print").fields(ACTIVE_FIELDS);
    read(router, command, ActivePpp::read).await
}

/// What changed among the sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActiveChange {
    /// It is new, or something of it is.
    Up(ActivePpp),
    Gone(ItemId),
}

/// A feed of changes; dropping it ends it. It may miss some when the connection is made anew (mikrotik.md b4), so the
/// list is to be read after the feed was begun, and now and then.
pub struct ActiveFeed(Rows);

/// Begins a feed of `/ppp/active`.
pub fn listen(router: &Router) -> Result<ActiveFeed, ApiError> {
    let command = verb(ACTIVE, "listen").fields(ACTIVE_FIELDS);
    router.stream(command).map(ActiveFeed)
}

impl ActiveFeed {
    /// The next change; none when the router ended the feed.
    pub async fn next(&mut self) -> Result<Option<ActiveChange>, ApiError> {
        let Some(row) = self.0.next().await? else {
            return Ok(None);
        };
        let row = Row(&row);
        if row.is(".dead") {
            return Ok(Some(ActiveChange::Gone(row.id(".id")?)));
        }
        ActivePpp::read(row).map(|session| Some(ActiveChange::Up(session)))
    }
}

/// Ends the sessions of a login name, or only the one with this Acct-Session-Id. Gives how many there were.
pub async fn disconnect(
    router: &Router,
    name: &str,
    session_id: Option<&str>,
) -> Result<usize, ApiError> {
    let command = verb(ACTIVE, "print")
        .query(&format!("name={name}"))
        .fields(".id,session-id");
    let sessions = read(router, command, |row| {
        let session_id = row.plain("session-id").and_then(values::session_id);
        Ok((row.id(".id")?, session_id))
    })
    .await?;
    let wanted = session_id.and_then(values::session_id);
    let mut ended = 0;
    for (id, found) in sessions {
        if session_id.is_none() || (found.is_some() && found == wanted) {
            remove(router, ACTIVE, &id).await?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// `/ppp/aaa` (mikrotik.md a1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PppAaa {
    pub uses_radius: bool,
    pub has_accounting: bool,
    /// Zero when the router sends none unless RADIUS asks.
    pub interim_update: Option<Duration>,
}

pub async fn aaa(router: &Router) -> Result<PppAaa, ApiError> {
    let command = verb("/ppp/aaa", "print").fields("use-radius,accounting,interim-update");
    read_one(router, command, |row| {
        Ok(PppAaa {
            uses_radius: row.is("use-radius"),
            has_accounting: row.is("accounting"),
            interim_update: row.duration("interim-update"),
        })
    })
    .await
}

/// A profile: what a session has where RADIUS says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PppProfile {
    pub id: ItemId,
    pub name: String,
    /// An address or the name of a pool.
    pub local_address: Option<String>,
    pub remote_address: Option<String>,
    pub rate_limit: Option<String>,
    pub address_list: Option<String>,
}

pub async fn profiles(router: &Router) -> Result<Vec<PppProfile>, ApiError> {
    let command = verb("/ppp/profile", "print")
        .fields(".id,name,local-address,remote-address,rate-limit,address-list");
    read(router, command, |row| {
        Ok(PppProfile {
            id: row.id(".id")?,
            name: row.required("name")?,
            local_address: row.text("local-address"),
            remote_address: row.text("remote-address"),
            rate_limit: row.text("rate-limit"),
            address_list: row.text("address-list"),
        })
    })
    .await
}

/// A local user. It overrides RADIUS for its name (mikrotik.md b5), so the panel warns of it; passwords are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PppSecret {
    pub id: ItemId,
    pub name: String,
    pub is_disabled: bool,
}

pub async fn secrets(router: &Router) -> Result<Vec<PppSecret>, ApiError> {
    let command = verb("/ppp/secret", "print").fields(".id,name,disabled");
    read(router, command, |row| {
        Ok(PppSecret {
            id: row.id(".id")?,
            name: row.required("name")?,
            is_disabled: row.is("disabled"),
        })
    })
    .await
}
