//! The owner's thread: gathers records, commits them to the journal in groups, applies them, and answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::live::Captured;
use super::{Message, Pace, Shared, Waiting};
use crate::store::journal::{Journal, JournalError};
use crate::store::tables::COUNTERS;
use crate::store::writer::monotonic;
use crate::store::{Read, Store, StoreError, Tx, View, ids, sessions, usage};

/// Records in one commit at most, well below the journal's bound of a group.
const MOST_IN_GROUP: usize = 2_048;

/// A fold that failed is tried again after so long, or sooner if somebody asks.
const FOLD_AGAIN: Duration = Duration::from_secs(10);

/// Somebody who wants the tables to hold everything up to a sequence.
struct FoldWaiter {
    applied: u64,
    /// Folds that had begun by then.
    folds_begun: u64,
    answer: SyncSender<bool>,
}

pub(super) struct Owner {
    shared: Arc<Shared>,
    store: Store,
    journal: Journal,
    pace: Pace,
    /// For the thread that waits for a fold.
    queue: SyncSender<Message>,
    waiting: Vec<Waiting>,
    committed_at: Instant,
    folded_at: Instant,
    /// The sequence up to which the tables hold everything.
    folded: u64,
    /// On its way into the tables.
    folding: Option<Captured>,
    /// A capture whose fold failed. It is tried again as it is before anything newer is captured: its commit may have
    /// reached the disk after all, and then the tables tell by its sequence that they hold it.
    unfinished: Option<Captured>,
    /// Each is told once the tables hold everything up to its sequence.
    fold_waiters: Vec<FoldWaiter>,
    /// Folds begun so far.
    folds_begun: u64,
    fold_wanted: bool,
}

