//! From an entitlement to the attributes of an Access-Accept, and from a speed to those of a CoA-Request.
//!
//! The order is that of radius.md section 9. Message-Authenticator and Class are not written here, nor is what
//! identifies a session in a CoA-Request. Invariant: no value that a router takes for "none" is written; 0 seconds and
//! empty names are left out or raised.

use super::{RouterError, generic, mikrotik, wispr};
use crate::domain::access::{AddressChoice, Entitlement};
use crate::domain::nas::Profile;
use crate::domain::rate::RateLimit;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number;

const SERVICE_TYPE_FRAMED: u32 = 2;
const FRAMED_PROTOCOL_PPP: u32 = 1;
/// Session-Timeout and Acct-Interim-Interval, in seconds. RouterOS takes an interim interval of 0 for its own setting.
const SHORTEST: u32 = 60;

/// Appends what an Access-Accept says about the session.
///
/// Errors: a pool or list name does not fit into an attribute, or the packet is full; `out` then holds a part.
pub fn accept(
    profile: Profile,
    entitlement: &Entitlement,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    out.push_u32(number::SERVICE_TYPE, SERVICE_TYPE_FRAMED)?;
    out.push_u32(number::FRAMED_PROTOCOL, FRAMED_PROTOCOL_PPP)?;
    match &entitlement.address {
        // The address is put in its place before the reply is written; a pool of ours means nothing to a router.
        AddressChoice::Server(_) => {}
        AddressChoice::Static(address) => out.push_ipv4(number::FRAMED_IP_ADDRESS, *address)?,
        AddressChoice::Pool(pool) if !pool.is_empty() => {
            out.push_text(number::FRAMED_POOL, pool)?
        }
        AddressChoice::Pool(_) | AddressChoice::Router => {}
    }
    push_session_timeout(entitlement.session_timeout, out)?;
    out.push_u32(
        number::ACCT_INTERIM_INTERVAL,
        entitlement.interim_interval.max(SHORTEST),
    )?;
    push_speed(profile, &entitlement.limit, out)?;
    if profile == Profile::MikroTik && !entitlement.address_list.is_empty() {
        mikrotik::push_address_list(&entitlement.address_list, out)?;
    }
    Ok(())
}

/// Appends what a CoA-Request may change of a running session: its speed and, if given, its remaining time in seconds.
///
/// Never the address, the pool or the address list: routers refuse the whole request for them (mikrotik.md a4).
pub fn change(
    profile: Profile,
    limit: &RateLimit,
    session_timeout: Option<u32>,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    push_session_timeout(session_timeout, out)?;
    push_speed(profile, limit, out)
}

fn push_session_timeout(
    seconds: Option<u32>,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    if let Some(seconds) = seconds {
        out.push_u32(number::SESSION_TIMEOUT, seconds.max(SHORTEST))?;
    }
    Ok(())
}

