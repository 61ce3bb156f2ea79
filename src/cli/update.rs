//! `proxpanel update`: newer versions from the vendor.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;

use super::{CliError, Place, configured, print};
use crate::control::Request;
use crate::operations::updates;

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
            let config = configured(&place)?;
            let release = updates::verify(&config, key.as_deref(), &package, &manifest)?;
            let mut out = io::stdout();
            Ok(writeln!(
                out,
                "{} {}",
                release.version, release.architecture
            )?)
        }
    }
}
