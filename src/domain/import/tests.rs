//! Headings, states and dates, as lists have them.

use super::*;
use crate::domain::time::{Calendar, Day, HOUR, SECOND, Timestamp};

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

#[test]
fn headings_are_known_by_many_names() {
    for (heading, column) in [
        ("username", Some(Column::UserName)),
        (" User-Name ", Some(Column::UserName)),
        ("PPPoE Username", Some(Column::UserName)),
        ("اسم المستخدم", Some(Column::UserName)),
        ("كلمة المرور", Some(Column::Password)),
        ("Package", Some(Column::Plan)),
        ("First Name", Some(Column::FullName)),
        ("last_name", Some(Column::FullName)),
        ("الهاتف", Some(Column::Phone)),
        ("Expiration Date", Some(Column::ExpiresAt)),
        ("Calling-Station-Id", Some(Column::Macs)),
        ("contract_no", Some(Column::Notes)),
        ("Balance", Some(Column::Notes)),
        // Another program's passwords of its portal are nobody's business in notes.
        ("portal_password", None),
        ("monthly_used_bytes", None),
        ("id", None),
        ("", None),
    ] {
        assert_eq!(Column::guess(heading), column, "{heading}");
    }
    for column in Column::ALL {
        assert_eq!(
            Column::guess(column.word()),
            Some(column),
            "what we write is read"
        );
        assert_eq!(Column::from_word(column.word()), Some(column));
    }
    assert!(Column::is_plain_note("Comment ") && !Column::is_plain_note("balance"));
}

#[test]
fn dates_are_read_as_they_are_written_elsewhere() {
    use DateOrder::{DayFirst, MonthFirst};
    let last = day("2026-12-31");
    for (text, order, read) in [
        ("2026-12-31", DayFirst, ReadDate::Day(last)),
        ("2026/12/31", MonthFirst, ReadDate::Day(last)),
        ("31/12/2026", DayFirst, ReadDate::Day(last)),
        ("12/31/2026", MonthFirst, ReadDate::Day(last)),
        ("31.12.2026", DayFirst, ReadDate::Day(last)),
        ("٣١/١٢/٢٠٢٦", DayFirst, ReadDate::Day(last)),
        ("31 Dec 2026", MonthFirst, ReadDate::Day(last)),
        ("December 31, 2026", DayFirst, ReadDate::Day(last)),
        ("31-Dec-2026 00:00:00", DayFirst, ReadDate::Day(last)),
        ("2026-12-31 23:59:59", DayFirst, ReadDate::Day(last)),
        ("2026-12-31 18:30", DayFirst, ReadDate::Minute(last, 1_110)),
        (
            "2026-12-31T18:30:59",
            DayFirst,
            ReadDate::Minute(last, 1_110),
        ),
        (
            "12/31/2026 6:30 PM",
            MonthFirst,
            ReadDate::Minute(last, 1_110),
        ),
        ("31/12/2026 12:30 am", DayFirst, ReadDate::Minute(last, 30)),
        ("46387", DayFirst, ReadDate::Day(last)),
        ("46387.770833", DayFirst, ReadDate::Minute(last, 1_110)),
        (
            "2026-12-31T20:59:59Z",
            DayFirst,
            ReadDate::Instant(Timestamp(
                i64::from(last.0) * 24 * HOUR + 21 * HOUR - SECOND,
            )),
        ),
        ("03/04/2026", DayFirst, ReadDate::Day(day("2026-04-03"))),
        ("03/04/2026", MonthFirst, ReadDate::Day(day("2026-03-04"))),
    ] {
        assert_eq!(read_date(text, order), Ok(read), "{text}");
    }
    for text in [
        "",
        "never",
        "31/12/26",
        "31/13/2026",
        "30/02/2026",
        "2026-12",
        "2026-12-31-1",
        "2026-12-31 24:00",
        "2026-12-31 2000:00",
        "2026-12-31 18:60",
        "2026-12-31 18",
        "19999",
        "80236",
        "46387.",
        "1/2/3/2026",
        "T:",
        "Déc 1 2026",
        "99999999999/1/2026",
    ] {
        assert!(read_date(text, DayFirst).is_err(), "{text}");
    }
}

