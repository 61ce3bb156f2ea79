//! Journal entries: what is written before it is acknowledged, and how it reads back.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::domain::id::{LoginId, NasId, SessionId, SubscriberId};
use crate::domain::octets::Traffic;
use crate::domain::rate::RateLimit;
use crate::domain::session::{Record, RecordKind};
use crate::domain::time::Timestamp;
use crate::store::codec::{self, Undecodable};
use crate::store::plan_parts::{FreeWindowRow, items, rows};
use crate::store::sessions::{PlaceRow, RateLimitRow, TrafficRow};

/// One thing that happened to sessions.
#[allow(clippy::large_enum_variant, reason = "nearly all of them are records")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Record(Record),
    /// A session was silent for too long.
    GiveUp {
        session: SessionId,
        at: Timestamp,
    },
    /// A router confirmed the speed of a session.
    Told {
        session: SessionId,
        limit: RateLimit,
    },
    /// Octets of a session, such as a CDN's, shall not count.
    Discount {
        session: SessionId,
        octets: Traffic,
        /// Says which day they belong to.
        at: Timestamp,
    },
}

mod v1 {
    use super::*;

    #[allow(clippy::large_enum_variant, reason = "nearly all of them are records")]
    #[derive(Debug, Clone, Encode, Decode)]
    pub enum EntryRow {
        #[n(0)]
        Record(#[n(0)] RecordRow),
        #[n(1)]
        GiveUp(#[n(0)] u64, #[n(1)] i64),
        #[n(2)]
        Told(#[n(0)] u64, #[n(1)] RateLimitRow),
        #[n(3)]
        Discount(#[n(0)] u64, #[n(1)] TrafficRow, #[n(2)] i64),
    }

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct RecordRow {
        /// Acct-Status-Type.
        #[n(0)]
        pub kind: u8,
        /// Acct-Terminate-Cause of a Stop.
        #[n(1)]
        pub cause: Option<u32>,
        #[n(2)]
        pub nas: u32,
        #[n(3)]
        pub nas_since: i64,
        #[n(4)]
        pub acct_session_id: ByteVec,
        #[n(5)]
        pub username: String,
        #[n(6)]
        pub subscriber: Option<u32>,
        #[n(7)]
        pub login: Option<u64>,
        #[n(8)]
        pub event_at: i64,
        #[n(9)]
        pub received_at: i64,
        #[n(10)]
        pub session_time: Option<u32>,
        #[n(11)]
        pub totals: Option<TrafficRow>,
        #[n(12)]
        pub has_gigawords: bool,
        #[n(13)]
        pub place: PlaceRow,
        #[n(14)]
        pub free_windows: Option<Vec<FreeWindowRow>>,
        #[n(15)]
        pub told: Option<RateLimitRow>,
    }
}

impl codec::Record for v1::EntryRow {
    const VERSION: u8 = 1;
}

fn kind_number(kind: RecordKind) -> (u8, Option<u32>) {
    match kind {
        RecordKind::Start => (1, None),
        RecordKind::Stop { cause } => (2, Some(cause)),
        RecordKind::Interim => (3, None),
        RecordKind::On => (7, None),
        RecordKind::Off => (8, None),
    }
}

fn kind(number: u8, cause: Option<u32>) -> RecordKind {
    match number {
        1 => RecordKind::Start,
        2 => RecordKind::Stop {
            cause: cause.unwrap_or(0),
        },
        7 => RecordKind::On,
        8 => RecordKind::Off,
        _ => RecordKind::Interim,
    }
}

impl From<&Record> for v1::RecordRow {
    fn from(r: &Record) -> Self {
        let (kind, cause) = kind_number(r.kind);
        v1::RecordRow {
            kind,
            cause,
            nas: r.nas.0,
            nas_since: r.nas_since.0,
            acct_session_id: r.acct_session_id.clone().into(),
            username: r.username.clone(),
            subscriber: r.subscriber.map(|s| s.0),
            login: r.login.map(|l| l.0),
            event_at: r.event_at.0,
            received_at: r.received_at.0,
            session_time: r.session_time,
            totals: r.totals.map(TrafficRow::from),
            has_gigawords: r.has_gigawords,
            place: PlaceRow::from(&r.place),
            free_windows: rows(&r.free_windows),
            told: r.told.map(RateLimitRow::from),
        }
    }
}

impl From<v1::RecordRow> for Record {
    fn from(row: v1::RecordRow) -> Self {
        Record {
            kind: kind(row.kind, row.cause),
            nas: NasId(row.nas),
            nas_since: Timestamp(row.nas_since),
            acct_session_id: row.acct_session_id.into(),
            username: row.username,
            subscriber: row.subscriber.map(SubscriberId),
            login: row.login.map(LoginId),
            event_at: Timestamp(row.event_at),
            received_at: Timestamp(row.received_at),
            session_time: row.session_time,
            totals: row.totals.map(Traffic::from),
            has_gigawords: row.has_gigawords,
            place: row.place.into(),
            free_windows: items(row.free_windows),
            told: row.told.map(RateLimit::from),
        }
    }
}

impl Entry {
    /// The octets in the journal: a version octet and the body.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let row = match self {
            Entry::Record(record) => v1::EntryRow::Record(record.into()),
            Entry::GiveUp { session, at } => v1::EntryRow::GiveUp(session.0, at.0),
            Entry::Discount {
                session,
                octets,
                at,
            } => v1::EntryRow::Discount(session.0, (*octets).into(), at.0),
            Entry::Told { session, limit } => v1::EntryRow::Told(session.0, (*limit).into()),
        };
        codec::encode(&row)
    }

    pub fn decode(octets: &[u8]) -> Result<Entry, Undecodable> {
        Ok(match codec::decode(octets)? {
            v1::EntryRow::Record(row) => Entry::Record(row.into()),
            v1::EntryRow::GiveUp(session, at) => Entry::GiveUp {
                session: SessionId(session),
                at: Timestamp(at),
            },
            v1::EntryRow::Discount(session, octets, at) => Entry::Discount {
                session: SessionId(session),
                octets: octets.into(),
                at: Timestamp(at),
            },
            v1::EntryRow::Told(session, limit) => Entry::Told {
                session: SessionId(session),
                limit: limit.into(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hours::FreeWindow;
    use crate::domain::mac::Mac;
    use crate::domain::quota::Direction;
    use crate::domain::rate::{Burst, Rate};
    use crate::domain::session::Place;
    use crate::domain::window::Window;
    use std::net::Ipv4Addr;

    #[test]
    fn entries_read_back() {
        let limit = RateLimit {
            rate: Rate::new(2_000, 10_000),
            burst: Some(Burst {
                rate: Rate::new(4_000, 20_000),
                threshold: Rate::new(1_000, 5_000),
                time_s: 16,
            }),
            priority: 3,
        };
        let record = Record {
            kind: RecordKind::Stop { cause: 2 },
            nas: NasId(1),
            nas_since: Timestamp(5),
            acct_session_id: b"81a0\xff".to_vec(),
            username: "Ali".into(),
            subscriber: Some(SubscriberId(7)),
            login: Some(LoginId(u64::MAX)),
            event_at: Timestamp(-1),
            received_at: Timestamp(9),
            session_time: Some(60),
            totals: Some(Traffic::new(1, u64::MAX)),
            has_gigawords: true,
            place: Place {
                address: Some(Ipv4Addr::new(10, 0, 0, 1)),
                ipv6_prefix: Some(("2001:db8::".parse().unwrap(), 64)),
                delegated_prefix: Some(("2001:db8:1::".parse().unwrap(), 56)),
                mac: Some(Mac([1, 2, 3, 4, 5, 6])),
                calling_station: "x".into(),
                nas_port: Some(15),
                nas_port_id: "ether1".into(),
                nas_ip: Some(Ipv4Addr::LOCALHOST),
                source: Some("::1".parse().unwrap()),
            },
            free_windows: vec![FreeWindow {
                window: Window::parse("1-5 22:00-06:00").unwrap(),
                free_percent: 70,
                direction: Direction::Upload,
            }],
            told: Some(limit),
        };
        let sparse = Record {
            kind: RecordKind::On,
            subscriber: None,
            login: None,
            session_time: None,
            totals: None,
            place: Place::default(),
            free_windows: Vec::new(),
            told: None,
            ..record.clone()
        };
        for entry in [
            Entry::Record(record),
            Entry::Record(sparse),
            Entry::GiveUp {
                session: SessionId(3),
                at: Timestamp(4),
            },
            Entry::Told {
                session: SessionId(u64::MAX),
                limit,
            },
            Entry::Discount {
                session: SessionId(6),
                octets: Traffic::new(0, u64::MAX),
                at: Timestamp(-7),
            },
        ] {
            assert_eq!(Entry::decode(&entry.encode().unwrap()), Ok(entry));
        }
        assert!(
            Entry::decode(&[]).is_err()
                && Entry::decode(&[1, 0x80]).is_err()
                && Entry::decode(&[9]).is_err()
        );
    }
}
