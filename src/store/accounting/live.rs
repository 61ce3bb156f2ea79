//! The sessions that matter now, in memory: open ones, and ended ones that no fold has written yet.
//!
//! One owner changes this, one entry at a time in the order of the journal; everybody may read. Applying the same
//! entries to the same tables gives the same state, which is what makes the journal enough after a crash.

mod reading;

use std::cmp::Reverse;
use std::collections::HashMap;

use super::entry::Entry;
use super::kept::KeptSums;
use super::keys::{Key, Recent};
use super::open::{Listing, Open};
use super::unfolded::Unfolded;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::octets::{Traffic, Usage};
use crate::domain::rate::RateLimit;
use crate::domain::rating::{self, Applied};
use crate::domain::session::{Cause, Reading, Record, RecordKind, Session};
use crate::domain::time::{Calendar, Day, Timestamp};

/// Where ended sessions, and usage that was folded, are read from: tables as of one fold.
pub trait Archive {
    /// The sequence of that fold.
    fn folded(&self) -> u64;

    fn usage_of_day(&self, day: Day, subscriber: SubscriberId) -> Usage;

    fn closed(&self, id: SessionId) -> Option<Session>;

    /// The newest ended sessions of a subscriber, newest first.
    fn closed_of(&self, subscriber: SubscriberId, limit: usize) -> Vec<Session>;
}

/// Sessions under one key that a record is compared with, newest first. A router that gives every session the same id
/// must not make each record slower than the one before.
const MOST_UNDER_KEY: usize = 8;
/// Ended sessions of a subscriber that are searched for one which memory has forgotten.
const MOST_SEARCHED: usize = 32;

#[derive(Debug)]
struct Slot {
    session: Session,
    /// Changed since the last fold captured it.
    dirty: bool,
}

pub struct Live {
    calendar: Calendar,
    /// Boxed, since a table is up to half empty.
    slots: HashMap<SessionId, Box<Slot>>,
    /// Sessions in `slots` under one key, oldest first. Nearly always one.
    by_key: HashMap<Key, Vec<SessionId>>,
    open: Open,
    usage: Unfolded,
    recent: Recent,
    /// What a fold under way has taken, and the sequence that the tables hold once it is done.
    folding: Option<(u64, Unfolded)>,
    /// What routers' own counters say of open sessions beyond their last record: never booked, gone with the next record.
    provisional: HashMap<SessionId, Vec<(Day, Usage)>>,
    /// The sequence of the last entry applied.
    applied: u64,
    /// The sequence of the last fold that has ended.
    folded: u64,
    /// Of the tables, not of what is here; they follow the folds.
    kept: KeptSums,
}

/// What a fold writes: the state as of `sequence`.
#[derive(Debug, Clone)]
pub struct Captured {
    pub sequence: u64,
    /// In the order of their ids.
    pub sessions: Vec<Session>,
    /// In the order of their keys.
    pub usage: Vec<((Day, SubscriberId), Usage)>,
}

impl Live {
    /// The state as the tables hold it: `open` as of the fold of `sequence`, and the newest ended sessions.
    pub(super) fn new(
        calendar: Calendar,
        sequence: u64,
        open: Vec<Session>,
        recent: Recent,
    ) -> Live {
        let mut live = Live {
            calendar,
            slots: HashMap::with_capacity(open.len()),
            by_key: HashMap::with_capacity(open.len()),
            open: Open::default(),
            usage: Unfolded::default(),
            recent,
            folding: None,
            provisional: HashMap::new(),
            applied: sequence,
            folded: sequence,
            kept: KeptSums::default(),
        };
        for session in open {
            live.insert(session, false);
        }
        live
    }

