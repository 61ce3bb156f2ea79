//! Files of backups on the disk: names, room, and writing a file so that it appears whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, lchown};
use std::path::Path;

use crate::app::BackupStep;
use crate::domain::octets::Octets;
use crate::operations::Error;
use crate::telemetry::disk_of;

/// Is told the step, what of it is done and how much there is; says whether to go on.
pub type Tell<'t> = &'t mut dyn FnMut(BackupStep, u64, u64) -> ControlFlow<()>;

/// What stays free on a disk, whatever a backup needs: accounting is written there too.
const RESERVE: u64 = 64 << 20;
/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 5_000;
const LONGEST_NAME: usize = 100;
/// The end of the name of a backup, and what follows it while it is made or brought in.
pub(super) const ENDING: &str = ".enc";
pub(super) const PART_ENDING: &str = ".part";
pub(super) const UPLOAD_ENDING: &str = ".upload";
/// Octets written at once.
const BUFFER: usize = 256 << 10;

/// Whether a file of this name may be a backup. Such a name leads to no other folder.
pub fn is_backup_name(name: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    name.len() <= LONGEST_NAME
        && name.len() > ENDING.len()
        && name.ends_with(ENDING)
        && !name.starts_with('.')
        && name.bytes().all(is_plain)
}

/// Refuses what would fill the disk of `folder`.
pub(in crate::operations) fn check_room(folder: &Path, wanted: u64) -> Result<(), Error> {
    match disk_of(folder) {
        Some(disk) => room(folder, disk.available_bytes, wanted),
        // A disk that cannot be asked shows when it is full.
        None => Ok(()),
    }
}

fn room(folder: &Path, available: u64, wanted: u64) -> Result<(), Error> {
    let needed = wanted.saturating_add(RESERVE);
    match available >= needed {
        true => Ok(()),
        false => Err(Error::Refused(format!(
            "the disk of {} has {} free, and {} are needed. Free some space, then try again",
            folder.display(),
            Octets(available),
            Octets(needed)
        ))),
    }
}

/// Makes a folder for the daemon's user alone, empty.
pub(super) fn empty_folder(folder: &Path) -> Result<(), Error> {
    remove_folder(folder)?;
    make_folder(folder)
}

pub(in crate::operations) fn make_folder(folder: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| at("make the folder", folder, error))
}

pub(super) fn remove_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(at("remove the folder", folder, error))
        }
        _ => Ok(()),
    }
}

/// A folder that is removed when the work with it is over, however it ends.
pub(super) struct Passing<'f>(pub &'f Path);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        if let Err(error) = remove_folder(self.0) {
            tracing::warn!(%error, "a folder of a backup stays");
        }
    }
}

/// Names and sizes of the files in a folder that may be backups. A folder that is not there has none.
pub(super) fn backups_in(folder: &Path) -> Result<Vec<(String, u64)>, Error> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other.map_err(|error| at("list", folder, error))?,
    };
    for entry in entries.take(MOST_ENTRIES) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let metadata = entry.metadata()?;
        if metadata.is_file() && is_backup_name(&name) {
            found.push((name, metadata.len()));
        }
    }
    Ok(found)
}

/// Removes backups that are not whole, by what follows their names.
pub(super) fn remove_parts(folder: &Path, ending: &str) -> Result<(), Error> {
    for entry in fs::read_dir(folder)?.take(MOST_ENTRIES) {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let whole = name.and_then(|name| name.strip_suffix(ending));
        if whole.is_some_and(is_backup_name) {
            fs::remove_file(&path).map_err(|error| at("remove", &path, error))?;
        }
    }
    Ok(())
}

/// Writes a file under a second name and gives it its own when it is whole and on disk. After an error nothing is left of it.
pub(super) fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(PART_ENDING);
    let part = Path::new(&part);
    let written = (|| {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(part)
            .map_err(|error| at("write", part, error))?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let value = write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(part, path)?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(value)
    })();
    if written.is_err() {
        // There may be none yet.
        let _ = fs::remove_file(part);
    }
    written
}

/// Gives what root made in a folder to the owner of `like`, the daemon's user, who could not use it otherwise. A link is given
/// away itself: what it leads to may be root's.
pub(super) fn give_to_owner(folder: &Path, like: &Path) -> Result<(), Error> {
    let owner = fs::metadata(like)?;
    if fs::symlink_metadata(folder)?.uid() == owner.uid() {
        return Ok(());
    }
    let give = |path: &Path| {
        lchown(path, Some(owner.uid()), Some(owner.gid()))
            .map_err(|error| at("give away", path, error))
    };
    give(folder)?;
    for entry in fs::read_dir(folder)?.take(MOST_ENTRIES) {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => give_to_owner(&entry.path(), like)?,
            false => give(&entry.path())?,
        }
    }
    Ok(())
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Says which file it was about.
pub(super) fn at(doing: &str, path: &Path, error: io::Error) -> Error {
    let kind = error.kind();
    Error::Io(io::Error::new(
        kind,
        format!("cannot {doing} {}: {error}", path.display()),
    ))
}

