//! The audit of usage: step by step, and what it keeps.

use std::ops::ControlFlow;

use super::*;
use crate::domain::octets::{Traffic, Usage};
use crate::domain::session::RecordKind;
use crate::domain::time::{Calendar, DAY, MINUTE};
use crate::operations::usage_audit::{self, Audit};
use crate::store::{StoreError, usage as rows};

/// More subscribers than two steps look at.
fn demo() -> TestApp {
    let it = TestApp::new();
    let size = demo::Size {
        subscribers: 250,
        sessions: 120,
        days: 2,
    };
    demo::fill(
        &it.app.store,
        size,
        NOW,
        |_, _, _| ControlFlow::Continue(()),
    )
    .unwrap();
    let TestApp { app, folder, .. } = it;
    app.close();
    drop(app);
    TestApp::open(folder)
}

fn spoil(it: &TestApp, subscriber: u32, octets: Usage) {
    let day = Calendar::utc().day(NOW);
    let write = it.app.store.write("spoil", move |tx| {
        rows::add(tx, day, SubscriberId(subscriber), octets)
    });
    write.wait().map_err(|e: StoreError| e.to_string()).unwrap();
}

#[test]
fn every_subscriber_is_looked_at_once_and_differences_are_named() {
    let it = demo();
    let found = usage_audit::run(&it.app.accounting, NOW).unwrap();
    assert!(
        (200..=250).contains(&found.looked_at),
        "{}",
        found.looked_at
    );
    assert_eq!((found.differing, found.differences.len()), (0, 0));
    // At the edges of steps, and one whose free octets alone differ.
    let free = Usage {
        raw: Traffic::ZERO,
        free: Traffic::new(0, 1),
    };
    for (subscriber, octets) in [(99, Traffic::new(1, 0).into()), (100, free), (250, free)] {
        spoil(&it, subscriber, octets);
    }
    let again = usage_audit::run(&it.app.accounting, NOW).unwrap();
    let named: Vec<u32> = again.differences.iter().map(|(id, _)| id.0).collect();
    assert_eq!((again.differing, named), (3, vec![99, 100, 250]));
    let (_, sums) = again.differences[1];
    assert_eq!(sums.sessions.raw, sums.days.raw);
    assert_eq!(sums.days, sums.months);
    assert_ne!(sums.sessions.free, sums.days.free);
}

#[test]
fn what_is_in_memory_counts_once_whether_it_is_folded_or_not() {
    let it = demo();
    let before = usage_audit::run(&it.app.accounting, NOW).unwrap();
    let mut audit = Audit::begin(NOW);
    assert!(audit.step(&it.app.accounting).unwrap(), "there are more");
    // Between two steps records come, sessions end, and a fold writes them.
    for subscriber in [1, 150, 249] {
        let name = format!("user{:05}", subscriber - 1);
        let mut record = interim(
            &it.app,
            &name,
            SubscriberId(subscriber),
            NasId(1),
            LOCALHOST,
        );
        it.account(record.clone());
        record.kind = RecordKind::Stop { cause: 1 };
        it.account(record);
    }
    assert!(audit.step(&it.app.accounting).unwrap());
    assert!(it.app.accounting.fold());
    assert!(!audit.step(&it.app.accounting).unwrap(), "the last ones");
    let found = audit.finish(NOW.plus(MINUTE));
    assert_eq!(found.differing, 0);
    assert!(found.looked_at >= before.looked_at);
    assert_eq!((found.began_at, found.ended_at), (NOW, NOW.plus(MINUTE)));
}

#[test]
fn it_is_due_once_on_each_business_day_and_the_last_one_is_kept() {
    let it = TestApp::new();
    let is_due = |at| usage_audit::is_due(&it.app, at).unwrap();
    assert_eq!(usage_audit::last(&it.app).unwrap(), None);
    assert!(is_due(NOW));
    let found = usage_audit::run(&it.app.accounting, NOW).unwrap();
    run(usage_audit::keep(&it.app, found.clone())).unwrap();
    assert_eq!(usage_audit::last(&it.app).unwrap(), Some(found));
    // NOW is 20:26:40; the day begins at 00:05.
    let starts = it.app.settings().calendar.end_of(Calendar::utc().day(NOW));
    assert!(!is_due(NOW) && !is_due(starts.plus(-1)));
    assert!(is_due(starts) && is_due(NOW.plus(3 * DAY)));
    assert!(
        is_due(NOW.plus(-2 * DAY)),
        "the clock was ahead when it ran"
    );
}
