//! Indexes that follow their rows, lanes, blocks, purges, and ids that are never used again.

use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use super::accounting::{session_closed, session_open};
use super::samples::{attempts, subscriber_full};
use super::*;
use crate::domain::audit::{Actor, Entry as AuditEntry, Object};
use crate::domain::id::{NasId, PlanId};
use crate::domain::octets::Usage;
use crate::domain::text::Username;
use crate::domain::time::{DAY, Day};
use crate::store::audit::{self, NewEntry};
use crate::store::auth_log::{Attempt, BLOCK, MOST_ATTEMPTS};
use crate::store::outbox::{Lane, Work};
use crate::store::tables::{OUTBOX, STATIC_ADDRESSES, SUBSCRIBER_NAMES};
use crate::store::{View, is_unused, statics};

#[test]
fn names_and_addresses_follow_their_subscriber() {
    let store = store();
    let old = subscriber_full();
    let before = old.clone();
    write(&store, move |tx| subscribers::put(tx, &before));
    let holders = || {
        let view = store.view().unwrap();
        let names = ["ali@isp", "ALI@ISP", "new"];
        let names = names.map(|name| subscribers::named(&view, name).unwrap().is_some());
        let address = |last| Ipv4Addr::new(10, 0, 0, last);
        let holder = |last| statics::address_holder(&view, address(last)).unwrap();
        let addresses = [9, 10].map(|last| holder(last).is_some());
        let rows = view.count(&SUBSCRIBER_NAMES).unwrap() + view.count(&STATIC_ADDRESSES).unwrap();
        (names, addresses, rows)
    };
    assert_eq!(holders(), ([true, true, false], [true, false], 2));
    let mut new = old;
    new.subscriber.username = Username::parse("New").unwrap();
    new.subscriber.static_address = Some(Ipv4Addr::new(10, 0, 0, 10));
    let renamed = new.clone();
    write(&store, move |tx| subscribers::put(tx, &renamed));
    assert_eq!(holders(), ([false, false, true], [false, true], 2));
    write(&store, move |tx| subscribers::remove(tx, &new.subscriber));
    assert_eq!(holders(), ([false; 3], [false; 2], 0));
    assert_eq!(subscribers::count(&store.view().unwrap()).unwrap(), 0);
}

#[test]
fn ids_are_not_given_out_twice() {
    let store = store();
    assert!(is_unused(&store.view().unwrap()).unwrap());
    let first = write(&store, |tx| {
        let mut stored = subscriber_full();
        stored.subscriber.id = subscribers::next_id(tx)?;
        subscribers::put(tx, &stored)?;
        subscribers::remove(tx, &stored.subscriber)?;
        Ok(stored.subscriber.id)
    });
    let next = write(&store, |tx| {
        let subscriber = subscribers::next_id(tx)?;
        Ok((
            subscriber,
            plans::next_id(tx)?,
            nas::next_id(tx)?,
            operators::next_id(tx)?,
        ))
    });
    assert_eq!(first, SubscriberId(1));
    assert_eq!(next, (SubscriberId(2), PlanId(1), NasId(1), OperatorId(1)));
    assert!(!is_unused(&store.view().unwrap()).unwrap());
}

#[test]
fn a_plan_is_in_use_while_somebody_has_it() {
    let store = store();
    let used = |plan| plans::is_in_use(&store.view().unwrap(), PlanId(plan)).unwrap();
    assert!(!used(1));
    write(&store, |tx| subscribers::put(tx, &subscriber_full()));
    assert_eq!((used(1), used(2)), (true, false));
}

