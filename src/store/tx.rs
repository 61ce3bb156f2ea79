//! A write transaction as closures see it: the reading helpers of `View` under the same names, and changes.
//!
//! When it commits is the writer's business. Invariant: a closure that changed any row marks the transaction dirty, so
//! the writer knows whether a closure that fails left something behind.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::ops::{ControlFlow, RangeBounds};

use redb::{ReadableTableMetadata, Table, WriteTransaction};

use super::StoreError;
use super::codec::{self, Record};
use super::tables::Map;
use super::view::{self, Order, Read};

/// What a commit touched, for the caches that hold copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    Subscriber(u32),
    Plan(u32),
    Nas(u32),
    BandwidthRules,
    Pools,
    /// CDN profiles, or the routers that are kept in step with them.
    Cdn,
    Settings,
    Licence,
    Operators,
    /// Follow-up work waits.
    Outbox,
}

/// One closure's hold on the write transaction of its batch. It sees what earlier closures of the batch changed.
pub struct Tx<'t> {
    transaction: &'t WriteTransaction,
    dirty: bool,
    changes: Vec<Change>,
    fault: RefCell<Option<StoreError>>,
}

impl<'t> Tx<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Self {
        Tx {
            transaction,
            dirty: false,
            changes: Vec::new(),
            fault: RefCell::new(None),
        }
    }

    /// Whether the closure changed any row.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The fault of the disk that the closure met, whatever it made of it.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.fault.borrow().clone()
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Says that a record changed that caches may hold.
    pub fn touch(&mut self, change: Change) {
        self.changes.push(change);
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
        self.dirty = true;
        self.with(map, |mut table| {
            let inserted = table.insert(key, octets.as_slice()).map(drop);
            inserted.map_err(|error| StoreError::fault("write a row", error))
        })
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
        let removed = self.with(map, |mut table| {
            let removed = table.remove(key).map(|row| row.is_some());
            removed.map_err(|error| StoreError::fault("remove a row", error))
        });
        // After a fault nobody knows.
        self.dirty |= *removed.as_ref().unwrap_or(&true);
        removed
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
        self.dirty = true;
        self.with(map, |mut table| {
            let before = table.len().map_err(fault)?;
            table.retain_in(range, |_, _| false).map_err(fault)?;
            let after = table.len().map_err(fault)?;
            Ok(before.saturating_sub(after))
        })
    }

    /// Opens a table for one step, and keeps a fault of the disk for the writer.
    fn with<K, V, R>(
        &self,
        map: &Map<K, V>,
        step: impl FnOnce(Table<'t, K, &'static [u8]>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        let result = self
            .transaction
            .open_table(map.definition())
            .map_err(|error| StoreError::fault("open a table to write", error))
            .and_then(step);
        if let Err(error) = &result
            && error.asks_for_reopening()
        {
            self.fault.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }
}

impl Read for Tx<'_> {
    fn get<'k, K, V>(
        &self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<V>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.with(map, |table| view::get(&table, map.name(), key))
    }

    fn scan<'r, K, V, KR>(
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
        self.with(map, |table| {
            view::scan(&table, map.name(), range, order, limit, visit)
        })
    }

    fn count<K, V>(&self, map: &Map<K, V>) -> Result<u64, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.with(map, |table| view::count(&table))
    }
}
