//! The RADIUS side: subscribers call, are accounted, changed and ended, with the real daemon as the server.

use std::time::Duration;

use proxpanel::radius::auth::Method;
use proxpanel::radius::coa::{CoaClient, CoaOutcome, CoaTarget, Schedule};
use proxpanel::radius::number::{self, mikrotik};
use proxpanel::radius::{AttributeBuffer, Code};

use super::PATIENCE;
use crate::appliance::demo;
use crate::support::daemon::Daemon;
use crate::support::radius;
use crate::support::routeros::{
    Answer, CoaFault, Dial, Dialed, Options, Pair, Radius, Router, Session, cause,
};

const MAC: &str = "02:00:00:00:00:07";

fn router(daemon: &Daemon, version: &'static str) -> Router {
    let router = Router::start(Options {
        version,
        radius: Some(Radius {
            auth: daemon.auth(),
            acct: daemon.acct(),
            secret: radius::SECRET.to_owned(),
        }),
        ..Options::default()
    });
    // The pool of the demo plans; without it calls fail as they would on a router.
    let refused = router.dial("user00005", "pass00005", MAC);
    assert!(
        matches!(&refused, Dialed::Failed(why) if why == "no pool subscribers"),
        "{refused:?}"
    );
    let pool = [("name", "subscribers"), ("ranges", "10.10.0.2-10.10.0.9")];
    router.add("/ip/pool", &pool);
    router
}

