//! A copy of the store as of one commit, made while everything goes on, and what such a copy holds.
//!
//! The copy is made table by table in key order from one read transaction into a new file, so it is whole and dense. The
//! invariant of a backup: whatever was acknowledged before it was asked for is in it. Saved forms are, because their commit
//! came before the read transaction. Accounting records are, because the caller folds first (`Accounting::fold`), which
//! returns when the tables hold every record applied by then; records after that are in the journal only, and not in the
//! copy, whose counter names the last one it holds. So the copy needs no journal beside it, and its sums add up.
//!
//! While the read transaction lasts, the file cannot reuse what others free and grows by what they write: measured 2 s for
//! a million rows, so some 15 s and a few megabytes for a year of 10,000 subscribers.

use std::fs::{self, File, OpenOptions as FileOptions};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use redb::backends::FileBackend;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use redb::{TableDefinition, TableError};

use super::open::{builder, sync_folder, trusting};
use super::schema::{self, MIGRATIONS};
use super::tables::ALL;
use super::usage::{self, Period};
use super::{FILE_NAME, KEY_NAME, OpenError, Store, StoreError, View, sessions};
use crate::crypto::{KeyFile, Sealer};
use crate::domain::octets::Usage;

/// Memory for pages of the copy.
const CACHE: usize = 4 << 20;
/// Rows that are copied in one commit: what redb keeps in mind of a transaction stays small.
const ROWS_AT_ONCE: usize = if cfg!(test) { 1_000 } else { 100_000 };
/// Rows between two looks whether to go on.
const ROWS_BETWEEN_LOOKS: u64 = 5_000;

/// What a store holds, by which two copies of it are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Version of the schema.
    pub schema: u32,
    /// Name and number of rows of every table.
    pub tables: Vec<(String, u64)>,
    /// Octets of all sessions, of all days, of all months (rules.md section 2).
    pub sessions: Usage,
    pub days: Usage,
    pub months: Usage,
}

/// Why there is no copy, or why a copy is no good.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the pages of the copy do not have the checksums that they should")]
    Damaged,
    #[error("cancelled")]
    Cancelled,
    #[error("cannot write {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Is told the rows done and the rows in all; says whether to go on.
pub type Watch<'w> = &'w mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// The schema version that this program writes.
pub fn known_schema() -> u32 {
    schema::newest(MIGRATIONS)
}

impl Store {
    /// Copies the store into `folder`, which must be empty: the main file and its key. Blocks; takes a few megabytes of
    /// memory whatever the size.
    ///
    /// Errors: `Cancelled` when `watch` breaks; what was written until then stays for the caller to remove.
    pub fn snapshot(&self, folder: &Path, watch: Watch<'_>) -> Result<Inventory, SnapshotError> {
        let path = folder.join(FILE_NAME);
        let io_fault = |source| SnapshotError::Io {
            path: path.clone(),
            source,
        };
        let key = folder.join(KEY_NAME);
        fs::copy(self.folder().join(KEY_NAME), &key).map_err(io_fault)?;
        let file = FileOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_fault)?;
        let copied = trusting(&path, || {
            let mut copy = builder(CACHE).create_with_backend(FileBackend::new(file)?)?;
            let copied = copy_tables(self, &copy, watch);
            if copied.is_ok() {
                // Only cuts off the room that redb took ahead: tables filled in order are dense.
                let _whether_shorter = copy.compact();
            }
            copy.close()?;
            Ok(copied)
        })?;
        copied?;
        File::open(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync_folder(folder))
            .map_err(io_fault)?;
        examine(folder)
    }
}

