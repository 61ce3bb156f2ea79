use super::*;
use crate::domain::time::{DAY, HOUR};

fn calendar() -> Calendar {
    Calendar::new("Europe/Berlin", 5).unwrap()
}

fn at(text: &str) -> Timestamp {
    calendar().parse_minute(text).unwrap()
}

#[test]
fn a_schedule_is_due_at_its_hour_and_not_before() {
    // 2026-11-22 is a Sunday.
    for (schedule, now, last, next) in [
        (
            "daily 3",
            "2026-11-22 03:00",
            "2026-11-22 03:00",
            "2026-11-23 03:00",
        ),
        (
            "daily 3",
            "2026-11-22 02:59",
            "2026-11-21 03:00",
            "2026-11-22 03:00",
        ),
        // Before the business day begins it is the new date already.
        (
            "daily 0",
            "2026-11-22 00:01",
            "2026-11-22 00:00",
            "2026-11-23 00:00",
        ),
        (
            "weekly 7 23",
            "2026-11-22 22:59",
            "2026-11-15 23:00",
            "2026-11-22 23:00",
        ),
        (
            "weekly 7 23",
            "2026-11-22 23:00",
            "2026-11-22 23:00",
            "2026-11-29 23:00",
        ),
        (
            "weekly 1 3",
            "2026-11-22 12:00",
            "2026-11-16 03:00",
            "2026-11-23 03:00",
        ),
        (
            "monthly 1 3",
            "2026-12-01 02:59",
            "2026-11-01 03:00",
            "2026-12-01 03:00",
        ),
        (
            "monthly 31 3",
            "2027-02-28 03:00",
            "2027-02-28 03:00",
            "2027-03-31 03:00",
        ),
        (
            "monthly 31 3",
            "2027-02-28 02:59",
            "2027-01-31 03:00",
            "2027-02-28 03:00",
        ),
        // The hour that the clocks jump over, and the one that comes twice: once each.
        (
            "daily 2",
            "2026-03-29 04:00",
            "2026-03-29 03:00",
            "2026-03-30 02:00",
        ),
        (
            "daily 2",
            "2026-10-25 12:00",
            "2026-10-25 02:00",
            "2026-10-26 02:00",
        ),
    ] {
        let read = Schedule::parse(schedule).unwrap();
        assert_eq!(read.to_string(), schedule);
        let (calendar, now_at) = (calendar(), at(now));
        assert_eq!(
            read.last_due(&calendar, now_at),
            Some(at(last)),
            "{schedule} {now}"
        );
        assert_eq!(
            read.next_due(&calendar, now_at),
            Some(at(next)),
            "{schedule} {now}"
        );
    }
    let twice = Schedule::parse("daily 2").unwrap();
    let first = at("2026-10-25 02:00");
    assert_eq!(
        twice.last_due(&calendar(), first.plus(HOUR + 1)),
        Some(first)
    );
}

#[test]
fn what_is_no_schedule_is_refused() {
    for text in [
        "",
        "hourly 3",
        "daily",
        "daily 24",
        "daily -1",
        "daily 3 3",
        "weekly 3",
        "weekly 0 3",
        "weekly 8 3",
        "weekly 7 24",
        "monthly 0 3",
        "monthly 32 3",
        "monthly 1",
    ] {
        assert!(Schedule::parse(text).is_err(), "{text}");
    }
    let keep = Retention {
        days: 1,
        weeks: 0,
        months: 300,
    };
    assert_eq!(Retention::parse(&keep.to_string()), Some(keep));
    for text in ["", "1 2", "1 2 3 4", "1 2 x", "-1 2 3"] {
        assert_eq!(Retention::parse(text), None, "{text}");
    }
}

#[derive(Clone, Copy)]
enum Fate {
    Proven,
    Bad,
    Untested,
    Failed,
}

fn backup(began_at: Timestamp, fate: Fate) -> Backup {
    let test = |problem: Option<&str>| {
        Some(RestoreTest {
            at: began_at,
            took_ms: 1,
            problem: problem.map(str::to_owned),
        })
    };
    Backup {
        began_at,
        by: Trigger::Schedule,
        name: format!("backup_{}", calendar().format(began_at)),
        took_ms: 1,
        octets: 1,
        rows: 1,
        subscribers: 1,
        error: matches!(fate, Fate::Failed).then(|| "full".to_owned()),
        test: match fate {
            Fate::Proven => test(None),
            Fate::Bad => test(Some("a row is missing")),
            Fate::Untested | Fate::Failed => None,
        },
        sent: None,
    }
}

/// What stays of one backup a day, the newest of which is of today; by how many days old they are.
fn kept(fates: &[Fate], keep: (u16, u16, u16)) -> Vec<usize> {
    // A Sunday.
    let today = at("2026-11-22 03:00");
    let ago = |days: usize| today.plus(-DAY * i64::try_from(days).unwrap());
    let backups: Vec<Backup> = fates
        .iter()
        .enumerate()
        .map(|(days, fate)| backup(ago(days), *fate))
        .collect();
    let (days, weeks, months) = keep;
    let keep = Retention {
        days,
        weeks,
        months,
    };
    let calendar = calendar();
    let going = surplus(&backups, keep, &calendar);
    (0..backups.len())
        .filter(|place| !going.contains(&&backups[*place]))
        .collect()
}

