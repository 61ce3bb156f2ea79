//! What others may ask of the sessions in memory.

use std::collections::HashSet;

use super::super::kept::Kept;
use super::super::unfolded::Unfolded;
use super::Live;
use crate::domain::address::Block;
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::octets::Usage;
use crate::domain::plan::Plan;
use crate::domain::quota::{Counting, Used};
use crate::domain::session::Session;
use crate::domain::time::Day;

impl Live {
    pub fn open_count(&self) -> usize {
        self.open.count()
    }

    /// Sessions that the next fold will write.
    pub fn in_memory(&self) -> usize {
        self.slots.len()
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.slots.get(&id).map(|slot| &slot.session)
    }

    pub fn open_sessions(&self) -> impl Iterator<Item = &Session> {
        self.slots
            .values()
            .map(|slot| &slot.session)
            .filter(|s| s.stopped.is_none())
    }

    /// Ended sessions that are not in the tables yet, or differ from what is.
    pub fn ended_sessions(&self) -> impl Iterator<Item = &Session> {
        self.slots
            .values()
            .map(|slot| &slot.session)
            .filter(|s| s.stopped.is_some())
    }

    pub fn open_of(&self, subscriber: SubscriberId) -> impl Iterator<Item = &Session> {
        let ids = self.open.of(subscriber).iter();
        ids.filter_map(|id| self.session(*id))
    }

    /// Open sessions that hold any address of a stretch.
    pub fn holders(&self, block: Block) -> impl Iterator<Item = &Session> {
        let ids = self.open.holders(block);
        ids.filter_map(|id| self.session(id))
    }

    /// Subscribers with an open session.
    pub fn online(&self) -> HashSet<SubscriberId> {
        self.open.subscribers().collect()
    }

    pub fn is_online(&self, subscriber: SubscriberId) -> bool {
        !self.open.of(subscriber).is_empty()
    }

    /// Usage of a day beyond what tables folded up to `folded` hold.
    pub fn usage_beyond(&self, folded: u64, day: Day, subscriber: SubscriberId) -> Usage {
        let waiting = self.usage.of_day(subscriber, day);
        self.under_way(folded)
            .map_or(waiting, |usage| waiting + usage.of_day(subscriber, day))
    }

    /// All usage of a subscriber beyond what tables folded up to `folded` hold. A day may come twice.
    pub fn usage_days_beyond(
        &self,
        folded: u64,
        subscriber: SubscriberId,
    ) -> impl Iterator<Item = (Day, Usage)> + '_ {
        let under_way = self.under_way(folded);
        let under_way = under_way.map_or(&[][..], |usage| usage.days_of(subscriber));
        let waiting = self.usage.days_of(subscriber);
        waiting.iter().chain(under_way).copied()
    }

    /// What routers' own counters say beyond the last records of the open sessions of a subscriber. A day may come twice.
    pub fn provisional_of(
        &self,
        subscriber: SubscriberId,
    ) -> impl Iterator<Item = (Day, Usage)> + '_ {
        let ids = match self.provisional.is_empty() {
            true => &[],
            false => self.open.of(subscriber),
        };
        ids.iter()
            .filter_map(|id| self.provisional.get(id))
            .flatten()
            .copied()
    }

    /// What a session has used beyond its last record, by its router's own counters.
    pub fn provisional(&self, id: SessionId) -> Usage {
        let days = self.provisional.get(&id).into_iter().flatten();
        days.fold(Usage::ZERO, |sum, (_, usage)| sum + *usage)
    }

    /// All usage beyond what tables folded up to `folded` hold. A day of a subscriber may come twice.
    pub fn all_usage_beyond(
        &self,
        folded: u64,
    ) -> impl Iterator<Item = ((Day, SubscriberId), Usage)> + '_ {
        let under_way = self.under_way(folded).into_iter();
        self.usage.iter().chain(under_way.flat_map(Unfolded::iter))
    }

    /// What counts of a subscriber, where its sums are kept.
    pub(in crate::store::accounting) fn used(
        &self,
        subscriber: SubscriberId,
        counting: &Counting,
        plan: &Plan,
    ) -> Option<Used> {
        let kept = self.kept.get(subscriber)?;
        let serves = kept.serves(counting, plan);
        serves.then(|| self.used_beyond(kept, subscriber, plan))
    }

    /// What counts, of sums in the tables and of what is in memory beyond them.
    pub(in crate::store::accounting) fn used_beyond(
        &self,
        mut kept: Kept,
        subscriber: SubscriberId,
        plan: &Plan,
    ) -> Used {
        let beyond = self.usage_days_beyond(self.as_of(&kept), subscriber);
        for (day, usage) in beyond.chain(self.provisional_of(subscriber)) {
            kept.add(day, usage);
        }
        kept.used(plan)
    }

    /// The sums kept of a subscriber that are those of tables folded up to `folded`.
    pub(in crate::store::accounting) fn kept(
        &self,
        folded: u64,
        subscriber: SubscriberId,
    ) -> Option<Kept> {
        let kept = self.kept.get(subscriber);
        kept.filter(|kept| self.as_of(kept) == folded)
    }

    pub(in crate::store::accounting) fn keep(&self, subscriber: SubscriberId, kept: Kept) {
        self.kept.keep(subscriber, kept);
    }

    /// The fold whose tables have these sums: the last that has ended, or one that is in the tables and has not ended yet.
    fn as_of(&self, kept: &Kept) -> u64 {
        kept.folded.max(self.folded)
    }

    /// What a fold has taken, unless the tables hold it already.
    fn under_way(&self, folded: u64) -> Option<&Unfolded> {
        let (sequence, usage) = self.folding.as_ref()?;
        (*sequence > folded).then_some(usage)
    }
}
