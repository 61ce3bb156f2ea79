//! What subscribers were told about their volume: one row for each mark of a period.
//!
//! Whoever sends mail or messages finds here what was reached and when. Invariant: a row is written once; rows of periods
//! that began long ago are removed with every write.

use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

use super::codec::Record;
use super::tables::QUOTA_NOTICES;
use super::{Order, Read, StoreError, Tx};
use crate::domain::id::SubscriberId;
use crate::domain::notice::{Level, Mark, Notice, SHARES};
use crate::domain::quota::{Counting, QuotaKind};
use crate::domain::time::{Day, Timestamp};

/// Days after which a day's and a month's notices are forgotten; no month lasts so long.
pub const KEPT_DAYS: i32 = 62;
/// The same for terms. One that lasts longer is told of once more.
pub const KEPT_DAYS_OF_TERMS: i32 = 800;

/// Kind, first day of the period, subscriber, level. The kind stands first because terms are kept for longer.
pub type Key = (u8, i32, u32, u8);

pub use v1::NoticeRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct NoticeRow {
        #[n(0)]
        pub at: i64,
        #[n(1)]
        pub limit: u64,
    }
}

impl Record for NoticeRow {
    const VERSION: u8 = 1;
}

/// A mark that was reached, and when that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub notice: Notice,
    pub at: Timestamp,
}

/// Numbers are stored: never change them.
fn kind_number(kind: QuotaKind) -> u8 {
    match kind {
        QuotaKind::Day => 1,
        QuotaKind::Month => 2,
        QuotaKind::Term => 3,
    }
}

/// Where tiers begin among the levels; below are percents.
const TIERS: u8 = 200;

fn level_number(level: Level) -> u8 {
    match level {
        Level::Share(percent) => percent.min(TIERS - 1),
        Level::Tier(place) => place.saturating_add(TIERS),
    }
}

/// `None` for a level that this program does not know.
fn level(number: u8) -> Option<Level> {
    match number.checked_sub(TIERS) {
        Some(place) => Some(Level::Tier(place)),
        None => SHARES.contains(&number).then_some(Level::Share(number)),
    }
}

fn key(subscriber: SubscriberId, mark: Mark) -> Key {
    (
        kind_number(mark.kind),
        mark.began.0,
        subscriber.0,
        level_number(mark.level),
    )
}

pub fn is_told(read: &impl Read, subscriber: SubscriberId, mark: Mark) -> Result<bool, StoreError> {
    let row: Option<NoticeRow> = read.get(&QUOTA_NOTICES, key(subscriber, mark))?;
    Ok(row.is_some())
}

/// What a subscriber was told in the periods that run now.
pub fn of(
    read: &impl Read,
    subscriber: SubscriberId,
    counting: &Counting,
) -> Result<Vec<Told>, StoreError> {
    let mut found = Vec::new();
    for kind in QuotaKind::ALL {
        let (number, began) = (kind_number(kind), counting.began(kind));
        let first = (number, began.0, subscriber.0, 0);
        let last = (number, began.0, subscriber.0, u8::MAX);
        read.scan(
            &QUOTA_NOTICES,
            first..=last,
            Order::Ascending,
            usize::from(u8::MAX),
            |(.., at_level): Key, row: NoticeRow| {
                if let Some(level) = level(at_level) {
                    let mark = Mark { kind, began, level };
                    let notice = Notice {
                        mark,
                        limit: row.limit,
                    };
                    let at = Timestamp(row.at);
                    found.push(Told { notice, at });
                }
                ControlFlow::Continue(())
            },
        )?;
    }
    Ok(found)
}

pub fn put(tx: &mut Tx<'_>, subscriber: SubscriberId, told: Told) -> Result<(), StoreError> {
    let row = NoticeRow {
        at: told.at.0,
        limit: told.notice.limit,
    };
    tx.insert(&QUOTA_NOTICES, key(subscriber, told.notice.mark), &row)
}

/// Removes what was told of periods that began too long ago, and says how many rows that were.
pub fn purge(tx: &mut Tx<'_>, today: Day) -> Result<u64, StoreError> {
    let mut removed = 0;
    for kind in QuotaKind::ALL {
        let kept = match kind {
            QuotaKind::Day | QuotaKind::Month => KEPT_DAYS,
            QuotaKind::Term => KEPT_DAYS_OF_TERMS,
        };
        let number = kind_number(kind);
        let oldest = (number, today.plus(-kept).0, 0, 0);
        removed += tx.remove_range(&QUOTA_NOTICES, (number, i32::MIN, 0, 0)..oldest)?;
    }
    Ok(removed)
}
