//! From a packet that a NAS sent to its reply: policy, duplicates, handler, signature. The same whichever way it came.
//!
//! The order is radius.md section 2: structure, code, attributes, policy, digests (all in `pipeline`), then the duplicate
//! cache, then the handler. Sockets are not known here, but as the [`Path`] back. Invariant: nothing here waits or logs;
//! datagrams leave with [`Desk::send`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::attribute::AttributeBuffer;
use super::authenticator;
use super::clock::monotonic;
use super::dedup::{Admission, Key, Ticket};
use super::draft::copy_proxy_states;
use super::handler::{
    AccessOutcome, AccessRequest, Acknowledgement, MaPolicy, NasPeer, Observation, Port,
};
use super::number;
use super::outgoing::Outgoing;
use super::packet::{Code, MESSAGE_AUTHENTICATOR_OCTETS, Packet};
use super::pipeline::{self, Refusal};
use super::reply::{Path, PendingResponse, ReplyTo, Shared};
use super::socket::ServerSocket;
use super::timer::{Delayed, Timer};

/// Longest delay of an Access-Reject; beyond it every NAS has given up.
pub const REJECT_DELAY_MAX: Duration = Duration::from_secs(10);
/// Error-Cause of a request that this server does not carry out: Unsupported Extension (RFC 5176 s3.5).
const UNSUPPORTED_EXTENSION: u32 = 406;

/// Where packets are served, one at a time: each socket thread and each connection has its own.
pub(super) struct Desk {
    port: Port,
    shared: Arc<Shared>,
    timer: Arc<Timer>,
    scratch: Scratch,
    outgoing: Outgoing,
}

/// Buffers that live as long as the desk, so that a request allocates nothing.
#[derive(Default)]
struct Scratch {
    reply: Vec<u8>,
    proxy_states: Vec<u8>,
    attributes: AttributeBuffer,
}

impl Desk {
    pub fn new(port: Port, shared: Arc<Shared>, timer: Arc<Timer>) -> Desk {
        Desk {
            port,
            shared,
            timer,
            scratch: Scratch::default(),
            outgoing: Outgoing::default(),
        }
    }

    /// Sends the datagrams that wait: at most one for each packet served since the last time.
    pub fn send(&mut self, socket: &ServerSocket) {
        self.outgoing.send(socket, self.shared.handler.as_ref());
    }

    /// Serves a packet of a known NAS. Errors: why it was dropped, which was observed already.
    pub fn serve(&mut self, octets: &[u8], peer: Arc<NasPeer>, path: Path) -> Result<(), Refusal> {
        let handler = &self.shared.handler;
        let refused = |refusal| Observation::Refused {
            nas: peer.nas,
            source: path.remote(),
            refusal,
        };
        let packet = pipeline::check(self.port, &peer, octets)
            .inspect_err(|refusal| handler.observe(refused(*refusal)))?;
        handler.observe(Observation::Received {
            nas: peer.nas,
            code: packet.code(),
        });
        copy_proxy_states(&packet, &mut self.scratch.proxy_states);
        match packet.code() {
            Code::ACCESS_REQUEST => self.access(&packet, &peer, path),
            Code::ACCOUNTING_REQUEST => return self.account(&packet, peer, path),
            Code::COA_REQUEST => self.decline(Code::COA_NAK, &packet, &peer, &path),
            Code::DISCONNECT_REQUEST => {
                self.decline(Code::DISCONNECT_NAK, &packet, &peer, &path);
            }
            _ => self.status(&packet, &peer, &path),
        }
        Ok(())
    }

    /// Step 7. `None` when the packet was a copy and has been dealt with.
    fn admit(&mut self, packet: &Packet<'_>, nas: u32, path: &Path) -> Option<Ticket> {
        let key = Key {
            source: path.remote(),
            local: path.local(),
            code: packet.code(),
            identifier: packet.identifier(),
        };
        let reply = &mut self.scratch.reply;
        let resent =
            match self
                .shared
                .dedup
                .admit(nas, key, packet.authenticator(), monotonic(), reply)
            {
                Admission::New(ticket) => return Some(ticket),
                Admission::InFlight => false,
                Admission::Answered => true,
            };
        self.shared
            .handler
            .observe(Observation::Duplicate { nas, resent });
        if resent {
            self.reply(path, None, nas);
        }
        None
    }

    fn access(&mut self, packet: &Packet<'_>, peer: &NasPeer, path: Path) {
        let nas = peer.nas;
        if peer.message_authenticator == MaPolicy::Auto
            && packet.has_message_authenticator()
            && !packet.holds_eap()
        {
            let first = Observation::FirstMessageAuthenticator { nas };
            self.shared.handler.observe(first);
        }
        let Some(ticket) = self.admit(packet, nas, &path) else {
            return;
        };
        let (shared, handler) = (&self.shared, &self.shared.handler);
        let Scratch {
            reply,
            proxy_states,
            attributes,
        } = &mut self.scratch;
        attributes.reset(MESSAGE_AUTHENTICATOR_OCTETS + proxy_states.len());
        let request = AccessRequest {
            packet,
            peer,
            source: path.remote(),
        };
        // Unwind safe: the buffer is reset before every use, and the handler answers for its own state.
        let outcome = catch_unwind(AssertUnwindSafe(|| handler.access(&request, attributes)));
        let (code, delay) = match outcome {
            Ok(AccessOutcome::Accept) => (Code::ACCESS_ACCEPT, Duration::ZERO),
            Ok(AccessOutcome::Reject { delay }) => (Code::ACCESS_REJECT, delay),
            Ok(AccessOutcome::Silence) => {
                shared.dedup.release(&ticket);
                handler.observe(Observation::Silent {
                    nas,
                    code: packet.code(),
                });
                return;
            }
            Err(_) => {
                shared.dedup.release(&ticket);
                handler.observe(Observation::HandlerPanicked { nas });
                return;
            }
        };
        // EAP must be answered with Message-Authenticator whatever the record says (RFC 3579 s3.2).
        let protect = peer.send_message_authenticator || packet.holds_eap();
        let to = reply_to(packet, peer, proxy_states);
        if to.write(code, protect, attributes.octets(), reply).is_err() {
            shared.dedup.release(&ticket);
            handler.observe(Observation::SendFailed { nas });
        } else if delay.is_zero() {
            self.reply(&path, Some(&ticket), nas);
        } else {
            self.deliver_later(delay, path, ticket, nas);
        }
    }

