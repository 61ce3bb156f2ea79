//! RadSec over real sockets: who is let in, what is a packet, and what a client can make us wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::certificate::ClientCertificate;
use super::connection::Connection;
use super::peer::*;
use super::{Ending, Limits, SECRET};
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request};
use crate::radius::dedup::Dedup;
use crate::radius::desk::Desk;
use crate::radius::reply::Shared;
use crate::radius::tests::fake::{PATIENCE, accept, fake, record};
use crate::radius::tests::packet;
use crate::radius::{AccessOutcome, AttributeBuffer, Code, Port, SharedSecret, number};

fn secret() -> SharedSecret {
    SharedSecret::new(SECRET).unwrap()
}

fn pap(identifier: u8) -> Request {
    let login = Login {
        user_name: "nemo",
        password: "arctangent",
        method: Method::Pap,
    };
    Request::access(&secret(), identifier, &login, &AttributeBuffer::new()).unwrap()
}

fn accounting(identifier: u8) -> Request {
    Request::accounting(&secret(), identifier, &record()).unwrap()
}

/// A packet of 4096 octets, the most there may be.
fn longest() -> Vec<u8> {
    let mut attributes = AttributeBuffer::new();
    attributes.push_text(number::USER_NAME, "nemo").unwrap();
    let mut octets = packet(Code::ACCESS_REQUEST, &[7; 16], &attributes);
    while octets.len() < 4096 {
        let length = (4096 - octets.len()).min(200);
        octets.extend([number::REPLY_MESSAGE, u8::try_from(length).unwrap()]);
        octets.extend(vec![b'x'; length - 2]);
    }
    octets[2..4].copy_from_slice(&4096u16.to_be_bytes());
    octets
}

