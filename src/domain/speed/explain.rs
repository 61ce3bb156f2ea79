//! The steps of an effective speed in words.

use super::{ActiveTier, Cause, Effective, SpeedFacts, Step};
use crate::domain::fup::TierAction;
use crate::domain::octets::Octets;
use crate::domain::rate::Rate;

/// One line for each step, with the speed after it: `Plan Home 20: 20 Mbit/s down, 5 Mbit/s up`.
pub fn sentence(facts: &SpeedFacts<'_>, step: &Step) -> String {
    format!("{}: {}", cause(facts, step.cause), step.rate)
}

impl Effective {
    /// All steps in words, in their order.
    pub fn sentences(&self, facts: &SpeedFacts<'_>) -> Vec<String> {
        self.steps
            .iter()
            .map(|step| sentence(facts, step))
            .collect()
    }

    /// The speed without fair use, windows and rules: the plan's or the subscriber's own.
    pub fn base(&self) -> Rate {
        let own = self.steps.iter().find(|step| step.cause == Cause::Own);
        own.or(self.steps.first())
            .map_or(self.limit.rate, |step| step.rate)
    }
}

fn cause(facts: &SpeedFacts<'_>, cause: Cause) -> String {
    let plan = facts.plan;
    let window = |index: usize| {
        let window = plan.speed_windows.get(index);
        window.map_or_else(String::new, |w| w.window.to_string())
    };
    match cause {
        Cause::Plan => format!("Plan {}", plan.name),
        Cause::Own => "The subscriber's own speed".to_owned(),
        Cause::Expired => "The term is over".to_owned(),
        Cause::Grace { until } => {
            format!("Grace until {}", facts.calendar.format_minute(until))
        }
        Cause::Window(index) => format!("Speed window {}", window(index)),
        Cause::Tier(active) => tier(active),
        Cause::Lifted {
            window: index,
            tier: active,
        } => format!(
            "Speed window {}, which lifts fair use ({} used)",
            window(index),
            Octets(active.used)
        ),
        Cause::WindowMultiplied(index) => {
            format!("Speed window {}, multiplied", window(index))
        }
        Cause::Rule(id) => facts.rules.get(id).map_or_else(
            || format!("Bandwidth rule {id}"),
            |rule| format!("Bandwidth rule {}", rule.name),
        ),
        Cause::Boost { until } => {
            format!("Boost until {}", facts.calendar.format_minute(until))
        }
        Cause::Clamp => "Limits of the router".to_owned(),
    }
}

fn tier(active: ActiveTier) -> String {
    let share = match active.tier.action {
        TierAction::Percent(percent) => format!(", {percent} %"),
        _ => String::new(),
    };
    format!(
        "{} tier {} at {} ({} used{share})",
        match active.kind {
            super::QuotaKind::Day => "Daily",
            super::QuotaKind::Month => "Monthly",
            super::QuotaKind::Term => "Term",
        },
        active.tier.index + 1,
        Octets(active.tier.threshold),
        Octets(active.used),
    )
}
