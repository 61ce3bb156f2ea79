//! Effective speed: one function, called at login, for CoA and by pages (rules.md section 5).

use super::plan::Plan;
use super::rate::{Rate, RateLimit};

/// A step that changed something, for the explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub reason: &'static str,
    pub rate: Rate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    pub limit: RateLimit,
    pub steps: Vec<Step>,
}

/// The speed one session may have right now, and the steps that made it.
pub fn effective(plan: &Plan, rate_override: Option<Rate>) -> Effective {
    let mut steps = vec![Step {
        reason: "plan",
        rate: plan.rate,
    }];
    let mut rate = plan.rate;
    if let Some(own) = rate_override {
        rate = own;
        steps.push(Step {
            reason: "subscriber's own speed",
            rate,
        });
    }
    let clamped = rate.clamp();
    if clamped != rate {
        rate = clamped;
        steps.push(Step {
            reason: "limits of the router",
            rate,
        });
    }
    // The burst belongs to the plan's speed; with another speed it would mean something else.
    let burst = if rate_override.is_none() {
        plan.burst
    } else {
        None
    };
    Effective {
        limit: RateLimit {
            rate,
            burst,
            priority: plan.priority,
        },
        steps,
    }
}
