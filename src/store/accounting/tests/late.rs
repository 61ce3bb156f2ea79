//! Records that come after their session has ended, been folded, or been forgotten.

use super::*;
use crate::store::{Order, Read};

#[test]
fn a_stop_that_is_repeated_after_the_fold_finds_its_session() {
    for is_restarted in [false, true] {
        let mut bench = bench(AT_ONCE);
        bench.give(record(RecordKind::Start, 0, 0, 0));
        bench.give(record(STOP, 600, 100, 1_000));
        assert!(bench.accounting.fold());
        assert_eq!(bench.accounting.live().in_memory(), 0);
        if is_restarted {
            bench = bench.restart();
        }
        let ended = bench.only_session();
        bench.give(record(STOP, 600, 100, 1_000));
        bench.give(interim(300, 50, 500));
        bench.give(record(RecordKind::Start, 0, 0, 0));
        assert_eq!(bench.only_session(), ended);
        assert_eq!(bench.booked_to(ALI), Traffic::new(100, 1_000));
        // The router counted on: what is beyond is booked.
        bench.give(record(STOP, 660, 110, 1_100));
        assert_eq!(bench.booked_to(ALI), Traffic::new(110, 1_100));
        assert!(bench.accounting.fold());
        assert_eq!(bench.booked_to(ALI), Traffic::new(110, 1_100));
        assert_eq!(bench.accounting.live().in_memory(), 0);
        bench.only_session();
    }
}

#[test]
fn a_session_that_went_on_after_its_fold_is_open_again_once() {
    let bench = bench(AT_ONCE);
    bench.give(record(STOP, 600, 100, 1_000));
    assert!(bench.accounting.fold());
    bench.give(interim(660, 110, 1_100));
    assert_eq!(bench.accounting.live().open_count(), 1);
    assert!(bench.accounting.fold());
    let session = bench.only_session();
    assert_eq!((session.stopped, session.resumed), (None, true));
    let view = bench.store.view().unwrap();
    assert_eq!(sessions::closed(&view, session.id).unwrap(), None);
    assert_eq!(sessions::open_at_fold(&view).unwrap(), [session]);
    drop(view);
    let again = bench.restart();
    assert_eq!(again.accounting.live().open_of(ALI).count(), 1);
    again.give(record(STOP, 720, 120, 1_200));
    assert_eq!(again.booked_to(ALI), Traffic::new(120, 1_200));
}

#[test]
fn an_id_that_is_used_again_is_another_session_and_late_records_find_the_first() {
    let bench = bench(AT_ONCE);
    let second = |kind, at: u32, upload, download| Record {
        login: Some(LoginId(2)),
        event_at: Timestamp::from_seconds(T0 + 10_000 + i64::from(at)),
        ..record(kind, at, upload, download)
    };
    bench.give(record(STOP, 600, 100, 1_000));
    assert!(bench.accounting.fold());
    bench.give(second(RecordKind::Start, 0, 0, 0));
    bench.give(second(RecordKind::Interim, 60, 1, 10));
    assert_eq!(bench.sessions().len(), 2);
    for is_folded in [false, true] {
        if is_folded {
            bench.give(second(STOP, 120, 2, 20));
            assert!(bench.accounting.fold());
        }
        // Our Class tells the logins apart.
        bench.give(record(STOP, 600, 100, 1_000));
        assert_eq!(bench.sessions().len(), 2, "folded: {is_folded}");
    }
    assert_eq!(bench.booked_to(ALI), Traffic::new(102, 1_020));
    // Without Class a record speaks of the newest, also after the older one was looked at.
    let silent = Record {
        login: None,
        ..second(STOP, 180, 3, 30)
    };
    bench.give(record(STOP, 600, 100, 1_000));
    bench.give(silent);
    assert_eq!(bench.sessions().len(), 2);
    assert_eq!(bench.booked_to(ALI), Traffic::new(103, 1_030));
}

#[test]
fn a_session_that_is_in_memory_is_not_read_from_the_tables_as_it_was() {
    let bench = bench(AT_ONCE);
    let unknown = |record: Record| Record {
        login: None,
        ..record
    };
    bench.give(unknown(record(STOP, 600, 100, 1_000)));
    assert!(bench.accounting.fold());
    // It went on, and its login is known by now; the tables still have the end of nobody's.
    bench.give(interim(660, 110, 1_100));
    let other_login = Record {
        login: Some(LoginId(2)),
        ..interim(60, 1, 10)
    };
    bench.give(other_login);
    assert_eq!(bench.sessions().len(), 2);
    assert_eq!(bench.accounting.live().open_count(), 2);
    assert_eq!(bench.booked_to(ALI), Traffic::new(111, 1_110));
}

#[test]
fn a_stop_repeated_after_a_restart_finds_a_session_older_than_memory_goes_back() {
    let bench = bench(AT_ONCE);
    bench.give(record(STOP, 600, 100, 1_000));
    assert!(bench.accounting.fold());
    let ended = bench.only_session();
    // As many sessions of others as a start looks at, all newer.
    let write = bench.store.write("others", move |tx| {
        for id in 2..=u64::try_from(RECENT).unwrap() + 1 {
            let other = Session {
                id: SessionId(id),
                subscriber: None,
                username: "other".into(),
                booked: Traffic::ZERO,
                ..ended.clone()
            };
            sessions::put(tx, &other)?;
        }
        mark_folded(tx, 1_000_000)
    });
    write.wait().unwrap();
    let bench = bench.restart();
    bench.give(record(STOP, 600, 100, 1_000));
    assert_eq!(
        bench.booked_to(ALI),
        Traffic::new(100, 1_000),
        "booked once"
    );
    assert_eq!(bench.sessions().len(), RECENT + 1);
}

#[test]
fn pages_show_each_session_once_before_during_and_after_a_fold() {
    let bench = bench(AT_ONCE);
    let nth = |n: u32, kind| Record {
        acct_session_id: n.to_be_bytes().to_vec(),
        ..record(kind, 60 * n, n.into(), 1)
    };
    let shown = |bench: &Bench| {
        let picture = bench.accounting.picture().unwrap();
        let shown = picture.sessions_of(ALI, 4).unwrap();
        shown.iter().map(|s| s.id.0).collect::<Vec<u64>>()
    };
    for n in 1..=3 {
        bench.give(nth(n, STOP));
    }
    assert!(bench.accounting.fold());
    for n in 4..=5 {
        bench.give(nth(n, STOP));
    }
    bench.give(nth(6, RecordKind::Interim));
    // Open ones first, then the newest.
    assert_eq!(shown(&bench), [6, 5, 4, 3]);
    assert!(bench.accounting.fold());
    assert_eq!(shown(&bench), [6, 5, 4, 3]);
    let view = bench.store.view().unwrap();
    let mut order = Vec::new();
    view.scan(
        &crate::store::tables::CLOSED_SESSIONS,
        0u64..,
        Order::Ascending,
        9,
        |id, _| {
            order.push(id);
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert_eq!(order, [1, 2, 3, 4, 5]);
}
