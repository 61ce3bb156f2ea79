//! Address pools, and which of their addresses are taken.

use super::{ItemId, read, verb};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub id: ItemId,
    /// What Framed-Pool carries.
    pub name: String,
    /// Ranges and prefixes, comma-separated.
    pub ranges: Option<String>,
    pub next_pool: Option<String>,
    /// Addresses; newer versions count them.
    pub total: Option<u64>,
    pub used: Option<u64>,
}

pub async fn pools(router: &Router) -> Result<Vec<Pool>, ApiError> {
    let command = verb("/ip/pool", "print").fields(".id,name,ranges,next-pool,total,used");
    read(router, command, |row| {
        Ok(Pool {
            id: row.id(".id")?,
            name: row.required("name")?,
            ranges: row.text("ranges"),
            next_pool: row.text("next-pool"),
            total: row.count("total"),
            used: row.count("used"),
        })
    })
    .await
}

/// An address that is taken from a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedAddress {
    pub pool: String,
    pub address: String,
    /// The menu that took it, and for whom.
    pub owner: Option<String>,
    pub info: Option<String>,
}

pub async fn used_addresses(router: &Router) -> Result<Vec<UsedAddress>, ApiError> {
    let command = verb("/ip/pool/used", "print").fields("pool,address,owner,info");
    read(router, command, |row| {
        Ok(UsedAddress {
            pool: row.required("pool")?,
            address: row.required("address")?,
            owner: row.text("owner"),
            info: row.text("info"),
        })
    })
    .await
}
