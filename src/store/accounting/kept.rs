//! What subscribers used in the periods that run now, as the tables hold it: kept in memory, so that a login reads no row.
//!
//! Invariant: kept sums are those of the tables as of the fold that they were read at, and of every fold that has ended
//! since, because a fold that ends adds what it wrote. Nothing but folds changes these rows.

use quick_cache::sync::Cache;

use super::unfolded::Unfolded;
use crate::domain::id::SubscriberId;
use crate::domain::octets::Usage;
use crate::domain::plan::Plan;
use crate::domain::quota::{Counting, QuotaKind, Used};
use crate::domain::time::Day;

/// Subscribers kept, about 200 octets each: all of those who are online, and who came lately.
const MOST_KEPT: usize = 16_384;

/// The usage of the days from `from` up to, but without, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub from: Day,
    pub until: Day,
    pub usage: Usage,
}

/// The sums of one subscriber, read from tables that were folded up to `folded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kept {
    pub folded: u64,
    day: Option<Sum>,
    month: Option<Sum>,
    term: Option<Sum>,
}

impl Kept {
    pub fn of(&self, kind: QuotaKind) -> Option<Sum> {
        match kind {
            QuotaKind::Day => self.day,
            QuotaKind::Month => self.month,
            QuotaKind::Term => self.term,
        }
    }

    pub fn put(&mut self, kind: QuotaKind, sum: Sum) {
        let place = match kind {
            QuotaKind::Day => &mut self.day,
            QuotaKind::Month => &mut self.month,
            QuotaKind::Term => &mut self.term,
        };
        *place = Some(sum);
    }

    /// Whether every sum that the plan asks for is here, up to and with today.
    pub fn serves(&self, counting: &Counting, plan: &Plan) -> bool {
        QuotaKind::ALL.into_iter().all(|kind| {
            let span = self.of(kind).map(|sum| (sum.from, sum.until));
            !plan.counts_by(kind) || span == Some((counting.began(kind), counting.today.plus(1)))
        })
    }

    /// Adds the usage of a day to every sum that holds the day.
    pub fn add(&mut self, day: Day, usage: Usage) {
        let sums = [&mut self.day, &mut self.month, &mut self.term];
        for sum in sums.into_iter().flatten() {
            if (sum.from..sum.until).contains(&day) {
                sum.usage += usage;
            }
        }
    }

    /// What counts of the sums that the plan asks for.
    pub fn used(&self, plan: &Plan) -> Used {
        let counted = |kind| {
            let sum = self.of(kind).filter(|_| plan.counts_by(kind));
            sum.map_or(Usage::ZERO, |sum| sum.usage).counted()
        };
        Used {
            today: counted(QuotaKind::Day),
            month: counted(QuotaKind::Month),
            term: counted(QuotaKind::Term),
        }
    }
}

pub(super) struct KeptSums(Cache<SubscriberId, Kept>);

impl Default for KeptSums {
    fn default() -> Self {
        KeptSums(Cache::new(MOST_KEPT))
    }
}

impl KeptSums {
    pub(super) fn get(&self, subscriber: SubscriberId) -> Option<Kept> {
        self.0.get(&subscriber)
    }

    pub(super) fn keep(&self, subscriber: SubscriberId, kept: Kept) {
        self.0.insert(subscriber, kept);
    }

    /// The fold of `sequence` has ended. Nobody else reads or keeps sums meanwhile.
    pub(super) fn folded(&self, sequence: u64, usage: &Unfolded) {
        for (subscriber, days) in usage.by_subscriber() {
            // Sums that were read when the tables held this fold already have it in them.
            let before = self.0.get(&subscriber);
            let Some(mut kept) = before.filter(|kept| kept.folded < sequence) else {
                continue;
            };
            for (day, usage) in days {
                kept.add(*day, *usage);
            }
            self.0.insert(subscriber, kept);
        }
    }
}
