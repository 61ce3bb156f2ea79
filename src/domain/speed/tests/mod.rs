//! The resolver: each step on both sides of its edge, and their order.

use super::*;
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule};
use crate::domain::fup::{FairUse, Threshold, Tier, TierAction};
use crate::domain::hours::SpeedWindow;
use crate::domain::id::PlanId;
use crate::domain::octets::Traffic;
use crate::domain::quota::Quota;
use crate::domain::rate::{FASTEST_KBPS, SLOWEST_KBPS};
use crate::domain::testing;
use crate::domain::time::{DAY, Day, HOUR, MINUTE};
use crate::domain::window::Window;

mod properties;
mod states;

/// 2026-11-22 12:00 UTC, a Sunday.
const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn plan() -> Plan {
    Plan {
        id: PlanId(1),
        burst: Some(Burst {
            rate: Rate::new(10_000, 40_000),
            threshold: Rate::new(4_000, 16_000),
            time_s: 16,
        }),
        ..testing::plan("Home 20", Rate::new(5_000, 20_000))
    }
}

/// The facts of one case, changed from "just the plan".
struct Case {
    plan: Plan,
    own: Option<Rate>,
    boost: Option<Boost>,
    used: Used,
    raised: u64,
    expires_at: Option<Timestamp>,
    rules: Rules,
    fastest_kbps: u64,
    zone: &'static str,
}

fn resolve_at(now: Timestamp, change: impl FnOnce(&mut Case)) -> (Effective, Vec<String>) {
    let mut case = Case {
        plan: plan(),
        own: None,
        boost: None,
        used: Used::default(),
        raised: 0,
        expires_at: None,
        rules: Rules::default(),
        fastest_kbps: FASTEST_KBPS,
        zone: "UTC",
    };
    change(&mut case);
    let facts = SpeedFacts {
        subscriber: SubscriberId(7),
        plan: &case.plan,
        own: case.own,
        boost: case.boost,
        used: case.used,
        raised: case.raised,
        expires_at: case.expires_at,
        rules: &case.rules,
        calendar: &Calendar::new(case.zone, 5).unwrap(),
        fastest_kbps: case.fastest_kbps,
    };
    let effective = effective(&facts, now);
    let sentences = effective.sentences(&facts);
    (effective, sentences)
}

fn resolve(change: impl FnOnce(&mut Case)) -> Effective {
    resolve_at(NOW, change).0
}

fn rate(change: impl FnOnce(&mut Case)) -> Rate {
    resolve(change).limit.rate
}

fn tier(threshold: u64, action: TierAction) -> Tier {
    Tier {
        threshold: Threshold::Octets(threshold),
        action,
    }
}

fn throttle(threshold: u64, up: u64, down: u64) -> Tier {
    tier(threshold, TierAction::Throttle(Rate::new(up, down)))
}

fn window(text: &str, up: u64, down: u64, when_throttled: WhenThrottled) -> SpeedWindow {
    SpeedWindow {
        window: Window::parse(text).unwrap(),
        rate: Rate::new(up, down),
        when_throttled,
    }
}

fn rule(id: u32, priority: u16, download: Adjust, upload: Adjust) -> BandwidthRule {
    BandwidthRule {
        id: RuleId(id),
        name: format!("rule {id}"),
        enabled: true,
        window: Window::parse("00:00-00:00").unwrap(),
        from: None,
        until: None,
        priority,
        download,
        upload,
        plans: Vec::new(),
        subscribers: Vec::new(),
    }
}

fn down(octets: u64) -> Traffic {
    Traffic::new(0, octets)
}

#[test]
fn a_plan_alone_is_one_step_with_its_burst() {
    let (effective, sentences) = resolve_at(NOW, |_| {});
    assert_eq!(effective.limit.rate, Rate::new(5_000, 20_000));
    assert_eq!(effective.limit.burst, plan().burst);
    assert_eq!(effective.quota, QuotaState::Ok);
    assert_eq!(sentences, ["Plan Home 20: 20 Mbit/s down, 5 Mbit/s up"]);
}

#[test]
fn own_speed_scales_the_burst() {
    let own = resolve(|c| c.own = Some(Rate::new(10_000, 10_000)));
    assert_eq!(own.limit.rate, Rate::new(10_000, 10_000));
    assert_eq!(
        own.limit.burst,
        Some(Burst {
            rate: Rate::new(20_000, 20_000),
            threshold: Rate::new(8_000, 8_000),
            time_s: 16,
        })
    );
    let same = resolve(|c| c.own = Some(Rate::new(5_000, 20_000)));
    assert_eq!(same.steps.len(), 1, "what changes nothing is no step");
}

