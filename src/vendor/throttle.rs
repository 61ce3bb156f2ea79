//! How often one address may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::Refusal;

type Limiter = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>;

/// Addresses that are remembered before those that have recovered are forgotten.
const MOST_REMEMBERED: usize = 10_000;

/// What is asked for; each has a pace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Heartbeats and the like: hourly from each machine, and a few machines behind one address.
    Question,
    /// A new licence: rare.
    Register,
    /// A password of the page.
    SignIn,
}

pub struct Throttle {
    question: Limiter,
    register: Limiter,
    sign_in: Limiter,
}

impl Default for Throttle {
    fn default() -> Self {
        Throttle {
            question: limiter(60, 1),
            register: limiter(5, 600),
            sign_in: limiter(5, 12),
        }
    }
}

/// So many at once, then one every so many seconds.
fn limiter(burst: u32, every_seconds: u64) -> Limiter {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(Duration::from_secs(every_seconds.max(1)))
        .unwrap_or(Quota::per_minute(NonZeroU32::MIN))
        .allow_burst(burst);
    RateLimiter::keyed(quota)
}

impl Throttle {
    /// Errors: `TooMany`.
    pub fn admit(&self, kind: Kind, address: IpAddr) -> Result<(), Refusal> {
        let limiter = match kind {
            Kind::Question => &self.question,
            Kind::Register => &self.register,
            Kind::SignIn => &self.sign_in,
        };
        if limiter.len() > MOST_REMEMBERED {
            limiter.retain_recent();
        }
        let admitted = limiter.check_key(&network(address));
        admitted.map_err(|_| Refusal::TooMany)
    }
}

/// One customer has a whole IPv6 prefix of 64 bits, so that counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let throttle = Throttle::default();
        let ask = |address: &str| {
            throttle
                .admit(Kind::Register, address.parse().unwrap())
                .is_ok()
        };
        let asked: Vec<bool> = (0..6).map(|_| ask("192.0.2.1")).collect();
        assert_eq!(asked, [true, true, true, true, true, false]);
        assert!(!ask("::ffff:192.0.2.1"), "the same address over IPv6");
        assert!(ask("192.0.2.2"));
        let asked: Vec<bool> = (0..6).map(|n| ask(&format!("2001:db8::{n}"))).collect();
        assert_eq!(asked, [true, true, true, true, true, false]);
        assert!(ask("2001:db8:0:1::"));
        assert!(
            throttle
                .admit(Kind::SignIn, "192.0.2.1".parse().unwrap())
                .is_ok()
        );
    }
}
