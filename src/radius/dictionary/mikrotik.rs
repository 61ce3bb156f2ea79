//! MikroTik (14988), complete.

use super::{Definition, hidden, integer, ipv4, text};
use crate::radius::number::mikrotik::VENDOR;

pub(super) const ROWS: &[Definition] = &[
    integer(VENDOR, 1, "Mikrotik-Recv-Limit"),
    integer(VENDOR, 2, "Mikrotik-Xmit-Limit"),
    text(VENDOR, 3, "Mikrotik-Group"),
    integer(VENDOR, 4, "Mikrotik-Wireless-Forward"),
    integer(VENDOR, 5, "Mikrotik-Wireless-Skip-Dot1x"),
    integer(VENDOR, 6, "Mikrotik-Wireless-Enc-Algo"),
    hidden(text(VENDOR, 7, "Mikrotik-Wireless-Enc-Key")),
    text(VENDOR, 8, "Mikrotik-Rate-Limit"),
    text(VENDOR, 9, "Mikrotik-Realm"),
    ipv4(VENDOR, 10, "Mikrotik-Host-IP"),
    text(VENDOR, 11, "Mikrotik-Mark-Id"),
    text(VENDOR, 12, "Mikrotik-Advertise-URL"),
    integer(VENDOR, 13, "Mikrotik-Advertise-Interval"),
    integer(VENDOR, 14, "Mikrotik-Recv-Limit-Gigawords"),
    integer(VENDOR, 15, "Mikrotik-Xmit-Limit-Gigawords"),
    hidden(text(VENDOR, 16, "Mikrotik-Wireless-PSK")),
    integer(VENDOR, 17, "Mikrotik-Total-Limit"),
    integer(VENDOR, 18, "Mikrotik-Total-Limit-Gigawords"),
    text(VENDOR, 19, "Mikrotik-Address-List"),
    hidden(text(VENDOR, 20, "Mikrotik-Wireless-MPKey")),
    text(VENDOR, 21, "Mikrotik-Wireless-Comment"),
    text(VENDOR, 22, "Mikrotik-Delegated-IPv6-Pool"),
    text(VENDOR, 23, "Mikrotik-DHCP-Option-Set"),
    text(VENDOR, 24, "Mikrotik-DHCP-Option-Param-STR1"),
    text(VENDOR, 25, "Mikrotik-DHCP-Option-Param-STR2"),
    integer(VENDOR, 26, "Mikrotik-Wireless-VLANID"),
    integer(VENDOR, 27, "Mikrotik-Wireless-VLANIDtype"),
    text(VENDOR, 28, "Mikrotik-Wireless-Minsignal"),
    text(VENDOR, 29, "Mikrotik-Wireless-Maxsignal"),
    text(VENDOR, 30, "Mikrotik-Switching-Filter"),
];
