//! What was told about the volume of those who are online, so that a sweep asks the store about new marks only.
//!
//! A copy of rows of `store::notices`, made as sweeps find them there. Invariant: what is not here may have been told.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::id::SubscriberId;
use crate::domain::notice::Mark;

/// Some marks for each of the sessions that the smallest machine carries; beyond it is begun anew.
const MOST_MARKS: usize = 50_000;

#[derive(Debug, Default)]
pub struct Notices(Mutex<HashSet<(SubscriberId, Mark)>>);

impl Notices {
    pub fn is_told(&self, subscriber: SubscriberId, mark: Mark) -> bool {
        self.lock().contains(&(subscriber, mark))
    }

    pub fn told(&self, marks: impl IntoIterator<Item = (SubscriberId, Mark)>) {
        let mut told = self.lock();
        for mark in marks {
            if told.len() >= MOST_MARKS {
                told.clear();
            }
            told.insert(mark);
        }
    }

    /// Forgets what nobody who is online has reached in the present periods.
    pub fn keep(&self, reached: &HashSet<(SubscriberId, Mark)>) {
        self.lock().retain(|mark| reached.contains(mark));
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(SubscriberId, Mark)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Level;
    use crate::domain::quota::QuotaKind;
    use crate::domain::time::Day;

    #[test]
    fn marks_are_kept_while_they_stand_and_are_not_more_than_there_is_room_for() {
        let notices = Notices::default();
        let mark = |day| Mark {
            kind: QuotaKind::Day,
            began: Day(day),
            level: Level::Share(80),
        };
        let (ali, nour) = (SubscriberId(1), SubscriberId(2));
        notices.told([(ali, mark(1)), (nour, mark(1))]);
        assert!(notices.is_told(ali, mark(1)) && notices.is_told(nour, mark(1)));
        assert!(!notices.is_told(ali, mark(2)));
        notices.keep(&HashSet::from([(nour, mark(1)), (nour, mark(2))]));
        assert!(!notices.is_told(ali, mark(1)) && notices.is_told(nour, mark(1)));
        assert!(!notices.is_told(nour, mark(2)), "nobody said so");
        let many = i32::try_from(MOST_MARKS).unwrap();
        notices.told((0..many).map(|day| (ali, mark(day))));
        assert!(notices.lock().len() <= MOST_MARKS);
        assert!(notices.is_told(ali, mark(many - 1)));
    }
}
