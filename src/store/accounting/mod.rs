//! Durable accounting: one owner applies records in order, after they are in the journal, and folds the result into the
//! tables every few minutes.
//!
//! Invariants: an acknowledgement leaves only after its record is on disk; memory holds nothing that the journal or the
//! tables do not; the tables are as of one journal sequence, which they name.

mod entry;
mod kept;
mod keys;
mod live;
mod open;
mod owner;
mod picture;
#[cfg(test)]
mod tests;
mod unfolded;

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::journal::{Journal, JournalError, Replayed};
use super::tables::COUNTERS;
use super::{Store, StoreError, Tx, View, ids, sessions, usage};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::octets::{Traffic, Usage};
use crate::domain::plan::Plan;
use crate::domain::quota::{Counting, Used};
use crate::domain::rate::RateLimit;
use crate::domain::session::{Reading, Record, Session};
use crate::domain::time::{Calendar, Day, Timestamp};

pub use entry::Entry;
use keys::Recent;
use live::Archive;
pub use live::Live;
use owner::Owner;
pub use picture::Picture;

/// Called once the record is on disk and applied. Dropped uncalled when it is not: then nobody is answered, and the
/// router sends it again (RFC 2866 section 4.1).
pub type Acknowledge = Box<dyn FnOnce() + Send>;

/// How commits are paced and folds are timed.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So many records are committed at once when they wait, whatever the spacing.
    pub group: usize,
    /// The least time between commits of fewer records: each commit writes 4.4 KB, so this bounds what a quiet night
    /// writes, and what the first record of a commit waits.
    pub spacing: Duration,
    pub fold_every: Duration,
    /// A fold is due after so many records, too, which bounds the replay after a crash.
    pub fold_after: u64,
    /// Sessions kept in memory at most; records of new ones beyond are not answered.
    pub most_sessions: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            group: 4,
            spacing: Duration::from_millis(35),
            fold_every: Duration::from_secs(300),
            fold_after: 200_000,
            most_sessions: MOST_SESSIONS,
        }
    }
}

/// Far above what one machine serves; about 200 MB.
pub const MOST_SESSIONS: usize = 400_000;
/// Records that wait for the owner; what comes beyond is not answered and comes again.
const QUEUE: usize = 16_384;
/// Readings that are taken under one lock, some 500 µs, for which records wait.
const READINGS_AT_ONCE: usize = 256;
/// Ended sessions that are looked at on start, so that late records find theirs.
const RECENT: usize = 20_000;

#[derive(Debug, thiserror::Error)]
pub enum AccountingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(
        "record {sequence} of the accounting journal cannot be read: {what}. Restore a backup, or install the version that wrote it"
    )]
    Unreadable { sequence: u64, what: String },
    #[error("the accounting thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// How accounting fares.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Records made durable since the start, and the commits that carried them.
    pub records: u64,
    pub commits: u64,
    pub folds: u64,
    /// When the last of these ended.
    pub folded_at: Option<Instant>,
    /// Why records are not made durable now.
    pub failing: Option<String>,
    pub disk_full: bool,
}

/// What is on its way to the journal, and who is told then.
struct Letter {
    entry: Entry,
    acknowledge: Acknowledge,
}

/// It moves from the queue to the group as it is.
type Waiting = Box<Letter>;

/// Small, because the queue has its room from the start.
enum Message {
    Entry(Waiting),
    /// Fold now; the sender is told when the tables hold everything applied so far.
    Fold(SyncSender<bool>),
    Folded(bool),
    Stop,
}

struct Shared {
    live: RwLock<Live>,
    health: Mutex<Health>,
}

