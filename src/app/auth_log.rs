//! Authentication attempts on their way to the store: added by the socket threads, written in blocks by a job.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::auth_log::{self, Attempt};
use crate::store::{StoreError, View};

/// Attempts that wait at most. Beyond that the oldest are dropped and counted: a flood must not fill the memory.
const MOST_WAITING: usize = 32_768;
/// Attempts in one write.
const MOST_AT_ONCE: usize = 8_192;

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
    pub(super) fn open(view: &View) -> Result<AuthLog, StoreError> {
        Ok(AuthLog::after(auth_log::last(view)?))
    }

    /// With attempts up to `last` in the table.
    fn after(last: u64) -> AuthLog {
        let first = last.saturating_add(1);
        AuthLog {
            waiting: Mutex::new(Waiting {
                block: (first, Arc::default()),
                first,
                attempts: VecDeque::new(),
                dropped: 0,
            }),
        }
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

    /// The oldest attempts, at most [`MOST_AT_ONCE`], and the number of the first. They stay the oldest, and readers go on
    /// seeing them, until they are [`AuthLog::written`].
    pub fn oldest(&self) -> (u64, Arc<Vec<Attempt>>) {
        self.waiting().next_block()
    }

    /// The oldest attempts are in the store.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::NasId;
    use crate::domain::time::Timestamp;
    use crate::store::auth_log::Method;
    use crate::store::{OpenOptions, Store};

    fn attempt(number: u64) -> Attempt {
        Attempt {
            at: Timestamp(i64::try_from(number).unwrap()),
            username: format!("user{number}").into(),
            subscriber: None,
            nas: NasId(1),
            source: [127, 0, 0, 1].into(),
            mac: None,
            method: Method::Pap,
            reason: None,
        }
    }

    /// The numbers seen below `before`, each checked to be that of its attempt.
    fn seen(log: &AuthLog, store: &Store, before: u64, most: usize) -> Vec<u64> {
        let mut seen = Vec::new();
        log.each_before(&store.view().unwrap(), before, 1_000, |number, attempt| {
            assert_eq!(attempt.username, self::attempt(number).username);
            seen.push(number);
            if seen.len() < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .unwrap();
        seen
    }

    fn write_oldest(log: &AuthLog, store: &Store, expected: usize) {
        let (first, block) = log.oldest();
        assert_eq!(block.len(), expected);
        let append = move |tx: &mut crate::store::Tx<'_>| {
            auth_log::append(tx, first, &block, Timestamp(2_000))
        };
        store.write("test", append).wait().unwrap();
        log.written();
    }

    #[test]
    fn every_attempt_is_seen_once_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
        let log = AuthLog::open(&store.view().unwrap()).unwrap();
        let all: Vec<u64> = (1..=1_500).rev().collect();
        for number in 1..=600 {
            log.add(attempt(number));
        }
        write_oldest(&log, &store, 600);
        for number in 601..=1_100 {
            log.add(attempt(number));
        }
        // A block that is being written, with newer attempts behind it.
        log.oldest();
        for number in 1_101..=1_500 {
            log.add(attempt(number));
        }
        assert_eq!(seen(&log, &store, u64::MAX, usize::MAX), all);
        for before in [1_501, 1_500, 1_101, 1_100, 1_099, 845, 601, 600, 2, 1] {
            let expected: Vec<u64> = (1..before.min(1_501)).rev().collect();
            assert_eq!(seen(&log, &store, before, usize::MAX), expected, "{before}");
        }
        assert_eq!(seen(&log, &store, u64::MAX, 3), [1_500, 1_499, 1_498]);
        // The unfinished block goes first, under its old numbers.
        write_oldest(&log, &store, 500);
        write_oldest(&log, &store, 400);
        assert_eq!(seen(&log, &store, u64::MAX, usize::MAX), all);
        let again = AuthLog::open(&store.view().unwrap()).unwrap();
        again.add(attempt(1_501));
        assert_eq!(seen(&again, &store, u64::MAX, 2), [1_501, 1_500]);
    }

    #[test]
    fn a_flood_drops_the_oldest_that_nobody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
        let log = AuthLog::after(0);
        log.add(attempt(1));
        log.oldest();
        let most = wide(MOST_WAITING);
        for number in 2..=most + 3 {
            log.add(attempt(number));
        }
        assert_eq!(log.dropped(), 2);
        let numbers = seen(&log, &store, u64::MAX, usize::MAX);
        assert_eq!(
            (numbers.first(), numbers.last()),
            (Some(&(most + 3)), Some(&1))
        );
        assert_eq!(wide(numbers.len()), most + 1, "2 and 3 are gone");
        write_oldest(&log, &store, 1);
        write_oldest(&log, &store, MOST_AT_ONCE);
        assert_eq!(
            wide(seen(&log, &store, u64::MAX, usize::MAX).len()),
            most + 1
        );
    }
}
