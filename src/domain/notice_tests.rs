//! Marks, each on both sides of its edge.

use super::*;
use crate::domain::bandwidth_rule::Rules;
use crate::domain::fup::{Threshold, Tier};
use crate::domain::id::SubscriberId;
use crate::domain::octets::Traffic;
use crate::domain::plan::Plan;
use crate::domain::quota::{Direction, Period, Quota, Used};
use crate::domain::rate::{FASTEST_KBPS, Rate};
use crate::domain::testing;
use crate::domain::time::Calendar;

const COUNTING: Counting = Counting {
    today: Day(20_005),
    month: Period {
        start: Day(20_000),
        end: Day(20_030),
    },
    term: Day(19_000),
};

fn plan() -> Plan {
    testing::plan("Home", Rate::new(1_000, 2_000))
}

/// The marks that are reached with so much download today, this month and in this term.
fn marks(plan: &Plan, used: [u64; 3], raised: u64) -> Vec<(QuotaKind, Day, Level, u64)> {
    let [today, month, term] = used.map(|octets| Traffic::new(7, octets));
    let facts = SpeedFacts {
        subscriber: SubscriberId(1),
        plan,
        own: None,
        boost: None,
        used: Used { today, month, term },
        raised,
        expires_at: None,
        rules: &Rules::default(),
        calendar: &Calendar::new("UTC", 5).unwrap(),
        fastest_kbps: FASTEST_KBPS,
    };
    let found = reached(&facts, &COUNTING).into_iter();
    found
        .map(|n| (n.mark.kind, n.mark.began, n.mark.level, n.limit))
        .collect()
}

fn with(quota: Quota) -> Plan {
    let direction = Direction::Download;
    let quota = Quota { direction, ..quota };
    Plan { quota, ..plan() }
}

#[test]
fn shares_of_each_quota_are_reached_to_the_octet() {
    use QuotaKind::{Day as Daily, Month, Term};
    let (day, month, term) = (COUNTING.today, COUNTING.month.start, COUNTING.term);
    let daily = with(Quota {
        daily: Some(999),
        ..Quota::default()
    });
    let shares = |used| {
        let found = marks(&daily, [used, u64::MAX, u64::MAX], 0).into_iter();
        found.map(|(.., level, _)| level).collect::<Vec<_>>()
    };
    // 799.2, 899.1 and 999 octets.
    let [first, second, third] = SHARES.map(Level::Share);
    assert_eq!(shares(799), []);
    assert_eq!(shares(800), [first]);
    assert_eq!(shares(899), [first]);
    assert_eq!(shares(900), [first, second]);
    assert_eq!(shares(998), [first, second]);
    assert_eq!(shares(999), [first, second, third]);
    assert_eq!(shares(u64::MAX), [first, second, third]);
    let all = with(Quota {
        daily: Some(100),
        monthly: Some(1_000),
        total: Some(10_000),
        ..Quota::default()
    });
    assert_eq!(
        marks(&all, [80, 800, 8_000], 0),
        [
            (Daily, day, first, 100),
            (Month, month, first, 1_000),
            (Term, term, first, 10_000)
        ]
    );
    assert_eq!(marks(&all, [79, 799, 7_999], 0), []);
}

#[test]
fn no_quota_and_a_quota_of_nothing_tell_nothing() {
    assert_eq!(marks(&plan(), [u64::MAX; 3], 0), []);
    let nothing = with(Quota {
        daily: Some(0),
        ..Quota::default()
    });
    assert_eq!(marks(&nothing, [5; 3], 0), []);
}

#[test]
fn a_top_up_moves_the_marks_of_the_quota_that_it_extends() {
    let monthly = with(Quota {
        daily: Some(100),
        monthly: Some(1_000),
        ..Quota::default()
    });
    let levels = |used, raised| {
        let found = marks(&monthly, used, raised).into_iter();
        found
            .map(|(kind, .., limit)| (kind, limit))
            .collect::<Vec<_>>()
    };
    assert_eq!(levels([0, 800, 0], 0), [(QuotaKind::Month, 1_000)]);
    assert_eq!(levels([0, 800, 0], 1_000), []);
    assert_eq!(levels([0, 1_599, 0], 1_000), []);
    assert_eq!(levels([0, 1_600, 0], 1_000), [(QuotaKind::Month, 2_000)]);
    assert_eq!(levels([80, 0, 0], 1_000), [(QuotaKind::Day, 100)]);
}

#[test]
fn of_the_tiers_only_those_tell_that_shall() {
    let tier = |threshold, action| Tier { threshold, action };
    let mut plan = with(Quota {
        daily: Some(1_000),
        ..Quota::default()
    });
    plan.fair_use.daily = vec![
        tier(Threshold::Percent(50), TierAction::Notify),
        tier(Threshold::Octets(600), TierAction::Percent(50)),
        tier(Threshold::Octets(700), TierAction::Notify),
    ];
    plan.fair_use.monthly = vec![tier(Threshold::Octets(5), TierAction::Notify)];
    let told = |used| {
        let found = marks(&plan, [used, 4, 0], 0).into_iter();
        found
            .map(|(.., level, limit)| (level, limit))
            .collect::<Vec<_>>()
    };
    let (first, third) = ((Level::Tier(0), 500), (Level::Tier(2), 700));
    assert_eq!(told(499), []);
    assert_eq!(told(500), [first]);
    assert_eq!(told(699), [first]);
    assert_eq!(told(700), [first, third]);
    assert_eq!(
        marks(&plan, [0, 5, 0], 0),
        [(QuotaKind::Month, COUNTING.month.start, Level::Tier(0), 5)]
    );
}

#[test]
fn a_notice_says_what_was_reached() {
    let notice = |level| Notice {
        mark: Mark {
            kind: QuotaKind::Day,
            began: COUNTING.today,
            level,
        },
        limit: 10_000_000_000,
    };
    assert_eq!(
        notice(Level::Share(80)).to_string(),
        "80 % of the daily quota of 10.0 GB"
    );
    assert_eq!(
        notice(Level::Tier(1)).to_string(),
        "the daily tier 2 at 10.0 GB"
    );
}
