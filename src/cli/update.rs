//! `proxpanel update`: newer versions from the vendor.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{CliError, Place, configured, print};
use crate::control::Request;
use crate::licence::{LONGEST_SIGNED, Release, VendorKey};
use crate::operations::licence::VERSION;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Ask the vendor for a newer version
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Fetch the newer version and check that the vendor signed it
    Download {
        #[command(flatten)]
        place: Place,
    },
    /// Hand the package that was fetched to the package manager
    Install {
        #[command(flatten)]
        place: Place,
    },
    /// List what was installed, newest first
    History {
        #[command(flatten)]
        place: Place,
    },
    /// Check a package against what the vendor signed of it, and print its version and architecture
    Verify {
        #[command(flatten)]
        place: Place,
        /// The vendor's key, instead of the configured one
        #[arg(long)]
        key: Option<String>,
        package: PathBuf,
        manifest: PathBuf,
    },
}

pub(super) fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Check { place } => print(&place, Request::UpdateCheck),
        Verb::Download { place } => print(&place, Request::UpdateDownload),
        Verb::Install { place } => print(&place, Request::UpdateInstall),
        Verb::History { place } => print(&place, Request::UpdateHistory),
        Verb::Verify {
            place,
            key,
            package,
            manifest,
        } => {
            let key = match key {
                Some(key) => VendorKey::parse(&key).map_err(refused)?,
                None => vendor_key(&place)?,
            };
            let release = verify(&key, &package, &manifest)?;
            let mut out = io::stdout();
            Ok(writeln!(
                out,
                "{} {}",
                release.version, release.architecture
            )?)
        }
    }
}

fn vendor_key(place: &Place) -> Result<VendorKey, CliError> {
    let vendor = configured(place)?.licence.vendor;
    let none = "no vendor is configured, and no --key is given";
    vendor.map(|vendor| vendor.key).ok_or_else(|| refused(none))
}

/// Nothing of the two files is trusted.
fn verify(key: &VendorKey, package: &Path, manifest: &Path) -> Result<Release, CliError> {
    let mut text = String::new();
    let longest = u64::try_from(LONGEST_SIGNED).unwrap_or(u64::MAX);
    File::open(manifest)?
        .take(longest.saturating_add(2))
        .read_to_string(&mut text)?;
    let release = Release::open(key, &text).map_err(refused)?;
    release.check_fits(VERSION).map_err(refused)?;
    release
        .check_package(File::open(package)?)
        .map_err(refused)?;
    Ok(release)
}

fn refused(why: impl ToString) -> CliError {
    CliError::Refused(why.to_string())
}
