//! Accounting on disks made of memory: nothing is answered before it is durable, and nothing is booked twice or lost.

mod late;
mod properties;
mod rules;
mod used;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver as Answers, RecvTimeoutError, channel};

use super::*;
use crate::domain::id::{LoginId, NasId};
use crate::domain::octets::{Traffic, Usage};
use crate::domain::session::{Cause, Place, RecordKind};
use crate::store::journal::memory::Memory;
use crate::store::testing::{Disk, quick};
use crate::store::usage;

/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const ALI: SubscriberId = SubscriberId(1);
const STOP: RecordKind = RecordKind::Stop { cause: 1 };
const T0: i64 = 1_780_000_000;

/// Each record is committed at once, and folds happen only when asked for.
const AT_ONCE: Pace = Pace {
    group: 1,
    spacing: Duration::ZERO,
    fold_every: Duration::from_secs(3_600),
    fold_after: u64::MAX,
    most_sessions: 1_000,
};

/// Accounting over a main file and a journal that both live in memory.
struct Bench {
    main: Disk,
    journal: Memory,
    store: Store,
    accounting: Accounting,
}

fn start(main: &Disk, journal: &Memory, store: Store, pace: Pace) -> Bench {
    let accounting = Accounting::in_memory(&store, Calendar::utc(), pace, journal);
    Bench {
        main: main.clone(),
        journal: journal.clone(),
        store,
        accounting: accounting.unwrap(),
    }
}

fn bench(pace: Pace) -> Bench {
    let (main, journal) = (Disk::default(), Memory::default());
    let store = main.new_store(&quick());
    start(&main, &journal, store, pace)
}

impl Bench {
    /// Hands a record over; the receiver hears of the answer, or that there will be none.
    fn send(&self, record: Record) -> Answers<()> {
        let (answered, answer) = channel();
        let acknowledge = move || answered.send(()).unwrap();
        self.accounting.record(record, Box::new(acknowledge));
        answer
    }

    #[track_caller]
    fn give(&self, record: Record) {
        assert!(is_answered(&self.send(record)));
    }

    /// The power fails and comes back. What was not synced is gone, or there, as `keep` says.
    fn after_power_loss(&self, mut keep: impl FnMut() -> bool) -> Bench {
        // In this order the journal may hold what the tables hold too, as after a crash between fold and trim.
        let journal = self.journal.after_power_loss(&mut keep);
        let main = self.main.after_power_loss(&mut keep);
        let store = main.old_store(&quick());
        start(&main, &journal, store, AT_ONCE)
    }

    /// The main file can be used again; the next write opens it anew.
    fn power_returns(&self) {
        self.main.state().power = None;
        let poke = self.store.write("poke", |_| Ok::<_, StoreError>(()));
        // The first write may still meet the fault.
        let _ = poke.wait();
        until(|| self.store.view().is_ok());
    }

    /// Stops in good order and starts again.
    fn restart(self) -> Bench {
        self.accounting.close();
        self.store.close();
        let store = self.main.old_store(&quick());
        start(&self.main, &self.journal, store, AT_ONCE)
    }

