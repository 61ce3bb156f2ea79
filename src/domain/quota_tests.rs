//! Periods on both sides of each boundary, credits, and who pays for what is used beyond a quota.

use super::*;
use crate::domain::time::DAY;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[test]
fn a_month_begins_on_its_day_or_on_the_last_there_is() {
    for (today, anchor, start, end) in [
        ("2026-11-22", 1, "2026-11-01", "2026-12-01"),
        ("2026-11-22", 22, "2026-11-22", "2026-12-22"),
        ("2026-11-21", 22, "2026-10-22", "2026-11-22"),
        ("2026-01-05", 10, "2025-12-10", "2026-01-10"),
        // 31 falls back to the last day of a shorter month.
        ("2026-02-27", 31, "2026-01-31", "2026-02-28"),
        ("2026-02-28", 31, "2026-02-28", "2026-03-31"),
        ("2026-03-30", 31, "2026-02-28", "2026-03-31"),
        ("2026-03-31", 31, "2026-03-31", "2026-04-30"),
        ("2028-02-29", 30, "2028-02-29", "2028-03-30"),
    ] {
        let period = Period::holding(day(today), anchor);
        let expected = Period {
            start: day(start),
            end: day(end),
        };
        assert_eq!(period, expected, "{today} from the {anchor}th");
    }
}

#[test]
fn anchors_say_when_a_month_begins() {
    let began = Began {
        created_at: at("2026-01-05T12:00:00Z"),
        renewed_at: at("2026-11-18T12:00:00Z"),
    };
    let counting = |anchor, now: &str| {
        let quota = Quota {
            anchor,
            ..Quota::default()
        };
        quota.counting(began, &Calendar::utc(), at(now))
    };
    let now = "2026-11-22T10:00:00Z";
    let month = |anchor| counting(anchor, now).month.start;
    assert_eq!(month(MonthAnchor::CreatedDay), day("2026-11-05"));
    assert_eq!(month(MonthAnchor::DayOfMonth(20)), day("2026-11-20"));
    assert_eq!(month(MonthAnchor::Renewal), day("2026-11-18"));
    assert_eq!(
        counting(MonthAnchor::Renewal, now).month.end,
        day("2026-12-18")
    );
    assert_eq!(counting(MonthAnchor::Renewal, now).term, day("2026-11-18"));
    // A month later the month is new, the term is not.
    let later = counting(MonthAnchor::Renewal, "2026-12-18T00:00:00Z");
    assert_eq!(later.month.start, day("2026-12-18"));
    assert_eq!(later.term, day("2026-11-18"));
    // A renewal that begins tomorrow has not begun.
    let before = counting(MonthAnchor::Renewal, "2026-11-17T00:00:00Z");
    assert_eq!(before.month.start, day("2026-10-18"));
    assert_eq!(before.term, day("2026-11-17"));
}

#[test]
fn credits_count_in_their_own_period_only() {
    let counting = Counting {
        today: day("2026-11-22"),
        month: Period::holding(day("2026-11-22"), 1),
        term: day("2026-11-10"),
    };
    let credit = |scope, octets| Credit {
        scope,
        octets: Traffic::new(0, octets),
        at: Timestamp(0),
        by: String::new(),
        reason: String::new(),
    };
    let used = Used {
        today: Traffic::new(5, 100),
        month: Traffic::new(5, 1_000),
        term: Traffic::new(5, 2_000),
    };
    let credits = [
        credit(CreditScope::Day(day("2026-11-22")), 60),
        credit(CreditScope::Day(day("2026-11-21")), 1),
        credit(CreditScope::Month(day("2026-11-01")), 400),
        credit(CreditScope::Month(day("2026-11-01")), 900),
        credit(CreditScope::Month(day("2026-10-01")), 1),
        credit(CreditScope::Term(day("2026-11-10")), 7),
        credit(CreditScope::Term(day("2026-11-09")), 1),
    ];
    let left = used.less(&credits, &counting);
    assert_eq!(left.today, Traffic::new(5, 40));
    assert_eq!(left.month, Traffic::new(5, 0), "never below nothing");
    assert_eq!(left.term, Traffic::new(5, 1_993));
}

