//! What each router is told, attribute by attribute.

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

fn changed(profile: Profile, timeout: Option<u32>) -> Vec<(u8, Vec<u8>)> {
    let mut out = AttributeBuffer::new();
    change(profile, &entitlement().limit, timeout, &mut out).unwrap();
    out.iter()
        .map(|(kind, value)| (kind, value.to_vec()))
        .collect()
}

#[test]
fn a_change_is_speed_and_time_only() {
    let speed = [vendor(14988, 8, b"10M/50M")];
    assert_eq!(changed(Profile::MikroTik, None), speed);
    let timed = changed(Profile::MikroTik, Some(3_600));
    assert_eq!(timed[0], (27, vec![0, 0, 0x0E, 0x10]));
    assert_eq!(timed[1..], speed);
    assert_eq!(
        changed(Profile::AccelPpp, Some(59)),
        [(27, vec![0, 0, 0, 60]), (11, b"50000/10000".to_vec())]
    );
    assert_eq!(
        changed(Profile::Nokia, Some(59)),
        [
            vendor(6527, 160, &[0, 0, 0, 60]),
            vendor(6527, 126, b"i:q:1:pir=10000"),
            vendor(6527, 126, b"e:r:rate=50000"),
        ]
    );
}

#[test]
fn a_router_that_takes_a_speed_only_at_login_is_sent_nothing() {
    for profile in Profile::ALL {
        let mut out = AttributeBuffer::new();
        let result = change(profile, &entitlement().limit, Some(3_600), &mut out);
        assert_eq!(result.is_ok(), profile.can_change_speed(), "{profile:?}");
        assert_eq!(out.is_empty(), result.is_err(), "{profile:?}");
        if result.is_err() {
            assert_eq!(result, Err(RouterError::NeedsDisconnect(profile.label())));
        }
    }
}

/// The attributes that a profile adds to what all have.
fn own(profile: Profile, entitlement: &Entitlement) -> Vec<(u8, Vec<u8>)> {
    let mut attributes = accepted(profile, entitlement);
    attributes.retain(|(kind, _)| ![6, 7, 27, 85].contains(kind));
    attributes
}

#[test]
fn names_go_out_as_the_vendor_calls_them() {
    let named = Entitlement {
        router_profile: "gold-up/gold-down".into(),
        ..entitlement()
    };
    let text = |vendor_id, kind, text: &str| vendor(vendor_id, kind, text.as_bytes());
    for (profile, expected) in [
        (Profile::MikroTik, vec![text(14988, 3, "gold-up/gold-down")]),
        (
            Profile::Cisco,
            vec![
                text(9, 1, "ip:sub-qos-policy-in=gold-up"),
                text(9, 1, "ip:sub-qos-policy-out=gold-down"),
            ],
        ),
        (Profile::Huawei, vec![text(2011, 31, "gold-up/gold-down")]),
        (
            Profile::Juniper,
            vec![text(4874, 65, "\u{1}gold-up/gold-down")],
        ),
        (Profile::Nokia, vec![text(6527, 13, "gold-up/gold-down")]),
        (
            Profile::Zte,
            vec![text(3902, 94, "gold-up"), text(3902, 82, "gold-down")],
        ),
        (Profile::AccelPpp, vec![]),
        (Profile::Wispr, vec![]),
        (Profile::Generic, vec![(11, b"gold-up/gold-down".to_vec())]),
    ] {
        let speed = own(profile, &entitlement());
        let with_name = own(profile, &named);
        assert_eq!(with_name[..speed.len()], speed, "{profile:?}");
        assert_eq!(with_name[speed.len()..], expected, "{profile:?}");
    }
    assert_eq!(super::super::both_ways("gold"), ("gold", "gold"));
}

#[test]
fn in_the_expired_pool_only_routeros_gets_its_name() {
    let walled = Entitlement {
        address: AddressChoice::Pool("walled".into()),
        address_list: "walled".into(),
        router_profile: "walled".into(),
        is_expired: true,
        ..entitlement()
    };
    let says = |profile, entitlement: &Entitlement| {
        let own = own(profile, entitlement);
        let said = |text: &str| {
            own.iter()
                .filter(|(_, value)| value.ends_with(text.as_bytes()))
                .count()
        };
        said("walled")
    };
    for profile in Profile::ALL {
        let pool_list_group = if profile == Profile::MikroTik { 3 } else { 1 };
        assert_eq!(says(profile, &walled), pool_list_group, "{profile:?}");
    }
    // Expired at another speed, and not expired at all: the name is the plan's.
    for (is_expired, pool) in [(true, "homes"), (false, "walled")] {
        let other = Entitlement {
            address: AddressChoice::Pool(pool.into()),
            address_list: String::new(),
            is_expired,
            ..walled.clone()
        };
        let pools = usize::from(pool == "walled");
        assert_eq!(says(Profile::Huawei, &other), 1 + pools);
    }
}

