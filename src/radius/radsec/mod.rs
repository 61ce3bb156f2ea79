//! RADIUS over TLS (RFC 6614): one TCP port for authentication and accounting, certificates instead of secrets.
//!
//! `listener` accepts and holds the bounds, `connection` reads packets and writes replies, `certificate` says what a client
//! showed, `links` sends requests of ours the other way. Requests go to the same [`super::desk::Desk`] as those of UDP. Whose a certificate is, the handler decides, for
//! every packet anew. Invariant: nothing of a client is looked at before it proved that it has the key of its
//! certificate; what it can make us keep or wait for is bounded by [`Limits`].

mod certificate;
mod connection;
mod links;
mod listener;
mod seats;
mod verifier;

use std::io;
use std::time::Duration;

pub use certificate::{Authority, AuthorityError, ClientCertificate, pem_fingerprint};
pub use links::{Link, Links};
pub use listener::Radsec;

use super::pipeline::Refusal;

/// The shared secret of all RadSec (RFC 6614 s2.3): the certificates protect, the digests stay.
pub const SECRET: &[u8] = b"radsec";

/// What a client may take. Tests take less.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections in all, handshakes included: some 20 KB each.
    pub connections: usize,
    /// Connections of one NAS: a router has one, a proxy a few, and some more that a lost one leaves behind.
    pub per_nas: usize,
    /// Handshakes under way from one address, so that silent strangers do not keep the others out.
    pub handshakes_per_address: usize,
    pub handshake: Duration,
    /// From the first octet of a packet to its last.
    pub packet: Duration,
    /// Between packets. Much longer than any watchdog or interval of interim records (radius.md section 13).
    pub idle: Duration,
    /// For a client to take a reply off.
    pub send: Duration,
    /// For replies that wait when a connection ends in order.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 512,
            per_nas: 16,
            handshakes_per_address: 16,
            handshake: Duration::from_secs(10),
            packet: Duration::from_secs(30),
            idle: Duration::from_secs(3_600),
            send: Duration::from_secs(10),
            drain: Duration::from_secs(3),
        }
    }
}

/// Why a connection ended, or did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    #[error("closed by the other side")]
    Closed,
    #[error("this server stopped")]
    Stopped,
    #[error("nothing came for too long")]
    Idle,
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    #[error("a packet came too slowly")]
    SlowPacket,
    #[error("it does not take its replies")]
    SlowReader,
    #[error("a packet says that it is {0} octets long")]
    Length(u16),
    #[error("a packet was refused: {0}")]
    Refused(Refusal),
    #[error("it showed no certificate that can be read")]
    NoCertificate,
    #[error("its certificate is not that of a NAS")]
    Stranger,
    #[error("it has too many connections")]
    TooMany,
    #[error("the handshake took too long")]
    SlowHandshake,
    #[error("it does not trust the certificate of this server")]
    Untrusting,
    #[error("it does not have the key of the certificate that it showed")]
    WrongKey,
    #[error("it does not speak TLS")]
    NotTls,
    #[error("it has no version or cipher of TLS in common with this server")]
    Incompatible,
}

impl Ending {
    /// Nothing that anybody has to mend.
    pub fn is_orderly(self) -> bool {
        matches!(self, Ending::Closed | Ending::Stopped | Ending::Idle)
    }
}

/// Why there is no RadSec.
#[derive(Debug, thiserror::Error)]
pub enum RadsecError {
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
pub(crate) mod peer;
#[cfg(test)]
mod tests;
