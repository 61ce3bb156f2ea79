//! Days and free hours, both sides of each edge, and the property that nothing is lost or made.

use proptest::prelude::*;

use super::*;
use crate::domain::time::{MINUTE, SECOND};
use crate::domain::window::Window;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn window(hours: &str, free_percent: u8, direction: Direction) -> FreeWindow {
    FreeWindow {
        window: Window::parse(hours).unwrap(),
        free_percent,
        direction,
    }
}

fn night() -> FreeWindow {
    window("02:00-06:00", 100, Direction::Both)
}

/// What is free of a thousand up and ten thousand down.
fn free_in(from: &str, to: &str, windows: &[FreeWindow], calendar: &Calendar) -> (u64, u64) {
    let days = spread(
        Traffic::new(1_000, 10_000),
        at(from),
        at(to),
        windows,
        calendar,
    );
    let free = days
        .iter()
        .fold(Traffic::ZERO, |sum, (_, usage)| sum + usage.free);
    (free.upload, free.download)
}

#[test]
fn octets_are_free_in_proportion_to_the_time_in_the_window() {
    let utc = Calendar::utc();
    for (from, to, download) in [
        ("01:00:00", "02:00:00", 0),
        ("01:59:00", "02:01:00", 5_000),
        ("01:59:30", "02:00:30", 5_000),
        ("02:00:00", "03:00:00", 10_000),
        ("03:00:20", "03:00:50", 10_000),
        ("05:00:00", "06:00:00", 10_000),
        ("05:00:00", "07:00:00", 5_000),
        ("06:00:00", "07:00:00", 0),
        // Right through it: four of eight hours.
        ("00:00:00", "08:00:00", 5_000),
        // No time at all: the instant counts.
        ("02:00:00", "02:00:00", 10_000),
        ("06:00:00", "06:00:00", 0),
        // A clock that was put back counts at where it is now.
        ("09:00:00", "03:00:00", 10_000),
        ("03:00:00", "01:00:00", 0),
    ] {
        let day = |time| format!("2026-11-23T{time}Z");
        let (_, free) = free_in(&day(from), &day(to), &[night()], &utc);
        assert_eq!(free, download, "{from} to {to}");
    }
}

#[test]
fn the_first_window_that_holds_says_how_much_and_of_which_direction() {
    let utc = Calendar::utc();
    let hour = |hour: &str, windows: &[FreeWindow]| {
        let (from, to) = (
            format!("2026-11-23T{hour}:00:00Z"),
            format!("2026-11-23T{hour}:30:00Z"),
        );
        free_in(&from, &to, windows, &utc)
    };
    for (direction, free) in [
        (Direction::Both, (330, 3_300)),
        (Direction::Download, (0, 3_300)),
        (Direction::Upload, (330, 0)),
    ] {
        assert_eq!(hour("03", &[window("02:00-06:00", 33, direction)]), free);
    }
    let two = [
        window("02:00-04:00", 50, Direction::Download),
        window("03:00-06:00", 100, Direction::Both),
    ];
    assert_eq!(hour("03", &two), (0, 5_000), "the second is not asked");
    assert_eq!(hour("04", &two), (1_000, 10_000));
    assert_eq!(hour("06", &two), (0, 0));
    // 2026-11-23 is a Monday.
    assert_eq!(
        hour("03", &[window("2-7 02:00-06:00", 100, Direction::Both)]),
        (0, 0)
    );
    assert_eq!(
        hour("03", &[window("1 00:00-00:00", 100, Direction::Both)]),
        (1_000, 10_000)
    );
    // A row that says more than all of it.
    assert_eq!(
        hour("03", &[window("02:00-06:00", 255, Direction::Both)]),
        (1_000, 10_000)
    );
}

#[test]
fn weekdays_change_at_midnight_and_business_days_when_they_start() {
    let calendar = Calendar::new("Asia/Baghdad", 5).unwrap();
    let friday = window("5 00:00-00:00", 100, Direction::Both);
    // 2026-11-27 is a Friday; it begins at 21:00 UTC, and its business day five minutes later.
    let (from, to) = (at("2026-11-26T20:55:00Z"), at("2026-11-26T21:10:00Z"));
    let days = spread(Traffic::new(0, 1_500), from, to, &[friday], &calendar);
    let parts: Vec<_> = days
        .iter()
        .map(|(day, usage)| (day.to_string(), usage.raw.download, usage.free.download))
        .collect();
    assert_eq!(
        parts,
        [
            ("2026-11-26".into(), 1_000, 500),
            ("2026-11-27".into(), 500, 500)
        ]
    );
}

#[test]
fn a_change_of_the_clock_is_an_edge() {
    let berlin = Calendar::new("Europe/Berlin", 5).unwrap();
    // Forward from 02:00 to 03:00 at 01:00 UTC: a window from 02:30 opens at 03:00, the first reading there is.
    let window = [window("02:30-04:00", 100, Direction::Both)];
    let (from, to) = ("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z");
    assert_eq!(free_in(from, to, &window, &berlin).1, 3_333);
    // Back from 03:00 to 02:00 at 01:00 UTC: it is open from 02:30 to 03:00, then from 02:30 again to 04:00.
    let (from, to) = ("2026-10-25T00:00:00Z", "2026-10-25T04:00:00Z");
    assert_eq!(free_in(from, to, &window, &berlin).1, 5_000);
}

