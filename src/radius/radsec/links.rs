//! Open connections as ways to their NAS: CoA and Disconnect go down the connection that the NAS opened (radius.md section 13).
//!
//! Invariants: a connection is here as long as its packets are read, and whoever waits for a reply does not keep it open; a
//! request is sent once, since TCP loses none (RFC 6613 s2.6.1).

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::radius::attribute::AttributeBuffer;
use crate::radius::coa::{CoaError, CoaOutcome};
use crate::radius::handler::NasPeer;
use crate::radius::identifiers::Identifiers;
use crate::radius::packet::Code;
use crate::radius::request::{ReplyError, Request};
use crate::radius::secret::SharedSecret;

/// The connections of every NAS, oldest first; as many as [`super::Limits`] lets in.
#[derive(Default)]
pub struct Links(Mutex<HashMap<u32, Vec<Arc<Link>>>>);

/// One connection.
pub struct Link {
    remote: SocketAddr,
    secret: SharedSecret,
    /// Where its replies wait to be written as well.
    queue: mpsc::WeakSender<Box<[u8]>>,
    identifiers: Mutex<Identifiers>,
}

impl Links {
    /// The newest connection of a NAS that comes from this address: another router of the same record would not know the
    /// session. Without an address, the newest of all.
    pub fn find(&self, nas: u32, from: Option<IpAddr>) -> Option<Arc<Link>> {
        let links = self.lock();
        let mut newest_first = links.get(&nas)?.iter().rev();
        newest_first
            .find(|link| from.is_none_or(|from| link.remote.ip() == from))
            .cloned()
    }

    /// Until the guard is dropped, requests may go into the queue of this connection.
    pub(super) fn enter(
        self: &Arc<Self>,
        peer: &NasPeer,
        remote: SocketAddr,
        queue: mpsc::WeakSender<Box<[u8]>>,
    ) -> Entry {
        let link = Arc::new(Link {
            remote,
            secret: peer.secret.clone(),
            queue,
            identifiers: Mutex::new(Identifiers::new()),
        });
        let nas = peer.nas;
        self.lock().entry(nas).or_default().push(Arc::clone(&link));
        Entry {
            links: Arc::clone(self),
            nas,
            link,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Vec<Arc<Link>>>> {
        lock(&self.0)
    }
}

/// A connection that can be found.
pub(super) struct Entry {
    links: Arc<Links>,
    pub nas: u32,
    link: Arc<Link>,
}

impl Entry {
    /// A packet that answers a request of ours. Errors: why it answers none.
    pub fn settle(&self, packet: &[u8]) -> Result<(), ReplyError> {
        lock(&self.link.identifiers).settle(packet)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut links = self.links.lock();
        if let Some(of_nas) = links.get_mut(&self.nas) {
            of_nas.retain(|link| !Arc::ptr_eq(link, &self.link));
            if of_nas.is_empty() {
                links.remove(&self.nas);
            }
        }
    }
}

impl Link {
    /// Ends the sessions that the attributes identify. Errors: as [`Link::exchange`].
    pub async fn disconnect(
        &self,
        attributes: &AttributeBuffer,
        patience: Duration,
    ) -> Result<CoaOutcome, CoaError> {
        self.exchange(Code::DISCONNECT_REQUEST, attributes, patience)
            .await
    }

    /// Sends a request and waits so long for its reply.
    ///
    /// Errors: `Busy` with 256 requests under way, `Gone` once the connection is closed.
    pub(in crate::radius) async fn exchange(
        &self,
        code: Code,
        attributes: &AttributeBuffer,
        patience: Duration,
    ) -> Result<CoaOutcome, CoaError> {
        let claim = Claim::of(self)?;
        let request = Request::digest_signed(code, &self.secret, claim.0, attributes, false)?;
        let request = Arc::new(request);
        let reply = lock(&self.identifiers).expect_reply(claim.0, Arc::clone(&request));
        let whole = async {
            let queue = self.queue.upgrade();
            let queue = queue.ok_or(CoaError::Gone(self.remote))?;
            let sent = queue.send(request.octets().into()).await;
            sent.map_err(|_| CoaError::Gone(self.remote))?;
            // It must not hold open what is being closed.
            drop(queue);
            // The sender lives in the table as long as the claim.
            reply.await.map_err(|_| CoaError::Gone(self.remote))
        };
        timeout(patience, whole)
            .await
            .unwrap_or(Ok(CoaOutcome::Timeout))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Link({})", self.remote)
    }
}

/// An identifier in use; given back on drop, also when the exchange is cancelled.
struct Claim<'a>(u8, &'a Link);

impl<'a> Claim<'a> {
    fn of(link: &'a Link) -> Result<Claim<'a>, CoaError> {
        let taken = lock(&link.identifiers).take();
        taken
            .map(|identifier| Claim(identifier, link))
            .ok_or(CoaError::Busy(link.remote))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        lock(&self.1.identifiers).give_back(self.0);
    }
}

/// A poisoned lock is entered: the tables are whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::Packet;
    use crate::radius::number;
    use crate::radius::radsec::peer::{NAS, answer, bench_with, patient};
    use crate::radius::radsec::{Ending, SECRET};
    use crate::radius::tests::fake::{PATIENCE, accept};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const SHORT: Duration = Duration::from_millis(50);

