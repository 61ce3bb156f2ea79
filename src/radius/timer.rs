//! Delayed rejects: a heap and one thread, so that slowing a guesser down costs no worker.
//!
//! Invariant: at most [`WAITING_MAX`] replies wait; one more is handed back to be sent at once. Stopping sends what
//! waits. The thread also sweeps the duplicate cache once a second.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    /// Takes a reply. Gives it back when too many wait or the timer has stopped: then it is the caller's to send.
    #[must_use = "a reply given back must be sent"]
    pub fn push(&self, delayed: Delayed) -> Option<Delayed> {
        let mut waiting = self.lock();
        if waiting.stopping || waiting.heap.len() >= WAITING_MAX {
            return Some(delayed);
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
        None
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
                    let Delayed {
                        path,
                        ticket,
                        nas,
                        packet,
                        ..
                    } = &delayed;
                    // A panic of the observer must not end the thread that all other rejects wait for.
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        shared.deliver(path, Some(ticket), *nas, packet);
                    }));
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

#[cfg(test)]
mod tests {
    use super::super::dedup::{Admission, Dedup, Key};
    use super::super::packet::Code;
    use super::super::socket::{Local, ServerSocket};
    use super::*;

    /// The first reply waits an hour and every later one comes due a second before the one pushed earlier.
    fn delayed(template: &Path, ticket: Ticket, start: Instant, number: usize) -> Delayed {
        let due =
            start + Duration::from_secs(3600) - Duration::from_secs(number.try_into().unwrap());
        Delayed {
            due,
            path: template.clone(),
            ticket,
            nas: 1,
            packet: number.to_be_bytes().to_vec(),
        }
    }

    #[test]
    fn the_heap_is_bounded_and_gives_the_earliest_first() {
        let now = monotonic();
        let socket = Arc::new(ServerSocket::bind(([127, 0, 0, 1], 0).into(), false).unwrap());
        let destination = socket.local_addr().unwrap();
        let path = Path::Datagram {
            socket,
            destination,
            local: Local::Bound,
        };
        let key = Key {
            source: destination,
            local: None,
            code: Code::ACCESS_REQUEST,
            identifier: 0,
        };
        let Admission::New(ticket) = Dedup::new().admit(1, key, &[0; 16], now, &mut Vec::new())
        else {
            panic!("an empty cache knows nothing");
        };
        let timer = Timer::default();
        for number in 0..WAITING_MAX {
            assert!(timer.push(delayed(&path, ticket, now, number)).is_none());
        }
        let refused = timer
            .push(delayed(&path, ticket, now, WAITING_MAX))
            .unwrap();
        assert_eq!(
            refused.packet,
            WAITING_MAX.to_be_bytes(),
            "handed back whole"
        );
        let first = timer.lock().heap.pop().unwrap();
        assert_eq!(
            first.packet,
            (WAITING_MAX - 1).to_be_bytes(),
            "the one due first"
        );
        assert!(timer.push(delayed(&path, ticket, now, 1)).is_none());
        timer.stop();
        timer.lock().heap.clear();
        assert!(
            timer.push(delayed(&path, ticket, now, 1)).is_some(),
            "nothing waits for a stopped timer"
        );
    }
}
