//! From nothing to a connection that is logged in: TCP, TLS where asked for, login, each within its time.

use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::client::{Access, Security, Times};
use super::error::ApiError;
use super::exchange::{Event, Exchange};
use super::tls::{self, Fingerprint, Trust};
use crate::tls::trust;

/// The system asks after a silent router, so that a connection that died unseen is known before it is needed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMES: u32 = 3;
/// Octets read at a time; the answers to a login are short.
const READ_OCTETS: usize = 1024;

/// Plain or TLS.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// A connection that takes requests.
pub(super) struct Connected {
    pub(super) socket: Box<dyn Socket>,
    pub(super) exchange: Exchange,
    /// What TLS showed.
    pub(super) certificate: Option<Fingerprint>,
}

/// Errors: `Unreachable`, `Timeout`, `Authority`, `CertificateDiffers`, `Tls`, `LoginRefused`, `Protocol`, `Reply`,
/// `Closed`.
pub(super) async fn connect(access: &Access, times: &Times) -> Result<Connected, ApiError> {
    let stream = timeout(times.connect, TcpStream::connect(access.address))
        .await
        .map_err(|_| ApiError::Timeout {
            what: "take the connection",
        })?
        .map_err(|error| ApiError::Unreachable(error.kind().to_string()))?;
    prepare(&stream).map_err(|error| ApiError::Unreachable(error.to_string()))?;
    let (mut socket, certificate): (Box<dyn Socket>, _) = match &access.security {
        Security::Plain => (Box::new(stream), None),
        Security::Tls(trust) => {
            let (socket, certificate) = timeout(times.connect, secure(access, trust, stream))
                .await
                .map_err(|_| ApiError::Timeout {
                    what: "agree on TLS",
                })??;
            (socket, certificate)
        }
    };
    let mut exchange = Exchange::new(access.credentials.clone())?;
    timeout(times.login, log_in(&mut socket, &mut exchange))
        .await
        .map_err(|_| ApiError::Timeout {
            what: "answer the login",
        })??;
    Ok(Connected {
        socket,
        exchange,
        certificate,
    })
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_TIMES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

async fn secure(
    access: &Access,
    whom: &Trust,
    stream: TcpStream,
) -> Result<(Box<dyn Socket>, Option<Fingerprint>), ApiError> {
    let connector = TlsConnector::from(tls::client_config(whom)?);
    let name = ServerName::IpAddress(access.address.ip().into());
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| tls::handshake_error(&error))?;
    let certificate = trust::leaf(stream.get_ref().1.peer_certificates());
    Ok((Box::new(stream), certificate))
}

async fn log_in(socket: &mut Box<dyn Socket>, exchange: &mut Exchange) -> Result<(), ApiError> {
    let mut buffer = [0; READ_OCTETS];
    let mut events = Vec::new();
    while !events.contains(&Event::LoggedIn) {
        let output = exchange.take_output();
        socket
            .write_all(&output)
            .await
            .map_err(|error| ApiError::lost(&error))?;
        socket
            .flush()
            .await
            .map_err(|error| ApiError::lost(&error))?;
        let read = socket
            .read(&mut buffer)
            .await
            .map_err(|error| ApiError::lost(&error))?;
        if read == 0 {
            return Err(ApiError::Closed);
        }
        exchange.receive(buffer.get(..read).unwrap_or_default(), &mut events)?;
    }
    Ok(())
}
