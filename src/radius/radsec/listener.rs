//! The listening sockets of RadSec: who may connect, the handshake, and the order of stopping.
//!
//! Invariant: a handshake is made in the connection's own task, so that a slow one delays nobody; a refused connection
//! costs no more than its handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::server::ResolvesServerCert;
use rustls::{CertificateError, ServerConfig};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::ClientCertificate;
use super::connection::Connection;
use super::links::Links;
use super::seats::{Handshake, Seats};
use super::verifier::server_config;
use super::{Ending, Limits, RadsecError};
use crate::radius::dedup::Dedup;
use crate::radius::desk::Desk;
use crate::radius::handler::{Handler, Observation, Port};
use crate::radius::reply::Shared;
use crate::radius::timer::Timer;

/// The rest after the system could not give a socket, usually because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// A router that vanished is noticed after a minute of silence and four questions without an answer.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

/// RadSec on any number of addresses. Must be made and used inside a tokio runtime; dropping it ends every connection.
pub struct Radsec {
    service: Arc<Service>,
    addresses: Vec<SocketAddr>,
    stopping: watch::Sender<bool>,
    tasks: JoinSet<()>,
    timer_thread: Option<JoinHandle<()>>,
}

/// What all connections have in common.
struct Service {
    tls: Arc<ServerConfig>,
    shared: Arc<Shared>,
    timer: Arc<Timer>,
    seats: Arc<Seats>,
    links: Arc<Links>,
    limits: Limits,
}

impl Radsec {
    /// `certificate` is the server's own; what it gives may change at any time. In `links` the open connections are found.
    /// Errors: `Tls`, or no thread.
    pub fn new(
        handler: Arc<dyn Handler>,
        certificate: Arc<dyn ResolvesServerCert>,
        links: Arc<Links>,
        limits: Limits,
    ) -> Result<Radsec, RadsecError> {
        let shared = Arc::new(Shared {
            handler,
            dedup: Dedup::new(),
        });
        let timer = Arc::<Timer>::default();
        let (for_thread, timer_shared) = (Arc::clone(&timer), Arc::clone(&shared));
        let thread = thread::Builder::new().name("radsec-timer".to_owned());
        let timer_thread = thread.spawn(move || for_thread.run(&timer_shared))?;
        Ok(Radsec {
            service: Arc::new(Service {
                tls: server_config(certificate)?,
                shared,
                timer,
                seats: Seats::new(limits),
                links,
                limits,
            }),
            addresses: Vec::new(),
            stopping: watch::Sender::new(false),
            tasks: JoinSet::new(),
            timer_thread: Some(timer_thread),
        })
    }

    /// Takes connections from one more socket, and says at which address. Errors: those of the system, for a socket that has
    /// none.
    pub fn listen(&mut self, listener: TcpListener) -> io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        let (service, stopping) = (Arc::clone(&self.service), self.stopping.subscribe());
        self.tasks.spawn(accept_all(listener, service, stopping));
        self.addresses.push(address);
        Ok(address)
    }

    /// The addresses in use, with their real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Lets nobody in any more, sends the rejects that wait, answers what is under way for at most [`Limits::drain`], and
    /// closes every connection.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.service.timer.stop();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Radsec {
    fn drop(&mut self) {
        self.service.timer.stop();
        if let Some(thread) = self.timer_thread.take() {
            // It sends what waits, which waits for nothing, and returns.
            let _ = thread.join();
        }
    }
}

async fn accept_all(
    listener: TcpListener,
    service: Arc<Service>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
            // What has ended is forgotten as it ends.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let Some(handshake) = service.seats.enter(remote.ip()) else {
                    service.refuse(remote, Ending::TooMany);
                    continue;
                };
                let (service, stopping) = (Arc::clone(&service), stopping.clone());
                connections.spawn(async move {
                    service.attend(stream, remote, handshake, stopping).await;
                });
            }
            Err(_) => {
                let port = Port::Both;
                service
                    .shared
                    .handler
                    .observe(Observation::ReceiveFailed { port });
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

impl Service {
    fn refuse(&self, source: SocketAddr, why: Ending) {
        self.shared
            .handler
            .observe(Observation::RadsecRefused { source, why });
    }

    async fn attend(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
        handshake: Handshake,
        mut stopping: watch::Receiver<bool>,
    ) {
        let Ok(local) = stream.local_addr().map(|address| address.ip()) else {
            return;
        };
        let shaken = tokio::select! {
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            shaken = timeout(self.limits.handshake, self.shake_hands(stream)) => shaken,
        };
        let (stream, certificate) = match shaken.unwrap_or(Err(Ending::SlowHandshake)) {
            Ok(shaken) => shaken,
            Err(ending) => {
                drop(handshake);
                return self.refuse(remote, ending);
            }
        };
        let handler = &self.shared.handler;
        let Some(peer) = handler.nas_of_certificate(&certificate, remote) else {
            handler.observe(Observation::RadsecStranger {
                source: remote,
                certificate: &certificate,
            });
            return close(stream, self.limits.drain).await;
        };
        let nas = peer.nas;
        let Some(seat) = handshake.sit(nas) else {
            self.refuse(remote, Ending::TooMany);
            return close(stream, self.limits.drain).await;
        };
        handler.observe(Observation::RadsecOpened {
            nas,
            source: remote,
        });
        let connection = Connection {
            desk: Desk::new(
                Port::Both,
                Arc::clone(&self.shared),
                Arc::clone(&self.timer),
            ),
            handler: Arc::clone(handler),
            certificate,
            peer,
            links: Arc::clone(&self.links),
            remote,
            local,
            limits: self.limits,
            stopping,
        };
        let why = connection.serve(stream).await;
        drop(seat);
        handler.observe(Observation::RadsecClosed {
            nas,
            source: remote,
            why,
        });
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, ClientCertificate), Ending> {
        // Replies are written in one go; a socket that refuses either is slower to answer or to notice, no more.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE);
        let acceptor = TlsAcceptor::from(Arc::clone(&self.tls));
        let accepted = acceptor.accept(stream).await;
        let stream = accepted.map_err(|error| handshake_ending(&error))?;
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(ClientCertificate::new)
            .ok_or(Ending::NoCertificate)?;
        Ok((stream, certificate))
    }
}

/// What a failed handshake says, in the words of those who mend it.
fn handshake_ending(error: &io::Error) -> Ending {
    use rustls::{AlertDescription as Alert, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::NoCertificatesPresented) => Ending::NoCertificate,
        Some(Error::InvalidCertificate(CertificateError::BadSignature)) => Ending::WrongKey,
        Some(Error::InvalidCertificate(_)) => Ending::NoCertificate,
        Some(Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate,
        )) => Ending::Untrusting,
        Some(Error::InvalidMessage(_)) => Ending::NotTls,
        Some(Error::PeerIncompatible(_)) => Ending::Incompatible,
        _ => Ending::Broken(error.kind()),
    }
}

/// Says that the connection is closed on purpose.
async fn close(mut stream: TlsStream<TcpStream>, patience: Duration) {
    // A client that does not hear it is cut off.
    let _ = timeout(patience, stream.shutdown()).await;
}
