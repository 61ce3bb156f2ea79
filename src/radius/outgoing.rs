//! Replies of one socket thread on their way out: they wait for one another while more requests wait to be read.
//!
//! Whoever asked is then woken once for several replies, and asks several things before it sleeps again: on a machine with
//! little to do waking costs more than the rest of a login. Invariant: at most [`REPLIES_AT_ONCE`] wait, and none while the
//! thread does.

use std::net::SocketAddr;
use std::ops::Range;

use super::handler::{Handler, Observation};
use super::packet::Code;
use super::socket::{Local, ServerSocket};

/// Replies that wait at most: the first of them for some 200 µs.
const REPLIES_AT_ONCE: usize = 16;

#[derive(Default)]
pub(super) struct Outgoing {
    /// Of all replies, one behind the other.
    octets: Vec<u8>,
    replies: Vec<Reply>,
}

struct Reply {
    octets: Range<usize>,
    destination: SocketAddr,
    local: Local,
    nas: u32,
}

impl Outgoing {
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.replies.len() >= REPLIES_AT_ONCE
    }

    pub fn push(&mut self, packet: &[u8], destination: SocketAddr, local: Local, nas: u32) {
        if self.replies.is_empty() {
            self.octets.clear();
        }
        let start = self.octets.len();
        self.octets.extend_from_slice(packet);
        self.replies.push(Reply {
            octets: start..self.octets.len(),
            destination,
            local,
            nas,
        });
    }

    /// Sends all of them, and says of each how that went.
    pub fn send(&mut self, socket: &ServerSocket, handler: &dyn Handler) {
        // None is sent twice, even if the observer stops with a panic.
        for reply in self.replies.drain(..) {
            let packet = self.octets.get(reply.octets).unwrap_or_default();
            let code = Code(packet.first().copied().unwrap_or_default());
            let nas = reply.nas;
            handler.observe(match socket.send(packet, reply.destination, reply.local) {
                Ok(()) => Observation::Replied { nas, code },
                Err(_) => Observation::SendFailed { nas },
            });
        }
    }
}
