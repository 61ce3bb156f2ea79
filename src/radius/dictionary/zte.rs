//! ZTE (3902).

use super::{Definition, integer, text};
use crate::radius::number::zte::VENDOR;

pub(super) const ROWS: &[Definition] = &[
    integer(VENDOR, 81, "ZTE-QoS-Type"),
    text(VENDOR, 82, "ZTE-QoS-Profile-Down"),
    integer(VENDOR, 83, "ZTE-Rate-Ctrl-SCR-Down"),
    integer(VENDOR, 84, "ZTE-Rate-Ctrl-Burst-Down"),
    integer(VENDOR, 86, "ZTE-Rate-Ctrl-PCR"),
    integer(VENDOR, 89, "ZTE-Rate-Ctrl-SCR-Up"),
    integer(VENDOR, 91, "ZTE-Rate-Ctrl-Burst-Up"),
    integer(VENDOR, 92, "ZTE-Rate-Ctrl-Burst-Max-Down"),
    integer(VENDOR, 93, "ZTE-Rate-Ctrl-Burst-Max-Up"),
    text(VENDOR, 94, "ZTE-QOS-Profile-Up"),
    text(VENDOR, 151, "ZTE-Access-Domain"),
    text(VENDOR, 190, "ZTE-VPN-ID"),
    integer(VENDOR, 202, "ZTE-Rate-Ctrl-PBS-Down"),
    integer(VENDOR, 203, "ZTE-Rate-Ctrl-PBS-Up"),
    integer(VENDOR, 228, "ZTE-Rate-Ctrl-SCR-Up-v6"),
    integer(VENDOR, 233, "ZTE-Rate-Ctrl-SCR-Down-v6"),
];
