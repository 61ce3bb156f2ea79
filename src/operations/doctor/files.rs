//! Files and folders: whether they are there, and whether only those can read and change them who should.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::app::App;
use crate::domain::duration::short;
use crate::domain::octets::Octets;
use crate::domain::time::{DAY, SECOND, Timestamp};
use crate::store::KEY_NAME;
use crate::store::swap::BEFORE;

/// After so long the restored data has proved itself, or never will.
pub(super) const KEPT_LONG: i64 = 7 * DAY;
/// Folders that are named in one line.
const MOST_NAMED: usize = 5;
/// Entries that are looked at in the data folder and in what a restore left of one; far more than there ever are.
const MOST_ENTRIES: usize = 10_000;

pub(super) fn data_folder(folder: &Path) -> Finding {
    let (what, path) = ("Data folder", folder.display());
    match fs::metadata(folder) {
        Ok(metadata) if metadata.mode() & 0o007 != 0 => Finding::warning(
            what,
            format!("{path} can be read by everybody on this machine"),
            format!("run `chmod o-rwx {path}`"),
        ),
        Ok(_) => Finding::good(what, path.to_string()),
        Err(error) => Finding::bad(
            what,
            format!("{path}: {error}"),
            "check that the folder exists and belongs to the daemon's user",
        ),
    }
}

/// The key beside the store. The daemon that runs has it in memory; the next start wants the file.
pub(super) fn key_file(folder: &Path) -> Finding {
    let path = folder.join(KEY_NAME);
    let (what, shown) = ("Key file", path.display());
    match fs::metadata(&path) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => Finding::bad(
            what,
            format!(
                "{shown} is open to others (mode {:04o}); the next start refuses it",
                metadata.mode() & 0o7777
            ),
            format!("run `chmod 600 {shown}`"),
        ),
        Ok(_) => Finding::good(what, shown.to_string()),
        Err(error) => Finding::bad(
            what,
            format!(
                "{shown}: {error}; the next start fails, and passwords cannot be read without it"
            ),
            "make a backup at once with `proxpanel backup`, which holds the key; do not restart before",
        ),
    }
}

/// What restores put aside. Nothing of it is removed by itself: it may be the only copy of what came after the backup.
pub(super) fn put_aside(folder: &Path, now: Timestamp) -> Option<Finding> {
    let what = "Kept from before a restore";
    let kept = match kept(folder) {
        Ok(kept) => kept,
        Err(error) => {
            let seen = format!("{} cannot be listed: {error}", folder.display());
            let mend = "see that the daemon's user may read it";
            return Some(Finding::warning(what, seen, mend));
        }
    };
    let words = |kept: &[&Kept]| {
        let named = kept.iter().take(MOST_NAMED).map(|it| {
            let age = short(now.since(it.since));
            format!("{} ({age} old, {})", it.name, Octets(it.octets))
        });
        named.collect::<Vec<_>>().join(", ")
    };
    let is_old = |it: &&Kept| now.since(it.since) >= KEPT_LONG;
    let old: Vec<&Kept> = kept.iter().filter(is_old).collect();
    match (kept.is_empty(), old.is_empty()) {
        (true, _) => None,
        (false, true) => Some(Finding::good(what, words(&kept.iter().collect::<Vec<_>>()))),
        (false, false) => {
            let paths = old.iter().take(MOST_NAMED);
            let paths: Vec<String> = paths
                .map(|it| folder.join(&it.name).display().to_string())
                .collect();
            Some(Finding::warning(
                what,
                words(&old),
                format!(
                    "when nothing of what was there before the restore is missed, remove it for good: `rm -r {}`",
                    paths.join(" ")
                ),
            ))
        }
    }
}

/// A folder that a restore left.
struct Kept {
    name: String,
    since: Timestamp,
    octets: u64,
}

/// Oldest first.
fn kept(folder: &Path) -> io::Result<Vec<Kept>> {
    // A name goes into a command that somebody copies.
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)?.take(MOST_ENTRIES) {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if metadata.is_dir() && name.starts_with(BEFORE) && name.bytes().all(is_plain) {
            kept.push(Kept {
                name,
                // Entries came into it when it was put aside, and never since.
                since: Timestamp(metadata.mtime().saturating_mul(SECOND)),
                octets: size(&entry.path()),
            });
        }
    }
    kept.sort_by_key(|it| it.since);
    Ok(kept)
}

