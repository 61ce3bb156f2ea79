//! Releases: what is offered to whom, and the files behind it. Making and signing them is in `publish`.

use std::path::PathBuf;

use super::desk::Desk;
use super::records;
use super::tables::ReleaseRow;
use super::{Refusal, VendorError};
use crate::licence::wire::Update;

/// Characters of the name of a file.
const LONGEST_NAME: usize = 120;
/// Releases of one page.
pub const MOST_LISTED: usize = 100;

impl Desk {
    /// All releases, newest first; at most [`MOST_LISTED`].
    pub fn releases(&self) -> Result<Vec<(u32, ReleaseRow)>, VendorError> {
        Ok(records::releases(&self.store.view()?, MOST_LISTED, |_| {
            true
        })?)
    }

    /// The newest release for an architecture, or the one with this version. Errors: `NoRelease`.
    pub fn release(
        &self,
        architecture: &str,
        version: Option<&str>,
    ) -> Result<ReleaseRow, VendorError> {
        let wanted = |row: &ReleaseRow| {
            !row.is_withdrawn
                && row.architecture == architecture
                && version.is_none_or(|version| row.version == version)
        };
        let found = records::releases(&self.store.view()?, 1, wanted)?;
        let (_, row) = found.into_iter().next().ok_or(Refusal::NoRelease)?;
        Ok(row)
    }

    /// What an appliance of this architecture may have. An empty version when there is nothing.
    pub fn newest(&self, architecture: &str) -> Result<Update, VendorError> {
        match self.release(architecture, None) {
            Ok(row) => Ok(Update {
                version: row.version,
                notes: row.notes,
                manifest: row.manifest,
            }),
            Err(VendorError::Refused(Refusal::NoRelease)) => Ok(Update {
                version: String::new(),
                notes: String::new(),
                manifest: String::new(),
            }),
            Err(other) => Err(other),
        }
    }

    /// Where the file of a release lies.
    pub fn release_path(&self, row: &ReleaseRow) -> Result<PathBuf, VendorError> {
        match is_file_name(&row.file_name) {
            true => Ok(self.releases_folder().join(&row.file_name)),
            false => Err(Refusal::NoRelease.into()),
        }
    }
}

/// Whether a name stays in its folder.
pub(super) fn is_file_name(name: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._+~-".contains(&octet);
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_file_name;

    #[test]
    fn a_name_stays_in_its_folder() {
        for good in ["proxpanel_0.2.0-1~deb12_amd64.deb", "a", &"x".repeat(120)] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            ".hidden",
            "a/b",
            "../a",
            "a b",
            "a\0",
            "é",
            &"x".repeat(121),
        ] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }
}
