//! The sessions that matter now, in memory: open ones, and ended ones that no fold has written yet.
//!
//! One owner changes this, one entry at a time in the order of the journal; everybody may read. Applying the same
//! entries to the same tables gives the same state, which is what makes the journal enough after a crash.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::entry::Entry;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::octets::Traffic;
use crate::domain::rating::{self, Applied};
use crate::domain::session::{Cause, Record, RecordKind, Session};
use crate::domain::text::fold_case;
use crate::domain::time::{Calendar, Day, Timestamp};

/// Open sessions kept at most; what comes beyond is not answered. Far above what one machine serves.
pub const MOST_SESSIONS: usize = 400_000;
/// Keys of sessions that ended and were folded, kept so that a late record finds its session again.
const MOST_RECENT: usize = 65_536;

/// Usage that no fold has written yet.
pub type Usage = HashMap<(Day, SubscriberId), Traffic>;

/// What names a session: NAS, Acct-Session-Id and User-Name without case (rules.md section 2). Sessions of different
/// logins under one key are told apart by `Class`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    nas: NasId,
    acct_session_id: Vec<u8>,
    username: String,
}

impl Key {
    fn of_record(record: &Record) -> Key {
        Key {
            nas: record.nas,
            acct_session_id: record.acct_session_id.clone(),
            username: fold_case(&record.username),
        }
    }

    fn of_session(session: &Session) -> Key {
        Key {
            nas: session.nas,
            acct_session_id: session.acct_session_id.clone(),
            username: fold_case(&session.username),
        }
    }

    /// Sixty-four bits that stand for the key where only a hint is needed.
    fn hint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// Ended sessions in the tables, newest first out.
#[derive(Debug, Default)]
struct Recent {
    by_hint: HashMap<u64, SessionId>,
    order: VecDeque<u64>,
}

impl Recent {
    fn add(&mut self, hint: u64, id: SessionId) {
        if self.by_hint.insert(hint, id).is_none() {
            self.order.push_back(hint);
        }
        while self.order.len() > MOST_RECENT {
            if let Some(oldest) = self.order.pop_front() {
                self.by_hint.remove(&oldest);
            }
        }
    }
}

/// Where ended sessions are read from.
pub trait Archive {
    fn closed(&self, id: SessionId) -> Option<Session>;
}

#[derive(Debug)]
struct Slot {
    session: Session,
    /// Changed since the last fold captured it.
    dirty: bool,
}

#[derive(Debug)]
pub struct Live {
    calendar: Calendar,
    slots: HashMap<SessionId, Slot>,
    /// Sessions in `slots` under one key, oldest first. Nearly always one.
    by_key: HashMap<Key, Vec<SessionId>>,
    /// Open sessions of a subscriber, oldest first.
    by_subscriber: HashMap<SubscriberId, Vec<SessionId>>,
    open: usize,
    usage: Usage,
    recent: Recent,
    /// What a fold under way has taken, and the sequence that the tables hold once it is done.
    folding: Option<(u64, Usage)>,
    /// The sequence of the last entry applied.
    applied: u64,
}

/// What a fold writes: the state as of `sequence`.
#[derive(Debug, Clone)]
pub struct Captured {
    pub sequence: u64,
    /// In the order of their ids.
    pub sessions: Vec<Session>,
    /// In the order of their keys.
    pub usage: Vec<((Day, SubscriberId), Traffic)>,
}

impl Live {
    /// The state as the tables hold it: `open` as of the fold of `sequence`, and the newest ended sessions, newest first.
    pub fn new(calendar: Calendar, sequence: u64, open: Vec<Session>, ended: &[Session]) -> Live {
        let mut live = Live {
            calendar,
            slots: HashMap::with_capacity(open.len()),
            by_key: HashMap::with_capacity(open.len()),
            by_subscriber: HashMap::with_capacity(open.len()),
            open: 0,
            usage: Usage::new(),
            recent: Recent::default(),
            folding: None,
            applied: sequence,
        };
        for session in ended.iter().rev() {
            live.recent.add(Key::of_session(session).hint(), session.id);
        }
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

    pub fn is_full(&self) -> bool {
        self.slots.len() >= MOST_SESSIONS
    }

    /// Whether an entry speaks of what is in memory already, so that it needs no new room.
    pub fn knows(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Record(record) => {
                matches!(record.kind, RecordKind::On | RecordKind::Off)
                    || self.by_key.contains_key(&Key::of_record(record))
            }
            Entry::GiveUp { .. } => true,
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
            Entry::GiveUp { session, at } => self.close(*session, *at, Cause::Lost),
        }
    }

