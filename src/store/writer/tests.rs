//! The writer on a disk made of memory: batches, failing closures, faults of the disk.

mod properties;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::super::testing::{Disk, NUMBERS, Refusal, State, quick};
use super::super::{OpenOptions, Read, Store, WriteTicket};
use super::*;
use std::sync::Mutex;

fn put(store: &Store, key: u32, value: u64) -> WriteTicket<(), StoreError> {
    store.write("put", move |tx| tx.insert(&NUMBERS, key, &value))
}

fn number(store: &Store, key: u32) -> Option<u64> {
    store.view().unwrap().get(&NUMBERS, key).unwrap()
}

fn numbers(store: &Store) -> BTreeMap<u32, u64> {
    store
        .view()
        .unwrap()
        .range(&NUMBERS, 0u32.., 10_000)
        .unwrap()
        .into_iter()
        .collect()
}

/// Holds the writer inside a write until something is sent, so that what is queued meanwhile makes one batch.
fn hold(store: &Store) -> Sender<()> {
    let (release, gate) = channel::<()>();
    let (entered, inside) = channel();
    let ticket = store.write("hold", move |_| -> Result<(), StoreError> {
        let _ = entered.send(());
        let _ = gate.recv();
        Ok(())
    });
    drop(ticket);
    inside.recv().unwrap();
    release
}

#[test]
fn an_answered_write_is_seen_by_the_next_view_and_not_by_an_older_one() {
    let store = Disk::default().new_store(&quick());
    let older = store.view().unwrap();
    put(&store, 1, 10).wait().unwrap();
    assert_eq!(number(&store, 1), Some(10));
    assert_eq!(older.get(&NUMBERS, 1).unwrap(), None);
}

#[test]
fn a_ticket_can_be_awaited() {
    let store = Disk::default().new_store(&quick());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(
        runtime
            .block_on(store.write("seven", |_| Ok::<_, StoreError>(7)))
            .unwrap(),
        7
    );
    store.close();
    assert!(matches!(
        runtime.block_on(put(&store, 1, 1)),
        Err(StoreError::Closed)
    ));
}

#[test]
fn waiting_writes_share_one_commit_up_to_the_batch_size() {
    for (writes, commits) in [(1, 1), (4, 1), (5, 2), (9, 3)] {
        let store = Disk::default().new_store(&OpenOptions {
            batch: 4,
            ..quick()
        });
        let release = hold(&store);
        let tickets: Vec<_> = (0..writes).map(|key| put(&store, key, 1)).collect();
        release.send(()).unwrap();
        tickets
            .into_iter()
            .for_each(|ticket| ticket.wait().unwrap());
        assert_eq!(store.health().commits, commits, "{writes} writes");
        assert_eq!(store.health().writes, u64::from(writes));
    }
}

#[test]
fn a_batch_that_changes_nothing_makes_no_commit() {
    let store = Disk::default().new_store(&quick());
    store
        .write("look", |tx| tx.get(&NUMBERS, 1))
        .wait()
        .unwrap();
    store
        .write("remove nothing", |tx| tx.remove(&NUMBERS, 1))
        .wait()
        .unwrap();
    assert_eq!(store.health().commits, 0);
}

#[test]
fn a_refusal_that_changed_nothing_leaves_its_neighbours_in_one_commit() {
    let store = Disk::default().new_store(&quick());
    let release = hold(&store);
    let before = put(&store, 1, 10);
    let refused: WriteTicket<(), Refusal> = store.write("refuse", |tx| {
        assert_eq!(
            tx.get(&NUMBERS, 1)?,
            Some(10),
            "it sees its elder neighbour's change"
        );
        Err(Refusal::Rule("no"))
    });
    let panicked = store.write("panic", |_| -> Result<(), StoreError> {
        panic!("in a closure")
    });
    let after = put(&store, 2, 20);
    release.send(()).unwrap();
    before.wait().unwrap();
    assert!(matches!(refused.wait(), Err(Refusal::Rule("no"))));
    assert!(matches!(
        panicked.wait(),
        Err(StoreError::Panicked { name: "panic" })
    ));
    after.wait().unwrap();
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10), (2, 20)]));
    assert_eq!(store.health().commits, 1);
}

