//! Authentication attempts on their way to the store: added by the socket threads, written in blocks by a job.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::Timestamp;
use crate::store::auth_log::{self, Attempt};
use crate::store::{Store, StoreError, View};

/// Attempts that wait at most. Beyond that the oldest are dropped and counted: a flood must not fill the memory.
const MOST_WAITING: usize = 32_768;
/// Attempts in one write.
const MOST_AT_ONCE: usize = 8_192;
/// So many attempts in one flush are a flood.
const FLOOD: usize = 4_096;

struct Waiting {
    /// The number of the first waiting attempt; attempts count from 1.
    first: u64,
    attempts: VecDeque<Attempt>,
    dropped: u64,
}

pub struct AuthLog {
    waiting: Mutex<Waiting>,
    flooded: AtomicBool,
    /// Held while a block is written, so that numbers are given out once.
    writing: Mutex<()>,
}

impl AuthLog {
    pub(super) fn open(view: &View) -> Result<AuthLog, StoreError> {
        let first = auth_log::last(view)?.saturating_add(1);
        Ok(AuthLog {
            waiting: Mutex::new(Waiting {
                first,
                attempts: VecDeque::new(),
                dropped: 0,
            }),
            flooded: AtomicBool::new(false),
            writing: Mutex::new(()),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an attempt. Says how many wait.
    pub fn add(&self, attempt: Attempt) -> usize {
        let mut waiting = self.waiting();
        if waiting.attempts.len() >= MOST_WAITING {
            waiting.attempts.pop_front();
            waiting.first += 1;
            waiting.dropped += 1;
        }
        waiting.attempts.push_back(attempt);
        waiting.attempts.len()
    }

    /// Attempts that were lost because they came faster than they could be written.
    pub fn dropped(&self) -> u64 {
        self.waiting().dropped
    }

    /// Whether the last flush had so much to write that the next should come soon.
    pub fn was_flooded(&self) -> bool {
        self.flooded.load(Ordering::Relaxed)
    }

    /// Writes what waits. Blocks; call it from a plain thread. Says how many attempts were written.
    pub fn flush(&self, store: &Store, now: Timestamp) -> Result<usize, StoreError> {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = 0;
        loop {
            let (first, block): (u64, Vec<Attempt>) = {
                let waiting = self.waiting();
                (
                    waiting.first,
                    waiting
                        .attempts
                        .iter()
                        .take(MOST_AT_ONCE)
                        .cloned()
                        .collect(),
                )
            };
            if block.is_empty() {
                self.flooded.store(written >= FLOOD, Ordering::Relaxed);
                return Ok(written);
            }
            let count = block.len();
            let ticket = store.write("authentication log", move |tx| {
                auth_log::append(tx, first, &block, now)
            });
            ticket.wait()?;
            self.forget_below(first.saturating_add(u64::try_from(count).unwrap_or(0)));
            written += count;
            if count < MOST_AT_ONCE {
                self.flooded.store(written >= FLOOD, Ordering::Relaxed);
                return Ok(written);
            }
        }
    }

    fn forget_below(&self, next: u64) {
        let mut waiting = self.waiting();
        while waiting.first < next && waiting.attempts.pop_front().is_some() {
            waiting.first += 1;
        }
    }

    /// Walks over attempts with a number below `before`, newest first, until `visit` breaks: first what waits, then the
    /// table, of which at most `look` blocks are read.
    pub fn each_before(
        &self,
        view: &View,
        before: u64,
        look: usize,
        mut visit: impl FnMut(u64, Attempt) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (first, recent): (u64, Vec<Attempt>) = {
            let waiting = self.waiting();
            (waiting.first, waiting.attempts.iter().cloned().collect())
        };
        let numbered: Vec<(u64, Attempt)> = (first..)
            .zip(recent)
            .filter(|(number, _)| *number < before)
            .collect();
        for (number, attempt) in numbered.into_iter().rev() {
            if visit(number, attempt).is_break() {
                return Ok(());
            }
        }
        // A block may have been written since: what was visited is not visited again.
        auth_log::each_before(view, before.min(first), look, visit)
    }
}
