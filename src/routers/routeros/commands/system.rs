//! The router itself: its name, version, load and clock.

use std::time::Duration;

use super::{read_one, verb};
use crate::domain::time::Timestamp;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;
use crate::routers::routeros::values;

/// The router's name, which is its NAS-Identifier.
pub async fn identity(router: &Router) -> Result<String, ApiError> {
    let command = verb("/system/identity", "print").fields("name");
    let name = read_one(router, command, |row| row.required("name")).await?;
    router.learn(Some(&name), None);
    Ok(name)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Since the router started: shorter than before means that its sessions are gone.
    pub uptime: Option<Duration>,
    /// `7.15.3 (stable)`.
    pub version: String,
    /// Percent of all processors.
    pub cpu_load: Option<u64>,
    pub cpu_count: Option<u64>,
    /// Octets.
    pub free_memory: Option<u64>,
    pub total_memory: Option<u64>,
    pub board_name: Option<String>,
    pub architecture_name: Option<String>,
}

pub async fn resource(router: &Router) -> Result<Resource, ApiError> {
    let command = verb("/system/resource", "print").fields(
        "uptime,version,cpu-load,cpu-count,free-memory,total-memory,board-name,architecture-name",
    );
    let resource = read_one(router, command, |row| {
        Ok(Resource {
            uptime: row.duration("uptime"),
            version: row.required("version")?,
            cpu_load: row.count("cpu-load"),
            cpu_count: row.count("cpu-count"),
            free_memory: row.count("free-memory"),
            total_memory: row.count("total-memory"),
            board_name: row.text("board-name"),
            architecture_name: row.text("architecture-name"),
        })
    })
    .await?;
    router.learn(None, Some(&resource.version));
    Ok(resource)
}

/// What the router takes for the time; a wrong one spoils certificates and timeouts of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// None when its parts are not understood.
    pub now: Option<Timestamp>,
    pub zone: Option<String>,
}

pub async fn clock(router: &Router) -> Result<Clock, ApiError> {
    let command = verb("/system/clock", "print").fields("date,time,time-zone-name,gmt-offset");
    read_one(router, command, |row| {
        let parts = (
            row.plain("date"),
            row.plain("time"),
            row.plain("gmt-offset"),
        );
        Ok(Clock {
            now: match parts {
                (Some(date), Some(time), Some(offset)) => values::moment(date, time, offset),
                _ => None,
            },
            zone: row.text("time-zone-name"),
        })
    })
    .await
}
