//! The writer: one thread that owns every write transaction, groups waiting closures into commits, and opens the file
//! anew after an I/O error.
//!
//! What a closure does is `operations`' business. Invariants: a waiter is answered only after the commit that holds its
//! change; a closure that fails leaves nothing behind and takes no neighbour with it; after a failed commit reads go on.

#[cfg(test)]
mod tests;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use redb::{Database, DatabaseError, WriteTransaction};

use super::ticket::{Job, Message};
use super::tx::{Change, Tx};
use super::{CommitFailure, Health, Shared, Slot, StoreError};

/// How the writer opens the file again after an I/O error.
pub(super) trait Reopen: Send {
    /// For reading and writing.
    fn for_writing(&self) -> Result<Database, DatabaseError>;

    /// For reading only: nothing reaches the file, whatever redb wants to repair.
    fn for_reading(&self) -> Result<Database, DatabaseError>;
}

/// The sizes of batches and the pace of retries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Closures in one commit.
    pub batch: usize,
    /// How long the first closure of a batch waits for company.
    pub linger: Duration,
    /// How long writes are refused at once after a failed commit, so that a full disk is not hammered.
    pub pause: Duration,
}

/// Writes that go into one commit, in their order.
type Batch = Vec<Box<dyn Job>>;

/// A batch that has to run one by one, and the name of the write that it is due to.
struct Spoiled {
    batch: Batch,
    spoiler: &'static str,
}

/// Counters and the last failure, shared with the Health page.
#[derive(Default)]
pub(super) struct Progress {
    commits: u64,
    writes: u64,
    failing: Option<Failure>,
}

struct Failure {
    error: StoreError,
    first: Instant,
    last: Instant,
}

impl Progress {
    pub(super) fn health(&self) -> Health {
        let now = monotonic();
        Health {
            commits: self.commits,
            writes: self.writes,
            failing: self.failing.as_ref().map(|failure| CommitFailure {
                message: failure.error.to_string(),
                disk_full: failure.error.is_disk_full(),
                since: now.saturating_duration_since(failure.first),
                last: now.saturating_duration_since(failure.last),
            }),
        }
    }

    fn succeeded(&mut self, writes: usize) {
        self.commits = self.commits.saturating_add(1);
        self.writes = self
            .writes
            .saturating_add(u64::try_from(writes).unwrap_or(u64::MAX));
        if self.failing.take().is_some() {
            tracing::info!("the store can be written again");
        }
    }

    fn failed(&mut self, error: StoreError) {
        let last = monotonic();
        let first = self.failing.as_ref().map_or(last, |failure| failure.first);
        self.failing = Some(Failure { error, first, last });
    }
}

