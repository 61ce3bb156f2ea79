//! What can go wrong at the vendor's, and what an appliance is told of it.

use std::io;
use std::path::PathBuf;

use crate::crypto::CryptoError;
use crate::domain::Invalid;
use crate::licence::wire::kind;
use crate::store::{OpenError, StoreError};
use crate::tls::TlsError;

/// An appliance asked for something that it does not get.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(String),
    #[error("there is no licence with this key")]
    UnknownKey,
    #[error("this licence is bound to another machine")]
    OtherHardware,
    #[error("this vendor gives licences to people who ask, not to machines")]
    Closed,
    #[error("this machine has a licence already; ask the vendor for its key")]
    KnownMachine,
    #[error("this licence was revoked")]
    Revoked,
    #[error("the term of this licence and its grace are over")]
    Expired,
    #[error("there is no such release")]
    NoRelease,
    #[error("too many requests from this address; try again in a minute")]
    TooMany,
}

impl Refusal {
    /// The word for programs, and the HTTP status.
    pub fn kind(&self) -> (&'static str, u16) {
        match self {
            Refusal::Malformed(_) => (kind::MALFORMED, 400),
            Refusal::UnknownKey => (kind::UNKNOWN_KEY, 404),
            Refusal::OtherHardware => (kind::OTHER_HARDWARE, 409),
            Refusal::Closed => (kind::CLOSED, 403),
            Refusal::KnownMachine => (kind::KNOWN_MACHINE, 409),
            Refusal::Revoked => (kind::REVOKED, 403),
            Refusal::Expired => (kind::EXPIRED, 403),
            Refusal::NoRelease => (kind::NO_RELEASE, 404),
            Refusal::TooMany => (kind::TOO_MANY, 429),
        }
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// For the vendor's own people.
    #[error("{field}: {problem}")]
    Field {
        field: &'static str,
        problem: Invalid,
    },
    #[error("there is no {0} with this number")]
    Missing(&'static str),
    #[error("{} holds no vendor yet; make one with: proxpanel vendor init --data-dir {}", .0.display(), .0.display())]
    NotMade(PathBuf),
    #[error("{} holds a vendor already; its keys are never replaced", .0.display())]
    MadeAlready(PathBuf),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error("the certificate {}: {source}", .path.display())]
    Certificate { path: PathBuf, source: TlsError },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{} cannot be used: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a background thread ended early")]
    Interrupted,
}

impl VendorError {
    pub(super) fn field(field: &'static str, problem: impl Into<String>) -> VendorError {
        VendorError::Field {
            field,
            problem: Invalid::new(problem),
        }
    }
}
