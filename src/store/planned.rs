//! Sessions that are to be ended at an instant, for changes that only a new login brings.
//!
//! Invariant: at most one row for a session. Whether it is still open is known in `accounting`.

use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

use super::codec::Record;
use super::tables::PLANNED_DISCONNECTS;
use super::{Order, Read, StoreError, Tx};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::reconnect::Planned;
use crate::domain::time::Timestamp;

/// More than the sessions of the largest installation; bounds the walk over all.
pub const MOST_PLANNED: usize = 50_000;

/// When, and which session.
pub type Key = (i64, u64);

pub use v1::PlannedRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct PlannedRow {
        #[n(0)]
        pub subscriber: u32,
        #[n(1)]
        pub by: String,
    }
}

impl Record for PlannedRow {
    const VERSION: u8 = 1;
}

fn planned((due_at, session): Key, row: PlannedRow) -> Planned {
    Planned {
        due_at: Timestamp(due_at),
        session: SessionId(session),
        subscriber: SubscriberId(row.subscriber),
        by: row.by,
    }
}

/// What is due at `now`, the oldest first.
pub fn due(read: &impl Read, now: Timestamp, limit: usize) -> Result<Vec<Planned>, StoreError> {
    let rows = read.range(&PLANNED_DISCONNECTS, ..=(now.0, u64::MAX), limit)?;
    Ok(rows
        .into_iter()
        .map(|(key, row)| planned(key, row))
        .collect())
}

/// What is planned for a subscriber, the first in front.
pub fn of(read: &impl Read, subscriber: SubscriberId) -> Result<Vec<Planned>, StoreError> {
    let mut found = Vec::new();
    read.scan(
        &PLANNED_DISCONNECTS,
        (i64::MIN, 0)..,
        Order::Ascending,
        MOST_PLANNED,
        |key: Key, row: PlannedRow| {
            if row.subscriber == subscriber.0 {
                found.push(planned(key, row));
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(found)
}

/// Plans the end of a session, in place of any earlier plan for it.
pub fn put(tx: &mut Tx<'_>, new: &Planned) -> Result<(), StoreError> {
    for old in of(tx, new.subscriber)? {
        if old.session == new.session {
            remove(tx, &old)?;
        }
    }
    let row = PlannedRow {
        subscriber: new.subscriber.0,
        by: new.by.clone(),
    };
    tx.insert(&PLANNED_DISCONNECTS, (new.due_at.0, new.session.0), &row)
}

pub fn remove(tx: &mut Tx<'_>, old: &Planned) -> Result<bool, StoreError> {
    tx.remove(&PLANNED_DISCONNECTS, (old.due_at.0, old.session.0))
}
