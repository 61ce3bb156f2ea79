//! Changing and ending running sessions: CoA-Request and Disconnect-Request to a NAS (RFC 5176).
//!
//! Which session and what changes is the caller's list of attributes; what a refusal means for it as well. Invariant: an
//! identifier is in use once per source port and destination, the longest unused comes next, and a copy of a request
//! is the same octets from the same port (RFC 5080 s2.2.1).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::attribute::{AttributeBuffer, EncodeError};
use super::authenticator;
use super::identifiers::Identifiers;
use super::number;
use super::packet::{Code, PACKET_MAX_OCTETS};
use super::radsec::Link;
use super::request::Request;
pub use super::schedule::Schedule;
use super::secret::SharedSecret;

/// Source ports; each carries 256 requests to one NAS at a time. Callers pace far below that.
const SOURCES_MAX: usize = 8;
/// NAS remembered per source port, for the order of their identifiers.
const DESTINATIONS_MAX: usize = 1024;

/// Rest after a failed read.
const READ_PAUSE: Duration = Duration::from_millis(100);

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoaOutcome {
    Ack,
    /// With Error-Cause where the NAS gives one (RFC 5176 s3.5).
    Nak {
        error_cause: Option<u32>,
    },
    /// Wrong secret, firewall, port, or CoA switched off: they all look like this.
    Timeout,
}

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
pub enum CoaError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("too many requests to {0} are waiting")]
    Busy(SocketAddr),
    #[error("the RadSec connection from {0} was closed")]
    Gone(SocketAddr),
}

/// A NAS that takes CoA, and how it likes it.
#[derive(Debug, Clone)]
pub struct CoaTarget {
    /// Usually port 3799.
    pub address: SocketAddr,
    pub secret: SharedSecret,
    /// Puts Message-Authenticator first.
    pub message_authenticator: bool,
    /// Unix seconds for Event-Timestamp, against replay; only for NAS with a working clock.
    pub event_timestamp: Option<u32>,
    /// The connection to send it down, if not over UDP; then nothing of the above counts.
    pub link: Option<Arc<Link>>,
}

/// The client for all NAS that know us under one address. Must be made and used inside a tokio runtime.
pub struct CoaClient {
    local: IpAddr,
    sources: Mutex<Vec<Source>>,
}

impl CoaClient {
    /// Opens the first source port on `local`, the address the NAS expect us to send from.
    pub fn bind(local: IpAddr) -> io::Result<Self> {
        Ok(CoaClient {
            local,
            sources: Mutex::new(vec![Source::open(local)?]),
        })
    }

    /// Ends the sessions that the attributes identify.
    pub async fn disconnect(
        &self,
        target: &CoaTarget,
        attributes: &AttributeBuffer,
        schedule: &Schedule,
    ) -> Result<CoaOutcome, CoaError> {
        self.exchange(Code::DISCONNECT_REQUEST, target, attributes, schedule)
            .await
    }

    /// Changes the sessions that the attributes identify to what the others say.
    pub async fn change(
        &self,
        target: &CoaTarget,
        attributes: &AttributeBuffer,
        schedule: &Schedule,
    ) -> Result<CoaOutcome, CoaError> {
        self.exchange(Code::COA_REQUEST, target, attributes, schedule)
            .await
    }

    async fn exchange(
        &self,
        code: Code,
        target: &CoaTarget,
        attributes: &AttributeBuffer,
        schedule: &Schedule,
    ) -> Result<CoaOutcome, CoaError> {
        if let Some(link) = &target.link {
            return link.exchange(code, attributes, schedule.duration).await;
        }
        let claim = self.claim(target.address)?;
        let mut attributes = attributes.clone();
        if let Some(seconds) = target.event_timestamp {
            attributes.push_u32(number::EVENT_TIMESTAMP, seconds)?;
        }
        let request = Request::digest_signed(
            code,
            &target.secret,
            claim.identifier,
            &attributes,
            target.message_authenticator,
        )?;
        let request = Arc::new(request);
        let mut reply = claim.expect_reply(Arc::clone(&request));
        for wait in schedule.waits(random_permille) {
            claim
                .socket
                .send_to(request.octets(), target.address)
                .await?;
            // The sender lives in the table as long as the claim, so the channel cannot close before it answers.
            if let Ok(Ok(outcome)) = timeout(wait, &mut reply).await {
                return Ok(outcome);
            }
        }
        Ok(CoaOutcome::Timeout)
    }

