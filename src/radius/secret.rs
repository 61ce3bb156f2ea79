//! The secret shared with one NAS, and the digest states that depend on nothing else.
//!
//! Invariant: the octets are 1 to 128 long, wiped on drop, and never shown. Which secret belongs to which NAS is the
//! handler's knowledge, not this file's.

use std::fmt;

use hmac::{Hmac, KeyInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// Longest accepted secret; longer ones are typing accidents and some NAS cut them silently.
pub const SECRET_MAX_OCTETS: usize = 128;

/// Why a text cannot be a shared secret. Tells the length only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shared secret has 1 to {SECRET_MAX_OCTETS} octets, not {length}")]
pub struct SecretError {
    pub length: usize,
}

/// A shared secret with its HMAC-MD5 key schedule done once (RFC 2104): two digest blocks saved per packet.
#[derive(Clone)]
pub struct SharedSecret {
    octets: Zeroizing<Box<[u8]>>,
    keyed: Hmac<Md5>,
    prefix: Md5,
}

impl SharedSecret {
    /// Errors: `SecretError` when empty or longer than [`SECRET_MAX_OCTETS`].
    pub fn new(octets: &[u8]) -> Result<Self, SecretError> {
        let length = octets.len();
        if length == 0 || length > SECRET_MAX_OCTETS {
            return Err(SecretError { length });
        }
        let keyed = Hmac::new_from_slice(octets).map_err(|_| SecretError { length })?;
        let prefix = Md5::new_with_prefix(octets);
        Ok(Self {
            octets: Zeroizing::new(octets.into()),
            keyed,
            prefix,
        })
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// HMAC-MD5 that has absorbed the key.
    pub(super) fn keyed(&self) -> Hmac<Md5> {
        self.keyed.clone()
    }

    /// MD5 that has absorbed the secret, as attribute hiding starts (RFC 2865 s5.2).
    pub(super) fn prefixed(&self) -> Md5 {
        self.prefix.clone()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedSecret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_bounded_on_both_sides() {
        for (length, accepted) in [(0, false), (1, true), (128, true), (129, false)] {
            let made = SharedSecret::new(&vec![b'x'; length]);
            assert_eq!(made.is_ok(), accepted, "{length} octets");
        }
    }

    #[test]
    fn debug_hides_the_octets() {
        let secret = SharedSecret::new(b"visible").unwrap();
        assert_eq!(format!("{secret:?}"), "SharedSecret(hidden)");
    }
}