#[test]
fn a_window_replaces_the_speed_while_it_is_open() {
    let night = |c: &mut Case| {
        c.plan.speed_windows = vec![
            window("12:00-13:00", 50_000, 100_000, WhenThrottled::Skip),
            window("11:00-14:00", 1_000, 1_000, WhenThrottled::Skip),
        ];
    };
    let at = |ms: i64| resolve_at(NOW.plus(ms), night).0.limit.rate;
    assert_eq!(at(-HOUR - 1), Rate::new(5_000, 20_000));
    assert_eq!(at(-HOUR), Rate::new(1_000, 1_000));
    assert_eq!(at(0), Rate::new(50_000, 100_000), "the first that holds");
    assert_eq!(at(HOUR), Rate::new(1_000, 1_000));
    assert_eq!(at(2 * HOUR), Rate::new(5_000, 20_000));
}

#[test]
fn windows_follow_the_clock_on_the_wall_when_it_jumps() {
    let early = |c: &mut Case| {
        c.zone = "Europe/Berlin";
        c.plan.speed_windows = vec![window("02:30-03:30", 1_000, 1_000, WhenThrottled::Skip)];
    };
    let at = |text: &str| {
        let now = Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        resolve_at(now, early).0.limit.rate.upload_kbps == 1_000
    };
    // Spring: 02:00 to 03:00 does not exist; the window opens at 03:00, which is 01:00 UTC.
    assert!(!at("2026-03-29T00:59:59Z"));
    assert!(at("2026-03-29T01:00:00Z"));
    assert!(at("2026-03-29T01:29:59Z"));
    assert!(!at("2026-03-29T01:30:00Z"));
    // Autumn: 02:30 comes twice, and both are inside.
    assert!(!at("2026-10-25T00:29:00Z"));
    assert!(at("2026-10-25T00:30:00Z"));
    assert!(!at("2026-10-25T01:00:00Z"), "02:00 again");
    assert!(at("2026-10-25T01:30:00Z"));
    assert!(!at("2026-10-25T02:30:00Z"));
}

#[test]
fn fair_use_lowers_at_the_threshold_and_the_lower_of_both_kinds_wins() {
    let tiers = |c: &mut Case| {
        c.plan.fair_use.daily = vec![throttle(100, 3_000, 4_000), throttle(200, 500, 1_000)];
        c.plan.fair_use.monthly = vec![throttle(1_000, 400, 8_000)];
    };
    let used = |today, month| {
        rate(|c| {
            tiers(c);
            c.used.today = down(today);
            c.used.month = down(month);
        })
    };
    assert_eq!(used(99, 999), Rate::new(5_000, 20_000));
    assert_eq!(used(100, 999), Rate::new(3_000, 4_000));
    assert_eq!(used(199, 999), Rate::new(3_000, 4_000));
    assert_eq!(used(200, 999), Rate::new(500, 1_000));
    assert_eq!(used(99, 1_000), Rate::new(400, 8_000));
    assert_eq!(used(100, 1_000), Rate::new(400, 4_000), "per direction");
    let faster = rate(|c| {
        c.plan.fair_use.daily = vec![throttle(0, 9_000, 90_000)];
    });
    assert_eq!(faster, Rate::new(5_000, 20_000), "fair use never speeds up");
}

#[test]
fn throttled_sessions_have_no_burst_unless_the_plan_keeps_it() {
    let throttled = |keep| {
        resolve(|c| {
            c.plan.fair_use = FairUse {
                daily: vec![tier(0, TierAction::Percent(50))],
                monthly: Vec::new(),
                keep_burst: keep,
            };
        })
        .limit
    };
    assert_eq!(throttled(false).rate, Rate::new(2_500, 10_000));
    assert_eq!(throttled(false).burst, None);
    assert_eq!(
        throttled(true).burst.unwrap().rate,
        Rate::new(5_000, 20_000)
    );
}

#[test]
fn a_window_says_what_it_does_to_the_throttled() {
    let with = |when_throttled| {
        let (effective, sentences) = resolve_at(NOW, |c| {
            c.used.today = down(150_000_000);
            c.plan.fair_use.daily = vec![throttle(100_000_000, 500, 2_000)];
            c.plan.speed_windows = vec![window("12:00-13:00", 10_000, 40_000, when_throttled)];
        });
        (effective.limit.rate, sentences.last().cloned().unwrap())
    };
    let (rate, why) = with(WhenThrottled::Skip);
    assert_eq!(rate, Rate::new(500, 2_000));
    assert_eq!(
        why,
        "Daily tier 1 at 100 MB (150 MB used): 2 Mbit/s down, 500 kbit/s up"
    );
    let (rate, why) = with(WhenThrottled::Multiply);
    assert_eq!(rate, Rate::new(1_000, 4_000));
    assert!(
        why.starts_with("Speed window 12:00-13:00, multiplied: 4 Mbit/s down"),
        "{why}"
    );
    let (rate, why) = with(WhenThrottled::Lift);
    assert_eq!(rate, Rate::new(10_000, 40_000));
    assert!(why.contains("lifts fair use (150 MB used)"), "{why}");
}

