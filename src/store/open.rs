//! Opening the data folder: what is looked at before the file is trusted, and what each refusal tells the owner to do.
//!
//! Invariants: a refusal leaves every file as it was, octet for octet, because all checks run on an overlay that cannot
//! write; a new store is made only where none was, under a second name, and appears whole or not at all.

mod error;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions as FileOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageError};

pub use error::OpenError;

use super::overlay::Overlay;
use super::schema::{self, Facts, MIGRATIONS, Migration};
use super::writer::{Limits, Progress, Reopen, Writer};
use super::{FILE_NAME, KEY_NAME, Shared, Slot, Store, journal, swap};
use crate::crypto::{KeyFile, Sealer};

/// The first octets of every redb file.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
/// Writes that may wait for the writer. At 256 to a commit, four commits' worth: more means that the disk has stalled,
/// and then callers are better told at once.
const QUEUE: usize = 1024;
/// Closures in one commit; beyond it the cost of the commit itself no longer shows.
const BATCH: usize = 256;
/// How long a first write waits for company, so that bursts share a commit.
const LINGER: Duration = Duration::from_millis(10);
/// How long writes are refused at once after a failed commit.
const PAUSE: Duration = Duration::from_secs(1);
/// Memory for pages while only the facts about a file are read.
const LOOK_CACHE: usize = 1 << 20;

/// How to open a store; the default is right for the daemon.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Memory for pages of the file, in octets. redb's own default is 1 GiB.
    pub cache_octets: usize,
    pub queue: usize,
    pub batch: usize,
    pub linger: Duration,
    pub pause: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions {
            // A login reads no page, and what a page or a fold reads again comes from the system's cache: with more here the daemon
            // only grows.
            cache_octets: 5 << 20,
            queue: QUEUE,
            batch: BATCH,
            linger: LINGER,
            pause: PAUSE,
        }
    }
}

/// What sort of store a file is: its name, and the changes that led to its tables.
pub struct Kind {
    pub file_name: &'static str,
    pub migrations: &'static [Migration],
}

impl Store {
    /// Opens the store in `folder`, or makes a new one where no file exists. Blocks; called once at the start.
    pub fn open(folder: &Path, options: OpenOptions) -> Result<Store, OpenError> {
        open_with(folder, options, MIGRATIONS)
    }

    /// The same for a store that is not the appliance's, with tables of its own.
    pub fn open_kind(folder: &Path, options: OpenOptions, kind: &Kind) -> Result<Store, OpenError> {
        open_file(folder, kind.file_name, options, kind.migrations)
    }
}

fn open_with(
    folder: &Path,
    options: OpenOptions,
    migrations: &[Migration],
) -> Result<Store, OpenError> {
    open_file(folder, FILE_NAME, options, migrations)
}

fn open_file(
    folder: &Path,
    file_name: &str,
    options: OpenOptions,
    migrations: &[Migration],
) -> Result<Store, OpenError> {
    check_folder(folder)?;
    // A restore that was prepared takes its place first.
    swap::settle(folder)?;
    let path = folder.join(file_name);
    let key_path = folder.join(KEY_NAME);
    let is_new = match fs::symlink_metadata(&path) {
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(source) => {
            return Err(OpenError::Io {
                doing: "cannot look at",
                path,
                source,
            });
        }
    };
    let sealer = if is_new {
        check_no_leftovers(folder, &path)?;
        let key = KeyFile::load_or_create(&key_path, false).map_err(OpenError::Key)?;
        let sealer = Sealer::new(&key);
        create(folder, &path, options.cache_octets, &sealer, migrations)?;
        sealer
    } else {
        check_file(&path)?;
        let facts = look(&path, options.cache_octets)?;
        let known = schema::newest(migrations);
        if facts.version > known {
            return Err(OpenError::Newer {
                path,
                found: facts.version,
                known,
            });
        }
        let key = KeyFile::load_or_create(&key_path, true).map_err(OpenError::Key)?;
        let sealer = Sealer::new(&key);
        if !schema::is_key_of(&sealer, &facts.sealed_check) {
            return Err(OpenError::WrongKey {
                key: key_path,
                store: path,
            });
        }
        if facts.version < known {
            upgrade(
                folder,
                &path,
                options.cache_octets,
                facts.version,
                migrations,
            )?;
        }
        sealer
    };
    let reopen = FileReopen {
        path: path.clone(),
        cache_octets: options.cache_octets,
    };
    let database = trusting(&path, || reopen.for_writing())?;
    start(
        database,
        Box::new(reopen),
        sealer,
        folder.to_owned(),
        &options,
    )
    .map_err(|source| OpenError::Io {
        doing: "cannot start the writer for",
        path,
        source,
    })
}

