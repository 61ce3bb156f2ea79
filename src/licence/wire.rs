//! What the two sides send each other as JSON; the signed texts travel inside.
//!
//! Addresses are under [`BASE`]. A refusal that needs no proof is a problem document (RFC 9457) whose `type` is one of the
//! words in [`kind`]; what takes something away is signed, in [`Signed::answer`].

use serde::{Deserialize, Serialize};

pub const BASE: &str = "/api/v1";

/// Octets of a request: a key, a machine, a name and an address.
pub const LARGEST_REQUEST: usize = 8 << 10;

/// Kinds of problems, for programs.
pub mod kind {
    pub const MALFORMED: &str = "malformed";
    pub const UNKNOWN_KEY: &str = "unknown-key";
    pub const OTHER_HARDWARE: &str = "other-hardware";
    pub const CLOSED: &str = "registration-closed";
    pub const KNOWN_MACHINE: &str = "known-machine";
    pub const REVOKED: &str = "revoked";
    pub const EXPIRED: &str = "expired";
    pub const NO_RELEASE: &str = "no-release";
    pub const TOO_MANY: &str = "too-many-requests";
    pub const FAULT: &str = "fault";
}

/// `POST license/register`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub company: String,
    pub email: String,
    /// [`super::Hardware::to_text`].
    pub hardware: String,
    pub version: String,
}

/// No Debug: it holds a licence key.
#[derive(Serialize, Deserialize)]
pub struct Registered {
    pub key: String,
}

/// `POST license/activate`, `license/validate` and `license/heartbeat`. No Debug: it holds a licence key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub key: String,
    pub hardware: String,
    /// Random, base64url; the answer repeats it.
    pub nonce: String,
    pub version: String,
    /// In the store, now.
    #[serde(default)]
    pub subscribers: u64,
    /// Gives the licence up, so that another machine may activate it; with a heartbeat.
    #[serde(default)]
    pub leaving: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Signed {
    /// [`super::Answer`], signed.
    pub answer: String,
}

/// `GET update/check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The newest version, or empty when there is none for this architecture.
    pub version: String,
    pub notes: String,
    /// What the vendor signed of this release ([`super::Purpose::Release`]).
    pub manifest: String,
}
