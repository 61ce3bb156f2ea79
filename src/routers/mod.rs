//! Vendors: what an entitlement looks like on each kind of router, and how routers are spoken to.
//!
//! `profile` is the door for RADIUS: one entitlement in, attributes out. `routeros` is MikroTik's API, and the only
//! part that opens sockets. Nothing here has heard of a subscriber.

mod accel_ppp;
mod cisco;
mod generic;
mod huawei;
mod juniper;
pub mod mikrotik;
mod nokia;
pub mod profile;
pub mod routeros;
pub mod script;
pub mod wispr;
mod zte;

#[cfg(test)]
mod vectors;

use crate::radius::attribute::EncodeError;

/// What cannot be said to a router, or not understood of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    #[error(transparent)]
    Attribute(#[from] EncodeError),
    /// With the vendor.
    #[error(
        "with the profile {0} a new speed holds only from the next login: the session must be disconnected"
    )]
    NeedsDisconnect(&'static str),
    #[error("{field} of the rate limit is not valid: {text:?}")]
    RateLimit { field: &'static str, text: String },
    #[error("not a time with a zone, such as 2026-01-31T23:59:59+03:00: {0:?}")]
    TerminateTime(String),
    #[error("a RouterOS word begins with the reserved octet {0:#04x}")]
    ReservedLength(u8),
    #[error("an empty word would end the RouterOS sentence")]
    EmptyWord,
    #[error("a RouterOS word has {0} octets")]
    LongWord(usize),
    #[error("a RouterOS sentence has {words} words, {octets} octets")]
    LongSentence { words: usize, octets: usize },
    #[error("the challenge of the RouterOS login is not 32 hex digits but {0} octets")]
    Challenge(usize),
    #[error("not a RouterOS query: {0:?}")]
    Query(String),
    /// What it is, not what it says: it may be a secret.
    #[error(
        "{0} cannot stand in a RouterOS script: it holds a quote, $, [, ], {{, }}, ;, a backslash or a control character"
    )]
    ScriptValue(String),
}

/// The names for upload and download out of `UPLOAD/DOWNLOAD`, or one name for both.
fn both_ways(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or((name, name))
}