#[test]
fn ipv6_is_a_prefix_or_a_pool() {
    let mut both = Entitlement {
        ipv6_pool: "links".into(),
        delegated_pool: "homes6".into(),
        ..entitlement()
    };
    for (profile, link, delegated) in [
        (Profile::MikroTik, None, Some((14988, 22))),
        (Profile::Cisco, None, None),
        (Profile::Huawei, None, Some((2011, 191))),
        (Profile::Juniper, Some((4874, 157)), Some((4874, 161))),
        (Profile::Nokia, Some((6527, 181)), Some((6527, 131))),
        (Profile::Zte, None, None),
        (Profile::AccelPpp, None, None),
        (Profile::Wispr, None, None),
        (Profile::Generic, None, None),
    ] {
        let named = |name: Option<(u32, u8)>, standard: u8, text: &[u8]| match name {
            Some((vendor_id, kind)) => vendor(vendor_id, kind, text),
            None => (standard, text.to_vec()),
        };
        let expected = [named(link, 100, b"links"), named(delegated, 171, b"homes6")];
        assert_eq!(own(profile, &both)[..2], expected, "{profile:?}");
    }
    both.delegated_prefix = Some(("2001:db8:7::".parse().unwrap(), 48));
    let prefix = (123, vec![0, 48, 0x20, 0x01, 0x0D, 0xB8, 0, 7]);
    assert_eq!(own(Profile::MikroTik, &both)[1], prefix);
    assert_eq!(own(Profile::MikroTik, &both).len(), 3, "no pool beside it");
    both.delegated_prefix = Some(("2001:db8:7::".parse().unwrap(), 129));
    let refused = accept(Profile::MikroTik, &both, &mut AttributeBuffer::new());
    let expected = EncodeError::PrefixLength { length: 129 };
    assert_eq!(refused, Err(RouterError::Attribute(expected)));
}

#[test]
fn no_router_is_told_more_than_it_can_count() {
    let fast = |kbps| Entitlement {
        limit: RateLimit {
            rate: Rate::new(kbps, kbps),
            ..entitlement().limit
        },
        ..entitlement()
    };
    for (profile, kbps, expected) in [
        (Profile::Huawei, 2_147_483, 2_147_483_000),
        (Profile::Huawei, 2_147_484, 2_147_483_000),
        (Profile::Zte, 4_294_967, 4_294_967_000),
        (Profile::Zte, 4_294_968, u32::MAX),
    ] {
        let count = if profile == Profile::Huawei { 4 } else { 2 };
        let speeds = own(profile, &fast(kbps));
        assert_eq!(speeds.len(), count);
        for (_, value) in speeds {
            assert!(
                value.ends_with(&expected.to_be_bytes()),
                "{profile:?} {kbps}"
            );
        }
    }
    for (kbps, expected) in [
        (2_147_483, "2147483/2147483"),
        (2_147_484, "2147483/2147483"),
    ] {
        let speed = own(Profile::AccelPpp, &fast(kbps));
        assert_eq!(speed, [(11, expected.as_bytes().to_vec())]);
    }
    for (kbps, expected) in [(64, "T01 64k"), (2_000, "T01 2m"), (2_500, "T01 2500k")] {
        let speed = own(Profile::Juniper, &fast(kbps));
        assert_eq!(speed, [vendor(4874, 108, expected.as_bytes())]);
    }
}

/// An extra attribute with these octets.
fn extra(octets: Vec<u8>) -> Extra {
    Extra {
        text: String::new(),
        octets,
    }
}

#[test]
fn extra_attributes_come_last_and_take_the_place_of_ours() {
    let with = |profile, extra_reply: Vec<Extra>| {
        let entitlement = Entitlement {
            router_profile: "gold".into(),
            extra_reply,
            ..entitlement()
        };
        own(profile, &entitlement)
    };
    let octets = |fill: &dyn Fn(&mut AttributeBuffer)| {
        let mut buffer = AttributeBuffer::new();
        fill(&mut buffer);
        extra(buffer.octets().to_vec())
    };
    let group = octets(&|b| b.push_vendor_text(14988, 3, "vip").unwrap());
    let route = octets(&|b| b.push_text(22, "10.1.0.0/24 0.0.0.0 1").unwrap());
    let got = with(Profile::MikroTik, vec![route.clone(), group, route]);
    let route = (22, b"10.1.0.0/24 0.0.0.0 1".to_vec());
    assert_eq!(
        got,
        [
            vendor(14988, 8, b"10M/50M"),
            route.clone(),
            vendor(14988, 3, b"vip"),
            route
        ]
    );
    let pair = octets(&|b| b.push_vendor_text(9, 1, "ip:vrf-id=blue").unwrap());
    assert_eq!(with(Profile::Cisco, vec![pair]).len(), 3, "AV pairs add up");
    let other = octets(&|b| b.push_vendor_text(9, 37, "up").unwrap());
    assert_eq!(with(Profile::Cisco, vec![other]).len(), 3);
    let broken = Entitlement {
        extra_reply: vec![extra(vec![26, 9, 0])],
        ..entitlement()
    };
    let refused = accept(Profile::Generic, &broken, &mut AttributeBuffer::new());
    assert_eq!(refused, Err(RouterError::Attribute(EncodeError::Malformed)));
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
