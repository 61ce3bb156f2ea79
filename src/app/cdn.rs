//! What is known of the CDN objects on each router since the start: how the last push ended, what queues counted last, and
//! what of that waits for accounting.
//!
//! Not here: the profiles, which are copies of the store. Invariant: of each router one outcome and one set of readings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::cdn::CdnWarning;
use crate::domain::id::{CdnId, NasId, SessionId};
use crate::domain::octets::Traffic;
use crate::domain::time::Timestamp;

/// How one push ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnOutcome {
    pub at: Timestamp,
    /// Changes that the router took.
    pub made: usize,
    /// Changes that are still to be made.
    pub left: usize,
    pub warnings: Vec<CdnWarning>,
    /// Why it stopped, in words; empty when it did not.
    pub error: String,
}

/// One queue that counts: of a profile, for a session.
pub type CdnQueue = (CdnId, SessionId);

#[derive(Default)]
struct Known {
    outcome: Option<CdnOutcome>,
    /// Held while somebody changes the router: two at once would undo each other.
    turn: Arc<tokio::sync::Mutex<()>>,
    readings: HashMap<CdnQueue, Traffic>,
    /// What queues counted for sessions and accounting has not carried yet, with the time of the last reading in it.
    waiting: HashMap<SessionId, (Traffic, Timestamp)>,
}

/// One entry for each NAS that was pushed to.
#[derive(Default)]
pub struct CdnRouters(Mutex<HashMap<NasId, Known>>);

impl CdnRouters {
    fn known(&self) -> MutexGuard<'_, HashMap<NasId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn outcome(&self, nas: NasId) -> Option<CdnOutcome> {
        self.known()
            .get(&nas)
            .and_then(|known| known.outcome.clone())
    }

    pub fn report(&self, nas: NasId, outcome: CdnOutcome) {
        self.known().entry(nas).or_default().outcome = Some(outcome);
    }

    /// To be locked by whoever changes the router.
    pub fn turn(&self, nas: NasId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.known().entry(nas).or_default().turn)
    }

    /// A queue was made just now: all that it will count is new.
    pub fn queue_is_new(&self, nas: NasId, queue: CdnQueue) {
        let mut known = self.known();
        let readings = &mut known.entry(nas).or_default().readings;
        readings.insert(queue, Traffic::ZERO);
    }

    /// Takes the readings of all queues of a router, and gives what each counted since the last ones. A queue that was not
    /// known gives nothing: what it counted before may have been told already. One whose reading fell began anew.
    pub fn read(&self, nas: NasId, readings: Vec<(CdnQueue, Traffic)>) -> Vec<(CdnQueue, Traffic)> {
        let mut known = self.known();
        let last = &mut known.entry(nas).or_default().readings;
        let since = |queue: &CdnQueue, now: Traffic| match last.get(queue) {
            None => Traffic::ZERO,
            Some(last) if now.upload < last.upload || now.download < last.download => now,
            Some(last) => now.beyond(*last),
        };
        let counted = readings
            .iter()
            .map(|(queue, now)| (*queue, since(queue, *now)))
            .filter(|(_, traffic)| *traffic != Traffic::ZERO)
            .collect();
        *last = readings.into_iter().collect();
        counted
    }

    /// Keeps what was counted for a session until its accounting record comes: before that there is nothing to take it off.
    pub fn wait(&self, nas: NasId, session: SessionId, traffic: Traffic, at: Timestamp) {
        let mut known = self.known();
        let waiting = &mut known.entry(nas).or_default().waiting;
        let (sum, last) = waiting.entry(session).or_insert((Traffic::ZERO, at));
        *sum += traffic;
        *last = at;
    }

    /// Gives what a record that came after the last reading has carried. `heard` is when a session was heard of last, and
    /// `None` once it has ended; it is asked for sessions that wait only.
    pub fn carried(
        &self,
        nas: NasId,
        heard: impl Fn(SessionId) -> Option<Timestamp>,
    ) -> Vec<(SessionId, Traffic, Timestamp)> {
        let mut known = self.known();
        let waiting = &mut known.entry(nas).or_default().waiting;
        let is_carried = |session: &SessionId, (_, last): &mut (Traffic, Timestamp)| {
            heard(*session).is_none_or(|heard| heard > *last)
        };
        let carried = waiting.extract_if(is_carried);
        carried
            .map(|(session, (traffic, at))| (session, traffic, at))
            .collect()
    }

    /// Nothing of ours is on the router any more.
    pub fn forget_readings(&self, nas: NasId) {
        if let Some(known) = self.known().get_mut(&nas) {
            known.readings.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAS: NasId = NasId(1);
    const QUEUE: CdnQueue = (CdnId(1), SessionId(7));

    fn read(routers: &CdnRouters, upload: u64, download: u64) -> Option<(u64, u64)> {
        let counted = routers.read(NAS, vec![(QUEUE, Traffic::new(upload, download))]);
        let (queue, traffic) = counted.first()?;
        assert_eq!(*queue, QUEUE);
        Some((traffic.upload, traffic.download))
    }

    #[test]
    fn readings_count_from_the_last_one() {
        let routers = CdnRouters::default();
        assert_eq!(read(&routers, 100, 1_000), None, "not known before");
        assert_eq!(read(&routers, 100, 1_000), None, "nothing new");
        assert_eq!(read(&routers, 130, 1_500), Some((30, 500)));
        assert_eq!(read(&routers, 131, 1_400), Some((131, 1_400)), "began anew");
        assert!(routers.read(NasId(2), Vec::new()).is_empty());
        assert_eq!(
            read(&routers, 132, 1_400),
            Some((1, 0)),
            "of its own router"
        );
    }

    #[test]
    fn what_was_counted_waits_for_the_record_that_carries_it() {
        let routers = CdnRouters::default();
        let (session, at) = (SessionId(7), Timestamp(1_000));
        let carried = |heard: Option<Timestamp>| routers.carried(NAS, |_| heard);
        routers.wait(NAS, session, Traffic::new(1, 10), at);
        routers.wait(NAS, session, Traffic::new(2, 20), at.plus(30));
        assert_eq!(carried(Some(at)), []);
        assert_eq!(carried(Some(at.plus(30))), []);
        let sum = (session, Traffic::new(3, 30), at.plus(30));
        assert_eq!(carried(Some(at.plus(31))), [sum]);
        assert_eq!(carried(None), [], "given once");
        routers.wait(NAS, session, Traffic::new(4, 40), at.plus(60));
        assert_eq!(
            carried(None),
            [(session, Traffic::new(4, 40), at.plus(60))],
            "it has ended"
        );
    }

    #[test]
    fn a_queue_made_by_us_counts_from_nothing_and_one_that_went_is_forgotten() {
        let routers = CdnRouters::default();
        routers.queue_is_new(NAS, QUEUE);
        assert_eq!(read(&routers, 5, 6), Some((5, 6)));
        assert!(routers.read(NAS, Vec::new()).is_empty());
        assert_eq!(read(&routers, 9, 9), None);
        routers.forget_readings(NAS);
        assert_eq!(read(&routers, 10, 9), None);
    }
}
