//! Readings as records, and readings beside records; one test per rule.

use std::net::IpAddr;

use super::*;
use crate::domain::hours::FreeWindow;
use crate::domain::id::NasId;
use crate::domain::octets::Usage;
use crate::domain::quota::{Counting, Direction, Quota, Used};
use crate::domain::session::Cause;
use crate::domain::time::{Calendar, DAY, SECOND};
use crate::domain::window::Window;
use crate::operations::testing::*;
use crate::store::nas as rows;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Bench {
    it: TestApp,
    nas: Nas,
    ali: SubscriberId,
    missing: Missing,
}

/// Ali has a plan that counts, on a router that was taken over long ago.
fn bench(usage_source: UsageSource, free_windows: Vec<FreeWindow>) -> Bench {
    let it = TestApp::new();
    it.clock.move_to(NOW.plus(-90 * DAY));
    let id = it.add_nas(router("localhost", "127.0.0.1"));
    it.clock.move_to(NOW);
    let plan = it.add_plan(crate::domain::plan::Plan {
        quota: Quota {
            monthly: Some(1),
            ..Quota::default()
        },
        free_windows,
        ..plan("Home")
    });
    let ali = it.add_subscriber(subscriber("ali", plan));
    let stored = rows::get(&it.app.store.view().unwrap(), id).unwrap();
    let nas = Nas {
        usage_source,
        ..stored.unwrap().nas
    };
    Bench {
        it,
        nas,
        ali,
        missing: Missing::default(),
    }
}

/// So many seconds after the session began, which was at NOW.
fn reading(uptime_s: u32, upload: u64, download: u64) -> Reading {
    Reading {
        username: "Ali".to_owned(),
        acct_session_id: "0x81D0000A".to_owned(),
        address: Some(Ipv4Addr::new(100, 64, 0, 9)),
        mac: Some(Mac([2, 0, 0, 0, 0, 9])),
        uptime_s,
        upload,
        download,
    }
}

impl Bench {
    fn at(&self, seconds: i64) -> Timestamp {
        let at = NOW.plus(seconds * SECOND);
        self.it.clock.move_to(at);
        at
    }

    fn take(&mut self, seconds: i64, readings: &[Reading]) {
        let now = self.at(seconds);
        take(&self.it.app, &self.nas, readings, &mut self.missing, now).unwrap();
        // Records are taken in order: this one comes after all that were just handed over.
        let mut last = interim(&self.it.app, "nobody", self.ali, NasId(99), LOCALHOST);
        last.subscriber = None;
        self.it.account(last);
    }

    /// A record of accounting.
    fn account(&self, seconds: i64, session_time: u32, upload: u64, download: u64) {
        self.at(seconds);
        let mut record = interim(&self.it.app, "ali", self.ali, self.nas.id, LOCALHOST);
        record.acct_session_id = b"81d0000a".to_vec();
        record.session_time = Some(session_time);
        record.totals = Some(Traffic::new(upload, download));
        self.it.account(record);
    }

    fn sessions(&self) -> Vec<Session> {
        let picture = self.it.app.accounting.picture().unwrap();
        picture.sessions_of(self.ali, 9).unwrap()
    }

    fn used(&self) -> Used {
        let app = &self.it.app;
        let about = app.login_facts().find(&app.store, "ali").unwrap().unwrap();
        let plan = app.plan(about.plan).unwrap();
        let day = Calendar::utc().day(NOW);
        let counting = Counting {
            today: day.plus(1),
            month: crate::domain::quota::Period {
                start: day,
                end: day.plus(30),
            },
            term: day,
        };
        let picture = app.accounting.picture().unwrap();
        picture.used(self.ali, &counting, &plan).unwrap()
    }

    fn booked(&self) -> Traffic {
        let sum = self
            .sessions()
            .iter()
            .map(Session::usage)
            .fold(Usage::ZERO, |a, b| a + b);
        sum.raw
    }
}

