//! Which NAS a packet comes from, what is seen of each, and strangers.

use std::sync::atomic::Ordering;

use super::*;
use crate::domain::audit::Object;
use crate::domain::nas::MessageAuthenticator;
use crate::operations::nas as verbs;
use crate::store::{audit, nas as table};
use crate::telemetry::DropReason;

fn dropped(bench: &Bench, reason: DropReason) -> u64 {
    bench.it.app.telemetry.counters.dropped(reason).get()
}

#[test]
fn the_longest_prefix_names_the_router_and_its_secret() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    bench.it.add_subscriber(subscriber("ali", plan));
    for (name, network, its_secret) in [
        ("wide", "127.1.0.0/16", "secret-of-wide"),
        ("host", "127.1.1.7", "secret-of-host"),
        ("narrow", "127.1.1.0/24", "secret-of-narrow"),
    ] {
        let mut draft = router(name, network);
        draft.secret = secret(its_secret);
        bench.it.add_nas(draft);
    }
    let login = Login {
        user_name: "ali",
        password: "pass-1",
        method: Method::Chap,
    };
    for (from, its_secret) in [
        ("127.1.2.7", "secret-of-wide"),
        ("127.1.1.8", "secret-of-narrow"),
        ("127.1.1.7", "secret-of-host"),
        ("127.0.0.1", SECRET),
    ] {
        let asked = bench.ask_from(
            from.parse().unwrap(),
            its_secret,
            &login,
            &AttributeBuffer::new(),
        );
        assert_eq!(code(&asked.reply()), Code::ACCESS_ACCEPT, "{from}");
    }
    // A secret that changed holds at the next packet; what was seen of the router stays.
    let host = bench
        .it
        .app
        .nas_table()
        .find("127.1.1.7".parse().unwrap())
        .unwrap()
        .nas
        .id;
    let mut draft = router("host", "127.1.1.7");
    draft.secret = secret("a-new-secret");
    run(verbs::update(&bench.it.app, &actor(), host, draft)).unwrap();
    let from = "127.1.1.7".parse().unwrap();
    let asked = bench.ask_from(from, "a-new-secret", &login, &AttributeBuffer::new());
    assert_eq!(code(&asked.reply()), Code::ACCESS_ACCEPT);
    let stats = &bench.it.app.nas(host).unwrap().stats;
    assert_eq!(stats.accepts.load(Ordering::Relaxed), 2);
    bench.ask_from(from, "secret-of-host", &login, &AttributeBuffer::new());
    until(|| stats.last_wrong_secret() == Some(NOW));
    assert_eq!(dropped(&bench, DropReason::WrongMessageAuthenticator), 1);
}

#[test]
fn strangers_are_listed_until_they_are_a_router() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    bench.it.add_subscriber(subscriber("ali", plan));
    let from: IpAddr = "127.7.7.7".parse().unwrap();
    let login = Login {
        user_name: "ali",
        password: "pass-1",
        method: Method::Pap,
    };
    let mut names = AttributeBuffer::new();
    names.push_text(number::NAS_IDENTIFIER, "tower-7").unwrap();
    let asked = bench.ask_from(from, SECRET, &login, &names);
    until(|| !bench.it.app.sightings.list().is_empty());
    let seen = bench.it.app.sightings.list().remove(0);
    assert_eq!(
        (
            seen.source,
            seen.user_name.as_str(),
            seen.nas_identifier.as_str()
        ),
        (from, "ali", "tower-7")
    );
    assert_eq!(dropped(&bench, DropReason::UnknownNas), 1);
    bench.it.add_nas(router("tower", "127.7.7.0/24"));
    assert!(bench.it.app.sightings.list().is_empty());
    // The router's retry is served; the first copy got no answer.
    asked
        .socket
        .send_to(asked.request.octets(), bench.auth.local_addr())
        .unwrap();
    assert_eq!(code(&asked.reply()), Code::ACCESS_ACCEPT);
}

#[test]
fn the_first_message_authenticator_makes_it_required() {
    let bench = bench_of(TestApp::new(), "127.0.0.1:0");
    let mut draft = router("localhost", "127.0.0.1");
    draft.message_authenticator = MessageAuthenticator::Auto { pinned: false };
    let id = bench.it.add_nas(draft);
    let plan = bench.it.add_plan(plan("Home"));
    bench.it.add_subscriber(subscriber("ali", plan));
    let without = bare("ali", "pass-1", SECRET);
    let socket = bench.send(&bench.auth, LOCALHOST, &without);
    assert_eq!(code(&receive(&socket)), Code::ACCESS_ACCEPT);
    assert_eq!(code(&bench.login("ali")), Code::ACCESS_ACCEPT);
    let app = &bench.it.app;
    let policy = || app.nas(id).unwrap().nas.message_authenticator;
    until(|| policy() == MessageAuthenticator::Auto { pinned: true });
    bench.send(&bench.auth, LOCALHOST, &without);
    until(|| dropped(&bench, DropReason::MissingMessageAuthenticator) == 1);
    assert_eq!(
        app.nas(id).unwrap().stats.last_missing_authenticator(),
        Some(NOW)
    );
    assert_eq!(code(&bench.login("ali")), Code::ACCESS_ACCEPT);
    let view = app.store.view().unwrap();
    let entry = audit::of(&view, Object::Nas(id), 1).unwrap().remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.changes[0].new.as_str()),
        ("protection pinned", "required")
    );
    let stored = table::get(&view, id).unwrap().unwrap();
    assert_eq!(
        stored.nas.message_authenticator,
        MessageAuthenticator::Auto { pinned: true }
    );
}

#[test]
fn a_server_that_is_well_says_so_over_ipv6_too() {
    let bench = bench_of(TestApp::new(), "[::1]:0");
    bench.it.add_nas(router("localhost-v6", "::1"));
    let plan = bench.it.add_plan(plan("Home"));
    bench.it.add_subscriber(subscriber("ali", plan));
    let from: IpAddr = "::1".parse().unwrap();
    let secret = SharedSecret::new(SECRET.as_bytes()).unwrap();
    for (server, wanted) in [
        (&bench.auth, Code::ACCESS_ACCEPT),
        (&bench.acct, Code::ACCOUNTING_RESPONSE),
    ] {
        let request = Request::status(&secret, 3).unwrap();
        let socket = bench.send(server, from, request.octets());
        let reply = receive(&socket);
        assert_eq!(request.verify(&reply).unwrap().code(), wanted);
    }
    let login = Login {
        user_name: "ali",
        password: "pass-1",
        method: Method::MsChap2,
    };
    let reply = bench
        .ask_from(from, SECRET, &login, &AttributeBuffer::new())
        .reply();
    assert_eq!(code(&reply), Code::ACCESS_ACCEPT);
    assert_eq!(bench.logged("ali").source, from);
}