fn copy_tables(store: &Store, copy: &Database, watch: Watch<'_>) -> Result<(), SnapshotError> {
    let view = store.view()?;
    let from = view.transaction();
    let mut all = 0u64;
    for map in ALL {
        all = all.saturating_add(map.rows(from)?.unwrap_or(0));
    }
    let mut done = 0u64;
    let mut cancelled = watch(0, all).is_break();
    for map in ALL {
        map.copy(from, copy, &mut || {
            done = done.saturating_add(1);
            if done.is_multiple_of(ROWS_BETWEEN_LOOKS) {
                cancelled |= watch(done, all).is_break();
            }
            match cancelled {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if cancelled {
            return Err(SnapshotError::Cancelled);
        }
    }
    Ok(())
}

/// Copies the rows of one table until `next`, asked after each row, breaks.
pub(super) fn copy_rows<K: redb::Key + 'static>(
    definition: TableDefinition<'static, K, &'static [u8]>,
    from: &ReadTransaction,
    into: &Database,
    next: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let table = from
        .open_table(definition)
        .map_err(|error| StoreError::fault("open a table to read", error))?;
    let mut rows = table
        .iter()
        .map_err(|error| StoreError::fault("walk over rows", error))?;
    loop {
        let transaction = into
            .begin_write()
            .map_err(|error| StoreError::fault("begin a write", error))?;
        let mut copied = 0;
        {
            let mut table = transaction
                .open_table(definition)
                .map_err(|error| StoreError::fault("open a table to write", error))?;
            let end: Bound<K::SelfType<'_>> = Bound::Unbounded;
            let mut end = table
                .upper_bound_mut(end)
                .map_err(|error| StoreError::fault("find the last row", error))?;
            for row in rows.by_ref().take(ROWS_AT_ONCE) {
                let (key, value) =
                    row.map_err(|error| StoreError::fault("walk over rows", error))?;
                end.insert_before(key.value(), value.value())
                    .map_err(|error| StoreError::fault("write a row", error))?;
                copied += 1;
                if next().is_break() {
                    return Ok(());
                }
            }
            end.close()
                .map_err(|error| StoreError::fault("write a row", error))?;
        }
        transaction
            .commit()
            .map_err(|error| StoreError::fault("commit", error))?;
        if copied < ROWS_AT_ONCE {
            return Ok(());
        }
    }
}

/// How many rows a table has; nothing where it does not exist.
pub(super) fn count_rows<K: redb::Key + 'static>(
    definition: TableDefinition<'static, K, &'static [u8]>,
    transaction: &ReadTransaction,
) -> Result<Option<u64>, StoreError> {
    match transaction.open_table(definition) {
        Ok(table) => table
            .len()
            .map(Some)
            .map_err(|error| StoreError::fault("count rows", error)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(StoreError::fault("open a table to read", error)),
    }
}

/// Opens the copy in a folder as a start would, checks the sums of its pages, and says what it holds. Nothing is changed
/// but for what redb writes when it opens. Blocks: reads all of it.
///
/// Errors: `Open` for a key that is not the copy's, a newer schema, a file that is no store; `Damaged`.
pub fn examine(folder: &Path) -> Result<Inventory, SnapshotError> {
    let path = folder.join(FILE_NAME);
    let key_path = folder.join(KEY_NAME);
    let known = known_schema();
    let key = KeyFile::load_or_create(&key_path, true).map_err(OpenError::Key)?;
    trusting(&path, || {
        let mut database = builder(CACHE).open(&path)?;
        let is_whole = database.check_integrity()?;
        let facts = schema::read_facts(&database);
        let examined = match facts {
            Ok(Some(facts)) if facts.version > known => Err(OpenError::Newer {
                path: path.clone(),
                found: facts.version,
                known,
            }
            .into()),
            Ok(Some(facts)) if !schema::is_key_of(&Sealer::new(&key), &facts.sealed_check) => {
                Err(OpenError::WrongKey {
                    key: key_path.clone(),
                    store: path.clone(),
                }
                .into())
            }
            Ok(Some(facts)) if is_whole => inventory(&database, facts.version),
            Ok(Some(_)) => Err(SnapshotError::Damaged),
            Ok(None) => Err(OpenError::NotAStore {
                path: path.clone(),
                why: "a redb file without the tables of a store".to_owned(),
            }
            .into()),
            Err(error) => Err(error.into()),
        };
        database.close()?;
        Ok(examined)
    })?
}

fn inventory(database: &Database, schema: u32) -> Result<Inventory, SnapshotError> {
    let transaction = database
        .begin_read()
        .map_err(|error| StoreError::fault("begin a read", error))?;
    let mut tables = Vec::new();
    for map in ALL {
        if let Some(rows) = map.rows(&transaction)? {
            tables.push((map.name().to_owned(), rows));
        }
    }
    let view = View::new(transaction, Arc::new(AtomicBool::new(false)));
    let (mut of_sessions, mut days, mut months) = (Usage::ZERO, Usage::ZERO, Usage::ZERO);
    sessions::each_closed(&view, |session| {
        of_sessions += session.usage();
        ControlFlow::Continue(())
    })?;
    sessions::each_open_at_fold(&view, |session| of_sessions += session.usage())?;
    let all = 0..u32::MAX;
    usage::each_of(&view, Period::Days, all.clone(), |_, octets| days += octets)?;
    usage::each_of(&view, Period::Months, all, |_, octets| months += octets)?;
    Ok(Inventory {
        schema,
        tables,
        sessions: of_sessions,
        days,
        months,
    })
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
