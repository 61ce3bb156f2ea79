//! The rules of usage, one table row or test per sentence of rules.md section 2.

use super::*;
use crate::domain::id::{LoginId, NasId, SubscriberId};
use crate::domain::session::Place;
use crate::domain::time::HOUR;

const T0: i64 = 1_780_000_000;

fn record(kind: RecordKind, at: i64, seconds: u32, upload: u64, download: u64) -> Record {
    Record {
        kind,
        nas: NasId(1),
        nas_since: Timestamp(0),
        acct_session_id: b"81a00001".to_vec(),
        username: "Ali".into(),
        subscriber: Some(SubscriberId(1)),
        login: None,
        event_at: Timestamp::from_seconds(T0 + at),
        received_at: Timestamp::from_seconds(T0 + at),
        session_time: Some(seconds),
        totals: Some(Traffic::new(upload, download)),
        has_gigawords: true,
        place: Place::default(),
        free_windows: Vec::new(),
        told: None,
    }
}

fn interim(at: i64, seconds: u32, upload: u64, download: u64) -> Record {
    record(RecordKind::Interim, at, seconds, upload, download)
}

fn started() -> Session {
    let start = Record {
        session_time: None,
        totals: None,
        ..record(RecordKind::Start, 0, 0, 0, 0)
    };
    open(SessionId(1), &start, &Calendar::utc()).0
}

fn give(session: &mut Session, record: &Record) -> Applied {
    apply(session, record, &Calendar::utc())
}

fn sum(days: &[(Day, Usage)]) -> Traffic {
    days.iter()
        .fold(Traffic::ZERO, |sum, (_, part)| sum + part.raw)
}

#[test]
fn only_what_exceeds_the_highest_is_booked() {
    let mut session = started();
    for (record, booked) in [
        (interim(60, 60, 100, 1000), (100, 1000)),
        (interim(120, 120, 150, 3000), (150, 3000)),
        // Repeated, late, and one counter ahead with the other behind.
        (interim(120, 120, 150, 3000), (150, 3000)),
        (interim(60, 60, 100, 1000), (150, 3000)),
        (interim(180, 180, 140, 3500), (150, 3500)),
        (interim(240, 240, 160, 3600), (160, 3600)),
    ] {
        give(&mut session, &record);
        assert_eq!((session.booked.upload, session.booked.download), booked);
    }
}

#[test]
fn a_repeated_record_changes_nothing() {
    let mut session = started();
    give(&mut session, &interim(60, 60, 100, 1000));
    let before = session.clone();
    assert_eq!(
        give(&mut session, &interim(60, 60, 100, 1000)),
        Applied::Nothing
    );
    assert_eq!(session, before);
}

#[test]
fn a_smaller_reading_with_more_time_is_no_reset() {
    let mut session = started();
    give(&mut session, &interim(60, 60, 5000, 5000));
    give(&mut session, &interim(120, 120, 10, 10));
    assert_eq!(session.booked, Traffic::new(5000, 5000));
    assert_eq!(session.session_time, 120);
}

#[test]
fn a_segment_opens_only_if_time_fell_and_the_packet_is_newer() {
    let mut session = started();
    give(&mut session, &interim(600, 600, 5000, 5000));
    // Older packet: late, not a new segment.
    give(&mut session, &interim(300, 300, 10, 10));
    assert_eq!(session.booked, Traffic::new(5000, 5000));
    // Newer packet and less time: counted again from zero.
    give(&mut session, &interim(660, 30, 10, 20));
    assert_eq!(session.booked, Traffic::new(5010, 5020));
    give(&mut session, &interim(720, 90, 15, 30));
    assert_eq!(session.booked, Traffic::new(5015, 5030));
}

