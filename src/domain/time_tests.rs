//! Business days, their starts, and the clock on the wall over its changes.

use super::*;
use proptest::prelude::*;

#[test]
fn every_zone_on_offer_can_be_used() {
    let names = zone_names();
    assert!(names.len() > 300 && names.iter().any(|name| name == "Asia/Baghdad"));
    for name in names {
        assert!(Calendar::new(&name, 5).is_ok(), "{name}");
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[test]
fn a_time_on_the_wall_is_an_instant() {
    let berlin = Calendar::new("Europe/Berlin", 5).unwrap();
    for (day, minutes, instant) in [
        ("2026-11-22", 0, "2026-11-21T23:00:00Z"),
        ("2026-11-22", 23 * 60 + 59, "2026-11-22T22:59:00Z"),
        // 02:30 comes twice, and 02:30 does not come.
        ("2026-10-25", 150, "2026-10-25T00:30:00Z"),
        ("2026-03-29", 150, "2026-03-29T01:30:00Z"),
    ] {
        let day = Day::parse(day).unwrap();
        assert_eq!(berlin.at(day, minutes), at(instant), "{day} {minutes}");
    }
}

#[test]
fn a_business_day_starts_at_the_set_time() {
    let calendar = Calendar::new("Asia/Baghdad", 5).unwrap();
    // 00:04:59 local on the 22nd still belongs to the 21st.
    assert_eq!(
        calendar.day(at("2026-11-21T21:04:59Z")).to_string(),
        "2026-11-21"
    );
    assert_eq!(
        calendar.day(at("2026-11-21T21:05:00Z")).to_string(),
        "2026-11-22"
    );
    assert_eq!(
        calendar.starts(Day::parse("2026-11-22").unwrap()),
        at("2026-11-21T21:05:00Z")
    );
    assert_eq!(
        calendar.end_of(Day::parse("2026-11-22").unwrap()),
        at("2026-11-22T21:05:00Z")
    );
    assert_eq!(
        calendar.last_day(at("2026-11-22T21:05:00Z")).to_string(),
        "2026-11-22"
    );
}

#[test]
fn a_gap_starts_at_the_first_existing_instant() {
    // Cairo skips 00:00 to 01:00 on 2026-04-24.
    let calendar = Calendar::new("Africa/Cairo", 5).unwrap();
    let starts = calendar.starts(Day::parse("2026-04-24").unwrap());
    assert_eq!(calendar.day(starts).to_string(), "2026-04-24");
    assert!(starts >= at("2026-04-23T22:00:00Z") && starts <= at("2026-04-23T22:05:00Z"));
}

#[test]
fn months_follow_days() {
    assert_eq!(Day::parse("2026-01-31").unwrap().month(), Month(2026 * 12));
    assert_eq!(
        Day::parse("2026-12-01").unwrap().month(),
        Month(2026 * 12 + 11)
    );
    assert_eq!(Day::parse("1969-12-31").unwrap(), Day(-1));
}

#[test]
fn minutes_go_on_to_a_full_minute_or_to_a_clock_change() {
    let utc = Calendar::utc();
    for (from, minutes, to) in [
        ("2026-01-01T10:00:00Z", 1, "2026-01-01T10:01:00Z"),
        ("2026-01-01T10:00:59.999Z", 1, "2026-01-01T10:01:00Z"),
        ("2026-01-01T10:00:30Z", 840, "2026-01-02T00:00:00Z"),
    ] {
        assert_eq!(utc.minutes_on(at(from), minutes), at(to), "{from}");
    }
    // Berlin puts the clock forward on 2026-03-29 and back on 2026-10-25, both at 01:00 UTC.
    let berlin = Calendar::new("Europe/Berlin", 5).unwrap();
    for day in ["2026-03-29", "2026-10-25"] {
        let change = at(&format!("{day}T01:00:00Z"));
        assert_eq!(
            berlin.minutes_on(change.plus(-HOUR), 59),
            change.plus(-MINUTE)
        );
        assert_eq!(berlin.minutes_on(change.plus(-HOUR), 180), change);
        assert_eq!(berlin.minutes_on(change, 60), change.plus(HOUR));
    }
    let last = Timestamp(i64::MAX);
    assert!(berlin.minutes_on(last, 1) <= last);
}

#[test]
fn a_span_splits_at_day_starts() {
    let calendar = Calendar::utc();
    let parts = calendar.split(at("2026-01-01T23:00:00Z"), at("2026-01-03T02:00:00Z"));
    let parts: Vec<_> = parts
        .iter()
        .map(|(d, ms)| (d.to_string(), ms / HOUR))
        .collect();
    assert_eq!(
        parts,
        [
            ("2026-01-01".into(), 1),
            ("2026-01-02".into(), 24),
            ("2026-01-03".into(), 2)
        ]
    );
    // A clock that went backwards, and one that lost years.
    assert_eq!(
        calendar
            .split(at("2026-01-03T00:00:00Z"), at("2026-01-01T00:00:00Z"))
            .len(),
        1
    );
    let long = calendar.split(at("1990-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    assert_eq!(long.len(), usize::try_from(MOST_DAYS).unwrap());
    assert_eq!(
        calendar
            .split(Timestamp(i64::MIN), Timestamp(i64::MAX))
            .len(),
        usize::try_from(MOST_DAYS).unwrap()
    );
}

/// As the calendar library says it.
fn by_the_book(calendar: &Calendar, at: Timestamp) -> (Day, WallClock) {
    let zoned = calendar.zoned(at);
    let date = Day::from_date(zoned.date());
    let began = zoned.time() >= calendar.day_starts;
    let clock = WallClock {
        day: if began { date } else { date.plus(-1) },
        weekday: u8::try_from(zoned.weekday().to_monday_one_offset()).unwrap(),
        minute: u16::try_from(zoned.hour()).unwrap() * 60 + u16::try_from(zoned.minute()).unwrap(),
    };
    (date, clock)
}

proptest! {
    #[test]
    fn the_wall_clock_is_that_of_the_book(
        zone in prop::sample::select(vec![
            "UTC", "Asia/Baghdad", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo",
        ]),
        day_starts in 0u16..1_440,
        // Years 1900 to 2100, and anything.
        at in prop_oneof![4 => -2_208_988_800_000i64..4_102_444_800_000, 1 => any::<i64>()],
    ) {
        let calendar = Calendar::new(zone, day_starts).unwrap();
        let at = Timestamp(at);
        let (date, clock) = by_the_book(&calendar, at);
        prop_assert_eq!(calendar.wall_clock(at), clock);
        prop_assert_eq!(calendar.day(at), clock.day);
        prop_assert_eq!(calendar.date(at), date);
    }
}
