//! Browsers whose password was right and that owe a code. In memory only: after a restart the password is asked again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::crypto::{self, Secret};
use crate::domain::id::OperatorId;
use crate::domain::time::{MINUTE, Timestamp};
use crate::operations::Error;
use crate::store::operators::TokenHash;

/// How long a browser may take to send the code.
const PATIENCE: i64 = 5 * MINUTE;
/// Wrong codes after which the password is asked again.
const MOST_TRIES: u8 = 5;
/// Browsers that may owe a code at a time; beyond it the oldest begins anew. Each has known a password.
const MOST_WAITING: usize = 1_000;

/// Keyed by the hash of the token in the browser's cookie.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<TokenHash, Waits>>);

/// One of them. No Debug: it holds the hash of a password.
#[derive(Clone)]
pub(super) struct Waits {
    pub operator: OperatorId,
    /// As it was then: a changed password ends the wait.
    pub password_hash: String,
    until: Timestamp,
    tries: u8,
}

impl Waiting {
    /// A token for a browser that is to send a code next.
    pub fn begin(
        &self,
        operator: OperatorId,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let token = crypto::random_token()?;
        let mut list = self.list();
        list.retain(|_, waits| now < waits.until);
        if list.len() >= MOST_WAITING {
            let oldest = list.iter().min_by_key(|(_, waits)| waits.until);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                list.remove(&oldest);
            }
        }
        let waits = Waits {
            operator,
            password_hash: password_hash.to_owned(),
            until: now.plus(PATIENCE),
            tries: 0,
        };
        list.insert(hash(&token), waits);
        Ok(Secret::new(token))
    }

    pub fn find(&self, token: &str, now: Timestamp) -> Option<Waits> {
        let waits = self.list().get(&hash(token)).cloned();
        waits.filter(|waits| now < waits.until)
    }

    /// Counts a try. False, and the browser begins anew, when there were enough.
    pub fn count_try(&self, token: &str) -> bool {
        let mut list = self.list();
        let Some(waits) = list.get_mut(&hash(token)) else {
            return false;
        };
        waits.tries = waits.tries.saturating_add(1);
        let may_try = waits.tries <= MOST_TRIES;
        if !may_try {
            list.remove(&hash(token));
        }
        may_try
    }

    pub fn end(&self, token: &str) {
        self.list().remove(&hash(token));
    }

    fn list(&self) -> MutexGuard<'_, HashMap<TokenHash, Waits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> TokenHash {
    crypto::sha256(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn begin(waiting: &Waiting, now: Timestamp) -> String {
        let token = waiting.begin(OperatorId(7), "hash", now).unwrap();
        token.expose().clone()
    }

    #[test]
    fn a_wait_ends_after_minutes_or_wrong_codes() {
        let waiting = Waiting::default();
        let token = begin(&waiting, NOW);
        let found = waiting.find(&token, NOW.plus(PATIENCE - 1)).unwrap();
        assert_eq!(found.operator, OperatorId(7));
        assert!(waiting.find(&token, NOW.plus(PATIENCE)).is_none());
        assert!(waiting.find("another", NOW).is_none());
        for number in 1..=MOST_TRIES {
            assert!(waiting.count_try(&token), "try {number}");
        }
        assert!(!waiting.count_try(&token));
        assert!(waiting.find(&token, NOW).is_none());
        let other = begin(&waiting, NOW);
        waiting.end(&other);
        assert!(waiting.find(&other, NOW).is_none() && !waiting.count_try(&other));
    }

    #[test]
    fn the_list_is_bounded_and_forgets_what_is_over() {
        let waiting = Waiting::default();
        let first = begin(&waiting, NOW);
        let second = begin(&waiting, NOW.plus(1));
        for _ in 2..MOST_WAITING {
            begin(&waiting, NOW.plus(2));
        }
        assert!(waiting.find(&first, NOW).is_some());
        begin(&waiting, NOW.plus(3));
        assert!(waiting.find(&first, NOW).is_none() && waiting.find(&second, NOW).is_some());
        assert_eq!(waiting.list().len(), MOST_WAITING);
        begin(&waiting, NOW.plus(PATIENCE + 3));
        assert_eq!(waiting.list().len(), 1);
    }
}