/// Upload, download and end of a session as the daemon exports it.
fn exported(daemon: &Daemon, session: &Session) -> Option<[String; 3]> {
    let output = daemon.run(&["export", "sessions"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let mut found = rows.filter(|row| row[1] == session.id && row[2] == session.user);
    found
        .next()
        .map(|row| [row[7], row[8], row[6]].map(str::to_owned))
}

fn total(exported: &[String; 3]) -> (u64, u64) {
    (exported[0].parse().unwrap(), exported[1].parse().unwrap())
}

#[test]
fn subscribers_call_and_are_accounted() {
    let daemon = demo(40, 0, 0, &[]);
    for (version, first) in [("6.49.10", 0), ("7.20.6", 20)] {
        let router = router(&daemon, version);
        let methods = [Method::Pap, Method::Chap, Method::MsChap, Method::MsChap2];
        let names: Vec<(String, String)> = (first..first + 4)
            .map(|n| (format!("user{n:05}"), format!("pass{n:05}")))
            .collect();
        let calls: Vec<Dial<'_>> = names
            .iter()
            .zip(methods)
            .map(|((user, password), method)| Dial {
                user,
                password,
                mac: MAC,
                method,
            })
            .collect();
        for dialed in router.dial_all(&calls) {
            let session = dialed.online();
            let rate = router.rate_of(&session.user).unwrap();
            assert!(rate.upload > 0 && rate.download > 0, "{rate:?}");
            let queue = router.rows("/queue/simple");
            let name = format!("<pppoe-{}>", session.user);
            let queue = queue.iter().find(|row| row["name"] == name).unwrap();
            assert_eq!(queue["max-limit"], rate.to_string());
        }
        let wrong = router.dial(&names[0].0, "wrong", MAC);
        assert!(
            matches!(&wrong, Dialed::Rejected { message: Some(_) }),
            "{wrong:?}"
        );

        let user = names[3].0.as_str();
        router.advance(60);
        router.pass(user, 5_000_000_000, 70_000_000_000);
        assert!(router.interim(user));
        let session = router.session(user).unwrap();
        let open = exported(&daemon, &session).unwrap();
        assert_eq!(total(&open), (5_000_000_000, 70_000_000_000));
        assert_eq!(open[2], "");
        // A copy, and a record from before that comes late, change nothing.
        router.advance(60);
        router.pass(user, 1, 1);
        assert!(router.interim(user));
        assert!(router.resend_interim(user, 0, 0) && router.resend_interim(user, 1, 60));
        let later = exported(&daemon, &session).unwrap();
        assert_eq!(total(&later), (5_000_000_001, 70_000_000_001));

        assert!(router.hang_up(user, cause::USER_REQUEST));
        assert_ne!(exported(&daemon, &session).unwrap()[2], "");
        assert_eq!(router.interim_all(), 3);
        assert_eq!(router.online(), 3);
        assert_eq!(router.rows("/ppp/active").len(), 3);
        assert_eq!(router.rows("/queue/simple").len(), 3);

        let before = router.session(&names[0].0).unwrap().id;
        router.reboot();
        assert_eq!(router.online(), 0);
        assert!(router.rows("/ppp/active").is_empty());
        let again = router.dial(&names[0].0, &names[0].1, MAC).online().id;
        assert_ne!(
            before.as_bytes()[2],
            again.as_bytes()[2],
            "{before} {again}"
        );
        assert_eq!(before[..2], again[..2]);
        assert!(router.hang_up(&names[0].0, cause::LOST_CARRIER));
        let totals = router.totals();
        assert_eq!((totals.accepts, totals.rejects), (6, 1));
        assert_eq!(
            (totals.bad_replies, totals.timeouts, totals.resends),
            (0, 0, 0)
        );
    }
}

#[test]
fn faults_of_accounting_reach_the_server() {
    let daemon = demo(6, 0, 0, &[]);
    let router = router(&daemon, "7.20.6");
    let dial = |n: u32| {
        let (user, password) = (format!("user{n:05}"), format!("pass{n:05}"));
        router.dial(&user, &password, MAC).online()
    };
    // 32 bits only: five thousand million octets look like the rest of a division.
    let session = dial(0);
    router.faults().change(|faults| faults.no_gigawords = true);
    router.advance(60);
    router.pass(&session.user, 5_000_000_000, 10);
    assert!(router.interim(&session.user));
    let wrapped = exported(&daemon, &session).unwrap();
    assert_eq!(total(&wrapped), (5_000_000_000 - (1 << 32), 10));
    // Nothing at all.
    router.faults().change(|faults| faults.no_accounting = true);
    let silent = dial(1);
    assert!(!router.interim(&silent.user));
    assert_eq!(exported(&daemon, &silent), None);
    // The other way round, and each twice.
    router.faults().clear();
    router.faults().change(|faults| {
        faults.swapped_direction = true;
        faults.duplicate_interims = true;
    });
    router.pass(&silent.user, 7, 9);
    let before = router.totals().accounting_requests;
    assert!(router.interim(&silent.user));
    assert_eq!(router.totals().accounting_requests, before + 2);
    assert_eq!(total(&exported(&daemon, &silent).unwrap()), (9, 7));
    // Another secret: nobody answers, neither here nor there.
    router.faults().change(|faults| faults.wrong_secret = true);
    router.change(|state| state.table("/radius").rows[0].put("timeout", "100ms"));
    let refused = router.dial("user00002", "pass00002", MAC);
    assert!(matches!(refused, Dialed::NoAnswer), "{refused:?}");
    assert_eq!((router.totals().resends, router.totals().timeouts), (3, 1));
}

#[test]
fn sessions_end_by_themselves_when_their_limit_is_reached() {
    let daemon = demo(6, 0, 0, &[]);
    let router = router(&daemon, "7.20.6");
    let session = router.dial("user00001", "pass00001", MAC).online();
    let other = router.dial("user00002", "pass00002", MAC).online();
    let set = |user: &str, timeout: Option<u32>, octets: u64| {
        router.change(|state| {
            let key = state.key_of(user).unwrap();
            let grant = &mut state.sessions.get_mut(&key).unwrap().grant;
            (grant.session_timeout, grant.download_limit) = (timeout, octets);
        });
    };
    set(&session.user, Some(60), 0);
    set(&other.user, None, 1000);
    router.advance(30);
    router.pass(&other.user, 5000, 999);
    assert_eq!(router.end_used_up(), 0);
    router.advance(30);
    assert_eq!(router.end_used_up(), 1);
    assert!(router.session(&session.user).is_none());
    router.pass(&other.user, 0, 1);
    assert_eq!(router.end_used_up(), 1);
    assert_eq!(total(&exported(&daemon, &other).unwrap()), (5000, 1000));
    assert_ne!(exported(&daemon, &other).unwrap()[2], "");
}

#[test]
fn a_router_is_known_by_its_address() {
    let daemon = demo(6, 0, 0, &[]);
    let at = |last: u8| {
        let router = Router::start(Options {
            address: [127, 0, 0, last].into(),
            radius: Some(Radius {
                auth: daemon.auth(),
                acct: daemon.acct(),
                secret: radius::SECRET.to_owned(),
            }),
            radius_timeout: Duration::from_millis(100),
            ..Options::default()
        });
        router.add("/ppp/secret", &[("name", "anna"), ("password", "p")]);
        router
    };
    let (second, third) = (at(2), at(3));
    let sender = Sender::new();
    for router in [&second, &third] {
        // The demo has no such router, so its requests are dropped.
        let dialed = router.dial("user00001", "pass00001", MAC);
        assert!(matches!(dialed, Dialed::NoAnswer), "{dialed:?}");
        assert_eq!(router.totals().resends, 3);
        assert_eq!(router.api_addr().ip(), router.address());
        // What the server asks of it arrives all the same.
        let session = router.dial("anna", "p", MAC).online();
        let mut attributes = with_rate(&session, "1M/2M");
        attributes
            .push_ipv4(number::NAS_IP_ADDRESS, router.address())
            .unwrap();
        let outcome = sender.ask(router, Code::COA_REQUEST, &attributes);
        assert_eq!(outcome, CoaOutcome::Ack);
        assert!(router.wait_for_rate("anna", 1_000_000, 2_000_000, PATIENCE));
    }
}

/// A CoA client that sends from 127.0.0.1, where the daemon under test is for the router.
struct Sender {
    runtime: tokio::runtime::Runtime,
    client: CoaClient,
}

impl Sender {
    fn new() -> Sender {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = runtime
            .block_on(async { CoaClient::bind([127, 0, 0, 1].into()) })
            .unwrap();
        Sender { runtime, client }
    }

    fn send(
        &self,
        router: &Router,
        secret: &str,
        code: Code,
        attributes: &AttributeBuffer,
        schedule: &Schedule,
    ) -> CoaOutcome {
        let target = CoaTarget {
            address: router.coa_addr(),
            secret: proxpanel::radius::SharedSecret::new(secret.as_bytes()).unwrap(),
            message_authenticator: true,
            event_timestamp: None,
            link: None,
        };
        let outcome = async {
            match code {
                Code::COA_REQUEST => self.client.change(&target, attributes, schedule).await,
                _ => self.client.disconnect(&target, attributes, schedule).await,
            }
        };
        self.runtime.block_on(outcome).unwrap()
    }

    fn ask(&self, router: &Router, code: Code, attributes: &AttributeBuffer) -> CoaOutcome {
        self.send(router, radius::SECRET, code, attributes, &Schedule::RFC5080)
    }
}

fn naming(session: &Session) -> AttributeBuffer {
    let mut attributes = AttributeBuffer::new();
    attributes
        .push_text(number::USER_NAME, &session.user)
        .unwrap();
    attributes
        .push_text(number::ACCT_SESSION_ID, &session.id)
        .unwrap();
    attributes
        .push_ipv4(number::FRAMED_IP_ADDRESS, session.address)
        .unwrap();
    attributes
}

fn with_rate(session: &Session, rate: &str) -> AttributeBuffer {
    let mut attributes = naming(session);
    attributes
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, rate)
        .unwrap();
    attributes
}

#[test]
fn coa_changes_the_queue_and_disconnect_ends_the_session() {
    let daemon = demo(6, 0, 0, &[]);
    let router = router(&daemon, "7.20.6");
    let session = router.dial("user00001", "pass00001", MAC).online();
    let sender = Sender::new();
    let coa = |attributes: &AttributeBuffer| sender.ask(&router, Code::COA_REQUEST, attributes);
    let nak = |error_cause: u32| CoaOutcome::Nak {
        error_cause: Some(error_cause),
    };

    assert_eq!(coa(&with_rate(&session, "3M/4M")), CoaOutcome::Ack);
    assert!(router.wait_for_rate(&session.user, 3_000_000, 4_000_000, PATIENCE));
    let queues = router.rows("/queue/simple");
    assert_eq!(queues[0]["max-limit"], "3000000/4000000");

    // What does not fit a session, or cannot be changed, changes nothing.
    let mut other = session.clone();
    other.id = "81000000".to_owned();
    assert_eq!(coa(&with_rate(&other, "1M/1M")), nak(503));
    let mut other = session.clone();
    other.address = [192, 0, 2, 1].into();
    assert_eq!(coa(&with_rate(&other, "1M/1M")), nak(503));
    assert_eq!(coa(&with_rate(&session, "fast")), nak(407));
    let mut pool = with_rate(&session, "1M/1M");
    pool.push_text(number::FRAMED_POOL, "isp-expired").unwrap();
    assert_eq!(coa(&pool), nak(401));
    let mut list = with_rate(&session, "1M/1M");
    list.push_vendor_text(mikrotik::VENDOR, mikrotik::ADDRESS_LIST, "isp-expired")
        .unwrap();
    assert_eq!(coa(&list), nak(401));
    let mut foreign = with_rate(&session, "1M/1M");
    foreign
        .push_ipv4(number::NAS_IP_ADDRESS, [192, 0, 2, 2].into())
        .unwrap();
    assert_eq!(coa(&foreign), nak(403));
    let mut nameless = AttributeBuffer::new();
    nameless
        .push_text(number::USER_NAME, &session.user)
        .unwrap();
    assert_eq!(coa(&nameless), nak(402));
    let rate = Pair {
        upload: 3_000_000,
        download: 4_000_000,
    };
    assert_eq!(router.rate_of(&session.user), Some(rate));
    assert_eq!(router.totals().coa_requests, 8);
    assert_eq!((router.totals().acks, router.totals().naks), (1, 7));

    let attributes = naming(&session);
    let ended = sender.ask(&router, Code::DISCONNECT_REQUEST, &attributes);
    assert_eq!(ended, CoaOutcome::Ack);
    assert_eq!(router.online(), 0);
    assert!(router.rows("/queue/simple").is_empty());
    // Start and Stop.
    assert!(router.wait_until(PATIENCE, |state| state.totals.accounting_responses == 2));
    assert_ne!(exported(&daemon, &session).unwrap()[2], "");
    let again = sender.ask(&router, Code::DISCONNECT_REQUEST, &attributes);
    assert_eq!(again, nak(503));
    let last = router.read(|state| state.received.back().cloned().unwrap());
    assert_eq!(
        (last.code, last.answer),
        (Code::DISCONNECT_REQUEST, Answer::Nak(503))
    );
    assert_eq!(last.session_id.as_deref(), Some(session.id.as_str()));
}

#[test]
fn coa_can_fail_in_every_way() {
    let daemon = demo(6, 0, 0, &[]);
    let router = router(&daemon, "7.20.6");
    let session = router.dial("user00002", "pass00002", MAC).online();
    let before = router.rate_of(&session.user);
    let sender = Sender::new();
    let short = Schedule {
        initial: Duration::from_millis(50),
        sends: 3,
        ..Schedule::JOB
    };
    let try_rate = |secret: &str, rate: &str| {
        let attributes = with_rate(&session, rate);
        sender.send(&router, secret, Code::COA_REQUEST, &attributes, &short)
    };
    let set = |coa: CoaFault| router.faults().change(|faults| faults.coa = coa);

    set(CoaFault::Silent);
    assert_eq!(try_rate(radius::SECRET, "1M/1M"), CoaOutcome::Timeout);
    set(CoaFault::Nak(506));
    let nak = CoaOutcome::Nak {
        error_cause: Some(506),
    };
    assert_eq!(try_rate(radius::SECRET, "1M/1M"), nak);
    set(CoaFault::None);
    assert_eq!(try_rate("another", "1M/1M"), CoaOutcome::Timeout);
    router.faults().change(|faults| faults.wrong_secret = true);
    assert_eq!(try_rate(radius::SECRET, "1M/1M"), CoaOutcome::Timeout);
    router.faults().clear();
    assert_eq!(router.rate_of(&session.user), before);

    // A lost answer leaves the change, and the copies that follow are not done again.
    set(CoaFault::LoseAnswer);
    let requests = router.totals().coa_requests;
    assert_eq!(try_rate(radius::SECRET, "1M/2M"), CoaOutcome::Timeout);
    assert!(router.wait_for_rate(&session.user, 1_000_000, 2_000_000, PATIENCE));
    assert_eq!(router.totals().coa_requests, requests + 1);
    assert!(router.wait_until(PATIENCE, |state| state.totals.copies > 0));
    set(CoaFault::Slow(Duration::from_millis(300)));
    assert_eq!(
        sender.ask(&router, Code::COA_REQUEST, &with_rate(&session, "5M/6M")),
        CoaOutcome::Ack
    );

    // Switched off, or asked from an address that is no server's.
    router.change(|state| {
        state.table("/radius/incoming").rows[0].put("accept", "no");
    });
    assert_eq!(try_rate(radius::SECRET, "7M/7M"), CoaOutcome::Timeout);
    router.change(|state| {
        state.table("/radius/incoming").rows[0].put("accept", "yes");
        state.table("/radius").rows[0].put("address", "192.0.2.1");
    });
    assert_eq!(try_rate(radius::SECRET, "7M/7M"), CoaOutcome::Timeout);
    let last = router.read(|state| state.received.back().cloned().unwrap());
    assert_eq!(last.answer, Answer::Dropped("unknown address"));
}
