//! `proxpanel backup` and `proxpanel restore`.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Seek, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{CliError, Place, ask, configured, make_folder, read_password, step_down};
use crate::app::{BackupStep, Clock};
use crate::control::{self, Request};
use crate::crypto::Secret;
use crate::operations::backups::{self, KeyKind, Lock, Words, manifest::Manifest, restore};
use crate::store::FILE_NAME;
use crate::telemetry;

/// `proxpanel backup`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Backup {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    place: Place,
    /// Also copy the backup to this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the backups there are and what came of testing them
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Set the passphrase of all backups made from now on
    Passphrase {
        #[command(flatten)]
        place: Place,
        /// Read it from standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Restore a backup where nobody uses it, compare it with what was packed, and remove it again
    Verify {
        /// The file; it is decrypted beside itself
        file: PathBuf,
        /// Read the passphrase, or the licence key, from standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
}

/// `proxpanel restore`.
#[derive(Args)]
pub struct Restore {
    #[command(flatten)]
    place: Place,
    /// The file, backup_….enc
    file: PathBuf,
    /// Read the passphrase, or the licence key, from standard input
    #[arg(long)]
    passphrase_stdin: bool,
    /// Put it in the place of the data that is there, which is kept in a folder before-restore-…
    #[arg(long)]
    replace: bool,
}

pub fn backup(options: Backup) -> Result<(), CliError> {
    match options.verb {
        None => create(&options.place, options.to.as_deref()),
        Some(Verb::List { place }) => ask(&place, Request::BackupList, &mut io::stdout().lock()),
        Some(Verb::Passphrase {
            place,
            passphrase_stdin,
        }) => {
            // Before the line is read: it cannot be read twice.
            step_down::to_owner_of(&configured(&place)?.data_dir)?;
            let passphrase = read_words(KeyKind::Passphrase, "backups", passphrase_stdin)?;
            let request = Request::BackupPassphrase { passphrase };
            ask(&place, request, &mut io::stdout().lock())
        }
        Some(Verb::Verify {
            file,
            passphrase_stdin,
        }) => {
            telemetry::start_logging("warn");
            let words = words(&mut opened(&file)?, passphrase_stdin)?;
            let manifest = backups::verify(&file, &words, &mut progress())?;
            said(&format!(
                "{} is whole: {}",
                file.display(),
                holds(&manifest)
            ))
        }
    }
}

/// Has the daemon make one, prints its name, and copies it on.
fn create(place: &Place, to: Option<&Path>) -> Result<(), CliError> {
    let mut answer = Vec::new();
    ask(place, Request::BackupCreate, &mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    write!(io::stdout(), "{answer}")?;
    let (Some(to), Some(path)) = (to, answer.lines().next().map(Path::new)) else {
        return Ok(());
    };
    let target = to.join(path.file_name().unwrap_or_default());
    fs::copy(path, &target).map_err(|error| {
        CliError::Refused(format!(
            "the backup is made, but cannot be copied to {}: {error}",
            target.display()
        ))
    })?;
    File::open(&target)?.sync_all()?;
    said(&format!("Copied to {}", target.display()))
}

pub fn restore(options: &Restore) -> Result<(), CliError> {
    telemetry::start_logging("warn");
    let data = configured(&options.place)?.data_dir;
    // Opened by whoever calls, who may be able to read more than the daemon's user.
    let mut file = opened(&options.file)?;
    if control::is_served(&data) {
        return Err(CliError::Refused(format!(
            "a daemon runs on {}. Stop it first: systemctl stop proxpanel. Or restore on its page Settings, Backups",
            data.display()
        )));
    }
    if data.join(FILE_NAME).exists() && !options.replace {
        return Err(CliError::Refused(format!(
            "there is data in {}. With --replace it is put aside and kept",
            data.display()
        )));
    }
    make_folder(&data)?;
    let words = words(&mut file, options.passphrase_stdin)?;
    let now = Clock::System.now();
    let manifest = restore::prepare(file, &words, &data, now, &mut progress())?;
    said(&format!(
        "Restored to {}: {}",
        data.display(),
        holds(&manifest)
    ))?;
    said("It is in use from the next start on: systemctl start proxpanel")?;
    said(
        "None of its backups goes to another machine until somebody resumes that in Settings, Backups",
    )
}

fn holds(manifest: &Manifest) -> String {
    format!(
        "{} subscribers, {} rows, made on {} by version {}",
        manifest.rows_of("subscribers"),
        manifest.rows(),
        manifest.created,
        manifest.version
    )
}

fn opened(path: &Path) -> Result<File, CliError> {
    File::open(path)
        .map_err(|error| CliError::Refused(format!("cannot read {}: {error}", path.display())))
}

/// Asks for what opens a backup, once it has said what that is; the file stands at its start again.
fn words(file: &mut File, from_stdin: bool) -> Result<Words, CliError> {
    let lock: Lock = backups::look(&mut *file)?;
    file.rewind()?;
    let of = match lock.id.as_str() {
        "" => "the backup".to_owned(),
        id => format!("licence {id}"),
    };
    let typed = read_words(lock.kind, &of, from_stdin)?;
    Ok(backups::typed_words(&lock, Secret::new(typed))?)
}

/// One line of standard input; a person at a terminal is told what is wanted.
fn read_words(kind: KeyKind, of: &str, from_stdin: bool) -> Result<String, CliError> {
    if !from_stdin && io::stdin().is_terminal() {
        write!(io::stderr(), "The {kind} of {of} (it is shown): ")?;
        io::stderr().flush()?;
    }
    read_password()
}

/// A line on standard error for each step.
fn progress() -> impl FnMut(BackupStep, u64, u64) -> ControlFlow<()> {
    let mut last = None;
    move |step, _, _| {
        if last != Some(step) {
            last = Some(step);
            // Progress is a courtesy.
            let _ = writeln!(io::stderr(), "{} …", step.words());
        }
        ControlFlow::Continue(())
    }
}

fn said(line: &str) -> Result<(), CliError> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
