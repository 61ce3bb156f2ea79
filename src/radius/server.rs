//! The RADIUS server over UDP: a few threads with blocking reads, each serving one datagram from first octet to last.
//!
//! The source says whose packet it is, `desk` does the rest. Invariant: a thread neither waits nor logs between receive
//! and reply.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::dedup::Dedup;
use super::desk::Desk;
pub use super::desk::REJECT_DELAY_MAX;
use super::handler::{Handler, Observation, Port};
use super::number;
use super::packet::{Code, Packet, frame};
use super::reply::{Path, Shared};
use super::socket::{Batch, Received, ServerSocket};
use super::timer::Timer;

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
            handler: Arc::clone(&shared.handler),
            socket: Arc::clone(socket),
            stopping: Arc::clone(&server.stopping),
            desk: Desk::new(port, Arc::clone(&shared), Arc::clone(&server.timer)),
        };
        let name = match port {
            Port::Auth => "radius-auth",
            Port::Acct => "radius-acct",
            Port::Both => "radius",
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
    handler: Arc<dyn Handler>,
    socket: Arc<ServerSocket>,
    stopping: Arc<AtomicBool>,
    desk: Desk,
}

impl Worker {
    fn run(&mut self) {
        let mut batch = Batch::new();
        while !self.stopping.load(Ordering::SeqCst) {
            match self.socket.receive(&mut batch) {
                Ok(()) => {
                    for (datagram, received) in batch.iter() {
                        // The handler's own calls are guarded where they are made. This is the last guard: a thread that
                        // ends would leave a socket which the kernel still gives requests to and nobody reads.
                        let _ = catch_unwind(AssertUnwindSafe(|| self.serve(datagram, received)));
                    }
                    self.send();
                }
                Err(_) => {
                    let port = self.port;
                    self.handler.observe(Observation::ReceiveFailed { port });
                    // Keeps an error that stays from taking the processor.
                    thread::park_timeout(RECEIVE_PAUSE);
                }
            }
        }
    }

    fn send(&mut self) {
        let (desk, socket) = (&mut self.desk, &self.socket);
        let _ = catch_unwind(AssertUnwindSafe(|| desk.send(socket)));
    }

    fn serve(&mut self, datagram: &[u8], received: &Received) {
        let source = received.source;
        let Some(peer) = self.handler.nas(source.ip()) else {
            self.handler.observe(unknown(source, datagram));
            return;
        };
        let path = Path::Datagram {
            socket: Arc::clone(&self.socket),
            destination: source,
            local: received.local,
        };
        // What is refused is dropped in silence.
        let _ = self.desk.serve(datagram, peer, path);
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
