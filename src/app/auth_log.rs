//! Authentication attempts on their way to the store: added by the socket threads, written in blocks by a job.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::auth_log::{self, Attempt};
use crate::store::{StoreError, View};

/// Attempts that wait at most. Beyond that the oldest are dropped and counted: a flood must not fill the memory.
const MOST_WAITING: usize = 32_768;
/// Attempts in one write.
pub const MOST_AT_ONCE: usize = 8_192;

struct Waiting {
    /// The number of the first waiting attempt; attempts count from 1.
    first: u64,
    attempts: VecDeque<Attempt>,
    dropped: u64,
}

pub struct AuthLog {
    waiting: Mutex<Waiting>,
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

    /// The oldest waiting attempts, at most [`MOST_AT_ONCE`], and the number of the first. They wait until they are
    /// [`AuthLog::written`].
    pub fn oldest(&self) -> (u64, Vec<Attempt>) {
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
    }

    /// Attempts with a number below `next` are in the store.
    pub fn written(&self, next: u64) {
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
