//! What is allowed in a plan and most likely not meant (rules.md section 3). Told in the form, never refused.

use super::fup::{Tier, TierAction};
use super::plan::Plan;
use super::quota::{QuotaKind, WhenUsedUp};
use super::rate::{Rate, SLOWEST_KBPS};
use super::window::Window;
use std::fmt;

/// Places are counted from 1, as the form does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// More usage would make the subscriber faster again.
    TierFasterThanBefore {
        kind: QuotaKind,
        tier: usize,
    },
    TierFasterThanPlan {
        kind: QuotaKind,
        tier: usize,
    },
    /// What the tier comes to; everybody gets at least 64 kbit/s.
    TierBelowSlowest {
        kind: QuotaKind,
        tier: usize,
        rate: Rate,
    },
    /// The quota blocks before the tier is reached.
    TierBehindQuota {
        kind: QuotaKind,
        tier: usize,
    },
    /// Used up, it goes on, and there is no tier to slow it down.
    QuotaWithoutEffect {
        kind: QuotaKind,
    },
    SpeedWindowsOverlap {
        first: usize,
        second: usize,
    },
    FreeWindowsOverlap {
        first: usize,
        second: usize,
    },
    /// Then usage never counts in full.
    FreeAllWeek {
        window: usize,
    },
    BurstBelowRate,
}

/// Everything that is odd about a plan, in the order of the form.
pub fn warnings(plan: &Plan) -> Vec<Warning> {
    let mut found = Vec::new();
    if plan.burst.is_some_and(|b| b.rate.is_slower(plan.rate)) {
        found.push(Warning::BurstBelowRate);
    }
    for kind in QuotaKind::ALL {
        let tiers = match kind {
            QuotaKind::Day => plan.fair_use.daily.as_slice(),
            QuotaKind::Month => plan.fair_use.monthly.as_slice(),
            QuotaKind::Term => &[],
        };
        let goes_on = plan.quota.when_used_up == WhenUsedUp::GoOn;
        if plan.quota.of(kind).is_some() && goes_on && tiers.is_empty() {
            found.push(Warning::QuotaWithoutEffect { kind });
        }
        check_tiers(plan, kind, tiers, &mut found);
    }
    let speed: Vec<Window> = plan.speed_windows.iter().map(|w| w.window).collect();
    let free: Vec<Window> = plan.free_windows.iter().map(|w| w.window).collect();
    let overlap = |(first, second)| Warning::SpeedWindowsOverlap { first, second };
    found.extend(overlaps(&speed).map(overlap));
    let overlap = |(first, second)| Warning::FreeWindowsOverlap { first, second };
    found.extend(overlaps(&free).map(overlap));
    let always = free.iter().position(Window::is_always);
    found.extend(always.map(|place| Warning::FreeAllWeek { window: place + 1 }));
    found
}

fn check_tiers(plan: &Plan, kind: QuotaKind, tiers: &[Tier], found: &mut Vec<Warning>) {
    let quota = plan.quota.of(kind);
    let blocks_at = quota.filter(|_| plan.quota.when_used_up == WhenUsedUp::Block);
    let mut before: Option<Rate> = None;
    for (place, tier) in (1..).zip(tiers) {
        let starts = tier.threshold.octets(quota, 0);
        if let (Some(limit), Some(starts)) = (blocks_at, starts)
            && starts >= limit
        {
            found.push(Warning::TierBehindQuota { kind, tier: place });
        }
        let rate = match tier.action {
            TierAction::Throttle(rate) => rate,
            TierAction::Percent(percent) => plan.rate.percent(percent),
            TierAction::Block | TierAction::Notify => continue,
        };
        if rate.upload_kbps < SLOWEST_KBPS || rate.download_kbps < SLOWEST_KBPS {
            found.push(Warning::TierBelowSlowest {
                kind,
                tier: place,
                rate,
            });
        }
        if plan.rate.is_slower(rate) {
            found.push(Warning::TierFasterThanPlan { kind, tier: place });
        }
        if before.is_some_and(|before| before.is_slower(rate)) {
            found.push(Warning::TierFasterThanBefore { kind, tier: place });
        }
        before = Some(rate);
    }
}

/// Pairs of places, from 1.
fn overlaps(windows: &[Window]) -> impl Iterator<Item = (usize, usize)> {
    (1..).zip(windows).flat_map(move |(first, one)| {
        let later = (1..).zip(windows).skip(first);
        later.filter_map(move |(second, other)| one.overlaps(other).then_some((first, second)))
    })
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capital = |kind: &QuotaKind| match kind {
            QuotaKind::Day => "Daily",
            QuotaKind::Month => "Monthly",
            QuotaKind::Term => "Term",
        };
        match self {
            Warning::TierFasterThanBefore { kind, tier } => write!(
                f,
                "{} tier {tier} is faster than the tier before it: more usage makes the subscriber faster.",
                capital(kind)
            ),
            Warning::TierFasterThanPlan { kind, tier } => write!(
                f,
                "{} tier {tier} is faster than the plan, so it slows nobody down there.",
                capital(kind)
            ),
            Warning::TierBelowSlowest { kind, tier, rate } => write!(
                f,
                "{} tier {tier} comes to {rate}. Nobody gets less than {SLOWEST_KBPS} kbit/s.",
                capital(kind)
            ),
            Warning::TierBehindQuota { kind, tier } => write!(
                f,
                "{} tier {tier} is never reached: the {} quota blocks first.",
                capital(kind),
                kind.adjective()
            ),
            Warning::QuotaWithoutEffect { kind } => write!(
                f,
                "The {} quota does nothing: used up, sessions go on, and no {} tier slows them down.",
                kind.adjective(),
                kind.adjective()
            ),
            Warning::SpeedWindowsOverlap { first, second } => write!(
                f,
                "Speed windows {first} and {second} overlap. In the hours that both have, window {first} holds."
            ),
            Warning::FreeWindowsOverlap { first, second } => write!(
                f,
                "Free hours {first} and {second} overlap. In the hours that both have, the first of them holds."
            ),
            Warning::FreeAllWeek { window } => write!(
                f,
                "Free hours {window} cover the whole week: usage never counts in full."
            ),
            Warning::BurstBelowRate => {
                f.write_str("The burst is slower than the plain speed, so it never helps.")
            }
        }
    }
}

#[cfg(test)]
#[path = "plan_warnings_tests.rs"]
mod tests;