    fn session() -> AttributeBuffer {
        let mut attributes = AttributeBuffer::new();
        attributes.push_text(number::USER_NAME, "nemo").unwrap();
        attributes
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_goes_down_the_connection_and_its_reply_comes_up() {
        let bench = bench_with(patient(), accept);
        let mut client = bench.connect_and_ask().await;
        let link = bench.links.find(NAS, Some(HERE)).unwrap();
        let attributes = session();
        let mut identifiers = Vec::new();
        for (code, reply, cause, expected) in [
            (Code::COA_REQUEST, Code::COA_ACK, None, CoaOutcome::Ack),
            (
                Code::DISCONNECT_REQUEST,
                Code::DISCONNECT_NAK,
                Some(503),
                CoaOutcome::Nak {
                    error_cause: Some(503),
                },
            ),
        ] {
            let (outcome, ()) = tokio::join!(link.exchange(code, &attributes, PATIENCE), async {
                let request = client.receive().await;
                let packet = Packet::parse(&request).unwrap();
                assert_eq!(packet.code(), code);
                assert_eq!(packet.text(number::USER_NAME), Some("nemo"));
                identifiers.push(packet.identifier());
                client.send(&answer(&request, reply, cause, SECRET)).await;
            });
            assert_eq!(outcome.unwrap(), expected);
        }
        assert_eq!(identifiers, [0, 1]);
        client.ask().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_forged_or_late_answers_nothing_and_what_is_no_packet_ends_the_connection() {
        let bench = bench_with(patient(), accept);
        let mut client = bench.connect_and_ask().await;
        let link = bench.links.find(NAS, None).unwrap();
        let attributes = session();
        let (outcome, late) = tokio::join!(
            link.exchange(Code::DISCONNECT_REQUEST, &attributes, SHORT),
            async {
                let request = client.receive().await;
                let forged = answer(&request, Code::DISCONNECT_ACK, None, b"another");
                client.send(&forged).await;
                answer(&request, Code::DISCONNECT_ACK, None, SECRET)
            }
        );
        assert_eq!(outcome.unwrap(), CoaOutcome::Timeout);
        client.send(&late).await;
        client.ask().await;

        let (_, ()) = tokio::join!(
            link.exchange(Code::DISCONNECT_REQUEST, &attributes, SHORT),
            async {
                let request = client.receive().await;
                let mut broken = answer(&request, Code::DISCONNECT_ACK, Some(503), SECRET);
                // An attribute that is longer than the packet.
                broken[21] = 200;
                client.send(&broken).await;
            }
        );
        client.ends().await;
        let closed = bench.seen.wait("RadsecClosed");
        assert!(closed.contains("Malformed"), "{closed}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_newest_connection_from_the_address_is_found_while_it_is_open() {
        let bench = bench_with(patient(), accept);
        assert!(bench.links.find(NAS, None).is_none());
        let first = bench.connect_and_ask().await;
        let older = bench.links.find(NAS, None).unwrap();
        let second = bench.connect_and_ask().await;
        let newer = bench.links.find(NAS, Some(HERE)).unwrap();
        assert!(!Arc::ptr_eq(&older, &newer));
        assert!(bench.links.find(NAS + 1, Some(HERE)).is_none());
        let elsewhere = IpAddr::from([127, 0, 0, 2]);
        assert!(bench.links.find(NAS, Some(elsewhere)).is_none());

        drop(second);
        bench.seen.wait("RadsecClosed");
        assert!(Arc::ptr_eq(&bench.links.find(NAS, None).unwrap(), &older));
        let gone = newer.disconnect(&session(), PATIENCE).await;
        assert!(matches!(gone, Err(CoaError::Gone(_))), "{gone:?}");
        drop(first);
        bench.seen.wait("RadsecClosed");
        assert!(bench.links.find(NAS, None).is_none());
        assert!(bench.links.lock().is_empty(), "no more than is open");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn as_many_requests_as_there_are_identifiers_are_under_way() {
        let bench = bench_with(patient(), accept);
        let mut client = bench.connect_and_ask().await;
        let link = bench.links.find(NAS, None).unwrap();
        let claims: Vec<_> = (0..256).map(|_| Claim::of(&link).unwrap()).collect();
        let busy = link.disconnect(&session(), PATIENCE).await;
        assert!(matches!(busy, Err(CoaError::Busy(_))), "{busy:?}");
        drop(claims);
        let ended = link.disconnect(&session(), SHORT).await;
        assert_eq!(ended.unwrap(), CoaOutcome::Timeout);
        assert_eq!(client.receive().await[0], Code::DISCONNECT_REQUEST.0);
        drop(link);
        bench.radsec.stop().await;
        assert!(matches!(client.next().await, Err(Ending::Closed)));
    }
}
