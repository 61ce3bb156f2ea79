//! Files and folders: whether they are there, and whether only those can read and change them who should.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::app::App;
use crate::store::KEY_NAME;

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
