//! Named files one after the other, compressed with deflate (RFC 1951).
//!
//! Before compression a file is 2 octets of the length of its name, the name, 8 octets of its size, its octets; a name of
//! no length ends the list. Invariant: a name leads to a place inside the folder into which a reader unpacks, whatever it is
//! joined to.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::{ArchiveError, out_of_io};

/// Octets of a name.
pub const LONGEST_NAME: usize = 100;
/// Files of one backup.
pub const MOST_FILES: usize = 1_000;
/// Octets copied at once.
const PIECE: usize = 64 << 10;

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// One or two parts of letters, digits, `.`, `-` and `_`, separated by `/`.
    pub name: String,
    /// Octets.
    pub size: u64,
}

pub(super) struct FileWriter<W: Write> {
    out: DeflateEncoder<W>,
    files: usize,
}

impl<W: Write> FileWriter<W> {
    pub fn new(out: W) -> Self {
        FileWriter {
            // The fastest level: pages of the store shrink to a quarter with it, and to little less with the best.
            out: DeflateEncoder::new(out, Compression::fast()),
            files: 0,
        }
    }

    pub fn add(&mut self, name: &str, size: u64, mut from: impl Read) -> Result<(), ArchiveError> {
        let unpackable = |problem: &str| ArchiveError::Unpackable {
            name: name.to_owned(),
            problem: problem.to_owned(),
        };
        if !is_good_name(name) {
            return Err(unpackable("its name is not one of ours"));
        }
        if self.files >= MOST_FILES {
            return Err(unpackable("there are too many files"));
        }
        self.files += 1;
        let length = u16::try_from(name.len()).map_err(|_| unpackable("its name is too long"))?;
        self.out
            .write_all(&length.to_be_bytes())
            .map_err(out_of_io)?;
        self.out.write_all(name.as_bytes()).map_err(out_of_io)?;
        self.out.write_all(&size.to_be_bytes()).map_err(out_of_io)?;
        if copy(&mut from, &mut self.out, size)? < size {
            return Err(unpackable("it became shorter while it was read"));
        }
        if from.read(&mut [0])? > 0 {
            return Err(unpackable("it became longer while it was read"));
        }
        Ok(())
    }

    /// Ends the list and the compression.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.out.write_all(&[0, 0]).map_err(out_of_io)?;
        self.out.finish().map_err(out_of_io)
    }
}

pub(super) struct FileReader<R: Read> {
    from: DeflateDecoder<R>,
    /// Octets of the current file that were not read.
    left: u64,
    files: usize,
    ended: bool,
}

impl<R: Read> FileReader<R> {
    pub fn new(from: R) -> Self {
        FileReader {
            from: DeflateDecoder::new(from),
            left: 0,
            files: 0,
            ended: false,
        }
    }

    pub fn next_file(&mut self) -> Result<Option<PackedFile>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        self.copy_to(io::sink())?;
        let mut length = [0; 2];
        self.whole(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            self.ended = true;
            return self.finish().map(|()| None);
        }
        if length > LONGEST_NAME || self.files >= MOST_FILES {
            return Err(content("it holds more or other files than a backup"));
        }
        self.files += 1;
        let mut name = vec![0; length];
        self.whole(&mut name)?;
        let name = String::from_utf8(name)
            .ok()
            .filter(|name| is_good_name(name))
            .ok_or_else(|| content("a file has an impossible name"))?;
        let mut size = [0; 8];
        self.whole(&mut size)?;
        self.left = u64::from_be_bytes(size);
        Ok(Some(PackedFile {
            name,
            size: self.left,
        }))
    }

    pub fn copy_to(&mut self, mut out: impl Write) -> Result<(), ArchiveError> {
        let size = self.left;
        let copied = copy(&mut self.from, &mut out, size)?;
        self.left = size.saturating_sub(copied);
        match self.left {
            0 => Ok(()),
            _ => Err(content("a file ends before its end")),
        }
    }

    fn whole(&mut self, out: &mut [u8]) -> Result<(), ArchiveError> {
        self.from.read_exact(out).map_err(wrong)
    }

    /// The compressed stream must end here, and the chunks with it.
    fn finish(&mut self) -> Result<(), ArchiveError> {
        if self.from.read(&mut [0]).map_err(wrong)? > 0 {
            return Err(content("something follows the last file"));
        }
        match self.from.get_mut().read(&mut [0]).map_err(wrong)? {
            0 => Ok(()),
            _ => Err(content("something follows the last file")),
        }
    }
}

/// Copies up to `size` octets and says how many there were.
fn copy(from: &mut impl Read, out: &mut impl Write, size: u64) -> Result<u64, ArchiveError> {
    let mut piece = vec![0; PIECE];
    let mut copied = 0;
    while copied < size {
        let left = usize::try_from(size - copied).unwrap_or(usize::MAX);
        let room = piece.get_mut(..left.min(PIECE)).unwrap_or_default();
        let count = from.read(room).map_err(wrong)?;
        if count == 0 {
            break;
        }
        let read = room.get(..count).unwrap_or_default();
        out.write_all(read).map_err(out_of_io)?;
        copied = copied.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok(copied)
}

/// What the decompression finds wrong is a fault of the content; what came through it from below is said as it is.
fn wrong(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            content("it cannot be decompressed")
        }
        _ => out_of_io(error),
    }
}

fn content(what: &str) -> ArchiveError {
    ArchiveError::Content(what.to_owned())
}

fn is_good_name(name: &str) -> bool {
    let is_good_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet))
    };
    name.len() <= LONGEST_NAME && name.split('/').count() <= 2 && name.split('/').all(is_good_part)
}
