//! The speed that each accepted login was promised, until the first record of its session says that it has it.

use quick_cache::sync::Cache;

use crate::domain::id::LoginId;
use crate::domain::rate::RateLimit;

/// Logins kept, about 100 octets each. A record whose promise is gone leaves the speed of its session unknown, and the
/// next sweep tells the router again.
const MOST_PROMISES: usize = 16_384;

pub struct Promises(Cache<LoginId, RateLimit>);

impl Promises {
    pub(super) fn new() -> Self {
        Promises(Cache::new(MOST_PROMISES))
    }

    pub fn make(&self, login: LoginId, limit: RateLimit) {
        self.0.insert(login, limit);
    }

    pub fn of(&self, login: LoginId) -> Option<RateLimit> {
        self.0.get(&login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rate::Rate;

    #[test]
    fn promises_are_kept_by_login_and_are_not_more_than_there_is_room_for() {
        let promises = Promises::new();
        let limit = |kbps| RateLimit {
            rate: Rate::new(kbps, kbps),
            burst: None,
            priority: 8,
        };
        promises.make(LoginId(1), limit(64));
        promises.make(LoginId(2), limit(128));
        assert_eq!(promises.of(LoginId(1)), Some(limit(64)));
        assert_eq!(promises.of(LoginId(3)), None);
        for login in 0..50_000 {
            promises.make(LoginId(login), limit(login));
        }
        assert!(promises.0.len() <= MOST_PROMISES);
    }
}
