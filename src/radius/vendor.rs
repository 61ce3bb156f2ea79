//! Sub-attributes of Vendor-Specific (26), for the usual layout and for the vendors that chose another one.
//!
//! A Vendor-Specific that does not fit its layout is opaque: none of its parts is reported (RFC 2865 s5.26).

use super::number;
use super::packet::Attributes;

/// One sub-attribute. `kind` is wider than an octet because USR, Lucent and Starent use wider ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorAttribute<'a> {
    pub vendor: u32,
    pub kind: u32,
    pub value: &'a [u8],
}

/// Octets of type and length, and whether a continuation octet follows (FreeRADIUS `format=t,l[,c]`).
struct Layout {
    kind: usize,
    length: usize,
    continuation: bool,
}

fn layout(vendor: u32) -> Layout {
    let (kind, length, continuation) = match vendor {
        429 => (4, 0, false),
        637 | 4846 | 16445 => (2, 1, false),
        8164 => (2, 2, false),
        5323 | 24757 => (1, 1, true),
        _ => (1, 1, false),
    };
    Layout {
        kind,
        length,
        continuation,
    }
}

/// Iterator over the sub-attributes of a packet.
#[derive(Clone)]
pub struct VendorAttributes<'a> {
    attributes: Attributes<'a>,
    vendor: u32,
    rest: &'a [u8],
}

impl<'a> VendorAttributes<'a> {
    pub(super) fn new(attributes: Attributes<'a>) -> Self {
        VendorAttributes {
            attributes,
            vendor: 0,
            rest: &[],
        }
    }
}

impl<'a> Iterator for VendorAttributes<'a> {
    type Item = VendorAttribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((kind, value, rest)) = split(self.vendor, self.rest) {
                self.rest = rest;
                return Some(VendorAttribute {
                    vendor: self.vendor,
                    kind,
                    value,
                });
            }
            let (_, value) = self
                .attributes
                .find(|(kind, _)| *kind == number::VENDOR_SPECIFIC)?;
            let Some((vendor, rest)) = value.split_first_chunk::<4>() else {
                continue;
            };
            self.vendor = u32::from_be_bytes(*vendor);
            self.rest = if fits(self.vendor, rest) { rest } else { &[] };
        }
    }
}

/// Whether the layout divides `rest` without remainder. Bounded: each step takes at least two octets of at most 249.
fn fits(vendor: u32, mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        match split(vendor, rest) {
            Some((_, _, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Takes one sub-attribute off the front: (type, value, rest).
fn split(vendor: u32, rest: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let layout = layout(vendor);
    let (kind, after_kind) = rest.split_at_checked(layout.kind)?;
    let kind = big_endian(kind);
    if layout.length == 0 {
        return Some((kind, after_kind, &[]));
    }
    let (length, _) = after_kind.split_at_checked(layout.length)?;
    let length = usize::try_from(big_endian(length)).ok()?;
    let head = layout.kind + layout.length + usize::from(layout.continuation);
    let value = rest.get(head..length)?;
    Some((kind, value, rest.get(length..)?))
}

fn big_endian(octets: &[u8]) -> u32 {
    octets
        .iter()
        .fold(0, |sum, octet| (sum << 8) | u32::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::super::attribute::AttributeBuffer;
    use super::*;

    fn parts(values: &[&[u8]]) -> Vec<(u32, u32, Vec<u8>)> {
        let mut buffer = AttributeBuffer::new();
        for value in values {
            buffer.push_raw(number::VENDOR_SPECIFIC, value).unwrap();
        }
        VendorAttributes::new(buffer.iter())
            .map(|part| (part.vendor, part.kind, part.value.to_vec()))
            .collect()
    }

    #[test]
    fn one_bad_part_makes_its_whole_attribute_opaque_and_no_other() {
        let good: &[u8] = &[0, 0, 0, 9, 1, 3, b'x'];
        let found = vec![(9, 1, b"x".to_vec())];
        let bad: [&[u8]; 7] = [
            &[],
            &[0, 0, 0],
            &[0, 0, 0, 9],
            &[0, 0, 0, 9, 1],
            &[0, 0, 0, 9, 1, 3, b'y', 1],
            &[0, 0, 0, 9, 1, 3, b'y', 1, 1],
            &[0, 0, 0, 9, 1, 4, b'y'],
        ];
        for value in bad {
            assert_eq!(parts(&[value, good]), found, "{value:?}");
        }
        assert_eq!(parts(&[&[0, 0, 0, 9, 1, 2]]), [(9, 1, Vec::new())]);
    }
}
