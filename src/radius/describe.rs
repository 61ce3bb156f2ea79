//! Attributes as text: a packet printed line by line, and `Name = value` turned into an attribute.
//!
//! For people at a terminal and for reply templates; the hot path never comes here. Invariant: a secret value is
//! never printed, only its length.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::attribute::{AttributeBuffer, EncodeError, Ipv6Prefix, split_tag};
use super::dictionary::{self, Definition, Kind, STANDARD};
use super::number;
use super::packet::{Attributes, Packet};
use super::vendor::VendorAttributes;

/// Why a text is not a value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("no attribute is called {name}")]
    UnknownName { name: String },
    #[error("{value} is not a value of {name}")]
    Value { name: &'static str, value: String },
    #[error("{name} cannot be written as text")]
    Secret { name: &'static str },
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The packet as lines: header first, then one line per attribute or vendor sub-attribute.
pub fn describe(packet: &Packet<'_>) -> Vec<String> {
    let mut lines = vec![format!(
        "{} id {} length {}",
        packet.code(),
        packet.identifier(),
        packet.octets().len()
    )];
    push_lines(packet.attributes(), &mut lines);
    lines
}

/// Attributes that were written but not sent, one line each.
pub fn describe_attributes(attributes: &AttributeBuffer) -> Vec<String> {
    let mut lines = Vec::new();
    push_lines(attributes.iter(), &mut lines);
    lines
}

/// Standard attributes first, then those of vendors.
fn push_lines(attributes: Attributes<'_>, lines: &mut Vec<String>) {
    for (kind, value) in attributes.clone() {
        if kind != number::VENDOR_SPECIFIC {
            lines.push(describe_value(STANDARD, u32::from(kind), value));
        }
    }
    for part in VendorAttributes::new(attributes) {
        lines.push(describe_value(part.vendor, part.kind, part.value));
    }
}

/// One attribute as `Name = value`; unknown ones by number, in hex.
fn describe_value(vendor: u32, kind: u32, value: &[u8]) -> String {
    let Some(definition) = dictionary::by_number(vendor, kind) else {
        let name = if vendor == STANDARD {
            format!("Attr-{kind}")
        } else {
            format!("Vendor-{vendor}-Attr-{kind}")
        };
        return format!("{name} = {}", hex(value));
    };
    let name = definition.name;
    if definition.secret {
        return format!("{name} = ({} octets hidden)", value.len());
    }
    match readable(definition, value) {
        Some(text) => format!("{name} = {text}"),
        None => format!("{name} = {}", hex(value)),
    }
}

fn readable(definition: &Definition, value: &[u8]) -> Option<String> {
    let integer = |octets: &[u8]| {
        let value = u32::from_be_bytes(octets.try_into().ok()?);
        let name = (definition.vendor == STANDARD)
            .then(|| dictionary::value_name(definition.number, value));
        Some(
            name.flatten()
                .map_or_else(|| value.to_string(), str::to_owned),
        )
    };
    match definition.kind {
        Kind::Octets => None,
        Kind::Text => quoted(value),
        Kind::Integer | Kind::Date => integer(value),
        Kind::Integer64 => Some(u64::from_be_bytes(value.try_into().ok()?).to_string()),
        Kind::Ipv4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).to_string()),
        Kind::Ipv6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).to_string()),
        Kind::InterfaceId => Some(format!(
            "{:016x}",
            u64::from_be_bytes(value.try_into().ok()?)
        )),
        Kind::Ipv6Prefix => Some(Ipv6Prefix::decode(value)?.to_string()),
        Kind::TaggedInteger => {
            let &[tag, high, middle, low] = value else {
                return None;
            };
            Some(format!("{tag}:{}", integer(&[0, high, middle, low])?))
        }
        Kind::TaggedText => match split_tag(value) {
            (Some(tag), text) => Some(format!("{tag}:{}", quoted(text)?)),
            (None, text) => quoted(text),
        },
    }
}

