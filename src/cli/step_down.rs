//! Commands that root types while the daemon is stopped: carried out as the owner of the data folder.
//!
//! Files that root made in the folder could not be written by the daemon, which is not root.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Set for a command that was started anew: what root opened for it is its standard input.
const IS_OPEN: &str = "PROXPANEL_INPUT_IS_OPEN";

/// Starts this command anew as the owner of `folder`, when root runs it and the folder belongs to somebody else. Returns
/// only when there is no need to, or on an error.
pub fn to_owner_of(folder: &Path) -> io::Result<()> {
    match anew(folder)? {
        Some(mut command) => Err(command.exec()),
        None => Ok(()),
    }
}

/// The same for a command with a file that perhaps only root can read: it is open already, and handed over.
pub fn to_owner_of_with(folder: &Path, file: &File) -> io::Result<()> {
    match anew(folder)? {
        Some(mut command) => Err(command.env(IS_OPEN, "1").stdin(file.try_clone()?).exec()),
        None => Ok(()),
    }
}

/// Whether a file was handed over: it is the standard input.
pub fn was_handed_over() -> bool {
    env::var_os(IS_OPEN).is_some()
}

/// As a file, which reads no further than it is asked to.
pub fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// This command as the owner of `folder`, when root runs it and the folder belongs to somebody else.
fn anew(folder: &Path) -> io::Result<Option<Command>> {
    let Ok(owner) = fs::metadata(folder) else {
        // Opening the folder says better what is wrong with it.
        return Ok(None);
    };
    let me = fs::metadata("/proc/self")?.uid();
    if me != 0 || owner.uid() == 0 {
        return Ok(None);
    }
    let mut command = Command::new(env::current_exe()?);
    command
        .args(env::args_os().skip(1))
        .uid(owner.uid())
        .gid(owner.gid());
    Ok(Some(command))
}