#[test]
fn a_lifted_session_keeps_its_burst() {
    let lifted = resolve(|c| {
        c.plan.fair_use.daily = vec![throttle(0, 500, 2_000)];
        c.plan.speed_windows = vec![window("12:00-13:00", 5_000, 20_000, WhenThrottled::Lift)];
    });
    assert_eq!(lifted.limit.burst, plan().burst);
}

#[test]
fn the_rule_with_the_lowest_number_wins_each_direction() {
    let unchanged = Adjust::Unchanged;
    let with = |rules: Vec<BandwidthRule>| rate(|c| c.rules = Rules::new(rules));
    let double = Adjust::Percent(200);
    let more = Adjust::Add(1_000);
    assert_eq!(
        with(vec![rule(1, 5, double, unchanged), rule(2, 1, more, more)]),
        Rate::new(6_000, 21_000)
    );
    assert_eq!(
        with(vec![rule(1, 1, double, unchanged), rule(2, 5, more, more)]),
        Rate::new(6_000, 40_000),
        "what is unchanged does not compete"
    );
    assert_eq!(
        with(vec![rule(2, 1, more, more), rule(1, 1, double, double)]),
        Rate::new(10_000, 40_000),
        "then the lower id"
    );
    assert_eq!(
        with(vec![rule(1, 1, Adjust::Add(-30_000), unchanged)]),
        Rate::new(5_000, SLOWEST_KBPS)
    );
    let off = BandwidthRule {
        enabled: false,
        ..rule(1, 1, double, double)
    };
    assert_eq!(with(vec![off]), Rate::new(5_000, 20_000));
}

#[test]
fn rules_concern_plans_subscribers_days_and_hours() {
    let double = Adjust::Percent(200);
    let is_on = |change: fn(&mut BandwidthRule)| {
        let mut rule = rule(1, 1, double, double);
        change(&mut rule);
        rate(|c| c.rules = Rules::new(vec![rule])) == Rate::new(10_000, 40_000)
    };
    assert!(is_on(|r| r.plans = vec![PlanId(9), PlanId(1)]));
    assert!(!is_on(|r| r.plans = vec![PlanId(9)]));
    assert!(is_on(|r| r.subscribers = vec![SubscriberId(7)]));
    assert!(!is_on(|r| r.subscribers = vec![SubscriberId(8)]));
    assert!(is_on(|r| {
        r.plans = vec![PlanId(9)];
        r.subscribers = vec![SubscriberId(9), SubscriberId(7)];
    }));
    assert!(is_on(|r| r.window = Window::parse("7 12:00-13:00").unwrap()));
    assert!(!is_on(
        |r| r.window = Window::parse("1 12:00-13:00").unwrap()
    ));
    assert!(is_on(|r| r.from = Day::parse("2026-11-22").ok()));
    assert!(!is_on(|r| r.from = Day::parse("2026-11-23").ok()));
    assert!(is_on(|r| r.until = Day::parse("2026-11-22").ok()));
    assert!(!is_on(|r| r.until = Day::parse("2026-11-21").ok()));
}

#[test]
fn a_boost_lifts_until_its_instant() {
    let boosted = |until: i64| {
        rate(|c| {
            c.plan.fair_use.daily = vec![throttle(0, 500, 2_000)];
            c.boost = Some(Boost {
                rate: Rate::new(300, 30_000),
                until: NOW.plus(until),
            });
        })
    };
    assert_eq!(boosted(1), Rate::new(500, 30_000), "never slower");
    assert_eq!(boosted(0), Rate::new(500, 2_000));
}

#[test]
fn the_speed_stays_within_what_the_router_can_do() {
    let slow = resolve(|c| c.own = Some(Rate::new(1, 63)));
    assert_eq!(slow.limit.rate, Rate::new(64, 64));
    assert_eq!(slow.steps.last().unwrap().cause, Cause::Clamp);
    let fast = resolve(|c| {
        c.own = Some(Rate::new(64, 3_000_000));
        c.fastest_kbps = 2_147_483;
    });
    assert_eq!(fast.limit.rate, Rate::new(64, 2_147_483));
    assert!(fast.limit.burst.unwrap().rate.download_kbps <= 2_147_483);
}
