//! The jobs that change the speed of live sessions when nobody did anything: usage grew, an hour came, a rule began, a term
//! ended. Each asks what is due and leaves it in the outbox, which tells the routers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::id::{PlanId, RuleId};
use crate::domain::time::{MINUTE, Timestamp};
use crate::operations::speeds::{self, Whom};
use crate::operations::{Error, blocking};

const PERIOD: Duration = Duration::from_secs(30);

/// Sweeps in the background, and says how many sessions are to be told.
async fn sweep(app: &Arc<App>, whom: Whom, now: Timestamp) -> Result<usize, Error> {
    let app = Arc::clone(app);
    blocking(move || speeds::sweep(&app, &whom, now)).await?
}

fn told(count: usize) -> String {
    match count {
        0 => "nothing was due".to_owned(),
        1 => "1 session is told".to_owned(),
        count => format!("{count} sessions are told"),
    }
}

/// Windows and rules begin and end on full minutes.
fn to_next_minute(now: Timestamp) -> Duration {
    let left = MINUTE - now.0.rem_euclid(MINUTE);
    Duration::from_millis(u64::try_from(left).unwrap_or(1).max(1))
}

/// TimeSpeed: the speed windows of plans.
#[derive(Default)]
pub struct SpeedWindows {
    /// The plans with windows, and which window is open; `None` before the first look.
    open: Option<BTreeSet<(PlanId, Option<usize>)>>,
    outcome: String,
}

impl Job for SpeedWindows {
    fn name(&self) -> &'static str {
        "speed windows"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let clock = app.settings().calendar.wall_clock(now);
        let plans = app.plans();
        let open: BTreeSet<(PlanId, Option<usize>)> = plans
            .iter()
            .filter(|plan| !plan.speed_windows.is_empty())
            .map(|plan| {
                let holds = plan
                    .speed_windows
                    .iter()
                    .position(|w| w.window.holds(&clock));
                (plan.id, holds)
            })
            .collect();
        if self.open.as_ref() != Some(&open) {
            let whom = Whom::Those(|facts, _| !facts.plan.speed_windows.is_empty());
            self.outcome = told(sweep(&app, whom, now).await?);
            self.open = Some(open);
        }
        Ok(Next::After(to_next_minute(app.now())))
    }
}

/// Bandwidth rules that begin or end by the clock.
#[derive(Default)]
pub struct BandwidthRules {
    /// The rules that hold; `None` before the first look.
    on: Option<BTreeSet<RuleId>>,
    outcome: String,
}

impl Job for BandwidthRules {
    fn name(&self) -> &'static str {
        "bandwidth rules"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let clock = app.settings().calendar.wall_clock(now);
        let rules = app.rules();
        let on: BTreeSet<RuleId> = rules
            .iter()
            .filter(|rule| rule.is_on(&clock))
            .map(|rule| rule.id)
            .collect();
        if self.on.as_ref() != Some(&on) {
            self.outcome = told(sweep(&app, Whom::All, now).await?);
            self.on = Some(on);
        }
        Ok(Next::After(to_next_minute(app.now())))
    }
}

/// Terms that ended: another speed, grace, or the end of a session that its router should have ended.
#[derive(Default)]
pub struct Expiry {
    outcome: String,
}

impl Job for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let ended = Whom::Those(|facts, now| facts.expires_at.is_some_and(|at| at <= now));
        self.outcome = told(sweep(&app, ended, now).await?);
        Ok(Next::After(PERIOD))
    }
}

/// Draws from top-ups when months are over: once for each business day.
#[derive(Default)]
pub struct TopUps {
    looked_on: Option<crate::domain::time::Day>,
    outcome: String,
}

impl Job for TopUps {
    fn name(&self) -> &'static str {
        "top-ups"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let today = app.settings().calendar.day(now);
        if self.looked_on != Some(today) {
            let settling = Arc::clone(&app);
            let settled =
                blocking(move || crate::operations::fair_use::settle_top_ups(&settling, now))
                    .await??;
            self.outcome = format!("settled for {settled} subscribers");
            self.looked_on = Some(today);
        }
        Ok(Next::After(PERIOD))
    }
}