    /// Every session there is, by id.
    fn sessions(&self) -> BTreeMap<SessionId, Session> {
        let picture = self.accounting.picture().unwrap();
        let mut all = BTreeMap::new();
        each_session(&picture.live, &picture.view, |session| {
            let twice = all.insert(session.id, session.clone());
            assert_eq!(twice, None, "a session is shown twice");
            ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    #[track_caller]
    fn only_session(&self) -> Session {
        let sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        sessions.into_values().next().unwrap()
    }

    #[track_caller]
    fn booked_to(&self, subscriber: SubscriberId) -> Traffic {
        self.usage_of(subscriber).raw
    }

    /// Sum of sessions = sum of days = sum of months, for every subscriber, of raw and of free octets; returned for one.
    #[track_caller]
    fn usage_of(&self, subscriber: SubscriberId) -> Usage {
        let all = self.sessions();
        let picture = self.accounting.picture().unwrap();
        let mut by_session: BTreeMap<u32, Usage> = BTreeMap::new();
        for session in all.values() {
            if let Some(of) = session.subscriber {
                *by_session.entry(of.0).or_default() += session.usage();
            }
        }
        by_session.retain(|_, sum| *sum != Usage::ZERO);
        for period in [usage::Period::Days, usage::Period::Months] {
            let mut sums = folded_sums(&picture.view, period);
            for ((_, of), octets) in picture.live.all_usage_beyond(picture.folded) {
                *sums.entry(of.0).or_default() += octets;
            }
            assert_eq!(sums, by_session, "{period:?} and sessions differ");
        }
        by_session.get(&subscriber.0).copied().unwrap_or_default()
    }
}

/// What the tables hold of everybody.
fn folded_sums(view: &View, period: usage::Period) -> BTreeMap<u32, Usage> {
    let mut sums: BTreeMap<u32, Usage> = BTreeMap::new();
    usage::each_of(view, period, 0..u32::MAX, |of, octets| {
        *sums.entry(of.0).or_default() += octets;
    })
    .unwrap();
    sums
}

#[track_caller]
fn is_answered(answer: &Answers<()>) -> bool {
    match answer.recv_timeout(PATIENCE) {
        Ok(()) => true,
        Err(RecvTimeoutError::Disconnected) => false,
        Err(RecvTimeoutError::Timeout) => panic!("neither answered nor dropped"),
    }
}

/// Waits for what another thread does, without an end only when that never happens.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let (_never, tick) = channel::<()>();
    for _ in 0..20_000 {
        if is_so() {
            return;
        }
        // Nothing ever comes: this lets the others run.
        let _ = tick.recv_timeout(Duration::from_millis(1));
    }
    panic!("it never came about");
}

/// A record of Ali's first session, `at` seconds after it began.
fn record(kind: RecordKind, at: u32, upload: u64, download: u64) -> Record {
    Record {
        kind,
        nas: NasId(1),
        nas_since: Timestamp(0),
        acct_session_id: b"81a00001".to_vec(),
        username: "Ali".into(),
        subscriber: Some(ALI),
        login: Some(LoginId(1)),
        event_at: Timestamp::from_seconds(T0 + i64::from(at)),
        received_at: Timestamp::from_seconds(T0 + i64::from(at)),
        session_time: Some(at),
        totals: Some(Traffic::new(upload, download)),
        has_gigawords: true,
        place: Place::default(),
        free_windows: Vec::new(),
        told: None,
    }
}

fn interim(at: u32, upload: u64, download: u64) -> Record {
    record(RecordKind::Interim, at, upload, download)
}

#[test]
fn nothing_is_answered_or_applied_before_it_is_on_disk() {
    let bench = bench(AT_ONCE);
    bench.give(interim(60, 100, 1_000));
    for (full, words) in [(false, "sync"), (true, "write")] {
        match full {
            true => bench.journal.state().room = Some(10),
            false => bench.journal.state().refuse_sync = true,
        }
        assert!(!is_answered(&bench.send(interim(120, 200, 2_000))));
        let health = bench.accounting.health();
        assert!(health.failing.unwrap().contains(words));
        assert_eq!((health.disk_full, health.records), (full, 1));
        assert_eq!(bench.booked_to(ALI), Traffic::new(100, 1_000));
        bench.journal.heal();
    }
    bench.give(interim(120, 200, 2_000));
    let health = bench.accounting.health();
    assert_eq!((health.failing, health.disk_full), (None, false));
    assert_eq!(bench.booked_to(ALI), Traffic::new(200, 2_000));
    let after = bench.after_power_loss(|| false);
    assert_eq!(after.sessions(), bench.sessions());
}

#[test]
fn a_group_is_committed_at_once_and_fewer_wait_for_the_spacing() {
    let bench = bench(Pace {
        group: 4,
        spacing: Duration::from_secs(3_600),
        ..AT_ONCE
    });
    // After a pause a single record does not wait.
    bench.give(interim(60, 1, 1));
    let answers: Vec<_> = (2..=5)
        .map(|n| bench.send(interim(60 * n, n.into(), 1)))
        .collect();
    assert!(answers.iter().all(is_answered));
    // One commit for the four: none of the first three was committed before the fourth came.
    let health = bench.accounting.health();
    assert_eq!((health.records, health.commits), (5, 2));
    // What waits when the daemon stops is committed and answered.
    let last = bench.send(interim(600, 9, 1));
    bench.accounting.close();
    assert!(is_answered(&last));
    assert!(
        !is_answered(&bench.send(interim(660, 9, 1))),
        "it has stopped"
    );
    assert_eq!(bench.booked_to(ALI), Traffic::new(9, 1));
}

#[test]
fn a_fold_that_fails_at_any_access_loses_and_doubles_nothing() {
    for power in 0..60 {
        let bench = bench(AT_ONCE);
        bench.give(interim(60, 100, 1_000));
        bench.main.state().power = Some(power);
        let folded = bench.accounting.fold();
        bench.power_returns();
        // The commit may be on disk although the fold failed; what comes next must not be captured with it.
        bench.give(interim(120, 150, 1_500));
        assert_eq!(
            bench.booked_to(ALI),
            Traffic::new(150, 1_500),
            "power {power}"
        );
        assert_eq!(
            bench.after_power_loss(|| true).booked_to(ALI),
            Traffic::new(150, 1_500),
            "power {power}, then a crash"
        );
        // The store refuses writes for a moment after a fault, and opens the file anew.
        assert!(bench.accounting.fold(), "power {power}");
        assert_eq!(
            bench.booked_to(ALI),
            Traffic::new(150, 1_500),
            "power {power}"
        );
        let sums = folded_sums(&bench.store.view().unwrap(), usage::Period::Days);
        assert_eq!(sums[&ALI.0].raw, Traffic::new(150, 1_500), "power {power}");
        if folded {
            assert!(power > 3, "the fold needs the disk");
            return;
        }
    }
    panic!("no fold needs so many accesses");
}

#[test]
fn who_waits_for_a_fold_gets_one_that_holds_what_was_answered_before() {
    let bench = bench(AT_ONCE);
    bench.give(interim(60, 100, 1_000));
    let (go_on, held) = channel::<()>();
    let held = Mutex::new(held);
    let hold = bench.store.write("hold", move |_| {
        // An error means that the test is over.
        let _ = held.lock().unwrap().recv_timeout(PATIENCE);
        Ok::<_, StoreError>(())
    });
    let first = bench.accounting.clone();
    let first = std::thread::spawn(move || first.fold());
    let is_captured = || {
        bench
            .accounting
            .live()
            .all_usage_beyond(u64::MAX)
            .next()
            .is_none()
    };
    until(is_captured);
    bench.give(interim(120, 150, 1_500));
    let second = bench.accounting.clone();
    let store = bench.store.clone();
    let second = std::thread::spawn(move || {
        let done = second.fold();
        let day = Calendar::utc().day(Timestamp::from_seconds(T0));
        (
            done,
            usage::of_day(&store.view().unwrap(), day, ALI).unwrap().raw,
        )
    });
    // The owner has taken the second wish before the first fold ends.
    bench.give(interim(120, 150, 1_500));
    until(|| bench.accounting.health().records == 3);
    go_on.send(()).unwrap();
    hold.wait().unwrap();
    assert!(first.join().unwrap());
    assert_eq!(second.join().unwrap(), (true, Traffic::new(150, 1_500)));
}

#[test]
fn what_a_start_replays_is_folded_without_being_asked() {
    let bench = bench(AT_ONCE);
    bench.give(interim(60, 100, 1_000));
    let after = bench.after_power_loss(|| false);
    until(|| after.accounting.health().folds == 1);
    let day = Calendar::utc().day(Timestamp::from_seconds(T0));
    let view = after.store.view().unwrap();
    assert_eq!(
        usage::of_day(&view, day, ALI).unwrap().raw,
        Traffic::new(100, 1_000)
    );
    assert_eq!(after.journal.listing().len(), 1, "older segments are gone");
}

#[test]
fn a_record_of_a_newer_program_stops_the_start_and_changes_nothing() {
    let (main, memory) = (Disk::default(), Memory::default());
    let (mut journal, _) = Journal::open_in_memory(&memory, 1, |_, _| {}).unwrap();
    journal.append(&[[9u8, 1, 2]]).unwrap();
    drop(journal);
    let before = memory.listing();
    let store = main.new_store(&quick());
    let opened = Accounting::in_memory(&store, Calendar::utc(), AT_ONCE, &memory);
    let error = opened.err().unwrap().to_string();
    assert!(
        error.contains("record 1 of the accounting journal"),
        "{error}"
    );
    assert_eq!(memory.listing(), before);
}
