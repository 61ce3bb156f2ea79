//! Delayed rejects: a heap and one thread, so that slowing a guesser down costs no worker.
//!
//! Invariant: at most [`WAITING_MAX`] replies wait; one more is handed back to be sent at once. Stopping sends what
//! waits. The thread also sweeps the duplicate cache once a second.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock::monotonic;
use super::dedup::Ticket;
use super::reply::{Path, Shared};

/// A second of rejects at four thousand a second; beyond that delaying protects nothing.
pub(super) const WAITING_MAX: usize = 4096;
/// How often the duplicate cache is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A signed reply that waits for its time.
pub(super) struct Delayed {
    pub due: Instant,
    pub path: Path,
    pub ticket: Ticket,
    pub nas: u32,
    pub packet: Vec<u8>,
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    /// Reversed: the heap gives the earliest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

#[derive(Default)]
struct Waiting {
    heap: BinaryHeap<Delayed>,
    stopping: bool,
}

#[derive(Default)]
pub(super) struct Timer {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Timer {
    /// Takes a reply, or hands it back when too many wait or the timer has stopped.
    pub fn push(&self, delayed: Delayed) -> Result<(), Delayed> {
        let mut waiting = self.lock();
        if waiting.stopping || waiting.heap.len() >= WAITING_MAX {
            return Err(delayed);
        }
        let is_next = waiting
            .heap
            .peek()
            .is_none_or(|next| delayed.due < next.due);
        waiting.heap.push(delayed);
        drop(waiting);
        if is_next {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Lets [`Timer::run`] send what waits and return.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    /// The thread's whole life.
    pub fn run(&self, shared: &Arc<Shared>) {
        let mut next_sweep = monotonic() + SWEEP_EVERY;
        let mut waiting = self.lock();
        loop {
            let now = monotonic();
            if waiting
                .heap
                .peek()
                .is_some_and(|next| waiting.stopping || next.due <= now)
            {
                if let Some(delayed) = waiting.heap.pop() {
                    drop(waiting);
                    shared.deliver(
                        &delayed.path,
                        Some(&delayed.ticket),
                        delayed.nas,
                        &delayed.packet,
                    );
                    waiting = self.lock();
                }
                continue;
            }
            if waiting.stopping {
                return;
            }
            if next_sweep <= now {
                drop(waiting);
                shared.dedup.sweep(now);
                next_sweep = now + SWEEP_EVERY;
                waiting = self.lock();
                continue;
            }
            let wake = waiting
                .heap
                .peek()
                .map_or(next_sweep, |next| next.due.min(next_sweep));
            let patience = wake.saturating_duration_since(now);
            waiting = self
                .changed
                .wait_timeout(waiting, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
