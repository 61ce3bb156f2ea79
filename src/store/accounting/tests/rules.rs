//! Which session a record belongs to, and which sessions end with it (rules.md section 2).

use super::*;

fn of(username: &str, subscriber: u32, record: Record) -> Record {
    Record {
        username: username.into(),
        subscriber: Some(SubscriberId(subscriber)),
        login: Some(LoginId(subscriber.into())),
        ..record
    }
}

/// The same router, another session.
fn session(id: &str, record: Record) -> Record {
    Record {
        acct_session_id: id.as_bytes().to_vec(),
        ..record
    }
}

fn on_port(port: u32, record: Record) -> Record {
    let place = Place {
        nas_port: Some(port),
        ..Place::default()
    };
    Record { place, ..record }
}

fn open(bench: &Bench) -> Vec<String> {
    let live = bench.accounting.live();
    let mut open: Vec<String> = live
        .open_sessions()
        .map(Session::acct_session_id_text)
        .collect();
    open.sort();
    assert_eq!(open.len(), live.open_count());
    open
}

fn cause(bench: &Bench, id: &str) -> Option<Cause> {
    let sessions = bench.sessions();
    let session = sessions.values().find(|s| s.acct_session_id_text() == id);
    session.unwrap().stopped.map(|s| s.cause)
}

#[test]
fn one_session_id_of_two_subscribers_is_two_sessions_and_names_have_no_case() {
    let bench = bench(AT_ONCE);
    bench.give(of("ali", 1, interim(60, 1, 10)));
    bench.give(of("sara", 2, interim(60, 2, 20)));
    bench.give(of("ALI", 1, interim(120, 3, 30)));
    let elsewhere = Record {
        nas: NasId(2),
        ..interim(60, 4, 40)
    };
    bench.give(of("ali", 1, elsewhere));
    assert_eq!(bench.sessions().len(), 3);
    assert_eq!(bench.booked_to(ALI), Traffic::new(7, 70));
    assert_eq!(bench.booked_to(SubscriberId(2)), Traffic::new(2, 20));
    assert_eq!(bench.accounting.live().open_of(ALI).count(), 2);
    assert_eq!(bench.accounting.live().online().len(), 2);
}

#[test]
fn a_router_that_restarts_ends_its_own_sessions_that_began_before() {
    for (kind, wanted) in [
        (RecordKind::On, Cause::NasReboot),
        (RecordKind::Off, Cause::NasOff),
    ] {
        let bench = bench(AT_ONCE);
        bench.give(session("old", interim(60, 1, 1)));
        let other_nas = Record {
            nas: NasId(2),
            ..interim(60, 1, 1)
        };
        bench.give(session("other", other_nas));
        let restart = Record {
            subscriber: None,
            username: String::new(),
            session_time: None,
            totals: None,
            ..session("x", record(kind, 100, 0, 0))
        };
        let young = Record {
            session_time: Some(0),
            ..record(RecordKind::Start, 101, 0, 0)
        };
        bench.give(session("young", young));
        bench.give(restart);
        assert_eq!(open(&bench), ["other", "young"]);
        assert_eq!(cause(&bench, "old"), Some(wanted));
        assert!(!bench.sessions().values().any(|s| s.acct_session_id == b"x"));
        assert!(bench.accounting.fold());
        assert_eq!(open(&bench), ["other", "young"]);
        assert_eq!(
            bench.after_power_loss(|| false).sessions(),
            bench.sessions()
        );
    }
}

