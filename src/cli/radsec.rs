//! `radtest --radsec`: the same request over TLS (RFC 6614), and in words what stands between it and an answer.
//!
//! One request and one connection, blocking. Invariant: whatever the other side does, it is over at the deadline.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::radius::client::{ReplyError, Request};
use crate::radius::{HEADER_OCTETS, PACKET_MAX_OCTETS};
use crate::telemetry::monotonic;
use crate::tls::trust::{Trust, Verifier, watched_config};
use crate::tls::{Configured, TlsError, files};

/// The secret that both sides know (RFC 6614 section 2.3).
pub(super) const SECRET: &str = "radsec";
pub(super) const PORT: u16 = 2083;
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Where to, whom to trust there, and what to show.
pub(super) struct Place {
    pub host: String,
    pub port: u16,
    /// PEM of an authority, or of the server's certificate itself; without it the public authorities.
    pub authority: Option<PathBuf>,
    pub own: Option<Configured>,
}

/// Why there is no answer, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub(super) enum RadsecError {
    /// A file that was named.
    #[error(transparent)]
    File(#[from] TlsError),
    #[error("{0} is no name or address that a certificate can be for")]
    Name(String),
    #[error("TLS cannot be used: {0}")]
    Tls(String),
    #[error(
        "Nobody answers at {place}: {why}.\nCheck the address, the port, and the firewall in between"
    )]
    Unreachable { place: String, why: String },
    #[error(
        "The certificate of {place} is not trusted: {why}.\nIts SHA-256 is {shown}. If that is the server's, save the certificate, or \
         that of its authority, and name the file with --ca"
    )]
    Untrusted {
        place: String,
        why: String,
        shown: String,
    },
    #[error(
        "{place} wants a client certificate and got none.\nName that of the NAS device with --cert and --key"
    )]
    NothingShown { place: String },
    #[error(
        "{place} wants no RADIUS from this certificate, SHA-256 {own}.\nNo NAS device there is known by it: enter it as \
         the NAS device's RadSec certificate. The secret of RadSec must be {SECRET:?}, too"
    )]
    Stranger { place: String, own: String },
    #[error(
        "{place} took the request and did not answer in time.\nThe log of the server may say why"
    )]
    Silent { place: String },
    #[error("What {place} answered is no reply to this request: {why}")]
    Garbled { place: String, why: ReplyError },
}

/// A verified reply, and how long it took.
pub(super) struct Answer {
    pub octets: Vec<u8>,
    pub elapsed: Duration,
}

/// Connects, shows the certificate, sends the request once, and waits for its reply.
pub(super) fn exchange(
    place: &Place,
    request: &Request,
    limit: Duration,
) -> Result<Answer, RadsecError> {
    let own = place.own.as_ref().map(Configured::load).transpose()?;
    let trust = match &place.authority {
        Some(path) => Trust::Authority(files::read(path)?),
        None => Trust::Public,
    };
    let (config, verifier) = watched_config(&trust, own.as_ref())
        .map_err(|error| RadsecError::Tls(error.to_string()))?;
    let name = ServerName::try_from(place.host.clone())
        .map_err(|_| RadsecError::Name(place.host.clone()))?;
    let deadline = monotonic() + limit;
    let began = monotonic();
    let stream = Timed {
        inner: connect(place, limit)?,
        deadline,
    };
    let session =
        ClientConnection::new(config, name).map_err(|error| RadsecError::Tls(error.to_string()))?;
    let mut stream = StreamOwned::new(session, stream);
    let fault = |error: io::Error| {
        let own = own.as_ref().map(|pair| pair.facts().fingerprint.pairs());
        why(place, &error, &verifier, own)
    };
    while stream.conn.is_handshaking() {
        stream
            .conn
            .complete_io(&mut stream.sock)
            .map_err(fault)
            .map(drop)?;
    }
    // A server that has closed already says why in what can still be read.
    let sent = stream
        .write_all(request.octets())
        .and_then(|()| stream.flush());
    let octets = match (receive(&mut stream), sent) {
        (Ok(octets), _) => octets,
        (Err(error), _) => return Err(fault(error)),
    };
    match request.verify(&octets) {
        Ok(_) => Ok(Answer {
            elapsed: monotonic().saturating_duration_since(began),
            octets,
        }),
        Err(why) => Err(RadsecError::Garbled {
            place: place.words(),
            why,
        }),
    }
}

impl Place {
    fn words(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn connect(place: &Place, limit: Duration) -> Result<TcpStream, RadsecError> {
    let unreachable = |error: io::Error| RadsecError::Unreachable {
        place: place.words(),
        why: error.to_string(),
    };
    let addresses = (place.host.as_str(), place.port).to_socket_addrs();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses.map_err(unreachable)?.take(MOST_ADDRESSES) {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

/// One packet: as long as its Length field says (RFC 6613 section 2.6).
fn receive(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; HEADER_OCTETS];
    stream.read_exact(&mut packet)?;
    let length = match packet.as_slice() {
        [_, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    packet.resize(length.clamp(HEADER_OCTETS, PACKET_MAX_OCTETS), 0);
    stream.read_exact(packet.get_mut(HEADER_OCTETS..).unwrap_or_default())?;
    Ok(packet)
}

/// What a connection that failed says.
fn why(
    place: &Place,
    error: &io::Error,
    verifier: &Arc<Verifier>,
    own: Option<String>,
) -> RadsecError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let place = place.words();
    match (inner, error.kind(), own) {
        (Some(rustls::Error::InvalidCertificate(why)), ..) => RadsecError::Untrusted {
            place,
            why: why.to_string(),
            shown: verifier.shown().map_or_else(String::new, |it| it.pairs()),
        },
        (None, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, _) => {
            RadsecError::Silent { place }
        }
        // An alert, or an end without a word.
        (Some(rustls::Error::AlertReceived(_)) | None, _, None) => {
            RadsecError::NothingShown { place }
        }
        (Some(rustls::Error::AlertReceived(_)) | None, _, Some(own)) => {
            RadsecError::Stranger { place, own }
        }
        (Some(other), ..) => RadsecError::Tls(other.to_string()),
    }
}

/// A connection that is over at the deadline.
struct Timed {
    inner: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(monotonic());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.set_read_timeout(Some(self.left()?))?;
        self.inner.read(out)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.inner.set_write_timeout(Some(self.left()?))?;
        self.inner.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
