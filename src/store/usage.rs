//! Usage of days and months as the tables hold it. Between folds the rest is in `accounting`, in memory and in the journal.
//!
//! Invariant: each day is added to its month in the same transaction, so sums of days and of months never differ.

use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

use super::codec::Record;
use super::sessions::{TrafficRow, filled_traffic};
use super::tables::{USAGE_DAYS, USAGE_MONTHS};
use super::{Order, Read, StoreError, Tx};
use crate::domain::id::SubscriberId;
use crate::domain::octets::{Traffic, Usage};
use crate::domain::time::{Day, Month};

pub use v1::UsageRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional. Kept small: there are millions of them.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct UsageRow {
        #[n(0)]
        pub upload: u64,
        #[n(1)]
        pub download: u64,
        /// Absent where all octets count.
        #[n(2)]
        pub free: Option<TrafficRow>,
    }
}

impl Record for UsageRow {
    const VERSION: u8 = 1;
}

impl From<Usage> for UsageRow {
    fn from(usage: Usage) -> Self {
        UsageRow {
            upload: usage.raw.upload,
            download: usage.raw.download,
            free: filled_traffic(usage.free),
        }
    }
}

impl From<UsageRow> for Usage {
    fn from(row: UsageRow) -> Self {
        Usage {
            raw: Traffic::new(row.upload, row.download),
            free: row.free.map_or(Traffic::ZERO, Traffic::from),
        }
    }
}

pub fn of_day(read: &impl Read, day: Day, subscriber: SubscriberId) -> Result<Usage, StoreError> {
    Ok(read
        .get(&USAGE_DAYS, (day.0, subscriber.0))?
        .map_or(Usage::ZERO, UsageRow::into))
}

pub fn of_month(
    read: &impl Read,
    month: Month,
    subscriber: SubscriberId,
) -> Result<Usage, StoreError> {
    Ok(read
        .get(&USAGE_MONTHS, (month.0, subscriber.0))?
        .map_or(Usage::ZERO, UsageRow::into))
}

/// Months that a sum goes back at most; a term that began earlier began by a broken clock.
const MOST_MONTHS: i32 = 1_200;

/// The sum of the days from `from` up to, but without, `until`. Whole months are one row each.
pub fn between(
    read: &impl Read,
    subscriber: SubscriberId,
    from: Day,
    until: Day,
) -> Result<Usage, StoreError> {
    let mut sum = Usage::ZERO;
    let mut day = from.max(until.month().plus(-MOST_MONTHS).day(1));
    while day < until {
        let month = day.month();
        let next = month.plus(1).day(1);
        if day == month.day(1) && next <= until {
            sum += of_month(read, month, subscriber)?;
            // A calendar that ends makes no step.
            day = next.max(day.plus(1));
        } else {
            sum += of_day(read, day, subscriber)?;
            day = day.plus(1);
        }
    }
    Ok(sum)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Days,
    Months,
}

/// All rows of days or of months of the subscribers in a range, by day or month. What others have is stepped over.
pub fn each_of(
    read: &impl Read,
    period: Period,
    subscribers: std::ops::Range<u32>,
    mut visit: impl FnMut(SubscriberId, Usage),
) -> Result<(), StoreError> {
    let map = match period {
        Period::Days => &USAGE_DAYS,
        Period::Months => &USAGE_MONTHS,
    };
    let mut from = i32::MIN;
    while let Some(((day, _), _)) = read.range(map, (from, 0u32).., 1)?.into_iter().next() {
        read.scan(
            map,
            (day, subscribers.start)..(day, subscribers.end),
            Order::Ascending,
            usize::MAX,
            |(_, subscriber), row: UsageRow| {
                visit(SubscriberId(subscriber), row.into());
                ControlFlow::Continue(())
            },
        )?;
        let Some(next) = day.checked_add(1) else {
            break;
        };
        from = next;
    }
    Ok(())
}

/// Adds usage to a day and to its month.
pub fn add(
    tx: &mut Tx<'_>,
    day: Day,
    subscriber: SubscriberId,
    usage: Usage,
) -> Result<(), StoreError> {
    let before = of_day(tx, day, subscriber)?;
    tx.insert(&USAGE_DAYS, (day.0, subscriber.0), &(before + usage).into())?;
    let month = day.month();
    let before = of_month(tx, month, subscriber)?;
    tx.insert(
        &USAGE_MONTHS,
        (month.0, subscriber.0),
        &(before + usage).into(),
    )
}