#[test]
fn a_start_on_the_same_line_ends_the_session_whose_stop_was_lost() {
    let bench = bench(AT_ONCE);
    let start = |id, at, port| {
        let start = Record {
            session_time: Some(0),
            ..record(RecordKind::Start, at, 0, 0)
        };
        on_port(port, session(id, start))
    };
    bench.give(start("a", 0, 5));
    bench.give(on_port(5, session("a", interim(60, 1, 10))));
    bench.give(start("b", 100, 6));
    assert_eq!(open(&bench), ["a", "b"], "another port is another line");
    bench.give(start("c", 200, 5));
    assert_eq!(open(&bench), ["b", "c"]);
    assert_eq!(cause(&bench, "a"), Some(Cause::Lost));
    assert_eq!(
        bench
            .sessions()
            .values()
            .next()
            .unwrap()
            .stopped
            .unwrap()
            .at,
        Timestamp::from_seconds(T0 + 60),
        "it ended with its last word"
    );
    // The Start of an older session that comes late does not end the one that has the line now.
    bench.give(start("late", 150, 5));
    assert_eq!(open(&bench), ["b", "c", "late"]);
    // Its real Stop comes after all and carries the last figures.
    bench.give(on_port(5, session("a", record(STOP, 90, 2, 20))));
    assert_eq!(cause(&bench, "a"), Some(Cause::Radius(1)));
    assert_eq!(bench.booked_to(ALI), Traffic::new(2, 20));
}

#[test]
fn a_session_that_spoke_again_is_not_given_up() {
    let bench = bench(AT_ONCE);
    bench.give(interim(60, 1, 10));
    let id = bench.only_session().id;
    let heard = Timestamp::from_seconds(T0 + 60);
    bench.give(interim(120, 2, 20));
    bench.accounting.give_up(id, heard);
    bench.give(interim(120, 2, 20));
    assert_eq!(bench.only_session().stopped, None);
    bench
        .accounting
        .give_up(id, Timestamp::from_seconds(T0 + 120));
    bench.give(interim(120, 2, 20));
    assert_eq!(bench.only_session().stopped.unwrap().cause, Cause::Lost);
    bench.give(interim(180, 3, 30));
    let session = bench.only_session();
    assert_eq!(
        (session.stopped, session.resumed),
        (None, true),
        "it lives after all"
    );
    assert_eq!(bench.booked_to(ALI), Traffic::new(3, 30));
}

#[test]
fn what_the_router_was_told_stays_with_the_session() {
    use crate::domain::rate::{Rate, RateLimit};
    let limit = |kbps| RateLimit {
        rate: Rate::new(kbps, kbps),
        burst: None,
        priority: 8,
    };
    let bench = bench(AT_ONCE);
    let promised = Record {
        told: Some(limit(64)),
        ..interim(60, 1, 10)
    };
    bench.give(promised.clone());
    let id = bench.only_session().id;
    assert_eq!(bench.only_session().told, Some(limit(64)));
    for is_folded in [false, true] {
        bench.accounting.tell(id, limit(128), Box::new(|| ()));
        // The records that follow still carry the promise of the login.
        bench.give(promised.clone());
        assert_eq!(bench.only_session().told, Some(limit(128)), "{is_folded}");
        assert!(bench.accounting.fold());
    }
    bench
        .accounting
        .tell(SessionId(99), limit(1), Box::new(|| ()));
    let bench = bench.restart();
    assert_eq!(bench.only_session().told, Some(limit(128)));
    bench.give(record(STOP, 120, 2, 20));
    bench.accounting.tell(id, limit(256), Box::new(|| ()));
    bench.give(record(STOP, 120, 2, 20));
    assert_eq!(bench.only_session().told, Some(limit(128)), "it has ended");
}

