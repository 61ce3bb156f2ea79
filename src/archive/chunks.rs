//! A stream in authenticated chunks of AES-256-GCM: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015).
//!
//! A chunk is 4 octets of its number, 4 octets of length whose highest bit marks the last chunk, then so many octets of
//! ciphertext and tag. The nonce is the header's prefix, the number, and one octet that is 1 for the last chunk; the header is
//! the associated data. So a chunk opens in its own place of its own backup only, and only the true end counts as the end.
//! Invariants: all chunks but the last are full; a number is used once.

use std::io::{self, ErrorKind, Read, Write};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};

use super::header::{Header, Key, PREFIX_LENGTH};
use super::{ArchiveError, through_io};
use crate::crypto::CryptoError;

const TAG_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 12;
/// The bit of the length that marks the last chunk.
const LAST: u32 = 1 << 31;

/// What both directions share.
struct Seal {
    cipher: Aes256Gcm,
    header: Vec<u8>,
    prefix: [u8; PREFIX_LENGTH],
    /// The number of the next chunk.
    number: u32,
}

impl Seal {
    fn new(header: &Header, octets: Vec<u8>, key: &Key) -> Seal {
        Seal {
            cipher: Aes256Gcm::new(&(*key.expose()).into()),
            header: octets,
            prefix: header.prefix,
            number: 0,
        }
    }

    fn nonce(&self, is_last: bool) -> [u8; NONCE_LENGTH] {
        let mut nonce = [0; NONCE_LENGTH];
        let parts = self.prefix.iter().copied();
        let parts = parts.chain(self.number.to_be_bytes());
        let parts = parts.chain([u8::from(is_last)]);
        for (place, octet) in nonce.iter_mut().zip(parts) {
            *place = octet;
        }
        nonce
    }

    fn step(&mut self) -> Result<(), ArchiveError> {
        let next = self.number.checked_add(1);
        self.number =
            next.ok_or_else(|| ArchiveError::Content("it has too many parts".to_owned()))?;
        Ok(())
    }
}

fn chunk_octets(header: &Header) -> usize {
    // `Header::read` bounds it far below.
    usize::try_from(header.chunk).unwrap_or(usize::MAX)
}

pub(super) struct ChunkWriter<W: Write> {
    out: W,
    seal: Seal,
    plain: Vec<u8>,
    size: usize,
}

impl<W: Write> ChunkWriter<W> {
    pub fn new(out: W, header: &Header, octets: Vec<u8>, key: &Key) -> Self {
        let size = chunk_octets(header);
        ChunkWriter {
            out,
            seal: Seal::new(header, octets, key),
            plain: Vec::with_capacity(size),
            size,
        }
    }

    /// Writes the last chunk, which may be empty.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn chunk(&mut self, is_last: bool) -> Result<(), ArchiveError> {
        let payload = Payload {
            msg: &self.plain,
            aad: &self.seal.header,
        };
        let sealed = self
            .seal
            .cipher
            .encrypt(&self.seal.nonce(is_last).into(), payload)
            .map_err(|_| CryptoError::Seal)?;
        let length = u32::try_from(sealed.len()).map_err(|_| CryptoError::Seal)?;
        let mark = if is_last { LAST } else { 0 };
        self.out.write_all(&self.seal.number.to_be_bytes())?;
        self.out.write_all(&(length | mark).to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.plain.clear();
        self.seal.step()
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.plain.len() >= self.size {
            self.chunk(false).map_err(through_io)?;
        }
        let room = self.size.saturating_sub(self.plain.len());
        let taken = octets.get(..room).unwrap_or(octets);
        self.plain.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Chunks have their size: nothing leaves early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct ChunkReader<R: Read> {
    from: R,
    seal: Seal,
    size: usize,
    sealed: Vec<u8>,
    plain: Vec<u8>,
    /// How much of `plain` was handed over.
    given: usize,
    ended: bool,
}

impl<R: Read> ChunkReader<R> {
    pub fn new(from: R, header: &Header, octets: Vec<u8>, key: &Key) -> Self {
        ChunkReader {
            from,
            seal: Seal::new(header, octets, key),
            size: chunk_octets(header),
            sealed: Vec::new(),
            plain: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    /// Reads and opens the next chunk.
    fn chunk(&mut self) -> Result<(), ArchiveError> {
        let chunk = self.seal.number;
        let found = self.number()?;
        if found != chunk {
            return Err(ArchiveError::OutOfOrder {
                expected: chunk,
                found,
            });
        }
        let marked = self.number()?;
        let is_last = marked & LAST != 0;
        let length = usize::try_from(marked & !LAST).unwrap_or(usize::MAX);
        let full = self.size.saturating_add(TAG_LENGTH);
        let fits = match is_last {
            true => (TAG_LENGTH..=full).contains(&length),
            false => length == full,
        };
        if !fits {
            return Err(ArchiveError::Tampered { chunk });
        }
        self.sealed.resize(length, 0);
        read_whole(&mut self.from, &mut self.sealed, chunk)?;
        let payload = Payload {
            msg: &self.sealed,
            aad: &self.seal.header,
        };
        self.plain = self
            .seal
            .cipher
            .decrypt(&self.seal.nonce(is_last).into(), payload)
            .map_err(|_| ArchiveError::Tampered { chunk })?;
        self.given = 0;
        if is_last {
            self.ended = true;
            if self.from.read(&mut [0])? > 0 {
                return Err(ArchiveError::Trailing { chunk });
            }
            return Ok(());
        }
        self.seal.step()
    }

    fn number(&mut self) -> Result<u32, ArchiveError> {
        let mut octets = [0; 4];
        read_whole(&mut self.from, &mut octets, self.seal.number)?;
        Ok(u32::from_be_bytes(octets))
    }
}

fn read_whole(from: &mut impl Read, out: &mut [u8], chunk: u32) -> Result<(), ArchiveError> {
    from.read_exact(out).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ArchiveError::Truncated { chunk },
        _ => error.into(),
    })
}

impl<R: Read> Read for ChunkReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given >= self.plain.len() && !self.ended {
            self.chunk().map_err(through_io)?;
        }
        let left = self.plain.get(self.given..).unwrap_or_default();
        let count = left.len().min(out.len());
        for (place, octet) in out.iter_mut().zip(left) {
            *place = *octet;
        }
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}
