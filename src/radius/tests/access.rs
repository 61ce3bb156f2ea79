//! Logins over real sockets: answers, refusals, copies, delays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::*;
use super::{SECRET, packet, peer, secret};
use crate::radius::auth::Method;
use crate::radius::client::{Login, ReplyError, Request, exchange};
use crate::radius::packet::PACKET_MAX_OCTETS;
use crate::radius::{
    AccessOutcome, AttributeBuffer, Code, MaPolicy, NasPeer, Packet, Port, number,
};

#[test]
fn every_method_is_accepted_with_message_authenticator_first() {
    let bench = bench(Port::Auth, peer(SECRET));
    for (identifier, method) in [(1, Method::Pap), (2, Method::Chap), (3, Method::MsChap)] {
        let login = Login {
            user_name: "nemo",
            password: "arctangent",
            method,
        };
        let request =
            Request::access(&secret(), identifier, &login, &AttributeBuffer::new()).unwrap();
        let reply = exchange(bench.server.local_addr(), &request, PATIENCE, 1).unwrap();
        let packet = reply.packet().unwrap();
        assert_eq!(packet.code(), Code::ACCESS_ACCEPT);
        let kinds: Vec<u8> = packet.attributes().map(|(kind, _)| kind).collect();
        assert_eq!(
            kinds,
            [number::MESSAGE_AUTHENTICATOR, number::SESSION_TIMEOUT]
        );
    }
    bench.seen.wait("Received { nas: 7, code: Access-Request }");
    bench.seen.wait("Replied { nas: 7, code: Access-Accept }");
}

#[test]
fn the_client_refuses_an_accept_without_the_servers_proof() {
    let bench = bench(Port::Auth, peer(SECRET));
    let login = Login {
        user_name: "nemo",
        password: "arctangent",
        method: Method::MsChap2,
    };
    let request = Request::access(&secret(), 1, &login, &AttributeBuffer::new()).unwrap();
    bench.send(request.octets());
    let error = request.verify(&bench.receive()).unwrap_err();
    assert_eq!(error, ReplyError::WrongServerProof);
}

#[test]
fn what_must_be_dropped_is_dropped_and_named() {
    let bench = bench(Port::Auth, peer(SECRET));
    let good = pap(1);
    let mut wrong = good.octets().to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let mut other_code = good.octets().to_vec();
    other_code[0] = 4;
    let proxy: (u8, &[u8]) = (number::PROXY_STATE, b"x");
    let eap: (u8, &[u8]) = (number::EAP_MESSAGE, &[2, 1, 0, 5, 1]);
    let status = packet(Code::STATUS_SERVER, &[1; 16], &AttributeBuffer::new());
    let start = "Refused { nas: 7, source: 127.0.0.1:";
    for (octets, reason) in [
        (&b"short"[..], "Malformed(Short { got: 5 })"),
        (
            &good.octets()[..good.octets().len() - 1],
            "Malformed(Truncated",
        ),
        (&other_code, "UnexpectedCode(4)"),
        (&wrong, "WrongMessageAuthenticator"),
        (&bare(&[proxy]), "ProxyStateUnprotected"),
        (&bare(&[eap]), "MissingMessageAuthenticator"),
        (&status, "MissingMessageAuthenticator"),
    ] {
        bench.send(octets);
        let event = bench.seen.wait(start);
        assert!(event.contains(reason), "{event} is not {reason}");
    }
    let stranger = client("127.0.0.9:0");
    stranger
        .send_to(good.octets(), bench.server.local_addr())
        .unwrap();
    let event = bench.seen.wait("UnknownNas");
    assert!(
        event.contains("Some(Access-Request)") && event.contains("[110, 101, 109, 111]"),
        "{event}"
    );
    // None of them was answered: the first reply is that of the good one.
    bench.send(good.octets());
    assert!(good.verify(&bench.receive()).is_ok());
}

#[test]
fn message_authenticator_policies() {
    let plain = bare(&[(number::USER_PASSWORD, &[0; 16])]);
    let bench = bench(
        Port::Auth,
        NasPeer {
            message_authenticator: MaPolicy::Yes,
            ..peer(SECRET)
        },
    );
    bench.drops(&plain, "Refused");
    bench.send(pap(1).octets());
    bench.receive();
    *bench.handler.peer.lock().unwrap() = Arc::new(NasPeer {
        message_authenticator: MaPolicy::Auto,
        ..peer(SECRET)
    });
    bench.send(&plain);
    bench.receive();
    let mut eap = AttributeBuffer::new();
    eap.push_eap_message(&[2, 1, 0, 5, 1]).unwrap();
    let login = Login {
        user_name: "nemo",
        password: "x",
        method: Method::MsChap,
    };
    let with_eap = Request::access(&secret(), 3, &login, &eap).unwrap();
    bench.send(with_eap.octets());
    bench.receive();
    // Only one that is not forced by EAP may pin the policy.
    while let Ok(event) = bench.seen.events.try_recv() {
        assert!(!event.starts_with("FirstMessageAuthenticator"), "{event}");
    }
    bench.send(pap(2).octets());
    bench.receive();
    bench.seen.wait("FirstMessageAuthenticator { nas: 7 }");
    *bench.handler.peer.lock().unwrap() = Arc::new(NasPeer {
        limit_proxy_state: false,
        send_message_authenticator: false,
        ..peer(SECRET)
    });
    let mut proxied = bare(&[
        (number::PROXY_STATE, b"a"),
        (25, b"c"),
        (number::PROXY_STATE, b""),
    ]);
    // Another identifier, or it would be a copy of the request before.
    proxied[1] ^= 1;
    bench.send(&proxied);
    let reply = bench.receive();
    let kinds: Vec<(u8, &[u8])> = Packet::parse(&reply).unwrap().attributes().collect();
    let timeout: &[u8] = &[0, 0, 0, 60];
    let echoed: [(u8, &[u8]); 3] = [
        (number::SESSION_TIMEOUT, timeout),
        (number::PROXY_STATE, b"a"),
        (number::PROXY_STATE, b""),
    ];
    assert_eq!(kinds, echoed, "in order, unmodified, behind our own");
}