#[test]
fn the_newest_of_each_day_week_and_month_stays() {
    use Fate::Proven;
    let year = [Proven; 400];
    assert_eq!(kept(&year, (3, 0, 0)), [0, 1, 2]);
    // Sundays are the newest of their weeks.
    assert_eq!(kept(&year, (0, 3, 0)), [0, 7, 14]);
    // 22 November, 31 October, 30 September.
    assert_eq!(kept(&year, (0, 0, 3)), [0, 22, 53]);
    assert_eq!(kept(&year, (2, 2, 2)), [0, 1, 7, 22]);
    assert_eq!(kept(&year, (0, 0, 0)), [0], "the last good one stays");
    assert!(kept(&[], (3, 3, 3)).is_empty());
    // Two of one day: the newer stays.
    let noon = at("2026-11-22 12:00");
    let both = [backup(noon, Proven), backup(noon.plus(-9 * HOUR), Proven)];
    let keep = Retention {
        days: 7,
        weeks: 4,
        months: 6,
    };
    assert_eq!(surplus(&both, keep, &calendar()), [&both[1]]);
}

#[test]
fn what_may_be_needed_is_never_removed() {
    use Fate::{Bad, Failed, Proven, Untested};
    // Nothing is proven: nothing goes.
    assert_eq!(kept(&[Bad, Bad, Untested, Failed], (1, 0, 0)), [0, 1, 2, 3]);
    // The last good one stays though newer ones fill all places.
    assert_eq!(
        kept(&[Untested, Untested, Untested, Proven, Proven], (1, 0, 0)),
        [0, 1, 2, 3]
    );
    // Bad ones newer than it stay to be looked at; older ones go, and neither takes a place.
    assert_eq!(
        kept(&[Bad, Proven, Bad, Proven, Proven], (2, 0, 0)),
        [0, 1, 3]
    );
    // A try that failed has no file to remove.
    assert_eq!(kept(&[Proven, Failed, Proven], (1, 0, 0)), [0, 1]);
    assert!(backup(at("2026-11-22 03:00"), Proven).is_proven());
    for fate in [Bad, Untested, Failed] {
        assert!(!backup(at("2026-11-22 03:00"), fate).is_proven());
    }
}

#[test]
fn a_backup_is_sent_once_and_tried_again_once_after_an_hour() {
    use Fate::{Bad, Failed, Proven, Untested};
    let made = at("2026-11-22 03:00");
    let sent = |tries: u8, problem: Option<&str>| {
        Some(Sent {
            at: made,
            took_ms: 1,
            octets: 1,
            tries,
            problem: problem.map(str::to_owned),
            note: Some("old ones stay".to_owned()),
        })
    };
    let (early, late) = (HOUR - 1, HOUR);
    for (fate, sent, since, after, is_to_send) in [
        (Proven, None, 0, 0, true),
        (Proven, None, 1, 0, false),
        (Untested, None, 0, 0, true),
        (Bad, None, 0, 0, false),
        (Failed, None, 0, 0, false),
        (Proven, sent(1, None), 0, late, false),
        (Proven, sent(1, Some("away")), 0, early, false),
        (Proven, sent(1, Some("away")), 0, late, true),
        // Tried before the machine was another one.
        (Proven, sent(1, Some("away")), 1, late, true),
        (Proven, sent(MOST_TRIES, Some("away")), 0, late, false),
        (Bad, sent(1, Some("away")), 0, late, false),
        // The clock was set back.
        (Proven, sent(1, Some("away")), 0, -DAY, false),
    ] {
        let backup = Backup {
            sent,
            ..backup(made, fate)
        };
        let found = backup.is_to_send(made.plus(since), made.plus(after));
        assert_eq!(found, is_to_send, "{backup:?}");
    }
}

#[test]
fn elsewhere_only_old_files_of_ours_go() {
    let day = |day: u32| format!("backup_2026-11-{day:02}_03-00-00.enc");
    let days: Vec<String> = [3, 1, 5, 2, 4].map(day).into();
    let theirs = [
        "photos.zip",
        "backup_2026-11-01_03-00-00.enc.part",
        "old-backup_2026-11-01_03-00-00.enc",
        "backup_2026-11-1_03-00-00.enc",
        "backup_2026-11-0x_03-00-00.enc",
        "uploaded_2026-11-01_03-00-00.enc",
        "",
    ];
    let going = |keep, sent: &str| -> Vec<String> {
        let names = days.iter().map(String::as_str).chain(theirs);
        let going = surplus_elsewhere(names, keep, sent);
        going.into_iter().map(str::to_owned).collect()
    };
    assert_eq!(going(0, &day(5)), [""; 0]);
    assert_eq!(going(1, &day(5)), [4, 3, 2, 1].map(day));
    assert_eq!(going(2, &day(5)), [3, 2, 1].map(day));
    assert_eq!(going(4, &day(5)), [day(1)]);
    assert_eq!(going(5, &day(5)), [""; 0]);
    assert_eq!(going(u16::MAX, &day(5)), [""; 0]);
    // An old one that a person sent stays, and takes a place.
    assert_eq!(going(2, &day(1)), [4, 3, 2].map(day));
    // Of another name.
    assert_eq!(going(2, "mine.enc"), [4, 3, 2, 1].map(day));
    assert!(is_dated_name(&day(1)));
    for name in theirs {
        assert!(!is_dated_name(name), "{name}");
    }
}
