//! Reading: a consistent picture of all tables, and the typed helpers that views and write transactions share.
//!
//! Which rows to read is the noun files' business. Invariant: every walk over rows is bounded by its caller's limit.

use std::borrow::Borrow;
use std::ops::{ControlFlow, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{AccessGuard, ReadTransaction, ReadableTable, Value};

use super::StoreError;
use super::codec::{self, Record};
use super::tables::Map;

/// The direction of a walk over keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// What views and write transactions have in common, so that the noun files read through either.
pub trait Read {
    /// The value at `key`, or nothing.
    fn get<'k, K, V>(
        &self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<V>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record;

    /// Walks over the rows of `range` and decodes at most `limit` of them, until `visit` breaks. Returns the rows visited.
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
        KR: Borrow<K::SelfType<'r>> + 'r;

    /// How many rows the table has.
    fn count<K, V>(&self, map: &Map<K, V>) -> Result<u64, StoreError>
    where
        K: redb::Key + 'static,
        V: Record;

    /// The first `limit` rows of `range` in key order, for keys that own their octets (integers and tuples of them).
    fn range<'r, K, V, O, KR>(
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
        let mut found = Vec::new();
        self.scan(map, range, Order::Ascending, limit, |key, value| {
            found.push((key, value));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

impl Read for View {
    fn get<'k, K, V>(
        &self,
        map: &Map<K, V>,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<V>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.watch(
            self.table(map)
                .and_then(|table| get(&table, map.name(), key)),
        )
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
        self.watch(
            self.table(map)
                .and_then(|table| scan(&table, map.name(), range, order, limit, visit)),
        )
    }

    fn count<K, V>(&self, map: &Map<K, V>) -> Result<u64, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.watch(self.table(map).and_then(|table| count(&table)))
    }
}

/// A consistent picture of all tables as of one commit.
pub struct View {
    transaction: ReadTransaction,
    suspect: Arc<AtomicBool>,
}

impl View {
    pub(super) fn new(transaction: ReadTransaction, suspect: Arc<AtomicBool>) -> Self {
        View {
            transaction,
            suspect,
        }
    }

    fn table<K, V>(
        &self,
        map: &Map<K, V>,
    ) -> Result<redb::ReadOnlyTable<K, &'static [u8]>, StoreError>
    where
        K: redb::Key + 'static,
        V: Record,
    {
        self.transaction
            .open_table(map.definition())
            .map_err(|error| StoreError::fault("open a table to read", error))
    }

    /// Tells the writer about a fault of the disk: after one, redb refuses all access until the file is opened anew.
    fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result
            && error.asks_for_reopening()
        {
            self.suspect.store(true, Ordering::Release);
        }
        result
    }
}

pub(super) fn get<'k, K, V>(
    table: &impl ReadableTable<K, &'static [u8]>,
    name: &'static str,
    key: impl Borrow<K::SelfType<'k>>,
) -> Result<Option<V>, StoreError>
where
    K: redb::Key + 'static,
    V: Record,
{
    let row = table
        .get(key.borrow())
        .map_err(|error| StoreError::fault("read a row", error))?;
    match row {
        Some(octets) => {
            let value = codec::decode(octets.value())
                .map_err(|why| StoreError::undecodable(name, format!("{:?}", key.borrow()), why))?;
            Ok(Some(value))
        }
        None => Ok(None),
    }
}

pub(super) fn scan<'r, K, V, KR>(
    table: &impl ReadableTable<K, &'static [u8]>,
    name: &'static str,
    range: impl RangeBounds<KR> + 'r,
    order: Order,
    limit: usize,
    mut visit: impl FnMut(K::SelfType<'_>, V) -> ControlFlow<()>,
) -> Result<usize, StoreError>
where
    K: redb::Key + 'static,
    V: Record,
    KR: Borrow<K::SelfType<'r>> + 'r,
{
    let mut rows = table
        .range(range)
        .map_err(|error| StoreError::fault("walk over rows", error))?;
    let mut visited = 0;
    while visited < limit {
        let row = match order {
            Order::Ascending => rows.next(),
            Order::Descending => rows.next_back(),
        };
        let Some(row) = row else { break };
        let (key, octets): (AccessGuard<'_, K>, AccessGuard<'_, &[u8]>) =
            row.map_err(|error| StoreError::fault("walk over rows", error))?;
        let value = codec::decode(octets.value())
            .map_err(|why| StoreError::undecodable(name, format!("{:?}", key.value()), why))?;
        visited += 1;
        if visit(key.value(), value).is_break() {
            break;
        }
    }
    Ok(visited)
}

pub(super) fn count<K, V>(table: &impl ReadableTable<K, V>) -> Result<u64, StoreError>
where
    K: redb::Key + 'static,
    V: Value + 'static,
{
    table
        .len()
        .map_err(|error| StoreError::fault("count rows", error))
}