fn top_up(octets: u64, validity: Validity) -> TopUp {
    TopUp {
        octets,
        used: 0,
        validity,
        bought_at: Timestamp(0),
        by: String::new(),
    }
}

#[test]
fn top_ups_hold_until_their_end() {
    let (today, now) = (Day(100), Timestamp(100 * DAY + 1));
    let holds = |validity| top_up(5, validity).is_valid(today, now);
    assert!(holds(Validity::UntilUsed));
    assert!(holds(Validity::EndOfMonth(Day(101))));
    assert!(!holds(Validity::EndOfMonth(Day(100))));
    assert!(holds(Validity::Until(now.plus(1))));
    assert!(!holds(Validity::Until(now)));
    let spent = TopUp {
        used: 5,
        ..top_up(5, Validity::UntilUsed)
    };
    assert!(!spent.is_valid(today, now));
    let some = [
        top_up(5, Validity::UntilUsed),
        TopUp {
            used: 3,
            ..top_up(7, Validity::UntilUsed)
        },
        top_up(100, Validity::Until(now)),
    ];
    assert_eq!(raised(&some, today, now), 9);
}

#[test]
fn what_expires_first_is_drawn_first() {
    let ended_at = Timestamp(100 * DAY);
    let mut top_ups = [
        top_up(10, Validity::UntilUsed),
        top_up(10, Validity::Until(Timestamp(200 * DAY))),
        top_up(10, Validity::Until(Timestamp(150 * DAY))),
        top_up(10, Validity::EndOfMonth(Day(100))),
        top_up(10, Validity::Until(Timestamp(99 * DAY))),
        TopUp {
            bought_at: ended_at,
            ..top_up(10, Validity::EndOfMonth(Day(130)))
        },
    ];
    settle(&mut top_ups, 35, Day(99), ended_at);
    let used: Vec<u64> = top_ups.iter().map(|t| t.used).collect();
    assert_eq!(used, [5, 10, 10, 10, 0, 0]);
    settle(&mut top_ups, 1_000, Day(99), ended_at);
    let used: Vec<u64> = top_ups.iter().map(|t| t.used).collect();
    assert_eq!(used, [10, 10, 10, 10, 0, 0], "never more than was bought");
}

#[test]
fn a_top_up_extends_the_first_quota_there_is() {
    let quota = |daily, monthly, total| Quota {
        daily,
        monthly,
        total,
        ..Quota::default()
    };
    for (quota, kind) in [
        (quota(Some(1), Some(1), Some(1)), QuotaKind::Month),
        (quota(Some(1), None, Some(1)), QuotaKind::Term),
        (quota(Some(1), None, None), QuotaKind::Day),
        (quota(None, None, None), QuotaKind::Month),
    ] {
        assert_eq!(quota.topped_up(), kind);
    }
}

#[test]
fn directions_take_their_side() {
    let traffic = Traffic::new(1, 10);
    assert_eq!(Direction::Both.of(traffic), 11);
    assert_eq!(Direction::Download.of(traffic), 10);
    assert_eq!(Direction::Upload.of(traffic), 1);
    for direction in Direction::ALL {
        assert_eq!(Direction::from_word(direction.word()), Some(direction));
    }
}

proptest! {
    #[test]
    fn every_day_is_in_its_period_and_periods_touch(today in -200_000i32..200_000, anchor in 1u8..=31) {
        let period = Period::holding(Day(today), anchor);
        prop_assert!(period.start <= Day(today) && Day(today) < period.end);
        prop_assert_eq!(Period::holding(period.end, anchor).start, period.end);
        prop_assert_eq!(Period::holding(period.start.plus(-1), anchor).end, period.start);
    }
}
