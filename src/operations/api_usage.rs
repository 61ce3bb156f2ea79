//! Usage by the counters of a router that were read through its API (rules.md section 2).
//!
//! Accounting is the only writer of what is booked. A router that sends no accounting is set to be counted by its API: then
//! readings become the records that it does not send. For any other router they are provisional, beside what is booked,
//! until the next record of the session.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use crate::app::App;
use crate::domain::hours::FreeWindow;
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::nas::{Nas, UsageSource};
use crate::domain::octets::Traffic;
use crate::domain::session::{self, Place, Record, RecordKind, Session};
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

use super::aaa;

/// One active session of a router, with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub username: String,
    /// As the API says it, `0x81D00000`; empty where it says none.
    pub acct_session_id: String,
    pub address: Option<Ipv4Addr>,
    pub mac: Option<Mac>,
    pub uptime_s: u32,
    /// Totals of the session, 64-bit, as the subscriber sees them.
    pub upload: u64,
    pub download: u64,
}

/// Readings of one router that are looked at; no router of ours has more sessions.
pub const MOST_READINGS: usize = 20_000;
/// Acct-Terminate-Cause of a session that was gone from the router: nobody said why.
const NO_CAUSE: u32 = 0;

/// The open sessions that were missing when their router was read last.
#[derive(Debug, Default)]
pub struct Missing(HashSet<SessionId>);

/// Who a user name is, and the free hours of the plan.
type Whose = Option<(SubscriberId, Vec<FreeWindow>)>;

/// Takes all active sessions of a router as they were read at `now`. Not to be called for a reading that was cut short.
pub fn take(
    app: &App,
    nas: &Nas,
    readings: &[Reading],
    missing: &mut Missing,
    now: Timestamp,
) -> Result<(), StoreError> {
    if readings.len() > MOST_READINGS {
        tracing::warn!(nas = %nas.name, "more sessions than are looked at");
    }
    let open: Vec<Session> = {
        let live = app.accounting.live();
        live.open_sessions()
            .filter(|s| s.nas == nas.id)
            .cloned()
            .collect()
    };
    let mut matched = Vec::with_capacity(readings.len().min(MOST_READINGS));
    let index = Index::of(&open);
    for reading in readings.iter().take(MOST_READINGS) {
        let session = index.find(reading);
        let known = session.and_then(|s| s.subscriber);
        let whose = aaa::whose(app, &reading.username, known)?;
        let whose = whose.map(|(subscriber, plan)| {
            let plan = app.plan(plan);
            let windows = plan.map_or_else(Vec::new, |plan| plan.free_windows.clone());
            (subscriber, windows)
        });
        matched.push((reading, session, whose));
    }
    match nas.usage_source {
        UsageSource::Api => {
            for record in records(nas, &open, matched, missing, now) {
                // What is not taken now is in the next reading too.
                app.accounting.record(record, Box::new(|| {}));
            }
        }
        UsageSource::Accounting => app.accounting.read_by_api(&provisional(matched, now)),
    }
    Ok(())
}

type Matched<'a> = (&'a Reading, Option<&'a Session>, Whose);

/// The records that a router which sends none would have sent: an Interim for each session, with a Start in front where
/// it is not known, and a Stop for one that is missing for the second time in a row. A Start alone would not bring back
/// a session that had been missing and was stopped.
fn records(
    nas: &Nas,
    open: &[Session],
    matched: Vec<Matched<'_>>,
    missing: &mut Missing,
    now: Timestamp,
) -> Vec<Record> {
    let mut records = Vec::with_capacity(matched.len());
    let mut present = HashSet::with_capacity(matched.len());
    for (reading, session, whose) in matched {
        present.extend(session.map(|s| s.id));
        let interim = record(nas, reading, session, whose, now);
        if session.is_none() {
            records.push(Record {
                kind: RecordKind::Start,
                ..interim.clone()
            });
        }
        records.push(interim);
    }
    let gone = open.iter().filter(|s| !present.contains(&s.id));
    let mut missing_now = HashSet::new();
    for session in gone {
        if missing.0.contains(&session.id) {
            records.push(stop(nas, session, now));
        } else {
            missing_now.insert(session.id);
        }
    }
    missing.0 = missing_now;
    records
}

