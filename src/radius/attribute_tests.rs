//! Pushes at and beyond each limit.

use super::*;

#[test]
fn a_failed_push_changes_nothing() {
    let mut buffer = AttributeBuffer::new();
    buffer.push_u32(number::SESSION_TIMEOUT, 60).unwrap();
    let before = buffer.octets().to_vec();
    let tries: [(Result<(), EncodeError>, EncodeError); 8] = [
        (buffer.push_text(18, ""), EncodeError::Empty { kind: 18 }),
        (
            buffer.push_octets(25, &[0; 254]),
            EncodeError::TooLong {
                kind: 25,
                length: 254,
            },
        ),
        (
            buffer.push_octets(80, &[0; 16]),
            EncodeError::Reserved { kind: 80 },
        ),
        (
            buffer.push_octets(0, &[0; 16]),
            EncodeError::Reserved { kind: 0 },
        ),
        (
            buffer.push_vendor(9, 1, &[0; 248]),
            EncodeError::TooLong {
                kind: 1,
                length: 248,
            },
        ),
        (
            buffer.push_tagged_u32(64, 0, 1),
            EncodeError::Tag { tag: 0 },
        ),
        (
            buffer.push_tagged_u32(64, 32, 1),
            EncodeError::Tag { tag: 32 },
        ),
        (
            buffer.push_tagged_u32(64, 1, 1 << 24),
            EncodeError::TaggedInteger { value: 1 << 24 },
        ),
    ];
    for (got, expected) in tries {
        assert_eq!(got, Err(expected));
    }
    assert_eq!(buffer.octets(), before);
}

#[test]
fn the_limit_is_exact() {
    let mut buffer = AttributeBuffer::new();
    for _ in 0..15 {
        buffer.push_octets(25, &[1; 253]).unwrap();
    }
    let room = ATTRIBUTES_MAX_OCTETS - 15 * 255;
    let too_much = vec![1; room - 1];
    assert_eq!(
        buffer.push_octets(25, &too_much),
        Err(EncodeError::Full {
            needed: room + 1,
            room
        })
    );
    buffer.push_octets(25, &too_much[..room - 2]).unwrap();
    assert_eq!(buffer.octets().len(), ATTRIBUTES_MAX_OCTETS);
    buffer.reset(18);
    assert!(buffer.is_empty());
    assert_eq!(buffer.limit, ATTRIBUTES_MAX_OCTETS - 18);
}

#[test]
fn eap_is_fragmented_or_refused_whole() {
    let mut buffer = AttributeBuffer::new();
    buffer.push_eap_message(&[7; 254]).unwrap();
    let lengths: Vec<usize> = buffer.iter().map(|(_, value)| value.len()).collect();
    assert_eq!(lengths, [253, 1]);
    buffer.reset(ATTRIBUTES_MAX_OCTETS - 300);
    assert!(buffer.push_eap_message(&[7; 400]).is_err());
    assert!(buffer.is_empty());
}

#[test]
fn whole_attributes_are_taken_whole_or_not_at_all() {
    let mut buffer = AttributeBuffer::new();
    buffer.push_whole(&[]).unwrap();
    buffer.push_whole(&[25, 3, 7, 18, 2]).unwrap();
    assert_eq!(buffer.octets(), [25, 3, 7, 18, 2]);
    for bad in [
        &[25][..],
        &[25, 1],
        &[25, 4, 7],
        &[25, 3, 7, 18],
        &[0, 3, 7],
        &[25, 0],
    ] {
        assert_eq!(
            buffer.push_whole(bad),
            Err(EncodeError::Malformed),
            "{bad:?}"
        );
    }
    buffer.reset(ATTRIBUTES_MAX_OCTETS - 5);
    let full = EncodeError::Full { needed: 6, room: 5 };
    assert_eq!(buffer.push_whole(&[25, 3, 7, 25, 3, 7]), Err(full));
    assert!(buffer.is_empty());
    assert_eq!(buffer.push_whole(&[25, 5, 7, 7, 7]), Ok(()));
}

