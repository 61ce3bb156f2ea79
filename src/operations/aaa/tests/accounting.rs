//! Accounting-Requests: whose they are, what is booked, and when they are answered.

use super::*;
use crate::domain::id::SubscriberId;
use crate::domain::octets::Traffic;
use crate::domain::session::{Cause, Session};
use crate::domain::time::{DAY, SECOND};
use crate::operations::subscribers as verbs;
use crate::telemetry::{AccountingKind, DropReason};

const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;

fn record(
    status: u32,
    id: &str,
    user: &str,
    seconds: u32,
    input: u64,
    output: u64,
) -> AttributeBuffer {
    let halves = |octets: u64| -> (u32, u32) {
        (
            u32::try_from(octets >> 32).unwrap(),
            u32::try_from(octets & 0xffff_ffff).unwrap(),
        )
    };
    let mut out = AttributeBuffer::new();
    out.push_u32(number::ACCT_STATUS_TYPE, status).unwrap();
    out.push_text(number::ACCT_SESSION_ID, id).unwrap();
    out.push_text(number::USER_NAME, user).unwrap();
    out.push_u32(number::ACCT_SESSION_TIME, seconds).unwrap();
    for (total, octets, gigawords) in [
        (
            input,
            number::ACCT_INPUT_OCTETS,
            number::ACCT_INPUT_GIGAWORDS,
        ),
        (
            output,
            number::ACCT_OUTPUT_OCTETS,
            number::ACCT_OUTPUT_GIGAWORDS,
        ),
    ] {
        out.push_u32(octets, halves(total).1).unwrap();
        out.push_u32(gigawords, halves(total).0).unwrap();
    }
    out
}

fn booked(bench: &Bench, subscriber: SubscriberId) -> Traffic {
    let picture = bench.it.app.accounting.picture().unwrap();
    let month = bench
        .it
        .app
        .settings()
        .calendar
        .day(bench.it.app.now())
        .month();
    picture.usage_of_month(month, subscriber).unwrap().raw
}

fn sessions_of(bench: &Bench, subscriber: SubscriberId) -> Vec<Session> {
    let picture = bench.it.app.accounting.picture().unwrap();
    picture.sessions_of(subscriber, 99).unwrap()
}

/// With a router that was taken over long ago, so that sessions are booked whole.
fn settled() -> Bench {
    let it = TestApp::new();
    it.clock.move_to(NOW.plus(-90 * DAY));
    it.add_nas(router("localhost", "127.0.0.1"));
    it.clock.move_to(NOW);
    bench_of(it, "127.0.0.1:0")
}

#[test]
fn a_session_runs_from_start_to_stop() {
    let bench = settled();
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("Ali", plan));
    let mut start = record(START, "81a", "ali", 0, 0, 0);
    start
        .push_ipv4(number::FRAMED_IP_ADDRESS, Ipv4Addr::new(100, 64, 0, 9))
        .unwrap();
    start
        .push_text(number::CALLING_STATION_ID, "02:00:00:00:00:0A")
        .unwrap();
    start.push_u32(number::NAS_PORT, 15_728_640).unwrap();
    start.push_text(number::NAS_PORT_ID, "ether2").unwrap();
    let reply = bench.account(&start).reply();
    assert_eq!(Packet::parse(&reply).unwrap().attributes().count(), 0);
    let huge = 5 * (1 << 32) + 7;
    bench.it.clock.move_to(NOW.plus(300 * SECOND));
    bench
        .account(&record(INTERIM, "81a", "ALI", 300, 1_000, huge))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::new(1_000, huge));
    bench.it.clock.move_to(NOW.plus(400 * SECOND));
    let mut stop = record(STOP, "81a", "ali", 400, 1_500, huge + 1);
    stop.push_u32(number::ACCT_TERMINATE_CAUSE, 2).unwrap();
    bench.account(&stop).reply();
    let session = sessions_of(&bench, ali).remove(0);
    assert_eq!(session.booked, Traffic::new(1_500, huge + 1));
    assert_eq!(
        (session.started_at, session.updated_at),
        (NOW, NOW.plus(400 * SECOND))
    );
    assert_eq!(session.stopped.unwrap().cause, Cause::Radius(2));
    assert_eq!(session.place.address, Some(Ipv4Addr::new(100, 64, 0, 9)));
    assert_eq!(
        session.place.mac.unwrap().to_string().to_lowercase(),
        "02:00:00:00:00:0a"
    );
    assert_eq!(
        (session.place.nas_port, session.place.nas_port_id.as_str()),
        (Some(15_728_640), "ether2")
    );
    assert_eq!(session.place.source, Some(LOCALHOST));
    let counters = &bench.it.app.telemetry.counters;
    let seen = [
        AccountingKind::Start,
        AccountingKind::Interim,
        AccountingKind::Stop,
    ];
    assert_eq!(seen.map(|kind| counters.accounting(kind).get()), [1, 1, 1]);
    until(|| counters.accounting_responses.get() == 3);
}

