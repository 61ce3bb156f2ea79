//! Juniper (2636), and the numbers of Unisphere's ERX (4874) that MX routers speak.

use super::{Definition, integer, ipv4, ipv6, tagged_integer, tagged_text, text};
use crate::radius::number::juniper::VENDOR;

const JUNIPER: u32 = 2636;

pub(super) const ROWS: &[Definition] = &[
    text(JUNIPER, 1, "Juniper-Local-User-Name"),
    ipv4(JUNIPER, 31, "Juniper-Primary-Dns"),
    text(JUNIPER, 36, "Juniper-Ip-Pool-Name"),
    text(JUNIPER, 38, "Juniper-CoS-Traffic-Control-Profile"),
    text(JUNIPER, 44, "Juniper-Firewall-filter-name"),
    text(JUNIPER, 45, "Juniper-Policer-Parameter"),
    text(JUNIPER, 48, "Juniper-Switching-Filter"),
    text(JUNIPER, 52, "Juniper-AV-Pair"),
    text(VENDOR, 1, "ERX-Virtual-Router-Name"),
    text(VENDOR, 2, "ERX-Address-Pool-Name"),
    ipv4(VENDOR, 4, "ERX-Primary-Dns"),
    ipv4(VENDOR, 5, "ERX-Secondary-Dns"),
    text(VENDOR, 10, "ERX-Ingress-Policy-Name"),
    text(VENDOR, 11, "ERX-Egress-Policy-Name"),
    text(VENDOR, 26, "ERX-Qos-Profile-Name"),
    text(VENDOR, 31, "ERX-Service-Bundle"),
    ipv6(VENDOR, 47, "ERX-Ipv6-Primary-Dns"),
    ipv6(VENDOR, 48, "ERX-Ipv6-Secondary-Dns"),
    tagged_text(VENDOR, 65, "ERX-Service-Activate"),
    text(VENDOR, 66, "ERX-Service-Deactivate"),
    tagged_integer(VENDOR, 67, "ERX-Service-Volume"),
    tagged_integer(VENDOR, 68, "ERX-Service-Timeout"),
    tagged_integer(VENDOR, 69, "ERX-Service-Statistics"),
    text(VENDOR, 106, "ERX-IPv6-Ingress-Policy-Name"),
    text(VENDOR, 107, "ERX-IPv6-Egress-Policy-Name"),
    text(VENDOR, 108, "ERX-CoS-Shaping-Pmt-Type"),
    text(VENDOR, 110, "ERX-Acc-Loop-Cir-Id"),
    integer(VENDOR, 151, "ERX-IPv6-Acct-Input-Octets"),
    integer(VENDOR, 152, "ERX-IPv6-Acct-Output-Octets"),
    integer(VENDOR, 155, "ERX-IPv6-Acct-Input-Gigawords"),
    integer(VENDOR, 156, "ERX-IPv6-Acct-Output-Gigawords"),
    text(VENDOR, 157, "ERX-IPv6-NdRa-Pool-Name"),
    text(VENDOR, 161, "ERX-IPv6-Delegated-Pool-Name"),
    text(VENDOR, 177, "ERX-Cos-Shaping-Rate"),
    tagged_text(VENDOR, 180, "ERX-Update-Service"),
];
