//! The CoA client against a NAS played by the test.

use std::collections::HashSet;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::{SECRET, peer, secret};
use crate::radius::coa::{CoaClient, CoaError, CoaOutcome, CoaTarget, Schedule};
use crate::radius::packet::PACKET_MAX_OCTETS;
use crate::radius::reply::ReplyTo;
use crate::radius::{AttributeBuffer, Code, NasPeer, Packet, authenticator, number};

const QUICK: Schedule = Schedule {
    initial: Duration::from_millis(20),
    longest_wait: Duration::from_millis(20),
    sends: 3,
    duration: Duration::from_millis(60),
};
/// Never passes in a test that succeeds.
const PATIENT: Schedule = Schedule {
    initial: Duration::from_secs(20),
    longest_wait: Duration::from_secs(20),
    sends: 1,
    duration: Duration::from_secs(20),
};

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

struct Nas {
    socket: UdpSocket,
    peer: NasPeer,
}

impl Nas {
    async fn open() -> (Nas, CoaTarget) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let target = CoaTarget {
            address: socket.local_addr().unwrap(),
            secret: secret(),
            message_authenticator: true,
            event_timestamp: None,
            link: None,
        };
        (
            Nas {
                socket,
                peer: peer(SECRET),
            },
            target,
        )
    }

    async fn receive(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = vec![0; PACKET_MAX_OCTETS];
        let (length, source) = self.socket.recv_from(&mut buffer).await.unwrap();
        buffer.truncate(length);
        let request = Packet::parse(&buffer).unwrap();
        assert!(authenticator::verify_request_authenticator(
            &self.peer.secret,
            &request
        ));
        assert_ne!(
            authenticator::verify_message_authenticator(&self.peer.secret, &request),
            Some(false)
        );
        (buffer, source)
    }

    fn reply(&self, request: &[u8], code: Code, attributes: &AttributeBuffer) -> Vec<u8> {
        let request = Packet::parse(request).unwrap();
        let to = ReplyTo {
            peer: &self.peer,
            identifier: request.identifier(),
            request_authenticator: request.authenticator(),
            proxy_states: &[],
        };
        let mut octets = Vec::new();
        to.write(code, true, attributes.octets(), &mut octets)
            .unwrap();
        octets
    }
}

fn session() -> AttributeBuffer {
    let mut buffer = AttributeBuffer::new();
    buffer.push_text(number::USER_NAME, "cust1001").unwrap();
    buffer
}

#[test]
fn ack_nak_and_their_causes() {
    run(async {
        let (nas, target) = Nas::open().await;
        let client = CoaClient::bind(Ipv4Addr::LOCALHOST.into()).unwrap();
        let mut cause = AttributeBuffer::new();
        cause.push_u32(number::ERROR_CAUSE, 503).unwrap();
        let none = AttributeBuffer::new();
        for (code, attributes, expected) in [
            (Code::DISCONNECT_ACK, &none, CoaOutcome::Ack),
            (
                Code::DISCONNECT_NAK,
                &cause,
                CoaOutcome::Nak {
                    error_cause: Some(503),
                },
            ),
            (
                Code::DISCONNECT_NAK,
                &none,
                CoaOutcome::Nak { error_cause: None },
            ),
        ] {
            let session = session();
            let (outcome, ()) =
                tokio::join!(client.disconnect(&target, &session, &PATIENT), async {
                    let (request, source) = nas.receive().await;
                    assert_eq!(request[0], Code::DISCONNECT_REQUEST.0);
                    nas.socket
                        .send_to(&nas.reply(&request, code, attributes), source)
                        .await
                        .unwrap();
                });
            assert_eq!(outcome.unwrap(), expected);
        }
    });
}

#[test]
fn forged_and_unfitting_replies_are_ignored() {
    run(async {
        let (nas, target) = Nas::open().await;
        let client = CoaClient::bind(Ipv4Addr::LOCALHOST.into()).unwrap();
        let none = AttributeBuffer::new();
        let session = session();
        let (outcome, ()) = tokio::join!(client.change(&target, &session, &PATIENT), async {
            let (request, source) = nas.receive().await;
            let ack = nas.reply(&request, Code::COA_ACK, &none);
            let mut forged = ack.clone();
            forged[4] ^= 1;
            let mut other_identifier = ack.clone();
            other_identifier[1] ^= 1;
            let other_code = nas.reply(&request, Code::DISCONNECT_ACK, &none);
            let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            stranger.send_to(&ack, source).await.unwrap();
            for bad in [&b"x"[..], &forged, &other_identifier, &other_code] {
                nas.socket.send_to(bad, source).await.unwrap();
            }
            let nak = nas.reply(&request, Code::COA_NAK, &none);
            nas.socket.send_to(&nak, source).await.unwrap();
        });
        assert_eq!(
            outcome.unwrap(),
            CoaOutcome::Nak { error_cause: None },
            "the only true one"
        );
    });
}

#[test]
fn retries_are_the_same_octets_from_the_same_port() {
    run(async {
        let (nas, mut target) = Nas::open().await;
        target.message_authenticator = false;
        target.event_timestamp = Some(1_735_690_000);
        let client = CoaClient::bind(Ipv4Addr::LOCALHOST.into()).unwrap();
        assert_eq!(
            client.change(&target, &session(), &QUICK).await.unwrap(),
            CoaOutcome::Timeout
        );
        let first = nas.receive().await;
        assert_eq!(nas.receive().await, first);
        assert_eq!(nas.receive().await, first);
        let packet = Packet::parse(&first.0).unwrap();
        assert!(!packet.has_message_authenticator());
        assert_eq!(packet.u32(number::EVENT_TIMESTAMP), Some(1_735_690_000));
        assert!(
            nas.socket.try_recv_from(&mut [0; 1]).is_err(),
            "three sends, not more"
        );
    });
}

#[test]
fn identifiers_rotate_and_more_ports_open_beyond_256() {
    run(async {
        let (nas, target) = Nas::open().await;
        let client = CoaClient::bind(Ipv4Addr::LOCALHOST.into()).unwrap();
        let once = Schedule {
            initial: Duration::from_millis(1),
            sends: 1,
            ..QUICK
        };
        for expected in [0, 1, 2] {
            client.disconnect(&target, &session(), &once).await.unwrap();
            let (request, _) = nas.receive().await;
            assert_eq!(request[1], expected, "the longest unused one");
        }
        let mut claims: Vec<_> = (0..256)
            .map(|_| client.claim_for_test(target.address).unwrap())
            .collect();
        let ports: HashSet<u16> = claims.iter().map(|claim| claim.0).collect();
        assert_eq!(ports.len(), 1);
        let beyond = client.claim_for_test(target.address).unwrap();
        assert!(!ports.contains(&beyond.0), "a second source port");
        claims.pop();
        drop(claims);
        let many: Vec<_> = std::iter::from_fn(|| client.claim_for_test(target.address).ok())
            .take(3000)
            .collect();
        assert_eq!(many.len(), 8 * 256 - 1, "bounded");
        let error = client
            .disconnect(&target, &session(), &QUICK)
            .await
            .unwrap_err();
        assert!(matches!(error, CoaError::Busy(address) if address == target.address));
    });
}