/// Octets of all files below a folder; what cannot be read counts nothing. Links are not followed.
fn size(folder: &Path) -> u64 {
    let mut waiting = vec![folder.to_owned()];
    let (mut octets, mut looked_at) = (0u64, 0usize);
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.take(MOST_ENTRIES.saturating_sub(looked_at)) {
            looked_at = looked_at.saturating_add(1);
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => waiting.push(entry.path()),
                Ok(metadata) if metadata.is_file() => {
                    octets = octets.saturating_add(metadata.len());
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    octets
}

pub(super) fn configuration(app: &App) -> Finding {
    let source = &app.config.source;
    let (what, path) = ("Configuration", source.file());
    let shown = path.display();
    if let Err(error) = source.load() {
        let seen = format!("the next start fails: {error}");
        return Finding::bad(
            what,
            seen,
            format!("mend {shown}, then `proxpanel check-config`"),
        );
    }
    judge_mode(path, fs::metadata(path))
}

fn judge_mode(path: &Path, looked: io::Result<Metadata>) -> Finding {
    let (what, shown) = ("Configuration", path.display());
    match looked {
        Ok(metadata) if metadata.mode() & 0o022 != 0 => Finding::bad(
            what,
            format!("{shown} can be changed by others than its owner"),
            format!("run `chmod go-w {shown}`"),
        ),
        Ok(_) => Finding::good(what, shown.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::good(what, format!("the defaults; there is no {shown}"))
        }
        Err(error) => Finding::warning(
            what,
            format!("{shown}: {error}"),
            "see that the daemon's user may read it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::super::Verdict::{Bad, Good, Warning};
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_data_folder_is_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, expected) in [
            (0o700, Good),
            (0o750, Good),
            (0o705, Warning),
            (0o701, Warning),
        ] {
            set_mode(folder.path(), mode);
            assert_eq!(data_folder(folder.path()).verdict, expected, "{mode:o}");
        }
        assert_eq!(data_folder(&folder.path().join("missing")).verdict, Bad);
    }

    #[test]
    fn the_key_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let missing = key_file(folder.path());
        assert_eq!(missing.verdict, Bad);
        assert!(missing.mend.contains("proxpanel backup"));
        let path = folder.path().join(KEY_NAME);
        fs::write(&path, "").unwrap();
        for (mode, expected) in [(0o600, Good), (0o400, Good), (0o640, Bad), (0o604, Bad)] {
            set_mode(&path, mode);
            let finding = key_file(folder.path());
            assert_eq!(finding.verdict, expected, "{mode:o}");
            assert_eq!(finding.mend.contains("chmod 600"), expected == Bad);
        }
    }

    #[test]
    fn what_a_restore_left_is_named_after_a_week_with_the_command_that_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        assert_eq!(put_aside(data, Timestamp(0)), None);
        fs::write(data.join("proxpanel.redb"), [0; 9_000]).unwrap();
        fs::write(data.join("before-restore-note"), "a file").unwrap();
        fs::create_dir(data.join("before-restore-$(reboot)")).unwrap();
        assert_eq!(put_aside(data, Timestamp(0)), None);
        let kept = data.join("before-restore-2026-05-28-20-26-40");
        fs::create_dir_all(kept.join("tls")).unwrap();
        fs::write(kept.join("tls/own.pem"), [0; 500]).unwrap();
        fs::write(kept.join("proxpanel.redb"), [0; 1_500]).unwrap();
        std::os::unix::fs::symlink(data, kept.join("tls/loop")).unwrap();
        let at = fs::metadata(&kept).unwrap().mtime() * SECOND;
        let judged = |after: i64| put_aside(data, Timestamp(at + after)).unwrap();
        let young = judged(KEPT_LONG - 1);
        assert_eq!((young.verdict, young.mend.as_str()), (Good, ""));
        let old = judged(KEPT_LONG);
        assert_eq!(old.verdict, Warning);
        assert!(
            old.seen
                .starts_with("before-restore-2026-05-28-20-26-40 (7 d old, 2.0 kB)"),
            "{}",
            old.seen
        );
        let command = format!("`rm -r {}`", kept.display());
        assert!(old.mend.contains(&command), "{}", old.mend);
        assert!(kept.is_dir(), "nothing is removed by itself");
        assert_eq!(
            put_aside(&data.join("none"), Timestamp(at))
                .unwrap()
                .verdict,
            Warning
        );
    }

    #[test]
    fn only_the_owner_changes_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxpanel.toml");
        let judged = || judge_mode(&path, fs::metadata(&path)).verdict;
        assert_eq!(judged(), Good, "the defaults hold");
        fs::write(&path, "").unwrap();
        for (mode, expected) in [(0o644, Good), (0o640, Good), (0o664, Bad), (0o646, Bad)] {
            set_mode(&path, mode);
            assert_eq!(judged(), expected, "{mode:o}");
        }
        let refused = Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(judge_mode(&path, refused).verdict, Warning);
    }
}