/// Intervals are measured here and never compared with the wall clock, so `app::Clock` has no part in them.
#[allow(clippy::disallowed_methods)]
pub(super) fn monotonic() -> Instant {
    Instant::now()
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Message>,
    reopen: Box<dyn Reopen>,
    limits: Limits,
    /// Touched by commits whose outcome is in doubt and not yet told to the hooks, because no view could be opened.
    untold: Vec<Change>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        queue: Receiver<Message>,
        reopen: Box<dyn Reopen>,
        limits: Limits,
    ) -> Self {
        Writer {
            shared,
            queue,
            reopen,
            limits,
            untold: Vec::new(),
        }
    }

    /// The life of the writer thread: until `Stop`, or until the last handle on the store is dropped.
    pub(super) fn run(mut self) {
        loop {
            let (batch, stop) = self.gather();
            if self.shared.suspect.load(Ordering::Acquire) {
                self.mend();
            }
            if !batch.is_empty() {
                self.settle(batch);
            }
            if stop {
                break;
            }
        }
        self.close();
    }

    /// Waits for work and gathers what belongs into one commit. True when this is the last batch: what is queued behind the
    /// order to stop gets `Closed`.
    fn gather(&self) -> (Batch, bool) {
        let mut batch = Vec::new();
        match self.queue.recv() {
            Ok(Message::Work(job)) => batch.push(job),
            Ok(Message::Mend) => return (batch, false),
            Ok(Message::Stop) => return (batch, true),
            Err(_) => return (batch, true),
        }
        let end = monotonic() + self.limits.linger;
        while batch.len() < self.limits.batch {
            match self
                .queue
                .recv_timeout(end.saturating_duration_since(monotonic()))
            {
                Ok(Message::Work(job)) => batch.push(job),
                Ok(Message::Mend) => {}
                Ok(Message::Stop) => return (batch, true),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return (batch, true),
            }
        }
        (batch, false)
    }

    /// Runs a batch in one transaction; when a closure fails after it changed rows, each one alone.
    fn settle(&mut self, batch: Batch) {
        if let Err(Spoiled { batch, spoiler }) = self.commit_together(batch) {
            tracing::warn!(
                write = spoiler,
                closures = batch.len(),
                "a write failed half-way; its batch runs one by one"
            );
            for job in batch {
                // A batch of one is never handed back.
                let _ = self.commit_together(vec![job]);
            }
        }
    }

    /// Runs all closures and commits once. Hands the batch back, with the name of the closure at fault, when a closure
    /// with neighbours failed after it changed rows, or met a fault of the disk: redb has no nested rollback.
    fn commit_together(&mut self, mut batch: Batch) -> Result<(), Spoiled> {
        let transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(error) => {
                fail_all(batch, &error);
                return Ok(());
            }
        };
        let mut changes = Vec::new();
        let mut dirty = false;
        let mut spoiler = None;
        let mut fault = None;
        for job in &mut batch {
            let mut tx = Tx::new(&transaction);
            let succeeded = job.run(&mut tx);
            fault = tx.fault();
            if fault.is_some() || (!succeeded && tx.is_dirty()) {
                spoiler = Some(job.name());
                break;
            }
            if succeeded {
                dirty |= tx.is_dirty();
                changes.extend(tx.into_changes());
            }
        }
        if let Some(spoiler) = spoiler {
            self.abort(transaction);
            if let Some(error) = &fault {
                tracing::error!(%error, write = spoiler, "the disk failed under a write");
                self.shared.progress().failed(error.clone());
                self.mend();
            }
            if batch.len() > 1 {
                return Err(Spoiled { batch, spoiler });
            }
            match fault {
                Some(error) => fail_all(batch, &error),
                None => answer_all(batch),
            }
            return Ok(());
        }
        if !dirty {
            self.abort(transaction);
            answer_all(batch);
            return Ok(());
        }
        match guarded("commit", || {
            transaction
                .commit()
                .map_err(|error| StoreError::fault("commit", error))
        }) {
            Ok(()) => {
                self.shared.progress().succeeded(batch.len());
                self.tell(changes);
                answer_all(batch);
            }
            Err(error) => {
                tracing::error!(%error, writes = batch.len(), "a commit failed");
                self.shared.progress().failed(error.clone());
                self.mend();
                self.tell(changes);
                fail_all(batch, &error);
            }
        }
        Ok(())
    }

    /// Begins a transaction, and opens the file anew if redb asks for that.
    fn begin(&mut self) -> Result<WriteTransaction, StoreError> {
        if let Some(failure) = &self.shared.progress().failing
            && monotonic().saturating_duration_since(failure.last) < self.limits.pause
        {
            return Err(failure.error.clone());
        }
        let first = self.begin_now();
        if first.is_ok() {
            return first;
        }
        self.mend();
        let second = self.begin_now();
        if let Err(error) = &second {
            self.shared.progress().failed(error.clone());
        }
        second
    }

    fn begin_now(&self) -> Result<WriteTransaction, StoreError> {
        let slot = self
            .shared
            .slot
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let database = slot.database.as_ref().ok_or(StoreError::Closed)?;
        if !slot.writable {
            return Err(StoreError::Unwritable {
                reason: "the file could only be opened for reading".into(),
            });
        }
        guarded("begin", || {
            let mut transaction = database
                .begin_write()
                .map_err(|error| StoreError::fault("begin a write", error))?;
            // Without it, opening the file after a crash would scan all of it.
            transaction.set_quick_repair(true);
            Ok(transaction)
        })
    }

    fn abort(&self, transaction: WriteTransaction) {
        let aborted = guarded("abort", || {
            transaction
                .abort()
                .map_err(|error| StoreError::fault("abort", error))
        });
        if let Err(error) = aborted {
            tracing::warn!(%error, "a transaction was dropped");
            self.shared.suspect.store(true, Ordering::Release);
        }
    }

    /// Opens the file anew: after an I/O error redb refuses all access, reads too, until that is done. When it cannot be
    /// opened for writing, reads go on from a picture that writes nothing, and the next batch tries again.
    fn mend(&mut self) {
        let mut slot = self
            .shared
            .slot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // The old handle holds the lock on the file, so it must go first. Views that are still alive get an error.
        close_database(&mut slot);
        let (database, writable) = match guarded("open", || Ok(self.reopen.for_writing())) {
            Ok(Ok(database)) => (Some(database), true),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store cannot be opened for writing");
                let reading = guarded("open", || Ok(self.reopen.for_reading()));
                (reading.ok().and_then(Result::ok), false)
            }
            Err(error) => {
                tracing::error!(%error, "opening the store stopped with a panic");
                (None, false)
            }
        };
        match (&database, writable) {
            (Some(_), true) => tracing::info!("the store is open again"),
            (Some(_), false) => tracing::warn!("the store is open for reading only"),
            (None, _) => {
                tracing::error!("the store cannot be opened at all; the next write tries again")
            }
        }
        *slot = Slot { database, writable };
        self.shared.suspect.store(false, Ordering::Release);
    }

    /// Tells the hooks what a commit touched, or may have touched, with a view that shows the truth.
    fn tell(&mut self, changes: Vec<Change>) {
        self.untold.extend(changes);
        if self.untold.is_empty() {
            return;
        }
        let Ok(view) = self.shared.view() else {
            return;
        };
        let changes = mem::take(&mut self.untold);
        let hooks = self
            .shared
            .hooks
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for hook in hooks.iter() {
            if catch_unwind(AssertUnwindSafe(|| hook(&view, &changes))).is_err() {
                tracing::error!("a function called after commits stopped with a panic");
            }
        }
    }

    fn close(self) {
        let mut slot = self
            .shared
            .slot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        close_database(&mut slot);
    }
}

fn close_database(slot: &mut Slot) {
    let Some(database) = slot.database.take() else {
        return;
    };
    if let Err(error) = guarded("close", || {
        database
            .close()
            .map_err(|error| StoreError::fault("close", error))
    }) {
        tracing::warn!(%error, "the store did not close cleanly");
    }
}

/// Runs a step of redb that may panic on damaged pages, so that the writer outlives it.
fn guarded<T>(
    name: &'static str,
    step: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or(Err(StoreError::Panicked { name }))
}

fn answer_all(batch: Batch) {
    for job in batch {
        job.answer();
    }
}

fn fail_all(batch: Batch, error: &StoreError) {
    for job in batch {
        job.fail(error.clone());
    }
}
