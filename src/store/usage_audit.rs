//! What the last audit of usage found: one row.

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::USAGE_AUDIT;
use super::usage::UsageRow;
use super::{Read, StoreError, Tx};
use crate::domain::id::SubscriberId;
use crate::domain::time::Timestamp;
use crate::domain::usage_audit::{Sums, UsageAudit};

pub use v1::UsageAuditRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct UsageAuditRow {
        #[n(0)]
        pub began_at: i64,
        #[n(1)]
        pub ended_at: i64,
        #[n(2)]
        pub looked_at: u64,
        #[n(3)]
        pub differing: u64,
        #[n(4)]
        pub differences: Vec<DifferenceRow>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct DifferenceRow {
        #[n(0)]
        pub subscriber: u32,
        #[n(1)]
        pub sessions: UsageRow,
        #[n(2)]
        pub days: UsageRow,
        #[n(3)]
        pub months: UsageRow,
    }
}

impl Record for UsageAuditRow {
    const VERSION: u8 = 1;
}

impl From<&UsageAudit> for UsageAuditRow {
    fn from(audit: &UsageAudit) -> Self {
        let row = |(subscriber, sums): &(SubscriberId, Sums)| v1::DifferenceRow {
            subscriber: subscriber.0,
            sessions: sums.sessions.into(),
            days: sums.days.into(),
            months: sums.months.into(),
        };
        UsageAuditRow {
            began_at: audit.began_at.0,
            ended_at: audit.ended_at.0,
            looked_at: audit.looked_at,
            differing: audit.differing,
            differences: audit.differences.iter().map(row).collect(),
        }
    }
}

impl From<UsageAuditRow> for UsageAudit {
    fn from(row: UsageAuditRow) -> Self {
        let difference = |row: v1::DifferenceRow| {
            let sums = Sums {
                sessions: row.sessions.into(),
                days: row.days.into(),
                months: row.months.into(),
            };
            (SubscriberId(row.subscriber), sums)
        };
        UsageAudit {
            began_at: Timestamp(row.began_at),
            ended_at: Timestamp(row.ended_at),
            looked_at: row.looked_at,
            differing: row.differing,
            differences: row.differences.into_iter().map(difference).collect(),
        }
    }
}

/// The last audit; `None` before the first one.
pub fn last(read: &impl Read) -> Result<Option<UsageAudit>, StoreError> {
    let row: Option<UsageAuditRow> = read.get(&USAGE_AUDIT, 0)?;
    Ok(row.map(UsageAudit::from))
}

pub fn put(tx: &mut Tx<'_>, audit: &UsageAudit) -> Result<(), StoreError> {
    tx.insert(&USAGE_AUDIT, 0, &audit.into())
}
