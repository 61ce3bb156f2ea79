//! Each warning on both sides of its edge.

use super::*;
use crate::domain::fup::{FairUse, Threshold};
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::quota::{Direction, Quota};
use crate::domain::rate::Burst;
use crate::domain::testing;

fn plan() -> Plan {
    testing::plan("Home 20", Rate::new(5_000, 20_000))
}

fn of(change: impl FnOnce(&mut Plan)) -> Vec<Warning> {
    let mut plan = plan();
    change(&mut plan);
    warnings(&plan)
}

fn tiers(list: &[(u64, TierAction)]) -> Vec<Tier> {
    let tier = |(octets, action): &(u64, TierAction)| Tier {
        threshold: Threshold::Octets(*octets),
        action: *action,
    };
    list.iter().map(tier).collect()
}

fn to(up: u64, down: u64) -> TierAction {
    TierAction::Throttle(Rate::new(up, down))
}

fn daily(list: &[(u64, TierAction)]) -> Vec<Warning> {
    of(|plan| plan.fair_use.daily = tiers(list))
}

const DAY: QuotaKind = QuotaKind::Day;

#[test]
fn a_plain_plan_is_fine() {
    assert_eq!(of(|_| {}), []);
    let full = of(|plan| {
        plan.quota.monthly = Some(100);
        plan.fair_use.monthly = tiers(&[(50, to(2_000, 10_000)), (80, TierAction::Notify)]);
        plan.burst = Some(Burst {
            rate: plan.rate,
            threshold: plan.rate,
            time_s: 8,
        });
    });
    assert_eq!(full, []);
}

#[test]
fn tiers_that_are_faster_than_they_should_be() {
    assert_eq!(
        daily(&[(1, to(2_000, 8_000)), (2, to(2_000, 8_000))]),
        [],
        "equal is fine"
    );
    for second in [to(2_001, 8_000), to(2_000, 8_001)] {
        assert_eq!(
            daily(&[(1, to(2_000, 8_000)), (2, second)]),
            [Warning::TierFasterThanBefore { kind: DAY, tier: 2 }]
        );
    }
    // What only tells does not part two tiers.
    assert_eq!(
        daily(&[
            (1, to(1_000, 1_000)),
            (2, TierAction::Notify),
            (3, TierAction::Percent(50))
        ]),
        [Warning::TierFasterThanBefore { kind: DAY, tier: 3 }]
    );
    assert_eq!(daily(&[(1, to(5_000, 20_000))]), []);
    for tier in [to(5_001, 20_000), to(5_000, 20_001)] {
        assert_eq!(
            daily(&[(1, tier)]),
            [Warning::TierFasterThanPlan { kind: DAY, tier: 1 }]
        );
    }
}

#[test]
fn tiers_below_the_slowest() {
    assert_eq!(daily(&[(1, to(64, 64))]), []);
    assert_eq!(
        daily(&[(1, to(63, 64))]),
        [Warning::TierBelowSlowest {
            kind: DAY,
            tier: 1,
            rate: Rate::new(63, 64)
        }]
    );
    // 1 % of 5 Mbit/s up.
    assert_eq!(
        daily(&[(1, TierAction::Percent(1))]),
        [Warning::TierBelowSlowest {
            kind: DAY,
            tier: 1,
            rate: Rate::new(50, 200)
        }]
    );
    assert_eq!(daily(&[(1, TierAction::Percent(2))]), []);
}

#[test]
fn tiers_behind_a_quota_that_blocks() {
    let at = |threshold, when_used_up| {
        of(|plan| {
            plan.quota = Quota {
                monthly: Some(1_000),
                when_used_up,
                ..Quota::default()
            };
            plan.fair_use.monthly = vec![Tier {
                threshold,
                action: to(64, 64),
            }];
        })
    };
    let behind = [Warning::TierBehindQuota {
        kind: QuotaKind::Month,
        tier: 1,
    }];
    assert_eq!(at(Threshold::Octets(999), WhenUsedUp::Block), []);
    assert_eq!(at(Threshold::Octets(1_000), WhenUsedUp::Block), behind);
    assert_eq!(at(Threshold::Percent(99), WhenUsedUp::Block), []);
    assert_eq!(at(Threshold::Percent(100), WhenUsedUp::Block), behind);
    assert_eq!(at(Threshold::Percent(100), WhenUsedUp::GoOn), []);
}

