//! Follow-up work, committed with the change that needs it. Jobs drain it; a row may be handled twice.

use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

use super::codec::Record;
use super::tables::{COUNTERS, OUTBOX};
use super::{Order, Read, StoreError, Tx, ids};
use crate::domain::id::{NasId, PlanId, SessionId, SubscriberId};

/// One piece of follow-up work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Bring the search index up to date.
    IndexSubscriber(SubscriberId),
    IndexPlan(PlanId),
    IndexNas(NasId),
    /// Tell the routers of a subscriber's live sessions the present speed and timeout.
    PushSubscriber(SubscriberId),
    /// The same for everybody on a plan.
    PushPlan(PlanId),
    /// The same for every live session: a rule that may concern anybody has changed.
    PushAll,
    /// The same for one session.
    PushSession(SessionId),
    /// End one session.
    Disconnect(SessionId),
    /// End all sessions of a subscriber.
    DisconnectSubscriber(SubscriberId),
}

pub use v1::OutboxRow;

mod v1 {
    use super::*;

    /// Numbers are stored: never change them.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct OutboxRow {
        #[n(0)]
        pub kind: u8,
        #[n(1)]
        pub id: u64,
    }
}

impl Record for OutboxRow {
    const VERSION: u8 = 1;
}

impl From<Work> for OutboxRow {
    fn from(work: Work) -> Self {
        let (kind, id) = match work {
            Work::IndexSubscriber(id) => (1, id.0.into()),
            Work::IndexPlan(id) => (2, id.0.into()),
            Work::IndexNas(id) => (3, id.0.into()),
            Work::PushSubscriber(id) => (4, id.0.into()),
            Work::PushPlan(id) => (5, id.0.into()),
            Work::Disconnect(id) => (6, id.0),
            Work::DisconnectSubscriber(id) => (7, id.0.into()),
            Work::PushAll => (8, 0),
            Work::PushSession(id) => (9, id.0),
        };
        OutboxRow { kind, id }
    }
}

impl OutboxRow {
    /// `None` for work of a kind that this program does not know, which is then dropped.
    fn work(&self) -> Option<Work> {
        let short = u32::try_from(self.id).ok();
        match self.kind {
            1 => Some(Work::IndexSubscriber(SubscriberId(short?))),
            2 => Some(Work::IndexPlan(PlanId(short?))),
            3 => Some(Work::IndexNas(NasId(short?))),
            4 => Some(Work::PushSubscriber(SubscriberId(short?))),
            5 => Some(Work::PushPlan(PlanId(short?))),
            6 => Some(Work::Disconnect(SessionId(self.id))),
            7 => Some(Work::DisconnectSubscriber(SubscriberId(short?))),
            8 => Some(Work::PushAll),
            9 => Some(Work::PushSession(SessionId(self.id))),
            _ => None,
        }
    }
}

/// Who handles which work, so that a slow router does not hold up the search index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Search,
    Routers,
}

impl Work {
    /// Somebody waits for it; what concerns many sessions at once does not hold it up.
    pub fn is_urgent(self) -> bool {
        !matches!(
            self,
            Work::PushPlan(_) | Work::PushAll | Work::PushSession(_)
        )
    }

    pub fn lane(self) -> Lane {
        match self {
            Work::IndexSubscriber(_) | Work::IndexPlan(_) | Work::IndexNas(_) => Lane::Search,
            _ => Lane::Routers,
        }
    }
}

/// The bit that parts the lanes in the key; the rest is the sequence.
const ROUTERS: u64 = 1 << 63;

fn key(lane: Lane, sequence: u64) -> u64 {
    match lane {
        Lane::Search => sequence,
        Lane::Routers => sequence | ROUTERS,
    }
}

pub fn add(tx: &mut Tx<'_>, work: Work) -> Result<(), StoreError> {
    let sequence = ids::next_sequence(tx, ids::OUTBOX)?;
    tx.insert(&OUTBOX, key(work.lane(), sequence), &OutboxRow::from(work))?;
    tx.touch(super::Change::Outbox);
    Ok(())
}

/// The oldest waiting work of a lane, with the key by which [`done`] removes it.
pub fn waiting(
    read: &impl Read,
    lane: Lane,
    limit: usize,
) -> Result<Vec<(u64, Option<Work>)>, StoreError> {
    waiting_after(read, lane, 0, limit)
}

/// The same, without rows up to the key `after`.
pub fn waiting_after(
    read: &impl Read,
    lane: Lane,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, Option<Work>)>, StoreError> {
    let first = key(lane, 0).max(after.saturating_add(1));
    let mut found = Vec::new();
    read.scan(
        &OUTBOX,
        first..=key(lane, ROUTERS - 1),
        Order::Ascending,
        limit,
        |key, row: OutboxRow| {
            found.push((key, row.work()));
            ControlFlow::Continue(())
        },
    )?;
    Ok(found)
}

pub fn done(tx: &mut Tx<'_>, keys: &[u64]) -> Result<(), StoreError> {
    for key in keys {
        tx.remove(&OUTBOX, *key)?;
    }
    Ok(())
}

/// Removes search work that is in the index by now, and remembers how far the index has come.
pub fn indexed(tx: &mut Tx<'_>, keys: &[u64]) -> Result<(), StoreError> {
    done(tx, keys)?;
    match keys.last() {
        Some(last) => tx.insert(&COUNTERS, ids::INDEXED, last),
        None => Ok(()),
    }
}

/// The last search work that the index must have. An index that has less was replaced by an older one.
pub fn last_indexed(read: &impl Read) -> Result<u64, StoreError> {
    ids::current(read, ids::INDEXED)
}
