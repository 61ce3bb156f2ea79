//! Cisco (9).

use super::{Definition, text};
use crate::radius::number::cisco::VENDOR;

pub(super) const ROWS: &[Definition] = &[
    text(VENDOR, 1, "Cisco-AVPair"),
    text(VENDOR, 2, "Cisco-NAS-Port"),
    text(VENDOR, 37, "Cisco-Policy-Up"),
    text(VENDOR, 38, "Cisco-Policy-Down"),
    text(VENDOR, 51, "Cisco-Service-Name"),
    text(VENDOR, 52, "Cisco-Parent-Session-Id"),
    text(VENDOR, 55, "Cisco-Sub-QoS-Pol-In"),
    text(VENDOR, 56, "Cisco-Sub-QoS-Pol-Out"),
    text(VENDOR, 57, "Cisco-In-ACL"),
    text(VENDOR, 58, "Cisco-Out-ACL"),
    text(VENDOR, 60, "Cisco-Sub-Activate-Service"),
    text(VENDOR, 61, "Cisco-IPv6-In-ACL"),
    text(VENDOR, 62, "Cisco-IPv6-Out-ACL"),
    text(VENDOR, 63, "Cisco-Sub-Deactivate-Service"),
    text(VENDOR, 250, "Cisco-Account-Info"),
    text(VENDOR, 251, "Cisco-Service-Info"),
    text(VENDOR, 252, "Cisco-Command-Code"),
    text(VENDOR, 253, "Cisco-Control-Info"),
];
