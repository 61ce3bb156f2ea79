//! Imports of subscribers: one row each, with what is needed to take it back.

use std::ops::ControlFlow;

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::ids;
use super::tables::IMPORTS;
use super::{Order, Read, StoreError, Tx};

/// Rows that are kept.
pub const MOST_IMPORTS: usize = 100;

pub use v1::ImportRow;

mod v1 {
    use super::*;

    /// Times are milliseconds since 1970. Never renumber; new fields are optional.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
    pub struct ImportRow {
        #[n(0)]
        pub at: i64,
        /// Who did it.
        #[n(1)]
        pub by: String,
        /// The name of the file.
        #[n(2)]
        pub file: String,
        /// The subscribers that it made have this id and those that follow.
        #[n(3)]
        pub first: u32,
        #[n(4)]
        pub count: u32,
        /// Rows of the file that were left out: known already, or with a problem.
        #[n(5)]
        pub left_out: u32,
        /// Plans that it made.
        #[n(6)]
        pub plans: Vec<u32>,
        #[n(7)]
        pub undone_at: Option<i64>,
    }
}

impl Record for ImportRow {
    const VERSION: u8 = 1;
}

/// Imports from the newest on; at most `limit`.
pub fn newest(read: &impl Read, limit: usize) -> Result<Vec<(u32, ImportRow)>, StoreError> {
    let mut found = Vec::new();
    read.scan(&IMPORTS, 0_u32.., Order::Descending, limit, |id, row| {
        found.push((id, row));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

pub fn get(read: &impl Read, id: u32) -> Result<Option<ImportRow>, StoreError> {
    read.get(&IMPORTS, id)
}

/// The number of the next import.
pub fn next_id(tx: &mut Tx<'_>) -> Result<u32, StoreError> {
    ids::next(tx, ids::IMPORT)
}

/// Adds an import; the oldest of too many goes.
pub fn add(tx: &mut Tx<'_>, id: u32, row: &ImportRow) -> Result<(), StoreError> {
    let known = newest(tx, MOST_IMPORTS)?;
    if let Some((oldest, _)) = known.get(MOST_IMPORTS.saturating_sub(1)) {
        tx.remove(&IMPORTS, *oldest)?;
    }
    put(tx, id, row)
}

pub fn put(tx: &mut Tx<'_>, id: u32, row: &ImportRow) -> Result<(), StoreError> {
    tx.insert(&IMPORTS, id, row)?;
    Ok(())
}
