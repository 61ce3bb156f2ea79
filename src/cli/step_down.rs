//! Commands that root types while the daemon is stopped: carried out as the owner of the data folder.
//!
//! Files that root made in the folder could not be written by the daemon, which is not root.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Starts this command anew as the owner of `folder`, when root runs it and the folder belongs to somebody else. Returns
/// only when there is no need to, or on an error.
pub fn to_owner_of(folder: &Path) -> io::Result<()> {
    let Ok(owner) = fs::metadata(folder) else {
        // Opening the folder says better what is wrong with it.
        return Ok(());
    };
    let me = fs::metadata("/proc/self")?.uid();
    if me != 0 || owner.uid() == 0 {
        return Ok(());
    }
    Err(Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .uid(owner.uid())
        .gid(owner.gid())
        .exec())
}
