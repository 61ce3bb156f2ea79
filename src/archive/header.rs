//! The first octets of a backup, in clear, and the key that they and the owner's words give. Integers are big-endian.
//!
//! ```text
//! 8   magic; CR LF in it shows a transfer that changed line ends
//! 1   format, 1
//! 1   whose words: 1 passphrase, 2 licence key
//! 12  Argon2id: memory in KiB, passes, lanes (RFC 9106)
//! 16  salt
//! 16  key check: Argon2id gives 48 octets, the key and this
//! 4   octets of plain text in a chunk
//! 7   start of every nonce
//! 1   length of the licence's id, then the id
//! ```
//!
//! Invariant: every chunk is authenticated together with these octets, so that a changed header opens nothing.

use std::io::{ErrorKind, Read};

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::{ArchiveError, KeyKind, Words};
use crate::crypto::{CryptoError, KEY_LENGTH, Secret, constant_time_eq, random_bytes};

const MAGIC: [u8; 8] = [0x8d, b'P', b'X', b'B', b'K', b'\r', b'\n', 0x1a];
pub(super) const FORMAT: u8 = 1;
/// Octets before the id.
const FIXED: usize = 66;
/// Ids of licences are shorter.
const LONGEST_ID: usize = 64;
const CHECK_LENGTH: usize = 16;
pub(super) const PREFIX_LENGTH: usize = 7;

/// Argon2id memory in KiB and passes: the file leaves the house, so guessing is made several times dearer than at the
/// sign-in, within what a machine of 512 MB has to spare for a moment.
const MEMORY_KIB: u32 = 8 << 10;
const PASSES: u32 = 12;
const LANES: u32 = 1;
/// What a header may ask for: a forged one must not take all memory or all day.
const MOST_MEMORY_KIB: u32 = 128 << 10;
const MOST_PASSES: u32 = 32;
const MOST_LANES: u32 = 8;

/// Octets of plain text in a chunk: what is held in memory at once, some times over.
pub(super) const CHUNK: u32 = 256 << 10;
const SMALLEST_CHUNK: u32 = 1 << 10;
const LARGEST_CHUNK: u32 = 4 << 20;

/// The key of one backup.
pub(super) type Key = Secret<[u8; KEY_LENGTH]>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: KeyKind,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
    check: [u8; CHECK_LENGTH],
    pub chunk: u32,
    pub prefix: [u8; PREFIX_LENGTH],
    pub id: String,
}

impl Header {
    /// A header for a new backup, and its key.
    pub fn make(words: &Words) -> Result<(Header, Key), ArchiveError> {
        Self::make_at_cost(words, MEMORY_KIB, PASSES)
    }

    pub(super) fn make_at_cost(
        words: &Words,
        memory_kib: u32,
        passes: u32,
    ) -> Result<(Header, Key), ArchiveError> {
        if words.id().len() > LONGEST_ID {
            return Err(ArchiveError::Header("the licence's id is too long"));
        }
        let mut header = Header {
            kind: words.kind(),
            memory_kib,
            passes,
            lanes: LANES,
            salt: random_bytes()?,
            check: [0; CHECK_LENGTH],
            chunk: CHUNK,
            prefix: random_bytes()?,
            id: words.id().to_owned(),
        };
        let (key, check) = header.derive(words)?;
        header.check = check;
        Ok((header, key))
    }

    /// The key, if these are the words. Errors: `WrongWords`.
    pub fn unlock(&self, words: &Words) -> Result<Key, ArchiveError> {
        let (key, check) = self.derive(words)?;
        match constant_time_eq(&check, &self.check) {
            true => Ok(key),
            false => Err(ArchiveError::WrongWords(self.kind)),
        }
    }

