//! Ed25519 signatures of the vendor (RFC 8032), over a word that says what is signed and the octets themselves.
//!
//! A signed text is the payload, a dot, and the signature, both as base64url. Invariant: what is signed as one kind of
//! document never passes for another kind.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::base64url;
use crate::crypto::{self, CryptoError, Key};

/// Octets of a public key, and of the id made from it.
const PUBLIC_OCTETS: usize = 32;
const ID_OCTETS: usize = 4;
/// A signed text is longer than this only if it is not one of ours.
pub const LONGEST_SIGNED: usize = 64 << 10;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Licence,
    /// What the vendor says to one question.
    Answer,
    /// What is known of a release: its version, files and digests.
    Release,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Licence => "proxpanel licence 1\0",
            Purpose::Answer => "proxpanel answer 1\0",
            Purpose::Release => "proxpanel release 1\0",
        }
    }
}

/// Why a text is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("it is not a signed text")]
    Layout,
    #[error("the vendor did not sign it")]
    Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a vendor's key is 43 letters, digits, - and _, as `proxpanel vendor key` prints it")]
pub struct NotAKey;

/// The public half of the vendor's key: it tells what the vendor signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VendorKey([u8; PUBLIC_OCTETS]);

impl VendorKey {
    /// Reads the text that [`VendorKey::to_text`] wrote.
    pub fn parse(text: &str) -> Result<VendorKey, NotAKey> {
        let octets = base64url::decode(text.trim()).ok_or(NotAKey)?;
        Ok(VendorKey(octets.try_into().map_err(|_| NotAKey)?))
    }

    pub fn to_text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// Eight hexadecimal digits by which people tell keys apart.
    pub fn id(&self) -> String {
        let digest = crypto::sha256(&self.0);
        crypto::hex(digest.get(..ID_OCTETS).unwrap_or_default())
    }

    /// The payload of a text that this key signed for this purpose.
    pub fn open(&self, purpose: Purpose, text: &str) -> Result<Vec<u8>, SignatureError> {
        if text.len() > LONGEST_SIGNED {
            return Err(SignatureError::Layout);
        }
        let (payload, signature) = text.split_once('.').ok_or(SignatureError::Layout)?;
        let payload = base64url::decode(payload).ok_or(SignatureError::Layout)?;
        let signature = base64url::decode(signature).ok_or(SignatureError::Layout)?;
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(&message(purpose, &payload), &signature)
            .map_err(|_| SignatureError::Wrong)?;
        Ok(payload)
    }
}

impl fmt::Debug for VendorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VendorKey({})", self.id())
    }
}

/// The vendor's own half. No Debug of its octets.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VendorKey,
}

impl SigningKey {
    /// The seed is any 32 random octets (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: &Key) -> Result<SigningKey, CryptoError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| CryptoError::Seal)?;
        let public = <[u8; PUBLIC_OCTETS]>::try_from(pair.public_key().as_ref())
            .map_err(|_| CryptoError::Seal)?;
        Ok(SigningKey {
            pair,
            public: VendorKey(public),
        })
    }

    pub fn public(&self) -> VendorKey {
        self.public
    }

    pub fn sign(&self, purpose: Purpose, payload: &[u8]) -> String {
        let signature = self.pair.sign(&message(purpose, payload));
        format!(
            "{}.{}",
            base64url::encode(payload),
            base64url::encode(signature.as_ref())
        )
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

fn message(purpose: Purpose, payload: &[u8]) -> Vec<u8> {
    let mut message = purpose.word().as_bytes().to_vec();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(octet: u8) -> SigningKey {
        SigningKey::from_seed(&Key::from_bytes([octet; 32])).unwrap()
    }

    /// RFC 8032 section 7.1, test 1: the public key of a seed.
    #[test]
    fn the_public_key_is_that_of_rfc_8032() {
        let seed: Vec<u8> = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let key = SigningKey::from_seed(&Key::from_bytes(seed.try_into().unwrap())).unwrap();
        assert_eq!(
            crypto::hex(&key.public().0),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert_eq!(VendorKey::parse(&key.public().to_text()), Ok(key.public()));
        assert_eq!(key.public().id(), "21fe31df");
    }

    #[test]
    fn what_was_signed_opens_and_nothing_else_does() {
        let signed = key(1).sign(Purpose::Licence, b"payload");
        let public = key(1).public();
        assert_eq!(
            public.open(Purpose::Licence, &signed).as_deref(),
            Ok(&b"payload"[..])
        );
        assert_eq!(
            public.open(Purpose::Answer, &signed),
            Err(SignatureError::Wrong)
        );
        assert_eq!(
            key(2).public().open(Purpose::Licence, &signed),
            Err(SignatureError::Wrong)
        );
        let (payload, signature) = signed.split_once('.').unwrap();
        let other = key(1).sign(Purpose::Licence, b"payloae");
        let (other_payload, other_signature) = other.split_once('.').unwrap();
        for wrong in [
            format!("{other_payload}.{signature}"),
            format!("{payload}.{other_signature}"),
        ] {
            assert_eq!(
                public.open(Purpose::Licence, &wrong),
                Err(SignatureError::Wrong)
            );
        }
        for cut in 0..signed.len() {
            assert!(public.open(Purpose::Licence, &signed[..cut]).is_err());
        }
        let long = format!("{}.{signature}", "A".repeat(LONGEST_SIGNED));
        assert_eq!(
            public.open(Purpose::Licence, &long),
            Err(SignatureError::Layout)
        );
    }

    #[test]
    fn a_key_of_another_length_or_alphabet_is_refused() {
        let text = key(1).public().to_text();
        assert_eq!(text.len(), 43);
        for wrong in ["", "abc", &text[1..], &format!("{text}AA"), "ü"] {
            assert_eq!(VendorKey::parse(wrong), Err(NotAKey), "{wrong}");
        }
        assert!(VendorKey::parse(&format!(" {text}\n")).is_ok());
    }
}
