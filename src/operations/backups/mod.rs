//! Backups: made while everything goes on, tried out at once, sent to another machine, restored on any.
//!
//! A backup is one file, `archive`, that holds a copy of the store, `store::snapshot`, and its key. Invariants: a file that
//! has its name is whole; each is restored once where nobody uses it, and compared; the last that was proven is never
//! removed by itself; a restore keeps what was there before, and sends nothing elsewhere until a person says so.

pub mod destination;
mod files;
pub mod manifest;
mod pack;
pub mod pause;
pub mod restore;
pub mod send;
pub mod settings;
#[cfg(test)]
mod tests;
mod unpack;
pub mod upload;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::app::{App, BackupStep, BackupTurn, BackupWish};
use crate::archive;
pub use crate::archive::{KeyKind, Lock, Words};
use crate::crypto::Secret;
use crate::domain::audit::{Actor, Difference};
use crate::domain::backup::{Backup, RestoreTest, Trigger, surplus};
use crate::domain::octets::Octets;
use crate::domain::time::{Calendar, HOUR, Timestamp};
use crate::licence::LicenceKey;
use crate::store::backups;
use crate::store::swap::{PART, WORK};
use crate::telemetry::monotonic;
use crate::tls;

use super::Error;
use super::trail::{self, part};
pub use files::{Tell, is_backup_name};
pub(in crate::operations) use files::{check_room, make_folder};
use manifest::Manifest;
use send::unless_cancelled;

/// The name of the job that makes backups and carries wishes out.
pub const JOB: &str = "backups";
/// The first file of a backup.
const MANIFEST: &str = "manifest.json";
/// Folders beside the store whose files are packed: certificates.
const COPY_FOLDERS: &[&str] = &[tls::FOLDER];
/// A scheduled backup that failed is tried again after so long.
const AGAIN_AFTER: i64 = HOUR;

/// A line of the list: a backup of ours, a try that failed, or a file that a person put into the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Empty for a try that failed.
    pub name: String,
    /// Of the file; nothing when it is gone.
    pub octets: Option<u64>,
    /// What is known of it; nothing for a file from elsewhere.
    pub backup: Option<Backup>,
}

/// All backups, newest first, then files from elsewhere by name. Blocks.
pub fn list(app: &App) -> Result<Vec<Listed>, Error> {
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    let mut files: HashMap<String, u64> = files::backups_in(&app.config.backup.folder)?
        .into_iter()
        .collect();
    let mut list: Vec<Listed> = known
        .into_iter()
        .map(|backup| Listed {
            name: backup.name.clone(),
            octets: files.remove(&backup.name),
            backup: Some(backup),
        })
        .collect();
    let mut others: Vec<(String, u64)> = files.into_iter().collect();
    others.sort();
    list.extend(others.into_iter().map(|(name, octets)| Listed {
        name,
        octets: Some(octets),
        backup: None,
    }));
    Ok(list)
}

/// A line of the list for a terminal.
pub fn line(listed: &Listed, calendar: &Calendar) -> String {
    let Some(backup) = &listed.backup else {
        return format!("{}  not made here", listed.name);
    };
    let at = calendar.format(backup.began_at);
    let outcome = match (&backup.error, &backup.test) {
        (Some(error), _) => return format!("{at}  FAILED: {error}"),
        (None, None) => "not tested".to_owned(),
        (None, Some(test)) => match &test.problem {
            None => format!("proven by a restore on {}", calendar.format(test.at)),
            Some(problem) => format!("BAD: {problem}"),
        },
    };
    let gone = if listed.octets.is_none() {
        "the file is gone; "
    } else {
        ""
    };
    let sent = match &backup.sent {
        None => String::new(),
        Some(sent) => match &sent.problem {
            None => "; sent".to_owned(),
            Some(problem) => format!("; NOT SENT: {problem}"),
        },
    };
    format!(
        "{at}  {}  {}  {gone}{outcome}{sent}",
        listed.name,
        Octets(backup.octets)
    )
}

/// The newest backups of their kind, for the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    pub made: Option<Backup>,
    pub proven: Option<Backup>,
    /// On another machine.
    pub elsewhere: Option<Backup>,
}

pub fn latest(app: &App) -> Result<Latest, Error> {
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    let find = |is_it: fn(&Backup) -> bool| known.iter().find(|backup| is_it(backup)).cloned();
    Ok(Latest {
        made: find(|backup| backup.error.is_none()),
        proven: find(Backup::is_proven),
        elsewhere: find(Backup::is_elsewhere),
    })
}

