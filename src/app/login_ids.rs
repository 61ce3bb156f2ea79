//! Ids of accepted logins, different from one another across restarts.
//!
//! They are no secret (the router sends them back under its shared secret), so asking the system for random octets at
//! each login would be a system call for nothing. Invariant: within one start no id comes twice.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::crypto::{CryptoError, random_bytes};
use crate::domain::id::LoginId;

/// 2^64 divided by the golden ratio: odd, so that all 2^64 ids come before one comes again, and far from any short
/// period, so that what is derived from neighbouring ids is spread evenly.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug)]
pub struct LoginIds(AtomicU64);

impl LoginIds {
    /// Starts at a random place. Errors: `Random`.
    pub(super) fn new() -> Result<LoginIds, CryptoError> {
        Ok(LoginIds::starting_at(u64::from_be_bytes(random_bytes()?)))
    }

    fn starting_at(first: u64) -> LoginIds {
        LoginIds(AtomicU64::new(first))
    }

    pub fn next(&self) -> LoginId {
        LoginId(self.0.fetch_add(STEP, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_and_spread_over_ten_minutes() {
        let ids = LoginIds::starting_at(u64::MAX - 5);
        let drawn: Vec<u64> = (0..6_000).map(|_| ids.next().0).collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
        let mut tenths = [0_u32; 10];
        for id in drawn {
            tenths[usize::try_from(id % 600 / 60).unwrap()] += 1;
        }
        assert!(
            tenths.iter().all(|count| (450..750).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn two_starts_begin_apart() {
        assert_ne!(
            LoginIds::new().unwrap().next(),
            LoginIds::new().unwrap().next()
        );
    }
}
