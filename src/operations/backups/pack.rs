//! Making a backup: accounting into the tables, a copy of the store, one sealed file.

use std::fs::{self, File};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::app::{App, BackupStep};
use crate::archive::{ArchiveError, Packer, Words};
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::store::swap::WORK;
use crate::store::{FILE_NAME, KEY_NAME};

use super::files::{self, ENDING, PART_ENDING, Passing, Tell, Told};
use super::manifest::Manifest;
use super::{COPY_FOLDERS, MANIFEST};

/// A backup of the same second gets the next one's name; more cannot be waiting.
const MOST_NAMES: i64 = 60;
/// Files of one folder beside the store, such as certificates.
const MOST_BESIDE: usize = 200;
/// A larger file beside the store is none of ours.
const LARGEST_BESIDE: u64 = 4 << 20;

/// What was made.
pub(super) struct Packed {
    pub name: String,
    pub path: PathBuf,
    pub octets: u64,
    pub manifest: Manifest,
}

pub(super) fn make(
    app: &App,
    words: &Words,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Packed, Error> {
    let folder = &app.config.backup.folder;
    files::make_folder(folder)?;
    files::remove_parts(folder, PART_ENDING)?;
    let data = app.store.folder();
    // The copy and the sealed file, which is smaller, are there at the same time, perhaps on one disk.
    let size = fs::metadata(data.join(FILE_NAME))?.len();
    files::check_room(data, size.saturating_add(size / 2))?;
    files::check_room(folder, size / 2)?;

    if tell(BackupStep::Folding, 0, 0).is_break() {
        return Err(Error::Cancelled);
    }
    // Everything that was acknowledged until now must be in the tables (see store::snapshot).
    if !app.accounting.fold() {
        return Err(Error::Refused(
            "accounting could not be brought into the tables; the log says why".to_owned(),
        ));
    }
    let work = data.join(WORK);
    files::empty_folder(&work)?;
    let _passing = Passing(&work);
    let inventory = app
        .store
        .snapshot(&work, &mut |done, of| tell(BackupStep::Copying, done, of))?;
    let manifest = Manifest::new(&inventory, now);

    let (name, path) = free_name(app, folder, now)?;
    files::write_whole(&path, |out| {
        pack(out, words, &manifest, &work, data, tell).map_err(|error| match error {
            // A reader broke off because it was told to.
            _ if tell(BackupStep::Packing, 0, 0).is_break() => Error::Cancelled,
            other => other,
        })
    })?;
    let octets = fs::metadata(&path)?.len();
    Ok(Packed {
        name,
        path,
        octets,
        manifest,
    })
}

/// `backup_2026-11-22_03-00-00.enc`, on the ISP's wall clock, which may show a second twice.
fn free_name(app: &App, folder: &Path, now: Timestamp) -> Result<(String, PathBuf), Error> {
    let settings = app.settings();
    for seconds in 0..MOST_NAMES {
        let at = settings.calendar.format(now.plus(seconds * 1_000));
        let name = format!("backup_{}{ENDING}", at.replace(' ', "_").replace(':', "-"));
        let path = folder.join(&name);
        if !path.exists() {
            return Ok((name, path));
        }
    }
    Err(Error::Refused(
        "there are backups of this minute already; try again in a minute".to_owned(),
    ))
}

/// The manifest, the key, the files beside the store, the store.
fn pack(
    out: impl Write,
    words: &Words,
    manifest: &Manifest,
    copy: &Path,
    data: &Path,
    tell: Tell<'_>,
) -> Result<(), Error> {
    let mut packer = Packer::new(out, words)?;
    let text = serde_json::to_vec_pretty(manifest).map_err(std::io::Error::from)?;
    packer.add(MANIFEST, length(text.len()), &text[..])?;
    add_file(
        &mut packer,
        KEY_NAME,
        &copy.join(KEY_NAME),
        &mut |_, _, _| ControlFlow::Continue(()),
    )?;
    for folder in COPY_FOLDERS {
        add_folder(&mut packer, folder, &data.join(folder))?;
    }
    add_file(&mut packer, FILE_NAME, &copy.join(FILE_NAME), tell)?;
    packer.finish()?;
    Ok(())
}

fn add_file(
    packer: &mut Packer<impl Write>,
    name: &str,
    path: &Path,
    tell: Tell<'_>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(|error| files::at("read", path, error))?;
    let size = file.metadata()?.len();
    let told = Told::new(file, BackupStep::Packing, tell)?;
    Ok(packer.add(name, size, told)?)
}

/// Adds the plain files of a folder. One that changes or goes away meanwhile, as a certificate that is renewed may, is left
/// out with a word in the log: it is made anew anyway.
fn add_folder(packer: &mut Packer<impl Write>, name: &str, folder: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.take(MOST_BESIDE) {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let is_ours = entry
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST_BESIDE);
        let Some(octets) = is_ours.then(|| fs::read(entry.path()).ok()).flatten() else {
            tracing::warn!(file = %entry.path().display(), "a file is left out of the backup");
            continue;
        };
        let added = packer.add(&format!("{name}/{file}"), length(octets.len()), &octets[..]);
        match added {
            Err(ArchiveError::Unpackable { name, problem }) => {
                tracing::warn!(name, problem, "a file is left out of the backup");
            }
            other => other?,
        }
    }
    Ok(())
}

/// Lengths in memory always fit 64 bits.
fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