    /// Stores the reply in the scratch buffer where it has a ticket, and sends it: a datagram together with those that follow.
    fn reply(&mut self, path: &Path, ticket: Option<&Ticket>, nas: u32) {
        let reply = &self.scratch.reply;
        let Path::Datagram {
            destination, local, ..
        } = path
        else {
            self.shared.deliver(path, ticket, nas, reply);
            return;
        };
        if let Some(ticket) = ticket {
            self.shared.keep(ticket, reply);
        }
        self.outgoing.push(reply, *destination, *local, nas);
    }

    /// Hands the reply in the scratch buffer to the timer, or sends it if too many wait.
    fn deliver_later(&self, delay: Duration, path: Path, ticket: Ticket, nas: u32) {
        let due = monotonic() + with_jitter(delay.min(REJECT_DELAY_MAX));
        let delayed = Delayed {
            due,
            path,
            ticket,
            nas,
            packet: self.scratch.reply.clone(),
        };
        if let Some(delayed) = self.timer.push(delayed) {
            self.shared
                .handler
                .observe(Observation::RejectQueueFull { nas });
            self.shared
                .deliver(&delayed.path, Some(&ticket), nas, &delayed.packet);
        }
    }

    fn account(
        &mut self,
        packet: &Packet<'_>,
        peer: Arc<NasPeer>,
        path: Path,
    ) -> Result<(), Refusal> {
        let shared = Arc::clone(&self.shared);
        let nas = peer.nas;
        // Checked before the cache instead of after: a record that fails here is never entered, so the outcome is
        // the same and there is nothing to take back.
        let source = path.remote();
        let request = pipeline::check_accounting(packet, &peer, source).inspect_err(|refusal| {
            shared.handler.observe(Observation::Refused {
                nas,
                source,
                refusal: *refusal,
            });
        })?;
        let Some(ticket) = self.admit(packet, nas, &path) else {
            return Ok(());
        };
        let acknowledgement = Acknowledgement::wire(PendingResponse {
            shared: Arc::clone(&shared),
            path,
            peer: Arc::clone(&peer),
            ticket,
            identifier: packet.identifier(),
            request_authenticator: *packet.authenticator(),
            proxy_states: self.scratch.proxy_states.as_slice().into(),
            sent: false,
        });
        // A panic drops the acknowledgement, which is the silence the RFC asks for.
        if catch_unwind(AssertUnwindSafe(|| {
            shared.handler.account(&request, acknowledgement)
        }))
        .is_err()
        {
            shared.handler.observe(Observation::HandlerPanicked { nas });
        }
        Ok(())
    }

    /// Stateless: a copy gets the same answer, so nothing is cached (RFC 5997 s3).
    fn status(&mut self, packet: &Packet<'_>, peer: &NasPeer, path: &Path) {
        let handler = &self.shared.handler;
        let alive = catch_unwind(AssertUnwindSafe(|| handler.status(self.port))).unwrap_or(false);
        if !alive {
            handler.observe(Observation::Silent {
                nas: peer.nas,
                code: packet.code(),
            });
            return;
        }
        let code = match self.port {
            Port::Auth | Port::Both => Code::ACCESS_ACCEPT,
            Port::Acct => Code::ACCOUNTING_RESPONSE,
        };
        let to = reply_to(packet, peer, &self.scratch.proxy_states);
        match to.write(
            code,
            peer.send_message_authenticator,
            &[],
            &mut self.scratch.reply,
        ) {
            Ok(()) => self.reply(path, None, peer.nas),
            Err(_) => handler.observe(Observation::SendFailed { nas: peer.nas }),
        }
    }

    /// Says that it is not this server which changes sessions (RFC 5176 s3.5).
    fn decline(&mut self, code: Code, packet: &Packet<'_>, peer: &NasPeer, path: &Path) {
        let Scratch {
            reply,
            proxy_states,
            attributes,
        } = &mut self.scratch;
        attributes.reset(proxy_states.len());
        let to = reply_to(packet, peer, proxy_states);
        let written = attributes
            .push_u32(number::ERROR_CAUSE, UNSUPPORTED_EXTENSION)
            .and_then(|()| to.write(code, false, attributes.octets(), reply));
        match written {
            Ok(()) => self.reply(path, None, peer.nas),
            Err(_) => self
                .shared
                .handler
                .observe(Observation::SendFailed { nas: peer.nas }),
        }
    }
}

fn reply_to<'a>(packet: &Packet<'a>, peer: &'a NasPeer, proxy_states: &'a [u8]) -> ReplyTo<'a> {
    ReplyTo {
        peer,
        identifier: packet.identifier(),
        request_authenticator: packet.authenticator(),
        proxy_states,
    }
}

/// Up to a quarter longer, so that rejects cannot be matched to requests by their timing.
fn with_jitter(delay: Duration) -> Duration {
    let [share] = authenticator::random::<1>().unwrap_or_default();
    delay + delay.mul_f32(f32::from(share) / 1024.0)
}
