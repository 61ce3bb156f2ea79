//! Edges against the clock itself: every minute of some days, over clock changes and midnight.

use super::*;
use crate::domain::bandwidth_rule::Adjust;
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::id::{PlanId, RuleId, SubscriberId};
use crate::domain::quota::Direction;
use crate::domain::rate::Rate;
use crate::domain::testing;
use crate::domain::time::{Day, HOUR, MINUTE};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn plan() -> Plan {
    Plan {
        id: PlanId(1),
        ..testing::plan("Home 20", Rate::new(5_000, 20_000))
    }
}

fn with_speed_windows(windows: &[&str]) -> Plan {
    let speed_windows = windows.iter().map(|text| SpeedWindow {
        window: Window::parse(text).unwrap(),
        rate: Rate::new(10_000, 40_000),
        when_throttled: WhenThrottled::Skip,
    });
    Plan {
        speed_windows: speed_windows.collect(),
        ..plan()
    }
}

fn rule(window: &str) -> BandwidthRule {
    BandwidthRule {
        id: RuleId(1),
        name: "evening".to_owned(),
        enabled: true,
        window: Window::parse(window).unwrap(),
        from: None,
        until: None,
        priority: 1,
        download: Adjust::Percent(200),
        upload: Adjust::Unchanged,
        plans: Vec::new(),
        subscribers: Vec::new(),
    }
}

/// The edges of a plan without rules in UTC, as text.
fn words(plan: &Plan, rules: &[BandwidthRule], zone: &str, from: &str, until: &str) -> Vec<String> {
    let calendar = Calendar::new(zone, 5).unwrap();
    let rules = Rules::new(rules.to_vec());
    edges(plan, &rules, &calendar, at(from), at(until))
        .into_iter()
        .map(Calendar::format_utc)
        .collect()
}

#[test]
fn a_window_opens_and_closes_and_midnight_is_no_edge_of_a_night() {
    let plan = with_speed_windows(&["22:00-06:00"]);
    assert_eq!(
        words(
            &plan,
            &[],
            "UTC",
            "2026-11-22T12:00:00Z",
            "2026-11-24T12:00:00Z"
        ),
        [
            "2026-11-22T22:00:00Z",
            "2026-11-23T06:00:00Z",
            "2026-11-23T22:00:00Z",
            "2026-11-24T06:00:00Z",
        ]
    );
}

#[test]
fn the_first_instant_is_left_out_and_the_last_is_in() {
    let plan = with_speed_windows(&["22:00-06:00"]);
    let found = |from, until| words(&plan, &[], "UTC", from, until).len();
    assert_eq!(found("2026-11-22T22:00:00Z", "2026-11-23T05:59:59Z"), 0);
    assert_eq!(found("2026-11-22T21:59:59Z", "2026-11-23T05:59:59Z"), 1);
    assert_eq!(found("2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z"), 1);
    assert_eq!(found("2026-11-22T23:00:00Z", "2026-11-22T22:00:00Z"), 0);
}

#[test]
fn whole_days_change_at_midnight_and_days_that_touch_do_not() {
    // 2026-11-27 is a Friday.
    let plan = with_speed_windows(&["5,6 00:00-00:00"]);
    assert_eq!(
        words(
            &plan,
            &[],
            "Asia/Baghdad",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z"
        ),
        ["2026-11-26T21:00:00Z", "2026-11-28T21:00:00Z"]
    );
    assert_eq!(
        words(
            &with_speed_windows(&["00:00-00:00"]),
            &[],
            "UTC",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z"
        ),
        [""; 0]
    );
}

#[test]
fn in_a_gap_a_window_opens_at_the_first_instant_and_in_a_repeated_hour_twice() {
    // Berlin skips 02:00 to 03:00 on 2026-03-29 at 01:00 UTC and repeats it on 2026-10-25.
    let plan = with_speed_windows(&["02:30-05:00"]);
    assert_eq!(
        words(
            &plan,
            &[],
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            "2026-03-29T12:00:00Z"
        ),
        ["2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"]
    );
    assert_eq!(
        words(
            &plan,
            &[],
            "Europe/Berlin",
            "2026-10-24T22:00:00Z",
            "2026-10-25T12:00:00Z"
        ),
        [
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T04:00:00Z",
        ]
    );
}

#[test]
fn rules_count_when_they_may_concern_the_plan() {
    let day = |rule: BandwidthRule| {
        words(
            &plan(),
            &[rule],
            "UTC",
            "2026-11-22T12:00:00Z",
            "2026-11-23T12:00:00Z",
        )
        .len()
    };
    let evening = rule("18:00-23:00");
    assert_eq!(day(evening.clone()), 2);
    let cases: [(Vec<u32>, Vec<u32>, bool, usize); 5] = [
        (vec![1], vec![], true, 2),
        (vec![2], vec![], true, 0),
        (vec![2], vec![9], true, 2),
        (vec![], vec![9], true, 2),
        (vec![], vec![], false, 0),
    ];
    for (plans, subscribers, enabled, found) in cases {
        let rule = BandwidthRule {
            plans: plans.iter().copied().map(PlanId).collect(),
            subscribers: subscribers.iter().copied().map(SubscriberId).collect(),
            enabled,
            ..evening.clone()
        };
        assert_eq!(day(rule), found, "{plans:?} {subscribers:?} {enabled}");
    }
}

#[test]
fn the_days_of_a_rule_begin_when_business_days_do() {
    let rule = BandwidthRule {
        from: Some(Day::parse("2026-11-23").unwrap()),
        until: Some(Day::parse("2026-11-24").unwrap()),
        ..rule("00:00-00:00")
    };
    assert_eq!(
        words(
            &plan(),
            &[rule],
            "UTC",
            "2026-11-20T12:00:00Z",
            "2026-11-27T12:00:00Z"
        ),
        ["2026-11-23T00:05:00Z", "2026-11-25T00:05:00Z"]
    );
}