#[track_caller]
fn is_reply(request: &Request, reply: &[u8], code: Code) {
    assert_eq!(request.verify(reply).unwrap().code(), code);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_every_code() {
    let bench = bench_with(patient(), accept);
    let mut client = bench.connect().await;
    bench.seen.wait("RadsecOpened { nas: 7");
    let login = pap(1);
    client.send(login.octets()).await;
    is_reply(&login, &client.receive().await, Code::ACCESS_ACCEPT);
    let status = Request::status(&secret(), 0).unwrap();
    client.send(status.octets()).await;
    is_reply(&status, &client.receive().await, Code::ACCESS_ACCEPT);
    let record = accounting(1);
    client.send(record.octets()).await;
    bench.seen.record().send();
    is_reply(&record, &client.receive().await, Code::ACCOUNTING_RESPONSE);
    // What is not for a server is declined, and what is nothing at all is dropped; the connection goes on.
    for (asked, code) in [
        (Code::COA_REQUEST, Code::COA_NAK),
        (Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK),
    ] {
        let mut attributes = AttributeBuffer::new();
        attributes.push_text(number::USER_NAME, "nemo").unwrap();
        let request = Request::digest_signed(asked, &secret(), 3, &attributes, false).unwrap();
        client.send(request.octets()).await;
        let reply = client.receive().await;
        let reply = request.verify(&reply).unwrap();
        assert_eq!(
            (reply.code(), reply.u32(number::ERROR_CAUSE)),
            (code, Some(406))
        );
    }
    client
        .send(&packet(
            Code::ACCESS_CHALLENGE,
            &[1; 16],
            &AttributeBuffer::new(),
        ))
        .await;
    bench.seen.wait("Refused");
    let login = pap(2);
    client.send(login.octets()).await;
    is_reply(&login, &client.receive().await, Code::ACCESS_ACCEPT);
    drop(client);
    let closed = bench.seen.wait("RadsecClosed { nas: 7");
    assert!(closed.contains("why: Closed"), "{closed}");
    bench.radsec.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_told_apart_by_their_length_alone() {
    let bench = bench_with(patient(), accept);
    let mut client = bench.connect().await;
    let split = pap(1);
    for octet in split.octets() {
        client.send(&[*octet]).await;
    }
    is_reply(&split, &client.receive().await, Code::ACCESS_ACCEPT);
    let many: Vec<Request> = (0..=255).map(pap).collect();
    let together: Vec<u8> = many.iter().flat_map(|one| one.octets().to_vec()).collect();
    let (begin, end) = together.split_at(together.len() / 2 + 7);
    client.send(begin).await;
    client.send(end).await;
    for request in &many {
        is_reply(request, &client.receive().await, Code::ACCESS_ACCEPT);
    }
    client.send(&longest()).await;
    assert_eq!(client.receive().await[0], Code::ACCESS_ACCEPT.0);
    // Half closed: the client says that it is done, and still gets its answers.
    let last = [accounting(1), accounting(2)];
    for request in &last {
        client.send(request.octets()).await;
    }
    client.0.shutdown().await.unwrap();
    for request in &last {
        bench.seen.record().send();
        is_reply(request, &client.receive().await, Code::ACCOUNTING_RESPONSE);
    }
    client.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_packet_ends_the_connection() {
    let bench = bench_with(patient(), accept);
    let good = pap(9).octets().to_vec();
    let with_length = |length: u16| {
        let mut octets = good.clone();
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        octets
    };
    let mut wrong_authenticator = accounting(1).octets().to_vec();
    wrong_authenticator[10] ^= 1;
    let mut wrong_signature = good.clone();
    *wrong_signature.last_mut().unwrap() ^= 1;
    let mut cut_attribute = good.clone();
    cut_attribute[21] = 255;
    for (octets, why) in [
        (with_length(0), "Length(0)"),
        (with_length(19), "Length(19)"),
        (with_length(4097), "Length(4097)"),
        (with_length(u16::MAX), "Length(65535)"),
        (cut_attribute, "Refused(Malformed"),
        (wrong_signature, "Refused(WrongMessageAuthenticator)"),
        (wrong_authenticator, "Refused(WrongAccountingAuthenticator)"),
    ] {
        let mut client = bench.connect().await;
        client.send(&octets).await;
        client.ends().await;
        let closed = bench.seen.wait("RadsecClosed");
        assert!(closed.contains(why), "{why}: {closed}");
    }
    // Octets that are no TLS at all.
    let mut raw = TcpStream::connect(bench.address).await.unwrap();
    raw.write_all(&good).await.unwrap();
    let _ = timeout(PATIENCE, raw.read_to_end(&mut Vec::new()))
        .await
        .unwrap();
    let refused = bench.seen.wait("RadsecRefused");
    assert!(refused.contains("NotTls"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_owner_of_a_known_certificate_is_heard() {
    let bench = bench_with(patient(), accept);
    let stranger = Identity::own("stranger");
    let client = bench.try_connect(stranger.resolver()).await.unwrap();
    client.ends().await;
    let seen = bench.seen.wait("RadsecStranger");
    let fingerprint = crate::crypto::hex(&stranger.fingerprint());
    assert!(
        seen.contains(&fingerprint) && seen.contains("[\"stranger\"]"),
        "{seen}"
    );
    for (shown, why) in [
        (bench.nas.with_key_of(&stranger), "WrongKey"),
        (Arc::new(Nobody) as Arc<_>, "NoCertificate"),
    ] {
        if let Ok(client) = bench.try_connect(shown).await {
            client.ends().await;
        }
        let refused = bench.seen.wait("RadsecRefused");
        assert!(refused.contains(why), "{refused}");
    }
    // TLS 1.2, which older routers speak, proves the key in another way.
    let older = [&rustls::version::TLS12];
    let thief = bench.nas.with_key_of(&stranger);
    let thief = bench.connect_speaking(&older, &bench.server, thief).await;
    assert!(thief.is_err());
    let refused = bench.seen.wait("RadsecRefused");
    assert!(refused.contains("WrongKey"), "{refused}");
    let owner = bench.nas.resolver();
    let owner = bench.connect_speaking(&older, &bench.server, owner).await;
    owner.unwrap().ask().await;
    bench.seen.wait("RadsecOpened");
    let elsewhere = bench
        .connect_trusting(&stranger, bench.nas.resolver())
        .await;
    assert!(elsewhere.is_err());
    let refused = bench.seen.wait("RadsecRefused");
    assert!(refused.contains("Untrusting"), "{refused}");
    // Known no more: the next packet is not looked at.
    let mut client = bench.connect().await;
    // The client has shaken hands before the server has looked whose certificate it is.
    bench.seen.wait("RadsecOpened");
    bench.handler.certificates.lock().unwrap().clear();
    client.send(pap(1).octets()).await;
    client.ends().await;
    let closed = bench.seen.wait("RadsecClosed");
    assert!(closed.contains("Stranger"), "{closed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_waited_for_without_end() {
    let short = Limits {
        handshake: SHORT,
        ..patient()
    };
    let bench = bench_with(short, accept);
    let mut silent = TcpStream::connect(bench.address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    let refused = bench.seen.wait("RadsecRefused");
    assert!(refused.contains("SlowHandshake"), "{refused}");

    let short = Limits {
        idle: SHORT,
        ..patient()
    };
    let bench = bench_with(short, accept);
    bench.connect().await.ends().await;
    assert!(bench.seen.wait("RadsecClosed").contains("Idle"));

    let short = Limits {
        packet: SHORT,
        ..patient()
    };
    for octets in [1, 3, 4, 19] {
        let bench = bench_with(short, accept);
        let mut client = bench.connect().await;
        client.send(&pap(1).octets()[..octets]).await;
        client.ends().await;
        let closed = bench.seen.wait("RadsecClosed");
        assert!(closed.contains("SlowPacket"), "{octets} octets: {closed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_bounded() {
    let limits = Limits {
        per_nas: 2,
        connections: 3,
        ..patient()
    };
    let bench = bench_with(limits, accept);
    let first = bench.connect().await;
    bench.seen.wait("RadsecOpened");
    let _second = bench.connect().await;
    bench.seen.wait("RadsecOpened");
    bench.connect().await.ends().await;
    assert!(bench.seen.wait("RadsecRefused").contains("TooMany"));
    // A third one in all may still shake hands, a fourth is not even let in.
    let _silent = TcpStream::connect(bench.address).await.unwrap();
    let mut fourth = TcpStream::connect(bench.address).await.unwrap();
    assert_eq!(fourth.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(bench.seen.wait("RadsecRefused").contains("TooMany"));
    drop(_silent);
    bench.seen.wait("RadsecRefused");
    drop(first);
    bench.seen.wait("RadsecClosed");
    let mut again = bench.connect().await;
    let login = pap(1);
    again.send(login.octets()).await;
    is_reply(&login, &again.receive().await, Code::ACCESS_ACCEPT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_answered_once_for_each_connection() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let bench = bench_with(patient(), move |request, reply| {
        counted.fetch_add(1, Ordering::SeqCst);
        accept(request, reply)
    });
    let login = pap(1);
    let (mut one, mut other) = (bench.connect().await, bench.connect().await);
    one.send(login.octets()).await;
    let first = one.receive().await;
    one.send(login.octets()).await;
    assert_eq!(one.receive().await, first);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    other.send(login.octets()).await;
    is_reply(&login, &other.receive().await, Code::ACCESS_ACCEPT);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_answers_what_is_under_way() {
    let bench = bench_with(patient(), |_, _| AccessOutcome::Reject {
        delay: Duration::from_secs(10),
    });
    let mut client = bench.connect().await;
    let (login, record) = (pap(1), accounting(2));
    client.send(login.octets()).await;
    bench.seen.wait("Received");
    client.send(record.octets()).await;
    let acknowledgement = bench.seen.record();
    let stop = tokio::spawn(bench.radsec.stop());
    // The reject does not wait for its time, the record is answered once it is stored.
    is_reply(&login, &client.receive().await, Code::ACCESS_REJECT);
    acknowledgement.send();
    is_reply(&record, &client.receive().await, Code::ACCOUNTING_RESPONSE);
    client.ends().await;
    stop.await.unwrap();
    assert!(bench.seen.wait("RadsecClosed").contains("Stopped"));
    assert!(TcpStream::connect(bench.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_never_stored_does_not_hold_up_a_stop() {
    let limits = Limits {
        drain: SHORT,
        ..patient()
    };
    let bench = bench_with(limits, accept);
    let mut client = bench.connect().await;
    client.send(accounting(2).octets()).await;
    let _kept = bench.seen.record();
    timeout(PATIENCE, bench.radsec.stop()).await.unwrap();
    client.ends().await;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let (handler, seen) = fake(crate::radius::tests::peer(b"of UDP"), accept);
    let nas = Identity::own("nas");
    let known = radsec_peer(NAS);
    handler
        .certificates
        .lock()
        .unwrap()
        .insert(nas.fingerprint(), known);
    let handler: Arc<dyn crate::radius::Handler> = handler;
    let shared = Arc::new(Shared {
        handler: Arc::clone(&handler),
        dedup: Dedup::new(),
    });
    let (_stop, stopping) = watch::channel(false);
    let connection = Connection {
        desk: Desk::new(Port::Both, shared, Arc::default()),
        handler,
        certificate: ClientCertificate::new(std::slice::from_ref(&nas.certificate)).unwrap(),
        peer: radsec_peer(NAS),
        links: Arc::default(),
        remote: ([127, 0, 0, 1], 1).into(),
        local: [127, 0, 0, 1].into(),
        limits: Limits {
            send: SHORT,
            drain: SHORT,
            ..patient()
        },
        stopping,
    };
    // Room for one reply between the two.
    let (mut client, server) = tokio::io::duplex(64);
    let serving = tokio::spawn(connection.serve(server));
    // It sends on until it is cut off.
    let pouring = async { while client.write_all(pap(1).octets()).await.is_ok() {} };
    timeout(PATIENCE, pouring).await.expect("an end");
    assert_eq!(serving.await.unwrap(), Ending::SlowReader);
    seen.wait("Replied");
}
