//! One connection: packets in, replies out, until either side has enough.
//!
//! A packet is its Length field long (RFC 6614 s2.1, RFC 6613 s2.6). Whoever sends one that cannot be, or one whose digest is
//! wrong, is cut off: nothing behind it can be trusted to be a packet. Requests of ours leave between the replies. Invariant: one packet is held at a time, and at most
//! [`REPLIES_MAX`] replies wait for a client that does not read.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::certificate::ClientCertificate;
use super::links::{Entry, Links};
use super::{Ending, Limits};
use crate::radius::desk::Desk;
use crate::radius::handler::{Handler, NasPeer};
use crate::radius::packet::{Code, HEADER_OCTETS, PACKET_MAX_OCTETS};
use crate::radius::pipeline::Refusal;
use crate::radius::reply::Path;
use crate::radius::request::ReplyError;

/// As many requests of one code as can be under way (RFC 6613 s2.6.5): 256 identifiers.
const REPLIES_MAX: usize = 256;
/// Code, identifier and Length.
const START_OCTETS: usize = 4;

/// What serves a connection.
pub(super) struct Connection {
    pub desk: Desk,
    pub handler: Arc<dyn Handler>,
    pub certificate: ClientCertificate,
    /// Whose it was when it was let in.
    pub peer: Arc<NasPeer>,
    pub links: Arc<Links>,
    pub remote: SocketAddr,
    pub local: IpAddr,
    pub limits: Limits,
    pub stopping: watch::Receiver<bool>,
}

impl Connection {
    /// Serves until the end, which it says. What was asked before an orderly end is still answered.
    pub async fn serve(self, stream: impl AsyncRead + AsyncWrite) -> Ending {
        let limits = self.limits;
        let (reader, mut writer) = tokio::io::split(stream);
        let (replies, waiting) = mpsc::channel(REPLIES_MAX);
        let ending = {
            let mut reading = pin!(self.read(reader, replies));
            let mut writing = pin!(write(&mut writer, waiting, limits));
            tokio::select! {
                ending = &mut reading => {
                    if ending.is_orderly() {
                        // All paths to here gone, it ends by itself; it may not, should a record wait for the disk.
                        let _ = timeout(limits.drain, &mut writing).await;
                    }
                    ending
                }
                ending = &mut writing => ending,
            }
        };
        // Says that it was meant. A client that is gone does not hear it.
        let _ = timeout(limits.drain, writer.shutdown()).await;
        ending
    }

    async fn read(
        mut self,
        mut reader: impl AsyncRead + Unpin,
        replies: mpsc::Sender<Box<[u8]>>,
    ) -> Ending {
        let requests = replies.downgrade();
        let mut link = self.links.enter(&self.peer, self.remote, requests.clone());
        let path = Path::Stream {
            replies,
            remote: self.remote,
            local: self.local,
        };
        let mut buffer = vec![0; PACKET_MAX_OCTETS];
        let mut stopping = self.stopping.clone();
        loop {
            let length = tokio::select! {
                // An error means that the listener is gone, which is a stop too.
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return Ending::Stopped,
                read = receive(&mut reader, &mut buffer, self.limits) => match read {
                    Ok(length) => length,
                    Err(ending) => return ending,
                },
            };
            // Asked anew for each packet: a NAS that was changed or deleted has no more to say.
            let Some(peer) = self
                .handler
                .nas_of_certificate(&self.certificate, self.remote)
            else {
                return Ending::Stranger;
            };
            if link.nas != peer.nas {
                link = self.links.enter(&peer, self.remote, requests.clone());
            }
            let packet = buffer.get(..length).unwrap_or_default();
            if is_reply(packet) {
                match answered(&link, packet) {
                    Ok(()) => continue,
                    Err(refusal) => return Ending::Refused(refusal),
                }
            }
            let (desk, path) = (&mut self.desk, path.clone());
            // As with UDP, the handler's own calls are guarded where they are made, and this is the last guard.
            let served = catch_unwind(AssertUnwindSafe(|| desk.serve(packet, peer, path)));
            if let Ok(Err(refusal)) = served
                && ends_connection(refusal)
            {
                return Ending::Refused(refusal);
            }
            // Replies leave between two packets, also while a whole buffer of them is being served.
            yield_now().await;
        }
    }
}

/// Whether a packet answers a request of ours.
fn is_reply(packet: &[u8]) -> bool {
    let code = Code(packet.first().copied().unwrap_or_default());
    matches!(
        code,
        Code::COA_ACK | Code::COA_NAK | Code::DISCONNECT_ACK | Code::DISCONNECT_NAK
    )
}

/// One that answers nothing, or not as it should, is ignored as over UDP. Errors: one that is no packet.
fn answered(link: &Entry, packet: &[u8]) -> Result<(), Refusal> {
    match link.settle(packet) {
        Err(ReplyError::Malformed(error)) => Err(Refusal::Malformed(error)),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// What nobody sends who speaks RADIUS and knows the secret (RFC 6613 s2.6.4). Anything else is dropped in silence.
fn ends_connection(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Malformed(_)
            | Refusal::WrongMessageAuthenticator
            | Refusal::WrongAccountingAuthenticator
    )
}

/// Fills `buffer` with the next packet and says how long it is.
pub(super) async fn receive(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    limits: Limits,
) -> Result<usize, Ending> {
    let start = buffer.get_mut(..START_OCTETS).unwrap_or_default();
    let first = timeout(limits.idle, reader.read(start)).await;
    let begun = match first.map_err(|_| Ending::Idle)? {
        Ok(0) => return Err(Ending::Closed),
        Ok(begun) => begun,
        Err(error) => return Err(between_packets(&error)),
    };
    let rest = async {
        let start = buffer.get_mut(begun..START_OCTETS).unwrap_or_default();
        reader.read_exact(start).await?;
        let length = match buffer.get(..START_OCTETS) {
            Some([_, _, high, low]) => u16::from_be_bytes([*high, *low]),
            _ => 0,
        };
        let octets = usize::from(length);
        if !(HEADER_OCTETS..=PACKET_MAX_OCTETS).contains(&octets) {
            return Ok::<_, io::Error>(Err(Ending::Length(length)));
        }
        let body = buffer.get_mut(START_OCTETS..octets).unwrap_or_default();
        reader.read_exact(body).await?;
        Ok(Ok(octets))
    };
    match timeout(limits.packet, rest).await {
        Err(_) => Err(Ending::SlowPacket),
        Ok(Err(error)) => Err(broken(&error)),
        Ok(Ok(received)) => received,
    }
}

/// Many clients close without saying so in TLS; between two packets nothing is lost by that.
fn between_packets(error: &io::Error) -> Ending {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ending::Closed,
        kind => Ending::Broken(kind),
    }
}

fn broken(error: &io::Error) -> Ending {
    Ending::Broken(error.kind())
}

/// Writes replies until nobody can send one any more.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    mut waiting: mpsc::Receiver<Box<[u8]>>,
    limits: Limits,
) -> Ending {
    while let Some(reply) = waiting.recv().await {
        let sending = async {
            writer.write_all(&reply).await?;
            writer.flush().await
        };
        match timeout(limits.send, sending).await {
            Err(_) => return Ending::SlowReader,
            Ok(Err(error)) => return broken(&error),
            Ok(Ok(())) => {}
        }
    }
    Ending::Closed
}
