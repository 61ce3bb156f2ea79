//! Numbers that grow: ids of records, which are never given out twice, and sequences.

use super::tables::COUNTERS;
use super::{Read, StoreError, Tx};

pub(super) const SUBSCRIBER: &str = "subscriber";
pub(super) const PLAN: &str = "plan";
pub(super) const NAS: &str = "nas";
pub(super) const OPERATOR: &str = "operator";
pub(super) const BANDWIDTH_RULE: &str = "bandwidth-rule";
pub(super) const POOL: &str = "pool";
pub(super) const CDN_PROFILE: &str = "cdn-profile";
pub(super) const IMPORT: &str = "import";
pub(super) const AUDIT: &str = "audit";
pub(super) const OUTBOX: &str = "outbox";
/// The last search work that is in the index.
pub(super) const INDEXED: &str = "indexed";
/// The last journal sequence that the tables hold.
pub(super) const FOLDED: &str = "folded";

/// The next id of a record; the first is 1.
pub fn next(tx: &mut Tx<'_>, counter: &'static str) -> Result<u32, StoreError> {
    let next = next_sequence(tx, counter)?;
    u32::try_from(next).map_err(|_| StoreError::Unencodable {
        table: COUNTERS.name(),
        what: format!("no {counter} ids are left"),
    })
}

/// The next number of a sequence; the first is 1.
pub fn next_sequence(tx: &mut Tx<'_>, counter: &'static str) -> Result<u64, StoreError> {
    let next = tx.get(&COUNTERS, counter)?.unwrap_or(0).saturating_add(1);
    tx.insert(&COUNTERS, counter, &next)?;
    Ok(next)
}

pub(super) fn current(read: &impl Read, counter: &'static str) -> Result<u64, StoreError> {
    Ok(read.get(&COUNTERS, counter)?.unwrap_or(0))
}

/// Whether the store never had a subscriber, a plan, a NAS or a session.
pub fn is_unused(read: &impl Read) -> Result<bool, StoreError> {
    for counter in [SUBSCRIBER, PLAN, NAS, FOLDED] {
        if current(read, counter)? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
