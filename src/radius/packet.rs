//! The packet on the wire: header, attribute walk, typed reads. Writing is `draft` and `attribute`.
//!
//! Nothing here knows a secret; digests are `authenticator`. Invariant: a [`Packet`] has been walked to its end, so
//! that iterating it cannot fail (RFC 2865 s3, s5; reference radius.md sections 1, 2, 4).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::attribute::Ipv6Prefix;
use super::number;
use super::vendor::VendorAttributes;

/// Code, Identifier, Length and Authenticator.
pub const HEADER_OCTETS: usize = 20;
/// Largest packet (RFC 2865 s3). Also the size of every receive buffer.
pub const PACKET_MAX_OCTETS: usize = 4096;
/// Most attributes in one packet: far above any NAS, low enough to bound the walk (FreeRADIUS `max_attributes`).
pub const ATTRIBUTES_MAX: usize = 200;
/// Largest attribute value.
pub const VALUE_MAX_OCTETS: usize = 253;
/// A Message-Authenticator on the wire: type, length, sixteen octets.
pub const MESSAGE_AUTHENTICATOR_OCTETS: usize = 18;

/// The sixteen octets after the length field.
pub type Authenticator = [u8; 16];

/// Packet code (RFC 2865 s3, 2866 s3, 5176 s2.3, 5997).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

impl Code {
    pub const ACCESS_REQUEST: Code = Code(1);
    pub const ACCESS_ACCEPT: Code = Code(2);
    pub const ACCESS_REJECT: Code = Code(3);
    pub const ACCOUNTING_REQUEST: Code = Code(4);
    pub const ACCOUNTING_RESPONSE: Code = Code(5);
    pub const ACCESS_CHALLENGE: Code = Code(11);
    pub const STATUS_SERVER: Code = Code(12);
    pub const DISCONNECT_REQUEST: Code = Code(40);
    pub const DISCONNECT_ACK: Code = Code(41);
    pub const DISCONNECT_NAK: Code = Code(42);
    pub const COA_REQUEST: Code = Code(43);
    pub const COA_ACK: Code = Code(44);
    pub const COA_NAK: Code = Code(45);

    /// The name in the RFCs, `None` for codes this program does not know.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Code::ACCESS_REQUEST => "Access-Request",
            Code::ACCESS_ACCEPT => "Access-Accept",
            Code::ACCESS_REJECT => "Access-Reject",
            Code::ACCOUNTING_REQUEST => "Accounting-Request",
            Code::ACCOUNTING_RESPONSE => "Accounting-Response",
            Code::ACCESS_CHALLENGE => "Access-Challenge",
            Code::STATUS_SERVER => "Status-Server",
            Code::DISCONNECT_REQUEST => "Disconnect-Request",
            Code::DISCONNECT_ACK => "Disconnect-ACK",
            Code::DISCONNECT_NAK => "Disconnect-NAK",
            Code::COA_REQUEST => "CoA-Request",
            Code::COA_ACK => "CoA-ACK",
            Code::COA_NAK => "CoA-NAK",
            _ => return None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "code {}", self.0),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Why octets are not a RADIUS packet. Such a packet is dropped in silence (RFC 2865 s3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    #[error("datagram of {got} octets is shorter than a header")]
    Short { got: usize },
    #[error("length field {length} is outside 20..=4096")]
    Length { length: usize },
    #[error("length field {length} is larger than the datagram of {got} octets")]
    Truncated { length: usize, got: usize },
    #[error("attribute at offset {offset} has type 0")]
    TypeZero { offset: usize },
    #[error("attribute at offset {offset} has an impossible length")]
    AttributeLength { offset: usize },
    #[error("more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes,
    #[error("Message-Authenticator of {length} octets instead of 16")]
    MessageAuthenticatorLength { length: usize },
    #[error("more than one Message-Authenticator")]
    TwoMessageAuthenticators,
}

/// The octets that count: a datagram without the padding after Length (RFC 2865 s3).
/// Errors: `Short`, `Length`, `Truncated`.
pub fn frame(datagram: &[u8]) -> Result<&[u8], DecodeError> {
    let got = datagram.len();
    let &[_, _, high, low, ..] = datagram else {
        return Err(DecodeError::Short { got });
    };
    if got < HEADER_OCTETS {
        return Err(DecodeError::Short { got });
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if !(HEADER_OCTETS..=PACKET_MAX_OCTETS).contains(&length) {
        return Err(DecodeError::Length { length });
    }
    datagram
        .get(..length)
        .ok_or(DecodeError::Truncated { length, got })
}

/// A well-formed packet, borrowed from the receive buffer. Nothing is copied.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    octets: &'a [u8],
    authenticator: &'a Authenticator,
    attributes: &'a [u8],
    message_authenticator: Option<MessageAuthenticator<'a>>,
    holds_eap: bool,
    holds_proxy_state: bool,
}

