//! Effective speed: one function, called at login, for CoA, by pages, the simulator and the API (rules.md section 5).
//!
//! Total: it answers for any plan and any usage. Each step that changed something is in the answer, with the numbers
//! that explain it; words are made by `explain`, which no packet waits for.

mod explain;

pub use explain::sentence;

use super::bandwidth_rule::Rules;
use super::fup::{self, Reached};
use super::hours::WhenThrottled;
use super::id::{RuleId, SubscriberId};
use super::plan::{OnExpiry, Plan};
use super::quota::{QuotaKind, Used, WhenUsedUp};
use super::rate::{Burst, Rate, RateLimit};
use super::subscriber::Boost;
use super::time::{Calendar, DAY, Timestamp};
use super::window::WallClock;

/// The speed of an expired subscriber in the expired pool.
pub const EXPIRED_RATE: Rate = Rate {
    upload_kbps: 1_000,
    download_kbps: 1_000,
};

/// What the speed depends on.
#[derive(Debug, Clone, Copy)]
pub struct SpeedFacts<'a> {
    pub subscriber: SubscriberId,
    pub plan: &'a Plan,
    /// The subscriber's own speed, instead of the plan's.
    pub own: Option<Rate>,
    pub boost: Option<Boost>,
    /// Counted octets, less credits.
    pub used: Used,
    /// What top-ups add to the quota that they extend ([`super::quota::Quota::topped_up`]).
    pub raised: u64,
    pub expires_at: Option<Timestamp>,
    pub rules: &'a Rules,
    pub calendar: &'a Calendar,
    /// What the router can do, in kbit/s.
    pub fastest_kbps: u64,
}

/// Where a term stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermGate {
    Open,
    /// Until this instant, with this speed if there is one.
    Grace(Timestamp, Option<Rate>),
    /// Over, and the session goes on with this speed; in the expired pool where the plan says so.
    Restricted(Rate),
    /// Over.
    Closed,
}

/// What a plan does with a term that ends at `expires_at`.
pub fn term_gate(plan: &Plan, expires_at: Option<Timestamp>, now: Timestamp) -> TermGate {
    let Some(expired_at) = expires_at.filter(|at| *at <= now) else {
        return TermGate::Open;
    };
    match &plan.on_expiry {
        OnExpiry::Reject => TermGate::Closed,
        OnExpiry::ExpiredPool { .. } => TermGate::Restricted(EXPIRED_RATE),
        OnExpiry::ExpiredSpeed { rate } => TermGate::Restricted(*rate),
        OnExpiry::Grace { days, rate } => {
            let until = expired_at.plus(i64::from(*days) * DAY);
            if now < until {
                TermGate::Grace(until, *rate)
            } else {
                TermGate::Closed
            }
        }
    }
}

/// A tier that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveTier {
    pub kind: QuotaKind,
    pub tier: Reached,
    pub used: u64,
}

/// How the quota stands: one of the four independent facts (rules.md section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaState {
    Ok,
    /// By this tier; the other kind's may be in force too.
    Throttled(ActiveTier),
    /// By a quota that is used up, or by a tier that blocks; with its octets and what was used.
    Blocked {
        kind: QuotaKind,
        limit: u64,
        used: u64,
    },
}

/// What changed the speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Plan,
    /// The subscriber's own speed.
    Own,
    /// The term is over and the plan goes on slower.
    Expired,
    Grace {
        until: Timestamp,
    },
    /// Place among the plan's speed windows.
    Window(usize),
    Tier(ActiveTier),
    /// A tier is reached, and the window lifts it.
    Lifted {
        window: usize,
        tier: ActiveTier,
    },
    /// The throttled speed, multiplied by what the window makes of the plan's.
    WindowMultiplied(usize),
    Rule(RuleId),
    Boost {
        until: Timestamp,
    },
    /// The slowest there is, or the fastest that the router can do.
    Clamp,
}

