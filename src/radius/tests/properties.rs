//! Properties over arbitrary octets: nothing panics, and what was parsed encodes to the same octets again.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{SECRET, peer, secret};
use crate::radius::auth::Attempt;
use crate::radius::describe::describe;
use crate::radius::draft::Draft;
use crate::radius::packet::HEADER_OCTETS;
use crate::radius::{AttributeBuffer, Code, Packet, Port, pipeline};

/// Parse, describe, check, encode again. Also the fuzz target.
fn survives(octets: &[u8]) {
    let peer = peer(SECRET);
    let _ = pipeline::check(Port::Auth, &peer, octets);
    let _ = pipeline::check(Port::Acct, &peer, octets);
    let Ok(packet) = Packet::parse(octets) else {
        return;
    };
    assert!(!describe(&packet).is_empty());
    let _ = Attempt::read(&packet, &secret());
    let mut buffer = AttributeBuffer::new();
    for (kind, value) in packet.attributes() {
        buffer.push_raw(kind, value).unwrap();
    }
    let draft = Draft {
        code: packet.code(),
        identifier: packet.identifier(),
        authenticator: packet.authenticator(),
        message_authenticator: false,
        attributes: buffer.octets(),
        proxy_states: &[],
    };
    let mut again = Vec::new();
    draft.write(&mut again).unwrap();
    assert_eq!(again, packet.octets());
}

/// Makes the length field of arbitrary octets right, so that more of them get past it.
fn with_length(mut octets: Vec<u8>) -> Vec<u8> {
    if let Ok(length) = u16::try_from(octets.len())
        && octets.len() >= HEADER_OCTETS
    {
        octets[2..4].copy_from_slice(&length.to_be_bytes());
    }
    octets
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..600)) {
        survives(&octets);
        survives(&with_length(octets));
    }

    #[test]
    fn what_is_encoded_parses_to_the_same(
        code in any::<u8>(),
        identifier in any::<u8>(),
        authenticator in any::<[u8; 16]>(),
        attributes in vec((1u8..=79, vec(any::<u8>(), 0..=253)), 0..15),
    ) {
        let mut buffer = AttributeBuffer::new();
        for (kind, value) in &attributes {
            buffer.push_raw(*kind, value).unwrap();
        }
        let draft = Draft {
            code: Code(code),
            identifier,
            authenticator: &authenticator,
            message_authenticator: false,
            attributes: buffer.octets(),
            proxy_states: &[],
        };
        let mut octets = Vec::new();
        draft.write(&mut octets).unwrap();
        let packet = Packet::parse(&octets).unwrap();
        prop_assert_eq!(packet.code().0, code);
        prop_assert_eq!(packet.identifier(), identifier);
        prop_assert_eq!(packet.authenticator(), &authenticator);
        let read: Vec<(u8, Vec<u8>)> =
            packet.attributes().map(|(kind, value)| (kind, value.to_vec())).collect();
        prop_assert_eq!(read, attributes);
        survives(&octets);
    }
}

#[test]
fn parse_describe_encode_fuzz() {
    bolero::check!().for_each(|octets: &[u8]| survives(octets));
}
