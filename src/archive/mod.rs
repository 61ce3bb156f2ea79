//! The sealed file of a backup, `.enc`: a header in clear, then named files, compressed and encrypted in chunks.
//!
//! What is in a backup and when one is made is decided in `operations`; here are octets only. Layout: `header.rs`; the
//! chunks: `chunks.rs`; the files in them: `files.rs`. Invariants: the key comes from words that the owner knows, so that a
//! blank machine can open it; no octet is handed over before its chunk was found genuine and in its place; memory does not
//! grow with the size of what is packed.

mod chunks;
mod files;
mod header;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read, Write};

use crate::crypto::{CryptoError, Secret};

pub use files::{LONGEST_NAME, MOST_FILES, PackedFile};

use chunks::{ChunkReader, ChunkWriter};
use files::{FileReader, FileWriter};
use header::{Header, Key};

/// Why a backup was not written or not read. No variant carries what is in it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(
        "this is not a backup of ProxPanel, or it was changed on its way (FTP must transfer it as binary)"
    )]
    NotABackup,
    #[error(
        "this backup has format {found}, and this program knows formats up to {known}. Install the newer program"
    )]
    Newer { found: u8, known: u8 },
    #[error("the start of the backup is damaged: {0}")]
    Header(&'static str),
    #[error(
        "the {0} does not open this backup. Look for typing errors; a backup keeps the words that held when it was made"
    )]
    WrongWords(KeyKind),
    #[error("the backup was made with a {made_with}, but a {given} was given")]
    OtherKind { made_with: KeyKind, given: KeyKind },
    #[error(
        "the backup was changed or is damaged in part {chunk}. Nothing of it can be trusted; take another one"
    )]
    Tampered { chunk: u32 },
    #[error(
        "part {expected} of the backup is missing or out of its place: part {found} stands there. Take another one"
    )]
    OutOfOrder { expected: u32, found: u32 },
    #[error(
        "the backup is cut short in part {chunk}: it was not copied to its end. Copy it again, or take another one"
    )]
    Truncated { chunk: u32 },
    #[error(
        "something follows the end of the backup after part {chunk}. Copy it again, or take another one"
    )]
    Trailing { chunk: u32 },
    #[error("the content of the backup does not add up: {0}")]
    Content(String),
    #[error("{name} cannot be packed: {problem}")]
    Unpackable { name: String, problem: String },
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Whose words open a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Passphrase,
    Licence,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyKind::Passphrase => "passphrase",
            KeyKind::Licence => "licence key",
        })
    }
}

/// The words from which the key of a backup is made, by Argon2id (RFC 9106).
#[derive(Debug, Clone)]
pub enum Words {
    Passphrase(Secret<String>),
    /// `id` names the licence, in clear in the header, so that the owner knows which one to look for.
    Licence {
        id: String,
        key: Secret<String>,
    },
}

impl Words {
    fn kind(&self) -> KeyKind {
        match self {
            Words::Passphrase(_) => KeyKind::Passphrase,
            Words::Licence { .. } => KeyKind::Licence,
        }
    }

    fn octets(&self) -> &[u8] {
        match self {
            Words::Passphrase(words) => words.expose().as_bytes(),
            Words::Licence { key, .. } => key.expose().as_bytes(),
        }
    }

    fn id(&self) -> &str {
        match self {
            Words::Passphrase(_) => "",
            Words::Licence { id, .. } => id,
        }
    }
}

/// What a backup says about its key before anybody has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub kind: KeyKind,
    /// The licence, or empty.
    pub id: String,
}

/// Reads the header only. Errors: `NotABackup`, `Newer`, `Header`, `Io`.
pub fn look(mut from: impl Read) -> Result<Lock, ArchiveError> {
    let header = Header::read(&mut from)?;
    Ok(Lock {
        kind: header.kind,
        id: header.id,
    })
}

/// A backup being written.
pub struct Packer<W: Write> {
    files: FileWriter<ChunkWriter<W>>,
}

impl<W: Write> Packer<W> {
    /// Writes the header. Deriving the key takes some 0.2 s and 8 MiB, which are free again afterwards.
    pub fn new(out: W, words: &Words) -> Result<Self, ArchiveError> {
        let (header, key) = Header::make(words)?;
        Self::begin(out, &header, &key)
    }

    fn begin(mut out: W, header: &Header, key: &Key) -> Result<Self, ArchiveError> {
        let octets = header.octets();
        out.write_all(&octets)?;
        let chunks = ChunkWriter::new(out, header, octets, key);
        Ok(Packer {
            files: FileWriter::new(chunks),
        })
    }

    /// Adds a file of exactly `size` octets. Errors: `Unpackable` for a name that no reader would take, and for a source
    /// of another size; the backup is useless then.
    pub fn add(&mut self, name: &str, size: u64, from: impl Read) -> Result<(), ArchiveError> {
        self.files.add(name, size, from)
    }

    /// Writes the end. Without it the backup counts as cut short.
    pub fn finish(self) -> Result<W, ArchiveError> {
        self.files.finish()?.finish()
    }
}

/// A backup being read, file after file.
pub struct Unpacker<R: Read> {
    files: FileReader<ChunkReader<R>>,
}

impl<R: Read> Unpacker<R> {
    /// Errors: those of [`look`]; `OtherKind` and `WrongWords`.
    pub fn new(mut from: R, words: &Words) -> Result<Self, ArchiveError> {
        let header = Header::read(&mut from)?;
        if header.kind != words.kind() {
            return Err(ArchiveError::OtherKind {
                made_with: header.kind,
                given: words.kind(),
            });
        }
        let key = header.unlock(words)?;
        let octets = header.octets();
        let chunks = ChunkReader::new(from, &header, octets, &key);
        Ok(Unpacker {
            files: FileReader::new(chunks),
        })
    }

    /// The next file, or nothing at the end, which is looked for: what follows it is an error. Of a file before that was
    /// not read to its end the rest is skipped.
    ///
    /// Errors: `Tampered`, `OutOfOrder`, `Truncated`, `Trailing`, `Content`, `Io`.
    pub fn next_file(&mut self) -> Result<Option<PackedFile>, ArchiveError> {
        self.files.next_file()
    }

    /// Copies the file that `next_file` named to `out`.
    pub fn copy_to(&mut self, out: impl Write) -> Result<(), ArchiveError> {
        self.files.copy_to(out)
    }
}

/// Readers in between know only `io::Error`; our own error travels in one and is taken out again.
fn through_io(error: ArchiveError) -> io::Error {
    match error {
        ArchiveError::Io(error) => error,
        other => io::Error::other(other),
    }
}

fn out_of_io(error: io::Error) -> ArchiveError {
    match error.downcast::<ArchiveError>() {
        Ok(ours) => ours,
        Err(error) => ArchiveError::Io(error),
    }
}
