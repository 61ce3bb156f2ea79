//! What subscribers used on days that are over, as the tables hold it: kept, so that a login adds up no month again.
//!
//! Invariant: a sum is used only while the tables hold its days as they were. Those change by folds alone. A fold that has
//! ended makes this forget whoever it wrote such a day of; one that is in the tables and has not ended yet is asked for at
//! each use.

use quick_cache::sync::Cache;

use super::unfolded::Unfolded;
use crate::domain::id::SubscriberId;
use crate::domain::octets::Usage;
use crate::domain::time::Day;

/// Subscribers kept, about 150 octets each: all of those who are online, and who came lately.
const MOST_KEPT: usize = 16_384;

/// The usage of the days from `from` up to, but without, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub from: Day,
    pub until: Day,
    pub usage: Usage,
}

/// The sums of one subscriber, as tables folded up to `folded` hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kept {
    pub folded: u64,
    pub month: Option<Sum>,
    pub term: Option<Sum>,
}

impl Kept {
    /// Whether a fold of this subscriber's days wrote one that is summed up here.
    fn is_rewritten_by(&self, days: &[(Day, Usage)]) -> bool {
        let sums = [self.month, self.term].into_iter().flatten();
        let until = sums.map(|sum| sum.until).max();
        // The first is the oldest.
        days.first().is_some_and(|(day, _)| Some(*day) < until)
    }
}

pub(super) struct Finished(Cache<SubscriberId, Kept>);

impl Default for Finished {
    fn default() -> Self {
        Finished(Cache::new(MOST_KEPT))
    }
}

impl Finished {
    /// The sums that tables folded up to `folded` still hold. `folding` is the fold that has not ended, with its sequence.
    pub(super) fn get(
        &self,
        subscriber: SubscriberId,
        folded: u64,
        folding: Option<&(u64, Unfolded)>,
    ) -> Option<Kept> {
        let kept = self.0.get(&subscriber)?;
        // Another reader's view may be newer than this one's.
        let is_ahead = kept.folded > folded;
        let is_rewritten = folding.is_some_and(|(sequence, usage)| {
            (kept.folded < *sequence && *sequence <= folded)
                && kept.is_rewritten_by(usage.days_of(subscriber))
        });
        (!is_ahead && !is_rewritten).then_some(kept)
    }

    pub(super) fn keep(&self, subscriber: SubscriberId, kept: Kept) {
        self.0.insert(subscriber, kept);
    }

    /// A fold has ended.
    pub(super) fn folded(&self, usage: &Unfolded) {
        for (subscriber, days) in usage.by_subscriber() {
            if let Some(kept) = self.0.get(&subscriber)
                && kept.is_rewritten_by(days)
            {
                self.0.remove(&subscriber);
            }
        }
    }
}