/// Makes a backup, tries it out, and removes what is no longer kept. Blocks: some seconds for each 100 MB.
///
/// Errors: `Refused` without a passphrase, without room, and while another one is made; `Cancelled`. A try that failed is
/// in the list.
pub fn create(app: &App, by: Trigger) -> Result<Backup, Error> {
    let now = app.now();
    let turn = app.backups.begin("Backup".to_owned(), now);
    let turn = turn.ok_or_else(busy)?;
    let words = settings::words(app)?;
    let began = monotonic();
    let made = pack::make(app, &words, now, &mut tell_board(&turn));
    let took = monotonic().saturating_duration_since(began);
    let mut backup = Backup {
        began_at: now,
        by,
        name: String::new(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        octets: 0,
        rows: 0,
        subscribers: 0,
        error: None,
        test: None,
        sent: None,
    };
    let packed = match made {
        Ok(packed) => packed,
        Err(error) => {
            backup.error = Some(error.to_string());
            keep(app, &backup)?;
            return Err(error);
        }
    };
    backup.name = packed.name;
    backup.octets = packed.octets;
    backup.rows = packed.manifest.rows();
    backup.subscribers = packed.manifest.rows_of("subscribers");
    keep(app, &backup)?;
    try_out(app, &mut backup, &packed.path, &words, &turn)?;
    prune(app)?;
    Ok(backup)
}

/// Restores a backup of the list where nobody uses it, and keeps what came of it. Blocks.
pub fn test(app: &App, name: &str) -> Result<Manifest, Error> {
    let turn = app
        .backups
        .begin(format!("Restore test of {name}"), app.now());
    let turn = turn.ok_or_else(busy)?;
    let path = path_of(app, name)?;
    let words = settings::words_of(app, lock(app, name)?.kind)?;
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    match known.into_iter().find(|backup| backup.name == name) {
        Some(mut backup) => try_out(app, &mut backup, &path, &words, &turn),
        None => trial(app, &path, &words, &turn),
    }
}

/// Tries a backup out and keeps the result with it. What says nothing about the backup, such as a full disk, is an error
/// and leaves it untested.
fn try_out(
    app: &App,
    backup: &mut Backup,
    path: &Path,
    words: &Words,
    turn: &BackupTurn<'_>,
) -> Result<Manifest, Error> {
    let began = monotonic();
    let tried = trial(app, path, words, turn);
    let problem = match &tried {
        Ok(_) => None,
        Err(error) if error.is_about_the_backup() => Some(error.to_string()),
        Err(_) => return tried,
    };
    let took = monotonic().saturating_duration_since(began);
    backup.test = Some(RestoreTest {
        at: app.now(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        problem,
    });
    keep(app, backup)?;
    tried
}

fn trial(app: &App, path: &Path, words: &Words, turn: &BackupTurn<'_>) -> Result<Manifest, Error> {
    let work = app.store.folder().join(WORK);
    files::empty_folder(&work)?;
    let _passing = files::Passing(&work);
    let file = File::open(path).map_err(|error| files::at("read", path, error))?;
    unpack::unpack(file, words, &work, &mut tell_board(turn))
}

/// What a backup of the list says about its key. Errors: `Missing`; `Archive` for a file that is none. Blocks.
pub fn lock(app: &App, name: &str) -> Result<Lock, Error> {
    let path = path_of(app, name)?;
    look(File::open(&path).map_err(|error| files::at("read", &path, error))?)
}

/// The same of any file, of which the start is read. Errors: `Archive`.
pub fn look(file: impl Read) -> Result<Lock, Error> {
    Ok(archive::look(file)?)
}

/// The words that a person typed for a backup. Errors: `Refused` for what is no licence key where one is needed.
pub fn typed_words(lock: &Lock, typed: Secret<String>) -> Result<Words, Error> {
    match lock.kind {
        KeyKind::Passphrase => Ok(Words::Passphrase(typed)),
        KeyKind::Licence => {
            let key = LicenceKey::parse(typed.expose());
            let key = key.map_err(|problem| Error::Refused(problem.to_string()))?;
            Ok(Words::Licence {
                id: lock.id.clone(),
                key: Secret::new(key.expose().to_owned()),
            })
        }
    }
}

/// Tries out a file that is anywhere, beside itself. Blocks.
pub fn verify(path: &Path, words: &Words, tell: Tell<'_>) -> Result<Manifest, Error> {
    let file = File::open(path).map_err(|error| files::at("read", path, error))?;
    let mut work = path.as_os_str().to_owned();
    work.push(".verify");
    let work = PathBuf::from(work);
    files::empty_folder(&work)?;
    let _passing = files::Passing(&work);
    unpack::unpack(file, words, &work, tell)
}

/// Removes what a crash left of a backup or a restore, a copy in clear perhaps. At the start, before anybody makes one.
pub fn clean_up(app: &App) -> Result<(), Error> {
    let data = app.store.folder();
    files::remove_folder(&data.join(WORK))?;
    files::remove_folder(&data.join(PART))?;
    let folder = &app.config.backup.folder;
    if folder.is_dir() {
        files::remove_parts(folder, files::PART_ENDING)?;
        files::remove_parts(folder, files::UPLOAD_ENDING)?;
    }
    Ok(())
}

/// Removes backups that are no longer kept, with their rows.
fn prune(app: &App) -> Result<(), Error> {
    let keep = settings::get(app)?.keep;
    let mut known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    // One whose file somebody took away is no reason to remove another.
    known.retain(|backup| app.config.backup.folder.join(&backup.name).is_file());
    let calendar = &app.settings().calendar;
    for old in surplus(&known, keep, calendar) {
        remove_file(app, &old.name)?;
        let began_at = old.began_at;
        let removed = app
            .store
            .write("remove backup", move |tx| -> Result<(), Error> {
                Ok(backups::remove(tx, began_at).map(drop)?)
            });
        removed.wait()?;
        tracing::info!(name = old.name, "a backup is no longer kept");
    }
    Ok(())
}

/// Removes a backup because a person wants it. Errors: `Missing`. Blocks.
pub fn remove(app: &App, actor: &Actor, name: &str) -> Result<(), Error> {
    path_of(app, name)?;
    remove_file(app, name)?;
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    let began_at = known
        .iter()
        .find(|backup| backup.name == name)
        .map(|backup| backup.began_at);
    let (actor, name, now) = (actor.clone(), name.to_owned(), app.now());
    let removed = app.store.write("remove backup", move |tx| {
        if let Some(began_at) = began_at {
            backups::remove(tx, began_at)?;
        }
        let nothing = Difference::default();
        trail::note(tx, &actor, "backup deleted", &part(&name), nothing, now)
    });
    removed.wait()
}

fn remove_file(app: &App, name: &str) -> Result<(), Error> {
    let path = app.config.backup.folder.join(name);
    match fs::remove_file(&path) {
        // Somebody was faster.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(files::at("remove", &path, error))
        }
        _ => Ok(()),
    }
}

/// The file of a backup, for somebody who takes it away, and its octets. Each time is in the audit log. Blocks.
pub fn open(app: &App, actor: &Actor, name: &str) -> Result<(File, u64), Error> {
    let path = path_of(app, name)?;
    let file = File::open(&path).map_err(|error| files::at("read", &path, error))?;
    let octets = file.metadata()?.len();
    note(app, actor, "backup downloaded", name)?;
    Ok((file, octets))
}

/// Errors: `Missing` for a name that no backup has.
fn path_of(app: &App, name: &str) -> Result<PathBuf, Error> {
    let path = app.config.backup.folder.join(name);
    match is_backup_name(name) && path.is_file() {
        true => Ok(path),
        false => Err(Error::Missing("backup")),
    }
}

/// Leaves a wish and rings for the job. Errors: `Refused` while something is done already.
pub fn wish(app: &App, wish: BackupWish) -> Result<(), Error> {
    match app.backups.wish(wish) {
        true => {
            app.jobs.run_now(JOB);
            Ok(())
        }
        false => Err(busy()),
    }
}

/// Whether the schedule wants a backup now.
pub fn is_due(app: &App, now: Timestamp) -> Result<bool, Error> {
    let Some(schedule) = settings::get(app)?.schedule else {
        return Ok(false);
    };
    let Some(due) = schedule.last_due(&app.settings().calendar, now) else {
        return Ok(false);
    };
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    let is_made = known
        .iter()
        .any(|backup| backup.error.is_none() && (due..=now).contains(&backup.began_at));
    let was_tried = known
        .iter()
        .any(|backup| backup.began_at <= now && now.since(backup.began_at) < AGAIN_AFTER);
    Ok(!is_made && !was_tried)
}

fn keep(app: &App, backup: &Backup) -> Result<(), Error> {
    let backup = backup.clone();
    let kept = app.store.write("backup", move |tx| -> Result<(), Error> {
        Ok(backups::put(tx, &backup)?)
    });
    kept.wait()
}

fn busy() -> Error {
    Error::Refused("A backup is being made, tested or restored already".to_owned())
}

fn tell_board<'t>(
    turn: &'t BackupTurn<'_>,
) -> impl FnMut(BackupStep, u64, u64) -> ControlFlow<()> + 't {
    |step, done, of| match turn.step(step, done, of) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

fn note(app: &App, actor: &Actor, action: &'static str, name: &str) -> Result<(), Error> {
    let (actor, name, now) = (actor.clone(), name.to_owned(), app.now());
    let noted = app.store.write("backup", move |tx| {
        trail::note(tx, &actor, action, &part(&name), Difference::default(), now)
    });
    noted.wait()
}
