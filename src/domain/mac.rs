//! MAC addresses in any notation a router sends, kept in one.

use super::Invalid;
use std::fmt;

/// Six octets; prints as `AA:BB:CC:DD:EE:FF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads every notation listed in radius.md section 9; `None` for anything else, such
    /// as `192.168.100.111`, which has twelve digits and is no MAC address.
    pub fn read(text: &str) -> Option<Mac> {
        let text = text.trim();
        let separator = [b':', b'-', b' ', b'.']
            .into_iter()
            .find(|separator| text.as_bytes().contains(separator));
        let Some(separator) = separator.map(char::from) else {
            return match text.len() {
                12 => from_digits(text.as_bytes()),
                _ => None,
            };
        };
        // No notation has more than seven groups. Nothing is allocated here: every login and record has such a text.
        let mut groups = [""; 8];
        let mut count = 0;
        for (place, group) in groups.iter_mut().zip(text.split(separator)) {
            *place = group;
            count += 1;
        }
        from_groups(groups.get(..count)?, separator)
    }

    /// What a person typed into a form.
    pub fn parse(text: &str) -> Result<Mac, Invalid> {
        Self::read(text).ok_or_else(|| Invalid::new("Not a MAC address, such as AA:BB:CC:DD:EE:FF"))
    }
}

/// Some digits of a MAC address that follow one another, wherever they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacPart {
    digits: u64,
    mask: u64,
    /// By how many digits it can be moved inside an address.
    room: u32,
}

impl MacPart {
    /// Reads 1 to 12 hexadecimal digits without anything between them; `None` for anything else.
    pub fn read(digits: &str) -> Option<MacPart> {
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let room = 12u32.checked_sub(u32::try_from(digits.len()).ok()?)?;
        Some(MacPart {
            digits: u64::from_str_radix(digits, 16).ok()?,
            mask: (1 << (4 * digits.len())) - 1,
            room,
        })
    }

    pub fn is_in(self, mac: Mac) -> bool {
        let [a, b, c, d, e, f] = mac.0;
        let all = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        (0..=self.room).any(|moved| (all >> (4 * moved)) & self.mask == self.digits)
    }
}

fn from_groups(groups: &[&str], separator: char) -> Option<Mac> {
    match (groups.len(), separator) {
        (6, ':' | '-') => from_octets(groups, 1),
        (6, ' ') => from_octets(groups, 2),
        // A DHCP client identifier: hardware type 1, then the address.
        (7, ':' | '-') => match groups.split_first()? {
            (&("1" | "01"), rest) => from_octets(rest, 1),
            _ => None,
        },
        (3, '.' | ':' | '-') if groups.iter().all(|g| g.len() == 4) => {
            from_digits(groups.concat().as_bytes())
        }
        (2, ':' | '-') if groups.iter().all(|g| g.len() == 6) => {
            from_digits(groups.concat().as_bytes())
        }
        _ => None,
    }
}

fn from_octets(groups: &[&str], shortest: usize) -> Option<Mac> {
    let mut octets = [0u8; 6];
    for (octet, group) in octets.iter_mut().zip(groups) {
        let plain = group.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain || group.len() < shortest || group.len() > 2 {
            return None;
        }
        *octet = u8::from_str_radix(group, 16).ok()?;
    }
    Some(Mac(octets))
}

fn from_digits(digits: &[u8]) -> Option<Mac> {
    let mut octets = [0u8; 6];
    let mut pairs = digits.chunks_exact(2);
    for octet in &mut octets {
        let pair = std::str::from_utf8(pairs.next()?).ok()?;
        if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Mac(octets))
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_wherever_it_stands() {
        let mac = Mac([0x02, 0xAB, 0xCD, 0xEF, 0x10, 0x9F]);
        for digits in [
            "0",
            "02",
            "02a",
            "2abc",
            "bcdef1",
            "109f",
            "9F",
            "f",
            "02abcdef109f",
        ] {
            assert!(
                MacPart::read(digits).is_some_and(|part| part.is_in(mac)),
                "{digits}"
            );
        }
        for digits in [
            "3",
            "00",
            "020",
            "9f0",
            "109e",
            "f02a",
            "12abcdef109f",
            "02abcdef109e",
        ] {
            assert!(
                MacPart::read(digits).is_some_and(|part| !part.is_in(mac)),
                "{digits}"
            );
        }
        for text in ["", "0g", "0:2", " 2", "+2", "002abcdef109f"] {
            assert_eq!(MacPart::read(text), None, "{text}");
        }
    }

    #[test]
    fn reference_vector_mac_normalise() {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).unwrap();
        let vector = all["vectors"]
            .as_array()
            .unwrap()
            .iter()
            .find(|v| v["id"] == "mac-normalise")
            .unwrap();
        let inputs = vector["inputs"]["inputs"].as_array().unwrap();
        let expected = vector["expected"]["canonical"].as_array().unwrap();
        assert_eq!(inputs.len(), expected.len());
        for (input, expected) in inputs.iter().zip(expected) {
            let read = Mac::read(input.as_str().unwrap()).map(|m| m.to_string());
            assert_eq!(read.as_deref(), expected.as_str(), "{input}");
        }
    }

    #[test]
    fn refuses_what_only_looks_like_one() {
        for text in [
            "",
            "192.168.100.111",
            "aa:bb:cc:dd:ee",
            "aa:bb:cc:dd:ee:ff:00",
            "gg:bb:cc:dd:ee:ff",
            "+a:bb:cc:dd:ee:ff",
            "aabbccddeef",
            "aa bb cc dd ee f",
            "2:aa:bb:cc:dd:ee:ff",
        ] {
            assert_eq!(Mac::read(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_reads_back(text in "\\PC{0,24}") {
            if let Some(mac) = Mac::read(&text) {
                proptest::prop_assert_eq!(Mac::read(&mac.to_string()), Some(mac));
            }
        }
    }
}
