//! Secrets: the machine's key, sealing of what must be read back, password hashes, tokens, digests.
//!
//! Who may see a secret, and when one is asked for, is decided elsewhere. RADIUS' own digests live in `radius`.
//! Invariants: no value of `Secret` or `Key` reaches a log or an error, and an existing key file is never replaced.

mod key_file;
pub mod totp;

use std::fmt;
use std::io;
use std::path::PathBuf;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

pub use key_file::KeyFile;

/// Octets of the machine's key (AES-256).
pub const KEY_LENGTH: usize = 32;
/// First octet of a sealed value: names the cipher and the layout, so that both can change one day.
const SEAL_VERSION: u8 = 1;
/// Octets of the random nonce of AES-GCM (NIST SP 800-38D s8.2.2).
const NONCE_LENGTH: usize = 12;
/// Octets of the authentication tag that ends a sealed value.
const TAG_LENGTH: usize = 16;

/// Argon2id memory in KiB. With `ARGON2_PASSES` and `ARGON2_LANES` it is the low-memory choice of the OWASP password
/// storage guide: 7 MiB a sign-in suits a machine of 512 MB.
const ARGON2_MEMORY_KIB: u32 = 7168;
const ARGON2_PASSES: u32 = 5;
const ARGON2_LANES: u32 = 1;
/// The hash of a password nobody has, checked when the user name is unknown so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=7168,t=5,p=1$bm9ib2R5bm9ib2R5bm9ibw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What can go wrong with keys and sealed values. No variant carries secret material.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    #[error(
        "the key file {} is missing, but the store beside it exists. Copy the key back from where you keep it (without it \
         PPP passwords and NAS secrets cannot be read); nothing was changed",
        .path.display()
    )]
    KeyMissing { path: PathBuf },
    #[error(
        "the key file {} holds {length} octets instead of {KEY_LENGTH}. Copy the right key back; nothing was changed",
        .path.display()
    )]
    KeyLength { path: PathBuf, length: u64 },
    #[error(
        "the key file {} can be read by others (mode {mode:04o}). Make it private with: chmod 600 {}",
        .path.display(), .path.display()
    )]
    KeyExposed { path: PathBuf, mode: u32 },
    #[error("the key file {} cannot be used: {source}", .path.display())]
    KeyFile { path: PathBuf, source: io::Error },
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("a sealed value of {length} octets has an unknown layout")]
    SealedLayout { length: usize },
    #[error(
        "a sealed value does not open: it was changed, belongs elsewhere, or another key sealed it"
    )]
    Unseal,
    #[error("a value could not be sealed")]
    Seal,
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    #[error("a second factor could not be made: {0}")]
    Factor(String),
}

/// A value that is wiped when dropped and that prints as `[redacted]`.
#[derive(Clone, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value itself. Each call is a place to look at when secrets are reviewed.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The machine's key: it seals PPP passwords and NAS secrets, and lives beside the store, never in it.
#[derive(Clone, Debug)]
pub struct Key(Secret<[u8; KEY_LENGTH]>);

impl Key {
    pub fn generate() -> Result<Self, CryptoError> {
        Ok(Key(Secret::new(random_bytes()?)))
    }

    pub fn from_bytes(bytes: [u8; KEY_LENGTH]) -> Self {
        Key(Secret::new(bytes))
    }

    /// The octets themselves, for keys that are no keys of a sealer, such as the seed of a signing key.
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        self.0.expose()
    }
}