/// Text in quotes with control characters escaped, so that a packet cannot move the terminal's cursor.
fn quoted(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value)
        .ok()
        .map(|text| format!("\"{}\"", text.escape_debug()))
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * octets.len());
    text.push_str("0x");
    for octet in octets {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// Writes `name` with a value spelled as people do: numbers or value names, addresses, `prefix/length`, text, `0x` and
/// hex for octets. `tag` is used by tagged attributes, 1 when `None`.
/// Errors: `UnknownName`, `Value`, `Secret` for attributes that are hidden on the wire, `Encode`.
pub fn push_named(
    buffer: &mut AttributeBuffer,
    name: &str,
    tag: Option<u8>,
    value: &str,
) -> Result<(), ValueError> {
    let definition = dictionary::by_name(name).ok_or_else(|| ValueError::UnknownName {
        name: name.to_owned(),
    })?;
    push_defined(buffer, definition, tag, value)
}

fn push_defined(
    buffer: &mut AttributeBuffer,
    definition: &Definition,
    tag: Option<u8>,
    value: &str,
) -> Result<(), ValueError> {
    let name = definition.name;
    if definition.secret && definition.kind == Kind::Octets {
        return Err(ValueError::Secret { name });
    }
    let wrong = || ValueError::Value {
        name,
        value: value.to_owned(),
    };
    let tag = tag.unwrap_or(1);
    let octets: Vec<u8> = match definition.kind {
        Kind::Text => value.as_bytes().to_vec(),
        Kind::Octets => match value.strip_prefix("0x") {
            Some(digits) => parse_hex(digits).ok_or_else(wrong)?,
            None => value.as_bytes().to_vec(),
        },
        Kind::Integer | Kind::Date => integer(definition, value)
            .ok_or_else(wrong)?
            .to_be_bytes()
            .to_vec(),
        Kind::Integer64 => value
            .parse::<u64>()
            .map_err(|_| wrong())?
            .to_be_bytes()
            .to_vec(),
        Kind::Ipv4 => value
            .parse::<Ipv4Addr>()
            .map_err(|_| wrong())?
            .octets()
            .to_vec(),
        Kind::Ipv6 => value
            .parse::<Ipv6Addr>()
            .map_err(|_| wrong())?
            .octets()
            .to_vec(),
        Kind::InterfaceId => u64::from_str_radix(value, 16)
            .map_err(|_| wrong())?
            .to_be_bytes()
            .to_vec(),
        Kind::Ipv6Prefix => {
            let (address, length) = value.split_once('/').ok_or_else(wrong)?;
            let address = address.parse().map_err(|_| wrong())?;
            let prefix = Ipv6Prefix::new(address, length.parse().map_err(|_| wrong())?)?;
            return Ok(buffer.push_ipv6_prefix(definition.number, prefix)?);
        }
        Kind::TaggedInteger => {
            let value = integer(definition, value).ok_or_else(wrong)?;
            match definition.vendor {
                STANDARD => buffer.push_tagged_u32(definition.number, tag, value)?,
                vendor => buffer.push_vendor_tagged_u32(vendor, definition.number, tag, value)?,
            }
            return Ok(());
        }
        Kind::TaggedText => {
            match definition.vendor {
                STANDARD => buffer.push_tagged_text(definition.number, tag, value)?,
                vendor => buffer.push_vendor_tagged_text(vendor, definition.number, tag, value)?,
            }
            return Ok(());
        }
    };
    if definition.vendor == STANDARD {
        buffer.push_octets(definition.number, &octets)?;
    } else {
        buffer.push_vendor(definition.vendor, definition.number, &octets)?;
    }
    Ok(())
}

fn integer(definition: &Definition, value: &str) -> Option<u32> {
    let named =
        (definition.vendor == STANDARD).then(|| dictionary::value_number(definition.number, value));
    named.flatten().or_else(|| value.parse().ok())
}

fn parse_hex(digits: &str) -> Option<Vec<u8>> {
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect::<Option<_>>()?;
    let (pairs, []) = nibbles.as_chunks::<2>() else {
        return None;
    };
    Some(pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}

#[cfg(test)]
mod tests {
    use super::super::draft::Draft;
    use super::super::packet::Code;
    use super::*;

    fn lines(buffer: &AttributeBuffer) -> Vec<String> {
        let mut octets = Vec::new();
        let draft = Draft {
            code: Code::ACCESS_REQUEST,
            identifier: 7,
            authenticator: &[0; 16],
            message_authenticator: false,
            attributes: buffer.octets(),
            proxy_states: &[],
        };
        draft.write(&mut octets).unwrap();
        describe(&Packet::parse(&octets).unwrap()).split_off(1)
    }

    #[test]
    fn what_is_written_by_name_reads_back() {
        let cases = [
            ("User-Name", "nemo", "User-Name = \"nemo\""),
            ("service-type", "Framed-User", "Service-Type = Framed-User"),
            ("Service-Type", "99", "Service-Type = 99"),
            (
                "Framed-IP-Address",
                "192.0.2.1",
                "Framed-IP-Address = 192.0.2.1",
            ),
            (
                "Delegated-IPv6-Prefix",
                "2001:db8::/56",
                "Delegated-IPv6-Prefix = 2001:db8::/56",
            ),
            (
                "Framed-IPv6-Address",
                "2001:db8::5",
                "Framed-IPv6-Address = 2001:db8::5",
            ),
            (
                "Framed-Interface-Id",
                "1",
                "Framed-Interface-Id = 0000000000000001",
            ),
            ("Class", "0x00ff", "Class = 0x00ff"),
            ("Tunnel-Type", "3", "Tunnel-Type = 1:3"),
            (
                "Tunnel-Private-Group-Id",
                "100",
                "Tunnel-Private-Group-Id = 1:\"100\"",
            ),
            (
                "ERX-Service-Activate",
                "internet(5m)",
                "ERX-Service-Activate = 1:\"internet(5m)\"",
            ),
            ("ERX-Service-Timeout", "60", "ERX-Service-Timeout = 1:60"),
            (
                "UBNT-Data-Rate-UL",
                "5000000000",
                "UBNT-Data-Rate-UL = 5000000000",
            ),
            (
                "Mikrotik-Rate-Limit",
                "1M/2M",
                "Mikrotik-Rate-Limit = \"1M/2M\"",
            ),
            (
                "WISPr-Bandwidth-Max-Up",
                "1000000",
                "WISPr-Bandwidth-Max-Up = 1000000",
            ),
        ];
        for (name, value, expected) in cases {
            let mut buffer = AttributeBuffer::new();
            push_named(&mut buffer, name, None, value).unwrap();
            assert_eq!(lines(&buffer), [expected]);
        }
    }

    #[test]
    fn wrong_values_name_the_attribute() {
        let mut buffer = AttributeBuffer::new();
        for (name, value) in [
            ("Framed-IP-Address", "192.0.2"),
            ("Service-Type", "Start"),
            ("Class", "0xabc"),
            ("Class", "0xzz"),
            ("Framed-IPv6-Prefix", "2001:db8::"),
            ("Framed-IPv6-Prefix", "2001:db8::/129"),
            ("Session-Timeout", "4294967296"),
            ("User-Password", "secret"),
            ("No-Such-Name", "1"),
            ("Filter-Id", ""),
        ] {
            assert!(
                push_named(&mut buffer, name, None, value).is_err(),
                "{name} = {value}"
            );
        }
        assert!(buffer.is_empty());
    }

    #[test]
    fn secrets_and_control_characters_stay_out() {
        let mut buffer = AttributeBuffer::new();
        buffer
            .push_octets(number::USER_PASSWORD, b"0123456789abcdef")
            .unwrap();
        buffer
            .push_vendor(
                number::microsoft::VENDOR,
                number::microsoft::MPPE_SEND_KEY,
                &[7; 34],
            )
            .unwrap();
        buffer.push_text(number::REPLY_MESSAGE, "a\x1b[2J").unwrap();
        buffer.push_octets(254, &[0xAB]).unwrap();
        buffer.push_vendor(99_999, 1, b"x").unwrap();
        assert_eq!(
            lines(&buffer),
            [
                "User-Password = (16 octets hidden)",
                "Reply-Message = \"a\\u{1b}[2J\"",
                "Attr-254 = 0xab",
                "MS-MPPE-Send-Key = (34 octets hidden)",
                "Vendor-99999-Attr-1 = 0x78",
            ]
        );
    }
}
