//! The store: one redb file, its typed tables, its single writer, and the accounting journal beside it.
//!
//! The only room that names redb. What rows mean is in the noun files and in `domain`; when to write is decided in
//! `operations`. Invariants: reads never wait for writes; a write is answered only after its commit is on disk; a file
//! that cannot be used is left exactly as it was found.

pub mod accounting;
pub mod acme;
pub mod audit;
pub mod auth_log;
pub mod backups;
pub mod bandwidth_rules;
pub mod cdn;
pub mod codec;
mod ids;
pub mod imports;
pub mod journal;
pub mod licence;
pub mod nas;
pub mod notices;
mod open;
pub mod operators;
pub mod outbox;
mod overlay;
pub(super) mod plan_parts;
pub mod planned;
pub mod plans;
pub mod pools;
mod rows;
mod schema;
pub mod session_addresses;
pub mod sessions;
pub mod settings;
pub mod snapshot;
pub mod statics;
pub mod subscribers;
pub mod swap;
pub mod tables;
#[cfg(test)]
pub(crate) mod testing;
mod ticket;
mod tx;
pub mod updates;
pub mod usage;
pub mod usage_audit;
mod view;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, ReadableDatabase};

use crate::crypto::Sealer;
use codec::Undecodable;
use ticket::{Message, Task};

pub use ids::{is_unused, next, next_sequence};
pub use open::{Kind, OpenError, OpenOptions};
pub use schema::{Migration, create};
pub use ticket::WriteTicket;
pub use tx::{Change, Tx};
pub use view::{Order, Read, View};

/// The schema version that this program writes, and the newest that it can read.
pub fn newest_version() -> u32 {
    schema::newest(schema::MIGRATIONS)
}

/// The name of the main file in the data folder.
pub const FILE_NAME: &str = "proxpanel.redb";
/// The name of the machine's key in the data folder.
pub const KEY_NAME: &str = "secret.key";

/// What can go wrong with a read or a write. Refusals by a rule are the caller's own error type.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("the store could not {doing}: {cause}")]
    Fault {
        doing: &'static str,
        cause: Arc<redb::Error>,
    },
    #[error(
        "row {key} of table {table} was written by a newer version of the program (shape {found}, this program knows {known}). \
         Install that version again"
    )]
    Newer {
        table: &'static str,
        key: String,
        found: u8,
        known: u8,
    },
    #[error("row {key} of table {table} cannot be read: {what}")]
    Damaged {
        table: &'static str,
        key: String,
        what: String,
    },
    #[error("a value for table {table} cannot be encoded: {what}")]
    Unencodable { table: &'static str, what: String },
    #[error("{waiting} writes are waiting already; try again")]
    Busy { waiting: usize },
    #[error("the store is closed")]
    Closed,
    #[error("the store cannot be written now: {reason}")]
    Unwritable { reason: String },
    #[error("the write {name:?} stopped with a panic; it changed nothing")]
    Panicked { name: &'static str },
}

impl StoreError {
    fn fault(doing: &'static str, cause: impl Into<redb::Error>) -> Self {
        StoreError::Fault {
            doing,
            cause: Arc::new(cause.into()),
        }
    }

    fn undecodable(table: &'static str, key: String, why: Undecodable) -> Self {
        match why {
            Undecodable::Newer { found, known } => StoreError::Newer {
                table,
                key,
                found,
                known,
            },
            Undecodable::Body(what) => StoreError::Damaged { table, key, what },
        }
    }

    /// Whether redb will refuse all access until the file is opened anew.
    fn asks_for_reopening(&self) -> bool {
        use redb::Error::{Backend, Io, LockPoisoned, PreviousIo};
        match self {
            StoreError::Fault { cause, .. } => {
                matches!(
                    cause.as_ref(),
                    Io(_) | PreviousIo | Backend(_) | LockPoisoned(_)
                )
            }
            _ => false,
        }
    }

    /// Whether the file system has no room left, which the panel says in its own words.
    pub fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            StoreError::Fault { cause, .. } => {
                matches!(cause.as_ref(), redb::Error::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded))
            }
            _ => false,
        }
    }
}

