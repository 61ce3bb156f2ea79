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

    /// For what is done to all tables alike.
    pub(super) fn transaction(&self) -> &ReadTransaction {
        &self.transaction
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

#[cfg(test)]
mod tests {
    use super::super::testing::{Disk, NUMBERS, quick};
    use super::*;
    use redb::TableDefinition;

    /// Ten rows with keys 10, 20 … 100 and the same values.
    fn ten() -> super::super::Store {
        let store = Disk::default().new_store(&quick());
        let write = store.write("ten", |tx| {
            (1..=10u32).try_for_each(|ten| tx.insert(&NUMBERS, ten * 10, &u64::from(ten * 10)))
        });
        write
            .wait()
            .map_err(|error: StoreError| error.to_string())
            .unwrap();
        store
    }

    #[test]
    fn handles_and_views_cross_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<super::super::Store>();
        crosses::<View>();
        crosses::<super::super::WriteTicket<u32, StoreError>>();
    }

    #[test]
    fn ranges_respect_bounds_and_limit_in_views_and_transactions_alike() {
        let store = ten();
        for (from, to, limit, wanted) in [
            (0, 200, 100, vec![10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
            (0, 200, 3, vec![10, 20, 30]),
            (0, 200, 0, vec![]),
            (20, 40, 100, vec![20, 30]),
            (21, 41, 100, vec![30, 40]),
            (40, 40, 100, vec![]),
            (50, 40, 100, vec![]),
        ] {
            let keys =
                |rows: Vec<(u32, u64)>| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
            let seen = store
                .view()
                .unwrap()
                .range(&NUMBERS, from..to, limit)
                .unwrap();
            assert_eq!(keys(seen), wanted);
            let seen = store
                .write("range", move |tx| tx.range(&NUMBERS, from..to, limit))
                .wait()
                .unwrap();
            assert_eq!(keys(seen), wanted);
        }
    }

    #[test]
    fn scans_go_both_ways_and_stop_when_told() {
        // Kept: a store that is dropped closes its file at once.
        let store = ten();
        let view = store.view().unwrap();
        for (order, limit, stop_at, wanted) in [
            (Order::Ascending, 2, 0, vec![10, 20]),
            (Order::Descending, 3, 0, vec![100, 90, 80]),
            (Order::Ascending, 9, 30, vec![10, 20, 30]),
            (Order::Descending, 9, 90, vec![100, 90]),
        ] {
            let mut seen = Vec::new();
            let visited = view.scan(&NUMBERS, 0u32.., order, limit, |key, value| {
                assert_eq!(u64::from(key), value);
                seen.push(key);
                if key == stop_at {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert_eq!(visited.unwrap(), wanted.len());
            assert_eq!(seen, wanted);
        }
    }

    #[test]
    fn counts_follow_the_changes_of_a_transaction() {
        let store = ten();
        let write = store.write("count", |tx| {
            tx.insert(&NUMBERS, 500, &1)?;
            let before = tx.count(&NUMBERS)?;
            assert_eq!(tx.remove_range(&NUMBERS, 100..)?, 2);
            assert!(!tx.remove(&NUMBERS, 100)?);
            assert!(tx.remove(&NUMBERS, 90)?);
            Ok::<_, StoreError>((before, tx.count(&NUMBERS)?))
        });
        assert_eq!(write.wait().unwrap(), (11, 8));
        assert_eq!(store.view().unwrap().count(&NUMBERS).unwrap(), 8);
    }

    #[test]
    fn rows_that_cannot_be_read_are_named_with_table_and_key() {
        let disk = Disk::default();
        disk.new_store(&quick()).close();
        let database = super::super::writer::Reopen::for_writing(&disk).unwrap();
        let transaction = database.begin_write().unwrap();
        let raw = TableDefinition::<u32, &[u8]>::new("numbers");
        for (key, octets) in [(1, &[9, 1][..]), (2, &[1, 0xff]), (3, &[])] {
            transaction
                .open_table(raw)
                .unwrap()
                .insert(key, octets)
                .unwrap();
        }
        transaction.commit().unwrap();
        drop(database);
        let store = disk.old_store(&quick());
        let view = store.view().unwrap();
        for (key, wanted) in [
            (
                1,
                "row 1 of table numbers was written by a newer version of the program (shape 9, this program knows 1)",
            ),
            (2, "row 2 of table numbers cannot be read: "),
            (3, "row 3 of table numbers cannot be read: the row is empty"),
        ] {
            let error = view.get(&NUMBERS, key).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
        assert!(view.range(&NUMBERS, 0u32.., 9).is_err());
        assert!(
            !view.suspect.load(Ordering::Relaxed),
            "opening the file anew would not help"
        );
    }
}
