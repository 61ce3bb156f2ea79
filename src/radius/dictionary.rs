//! Names of attributes and values, for people and for templates. The wire needs none of it.
//!
//! The tables are radius.md section 15 and vendors.md, one file for each vendor or kind of vendor. Invariant: a name belongs
//! to one attribute and an attribute has one name (a test holds it).

mod cisco;
mod common;
mod huawei;
mod juniper;
mod linux;
mod mikrotik;
mod nokia;
mod standard;
mod wireless;
mod zte;

use standard::VALUES;

const TABLES: &[&[Definition]] = &[
    standard::ROWS,
    mikrotik::ROWS,
    common::ROWS,
    cisco::ROWS,
    huawei::ROWS,
    juniper::ROWS,
    nokia::ROWS,
    zte::ROWS,
    linux::ROWS,
    wireless::ROWS,
];

/// In [`Definition::vendor`]: not a vendor attribute.
pub const STANDARD: u32 = 0;

/// Shape of a value (radius.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Octets,
    Integer,
    /// Eight octets.
    Integer64,
    /// Seconds since 1970, unsigned.
    Date,
    Ipv4,
    Ipv6,
    InterfaceId,
    Ipv6Prefix,
    TaggedInteger,
    TaggedText,
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub vendor: u32,
    pub number: u8,
    pub name: &'static str,
    pub kind: Kind,
    /// The value is a password, a key, or enough to guess one: never shown.
    pub secret: bool,
}

const fn shown(vendor: u32, number: u8, name: &'static str, kind: Kind) -> Definition {
    Definition {
        vendor,
        number,
        name,
        kind,
        secret: false,
    }
}

const fn hidden(shown: Definition) -> Definition {
    Definition {
        secret: true,
        ..shown
    }
}

const fn text(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Text)
}

const fn octets(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Octets)
}

const fn integer(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Integer)
}

const fn integer64(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Integer64)
}

const fn date(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Date)
}

const fn ipv4(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Ipv4)
}

const fn ipv6(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Ipv6)
}

const fn interface_id(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::InterfaceId)
}

const fn ipv6_prefix(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::Ipv6Prefix)
}

const fn tagged_integer(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::TaggedInteger)
}

const fn tagged_text(vendor: u32, number: u8, name: &'static str) -> Definition {
    shown(vendor, number, name, Kind::TaggedText)
}

/// The attribute with this name, whatever its case.
pub fn by_name(name: &str) -> Option<&'static Definition> {
    definitions().find(|definition| definition.name.eq_ignore_ascii_case(name))
}

/// The attribute with this number; `vendor` is [`STANDARD`] or a Vendor-Id.
pub fn by_number(vendor: u32, number: u32) -> Option<&'static Definition> {
    definitions()
        .find(|definition| definition.vendor == vendor && u32::from(definition.number) == number)
}

/// The name of an integer value of a standard attribute.
pub fn value_name(attribute: u8, value: u32) -> Option<&'static str> {
    VALUES
        .iter()
        .find(|(found, number, _)| *found == attribute && *number == value)
        .map(|(_, _, name)| *name)
}

/// The integer behind a value's name, whatever its case.
pub fn value_number(attribute: u8, name: &str) -> Option<u32> {
    VALUES
        .iter()
        .find(|(found, _, known)| *found == attribute && known.eq_ignore_ascii_case(name))
        .map(|(_, number, _)| *number)
}

fn definitions() -> impl Iterator<Item = &'static Definition> {
    TABLES.iter().flat_map(|rows| rows.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::number;

    #[test]
    fn names_and_numbers_are_unique() {
        let definitions: Vec<&Definition> = definitions().collect();
        assert!(definitions.len() > 300);
        for (index, one) in definitions.iter().enumerate() {
            for other in &definitions[index + 1..] {
                assert!(!one.name.eq_ignore_ascii_case(other.name), "{}", one.name);
                assert!(
                    (one.vendor, one.number) != (other.vendor, other.number),
                    "{}",
                    one.name
                );
            }
        }
        for (index, one) in VALUES.iter().enumerate() {
            for other in &VALUES[index + 1..] {
                assert!(
                    one.0 != other.0 || (one.1 != other.1 && !one.2.eq_ignore_ascii_case(other.2))
                );
            }
        }
    }

    #[test]
    fn lookups_work_both_ways() {
        let rate = by_name("mikrotik-rate-limit").unwrap();
        assert_eq!(
            (rate.vendor, rate.number, rate.kind),
            (14988, 8, Kind::Text)
        );
        assert_eq!(by_number(14988, 8), Some(rate));
        assert_eq!(by_number(STANDARD, 256 + 1), None);
        assert_eq!(by_number(9, 3), None);
        for (vendor, number, name, kind) in [
            (9, 1, "Cisco-AVPair", Kind::Text),
            (2011, 5, "Huawei-Output-Average-Rate", Kind::Integer),
            (4874, 65, "ERX-Service-Activate", Kind::TaggedText),
            (4874, 47, "ERX-Ipv6-Primary-Dns", Kind::Ipv6),
            (6527, 126, "Alc-Subscriber-QoS-Override", Kind::Text),
            (3902, 83, "ZTE-Rate-Ctrl-SCR-Down", Kind::Integer),
            (41112, 1, "UBNT-Data-Rate-DL", Kind::Integer64),
            (311, 28, "MS-Primary-DNS-Server", Kind::Ipv4),
        ] {
            let found = by_number(vendor, number).unwrap();
            assert_eq!((found.name, found.kind), (name, kind));
            assert_eq!(by_name(name), Some(found));
        }
        assert_eq!(
            value_name(number::ERROR_CAUSE, 503),
            Some("Session-Context-Not-Found")
        );
        assert_eq!(
            value_number(number::ACCT_STATUS_TYPE, "interim-update"),
            Some(3)
        );
        assert_eq!(value_number(number::SERVICE_TYPE, "Interim-Update"), None);
    }

    #[test]
    fn everything_a_password_could_be_guessed_from_is_secret() {
        for name in [
            "User-Password",
            "CHAP-Password",
            "Tunnel-Password",
            "MS-CHAP-Response",
            "MS-CHAP2-Response",
            "MS-CHAP-MPPE-Keys",
            "MS-MPPE-Send-Key",
            "MS-MPPE-Recv-Key",
            "Mikrotik-Wireless-PSK",
        ] {
            assert!(by_name(name).unwrap().secret, "{name}");
        }
        assert!(!by_name("User-Name").unwrap().secret);
    }
}
