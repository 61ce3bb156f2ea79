//! The identifiers of our own requests towards one destination, and who waits for the reply to each.
//!
//! Invariant: an identifier is in use once, and the longest unused comes next (RFC 5080 s2.2.1).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::coa::CoaOutcome;
use super::number;
use super::packet::Code;
use super::request::{ReplyError, Request};

pub(super) struct Identifiers {
    /// Least recently used first.
    free: VecDeque<u8>,
    waiting: HashMap<u8, Waiting>,
}

struct Waiting {
    request: Arc<Request>,
    reply: oneshot::Sender<CoaOutcome>,
}

impl Identifiers {
    pub fn new() -> Self {
        Identifiers {
            free: (0..=u8::MAX).collect(),
            waiting: HashMap::new(),
        }
    }

    pub fn is_idle(&self) -> bool {
        self.free.len() > usize::from(u8::MAX)
    }

    /// The longest unused, if one is left. Whoever takes it gives it back.
    pub fn take(&mut self) -> Option<u8> {
        self.free.pop_front()
    }

    pub fn give_back(&mut self, identifier: u8) {
        self.waiting.remove(&identifier);
        self.free.push_back(identifier);
    }

    pub fn expect_reply(
        &mut self,
        identifier: u8,
        request: Arc<Request>,
    ) -> oneshot::Receiver<CoaOutcome> {
        let (reply, receiver) = oneshot::channel();
        self.waiting.insert(identifier, Waiting { request, reply });
        receiver
    }

    /// Hands a reply to the request with its identifier. One that comes too late answers nothing. Errors: why it is not the
    /// reply to that request, which goes on waiting.
    pub fn settle(&mut self, packet: &[u8]) -> Result<(), ReplyError> {
        let Some(identifier) = packet.get(1) else {
            return Ok(());
        };
        let Some(waiting) = self.waiting.get(identifier) else {
            return Ok(());
        };
        let reply = waiting.request.verify(packet)?;
        let outcome = match reply.code() {
            Code::COA_ACK | Code::DISCONNECT_ACK => CoaOutcome::Ack,
            _ => CoaOutcome::Nak {
                error_cause: reply.u32(number::ERROR_CAUSE),
            },
        };
        if let Some(waiting) = self.waiting.remove(identifier) {
            // A cancelled exchange does not listen any more.
            let _ = waiting.reply.send(outcome);
        }
        Ok(())
    }
}
