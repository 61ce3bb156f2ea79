//! What a backup says about itself, as JSON in its first file: for comparison after a restore, and for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::octets::Usage;
use crate::domain::time::{Calendar, Timestamp};
use crate::store::snapshot::Inventory;

/// Octets of a manifest; there are some tens of tables.
pub(super) const LARGEST: u64 = 256 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program that made it.
    pub version: String,
    /// Milliseconds since 1970, and the same for people, in UTC.
    pub created_at: i64,
    pub created: String,
    pub schema: u32,
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    pub sums: Sums,
}

/// Octets booked; the three are the same where no history was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    pub sessions: Sum,
    pub days: Sum,
    pub months: Sum,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub upload: u64,
    pub download: u64,
    pub free_upload: u64,
    pub free_download: u64,
}

impl From<Usage> for Sum {
    fn from(usage: Usage) -> Self {
        Sum {
            upload: usage.raw.upload,
            download: usage.raw.download,
            free_upload: usage.free.upload,
            free_download: usage.free.download,
        }
    }
}

impl Manifest {
    pub fn new(inventory: &Inventory, now: Timestamp) -> Manifest {
        Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now.0,
            created: Calendar::format_utc(now),
            schema: inventory.schema,
            tables: inventory.tables.iter().cloned().collect(),
            sums: Sums {
                sessions: inventory.sessions.into(),
                days: inventory.days.into(),
                months: inventory.months.into(),
            },
        }
    }

    pub fn rows(&self) -> u64 {
        self.tables.values().copied().fold(0, u64::saturating_add)
    }

    pub fn rows_of(&self, table: &str) -> u64 {
        self.tables.get(table).copied().unwrap_or(0)
    }

    /// What a restored store has otherwise than it should; nothing when all is there.
    pub fn difference(&self, found: &Inventory) -> Option<String> {
        let found = Manifest::new(found, Timestamp(self.created_at));
        if found.schema != self.schema {
            return Some(format!(
                "the schema is {} instead of {}",
                found.schema, self.schema
            ));
        }
        let differs = |(table, rows): (&String, &u64)| {
            let has = found.tables.get(table).copied();
            (has != Some(*rows)).then(|| match has {
                None => format!("table {table} is missing"),
                Some(has) => format!("table {table} has {has} rows instead of {rows}"),
            })
        };
        if let Some(difference) = self.tables.iter().find_map(differs) {
            return Some(difference);
        }
        let sums = [
            ("sessions", &self.sums.sessions, &found.sums.sessions),
            ("days", &self.sums.days, &found.sums.days),
            ("months", &self.sums.months, &found.sums.months),
        ];
        sums.into_iter()
            .find(|(_, packed, found)| packed != found)
            .map(|(what, _, _)| format!("the sum of the usage of all {what} is another"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::octets::Traffic;

    fn inventory() -> Inventory {
        let usage = Usage {
            raw: Traffic::new(1, u64::MAX),
            free: Traffic::new(2, 3),
        };
        Inventory {
            schema: 4,
            tables: vec![("plans".into(), 2), ("subscribers".into(), 3)],
            sessions: usage,
            days: usage,
            months: usage,
        }
    }

    #[test]
    fn every_difference_is_named() {
        let manifest = Manifest::new(&inventory(), Timestamp(1_780_000_000_000));
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
        assert_eq!(manifest.created, "2026-05-28T20:26:40Z");
        assert_eq!(
            (
                manifest.rows(),
                manifest.rows_of("plans"),
                manifest.rows_of("x")
            ),
            (5, 2, 0)
        );
        assert_eq!(manifest.difference(&inventory()), None);
        let with = |change: fn(&mut Inventory)| {
            let mut changed = inventory();
            change(&mut changed);
            manifest.difference(&changed).unwrap()
        };
        for (change, wanted) in [
            (
                (|i| i.schema = 3) as fn(&mut Inventory),
                "the schema is 3 instead of 4",
            ),
            (
                |i| i.tables[1].1 = 2,
                "table subscribers has 2 rows instead of 3",
            ),
            (|i| drop(i.tables.pop()), "table subscribers is missing"),
            (
                |i| i.sessions.raw.upload = 2,
                "the sum of the usage of all sessions is another",
            ),
            (
                |i| i.days.raw.download = 0,
                "the sum of the usage of all days is another",
            ),
            (
                |i| i.months.free.download = 0,
                "the sum of the usage of all months is another",
            ),
            (
                |i| i.months.free.upload = 0,
                "the sum of the usage of all months is another",
            ),
        ] {
            assert_eq!(with(change), wanted);
        }
    }
}
