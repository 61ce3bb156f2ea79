//! How an outgoing packet is put together: header, Message-Authenticator, attributes, Proxy-States.
//!
//! Unsigned; `authenticator` comes after. Invariant: no packet is longer than 4096 octets (RFC 2865 s3).

use super::attribute::EncodeError;
use super::number;
use super::packet::{
    Authenticator, Code, HEADER_OCTETS, MESSAGE_AUTHENTICATOR_OCTETS, PACKET_MAX_OCTETS, Packet,
};

/// What an outgoing packet is made of. Signing comes after, in `authenticator`.
pub(super) struct Draft<'a> {
    pub code: Code,
    pub identifier: u8,
    /// Own Request Authenticator, or anything where signing overwrites it.
    pub authenticator: &'a Authenticator,
    /// Puts a zeroed Message-Authenticator in front of everything else.
    pub message_authenticator: bool,
    /// Encoded attributes.
    pub attributes: &'a [u8],
    /// Encoded Proxy-States, copied behind the attributes.
    pub proxy_states: &'a [u8],
}

impl Draft<'_> {
    /// Writes the packet into `out`, which is emptied first.
    /// Errors: `Full` if it would pass 4096 octets; `out` is then unusable.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let message_authenticator = if self.message_authenticator {
            MESSAGE_AUTHENTICATOR_OCTETS
        } else {
            0
        };
        let length =
            HEADER_OCTETS + message_authenticator + self.attributes.len() + self.proxy_states.len();
        let full = EncodeError::Full {
            needed: length,
            room: PACKET_MAX_OCTETS,
        };
        if length > PACKET_MAX_OCTETS {
            return Err(full);
        }
        let length = u16::try_from(length).map_err(|_| full)?;
        out.clear();
        out.extend_from_slice(&[self.code.0, self.identifier]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self.authenticator);
        if self.message_authenticator {
            out.extend_from_slice(&[number::MESSAGE_AUTHENTICATOR, 18]);
            out.extend_from_slice(&[0; 16]);
        }
        out.extend_from_slice(self.attributes);
        out.extend_from_slice(self.proxy_states);
        Ok(())
    }
}

/// Copies every Proxy-State, unmodified and in order, into `out` (RFC 2865 s5.33).
pub(super) fn copy_proxy_states(packet: &Packet<'_>, out: &mut Vec<u8>) {
    out.clear();
    if !packet.holds_proxy_state() {
        return;
    }
    for value in packet.all(number::PROXY_STATE) {
        // A walked attribute is at most 255 octets long, so the length always fits.
        if let Ok(length) = u8::try_from(value.len() + 2) {
            out.extend_from_slice(&[number::PROXY_STATE, length]);
            out.extend_from_slice(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_never_written_too_large() {
        let mut out = Vec::new();
        let mut draft = Draft {
            code: Code::ACCESS_ACCEPT,
            identifier: 1,
            authenticator: &[0; 16],
            message_authenticator: true,
            attributes: &[0; PACKET_MAX_OCTETS - HEADER_OCTETS - MESSAGE_AUTHENTICATOR_OCTETS],
            proxy_states: &[],
        };
        draft.write(&mut out).unwrap();
        assert_eq!(out.len(), PACKET_MAX_OCTETS);
        draft.proxy_states = &[0];
        assert!(draft.write(&mut out).is_err());
    }
}
