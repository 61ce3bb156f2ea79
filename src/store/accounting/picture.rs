//! The tables and what is in memory, put together for readers.

use std::sync::RwLockReadGuard;

use super::Live;
use super::kept::Sum;
use crate::domain::id::SubscriberId;
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

    /// As [`super::Accounting::used`] says it, with sums that are not kept yet added up from the tables.
    pub fn used(
        &self,
        subscriber: SubscriberId,
        counting: &Counting,
        plan: &Plan,
    ) -> Result<Used, StoreError> {
        if let Some(used) = self.live.used(subscriber, counting, plan) {
            return Ok(used);
        }
        let kept = self.live.kept(self.folded, subscriber).unwrap_or_default();
        let mut sums = kept;
        sums.folded = self.folded;
        for kind in QuotaKind::ALL {
            if plan.counts_by(kind) {
                sums.put(kind, self.sum(subscriber, kept.of(kind), kind, counting)?);
            }
        }
        self.live.keep(subscriber, sums);
        Ok(self.live.used_beyond(sums, subscriber, plan))
    }

    /// The period of this kind in the tables, up to and with today, on top of what was added up before.
    fn sum(
        &self,
        subscriber: SubscriberId,
        kept: Option<Sum>,
        kind: QuotaKind,
        counting: &Counting,
    ) -> Result<Sum, StoreError> {
        let (from, until) = (counting.began(kind), counting.today.plus(1));
        let kept = kept.filter(|sum| sum.from == from && sum.until <= until);
        let (since, before) = kept.map_or((from, Usage::ZERO), |sum| (sum.until, sum.usage));
        let newer = usage::between(&self.view, subscriber, since, until)?;
        Ok(Sum {
            from,
            until,
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
}
