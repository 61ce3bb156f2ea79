//! What an Access-Accept or a CoA-Request tells the router to do with a session (mikrotik.md a3, a4).

use proxpanel::radius::number::{self, mikrotik, wispr};
use proxpanel::radius::{Code, Packet};

use super::rate::{Pair, Rate};
use super::session::{Grant, Session};

/// Ascend, whose two rates RouterOS takes where it gets no Mikrotik-Rate-Limit.
const ASCEND: u32 = 529;
const ASCEND_DATA_RATE: u8 = 197;
const ASCEND_XMIT_RATE: u8 = 255;
const MARK_ID: u8 = 11;
const ADVERTISE_URL: u8 = 12;
const ADVERTISE_INTERVAL: u8 = 13;

/// Error-Causes (RFC 5176 section 3.5).
pub const UNSUPPORTED_ATTRIBUTE: u32 = 401;
pub const MISSING_ATTRIBUTE: u32 = 402;
pub const NAS_IDENTIFICATION_MISMATCH: u32 = 403;
pub const INVALID_ATTRIBUTE_VALUE: u32 = 407;
pub const SESSION_CONTEXT_NOT_FOUND: u32 = 503;

/// The last value of a text attribute, since that one counts where an attribute is repeated.
fn vendor_text(packet: &Packet<'_>, kind: u8) -> Option<String> {
    let value = packet.vendor(mikrotik::VENDOR, kind)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn vendor_u32(packet: &Packet<'_>, vendor: u32, kind: u8) -> Option<u32> {
    Some(u32::from_be_bytes(
        packet.vendor(vendor, kind)?.try_into().ok()?,
    ))
}

/// Low and high half of a limit in octets.
fn limit(packet: &Packet<'_>, low: u8, high: u8) -> Option<u64> {
    let low = vendor_u32(packet, mikrotik::VENDOR, low);
    let high = vendor_u32(packet, mikrotik::VENDOR, high);
    (low.is_some() || high.is_some())
        .then(|| (u64::from(high.unwrap_or(0)) << 32) | u64::from(low.unwrap_or(0)))
}

/// The rate a packet gives, in the order of preference; `Err` with a text that is no rate.
pub fn rate(packet: &Packet<'_>) -> Result<Option<(Rate, String)>, String> {
    if let Some(text) = vendor_text(packet, mikrotik::RATE_LIMIT) {
        let rate = Rate::parse(&text).ok_or_else(|| text.clone())?;
        return Ok(Some((rate, text)));
    }
    let data: Vec<u64> = packet
        .vendor_attributes()
        .filter(|found| found.vendor == ASCEND && found.kind == u32::from(ASCEND_DATA_RATE))
        .filter_map(|found| Some(u64::from(u32::from_be_bytes(found.value.try_into().ok()?))))
        .collect();
    let xmit = vendor_u32(packet, ASCEND, ASCEND_XMIT_RATE).map(u64::from);
    let wispr_up = vendor_u32(packet, wispr::VENDOR, wispr::BANDWIDTH_MAX_UP);
    let wispr_down = vendor_u32(packet, wispr::VENDOR, wispr::BANDWIDTH_MAX_DOWN);
    let pair = match (data.as_slice(), xmit) {
        (&[upload, ..], Some(download)) => (upload, download),
        // Two of the same attribute: the router's tx first, then its rx.
        (&[download, upload, ..], None) => (upload, download),
        (&[both], None) => (both, both),
        ([], Some(download)) => (0, download),
        ([], None) => match (wispr_up, wispr_down) {
            (None, None) => return Ok(None),
            (up, down) => (u64::from(up.unwrap_or(0)), u64::from(down.unwrap_or(0))),
        },
    };
    let limit = Pair {
        upload: pair.0,
        download: pair.1,
    };
    Ok(Some((Rate::plain(limit), limit.to_string())))
}

/// Reads an Access-Accept. `Err` says what the router cannot use.
pub fn of_accept(packet: &Packet<'_>) -> Result<Grant, String> {
    let lists = packet
        .vendor_attributes()
        .filter(|found| {
            found.vendor == mikrotik::VENDOR && found.kind == u32::from(mikrotik::ADDRESS_LIST)
        })
        .map(|found| String::from_utf8_lossy(found.value).into_owned());
    Ok(Grant {
        address: packet.ipv4(number::FRAMED_IP_ADDRESS),
        pool: packet.text(number::FRAMED_POOL).map(str::to_owned),
        profile: vendor_text(packet, mikrotik::GROUP),
        rate: rate(packet).map_err(|text| format!("bad rate limit {text}"))?,
        address_lists: lists.collect(),
        routes: packet
            .all(number::FRAMED_ROUTE)
            .map(|route| String::from_utf8_lossy(route).into_owned())
            .collect(),
        ipv6_prefix: packet.ipv6_prefix(number::FRAMED_IPV6_PREFIX),
        delegated_prefix: packet.ipv6_prefix(number::DELEGATED_IPV6_PREFIX),
        delegated_pool: vendor_text(packet, mikrotik::DELEGATED_IPV6_POOL).or_else(|| {
            let pool = packet.text(number::DELEGATED_IPV6_PREFIX_POOL)?;
            Some(pool.to_owned())
        }),
        class: packet.all(number::CLASS).map(<[u8]>::to_vec).collect(),
        interim_seconds: packet.u32(number::ACCT_INTERIM_INTERVAL),
        session_timeout: packet.u32(number::SESSION_TIMEOUT),
        upload_limit: limit(packet, mikrotik::RECV_LIMIT, mikrotik::RECV_LIMIT_GIGAWORDS)
            .unwrap_or(0),
        download_limit: limit(packet, mikrotik::XMIT_LIMIT, mikrotik::XMIT_LIMIT_GIGAWORDS)
            .unwrap_or(0),
    })
}

/// Attributes that say which session is meant, or belong to the exchange itself.
const IDENTIFYING: &[u8] = &[
    number::USER_NAME,
    number::ACCT_SESSION_ID,
    number::FRAMED_IP_ADDRESS,
    number::NAS_IP_ADDRESS,
    number::NAS_IDENTIFIER,
    number::NAS_PORT,
    number::NAS_PORT_ID,
    number::NAS_PORT_TYPE,
    number::CALLING_STATION_ID,
    number::CALLED_STATION_ID,
    number::STATE,
    number::CLASS,
    number::PROXY_STATE,
    number::EVENT_TIMESTAMP,
    number::MESSAGE_AUTHENTICATOR,
];

/// What CoA may change; address, pool and routes are not among it.
const CHANGEABLE: &[u8] = &[
    number::FILTER_ID,
    number::SESSION_TIMEOUT,
    number::IDLE_TIMEOUT,
    number::PORT_LIMIT,
];
const CHANGEABLE_MIKROTIK: &[u8] = &[
    mikrotik::RECV_LIMIT,
    mikrotik::XMIT_LIMIT,
    mikrotik::RECV_LIMIT_GIGAWORDS,
    mikrotik::XMIT_LIMIT_GIGAWORDS,
    mikrotik::GROUP,
    mikrotik::RATE_LIMIT,
    MARK_ID,
    ADVERTISE_URL,
    ADVERTISE_INTERVAL,
];

/// Changes a session as a CoA-Request says; whole or not at all. Errors: the Error-Cause.
pub fn change(session: &mut Session, packet: &Packet<'_>) -> Result<(), u32> {
    debug_assert_eq!(packet.code(), Code::COA_REQUEST);
    let known = |kind: u8| {
        IDENTIFYING.contains(&kind) || CHANGEABLE.contains(&kind) || kind == number::VENDOR_SPECIFIC
    };
    let known_vendor = |vendor: u32, kind: u32| {
        let among = |list: &[u8]| list.iter().any(|known| u32::from(*known) == kind);
        match vendor {
            mikrotik::VENDOR => among(CHANGEABLE_MIKROTIK),
            ASCEND => among(&[ASCEND_DATA_RATE, ASCEND_XMIT_RATE]),
            _ => false,
        }
    };
    let all_known = packet.attributes().all(|(kind, _)| known(kind))
        && packet
            .vendor_attributes()
            .all(|found| known_vendor(found.vendor, found.kind));
    if !all_known {
        return Err(UNSUPPORTED_ATTRIBUTE);
    }
    let rate = rate(packet).map_err(|_| INVALID_ATTRIBUTE_VALUE)?;
    let grant = &mut session.grant;
    if rate.is_some() {
        grant.rate = rate;
    }
    if let Some(seconds) = packet.u32(number::SESSION_TIMEOUT) {
        grant.session_timeout = Some(seconds);
    }
    if let Some(limit) = limit(packet, mikrotik::RECV_LIMIT, mikrotik::RECV_LIMIT_GIGAWORDS) {
        grant.upload_limit = limit;
    }
    if let Some(limit) = limit(packet, mikrotik::XMIT_LIMIT, mikrotik::XMIT_LIMIT_GIGAWORDS) {
        grant.download_limit = limit;
    }
    // The new profile's pool and address list are not applied to a running session.
    if let Some(profile) = vendor_text(packet, mikrotik::GROUP) {
        grant.profile = Some(profile);
    }
    Ok(())
}