fn record(
    nas: &Nas,
    reading: &Reading,
    session: Option<&Session>,
    whose: Whose,
    now: Timestamp,
) -> Record {
    let (subscriber, free_windows) = match whose {
        Some((subscriber, windows)) => (Some(subscriber), windows),
        None => (None, Vec::new()),
    };
    let place = Place {
        address: reading.address,
        mac: reading.mac,
        source: nas.network.single(),
        ..Place::default()
    };
    let (acct_session_id, username) = match session {
        // The spelling that is known already names the session.
        Some(s) => (s.acct_session_id.clone(), &s.username),
        None => {
            let id = session_id(&reading.acct_session_id).into_bytes();
            (id, &reading.username)
        }
    };
    Record {
        kind: RecordKind::Interim,
        nas: nas.id,
        nas_since: nas.created_at,
        acct_session_id,
        username: username.clone(),
        subscriber,
        login: session.and_then(|s| s.login),
        event_at: now,
        received_at: now,
        session_time: Some(reading.uptime_s),
        totals: Some(Traffic::new(reading.upload, reading.download)),
        // Counters of the API have 64 bits: they do not wrap.
        has_gigawords: true,
        place,
        free_windows,
        told: None,
    }
}

/// It ended some time after it was read last, and that is all that is known.
fn stop(nas: &Nas, session: &Session, now: Timestamp) -> Record {
    Record {
        kind: RecordKind::Stop { cause: NO_CAUSE },
        nas: nas.id,
        nas_since: nas.created_at,
        acct_session_id: session.acct_session_id.clone(),
        username: session.username.clone(),
        subscriber: session.subscriber,
        login: session.login,
        event_at: session.updated_at,
        received_at: now,
        session_time: Some(session.session_time),
        totals: None,
        has_gigawords: true,
        place: Place::default(),
        free_windows: Vec::new(),
        told: None,
    }
}

/// What accounting shall know beside its own records. A session that it has not heard of waits for its Start.
fn provisional(matched: Vec<Matched<'_>>, now: Timestamp) -> Vec<session::Reading> {
    let known = matched.into_iter().filter_map(|(reading, session, whose)| {
        let (_, free_windows) = whose?;
        Some(session::Reading {
            session: session?.id,
            totals: Traffic::new(reading.upload, reading.download),
            uptime: reading.uptime_s,
            at: now,
            free_windows,
        })
    });
    known.collect()
}

/// Open sessions of one router by user name without case.
struct Index<'a>(HashMap<String, Vec<&'a Session>>);

impl<'a> Index<'a> {
    fn of(open: &'a [Session]) -> Index<'a> {
        let mut by_name: HashMap<String, Vec<&Session>> = HashMap::with_capacity(open.len());
        for session in open {
            let named = by_name.entry(fold_case(&session.username)).or_default();
            named.push(session);
        }
        Index(by_name)
    }

    /// The session of that name with that id; where the API says no id, the one with that address or MAC address.
    fn find(&self, reading: &Reading) -> Option<&'a Session> {
        let named = self.0.get(&fold_case(&reading.username))?;
        let id = session_id(&reading.acct_session_id);
        let mut named = named.iter().rev().copied();
        if !id.is_empty() {
            return named.find(|s| session_id(&s.acct_session_id_text()) == id);
        }
        named.find(|s| {
            let same_address = reading.address.is_some() && s.place.address == reading.address;
            let same_mac = reading.mac.is_some() && s.place.mac == reading.mac;
            same_address || same_mac
        })
    }
}

/// As accounting says it: the API puts `0x` in front and writes capitals (mikrotik.md section a).
fn session_id(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    text.strip_prefix("0x").unwrap_or(&text).to_owned()
}

#[cfg(test)]
#[path = "api_usage_tests.rs"]
mod tests;
