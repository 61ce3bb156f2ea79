//! Backups that were made, and tries that failed: one row each.

use std::ops::ControlFlow;

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::BACKUPS;
use super::{Order, Read, StoreError, Tx};
use crate::domain::backup::{Backup, RestoreTest, Sent, Trigger};
use crate::domain::time::Timestamp;

/// Rows that are kept; those of a year of daily backups and as many tries that failed.
pub const MOST_BACKUPS: usize = 730;

pub use v1::BackupRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct BackupRow {
        #[n(0)]
        pub name: String,
        /// 0 schedule, 1 a person.
        #[n(1)]
        pub by: u8,
        #[n(2)]
        pub took_ms: u64,
        #[n(3)]
        pub octets: u64,
        #[n(4)]
        pub rows: u64,
        #[n(5)]
        pub subscribers: u64,
        #[n(6)]
        pub error: Option<String>,
        #[n(7)]
        pub test: Option<RestoreTestRow>,
        #[n(8)]
        pub sent: Option<SentRow>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct RestoreTestRow {
        #[n(0)]
        pub at: i64,
        #[n(1)]
        pub took_ms: u64,
        #[n(2)]
        pub problem: Option<String>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct SentRow {
        #[n(0)]
        pub at: i64,
        #[n(1)]
        pub took_ms: u64,
        #[n(2)]
        pub octets: u64,
        #[n(3)]
        pub tries: u8,
        #[n(4)]
        pub problem: Option<String>,
        #[n(5)]
        pub note: Option<String>,
    }
}

impl Record for BackupRow {
    const VERSION: u8 = 1;
}

impl From<&Backup> for BackupRow {
    fn from(backup: &Backup) -> Self {
        BackupRow {
            name: backup.name.clone(),
            by: match backup.by {
                Trigger::Schedule => 0,
                Trigger::Person => 1,
            },
            took_ms: backup.took_ms,
            octets: backup.octets,
            rows: backup.rows,
            subscribers: backup.subscribers,
            error: backup.error.clone(),
            test: backup.test.as_ref().map(|test| v1::RestoreTestRow {
                at: test.at.0,
                took_ms: test.took_ms,
                problem: test.problem.clone(),
            }),
            sent: backup.sent.as_ref().map(|sent| v1::SentRow {
                at: sent.at.0,
                took_ms: sent.took_ms,
                octets: sent.octets,
                tries: sent.tries,
                problem: sent.problem.clone(),
                note: sent.note.clone(),
            }),
        }
    }
}

impl BackupRow {
    fn into_backup(self, began_at: Timestamp) -> Backup {
        Backup {
            began_at,
            by: match self.by {
                0 => Trigger::Schedule,
                _ => Trigger::Person,
            },
            name: self.name,
            took_ms: self.took_ms,
            octets: self.octets,
            rows: self.rows,
            subscribers: self.subscribers,
            error: self.error,
            test: self.test.map(|test| RestoreTest {
                at: Timestamp(test.at),
                took_ms: test.took_ms,
                problem: test.problem,
            }),
            sent: self.sent.map(|sent| Sent {
                at: Timestamp(sent.at),
                took_ms: sent.took_ms,
                octets: sent.octets,
                tries: sent.tries,
                problem: sent.problem,
                note: sent.note,
            }),
        }
    }
}

/// The newest ones, newest first.
pub fn newest(read: &impl Read, limit: usize) -> Result<Vec<Backup>, StoreError> {
    let mut backups = Vec::new();
    read.scan(
        &BACKUPS,
        i64::MIN..,
        Order::Descending,
        limit,
        |began_at, row: BackupRow| {
            backups.push(row.into_backup(Timestamp(began_at)));
            ControlFlow::Continue(())
        },
    )?;
    Ok(backups)
}

/// The one that began at this moment.
pub fn get(read: &impl Read, began_at: Timestamp) -> Result<Option<Backup>, StoreError> {
    let row: Option<BackupRow> = read.get(&BACKUPS, began_at.0)?;
    Ok(row.map(|row| row.into_backup(began_at)))
}

/// Writes a backup in place of what began at the same moment, and drops the oldest rows beyond [`MOST_BACKUPS`].
pub fn put(tx: &mut Tx<'_>, backup: &Backup) -> Result<(), StoreError> {
    tx.insert(&BACKUPS, backup.began_at.0, &backup.into())?;
    if tx.count(&BACKUPS)? > u64::try_from(MOST_BACKUPS).unwrap_or(u64::MAX) {
        let oldest = newest(tx, MOST_BACKUPS)?.pop();
        if let Some(oldest) = oldest {
            tx.remove_range(&BACKUPS, ..oldest.began_at.0)?;
        }
    }
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, began_at: Timestamp) -> Result<bool, StoreError> {
    tx.remove(&BACKUPS, began_at.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Disk, quick};
    use super::*;

    fn backup(began_at: i64) -> Backup {
        Backup {
            began_at: Timestamp(began_at),
            by: Trigger::Person,
            name: format!("b{began_at}"),
            took_ms: 1,
            octets: 2,
            rows: 3,
            subscribers: 4,
            error: None,
            test: None,
            sent: None,
        }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_beyond_the_bound_go() {
        let store = Disk::default().new_store(&quick());
        let most = i64::try_from(MOST_BACKUPS).unwrap();
        let write = store.write("test", move |tx| {
            (-1..=most).try_for_each(|began_at| put(tx, &backup(began_at)))?;
            assert!(remove(tx, Timestamp(5))?);
            assert!(!remove(tx, Timestamp(5))?);
            put(
                tx,
                &Backup {
                    test: None,
                    took_ms: 9,
                    ..backup(4)
                },
            )
        });
        write
            .wait()
            .map_err(|error: StoreError| error.to_string())
            .unwrap();
        let all = newest(&store.view().unwrap(), usize::MAX).unwrap();
        assert_eq!(all.len(), MOST_BACKUPS - 1);
        assert_eq!(all[0], backup(most));
        assert_eq!(all.last().unwrap().began_at, Timestamp(1));
        assert_eq!(newest(&store.view().unwrap(), 3).unwrap().len(), 3);
        let fourth = all.iter().find(|it| it.began_at == Timestamp(4)).unwrap();
        assert_eq!(fourth.took_ms, 9);
        let one = |began_at| get(&store.view().unwrap(), Timestamp(began_at)).unwrap();
        assert_eq!((one(6), one(5)), (Some(backup(6)), None));
    }
}
