//! The router as RADIUS client: whom it asks, how that goes, and whether it listens to us (mikrotik.md a1).

use std::time::Duration;

use super::{ItemId, read, read_one, verb};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;

/// A server that the router asks. The secret is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadiusEntry {
    pub id: ItemId,
    /// `ppp`, `hotspot` and so on, comma-separated.
    pub service: String,
    /// May be `address@vrf`.
    pub address: String,
    pub authentication_port: Option<u64>,
    pub accounting_port: Option<u64>,
    pub timeout: Option<Duration>,
    pub source_address: Option<String>,
    pub is_disabled: bool,
}

/// The servers in the order in which they are asked.
pub async fn entries(router: &Router) -> Result<Vec<RadiusEntry>, ApiError> {
    let command = verb("/radius", "print").fields(
        ".id,service,address,authentication-port,accounting-port,timeout,src-address,disabled",
    );
    read(router, command, |row| {
        Ok(RadiusEntry {
            id: row.id(".id")?,
            service: row.text("service").unwrap_or_default(),
            address: row.required("address")?,
            authentication_port: row.count("authentication-port"),
            accounting_port: row.count("accounting-port"),
            timeout: row.duration("timeout"),
            source_address: row.text("src-address"),
            is_disabled: row.is("disabled"),
        })
    })
    .await
}

/// What became of the requests to one server since the router started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadiusCounters {
    pub requests: u64,
    pub accepts: u64,
    pub rejects: u64,
    pub resends: u64,
    pub timeouts: u64,
    /// Replies of the wrong secret, above all.
    pub bad_replies: u64,
}

pub async fn counters(router: &Router, entry: &ItemId) -> Result<RadiusCounters, ApiError> {
    let command = verb("/radius", "monitor")
        .with("numbers", entry)
        .with("once", "");
    read_one(router, command, |row| {
        let count = |name| row.count(name).unwrap_or_default();
        Ok(RadiusCounters {
            requests: count("requests"),
            accepts: count("accepts"),
            rejects: count("rejects"),
            resends: count("resends"),
            timeouts: count("timeouts"),
            bad_replies: count("bad-replies"),
        })
    })
    .await
}

/// Whether the router takes CoA and Disconnect, and on which port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadiusIncoming {
    pub is_accepted: bool,
    pub port: Option<u64>,
}

pub async fn incoming(router: &Router) -> Result<RadiusIncoming, ApiError> {
    let command = verb("/radius/incoming", "print").fields("accept,port");
    read_one(router, command, |row| {
        Ok(RadiusIncoming {
            is_accepted: row.is("accept"),
            port: row.count("port"),
        })
    })
    .await
}
