//! Reading and writing the vendor's rows; what they mean is decided by the verbs.

use std::ops::ControlFlow;

use super::VendorError;
use super::tables::{
    CUSTOMERS, CustomerRow, HEARTBEATS, HeartbeatRow, LICENCE_KEYS, LICENCES, LOG, LicenceRow,
    LogRow, RELEASES, ReleaseRow, SETTINGS,
};
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::licence::LicenceKey;
use crate::store::{Order, Read, StoreError, Tx, next, next_sequence};

/// Licences of one vendor; a registration beyond it is refused.
pub const MOST_LICENCES: u64 = 50_000;
/// Rows that a search walks over.
const MOST_SEARCHED: usize = 50_000;
/// Heartbeats closer than this replace one another.
const STEP: i64 = 10 * MINUTE;
const HEARTBEATS_KEPT: i64 = 30 * DAY;

/// Settings of the vendor. The word is the key of the row.
#[derive(Debug, Clone, Copy)]
pub enum Setting {
    /// Argon2id of the password of the page.
    Password,
    /// Days of a licence that a machine asks for itself; 0 gives none.
    TrialDays,
    TrialSubscribers,
}

impl Setting {
    fn word(self) -> &'static str {
        match self {
            Setting::Password => "password",
            Setting::TrialDays => "trial-days",
            Setting::TrialSubscribers => "trial-subscribers",
        }
    }
}

pub fn setting(read: &impl Read, setting: Setting) -> Result<Option<String>, StoreError> {
    read.get(&SETTINGS, setting.word())
}

pub fn put_setting(tx: &mut Tx<'_>, setting: Setting, value: &str) -> Result<(), StoreError> {
    tx.insert(&SETTINGS, setting.word(), &value.to_owned())
}

pub fn customer(read: &impl Read, id: u32) -> Result<Option<CustomerRow>, StoreError> {
    read.get(&CUSTOMERS, id)
}

/// The customer of this name, whatever its case, or a new one.
pub fn customer_named(tx: &mut Tx<'_>, row: &CustomerRow) -> Result<u32, StoreError> {
    let wanted = row.name.to_lowercase();
    let mut found = None;
    tx.scan(
        &CUSTOMERS,
        0_u32..,
        Order::Ascending,
        MOST_SEARCHED,
        |id, known| {
            if known.name.to_lowercase() == wanted {
                found = Some(id);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        },
    )?;
    if let Some(id) = found {
        return Ok(id);
    }
    let id = next(tx, "customer")?;
    tx.insert(&CUSTOMERS, id, row)?;
    Ok(id)
}

pub fn licence(read: &impl Read, id: u32) -> Result<Option<LicenceRow>, StoreError> {
    read.get(&LICENCES, id)
}

/// The licence of a key.
pub fn licence_of(
    read: &impl Read,
    key: &LicenceKey,
) -> Result<Option<(u32, LicenceRow)>, StoreError> {
    let Some(id) = read.get(&LICENCE_KEYS, key.digest())? else {
        return Ok(None);
    };
    Ok(licence(read, id)?.map(|row| (id, row)))
}

pub fn put_licence(tx: &mut Tx<'_>, id: u32, row: &LicenceRow) -> Result<(), StoreError> {
    tx.insert(&LICENCES, id, row)
}

pub fn put_key(tx: &mut Tx<'_>, key: &LicenceKey, id: u32) -> Result<(), StoreError> {
    tx.insert(&LICENCE_KEYS, key.digest(), &id)
}

pub fn next_licence(tx: &mut Tx<'_>) -> Result<u32, VendorError> {
    if tx.count(&LICENCES)? >= MOST_LICENCES {
        let text = format!("a vendor has at most {MOST_LICENCES} licences");
        return Err(VendorError::field("customer", text));
    }
    Ok(next(tx, "licence")?)
}

/// Licences from the newest on, below `before`, that `wanted` wants; at most `limit`.
pub fn licences(
    read: &impl Read,
    before: u32,
    limit: usize,
    mut wanted: impl FnMut(u32, &LicenceRow) -> bool,
) -> Result<Vec<(u32, LicenceRow)>, StoreError> {
    let mut found = Vec::new();
    read.scan(
        &LICENCES,
        ..before,
        Order::Descending,
        MOST_SEARCHED,
        |id, row| {
            if wanted(id, &row) {
                found.push((id, row));
            }
            match found.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        },
    )?;
    Ok(found)
}

/// Keeps what a machine said, and forgets what is older than a month.
pub fn add_heartbeat(tx: &mut Tx<'_>, id: u32, row: &HeartbeatRow) -> Result<(), StoreError> {
    let step = |at: i64| at.div_euclid(STEP);
    tx.insert(&HEARTBEATS, (id, step(row.at)), row)?;
    let oldest = step(row.at.saturating_sub(HEARTBEATS_KEPT));
    tx.remove_range(&HEARTBEATS, (id, i64::MIN)..(id, oldest))?;
    Ok(())
}

/// The last ones, newest first.
pub fn heartbeats(
    read: &impl Read,
    id: u32,
    limit: usize,
) -> Result<Vec<HeartbeatRow>, StoreError> {
    let mut found = Vec::new();
    let all = (id, i64::MIN)..=(id, i64::MAX);
    read.scan(&HEARTBEATS, all, Order::Descending, limit, |_, row| {
        found.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

pub fn add_release(tx: &mut Tx<'_>, row: &ReleaseRow) -> Result<u32, StoreError> {
    let id = next(tx, "release")?;
    tx.insert(&RELEASES, id, row)?;
    Ok(id)
}

pub fn release(read: &impl Read, id: u32) -> Result<Option<ReleaseRow>, StoreError> {
    read.get(&RELEASES, id)
}

pub fn put_release(tx: &mut Tx<'_>, id: u32, row: &ReleaseRow) -> Result<(), StoreError> {
    tx.insert(&RELEASES, id, row)?;
    Ok(())
}

/// Releases from the newest on that `wanted` wants; at most `limit`.
pub fn releases(
    read: &impl Read,
    limit: usize,
    mut wanted: impl FnMut(&ReleaseRow) -> bool,
) -> Result<Vec<(u32, ReleaseRow)>, StoreError> {
    let mut found = Vec::new();
    read.scan(
        &RELEASES,
        0_u32..,
        Order::Descending,
        MOST_SEARCHED,
        |id, row| {
            if wanted(&row) {
                found.push((id, row));
            }
            match found.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        },
    )?;
    Ok(found)
}

/// Who did something: a word and perhaps an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who(pub String);

impl Who {
    pub fn command_line() -> Who {
        Who("command line".to_owned())
    }

    pub fn page(address: &str) -> Who {
        Who(format!("page {address}"))
    }

    pub fn appliance(address: &str) -> Who {
        Who(format!("appliance {address}"))
    }
}

pub fn log(
    tx: &mut Tx<'_>,
    at: Timestamp,
    who: &Who,
    what: &str,
    licence: Option<u32>,
    detail: &str,
) -> Result<(), StoreError> {
    let row = LogRow {
        at: at.0,
        who: who.0.clone(),
        what: what.to_owned(),
        licence,
        detail: detail.to_owned(),
    };
    let sequence = next_sequence(tx, "log")?;
    tx.insert(&LOG, sequence, &row)
}

/// The last lines, newest first.
pub fn last_lines(read: &impl Read, limit: usize) -> Result<Vec<LogRow>, StoreError> {
    let mut found = Vec::new();
    read.scan(&LOG, 0_u64.., Order::Descending, limit, |_, row| {
        found.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