#[test]
fn a_discount_is_free_of_session_day_and_month_and_never_more_than_there_is() {
    let bench = bench(AT_ONCE);
    let at = |seconds: i64| Timestamp::from_seconds(T0 + seconds);
    bench.give(interim(60, 100, 1_000));
    let id = bench.only_session().id;
    let again = || bench.give(interim(60, 100, 1_000));
    let free = || {
        again();
        bench.usage_of(ALI).free
    };
    bench.accounting.discount(id, Traffic::new(10, 400), at(60));
    assert_eq!(free(), Traffic::new(10, 400));
    // Folded or not, the day has 600 left to count.
    assert!(bench.accounting.fold());
    bench.accounting.discount(id, Traffic::new(0, 601), at(60));
    assert_eq!(free(), Traffic::new(10, 1_000));
    bench.accounting.discount(id, Traffic::new(0, 1), at(60));
    assert_eq!(free(), Traffic::new(10, 1_000));
    // Another session of the same day has more, which is not this session's.
    bench.give(session("b", interim(60, 100, 1_000)));
    bench.accounting.discount(id, Traffic::new(0, 1), at(60));
    assert_eq!(free(), Traffic::new(10, 1_000));
    // Nor is anything free on a day without octets.
    bench
        .accounting
        .discount(id, Traffic::new(1, 0), at(-86_400));
    assert_eq!(free(), Traffic::new(10, 1_000));
    assert_eq!(bench.usage_of(ALI).raw, Traffic::new(200, 2_000));
}

#[test]
fn a_discount_finds_a_session_that_has_ended_and_leaves_those_of_nobody() {
    let bench = bench(AT_ONCE);
    bench.give(record(STOP, 60, 100, 1_000));
    let id = bench.only_session().id;
    assert!(bench.accounting.fold());
    let at = Timestamp::from_seconds(T0);
    bench.accounting.discount(id, Traffic::new(1, 2), at);
    bench
        .accounting
        .discount(SessionId(99), Traffic::new(1, 2), at);
    let nobody = Record {
        subscriber: None,
        ..session("b", interim(60, 5, 50))
    };
    bench.give(nobody.clone());
    let nobodys = bench.sessions().into_keys().next_back().unwrap();
    bench.accounting.discount(nobodys, Traffic::new(1, 2), at);
    bench.give(nobody);
    assert_eq!(bench.sessions()[&nobodys].free, Traffic::ZERO);
    for _ in 0..2 {
        assert_eq!(bench.sessions()[&id].free, Traffic::new(1, 2));
        assert_eq!(bench.usage_of(ALI).counted(), Traffic::new(99, 998));
        assert!(bench.accounting.fold());
    }
    assert_eq!(
        bench.accounting.live().in_memory(),
        1,
        "only the open one stays"
    );
}

#[test]
fn beyond_the_room_new_sessions_are_not_answered_and_old_ones_are() {
    let bench = bench(Pace {
        most_sessions: 2,
        ..AT_ONCE
    });
    bench.give(session("a", interim(60, 1, 1)));
    bench.give(session("b", interim(60, 1, 1)));
    assert!(!is_answered(&bench.send(session("c", interim(60, 1, 1)))));
    let failing = || bench.accounting.health().failing;
    until(|| failing().is_some_and(|why| why.starts_with("2 sessions")));
    bench.give(session("a", interim(120, 2, 2)));
    bench.give(session("b", record(STOP, 120, 2, 2)));
    assert!(bench.accounting.fold());
    bench.give(session("c", interim(60, 1, 1)));
    assert_eq!(bench.accounting.health().failing, None);
    assert_eq!(open(&bench), ["a", "c"]);
}

#[test]
fn a_session_of_nobody_is_booked_once_somebody_is_known() {
    let bench = bench(AT_ONCE);
    let nobody = Record {
        subscriber: None,
        login: None,
        ..interim(60, 5, 50)
    };
    bench.give(nobody);
    assert!(bench.accounting.fold());
    assert_eq!(bench.booked_to(ALI), Traffic::ZERO);
    bench.give(record(STOP, 120, 6, 60));
    assert_eq!(bench.booked_to(ALI), Traffic::new(6, 60));
    assert!(bench.accounting.fold());
    assert_eq!(bench.booked_to(ALI), Traffic::new(6, 60));
    let picture = bench.accounting.picture().unwrap();
    assert_eq!(picture.sessions_of(ALI, 9).unwrap().len(), 1);
}