impl Owner {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        journal: Journal,
        folded: u64,
        pace: Pace,
        queue: SyncSender<Message>,
    ) -> Owner {
        let now = monotonic();
        // What was replayed is folded at once, so that another crash replays less.
        let fold_wanted = shared.live().applied() > folded;
        Owner {
            shared,
            store,
            journal,
            pace,
            queue,
            waiting: Vec::new(),
            committed_at: now.checked_sub(pace.spacing).unwrap_or(now),
            folded_at: now,
            folded,
            folding: None,
            unfinished: None,
            fold_waiters: Vec::new(),
            folds_begun: 0,
            fold_wanted,
        }
    }

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            if self.folding.is_none() && self.fold_is_due() {
                self.begin_fold();
            }
            let stop = self.gather(messages);
            if !self.waiting.is_empty() && (stop || self.commit_is_due()) {
                self.commit();
            }
            if stop {
                break;
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
            Message::Entry(waiting) => self.waiting.push(waiting),
            Message::Fold(waiter) => {
                let applied = self.shared.live().applied();
                self.fold_waiters.push(FoldWaiter {
                    applied,
                    folds_begun: self.folds_begun,
                    answer: waiter,
                });
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
            self.fold_period()
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
        let no_room = self.refuse_new(&mut waiting);
        let (octets, waiting) = encode(waiting);
        if octets.is_empty() {
            return self.report(no_room);
        }
        match self.journal.append(&octets) {
            Ok(sequences) => {
                self.apply(sequences.start, &waiting, &view);
                self.report(no_room);
                let mut health = self
                    .shared
                    .health
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                health.commits += 1;
                health.records += sequences.end - sequences.start;
                drop(health);
                for told in waiting {
                    (told.acknowledge)();
                }
            }
            Err(error) => {
                let disk_full = error.is_disk_full();
                self.report(Some((error.to_string(), disk_full)));
            }
        }
    }

    /// Drops what would need more room than there is, and says so.
    fn refuse_new(&mut self, waiting: &mut Vec<Waiting>) -> Option<(String, bool)> {
        let live = self.shared.live();
        if live.in_memory() < self.pace.most_sessions {
            return None;
        }
        let before = waiting.len();
        waiting.retain(|waiting| live.knows(&waiting.entry));
        // Ended sessions make room once they are in the tables.
        self.fold_wanted |= live.in_memory() > live.open_count();
        let words = format!(
            "{} sessions are in memory, which is all there is room for",
            live.in_memory()
        );
        (waiting.len() < before).then_some((words, false))
    }

    fn apply(&self, first: u64, waiting: &[Waiting], view: &View) {
        let mut live = self
            .shared
            .live
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (sequence, waiting) in (first..).zip(waiting) {
            live.apply(sequence, &waiting.entry, view);
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

    fn fold_period(&self) -> Duration {
        match self.unfinished {
            Some(_) => self.pace.fold_every.min(FOLD_AGAIN),
            None => self.pace.fold_every,
        }
    }

    fn fold_is_due(&self) -> bool {
        let behind = self.shared.live().applied().saturating_sub(self.folded);
        let is_time = behind > 0 && self.folded_at.elapsed() >= self.fold_period();
        // After a failure it is the time that counts, or a full disk would be hammered.
        let is_much = behind >= self.pace.fold_after && self.unfinished.is_none();
        self.fold_wanted || is_time || is_much
    }

    /// Captures what the tables lack and hands it to the store's writer; records go on meanwhile.
    fn begin_fold(&mut self) {
        self.fold_wanted = false;
        self.folded_at = monotonic();
        let captured = self.next_capture();
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

    fn next_capture(&mut self) -> Captured {
        self.folds_begun += 1;
        if let Some(unfinished) = self.unfinished.take() {
            return unfinished;
        }
        if let Err(error) = self.journal.rotate() {
            tracing::warn!(%error, "the journal goes on in the same segment");
        }
        self.capture()
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
        if done {
            self.shared
                .live
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .folded();
            self.folded = captured.sequence;
            let mut health = self
                .shared
                .health
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            health.folds += 1;
            health.folded_at = Some(monotonic());
            drop(health);
            self.trim();
        } else {
            self.unfinished = Some(captured);
        }
        let folded = self.folded;
        let begun = self.folds_begun;
        self.fold_waiters.retain(|waiter| {
            // A fold that had begun before somebody asked says nothing about the wish when it fails.
            let is_open = if done {
                waiter.applied > folded
            } else {
                waiter.folds_begun >= begun
            };
            if !is_open {
                // Nobody may wait any more.
                let _ = waiter.answer.try_send(done);
            }
            is_open
        });
        self.fold_wanted |= !self.fold_waiters.is_empty();
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
        // A capture that failed before, then what came after it.
        for _ in 0..2 {
            if self.shared.live().applied() <= self.folded && self.fold_waiters.is_empty() {
                break;
            }
            let captured = self.next_capture();
            let done = report_fold(self.store.write("fold", fold_work(captured.clone())).wait());
            self.folding = Some(captured);
            self.end_fold(done);
            if !done {
                break;
            }
        }
    }
}

fn report_fold(result: Result<(), StoreError>) -> bool {
    if let Err(error) = &result {
        tracing::error!(%error, "accounting could not be folded into the tables; the journal keeps it");
    }
    result.is_ok()
}

/// Entries as octets. What cannot be encoded is dropped with a word, and not answered.
fn encode(mut waiting: Vec<Waiting>) -> (Vec<Vec<u8>>, Vec<Waiting>) {
    let mut octets = Vec::with_capacity(waiting.len());
    waiting.retain(|waiting| match waiting.entry.encode() {
        Ok(encoded) => {
            octets.push(encoded);
            true
        }
        Err(error) => {
            tracing::error!(error, "an accounting record cannot be encoded");
            false
        }
    });
    (octets, waiting)
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
        for ((day, subscriber), octets) in &captured.usage {
            usage::add(tx, *day, *subscriber, *octets)?;
        }
        tx.insert(&COUNTERS, ids::FOLDED, &captured.sequence)
    }
}