    /// Takes the longest unused identifier of the first source port that has one left for this destination.
    fn claim(&self, destination: SocketAddr) -> Result<Claim, CoaError> {
        let mut sources = lock(&self.sources);
        for source in sources.iter() {
            if let Some(claim) = source.claim(destination) {
                return Ok(claim);
            }
        }
        if sources.len() >= SOURCES_MAX {
            return Err(CoaError::Busy(destination));
        }
        let source = Source::open(self.local)?;
        let claim = source.claim(destination).ok_or(CoaError::Busy(destination));
        sources.push(source);
        claim
    }
}

/// One source port with the task that reads its replies.
struct Source {
    socket: Arc<UdpSocket>,
    table: Arc<Mutex<Table>>,
    reader: JoinHandle<()>,
}

/// Identifiers of each destination on one source port.
type Table = HashMap<SocketAddr, Identifiers>;

impl Source {
    fn open(local: IpAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((local, 0))?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let table = Arc::new(Mutex::new(Table::new()));
        let reader = tokio::spawn(read(Arc::clone(&socket), Arc::clone(&table)));
        Ok(Source {
            socket,
            table,
            reader,
        })
    }

    fn claim(&self, destination: SocketAddr) -> Option<Claim> {
        let mut table = lock(&self.table);
        if !table.contains_key(&destination) && table.len() >= DESTINATIONS_MAX {
            table.retain(|_, entry| !entry.is_idle());
            if table.len() >= DESTINATIONS_MAX {
                return None;
            }
        }
        let identifier = table
            .entry(destination)
            .or_insert_with(Identifiers::new)
            .take()?;
        Some(Claim {
            socket: Arc::clone(&self.socket),
            table: Arc::clone(&self.table),
            destination,
            identifier,
        })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// An identifier in use; given back on drop, also when the exchange is cancelled.
struct Claim {
    socket: Arc<UdpSocket>,
    table: Arc<Mutex<Table>>,
    destination: SocketAddr,
    identifier: u8,
}

impl Claim {
    fn expect_reply(&self, request: Arc<Request>) -> oneshot::Receiver<CoaOutcome> {
        lock(&self.table)
            .entry(self.destination)
            .or_insert_with(Identifiers::new)
            .expect_reply(self.identifier, request)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(entry) = lock(&self.table).get_mut(&self.destination) {
            entry.give_back(self.identifier);
        }
    }
}

/// Reads replies for as long as the source port lives; everything that answers nothing is ignored.
async fn read(socket: Arc<UdpSocket>, table: Arc<Mutex<Table>>) {
    let mut buffer = vec![0; PACKET_MAX_OCTETS];
    loop {
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            // The timeout tells the sender; the pause keeps an error that stays from taking the processor.
            sleep(READ_PAUSE).await;
            continue;
        };
        if let Some(entry) = lock(&table).get_mut(&source) {
            // Forged, or of another request: whoever waits goes on waiting.
            let _ = entry.settle(buffer.get(..length).unwrap_or_default());
        }
    }
}

/// A spread for the timers in thousandths, -100 to 100; zero should the system have no randomness.
fn random_permille() -> i32 {
    let octets = authenticator::random::<2>().unwrap_or([0, 100]);
    i32::from(u16::from_be_bytes(octets) % 201) - 100
}

/// A poisoned lock is entered: the tables are whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl CoaClient {
    /// A claim as the exchange makes it, with its source port, to fill the tables without sending.
    pub(super) fn claim_for_test(
        &self,
        destination: SocketAddr,
    ) -> Result<(u16, impl Drop), CoaError> {
        let claim = self.claim(destination)?;
        Ok((claim.socket.local_addr()?.port(), claim))
    }
}
