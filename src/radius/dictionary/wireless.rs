//! Radio links and Wi-Fi: Ubiquiti (41112), Cambium (17713, and 161 for Canopy), Ruckus (25053).

use super::{Definition, hidden, integer, integer64, octets, text};

const UBIQUITI: u32 = 41112;
const MOTOROLA: u32 = 161;
const CAMBIUM: u32 = 17713;
const RUCKUS: u32 = 25053;

pub(super) const ROWS: &[Definition] = &[
    integer64(UBIQUITI, 1, "UBNT-Data-Rate-DL"),
    integer64(UBIQUITI, 2, "UBNT-Data-Rate-DL-Burst"),
    integer64(UBIQUITI, 3, "UBNT-Data-Rate-UL"),
    integer64(UBIQUITI, 4, "UBNT-Data-Rate-UL-Burst"),
    hidden(octets(UBIQUITI, 5, "UBNT-Tunnel-Password-Entry")),
    hidden(octets(UBIQUITI, 6, "UBNT-Station-Keyid")),
    integer(MOTOROLA, 1, "Motorola-Canopy-LPULCIR"),
    integer(MOTOROLA, 2, "Motorola-Canopy-LPDLCIR"),
    integer(MOTOROLA, 3, "Motorola-Canopy-HPULCIR"),
    integer(MOTOROLA, 4, "Motorola-Canopy-HPDLCIR"),
    integer(MOTOROLA, 5, "Motorola-Canopy-HPENABLE"),
    integer(MOTOROLA, 6, "Motorola-Canopy-ULBR"),
    integer(MOTOROLA, 7, "Motorola-Canopy-ULBL"),
    integer(MOTOROLA, 8, "Motorola-Canopy-DLBR"),
    integer(MOTOROLA, 9, "Motorola-Canopy-DLBL"),
    integer(MOTOROLA, 21, "Motorola-Canopy-VLIGVID"),
    integer(MOTOROLA, 22, "Motorola-Canopy-VLMGVID"),
    integer(MOTOROLA, 50, "Motorola-Canopy-UserLevel"),
    integer(CAMBIUM, 21, "Cambium-ePMP-Data-VLAN-Id"),
    integer(CAMBIUM, 22, "Cambium-ePMP-Management-VLAN-Id"),
    integer(CAMBIUM, 26, "Cambium-ePMP-Max-Burst-Uplink-Rate"),
    integer(CAMBIUM, 27, "Cambium-ePMP-Max-Burst-Downlink-Rate"),
    integer(CAMBIUM, 50, "Cambium-ePMP-UserLevel"),
    integer(CAMBIUM, 51, "Cambium-ePMP-SM-Priority"),
    integer(CAMBIUM, 151, "Cambium-Traffic-Quota-Limit-Up"),
    integer(CAMBIUM, 152, "Cambium-Traffic-Quota-Limit-Down"),
    integer(CAMBIUM, 153, "Cambium-Traffic-Quota-Limit-Up-Gigwords"),
    integer(CAMBIUM, 154, "Cambium-Traffic-Quota-Limit-Down-Gigwords"),
    integer(CAMBIUM, 155, "Cambium-Traffic-Quota-Limit-Total"),
    integer(CAMBIUM, 156, "Cambium-Traffic-Quota-Limit-Total-Gigwords"),
    text(CAMBIUM, 157, "Cambium-VLAN-Pool-Id"),
    integer(CAMBIUM, 160, "Cambium-Walled-Garden-State"),
    text(RUCKUS, 1, "Ruckus-User-Groups"),
    text(RUCKUS, 3, "Ruckus-SSID"),
    integer(RUCKUS, 9, "Ruckus-VLAN-ID"),
    text(RUCKUS, 134, "Ruckus-Zone-Name"),
    text(RUCKUS, 135, "Ruckus-Wlan-Name"),
    hidden(octets(RUCKUS, 142, "Ruckus-DPSK")),
    integer(RUCKUS, 144, "Ruckus-Max-DL-UL-Quota"),
];