/// A step of the explanation: the speed after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub cause: Cause,
    pub rate: Rate,
}

/// More steps than there are causes on one way through.
const MOST_STEPS: usize = 10;

/// What one session may have right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    pub limit: RateLimit,
    pub quota: QuotaState,
    /// The first is the plan or what stands in its place.
    pub steps: Vec<Step>,
}

impl Effective {
    fn take(&mut self, cause: Cause, rate: Rate) {
        self.limit.rate = rate;
        self.steps.push(Step { cause, rate });
    }

    fn take_changed(&mut self, cause: Cause, rate: Rate) {
        if rate != self.limit.rate {
            self.take(cause, rate);
        }
    }
}

/// The speed one session may have at `now`, and the steps that made it.
pub fn effective(facts: &SpeedFacts<'_>, now: Timestamp) -> Effective {
    let plan = facts.plan;
    let tiers = active_tiers(facts);
    let mut answer = Effective {
        limit: RateLimit {
            rate: plan.rate,
            burst: None,
            priority: plan.priority,
        },
        quota: quota_under(facts, tiers),
        steps: Vec::with_capacity(MOST_STEPS),
    };
    answer.take(Cause::Plan, plan.rate);
    match term_gate(plan, facts.expires_at, now) {
        TermGate::Restricted(rate) => {
            answer.take(Cause::Expired, rate);
            clamp(&mut answer, facts.fastest_kbps);
            answer.limit.priority = 8;
            return answer;
        }
        TermGate::Grace(until, Some(rate)) => {
            answer.take(Cause::Grace { until }, rate);
            clamp(&mut answer, facts.fastest_kbps);
            return answer;
        }
        TermGate::Open | TermGate::Closed | TermGate::Grace(_, None) => {}
    }
    if let Some(own) = facts.own {
        answer.take_changed(Cause::Own, own);
    }
    let clock = facts.calendar.wall_clock(now);
    window_and_fair_use(facts, tiers, &clock, &mut answer);
    let is_throttled = answer.limit.rate.is_slower(plan.rate)
        && answer
            .steps
            .iter()
            .any(|step| matches!(step.cause, Cause::Tier(_)));
    rules(facts, &clock, &mut answer);
    if let Some(boost) = facts.boost.filter(|boost| now < boost.until) {
        let rate = answer.limit.rate.highest(boost.rate);
        answer.take_changed(Cause::Boost { until: boost.until }, rate);
    }
    clamp(&mut answer, facts.fastest_kbps);
    if !is_throttled || plan.fair_use.keep_burst {
        answer.limit.burst = plan
            .burst
            .map(|burst| scaled(burst, plan.rate, answer.limit.rate, facts.fastest_kbps));
    }
    answer
}

/// Steps 3 and 4: the window replaces, fair use lowers, and the window says which of both counts.
fn window_and_fair_use(
    facts: &SpeedFacts<'_>,
    tiers: [Option<ActiveTier>; 2],
    clock: &WallClock,
    answer: &mut Effective,
) {
    let plan = facts.plan;
    let base = answer.limit.rate;
    let open = plan
        .speed_windows
        .iter()
        .position(|window| window.window.holds(clock));
    let window = open.and_then(|index| Some((index, plan.speed_windows.get(index)?)));
    let Some(first) = tiers.iter().flatten().next().copied() else {
        if let Some((index, window)) = window {
            answer.take_changed(Cause::Window(index), window.rate);
        }
        return;
    };
    if let Some((index, window)) = window
        && window.when_throttled == WhenThrottled::Lift
    {
        answer.take(
            Cause::Lifted {
                window: index,
                tier: first,
            },
            window.rate,
        );
        return;
    }
    for tier in tiers.into_iter().flatten() {
        if let Some(slowed) = tier.tier.action.apply(base) {
            let rate = answer.limit.rate.lowest(slowed);
            answer.take_changed(Cause::Tier(tier), rate);
        }
    }
    if let Some((index, window)) = window
        && window.when_throttled == WhenThrottled::Multiply
    {
        let rate = answer.limit.rate.scaled(base, window.rate);
        answer.take_changed(Cause::WindowMultiplied(index), rate);
    }
}

