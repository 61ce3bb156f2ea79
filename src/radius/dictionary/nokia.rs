//! Nokia SR OS (6527).

use super::{Definition, integer, ipv4, ipv6, octets, tagged_text, text};
use crate::radius::number::nokia::VENDOR;

pub(super) const ROWS: &[Definition] = &[
    ipv4(VENDOR, 9, "Alc-Primary-Dns"),
    ipv4(VENDOR, 10, "Alc-Secondary-Dns"),
    text(VENDOR, 11, "Alc-Subsc-ID-Str"),
    text(VENDOR, 12, "Alc-Subsc-Prof-Str"),
    text(VENDOR, 13, "Alc-SLA-Prof-Str"),
    text(VENDOR, 14, "Alc-Force-Renew"),
    ipv4(VENDOR, 18, "Alc-Default-Router"),
    octets(VENDOR, 19, "Alc-Acct-I-Inprof-Octets-64"),
    octets(VENDOR, 21, "Alc-Acct-O-Inprof-Octets-64"),
    text(VENDOR, 27, "Alc-Client-Hardware-Addr"),
    integer(VENDOR, 31, "Alc-MSAP-Serv-Id"),
    text(VENDOR, 32, "Alc-MSAP-Policy"),
    text(VENDOR, 33, "Alc-MSAP-Interface"),
    text(VENDOR, 35, "Alc-PPPoE-Service-Name"),
    text(VENDOR, 45, "Alc-App-Prof-Str"),
    ipv6(VENDOR, 99, "Alc-Ipv6-Address"),
    integer(VENDOR, 100, "Alc-Serv-Id"),
    text(VENDOR, 101, "Alc-Interface"),
    ipv6(VENDOR, 105, "Alc-Ipv6-Primary-Dns"),
    ipv6(VENDOR, 106, "Alc-Ipv6-Secondary-Dns"),
    text(VENDOR, 126, "Alc-Subscriber-QoS-Override"),
    text(VENDOR, 131, "Alc-Delegated-IPv6-Pool"),
    integer(VENDOR, 132, "Alc-Access-Loop-Rate-Down"),
    text(VENDOR, 134, "Alc-Subscriber-Filter"),
    tagged_text(VENDOR, 151, "Alc-Sub-Serv-Activate"),
    tagged_text(VENDOR, 152, "Alc-Sub-Serv-Deactivate"),
    integer(VENDOR, 160, "Alc-Relative-Session-Timeout"),
    text(VENDOR, 177, "Alc-Portal-Url"),
    text(VENDOR, 181, "Alc-SLAAC-IPv6-Pool"),
];
