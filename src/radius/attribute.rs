//! Writing attributes, and the few value shapes that need care when read.
//!
//! Numbers are `number`, names are `dictionary`. Invariant of [`AttributeBuffer`]: it always holds whole, well-formed
//! attributes within its limit; a push that fails leaves it as it was (RFC 2865 s5; radius.md section 4).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::number;
use super::packet::{Attributes, HEADER_OCTETS, PACKET_MAX_OCTETS, VALUE_MAX_OCTETS};

/// Room for attributes in an otherwise empty packet.
pub const ATTRIBUTES_MAX_OCTETS: usize = PACKET_MAX_OCTETS - HEADER_OCTETS;
/// Largest value of a vendor attribute in the usual layout: 253 less Vendor-Id, type and length.
pub const VENDOR_VALUE_MAX_OCTETS: usize = 247;

/// Why an attribute cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("attribute {kind} would be empty, which must not be sent")]
    Empty { kind: u8 },
    #[error("attribute {kind} would have {length} octets of value")]
    TooLong { kind: u8, length: usize },
    #[error("the packet is full: {needed} octets needed, {room} left")]
    Full { needed: usize, room: usize },
    #[error("attribute {kind} is written by the protocol itself")]
    Reserved { kind: u8 },
    #[error("IPv6 prefix length {length} is above 128")]
    PrefixLength { length: u8 },
    #[error("tag {tag} is outside 1..=31")]
    Tag { tag: u8 },
    #[error("tagged integer {value} needs more than 24 bits")]
    TaggedInteger { value: u32 },
    #[error("octets that are no whole attributes")]
    Malformed,
    #[error("no random octets from the system")]
    Random,
}

/// Attributes on their way out. Reused from packet to packet; never grows past its limit.
#[derive(Clone)]
pub struct AttributeBuffer {
    octets: Vec<u8>,
    limit: usize,
}

impl Default for AttributeBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl AttributeBuffer {
    /// Empty, with the whole of [`ATTRIBUTES_MAX_OCTETS`] to fill.
    pub fn new() -> Self {
        AttributeBuffer {
            octets: Vec::new(),
            limit: ATTRIBUTES_MAX_OCTETS,
        }
    }

    /// Empties the buffer and leaves `reserved` octets for what the server adds itself.
    pub(super) fn reset(&mut self, reserved: usize) {
        self.octets.clear();
        self.limit = ATTRIBUTES_MAX_OCTETS.saturating_sub(reserved);
    }

    pub fn clear(&mut self) {
        self.octets.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// The attributes as they go on the wire.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// What has been written so far, as (type, value).
    pub fn iter(&self) -> Attributes<'_> {
        Attributes::over(&self.octets)
    }

    /// Any value as it is, even an empty one. Errors: `Reserved` for type 0, `TooLong`, `Full`.
    pub fn push_raw(&mut self, kind: u8, value: &[u8]) -> Result<(), EncodeError> {
        self.push_parts(kind, &[value])
    }

    /// 1 to 253 octets. Errors: `Empty`, `TooLong`, `Full`, `Reserved` for Message-Authenticator.
    pub fn push_octets(&mut self, kind: u8, value: &[u8]) -> Result<(), EncodeError> {
        if value.is_empty() {
            return Err(EncodeError::Empty { kind });
        }
        if kind == number::MESSAGE_AUTHENTICATOR {
            return Err(EncodeError::Reserved { kind });
        }
        self.push_parts(kind, &[value])
    }

    pub fn push_text(&mut self, kind: u8, value: &str) -> Result<(), EncodeError> {
        self.push_octets(kind, value.as_bytes())
    }

    /// `integer` and `date`.
    pub fn push_u32(&mut self, kind: u8, value: u32) -> Result<(), EncodeError> {
        self.push_octets(kind, &value.to_be_bytes())
    }

    pub fn push_ipv4(&mut self, kind: u8, value: Ipv4Addr) -> Result<(), EncodeError> {
        self.push_octets(kind, &value.octets())
    }

    pub fn push_ipv6(&mut self, kind: u8, value: Ipv6Addr) -> Result<(), EncodeError> {
        self.push_octets(kind, &value.octets())
    }

    /// `ifid`, the lower half of an address.
    pub fn push_interface_id(&mut self, kind: u8, value: u64) -> Result<(), EncodeError> {
        self.push_octets(kind, &value.to_be_bytes())
    }

