//! The duplicate cache: a retransmission must not be processed twice (RFC 5080 s2.2.2, RFC 2865 s2.5).
//!
//! Knows keys and stored octets, not sockets. Invariant: entries are bounded per NAS and in total, and one that is
//! replaced, released or evicted can no longer be completed by the request that made it (its generation is gone).

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::packet::{Authenticator, Code};

/// How long an answer is kept for retries (RFC 5080 allows 5 to 30 s).
const REPLY_LIFE: Duration = Duration::from_secs(10);
/// How long an unanswered request holds back its copies; then a retry is processed anew.
const IN_FLIGHT_LIFE: Duration = Duration::from_secs(60);
/// Sixteen source ports of 256 identifiers: far more than one NAS uses.
const PER_NAS_MAX: usize = 4096;
/// All NAS together; about 10 MB when full of ordinary replies.
const TOTAL_MAX: usize = 32_768;
/// Independent locks, so that socket threads rarely meet.
const SHARDS: usize = 16;

/// What makes two packets the same request, besides the Request Authenticator. The local socket is the cache itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub source: SocketAddr,
    /// Our address, where the socket has several.
    pub local: Option<IpAddr>,
    pub code: Code,
    pub identifier: u8,
}

/// A claim on one entry, to complete or release it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    nas: u32,
    key: Key,
    generation: u64,
}

/// What to do with a request.
#[derive(Debug)]
pub(super) enum Admission {
    /// Process it; finish with `complete` or `release`.
    New(Ticket),
    /// A copy of one in progress.
    InFlight,
    /// A copy of an answered one; the answer is in the caller's buffer.
    Answered,
}

struct Entry {
    generation: u64,
    /// The generation under which it stands in the order; an older one when the identifier has been used again since.
    listed: u64,
    request_authenticator: Authenticator,
    answered: bool,
    reply: Vec<u8>,
    expires: Instant,
}

/// Entries of one NAS; `order` is by admission and may name entries that are gone. An entry whose identifier is used again
/// keeps its place, which costs nothing, and gets its true one when it comes to the old end.
#[derive(Default)]
struct NasEntries {
    entries: HashMap<Key, Entry>,
    order: VecDeque<(Key, u64)>,
}

pub(super) struct Dedup {
    shards: [Mutex<HashMap<u32, NasEntries>>; SHARDS],
    generations: AtomicU64,
    total: AtomicUsize,
}

impl Dedup {
    pub fn new() -> Self {
        Dedup {
            shards: std::array::from_fn(|_| Mutex::default()),
            generations: AtomicU64::new(0),
            total: AtomicUsize::new(0),
        }
    }

    /// Looks a request up and, when it is new, enters it. On `Answered` the stored octets replace those of `reply`.
    /// A request with the same key but another authenticator is new: the identifier has been used again.
    pub fn admit(
        &self,
        nas: u32,
        key: Key,
        request_authenticator: &Authenticator,
        now: Instant,
        reply: &mut Vec<u8>,
    ) -> Admission {
        let mut shard = self.shard(nas);
        let own = shard.entry(nas).or_default();
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let ticket = Ticket {
            nas,
            key,
            generation,
        };
        if let Some(entry) = own.entries.get_mut(&key) {
            if entry.request_authenticator == *request_authenticator && now < entry.expires {
                if !entry.answered {
                    return Admission::InFlight;
                }
                reply.clone_from(&entry.reply);
                return Admission::Answered;
            }
            // The old reply's memory serves the new one.
            entry.generation = generation;
            entry.request_authenticator = *request_authenticator;
            entry.answered = false;
            entry.expires = now + IN_FLIGHT_LIFE;
            return Admission::New(ticket);
        }
        self.subtract(own.purge(now));
        if own.entries.len() >= PER_NAS_MAX {
            self.subtract(own.evict_oldest());
        }
        if self.total.load(Ordering::Relaxed) >= TOTAL_MAX {
            let freed = own.evict_oldest();
            if freed == 0 {
                // Other NAS fill the cache: this request is served without protection from copies.
                return Admission::New(ticket);
            }
            self.subtract(freed);
        }
        let entry = Entry {
            generation,
            listed: generation,
            request_authenticator: *request_authenticator,
            answered: false,
            reply: Vec::new(),
            expires: now + IN_FLIGHT_LIFE,
        };
        own.entries.insert(key, entry);
        self.total.fetch_add(1, Ordering::Relaxed);
        own.order.push_back((key, generation));
        own.compact();
        Admission::New(ticket)
    }

    /// Stores the answer. Nothing happens if the entry has been replaced since.
    pub fn complete(&self, ticket: &Ticket, reply: &[u8], now: Instant) {
        let mut shard = self.shard(ticket.nas);
        if let Some(own) = shard.get_mut(&ticket.nas)
            && let Some(entry) = own.entries.get_mut(&ticket.key)
            && entry.generation == ticket.generation
        {
            entry.answered = true;
            entry.reply.clear();
            entry.reply.extend_from_slice(reply);
            entry.expires = now + REPLY_LIFE;
        }
    }

