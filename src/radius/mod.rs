//! RADIUS: the protocol, and nothing but (RFC 2865, 2866, 2869, 3579, 5176, 5997, 6614).
//!
//! `server` receives and answers over UDP, `radsec` over TLS; both ask a [`handler::Handler`] what to say. `client` and
//! `coa` are the other side, for tools and for changing running sessions. Who may come in is not decided here: this room has never heard
//! of a subscriber, a plan or a store.

pub mod attribute;
pub mod auth;
pub mod authenticator;
pub mod client;
mod clock;
pub mod coa;
mod dedup;
pub mod describe;
mod desk;
pub mod dictionary;
mod draft;
pub mod handler;
mod identifiers;
pub mod number;
mod outgoing;
pub mod packet;
pub mod pipeline;
pub mod radsec;
mod reply;
mod request;
mod schedule;
pub mod secret;
pub mod server;
mod socket;
mod timer;
pub mod vendor;

pub use attribute::{AttributeBuffer, EncodeError, Ipv6Prefix};
pub use handler::{
    AccessOutcome, AccessRequest, AccountingRequest, Acknowledgement, Handler, MaPolicy, NasPeer,
    Observation, Port,
};
pub use packet::{Code, DecodeError, HEADER_OCTETS, PACKET_MAX_OCTETS, Packet};
pub use pipeline::Refusal;
pub use secret::{SecretError, SharedSecret};
pub use server::Server;

#[cfg(test)]
mod tests;