/// Where the Message-Authenticator stands and what it says.
#[derive(Clone, Copy)]
pub(super) struct MessageAuthenticator<'a> {
    /// Offset of the value, from the first octet of the packet.
    pub offset: usize,
    pub value: &'a Authenticator,
}

impl<'a> Packet<'a> {
    /// Checks lengths and walks every attribute once; octets after Length are ignored.
    /// Errors: any `DecodeError`; values of attributes are not judged here.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        Self::walk(frame(datagram)?)
    }

    /// The walk alone, for octets that came out of [`frame`].
    pub(super) fn walk(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let short = DecodeError::Short { got: octets.len() };
        let (_, rest) = octets.split_first_chunk::<4>().ok_or(short)?;
        let (authenticator, attributes) = rest.split_first_chunk::<16>().ok_or(short)?;
        let mut packet = Packet {
            octets,
            authenticator,
            attributes,
            message_authenticator: None,
            holds_eap: false,
            holds_proxy_state: false,
        };
        let mut rest = attributes;
        let mut offset = HEADER_OCTETS;
        let mut count = 0;
        while !rest.is_empty() {
            count += 1;
            if count > ATTRIBUTES_MAX {
                return Err(DecodeError::TooManyAttributes);
            }
            let &[kind, length, ..] = rest else {
                return Err(DecodeError::AttributeLength { offset });
            };
            if kind == 0 {
                return Err(DecodeError::TypeZero { offset });
            }
            let length = usize::from(length);
            let value = rest
                .get(2..length)
                .ok_or(DecodeError::AttributeLength { offset })?;
            match kind {
                number::MESSAGE_AUTHENTICATOR => {
                    let wrong = DecodeError::MessageAuthenticatorLength {
                        length: value.len(),
                    };
                    let value = value.try_into().map_err(|_| wrong)?;
                    let found = MessageAuthenticator {
                        offset: offset + 2,
                        value,
                    };
                    if packet.message_authenticator.replace(found).is_some() {
                        return Err(DecodeError::TwoMessageAuthenticators);
                    }
                }
                number::EAP_MESSAGE => packet.holds_eap = true,
                number::PROXY_STATE => packet.holds_proxy_state = true,
                _ => {}
            }
            rest = rest
                .get(length..)
                .ok_or(DecodeError::AttributeLength { offset })?;
            offset += length;
        }
        Ok(packet)
    }

    pub fn code(&self) -> Code {
        Code(self.octets.first().copied().unwrap_or_default())
    }

    pub fn identifier(&self) -> u8 {
        self.octets.get(1).copied().unwrap_or_default()
    }

    pub fn authenticator(&self) -> &'a Authenticator {
        self.authenticator
    }

    /// The packet as received, exactly Length octets.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Attributes in the order of the packet, as (type, value).
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes {
            rest: self.attributes,
        }
    }

    pub(super) fn message_authenticator(&self) -> Option<MessageAuthenticator<'a>> {
        self.message_authenticator
    }

    pub fn has_message_authenticator(&self) -> bool {
        self.message_authenticator.is_some()
    }

    pub fn holds_eap(&self) -> bool {
        self.holds_eap
    }

    pub fn holds_proxy_state(&self) -> bool {
        self.holds_proxy_state
    }

    /// Every value of one type, empty ones included.
    pub fn all(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.attributes()
            .filter(move |(found, _)| *found == kind)
            .map(|(_, value)| value)
    }

    /// The first value of one type; an empty value counts as absent (RFC 2865 s5).
    pub fn first(&self, kind: u8) -> Option<&'a [u8]> {
        self.all(kind).find(|value| !value.is_empty())
    }

    /// `None` when absent or not four octets (RFC 6929 s2.8: ignore just that attribute). Also for `date`.
    pub fn u32(&self, kind: u8) -> Option<u32> {
        Some(u32::from_be_bytes(self.first(kind)?.try_into().ok()?))
    }

    /// `None` when absent or not UTF-8.
    pub fn text(&self, kind: u8) -> Option<&'a str> {
        std::str::from_utf8(self.first(kind)?).ok()
    }

    pub fn ipv4(&self, kind: u8) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::from(<[u8; 4]>::try_from(self.first(kind)?).ok()?))
    }

    pub fn ipv6(&self, kind: u8) -> Option<Ipv6Addr> {
        Some(Ipv6Addr::from(
            <[u8; 16]>::try_from(self.first(kind)?).ok()?,
        ))
    }

    pub fn ipv6_prefix(&self, kind: u8) -> Option<Ipv6Prefix> {
        Ipv6Prefix::decode(self.first(kind)?)
    }

    /// Every sub-attribute of every Vendor-Specific; malformed ones are skipped whole.
    pub fn vendor_attributes(&self) -> VendorAttributes<'a> {
        VendorAttributes::new(self.attributes())
    }

    /// The first non-empty value of one vendor attribute.
    pub fn vendor(&self, vendor: u32, kind: u8) -> Option<&'a [u8]> {
        self.vendor_attributes()
            .find(|found| {
                found.vendor == vendor && found.kind == u32::from(kind) && !found.value.is_empty()
            })
            .map(|found| found.value)
    }
}

