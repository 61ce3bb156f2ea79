//! What the speed of a subscriber depends on, gathered in one place for logins, CoA, pages and the simulator.

use std::sync::Arc;

use crate::app::{App, LoginFacts, Settings};
use crate::domain::bandwidth_rule::Rules;
use crate::domain::nas::Profile;
use crate::domain::plan::Plan;
use crate::domain::quota::{self, Counting, Used};
use crate::domain::speed::SpeedFacts;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// The facts of one subscriber, owned; [`Gathered::facts`] lends them to the rules.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub about: Arc<LoginFacts>,
    pub plan: Arc<Plan>,
    pub used: Used,
    pub raised: u64,
    /// The days over which usage was summed.
    pub counting: Counting,
    pub fastest_kbps: u64,
    rules: Arc<Rules>,
    settings: Arc<Settings>,
}

impl Gathered {
    pub fn facts(&self) -> SpeedFacts<'_> {
        SpeedFacts {
            subscriber: self.about.id,
            plan: &self.plan,
            own: self.about.rate_override,
            boost: self.about.boost,
            used: self.used,
            raised: self.raised,
            expires_at: self.about.expires_at,
            rules: &self.rules,
            calendar: &self.settings.calendar,
            fastest_kbps: self.fastest_kbps,
        }
    }
}

/// Gathers the facts of a subscriber with this plan, for a router of this kind.
pub fn gather(
    app: &App,
    about: Arc<LoginFacts>,
    plan: Arc<Plan>,
    profile: Profile,
    now: Timestamp,
) -> Result<Gathered, StoreError> {
    let settings = app.settings();
    let counting = plan.quota.counting(about.began, &settings.calendar, now);
    let used = if plan.counts() {
        let used = app.accounting.picture()?.used(about.id, &counting, &plan)?;
        used.less(&about.credits, &counting)
    } else {
        Used::default()
    };
    Ok(Gathered {
        raised: quota::raised(&about.top_ups, counting.today, now),
        used,
        counting,
        fastest_kbps: profile.fastest_kbps(),
        rules: app.rules(),
        settings,
        about,
        plan,
    })
}
