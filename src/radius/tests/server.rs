//! The server over real loopback sockets, with a handler that records what it sees.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use super::super::auth::Method;
use super::super::client::{Login, Request, exchange};
use super::super::number;
use super::super::packet::PACKET_MAX_OCTETS;
use super::super::server::{Server, spawn};
use super::super::{
    AccessOutcome, AccessRequest, AccountingRequest, Acknowledgement, AttributeBuffer, Code,
    Handler, MaPolicy, NasPeer, Observation, Packet, Port,
};
use super::{packet, peer, secret};

/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

pub type Access =
    Box<dyn Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync>;

/// A handler for tests: one NAS record for every source but 127.0.0.9, a decision, and everything observed.
pub struct Fake {
    pub peer: Mutex<Arc<NasPeer>>,
    pub access: Access,
    pub alive: AtomicBool,
    events: Mutex<mpsc::Sender<String>>,
    records: Mutex<mpsc::Sender<Acknowledgement>>,
}

pub struct Seen {
    pub events: mpsc::Receiver<String>,
    pub records: mpsc::Receiver<Acknowledgement>,
}

impl Seen {
    /// Waits for an event whose debug text starts so, and returns it.
    #[track_caller]
    pub fn wait(&self, start: &str) -> String {
        loop {
            let event = self
                .events
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no event {start}"));
            if event.starts_with(start) {
                return event;
            }
        }
    }

    fn record(&self) -> Acknowledgement {
        self.records
            .recv_timeout(PATIENCE)
            .expect("an accounting record")
    }
}

impl Handler for Fake {
    fn nas(&self, source: IpAddr) -> Option<Arc<NasPeer>> {
        (source != IpAddr::from([127, 0, 0, 9])).then(|| Arc::clone(&self.peer.lock().unwrap()))
    }