#[test]
fn what_has_the_same_name_is_taken_out() {
    let mut buffer = AttributeBuffer::new();
    buffer.push_u32(number::SESSION_TIMEOUT, 60).unwrap();
    buffer.push_vendor_text(9, 1, "a").unwrap();
    buffer.push_vendor_text(9, 2, "b").unwrap();
    buffer.push_vendor_text(10, 1, "c").unwrap();
    buffer.push_vendor_text(9, 1, "d").unwrap();
    let before = buffer.octets().to_vec();
    for none in [
        &[][..],
        &[26],
        &[28, 3, 7],
        &[26, 10, 0, 0, 0, 9, 3, 4, 1, 1],
    ] {
        buffer.remove_like(none);
        assert_eq!(buffer.octets(), before, "{none:?}");
    }
    let mut other = AttributeBuffer::new();
    other.push_vendor_text(9, 1, "another value").unwrap();
    buffer.remove_like(other.octets());
    let left: Vec<u8> = buffer
        .iter()
        .filter_map(|(_, v)| v.last().copied())
        .collect();
    assert_eq!(left, [60, b'b', b'c']);
    buffer.remove_like(&[27, 6, 0, 0, 0, 1]);
    assert_eq!(buffer.iter().count(), 2);
}

#[test]
fn vendors_have_tags_too() {
    let mut buffer = AttributeBuffer::new();
    buffer.push_vendor_tagged_text(9, 65, 1, "a").unwrap();
    buffer.push_vendor_tagged_u32(9, 68, 31, 0xFF_FFFF).unwrap();
    let written = [
        &[26, 10, 0, 0, 0, 9, 65, 4, 1, b'a'][..],
        &[26, 12, 0, 0, 0, 9, 68, 6, 31, 255, 255, 255],
    ];
    assert_eq!(buffer.octets(), written.concat());
    assert_eq!(
        buffer.push_vendor_tagged_text(9, 65, 1, ""),
        Err(EncodeError::Empty { kind: 65 })
    );
    let tag = Err(EncodeError::Tag { tag: 32 });
    assert_eq!(buffer.push_vendor_tagged_text(9, 65, 32, "a"), tag);
    assert_eq!(buffer.push_vendor_tagged_u32(9, 68, 32, 1), tag);
    let value = 1 << 24;
    assert_eq!(
        buffer.push_vendor_tagged_u32(9, 68, 1, value),
        Err(EncodeError::TaggedInteger { value })
    );
    let long = "x".repeat(VENDOR_VALUE_MAX_OCTETS);
    assert!(buffer.push_vendor_tagged_text(9, 65, 1, &long).is_err());
    assert_eq!(buffer.octets(), written.concat());
}

#[test]
fn prefixes_are_masked_and_bounded() {
    let address: Ipv6Addr = "2001:db8:ffff:ffff:ffff::1".parse().unwrap();
    for (length, expected) in [
        (0, "::/0"),
        (36, "2001:db8:f000::/36"),
        (64, "2001:db8:ffff:ffff::/64"),
        (128, "2001:db8:ffff:ffff:ffff::1/128"),
    ] {
        assert_eq!(
            Ipv6Prefix::new(address, length).unwrap().to_string(),
            expected
        );
    }
    assert_eq!(
        Ipv6Prefix::new(address, 129),
        Err(EncodeError::PrefixLength { length: 129 })
    );
    assert_eq!(
        Ipv6Prefix::decode(&[0, 64, 1, 2, 3, 4, 5, 6, 7]),
        None,
        "one octet missing"
    );
    assert_eq!(Ipv6Prefix::decode(&[0; 19]), None, "more than an address");
    assert_eq!(Ipv6Prefix::decode(&[0]), None);
    assert_eq!(
        Ipv6Prefix::decode(&[0, 4, 0xFF]).unwrap().to_string(),
        "f000::/4"
    );
}

#[test]
fn tags_split_at_0x1f() {
    assert_eq!(split_tag(b"\x01pool"), (Some(1), &b"pool"[..]));
    assert_eq!(split_tag(b"\x1fpool"), (Some(0x1f), &b"pool"[..]));
    assert_eq!(split_tag(b" pool"), (None, &b" pool"[..]));
    assert_eq!(split_tag(b""), (None, &b""[..]));
}