    pub fn set_calendar(&mut self, calendar: Calendar) {
        self.calendar = calendar;
    }

    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Whether an entry speaks of what is in memory already, so that it needs no new room.
    pub fn knows(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Record(record) => {
                matches!(record.kind, RecordKind::On | RecordKind::Off)
                    || self.by_key.contains_key(&Key::of_record(record))
            }
            Entry::GiveUp { .. } | Entry::Told { .. } | Entry::Discount { .. } => true,
        }
    }

    /// Applies one journal entry.
    pub fn apply(&mut self, sequence: u64, entry: &Entry, archive: &dyn Archive) {
        self.applied = sequence;
        match entry {
            Entry::Record(record) => match record.kind {
                RecordKind::On => self.close_all_of(record.nas, record.event_at, Cause::NasReboot),
                RecordKind::Off => self.close_all_of(record.nas, record.event_at, Cause::NasOff),
                _ => self.apply_record(sequence, record, archive),
            },
            Entry::GiveUp { session, at } => self.give_up(*session, *at),
            Entry::Told { session, limit } => self.tell(*session, *limit),
            Entry::Discount {
                session,
                octets,
                at,
            } => self.discount(*session, *octets, *at, archive),
        }
    }

    fn apply_record(&mut self, sequence: u64, record: &Record, archive: &dyn Archive) {
        let key = Key::of_record(record);
        if let Some(id) = self.find(&key, record, archive)
            && self.apply_to(id, record)
        {
            return;
        }
        if record.kind == RecordKind::Start {
            self.close_same_line(record);
        }
        let (session, booked) = rating::open(SessionId(sequence), record, &self.calendar);
        self.book(session.subscriber, booked);
        self.insert(session, true);
    }

    /// The session that a record speaks of: the newest of the same login, else the newest whose login is not known. A
    /// record without `Class` speaks of the newest.
    fn find(&mut self, key: &Key, record: &Record, archive: &dyn Archive) -> Option<SessionId> {
        let in_memory = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        let mut ids: Vec<SessionId> = in_memory
            .iter()
            .rev()
            .take(MOST_UNDER_KEY)
            .copied()
            .collect();
        ids.extend(self.recent.under(key).take(MOST_UNDER_KEY));
        ids.sort_unstable_by_key(|id| Reverse(*id));
        ids.dedup();
        let mut of_no_login = None;
        for id in ids.into_iter().take(MOST_UNDER_KEY) {
            let (login, archived) = match self.slots.get(&id) {
                Some(slot) => (slot.session.login, None),
                None => match archive.closed(id).filter(|s| Key::of_session(s) == *key) {
                    Some(session) => (session.login, Some(session)),
                    None => continue,
                },
            };
            if record.login.is_none() || login == record.login {
                return Some(self.hold(id, archived));
            }
            if login.is_none() && of_no_login.is_none() {
                of_no_login = Some((id, archived));
            }
        }
        match of_no_login {
            Some((id, archived)) => Some(self.hold(id, archived)),
            None => self.search(key, record, archive),
        }
    }

    /// Looks among the ended sessions of the subscriber for one that left memory long ago, such as that of a Stop which
    /// the router sends again after a restart of ours. A Start opens a session, so it is not worth the search.
    fn search(&mut self, key: &Key, record: &Record, archive: &dyn Archive) -> Option<SessionId> {
        let subscriber = record
            .subscriber
            .filter(|_| record.kind != RecordKind::Start)?;
        // What is in memory was looked at, and is newer than what the tables say of it.
        let fits = |s: &Session| !self.slots.contains_key(&s.id) && Key::of_session(s) == *key;
        let is_of_login =
            |s: &Session| record.login.is_none() || s.login.is_none() || s.login == record.login;
        let ended = archive.closed_of(subscriber, MOST_SEARCHED);
        let session = ended.into_iter().find(|s| fits(s) && is_of_login(s))?;
        Some(self.hold(session.id, Some(session)))
    }

    /// Brings an ended session back into memory.
    fn hold(&mut self, id: SessionId, archived: Option<Session>) -> SessionId {
        if let Some(session) = archived {
            self.insert(session, false);
        }
        id
    }

    /// Applies a record to a session in memory. False when the record belongs to a new one.
    fn apply_to(&mut self, id: SessionId, record: &Record) -> bool {
        let Some(slot) = self.slots.get_mut(&id) else {
            return false;
        };
        let was = Listing::of(&slot.session);
        match rating::apply(&mut slot.session, record, &self.calendar) {
            Applied::Nothing => true,
            Applied::Other => false,
            Applied::Changed { booked } => {
                slot.dirty = true;
                self.provisional.remove(&id);
                let is = Listing::of(&slot.session);
                let subscriber = slot.session.subscriber;
                self.book(subscriber, booked);
                if was != is {
                    self.open.unlist(id, was);
                    self.open.list(id, is);
                }
                true
            }
        }
    }

    /// A Start on the same port or from the same MAC address of a NAS: the Stop of the earlier session was lost.
    fn close_same_line(&mut self, record: &Record) {
        let Some(subscriber) = record.subscriber else {
            return;
        };
        let place = &record.place;
        let earlier: Vec<SessionId> = self
            .open_of(subscriber)
            .filter(|s| s.nas == record.nas)
            // A Start that comes late says nothing about sessions that began after it.
            .filter(|s| s.started_at <= rating::began_at(record))
            .filter(|s| {
                let same_port = place.nas_port.is_some() && s.place.nas_port == place.nas_port;
                let same_mac = place.mac.is_some() && s.place.mac == place.mac;
                same_port || same_mac
            })
            .map(|s| s.id)
            .collect();
        for id in earlier {
            let at = self.slots.get(&id).map(|slot| slot.session.updated_at);
            if let Some(at) = at {
                self.close(id, at, Cause::Lost);
            }
        }
    }

    fn close_all_of(&mut self, nas: NasId, event_at: Timestamp, cause: Cause) {
        let ids: Vec<SessionId> = self
            .open_sessions()
            .filter(|s| s.nas == nas && s.started_at < event_at)
            .map(|s| s.id)
            .collect();
        for id in ids {
            self.close(id, event_at, cause);
        }
    }

    /// `at` is the last word of the session that was known when it was given up. It has spoken since: it lives.
    fn give_up(&mut self, id: SessionId, at: Timestamp) {
        if self.session(id).is_some_and(|s| s.updated_at <= at) {
            self.close(id, at, Cause::Lost);
        }
    }

    fn tell(&mut self, id: SessionId, limit: RateLimit) {
        let slot = self.slots.get_mut(&id);
        // One that has ended meanwhile is told nothing any more.
        if let Some(slot) = slot.filter(|slot| slot.session.stopped.is_none()) {
            slot.session.told = Some(limit);
            slot.dirty = true;
        }
    }

    /// Never more than is left to count of the session and of the day, so that both stay sums of what was used.
    fn discount(&mut self, id: SessionId, octets: Traffic, at: Timestamp, archive: &dyn Archive) {
        if !self.slots.contains_key(&id) {
            self.hold(id, archive.closed(id));
        }
        let session = self.session(id);
        let Some((subscriber, left)) =
            session.and_then(|s| Some((s.subscriber?, s.usage().counted())))
        else {
            return;
        };
        let day = self.calendar.day(at);
        let of_day = archive.usage_of_day(day, subscriber)
            + self.usage_beyond(archive.folded(), day, subscriber);
        let free = octets.lowest(left).lowest(of_day.counted());
        let raw = Traffic::ZERO;
        if free == Traffic::ZERO {
            return;
        }
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.session.free += free;
            slot.dirty = true;
            self.usage.add(subscriber, day, Usage { raw, free });
        }
    }

    fn close(&mut self, id: SessionId, at: Timestamp, cause: Cause) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if slot.session.stopped.is_some() {
            return;
        }
        let was = Listing::of(&slot.session);
        rating::close(&mut slot.session, at, cause);
        slot.dirty = true;
        self.provisional.remove(&id);
        self.open.unlist(id, was);
    }

    fn book(&mut self, subscriber: Option<SubscriberId>, booked: Vec<(Day, Usage)>) {
        let Some(subscriber) = subscriber else { return };
        for (day, usage) in booked {
            self.usage.add(subscriber, day, usage);
        }
    }

    fn insert(&mut self, session: Session, dirty: bool) {
        let (id, listing) = (session.id, Listing::of(&session));
        let ids = self.by_key.entry(Key::of_session(&session)).or_default();
        ids.insert(ids.partition_point(|other| *other < id), id);
        self.slots.insert(id, Box::new(Slot { session, dirty }));
        self.open.list(id, listing);
    }

    /// Takes what a router's own counters say of an open session, in place of what they said before.
    pub fn read_by_api(&mut self, reading: &Reading) {
        let session = self.slots.get(&reading.session).map(|slot| &slot.session);
        let beyond = session.map_or_else(Vec::new, |session| {
            rating::beyond_the_last_record(session, reading, &self.calendar)
        });
        if beyond.is_empty() {
            self.provisional.remove(&reading.session);
        } else {
            self.provisional.insert(reading.session, beyond);
        }
    }

    // Folding.

    /// Takes what the tables do not hold yet. Nothing changes for readers until [`Live::folded`]; only then may the next
    /// capture be made.
    pub fn capture(&mut self) -> Captured {
        let mut sessions = Vec::new();
        for slot in self.slots.values_mut().filter(|slot| slot.dirty) {
            slot.dirty = false;
            sessions.push(slot.session.clone());
        }
        sessions.sort_by_key(|s| s.id);
        let usage = std::mem::take(&mut self.usage);
        let in_order = usage.in_order();
        self.folding = Some((self.applied, usage));
        Captured {
            sequence: self.applied,
            sessions,
            usage: in_order,
        }
    }

    /// The capture is in the tables: ended sessions that did not change since leave memory.
    pub fn folded(&mut self) {
        if let Some((sequence, usage)) = self.folding.take() {
            self.kept.folded(sequence, &usage);
            self.folded = sequence;
        }
        let ended: Vec<SessionId> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.session.stopped.is_some() && !slot.dirty)
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: SessionId) {
        let Some(slot) = self.slots.remove(&id) else {
            return;
        };
        let key = Key::of_session(&slot.session);
        self.recent.add(&key, id);
        if let Some(ids) = self.by_key.get_mut(&key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }
}
