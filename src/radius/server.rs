//! The RADIUS server over UDP: a few threads with blocking reads, each serving one datagram from first octet to last.
//!
//! The order is radius.md section 2: source, structure, code, attributes, policy, digests (all in `pipeline`), then
//! the duplicate cache, then the handler. Invariant: a thread neither waits nor logs between receive and reply.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::attribute::AttributeBuffer;
use super::authenticator;
use super::clock::monotonic;
use super::dedup::{Admission, Dedup, Key, Ticket};
use super::draft::copy_proxy_states;
use super::handler::{
    AccessOutcome, AccessRequest, Acknowledgement, Handler, MaPolicy, NasPeer, Observation, Port,
};
use super::number;
use super::outgoing::Outgoing;
use super::packet::{Code, MESSAGE_AUTHENTICATOR_OCTETS, PACKET_MAX_OCTETS, Packet, frame};
use super::pipeline;
use super::reply::{Path, PendingResponse, ReplyTo, Shared};
use super::socket::{Received, ServerSocket, control_buffer};
use super::timer::{Delayed, Timer};

/// Longest delay of an Access-Reject; beyond it every NAS has given up.
pub const REJECT_DELAY_MAX: Duration = Duration::from_secs(10);
/// Rest after a failed receive.
const RECEIVE_PAUSE: Duration = Duration::from_millis(10);
/// Most threads of one server; two per core are plenty and a typing error must not make thousands.
const THREADS_MAX: usize = 64;

/// A running server on one address. Dropping it stops it as well.
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    sockets: Vec<Arc<ServerSocket>>,
    workers: Vec<JoinHandle<()>>,
    timer: Arc<Timer>,
    timer_thread: Option<JoinHandle<()>>,
}

/// Opens `threads` sockets on `listen` (port 0: the first socket chooses) and serves them, one thread each.
/// IPv6 addresses serve IPv6 only. Errors: those of the system, for an address in use or not ours.
pub fn spawn(
    listen: SocketAddr,
    port: Port,
    threads: usize,
    handler: Arc<dyn Handler>,
) -> io::Result<Server> {
    let threads = threads.clamp(1, THREADS_MAX);
    let several = threads > 1;
    let first = ServerSocket::bind(listen, several)?;
    let address = first.local_addr()?;
    let mut sockets = vec![Arc::new(first)];
    for _ in 1..threads {
        sockets.push(Arc::new(ServerSocket::bind(address, several)?));
    }
    let shared = Arc::new(Shared {
        handler,
        dedup: Dedup::new(),
    });
    let mut server = Server {
        address,
        stopping: Arc::default(),
        sockets,
        workers: Vec::new(),
        timer: Arc::default(),
        timer_thread: None,
    };
    let (timer, timer_shared) = (Arc::clone(&server.timer), Arc::clone(&shared));
    let timer_thread = thread::Builder::new().name("radius-timer".to_owned());
    server.timer_thread = Some(timer_thread.spawn(move || timer.run(&timer_shared))?);
    for socket in &server.sockets {
        let mut worker = Worker {
            port,
            shared: Arc::clone(&shared),
            socket: Arc::clone(socket),
            timer: Arc::clone(&server.timer),
            stopping: Arc::clone(&server.stopping),
            scratch: Scratch::default(),
            outgoing: Outgoing::default(),
        };
        let name = match port {
            Port::Auth => "radius-auth",
            Port::Acct => "radius-acct",
        };
        server.workers.push(
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || worker.run())?,
        );
    }
    Ok(server)
}

impl Server {
    /// The address in use, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops receiving, sends the rejects that wait, and joins every thread. Acknowledgements given out earlier can
    /// still be sent afterwards.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        for socket in &self.sockets {
            socket.wake();
        }
        for worker in self.workers.drain(..) {
            // Panics are caught in the loop; one outside it has nothing left to save.
            let _ = worker.join();
        }
        self.timer.stop();
        if let Some(thread) = self.timer_thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// One socket and its thread.
struct Worker {
    port: Port,
    shared: Arc<Shared>,
    socket: Arc<ServerSocket>,
    timer: Arc<Timer>,
    stopping: Arc<AtomicBool>,
    scratch: Scratch,
    outgoing: Outgoing,
}

/// Buffers that live as long as the thread, so that a request allocates nothing.
#[derive(Default)]
struct Scratch {
    reply: Vec<u8>,
    proxy_states: Vec<u8>,
    attributes: AttributeBuffer,
}

impl Worker {
    fn run(&mut self) {
        let mut datagram = vec![0; PACKET_MAX_OCTETS];
        let mut control = control_buffer();
        while !self.stopping.load(Ordering::SeqCst) {
            let wait = self.outgoing.is_empty();
            match self.socket.receive(&mut datagram, &mut control, wait) {
                Ok(None) => self.send(),
                Ok(Some(received)) => {
                    let datagram = datagram.get(..received.length).unwrap_or_default();
                    // The handler's own calls are guarded where they are made. This is the last guard: a thread that
                    // ends would leave a socket which the kernel still gives requests to and nobody reads.
                    let _ = catch_unwind(AssertUnwindSafe(|| self.serve(datagram, &received)));
                    if self.outgoing.is_full() {
                        self.send();
                    }
                }
                Err(_) => {
                    self.send();
                    let port = self.port;
                    self.shared
                        .handler
                        .observe(Observation::ReceiveFailed { port });
                    // Keeps an error that stays from taking the processor.
                    thread::park_timeout(RECEIVE_PAUSE);
                }
            }
        }
        self.send();
    }

