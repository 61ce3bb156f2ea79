//! CoA and Disconnect against a router that answers as it is told.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use md5::{Digest, Md5};

use super::*;
use crate::app::{CoaOutcome, Wanted};
use crate::domain::id::SessionId;
use crate::domain::nas::CoaForm;
use crate::domain::plan::Plan;
use crate::domain::rate::Rate;
use crate::domain::session::{Cause, Place};
use crate::operations::routers::{Clients, Order, carry_out, orders};
use crate::operations::speeds::{Whom, sweep};
use crate::radius::coa::Schedule;
use crate::radius::number::mikrotik;
use crate::radius::{Code, Packet, number};

/// What the router does with one request.
#[derive(Clone, Copy)]
enum Answer {
    Ack,
    Nak(u32),
    /// A NAK without Error-Cause.
    BareNak,
    Silent,
    /// An ACK signed with another secret.
    Forged,
}

/// A router on a port of its own that answers so many requests, and hands on what it got.
fn fake_router(answers: &[Answer]) -> (u16, Receiver<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let (got, requests) = channel();
    let answers = answers.to_vec();
    std::thread::spawn(move || {
        for answer in answers {
            let mut buffer = [0; 4096];
            let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                return;
            };
            let request = &buffer[..length];
            if let Some(reply) = reply(request, answer) {
                socket.send_to(&reply, from).unwrap();
            }
            if got.send(request.to_vec()).is_err() {
                return;
            }
        }
    });
    (port, requests)
}

fn reply(request: &[u8], answer: Answer) -> Option<Vec<u8>> {
    let (is_nak, cause, secret) = match answer {
        Answer::Ack => (0, None, SECRET),
        Answer::Nak(cause) => (1, Some(cause), SECRET),
        Answer::BareNak => (1, None, SECRET),
        Answer::Forged => (0, None, "another secret"),
        Answer::Silent => return None,
    };
    let mut attributes = Vec::new();
    if let Some(cause) = cause {
        attributes.extend([number::ERROR_CAUSE, 6]);
        attributes.extend(cause.to_be_bytes());
    }
    let length = u16::try_from(20 + attributes.len()).unwrap();
    let mut octets = vec![request[0] + 1 + is_nak, request[1]];
    octets.extend(length.to_be_bytes());
    octets.extend(&request[4..20]);
    octets.extend(&attributes);
    let mut digest = Md5::new();
    digest.update(&octets);
    digest.update(secret);
    octets[4..20].copy_from_slice(&digest.finalize());
    Some(octets)
}

/// Two quick tries.
const QUICK: Schedule = Schedule {
    initial: Duration::from_millis(20),
    longest_wait: Duration::from_millis(20),
    sends: 2,
    duration: Duration::from_millis(40),
};

struct Bench {
    it: TestApp,
    nas: NasId,
    plan: PlanId,
    ali: SubscriberId,
    session: SessionId,
    requests: Receiver<Vec<u8>>,
}

/// Ali is online through a router that will answer so.
fn bench(answers: &[Answer], place: Place) -> Bench {
    let it = TestApp::new();
    let (port, requests) = fake_router(answers);
    let mut draft = router("fake", "127.0.0.1");
    draft.coa_port = port;
    let nas = it.add_nas(draft);
    let plan = it.add_plan(plan("Home"));
    let ali = it.add_subscriber(subscriber("ali", plan));
    let mut record = interim(&it.app, "ALI", ali, nas, LOCALHOST);
    record.acct_session_id = b"81a0\xff".to_vec();
    record.place = Place {
        source: Some(LOCALHOST),
        ..place
    };
    it.account(record);
    let session = it.app.accounting.live().open_of(ali).next().unwrap().id;
    Bench {
        it,
        nas,
        plan,
        ali,
        session,
        requests,
    }
}

fn placed() -> Place {
    Place {
        address: Some(Ipv4Addr::new(100, 64, 0, 9)),
        nas_ip: Some(Ipv4Addr::new(192, 0, 2, 1)),
        ..Place::default()
    }
}

impl Bench {
    fn carry_out(&self, order: Order, schedule: Schedule) -> Option<CoaOutcome> {
        run(async {
            let clients = Clients::bind(None).unwrap().with_schedule(schedule);
            carry_out(&self.it.app, &clients, order).await
        })
    }

