//! When a request is sent again (RFC 5080 s2.2.1). Pure: durations out, no clock.

use std::time::Duration;

/// The four numbers of RFC 5080, named as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// IRT: wait after the first send; doubled after each further one.
    pub initial: Duration,
    /// MRT: no wait is longer.
    pub longest_wait: Duration,
    /// MRC: sends in total, the first included.
    pub sends: u32,
    /// MRD: from the first send to giving up.
    pub duration: Duration,
}

/// Sends of one request, whatever a schedule says.
const SENDS_MAX: u32 = 20;

impl Schedule {
    /// The defaults of RFC 5080: sends at 0, 2, 6 and 14 s, failure at 30 s.
    pub const RFC5080: Schedule = Schedule::new(2, 16, 5, 30);
    /// For a person who waits: sends at 0, 2 and 6 s, failure at 10 s.
    pub const INTERACTIVE: Schedule = Schedule::new(2, 16, 3, 10);
    /// For jobs: again after 1, 2 and 4 s, failure 4 s later (rules.md section 6).
    pub const JOB: Schedule = Schedule::new(1, 4, 4, 11);

    const fn new(initial: u64, longest_wait: u64, sends: u32, duration: u64) -> Self {
        Schedule {
            initial: Duration::from_secs(initial),
            longest_wait: Duration::from_secs(longest_wait),
            sends,
            duration: Duration::from_secs(duration),
        }
    }

    /// How long to wait after each send; one send per element, and the sum never passes `duration`.
    /// `spread` gives thousandths between -100 and 100, so that senders do not fall into step.
    pub fn waits(&self, mut spread: impl FnMut() -> i32) -> Vec<Duration> {
        let mut waits = Vec::new();
        let mut left = self.duration;
        let mut wait = scaled(self.initial, 1000, spread());
        for _ in 0..self.sends.min(SENDS_MAX) {
            if left.is_zero() {
                break;
            }
            let this = wait.min(left);
            waits.push(this);
            left -= this;
            let next = scaled(wait, 2000, spread());
            wait = if next > self.longest_wait {
                scaled(self.longest_wait, 1000, spread())
            } else {
                next
            };
        }
        waits
    }
}

/// `duration * (factor + spread) / 1000`; a spread outside -100..=100 counts as its nearest bound.
fn scaled(duration: Duration, factor: i32, spread: i32) -> Duration {
    let permille = u32::try_from(factor + spread.clamp(-100, 100)).unwrap_or_default();
    duration.saturating_mul(permille) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(schedule: Schedule, spread: i32) -> Vec<f64> {
        schedule
            .waits(|| spread)
            .iter()
            .map(Duration::as_secs_f64)
            .collect()
    }

    #[test]
    fn waits_double_up_to_every_bound() {
        assert_eq!(seconds(Schedule::RFC5080, 0), [2.0, 4.0, 8.0, 16.0]);
        assert_eq!(seconds(Schedule::INTERACTIVE, 0), [2.0, 4.0, 4.0]);
        assert_eq!(seconds(Schedule::JOB, 0), [1.0, 2.0, 4.0, 4.0]);
        let patient = Schedule {
            duration: Duration::from_secs(1000),
            sends: 6,
            ..Schedule::RFC5080
        };
        assert_eq!(seconds(patient, 0), [2.0, 4.0, 8.0, 16.0, 16.0, 16.0]);
        let endless = Schedule {
            sends: u32::MAX,
            duration: Duration::MAX,
            ..Schedule::RFC5080
        };
        assert_eq!(seconds(endless, 0).len(), 20);
        let never = Schedule {
            sends: 0,
            ..Schedule::RFC5080
        };
        assert!(seconds(never, 0).is_empty());
    }

    #[test]
    fn the_spread_is_a_tenth_at_most() {
        let (low, high) = (
            seconds(Schedule::RFC5080, -100),
            seconds(Schedule::RFC5080, 100),
        );
        assert_eq!((low[0], low[1]), (1.8, 3.42));
        assert_eq!((high[0], high[1]), (2.2, 4.62));
        assert_eq!(
            seconds(Schedule::RFC5080, 5000),
            high,
            "a wild spread is bounded"
        );
        assert!(low.iter().sum::<f64>() <= 30.0 && high.iter().sum::<f64>() <= 30.0);
    }
}
