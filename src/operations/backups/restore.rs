//! Putting a backup in the place of the data: prepared beside it, swapped in by the next start (`store::swap`).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::app::{App, BackupStep};
use crate::archive::Words;
use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::time::{Calendar, Timestamp};
use crate::operations::Error;
use crate::store::swap::{BEFORE, KEPT_AS, PART, READY};

use super::files::{self, Tell};
use super::manifest::Manifest;
use super::{lock, note, path_of, pause, settings, tell_board, typed_words, unpack};

/// Prepares a restore in the data folder; what is there now stays in use until the next start. What is restored sends
/// no backup to another machine before a person says so. Blocks.
///
/// Errors: those of `unpack`; then nothing was prepared, and one that was prepared before still is.
pub fn prepare(
    backup: File,
    words: &Words,
    data: &Path,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Manifest, Error> {
    let part = data.join(PART);
    files::empty_folder(&part)?;
    let passing = files::Passing(&part);
    let manifest = unpack::unpack(backup, words, &part, tell)?;
    pause::begin(&part, now)?;
    let at = Calendar::format_utc(now).replace([':', 'T', 'Z'], "-");
    let kept_as = format!("{BEFORE}{}", at.trim_end_matches('-'));
    // As all that is unpacked: a new file, which follows no link.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part.join(KEPT_AS))?;
    file.write_all(kept_as.as_bytes())?;
    file.sync_all()?;
    files::give_to_owner(&part, data)?;
    files::sync_folder(&part)?;
    let ready = data.join(READY);
    files::remove_folder(&ready)?;
    fs::rename(&part, &ready)?;
    files::sync_folder(data)?;
    drop(passing);
    Ok(manifest)
}

/// Prepares the restore of a backup of the list, and has the daemon start anew on it. Without typed words it takes those that
/// are known here. Blocks.
pub fn restore(
    app: &App,
    actor: &Actor,
    name: &str,
    typed: Option<Secret<String>>,
) -> Result<Manifest, Error> {
    let now = app.now();
    let turn = app.backups.begin(format!("Restore of {name}"), now);
    let turn = turn.ok_or_else(super::busy)?;
    let lock = lock(app, name)?;
    let words = match typed {
        Some(typed) => typed_words(&lock, typed)?,
        None => settings::words_of(app, lock.kind)?,
    };
    let path = path_of(app, name)?;
    let backup = File::open(&path).map_err(|error| files::at("read", &path, error))?;
    let mut tell = tell_board(&turn);
    let manifest = prepare(backup, &words, app.store.folder(), now, &mut tell)?;
    // For the data that is put aside; what is restored knows nothing of it.
    let noted = note(app, actor, "backup restored", name);
    if let Err(error) = noted {
        tracing::warn!(%error, "the restore is not in the audit log");
    }
    tracing::warn!(
        name,
        actor = actor.name(),
        "a backup was restored; starting anew"
    );
    turn.step(BackupStep::Comparing, 1, 1);
    app.restart.notify_one();
    Ok(manifest)
}
