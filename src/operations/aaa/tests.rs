//! Logins and accounting over real sockets, from the datagram to the store and back.

mod accept;
mod accounting;
mod addresses;
mod extras;
mod radsec;
mod reject;
mod routers;

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::ops::ControlFlow;

use super::*;
use crate::domain::access::Reason;
use crate::domain::id::NasId;
use crate::operations::testing::*;
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request};
use crate::radius::server::{Server, spawn};
use crate::radius::{AttributeBuffer, Code, Packet, SharedSecret, authenticator, number};
use crate::store::auth_log;

const METHODS: [Method; 4] = [Method::Pap, Method::Chap, Method::MsChap, Method::MsChap2];
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The appliance with both services on sockets of their own.
struct Bench {
    it: TestApp,
    auth: Server,
    acct: Server,
}

fn bench_of(it: TestApp, listen: &str) -> Bench {
    let handler: Arc<dyn Handler> = Arc::new(Aaa::new(Arc::clone(&it.app)));
    let open = |port| spawn(listen.parse().unwrap(), port, 1, Arc::clone(&handler)).unwrap();
    let (auth, acct) = (open(Port::Auth), open(Port::Acct));
    Bench { it, auth, acct }
}

/// With one MikroTik at 127.0.0.1.
fn bench() -> Bench {
    let bench = bench_of(TestApp::new(), "127.0.0.1:0");
    bench.it.add_nas(router("localhost", "127.0.0.1"));
    bench
}

/// A socket with the address of a router.
fn socket(from: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

#[track_caller]
fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).expect("a reply");
    buffer[..length].to_vec()
}

/// A request and the socket that waits for its reply.
struct Asked {
    request: Request,
    socket: UdpSocket,
}

impl Asked {
    #[track_caller]
    fn reply(&self) -> Vec<u8> {
        let reply = receive(&self.socket);
        self.request.verify(&reply).expect("an authentic reply");
        reply
    }
}

impl Bench {
    fn ask_from(
        &self,
        from: IpAddr,
        secret: &str,
        login: &Login<'_>,
        extra: &AttributeBuffer,
    ) -> Asked {
        let secret = SharedSecret::new(secret.as_bytes()).unwrap();
        let request = Request::access(&secret, 7, login, extra).unwrap();
        let socket = socket(from);
        socket
            .send_to(request.octets(), self.auth.local_addr())
            .unwrap();
        Asked { request, socket }
    }

    fn ask(
        &self,
        user_name: &str,
        password: &str,
        method: Method,
        extra: &AttributeBuffer,
    ) -> Asked {
        let login = Login {
            user_name,
            password,
            method,
        };
        self.ask_from(LOCALHOST, SECRET, &login, extra)
    }

    /// Logs in with PAP from 127.0.0.1.
    #[track_caller]
    fn login(&self, user_name: &str) -> Vec<u8> {
        self.ask(user_name, "pass-1", Method::Pap, &AttributeBuffer::new())
            .reply()
    }

    /// Sends octets as they are.
    fn send(&self, to: &Server, from: IpAddr, octets: &[u8]) -> UdpSocket {
        let socket = socket(from);
        socket.send_to(octets, to.local_addr()).unwrap();
        socket
    }

    fn account(&self, attributes: &AttributeBuffer) -> Asked {
        let secret = SharedSecret::new(SECRET.as_bytes()).unwrap();
        let request = Request::accounting(&secret, 7, attributes).unwrap();
        let from = self.acct.local_addr().ip();
        let socket = self.send(&self.acct, from, request.octets());
        Asked { request, socket }
    }

    /// The newest attempt of a user in the authentication log.
    #[track_caller]
    fn logged(&self, username: &str) -> auth_log::Attempt {
        let view = self.it.app.store.view().unwrap();
        let mut found = None;
        let visit = |_, attempt: auth_log::Attempt| {
            if &*attempt.username == username {
                found = Some(attempt);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        self.it
            .app
            .auth_log
            .each_before(&view, u64::MAX, 10, visit)
            .unwrap();
        found.expect("an attempt in the log")
    }
}

/// An Access-Request with PAP and no Message-Authenticator, as old routers send it.
fn bare(user_name: &str, password: &str, secret: &str) -> Vec<u8> {
    let secret = SharedSecret::new(secret.as_bytes()).unwrap();
    let hidden = authenticator::hide_password(&secret, &[5; 16], password.as_bytes()).unwrap();
    let mut attributes = AttributeBuffer::new();
    attributes.push_text(number::USER_NAME, user_name).unwrap();
    attributes
        .push_octets(number::USER_PASSWORD, &hidden)
        .unwrap();
    unsigned(&attributes)
}

fn unsigned(attributes: &AttributeBuffer) -> Vec<u8> {
    let length = u16::try_from(20 + attributes.octets().len()).unwrap();
    let mut octets = vec![1, 9];
    octets.extend(length.to_be_bytes());
    octets.extend([5; 16]);
    octets.extend(attributes.octets());
    octets
}

fn code(reply: &[u8]) -> Code {
    Code(reply[0])
}

fn calling(station: &str) -> AttributeBuffer {
    let mut extra = AttributeBuffer::new();
    extra
        .push_text(number::CALLING_STATION_ID, station)
        .unwrap();
    extra
}
