//! What the vendor answers, and how it begins and ends. The connections are those of `web::server`: machines ask hourly and
//! for a moment, so its places are enough for tens of thousands of them.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::catch_panic::CatchPanicLayer;

use super::api::{self, Counter};
use super::control;
use super::desk::Desk;
use super::{VendorError, pages};
use crate::tls::Configured;
use crate::web::headers;
use crate::web::server::{self, Door};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    pub listen: SocketAddr,
    /// None for the certificate that `init` made.
    pub certificate: Option<Configured>,
}

/// Serves until SIGTERM or SIGINT, and prints `ready https=ADDR` once it listens.
pub async fn serve(desk: Arc<Desk>, options: &ServeOptions) -> Result<(), VendorError> {
    let certificate = desk.certificate(options.certificate.as_ref())?;
    let door = Door::Tls(certificate.server_config()?);
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
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    server::serve(listener, door, router(&desk), stop).await;
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