#[test]
fn a_day_is_paid_to_its_end_and_an_hour_is_that_hour() {
    let calendar = Calendar::new("Asia/Baghdad", 0).unwrap();
    let last = day("2026-12-31");
    let end = calendar.end_of(last);
    assert_eq!(ReadDate::Day(last).end(&calendar), end);
    assert_eq!(ReadDate::Day(last).start(&calendar), end.plus(-24 * HOUR));
    let at = ReadDate::Minute(last, 1_110);
    assert_eq!(at.end(&calendar), end.plus(-11 * HOUR / 2));
    assert_eq!(at.start(&calendar), at.end(&calendar));
    let instant = ReadDate::Instant(Timestamp(5));
    assert_eq!(instant.end(&calendar), Timestamp(5));
}

#[test]
fn the_order_of_dates_is_asked_for_only_when_they_do_not_show_it() {
    let of = |texts: &[&str]| {
        let mut orders = Orders::default();
        texts.iter().for_each(|text| orders.note(text));
        orders.shown()
    };
    assert_eq!(of(&["03/04/2026", "13/04/2026"]), Some(DateOrder::DayFirst));
    assert_eq!(
        of(&["03/04/2026", "04/13/2026"]),
        Some(DateOrder::MonthFirst)
    );
    assert_eq!(of(&["03/04/2026", "04/04/2026"]), None);
    for (text, order) in [
        ("12/04/2026", None),
        ("04/12/2026", None),
        ("13/12/2026", Some(DateOrder::DayFirst)),
        ("12/13/2026", Some(DateOrder::MonthFirst)),
    ] {
        assert_eq!(of(&[text]), order, "{text}");
    }
    // The same day either way, and dates that show their order by themselves.
    assert_eq!(
        of(&["04/04/2026", "2026-03-04", "3 Apr 2026", "46387", "x"]),
        Some(DateOrder::DayFirst)
    );
    assert_eq!(of(&["13/04/2026", "04/13/2026"]), Some(DateOrder::DayFirst));
}

#[test]
fn states_are_read_in_two_languages() {
    for (text, state) in [
        ("", ReadState::Enabled),
        ("Active", ReadState::Enabled),
        ("١", ReadState::Enabled),
        ("فعال", ReadState::Enabled),
        ("DISABLED", ReadState::Suspended),
        ("0", ReadState::Suspended),
        ("موقوف", ReadState::Suspended),
        ("expired", ReadState::Expired),
    ] {
        assert_eq!(ReadState::read(text), Ok(state), "{text}");
    }
    assert!(ReadState::read("perhaps").is_err());
}

#[test]
fn numbers_that_a_spreadsheet_shortened_are_noticed() {
    for (text, is) in [
        ("9.64771E+11", true),
        ("9E+11", true),
        ("9647712345678", false),
        ("ali.E+1", false),
        ("12.5E+3", false),
        ("1e5", false),
        ("E+5", false),
    ] {
        assert_eq!(is_shortened(text), is, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9٠-٩a-zT:/. ,+Z-]{0,24}", any in ".{0,40}") {
        for text in [&text, &any] {
            for order in [DateOrder::DayFirst, DateOrder::MonthFirst] {
                let _ = read_date(text, order);
            }
            Orders::default().note(text);
            let _ = (ReadState::read(text), is_shortened(text), Column::guess(text));
        }
    }

    #[test]
    fn every_day_is_read_in_every_way(days in 0_i32..50_000) {
        let day = Day(days);
        let date = day.date();
        let (y, m, d) = (date.year(), date.month(), date.day());
        for (text, order) in [
            (format!("{day}"), DateOrder::DayFirst),
            (format!("{d}/{m}/{y}"), DateOrder::DayFirst),
            (format!("{m}-{d}-{y}"), DateOrder::MonthFirst),
            (format!("{d:02}.{m:02}.{y} 00:00"), DateOrder::DayFirst),
            (format!("{}", days + 25_569), DateOrder::DayFirst),
        ] {
            proptest::prop_assert_eq!(read_date(&text, order), Ok(ReadDate::Day(day)), "{}", text);
        }
    }
}