    fn derive(&self, words: &Words) -> Result<(Key, [u8; CHECK_LENGTH]), ArchiveError> {
        let fault = |error: argon2::Error| CryptoError::Hash(error.to_string());
        let length = KEY_LENGTH + CHECK_LENGTH;
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(length)).map_err(fault)?;
        let mut made = Zeroizing::new([0; KEY_LENGTH + CHECK_LENGTH]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(words.octets(), &self.salt, made.as_mut_slice())
            .map_err(fault)?;
        let (mut key, mut check) = ([0; KEY_LENGTH], [0; CHECK_LENGTH]);
        for (place, octet) in key.iter_mut().chain(&mut check).zip(made.iter()) {
            *place = *octet;
        }
        Ok((Secret::new(key), check))
    }

    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(FIXED + self.id.len());
        octets.extend(MAGIC);
        octets.push(FORMAT);
        octets.push(match self.kind {
            KeyKind::Passphrase => 1,
            KeyKind::Licence => 2,
        });
        for number in [self.memory_kib, self.passes, self.lanes] {
            octets.extend(number.to_be_bytes());
        }
        octets.extend(self.salt);
        octets.extend(self.check);
        octets.extend(self.chunk.to_be_bytes());
        octets.extend(self.prefix);
        // `make` and `read` let no longer one in.
        octets.push(u8::try_from(self.id.len()).unwrap_or(u8::MAX));
        octets.extend(self.id.as_bytes());
        octets
    }

    /// Reads the header from the start of a backup. Errors: `NotABackup`, `Newer`, `Header`, `Io`.
    pub fn read(from: &mut impl Read) -> Result<Header, ArchiveError> {
        let mut fields = Fields(from);
        let magic: [u8; 8] = fields.take().map_err(|error| match error {
            ArchiveError::Header(_) => ArchiveError::NotABackup,
            other => other,
        })?;
        if magic != MAGIC {
            return Err(ArchiveError::NotABackup);
        }
        let [format] = fields.take()?;
        if format > FORMAT {
            return Err(ArchiveError::Newer {
                found: format,
                known: FORMAT,
            });
        }
        let [kind] = fields.take()?;
        let header = Header {
            kind: match (format, kind) {
                (FORMAT, 1) => KeyKind::Passphrase,
                (FORMAT, 2) => KeyKind::Licence,
                _ => return Err(ArchiveError::Header("the kind of its key is unknown")),
            },
            memory_kib: fields.number(8, MOST_MEMORY_KIB, "the memory for its key")?,
            passes: fields.number(1, MOST_PASSES, "the passes for its key")?,
            lanes: fields.number(1, MOST_LANES, "the lanes for its key")?,
            salt: fields.take()?,
            check: fields.take()?,
            chunk: fields.number(SMALLEST_CHUNK, LARGEST_CHUNK, "the size of its parts")?,
            prefix: fields.take()?,
            id: fields.id()?,
        };
        Ok(header)
    }
}

struct Fields<'r, R: Read>(&'r mut R);

impl<R: Read> Fields<'_, R> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let mut octets = [0; N];
        match self.0.read_exact(&mut octets) {
            Ok(()) => Ok(octets),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(ArchiveError::Header("it is cut short"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn number(&mut self, least: u32, most: u32, what: &'static str) -> Result<u32, ArchiveError> {
        let number = u32::from_be_bytes(self.take()?);
        match (least..=most).contains(&number) {
            true => Ok(number),
            false => Err(ArchiveError::Header(what)),
        }
    }

    fn id(&mut self) -> Result<String, ArchiveError> {
        let [length] = self.take()?;
        if usize::from(length) > LONGEST_ID {
            return Err(ArchiveError::Header("the licence's id is too long"));
        }
        let mut octets = vec![0; usize::from(length)];
        match self.0.read_exact(&mut octets) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(ArchiveError::Header("it is cut short"));
            }
            other => other?,
        }
        let is_plain = octets.iter().all(u8::is_ascii_graphic);
        match String::from_utf8(octets) {
            Ok(id) if is_plain => Ok(id),
            _ => Err(ArchiveError::Header("the licence's id is not plain text")),
        }
    }
}
