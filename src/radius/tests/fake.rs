//! A handler that records what it sees, a server around it, and the requests the tests send.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::{packet, secret};
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request};
use crate::radius::packet::PACKET_MAX_OCTETS;
use crate::radius::radsec::ClientCertificate;
use crate::radius::server::{Server, spawn};
use crate::radius::{
    AccessOutcome, AccessRequest, AccountingRequest, Acknowledgement, AttributeBuffer, Code,
    Handler, NasPeer, Observation, Port, number,
};

/// Far longer than anything here takes; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub type Access =
    Box<dyn Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync>;

/// A handler for tests: one NAS record for every source but 127.0.0.9, a decision, and everything observed.
pub struct Fake {
    pub peer: Mutex<Arc<NasPeer>>,
    /// NAS by the fingerprint of their certificates.
    pub certificates: Mutex<HashMap<[u8; 32], Arc<NasPeer>>>,
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

    pub fn record(&self) -> Acknowledgement {
        self.records
            .recv_timeout(PATIENCE)
            .expect("an accounting record")
    }
}

impl Handler for Fake {
    fn nas(&self, source: IpAddr) -> Option<Arc<NasPeer>> {
        assert_ne!(
            source,
            IpAddr::from([127, 0, 0, 8]),
            "this source makes the handler panic"
        );
        (source != IpAddr::from([127, 0, 0, 9])).then(|| Arc::clone(&self.peer.lock().unwrap()))
    }

    fn nas_of_certificate(
        &self,
        certificate: &ClientCertificate,
        _source: SocketAddr,
    ) -> Option<Arc<NasPeer>> {
        let known = self.certificates.lock().unwrap();
        known.get(certificate.fingerprint()).cloned()
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
        certificates: Mutex::default(),
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

pub fn accept(_: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome {
    reply.push_u32(number::SESSION_TIMEOUT, 60).unwrap();
    AccessOutcome::Accept
}

pub struct Bench {
    pub server: Server,
    pub handler: Arc<Fake>,
    pub seen: Seen,
    pub socket: UdpSocket,
}

pub fn bench_on(
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

pub fn bench(port: Port, peer: NasPeer) -> Bench {
    bench_on("127.0.0.1:0", port, peer, accept)
}

pub fn client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

impl Bench {
    pub fn send(&self, octets: &[u8]) {
        self.socket
            .send_to(octets, self.server.local_addr())
            .unwrap();
    }

    pub fn receive(&self) -> Vec<u8> {
        receive(&self.socket).0
    }

    /// Nothing but `expected` comes: the next reply is the one to a request sent afterwards.
    pub fn drops(&self, octets: &[u8], event: &str) {
        self.send(octets);
        self.seen.wait(event);
    }
}

pub fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; PACKET_MAX_OCTETS];
    let (length, source) = socket.recv_from(&mut buffer).expect("a reply");
    (buffer[..length].to_vec(), source)
}

pub fn pap(identifier: u8) -> Request {
    let login = Login {
        user_name: "nemo",
        password: "arctangent",
        method: Method::Pap,
    };
    Request::access(&secret(), identifier, &login, &AttributeBuffer::new()).unwrap()
}

/// Attributes of a minimal accounting record.
pub fn record() -> AttributeBuffer {
    let mut buffer = AttributeBuffer::new();
    buffer.push_u32(number::ACCT_STATUS_TYPE, 1).unwrap();
    buffer
        .push_text(number::ACCT_SESSION_ID, "81500001")
        .unwrap();
    buffer
}

pub fn accounting(identifier: u8, attributes: &AttributeBuffer) -> Request {
    Request::accounting(&secret(), identifier, attributes).unwrap()
}

/// An Access-Request without Message-Authenticator.
pub fn bare(attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buffer = AttributeBuffer::new();
    buffer.push_text(number::USER_NAME, "nemo").unwrap();
    for (kind, value) in attributes {
        buffer.push_raw(*kind, value).unwrap();
    }
    packet(Code::ACCESS_REQUEST, &[4; 16], &buffer)
}