#[test]
fn days_are_edges_only_where_usage_counts() {
    let mut plan = plan();
    let found = |plan: &Plan| {
        words(
            plan,
            &[],
            "UTC",
            "2026-11-22T12:00:00Z",
            "2026-11-24T12:00:00Z",
        )
    };
    assert_eq!(found(&plan), [""; 0]);
    plan.quota.monthly = Some(1);
    assert_eq!(
        found(&plan),
        ["2026-11-23T00:05:00Z", "2026-11-24T00:05:00Z"]
    );
}

#[test]
fn free_hours_and_login_hours_are_edges_too_and_shared_ones_are_named_once() {
    let window = Window::parse("01:00-02:00").unwrap();
    let plan = Plan {
        login_hours: Some(Window::parse("02:00-03:00").unwrap()),
        free_windows: vec![FreeWindow {
            window,
            free_percent: 50,
            direction: Direction::Both,
        }],
        ..plan()
    };
    assert_eq!(
        words(
            &plan,
            &[],
            "UTC",
            "2026-11-22T00:00:00Z",
            "2026-11-22T12:00:00Z"
        ),
        [
            "2026-11-22T01:00:00Z",
            "2026-11-22T02:00:00Z",
            "2026-11-22T03:00:00Z"
        ]
    );
}

#[test]
fn edges_are_found_up_to_the_horizon() {
    let calendar = Calendar::utc();
    let first = |plan: &Plan, rules: &Rules, from: Timestamp| {
        let found = edges(plan, rules, &calendar, from, from.plus(2 * HORIZON));
        found.first().copied()
    };
    let next = |plan: &Plan, from| first(plan, &Rules::default(), at(from));
    // Only on Sundays: 2026-11-22 is one.
    let plan = with_speed_windows(&["7 08:00-09:00"]);
    for (from, edge) in [
        ("2026-11-22T07:59:59Z", "2026-11-22T08:00:00Z"),
        ("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"),
        ("2026-11-22T09:00:00Z", "2026-11-29T08:00:00Z"),
    ] {
        assert_eq!(next(&plan, from), Some(at(edge)), "{from}");
    }
    assert_eq!(next(&with_speed_windows(&[]), "2026-11-22T09:00:00Z"), None);
    let far = BandwidthRule {
        from: Some(Day::parse("2026-12-01").unwrap()),
        ..rule("00:00-00:00")
    };
    let rules = Rules::new(vec![far]);
    let starts = at("2026-12-01T00:00:00Z");
    let plan = with_speed_windows(&[]);
    assert_eq!(first(&plan, &rules, starts.plus(-HORIZON)), Some(starts));
    assert_eq!(first(&plan, &rules, starts.plus(-HORIZON - 1)), None);
}

#[test]
fn no_more_than_the_bound_and_the_earliest_are_kept() {
    let many = (0..200u16).map(|number| BandwidthRule {
        id: RuleId(number.into()),
        window: Window {
            weekdays: 0,
            start: number,
            end: number + 300,
        },
        ..rule("00:00-00:00")
    });
    let rules = Rules::new(many.collect());
    let from = at("2026-11-22T00:00:00Z");
    let found = edges(&plan(), &rules, &Calendar::utc(), from, from.plus(HORIZON));
    assert_eq!(found.len(), MOST_EDGES);
    assert_eq!(found.first(), Some(&from.plus(MINUTE)));
    assert!(found.is_sorted());
    // An absurd span is cut.
    let plan = with_speed_windows(&["01:00-02:00"]);
    let all = edges(
        &plan,
        &Rules::default(),
        &Calendar::utc(),
        Timestamp(i64::MIN),
        Timestamp(i64::MAX),
    );
    assert!(all.len() <= MOST_EDGES);
}

fn a_window() -> impl Strategy<Value = Window> {
    (0u8..128, 0u16..48, 0u16..48).prop_map(|(weekdays, start, end)| Window {
        weekdays,
        start: start * 30,
        end: end * 30,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Walking minute by minute through three days finds the same edges, whatever the zone does meanwhile.
    #[test]
    fn edges_are_what_the_clock_shows(
        windows in prop::collection::vec(a_window(), 1..4),
        place in prop::sample::select(vec![
            ("UTC", "2026-11-22T00:00:00Z"),
            ("Europe/Berlin", "2026-03-28T00:00:00Z"),
            ("Europe/Berlin", "2026-10-24T00:00:00Z"),
            // Midnight itself is skipped, and repeated.
            ("Africa/Cairo", "2026-04-23T00:00:00Z"),
            ("Africa/Cairo", "2026-10-29T00:00:00Z"),
            // By half an hour.
            ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        ]),
    ) {
        let (zone, from) = place;
        let calendar = Calendar::new(zone, 5).unwrap();
        let plan = Plan {
            speed_windows: windows.iter().map(|window| SpeedWindow {
                window: *window,
                rate: Rate::new(1_000, 1_000),
                when_throttled: WhenThrottled::Skip,
            }).collect(),
            ..plan()
        };
        let from = at(from);
        let until = from.plus(72 * HOUR);
        let state = |at| {
            let clock = calendar.wall_clock(at);
            windows.iter().map(|window| window.holds(&clock)).collect::<Vec<_>>()
        };
        let walked: Vec<Timestamp> = (1..=72 * 60)
            .map(|minute| from.plus(minute * MINUTE))
            .filter(|at| state(*at) != state(at.plus(-1)))
            .collect();
        prop_assert_eq!(edges(&plan, &Rules::default(), &calendar, from, until), walked);
    }
}