/// A file being read, which tells how far it is and breaks off when asked to.
pub(super) struct Told<'t, 'u> {
    file: File,
    step: BackupStep,
    done: u64,
    of: u64,
    tell: &'t mut (dyn FnMut(BackupStep, u64, u64) -> ControlFlow<()> + 'u),
}

impl<'t, 'u> Told<'t, 'u> {
    pub fn new(
        file: File,
        step: BackupStep,
        tell: &'t mut (dyn FnMut(BackupStep, u64, u64) -> ControlFlow<()> + 'u),
    ) -> io::Result<Self> {
        Ok(Told {
            of: file.metadata()?.len(),
            file,
            step,
            done: 0,
            tell,
        })
    }
}

impl Read for Told<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        self.done = self
            .done
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        match (self.tell)(self.step, self.done, self.of) {
            ControlFlow::Continue(()) => Ok(count),
            ControlFlow::Break(()) => Err(io::Error::other("cancelled")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_no_backups() {
        for name in ["backup_2026-11-22_03-00-00.enc", "a.enc", "A-1.b_c.enc"] {
            assert!(is_backup_name(name), "{name}");
        }
        let long = format!("{}.enc", "a".repeat(97));
        for name in [
            "",
            ".enc",
            "a.enc.part",
            "a",
            "../a.enc",
            "/a.enc",
            "a/b.enc",
            ".a.enc",
            "a b.enc",
            "é.enc",
            &long,
        ] {
            assert!(!is_backup_name(name), "{name}");
        }
    }

    #[test]
    fn a_disk_keeps_its_reserve() {
        let folder = Path::new("/var/backups");
        assert!(room(folder, RESERVE + 10, 10).is_ok());
        let refused = room(folder, RESERVE + 9, 10).unwrap_err().to_string();
        assert!(
            refused.starts_with("the disk of /var/backups has "),
            "{refused}"
        );
        assert!(room(folder, u64::MAX - 1, u64::MAX).is_err());
        assert!(check_room(&std::env::temp_dir(), u64::MAX).is_err());
        assert!(check_room(Path::new("/nowhere/at/all"), u64::MAX).is_ok());
    }

    #[test]
    fn what_root_restores_belongs_to_the_daemons_user() {
        let data = tempfile::tempdir().unwrap();
        let part = data.path().join("part");
        fs::create_dir_all(part.join("tls")).unwrap();
        fs::write(part.join("tls/own.pem"), b"x").unwrap();
        fs::write(part.join("secret.key"), b"x").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let of_root = elsewhere.path().join("of-root");
        fs::write(&of_root, b"x").unwrap();
        let me = fs::metadata(&of_root).unwrap().uid();
        symlink(&of_root, part.join("link")).unwrap();
        symlink(elsewhere.path(), part.join("tls/link")).unwrap();
        // Only root gives away; for everybody else both owners are the same already.
        let other = Some(65_534);
        let _is_root = lchown(data.path(), other, other).is_ok();
        give_to_owner(&part, data.path()).unwrap();
        for path in [elsewhere.path(), &of_root] {
            let found = fs::metadata(path).unwrap().uid();
            assert_eq!(found, me, "{} is behind a link", path.display());
        }
        let owner = fs::metadata(data.path()).unwrap().uid();
        for path in ["", "tls", "tls/own.pem", "secret.key"] {
            let found = fs::metadata(part.join(path)).unwrap().uid();
            assert_eq!(found, owner, "{path}");
        }
    }

    #[test]
    fn a_file_that_could_not_be_written_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.enc");
        let full = write_whole(&path, |out| {
            out.write_all(&[7; 300_000])?;
            Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull).into())
        });
        assert!(full.unwrap_err().to_string().contains("no storage space"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write_whole(&path, |out| Ok(out.write_all(b"whole")?)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        fs::write(folder.path().join("b.enc.part"), b"torn").unwrap();
        fs::write(folder.path().join("note.part"), b"not ours").unwrap();
        remove_parts(folder.path(), PART_ENDING).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(
            backups_in(folder.path()).unwrap(),
            [("a.enc".to_owned(), 5)]
        );
        assert!(backups_in(&folder.path().join("none")).unwrap().is_empty());
        assert!(write_whole(&folder.path().join("no/a.enc"), |_| Ok(())).is_err());
    }
}