    fn access(&self, request: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome {
        (self.access)(request, reply)
    }

    fn account(&self, request: &AccountingRequest<'_>, acknowledgement: Acknowledgement) {
        assert_ne!(
            request.user_name(),
            Some(&b"panic"[..]),
            "this user makes the handler panic"
        );
        let _ = self.records.lock().unwrap().send(acknowledgement);
    }

    fn status(&self, _port: Port) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    fn observe(&self, event: Observation<'_>) {
        let _ = self.events.lock().unwrap().send(format!("{event:?}"));
    }
}

pub fn fake(
    peer: NasPeer,
    access: impl Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync + 'static,
) -> (Arc<Fake>, Seen) {
    let (events, seen_events) = mpsc::channel();
    let (records, seen_records) = mpsc::channel();
    let fake = Fake {
        peer: Mutex::new(Arc::new(peer)),
        access: Box::new(access),
        alive: AtomicBool::new(true),
        events: Mutex::new(events),
        records: Mutex::new(records),
    };
    (
        Arc::new(fake),
        Seen {
            events: seen_events,
            records: seen_records,
        },
    )
}

fn accept(_: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome {
    reply.push_u32(number::SESSION_TIMEOUT, 60).unwrap();
    AccessOutcome::Accept
}

struct Bench {
    server: Server,
    handler: Arc<Fake>,
    seen: Seen,
    socket: UdpSocket,
}

fn bench_on(
    listen: &str,
    port: Port,
    peer: NasPeer,
    access: impl Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync + 'static,
) -> Bench {
    let (handler, seen) = fake(peer, access);
    let listen: SocketAddr = listen.parse().unwrap();
    let server = spawn(listen, port, 2, Arc::<Fake>::clone(&handler)).unwrap();
    let socket = client(if listen.is_ipv6() {
        "[::1]:0"
    } else {
        "127.0.0.1:0"
    });
    Bench {
        server,
        handler,
        seen,
        socket,
    }
}

fn bench(port: Port, peer: NasPeer) -> Bench {
    bench_on("127.0.0.1:0", port, peer, accept)
}

fn client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

impl Bench {
    fn send(&self, octets: &[u8]) {
        self.socket
            .send_to(octets, self.server.local_addr())
            .unwrap();
    }

    fn receive(&self) -> Vec<u8> {
        receive(&self.socket).0
    }

    /// Nothing but `expected` comes: the next reply is the one to a request sent afterwards.
    fn drops(&self, octets: &[u8], event: &str) {
        self.send(octets);
        self.seen.wait(event);
    }
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; PACKET_MAX_OCTETS];
    let (length, source) = socket.recv_from(&mut buffer).expect("a reply");
    (buffer[..length].to_vec(), source)
}

fn pap(identifier: u8) -> Request {
    let login = Login {
        user_name: "nemo",
        password: "arctangent",
        method: Method::Pap,
    };
    Request::access(&secret(), identifier, &login, &AttributeBuffer::new()).unwrap()
}

/// Attributes of a minimal accounting record.
fn record() -> AttributeBuffer {
    let mut buffer = AttributeBuffer::new();
    buffer.push_u32(number::ACCT_STATUS_TYPE, 1).unwrap();
    buffer
        .push_text(number::ACCT_SESSION_ID, "81500001")
        .unwrap();
    buffer
}

fn accounting(identifier: u8, attributes: &AttributeBuffer) -> Request {
    Request::accounting(&secret(), identifier, attributes).unwrap()
}

/// An Access-Request without Message-Authenticator.
fn bare(attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buffer = AttributeBuffer::new();
    buffer.push_text(number::USER_NAME, "nemo").unwrap();
    for (kind, value) in attributes {
        buffer.push_raw(*kind, value).unwrap();
    }
    packet(Code::ACCESS_REQUEST, &[4; 16], &buffer)
}

#[test]
fn every_method_is_accepted_with_message_authenticator_first() {
    let bench = bench(Port::Auth, peer(super::SECRET));
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
    let bench = bench(Port::Auth, peer(super::SECRET));
    let login = Login {
        user_name: "nemo",
        password: "arctangent",
        method: Method::MsChap2,
    };
    let request = Request::access(&secret(), 1, &login, &AttributeBuffer::new()).unwrap();
    bench.send(request.octets());
    let error = request.verify(&bench.receive()).unwrap_err();
    assert_eq!(error, super::super::client::ReplyError::WrongServerProof);
}

#[test]
fn what_must_be_dropped_is_dropped_and_named() {
    let bench = bench(Port::Auth, peer(super::SECRET));
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
            ..peer(super::SECRET)
        },
    );
    bench.drops(&plain, "Refused");
    bench.send(pap(1).octets());
    bench.receive();
    *bench.handler.peer.lock().unwrap() = Arc::new(NasPeer {
        message_authenticator: MaPolicy::Auto,
        ..peer(super::SECRET)
    });
    bench.send(&plain);
    bench.receive();
    // Only a request that has one may pin the policy; everything before was without.
    while let Ok(event) = bench.seen.events.try_recv() {
        assert!(!event.starts_with("FirstMessageAuthenticator"), "{event}");
    }
    bench.send(pap(2).octets());
    bench.receive();
    bench.seen.wait("FirstMessageAuthenticator { nas: 7 }");
    *bench.handler.peer.lock().unwrap() = Arc::new(NasPeer {
        limit_proxy_state: false,
        send_message_authenticator: false,
        ..peer(super::SECRET)
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
        ..peer(super::SECRET)
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
    let bench = bench(Port::Auth, peer(super::SECRET));
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
    let bench = bench_on(
        "127.0.0.1:0",
        Port::Auth,
        peer(super::SECRET),
        |_, reply| {
            reply.push_text(number::REPLY_MESSAGE, "no").unwrap();
            AccessOutcome::Reject {
                delay: Duration::from_millis(300),
            }
        },
    );
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
fn stopping_sends_the_rejects_that_wait() {
    let bench = bench_on("127.0.0.1:0", Port::Auth, peer(super::SECRET), |_, _| {
        AccessOutcome::Reject {
            delay: Duration::from_secs(10),
        }
    });
    let request = pap(1);
    bench.send(request.octets());
    bench.seen.wait("Received");
    bench.server.stop();
    let (reply, _) = receive(&bench.socket);
    assert_eq!(request.verify(&reply).unwrap().code(), Code::ACCESS_REJECT);
}

#[test]
fn silence_and_panics_leave_the_retry_free() {
    let calls = Mutex::new(0);
    let bench = bench_on(
        "127.0.0.1:0",
        Port::Auth,
        peer(super::SECRET),
        move |_, _| {
            let mut calls = calls
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *calls += 1;
            match *calls {
                1 => AccessOutcome::Silence,
                2 => panic!("the handler of this test panics once"),
                _ => AccessOutcome::Accept,
            }
        },
    );
    let request = pap(1);
    bench.drops(request.octets(), "Silent { nas: 7, code: Access-Request }");
    bench.drops(request.octets(), "HandlerPanicked { nas: 7 }");
    bench.send(request.octets());
    assert!(request.verify(&bench.receive()).is_ok());
}

#[test]
fn a_reply_that_does_not_fit_is_refused_at_the_push() {
    let bench = bench_on(
        "127.0.0.1:0",
        Port::Auth,
        peer(super::SECRET),
        |_, reply| {
            while reply.push_octets(number::CLASS, &[1; 100]).is_ok() {}
            while reply.push_octets(number::CLASS, &[1; 1]).is_ok() {}
            AccessOutcome::Accept
        },
    );
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
fn an_acknowledgement_may_come_from_any_thread_later() {
    let bench = bench(Port::Acct, peer(super::SECRET));
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
    let bench = bench(Port::Acct, peer(super::SECRET));
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
    let bench = bench(Port::Acct, peer(super::SECRET));
    let request = accounting(5, &record());
    bench.send(request.octets());
    let acknowledgement = bench.seen.record();
    bench.server.stop();
    acknowledgement.send();
    assert!(request.verify(&receive(&bench.socket).0).is_ok());
}

#[test]
fn accounting_that_cannot_be_billed_is_dropped_and_named() {
    let bench = bench(Port::Acct, peer(super::SECRET));
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
        let bench = bench(port, peer(super::SECRET));
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

#[test]
fn ipv6_is_served_on_its_own_socket() {
    let bench = bench_on("[::1]:0", Port::Auth, peer(super::SECRET), accept);
    let request = pap(1);
    let reply = exchange(bench.server.local_addr(), &request, PATIENCE, 1).unwrap();
    assert_eq!(reply.packet().unwrap().code(), Code::ACCESS_ACCEPT);
    // The same port of IPv4 is free, because the socket is IPv6 only.
    UdpSocket::bind(("0.0.0.0", bench.server.local_addr().port())).unwrap();
}

#[test]
fn wildcard_sockets_answer_from_the_address_that_was_asked() {
    for (listen, from, asked) in [
        ("0.0.0.0:0", "127.0.0.1:0", "127.0.0.2"),
        ("[::]:0", "[::1]:0", "::1"),
    ] {
        let bench = bench_on(listen, Port::Auth, peer(super::SECRET), accept);
        let socket = client(from);
        let asked = SocketAddr::new(asked.parse().unwrap(), bench.server.local_addr().port());
        let request = pap(1);
        socket.send_to(request.octets(), asked).unwrap();
        let (reply, source) = receive(&socket);
        assert!(request.verify(&reply).is_ok());
        assert_eq!(source, asked);
    }
}

#[test]
fn several_threads_share_a_port_that_the_first_chose() {
    let (handler, _seen) = fake(peer(super::SECRET), accept);
    let server = spawn(([127, 0, 0, 1], 0).into(), Port::Auth, 4, handler).unwrap();
    assert_ne!(server.local_addr().port(), 0);
    for identifier in 0..32 {
        // Each exchange has its own source port, so that the kernel spreads them over the sockets.
        exchange(server.local_addr(), &pap(identifier), PATIENCE, 1).unwrap();
    }
    let address = server.local_addr();
    server.stop();
    UdpSocket::bind(address).expect("the port is free again");
}

#[test]
fn the_client_tells_a_stray_from_silence() {
    let bench = bench(Port::Auth, peer(b"another secret"));
    *bench.handler.peer.lock().unwrap() = Arc::new(peer(super::SECRET));
    let login = Login {
        user_name: "nemo",
        password: "x",
        method: Method::Pap,
    };
    let ours = super::super::SharedSecret::new(b"another secret").unwrap();
    let request = Request::access(&ours, 1, &login, &AttributeBuffer::new()).unwrap();
    let error = exchange(
        bench.server.local_addr(),
        &request,
        Duration::from_millis(20),
        2,
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "no reply after 2 tries");
    bench.seen.wait("Refused");
}
