//! Replies of one socket thread on their way out: those to requests that were received together leave together.
//!
//! Whoever asked is then woken once for several replies, and asks several things before it sleeps again: on a machine with
//! little to do waking costs more than the rest of a login. Invariant: none waits while the thread does.

use std::net::SocketAddr;
use std::ops::Range;

use super::handler::{Handler, Observation};
use super::packet::Code;
use super::socket::{Local, ServerSocket};

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
        let replies = std::mem::take(&mut self.replies);
        let packet = |reply: &Reply| self.octets.get(reply.octets.clone()).unwrap_or_default();
        let packets: Vec<_> = replies.iter().map(|r| (packet(r), r.destination)).collect();
        let mut rest = replies.iter().zip(&packets).peekable();
        let mut unsent = packets.as_slice();
        while let Some(local) = rest.peek().map(|(reply, _)| reply.local) {
            // A wildcard socket may be asked at several addresses; nearly always it is one.
            let alike = rest.clone().take_while(|(reply, _)| reply.local == local);
            let alike = unsent.get(..alike.count()).unwrap_or_default();
            let outcome = socket.send_together(alike, local);
            // One that cannot be sent is the first, and keeps no other back.
            let done = outcome.as_ref().map_or(1, |sent| (*sent).max(1));
            for (reply, (packet, _)) in rest.by_ref().take(done) {
                let nas = reply.nas;
                let code = Code(packet.first().copied().unwrap_or_default());
                handler.observe(match outcome {
                    Ok(_) => Observation::Replied { nas, code },
                    Err(_) => Observation::SendFailed { nas },
                });
            }
            unsent = unsent.get(done..).unwrap_or_default();
        }
    }
}
