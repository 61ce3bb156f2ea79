//! Tests that cross the files of this room: reference vectors, the server over real sockets, the CoA client, a
//! foreign client, and properties over arbitrary octets.

mod access;
mod accounting;
mod dynamic;
pub mod fake;
mod foreign;
mod properties;
mod sockets;
mod vectors;

use std::net::SocketAddr;

use super::draft::Draft;
use super::packet::Authenticator;
use super::{AttributeBuffer, Code, MaPolicy, NasPeer, SharedSecret};

pub const SECRET: &[u8] = b"n4s-Secret-01";

pub fn secret() -> SharedSecret {
    SharedSecret::new(SECRET).unwrap()
}

/// A NAS record that demands nothing and sends everything.
pub fn peer(secret: &[u8]) -> NasPeer {
    NasPeer {
        nas: 7,
        secret: SharedSecret::new(secret).unwrap(),
        message_authenticator: MaPolicy::No,
        limit_proxy_state: true,
        send_message_authenticator: true,
    }
}

pub fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

/// An unsigned packet of these attributes.
pub fn packet(code: Code, authenticator: &Authenticator, attributes: &AttributeBuffer) -> Vec<u8> {
    let mut octets = Vec::new();
    let draft = Draft {
        code,
        identifier: 9,
        authenticator,
        message_authenticator: false,
        attributes: attributes.octets(),
        proxy_states: &[],
    };
    draft.write(&mut octets).unwrap();
    octets
}