/// Seals and unseals small values with AES-256-GCM under the machine's key.
///
/// Layout of a sealed value: version octet, 12 octets of random nonce, ciphertext, 16 octets of tag. The key schedule is
/// computed once, so that unsealing a password costs about a microsecond.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    pub fn new(key: &Key) -> Self {
        Sealer {
            cipher: Aes256Gcm::new(&(*key.0.expose()).into()),
        }
    }

    /// Seals `plain` for the place that `context` names (table and row id): moved elsewhere, it does not open.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let nonce = random_bytes::<NONCE_LENGTH>()?;
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        let ciphertext = self
            .cipher
            .encrypt(&nonce.into(), payload)
            .map_err(|_| CryptoError::Seal)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
        sealed.push(SEAL_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what `seal` made for the same context.
    ///
    /// Errors: `SealedLayout` for a length or version that `seal` never writes, `Unseal` when the tag does not match.
    pub fn unseal(&self, context: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError> {
        let layout = || CryptoError::SealedLayout {
            length: sealed.len(),
        };
        let (&version, rest) = sealed.split_first().ok_or_else(layout)?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or_else(layout)?;
        if version != SEAL_VERSION || ciphertext.len() < TAG_LENGTH {
            return Err(layout());
        }
        let payload = Payload {
            msg: ciphertext,
            aad: context,
        };
        let plain = self
            .cipher
            .decrypt(&(*nonce).into(), payload)
            .map_err(|_| CryptoError::Unseal)?;
        Ok(Secret::new(plain))
    }
}

/// Hashes a password with Argon2id and a fresh salt into a PHC string. Takes 13 ms and 7 MiB: never on a RADIUS thread.
pub fn hash_password(password: &str) -> Result<String, CryptoError> {
    let salt = random_bytes::<16>()?;
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| CryptoError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether `password` is the one behind the PHC string `hash`. A hash that cannot be read matches nothing.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

/// Spends the time of a password check and refuses: for unknown user names, so that the time tells nothing.
pub fn verify_nobody(password: &str) -> bool {
    let _ = verify_password(password, NOBODY);
    false
}

fn argon2() -> Result<Argon2<'static>, CryptoError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None)
        .map_err(|error| CryptoError::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Random octets of the operating system.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(CryptoError::Random)?;
    Ok(bytes)
}

/// A token for a cookie, a link or an API caller: 32 random octets as 64 hexadecimal digits, safe in any URL.
pub fn random_token() -> Result<String, CryptoError> {
    Ok(hex(&random_bytes::<32>()?))
}

/// The signs of [`readable_code`]: none can be taken for another of them.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A code for people to read and type, such as `k7mxq-2hfzp`: so many groups of five signs, 25 random bits each. Ask for three
/// at least: such codes are stored as a plain digest.
pub fn readable_code(groups: usize) -> Result<Secret<String>, CryptoError> {
    let mut code = String::with_capacity(groups.saturating_mul(6));
    for group in 0..groups {
        if group > 0 {
            code.push('-');
        }
        for octet in random_bytes::<5>()? {
            let sign = READABLE.get(usize::from(octet % 32)).copied();
            code.push(sign.map_or('x', char::from));
        }
    }
    Ok(Secret::new(code))
}

/// The digest of a code as somebody typed it: case, blanks and dashes do not count.
pub fn code_hash(typed: &str) -> [u8; 32] {
    let plain: String = typed
        .chars()
        .filter(|sign| !sign.is_whitespace() && *sign != '-')
        .flat_map(char::to_lowercase)
        .collect();
    sha256(plain.as_bytes())
}

/// Lower-case hexadecimal digits, two for each octet.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

/// What [`hex`] wrote; nothing for any other text.
pub fn unhex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    octets.unwrap_or_default()
}

/// SHA-256 (FIPS 180-4). Tokens are stored as this digest: they are random, so they need no slow hash.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Compares in a time that depends on the lengths only.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(octet: u8) -> Sealer {
        Sealer::new(&Key::from_bytes([octet; KEY_LENGTH]))
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(format!("{:?}", Key::from_bytes([7; 32])), "Key([redacted])");
        assert_eq!(format!("{:?}", sealer(1)), "Sealer");
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_under_its_key() {
        for plain in [&b""[..], b"x", b"pass00001", &[0xff; 300]] {
            let sealed = sealer(1).seal(b"subscriber/7", plain).unwrap();
            assert_eq!(sealed.len(), 1 + NONCE_LENGTH + plain.len() + TAG_LENGTH);
            assert_eq!(
                sealer(1).unseal(b"subscriber/7", &sealed).unwrap().expose(),
                plain
            );
            assert!(matches!(
                sealer(1).unseal(b"subscriber/8", &sealed),
                Err(CryptoError::Unseal)
            ));
            assert!(matches!(
                sealer(2).unseal(b"subscriber/7", &sealed),
                Err(CryptoError::Unseal)
            ));
        }
    }

    #[test]
    fn every_changed_or_cut_octet_is_refused() {
        let sealed = sealer(1).seal(b"c", b"secret").unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(
                sealer(1).unseal(b"c", &changed).is_err(),
                "octet {position}"
            );
            assert!(
                sealer(1).unseal(b"c", &sealed[..position]).is_err(),
                "cut at {position}"
            );
        }
    }

    #[test]
    fn equal_values_seal_differently() {
        assert_ne!(
            sealer(1).seal(b"c", b"same").unwrap(),
            sealer(1).seal(b"c", b"same").unwrap()
        );
    }

    #[test]
    fn passwords_verify_and_carry_the_chosen_cost() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{hash}");
        assert!(verify_password("correct horse", &hash));
        assert!(!verify_password("correct horsf", &hash));
        assert!(!verify_password("correct horse", "not a hash"));
        assert!(!verify_password("correct horse", ""));
        assert_ne!(hash, hash_password("correct horse").unwrap());
    }

    #[test]
    fn an_unknown_user_costs_a_whole_hash_and_is_refused() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(
            Params::try_from(&parsed).unwrap().m_cost(),
            ARGON2_MEMORY_KIB
        );
        assert_eq!(Params::try_from(&parsed).unwrap().t_cost(), ARGON2_PASSES);
        assert!(!verify_nobody(""));
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let token = random_token().unwrap();
        assert_eq!(token.len(), 64);
        assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(token, random_token().unwrap());
        assert_eq!(hex(&[0x00, 0x9f, 0xa0]), "009fa0");
        assert_eq!(unhex("009fa0"), [0x00, 0x9f, 0xa0]);
        for text in ["", "0g", "é"] {
            assert!(unhex(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn codes_are_readable_and_are_known_again_however_they_are_typed() {
        let code = readable_code(3).unwrap().expose().clone();
        assert_eq!(code.len(), 17);
        for (position, sign) in code.chars().enumerate() {
            assert_eq!(sign == '-', position % 6 == 5, "{code}");
            assert!(
                !"lo01".contains(sign),
                "{code}: a sign that looks like another"
            );
        }
        assert_ne!(code, *readable_code(3).unwrap().expose());
        let spaced = code.to_uppercase().replace('-', " ");
        assert_eq!(code_hash(&format!(" {spaced}\n")), code_hash(&code));
        assert_ne!(code_hash(&code[1..]), code_hash(&code));
    }

    #[test]
    fn digests_match_the_standard() {
        assert_eq!(
            hex(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(constant_time_eq(b"same", b"same"));
        assert!(!constant_time_eq(b"same", b"samf"));
        assert!(!constant_time_eq(b"same", b"sam"));
    }
}
