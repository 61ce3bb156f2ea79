//! From a sealed file to a data folder that is known to be whole: for the test of every backup, and for a restore.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::app::BackupStep;
use crate::archive::{Unpacker, Words};
use crate::operations::Error;
use crate::store::snapshot::{self, known_schema};
use crate::store::{FILE_NAME, KEY_NAME};

use super::files::{self, Tell, Told};
use super::manifest::{self, Manifest};
use super::{COPY_FOLDERS, MANIFEST};

/// Decrypts a backup into `folder`, which is there and empty, opens what came out, and compares it with what the backup says
/// of itself. What is in the folder afterwards is on disk. Blocks; leaves a mess after an error.
///
/// Errors: `Archive` for a file that does not open or is not whole; `Snapshot` for a store that does not; `Refused` for a
/// newer program's, for one without room, and for one with other rows or sums than it should have.
pub(super) fn unpack(
    backup: File,
    words: &Words,
    folder: &Path,
    tell: Tell<'_>,
) -> Result<Manifest, Error> {
    let unpacked = files_into(backup, words, folder, tell);
    // A reader may have broken off because it was told to.
    if tell(BackupStep::Comparing, 0, 0).is_break() {
        return Err(Error::Cancelled);
    }
    let manifest = unpacked?;
    let found = snapshot::examine(folder)?;
    match manifest.difference(&found) {
        None => Ok(manifest),
        Some(difference) => Err(not_whole(&difference)),
    }
}

fn files_into(
    backup: File,
    words: &Words,
    folder: &Path,
    tell: Tell<'_>,
) -> Result<Manifest, Error> {
    let told = Told::new(backup, BackupStep::Unpacking, tell)?;
    let mut unpacker = Unpacker::new(told, words)?;
    let first = unpacker.next_file()?;
    let manifest = match first {
        Some(file) if file.name == MANIFEST && file.size <= manifest::LARGEST => {
            let mut text = Vec::new();
            unpacker.copy_to(&mut text)?;
            serde_json::from_slice::<Manifest>(&text).ok()
        }
        _ => None,
    };
    let manifest = manifest.ok_or_else(|| not_whole("its table of contents is missing"))?;
    if manifest.schema > known_schema() {
        return Err(Error::Refused(format!(
            "this backup was made by ProxPanel {} and this is {}: install that version or a newer one first",
            manifest.version,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let (mut has_store, mut has_key) = (false, false);
    while let Some(file) = unpacker.next_file()? {
        match file.name.as_str() {
            FILE_NAME => has_store = true,
            KEY_NAME => has_key = true,
            name if !is_beside(name) => continue,
            _ => {}
        }
        files::check_room(folder, file.size)?;
        let path = folder.join(&file.name);
        if let Some(parent) = path.parent() {
            files::make_folder(parent)?;
        }
        let out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| files::at("write", &path, error))?;
        let mut out = io::BufWriter::new(out);
        unpacker.copy_to(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
    }
    match has_store && has_key {
        true => Ok(manifest),
        false => Err(not_whole("the store or its key is missing")),
    }
}

/// Whether this is a file of a folder that is packed with the store.
fn is_beside(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(folder, _)| COPY_FOLDERS.contains(&folder))
}

pub(super) fn not_whole(what: &str) -> Error {
    Error::NotWhole(what.to_owned())
}
