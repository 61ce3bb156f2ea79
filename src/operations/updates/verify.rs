//! Two files are checked without asking anybody: what root does before it installs anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::not_taken;
use crate::config::Config;
use crate::licence::{LONGEST_SIGNED, Release, VendorKey};
use crate::operations::{Error, licence};

/// Whether the vendor signed this manifest, and the package is the one it is about and newer than this program. `key` is
/// the vendor's, instead of the configured one. Nothing of the two files is trusted. Blocks.
///
/// Errors: `Refused` without a key and with what is wrong.
pub fn verify(
    config: &Config,
    key: Option<&str>,
    package: &Path,
    manifest: &Path,
) -> Result<Release, Error> {
    let key = match (key, &config.licence.vendor) {
        (Some(key), _) => {
            VendorKey::parse(key).map_err(|problem| Error::Refused(problem.to_string()))?
        }
        (None, Some(vendor)) => vendor.key,
        (None, None) => {
            let none = "no vendor is configured, and no --key is given";
            return Err(Error::Refused(none.to_owned()));
        }
    };
    let longest = u64::try_from(LONGEST_SIGNED).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    File::open(manifest)?
        .take(longest.saturating_add(2))
        .read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let release = Release::open(&key, &text).map_err(not_taken)?;
    release.check_fits(licence::VERSION).map_err(not_taken)?;
    release
        .check_package(File::open(package)?)
        .map_err(not_taken)?;
    Ok(release)
}
