//! Shapes on the wire: prefixes, vendor layouts, malformed packets, spellings and timers.

use super::*;
use crate::radius::attribute::Ipv6Prefix;
use crate::radius::number::mikrotik;
use crate::radius::schedule::Schedule;
use crate::radius::vendor::VendorAttribute;

pub fn ipv6_attributes(vector: &Vector) {
    let address = |name: &str| vector.input(name).as_str().unwrap().parse().unwrap();
    let prefix = |name: &str| {
        let (address, length) = vector
            .input(name)
            .as_str()
            .unwrap()
            .split_once('/')
            .unwrap();
        Ipv6Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap()
    };
    let text = |name: &str| vector.input(name).as_str().unwrap();
    let one = |write: &dyn Fn(&mut AttributeBuffer)| {
        let mut buffer = AttributeBuffer::new();
        write(&mut buffer);
        buffer.octets().to_vec()
    };
    let framed = prefix("framed_ipv6_prefix");
    let delegated = prefix("delegated_ipv6_prefix");
    for (kind, prefix, short, long) in [
        (
            number::FRAMED_IPV6_PREFIX,
            framed,
            "framed_ipv6_prefix",
            "framed_ipv6_prefix_long_form",
        ),
        (
            number::DELEGATED_IPV6_PREFIX,
            delegated,
            "delegated_ipv6_prefix",
            "delegated_ipv6_prefix_long_form",
        ),
    ] {
        same(
            &one(&|buffer| buffer.push_ipv6_prefix(kind, prefix).unwrap()),
            vector.expected(short),
        );
        assert_eq!(
            Ipv6Prefix::decode(&hex(vector.expected(short))[2..]),
            Some(prefix)
        );
        assert_eq!(
            Ipv6Prefix::decode(&hex(vector.expected(long))[2..]),
            Some(prefix)
        );
    }
    let zero = Ipv6Prefix::new("::".parse().unwrap(), 0).unwrap();
    same(
        &one(&|buffer| {
            buffer
                .push_ipv6_prefix(number::DELEGATED_IPV6_PREFIX, zero)
                .unwrap()
        }),
        vector.expected("delegated_zero"),
    );
    same(
        &one(&|buffer| {
            buffer
                .push_ipv6(number::FRAMED_IPV6_ADDRESS, address("framed_ipv6_address"))
                .unwrap();
        }),
        vector.expected("framed_ipv6_address"),
    );
    same(
        &one(&|buffer| {
            buffer
                .push_ipv6(number::DNS_SERVER_IPV6_ADDRESS, address("dns"))
                .unwrap()
        }),
        vector.expected("dns_server_ipv6_address"),
    );
    same(
        &one(&|buffer| {
            buffer
                .push_interface_id(number::FRAMED_INTERFACE_ID, 1)
                .unwrap()
        }),
        vector.expected("framed_interface_id"),
    );
    for (kind, input, expected) in [
        (
            number::FRAMED_IPV6_POOL,
            "framed_ipv6_pool",
            "framed_ipv6_pool",
        ),
        (
            number::DELEGATED_IPV6_PREFIX_POOL,
            "delegated_pool",
            "delegated_ipv6_prefix_pool",
        ),
        (
            number::STATEFUL_IPV6_ADDRESS_POOL,
            "stateful_pool",
            "stateful_ipv6_address_pool",
        ),
    ] {
        same(
            &one(&|buffer| buffer.push_text(kind, text(input)).unwrap()),
            vector.expected(expected),
        );
    }
}

/// Vendor, type, value in hex.
type Part = (u32, u32, &'static str);

pub fn vsa_forms(vector: &Vector) {
    let cases: [(&str, &[Part]); 7] = [
        ("single", &[(14988, 8, "31304d2f32304d")]),
        (
            "two_subattributes_in_one_26",
            &[(14988, 8, "31304d2f32304d"), (14988, 19, "616374697665")],
        ),
        ("integer", &[(14988, 17, "000f4240")]),
        ("wimax_1_1_c", &[(24757, 1, "0102")]),
        ("usr_4_0_no_length", &[(429, 0x9842, "00000005")]),
        ("lucent_2_1", &[(4846, 20, "00000009")]),
        ("starent_2_2", &[(8164, 7, "00000001")]),
    ];
    for (name, expected) in cases {
        let mut buffer = AttributeBuffer::new();
        buffer
            .push_raw(number::VENDOR_SPECIFIC, &hex(vector.expected(name))[2..])
            .unwrap();
        let octets = packet(Code::ACCESS_REQUEST, &[0; 16], &buffer);
        let found: Vec<(u32, u32, String)> = Packet::parse(&octets)
            .unwrap()
            .vendor_attributes()
            .map(
                |VendorAttribute {
                     vendor,
                     kind,
                     value,
                 }| (vendor, kind, to_hex(value)),
            )
            .collect();
        let expected: Vec<(u32, u32, String)> = expected
            .iter()
            .map(|(vendor, kind, value)| (*vendor, *kind, (*value).to_owned()))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
    let mut buffer = AttributeBuffer::new();
    buffer
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, "10M/20M")
        .unwrap();
    same(buffer.octets(), vector.expected("single"));
    buffer.clear();
    buffer
        .push_vendor_u32(mikrotik::VENDOR, mikrotik::TOTAL_LIMIT, 1_000_000)
        .unwrap();
    same(buffer.octets(), vector.expected("integer"));
}

/// Not understood, but neither in the way: what follows is found.
pub fn extended_attributes(vector: &Vector) {
    for name in [
        "ext_241_1_integer",
        "long_ext_245_1_two_fragments",
        "evs_241_26",
    ] {
        let mut octets = packet(Code::ACCESS_REQUEST, &[0; 16], &AttributeBuffer::new());
        octets.extend_from_slice(&hex(vector.expected(name)));
        octets.extend_from_slice(&[number::USER_NAME, 3, b'x']);
        let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
        octets[2..4].copy_from_slice(&length);
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.text(number::USER_NAME), Some("x"), "{name}");
        assert_eq!(packet.vendor_attributes().count(), 0, "{name}");
    }
}

pub fn malformed(vector: &Vector) {
    let peer = peer(SECRET);
    let good = vector.octets("good_packet");
    assert!(pipeline::check(Port::Auth, &peer, &good).is_ok());
    for case in vector.expected("cases").as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let octets = hex(&case["packet"]);
        let port = if name.starts_with("Accounting") {
            Port::Acct
        } else {
            Port::Auth
        };
        let checked = pipeline::check(port, &peer, &octets);
        let attempt = checked.map(|packet| {
            assert_eq!(
                packet.vendor_attributes().count(),
                0,
                "{name}: a broken VSA is opaque"
            );
            Attempt::read(&packet, &peer.secret).map(|_| ())
        });
        let verdict = case["verdict"].as_str().unwrap();
        match verdict.split([' ', ',']).next().unwrap() {
            "drop" => assert!(attempt.is_err(), "{name}"),
            "reject" => assert!(matches!(attempt, Ok(Err(_))), "{name}"),
            "accept" => assert_eq!(attempt, Ok(Ok(())), "{name}"),
            other => panic!("unknown verdict {other}"),
        }
    }
}

pub fn retransmit_schedule(vector: &Vector) {
    let mut at = 0.0;
    let mut sends = Vec::new();
    for wait in Schedule::RFC5080.waits(|| 0) {
        sends.push(at);
        at += wait.as_secs_f64();
    }
    let expected: Vec<f64> = vector
        .expected("send_times")
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_f64().unwrap())
        .collect();
    assert_eq!(sends, expected);
    assert_eq!(at, 30.0, "then it has failed");
}