    /// The short form: no octets beyond the prefix (RFC 3162 s2.3).
    pub fn push_ipv6_prefix(&mut self, kind: u8, prefix: Ipv6Prefix) -> Result<(), EncodeError> {
        let octets = prefix.address.octets();
        let significant = octets.get(..prefix.significant_octets()).unwrap_or(&octets);
        self.push_parts(kind, &[&[0, prefix.length], significant])
    }

    /// One Vendor-Specific with one sub-attribute of 1 to 247 octets, in the usual layout (RFC 2865 s5.26).
    pub fn push_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<(), EncodeError> {
        if value.is_empty() {
            return Err(EncodeError::Empty { kind });
        }
        let too_long = EncodeError::TooLong {
            kind,
            length: value.len(),
        };
        if value.len() > VENDOR_VALUE_MAX_OCTETS {
            return Err(too_long);
        }
        let length = u8::try_from(value.len() + 2).map_err(|_| too_long)?;
        self.push_parts(
            number::VENDOR_SPECIFIC,
            &[&vendor.to_be_bytes(), &[kind, length], value],
        )
    }

    pub fn push_vendor_text(
        &mut self,
        vendor: u32,
        kind: u8,
        value: &str,
    ) -> Result<(), EncodeError> {
        self.push_vendor(vendor, kind, value.as_bytes())
    }

    pub fn push_vendor_u32(
        &mut self,
        vendor: u32,
        kind: u8,
        value: u32,
    ) -> Result<(), EncodeError> {
        self.push_vendor(vendor, kind, &value.to_be_bytes())
    }

    /// A tag and 24 bits (RFC 2868 s3.1). Errors: `Tag`, `TaggedInteger`, `Full`.
    pub fn push_tagged_u32(&mut self, kind: u8, tag: u8, value: u32) -> Result<(), EncodeError> {
        let [0, high, middle, low] = value.to_be_bytes() else {
            return Err(EncodeError::TaggedInteger { value });
        };
        self.push_octets(kind, &[checked_tag(tag)?, high, middle, low])
    }

    /// A tag and up to 252 octets of text (RFC 2868 s3.3). Errors: `Tag`, `Empty`, `TooLong`, `Full`.
    pub fn push_tagged_text(&mut self, kind: u8, tag: u8, value: &str) -> Result<(), EncodeError> {
        if value.is_empty() {
            return Err(EncodeError::Empty { kind });
        }
        self.push_parts(kind, &[&[checked_tag(tag)?], value.as_bytes()])
    }

    /// A vendor's tag and 24 bits, as the vendors do that took the tags of RFC 2868 over. Errors: as [`Self::push_tagged_u32`].
    pub fn push_vendor_tagged_u32(
        &mut self,
        vendor: u32,
        kind: u8,
        tag: u8,
        value: u32,
    ) -> Result<(), EncodeError> {
        let [0, high, middle, low] = value.to_be_bytes() else {
            return Err(EncodeError::TaggedInteger { value });
        };
        self.push_vendor(vendor, kind, &[checked_tag(tag)?, high, middle, low])
    }

    /// A vendor's tag and up to 246 octets of text. Errors: `Tag`, `Empty`, `TooLong`, `Full`.
    pub fn push_vendor_tagged_text(
        &mut self,
        vendor: u32,
        kind: u8,
        tag: u8,
        value: &str,
    ) -> Result<(), EncodeError> {
        if value.is_empty() {
            return Err(EncodeError::Empty { kind });
        }
        self.push_vendor(
            vendor,
            kind,
            &[&[checked_tag(tag)?], value.as_bytes()].concat(),
        )
    }

    /// Whole attributes as they go on the wire, written by another buffer. All or nothing.
    /// Errors: `Malformed` for octets that are no whole attributes, `Full`.
    pub fn push_whole(&mut self, attributes: &[u8]) -> Result<(), EncodeError> {
        let walked: usize = Attributes::over(attributes)
            .map(|(_, value)| value.len() + 2)
            .sum();
        if walked != attributes.len() || Attributes::over(attributes).any(|(kind, _)| kind == 0) {
            return Err(EncodeError::Malformed);
        }
        let room = self.limit.saturating_sub(self.octets.len());
        if walked > room {
            return Err(EncodeError::Full {
                needed: walked,
                room,
            });
        }
        self.octets.extend_from_slice(attributes);
        Ok(())
    }