#[test]
fn a_quota_without_any_effect() {
    let goes_on = |change: fn(&mut Plan)| {
        of(|plan| {
            plan.quota.when_used_up = WhenUsedUp::GoOn;
            change(plan);
        })
    };
    assert_eq!(goes_on(|_| {}), []);
    for (change, kind) in [
        (
            (|plan| plan.quota.daily = Some(1)) as fn(&mut Plan),
            QuotaKind::Day,
        ),
        (|plan| plan.quota.monthly = Some(1), QuotaKind::Month),
        (|plan| plan.quota.total = Some(1), QuotaKind::Term),
    ] {
        assert_eq!(goes_on(change), [Warning::QuotaWithoutEffect { kind }]);
    }
    assert_eq!(of(|plan| plan.quota.daily = Some(1)), [], "it blocks");
    let slowed = goes_on(|plan| {
        plan.quota.daily = Some(9);
        plan.fair_use = FairUse {
            daily: tiers(&[(9, to(64, 64))]),
            ..FairUse::default()
        };
    });
    assert_eq!(slowed, []);
}

#[test]
fn windows_that_overlap_and_hours_that_are_always_free() {
    let speed = |windows: &[&str]| {
        let windows = windows.iter().map(|text| SpeedWindow {
            window: Window::parse(text).unwrap(),
            rate: Rate::new(64, 64),
            when_throttled: WhenThrottled::Skip,
        });
        of(|plan| plan.speed_windows = windows.collect())
    };
    assert_eq!(speed(&["01:00-02:00", "02:00-03:00"]), []);
    assert_eq!(
        speed(&["01:00-02:00", "03:00-04:00", "01:59-03:01"]),
        [
            Warning::SpeedWindowsOverlap {
                first: 1,
                second: 3
            },
            Warning::SpeedWindowsOverlap {
                first: 2,
                second: 3
            }
        ]
    );
    let free = |windows: &[&str]| {
        let windows = windows.iter().map(|text| FreeWindow {
            window: Window::parse(text).unwrap(),
            free_percent: 50,
            direction: Direction::Both,
        });
        of(|plan| plan.free_windows = windows.collect())
    };
    assert_eq!(free(&["01:00-06:00"]), []);
    assert_eq!(
        free(&["1 01:00-06:00", "00:00-00:00"]),
        [
            Warning::FreeWindowsOverlap {
                first: 1,
                second: 2
            },
            Warning::FreeAllWeek { window: 2 }
        ]
    );
}

#[test]
fn a_burst_below_the_speed() {
    let burst = |up, down| {
        of(|plan| {
            plan.burst = Some(Burst {
                rate: Rate::new(up, down),
                threshold: Rate::new(64, 64),
                time_s: 8,
            });
        })
    };
    assert_eq!(burst(5_000, 20_000), []);
    assert_eq!(burst(4_999, 20_000), [Warning::BurstBelowRate]);
    assert_eq!(burst(5_000, 19_999), [Warning::BurstBelowRate]);
}

#[test]
fn every_warning_is_a_sentence_that_names_the_place() {
    let kind = QuotaKind::Month;
    for (warning, starts) in [
        (
            Warning::TierFasterThanBefore { kind, tier: 3 },
            "Monthly tier 3 is faster than the tier before",
        ),
        (
            Warning::QuotaWithoutEffect { kind: DAY },
            "The daily quota does nothing",
        ),
        (
            Warning::TierBelowSlowest {
                kind: DAY,
                tier: 1,
                rate: Rate::new(50, 200),
            },
            "Daily tier 1 comes to 200 kbit/s down, 50 kbit/s up. Nobody",
        ),
        (
            Warning::FreeAllWeek { window: 2 },
            "Free hours 2 cover the whole week",
        ),
    ] {
        let words = warning.to_string();
        assert!(words.starts_with(starts), "{words}");
        assert!(words.ends_with('.'), "{words}");
    }
}
