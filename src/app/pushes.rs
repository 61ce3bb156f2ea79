//! Speeds that live sessions shall get and do not have yet: what waits, what failed, and when it is tried again.
//!
//! In memory only. After a restart the sweep of live sessions finds what is due by comparing what was told with what the
//! rules say.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::id::SessionId;
use crate::domain::rate::RateLimit;
use crate::domain::time::{MINUTE, Timestamp};

/// How long to wait after the first, second, … failure in a row; the last one is repeated.
const PAUSES: [i64; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE];

/// What shall happen to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Speed(RateLimit),
    /// A rule says that it may not go on.
    End,
}

/// A change that has not been confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub wanted: Wanted,
    pub since: Timestamp,
    /// Times in a row that it failed; 0 while the first try is under way.
    pub failures: u32,
    /// Why, in words.
    pub reason: String,
    /// Not before this instant.
    pub again_at: Timestamp,
}

#[derive(Debug, Default)]
pub struct Pushes(Mutex<HashMap<SessionId, Pending>>);

impl Pushes {
    pub fn get(&self, session: SessionId) -> Option<Pending> {
        self.lock().get(&session).cloned()
    }

    /// Takes note that a change is wanted. False when the same one is under way, or failed and is not to be tried again yet.
    pub fn want(&self, session: SessionId, wanted: Wanted, now: Timestamp) -> bool {
        let mut pending = self.lock();
        match pending.get_mut(&session) {
            Some(known) if known.wanted == wanted => {
                let is_due = known.failures > 0 && now >= known.again_at;
                if is_due {
                    known.again_at = Timestamp(i64::MAX);
                }
                is_due
            }
            _ => {
                pending.insert(
                    session,
                    Pending {
                        wanted,
                        since: now,
                        failures: 0,
                        reason: String::new(),
                        again_at: Timestamp(i64::MAX),
                    },
                );
                true
            }
        }
    }

    /// The router did it, or nothing is wanted any more.
    pub fn settle(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    /// The router did not do it. What nobody waits for, such as an order of a person, is not tried again.
    pub fn fail(&self, session: SessionId, reason: String, now: Timestamp) {
        if let Some(known) = self.lock().get_mut(&session) {
            let index = usize::try_from(known.failures).unwrap_or(usize::MAX);
            let pause = PAUSES.get(index).or(PAUSES.last()).copied();
            known.again_at = now.plus(pause.unwrap_or(MINUTE));
            known.failures = known.failures.saturating_add(1);
            known.reason = reason;
        }
    }

    /// Forgets sessions that are over.
    pub fn keep(&self, open: &HashSet<SessionId>) {
        self.lock().retain(|session, _| open.contains(session));
    }

    /// How many wait, and how many of these have failed.
    pub fn counts(&self) -> (usize, usize) {
        let pending = self.lock();
        let failed = pending.values().filter(|p| p.failures > 0).count();
        (pending.len(), failed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const ONE: SessionId = SessionId(1);

    #[test]
    fn a_change_is_wanted_once_and_again_after_a_failure() {
        let pushes = Pushes::default();
        assert!(pushes.want(ONE, Wanted::End, NOW));
        assert!(!pushes.want(ONE, Wanted::End, NOW.plus(60 * MINUTE)));
        for (pause, failures) in [(1, 1), (5, 2), (15, 3), (60, 4), (60, 5)] {
            pushes.fail(ONE, "silent".into(), NOW);
            let pending = pushes.get(ONE).unwrap();
            assert_eq!(
                (pending.failures, pending.reason.as_str()),
                (failures, "silent")
            );
            assert!(!pushes.want(ONE, Wanted::End, NOW.plus(pause * MINUTE - 1)));
            assert!(pushes.want(ONE, Wanted::End, NOW.plus(pause * MINUTE)));
            assert!(!pushes.want(ONE, Wanted::End, NOW.plus(pause * MINUTE)));
        }
        assert_eq!(pushes.counts(), (1, 1));
        pushes.settle(ONE);
        assert_eq!(pushes.counts(), (0, 0));
        assert!(pushes.want(ONE, Wanted::End, NOW));
    }

    #[test]
    fn sessions_that_are_over_are_forgotten() {
        let pushes = Pushes::default();
        pushes.fail(ONE, "nobody asked".into(), NOW);
        assert_eq!(pushes.get(ONE), None);
        pushes.want(ONE, Wanted::End, NOW);
        pushes.want(SessionId(2), Wanted::End, NOW);
        pushes.keep(&HashSet::from([SessionId(2)]));
        assert_eq!(pushes.get(ONE), None);
        assert_eq!(pushes.counts(), (1, 0));
    }
}
