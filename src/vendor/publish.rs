//! Making a release: the package is read once, hashed, copied into the folder of releases, and signed.
//!
//! Invariants: a file appears under its name only when it is whole; a version is published once, and only after all older
//! ones, so that the newest release is the newest version.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::VendorError;
use super::desk::Desk;
use super::records::{self, Who};
use super::tables::ReleaseRow;
use crate::licence::{
    ARCHITECTURES, LARGEST_PACKAGE, LONGEST_NOTES, Release, Version, package_name,
};

/// How every Debian package begins: it is an ar archive (deb(5)).
const MAGIC: &[u8] = b"!<arch>\ndebian-binary";
/// A package while it is copied.
const DRAFT: &str = ".draft";
const PIECE: usize = 256 << 10;

/// A package in the vendor's folder as long as this lives, for a server that is another user than the person at the terminal.
pub struct Lent(PathBuf);

impl Lent {
    /// Copies a package into the vendor's folder, for the owner of the folder alone. Blocks. Errors: `File`.
    pub fn copy(file: &Path, folder: &Path) -> Result<Lent, VendorError> {
        let source = File::open(file).map_err(|source| at(file, source))?;
        let lent = Lent(folder.join(format!("incoming-{}.deb", std::process::id())));
        // Root must not follow a link that the folder's owner put there, so the file is always a new one.
        remove(lent.path());
        let owner = fs::metadata(folder).map_err(|source| at(folder, source))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let copied = options.open(lent.path()).and_then(|mut target| {
            fchown(&target, Some(owner.uid()), Some(owner.gid()))?;
            // One octet more, so that a package which is too large is still one.
            io::copy(
                &mut source.take(LARGEST_PACKAGE.saturating_add(1)),
                &mut target,
            )
        });
        copied.map_err(|source| at(lent.path(), source))?;
        Ok(lent)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// What a person wants to publish.
pub struct Publish {
    /// A Debian package.
    pub file: PathBuf,
    pub version: String,
    pub architecture: String,
    /// Plain text.
    pub notes: String,
}

impl Desk {
    /// Copies, hashes and signs a package, and offers it from now on.
    ///
    /// Errors: `Field` for what is no package, version or architecture, and for a version that is not newer than all before.
    pub async fn publish(
        &self,
        who: Who,
        publish: Publish,
    ) -> Result<(u32, ReleaseRow), VendorError> {
        let (version, notes) = checked(&publish)?;
        let architecture = publish.architecture.clone();
        check_is_new(
            &records::releases(&self.store.view()?, usize::MAX, |_| true)?,
            &version,
            &architecture,
        )?;
        let file_name = package_name(&version, &architecture);
        let path = self.releases_folder().join(&file_name);
        let draft = self.releases_folder().join(format!("{file_name}{DRAFT}"));
        let (from, to) = (publish.file.clone(), draft.clone());
        let copied = tokio::task::spawn_blocking(move || copy(&from, &to)).await;
        let copied = copied.map_err(|_| VendorError::Interrupted)?;
        let (octets, sha256) = copied.inspect_err(|_| remove(&draft))?;
        let now = self.now();
        let release = Release {
            version: version.as_str().to_owned(),
            architecture: architecture.clone(),
            octets,
            sha256: sha256.into(),
            notes: notes.clone(),
            published_at: now.0,
        };
        let row = ReleaseRow {
            version: release.version.clone(),
            architecture: architecture.clone(),
            file_name,
            octets,
            sha256,
            manifest: release.sign(&self.signing),
            notes,
            published_at: now.0,
            is_withdrawn: false,
        };
        let kept = row.clone();
        let (from, to) = (draft.clone(), path);
        let added = self
            .store
            .write("publish release", move |tx| {
                check_is_new(
                    &records::releases(tx, usize::MAX, |_| true)?,
                    &version,
                    &architecture,
                )?;
                // The file is there before anybody is offered it. One that no row names does no harm.
                fs::rename(&from, &to).map_err(|source| at(&to, source))?;
                let id = records::add_release(tx, &row)?;
                let detail = format!("{} {} {}", row.version, row.architecture, row.file_name);
                records::log(tx, now, &who, "release published", None, &detail)?;
                Ok::<_, VendorError>(id)
            })
            .await;
        let id = added.inspect_err(|_| remove(&draft))?;
        Ok((id, kept))
    }

    /// Offers a release no longer; its file stays. Errors: `Missing`.
    pub async fn withdraw(&self, who: Who, id: u32) -> Result<(), VendorError> {
        let now = self.now();
        self.store
            .write("withdraw release", move |tx| {
                let found = records::release(tx, id)?;
                let mut row = found.ok_or(VendorError::Missing("release"))?;
                row.is_withdrawn = true;
                records::put_release(tx, id, &row)?;
                let detail = format!("{} {}", row.version, row.architecture);
                records::log(tx, now, &who, "release withdrawn", None, &detail)?;
                Ok::<_, VendorError>(())
            })
            .await
    }
}

fn checked(publish: &Publish) -> Result<(Version, String), VendorError> {
    let version = Version::parse(&publish.version);
    let version = version.ok_or_else(|| {
        VendorError::field("version", "A version such as 0.3.0, without a revision")
    })?;
    if !ARCHITECTURES.contains(&publish.architecture.as_str()) {
        return Err(VendorError::field("arch", "amd64 or arm64"));
    }
    let is_plain = |c: char| c == '\n' || !c.is_control();
    let notes: String = publish
        .notes
        .trim()
        .chars()
        .filter(|c| is_plain(*c))
        .collect();
    match notes.len() <= LONGEST_NOTES {
        true => Ok((version, notes)),
        false => Err(VendorError::field(
            "notes",
            format!("At most {LONGEST_NOTES} octets"),
        )),
    }
}

/// Machines that went over to a version never go back, so one that was withdrawn counts when it comes again, and not when a
/// lower one mends what it broke.
fn check_is_new(
    known: &[(u32, ReleaseRow)],
    version: &Version,
    architecture: &str,
) -> Result<(), VendorError> {
    let rows = known
        .iter()
        .filter(|(_, row)| row.architecture == architecture);
    for (id, row) in rows {
        let same = row.version == version.as_str();
        let is_older = Version::parse(&row.version).is_some_and(|known| known >= *version);
        if same || (is_older && !row.is_withdrawn) {
            return Err(VendorError::field(
                "version",
                format!("Release {id} is {} already; take a higher one", row.version),
            ));
        }
    }
    Ok(())
}

/// Copies a package and says its size and SHA-256. Blocks.
fn copy(from: &Path, to: &Path) -> Result<(u64, [u8; 32]), VendorError> {
    let source = File::open(from).map_err(|source| at(from, source))?;
    let is_file = source
        .metadata()
        .map_err(|source| at(from, source))?
        .is_file();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut target = options.open(to).map_err(|source| at(to, source))?;
    let mut source = source.take(LARGEST_PACKAGE.saturating_add(1));
    let mut digest = Sha256::new();
    let mut octets = 0_u64;
    let mut piece = Vec::with_capacity(PIECE);
    let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
    loop {
        piece.clear();
        let read = source.by_ref().take(limit).read_to_end(&mut piece);
        if read.map_err(|source| at(from, source))? == 0 {
            break;
        }
        if octets == 0 && !(is_file && piece.starts_with(MAGIC)) {
            return Err(VendorError::field("file", "It is no Debian package"));
        }
        octets = octets.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        digest.update(&piece);
        target.write_all(&piece).map_err(|source| at(to, source))?;
    }
    match octets {
        0 => Err(VendorError::field("file", "It is no Debian package")),
        1..=LARGEST_PACKAGE => {
            target.sync_all().map_err(|source| at(to, source))?;
            Ok((octets, digest.finalize().into()))
        }
        _ => Err(VendorError::field(
            "file",
            format!("At most {LARGEST_PACKAGE} octets"),
        )),
    }
}

fn at(path: &Path, source: io::Error) -> VendorError {
    VendorError::File {
        path: path.to_owned(),
        source,
    }
}

fn remove(draft: &Path) {
    // What was not finished only takes room.
    let _ = fs::remove_file(draft);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_package_is_lent_without_following_links_and_only_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("it.deb");
        let other = folder.path().join("other");
        fs::write(&package, b"a package").unwrap();
        fs::write(&other, b"of root").unwrap();
        let planted = folder
            .path()
            .join(format!("incoming-{}.deb", std::process::id()));
        symlink(&other, &planted).unwrap();
        let lent = Lent::copy(&package, folder.path()).unwrap();
        assert_eq!(lent.path(), planted);
        assert!(fs::symlink_metadata(lent.path()).unwrap().is_file());
        assert_eq!(fs::read(lent.path()).unwrap(), b"a package");
        let mode = fs::metadata(lent.path()).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read(&other).unwrap(), b"of root");
        drop(lent);
        assert!(!planted.exists());

        let missing = folder.path().join("none.deb");
        let refused = Lent::copy(&missing, folder.path()).map(|_| ());
        assert!(refused.unwrap_err().to_string().contains("none.deb"));
    }
}