impl Shared {
    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on accounting; clones share it.
#[derive(Clone)]
pub struct Accounting {
    shared: Arc<Shared>,
    store: Store,
    queue: SyncSender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Archive for View {
    fn folded(&self) -> u64 {
        folded(self).unwrap_or_else(|error| {
            tracing::error!(%error, "the sequence of the last fold cannot be read");
            0
        })
    }

    fn usage_of_day(&self, day: Day, subscriber: SubscriberId) -> Usage {
        usage::of_day(self, day, subscriber).unwrap_or_else(|error| {
            tracing::error!(%error, subscriber = subscriber.0, "the usage of a day cannot be read");
            Usage::ZERO
        })
    }

    fn closed(&self, id: SessionId) -> Option<Session> {
        sessions::closed(self, id).unwrap_or_else(|error| {
            tracing::error!(%error, session = id.0, "an ended session cannot be read");
            None
        })
    }

    fn closed_of(&self, subscriber: SubscriberId, limit: usize) -> Vec<Session> {
        sessions::closed_of(self, subscriber, limit).unwrap_or_else(|error| {
            tracing::error!(%error, subscriber = subscriber.0, "ended sessions cannot be read");
            Vec::new()
        })
    }
}

/// What a start begins with.
struct Recovered {
    live: Live,
    journal: Journal,
    replayed: Replayed,
    /// The sequence that the tables were folded up to.
    folded: u64,
}

/// Opens the journal from a sequence on and hands every record over.
type OpenJournal<'a> =
    &'a dyn Fn(u64, &mut dyn FnMut(u64, &[u8])) -> Result<(Journal, Replayed), JournalError>;

/// Brings memory to where the journal ends: the tables, then every record that they do not hold.
fn recover(
    store: &Store,
    calendar: Calendar,
    open_journal: OpenJournal<'_>,
) -> Result<Recovered, AccountingError> {
    let view = store.view()?;
    let folded = ids::current(&view, ids::FOLDED)?;
    let open = sessions::open_at_fold(&view)?;
    let mut ended = Vec::new();
    sessions::each_closed_before(&view, SessionId(u64::MAX), RECENT, |session| {
        ended.push(Recent::entry(&session));
        ControlFlow::Continue(())
    })?;
    let recent = Recent::of_newest_first(&ended);
    let mut live = Live::new(calendar, folded, open, recent);
    let mut unreadable = None;
    let (journal, replayed) =
        open_journal(
            folded.saturating_add(1),
            &mut |sequence, octets| match Entry::decode(octets) {
                Ok(entry) if unreadable.is_none() => live.apply(sequence, &entry, &view),
                Ok(_) => {}
                Err(why) => {
                    unreadable.get_or_insert(AccountingError::Unreadable {
                        sequence,
                        what: format!("{why:?}"),
                    });
                }
            },
        )?;
    match unreadable {
        Some(error) => Err(error),
        None => Ok(Recovered {
            live,
            journal,
            replayed,
            folded,
        }),
    }
}

impl Accounting {
    /// Recovers from tables and journal, and starts the owner.
    pub fn open(
        store: &Store,
        calendar: Calendar,
        pace: Pace,
    ) -> Result<Accounting, AccountingError> {
        Self::open_on(store, calendar, pace, &|needed_from, apply| {
            Journal::open(store.folder(), needed_from, apply)
        })
    }

    /// With a journal on a disk of memory that fails on demand.
    #[cfg(test)]
    pub(crate) fn in_memory(
        store: &Store,
        calendar: Calendar,
        pace: Pace,
        memory: &super::journal::memory::Memory,
    ) -> Result<Accounting, AccountingError> {
        Self::open_on(store, calendar, pace, &|needed_from, apply| {
            Journal::open_in_memory(memory, needed_from, apply)
        })
    }

