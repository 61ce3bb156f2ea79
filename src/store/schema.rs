//! The ordered list of changes to the shape of the store, and the facts kept in `META`.
//!
//! Shapes of single rows change in the noun files and are upgraded when read; this list is for new and re-keyed tables.
//! Invariants: entries are never edited or removed, only appended, with versions 1, 2, 3 …; all that are due run in one
//! transaction, so a store has one version or the next, never something between.

use minicbor::bytes::ByteVec;
use redb::{Database, ReadableDatabase, WriteTransaction};

use super::codec;
use super::tables::{ALL, AnyMap, META};
use super::{StoreError, Tx, session_addresses, view};
use crate::crypto::{CryptoError, Sealer};

/// The row of `META` that holds the schema version: four octets, big-endian.
const VERSION_KEY: &str = "schema";
/// The row of `META` that holds `CHECK_PLAIN` sealed under the key of this store.
const CHECK_KEY: &str = "key-check";
const CHECK_PLAIN: &[u8] = b"the key of this store";
const CHECK_CONTEXT: &[u8] = b"meta/key-check";

/// One change to the shape of a store.
pub struct Migration {
    /// The schema version after it ran.
    pub version: u32,
    /// What it does, for the log.
    pub name: &'static str,
    pub run: fn(&WriteTransaction) -> Result<(), StoreError>,
}

/// All changes since the first release.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "create the tables",
        run: create_tables,
    },
    Migration {
        version: 2,
        name: "tables for rules, pools and CDN profiles",
        run: create_tables,
    },
    Migration {
        version: 3,
        name: "ended sessions by address",
        run: index_addresses,
    },
    Migration {
        version: 4,
        name: "tables for notices, planned disconnects, backups, licence and second factors",
        run: create_tables,
    },
];

/// Those that exist stay as they are.
fn create_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    create(transaction, ALL)
}

/// Creates those of `maps` that are missing. `META` and `COUNTERS` are among the tables of every store.
pub fn create(transaction: &WriteTransaction, maps: &[&dyn AnyMap]) -> Result<(), StoreError> {
    maps.iter().try_for_each(|map| map.create(transaction))
}

/// The history of before, too, answers who had an address.
fn index_addresses(transaction: &WriteTransaction) -> Result<(), StoreError> {
    create_tables(transaction)?;
    session_addresses::fill(&mut Tx::new(transaction))
}

/// The version that a list of migrations leads to.
pub(super) fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// What `META` says about a file.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub version: u32,
    pub sealed_check: Vec<u8>,
}

/// Reads the facts, or nothing when this is a redb file but no store of ours.
pub(super) fn read_facts(database: &Database) -> Result<Option<Facts>, StoreError> {
    let transaction = database
        .begin_read()
        .map_err(|error| StoreError::fault("begin a read", error))?;
    let table = match transaction.open_table(META.definition()) {
        Ok(table) => table,
        Err(redb::TableError::Storage(error)) => {
            return Err(StoreError::fault("open a table to read", error));
        }
        Err(_) => return Ok(None),
    };
    let version: Option<ByteVec> = view::get(&table, META.name(), VERSION_KEY)?;
    let check: Option<ByteVec> = view::get(&table, META.name(), CHECK_KEY)?;
    let version = version
        .and_then(|octets| <[u8; 4]>::try_from(octets.as_slice()).ok())
        .map(u32::from_be_bytes);
    Ok(match (version, check) {
        (Some(version), Some(check)) => Some(Facts {
            version,
            sealed_check: check.to_vec(),
        }),
        _ => None,
    })
}

/// Runs the migrations that lie above `from`, in one transaction. A new store starts from 0 and gets its key check too.
pub(super) fn migrate(
    database: &Database,
    from: u32,
    migrations: &[Migration],
    new_check: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let mut transaction = database
        .begin_write()
        .map_err(|error| StoreError::fault("begin a write", error))?;
    transaction.set_quick_repair(true);
    for migration in migrations
        .iter()
        .filter(|migration| migration.version > from)
    {
        tracing::info!(
            version = migration.version,
            name = migration.name,
            "the store gets a new shape"
        );
        (migration.run)(&transaction)?;
    }
    put(
        &transaction,
        VERSION_KEY,
        newest(migrations).to_be_bytes().to_vec(),
    )?;
    if let Some(check) = new_check {
        put(&transaction, CHECK_KEY, check)?;
    }
    transaction
        .commit()
        .map_err(|error| StoreError::fault("commit", error))
}

fn put(transaction: &WriteTransaction, key: &str, octets: Vec<u8>) -> Result<(), StoreError> {
    let row = codec::encode(&ByteVec::from(octets)).map_err(|what| StoreError::Unencodable {
        table: META.name(),
        what,
    })?;
    let mut table = transaction
        .open_table(META.definition())
        .map_err(|error| StoreError::fault("open a table to write", error))?;
    table
        .insert(key, row.as_slice())
        .map_err(|error| StoreError::fault("write a row", error))?;
    Ok(())
}

/// The sealed value by which a store knows its key.
pub(super) fn key_check(sealer: &Sealer) -> Result<Vec<u8>, CryptoError> {
    sealer.seal(CHECK_CONTEXT, CHECK_PLAIN)
}

/// Whether `sealed_check` was made under the sealer's key.
pub(super) fn is_key_of(sealer: &Sealer, sealed_check: &[u8]) -> bool {
    sealer
        .unseal(CHECK_CONTEXT, sealed_check)
        .is_ok_and(|plain| plain.expose() == CHECK_PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        for (position, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(
                usize::try_from(migration.version).unwrap(),
                position + 1,
                "{}",
                migration.name
            );
        }
    }
}