#[test]
fn the_class_of_the_login_says_whose_session_it_is() {
    let bench = settled();
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("ali", plan));
    let octets = bench.login("ali");
    let class = Packet::parse(&octets)
        .unwrap()
        .first(number::CLASS)
        .unwrap()
        .to_vec();
    let with_class = |mut record: AttributeBuffer| {
        record
            .push_octets(number::CLASS, b"somebody else's")
            .unwrap();
        record.push_octets(number::CLASS, &class).unwrap();
        record
    };
    bench
        .account(&with_class(record(START, "81a", "ali", 0, 0, 0)))
        .reply();
    let login = sessions_of(&bench, ali)[0].login.unwrap();
    assert_eq!(login.to_class(ali).as_bytes(), class);
    // Renamed while online, and somebody else takes the old name: the router goes on with the name it knows.
    run(verbs::update(
        &bench.it.app,
        &actor(),
        ali,
        subscriber("ali2", plan),
    ))
    .unwrap();
    bench
        .account(&with_class(record(INTERIM, "81a", "ali", 60, 10, 100)))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::new(10, 100));
    let other = bench.it.add_subscriber(subscriber("ali", plan));
    bench
        .account(&with_class(record(INTERIM, "81a", "ali", 120, 20, 200)))
        .reply();
    // The Start of such a session was lost.
    bench
        .account(&with_class(record(INTERIM, "81b", "ali", 60, 1, 1)))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::new(21, 201));
    assert_eq!(booked(&bench, other), Traffic::ZERO);
    // A Class of a subscriber who is gone says nothing; the name does.
    run(verbs::remove(&bench.it.app, &actor(), ali)).unwrap();
    bench
        .account(&with_class(record(INTERIM, "81c", "ali", 60, 2, 2)))
        .reply();
    assert_eq!(booked(&bench, other), Traffic::new(2, 2));
    bench
        .account(&record(INTERIM, "81d", "unknown", 60, 3, 3))
        .reply();
    let live = bench.it.app.accounting.live();
    assert!(
        live.open_sessions()
            .any(|s| s.username == "unknown" && s.subscriber.is_none())
    );
}

#[test]
fn the_first_record_brings_what_the_login_was_promised_and_the_free_hours_of_the_plan() {
    let bench = settled();
    let mut home = plan("Home");
    // NOW is 20:26:40 UTC.
    home.free_windows = vec![crate::domain::hours::FreeWindow {
        window: crate::domain::window::Window::parse("20:00-21:00").unwrap(),
        free_percent: 50,
        direction: crate::domain::quota::Direction::Both,
    }];
    let id = bench.it.add_plan(home);
    let ali = bench.it.add_subscriber(subscriber("ali", id));
    let octets = bench.login("ali");
    let reply = Packet::parse(&octets).unwrap();
    let class = reply.first(number::CLASS).unwrap().to_vec();
    let with_class = |mut record: AttributeBuffer| {
        record.push_octets(number::CLASS, &class).unwrap();
        record
    };
    let start = record(START, "81a", "ali", 0, 0, 0);
    bench.account(&with_class(start)).reply();
    let told = sessions_of(&bench, ali)[0].told.unwrap();
    assert_eq!(told.rate, plan("Home").rate);
    bench.it.clock.move_to(NOW.plus(60 * SECOND));
    let interim = record(INTERIM, "81a", "ali", 60, 10, 100);
    bench.account(&with_class(interim)).reply();
    let session = sessions_of(&bench, ali).remove(0);
    assert_eq!(session.booked, Traffic::new(10, 100));
    assert_eq!(session.free, Traffic::new(5, 50));
    // Without Class nothing is known of a promise; the hours are still those of the name.
    bench
        .account(&record(INTERIM, "81b", "ali", 60, 10, 100))
        .reply();
    let other = sessions_of(&bench, ali);
    let other = other.iter().find(|s| s.acct_session_id == b"81b").unwrap();
    assert_eq!((other.told, other.free), (None, Traffic::new(5, 50)));
}