    fn request(&self) -> Vec<u8> {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    fn cause(&self) -> Option<Cause> {
        let live = self.it.app.accounting.live();
        live.session(self.session).unwrap().stopped.map(|s| s.cause)
    }
}

#[test]
fn a_push_names_the_session_as_the_router_does_and_says_speed_and_time() {
    let bench = bench(&[Answer::Ack], placed());
    let outcome = bench.carry_out(Order::Push(bench.session), Schedule::JOB);
    assert_eq!(outcome, Some(CoaOutcome::Confirmed));
    // Known as soon as nothing is pending, or the next sweep would tell the router again.
    let told = {
        let live = bench.it.app.accounting.live();
        live.session(bench.session).unwrap().told
    };
    assert_eq!(told.unwrap().rate, Rate::new(2_000, 10_000));
    let octets = bench.request();
    let request = Packet::parse(&octets).unwrap();
    assert_eq!(request.code(), Code::COA_REQUEST);
    assert_eq!(
        request.text(number::USER_NAME),
        Some("ALI"),
        "in the router's spelling"
    );
    assert_eq!(
        request.first(number::ACCT_SESSION_ID),
        Some(&b"81a0\xff"[..])
    );
    assert_eq!(request.ipv4(number::FRAMED_IP_ADDRESS), placed().address);
    assert_eq!(request.ipv4(number::NAS_IP_ADDRESS), placed().nas_ip);
    assert_eq!(
        request.vendor(mikrotik::VENDOR, mikrotik::RATE_LIMIT),
        Some(&b"2M/10M"[..])
    );
    assert!(request.u32(number::SESSION_TIMEOUT).unwrap() >= 30 * 24 * 3_600);
    assert_eq!(
        request.attributes().count(),
        6,
        "each attribute more may be refused"
    );
    let app = &bench.it.app;
    assert_eq!(app.telemetry.counters.coa_acks.get(), 1);
    let report = app.nas(bench.nas).unwrap().stats.coa_reports().remove(0);
    assert_eq!(
        (report.username.as_str(), report.is_disconnect),
        ("ALI", false)
    );
    assert_eq!((report.at, report.outcome), (NOW, CoaOutcome::Confirmed));
}

#[test]
fn every_request_is_written_as_the_router_wants_it() {
    let seconds = u32::try_from(NOW.seconds()).unwrap();
    for (form, is_signed, at) in [
        (CoaForm::Plain, false, None),
        (CoaForm::MessageAuthenticator, true, None),
        (CoaForm::Dated, true, Some(seconds)),
    ] {
        let bench = bench(&[Answer::Ack, Answer::Ack], placed());
        run(nas::keep_coa_form(&bench.it.app, &actor(), bench.nas, form)).unwrap();
        for order in [Order::Push(bench.session), Order::Disconnect(bench.session)] {
            let outcome = bench.carry_out(order, Schedule::JOB);
            assert_eq!(outcome, Some(CoaOutcome::Confirmed));
            let octets = bench.request();
            let request = Packet::parse(&octets).unwrap();
            let signature = request.first(number::MESSAGE_AUTHENTICATOR);
            assert_eq!(signature.is_some(), is_signed, "{form:?}");
            assert_eq!(request.u32(number::EVENT_TIMESTAMP), at, "{form:?}");
        }
    }
}

#[test]
fn a_session_the_router_does_not_know_is_asked_for_twice_and_then_closed() {
    let unknown = bench(&[Answer::Nak(503), Answer::Nak(503)], placed());
    let outcome = unknown.carry_out(Order::Disconnect(unknown.session), Schedule::JOB);
    assert_eq!(outcome, Some(CoaOutcome::Refused(Some(503))));
    assert_eq!(
        Packet::parse(&unknown.request()).unwrap().code(),
        Code::DISCONNECT_REQUEST
    );
    let octets = unknown.request();
    let second = Packet::parse(&octets).unwrap();
    assert_eq!(second.first(number::ACCT_SESSION_ID), None);
    assert_eq!(second.ipv4(number::FRAMED_IP_ADDRESS), placed().address);
    until(|| unknown.cause() == Some(Cause::Lost));
    assert_eq!(unknown.it.app.telemetry.counters.coa_naks.get(), 1);

    // Found by its address after all.
    let found = bench(&[Answer::Nak(503), Answer::Ack], placed());
    let outcome = found.carry_out(Order::Disconnect(found.session), Schedule::JOB);
    assert_eq!(outcome, Some(CoaOutcome::Confirmed));
    assert_eq!(found.cause(), None, "its Stop will come");

    // Without an address there is nothing else to say.
    let bare = bench(&[Answer::Nak(503)], Place::default());
    let outcome = bare.carry_out(Order::Disconnect(bare.session), Schedule::JOB);
    assert_eq!(outcome, Some(CoaOutcome::Refused(Some(503))));
    until(|| bare.cause() == Some(Cause::Lost));
}

#[test]
fn refusals_and_silence_leave_the_session_alone() {
    use Answer::{BareNak, Forged, Nak, Silent};
    let cases: [(&[Answer], CoaOutcome); 4] = [
        (&[Nak(406)], CoaOutcome::Refused(Some(406))),
        (&[BareNak], CoaOutcome::Refused(None)),
        (&[Silent, Silent], CoaOutcome::NoAnswer),
        (&[Forged, Forged], CoaOutcome::NoAnswer),
    ];
    for (answers, wanted) in cases {
        let bench = bench(answers, placed());
        let schedule = if answers.len() == 1 {
            Schedule::JOB
        } else {
            QUICK
        };
        let outcome = bench.carry_out(Order::Disconnect(bench.session), schedule);
        assert_eq!(outcome, Some(wanted.clone()));
        assert_eq!(bench.cause(), None);
        let requests: Vec<_> = answers.iter().map(|_| bench.request()).collect();
        assert!(
            requests.iter().all(|r| *r == requests[0]),
            "a retry is the same octets"
        );
        let stats = &bench.it.app.nas(bench.nas).unwrap().stats;
        assert_eq!(stats.coa_reports()[0].outcome, wanted);
    }
}

#[test]
fn who_is_gone_is_told_nothing() {
    let bench = bench(&[], placed());
    let app = &bench.it.app;
    let nobody = Order::Push(SessionId(999));
    assert_eq!(bench.carry_out(nobody, QUICK), None);
    // Expired: Session-Timeout is about to end it.
    bench
        .it
        .clock
        .move_to(NOW.plus(30 * crate::domain::time::DAY));
    assert_eq!(bench.carry_out(Order::Push(bench.session), QUICK), None);
    bench.it.clock.move_to(NOW);
    run(subscribers::remove(app, &actor(), bench.ali)).unwrap();
    assert_eq!(bench.carry_out(Order::Push(bench.session), QUICK), None);
    app.accounting.give_up(bench.session, NOW);
    until(|| bench.cause().is_some());
    assert_eq!(
        bench.carry_out(Order::Disconnect(bench.session), QUICK),
        None
    );
    assert!(app.nas(bench.nas).unwrap().stats.coa_reports().is_empty());
}

#[test]
fn a_new_speed_reaches_the_live_sessions_of_the_plan_and_no_others() {
    let bench = bench(&[Answer::Ack], placed());
    let it = &bench.it;
    let other_plan = it.add_plan(plan("Other"));
    let other = it.add_subscriber(subscriber("other", other_plan));
    it.go_online("other", other, bench.nas, LOCALHOST);
    it.add_subscriber(subscriber("offline", bench.plan));
    let faster = Plan {
        rate: Rate::new(4_000, 20_000),
        ..plan("Home")
    };
    run(plans::update(&it.app, &actor(), bench.plan, faster)).unwrap();
    let work = waiting(it, Lane::Routers);
    assert_eq!(work, [Work::PushPlan(bench.plan)]);
    let told = orders(&it.app, work[0]).unwrap();
    assert_eq!(told, [Order::Adjust(bench.session)]);
    assert_eq!(
        bench.carry_out(told[0], Schedule::JOB),
        Some(CoaOutcome::Confirmed)
    );
    let octets = bench.request();
    let request = Packet::parse(&octets).unwrap();
    assert_eq!(
        request.vendor(mikrotik::VENDOR, mikrotik::RATE_LIMIT),
        Some(&b"4M/20M"[..])
    );
    let of = |work| orders(&it.app, work).unwrap();
    assert_eq!(
        of(Work::PushSubscriber(bench.ali)),
        [Order::Push(bench.session)]
    );
    assert_eq!(
        of(Work::DisconnectSubscriber(bench.ali)),
        [Order::Disconnect(bench.session)]
    );
    assert_eq!(of(Work::DisconnectSubscriber(SubscriberId(99))), []);
    assert_eq!(of(Work::IndexPlan(bench.plan)), []);
    let keys = outbox::waiting(&it.app.store.view().unwrap(), Lane::Routers, 9).unwrap();
    run(crate::operations::routers::done(&it.app, vec![keys[0].0])).unwrap();
    assert!(waiting(it, Lane::Routers).is_empty());
}

#[test]
fn a_session_is_not_ended_twice_before_its_stop_comes() {
    let bench = bench(&[Answer::Ack], placed());
    let app = &bench.it.app;
    let mut used_up = plan("Home");
    used_up.quota.daily = Some(1);
    run(plans::update(app, &actor(), bench.plan, used_up)).unwrap();
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 1);
    let outcome = bench.carry_out(Order::Adjust(bench.session), QUICK);
    assert_eq!(outcome, Some(CoaOutcome::Confirmed));
    assert_eq!(bench.request()[0], Code::DISCONNECT_REQUEST.0);
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 0);
    assert_eq!(bench.cause(), None);
}

#[test]
fn a_look_that_is_older_than_the_answer_asks_nothing() {
    let bench = bench(&[Answer::Ack, Answer::Ack], placed());
    let app = &bench.it.app;
    // A form left an order; a sweep looks before the router has answered it, and leaves another.
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 1);
    let form = bench.carry_out(Order::Push(bench.session), QUICK);
    assert_eq!(form, Some(CoaOutcome::Confirmed));
    assert_eq!(
        waiting(&bench.it, Lane::Routers),
        [Work::PushSession(bench.session)]
    );
    // The sweep takes note of what it found, after that was settled.
    app.pushes.want(bench.session, Wanted::End, NOW);
    assert_eq!(bench.carry_out(Order::Adjust(bench.session), QUICK), None);
    assert_eq!(app.pushes.counts(), (0, 0), "nothing is under way any more");
    assert_eq!(app.nas(bench.nas).unwrap().stats.coa_reports().len(), 1);
    // A form asks again: the time that is left may be another one.
    let form = bench.carry_out(Order::Push(bench.session), QUICK);
    assert_eq!(form, Some(CoaOutcome::Confirmed));
}