fn push_speed(
    profile: Profile,
    limit: &RateLimit,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    match profile {
        Profile::MikroTik => mikrotik::push_rate_limit(limit, out),
        Profile::Wispr => wispr::push_bandwidth(limit.rate, out),
        Profile::Generic => generic::push_bandwidth(limit.rate, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rate::{Burst, Rate};
    use crate::radius::attribute::EncodeError;

    fn entitlement() -> Entitlement {
        Entitlement {
            limit: RateLimit {
                rate: Rate::new(10_000, 50_000),
                burst: None,
                priority: 8,
            },
            address: AddressChoice::Router,
            address_list: String::new(),
            ipv6_pool: String::new(),
            delegated_pool: String::new(),
            delegated_prefix: None,
            router_profile: String::new(),
            extra_reply: Vec::new(),
            session_timeout: None,
            interim_interval: 300,
            is_expired: false,
        }
    }

    fn accepted(profile: Profile, entitlement: &Entitlement) -> Vec<(u8, Vec<u8>)> {
        let mut out = AttributeBuffer::new();
        accept(profile, entitlement, &mut out).unwrap();
        out.iter()
            .map(|(kind, value)| (kind, value.to_vec()))
            .collect()
    }

    fn vendor(vendor: u32, kind: u8, value: &[u8]) -> (u8, Vec<u8>) {
        let length = u8::try_from(value.len() + 2).unwrap();
        (
            26,
            [&vendor.to_be_bytes(), [kind, length].as_slice(), value].concat(),
        )
    }

    fn wispr_speed(up: u32, down: u32) -> [(u8, Vec<u8>); 2] {
        [
            vendor(14122, 7, &up.to_be_bytes()),
            vendor(14122, 8, &down.to_be_bytes()),
        ]
    }

    #[test]
    fn everything_in_its_order() {
        let full = Entitlement {
            limit: RateLimit {
                burst: Some(Burst {
                    rate: Rate::new(15_000, 75_000),
                    threshold: Rate::new(8_000, 40_000),
                    time_s: 16,
                }),
                ..entitlement().limit
            },
            address: AddressChoice::Pool("isp-active".into()),
            address_list: "isp-gold".into(),
            session_timeout: Some(86_400),
            ..entitlement()
        };
        let head = [
            (6, vec![0, 0, 0, 2]),
            (7, vec![0, 0, 0, 1]),
            (88, b"isp-active".to_vec()),
            (27, vec![0, 1, 0x51, 0x80]),
            (85, vec![0, 0, 1, 0x2C]),
        ];
        let mut expected = head.to_vec();
        expected.push(vendor(14988, 8, b"10M/50M 15M/75M 8M/40M 16/16"));
        expected.push(vendor(14988, 19, b"isp-gold"));
        assert_eq!(accepted(Profile::MikroTik, &full), expected);
        for profile in [Profile::Wispr, Profile::Generic] {
            let mut expected = head.to_vec();
            expected.extend(wispr_speed(10_000_000, 50_000_000));
            assert_eq!(accepted(profile, &full), expected, "{profile:?}");
        }
    }

    #[test]
    fn only_what_there_is() {
        let mut plain = entitlement();
        let expected = [
            (6, vec![0, 0, 0, 2]),
            (7, vec![0, 0, 0, 1]),
            (85, vec![0, 0, 1, 0x2C]),
            vendor(14988, 8, b"10M/50M"),
        ];
        assert_eq!(accepted(Profile::MikroTik, &plain), expected);
        plain.address = AddressChoice::Pool(String::new());
        assert_eq!(accepted(Profile::MikroTik, &plain), expected);
        plain.address = AddressChoice::Static([198, 51, 100, 23].into());
        let with_address = accepted(Profile::MikroTik, &plain);
        assert_eq!(with_address[2], (8, vec![198, 51, 100, 23]));
        assert_eq!(with_address.len(), 5, "no pool beside the address");
    }

    #[test]
    fn no_time_is_below_a_minute() {
        for (seconds, sent) in [(0, 60), (59, 60), (60, 60), (61, 61), (u32::MAX, u32::MAX)] {
            let short = Entitlement {
                session_timeout: Some(seconds),
                interim_interval: seconds,
                ..entitlement()
            };
            let got = accepted(Profile::Generic, &short);
            assert!(
                got.contains(&(27, sent.to_be_bytes().to_vec())),
                "{seconds}"
            );
            assert!(
                got.contains(&(85, sent.to_be_bytes().to_vec())),
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_change_is_speed_and_time_only() {
        let limit = entitlement().limit;
        let mut out = AttributeBuffer::new();
        change(Profile::MikroTik, &limit, None, &mut out).unwrap();
        let got: Vec<_> = out
            .iter()
            .map(|(kind, value)| (kind, value.to_vec()))
            .collect();
        assert_eq!(got, [vendor(14988, 8, b"10M/50M")]);
        out.clear();
        change(Profile::Wispr, &limit, Some(3_600), &mut out).unwrap();
        let got: Vec<_> = out
            .iter()
            .map(|(kind, value)| (kind, value.to_vec()))
            .collect();
        let [up, down] = wispr_speed(10_000_000, 50_000_000);
        assert_eq!(got, [(27, vec![0, 0, 0x0E, 0x10]), up, down]);
    }

    #[test]
    fn names_that_do_not_fit_are_errors() {
        let mut out = AttributeBuffer::new();
        let mut long = entitlement();
        long.address_list = "x".repeat(247);
        assert_eq!(accept(Profile::MikroTik, &long, &mut out), Ok(()));
        long.address_list.push('x');
        out.clear();
        assert_eq!(
            accept(Profile::MikroTik, &long, &mut out),
            Err(RouterError::Attribute(EncodeError::TooLong {
                kind: 19,
                length: 248
            }))
        );
        out.clear();
        assert_eq!(
            accept(Profile::Generic, &long, &mut out),
            Ok(()),
            "it has no lists"
        );
    }
}
