//! What names a session, and which ended sessions a late record may still name.
//!
//! Only ids are kept here; the sessions themselves are in the tables. Invariant: bounded, oldest first out.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::id::{NasId, SessionId};
use crate::domain::session::{Record, Session};
use crate::domain::text::fold_case;

/// Ended sessions in the tables that are kept by their keys.
const MOST_RECENT: usize = 65_536;

/// What names a session: NAS, Acct-Session-Id and User-Name without case (rules.md section 2). Sessions of different
/// logins under one key are told apart by `Class`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    nas: NasId,
    acct_session_id: Vec<u8>,
    username: String,
}

impl Key {
    pub(super) fn of_record(record: &Record) -> Key {
        Key {
            nas: record.nas,
            acct_session_id: record.acct_session_id.clone(),
            username: fold_case(&record.username),
        }
    }

    pub(super) fn of_session(session: &Session) -> Key {
        Key {
            nas: session.nas,
            acct_session_id: session.acct_session_id.clone(),
            username: fold_case(&session.username),
        }
    }

    /// Sixty-four bits that stand for the key where only a hint is needed.
    fn hint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// Ended sessions that left memory for the tables, the first to leave first out.
#[derive(Debug, Default)]
pub(super) struct Recent {
    by_hint: BTreeSet<(u64, SessionId)>,
    order: VecDeque<(u64, SessionId)>,
}

impl Recent {
    /// Sessions of the tables as they are walked over, the newest first. Of each only some octets are kept meanwhile, and what is
    /// made of all at once is packed more densely than what grows.
    pub(super) fn of_newest_first(entries: &[(u64, SessionId)]) -> Recent {
        let newest = entries.iter().take(MOST_RECENT).copied();
        Recent {
            by_hint: newest.clone().collect(),
            order: newest.rev().collect(),
        }
    }

    pub(super) fn entry(session: &Session) -> (u64, SessionId) {
        (Key::of_session(session).hint(), session.id)
    }

    pub(super) fn add(&mut self, key: &Key, id: SessionId) {
        self.insert((key.hint(), id));
    }

    fn insert(&mut self, entry: (u64, SessionId)) {
        if self.by_hint.insert(entry) {
            self.order.push_back(entry);
        }
        while self.order.len() > MOST_RECENT {
            if let Some(oldest) = self.order.pop_front() {
                self.by_hint.remove(&oldest);
            }
        }
    }

    /// Sessions that may have been under a key, newest first. Another key may share the hint.
    pub(super) fn under(&self, key: &Key) -> impl Iterator<Item = SessionId> + '_ {
        let hint = key.hint();
        let ids = self
            .by_hint
            .range((hint, SessionId(0))..=(hint, SessionId(u64::MAX)));
        ids.rev().map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            nas: NasId(1),
            acct_session_id: b"81".to_vec(),
            username: name.to_owned(),
        }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_leave() {
        let mut recent = Recent::default();
        for id in [3, 1, 2, 2] {
            recent.add(&key("a"), SessionId(id));
        }
        let under = |recent: &Recent| recent.under(&key("a")).map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(under(&recent), [3, 2, 1]);
        assert_eq!(recent.under(&key("b")).count(), 0);
        for id in 0..MOST_RECENT - 2 {
            recent.add(&key("b"), SessionId(u64::try_from(id).unwrap()));
        }
        assert_eq!(under(&recent), [2, 1], "3 was the first to come");
        assert_eq!(recent.by_hint.len(), MOST_RECENT);
        assert_eq!(recent.order.len(), MOST_RECENT);
    }

    #[test]
    fn what_was_walked_over_leaves_in_the_order_in_which_it_came() {
        let hint = key("a").hint();
        let entries: Vec<_> = (0..=u64::try_from(MOST_RECENT).unwrap())
            .rev()
            .map(|id| (hint, SessionId(id)))
            .collect();
        let mut recent = Recent::of_newest_first(&entries);
        let bounds = |recent: &Recent| {
            let mut under = recent.under(&key("a"));
            (under.next().unwrap().0, under.last().unwrap().0)
        };
        assert_eq!(bounds(&recent), (65_536, 1));
        recent.add(&key("a"), SessionId(70_000));
        assert_eq!(bounds(&recent), (70_000, 2));
        assert_eq!(recent.order.len(), MOST_RECENT);
    }
}
