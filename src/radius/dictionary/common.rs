//! Vendor attributes that routers of other makes speak too: Microsoft, WISPr, Ascend, Redback, the DSL Forum.

use super::{Definition, hidden, integer, ipv4, octets, text};
use crate::radius::number::{microsoft, wispr};

const ASCEND: u32 = 529;
const REDBACK: u32 = 2352;
const ADSL_FORUM: u32 = 3561;

pub(super) const ROWS: &[Definition] = &[
    hidden(octets(microsoft::VENDOR, 1, "MS-CHAP-Response")),
    text(microsoft::VENDOR, 2, "MS-CHAP-Error"),
    integer(microsoft::VENDOR, 7, "MS-MPPE-Encryption-Policy"),
    integer(microsoft::VENDOR, 8, "MS-MPPE-Encryption-Types"),
    text(microsoft::VENDOR, 10, "MS-CHAP-Domain"),
    octets(microsoft::VENDOR, 11, "MS-CHAP-Challenge"),
    hidden(octets(microsoft::VENDOR, 12, "MS-CHAP-MPPE-Keys")),
    hidden(octets(microsoft::VENDOR, 16, "MS-MPPE-Send-Key")),
    hidden(octets(microsoft::VENDOR, 17, "MS-MPPE-Recv-Key")),
    integer(microsoft::VENDOR, 23, "MS-Acct-Auth-Type"),
    hidden(octets(microsoft::VENDOR, 25, "MS-CHAP2-Response")),
    octets(microsoft::VENDOR, 26, "MS-CHAP2-Success"),
    ipv4(microsoft::VENDOR, 28, "MS-Primary-DNS-Server"),
    ipv4(microsoft::VENDOR, 29, "MS-Secondary-DNS-Server"),
    ipv4(microsoft::VENDOR, 30, "MS-Primary-NBNS-Server"),
    ipv4(microsoft::VENDOR, 31, "MS-Secondary-NBNS-Server"),
    text(wispr::VENDOR, 1, "WISPr-Location-ID"),
    text(wispr::VENDOR, 2, "WISPr-Location-Name"),
    text(wispr::VENDOR, 3, "WISPr-Logoff-URL"),
    text(wispr::VENDOR, 4, "WISPr-Redirection-URL"),
    integer(wispr::VENDOR, 5, "WISPr-Bandwidth-Min-Up"),
    integer(wispr::VENDOR, 6, "WISPr-Bandwidth-Min-Down"),
    integer(wispr::VENDOR, 7, "WISPr-Bandwidth-Max-Up"),
    integer(wispr::VENDOR, 8, "WISPr-Bandwidth-Max-Down"),
    text(wispr::VENDOR, 9, "WISPr-Session-Terminate-Time"),
    text(wispr::VENDOR, 10, "WISPr-Session-Terminate-End-Of-Day"),
    text(wispr::VENDOR, 11, "WISPr-Billing-Class-Of-Service"),
    ipv4(ASCEND, 132, "Ascend-Client-Gateway"),
    integer(ASCEND, 197, "Ascend-Data-Rate"),
    integer(ASCEND, 255, "Ascend-Xmit-Rate"),
    text(REDBACK, 96, "Redback-Agent-Remote-Id"),
    text(REDBACK, 97, "Redback-Agent-Circuit-Id"),
    text(ADSL_FORUM, 1, "ADSL-Agent-Circuit-Id"),
    text(ADSL_FORUM, 2, "ADSL-Agent-Remote-Id"),
    integer(ADSL_FORUM, 129, "Actual-Data-Rate-Upstream"),
    integer(ADSL_FORUM, 130, "Actual-Data-Rate-Downstream"),
];