impl fmt::Debug for Packet<'_> {
    /// Header only: values may be passwords.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} id {} of {} octets",
            self.code(),
            self.identifier(),
            self.octets.len()
        )
    }
}

/// Iterator over (type, value). Ends early instead of failing, which a walked packet never lets happen.
#[derive(Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Over octets that were encoded by this program.
    pub(super) fn over(octets: &'a [u8]) -> Self {
        Attributes { rest: octets }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let &[kind, length, ..] = self.rest else {
            return None;
        };
        let length = usize::from(length);
        let value = self.rest.get(2..length)?;
        self.rest = self.rest.get(length..)?;
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header whose length field is right, and these attributes.
    fn octets(attributes: &[u8]) -> Vec<u8> {
        let mut octets = vec![1, 9];
        octets.extend_from_slice(
            &u16::try_from(HEADER_OCTETS + attributes.len())
                .unwrap()
                .to_be_bytes(),
        );
        octets.extend_from_slice(&[0; 16]);
        octets.extend_from_slice(attributes);
        octets
    }

    #[test]
    fn lengths_are_bounded_on_both_sides() {
        assert!(Packet::parse(&octets(&[])).is_ok());
        let full = octets(&[[25, 254].as_slice(), &[0; 252]].concat().repeat(16));
        assert_eq!(full.len(), HEADER_OCTETS + 16 * 254);
        assert!(Packet::parse(&full).is_ok());
        let mut largest = octets(&[25, 2].repeat(6));
        largest.resize(PACKET_MAX_OCTETS + 1, 0);
        largest[2..4].copy_from_slice(&4097u16.to_be_bytes());
        assert_eq!(frame(&largest), Err(DecodeError::Length { length: 4097 }));
        largest[2..4].copy_from_slice(&4096u16.to_be_bytes());
        assert_eq!(frame(&largest).unwrap().len(), 4096);
        largest[2..4].copy_from_slice(&19u16.to_be_bytes());
        assert_eq!(frame(&largest), Err(DecodeError::Length { length: 19 }));
        assert_eq!(frame(&[0; 19]), Err(DecodeError::Short { got: 19 }));
    }

    #[test]
    fn attributes_are_counted() {
        assert!(Packet::parse(&octets(&[25, 2].repeat(ATTRIBUTES_MAX))).is_ok());
        let error = Packet::parse(&octets(&[25, 2].repeat(ATTRIBUTES_MAX + 1))).unwrap_err();
        assert_eq!(error, DecodeError::TooManyAttributes);
    }

    #[test]
    fn broken_attributes_say_where() {
        let cases: [(&[u8], DecodeError); 6] = [
            (&[25, 3, 0, 25], DecodeError::AttributeLength { offset: 23 }),
            (&[25, 1], DecodeError::AttributeLength { offset: 20 }),
            (&[25, 4, 0], DecodeError::AttributeLength { offset: 20 }),
            (&[25, 2, 0, 2], DecodeError::TypeZero { offset: 22 }),
            (
                &[80, 3, 0],
                DecodeError::MessageAuthenticatorLength { length: 1 },
            ),
            (
                &[[80, 18].as_slice(), &[0; 16]].concat().repeat(2),
                DecodeError::TwoMessageAuthenticators,
            ),
        ];
        for (attributes, expected) in cases {
            assert_eq!(Packet::parse(&octets(attributes)).unwrap_err(), expected);
        }
    }

    #[test]
    fn typed_reads_ignore_wrong_sizes_and_empty_values() {
        let octets = octets(&[
            27, 2, 27, 6, 0, 0, 1, 0, 28, 3, 9, 1, 4, b'a', 0xFF, 8, 6, 192, 0, 2, 1,
        ]);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.u32(27), Some(256), "the empty one counts as absent");
        assert_eq!(packet.u32(28), None);
        assert_eq!(packet.text(1), None);
        assert_eq!(packet.first(1), Some(&[b'a', 0xFF][..]));
        assert_eq!(packet.ipv4(8), Some([192, 0, 2, 1].into()));
        assert_eq!((packet.ipv6(8), packet.ipv6_prefix(28)), (None, None));
        assert_eq!(format!("{packet:?}"), "Access-Request id 9 of 41 octets");
    }
}
