//! What the demo data lacks: plans with every kind of rule, stand-in routers among the NAS devices, and somebody who is
//! signed in. Written into the folder by the library, before the daemon opens it.

use std::path::Path;

use proxpanel::app::{App, Clock};
use proxpanel::config::{Config, Overrides};
use proxpanel::crypto::Secret;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::bandwidth_rule::{Adjust, BandwidthRule};
use proxpanel::domain::fup::{Threshold, Tier, TierAction};
use proxpanel::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use proxpanel::domain::id::RuleId;
use proxpanel::domain::operator::Role;
use proxpanel::domain::plan::Plan;
use proxpanel::domain::quota::Direction;
use proxpanel::domain::window::Window;
use proxpanel::operations::{operators, plans};
use proxpanel::store::accounting::Pace;
use proxpanel::store::{StoreError, bandwidth_rules};

use crate::fault::Fault;

pub const GB: u64 = 1_000_000_000;
pub const RULES: u32 = 20;
/// Beyond what anything here uses, so that nobody is blocked.
const QUOTA: u64 = 100_000 * GB;

/// Opens the folder, has `work` done, and closes it again.
pub fn prepare<T>(
    data: &Path,
    work: impl AsyncFnOnce(&App) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let overrides = Overrides {
        data_dir: Some(data.to_owned()),
        ..Overrides::default()
    };
    let config = Config::parse("", Path::new("bench.toml"), &overrides)?;
    let app = App::open(config, Clock::System, Pace::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work(&app));
    app.close();
    done
}

/// The plan with 6 + 6 tiers, 8 speed windows, 4 free ones and three quotas.
pub fn with_everything(mut plan: Plan) -> Result<Plan, Fault> {
    let tiers = |step: u64| -> Vec<Tier> {
        let tier = |n: u16| Tier {
            threshold: Threshold::Octets(step * u64::from(n)),
            action: TierAction::Percent(100 - 10 * n),
        };
        (1..=6).map(tier).collect()
    };
    plan.fair_use.daily = tiers(10 * GB);
    plan.fair_use.monthly = tiers(100 * GB);
    plan.quota.daily = Some(QUOTA);
    plan.quota.monthly = Some(QUOTA);
    plan.quota.total = Some(QUOTA);
    // The eighth is all day, so that one holds at any hour.
    plan.speed_windows = (0..8)
        .map(|n| -> Result<SpeedWindow, Fault> {
            let hours = match n {
                7 => "00:00-00:00".to_owned(),
                n => format!("{}:00-{}:30", 12 + n, 12 + n),
            };
            Ok(SpeedWindow {
                window: Window::parse(&hours)?,
                rate: plan.rate.percent(150),
                when_throttled: WhenThrottled::Multiply,
            })
        })
        .collect::<Result<_, Fault>>()?;
    plan.free_windows = (0..4)
        .map(|n| -> Result<FreeWindow, Fault> {
            Ok(FreeWindow {
                window: Window::parse(&format!("0{n}:00-0{n}:30"))?,
                free_percent: 50,
                direction: Direction::Both,
            })
        })
        .collect::<Result<_, Fault>>()?;
    Ok(plan)
}

/// Every demo plan has all rules, and there are twenty bandwidth rules, of which one holds at any hour.
pub async fn every_rule(app: &App) -> Result<(), Fault> {
    for plan in app.plans() {
        let plan = with_everything(Plan::clone(&plan))?;
        plans::update(app, &Actor::CommandLine, plan.id, plan).await?;
    }
    let rules = (1..=RULES)
        .map(|number| -> Result<BandwidthRule, Fault> {
            let hours = match number {
                RULES => "00:00-00:00".to_owned(),
                number => format!("0{}:40-0{}:50", number % 10, number % 10),
            };
            Ok(BandwidthRule {
                id: RuleId(number),
                name: format!("rule {number}"),
                enabled: true,
                window: Window::parse(&hours)?,
                from: None,
                until: None,
                priority: u16::try_from(number)?,
                download: Adjust::Percent(90),
                upload: Adjust::Percent(90),
                plans: app.plans().iter().map(|plan| plan.id).collect(),
                subscribers: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    app.store
        .write("bandwidth rules", move |tx| -> Result<(), StoreError> {
            for rule in &rules {
                bandwidth_rules::put(tx, rule)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

/// Every demo plan gets twice its speed from this minute of the day on, for three hours.
pub async fn double_from(app: &App, minute: u32) -> Result<(), Fault> {
    let at = |minute: u32| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let window = Window::parse(&format!("{}-{}", at(minute), at(minute + 180)))?;
    for plan in app.plans() {
        let mut plan = Plan::clone(&plan);
        plan.speed_windows = vec![SpeedWindow {
            window,
            rate: plan.rate.percent(200),
            when_throttled: WhenThrottled::Skip,
        }];
        plans::update(app, &Actor::CommandLine, plan.id, plan).await?;
    }
    Ok(())
}

/// The cookie of a browser in which an administrator is signed in.
pub async fn signed_in(app: &App) -> Result<String, Fault> {
    let password = Secret::new("correct horse".to_owned());
    let role = Role::Administrator;
    let operator = operators::add(app, &Actor::CommandLine, "bench", role, password).await?;
    let from = "127.0.0.1".to_owned();
    let signed_in = operators::let_in(app, operator, from, "bench".to_owned()).await?;
    let token = signed_in.token.expose();
    Ok(format!("{}={token}", proxpanel::web::cookies::SESSION))
}