#[test]
fn nothing_is_free_of_the_old_end_of_a_broken_clock() {
    let always = [window("00:00-00:00", 100, Direction::Both)];
    let (from, to) = (at("1990-01-01T00:00:00Z"), at("2026-01-01T12:00:00Z"));
    let days = spread(
        Traffic::new(0, 1 << 40),
        from,
        to,
        &always,
        &Calendar::utc(),
    );
    let (first, others) = days.split_first().unwrap();
    assert_eq!(first.1.free, Traffic::ZERO);
    assert!(
        others
            .iter()
            .all(|(_, usage)| usage.free == usage.raw && usage.raw != Traffic::ZERO)
    );
}

fn windows() -> impl Strategy<Value = Vec<FreeWindow>> {
    let direction = prop_oneof![
        Just(Direction::Both),
        Just(Direction::Download),
        Just(Direction::Upload)
    ];
    let one = (0u8..128, 0u16..1_440, 0u16..1_440, 0u8..=100, direction);
    let one = one.prop_map(
        |(weekdays, start, end, free_percent, direction)| FreeWindow {
            window: Window {
                weekdays,
                start,
                end,
            },
            free_percent,
            direction,
        },
    );
    proptest::collection::vec(one, 0..=crate::domain::hours::MOST_WINDOWS)
}

/// What is free, minute by minute, for spans of whole minutes: the rule without any edge.
fn minute_by_minute(
    from: Timestamp,
    minutes: i64,
    windows: &[FreeWindow],
    calendar: &Calendar,
) -> u64 {
    let free = |minute: i64| {
        let clock = calendar.wall_clock(from.plus(minute * MINUTE));
        let open = windows.iter().find(|w| w.window.holds(&clock));
        open.map_or(0, |w| freed(Traffic::new(0, 100), w).download)
    };
    (0..minutes).map(free).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn parts_add_up_and_nothing_is_more_free_than_it_is(
        octets in any::<(u32, u64)>(), from in 0i64..4_000_000_000, lasts in -1_000_000i64..10_000_000,
        ms in 0i64..1_000, windows in windows(), zone in 0usize..3,
    ) {
        let zone = ["UTC", "Asia/Baghdad", "Europe/Berlin"][zone];
        let calendar = Calendar::new(zone, 5).unwrap();
        let from = Timestamp(from * SECOND + ms);
        let whole = Traffic::new(octets.0.into(), octets.1);
        let days = spread(whole, from, from.plus(lasts * SECOND), &windows, &calendar);
        let sum = days.iter().fold(Usage::ZERO, |sum, (_, usage)| sum + *usage);
        prop_assert_eq!(sum.raw, whole);
        prop_assert!(days.iter().all(|(_, usage)| usage.free.lowest(usage.raw) == usage.free));
        prop_assert!(days.windows(2).all(|pair| pair[0].0 < pair[1].0));
        // Raw octets fall to days as they do without windows.
        let plain = spread(whole, from, from.plus(lasts * SECOND), &[], &calendar);
        let raw = |days: &[(Day, Usage)]| days.iter().map(|(day, u)| (*day, u.raw)).collect::<Vec<_>>();
        prop_assert_eq!(raw(&plain), raw(&days));
    }

    #[test]
    fn edges_are_where_the_clock_on_the_wall_says(
        from in 0i64..40_000_000, minutes in 1i64..3_000, windows in windows(), zone in 0usize..3,
    ) {
        let zone = ["UTC", "Asia/Baghdad", "Europe/Berlin"][zone];
        let calendar = Calendar::new(zone, 5).unwrap();
        // A hundred octets a minute; each part may round one down.
        let from = Timestamp(from * MINUTE);
        let whole = Traffic::new(0, u64::try_from(minutes).unwrap() * 100);
        let days = spread(whole, from, from.plus(minutes * MINUTE), &windows, &calendar);
        let free: u64 = days.iter().map(|(_, usage)| usage.free.download).sum();
        let wanted = minute_by_minute(from, minutes, &windows, &calendar);
        prop_assert!(free <= wanted + 200 && wanted <= free + 200, "{} {}", free, wanted);
    }

    #[test]
    fn any_span_is_spread(from in any::<i64>(), to in any::<i64>(), windows in windows()) {
        let whole = Traffic::new(u64::MAX, 1);
        let days = spread(whole, Timestamp(from), Timestamp(to), &windows, &Calendar::utc());
        let upload = days.iter().fold(0u64, |sum, (_, usage)| sum.checked_add(usage.raw.upload).unwrap());
        prop_assert_eq!(upload, u64::MAX);
    }
}

#[test]
fn a_short_span_in_one_window_is_one_part() {
    let (from, to) = (at("2026-11-23T02:00:00Z"), at("2026-11-23T02:01:00Z"));
    let days = spread(Traffic::new(7, 9), from, to, &[night()], &Calendar::utc());
    let raw = Traffic::new(7, 9);
    let day = Calendar::utc().day(to);
    assert_eq!(days, [(day, Usage { raw, free: raw })]);
}
