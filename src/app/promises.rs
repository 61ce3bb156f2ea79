//! The speed that each accepted login was promised, until the first record of its session says that it has it.
//!
//! Each login has one place, by the low digits of its id. Ids of one start follow one another in odd steps, so any
//! [`MOST_PROMISES`] of them in a row have a place each: what is kept are the newest logins, and keeping one is one store.

use std::sync::{Mutex, PoisonError};

use crate::domain::id::LoginId;
use crate::domain::rate::RateLimit;

/// Logins kept, some 100 octets each once they came, and 16 before. A record whose promise is gone leaves the speed of its session unknown, and
/// the next sweep tells the router again. A power of two, as the ids need.
const MOST_PROMISES: u64 = 1 << 14;

/// A lock for each place: two logins hardly ever meet.
pub struct Promises(Box<[Mutex<Option<Box<Promise>>>]>);

struct Promise {
    login: LoginId,
    limit: RateLimit,
}

impl Promises {
    pub(super) fn new() -> Self {
        Promises((0..MOST_PROMISES).map(|_| Mutex::default()).collect())
    }

    pub fn make(&self, login: LoginId, limit: RateLimit) {
        if let Some(place) = self.place(login) {
            let promise = Promise { login, limit };
            match &mut *place.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(older) => **older = promise,
                empty => *empty = Some(Box::new(promise)),
            }
        }
    }

    pub fn of(&self, login: LoginId) -> Option<RateLimit> {
        let place = self.place(login)?.lock();
        let place = place.unwrap_or_else(PoisonError::into_inner);
        let promise = place.as_deref().filter(|kept| kept.login == login)?;
        Some(promise.limit)
    }

    fn place(&self, login: LoginId) -> Option<&Mutex<Option<Box<Promise>>>> {
        self.0.get(usize::try_from(login.0 % MOST_PROMISES).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::LoginIds;
    use crate::domain::rate::Rate;

    fn limit(kbps: u64) -> RateLimit {
        RateLimit {
            rate: Rate::new(kbps, kbps),
            burst: None,
            priority: 8,
        }
    }

    #[test]
    fn promises_are_kept_by_login() {
        let promises = Promises::new();
        promises.make(LoginId(1), limit(64));
        promises.make(LoginId(2), limit(128));
        assert_eq!(promises.of(LoginId(1)), Some(limit(64)));
        assert_eq!(promises.of(LoginId(2)), Some(limit(128)));
        assert_eq!(promises.of(LoginId(3)), None);
        assert_eq!(promises.of(LoginId(1 + MOST_PROMISES)), None);
    }

    #[test]
    fn the_newest_logins_are_kept_and_no_others() {
        let promises = Promises::new();
        let ids = LoginIds::new().unwrap();
        let logins: Vec<LoginId> = (0..=MOST_PROMISES).map(|_| ids.next()).collect();
        for (kbps, login) in (0..).zip(&logins) {
            promises.make(*login, limit(kbps));
        }
        let kept = (0..)
            .zip(&logins)
            .filter(|(kbps, login)| promises.of(**login) == Some(limit(*kbps)));
        let kept: Vec<u64> = kept.map(|(kbps, _)| kbps).collect();
        assert_eq!(kept, (1..=MOST_PROMISES).collect::<Vec<_>>());
    }
}
