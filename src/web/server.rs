//! The panel's TCP side: accepts connections, speaks HTTP/1.1, plain or over TLS, and stops without cutting anybody off.
//!
//! Invariants: at most [`MOST_CONNECTIONS`] at once, and none for longer than its time, so that idle or slow browsers cannot
//! keep others out. Only a file under way may take longer, for as long as enough of it moves.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::web::metered::{Metered, Moved, Progress};
use crate::web::secure::Arrival;

/// Connections of one listener. Browsers open up to six each, and an ISP has a handful of operators.
pub const MOST_CONNECTIONS: usize = 512;

/// Octets a second that a backup must move at least once its connection is as old as one may be: slower than any line on which
/// somebody would take a backup away, and far more than it costs to keep a place for nothing.
const LEAST_RATE: u64 = 8 << 10;
/// A line may stumble for less.
const WINDOW: Duration = Duration::from_secs(20);

/// What a listener speaks.
#[derive(Clone)]
pub enum Door {
    /// HTTP. `https_port` is where browsers are sent, if HTTPS listens too.
    Plain { https_port: Option<u16> },
    /// HTTP inside TLS.
    Tls(Arc<ServerConfig>),
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    connections: usize,
    /// How long a browser may take to agree on keys.
    handshake: Duration,
    /// How long a browser may take for the head of a request, and rest between two.
    head: Duration,
    /// How long a connection is used; then it is closed after its current answer, and the browser opens another.
    connection: Duration,
    /// An answer under way then goes on while at least `least` octets of it, or of what the browser sends, move in each `window`.
    window: Duration,
    least: u64,
    /// How long answers under way may take once a connection or the whole panel is to close.
    drain: Duration,
    /// The pause after the system could not give a socket, usually because too many files are open.
    pause: Duration,
}

const LIMITS: Limits = Limits {
    connections: MOST_CONNECTIONS,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    connection: Duration::from_secs(600),
    window: WINDOW,
    least: LEAST_RATE * WINDOW.as_secs(),
    drain: Duration::from_secs(10),
    pause: Duration::from_secs(1),
};

/// Serves `router` until `stop` is ready; then answers what is under way, for at most ten seconds.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    serve_within(LIMITS, listener, door, router, stop).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    door: Door,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let (stopping, stopped) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, permit) = tokio::select! {
            () = stop.as_mut() => break,
            accepted = accept(&listener, &permits) => match accepted {
                Ok(accepted) => accepted,
                // The browser went away before it was let in; the next one is not concerned.
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    tracing::warn!(%error, "a browser could not be let in");
                    tokio::select! {
                        () = stop.as_mut() => break,
                        () = sleep(limits.pause) => continue,
                    }
                }
            },
        };
        tokio::spawn(attend(
            limits,
            stream,
            peer,
            door.clone(),
            router.clone(),
            stopped.clone(),
            permit,
        ));
    }
    drop(listener);
    let _nobody_listens = stopping.send(true);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if timeout(limits.drain, permits.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some pages were cut off, they took too long");
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// One connection from its first octet to its last. The handshake is here and not where connections are accepted, so that a
/// slow one delays nobody else.
async fn attend(
    limits: Limits,
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) {
    // Pages are written in one go; waiting to fill a packet would only delay them. A socket that refuses is slower, no more.
    let _refused = stream.set_nodelay(true);
    match door {
        Door::Plain { https_port } => {
            let arrival = Arrival::plain(peer, https_port);
            speak(limits, stream, arrival, router, stopped).await;
        }
        Door::Tls(config) => {
            let handshake = timeout(limits.handshake, TlsAcceptor::from(config).accept(stream));
            let agreed = tokio::select! {
                agreed = handshake => agreed,
                () = has_stopped(&mut stopped) => return,
            };
            match agreed {
                Ok(Ok(stream)) => {
                    speak(limits, stream, Arrival::tls(peer), router, stopped).await;
                }
                // Scanners, and browsers whose owner has not agreed to the certificate yet.
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        }
    }
    drop(permit);
}

async fn speak(
    limits: Limits,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    arrival: Arrival,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let peer = arrival.peer;
    let moved = Moved::default();
    let stream = Metered::new(stream, moved.clone());
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(arrival);
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => Some(result),
        () = has_stopped(&mut stopped) => None,
        () = sleep(limits.connection) => {
            // It ends with its current answer, which may be a large file.
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection.as_mut() => Some(result),
                () = has_stopped(&mut stopped) => None,
                () = dawdling(limits, &moved) => None,
            }
        }
    };
    if result.is_none() {
        connection.as_mut().graceful_shutdown();
        if timeout(limits.drain, connection).await.is_err() {
            tracing::debug!(%peer, "a connection was cut off");
        }
    } else if let Some(Err(error)) = result {
        // Browsers go away whenever they like; this is for those who look for a fault.
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

async fn has_stopped(stopped: &mut watch::Receiver<bool>) {
    // Whoever says it has gone away when nobody says it any more.
    let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
}

/// Waits until less moves than has to.
async fn dawdling(limits: Limits, moved: &Moved) {
    let mut progress = Progress::from(moved.octets(), limits.least);
    loop {
        sleep(limits.window).await;
        if progress.is_slow(moved.octets()) {
            return;
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