#[test]
fn a_router_that_counts_from_its_own_side_is_turned_round() {
    let it = TestApp::new();
    it.clock.move_to(NOW.plus(-DAY));
    let mut draft = router("localhost", "127.0.0.1");
    draft.swap_octets = true;
    it.add_nas(draft);
    it.clock.move_to(NOW);
    let bench = bench_of(it, "127.0.0.1:0");
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("ali", plan));
    bench
        .account(&record(INTERIM, "81a", "ali", 60, 100, 7))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::new(7, 100));
}

#[test]
fn a_session_older_than_the_router_here_is_not_charged_again() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("ali", plan));
    bench
        .account(&record(INTERIM, "81a", "ali", 3_600, 1_000, 9_000))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::ZERO);
    bench
        .account(&record(INTERIM, "81a", "ali", 3_660, 1_001, 9_010))
        .reply();
    assert_eq!(booked(&bench, ali), Traffic::new(1, 10));
}

#[test]
fn a_full_disk_stops_answers_to_accounting_and_nothing_else() {
    let (it, journal) = TestApp::with_failing_journal();
    it.clock.move_to(NOW.plus(-DAY));
    it.add_nas(router("localhost", "127.0.0.1"));
    it.clock.move_to(NOW);
    let bench = bench_of(it, "127.0.0.1:0");
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("ali", plan));
    let app = &bench.it.app;
    journal.state().room = Some(0);
    let asked = bench.account(&record(INTERIM, "81a", "ali", 60, 10, 100));
    let silent = || app.telemetry.counters.dropped(DropReason::StoreFault).get();
    until(|| silent() == 1);
    let health = app.accounting.health();
    assert!(health.disk_full && health.failing.is_some());
    assert_eq!(booked(&bench, ali), Traffic::ZERO);
    assert_eq!(
        code(&bench.login("ali")),
        Code::ACCESS_ACCEPT,
        "logins go on"
    );
    let handler = Aaa::new(Arc::clone(app));
    assert!(handler.status(Port::Auth) && !handler.status(Port::Acct));
    // There is room again: the router's next try is a new record to us, and the only one that is answered.
    journal.heal();
    asked
        .socket
        .send_to(asked.request.octets(), bench.acct.local_addr())
        .unwrap();
    asked.reply();
    assert_eq!(booked(&bench, ali), Traffic::new(10, 100));
    assert!(handler.status(Port::Acct));
    until(|| app.telemetry.counters.accounting_responses.get() == 1);
    assert_eq!(silent(), 1);
}

#[test]
fn what_is_no_session_is_answered_and_not_kept() {
    let bench = settled();
    let plan = bench.it.add_plan(plan("Home"));
    let ali = bench.it.add_subscriber(subscriber("ali", plan));
    bench
        .account(&record(INTERIM, "81a", "ali", 60, 10, 100))
        .reply();
    bench
        .account(&record(9, "tunnel", "ali", 60, 10, 100))
        .reply();
    assert_eq!(sessions_of(&bench, ali).len(), 1);
    // A router that restarts says so under an id of its own, and names nobody.
    let mut on = AttributeBuffer::new();
    on.push_u32(number::ACCT_STATUS_TYPE, 7).unwrap();
    on.push_text(number::ACCT_SESSION_ID, "0").unwrap();
    bench.it.clock.move_to(NOW.plus(60 * SECOND));
    bench.account(&on).reply();
    let session = sessions_of(&bench, ali).remove(0);
    assert_eq!(session.stopped.unwrap().cause, Cause::NasReboot);
    assert_eq!(bench.it.app.accounting.live().open_count(), 0);
}
