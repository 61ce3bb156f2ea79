//! Usage from one accounting record: what a record does to its session (rules.md section 2).
//!
//! Totals are 64-bit: `Acct-*-Gigawords * 2^32 + Acct-*-Octets` (RFC 2869 sections 5.1, 5.2). The highest totals seen
//! are kept; only what exceeds them is booked, so that late, repeated and reordered records book nothing, and
//! applying a record again changes nothing. How octets fall to days and free hours is in `spread`.

mod spread;

use super::id::SessionId;
use super::octets::{Traffic, Usage};
use super::session::{Cause, Reading, Record, RecordKind, Session, Stopped};
use super::time::{Calendar, Day, SECOND, Timestamp};
use spread::spread;

/// What applying a record did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Late, repeated or out of order: acknowledged, nothing booked.
    Nothing,
    /// The session changed; `booked` is to be added to the days of its subscriber, oldest first.
    Changed { booked: Vec<(Day, Usage)> },
    /// The record belongs to a new session under the same key: the old one is over.
    Other,
}

/// Acct-*-Octets without Gigawords fall by this much only when they wrapped (radius.md section 10).
const WRAP_FALL: u64 = 1 << 31;
const WRAP: u64 = 1 << 32;

/// The instant at which the session of this record began, by the record's own words.
pub fn began_at(record: &Record) -> Timestamp {
    match (record.kind, record.session_time) {
        (RecordKind::Start, None) | (_, None) => record.event_at,
        (_, Some(seconds)) => record.event_at.plus(-i64::from(seconds) * SECOND),
    }
}

/// Opens the session that `record` speaks of, and applies the record to it.
///
/// A session that began before this installation took the router over starts with a
/// baseline: what was counted before is not booked (a cut-over charges no history twice).
pub fn open(id: SessionId, record: &Record, calendar: &Calendar) -> (Session, Vec<(Day, Usage)>) {
    let began_at = began_at(record);
    let mut session = Session {
        id,
        nas: record.nas,
        acct_session_id: record.acct_session_id.clone(),
        username: record.username.clone(),
        subscriber: record.subscriber,
        login: record.login,
        started_at: began_at,
        updated_at: began_at,
        heard_at: record.received_at,
        session_time: 0,
        highest: Traffic::ZERO,
        booked: Traffic::ZERO,
        free: Traffic::ZERO,
        place: record.place.clone(),
        stopped: None,
        resumed: false,
        told: record.told,
    };
    if began_at < record.nas_since {
        session.highest = record.totals.unwrap_or_default();
    }
    let booked = advance(&mut session, record, calendar);
    finish(&mut session, record);
    (session, booked)
}

/// Applies `record` to the session it belongs to.
pub fn apply(session: &mut Session, record: &Record, calendar: &Calendar) -> Applied {
    if let Some(stopped) = session.stopped {
        return apply_after_stop(session, stopped, record, calendar);
    }
    if record.kind == RecordKind::Start {
        return repeated_start(session, record);
    }
    let before = session.clone();
    let booked = advance(session, record, calendar);
    finish(session, record);
    if *session == before {
        Applied::Nothing
    } else {
        Applied::Changed { booked }
    }
}

/// A second Start changes nothing but what it may tell of the place.
fn repeated_start(session: &mut Session, record: &Record) -> Applied {
    let before = session.clone();
    session.place.learn(&record.place);
    learn_speed(session, record);
    session.heard_at = record.received_at;
    if *session == before {
        Applied::Nothing
    } else {
        Applied::Changed { booked: Vec::new() }
    }
}

fn apply_after_stop(
    session: &mut Session,
    stopped: Stopped,
    record: &Record,
    calendar: &Calendar,
) -> Applied {
    // A record that does not say how long its session has lasted may be of the old one, unless its counters fell.
    let says_when = record.kind == RecordKind::Start || record.session_time.is_some();
    let has_fallen = record
        .totals
        .is_some_and(|totals| fell(totals, session.highest));
    let is_younger = began_at(record) > stopped.at && (says_when || has_fallen);
    if is_younger && record.event_at > stopped.at {
        // Routers use their session ids again; this one began after the old one had ended.
        return Applied::Other;
    }
    // Where the Stop was ours, the real one may come late and carry the last figures.
    let was_lost = stopped.cause == Cause::Lost;
    let went_on = match record.session_time {
        Some(seconds) => seconds > session.session_time,
        None => was_lost && record.event_at > session.updated_at,
    };
    let is_stop = matches!(record.kind, RecordKind::Stop { .. });
    if record.kind == RecordKind::Start || !(went_on || (was_lost && is_stop)) {
        return Applied::Nothing;
    }
    session.stopped = None;
    session.resumed = !is_stop;
    let booked = advance(session, record, calendar);
    finish(session, record);
    Applied::Changed { booked }
}

