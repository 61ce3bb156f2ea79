//! PAP: the password itself, hidden under the shared secret (RFC 2865 s5.2).

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::mschap::nt_hash;
use super::{AttemptError, Credential, Proof, Verdict};
use crate::radius::authenticator::{HIDDEN_PASSWORD_MAX_OCTETS, unhide_in_place};
use crate::radius::packet::Authenticator;
use crate::radius::secret::SharedSecret;

/// A hidden password of 16, 32, .. or 128 octets.
pub(super) struct Hidden<'a>(&'a [u8]);

impl<'a> Hidden<'a> {
    pub fn read(value: &'a [u8]) -> Result<Self, AttemptError> {
        let length = value.len();
        if length == 0 || !length.is_multiple_of(16) || length > HIDDEN_PASSWORD_MAX_OCTETS {
            return Err(AttemptError::Size {
                attribute: "User-Password",
                length,
            });
        }
        Ok(Hidden(value))
    }

    pub fn verify(
        &self,
        secret: &SharedSecret,
        request_authenticator: &Authenticator,
        credential: &Credential<'_>,
    ) -> Verdict {
        let mut padded = Zeroizing::new([0; HIDDEN_PASSWORD_MAX_OCTETS]);
        let Some(presented) = padded.get_mut(..self.0.len()) else {
            return Verdict::Mismatch { garbled: false };
        };
        presented.copy_from_slice(self.0);
        unhide_in_place(secret, request_authenticator, presented);
        let equal = match credential {
            Credential::Password(password) => equals_padded(&padded, password),
            Credential::NtHash(stored) => nt_hash(without_padding(padded.as_slice()))
                .ct_eq(stored)
                .into(),
        };
        if equal {
            Verdict::Match(Proof::Plain)
        } else {
            Verdict::Mismatch {
                garbled: is_garbled(without_padding(padded.as_slice())),
            }
        }
    }
}

/// Compares all 128 octets whatever the lengths, so that time tells nothing about where they differ.
fn equals_padded(presented: &[u8; HIDDEN_PASSWORD_MAX_OCTETS], password: &[u8]) -> bool {
    let mut stored = [0; HIDDEN_PASSWORD_MAX_OCTETS];
    let Some(place) = stored.get_mut(..password.len()) else {
        return false;
    };
    place.copy_from_slice(password);
    let equal = stored.ct_eq(presented).into();
    stored.zeroize();
    equal
}

fn without_padding(padded: &[u8]) -> &[u8] {
    let kept = padded
        .iter()
        .rposition(|octet| *octet != 0)
        .map_or(0, |last| last + 1);
    padded.get(..kept).unwrap_or_default()
}

/// A password people type has no control characters and is UTF-8; the result of a wrong secret nearly never is.
fn is_garbled(password: &[u8]) -> bool {
    match std::str::from_utf8(password) {
        Ok(text) => text.chars().any(char::is_control),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::authenticator::hide_password;

    const RA: Authenticator = [9; 16];

    fn verdict(presented: &[u8], credential: &Credential<'_>, stored_secret: &[u8]) -> Verdict {
        let secret = SharedSecret::new(b"n4s-Secret-01").unwrap();
        let hidden = hide_password(&secret, &RA, presented).unwrap();
        let ours = SharedSecret::new(stored_secret).unwrap();
        Hidden::read(&hidden)
            .unwrap()
            .verify(&ours, &RA, credential)
    }

    #[test]
    fn passwords_match_octet_for_octet() {
        let long = [b'x'; 128];
        let cases: [(&[u8], &[u8], bool); 9] = [
            (b"secret", b"secret", true),
            (b"secret", b"Secret", false),
            (b"secret ", b"secret", false),
            (b"secret", b"secret1", false),
            (b"0123456789abcdef0", b"0123456789abcdef0", true),
            (b"0123456789abcdef0", b"0123456789abcdef1", false),
            (&long, &long, true),
            (&long, &[b'x'; 129], false),
            (b"", b"", true),
        ];
        for (presented, stored, equal) in cases {
            let verdict = verdict(presented, &Credential::Password(stored), b"n4s-Secret-01");
            assert_eq!(
                matches!(verdict, Verdict::Match(Proof::Plain)),
                equal,
                "{presented:?} {stored:?}"
            );
        }
    }

    #[test]
    fn the_nt_hash_serves_as_well() {
        let stored = Credential::NtHash(nt_hash(b"secret"));
        assert!(matches!(
            verdict(b"secret", &stored, b"n4s-Secret-01"),
            Verdict::Match(_)
        ));
        assert!(matches!(
            verdict(b"Secret", &stored, b"n4s-Secret-01"),
            Verdict::Mismatch { garbled: false }
        ));
    }

    #[test]
    fn a_wrong_secret_shows_as_garbled() {
        let stored = Credential::Password(b"secret");
        assert!(matches!(
            verdict(b"secret", &stored, b"another"),
            Verdict::Mismatch { garbled: true }
        ));
        assert!(is_garbled(b"ab\x01"));
        assert!(!is_garbled("p\u{e4}ss".as_bytes()));
    }

    #[test]
    fn sizes_other_than_whole_blocks_are_refused() {
        for (length, accepted) in [
            (0, false),
            (15, false),
            (16, true),
            (17, false),
            (128, true),
            (144, false),
        ] {
            assert_eq!(Hidden::read(&vec![0; length]).is_ok(), accepted, "{length}");
        }
    }
}
