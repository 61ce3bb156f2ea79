//! accel-ppp (55999) and CoovaChilli (14559).

use super::{Definition, integer, text};

const ACCEL_PPP: u32 = 55999;
const CHILLISPOT: u32 = 14559;

pub(super) const ROWS: &[Definition] = &[
    text(ACCEL_PPP, 1, "Accel-VRF-Name"),
    integer(CHILLISPOT, 1, "ChilliSpot-Max-Input-Octets"),
    integer(CHILLISPOT, 2, "ChilliSpot-Max-Output-Octets"),
    integer(CHILLISPOT, 3, "ChilliSpot-Max-Total-Octets"),
    integer(CHILLISPOT, 4, "ChilliSpot-Bandwidth-Max-Up"),
    integer(CHILLISPOT, 5, "ChilliSpot-Bandwidth-Max-Down"),
];