#[test]
fn each_lane_of_the_outbox_keeps_its_order_and_holds_up_no_other() {
    let store = store();
    let (index, push) = (Work::IndexPlan(PlanId(1)), Work::PushPlan(PlanId(1)));
    let (second, third) = (Work::IndexNas(NasId(2)), Work::Disconnect(SessionId(3)));
    for work in [push, index, third, second] {
        write(&store, move |tx| outbox::add(tx, work));
    }
    let waiting = |lane| outbox::waiting(&store.view().unwrap(), lane, 9).unwrap();
    let works = |lane| {
        waiting(lane)
            .into_iter()
            .map(|(_, work)| work)
            .collect::<Vec<_>>()
    };
    let keys = |lane| {
        waiting(lane)
            .into_iter()
            .map(|(key, _)| key)
            .collect::<Vec<_>>()
    };
    assert_eq!(works(Lane::Search), [Some(index), Some(second)]);
    assert_eq!(works(Lane::Routers), [Some(push), Some(third)]);
    let one = outbox::waiting(&store.view().unwrap(), Lane::Routers, 1).unwrap();
    assert_eq!(one.len(), 1);
    let done = keys(Lane::Search);
    let last = *done.last().unwrap();
    write(&store, move |tx| outbox::indexed(tx, &done));
    assert_eq!(outbox::last_indexed(&store.view().unwrap()).unwrap(), last);
    assert!(works(Lane::Search).is_empty());
    write(&store, move |tx| outbox::done(tx, &[one[0].0]));
    assert_eq!(works(Lane::Routers), [Some(third)]);
    // A number is not used again, or an index that has it would miss what comes now.
    write(&store, move |tx| outbox::add(tx, index));
    assert!(keys(Lane::Search)[0] > last);
    // Work of a newer program is no work for this one, but it can be removed.
    let newer = outbox::OutboxRow { kind: 200, id: 1 };
    write(&store, move |tx| tx.insert(&OUTBOX, 99, &newer));
    assert_eq!(waiting(Lane::Search).last(), Some(&(99, None)));
}

#[test]
fn the_audit_log_is_read_whole_or_by_object_newest_first() {
    let store = store();
    let objects = [
        Object::Subscriber(SubscriberId(1)),
        Object::Plan(PlanId(1)),
        Object::Subscriber(SubscriberId(1)),
        Object::Settings,
        Object::Subscriber(SubscriberId(2)),
    ];
    for object in objects {
        write(&store, move |tx| {
            let entry = NewEntry {
                at: Timestamp(7),
                actor: &Actor::System("test"),
                action: "changed",
                object,
                object_name: "x",
                changes: Vec::new(),
            };
            audit::add(tx, entry)
        });
    }
    let view = store.view().unwrap();
    let of = |object, limit| numbers_of(audit::of(&view, object, limit).unwrap());
    assert_eq!(of(objects[0], 9), [3, 1]);
    assert_eq!(of(objects[0], 1), [3]);
    assert_eq!(of(Object::Settings, 9), [4]);
    assert!(of(Object::Nas(NasId(1)), 9).is_empty());
    let newest = |before, limit, look, plans_only: bool| {
        let keep = |entry: &AuditEntry| !plans_only || entry.object == objects[1];
        numbers_of(audit::newest(&view, before, limit, look, keep).unwrap())
    };
    assert_eq!(newest(u64::MAX, 2, 99, false), [5, 4]);
    assert_eq!(newest(4, 9, 99, false), [3, 2, 1]);
    assert_eq!(newest(u64::MAX, 9, 99, true), [2]);
    assert!(
        newest(u64::MAX, 9, 3, true).is_empty(),
        "it looks at three only"
    );
}

fn numbers_of(entries: Vec<AuditEntry>) -> Vec<u64> {
    entries.iter().map(|entry| entry.sequence).collect()
}

/// An attempt whose user name is its number.
fn attempt(number: u64, at: i64) -> Attempt {
    Attempt {
        at: Timestamp(at),
        username: number.to_string().into(),
        ..attempts().remove(0)
    }
}

