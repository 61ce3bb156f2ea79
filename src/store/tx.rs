//! A write transaction as closures see it: the reading helpers of `View` under the same names, and changes.
//!
//! When it commits is the writer's business. Invariant: a closure that changed any row marks the transaction dirty, so
//! the writer knows whether a closure that fails left something behind.

use std::borrow::Borrow;
use std::ops::{ControlFlow, RangeBounds};

use redb::{ReadableTable, ReadableTableMetadata, Table, Value, WriteTransaction};

use super::StoreError;
use super::codec::{self, Record};
use super::tables::Map;
use super::view::{self, Order};

/// What a commit touched, for the caches that hold copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    Subscriber(u32),
    Plan(u32),
    Nas(u32),
    Settings,
    Operators,
}

/// One closure's hold on the write transaction of its batch. It sees what earlier closures of the batch changed.
pub struct Tx<'t> {
    transaction: &'t WriteTransaction,
    dirty: bool,
    changes: Vec<Change>,
}

impl<'t> Tx<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Self {
        Tx {
            transaction,
            dirty: false,
            changes: Vec::new(),
        }
    }

    /// Whether the closure changed any row.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Says that a record changed that caches may hold.
    pub fn touch(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The value at `key`, or nothing.
    pub fn get<'k, K, V>(
        &self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<V>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        view::get(&self.table(map)?, map.name(), key)
    }

    /// Writes `value` at `key`, in place of any value there.
    pub fn insert<'k, K, V>(
        &mut self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
        value: &V,
    ) -> Result<(), StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        let octets = codec::encode(value).map_err(|what| StoreError::Unencodable {
            table: map.name(),
            what,
        })?;
        let mut table = self.table(map)?;
        self.dirty = true;
        table
            .insert(key, octets.as_slice())
            .map_err(|error| StoreError::fault("write a row", error))?;
        Ok(())
    }

    /// Removes the row at `key` and says whether there was one.
    pub fn remove<'k, K, V>(
        &mut self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<bool, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        let mut table = self.table(map)?;
        let removed = table
            .remove(key)
            .map_err(|error| StoreError::fault("remove a row", error))?
            .is_some();
        drop(table);
        self.dirty |= removed;
        Ok(removed)
    }

    /// Removes all rows of `range` and says how many there were. For purges; the caller bounds the range.
    pub fn remove_range<'r, K, V, KR>(
        &mut self,
        map: &Map<K, V>,
        range: impl RangeBounds<KR> + 'r,
    ) -> Result<u64, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
        KR: Borrow<K::SelfType<'r>> + 'r,
    {
        let fault = |error| StoreError::fault("remove rows", error);
        let mut table = self.table(map)?;
        self.dirty = true;
        let before = table.len().map_err(fault)?;
        table.retain_in(range, |_, _| false).map_err(fault)?;
        let after = table.len().map_err(fault)?;
        Ok(before.saturating_sub(after))
    }

    /// Walks over the rows of `range` and decodes at most `limit` of them, until `visit` breaks. Returns the rows visited.
    pub fn scan<'r, K, V, KR>(
        &self,
        map: &Map<K, V>,
        range: impl RangeBounds<KR> + 'r,
        order: Order,
        limit: usize,
        visit: impl FnMut(K::SelfType<'_>, V) -> ControlFlow<()>,
    ) -> Result<usize, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
        KR: Borrow<K::SelfType<'r>> + 'r,
    {
        view::scan(&self.table(map)?, map.name(), range, order, limit, visit)
    }

    /// The first `limit` rows of `range` in key order, for keys that own their octets (integers and tuples of them).
    pub fn range<'r, K, V, O, KR>(
        &self,
        map: &Map<K, V>,
        range: impl RangeBounds<KR> + 'r,
        limit: usize,
    ) -> Result<Vec<(O, V)>, StoreError>
    where
        K: redb::Key + for<'a> Value<SelfType<'a> = O> + 'static,
        V: Record,
        KR: Borrow<O> + 'r,
        O: 'r,
    {
        view::collect(&self.table(map)?, map.name(), range, limit)
    }

    /// The last key of the table, for handing out the next id.
    pub fn last_key<K, V, O>(&self, map: &Map<K, V>) -> Result<Option<O>, StoreError>
    where
        K: redb::Key + for<'a> Value<SelfType<'a> = O> + 'static,
        V: Record,
    {
        let table = self.table(map)?;
        let last = table
            .last()
            .map_err(|error| StoreError::fault("find the last row", error))?;
        Ok(last.map(|(key, _)| key.value()))
    }

    /// How many rows the table has.
    pub fn count<K, V>(&self, map: &Map<K, V>) -> Result<u64, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.table(map)?
            .len()
            .map_err(|error| StoreError::fault("count rows", error))
    }

    fn table<K, V>(&self, map: &Map<K, V>) -> Result<Table<'t, K, &'static [u8]>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.transaction
            .open_table(map.definition())
            .map_err(|error| StoreError::fault("open a table to write", error))
    }
}
