//! The owner's thread: gathers records, commits them to the journal in groups, applies them, and answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::live::{Captured, Live};
use super::{Acknowledge, Entry, Message, Pace, Shared, monotonic};
use crate::store::journal::{Journal, JournalError};
use crate::store::tables::COUNTERS;
use crate::store::{Read, Store, StoreError, Tx, View, ids, sessions};

/// Records in one commit at most, well below the journal's bound of a group.
const MOST_IN_GROUP: usize = 2_048;

pub(super) struct Owner {
    shared: Arc<Shared>,
    store: Store,
    journal: Journal,
    pace: Pace,
    /// For the thread that waits for a fold.
    queue: SyncSender<Message>,
    waiting: Vec<(Box<Entry>, Acknowledge)>,
    committed_at: Instant,
    folded_at: Instant,
    /// The sequence up to which the tables hold everything.
    folded: u64,
    folding: Option<Captured>,
    /// Told when the fold after the present one is done.
    fold_waiters: Vec<SyncSender<bool>>,
    fold_wanted: bool,
}

impl Owner {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        journal: Journal,
        pace: Pace,
        queue: SyncSender<Message>,
    ) -> Owner {
        let now = monotonic();
        let applied = shared.live().applied();
        // What was replayed is folded soon, so that another crash replays less.
        let fold_wanted = journal.segment_octets() > FRESH_SEGMENT;
        Owner {
            shared,
            store,
            journal,
            pace,
            queue,
            waiting: Vec::new(),
            committed_at: now.checked_sub(pace.spacing).unwrap_or(now),
            folded_at: now,
            folded: applied,
            folding: None,
            fold_waiters: Vec::new(),
            fold_wanted,
        }
    }

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let stop = self.gather(messages);
            if !self.waiting.is_empty() && (stop || self.commit_is_due()) {
                self.commit();
            }
            if stop {
                break;
            }
            if self.folding.is_none() && self.fold_is_due() {
                self.begin_fold();
            }
        }
        self.finish(messages);
    }

    /// Takes messages until a commit or a fold is due. True when it is time to stop.
    fn gather(&mut self, messages: &Receiver<Message>) -> bool {
        match messages.recv_timeout(self.patience()) {
            Ok(message) => {
                if self.take(message) {
                    return true;
                }
            }
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
        while self.waiting.len() < MOST_IN_GROUP {
            match messages.try_recv() {
                Ok(message) => {
                    if self.take(message) {
                        return true;
                    }
                }
                Err(_) => break,
            }
        }
        false
    }

    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Entry(entry, acknowledge) => self.waiting.push((entry, acknowledge)),
            Message::Fold(waiter) => {
                self.fold_waiters.push(waiter);
                self.fold_wanted = true;
            }
            Message::Folded(done) => self.end_fold(done),
            Message::Stop => return true,
        }
        false
    }

    /// How long to wait for the next message.
    fn patience(&self) -> Duration {
        if self.waiting.is_empty() {
            self.pace
                .fold_every
                .saturating_sub(self.folded_at.elapsed())
                .max(Duration::from_millis(50))
        } else {
            self.pace
                .spacing
                .saturating_sub(self.committed_at.elapsed())
        }
    }

    fn commit_is_due(&self) -> bool {
        self.waiting.len() >= self.pace.group || self.committed_at.elapsed() >= self.pace.spacing
    }

    /// Writes what waits to the journal, applies it, and answers. On a fault nothing is applied and nobody is answered.
    fn commit(&mut self) {
        self.committed_at = monotonic();
        let mut waiting = std::mem::take(&mut self.waiting);
        let view = match self.store.view() {
            Ok(view) => view,
            Err(error) => return self.report(Some((error.to_string(), false))),
        };
        let live_is_full = self.shared.live().is_full();
        if live_is_full {
            let live = self.shared.live();
            waiting.retain(|(entry, _)| live.knows(entry));
        }
        let (octets, waiting) = encode(waiting);
        match self.journal.append(&octets) {
            Ok(sequences) => {
                self.apply(sequences.start, &waiting, &view);
                self.report(None);
                let mut health = self
                    .shared
                    .health
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                health.commits += 1;
                health.records += sequences.end - sequences.start;
                drop(health);
                for (_, acknowledge) in waiting {
                    acknowledge();
                }
            }
            Err(error) => {
                let disk_full = error.is_disk_full();
                self.report(Some((error.to_string(), disk_full)));
            }
        }
    }

    fn apply(&self, first: u64, entries: &[(Box<Entry>, Acknowledge)], view: &View) {
        let mut live = self
            .shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (sequence, (entry, _)) in (first..).zip(entries) {
            live.apply(sequence, entry, view);
        }
    }

    /// Says once when accounting begins to fail, and once when it works again.
    fn report(&self, failure: Option<(String, bool)>) {
        let mut health = self
            .shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some((message, disk_full)) => {
                if health.failing.is_none() {
                    tracing::error!(
                        error = message,
                        "accounting records cannot be stored, so they are not answered"
                    );
                }
                health.failing = Some(message);
                health.disk_full = disk_full;
            }
            None => {
                if health.failing.take().is_some() {
                    tracing::info!("accounting records are stored again");
                }
                health.disk_full = false;
            }
        }
    }

    // Folding.

    fn fold_is_due(&self) -> bool {
        let applied = self.shared.live().applied();
        let behind = applied.saturating_sub(self.folded);
        self.fold_wanted
            || behind >= self.pace.fold_after
            || (behind > 0 && self.folded_at.elapsed() >= self.pace.fold_every)
    }

    /// Captures what the tables lack and hands it to the store's writer; records go on meanwhile.
    fn begin_fold(&mut self) {
        self.fold_wanted = false;
        self.folded_at = monotonic();
        if let Err(error) = self.journal.rotate() {
            tracing::warn!(%error, "the journal goes on in the same segment");
        }
        let captured = self.capture();
        let ticket = self.store.write("fold", fold_work(captured.clone()));
        self.folding = Some(captured);
        let queue = self.queue.clone();
        let waiter = std::thread::Builder::new()
            .name("fold".to_owned())
            .spawn(move || {
                let done = report_fold(ticket.wait());
                // An error means that the owner has ended, which waits for its own last fold.
                let _ = queue.send(Message::Folded(done));
            });
        if let Err(error) = waiter {
            tracing::error!(%error, "no thread to wait for the fold");
            self.end_fold(false);
        }
    }

    fn capture(&self) -> Captured {
        self.shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .capture()
    }

    fn end_fold(&mut self, done: bool) {
        let Some(captured) = self.folding.take() else {
            return;
        };
        let mut live: std::sync::RwLockWriteGuard<'_, Live> = self
            .shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if done {
            live.folded();
        } else {
            live.unfolded(&captured);
        }
        drop(live);
        if done {
            self.folded = captured.sequence;
            self.shared
                .health
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .folds += 1;
            self.trim();
        }
        for waiter in self.fold_waiters.drain(..) {
            // Nobody may wait any more.
            let _ = waiter.try_send(done);
        }
    }

    fn trim(&mut self) {
        let trimmed: Result<(), JournalError> = self.journal.trim(self.folded.saturating_add(1));
        if let Err(error) = trimmed {
            tracing::warn!(%error, "old segments of the journal stay for now");
        }
    }

    /// The last commit was made; waits for a fold under way, then folds what is left.
    fn finish(mut self, messages: &Receiver<Message>) {
        while self.folding.is_some() {
            match messages.recv() {
                Ok(Message::Folded(done)) => self.end_fold(done),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        if self.shared.live().applied() > self.folded || !self.fold_waiters.is_empty() {
            let captured = self.capture();
            let done = report_fold(self.store.write("fold", fold_work(captured.clone())).wait());
            self.folding = Some(captured);
            self.end_fold(done);
        }
    }
}

/// A segment with no more than this has nothing but its header.
const FRESH_SEGMENT: u64 = 64;

fn report_fold(result: Result<(), StoreError>) -> bool {
    if let Err(error) = &result {
        tracing::error!(%error, "accounting could not be folded into the tables; the journal keeps it");
    }
    result.is_ok()
}

/// Entries as octets. What cannot be encoded is dropped with a word, and not answered.
fn encode(
    waiting: Vec<(Box<Entry>, Acknowledge)>,
) -> (Vec<Vec<u8>>, Vec<(Box<Entry>, Acknowledge)>) {
    let mut octets = Vec::with_capacity(waiting.len());
    let mut kept = Vec::with_capacity(waiting.len());
    for (entry, acknowledge) in waiting {
        match entry.encode() {
            Ok(encoded) => {
                octets.push(encoded);
                kept.push((entry, acknowledge));
            }
            Err(error) => tracing::error!(error, "an accounting record cannot be encoded"),
        }
    }
    (octets, kept)
}

/// Writes a capture into the tables. A capture that is there already, because its commit succeeded after all, changes nothing.
fn fold_work(captured: Captured) -> impl FnMut(&mut Tx<'_>) -> Result<(), StoreError> {
    move |tx| {
        if tx.get(&COUNTERS, ids::FOLDED)?.unwrap_or(0) >= captured.sequence {
            return Ok(());
        }
        for session in &captured.sessions {
            sessions::put(tx, session)?;
        }
        for ((day, subscriber), traffic) in &captured.usage {
            sessions::add_usage(tx, *day, *subscriber, *traffic)?;
        }
        tx.insert(&COUNTERS, ids::FOLDED, &captured.sequence)
    }
}