    fn apply_record(&mut self, sequence: u64, record: &Record, archive: &dyn Archive) {
        let key = Key::of_record(record);
        let found = self
            .find(&key, record)
            .or_else(|| self.recall(&key, record, archive));
        if let Some(id) = found
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

    /// The session in memory that a record speaks of.
    fn find(&self, key: &Key, record: &Record) -> Option<SessionId> {
        let ids = self.by_key.get(key)?;
        let login = |id: &SessionId| self.slots.get(id).and_then(|slot| slot.session.login);
        match record.login {
            None => ids.last().copied(),
            Some(_) => {
                let same = ids.iter().rev().find(|id| login(id) == record.login);
                same.or_else(|| ids.iter().rev().find(|id| login(id).is_none()))
                    .copied()
            }
        }
    }

    /// Brings an ended session back into memory, if a late record speaks of it.
    fn recall(&mut self, key: &Key, record: &Record, archive: &dyn Archive) -> Option<SessionId> {
        let id = *self.recent.by_hint.get(&key.hint())?;
        let session = archive.closed(id)?;
        let is_other_login =
            session.login.is_some() && record.login.is_some() && session.login != record.login;
        if is_other_login || Key::of_session(&session) != *key {
            return None;
        }
        self.insert(session, false);
        Some(id)
    }

    /// Applies a record to a session in memory. False when the record belongs to a new one.
    fn apply_to(&mut self, id: SessionId, record: &Record) -> bool {
        let Some(slot) = self.slots.get_mut(&id) else {
            return false;
        };
        let was_open = slot.session.stopped.is_none();
        let subscriber_was = slot.session.subscriber;
        match rating::apply(&mut slot.session, record, &self.calendar) {
            Applied::Nothing => true,
            Applied::Other => false,
            Applied::Changed { booked } => {
                slot.dirty = true;
                let is_open = slot.session.stopped.is_none();
                let subscriber = slot.session.subscriber;
                self.book(subscriber, booked);
                if (was_open, subscriber_was) != (is_open, subscriber) {
                    self.unlist(id, was_open, subscriber_was);
                    self.list(id, is_open, subscriber);
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

    fn close(&mut self, id: SessionId, at: Timestamp, cause: Cause) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if slot.session.stopped.is_some() {
            return;
        }
        rating::close(&mut slot.session, at, cause);
        slot.dirty = true;
        let subscriber = slot.session.subscriber;
        self.unlist(id, true, subscriber);
    }

    fn book(&mut self, subscriber: Option<SubscriberId>, booked: Vec<(Day, Traffic)>) {
        let Some(subscriber) = subscriber else { return };
        for (day, traffic) in booked {
            *self.usage.entry((day, subscriber)).or_default() += traffic;
        }
    }

    fn insert(&mut self, session: Session, dirty: bool) {
        let (id, subscriber, is_open) = (session.id, session.subscriber, session.stopped.is_none());
        self.by_key
            .entry(Key::of_session(&session))
            .or_default()
            .push(id);
        self.slots.insert(id, Slot { session, dirty });
        self.list(id, is_open, subscriber);
    }

    fn list(&mut self, id: SessionId, is_open: bool, subscriber: Option<SubscriberId>) {
        if !is_open {
            return;
        }
        self.open += 1;
        if let Some(subscriber) = subscriber {
            let ids = self.by_subscriber.entry(subscriber).or_default();
            let place = ids.partition_point(|other| *other < id);
            ids.insert(place, id);
        }
    }

    fn unlist(&mut self, id: SessionId, was_open: bool, subscriber: Option<SubscriberId>) {
        if !was_open {
            return;
        }
        self.open = self.open.saturating_sub(1);
        if let Some(subscriber) = subscriber
            && let Some(ids) = self.by_subscriber.get_mut(&subscriber)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_subscriber.remove(&subscriber);
            }
        }
    }

    // Folding.

    /// Takes what the tables do not hold yet. Nothing changes for readers until [`Live::folded`] or [`Live::unfolded`].
    pub fn capture(&mut self) -> Captured {
        let mut sessions = Vec::new();
        for slot in self.slots.values_mut().filter(|slot| slot.dirty) {
            slot.dirty = false;
            sessions.push(slot.session.clone());
        }
        sessions.sort_by_key(|s| s.id);
        let usage = std::mem::take(&mut self.usage);
        let mut in_order: Vec<_> = usage
            .iter()
            .map(|(key, traffic)| (*key, *traffic))
            .collect();
        in_order.sort_by_key(|(key, _)| *key);
        self.folding = Some((self.applied, usage));
        Captured {
            sequence: self.applied,
            sessions,
            usage: in_order,
        }
    }

    /// The capture is in the tables: ended sessions that did not change since leave memory.
    pub fn folded(&mut self) {
        self.folding = None;
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
        self.recent.add(key.hint(), id);
        if let Some(ids) = self.by_key.get_mut(&key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// The fold failed: what was captured waits for the next one.
    pub fn unfolded(&mut self, captured: &Captured) {
        let (_, usage) = self.folding.take().unwrap_or_default();
        for (key, traffic) in usage {
            *self.usage.entry(key).or_default() += traffic;
        }
        for session in &captured.sessions {
            if let Some(slot) = self.slots.get_mut(&session.id) {
                slot.dirty = true;
            }
        }
    }

    // Reading.

    pub fn open_count(&self) -> usize {
        self.open
    }

    /// Sessions that the next fold will write.
    pub fn in_memory(&self) -> usize {
        self.slots.len()
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.slots.get(&id).map(|slot| &slot.session)
    }

    pub fn open_sessions(&self) -> impl Iterator<Item = &Session> {
        self.slots
            .values()
            .map(|slot| &slot.session)
            .filter(|s| s.stopped.is_none())
    }

    /// Ended sessions that are not in the tables yet, or differ from what is.
    pub fn ended_sessions(&self) -> impl Iterator<Item = &Session> {
        self.slots
            .values()
            .map(|slot| &slot.session)
            .filter(|s| s.stopped.is_some())
    }

    pub fn open_of(&self, subscriber: SubscriberId) -> impl Iterator<Item = &Session> {
        let ids = self
            .by_subscriber
            .get(&subscriber)
            .map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.session(*id))
    }

    /// Subscribers with an open session.
    pub fn online(&self) -> HashSet<SubscriberId> {
        self.by_subscriber.keys().copied().collect()
    }

    pub fn is_online(&self, subscriber: SubscriberId) -> bool {
        self.by_subscriber.contains_key(&subscriber)
    }

    /// Usage of a day beyond what tables folded up to `folded` hold.
    pub fn usage_beyond(&self, folded: u64, day: Day, subscriber: SubscriberId) -> Traffic {
        let waiting = self
            .usage
            .get(&(day, subscriber))
            .copied()
            .unwrap_or_default();
        match &self.folding {
            Some((sequence, usage)) if *sequence > folded => {
                waiting + usage.get(&(day, subscriber)).copied().unwrap_or_default()
            }
            _ => waiting,
        }
    }

    /// All usage of a subscriber beyond what tables folded up to `folded` hold, by day.
    pub fn usage_days_beyond(&self, folded: u64, subscriber: SubscriberId) -> Vec<(Day, Traffic)> {
        let mut days: Vec<Day> = self
            .usage
            .keys()
            .filter(|(_, s)| *s == subscriber)
            .map(|(day, _)| *day)
            .collect();
        if let Some((_, usage)) = &self.folding {
            days.extend(
                usage
                    .keys()
                    .filter(|(_, s)| *s == subscriber)
                    .map(|(day, _)| *day),
            );
        }
        days.sort_unstable();
        days.dedup();
        days.into_iter()
            .map(|day| (day, self.usage_beyond(folded, day, subscriber)))
            .collect()
    }

    /// Usage that the tables do not hold, while no fold is under way.
    pub fn unfolded_usage(&self) -> impl Iterator<Item = ((Day, SubscriberId), Traffic)> + '_ {
        self.usage.iter().map(|(key, traffic)| (*key, *traffic))
    }
}
