//! How small domain values are written in rows, in one place for all nouns.

use redb::Key;
use std::fmt::{Debug, Display};

use super::StoreError;
use super::codec::Record;
use super::tables::Map;
use crate::domain::plan::OnLimit;

pub(super) fn on_limit_number(on_limit: OnLimit) -> u8 {
    match on_limit {
        OnLimit::ReplaceOld => 0,
        OnLimit::RejectNew => 1,
    }
}

pub(super) fn on_limit(number: u8) -> OnLimit {
    match number {
        1 => OnLimit::RejectNew,
        _ => OnLimit::ReplaceOld,
    }
}

/// A row whose octets decode but whose value breaks a rule of the domain.
pub(super) fn damaged<K: Key, V: Record>(
    map: &Map<K, V>,
    key: impl Debug,
    why: &impl Display,
) -> StoreError {
    StoreError::Damaged {
        table: map.name(),
        key: format!("{key:?}"),
        what: why.to_string(),
    }
}

#[cfg(test)]
mod tests;
