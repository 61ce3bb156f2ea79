//! Addresses, threads, starting and stopping.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::fake::*;
use super::{SECRET, peer};
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request, exchange};
use crate::radius::server::spawn;
use crate::radius::socket::{Batch, ServerSocket};
use crate::radius::{AccessOutcome, AttributeBuffer, Code, Port, SharedSecret};

#[test]
fn stopping_sends_the_rejects_that_wait() {
    let bench = bench_on("127.0.0.1:0", Port::Auth, peer(SECRET), |_, _| {
        AccessOutcome::Reject {
            delay: Duration::from_secs(10),
        }
    });
    let request = pap(1);
    bench.send(request.octets());
    bench.seen.wait("Received");
    bench.server.stop();
    while let Ok(event) = bench.seen.events.try_recv() {
        assert!(!event.starts_with("ReceiveFailed"), "stopping is no error");
    }
    let (reply, _) = receive(&bench.socket);
    assert_eq!(request.verify(&reply).unwrap().code(), Code::ACCESS_REJECT);
}

#[test]
fn ipv6_is_served_on_its_own_socket() {
    let bench = bench_on("[::1]:0", Port::Auth, peer(SECRET), accept);
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
        let bench = bench_on(listen, Port::Auth, peer(SECRET), accept);
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
fn replies_to_requests_that_waited_go_each_to_whoever_asked() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let bench = bench_on(
        "127.0.0.1:0",
        Port::Auth,
        peer(SECRET),
        move |request, reply| {
            // The first holds up the others, so that they are read one right behind the other.
            if request.packet.identifier() == 0 {
                gate.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            }
            accept(request, reply)
        },
    );
    let sockets = [client("127.0.0.1:0"), client("127.0.0.1:0")];
    // More than leave together.
    let requests: Vec<Request> = (0..41).map(pap).collect();
    for (request, socket) in requests.iter().zip(sockets.iter().cycle()) {
        socket
            .send_to(request.octets(), bench.server.local_addr())
            .unwrap();
    }
    open.send(()).unwrap();
    for (request, socket) in requests.iter().zip(sockets.iter().cycle()) {
        let (reply, _) = receive(socket);
        assert_eq!(request.verify(&reply).unwrap().code(), Code::ACCESS_ACCEPT);
    }
}

#[test]
fn several_threads_share_a_port_that_the_first_chose() {
    let (handler, _seen) = fake(peer(SECRET), accept);
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
    *bench.handler.peer.lock().unwrap() = Arc::new(peer(SECRET));
    let login = Login {
        user_name: "nemo",
        password: "x",
        method: Method::Pap,
    };
    let ours = SharedSecret::new(b"another secret").unwrap();
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

#[test]
fn a_woken_socket_receives_nothing_and_does_not_panic() {
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        let socket = ServerSocket::bind(address.parse().unwrap(), false).unwrap();
        socket.wake();
        let mut batch = Batch::new();
        for _ in 0..3 {
            socket.receive(&mut batch).unwrap();
            assert_eq!(batch.iter().count(), 0, "{address}");
        }
    }
}