#[test]
fn a_failure_half_way_is_undone_and_its_neighbours_are_committed_alone() {
    for panics in [false, true] {
        let store = Disk::default().new_store(&quick());
        put(&store, 9, 90).wait().unwrap();
        let release = hold(&store);
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let before = store.write("count", move |tx| {
            counter.fetch_add(1, Ordering::Relaxed);
            tx.insert(&NUMBERS, 1, &10)
        });
        let failing: WriteTicket<(), Refusal> = store.write("fail", move |tx| {
            tx.insert(&NUMBERS, 1, &666)?;
            tx.remove(&NUMBERS, 9)?;
            if panics {
                panic!("half-way")
            } else {
                Err(Refusal::Rule("half-way"))
            }
        });
        let after = put(&store, 2, 20);
        release.send(()).unwrap();
        before.wait().unwrap();
        match failing.wait() {
            Err(Refusal::Rule("half-way")) => assert!(!panics),
            Err(Refusal::Store(StoreError::Panicked { name: "fail" })) => assert!(panics),
            other => panic!("{other:?}"),
        }
        after.wait().unwrap();
        assert_eq!(numbers(&store), BTreeMap::from([(1, 10), (2, 20), (9, 90)]));
        assert_eq!(
            runs.load(Ordering::Relaxed),
            2,
            "once in the batch, once alone"
        );
        assert_eq!(
            store.health().commits,
            3,
            "one before, then one for each good neighbour"
        );
    }
}

#[test]
fn a_full_queue_says_so_at_once() {
    let store = Disk::default().new_store(&OpenOptions {
        queue: 2,
        ..quick()
    });
    let release = hold(&store);
    let tickets = [put(&store, 1, 1), put(&store, 2, 2)];
    assert!(matches!(
        put(&store, 3, 3).wait(),
        Err(StoreError::Busy { waiting: 2 })
    ));
    release.send(()).unwrap();
    tickets
        .into_iter()
        .for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(numbers(&store).len(), 2);
}

#[test]
fn closing_commits_what_waits_and_refuses_what_comes_later() {
    let disk = Disk::default();
    let store = disk.new_store(&OpenOptions {
        batch: 2,
        ..quick()
    });
    let release = hold(&store);
    let tickets: Vec<_> = (0..5).map(|key| put(&store, key, 1)).collect();
    let closing = std::thread::spawn({
        let store = store.clone();
        move || store.close()
    });
    release.send(()).unwrap();
    closing.join().unwrap();
    tickets
        .into_iter()
        .for_each(|ticket| ticket.wait().unwrap());
    assert!(matches!(put(&store, 9, 9).wait(), Err(StoreError::Closed)));
    assert!(matches!(store.view(), Err(StoreError::Closed)));
    store.close();
    assert_eq!(
        numbers(&disk.after_power_loss(|| false).old_store(&quick())).len(),
        5
    );
}

#[test]
fn dropping_the_last_handle_commits_what_waits() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    let ticket = put(&store, 1, 1);
    let thread = store.thread.lock().unwrap().take().unwrap();
    drop(store);
    ticket.wait().unwrap();
    thread.join().unwrap();
    assert_eq!(number(&disk.old_store(&quick()), 1), Some(1));
}

#[test]
fn hooks_hear_of_committed_changes_before_the_caller_does() {
    let store = Disk::default().new_store(&quick());
    let (sender, heard) = channel();
    let sender = Mutex::new(sender);
    store.on_commit(|_, _| panic!("a bad hook"));
    store.on_commit(move |view, changes| {
        let seen = view.get(&NUMBERS, 1).unwrap();
        sender
            .lock()
            .unwrap()
            .send((seen, changes.to_vec()))
            .unwrap();
    });
    let release = hold(&store);
    let first = store.write("touch", |tx| {
        tx.touch(Change::Subscriber(1));
        tx.insert(&NUMBERS, 1, &10)
    });
    let refused: WriteTicket<(), Refusal> = store.write("refuse", |tx| {
        tx.touch(Change::Plan(1));
        Err(Refusal::Rule("no"))
    });
    let second = store.write("touch", |tx| {
        tx.touch(Change::Settings);
        tx.insert(&NUMBERS, 2, &20)
    });
    assert!(heard.try_recv().is_err());
    release.send(()).unwrap();
    first.wait().unwrap();
    assert_eq!(
        heard.try_recv().unwrap(),
        (Some(10), vec![Change::Subscriber(1), Change::Settings])
    );
    second.wait().unwrap();
    assert!(refused.wait().is_err());
    put(&store, 3, 30).wait().unwrap();
    assert!(
        heard.try_recv().is_err(),
        "nothing was touched, nobody is told"
    );
}