#[test]
fn octets_without_gigawords_wrap() {
    let low = |at, seconds, download| Record {
        has_gigawords: false,
        ..interim(at, seconds, 0, download)
    };
    let mut session = started();
    give(&mut session, &low(60, 60, 4_294_000_000));
    give(&mut session, &low(120, 120, 1_000_000));
    assert_eq!(session.booked.download, WRAP + 1_000_000);
    give(&mut session, &low(180, 180, 2_000_000));
    assert_eq!(session.booked.download, WRAP + 2_000_000);
    // A small fall is a late reading, also beyond the first wrap.
    give(&mut session, &low(240, 240, 1_500_000));
    assert_eq!(session.booked.download, WRAP + 2_000_000);
    give(&mut session, &low(300, 300, 4_294_000_000));
    give(&mut session, &low(360, 360, 5));
    assert_eq!(session.booked.download, 2 * WRAP + 5);
}

#[test]
fn a_second_start_is_no_new_session() {
    let mut session = started();
    give(&mut session, &interim(60, 60, 100, 1000));
    let again = Record {
        session_time: None,
        totals: None,
        ..record(RecordKind::Start, 0, 0, 0, 0)
    };
    let nothing = Applied::Changed { booked: Vec::new() };
    assert_eq!(
        give(&mut session, &again),
        nothing,
        "it is heard, and that is all"
    );
    assert_eq!(session.booked, Traffic::new(100, 1000));
    assert_eq!(session.session_time, 60);
}

#[test]
fn an_unknown_session_is_opened_by_an_interim_and_booked_whole() {
    let (session, days) = open(SessionId(9), &interim(0, 3600, 100, 1000), &Calendar::utc());
    assert_eq!(session.started_at, Timestamp::from_seconds(T0 - 3600));
    assert_eq!(session.booked, Traffic::new(100, 1000));
    assert_eq!(sum(&days), session.booked);
}

#[test]
fn a_session_older_than_the_take_over_starts_with_a_baseline() {
    let since = |seconds| Record {
        nas_since: Timestamp::from_seconds(T0 - seconds),
        ..interim(0, 3600, 100, 1000)
    };
    let (mut session, days) = open(SessionId(9), &since(3599), &Calendar::utc());
    assert_eq!((session.booked, days.len()), (Traffic::ZERO, 0));
    give(&mut session, &interim(60, 3660, 150, 1500));
    assert_eq!(session.booked, Traffic::new(50, 500));
    // The edge: it began at the very instant of the take-over.
    let (session, _) = open(SessionId(9), &since(3600), &Calendar::utc());
    assert_eq!(session.booked, Traffic::new(100, 1000));
}

#[test]
fn after_the_stop_only_more_time_counts() {
    let mut session = started();
    give(
        &mut session,
        &record(RecordKind::Stop { cause: 1 }, 100, 100, 10, 10),
    );
    assert_eq!(session.stopped.map(|s| s.cause), Some(Cause::Radius(1)));
    for late in [
        interim(60, 60, 5, 5),
        interim(100, 100, 10, 99),
        record(RecordKind::Stop { cause: 2 }, 100, 100, 10, 10),
        record(RecordKind::Start, 0, 0, 0, 0),
    ] {
        assert_eq!(give(&mut session, &late), Applied::Nothing);
    }
    assert_eq!(session.booked, Traffic::new(10, 10));
    // It went on after all.
    assert!(matches!(
        give(&mut session, &interim(160, 160, 20, 30)),
        Applied::Changed { .. }
    ));
    assert!(session.resumed && session.stopped.is_none());
    assert_eq!(session.booked, Traffic::new(20, 30));
}

#[test]
fn a_late_real_stop_completes_a_session_that_was_given_up() {
    let mut session = started();
    give(&mut session, &interim(60, 60, 10, 10));
    close(&mut session, Timestamp::from_seconds(T0 + 60), Cause::Lost);
    let stop = record(RecordKind::Stop { cause: 2 }, 60, 60, 12, 15);
    assert!(matches!(give(&mut session, &stop), Applied::Changed { .. }));
    assert_eq!(session.stopped.map(|s| s.cause), Some(Cause::Radius(2)));
    assert_eq!(session.booked, Traffic::new(12, 15));
    assert!(!session.resumed);
    assert_eq!(give(&mut session, &stop), Applied::Nothing);
}

