//! Notices: what a subscriber is to be told about volume, once a period (rules.md section 3).
//!
//! From the same facts as the speed: shares of a quota, and tiers that only tell. What has been reached is a function of
//! usage; that each mark is told once is its caller's business. Invariant: a mark is named by the period's first day, so
//! a new period begins with nothing told.

use std::fmt;

use super::fup::{self, TierAction};
use super::octets::Octets;
use super::quota::{Counting, QuotaKind};
use super::speed::{self, SpeedFacts};
use super::time::Day;

/// Shares of a quota that are told, in percent.
pub const SHARES: [u8; 3] = [80, 90, 100];

/// How far usage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Percent of the quota, top-ups with it: one of [`SHARES`].
    Share(u8),
    /// Place among the tiers of its kind, from 0.
    Tier(u8),
}

/// What is told at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    pub kind: QuotaKind,
    /// The first day of the period.
    pub began: Day,
    pub level: Level,
}

/// A mark that has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    pub mark: Mark,
    /// The quota, or where the tier begins; in octets, with what top-ups add.
    pub limit: u64,
}

/// Every mark that has been reached, in the order day, month, term and by level. An unlimited quota has none, nor has one of
/// nothing: there is nothing to be used up.
pub fn reached(facts: &SpeedFacts<'_>, counting: &Counting) -> Vec<Notice> {
    let mut found = Vec::new();
    let plan = facts.plan;
    for kind in QuotaKind::ALL
        .into_iter()
        .filter(|kind| plan.counts_by(*kind))
    {
        let (tiers, used, raised) = speed::kind_of(facts, kind);
        let quota = plan.quota.of(kind);
        let notice = |level, limit| Notice {
            mark: Mark {
                kind,
                began: counting.began(kind),
                level,
            },
            limit,
        };
        let limit = quota.map_or(0, |octets| octets.saturating_add(raised));
        if limit > 0 {
            let is_reached =
                |share: &u8| u128::from(used) * 100 >= u128::from(limit) * u128::from(*share);
            let shares = SHARES.into_iter().filter(is_reached);
            found.extend(shares.map(|share| notice(Level::Share(share), limit)));
        }
        let told = fup::reached(tiers, quota, raised, used)
            .filter(|tier| tier.action == TierAction::Notify);
        found.extend(told.filter_map(|tier| {
            let place = u8::try_from(tier.index).ok()?;
            Some(notice(Level::Tier(place), tier.threshold))
        }));
    }
    found
}

impl fmt::Display for Notice {
    /// `80 % of the daily quota of 10.0 GB`, `the daily tier 2 at 10.0 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, limit) = (self.mark.kind.adjective(), Octets(self.limit));
        match self.mark.level {
            Level::Share(share) => write!(f, "{share} % of the {kind} quota of {limit}"),
            Level::Tier(place) => write!(f, "the {kind} tier {} at {limit}", u16::from(place) + 1),
        }
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