    fn send(&mut self) {
        let (outgoing, socket) = (&mut self.outgoing, &self.socket);
        let handler = self.shared.handler.as_ref();
        let _ = catch_unwind(AssertUnwindSafe(|| outgoing.send(socket, handler)));
    }

    fn serve(&mut self, datagram: &[u8], received: &Received) {
        let shared = Arc::clone(&self.shared);
        let handler = &shared.handler;
        let source = received.source;
        let Some(peer) = handler.nas(source.ip()) else {
            handler.observe(unknown(source, datagram));
            return;
        };
        let packet = match pipeline::check(self.port, &peer, datagram) {
            Ok(packet) => packet,
            Err(refusal) => {
                handler.observe(Observation::Refused {
                    nas: peer.nas,
                    source,
                    refusal,
                });
                return;
            }
        };
        handler.observe(Observation::Received {
            nas: peer.nas,
            code: packet.code(),
        });
        let path = Path {
            socket: Arc::clone(&self.socket),
            destination: source,
            local: received.local,
        };
        copy_proxy_states(&packet, &mut self.scratch.proxy_states);
        match packet.code() {
            Code::ACCESS_REQUEST => self.access(&packet, &peer, path),
            Code::ACCOUNTING_REQUEST => self.account(&packet, peer, path),
            _ => self.status(&packet, &peer, &path),
        }
    }

    /// Step 7. `None` when the packet was a copy and has been dealt with.
    fn admit(&mut self, packet: &Packet<'_>, nas: u32, path: &Path) -> Option<Ticket> {
        let key = Key {
            source: path.destination,
            local: path.local.ip(),
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
            self.outgoing.push(&self.scratch.reply, path, nas);
        }
        None
    }

    fn access(&mut self, packet: &Packet<'_>, peer: &NasPeer, path: Path) {
        let shared = Arc::clone(&self.shared);
        let handler = &shared.handler;
        let nas = peer.nas;
        if peer.message_authenticator == MaPolicy::Auto
            && packet.has_message_authenticator()
            && !packet.holds_eap()
        {
            handler.observe(Observation::FirstMessageAuthenticator { nas });
        }
        let Some(ticket) = self.admit(packet, nas, &path) else {
            return;
        };
        let Scratch {
            reply,
            proxy_states,
            attributes,
        } = &mut self.scratch;
        attributes.reset(MESSAGE_AUTHENTICATOR_OCTETS + proxy_states.len());
        let request = AccessRequest {
            packet,
            peer,
            source: path.destination,
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
            shared.keep(&ticket, reply);
            self.outgoing.push(reply, &path, nas);
        } else {
            self.deliver_later(delay, path, ticket, nas);
        }
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
                .deliver(&delayed.path, &ticket, nas, &delayed.packet);
        }
    }

    fn account(&mut self, packet: &Packet<'_>, peer: Arc<NasPeer>, path: Path) {
        let shared = Arc::clone(&self.shared);
        let nas = peer.nas;
        // Checked before the cache instead of after: a record that fails here is never entered, so the outcome is
        // the same and there is nothing to take back.
        let request = match pipeline::check_accounting(packet, &peer, path.destination) {
            Ok(request) => request,
            Err(refusal) => {
                shared.handler.observe(Observation::Refused {
                    nas,
                    source: path.destination,
                    refusal,
                });
                return;
            }
        };
        let Some(ticket) = self.admit(packet, nas, &path) else {
            return;
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
            Port::Auth => Code::ACCESS_ACCEPT,
            Port::Acct => Code::ACCOUNTING_RESPONSE,
        };
        let to = reply_to(packet, peer, &self.scratch.proxy_states);
        match to.write(
            code,
            peer.send_message_authenticator,
            &[],
            &mut self.scratch.reply,
        ) {
            Ok(()) => self.outgoing.push(&self.scratch.reply, path, peer.nas),
            Err(_) => handler.observe(Observation::SendFailed { nas: peer.nas }),
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

/// What can be said about a packet from nobody we know.
fn unknown(source: SocketAddr, datagram: &[u8]) -> Observation<'_> {
    let octets = frame(datagram).ok();
    let packet = octets.and_then(|octets| Packet::walk(octets).ok());
    let text = |kind| packet.as_ref().and_then(|packet| packet.first(kind));
    Observation::UnknownNas {
        source,
        code: octets.and_then(|octets| octets.first().copied()).map(Code),
        user_name: text(number::USER_NAME),
        nas_identifier: text(number::NAS_IDENTIFIER),
    }
}

/// Up to a quarter longer, so that rejects cannot be matched to requests by their timing.
fn with_jitter(delay: Duration) -> Duration {
    let [share] = authenticator::random::<1>().unwrap_or_default();
    delay + delay.mul_f32(f32::from(share) / 1024.0)
}
