//! Octets as text that is safe in any address, header and configuration file (RFC 4648 section 5, without padding).
//!
//! Invariant: one text for one value; what `encode` never writes, `decode` refuses.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let number = group
            .iter()
            .fold(0_usize, |number, octet| number << 8 | usize::from(*octet));
        let number = number << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            let at = (number >> (18 - 6 * digit)) & 0x3f;
            text.push(DIGITS.get(at).copied().map_or('A', char::from));
        }
    }
    text
}

/// `None` for another alphabet, an impossible length, or bits that no octet uses.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut number = 0_u32;
        for digit in group {
            let value = DIGITS.iter().position(|known| known == digit)?;
            number = number << 6 | u32::try_from(value).ok()?;
        }
        let unused = 6 * (4 - group.len());
        let [_, first, second, third] = (number << unused).to_be_bytes();
        let kept = group.len() - 1;
        let (whole, rest) = [first, second, third]
            .split_at_checked(kept)
            .map(|(a, b)| (a.to_vec(), b.to_vec()))?;
        if rest.iter().any(|octet| *octet != 0) {
            return None;
        }
        octets.extend(whole);
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4648_hold() {
        for (octets, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(encode(octets), text);
            assert_eq!(decode(text).as_deref(), Some(octets), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "Z", "Zm9vY", "Zg==", "Zm9v ", "Zm+v", "Zm/v", "Zh", "Zm9", "é",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_value_comes_back(octets: Vec<u8>) {
            proptest::prop_assert_eq!(decode(&encode(&octets)), Some(octets));
        }

        #[test]
        fn a_text_that_is_read_is_written_the_same(text in "[A-Za-z0-9_-]{0,12}") {
            if let Some(octets) = decode(&text) {
                proptest::prop_assert_eq!(encode(&octets), text);
            }
        }
    }
}
