//! The audit log: only grows. An index finds the entries of one object.

use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

use super::codec::Record;
use super::tables::{AUDIT, AUDIT_BY_OBJECT};
use super::{Order, Read, StoreError, Tx, ids};
use crate::domain::audit::{Actor, Change, Entry, Object};
use crate::domain::id::{CdnId, NasId, OperatorId, PlanId, PoolId, RuleId, SubscriberId};
use crate::domain::time::Timestamp;

pub use v1::AuditRow;

mod v1 {
    use super::*;

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct AuditRow {
        #[n(0)]
        pub at: i64,
        #[n(1)]
        pub actor: String,
        #[n(2)]
        pub address: String,
        #[n(3)]
        pub action: String,
        #[n(4)]
        pub object_kind: u8,
        #[n(5)]
        pub object_id: u32,
        #[n(6)]
        pub object_name: String,
        #[n(7)]
        pub changes: Vec<ChangeRow>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct ChangeRow {
        #[n(0)]
        pub field: String,
        #[n(1)]
        pub old: String,
        #[n(2)]
        pub new: String,
    }
}

impl Record for AuditRow {
    const VERSION: u8 = 1;
}

/// Numbers are stored: never change them.
fn object_key(object: Object) -> (u8, u32) {
    match object {
        Object::Subscriber(id) => (1, id.0),
        Object::Plan(id) => (2, id.0),
        Object::Nas(id) => (3, id.0),
        Object::Operator(id) => (4, id.0),
        Object::Settings => (5, 0),
        Object::Pool(id) => (6, id.0),
        Object::Cdn(id) => (8, id.0),
        Object::BandwidthRule(id) => (7, id.0),
    }
}

fn object(kind: u8, id: u32) -> Object {
    match kind {
        1 => Object::Subscriber(SubscriberId(id)),
        2 => Object::Plan(PlanId(id)),
        3 => Object::Nas(NasId(id)),
        4 => Object::Operator(OperatorId(id)),
        6 => Object::Pool(PoolId(id)),
        8 => Object::Cdn(CdnId(id)),
        7 => Object::BandwidthRule(RuleId(id)),
        _ => Object::Settings,
    }
}

fn entry(sequence: u64, row: AuditRow) -> Entry {
    Entry {
        sequence,
        at: Timestamp(row.at),
        actor: row.actor,
        address: row.address,
        action: row.action,
        object: object(row.object_kind, row.object_id),
        object_name: row.object_name,
        changes: row
            .changes
            .into_iter()
            .map(|c| Change {
                field: c.field,
                old: c.old,
                new: c.new,
            })
            .collect(),
    }
}

/// What was done, to be written in the transaction that does it.
pub struct NewEntry<'a> {
    pub at: Timestamp,
    pub actor: &'a Actor,
    pub action: &'a str,
    pub object: Object,
    pub object_name: &'a str,
    pub changes: Vec<Change>,
}

pub fn add(tx: &mut Tx<'_>, new: NewEntry<'_>) -> Result<(), StoreError> {
    let sequence = ids::next_sequence(tx, ids::AUDIT)?;
    let (kind, id) = object_key(new.object);
    let row = AuditRow {
        at: new.at.0,
        actor: new.actor.name(),
        address: new.actor.address().to_owned(),
        action: new.action.to_owned(),
        object_kind: kind,
        object_id: id,
        object_name: new.object_name.to_owned(),
        changes: new
            .changes
            .into_iter()
            .map(|c| v1::ChangeRow {
                field: c.field,
                old: c.old,
                new: c.new,
            })
            .collect(),
    };
    tx.insert(&AUDIT, sequence, &row)?;
    tx.insert(&AUDIT_BY_OBJECT, (kind, id, sequence), &())
}

/// The newest entries below `before`, at most `limit`, that `keep` wants. At most `look` rows are read.
pub fn newest(
    read: &impl Read,
    before: u64,
    limit: usize,
    look: usize,
    mut keep: impl FnMut(&Entry) -> bool,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    read.scan(
        &AUDIT,
        ..before,
        Order::Descending,
        look,
        |sequence, row| {
            let entry = entry(sequence, row);
            if keep(&entry) {
                entries.push(entry);
            }
            if entries.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        },
    )?;
    Ok(entries)
}

/// The newest entries of one object.
pub fn of(read: &impl Read, of: Object, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let (kind, id) = object_key(of);
    let mut sequences = Vec::new();
    read.scan(
        &AUDIT_BY_OBJECT,
        (kind, id, 0)..=(kind, id, u64::MAX),
        Order::Descending,
        limit,
        |key: (u8, u32, u64), ()| {
            sequences.push(key.2);
            ControlFlow::Continue(())
        },
    )?;
    let mut entries = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        if let Some(row) = read.get(&AUDIT, sequence)? {
            entries.push(entry(sequence, row));
        }
    }
    Ok(entries)
}