#[test]
fn an_id_that_is_used_again_is_another_session() {
    let mut session = started();
    give(
        &mut session,
        &record(RecordKind::Stop { cause: 1 }, 100, 100, 10, 10),
    );
    let next = Record {
        session_time: None,
        totals: None,
        ..record(RecordKind::Start, 101, 0, 0, 0)
    };
    assert_eq!(give(&mut session, &next), Applied::Other);
    assert_eq!(give(&mut session, &interim(500, 300, 1, 1)), Applied::Other);
    assert_eq!(
        give(&mut session, &interim(500, 400, 1, 1)),
        Applied::Changed { booked: vec![] }
    );
}

#[test]
fn usage_is_spread_over_midnight_and_adds_up() {
    // T0 is 2026-05-28 20:26:40 UTC.
    let mut session = started();
    let Applied::Changed { booked } = give(&mut session, &interim(86_400, 86_400, 1_000_001, 7))
    else {
        panic!()
    };
    let days: Vec<String> = booked.iter().map(|(day, _)| day.to_string()).collect();
    assert_eq!(days, ["2026-05-28", "2026-05-29"]);
    assert_eq!(sum(&booked), Traffic::new(1_000_001, 7));
    assert_eq!(
        booked[0].1.raw.upload,
        1_000_001 * (3 * HOUR as u64 + 33 * 60_000 + 20_000) / 86_400_000
    );
}

#[test]
fn a_clock_that_jumps_back_books_without_going_negative() {
    let mut session = started();
    give(&mut session, &interim(600, 600, 100, 100));
    let Applied::Changed { booked } = give(&mut session, &interim(-90_000, 660, 200, 200)) else {
        panic!()
    };
    assert_eq!(sum(&booked), Traffic::new(100, 100));
    assert_eq!(session.updated_at, Timestamp::from_seconds(T0 + 600));
}

#[test]
fn a_subscriber_created_while_online_gets_the_whole_session() {
    let nobody = |record: Record| Record {
        subscriber: None,
        ..record
    };
    let (mut session, days) = open(
        SessionId(1),
        &nobody(interim(0, 60, 100, 100)),
        &Calendar::utc(),
    );
    assert!(days.is_empty());
    assert_eq!(
        give(&mut session, &nobody(interim(60, 120, 150, 150))),
        Applied::Changed { booked: vec![] }
    );
    let Applied::Changed { booked } = give(&mut session, &interim(120, 180, 160, 160)) else {
        panic!()
    };
    assert_eq!(sum(&booked), session.booked);
    assert_eq!(session.booked, Traffic::new(160, 160));
}

#[test]
fn the_login_is_learned_from_a_later_record() {
    let mut session = started();
    let class = Record {
        login: Some(LoginId(5)),
        ..interim(60, 60, 1, 1)
    };
    give(&mut session, &class);
    assert_eq!(session.login, Some(LoginId(5)));
}

#[test]
fn a_lost_session_of_a_router_without_session_times_goes_on_as_well() {
    let untimed = |at, upload| Record {
        session_time: None,
        ..interim(at, 0, upload, 0)
    };
    let mut session = started();
    give(&mut session, &untimed(60, 100));
    let at = session.updated_at;
    close(&mut session, at, Cause::Lost);
    assert_eq!(give(&mut session, &untimed(60, 100)), Applied::Nothing);
    assert!(matches!(
        give(&mut session, &untimed(120, 150)),
        Applied::Changed { .. }
    ));
    assert_eq!(
        (session.stopped, session.booked),
        (None, Traffic::new(150, 0))
    );
    // The Stop of the router itself is believed.
    give(
        &mut session,
        &Record {
            kind: RecordKind::Stop { cause: 1 },
            ..untimed(180, 160)
        },
    );
    assert_eq!(give(&mut session, &untimed(240, 170)), Applied::Nothing);
}

