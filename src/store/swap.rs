//! A restored data folder takes the place of the one in use: prepared beside it, swapped in at the next start.
//!
//! Prepared in `restore.part`, renamed to `restore.ready` when it is whole and synced. Before the store is opened, what is in
//! the data folder moves to a folder of its own, `restore.ready` is renamed to `restore.moving`, and its files move up. Each
//! step can be repeated, so a crash at any moment is made up for by the next start. Invariant: nothing is deleted but empty
//! folders; what was there before is kept until a person removes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::open::sync_folder;
use super::{OpenError, open};

/// Where a restore is prepared, where it waits for the next start, and from where its files move up.
pub const PART: &str = "restore.part";
pub const READY: &str = "restore.ready";
const MOVING: &str = "restore.moving";
/// In the prepared folder: the name of the folder that takes what was there before.
pub const KEPT_AS: &str = "kept-as";
/// How that name begins.
pub const BEFORE: &str = "before-restore-";
/// Backups that are kept in the data folder, where it has none of its own in /var/backups.
pub const BACKUPS: &str = "backups";
/// Where copies are made and tried out.
pub const WORK: &str = "backup-work";

/// Entries of a data folder; far more than there ever are.
const MOST_ENTRIES: usize = 10_000;

/// Finishes a restore that was prepared. Says where what was there before is kept, when something was moved now.
pub(super) fn settle(folder: &Path) -> Result<Option<PathBuf>, OpenError> {
    let fault = |source| OpenError::Io {
        doing: "cannot put the restored data in its place in",
        path: folder.to_owned(),
        source,
    };
    let (ready, moving) = (folder.join(READY), folder.join(MOVING));
    let mut kept = None;
    if ready.is_dir() {
        open::check_not_in_use(folder)?;
        let before = folder.join(kept_as(&ready).map_err(fault)?);
        if put_aside(folder, &before).map_err(fault)? {
            tracing::info!(kept_in = %before.display(), "a restored backup takes the place of the data");
            kept = Some(before);
        }
        fs::rename(&ready, &moving)
            .and_then(|()| sync_folder(folder))
            .map_err(fault)?;
    }
    if moving.is_dir() {
        move_up(folder, &moving).map_err(fault)?;
    }
    Ok(kept)
}

/// Whether a restore waits for the next start.
pub fn is_waiting(folder: &Path) -> bool {
    folder.join(READY).is_dir()
}

fn kept_as(ready: &Path) -> io::Result<String> {
    let name = fs::read_to_string(ready.join(KEPT_AS))?;
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    match name.starts_with(BEFORE) && name.bytes().all(is_plain) {
        true => Ok(name),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{KEPT_AS} in {READY} holds no name of ours"),
        )),
    }
}

/// Whether an entry of the data folder is no part of the data.
fn stays(name: &str) -> bool {
    [READY, MOVING, PART, BACKUPS, WORK, "lost+found"].contains(&name) || name.starts_with(BEFORE)
}

/// Moves the data to `before`. Says whether there was any, now or in a try that broke off.
fn put_aside(folder: &Path, before: &Path) -> io::Result<bool> {
    for name in names(folder)? {
        if stays(&name) {
            continue;
        }
        if !before.is_dir() {
            fs::create_dir(before)?;
        }
        fs::rename(folder.join(&name), before.join(&name))?;
    }
    let any = before.is_dir();
    if any {
        sync_folder(before)?;
    }
    sync_folder(folder)?;
    Ok(any)
}

