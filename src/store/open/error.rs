//! What the owner is told when the store is not opened: what happened, and what to do.

use std::io;
use std::path::PathBuf;

use super::super::{FILE_NAME, StoreError};
use crate::crypto::CryptoError;

/// Why a store was not opened. Each message says what happened and what to do; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {} does not exist. Create it, or pass the right one with --data-dir", .0.display())]
    NoFolder(PathBuf),
    #[error("the data folder {} cannot be written ({why}). Give it back to the service's user, or mount it writable", .path.display())]
    FolderReadOnly { path: PathBuf, why: String },
    #[error("the store {} cannot be written ({why}). Run: chmod u+rw {} and check its owner", .path.display(), .path.display())]
    FileReadOnly { path: PathBuf, why: String },
    #[error("{} is not a regular file. Put the store back under that name, or restore a backup", .0.display())]
    NotAFile(PathBuf),
    #[error(
        "the store {} is missing, but {found} is still in the folder. Put the store back, or restore a backup; to start \
         empty on purpose, move {found} away first",
        .path.display()
    )]
    StoreMissing { path: PathBuf, found: String },
    #[error("the store {} is empty (0 octets). Restore a backup; to start anew on purpose, move the file away first", .0.display())]
    Empty(PathBuf),
    #[error("{} is not a ProxPanel store ({why}). Put the store back, or restore a backup", .path.display())]
    NotAStore { path: PathBuf, why: String },
    #[error("the store {} is damaged or cut short ({why}). Restore a backup; keep the file, parts of it may be readable", .path.display())]
    Corrupt { path: PathBuf, why: String },
    #[error(
        "the store {} is in use by another process: the daemon may be running. Ask it through the command line, or stop it \
         with: systemctl stop proxpanel",
        .0.display()
    )]
    Locked(PathBuf),
    #[error(
        "the store {} has schema version {found}, and this program knows versions up to {known}. Install the newer program \
         again, or restore the copy made before the upgrade ({FILE_NAME}.before-v{found})",
        .path.display()
    )]
    Newer {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error(transparent)]
    Key(CryptoError),
    #[error("the key in {} is not the key of the store {}. Copy the right key back", .key.display(), .store.display())]
    WrongKey { key: PathBuf, store: PathBuf },
    #[error("the copy {} made before an upgrade could not be written: {source}. The store was not upgraded", .path.display())]
    Snapshot { path: PathBuf, source: io::Error },
    #[error("the store {} could not be upgraded: {source}. It keeps its old shape", .path.display())]
    Upgrade { path: PathBuf, source: StoreError },
    #[error("{doing} {}: {source}", .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}