#[test]
fn a_session_heard_while_our_clock_was_ahead_can_fall_silent() {
    let mut session = started();
    let at = |seconds: i64| Timestamp::from_seconds(T0 + seconds);
    for (received, upload) in [(31_536_000, 10), (120, 20)] {
        let record = Record {
            received_at: at(received),
            ..interim(120, 120, upload, 0)
        };
        give(&mut session, &record);
    }
    assert_eq!(session.booked, Traffic::new(20, 0));
    assert_eq!(
        session.presence(at(10_000), 60),
        crate::domain::session::Presence::Lost
    );
}

#[test]
fn a_repeated_start_is_heard() {
    let mut session = started();
    let again = |at| record(RecordKind::Start, at, 0, 0, 0);
    let heard = Applied::Changed { booked: Vec::new() };
    assert_eq!(give(&mut session, &again(5)), heard);
    assert_eq!(give(&mut session, &again(5)), Applied::Nothing);
}

#[test]
fn octets_of_free_hours_are_booked_and_said_to_be_free() {
    // T0 is 20:26:40 UTC; the window opens 3 minutes and 20 seconds later.
    let free_windows = vec![crate::domain::hours::FreeWindow {
        window: crate::domain::window::Window::parse("20:30-23:00").unwrap(),
        free_percent: 50,
        direction: crate::domain::quota::Direction::Download,
    }];
    let windowed = |record: Record| Record {
        free_windows: free_windows.clone(),
        ..record
    };
    let mut session = started();
    let mut free = Traffic::ZERO;
    for (record, download) in [
        (interim(200, 200, 5, 1_000), 0),
        (interim(400, 400, 10, 2_000), 500),
        // Without new octets nothing new is free.
        (interim(500, 500, 10, 2_000), 500),
        (interim(600, 600, 20, 2_001), 500),
    ] {
        let Applied::Changed { booked } = give(&mut session, &windowed(record)) else {
            panic!()
        };
        for (_, usage) in booked {
            free += usage.free;
        }
        assert_eq!(free, Traffic::new(0, download));
        assert_eq!(session.free, free);
    }
    assert_eq!(session.usage().counted(), Traffic::new(20, 1_501));
}

#[test]
fn what_was_used_before_somebody_was_known_is_free_by_the_hours_it_was_used_in() {
    let free_windows = vec![crate::domain::hours::FreeWindow {
        window: crate::domain::window::Window::parse("20:00-20:26").unwrap(),
        free_percent: 100,
        direction: crate::domain::quota::Direction::Both,
    }];
    let nobody = Record {
        subscriber: None,
        ..interim(0, 400, 0, 400)
    };
    let (mut session, _) = open(SessionId(1), &nobody, &Calendar::utc());
    assert_eq!(session.free, Traffic::ZERO);
    let Applied::Changed { booked } = give(
        &mut session,
        &Record {
            free_windows,
            ..interim(60, 460, 0, 500)
        },
    ) else {
        panic!()
    };
    // Six of the first 400 seconds and 40 more lay outside of the window.
    assert_eq!(session.free, Traffic::new(0, 360));
    let free = booked.iter().map(|(_, usage)| usage.free.download);
    assert_eq!(free.sum::<u64>(), 360);
}

#[test]
fn the_promise_of_the_login_is_kept_until_the_router_is_told_otherwise() {
    use crate::domain::rate::{Rate, RateLimit};
    let promised = |kbps| {
        Some(RateLimit {
            rate: Rate::new(kbps, kbps),
            burst: None,
            priority: 8,
        })
    };
    let told = |told, record| Record { told, ..record };
    let mut session = started();
    assert_eq!(session.told, None);
    give(&mut session, &told(promised(1), interim(60, 60, 1, 1)));
    assert_eq!(session.told, promised(1));
    give(&mut session, &told(promised(2), interim(120, 120, 2, 2)));
    assert_eq!(
        session.told,
        promised(1),
        "the first word was that of the login"
    );
    let start = told(promised(3), record(RecordKind::Start, 0, 0, 0, 0));
    let (mut session, _) = open(SessionId(2), &start, &Calendar::utc());
    assert_eq!(session.told, promised(3));
    session.told = promised(4);
    give(&mut session, &start);
    assert_eq!(session.told, promised(4));
}