#[test]
fn readings_of_a_router_without_accounting_are_its_records() {
    let mut bench = bench(UsageSource::Api, Vec::new());
    bench.take(60, &[reading(60, 10, 100)]);
    let session = bench.sessions().remove(0);
    assert_eq!(session.acct_session_id, b"81d0000a");
    assert_eq!(
        (session.started_at, session.booked),
        (NOW, Traffic::new(10, 100))
    );
    assert_eq!(session.subscriber, Some(bench.ali));
    assert_eq!(session.place.source, Some(LOCALHOST));
    bench.take(120, &[reading(120, 15, 150)]);
    assert_eq!(bench.booked(), Traffic::new(15, 150));
    assert_eq!(bench.used().month, Traffic::new(15, 150));
    assert!(bench.it.app.accounting.fold());
    // Missing once is a reading that was too early or too late.
    bench.take(180, &[]);
    assert_eq!(bench.sessions()[0].stopped, None);
    bench.take(240, &[reading(240, 20, 200)]);
    bench.take(300, &[]);
    assert_eq!(
        bench.sessions()[0].stopped,
        None,
        "once again, not twice in a row"
    );
    bench.take(360, &[]);
    let session = bench.sessions().remove(0);
    let stopped = session.stopped.unwrap();
    assert_eq!(stopped.at, NOW.plus(240 * SECOND), "its last word");
    assert_eq!(stopped.cause, Cause::Radius(0));
    assert_eq!(bench.booked(), Traffic::new(20, 200));
    // It was there all the time.
    bench.take(420, &[reading(420, 25, 250)]);
    let session = bench.sessions().remove(0);
    assert!(session.stopped.is_none() && session.resumed);
    assert_eq!(
        (bench.sessions().len(), bench.booked()),
        (1, Traffic::new(25, 250))
    );
}

#[test]
fn a_router_that_began_again_has_new_sessions_or_a_new_segment() {
    let mut bench = bench(UsageSource::Api, Vec::new());
    bench.take(600, &[reading(600, 100, 1_000)]);
    // Under the same id: it counts from zero.
    bench.take(660, &[reading(30, 1, 10)]);
    assert_eq!(bench.booked(), Traffic::new(101, 1_010));
    // Under another id: another session, and the old one is missing.
    let other = Reading {
        acct_session_id: "0x81E00001".to_owned(),
        ..reading(60, 5, 50)
    };
    for at in [720, 780, 840] {
        bench.take(at, std::slice::from_ref(&other));
    }
    let sessions = bench.sessions();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|s| s.stopped.is_none()).count(), 1);
    assert_eq!(bench.booked(), Traffic::new(106, 1_060));
}

#[test]
fn counters_beyond_32_bits_are_no_wrap_and_a_late_reading_books_nothing() {
    let mut bench = bench(UsageSource::Api, Vec::new());
    let huge = 5 << 32;
    bench.take(60, &[reading(60, 0, huge)]);
    bench.take(120, &[reading(120, 0, huge + 7)]);
    assert_eq!(bench.booked().download, huge + 7);
    bench.take(180, &[reading(180, 0, 3)]);
    assert_eq!(bench.booked().download, huge + 7);
    bench.take(240, &[reading(240, 0, huge + 8)]);
    assert_eq!(bench.booked().download, huge + 8);
}

#[test]
fn beside_accounting_a_reading_is_provisional_until_the_next_record() {
    let mut bench = bench(UsageSource::Accounting, Vec::new());
    bench.take(30, &[reading(30, 5, 50)]);
    assert!(
        bench.sessions().is_empty(),
        "its Start says that it is there"
    );
    bench.account(60, 60, 10, 100);
    bench.take(90, &[reading(90, 12, 130)]);
    assert_eq!(bench.used().month, Traffic::new(12, 130));
    assert_eq!(bench.booked(), Traffic::new(10, 100), "nothing is booked");
    bench.take(110, &[reading(110, 12, 140)]);
    assert_eq!(
        bench.used().month,
        Traffic::new(12, 140),
        "in place of the one before"
    );
    let id = bench.sessions()[0].id;
    let provisional = || bench.it.app.accounting.live().provisional(id).raw;
    assert_eq!(provisional(), Traffic::new(2, 40));
    // The record has less than the reading said; it is what counts.
    bench.account(120, 120, 11, 135);
    assert_eq!(bench.used().month, Traffic::new(11, 135));
    assert_eq!(provisional(), Traffic::ZERO);
    // Folds know nothing of it, and a start forgets it.
    bench.take(150, &[reading(150, 20, 200)]);
    assert!(bench.it.app.accounting.fold());
    assert_eq!(bench.used().month, Traffic::new(20, 200));
    let Bench { it, .. } = bench;
    let TestApp { app, folder, .. } = it;
    app.close();
    drop(app);
    let it = TestApp::open(folder);
    assert_eq!(it.app.accounting.live().provisional(id), Usage::ZERO);
}

