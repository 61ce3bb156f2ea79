//! Certificates on disk. Chain and key of one certificate stand in one file, so that no crash leaves two halves that do
//! not belong together, and the file is for its owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::TlsError;
use super::pair::Pair;

/// A chain of ten certificates and a key of 16,384 bits are below this.
pub(super) const LARGEST_FILE: u64 = 128 * 1024;

/// Reads a file of PEM text whole. Errors: `File`, `TooLarge`.
pub fn read(path: &Path) -> Result<String, TlsError> {
    let fault = |source| TlsError::File {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(fault)?;
    let mut bounded = file.take(LARGEST_FILE + 1);
    bounded.read_to_string(&mut text).map_err(fault)?;
    if bounded.limit() == 0 {
        return Err(TlsError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

/// Puts a certificate in the place of another: whole, or not at all, and with it the folder that
/// it lies in. Errors: `File`.
pub fn write(path: &Path, pair: &Pair) -> Result<(), TlsError> {
    replace(path, pair.pem()).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if !folder.exists() {
        DirBuilder::new().mode(0o700).create(folder)?;
    }
    let draft = path.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}
