//! What a plan that is being typed comes to: its speeds at each tier, and what a MikroTik is told at a login.

use std::sync::Arc;

use crate::app::App;
use crate::domain::fup::{Tier, TierAction};
use crate::domain::plan::Plan;
use crate::domain::quota::QuotaKind;
use crate::domain::rate::Kbps;
use crate::operations::Error;

use super::case::{Case, Look};

/// The speed at one point of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRow {
    /// `now`, `from 10.0 GB a day`.
    pub when: String,
    pub download: String,
    pub upload: String,
    /// Why it is not the plan's, or why there is no session; empty where there is nothing to say.
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPreview {
    pub rows: Vec<PreviewRow>,
    /// What each window of free hours makes of a gigabyte.
    pub free_hours: Vec<String>,
    /// The attributes of an accept now, line by line.
    pub reply: Vec<String>,
}

/// Looks at a plan that need not be saved, at this moment, with the bandwidth rules that hold.
/// Errors: `Refused` when a name does not fit into the reply.
pub fn preview(app: &App, plan: Plan) -> Result<PlanPreview, Error> {
    let (settings, now) = (app.settings(), app.now());
    let plan = Arc::new(plan);
    let case = Case::of_plan(Arc::clone(&plan), &settings.calendar, now);
    let look = case.look(app, now);
    let mut rows = vec![row("now".to_owned(), &look)];
    let kinds = [
        (QuotaKind::Day, &plan.fair_use.daily, "a day"),
        (QuotaKind::Month, &plan.fair_use.monthly, "a month"),
    ];
    for (kind, tiers, each) in kinds {
        for tier in tiers.iter().filter(|tier| does_something(tier)) {
            let Some(octets) = tier.threshold.octets(plan.quota.of(kind), 0) else {
                continue;
            };
            let mut reached = case.clone();
            reached.suppose(kind, Some(octets));
            let look = reached.look(app, now);
            rows.push(row(format!("from {} {each}", tier.threshold), &look));
        }
    }
    let free_hours = plan.free_windows.iter().map(ToString::to_string);
    Ok(PlanPreview {
        rows,
        free_hours: free_hours.collect(),
        reply: look.reply(case.profile)?,
    })
}

fn does_something(tier: &Tier) -> bool {
    tier.action != TierAction::Notify
}

fn row(when: String, look: &Look) -> PreviewRow {
    let rate = look.limit.rate;
    let note = match look.reason() {
        // The first step is the plan itself.
        "" => look.steps.get(1..).unwrap_or_default().join("; "),
        reason => reason.to_owned(),
    };
    let kbps = |kbps| match look.entitlement {
        Ok(_) => Kbps(kbps).to_string(),
        Err(_) => "–".to_owned(),
    };
    PreviewRow {
        when,
        download: kbps(rate.download_kbps),
        upload: kbps(rate.upload_kbps),
        note,
    }
}
