//! Rows of backups.

use super::golden;
use super::samples::NOW;
use crate::domain::backup::{Backup, RestoreTest, Sent, Trigger};
use crate::store::backups::BackupRow;

/// A backup that was proven.
fn backup() -> Backup {
    Backup {
        began_at: NOW,
        by: Trigger::Person,
        name: "b.enc".into(),
        took_ms: 1_000,
        octets: u64::MAX,
        rows: 9,
        subscribers: 8,
        error: None,
        test: Some(RestoreTest {
            at: NOW,
            took_ms: 7,
            problem: Some("no".into()),
        }),
        sent: None,
    }
}

/// One that did not get to the other machine.
fn sent_backup() -> Backup {
    Backup {
        sent: Some(Sent {
            at: NOW,
            took_ms: 6,
            octets: 5,
            tries: 2,
            problem: Some("away".into()),
            note: Some("old".into()),
        }),
        ..backup()
    }
}

fn failed_backup() -> Backup {
    Backup {
        by: Trigger::Schedule,
        name: String::new(),
        error: Some("full".into()),
        test: None,
        ..backup()
    }
}

#[test]
fn rows_of_backups_are_read_and_written_for_ever() {
    golden("backup", BackupRow::from(&backup()));
    golden("backup-failed", BackupRow::from(&failed_backup()));
    golden("backup-sent", BackupRow::from(&sent_backup()));
}
