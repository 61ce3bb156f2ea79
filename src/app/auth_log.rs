//! Authentication attempts on their way to the store: added by the socket threads, written in blocks by a job.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::auth_log::{self, Attempt};
use crate::store::{StoreError, View};

/// Attempts that wait at most. Beyond that the oldest are dropped and counted: a flood must not fill the memory.
pub const MOST_WAITING: usize = 32_768;
/// Attempts in one write.
pub const MOST_AT_ONCE: usize = 8_192;

/// Attempts copied at once for a reader, so that it holds up no login.
const READ_AT_ONCE: usize = 256;

struct Waiting {
    /// What is being written, or waits for another try, and the number of its first attempt; attempts count from 1.
    block: (u64, Arc<Vec<Attempt>>),
    /// The number of the first attempt behind the block.
    first: u64,
    attempts: VecDeque<Attempt>,
    dropped: u64,
}

pub struct AuthLog {
    waiting: Mutex<Waiting>,
}

impl AuthLog {
    pub fn open(view: &View) -> Result<AuthLog, StoreError> {
        let first = auth_log::last(view)?.saturating_add(1);
        Ok(AuthLog {
            waiting: Mutex::new(Waiting {
                block: (first, Arc::default()),
                first,
                attempts: VecDeque::new(),
                dropped: 0,
            }),
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

    /// The number that the next attempt gets.
    pub fn end(&self) -> u64 {
        self.waiting().end()
    }

    /// The attempts to write next, at most [`MOST_AT_ONCE`], and the number of the first. They stay until they are
    /// [`AuthLog::written`]; one writer at a time.
    pub fn next_block(&self) -> (u64, Arc<Vec<Attempt>>) {
        self.waiting().next_block()
    }

    /// The block is in the store.
    pub fn written(&self) {
        self.waiting().block.1 = Arc::default();
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
        let mut before = before;
        loop {
            let chunk = self.waiting().newest_below(before);
            if chunk.is_empty() {
                // A block may have been written since: what was visited is not visited again.
                return auth_log::each_before(view, before, look, visit);
            }
            for (number, attempt) in chunk {
                before = number;
                if visit(number, attempt).is_break() {
                    return Ok(());
                }
            }
        }
    }
}

impl Waiting {
    /// The number that the next attempt gets.
    fn end(&self) -> u64 {
        self.first.saturating_add(wide(self.attempts.len()))
    }

    /// The block to write next: one that was not written, or else the oldest attempts, moved and not copied.
    fn next_block(&mut self) -> (u64, Arc<Vec<Attempt>>) {
        if self.block.1.is_empty() {
            let count = self.attempts.len().min(MOST_AT_ONCE);
            self.block = (self.first, Arc::new(self.attempts.drain(..count).collect()));
            self.first = self.first.saturating_add(wide(count));
            if self.attempts.is_empty() {
                // A flood is over: its room is given back.
                self.attempts.shrink_to(MOST_AT_ONCE);
            }
        }
        self.block.clone()
    }

    /// A few attempts with numbers below `before`, newest first. Empty when there are none in memory.
    fn newest_below(&self, before: u64) -> Vec<(u64, Attempt)> {
        let (block_first, block) = &self.block;
        let queued = (self.first..).zip(&self.attempts);
        let below = before
            .saturating_sub(self.first)
            .min(wide(self.attempts.len()));
        if below > 0 {
            let skipped = below.saturating_sub(wide(READ_AT_ONCE));
            return newest_first(queued, skipped, below);
        }
        let below = before.saturating_sub(*block_first).min(wide(block.len()));
        let skipped = below.saturating_sub(wide(READ_AT_ONCE));
        newest_first((*block_first..).zip(block.iter()), skipped, below)
    }
}

/// Copies the attempts at places `from` to `to`, in reverse.
fn newest_first<'a>(
    numbered: impl Iterator<Item = (u64, &'a Attempt)>,
    from: u64,
    to: u64,
) -> Vec<(u64, Attempt)> {
    let skipped = usize::try_from(from).unwrap_or(usize::MAX);
    let count = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
    let mut chunk: Vec<(u64, Attempt)> = numbered
        .skip(skipped)
        .take(count)
        .map(|(number, attempt)| (number, attempt.clone()))
        .collect();
    chunk.reverse();
    chunk
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
