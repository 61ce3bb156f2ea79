//! Accounting and Status-Server over real sockets.

use std::sync::atomic::Ordering;
use std::thread;

use super::fake::*;
use super::{SECRET, peer, secret};
use crate::radius::client::Request;
use crate::radius::{AttributeBuffer, Code, Port, number};

#[test]
fn an_acknowledgement_may_come_from_any_thread_later() {
    let bench = bench(Port::Acct, peer(SECRET));
    let mut attributes = record();
    attributes.push_octets(number::PROXY_STATE, b"hop").unwrap();
    let request = accounting(5, &attributes);
    bench.send(request.octets());
    let acknowledgement = bench.seen.record();
    bench.send(request.octets());
    bench.seen.wait("Duplicate { nas: 7, resent: false }");
    thread::spawn(|| acknowledgement.send()).join().unwrap();
    let reply = bench.receive();
    let all: Vec<(u8, &[u8])> = request.verify(&reply).unwrap().attributes().collect();
    assert_eq!(
        all,
        [(number::PROXY_STATE, &b"hop"[..])],
        "nothing else may be in it"
    );
    bench.send(request.octets());
    assert_eq!(bench.receive(), reply);
    bench.seen.wait("Duplicate { nas: 7, resent: true }");
}

#[test]
fn an_acknowledgement_dropped_is_silence_and_the_retry_is_new() {
    let bench = bench(Port::Acct, peer(SECRET));
    let request = accounting(5, &record());
    bench.send(request.octets());
    drop(bench.seen.record());
    bench
        .seen
        .wait("Silent { nas: 7, code: Accounting-Request }");
    bench.send(request.octets());
    let second = bench.seen.record();
    second.send();
    assert!(request.verify(&bench.receive()).is_ok());
    let mut panics = record();
    panics.push_text(number::USER_NAME, "panic").unwrap();
    bench.drops(accounting(6, &panics).octets(), "HandlerPanicked");
}

#[test]
fn an_acknowledgement_outlives_the_server() {
    let bench = bench(Port::Acct, peer(SECRET));
    let request = accounting(5, &record());
    bench.send(request.octets());
    let acknowledgement = bench.seen.record();
    bench.server.stop();
    acknowledgement.send();
    assert!(request.verify(&receive(&bench.socket).0).is_ok());
}

#[test]
fn accounting_that_cannot_be_billed_is_dropped_and_named() {
    let bench = bench(Port::Acct, peer(SECRET));
    let with = |kind, value: &[u8]| {
        let mut buffer = record();
        buffer.push_raw(kind, value).unwrap();
        buffer
    };
    let mut only_status = AttributeBuffer::new();
    only_status.push_u32(number::ACCT_STATUS_TYPE, 1).unwrap();
    let mut only_session = AttributeBuffer::new();
    only_session
        .push_text(number::ACCT_SESSION_ID, "1")
        .unwrap();
    let mut empty_session = only_status.clone();
    empty_session
        .push_raw(number::ACCT_SESSION_ID, b"")
        .unwrap();
    for (attributes, kind) in [
        (only_status, number::ACCT_SESSION_ID),
        (empty_session, number::ACCT_SESSION_ID),
        (only_session, number::ACCT_STATUS_TYPE),
        (
            with(number::ACCT_INPUT_OCTETS, &[0; 3]),
            number::ACCT_INPUT_OCTETS,
        ),
        (
            with(number::ACCT_OUTPUT_GIGAWORDS, &[0; 5]),
            number::ACCT_OUTPUT_GIGAWORDS,
        ),
        (
            with(number::ACCT_SESSION_TIME, &[]),
            number::ACCT_SESSION_TIME,
        ),
    ] {
        bench.send(accounting(5, &attributes).octets());
        let event = bench.seen.wait("Refused");
        assert!(
            event.contains(&format!("AccountingAttribute {{ kind: {kind} }}")),
            "{event}"
        );
    }
    let mut forged = accounting(6, &record()).octets().to_vec();
    forged[4] ^= 1;
    bench.send(&forged);
    assert!(
        bench
            .seen
            .wait("Refused")
            .contains("WrongAccountingAuthenticator")
    );
    // A wrong size where nothing is billed is no reason to lose the record.
    bench.send(accounting(7, &with(number::FRAMED_IP_ADDRESS, &[1])).octets());
    bench.seen.record().send();
    bench.receive();
}

#[test]
fn status_server_is_answered_while_alive() {
    for (port, code) in [
        (Port::Auth, Code::ACCESS_ACCEPT),
        (Port::Acct, Code::ACCOUNTING_RESPONSE),
    ] {
        let bench = bench(port, peer(SECRET));
        let request = Request::status(&secret(), 3).unwrap();
        bench.send(request.octets());
        let reply = bench.receive();
        let packet = request.verify(&reply).unwrap();
        assert_eq!(packet.code(), code);
        assert_eq!(
            packet.attributes().next().unwrap().0,
            number::MESSAGE_AUTHENTICATOR
        );
        bench.handler.alive.store(false, Ordering::SeqCst);
        bench.drops(request.octets(), "Silent { nas: 7, code: Status-Server }");
    }
}
