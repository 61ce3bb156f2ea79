//! Samples of sessions, of usage and of entries of the journal.

use std::net::Ipv4Addr;

use super::*;
use crate::domain::hours::FreeWindow;
use crate::domain::id::NasId;
use crate::domain::mac::Mac;
use crate::domain::octets::Usage;
use crate::domain::quota::Direction;
use crate::domain::rate::{Burst, Rate, RateLimit};
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::time::Day;
use crate::domain::usage_audit::{Sums, UsageAudit};
use crate::domain::window::Window;

const NOW: Timestamp = Timestamp(1_780_000_000_123);

pub fn put_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for session in [session_closed(), session_open(), session_newest()] {
        sessions::put(tx, &session)?;
    }
    let first = Traffic::new(1, u64::MAX);
    usage::add(tx, Day(20_600), SubscriberId(1), first.into())?;
    usage::add(tx, Day(20_601), SubscriberId(1), usage_newest())?;
    usage_audit::put(tx, &audit())
}

fn place() -> Place {
    Place {
        address: Some(Ipv4Addr::new(100, 64, 0, 9)),
        ipv6_prefix: Some(("2001:db8::".parse().unwrap(), 64)),
        delegated_prefix: Some(("2001:db8:1::".parse().unwrap(), 56)),
        mac: Some(Mac([2, 0, 0, 0, 0, 9])),
        calling_station: "line 7".into(),
        nas_port: Some(15_728_640),
        nas_port_id: "ether2".into(),
        nas_ip: Some(Ipv4Addr::LOCALHOST),
        source: Some("::1".parse().unwrap()),
    }
}

pub fn session_closed() -> Session {
    Session {
        id: SessionId(1),
        subscriber: Some(SubscriberId(1)),
        login: Some(LoginId(u64::MAX)),
        booked: Traffic::new(5, 6),
        place: place(),
        stopped: Some(Stopped {
            at: NOW,
            cause: Cause::NasOff,
        }),
        resumed: true,
        ..session_open()
    }
}

pub fn session_open() -> Session {
    Session {
        id: SessionId(2),
        nas: NasId(1),
        acct_session_id: b"81a0\xff".to_vec(),
        username: "Ali".into(),
        subscriber: None,
        login: None,
        started_at: NOW,
        updated_at: NOW.plus(60_000),
        heard_at: NOW.plus(59_000),
        session_time: 60,
        highest: Traffic::new(1, u64::MAX),
        booked: Traffic::new(1, u64::MAX),
        place: Place::default(),
        stopped: None,
        resumed: false,
        free: Traffic::ZERO,
        told: None,
    }
}

/// With what came after the first shape.
pub fn session_newest() -> Session {
    Session {
        id: SessionId(3),
        free: Traffic::new(0, u64::MAX),
        told: Some(limit()),
        ..session_open()
    }
}

fn limit() -> RateLimit {
    RateLimit {
        rate: Rate::new(2_000, 10_000),
        burst: Some(Burst {
            rate: Rate::new(4_000, 20_000),
            threshold: Rate::new(1_000, 5_000),
            time_s: 16,
        }),
        priority: 3,
    }
}

pub fn audit() -> UsageAudit {
    let differs = Sums {
        sessions: usage_newest(),
        days: Traffic::new(5, u64::MAX).into(),
        months: Usage::ZERO,
    };
    UsageAudit {
        began_at: NOW,
        ended_at: NOW.plus(9),
        looked_at: 10_000,
        differing: 101,
        differences: vec![(SubscriberId(7), differs)],
    }
}

pub fn usage_newest() -> Usage {
    Usage {
        raw: Traffic::new(3, 4),
        free: Traffic::new(0, 2),
    }
}

/// Entries of the journal by the name of their line.
pub fn entry(name: &str) -> Entry {
    let stop = Record {
        kind: RecordKind::Stop { cause: 2 },
        nas: NasId(1),
        nas_since: Timestamp(5),
        acct_session_id: b"81a0\xff".to_vec(),
        username: "Ali".into(),
        subscriber: Some(SubscriberId(7)),
        login: Some(LoginId(9)),
        event_at: NOW,
        received_at: NOW.plus(1),
        session_time: Some(60),
        totals: Some(Traffic::new(1, u64::MAX)),
        has_gigawords: true,
        place: place(),
        free_windows: Vec::new(),
        told: None,
    };
    match name {
        "journal-stop" => Entry::Record(stop),
        "journal-on" => Entry::Record(Record {
            kind: RecordKind::On,
            subscriber: None,
            login: None,
            session_time: None,
            totals: None,
            has_gigawords: false,
            place: Place::default(),
            ..stop
        }),
        "journal-newest" => Entry::Record(Record {
            kind: RecordKind::Interim,
            free_windows: vec![FreeWindow {
                window: Window::parse("1-5 22:00-06:00").unwrap(),
                free_percent: 70,
                direction: Direction::Upload,
            }],
            told: Some(limit()),
            ..stop
        }),
        "journal-told" => Entry::Told {
            session: SessionId(3),
            limit: limit(),
        },
        "journal-discount" => Entry::Discount {
            session: SessionId(3),
            octets: Traffic::new(1, u64::MAX),
            at: NOW,
        },
        _ => Entry::GiveUp {
            session: SessionId(3),
            at: NOW,
        },
    }
}
