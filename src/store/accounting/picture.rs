//! The tables and what is in memory, put together for readers.

use std::ops::ControlFlow;
use std::sync::RwLockReadGuard;

use super::Live;
use super::finished::{Kept, Sum};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::octets::Usage;
use crate::domain::plan::Plan;
use crate::domain::quota::{Counting, QuotaKind, Used};
use crate::domain::session::Session;
use crate::domain::time::{Day, Month};
use crate::store::{StoreError, View, sessions, usage};

/// The tables and the sessions in memory as of one moment, put together.
pub struct Picture<'a> {
    pub live: RwLockReadGuard<'a, Live>,
    pub view: View,
    pub(super) folded: u64,
}

impl Picture<'_> {
    pub fn usage_of_day(&self, day: Day, subscriber: SubscriberId) -> Result<Usage, StoreError> {
        Ok(usage::of_day(&self.view, day, subscriber)?
            + self.live.usage_beyond(self.folded, day, subscriber))
    }

    pub fn usage_of_month(
        &self,
        month: Month,
        subscriber: SubscriberId,
    ) -> Result<Usage, StoreError> {
        let beyond = self.live.usage_days_beyond(self.folded, subscriber);
        let beyond = beyond.filter(|(day, _)| day.month() == month);
        let folded = usage::of_month(&self.view, month, subscriber)?;
        Ok(beyond.fold(folded, |sum, (_, usage)| sum + usage))
    }

    /// Octets that count against quota and tiers, with what routers' own counters say beyond accounting: only the sums that
    /// the plan asks for. Days that are over are added up
    /// once; then it is one row and memory.
    pub fn used(
        &self,
        subscriber: SubscriberId,
        counting: &Counting,
        plan: &Plan,
    ) -> Result<Used, StoreError> {
        let (by_month, by_term) = (
            plan.counts_by(QuotaKind::Month),
            plan.counts_by(QuotaKind::Term),
        );
        let kept = self.live.finished(self.folded, subscriber);
        let mut sums = Kept {
            folded: self.folded,
            ..kept
        };
        if by_month {
            let sum =
                self.finished(subscriber, kept.month, counting.month.start, counting.today)?;
            sums.month = Some(sum);
        }
        if by_term {
            let sum = self.finished(subscriber, kept.term, counting.term, counting.today)?;
            sums.term = Some(sum);
        }
        if (sums.month, sums.term) != (kept.month, kept.term) {
            self.live.keep_finished(subscriber, sums);
        }
        let today = usage::of_day(&self.view, counting.today, subscriber)?;
        let counted = |from: Day, finished: Option<Sum>| {
            let beyond = self.live.usage_days_beyond(self.folded, subscriber);
            let beyond = beyond.chain(self.live.provisional_of(subscriber));
            let beyond = beyond.filter(|(day, _)| (from..=counting.today).contains(day));
            let in_tables = finished.map_or(today, |sum| sum.usage + today);
            beyond
                .fold(in_tables, |sum, (_, usage)| sum + usage)
                .counted()
        };
        let mut used = Used::default();
        if plan.counts_by(QuotaKind::Day) {
            used.today = counted(counting.today, None);
        }
        if by_month {
            used.month = counted(counting.month.start, sums.month);
        }
        if by_term {
            used.term = counted(counting.term, sums.term);
        }
        Ok(used)
    }

    /// The days from `from` to the one before `today` in the tables, on top of what was added up before.
    fn finished(
        &self,
        subscriber: SubscriberId,
        kept: Option<Sum>,
        from: Day,
        today: Day,
    ) -> Result<Sum, StoreError> {
        let kept = kept.filter(|sum| sum.from == from && sum.until <= today);
        let (since, before) = kept.map_or((from, Usage::ZERO), |sum| (sum.until, sum.usage));
        let newer = usage::between(&self.view, subscriber, since, today)?;
        Ok(Sum {
            from,
            until: today,
            usage: before + newer,
        })
    }

    /// The newest sessions of a subscriber, open ones first, then ended ones, newest first.
    pub fn sessions_of(
        &self,
        subscriber: SubscriberId,
        limit: usize,
    ) -> Result<Vec<Session>, StoreError> {
        let mut open: Vec<Session> = self.live.open_of(subscriber).cloned().collect();
        open.sort_by_key(|s| std::cmp::Reverse(s.started_at));
        let mut ended: Vec<Session> = self
            .live
            .ended_sessions()
            .filter(|s| s.subscriber == Some(subscriber))
            .cloned()
            .collect();
        let in_tables = sessions::closed_of(&self.view, subscriber, limit)?;
        ended.extend(
            in_tables
                .into_iter()
                .filter(|s| self.live.session(s.id).is_none()),
        );
        ended.sort_by_key(|s| std::cmp::Reverse(s.id));
        open.extend(ended);
        open.truncate(limit);
        Ok(open)
    }

    /// Ended sessions below `before`, newest first, that `keep` wants; at most `limit`, and at most `look` rows are read.
    pub fn ended_before(
        &self,
        before: SessionId,
        limit: usize,
        look: usize,
        keep: impl Fn(&Session) -> bool,
    ) -> Result<Vec<Session>, StoreError> {
        let mut found: Vec<Session> = self
            .live
            .ended_sessions()
            .filter(|s| s.id < before && keep(s))
            .cloned()
            .collect();
        let mut from_tables = 0;
        sessions::each_closed_before(&self.view, before, look, |session| {
            if self.live.session(session.id).is_none() && keep(&session) {
                found.push(session);
                from_tables += 1;
            }
            if from_tables < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        found.sort_by_key(|s| std::cmp::Reverse(s.id));
        found.truncate(limit);
        Ok(found)
    }
}