/// How the store fares, for the Health page and the dashboard.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Commits that reached the disk since the start.
    pub commits: u64,
    /// Writes that those commits carried.
    pub writes: u64,
    /// The last commit that failed, until one succeeds again.
    pub failing: Option<CommitFailure>,
}

/// A commit that did not reach the disk.
#[derive(Debug, Clone)]
pub struct CommitFailure {
    pub message: String,
    pub disk_full: bool,
    /// Time since the first of the failures in a row, and since the last one.
    pub since: Duration,
    pub last: Duration,
}

/// The database as it is open now. Only the writer thread replaces it, after an I/O error.
struct Slot {
    database: Option<Database>,
    /// False while the file could only be opened for reading.
    writable: bool,
}

type Hook = Box<dyn Fn(&View, &[Change]) + Send + Sync>;

/// What readers and the writer thread share.
struct Shared {
    slot: RwLock<Slot>,
    /// Set by a reader that met a fault: redb refuses every later access until the file is opened anew.
    suspect: Arc<AtomicBool>,
    progress: Mutex<writer::Progress>,
    hooks: RwLock<Vec<Hook>>,
}

impl Shared {
    fn view(&self) -> Result<View, StoreError> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let database = slot.database.as_ref().ok_or(StoreError::Closed)?;
        let transaction = database.begin_read().map_err(|error| {
            self.suspect.store(true, Ordering::Release);
            StoreError::fault("begin a read", error)
        })?;
        Ok(View::new(transaction, Arc::clone(&self.suspect)))
    }

    fn progress(&self) -> MutexGuard<'_, writer::Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on the open store; clones share it. It closes when `close` is called or the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    queue_limit: usize,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    sealer: Sealer,
    folder: PathBuf,
}

impl Store {
    /// A consistent picture of all tables as of the last commit. Cheap; not to be held for longer than one request,
    /// because the file cannot reuse pages that a view still sees.
    pub fn view(&self) -> Result<View, StoreError> {
        if self.shared.suspect.load(Ordering::Acquire) {
            // A full queue is as good: the writer looks at the mark before each batch.
            let _ = self.queue.try_send(Message::Mend);
        }
        self.shared.view()
    }

    /// Hands a write to the writer thread. `work` reads, decides, then changes; it may run more than once, each time
    /// from the start on a fresh transaction, and only its last result is answered, after the commit is on disk.
    ///
    /// The error type is the caller's own, so that a rule can refuse. `name` appears in the log.
    /// Errors of the store's own: `Busy` when the queue is full, `Closed`, `Unwritable` and `Fault` when the disk
    /// refuses, `Panicked`. After a `Fault` the change may or may not be on disk, as with any lost answer: writes that
    /// must not happen twice carry an id by which the retry is found.
    pub fn write<T, E, F>(&self, name: &'static str, work: F) -> WriteTicket<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (task, ticket) = Task::new(name, work);
        match self.queue.try_send(Message::Work(Box::new(task))) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => message.refuse(StoreError::Busy {
                waiting: self.queue_limit,
            }),
            Err(TrySendError::Disconnected(message)) => message.refuse(StoreError::Closed),
        }
        ticket
    }

    /// Registers a function that the writer calls after each commit and before any waiter is answered, with what the
    /// commit touched and a view that sees it, so that caches are fresh when the caller's reply leaves. It must be quick,
    /// must not write, and must not hold a `Store`, or the store would never close by itself. After a failed commit it is
    /// called as well: the outcome is then in doubt and the view shows the truth.
    pub fn on_commit(&self, hook: impl Fn(&View, &[Change]) + Send + Sync + 'static) {
        self.shared
            .hooks
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(hook));
    }

    pub fn health(&self) -> Health {
        self.shared.progress().health()
    }

    /// Seals and unseals secrets under the machine's key.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Commits what was queued before, then closes the file. Later writes and views get `Closed`. Blocks until done.
    pub fn close(&self) {
        // An error means that the writer has ended already.
        let _ = self.queue.send(Message::Stop);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread ended with a panic");
        }
    }
}