    fn open_on(
        store: &Store,
        calendar: Calendar,
        pace: Pace,
        open_journal: OpenJournal<'_>,
    ) -> Result<Accounting, AccountingError> {
        let recovered = recover(store, calendar, open_journal)?;
        let Replayed {
            records,
            torn_octets,
            ..
        } = recovered.replayed;
        if records > 0 || torn_octets > 0 {
            tracing::info!(records, torn_octets, "the accounting journal was replayed");
        }
        let (queue, messages): (_, Receiver<Message>) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            live: RwLock::new(recovered.live),
            health: Mutex::new(Health::default()),
        });
        let owner = Owner::new(
            Arc::clone(&shared),
            store.clone(),
            recovered.journal,
            recovered.folded,
            pace,
            queue.clone(),
        );
        let thread = std::thread::Builder::new()
            .name("accounting".to_owned())
            .spawn(move || owner.run(&messages))
            .map_err(AccountingError::Thread)?;
        Ok(Accounting {
            shared,
            store: store.clone(),
            queue,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Hands a record to the owner. When the queue is full the acknowledgement is dropped.
    pub fn record(&self, record: Record, acknowledge: Acknowledge) {
        self.send(Entry::Record(record), acknowledge);
    }

    /// Closes a session that was silent for too long.
    pub fn give_up(&self, session: SessionId, at: Timestamp) {
        self.send(Entry::GiveUp { session, at }, Box::new(|| {}));
    }

    /// Takes note of the speed that a router has confirmed for a session. Durable with the next group, of which `noted` is
    /// told; what is lost with a full queue is told to the router again.
    pub fn tell(&self, session: SessionId, limit: RateLimit, noted: Acknowledge) {
        self.send(Entry::Told { session, limit }, noted);
    }

    /// Octets of a session that shall not count, on the day that holds `at`; at most what is left to count of both, so that
    /// they are given after the record that carries them. Durable with the next group.
    pub fn discount(&self, session: SessionId, octets: Traffic, at: Timestamp) {
        let entry = Entry::Discount {
            session,
            octets,
            at,
        };
        self.send(entry, Box::new(|| {}));
    }

    /// Takes readings of a router's own counters: provisional, in memory only, each until the next record of its session.
    pub fn read_by_api(&self, readings: &[Reading]) {
        for some in readings.chunks(READINGS_AT_ONCE) {
            let live = self.shared.live.write();
            let mut live = live.unwrap_or_else(PoisonError::into_inner);
            for reading in some {
                live.read_by_api(reading);
            }
        }
    }

    fn send(&self, entry: Entry, acknowledge: Acknowledge) {
        let waiting = Box::new(Letter { entry, acknowledge });
        match self.queue.try_send(Message::Entry(waiting)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => tracing::debug!("the accounting queue is full"),
            Err(TrySendError::Disconnected(_)) => tracing::debug!("accounting has stopped"),
        }
    }

    /// Writes everything applied so far into the tables. Blocks; false when the tables could not be written.
    pub fn fold(&self) -> bool {
        let (done, answer) = sync_channel(1);
        self.queue.send(Message::Fold(done)).is_ok() && answer.recv().unwrap_or(false)
    }

    /// Commits what waits, folds, and ends the owner. Blocks until done.
    pub fn close(&self) {
        // An error means that the owner has ended already.
        let _ = self.queue.send(Message::Stop);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the accounting thread ended with a panic");
        }
    }

    /// Records that are applied and not yet in the tables.
    pub fn behind(&self) -> Result<u64, StoreError> {
        let picture = self.picture()?;
        Ok(picture.live.applied().saturating_sub(picture.folded))
    }

    pub fn health(&self) -> Health {
        self.shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn set_calendar(&self, calendar: Calendar) {
        self.shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .set_calendar(calendar);
    }

    /// The sessions in memory. Not to be held across anything slow: records wait meanwhile.
    pub fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.shared.live()
    }

    /// Octets that count against quota and tiers, with what routers' own counters say beyond accounting: only the sums that
    /// the plan asks for. From memory alone, but for who was not asked about today.
    pub fn used(
        &self,
        subscriber: SubscriberId,
        counting: &Counting,
        plan: &Plan,
    ) -> Result<Used, StoreError> {
        let live = self.shared.live();
        match live.used(subscriber, counting, plan) {
            Some(used) => Ok(used),
            None => self.picture_with(live)?.used(subscriber, counting, plan),
        }
    }

    /// A view of the tables and the sessions in memory that fit together.
    pub fn picture(&self) -> Result<Picture<'_>, StoreError> {
        self.picture_with(self.shared.live())
    }

    fn picture_with<'a>(&self, live: RwLockReadGuard<'a, Live>) -> Result<Picture<'a>, StoreError> {
        let view = self.store.view()?;
        let folded = ids::current(&view, ids::FOLDED)?;
        Ok(Picture { live, view, folded })
    }
}

/// Every session there is: ended ones from the tables, ended ones that no fold has written, then open ones.
pub fn each_session(
    live: &Live,
    view: &View,
    mut visit: impl FnMut(&Session) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut stopped = false;
    sessions::each_closed(view, |session| {
        if live.session(session.id).is_some() {
            return ControlFlow::Continue(());
        }
        let flow = visit(&session);
        stopped = flow.is_break();
        flow
    })?;
    let mut in_memory: Vec<&Session> = live.ended_sessions().chain(live.open_sessions()).collect();
    in_memory.sort_by_key(|s| (s.stopped.is_none(), s.id));
    for session in in_memory {
        if stopped || visit(session).is_break() {
            break;
        }
    }
    Ok(())
}

/// The last journal sequence that the tables hold.
pub fn folded(view: &View) -> Result<u64, StoreError> {
    ids::current(view, ids::FOLDED)
}

/// Says that the tables hold every session up to `sequence`, for data that was not made by accounting. The journal goes
/// on behind it.
pub fn mark_folded(tx: &mut Tx<'_>, sequence: u64) -> Result<(), StoreError> {
    tx.insert(&COUNTERS, ids::FOLDED, &sequence)
}