#[test]
fn eap_is_answered_under_message_authenticator_whatever_the_record_says() {
    let peer = NasPeer {
        send_message_authenticator: false,
        ..peer(SECRET)
    };
    let bench = bench(Port::Auth, peer);
    let mut extra = AttributeBuffer::new();
    extra.push_eap_message(&[2, 1, 0, 5, 1]).unwrap();
    let login = Login {
        user_name: "nemo",
        password: "x",
        method: Method::MsChap,
    };
    let request = Request::access(&secret(), 1, &login, &extra).unwrap();
    bench.send(request.octets());
    assert!(
        Packet::parse(&bench.receive())
            .unwrap()
            .has_message_authenticator()
    );
}

#[test]
fn a_copy_gets_the_same_octets_and_a_new_request_does_not() {
    let bench = bench(Port::Auth, peer(SECRET));
    let request = pap(1);
    bench.send(request.octets());
    let first = bench.receive();
    bench.send(request.octets());
    assert_eq!(bench.receive(), first);
    bench.seen.wait("Duplicate { nas: 7, resent: true }");
    let reused = pap(1);
    bench.send(reused.octets());
    let other = bench.receive();
    assert_ne!(other, first);
    assert!(reused.verify(&other).is_ok());
    let neighbour = client("127.0.0.1:0");
    neighbour
        .send_to(reused.octets(), bench.server.local_addr())
        .unwrap();
    receive(&neighbour);
    while let Ok(event) = bench.seen.events.try_recv() {
        assert!(
            !event.starts_with("Duplicate"),
            "another port is another client: {event}"
        );
    }
}

#[test]
fn a_delayed_reject_drops_copies_until_it_fires_and_serves_them_after() {
    let bench = bench_on("127.0.0.1:0", Port::Auth, peer(SECRET), |_, reply| {
        reply.push_text(number::REPLY_MESSAGE, "no").unwrap();
        AccessOutcome::Reject {
            delay: Duration::from_millis(300),
        }
    });
    let request = pap(1);
    bench.send(request.octets());
    bench.send(request.octets());
    bench.seen.wait("Duplicate { nas: 7, resent: false }");
    let reply = bench.receive();
    assert_eq!(request.verify(&reply).unwrap().code(), Code::ACCESS_REJECT);
    bench.send(request.octets());
    assert_eq!(bench.receive(), reply);
    bench.seen.wait("Duplicate { nas: 7, resent: true }");
}

#[test]
fn silence_and_panics_leave_the_retry_free() {
    let calls = Mutex::new(0);
    let bench = bench_on("127.0.0.1:0", Port::Auth, peer(SECRET), move |_, _| {
        let mut calls = calls
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *calls += 1;
        match *calls {
            1 => AccessOutcome::Silence,
            2 => panic!("the handler of this test panics once"),
            _ => AccessOutcome::Accept,
        }
    });
    let request = pap(1);
    bench.drops(request.octets(), "Silent { nas: 7, code: Access-Request }");
    bench.drops(request.octets(), "HandlerPanicked { nas: 7 }");
    bench.send(request.octets());
    assert!(request.verify(&bench.receive()).is_ok());
}

#[test]
fn a_reply_that_does_not_fit_is_refused_at_the_push() {
    let bench = bench_on("127.0.0.1:0", Port::Auth, peer(SECRET), |_, reply| {
        while reply.push_octets(number::CLASS, &[1; 100]).is_ok() {}
        while reply.push_octets(number::CLASS, &[1; 1]).is_ok() {}
        AccessOutcome::Accept
    });
    let mut extra = AttributeBuffer::new();
    extra.push_octets(number::PROXY_STATE, &[9; 253]).unwrap();
    let login = Login {
        user_name: "nemo",
        password: "x",
        method: Method::Pap,
    };
    let request = Request::access(&secret(), 1, &login, &extra).unwrap();
    bench.send(request.octets());
    let reply = bench.receive();
    let packet = request.verify(&reply).unwrap();
    assert!(
        reply.len() > PACKET_MAX_OCTETS - 3,
        "filled to the brim: {}",
        reply.len()
    );
    assert_eq!(
        packet.attributes().last(),
        Some((number::PROXY_STATE, &[9; 253][..]))
    );
}

#[test]
fn a_panic_anywhere_in_the_handler_does_not_end_a_thread() {
    let bench = bench(Port::Auth, peer(SECRET));
    let request = pap(1);
    // Enough source ports to reach both sockets of the server.
    for _ in 0..16 {
        let poison = client("127.0.0.8:0");
        poison
            .send_to(request.octets(), bench.server.local_addr())
            .unwrap();
    }
    for identifier in 0..16 {
        let reply = exchange(bench.server.local_addr(), &pap(identifier), PATIENCE, 1).unwrap();
        assert_eq!(reply.packet().unwrap().code(), Code::ACCESS_ACCEPT);
    }
}
