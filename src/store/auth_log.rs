//! The authentication log: every attempt with its reason, in blocks, bounded by age and number.
//!
//! A row per attempt would cost a thousand octets on disk each; a block of attempts costs their own octets.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::net::IpAddr;
use std::ops::ControlFlow;

use super::codec::Record;
use super::sessions::{address, address_octets};
use super::tables::AUTH_LOG;
use super::{Order, Read, StoreError, Tx};
use crate::domain::access::Reason;
use crate::domain::id::{NasId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::time::Timestamp;

/// Attempts in one row.
pub const BLOCK: usize = 512;
/// Attempts kept at most; about 40 MB.
pub const MOST_ATTEMPTS: u64 = 500_000;

/// How a subscriber proved its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    None,
    Pap,
    Chap,
    MsChapV1,
    MsChapV2,
    Eap,
}

impl Method {
    pub fn word(self) -> &'static str {
        match self {
            Method::None => "none",
            Method::Pap => "PAP",
            Method::Chap => "CHAP",
            Method::MsChapV1 => "MS-CHAP",
            Method::MsChapV2 => "MS-CHAPv2",
            Method::Eap => "EAP",
        }
    }

    fn number(self) -> u8 {
        match self {
            Method::None => 0,
            Method::Pap => 1,
            Method::Chap => 2,
            Method::MsChapV1 => 3,
            Method::MsChapV2 => 4,
            Method::Eap => 5,
        }
    }

    fn from_number(number: u8) -> Method {
        match number {
            1 => Method::Pap,
            2 => Method::Chap,
            3 => Method::MsChapV1,
            4 => Method::MsChapV2,
            5 => Method::Eap,
            _ => Method::None,
        }
    }
}

/// One attempt. `reason` is absent where it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub username: Box<str>,
    pub subscriber: Option<SubscriberId>,
    pub nas: NasId,
    pub source: IpAddr,
    pub mac: Option<Mac>,
    pub method: Method,
    pub reason: Option<Reason>,
}

pub use v1::BlockRow;

mod v1 {
    use super::*;

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct BlockRow {
        /// The time of the last attempt, for purging by age.
        #[n(0)]
        pub until: i64,
        #[n(1)]
        pub attempts: Vec<AttemptRow>,
    }

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct AttemptRow {
        #[n(0)]
        pub at: i64,
        #[n(1)]
        pub username: String,
        #[n(2)]
        pub subscriber: Option<u32>,
        #[n(3)]
        pub nas: u32,
        #[n(4)]
        pub source: ByteVec,
        #[n(5)]
        pub mac: Option<ByteVec>,
        #[n(6)]
        pub method: u8,
        /// The code of the reason; absent where accepted.
        #[n(7)]
        pub reason: Option<String>,
    }
}

impl Record for BlockRow {
    const VERSION: u8 = 1;
}

impl From<&Attempt> for v1::AttemptRow {
    fn from(a: &Attempt) -> Self {
        v1::AttemptRow {
            at: a.at.0,
            username: a.username.to_string(),
            subscriber: a.subscriber.map(|s| s.0),
            nas: a.nas.0,
            source: address_octets(a.source),
            mac: a.mac.map(|mac| mac.0.to_vec().into()),
            method: a.method.number(),
            reason: a.reason.map(|r| r.code().to_owned()),
        }
    }
}

impl From<v1::AttemptRow> for Attempt {
    fn from(row: v1::AttemptRow) -> Self {
        Attempt {
            at: Timestamp(row.at),
            username: row.username.into(),
            subscriber: row.subscriber.map(SubscriberId),
            nas: NasId(row.nas),
            source: address(&row.source).unwrap_or(IpAddr::from([0, 0, 0, 0])),
            mac: row.mac.and_then(|m| m.as_slice().try_into().ok().map(Mac)),
            method: Method::from_number(row.method),
            reason: row
                .reason
                .map(|code| Reason::from_code(&code).unwrap_or(Reason::Fault)),
        }
    }
}

/// The number of the newest attempt in the table; attempts count from 1.
pub fn last(read: &impl Read) -> Result<u64, StoreError> {
    let mut last = 0;
    read.scan(
        &AUTH_LOG,
        0u64..,
        Order::Descending,
        1,
        |first: u64, row: BlockRow| {
            last = first
                .saturating_add(u64::try_from(row.attempts.len()).unwrap_or(0))
                .saturating_sub(1);
            ControlFlow::Break(())
        },
    )?;
    Ok(last)
}

/// Appends attempts, numbered from `first` on, and purges what is older than `keep_since` or too many.
pub fn append(
    tx: &mut Tx<'_>,
    first: u64,
    attempts: &[Attempt],
    now: Timestamp,
    keep_since: Timestamp,
) -> Result<(), StoreError> {
    let mut number = first;
    for block in attempts.chunks(BLOCK) {
        let row = BlockRow {
            until: block.last().map_or(now.0, |a| a.at.0),
            attempts: block.iter().map(v1::AttemptRow::from).collect(),
        };
        tx.insert(&AUTH_LOG, number, &row)?;
        number = number.saturating_add(u64::try_from(block.len()).unwrap_or(0));
    }
    let oldest = number.saturating_sub(MOST_ATTEMPTS);
    tx.remove_range(&AUTH_LOG, ..oldest)?;
    purge_older(tx, keep_since)
}

/// Removes blocks whose last attempt is too old, a few at a time: every append takes some.
fn purge_older(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    const AT_ONCE: usize = 16;
    let mut old = Vec::new();
    tx.scan(
        &AUTH_LOG,
        0u64..,
        Order::Ascending,
        AT_ONCE,
        |first: u64, row: BlockRow| {
            if Timestamp(row.until) >= before {
                return ControlFlow::Break(());
            }
            old.push(first);
            ControlFlow::Continue(())
        },
    )?;
    for first in old {
        tx.remove(&AUTH_LOG, first)?;
    }
    Ok(())
}

/// Walks over attempts with a number below `before`, newest first, until `visit` breaks; at most `look` blocks are read.
pub fn each_before(
    read: &impl Read,
    before: u64,
    look: usize,
    mut visit: impl FnMut(u64, Attempt) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    read.scan(
        &AUTH_LOG,
        ..before,
        Order::Descending,
        look,
        |first: u64, row: BlockRow| {
            let numbered: Vec<(u64, v1::AttemptRow)> = (first..).zip(row.attempts).collect();
            for (number, attempt) in numbered.into_iter().rev() {
                if number < before && visit(number, attempt.into()).is_break() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(())
}