fn move_up(folder: &Path, moving: &Path) -> io::Result<()> {
    for name in names(moving)? {
        if name == KEPT_AS {
            continue;
        }
        fs::rename(moving.join(&name), folder.join(&name))?;
    }
    sync_folder(folder)?;
    match fs::remove_file(moving.join(KEPT_AS)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(moving)?;
    sync_folder(folder)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(MOST_ENTRIES) {
        // A name that is not text is none of ours, and stays.
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::super::{OpenOptions, Store};
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for name in names(folder).unwrap() {
            let path = folder.join(&name);
            if path.is_dir() {
                let inner = entries(&path);
                found.extend(inner.into_iter().map(|inner| format!("{name}/{inner}")));
            } else {
                found.push(format!("{name}={}", fs::read_to_string(&path).unwrap()));
            }
        }
        found.sort();
        found
    }

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    const OLD: &[(&str, &str)] = &[
        ("proxpanel.redb", "old"),
        ("secret.key", "old"),
        ("search/meta", "old"),
        ("tls/own.pem", "old"),
        ("backups/b.enc", "kept"),
        ("before-restore-0/x", "kept"),
    ];
    const NEW: &[(&str, &str)] = &[
        ("restore.ready/kept-as", "before-restore-1"),
        ("restore.ready/proxpanel.redb", "new"),
        ("restore.ready/secret.key", "new"),
        ("restore.ready/tls/own.pem", "new"),
    ];
    const DONE: &[&str] = &[
        "backups/b.enc=kept",
        "before-restore-0/x=kept",
        "before-restore-1/proxpanel.redb=old",
        "before-restore-1/search/meta=old",
        "before-restore-1/secret.key=old",
        "before-restore-1/tls/own.pem=old",
        "proxpanel.redb=new",
        "secret.key=new",
        "tls/own.pem=new",
    ];

    #[test]
    fn the_restored_data_is_swapped_in_and_the_old_kept() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), OLD);
        assert_eq!(settle(folder.path()).unwrap(), None, "nothing waits");
        assert!(!is_waiting(folder.path()));
        write(folder.path(), NEW);
        assert!(is_waiting(folder.path()));
        let kept = settle(folder.path()).unwrap();
        assert_eq!(kept, Some(folder.path().join("before-restore-1")));
        assert_eq!(entries(folder.path()), DONE);
        assert_eq!(settle(folder.path()).unwrap(), None);
        assert_eq!(entries(folder.path()), DONE);
    }

    #[test]
    fn on_a_blank_machine_nothing_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), NEW);
        assert_eq!(settle(folder.path()).unwrap(), None);
        let wanted = ["proxpanel.redb=new", "secret.key=new", "tls/own.pem=new"];
        assert_eq!(entries(folder.path()), wanted);
    }

    #[test]
    fn a_swap_that_broke_off_anywhere_is_finished() {
        // What each step of `settle` had done when the power went.
        let steps: &[&[(&str, &str)]] = &[
            &[("secret.key", "before-restore-1/secret.key")],
            &[("proxpanel.redb", "before-restore-1/proxpanel.redb")],
            &[
                ("search", "before-restore-1/search"),
                ("tls", "before-restore-1/tls"),
            ],
            &[("restore.ready", "restore.moving")],
            &[("restore.moving/secret.key", "secret.key")],
            &[("restore.moving/tls", "tls")],
            &[("restore.moving/proxpanel.redb", "proxpanel.redb")],
        ];
        for broken_after in 0..=steps.len() {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), OLD);
            write(folder.path(), NEW);
            for (from, to) in steps[..broken_after].iter().copied().flatten() {
                let to = folder.path().join(to);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::rename(folder.path().join(from), to).unwrap();
            }
            settle(folder.path()).unwrap();
            assert_eq!(entries(folder.path()), DONE, "after step {broken_after}");
        }
    }

    #[test]
    fn nothing_moves_while_the_store_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
        write(folder.path(), NEW);
        let here = || {
            let mut here = names(folder.path()).unwrap();
            here.sort();
            here
        };
        let before = here();
        let refused = settle(folder.path());
        assert!(matches!(refused, Err(OpenError::Locked(_))), "{refused:?}");
        assert_eq!(here(), before);
        assert!(is_waiting(folder.path()));
        drop(store);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_not_followed() {
        for name in [
            "",
            "elsewhere",
            "before-restore-/../../x",
            "before-restore-\n",
        ] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), OLD);
            write(folder.path(), NEW);
            write(folder.path(), &[("restore.ready/kept-as", name)]);
            let before = entries(folder.path());
            assert!(settle(folder.path()).is_err(), "{name}");
            assert_eq!(entries(folder.path()), before);
        }
    }
}