/// Step 5: the winners of both directions.
fn rules(facts: &SpeedFacts<'_>, clock: &WallClock, answer: &mut Effective) {
    let (download, upload) = facts.rules.winners(clock, facts.plan.id, facts.subscriber);
    let mut rate = answer.limit.rate;
    if let Some(rule) = download {
        rate.download_kbps = rule.download.apply(rate.download_kbps);
        answer.take_changed(Cause::Rule(rule.id), rate);
    }
    if let Some(rule) = upload {
        rate.upload_kbps = rule.upload.apply(rate.upload_kbps);
        answer.take_changed(Cause::Rule(rule.id), rate);
    }
}

fn clamp(answer: &mut Effective, fastest_kbps: u64) {
    let clamped = answer.limit.rate.clamp(fastest_kbps);
    answer.take_changed(Cause::Clamp, clamped);
}

/// The burst follows the speed by the same factor, and is never below it.
fn scaled(burst: Burst, from: Rate, to: Rate, fastest_kbps: u64) -> Burst {
    Burst {
        rate: burst.rate.scaled(from, to).clamp(fastest_kbps).highest(to),
        threshold: burst.threshold.scaled(from, to).clamp(fastest_kbps),
        time_s: burst.time_s,
    }
}

/// The tiers that slow the session down: the daily one, and the monthly one.
fn active_tiers(facts: &SpeedFacts<'_>) -> [Option<ActiveTier>; 2] {
    [QuotaKind::Day, QuotaKind::Month].map(|kind| {
        let (tiers, used, raised) = kind_of(facts, kind);
        let tier = fup::active(tiers, facts.plan.quota.of(kind), raised, used)?;
        Some(ActiveTier { kind, tier, used })
    })
}

/// The tiers of a kind, what was used, and by how much top-ups raise it.
pub(super) fn kind_of<'a>(facts: &SpeedFacts<'a>, kind: QuotaKind) -> (&'a [fup::Tier], u64, u64) {
    let quota = &facts.plan.quota;
    let tiers: &[fup::Tier] = match kind {
        QuotaKind::Day => &facts.plan.fair_use.daily,
        QuotaKind::Month => &facts.plan.fair_use.monthly,
        QuotaKind::Term => &[],
    };
    let raised = if quota.topped_up() == kind {
        facts.raised
    } else {
        0
    };
    (tiers, quota.direction.of(facts.used.of(kind)), raised)
}

/// Blocked beats throttled; of several, the first in the order day, month, term.
pub fn quota_state(facts: &SpeedFacts<'_>) -> QuotaState {
    quota_under(facts, active_tiers(facts))
}

/// The same where the tiers that slow down are known.
fn quota_under(facts: &SpeedFacts<'_>, tiers: [Option<ActiveTier>; 2]) -> QuotaState {
    let quota = &facts.plan.quota;
    for kind in QuotaKind::ALL {
        let (tiers, used, raised) = kind_of(facts, kind);
        let limit = quota.of(kind).map(|octets| octets.saturating_add(raised));
        if let Some(limit) = limit.filter(|limit| used >= *limit)
            && quota.when_used_up == WhenUsedUp::Block
        {
            return QuotaState::Blocked { kind, limit, used };
        }
        let blocked = fup::reached(tiers, quota.of(kind), raised, used)
            .find(|reached| reached.action == fup::TierAction::Block);
        if let Some(tier) = blocked {
            return QuotaState::Blocked {
                kind,
                limit: tier.threshold,
                used,
            };
        }
    }
    tiers
        .into_iter()
        .flatten()
        .next()
        .map_or(QuotaState::Ok, QuotaState::Throttled)
}

#[cfg(test)]
mod tests;
