//! Names of attributes and values, for people and for templates. The wire needs none of it.
//!
//! The table is radius.md section 15 and the MikroTik, Microsoft and WISPr tables of vendors.md. Invariant: a name
//! belongs to one attribute and an attribute has one name (a test holds it).

use super::number::{self, microsoft, mikrotik, wispr};

/// In [`Definition::vendor`]: not a vendor attribute.
pub const STANDARD: u32 = 0;
const ASCEND: u32 = 529;
const ADSL_FORUM: u32 = 3561;

/// Shape of a value (radius.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Octets,
    Integer,
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

const fn hidden(vendor: u32, number: u8, name: &'static str, kind: Kind) -> Definition {
    Definition {
        vendor,
        number,
        name,
        kind,
        secret: true,
    }
}

/// The attribute with this name, whatever its case.
pub fn by_name(name: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .find(|definition| definition.name.eq_ignore_ascii_case(name))
}

/// The attribute with this number; `vendor` is [`STANDARD`] or a Vendor-Id.
pub fn by_number(vendor: u32, number: u32) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
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

/// Every attribute with a name.
pub fn definitions() -> &'static [Definition] {
    DEFINITIONS
}

const DEFINITIONS: &[Definition] = &[
    shown(STANDARD, 1, "User-Name", Kind::Text),
    hidden(STANDARD, 2, "User-Password", Kind::Octets),
    hidden(STANDARD, 3, "CHAP-Password", Kind::Octets),
    shown(STANDARD, 4, "NAS-IP-Address", Kind::Ipv4),
    shown(STANDARD, 5, "NAS-Port", Kind::Integer),
    shown(STANDARD, 6, "Service-Type", Kind::Integer),
    shown(STANDARD, 7, "Framed-Protocol", Kind::Integer),
    shown(STANDARD, 8, "Framed-IP-Address", Kind::Ipv4),
    shown(STANDARD, 9, "Framed-IP-Netmask", Kind::Ipv4),
    shown(STANDARD, 11, "Filter-Id", Kind::Text),
    shown(STANDARD, 12, "Framed-MTU", Kind::Integer),
    shown(STANDARD, 13, "Framed-Compression", Kind::Integer),
    shown(STANDARD, 18, "Reply-Message", Kind::Text),
    shown(STANDARD, 22, "Framed-Route", Kind::Text),
    shown(STANDARD, 24, "State", Kind::Octets),
    shown(STANDARD, 25, "Class", Kind::Octets),
    shown(STANDARD, 27, "Session-Timeout", Kind::Integer),
    shown(STANDARD, 28, "Idle-Timeout", Kind::Integer),
    shown(STANDARD, 29, "Termination-Action", Kind::Integer),
    shown(STANDARD, 30, "Called-Station-Id", Kind::Text),
    shown(STANDARD, 31, "Calling-Station-Id", Kind::Text),
    shown(STANDARD, 32, "NAS-Identifier", Kind::Text),
    shown(STANDARD, 33, "Proxy-State", Kind::Octets),
    shown(STANDARD, 40, "Acct-Status-Type", Kind::Integer),
    shown(STANDARD, 41, "Acct-Delay-Time", Kind::Integer),
    shown(STANDARD, 42, "Acct-Input-Octets", Kind::Integer),
    shown(STANDARD, 43, "Acct-Output-Octets", Kind::Integer),
    shown(STANDARD, 44, "Acct-Session-Id", Kind::Text),
    shown(STANDARD, 45, "Acct-Authentic", Kind::Integer),
    shown(STANDARD, 46, "Acct-Session-Time", Kind::Integer),
    shown(STANDARD, 47, "Acct-Input-Packets", Kind::Integer),
    shown(STANDARD, 48, "Acct-Output-Packets", Kind::Integer),
    shown(STANDARD, 49, "Acct-Terminate-Cause", Kind::Integer),
    shown(STANDARD, 50, "Acct-Multi-Session-Id", Kind::Text),
    shown(STANDARD, 51, "Acct-Link-Count", Kind::Integer),
    shown(STANDARD, 52, "Acct-Input-Gigawords", Kind::Integer),
    shown(STANDARD, 53, "Acct-Output-Gigawords", Kind::Integer),
    shown(STANDARD, 55, "Event-Timestamp", Kind::Date),
    shown(STANDARD, 60, "CHAP-Challenge", Kind::Octets),
    shown(STANDARD, 61, "NAS-Port-Type", Kind::Integer),
    shown(STANDARD, 62, "Port-Limit", Kind::Integer),
    shown(STANDARD, 64, "Tunnel-Type", Kind::TaggedInteger),
    shown(STANDARD, 65, "Tunnel-Medium-Type", Kind::TaggedInteger),
    shown(STANDARD, 66, "Tunnel-Client-Endpoint", Kind::TaggedText),
    shown(STANDARD, 67, "Tunnel-Server-Endpoint", Kind::TaggedText),
    hidden(STANDARD, 69, "Tunnel-Password", Kind::Octets),
    shown(STANDARD, 77, "Connect-Info", Kind::Text),
    shown(STANDARD, 79, "EAP-Message", Kind::Octets),
    shown(STANDARD, 80, "Message-Authenticator", Kind::Octets),
    shown(STANDARD, 81, "Tunnel-Private-Group-Id", Kind::TaggedText),
    shown(STANDARD, 82, "Tunnel-Assignment-Id", Kind::TaggedText),
    shown(STANDARD, 83, "Tunnel-Preference", Kind::TaggedInteger),
    shown(STANDARD, 85, "Acct-Interim-Interval", Kind::Integer),
    shown(STANDARD, 87, "NAS-Port-Id", Kind::Text),
    shown(STANDARD, 88, "Framed-Pool", Kind::Text),
    shown(STANDARD, 89, "Chargeable-User-Identity", Kind::Octets),
    shown(STANDARD, 90, "Tunnel-Client-Auth-Id", Kind::TaggedText),
    shown(STANDARD, 91, "Tunnel-Server-Auth-Id", Kind::TaggedText),
    shown(STANDARD, 92, "NAS-Filter-Rule", Kind::Text),
    shown(STANDARD, 95, "NAS-IPv6-Address", Kind::Ipv6),
    shown(STANDARD, 96, "Framed-Interface-Id", Kind::InterfaceId),
    shown(STANDARD, 97, "Framed-IPv6-Prefix", Kind::Ipv6Prefix),
    shown(STANDARD, 99, "Framed-IPv6-Route", Kind::Text),
    shown(STANDARD, 100, "Framed-IPv6-Pool", Kind::Text),
    shown(STANDARD, 101, "Error-Cause", Kind::Integer),
    shown(STANDARD, 123, "Delegated-IPv6-Prefix", Kind::Ipv6Prefix),
    shown(STANDARD, 126, "Operator-Name", Kind::Text),
    shown(STANDARD, 168, "Framed-IPv6-Address", Kind::Ipv6),
    shown(STANDARD, 169, "DNS-Server-IPv6-Address", Kind::Ipv6),
    shown(STANDARD, 170, "Route-IPv6-Information", Kind::Ipv6Prefix),
    shown(STANDARD, 171, "Delegated-IPv6-Prefix-Pool", Kind::Text),
    shown(STANDARD, 172, "Stateful-IPv6-Address-Pool", Kind::Text),
    shown(mikrotik::VENDOR, 1, "Mikrotik-Recv-Limit", Kind::Integer),
    shown(mikrotik::VENDOR, 2, "Mikrotik-Xmit-Limit", Kind::Integer),
    shown(mikrotik::VENDOR, 3, "Mikrotik-Group", Kind::Text),
    shown(
        mikrotik::VENDOR,
        4,
        "Mikrotik-Wireless-Forward",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        5,
        "Mikrotik-Wireless-Skip-Dot1x",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        6,
        "Mikrotik-Wireless-Enc-Algo",
        Kind::Integer,
    ),
    hidden(mikrotik::VENDOR, 7, "Mikrotik-Wireless-Enc-Key", Kind::Text),
    shown(mikrotik::VENDOR, 8, "Mikrotik-Rate-Limit", Kind::Text),
    shown(mikrotik::VENDOR, 9, "Mikrotik-Realm", Kind::Text),
    shown(mikrotik::VENDOR, 10, "Mikrotik-Host-IP", Kind::Ipv4),
    shown(mikrotik::VENDOR, 11, "Mikrotik-Mark-Id", Kind::Text),
    shown(mikrotik::VENDOR, 12, "Mikrotik-Advertise-URL", Kind::Text),
    shown(
        mikrotik::VENDOR,
        13,
        "Mikrotik-Advertise-Interval",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        14,
        "Mikrotik-Recv-Limit-Gigawords",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        15,
        "Mikrotik-Xmit-Limit-Gigawords",
        Kind::Integer,
    ),
    hidden(mikrotik::VENDOR, 16, "Mikrotik-Wireless-PSK", Kind::Text),
    shown(mikrotik::VENDOR, 17, "Mikrotik-Total-Limit", Kind::Integer),
    shown(
        mikrotik::VENDOR,
        18,
        "Mikrotik-Total-Limit-Gigawords",
        Kind::Integer,
    ),
    shown(mikrotik::VENDOR, 19, "Mikrotik-Address-List", Kind::Text),
    hidden(mikrotik::VENDOR, 20, "Mikrotik-Wireless-MPKey", Kind::Text),
    shown(
        mikrotik::VENDOR,
        21,
        "Mikrotik-Wireless-Comment",
        Kind::Text,
    ),
    shown(
        mikrotik::VENDOR,
        22,
        "Mikrotik-Delegated-IPv6-Pool",
        Kind::Text,
    ),
    shown(mikrotik::VENDOR, 23, "Mikrotik-DHCP-Option-Set", Kind::Text),
    shown(
        mikrotik::VENDOR,
        24,
        "Mikrotik-DHCP-Option-Param-STR1",
        Kind::Text,
    ),
    shown(
        mikrotik::VENDOR,
        25,
        "Mikrotik-DHCP-Option-Param-STR2",
        Kind::Text,
    ),
    shown(
        mikrotik::VENDOR,
        26,
        "Mikrotik-Wireless-VLANID",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        27,
        "Mikrotik-Wireless-VLANIDtype",
        Kind::Integer,
    ),
    shown(
        mikrotik::VENDOR,
        28,
        "Mikrotik-Wireless-Minsignal",
        Kind::Text,
    ),
    shown(
        mikrotik::VENDOR,
        29,
        "Mikrotik-Wireless-Maxsignal",
        Kind::Text,
    ),
    shown(
        mikrotik::VENDOR,
        30,
        "Mikrotik-Switching-Filter",
        Kind::Text,
    ),
    hidden(microsoft::VENDOR, 1, "MS-CHAP-Response", Kind::Octets),
    shown(microsoft::VENDOR, 2, "MS-CHAP-Error", Kind::Text),
    shown(
        microsoft::VENDOR,
        7,
        "MS-MPPE-Encryption-Policy",
        Kind::Integer,
    ),
    shown(
        microsoft::VENDOR,
        8,
        "MS-MPPE-Encryption-Types",
        Kind::Integer,
    ),
    shown(microsoft::VENDOR, 10, "MS-CHAP-Domain", Kind::Text),
    shown(microsoft::VENDOR, 11, "MS-CHAP-Challenge", Kind::Octets),
    hidden(microsoft::VENDOR, 12, "MS-CHAP-MPPE-Keys", Kind::Octets),
    hidden(microsoft::VENDOR, 16, "MS-MPPE-Send-Key", Kind::Octets),
    hidden(microsoft::VENDOR, 17, "MS-MPPE-Recv-Key", Kind::Octets),
    shown(microsoft::VENDOR, 23, "MS-Acct-Auth-Type", Kind::Integer),
    hidden(microsoft::VENDOR, 25, "MS-CHAP2-Response", Kind::Octets),
    shown(microsoft::VENDOR, 26, "MS-CHAP2-Success", Kind::Octets),
    shown(microsoft::VENDOR, 28, "MS-Primary-DNS-Server", Kind::Ipv4),
    shown(microsoft::VENDOR, 29, "MS-Secondary-DNS-Server", Kind::Ipv4),
    shown(microsoft::VENDOR, 30, "MS-Primary-NBNS-Server", Kind::Ipv4),
    shown(
        microsoft::VENDOR,
        31,
        "MS-Secondary-NBNS-Server",
        Kind::Ipv4,
    ),
    shown(wispr::VENDOR, 1, "WISPr-Location-ID", Kind::Text),
    shown(wispr::VENDOR, 2, "WISPr-Location-Name", Kind::Text),
    shown(wispr::VENDOR, 3, "WISPr-Logoff-URL", Kind::Text),
    shown(wispr::VENDOR, 4, "WISPr-Redirection-URL", Kind::Text),
    shown(wispr::VENDOR, 5, "WISPr-Bandwidth-Min-Up", Kind::Integer),
    shown(wispr::VENDOR, 6, "WISPr-Bandwidth-Min-Down", Kind::Integer),
    shown(wispr::VENDOR, 7, "WISPr-Bandwidth-Max-Up", Kind::Integer),
    shown(wispr::VENDOR, 8, "WISPr-Bandwidth-Max-Down", Kind::Integer),
    shown(wispr::VENDOR, 9, "WISPr-Session-Terminate-Time", Kind::Text),
    shown(
        wispr::VENDOR,
        10,
        "WISPr-Session-Terminate-End-Of-Day",
        Kind::Text,
    ),
    shown(
        wispr::VENDOR,
        11,
        "WISPr-Billing-Class-Of-Service",
        Kind::Text,
    ),
    shown(ADSL_FORUM, 1, "ADSL-Agent-Circuit-Id", Kind::Text),
    shown(ADSL_FORUM, 2, "ADSL-Agent-Remote-Id", Kind::Text),
    shown(ADSL_FORUM, 129, "Actual-Data-Rate-Upstream", Kind::Integer),
    shown(
        ADSL_FORUM,
        130,
        "Actual-Data-Rate-Downstream",
        Kind::Integer,
    ),
    shown(ASCEND, 132, "Ascend-Client-Gateway", Kind::Ipv4),
    shown(ASCEND, 197, "Ascend-Data-Rate", Kind::Integer),
    shown(ASCEND, 255, "Ascend-Xmit-Rate", Kind::Integer),
];

