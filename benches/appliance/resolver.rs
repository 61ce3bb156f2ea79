//! The resolver alone, in process: what one call of the function behind every login, CoA and page costs.

use std::hint::black_box;

use proxpanel::domain::bandwidth_rule::{Adjust, BandwidthRule, Rules};
use proxpanel::domain::id::{PlanId, RuleId, SubscriberId};
use proxpanel::domain::money::{Currency, Money};
use proxpanel::domain::octets::Traffic;
use proxpanel::domain::plan::Plan;
use proxpanel::domain::quota::Used;
use proxpanel::domain::rate::{FASTEST_KBPS, Rate};
use proxpanel::domain::speed::{self, SpeedFacts};
use proxpanel::domain::time::{Calendar, Timestamp};
use proxpanel::domain::window::Window;

use crate::clock;
use crate::fault::Fault;
use crate::prepare::{self, GB, RULES};

/// 2027-01-15 08:00:00 UTC, a Friday.
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const CALLS: u32 = 200_000;
/// Each figure is the middle one of so many rounds, the machine being shared.
const ROUNDS: usize = 9;

pub fn run() -> Result<(), Fault> {
    let price = Money {
        minor: 2_500,
        currency: Currency::parse("USD")?,
    };
    let plain = Plan::new("Home 25", price, Rate::new(5_000, 25_000));
    let full = prepare::with_everything(plain.clone())?;
    // The sixth daily tier and the fourth monthly one are reached.
    let used = Used {
        today: Traffic::new(GB, 70 * GB),
        month: Traffic::new(GB, 450 * GB),
        term: Traffic::new(GB, 450 * GB),
    };
    // Baghdad, 11:00: the last of the eight windows is the first that holds, and so is the last of the rules.
    let calendar = Calendar::new("Asia/Baghdad", 5)?;
    measure(
        "a plain plan, no rules",
        &plain,
        Used::default(),
        &Rules::default(),
        &calendar,
    );
    measure("a plain plan, 20 rules", &plain, used, &rules()?, &calendar);
    let name = "6 + 6 tiers, 8 windows, 20 rules";
    measure(name, &full, used, &rules()?, &calendar);
    Ok(())
}

/// Nineteen that do not hold now, and one that does.
fn rules() -> Result<Rules, Fault> {
    let rule = |number: u32| -> Result<BandwidthRule, Fault> {
        let hours = if number == RULES {
            "10:30-11:30"
        } else {
            "22:00-23:00"
        };
        Ok(BandwidthRule {
            id: RuleId(number),
            name: format!("rule {number}"),
            enabled: true,
            window: Window::parse(hours)?,
            from: None,
            until: None,
            priority: u16::try_from(number)?,
            download: Adjust::Percent(90),
            upload: Adjust::Percent(90),
            plans: (0..10).map(PlanId).collect(),
            subscribers: Vec::new(),
        })
    };
    Ok(Rules::new(
        (1..=RULES).map(rule).collect::<Result<_, Fault>>()?,
    ))
}

fn measure(name: &str, plan: &Plan, used: Used, rules: &Rules, calendar: &Calendar) {
    let facts = SpeedFacts {
        subscriber: SubscriberId(7),
        plan,
        own: None,
        boost: None,
        used,
        raised: 0,
        expires_at: Some(NOW.plus(1)),
        rules,
        calendar,
        fastest_kbps: FASTEST_KBPS,
    };
    let mut nanos: Vec<u128> = (0..ROUNDS).map(|_| round(&facts)).collect();
    nanos.sort_unstable();
    let middle = nanos.get(ROUNDS / 2).copied().unwrap_or_default();
    let (least, most) = (nanos.first(), nanos.last());
    let effective = speed::effective(&facts, NOW);
    println!(
        "resolver, {name}: {middle} ns a call ({} to {} in {ROUNDS} rounds of {CALLS}), {} steps, {}",
        least.copied().unwrap_or_default(),
        most.copied().unwrap_or_default(),
        effective.steps.len(),
        effective.limit.rate,
    );
}

/// Nanoseconds a call.
fn round(facts: &SpeedFacts<'_>) -> u128 {
    let started = clock::now();
    for _ in 0..CALLS {
        black_box(speed::effective(black_box(facts), black_box(NOW)));
    }
    started.elapsed().as_nanos() / u128::from(CALLS)
}
