//! The way back: putting a reply together, remembering it for copies of the request, and sending it, from the socket
//! thread, the timer or wherever an accounting record became durable.
//!
//! What the reply says was decided before. Invariant: a reply is stored before it is sent, so that a copy arriving
//! right behind is answered with the same octets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::attribute::EncodeError;
use super::authenticator;
use super::clock::monotonic;
use super::dedup::{Dedup, Ticket};
use super::draft::Draft;
use super::handler::{Handler, NasPeer, Observation};
use super::packet::{Authenticator, Code};
use super::socket::{Local, ServerSocket};

/// What the threads of one listening address have in common, or all connections.
pub(super) struct Shared {
    pub handler: Arc<dyn Handler>,
    pub dedup: Dedup,
}

/// The way back to who asked.
#[derive(Clone)]
pub(super) enum Path {
    /// Where a reply goes and which socket it leaves from.
    Datagram {
        socket: Arc<ServerSocket>,
        destination: SocketAddr,
        local: Local,
    },
    /// The connection that the request came through, which ends once nobody holds a path to it.
    Stream {
        replies: mpsc::Sender<Box<[u8]>>,
        remote: SocketAddr,
        local: IpAddr,
    },
}

impl Path {
    /// Who asked.
    pub fn remote(&self) -> SocketAddr {
        match self {
            Path::Datagram { destination, .. } => *destination,
            Path::Stream { remote, .. } => *remote,
        }
    }

    /// Our address that was asked, where the socket has several.
    pub fn local(&self) -> Option<IpAddr> {
        match self {
            Path::Datagram { local, .. } => local.ip(),
            Path::Stream { local, .. } => Some(*local),
        }
    }

    /// Never waits: a connection whose peer does not read what it asked for loses the reply.
    fn send(&self, packet: &[u8]) -> io::Result<()> {
        match self {
            Path::Datagram {
                socket,
                destination,
                local,
            } => socket.send(packet, *destination, *local),
            Path::Stream { replies, .. } => replies
                .try_send(packet.into())
                .map_err(|_| io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// Everything of the request that its reply repeats.
pub(super) struct ReplyTo<'a> {
    pub peer: &'a NasPeer,
    pub identifier: u8,
    pub request_authenticator: &'a Authenticator,
    pub proxy_states: &'a [u8],
}

impl ReplyTo<'_> {
    /// Writes the signed reply into `out`. Errors: `Full`.
    pub fn write(
        &self,
        code: Code,
        message_authenticator: bool,
        attributes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let draft = Draft {
            code,
            identifier: self.identifier,
            authenticator: self.request_authenticator,
            message_authenticator,
            attributes,
            proxy_states: self.proxy_states,
        };
        draft.write(out)?;
        authenticator::sign_reply(
            &self.peer.secret,
            out,
            message_authenticator,
            self.request_authenticator,
        );
        Ok(())
    }
}

impl Shared {
    /// Stores a finished reply for copies of its request.
    pub fn keep(&self, ticket: &Ticket, packet: &[u8]) {
        self.dedup.complete(ticket, packet, monotonic());
    }

    /// Stores a finished reply where it has a ticket, sends it, and says so.
    pub fn deliver(&self, path: &Path, ticket: Option<&Ticket>, nas: u32, packet: &[u8]) {
        if let Some(ticket) = ticket {
            self.keep(ticket, packet);
        }
        let code = Code(packet.first().copied().unwrap_or_default());
        self.handler.observe(match path.send(packet) {
            Ok(()) => Observation::Replied { nas, code },
            Err(_) => Observation::SendFailed { nas },
        });
    }
}

/// An Accounting-Response that waits for the record to be durable. Dropped unsent, it lets the retry in.
pub(super) struct PendingResponse {
    pub shared: Arc<Shared>,
    pub path: Path,
    pub peer: Arc<NasPeer>,
    pub ticket: Ticket,
    pub identifier: u8,
    pub request_authenticator: Authenticator,
    pub proxy_states: Box<[u8]>,
    pub sent: bool,
}

impl PendingResponse {
    /// Accounting-Response has no attributes but Proxy-State (RFC 2866 s4.2).
    pub fn send(mut self) {
        let mut packet = Vec::new();
        let reply = ReplyTo {
            peer: &self.peer,
            identifier: self.identifier,
            request_authenticator: &self.request_authenticator,
            proxy_states: &self.proxy_states,
        };
        // Proxy-States of a packet always fit its response, so this cannot fail; if it did, silence is right.
        if reply
            .write(Code::ACCOUNTING_RESPONSE, false, &[], &mut packet)
            .is_ok()
        {
            self.sent = true;
            self.shared
                .deliver(&self.path, Some(&self.ticket), self.peer.nas, &packet);
        }
    }
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        if !self.sent {
            self.shared.dedup.release(&self.ticket);
            let code = Code::ACCOUNTING_REQUEST;
            self.shared.handler.observe(Observation::Silent {
                nas: self.peer.nas,
                code,
            });
        }
    }
}