/// Names of integer values: (attribute, value, name).
const VALUES: &[(u8, u32, &str)] = &[
    (number::SERVICE_TYPE, 1, "Login-User"),
    (number::SERVICE_TYPE, 2, "Framed-User"),
    (number::SERVICE_TYPE, 5, "Outbound-User"),
    (number::SERVICE_TYPE, 6, "Administrative-User"),
    (number::SERVICE_TYPE, 8, "Authenticate-Only"),
    (number::SERVICE_TYPE, 10, "Call-Check"),
    (number::SERVICE_TYPE, 17, "Authorize-Only"),
    (number::FRAMED_PROTOCOL, 1, "PPP"),
    (number::ACCT_STATUS_TYPE, 1, "Start"),
    (number::ACCT_STATUS_TYPE, 2, "Stop"),
    (number::ACCT_STATUS_TYPE, 3, "Interim-Update"),
    (number::ACCT_STATUS_TYPE, 7, "Accounting-On"),
    (number::ACCT_STATUS_TYPE, 8, "Accounting-Off"),
    (number::ACCT_STATUS_TYPE, 15, "Failed"),
    (number::ACCT_AUTHENTIC, 1, "RADIUS"),
    (number::ACCT_AUTHENTIC, 2, "Local"),
    (number::ACCT_AUTHENTIC, 3, "Remote"),
    (number::ACCT_TERMINATE_CAUSE, 1, "User-Request"),
    (number::ACCT_TERMINATE_CAUSE, 2, "Lost-Carrier"),
    (number::ACCT_TERMINATE_CAUSE, 3, "Lost-Service"),
    (number::ACCT_TERMINATE_CAUSE, 4, "Idle-Timeout"),
    (number::ACCT_TERMINATE_CAUSE, 5, "Session-Timeout"),
    (number::ACCT_TERMINATE_CAUSE, 6, "Admin-Reset"),
    (number::ACCT_TERMINATE_CAUSE, 7, "Admin-Reboot"),
    (number::ACCT_TERMINATE_CAUSE, 8, "Port-Error"),
    (number::ACCT_TERMINATE_CAUSE, 9, "NAS-Error"),
    (number::ACCT_TERMINATE_CAUSE, 10, "NAS-Request"),
    (number::ACCT_TERMINATE_CAUSE, 11, "NAS-Reboot"),
    (number::ACCT_TERMINATE_CAUSE, 12, "Port-Unneeded"),
    (number::ACCT_TERMINATE_CAUSE, 13, "Port-Preempted"),
    (number::ACCT_TERMINATE_CAUSE, 14, "Port-Suspended"),
    (number::ACCT_TERMINATE_CAUSE, 15, "Service-Unavailable"),
    (number::ACCT_TERMINATE_CAUSE, 16, "Callback"),
    (number::ACCT_TERMINATE_CAUSE, 17, "User-Error"),
    (number::ACCT_TERMINATE_CAUSE, 18, "Host-Request"),
    (number::NAS_PORT_TYPE, 0, "Async"),
    (number::NAS_PORT_TYPE, 5, "Virtual"),
    (number::NAS_PORT_TYPE, 15, "Ethernet"),
    (number::NAS_PORT_TYPE, 16, "xDSL"),
    (number::NAS_PORT_TYPE, 17, "Cable"),
    (number::NAS_PORT_TYPE, 18, "Wireless-Other"),
    (number::NAS_PORT_TYPE, 19, "Wireless-802.11"),
    (number::NAS_PORT_TYPE, 30, "PPPoA"),
    (number::NAS_PORT_TYPE, 31, "PPPoEoA"),
    (number::NAS_PORT_TYPE, 32, "PPPoEoE"),
    (number::NAS_PORT_TYPE, 33, "PPPoEoVLAN"),
    (number::NAS_PORT_TYPE, 34, "PPPoEoQinQ"),
    (number::ERROR_CAUSE, 201, "Residual-Context-Removed"),
    (number::ERROR_CAUSE, 202, "Invalid-EAP-Packet"),
    (number::ERROR_CAUSE, 401, "Unsupported-Attribute"),
    (number::ERROR_CAUSE, 402, "Missing-Attribute"),
    (number::ERROR_CAUSE, 403, "NAS-Identification-Mismatch"),
    (number::ERROR_CAUSE, 404, "Invalid-Request"),
    (number::ERROR_CAUSE, 405, "Unsupported-Service"),
    (number::ERROR_CAUSE, 406, "Unsupported-Extension"),
    (number::ERROR_CAUSE, 407, "Invalid-Attribute-Value"),
    (number::ERROR_CAUSE, 501, "Administratively-Prohibited"),
    (number::ERROR_CAUSE, 502, "Proxy-Request-Not-Routable"),
    (number::ERROR_CAUSE, 503, "Session-Context-Not-Found"),
    (number::ERROR_CAUSE, 504, "Session-Context-Not-Removable"),
    (number::ERROR_CAUSE, 505, "Proxy-Processing-Error"),
    (number::ERROR_CAUSE, 506, "Resources-Unavailable"),
    (number::ERROR_CAUSE, 507, "Request-Initiated"),
    (
        number::ERROR_CAUSE,
        508,
        "Multiple-Session-Selection-Unsupported",
    ),
    (number::ERROR_CAUSE, 509, "Location-Info-Required"),
    (number::ERROR_CAUSE, 510, "Missing-Message-Authenticator"),
    (number::ERROR_CAUSE, 601, "Response-Too-Big"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        for (index, one) in DEFINITIONS.iter().enumerate() {
            for other in &DEFINITIONS[index + 1..] {
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
        assert_eq!(by_number(9, 1), None);
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
