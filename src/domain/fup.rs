//! Fair use: what happens to the speed when usage crosses a threshold (rules.md section 3).
//!
//! The active tier is a pure function of usage, never an increment. Invariant: more usage never makes a lower tier active.

use super::octets::Octets;
use super::rate::Rate;
use std::fmt;

/// Tiers of one kind that a plan may have.
pub const MOST_TIERS: usize = 6;

/// When a tier begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    Octets(u64),
    /// Of the quota of the same kind; never reached where there is none.
    Percent(u16),
}

impl Threshold {
    /// In octets, raised by what top-ups add; `None` for a share of no quota.
    pub fn octets(self, quota: Option<u64>, raised: u64) -> Option<u64> {
        let plain = match self {
            Threshold::Octets(octets) => octets,
            Threshold::Percent(percent) => {
                let octets = u128::from(quota?) * u128::from(percent) / 100;
                u64::try_from(octets).unwrap_or(u64::MAX)
            }
        };
        Some(plain.saturating_add(raised))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierAction {
    /// Not above this speed.
    Throttle(Rate),
    /// So many percent of the speed that the session would have.
    Percent(u16),
    /// No session.
    Block,
    /// Only told.
    Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    pub threshold: Threshold,
    pub action: TierAction,
}

/// The tiers of a plan, thresholds rising.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FairUse {
    pub daily: Vec<Tier>,
    pub monthly: Vec<Tier>,
    /// A throttled session keeps its burst, scaled with the speed.
    pub keep_burst: bool,
}

/// A tier that has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Place among the tiers of its kind, from 0.
    pub index: usize,
    /// In octets, with what top-ups add.
    pub threshold: u64,
    pub action: TierAction,
}

/// The highest tier that has been reached and does more than tell. `used` is what counts, in octets.
pub fn active(tiers: &[Tier], quota: Option<u64>, raised: u64, used: u64) -> Option<Reached> {
    reached(tiers, quota, raised, used)
        .filter(|reached| reached.action != TierAction::Notify)
        .max_by_key(|reached| (reached.threshold, reached.index))
}

/// Every tier that has been reached, in their order.
pub fn reached(
    tiers: &[Tier],
    quota: Option<u64>,
    raised: u64,
    used: u64,
) -> impl Iterator<Item = Reached> {
    tiers
        .iter()
        .take(MOST_TIERS)
        .enumerate()
        .filter_map(move |(index, tier)| {
            let threshold = tier.threshold.octets(quota, raised)?;
            (used >= threshold).then_some(Reached {
                index,
                threshold,
                action: tier.action,
            })
        })
}

impl TierAction {
    /// The speed under this tier of a session that would have `rate`; `None` where the tier does not touch the speed.
    pub fn apply(self, rate: Rate) -> Option<Rate> {
        match self {
            TierAction::Throttle(to) => Some(rate.lowest(to)),
            TierAction::Percent(percent) => Some(rate.percent(percent)),
            TierAction::Block | TierAction::Notify => None,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Threshold::Octets(octets) => Octets(*octets).fmt(f),
            Threshold::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

impl fmt::Display for Tier {
    /// `from 10.0 GB: 2 Mbit/s down, 1 Mbit/s up`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}: ", self.threshold)?;
        match self.action {
            TierAction::Throttle(rate) => rate.fmt(f),
            TierAction::Percent(percent) => write!(f, "{percent} % of the speed"),
            TierAction::Block => f.write_str("block"),
            TierAction::Notify => f.write_str("notify"),
        }
    }
}

#[cfg(test)]
#[path = "fup_tests.rs"]
mod tests;