/// Starts the writer on an open database.
pub(super) fn start(
    database: Database,
    reopen: Box<dyn Reopen>,
    sealer: Sealer,
    folder: PathBuf,
    options: &OpenOptions,
) -> io::Result<Store> {
    let shared = Arc::new(Shared {
        slot: RwLock::new(Slot {
            database: Some(database),
            writable: true,
        }),
        suspect: Arc::new(AtomicBool::new(false)),
        progress: Mutex::new(Progress::default()),
        hooks: RwLock::new(Vec::new()),
    });
    let (queue, receiver) = sync_channel(options.queue);
    let limits = Limits {
        batch: options.batch.max(1),
        linger: options.linger,
        pause: options.pause,
    };
    let writer = Writer::new(Arc::clone(&shared), receiver, reopen, limits);
    let thread = thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || writer.run())?;
    let thread = Arc::new(Mutex::new(Some(thread)));
    Ok(Store {
        shared,
        queue,
        queue_limit: options.queue,
        thread,
        sealer,
        folder,
    })
}

/// Opens the main file by its path.
pub(super) struct FileReopen {
    pub(super) path: PathBuf,
    pub(super) cache_octets: usize,
}

impl Reopen for FileReopen {
    fn for_writing(&self) -> Result<Database, DatabaseError> {
        builder(self.cache_octets).open(&self.path)
    }

    fn for_reading(&self) -> Result<Database, DatabaseError> {
        // Locks need a handle with write permission; on a file system that became read-only there is nobody to lock out.
        let (file, locks) = match FileOptions::new().read(true).write(true).open(&self.path) {
            Ok(file) => (file, true),
            Err(_) => (File::open(&self.path)?, false),
        };
        let overlay = Overlay::new(FileBackend::new(file)?, locks)?;
        builder(self.cache_octets).create_with_backend(overlay)
    }
}

pub(super) fn builder(cache_octets: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_octets);
    builder
}

fn check_folder(folder: &Path) -> Result<(), OpenError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        _ => return Err(OpenError::NoFolder(folder.to_owned())),
    }
    check_writable(folder).map_err(|why| OpenError::FolderReadOnly {
        path: folder.to_owned(),
        why,
    })
}

/// A store that vanished must not be replaced by an empty one: its journal or its key is still there to show for it.
/// A key alone is no sign, because it is made just before the store is.
fn check_no_leftovers(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let fault = |source| OpenError::Io {
        doing: "cannot list",
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(fault)? {
        let name = entry
            .map_err(fault)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        let is_copy = name
            .rsplit_once(".before-v")
            .is_some_and(|(of, _)| path.file_name().is_some_and(|file| file == of));
        if journal::is_segment_name(&name) || is_copy {
            return Err(OpenError::StoreMissing {
                path: path.to_owned(),
                found: name,
            });
        }
    }
    Ok(())
}

fn check_file(path: &Path) -> Result<(), OpenError> {
    let io_fault = |source| OpenError::Io {
        doing: "cannot read",
        path: path.to_owned(),
        source,
    };
    let metadata = fs::metadata(path).map_err(io_fault)?;
    if !metadata.is_file() {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    if metadata.len() == 0 {
        return Err(OpenError::Empty(path.to_owned()));
    }
    check_writable(path).map_err(|why| OpenError::FileReadOnly {
        path: path.to_owned(),
        why,
    })?;
    let mut start = Vec::new();
    let wanted = u64::try_from(MAGIC.len()).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(wanted).read_to_end(&mut start))
        .map_err(io_fault)?;
    if start != MAGIC {
        let why = "its first octets are not those of a redb file".to_owned();
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
            why,
        });
    }
    Ok(())
}

/// Looks at the permission bits, which root may ignore but the owner set on purpose, then asks the system, which also
/// knows about file systems mounted read-only.
fn check_writable(path: &Path) -> Result<(), String> {
    let mode = fs::metadata(path)
        .map_err(|error| error.to_string())?
        .permissions()
        .mode();
    if mode & 0o222 == 0 {
        return Err(format!("nobody may write it, mode {:04o}", mode & 0o7777));
    }
    access(path, AccessFlags::R_OK | AccessFlags::W_OK)
        .map_err(|errno: Errno| errno.desc().to_owned())
}