/// Takes over what the record knows and returns what it adds to the usage of each day.
fn advance(session: &mut Session, record: &Record, calendar: &Calendar) -> Vec<(Day, Usage)> {
    session.place.learn(&record.place);
    learn_speed(session, record);
    // Not the later of both: after our clock was ahead for a while, a session must still be able to fall silent.
    session.heard_at = record.received_at;
    let adopted = adopt(session, record, calendar);

    let since = session.updated_at;
    let mut booked = Traffic::ZERO;
    if let Some(totals) = record.totals {
        let time_fell = record
            .session_time
            .is_some_and(|seconds| seconds < session.session_time);
        let is_newer = record.event_at > session.updated_at;
        let totals = unwrapped(session, record, totals, time_fell);
        if time_fell && is_newer && fell(totals, session.highest) {
            // The router began to count again under the same id: a new segment, booked whole.
            booked = totals;
            session.highest = totals;
            session.session_time = record.session_time.unwrap_or(0);
        } else {
            booked = totals.beyond(session.highest);
            session.highest = session.highest.highest(totals);
        }
    }
    session.session_time = session.session_time.max(record.session_time.unwrap_or(0));
    session.updated_at = session.updated_at.max(record.event_at);
    session.booked += booked;

    let mut days = adopted;
    if booked != Traffic::ZERO && session.subscriber.is_some() {
        let windows = &record.free_windows;
        days.extend(spread(booked, since, record.event_at, windows, calendar));
    }
    for (_, usage) in &days {
        session.free += usage.free;
    }
    days
}

/// What the login was promised; what the router was told since is newer.
fn learn_speed(session: &mut Session, record: &Record) {
    session.told = session.told.or(record.told);
}

/// A session that began under an unknown name and whose subscriber exists by now: what it
/// used so far is booked to the subscriber too, so that sessions and days keep adding up.
fn adopt(session: &mut Session, record: &Record, calendar: &Calendar) -> Vec<(Day, Usage)> {
    if session.login.is_none() {
        session.login = record.login;
    }
    if session.subscriber.is_some() || record.subscriber.is_none() {
        return Vec::new();
    }
    session.subscriber = record.subscriber;
    if session.booked == Traffic::ZERO {
        return Vec::new();
    }
    spread(
        session.booked,
        session.started_at,
        session.updated_at,
        &record.free_windows,
        calendar,
    )
}

/// Undoes a wrap at 2^32 for routers that never send Gigawords: time went on, octets fell by more than half the range.
fn unwrapped(session: &Session, record: &Record, totals: Traffic, time_fell: bool) -> Traffic {
    if record.has_gigawords || time_fell || record.session_time.is_none() {
        return totals;
    }
    let unwrap = |now: u64, highest: u64| {
        let base = highest / WRAP * WRAP;
        let candidate = base.saturating_add(now);
        if candidate < highest && highest - candidate > WRAP_FALL {
            candidate.saturating_add(WRAP)
        } else {
            candidate.max(now)
        }
    };
    Traffic::new(
        unwrap(totals.upload, session.highest.upload),
        unwrap(totals.download, session.highest.download),
    )
}

fn fell(totals: Traffic, highest: Traffic) -> bool {
    totals.upload < highest.upload || totals.download < highest.download
}

fn finish(session: &mut Session, record: &Record) {
    if let RecordKind::Stop { cause } = record.kind {
        session.stopped = Some(Stopped {
            at: session.updated_at,
            cause: Cause::Radius(cause),
        });
    }
}

/// What a reading of the router's own counters has beyond the last record of an open session, by day: nothing where the
/// reading is older than the record, or the router began to count again. It is never booked.
pub fn beyond_the_last_record(
    session: &Session,
    reading: &Reading,
    calendar: &Calendar,
) -> Vec<(Day, Usage)> {
    let is_older = reading.at <= session.heard_at || reading.uptime < session.session_time;
    let is_counted = session.stopped.is_none() && session.subscriber.is_some();
    let beyond = reading.totals.beyond(session.highest);
    if is_older || !is_counted || beyond == Traffic::ZERO {
        return Vec::new();
    }
    let windows = &reading.free_windows;
    spread(beyond, session.updated_at, reading.at, windows, calendar)
}

/// Closes a session whose Stop never came.
pub fn close(session: &mut Session, at: Timestamp, cause: Cause) {
    session.stopped = Some(Stopped { at, cause });
}

#[cfg(test)]
#[path = "rating_tests.rs"]
mod tests;