    /// Forgets a request that gets no answer, so that its retry is new.
    pub fn release(&self, ticket: &Ticket) {
        let mut shard = self.shard(ticket.nas);
        if let Some(own) = shard.get_mut(&ticket.nas)
            && own
                .entries
                .get(&ticket.key)
                .is_some_and(|entry| entry.generation == ticket.generation)
        {
            own.entries.remove(&ticket.key);
            self.subtract(1);
        }
    }

    /// Frees what has expired everywhere. Called every second, so that an idle server holds nothing.
    pub fn sweep(&self, now: Instant) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, own| {
                self.subtract(own.purge(now));
                !own.entries.is_empty()
            });
        }
    }

    fn subtract(&self, count: usize) {
        self.total.fetch_sub(count, Ordering::Relaxed);
    }

    /// A poisoned lock is entered: every change here is complete before the next can panic.
    fn shard(&self, nas: u32) -> MutexGuard<'_, HashMap<u32, NasEntries>> {
        let index = usize::try_from(nas).unwrap_or_default() % SHARDS;
        let [first, ..] = &self.shards;
        let shard = self.shards.get(index).unwrap_or(first);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NasEntries {
    /// Drops expired entries from the old end; returns how many entries went.
    fn purge(&mut self, now: Instant) -> usize {
        let mut freed = 0;
        while let Some(key) = self.oldest() {
            if self
                .entries
                .get(&key)
                .is_some_and(|entry| now < entry.expires)
            {
                break;
            }
            freed += self.drop_oldest();
        }
        freed
    }

    /// Drops the oldest entry, answered or not; returns 1, or 0 when there is none.
    fn evict_oldest(&mut self) -> usize {
        match self.oldest() {
            Some(_) => self.drop_oldest(),
            None => 0,
        }
    }

    /// The oldest entry, once the old end of the order tells the truth. Each place is looked at once, since one that was put
    /// to the other end is true there.
    fn oldest(&mut self) -> Option<Key> {
        while let Some((key, generation)) = self.order.front().copied() {
            match self.entries.get_mut(&key) {
                Some(entry) if entry.listed != generation => {}
                Some(entry) if entry.generation == generation => return Some(key),
                Some(entry) => {
                    entry.listed = entry.generation;
                    self.order.push_back((key, entry.generation));
                }
                None => {}
            }
            self.order.pop_front();
        }
        None
    }

    /// Drops what [`NasEntries::oldest`] has found.
    fn drop_oldest(&mut self) -> usize {
        let oldest = self.order.pop_front();
        let dropped = oldest.and_then(|(key, _)| self.entries.remove(&key));
        usize::from(dropped.is_some())
    }

    /// Keeps `order` within twice the entries, at constant cost per admission over time.
    fn compact(&mut self) {
        if self.order.len() > 64 + 2 * self.entries.len() {
            let entries = &self.entries;
            self.order.retain(|(key, generation)| {
                entries
                    .get(key)
                    .is_some_and(|entry| entry.listed == *generation)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::monotonic;
    use super::*;

    fn key(port: u16, identifier: u8) -> Key {
        Key {
            source: ([127, 0, 0, 1], port).into(),
            local: None,
            code: Code::ACCESS_REQUEST,
            identifier,
        }
    }

    fn ticket(admission: Admission) -> Ticket {
        match admission {
            Admission::New(ticket) => ticket,
            other => panic!("expected a new request, got {other:?}"),
        }
    }

    #[test]
    fn a_copy_waits_then_gets_the_stored_octets_then_is_new() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        let first = ticket(cache.admit(1, key(9, 7), &[1; 16], now, &mut out));
        assert!(matches!(
            cache.admit(1, key(9, 7), &[1; 16], now, &mut out),
            Admission::InFlight
        ));
        cache.complete(&first, b"answer", now);
        let late = now + REPLY_LIFE - Duration::from_millis(1);
        assert!(matches!(
            cache.admit(1, key(9, 7), &[1; 16], late, &mut out),
            Admission::Answered
        ));
        assert_eq!(out, b"answer");
        ticket(cache.admit(1, key(9, 7), &[1; 16], now + REPLY_LIFE, &mut out));
    }

    #[test]
    fn every_part_of_the_key_tells_requests_apart() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        let base = key(9, 7);
        ticket(cache.admit(1, base, &[1; 16], now, &mut out));
        let others = [
            (2, base),
            (1, key(10, 7)),
            (1, key(9, 8)),
            (
                1,
                Key {
                    code: Code::ACCOUNTING_REQUEST,
                    ..base
                },
            ),
            (
                1,
                Key {
                    local: Some([127, 0, 0, 2].into()),
                    ..base
                },
            ),
            (
                1,
                Key {
                    source: ([127, 0, 0, 2], 9).into(),
                    ..base
                },
            ),
        ];
        for (nas, other) in others {
            ticket(cache.admit(nas, other, &[1; 16], now, &mut out));
        }
        assert!(matches!(
            cache.admit(1, base, &[1; 16], now, &mut out),
            Admission::InFlight
        ));
    }

    #[test]
    fn another_authenticator_replaces_and_the_old_ticket_is_void() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        let old = ticket(cache.admit(1, key(9, 7), &[1; 16], now, &mut out));
        let new = ticket(cache.admit(1, key(9, 7), &[2; 16], now, &mut out));
        cache.complete(&old, b"old", now);
        assert!(matches!(
            cache.admit(1, key(9, 7), &[2; 16], now, &mut out),
            Admission::InFlight
        ));
        cache.release(&old);
        assert!(matches!(
            cache.admit(1, key(9, 7), &[2; 16], now, &mut out),
            Admission::InFlight
        ));
        cache.complete(&new, b"new", now);
        assert!(matches!(
            cache.admit(1, key(9, 7), &[2; 16], now, &mut out),
            Admission::Answered
        ));
        assert_eq!(out, b"new");
    }

    #[test]
    fn a_released_request_is_processed_anew() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        let first = ticket(cache.admit(1, key(9, 7), &[1; 16], now, &mut out));
        cache.release(&first);
        ticket(cache.admit(1, key(9, 7), &[1; 16], now, &mut out));
        assert_eq!(cache.total.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn one_nas_cannot_fill_the_cache() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        for port in 0..20 {
            for identifier in 0..=255 {
                let one =
                    ticket(cache.admit(1, key(1000 + port, identifier), &[1; 16], now, &mut out));
                cache.complete(&one, b"x", now);
            }
        }
        assert_eq!(cache.total.load(Ordering::Relaxed), PER_NAS_MAX);
        assert!(matches!(
            cache.admit(1, key(1019, 255), &[1; 16], now, &mut out),
            Admission::Answered
        ));
        ticket(cache.admit(1, key(1000, 0), &[1; 16], now, &mut out));
    }

    #[test]
    fn the_total_is_bounded_and_a_sweep_frees_everything() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        for nas in 0..10 {
            for port in 0..16 {
                for identifier in 0..=255 {
                    let one = ticket(cache.admit(
                        nas,
                        key(1000 + port, identifier),
                        &[1; 16],
                        now,
                        &mut out,
                    ));
                    cache.complete(&one, b"x", now);
                }
            }
        }
        assert_eq!(cache.total.load(Ordering::Relaxed), TOTAL_MAX);
        cache.sweep(now + REPLY_LIFE);
        assert_eq!(cache.total.load(Ordering::Relaxed), 0);
        assert!(
            cache
                .shards
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty())
        );
    }

    #[test]
    fn an_identifier_used_again_is_as_young_as_its_last_request() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        let mut answer = |port, authenticator, now| {
            let admission = cache.admit(1, key(port, 0), &[authenticator; 16], now, &mut out);
            let is_new = matches!(admission, Admission::New(_));
            if let Admission::New(ticket) = admission {
                cache.complete(&ticket, b"x", now);
            }
            is_new
        };
        assert!(answer(1, 1, now));
        assert!(answer(2, 1, now));
        assert!(answer(1, 2, now + REPLY_LIFE / 2));
        // The first was answered when the second had half of its life behind it.
        cache.sweep(now + REPLY_LIFE);
        assert_eq!(cache.total.load(Ordering::Relaxed), 1);
        assert!(!answer(1, 2, now + REPLY_LIFE));
        assert_eq!(cache.shard(1)[&1].order.len(), 1);
        // It is younger than all but the newest.
        for port in 2..=u16::try_from(PER_NAS_MAX).unwrap() {
            assert!(answer(port, 1, now + REPLY_LIFE));
        }
        assert!(answer(1, 3, now + REPLY_LIFE));
        assert!(answer(9_000, 1, now + REPLY_LIFE));
        assert!(!answer(1, 3, now + REPLY_LIFE));
        assert!(answer(2, 1, now + REPLY_LIFE));
    }

    #[test]
    fn reused_identifiers_do_not_grow_the_order() {
        let (cache, now, mut out) = (Dedup::new(), monotonic(), Vec::new());
        ticket(cache.admit(1, key(8, 0), &[0; 16], now, &mut out));
        for round in 0..10_000u32 {
            let mut authenticator = [0; 16];
            authenticator[..4].copy_from_slice(&round.to_be_bytes());
            ticket(cache.admit(1, key(9, 7), &authenticator, now, &mut out));
        }
        let shard = cache.shard(1);
        assert_eq!(shard[&1].entries.len(), 2);
        assert!(shard[&1].order.len() <= 64 + 2 * 2);
    }
}
