//! The map of the store: every table with its key, value, owner and rough size.
//!
//! Nothing here reads or writes. Invariant: a table that exists is listed in `ALL`, which schema version 1 creates and
//! which doctor and statistics walk; a table added after a release also needs a migration in `schema.rs`.

use std::marker::PhantomData;

use redb::{TableDefinition, WriteTransaction};

use super::StoreError;
use super::codec::Record;

/// A typed table: keys of type `K` in their order, values of type `V` as version octet and body.
pub struct Map<K: redb::Key + 'static, V: Record> {
    name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: redb::Key + 'static, V: Record> Map<K, V> {
    pub const fn new(name: &'static str) -> Self {
        Map {
            name,
            types: PhantomData,
        }
    }

    pub(super) fn definition(&self) -> TableDefinition<'static, K, &'static [u8]> {
        TableDefinition::new(self.name)
    }

    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// A table whatever its types, for what is done to all tables alike.
pub trait AnyMap: Sync {
    fn name(&self) -> &'static str;

    /// Creates the table when it is missing; redb refuses to read a table that was never opened for writing.
    fn create(&self, transaction: &WriteTransaction) -> Result<(), StoreError>;
}

impl<K: redb::Key + 'static, V: Record> AnyMap for Map<K, V> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn create(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        transaction
            .open_table(self.definition())
            .map(drop)
            .map_err(|error| StoreError::fault("create a table", error))
    }
}

/// Facts about the file itself. Key: name of the fact (`schema.rs`). Value: its bytes. Owner: schema, open. Two rows.
pub const META: Map<&str, minicbor::bytes::ByteVec> = Map::new("meta");

/// Every table, in the order of this file.
pub const ALL: &[&dyn AnyMap] = &[&META];
