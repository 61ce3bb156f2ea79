//! The vendor's server: HTTPS, HTTP/1.1, and an orderly stop.
//!
//! Invariants: at most [`MOST_CONNECTIONS`] at once, and none for longer than its time.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::{Router, middleware};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sd_notify::NotifyState;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::api::{self, Counter};
use super::certificate::CertificateFiles;
use super::control;
use super::desk::Desk;
use super::{VendorError, pages};
use crate::web::headers;

/// Machines ask hourly and for a moment, so this is tens of thousands of them.
const MOST_CONNECTIONS: usize = 512;
/// For the TLS handshake and for the head of each request.
const HEAD: Duration = Duration::from_secs(10);
/// A slow line needs ten minutes for a package.
const LONGEST_CONNECTION: Duration = Duration::from_secs(900);
/// The pause after the system could not give a socket.
const PAUSE: Duration = Duration::from_secs(1);

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    pub listen: SocketAddr,
    /// None for the certificate that `init` made.
    pub certificate: Option<CertificateFiles>,
}

/// Serves until SIGTERM or SIGINT, and prints `ready https=ADDR` once it listens.
pub async fn serve(desk: Arc<Desk>, options: &ServeOptions) -> Result<(), VendorError> {
    let certificate = desk.certificate(options.certificate.as_ref())?;
    let listener = TcpListener::bind(options.listen).await?;
    let control = control::start(&desk)?;
    let mut out = io::stdout();
    writeln!(out, "ready https={}", listener.local_addr()?)?;
    out.flush()?;
    // Its unit has started now; without a service manager nothing is said.
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        () = accept(listener, TlsAcceptor::from(certificate.config), router(&desk)) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(control);
    Ok(())
}

/// Everything that the vendor answers.
pub(super) fn router(desk: &Arc<Desk>) -> Router {
    api::routes()
        .merge(pages::routes())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(headers::security))
        .with_state(Counter::new(Arc::clone(desk)))
}

/// Takes connections until it is dropped.
pub(super) async fn accept(listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let attended = timeout(LONGEST_CONNECTION, attend(stream, peer, acceptor, router));
            if let Ok(Err(error)) = attended.await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
            drop(place);
        });
    }
}

async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = timeout(HEAD, acceptor.accept(stream)).await??;
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    Ok(pin!(connection).await?)
}