fn numbers(view: &View, before: u64, look: usize) -> Vec<u64> {
    let mut found = Vec::new();
    auth_log::each_before(view, before, look, |number, attempt| {
        assert_eq!(&*attempt.username, number.to_string());
        found.push(number);
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[test]
fn attempts_are_numbered_across_blocks() {
    let store = store();
    assert_eq!(auth_log::last(&store.view().unwrap()).unwrap(), 0);
    let many = u64::try_from(BLOCK).unwrap() + 2;
    write(&store, move |tx| {
        let block: Vec<Attempt> = (1..=many).map(|number| attempt(number, 0)).collect();
        auth_log::append(tx, 1, &block, Timestamp(0), Timestamp(0))
    });
    write(&store, move |tx| {
        let last = [attempt(many + 1, 0)];
        auth_log::append(tx, many + 1, &last, Timestamp(0), Timestamp(0))
    });
    let view = store.view().unwrap();
    assert_eq!(auth_log::last(&view).unwrap(), 515);
    assert_eq!(view.count(&AUTH_LOG).unwrap(), 3);
    let all: Vec<u64> = (1..=515).rev().collect();
    assert_eq!(numbers(&view, u64::MAX, 9), all);
    assert_eq!(numbers(&view, 515, 9), all[1..]);
    assert_eq!(numbers(&view, 514, 9), all[2..], "in the middle of a block");
    assert_eq!(numbers(&view, u64::MAX, 2), [515, 514, 513]);
    assert!(numbers(&view, 1, 9).is_empty());
}

#[test]
fn attempts_leave_when_they_are_too_old_or_too_many() {
    const KEPT_FOR: i64 = 30 * DAY;
    let store = store();
    let put = |first: u64, at: i64, now: i64| {
        let block = [attempt(first, at)];
        write(&store, move |tx| {
            let keep_since = Timestamp(now).plus(-KEPT_FOR);
            auth_log::append(tx, first, &block, Timestamp(now), keep_since)
        });
        numbers(&store.view().unwrap(), u64::MAX, 99)
    };
    put(1, 0, 0);
    put(2, DAY, DAY);
    assert_eq!(put(3, KEPT_FOR, KEPT_FOR), [3, 2, 1], "just young enough");
    assert_eq!(put(4, KEPT_FOR, KEPT_FOR + 1), [4, 3, 2]);
    // The newest is counted too.
    let most = MOST_ATTEMPTS;
    assert_eq!(put(most + 2, KEPT_FOR, KEPT_FOR), [most + 2, 4, 3]);
    assert_eq!(put(most + 3, KEPT_FOR, KEPT_FOR), [most + 3, most + 2, 4]);
}

#[test]
fn a_session_is_in_one_table_and_usage_adds_up() {
    let store = store();
    write(&store, |tx| {
        sessions::put(tx, &session_closed())?;
        sessions::put(tx, &session_open())
    });
    let closed_of = |limit| {
        let view = store.view().unwrap();
        let of = sessions::closed_of(&view, SubscriberId(1), limit).unwrap();
        of.iter().map(|s| s.id.0).collect::<Vec<_>>()
    };
    assert_eq!(closed_of(9), [1]);
    // It went on after all, and takes no place in the list of those that ended.
    write(&store, |tx| {
        let older = Session {
            id: SessionId(0),
            ..session_closed()
        };
        let reopened = Session {
            stopped: None,
            ..session_closed()
        };
        sessions::put(tx, &older)?;
        sessions::put(tx, &reopened)
    });
    let view = store.view().unwrap();
    assert_eq!(sessions::open_at_fold(&view).unwrap().len(), 2);
    assert_eq!(sessions::count_closed(&view).unwrap(), 1);
    assert_eq!(closed_of(1), [0]);
    // 2026-05-31 twice, and 2026-06-01.
    for (day, octets) in [(20_604, 1), (20_604, 2), (20_605, 4)] {
        let octets = Usage {
            raw: Traffic::new(octets, 0),
            free: Traffic::new(octets / 2, 0),
        };
        write(&store, move |tx| {
            usage::add(tx, Day(day), SubscriberId(1), octets)
        });
    }
    let view = store.view().unwrap();
    let day = |day| usage::of_day(&view, Day(day), SubscriberId(1)).unwrap();
    assert_eq!(
        [20_603, 20_604, 20_605].map(|d| day(d).raw.upload),
        [0, 3, 4]
    );
    let month = |day| usage::of_month(&view, Day(day).month(), SubscriberId(1)).unwrap();
    assert_eq!([20_604, 20_605].map(|d| month(d).raw.upload), [3, 4]);
    for period in [usage::Period::Days, usage::Period::Months] {
        for (those, wanted) in [(0..2, 7), (1..2, 7), (0..1, 0), (2..9, 0)] {
            let mut sum = Usage::ZERO;
            usage::each_of(&view, period, those, |_, octets| sum += octets).unwrap();
            assert_eq!(sum.raw, Traffic::new(wanted, 0));
            assert_eq!(sum.free, Traffic::new(wanted / 2, 0));
        }
    }
}
