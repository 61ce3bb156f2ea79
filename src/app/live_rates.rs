//! The last speeds of sessions that somebody is looking at, for the graph on the subscriber's page.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::id::SessionId;
use crate::domain::time::{MINUTE, Timestamp};

/// Sessions looked at together; more than there are operators.
const MOST_SESSIONS: usize = 64;
/// Samples of one session: three minutes, one every three seconds.
const MOST_SAMPLES: usize = 60;
/// What nobody has looked at for so long begins anew.
const KEPT_FOR: i64 = MINUTE;

/// The speed of a session at one moment, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSample {
    pub at: Timestamp,
    pub upload_bps: u64,
    pub download_bps: u64,
}

#[derive(Debug, Clone, Default)]
struct Watched {
    /// The router's name of the session's interface.
    interface: String,
    samples: VecDeque<RateSample>,
}

#[derive(Debug, Default)]
pub struct LiveRates(Mutex<HashMap<SessionId, Watched>>);

impl LiveRates {
    /// The router's name of the session's interface, if it was asked for before.
    pub fn interface(&self, session: SessionId) -> Option<String> {
        let watched = self.lock();
        watched.get(&session).map(|found| found.interface.clone())
    }

    /// Adds a sample and gives all there are, oldest first.
    pub fn add(&self, session: SessionId, interface: &str, sample: RateSample) -> Vec<RateSample> {
        let mut watched = self.lock();
        let is_fresh = |found: &Watched| {
            let last = found.samples.back();
            last.is_some_and(|last| sample.at.since(last.at) <= KEPT_FOR)
        };
        watched.retain(|_, found| is_fresh(found));
        if watched.len() >= MOST_SESSIONS && !watched.contains_key(&session) {
            return vec![sample];
        }
        let found = watched.entry(session).or_default();
        found.interface = interface.to_owned();
        found.samples.push_back(sample);
        while found.samples.len() > MOST_SAMPLES {
            found.samples.pop_front();
        }
        found.samples.iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: i64) -> RateSample {
        RateSample {
            at: Timestamp(at),
            upload_bps: 1,
            download_bps: 2,
        }
    }

    #[test]
    fn samples_are_kept_while_somebody_looks() {
        let rates = LiveRates::default();
        assert_eq!(rates.interface(SessionId(1)), None);
        for at in 0..100 {
            rates.add(SessionId(1), "<pppoe-a>", sample(at));
        }
        let kept = rates.add(SessionId(1), "<pppoe-a>", sample(100));
        assert_eq!((kept.len(), kept[0].at), (MOST_SAMPLES, Timestamp(41)));
        assert_eq!(rates.interface(SessionId(1)).as_deref(), Some("<pppoe-a>"));
        let later = rates.add(SessionId(1), "<pppoe-a>", sample(101 + KEPT_FOR));
        assert_eq!(later.len(), 1, "a new look");
    }

    #[test]
    fn more_sessions_than_there_is_room_for_have_no_history() {
        let rates = LiveRates::default();
        for id in 0..100 {
            rates.add(SessionId(id), "x", sample(0));
        }
        assert_eq!(rates.add(SessionId(5), "x", sample(1)).len(), 2);
        assert_eq!(rates.add(SessionId(99), "x", sample(1)).len(), 1);
    }
}
