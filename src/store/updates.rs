//! Updates: what the vendor offers, one row, and what was handed over to be installed, one row each.

use std::ops::ControlFlow;

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::{UPDATE_OFFER, UPDATES};
use super::{Order, Read, StoreError, Tx};

/// Rows that are kept: years of them.
pub const MOST_UPDATES: usize = 100;

pub use v1::{OfferRow, UpdateRow};

mod v1 {
    use super::*;

    /// Times are milliseconds since 1970. Never renumber; new fields are optional.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
    pub struct OfferRow {
        /// When the vendor last answered.
        #[n(0)]
        pub last_good: i64,
        /// When it was last asked, and what went wrong; empty when nothing did.
        #[n(1)]
        pub last_tried: i64,
        #[n(2)]
        pub problem: String,
        /// What the vendor signed of the newest version; empty when this one is.
        #[n(3)]
        pub manifest: String,
    }

    #[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
    pub struct UpdateRow {
        /// The version that is to be installed, and the one that was there.
        #[n(0)]
        pub version: String,
        #[n(1)]
        pub from: String,
        /// Who wanted it.
        #[n(2)]
        pub by: String,
        #[n(3)]
        pub handed_over_at: i64,
        #[n(4)]
        pub started_at: Option<i64>,
        #[n(5)]
        pub ended_at: Option<i64>,
        /// Why it failed; empty when it did not.
        #[n(6)]
        pub problem: String,
        /// The end of what the package manager said, after a failure.
        #[n(7)]
        pub log: String,
    }
}

impl Record for OfferRow {
    const VERSION: u8 = 1;
}

impl Record for UpdateRow {
    const VERSION: u8 = 1;
}

/// What is known of newer versions; nothing before the vendor was first asked.
pub fn offer(read: &impl Read) -> Result<OfferRow, StoreError> {
    Ok(read.get(&UPDATE_OFFER, 0)?.unwrap_or_default())
}

pub fn put_offer(tx: &mut Tx<'_>, row: &OfferRow) -> Result<(), StoreError> {
    tx.insert(&UPDATE_OFFER, 0, row)?;
    Ok(())
}

/// Updates from the newest on; at most `limit`.
pub fn newest(read: &impl Read, limit: usize) -> Result<Vec<(u32, UpdateRow)>, StoreError> {
    let mut found = Vec::new();
    read.scan(&UPDATES, 0_u32.., Order::Descending, limit, |id, row| {
        found.push((id, row));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Adds an update; the oldest of too many goes. Gives its number.
pub fn add(tx: &mut Tx<'_>, row: &UpdateRow) -> Result<u32, StoreError> {
    let known = newest(tx, MOST_UPDATES)?;
    if let Some((oldest, _)) = known.get(MOST_UPDATES.saturating_sub(1)) {
        tx.remove(&UPDATES, *oldest)?;
    }
    let id = known.first().map_or(1, |(id, _)| id.saturating_add(1));
    put(tx, id, row)?;
    Ok(id)
}

pub fn put(tx: &mut Tx<'_>, id: u32, row: &UpdateRow) -> Result<(), StoreError> {
    tx.insert(&UPDATES, id, row)?;
    Ok(())
}
