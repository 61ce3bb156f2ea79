//! Subscribers: the record and the name index. Who holds which static address is in `statics`.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use super::codec::Record;
use super::plan_parts::{ExtrasRow, RateRow, extras, extras_row, items, rows as rows_of};
use super::sessions::{TrafficRow, prefix, prefix_octets};
use super::tables::{SUBSCRIBER_NAMES, SUBSCRIBERS};
use super::{Change, Order, Read, StoreError, Tx, ids, rows, statics};
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::quota::{Credit, CreditScope, TopUp, Validity};
use crate::domain::rate::Rate;
use crate::domain::subscriber::{Boost, MacMode, Status, Subscriber};
use crate::domain::text::{Username, fold_case};
use crate::domain::time::{Day, Timestamp};

/// A subscriber with the PPP password, sealed under `subscriber:<id>`.
#[derive(Debug, Clone)]
pub struct StoredSubscriber {
    pub subscriber: Subscriber,
    pub sealed_password: Vec<u8>,
}

/// What the password of a subscriber is sealed under, so that it opens in no other row.
pub fn password_context(id: SubscriberId) -> String {
    format!("subscriber:{}", id.0)
}

pub use v1::SubscriberRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct SubscriberRow {
        #[n(0)]
        pub username: String,
        #[n(1)]
        pub full_name: String,
        #[n(2)]
        pub phone: String,
        #[n(3)]
        pub email: String,
        #[n(4)]
        pub address: String,
        #[n(5)]
        pub notes: String,
        #[n(6)]
        pub plan: u32,
        /// Set while suspended.
        #[n(7)]
        pub suspended: Option<Suspension>,
        #[n(8)]
        pub expires_at: Option<i64>,
        #[n(9)]
        pub max_sessions: Option<u8>,
        #[n(10)]
        pub on_limit: Option<u8>,
        /// 0 off, 255 fixed, else learn this many.
        #[n(11)]
        pub mac_mode: u8,
        /// Six octets each.
        #[n(12)]
        pub macs: ByteVec,
        #[n(13)]
        pub only_nas: Option<u32>,
        #[n(14)]
        pub static_address: Option<u32>,
        #[n(15)]
        pub rate_up_kbps: Option<u64>,
        #[n(16)]
        pub rate_down_kbps: Option<u64>,
        #[n(17)]
        pub created_at: i64,
        #[n(18)]
        pub sealed_password: ByteVec,
        #[n(19)]
        pub boost: Option<BoostRow>,
        #[n(20)]
        pub credits: Option<Vec<CreditRow>>,
        #[n(21)]
        pub top_ups: Option<Vec<TopUpRow>>,
        #[n(22)]
        pub extras: Option<ExtrasRow>,
        /// Absent where it is `created_at`.
        #[n(23)]
        pub renewed_at: Option<i64>,
        #[n(24)]
        pub static_prefix: Option<ByteVec>,
        #[n(25)]
        pub settled: Option<i32>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct BoostRow {
        #[n(0)]
        pub rate: RateRow,
        #[n(1)]
        pub until: i64,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct CreditRow {
        /// 0 day, 1 month, 2 term.
        #[n(0)]
        pub scope: u8,
        #[n(1)]
        pub first_day: i32,
        #[n(2)]
        pub octets: TrafficRow,
        #[n(3)]
        pub at: i64,
        #[n(4)]
        pub by: String,
        #[n(5)]
        pub reason: String,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct TopUpRow {
        #[n(0)]
        pub octets: u64,
        #[n(1)]
        pub used: u64,
        /// The day after the last; set for one that ends with its month.
        #[n(2)]
        pub ends_on: Option<i32>,
        #[n(3)]
        pub until: Option<i64>,
        #[n(4)]
        pub bought_at: i64,
        #[n(5)]
        pub by: String,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct Suspension {
        #[n(0)]
        pub since: i64,
        #[n(1)]
        pub reason: String,
    }
}

impl From<Credit> for v1::CreditRow {
    fn from(c: Credit) -> Self {
        let (scope, day) = match c.scope {
            CreditScope::Day(day) => (0, day),
            CreditScope::Month(start) => (1, start),
            CreditScope::Term(start) => (2, start),
        };
        v1::CreditRow {
            scope,
            first_day: day.0,
            octets: c.octets.into(),
            at: c.at.0,
            by: c.by,
            reason: c.reason,
        }
    }
}

impl From<v1::CreditRow> for Credit {
    fn from(row: v1::CreditRow) -> Self {
        let day = Day(row.first_day);
        Credit {
            scope: match row.scope {
                0 => CreditScope::Day(day),
                1 => CreditScope::Month(day),
                _ => CreditScope::Term(day),
            },
            octets: row.octets.into(),
            at: Timestamp(row.at),
            by: row.by,
            reason: row.reason,
        }
    }
}

impl From<TopUp> for v1::TopUpRow {
    fn from(t: TopUp) -> Self {
        v1::TopUpRow {
            octets: t.octets,
            used: t.used,
            ends_on: match t.validity {
                Validity::EndOfMonth(day) => Some(day.0),
                _ => None,
            },
            until: match t.validity {
                Validity::Until(until) => Some(until.0),
                _ => None,
            },
            bought_at: t.bought_at.0,
            by: t.by,
        }
    }
}

impl From<v1::TopUpRow> for TopUp {
    fn from(row: v1::TopUpRow) -> Self {
        TopUp {
            octets: row.octets,
            used: row.used,
            validity: match (row.ends_on, row.until) {
                (Some(day), _) => Validity::EndOfMonth(Day(day)),
                (None, Some(until)) => Validity::Until(Timestamp(until)),
                (None, None) => Validity::UntilUsed,
            },
            bought_at: Timestamp(row.bought_at),
            by: row.by,
        }
    }
}

impl Record for SubscriberRow {
    const VERSION: u8 = 1;
}

const MAC_FIXED: u8 = 255;

impl From<&StoredSubscriber> for SubscriberRow {
    fn from(stored: &StoredSubscriber) -> Self {
        let s = &stored.subscriber;
        SubscriberRow {
            username: s.username.as_str().to_owned(),
            full_name: s.full_name.clone(),
            phone: s.phone.clone(),
            email: s.email.clone(),
            address: s.address.clone(),
            notes: s.notes.clone(),
            plan: s.plan.0,
            suspended: match &s.status {
                Status::Enabled => None,
                Status::Suspended { since, reason } => Some(v1::Suspension {
                    since: since.0,
                    reason: reason.clone(),
                }),
            },
            expires_at: s.expires_at.map(|t| t.0),
            max_sessions: s.max_sessions,
            on_limit: s.on_limit.map(rows::on_limit_number),
            mac_mode: match s.mac_mode {
                MacMode::Off => 0,
                MacMode::Learn(most) => most.clamp(1, MAC_FIXED - 1),
                MacMode::Fixed => MAC_FIXED,
            },
            macs: s
                .macs
                .iter()
                .flat_map(|mac| mac.0)
                .collect::<Vec<u8>>()
                .into(),
            only_nas: s.only_nas.map(|n| n.0),
            static_address: s.static_address.map(Ipv4Addr::to_bits),
            rate_up_kbps: s.rate_override.map(|r| r.upload_kbps),
            rate_down_kbps: s.rate_override.map(|r| r.download_kbps),
            created_at: s.created_at.0,
            sealed_password: stored.sealed_password.clone().into(),
            boost: s.boost.map(|boost| v1::BoostRow {
                rate: boost.rate.into(),
                until: boost.until.0,
            }),
            credits: rows_of(&s.credits),
            top_ups: rows_of(&s.top_ups),
            extras: extras_row(&s.extras),
            renewed_at: (s.renewed_at != s.created_at).then_some(s.renewed_at.0),
            static_prefix: s.static_prefix.map(prefix_octets),
            settled: s.settled.map(|day| day.0),
        }
    }
}

impl SubscriberRow {
    fn into_stored(self, id: SubscriberId) -> Result<StoredSubscriber, StoreError> {
        let username =
            Username::parse(&self.username).map_err(|why| rows::damaged(&SUBSCRIBERS, id, &why))?;
        let subscriber = Subscriber {
            id,
            username,
            full_name: self.full_name,
            phone: self.phone,
            email: self.email,
            address: self.address,
            notes: self.notes,
            plan: PlanId(self.plan),
            status: match self.suspended {
                None => Status::Enabled,
                Some(s) => Status::Suspended {
                    since: Timestamp(s.since),
                    reason: s.reason,
                },
            },
            expires_at: self.expires_at.map(Timestamp),
            max_sessions: self.max_sessions,
            on_limit: self.on_limit.map(rows::on_limit),
            mac_mode: match self.mac_mode {
                0 => MacMode::Off,
                MAC_FIXED => MacMode::Fixed,
                most => MacMode::Learn(most),
            },
            macs: self
                .macs
                .chunks_exact(6)
                .filter_map(|c| c.try_into().ok().map(Mac))
                .collect(),
            only_nas: self.only_nas.map(NasId),
            static_address: self.static_address.map(Ipv4Addr::from_bits),
            rate_override: self
                .rate_up_kbps
                .zip(self.rate_down_kbps)
                .map(|(up, down)| Rate::new(up, down)),
            static_prefix: self.static_prefix.as_ref().and_then(prefix),
            boost: self.boost.map(|row| Boost {
                rate: row.rate.into(),
                until: Timestamp(row.until),
            }),
            credits: items(self.credits),
            top_ups: items(self.top_ups),
            settled: self.settled.map(Day),
            extras: extras(self.extras),
            renewed_at: Timestamp(self.renewed_at.unwrap_or(self.created_at)),
            created_at: Timestamp(self.created_at),
        };
        Ok(StoredSubscriber {
            subscriber,
            sealed_password: self.sealed_password.into(),
        })
    }
}

pub fn get(read: &impl Read, id: SubscriberId) -> Result<Option<StoredSubscriber>, StoreError> {
    read.get(&SUBSCRIBERS, id.0)?
        .map(|row: SubscriberRow| row.into_stored(id))
        .transpose()
}

/// Finds a subscriber by login name, without case.
pub fn named(read: &impl Read, username: &str) -> Result<Option<SubscriberId>, StoreError> {
    Ok(read
        .get(&SUBSCRIBER_NAMES, fold_case(username).as_str())?
        .map(SubscriberId))
}

/// Walks over subscribers by id, from `from` on, until `visit` breaks.
pub fn each(
    read: &impl Read,
    from: SubscriberId,
    mut visit: impl FnMut(StoredSubscriber) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut failed = None;
    read.scan(
        &SUBSCRIBERS,
        from.0..,
        Order::Ascending,
        usize::MAX,
        |id, row: SubscriberRow| match row.into_stored(SubscriberId(id)) {
            Ok(stored) => visit(stored),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    )?;
    failed.map_or(Ok(()), Err)
}

pub fn count(read: &impl Read) -> Result<u64, StoreError> {
    read.count(&SUBSCRIBERS)
}

/// The last id that was given out; 0 before the first.
pub fn newest_id(read: &impl Read) -> Result<SubscriberId, StoreError> {
    let newest = ids::current(read, ids::SUBSCRIBER)?;
    Ok(SubscriberId(u32::try_from(newest).unwrap_or(u32::MAX)))
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<SubscriberId, StoreError> {
    ids::next(tx, ids::SUBSCRIBER).map(SubscriberId)
}

/// Writes the record and its indexes. Uniqueness of name, address and prefix is the caller's check, in this transaction.
pub fn put(tx: &mut Tx<'_>, stored: &StoredSubscriber) -> Result<(), StoreError> {
    let new = &stored.subscriber;
    if let Some(old) = get(tx, new.id)? {
        unindex(tx, &old.subscriber)?;
    }
    tx.insert(&SUBSCRIBER_NAMES, new.username.folded().as_str(), &new.id.0)?;
    statics::put(tx, new)?;
    tx.insert(&SUBSCRIBERS, new.id.0, &SubscriberRow::from(stored))?;
    tx.touch(Change::Subscriber(new.id.0));
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, old: &Subscriber) -> Result<(), StoreError> {
    unindex(tx, old)?;
    tx.remove(&SUBSCRIBERS, old.id.0)?;
    tx.touch(Change::Subscriber(old.id.0));
    Ok(())
}

fn unindex(tx: &mut Tx<'_>, old: &Subscriber) -> Result<(), StoreError> {
    tx.remove(&SUBSCRIBER_NAMES, old.username.folded().as_str())?;
    statics::remove(tx, old)
}
