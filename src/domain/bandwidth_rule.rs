//! Bandwidth rules: more or less speed for some plans or subscribers in some hours (rules.md section 4).

use super::id::{PlanId, RuleId, SubscriberId};
use super::time::Day;
use super::window::{WallClock, Window};

/// What a rule does to one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adjust {
    #[default]
    Unchanged,
    /// 100 is unchanged, 200 double.
    Percent(u16),
    /// kbit/s, added or taken away.
    Add(i64),
}

impl Adjust {
    /// The adjusted speed in kbit/s; the resolver clamps it.
    pub fn apply(self, kbps: u64) -> u64 {
        match self {
            Adjust::Unchanged => kbps,
            Adjust::Percent(percent) => kbps.saturating_mul(percent.into()) / 100,
            Adjust::Add(more) => kbps.saturating_add_signed(more),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandwidthRule {
    pub id: RuleId,
    pub name: String,
    pub enabled: bool,
    pub window: Window,
    /// First and last business day; `None` is open.
    pub from: Option<Day>,
    pub until: Option<Day>,
    /// The lower number wins, then the lower id.
    pub priority: u16,
    pub download: Adjust,
    pub upload: Adjust,
    /// Sorted. With `subscribers`: whom it concerns; both empty concerns all.
    pub plans: Vec<PlanId>,
    pub subscribers: Vec<SubscriberId>,
}

impl BandwidthRule {
    /// Whether it holds at this hour.
    pub fn is_on(&self, clock: &WallClock) -> bool {
        self.enabled
            && self.from.is_none_or(|day| day <= clock.day)
            && self.until.is_none_or(|day| clock.day <= day)
            && self.window.holds(clock)
    }

    pub fn concerns(&self, plan: PlanId, subscriber: SubscriberId) -> bool {
        (self.plans.is_empty() && self.subscribers.is_empty())
            || self.plans.binary_search(&plan).is_ok()
            || self.subscribers.binary_search(&subscriber).is_ok()
    }
}

/// All rules, the one that wins in front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<BandwidthRule>);

impl Rules {
    pub fn new(mut rules: Vec<BandwidthRule>) -> Rules {
        for rule in &mut rules {
            rule.plans.sort_unstable();
            rule.subscribers.sort_unstable();
        }
        rules.sort_by_key(|rule| (rule.priority, rule.id));
        Rules(rules)
    }

    pub fn iter(&self) -> impl Iterator<Item = &BandwidthRule> {
        self.0.iter()
    }

    pub fn get(&self, id: RuleId) -> Option<&BandwidthRule> {
        self.0.iter().find(|rule| rule.id == id)
    }

    /// The winners for download and for upload at this hour; a rule that leaves a direction unchanged does not compete for it.
    pub fn winners(
        &self,
        clock: &WallClock,
        plan: PlanId,
        subscriber: SubscriberId,
    ) -> (Option<&BandwidthRule>, Option<&BandwidthRule>) {
        let (mut download, mut upload) = (None, None);
        for rule in &self.0 {
            let competes = (download.is_none() && rule.download != Adjust::Unchanged)
                || (upload.is_none() && rule.upload != Adjust::Unchanged);
            if !competes || !rule.concerns(plan, subscriber) || !rule.is_on(clock) {
                continue;
            }
            if rule.download != Adjust::Unchanged {
                download = download.or(Some(rule));
            }
            if rule.upload != Adjust::Unchanged {
                upload = upload.or(Some(rule));
            }
            if download.is_some() && upload.is_some() {
                break;
            }
        }
        (download, upload)
    }
}
