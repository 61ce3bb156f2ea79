//! Address pools.

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