#[test]
fn a_reading_that_says_less_or_is_older_than_the_record_changes_nothing() {
    let mut bench = bench(UsageSource::Accounting, Vec::new());
    bench.account(60, 60, 10, 100);
    for (at, late) in [
        // Read before the record came, or at the same instant.
        (59, reading(62, 99, 999)),
        (60, reading(60, 99, 999)),
        // The router began again, or it is an earlier session's.
        (90, reading(59, 99, 999)),
        (90, reading(90, 10, 100)),
        (90, reading(90, 0, 0)),
    ] {
        bench.take(at, &[late]);
        assert_eq!(bench.used().month, Traffic::new(10, 100), "at {at}");
    }
    // Each direction for itself.
    bench.take(90, &[reading(90, 9, 101)]);
    assert_eq!(bench.used().month, Traffic::new(10, 101));
    // Accounting that wrapped at 32 bits and was put right; the API never wraps.
    let huge = (1 << 32) + 50;
    bench.account(120, 120, 10, huge);
    bench.take(150, &[reading(150, 10, huge + 7)]);
    assert_eq!(bench.used().month, Traffic::new(10, huge + 7));
    // A session that ends takes its reading along.
    let id = bench.sessions()[0].id;
    bench.it.app.accounting.give_up(id, bench.at(150));
    bench.take(180, &[]);
    assert_eq!(bench.used().month, Traffic::new(10, huge));
    assert_eq!(
        bench
            .it
            .app
            .accounting
            .live()
            .provisional_of(bench.ali)
            .count(),
        0
    );
}

#[test]
fn a_reading_without_an_id_finds_its_session_by_address_or_mac() {
    let mut bench = bench(UsageSource::Accounting, Vec::new());
    bench.account(60, 60, 10, 100);
    let nameless = |reading: Reading| Reading {
        acct_session_id: String::new(),
        ..reading
    };
    bench.take(90, &[nameless(reading(90, 20, 200))]);
    assert_eq!(
        bench.used().month.upload,
        10,
        "nothing is known of its place"
    );
    bench.at(91);
    let mut record = interim(&bench.it.app, "ali", bench.ali, bench.nas.id, LOCALHOST);
    record.acct_session_id = b"81d0000a".to_vec();
    record.session_time = Some(91);
    record.totals = None;
    record.place.mac = Some(Mac([2, 0, 0, 0, 0, 9]));
    bench.it.account(record);
    bench.take(120, &[nameless(reading(120, 20, 200))]);
    assert_eq!(bench.used().month.upload, 20);
    let elsewhere = Reading {
        address: None,
        mac: Some(Mac([9; 6])),
        ..nameless(reading(130, 30, 300))
    };
    bench.take(130, &[elsewhere]);
    let other = Reading {
        username: "sara".to_owned(),
        ..reading(130, 40, 400)
    };
    bench.take(131, &[other]);
    assert_eq!(bench.used().month.upload, 20);
}

#[test]
fn what_is_provisional_in_free_hours_does_not_count() {
    let always = FreeWindow {
        window: Window::parse("00:00-00:00").unwrap(),
        free_percent: 70,
        direction: Direction::Download,
    };
    let mut beside = bench(UsageSource::Accounting, vec![always]);
    beside.account(60, 60, 0, 0);
    beside.take(90, &[reading(90, 100, 1_000)]);
    assert_eq!(beside.used().month, Traffic::new(100, 300));
    // The same of records that the API writes.
    let mut bench = bench(UsageSource::Api, vec![always]);
    bench.take(90, &[reading(90, 100, 1_000)]);
    assert_eq!(bench.used().month, Traffic::new(100, 300));
    assert_eq!(bench.booked(), Traffic::new(100, 1_000));
}