/// Opens the file without writing to it and reads what it says about itself.
fn look(path: &Path, cache_octets: usize) -> Result<Facts, OpenError> {
    let reopen = FileReopen {
        path: path.to_owned(),
        cache_octets,
    };
    let facts = trusting(path, || {
        let database = reopen.for_reading()?;
        let facts = schema::read_facts(&database);
        database.close()?;
        Ok(facts)
    })?;
    match facts {
        Ok(Some(facts)) => Ok(facts),
        Ok(None) => {
            let why = "a redb file without the tables of a store".to_owned();
            Err(OpenError::NotAStore {
                path: path.to_owned(),
                why,
            })
        }
        Err(error) => Err(OpenError::Corrupt {
            path: path.to_owned(),
            why: error.to_string(),
        }),
    }
}

/// Errors: `Locked` while another process has the store in this folder open. A store that is missing or damaged is in
/// nobody's use.
pub(super) fn check_not_in_use(folder: &Path) -> Result<(), OpenError> {
    let path = folder.join(FILE_NAME);
    match path.exists().then(|| look(&path, LOOK_CACHE)) {
        Some(Err(OpenError::Locked(path))) => Err(OpenError::Locked(path)),
        _ => Ok(()),
    }
}

/// Runs a step of redb, which may panic on damaged pages, and names what went wrong with the file.
pub(super) fn trusting<T>(
    path: &Path,
    step: impl FnOnce() -> Result<T, DatabaseError>,
) -> Result<T, OpenError> {
    let path = path.to_owned();
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => {
            Err(OpenError::Locked(path))
        }
        Ok(Err(DatabaseError::Storage(StorageError::Io(source)))) => match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Err(OpenError::Corrupt {
                path,
                why: source.to_string(),
            }),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Err(OpenError::FileReadOnly {
                    path,
                    why: source.to_string(),
                })
            }
            _ => Err(OpenError::Io {
                doing: "cannot open the store",
                path,
                source,
            }),
        },
        Ok(Err(error)) => Err(OpenError::Corrupt {
            path,
            why: error.to_string(),
        }),
        Err(_) => Err(OpenError::Corrupt {
            path,
            why: "its pages contradict each other".into(),
        }),
    }
}

/// Makes a new store under a second name, then gives it its own: a crash leaves no half-made store behind.
fn create(
    folder: &Path,
    path: &Path,
    cache_octets: usize,
    sealer: &Sealer,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let draft = beside(path, "new");
    let io_fault = |source| OpenError::Io {
        doing: "cannot create",
        path: path.to_owned(),
        source,
    };
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_fault(error)),
        _ => {}
    }
    let check = schema::key_check(sealer).map_err(OpenError::Key)?;
    let file = FileOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(io_fault)?;
    let made = trusting(&draft, || {
        let database = builder(cache_octets).create_with_backend(FileBackend::new(file)?)?;
        let migrated = schema::migrate(&database, 0, migrations, Some(check));
        database.close()?;
        Ok(migrated)
    })?;
    made.map_err(|source| OpenError::Upgrade {
        path: path.to_owned(),
        source,
    })?;
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .map_err(io_fault)?;
    // A link, unlike a rename, refuses to replace a store that appeared meanwhile.
    fs::hard_link(&draft, path).map_err(io_fault)?;
    fs::remove_file(&draft).map_err(io_fault)?;
    sync_folder(folder).map_err(io_fault)
}

/// Copies the file, then runs the migrations that are due.
fn upgrade(
    folder: &Path,
    path: &Path,
    cache_octets: usize,
    from: u32,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let copy = beside(path, &format!("before-v{}", schema::newest(migrations)));
    let snapshot_fault = |source| OpenError::Snapshot {
        path: copy.clone(),
        source,
    };
    let draft = copy.with_extension("copying");
    let copied = fs::copy(path, &draft)
        .and_then(|_| File::open(&draft)?.sync_all())
        .and_then(|()| fs::rename(&draft, &copy))
        .and_then(|()| sync_folder(folder));
    if let Err(error) = copied {
        // The half-made copy only takes room; whether it can be removed changes nothing.
        let _ = fs::remove_file(&draft);
        return Err(snapshot_fault(error));
    }
    let migrated = trusting(path, || {
        let database = builder(cache_octets).open(path)?;
        let migrated = schema::migrate(&database, from, migrations, None);
        database.close()?;
        Ok(migrated)
    })?;
    migrated.map_err(|source| OpenError::Upgrade {
        path: path.to_owned(),
        source,
    })
}

/// `store.redb` gives `store.redb.end`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