    /// Takes out what was written under the name of this attribute (one whole attribute as on the wire): its type, or
    /// vendor and type of a Vendor-Specific with one sub-attribute.
    pub fn remove_like(&mut self, attribute: &[u8]) {
        let Some(name) = Attributes::over(attribute).next().map(name_of) else {
            return;
        };
        let mut kept = Vec::with_capacity(self.octets.len());
        let mut rest = self.octets.as_slice();
        for (kind, value) in self.iter() {
            let (whole, after) = rest.split_at(rest.len().min(value.len() + 2));
            if name_of((kind, value)) != name {
                kept.extend_from_slice(whole);
            }
            rest = after;
        }
        self.octets = kept;
    }

    /// An EAP packet, cut into as many EAP-Message attributes as it needs (RFC 3579 s3.1). All or nothing.
    pub fn push_eap_message(&mut self, eap: &[u8]) -> Result<(), EncodeError> {
        let before = self.octets.len();
        for fragment in eap.chunks(VALUE_MAX_OCTETS) {
            if let Err(error) = self.push_octets(number::EAP_MESSAGE, fragment) {
                self.octets.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The single place where octets are added; the value is the parts one after the other.
    fn push_parts(&mut self, kind: u8, parts: &[&[u8]]) -> Result<(), EncodeError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if kind == 0 {
            return Err(EncodeError::Reserved { kind });
        }
        if length > VALUE_MAX_OCTETS {
            return Err(EncodeError::TooLong { kind, length });
        }
        let needed = length + 2;
        let room = self.limit.saturating_sub(self.octets.len());
        if needed > room {
            return Err(EncodeError::Full { needed, room });
        }
        let on_wire = u8::try_from(needed).map_err(|_| EncodeError::TooLong { kind, length })?;
        self.octets.extend_from_slice(&[kind, on_wire]);
        for part in parts {
            self.octets.extend_from_slice(part);
        }
        Ok(())
    }
}

impl fmt::Debug for AttributeBuffer {
    /// The size only: values may be keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "AttributeBuffer({} of {} octets)",
            self.octets.len(),
            self.limit
        )
    }
}

/// What names an attribute: its type and, of a vendor's, the Vendor-Id and the vendor's type.
fn name_of((kind, value): (u8, &[u8])) -> (u8, Option<&[u8]>) {
    match kind {
        number::VENDOR_SPECIFIC => (kind, value.get(..5)),
        _ => (kind, None),
    }
}

fn checked_tag(tag: u8) -> Result<u8, EncodeError> {
    if (0x01..=0x1F).contains(&tag) {
        Ok(tag)
    } else {
        Err(EncodeError::Tag { tag })
    }
}

/// An IPv6 prefix with the bits beyond its length zeroed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv6Prefix {
    address: Ipv6Addr,
    length: u8,
}

impl Ipv6Prefix {
    /// Errors: `PrefixLength` above 128. Bits beyond the length are cleared.
    pub fn new(address: Ipv6Addr, length: u8) -> Result<Self, EncodeError> {
        let kept = match length {
            0 => 0,
            1..=128 => u128::MAX << (128 - u32::from(length)),
            _ => return Err(EncodeError::PrefixLength { length }),
        };
        Ok(Ipv6Prefix {
            address: Ipv6Addr::from(u128::from(address) & kept),
            length,
        })
    }

    pub fn address(self) -> Ipv6Addr {
        self.address
    }

    pub fn length(self) -> u8 {
        self.length
    }

    fn significant_octets(self) -> usize {
        usize::from(self.length.div_ceil(8))
    }

    /// Reserved octet, length, then at least the significant octets and at most sixteen (RFC 3162 s2.3).
    pub fn decode(value: &[u8]) -> Option<Self> {
        let (&[_reserved, length], octets) = value.split_first_chunk::<2>()?;
        if octets.len() > 16 || octets.len() < usize::from(length.div_ceil(8)) {
            return None;
        }
        let mut address = [0; 16];
        address.get_mut(..octets.len())?.copy_from_slice(octets);
        Self::new(Ipv6Addr::from(address), length).ok()
    }
}

impl fmt::Display for Ipv6Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.length)
    }
}

/// A 64-bit octet total from its two halves (RFC 2869 s5.1, s5.2). Cannot overflow.
pub fn octet_total(octets: u32, gigawords: u32) -> u64 {
    (u64::from(gigawords) << 32) | u64::from(octets)
}

/// Tag and text of a tagged string: a first octet above 0x1F belongs to the text (RFC 2868 s3.3).
pub fn split_tag(value: &[u8]) -> (Option<u8>, &[u8]) {
    match value.split_first() {
        Some((&tag @ 0x00..=0x1F, text)) => (Some(tag), text),
        _ => (None, value),
    }
}

#[cfg(test)]
#[path = "attribute_tests.rs"]
mod tests;