/// A write of more pages than the file has free, so that it needs room.
fn put_many(store: &Store) -> Result<(), StoreError> {
    store
        .write("many", |tx| {
            (1_000..200_000u32).try_for_each(|key| tx.insert(&NUMBERS, key, &1))
        })
        .wait()
}

#[test]
fn a_full_disk_fails_the_write_and_not_the_reads() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    put(&store, 1, 10).wait().unwrap();
    disk.state().full = true;
    let error = put_many(&store).unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    let failing = store.health().failing.unwrap();
    assert!(
        failing.disk_full && failing.last <= failing.since,
        "{failing:?}"
    );
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10)]));
    disk.state().full = false;
    put(&store, 2, 20).wait().unwrap();
    assert!(store.health().failing.is_none());
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10), (2, 20)]));
}

#[test]
fn after_a_failed_commit_the_very_next_read_works() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    put_many(&store).unwrap();
    for fail in [
        |state: &mut State, on| state.refuse_sync = on,
        |state: &mut State, on| state.read_only = on,
    ] {
        fail(&mut disk.state(), true);
        assert!(put(&store, 1, 10).wait().is_err());
        // Far more rows than pages in memory.
        let view = store.view().unwrap();
        for key in (1_000..200_000).step_by(500) {
            assert_eq!(view.get(&NUMBERS, key).unwrap(), Some(1));
        }
        fail(&mut disk.state(), false);
        put(&store, 1, 10).wait().unwrap();
    }
}

#[test]
fn a_failed_sync_is_answered_as_a_fault_and_mended() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    put(&store, 1, 10).wait().unwrap();
    disk.state().refuse_sync = true;
    let error = put(&store, 2, 20).wait().unwrap_err();
    assert!(
        matches!(error, StoreError::Fault { .. }) && !error.is_disk_full(),
        "{error}"
    );
    // The file cannot even be opened for writing now, and still it is read.
    assert_eq!(number(&store, 1), Some(10));
    assert!(put(&store, 2, 20).wait().is_err());
    disk.state().refuse_sync = false;
    put(&store, 3, 30).wait().unwrap();
    assert_eq!((number(&store, 1), number(&store, 3)), (Some(10), Some(30)));
}

#[test]
fn a_file_system_that_became_read_only_is_still_read_and_taken_back_later() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    put(&store, 1, 10).wait().unwrap();
    disk.state().read_only = true;
    assert!(put(&store, 2, 20).wait().is_err());
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10)]));
    assert!(matches!(
        put(&store, 2, 20).wait(),
        Err(StoreError::Unwritable { .. })
    ));
    assert!(store.health().failing.is_some());
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10)]));
    disk.state().read_only = false;
    put(&store, 2, 20).wait().unwrap();
    assert_eq!(numbers(&store), BTreeMap::from([(1, 10), (2, 20)]));
    assert!(store.health().failing.is_none());
}

#[test]
fn after_a_failure_writes_are_refused_without_touching_the_disk() {
    let disk = Disk::default();
    let store = disk.new_store(&OpenOptions {
        pause: Duration::from_secs(3600),
        ..quick()
    });
    disk.state().refuse_sync = true;
    assert!(put(&store, 1, 10).wait().is_err());
    disk.state().refuse_sync = false;
    let before = disk.state().accesses;
    assert!(matches!(
        put(&store, 1, 10).wait(),
        Err(StoreError::Fault { .. })
    ));
    assert_eq!(disk.state().accesses, before);
}

#[test]
fn a_sector_that_could_not_be_read_once_does_not_stop_reading_for_good() {
    let disk = Disk::default();
    let store = disk.new_store(&quick());
    put_many(&store).unwrap();
    // Opened anew, so that no page is cached.
    store.close();
    let store = disk.old_store(&quick());
    let view = store.view().unwrap();
    disk.state().refuse_reads = true;
    assert!(matches!(
        view.get(&NUMBERS, 150_000),
        Err(StoreError::Fault { .. })
    ));
    disk.state().refuse_reads = false;
    assert!(
        matches!(view.get(&NUMBERS, 2_000), Err(StoreError::Fault { .. })),
        "redb stays suspicious"
    );
    drop(store.view());
    // The order to mend is queued before this write, so its answer tells that the file was opened anew.
    put(&store, 1, 10).wait().unwrap();
    assert_eq!(number(&store, 150_000), Some(1));
    assert!(
        view.get(&NUMBERS, 100_000).is_err(),
        "a view does not outlive the handle it read from"
    );
    assert!(
        !store.shared.suspect.load(Ordering::Relaxed),
        "an old view does not ask for mending again"
    );
}
