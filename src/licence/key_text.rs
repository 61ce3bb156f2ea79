//! The licence key: what a customer gets by mail and types in, `PROX-7KQ2M-XB4TD-9WN3H-RC6VP`.
//!
//! Twenty letters and digits that cannot be mistaken for one another, so 97 bits: nobody guesses one. Invariant: case, blanks
//! and missing dashes do not matter, and one key has one text.

use zeroize::Zeroize;

use crate::crypto::{self, CryptoError, Secret};

const PREFIX: &str = "PROX";
/// No 0 and O, 1, I and L, nor U that sounds like V.
const LETTERS: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRSTVWXZ";
const DIGITS: usize = 20;
const GROUP: usize = 5;
/// Random octets from here on are left out, so that each letter is as likely as any other.
const FAIR: u8 = 232;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A licence key looks like PROX-7KQ2M-XB4TD-9WN3H-RC6VP")]
pub struct BadKey;

/// A key in its one text. No Debug of it: who has it has the licence.
#[derive(Clone, Debug)]
pub struct LicenceKey(Secret<String>);

impl LicenceKey {
    pub fn generate() -> Result<LicenceKey, CryptoError> {
        let mut digits = String::new();
        while digits.len() < DIGITS {
            let random = crypto::random_bytes::<32>()?;
            let fair = random.iter().filter(|octet| **octet < FAIR);
            let letters = fair.filter_map(|octet| LETTERS.get(usize::from(*octet) % LETTERS.len()));
            digits.extend(letters.take(DIGITS - digits.len()).copied().map(char::from));
        }
        Ok(Self::of(&digits))
    }

    /// Reads what a person typed.
    pub fn parse(text: &str) -> Result<LicenceKey, BadKey> {
        let mut plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(PREFIX.len() + DIGITS + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let key = plain
            .strip_prefix(PREFIX)
            .filter(|digits| digits.len() == DIGITS)
            .filter(|digits| digits.bytes().all(|octet| LETTERS.contains(&octet)))
            .map(Self::of);
        plain.zeroize();
        key.ok_or(BadKey)
    }

    fn of(digits: &str) -> LicenceKey {
        let mut text = PREFIX.to_owned();
        for (place, letter) in digits.chars().enumerate() {
            if place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        LicenceKey(Secret::new(text))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// By which the vendor finds the licence.
    pub fn digest(&self) -> [u8; 32] {
        crypto::sha256(self.0.expose().as_bytes())
    }

    /// The last five letters, by which people tell keys apart.
    pub fn hint(&self) -> &str {
        self.0.expose().rsplit('-').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "PROX-7KQ2M-XB4TD-9WN3H-RC6VP";

    #[test]
    fn a_key_is_read_as_people_type_it() {
        for text in [
            KEY,
            "prox-7kq2m-xb4td-9wn3h-rc6vp",
            " PROX 7KQ2MXB4TD 9WN3HRC6VP\n",
            "PROX7KQ2MXB4TD9WN3HRC6VP",
        ] {
            let key = LicenceKey::parse(text).unwrap();
            assert_eq!(key.expose(), KEY, "{text}");
            assert_eq!(key.hint(), "RC6VP");
        }
        for text in [
            "",
            "PROX",
            "PROX-7KQ2M-XB4TD-9WN3H-RC6V",
            "PROX-7KQ2M-XB4TD-9WN3H-RC6VPP",
            "PROX-0KQ2M-XB4TD-9WN3H-RC6VP",
            "ABCD-7KQ2M-XB4TD-9WN3H-RC6VP",
            "PROX-7KQ2M-XB4TD-9WN3H-RC6Vé",
        ] {
            assert_eq!(LicenceKey::parse(text).err(), Some(BadKey), "{text}");
        }
    }

    #[test]
    fn generated_keys_differ_and_are_read_back() {
        let (one, two) = (
            LicenceKey::generate().unwrap(),
            LicenceKey::generate().unwrap(),
        );
        assert_ne!(one.expose(), two.expose());
        let read = LicenceKey::parse(one.expose()).unwrap();
        assert_eq!(read.digest(), one.digest());
        assert!(!format!("{one:?}").contains(one.hint()));
    }
}
