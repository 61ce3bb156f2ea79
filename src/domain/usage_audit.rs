//! The nightly audit of usage: what it found (rules.md section 2).

use super::id::SubscriberId;
use super::octets::Usage;
use super::time::Timestamp;

/// Differences that are kept; a page of them says enough, whatever went wrong.
pub const MOST_DIFFERENCES: usize = 100;

/// One subscriber's usage, summed in three ways that must agree, of raw and of free octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub sessions: Usage,
    pub days: Usage,
    pub months: Usage,
}

impl Sums {
    pub fn agree(&self) -> bool {
        self.sessions == self.days && self.days == self.months
    }
}

/// What one audit found. A difference is shown, never corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageAudit {
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    /// Subscribers with any usage.
    pub looked_at: u64,
    /// Those whose sums do not agree.
    pub differing: u64,
    /// The first of them, at most [`MOST_DIFFERENCES`].
    pub differences: Vec<(SubscriberId, Sums)>,
}

impl UsageAudit {
    pub fn begin(now: Timestamp) -> UsageAudit {
        UsageAudit {
            began_at: now,
            ended_at: now,
            looked_at: 0,
            differing: 0,
            differences: Vec::new(),
        }
    }

    pub fn take(&mut self, subscriber: SubscriberId, sums: Sums) {
        self.looked_at += 1;
        if sums.agree() {
            return;
        }
        self.differing += 1;
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push((subscriber, sums));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::octets::Traffic;

    #[test]
    fn sums_agree_in_raw_and_in_free_octets() {
        let whole = Usage {
            raw: Traffic::new(10, 100),
            free: Traffic::new(1, 0),
        };
        let agreeing = Sums {
            sessions: whole,
            days: whole,
            months: whole,
        };
        let other = Usage {
            free: Traffic::ZERO,
            ..whole
        };
        let mut audit = UsageAudit::begin(Timestamp(7));
        audit.take(SubscriberId(1), agreeing);
        for (id, sums) in [
            (
                2,
                Sums {
                    sessions: other,
                    ..agreeing
                },
            ),
            (
                3,
                Sums {
                    days: other,
                    ..agreeing
                },
            ),
            (
                4,
                Sums {
                    months: other,
                    ..agreeing
                },
            ),
        ] {
            audit.take(SubscriberId(id), sums);
        }
        assert_eq!((audit.looked_at, audit.differing), (4, 3));
        let named: Vec<u32> = audit.differences.iter().map(|(id, _)| id.0).collect();
        assert_eq!(named, [2, 3, 4]);
        for id in 5..500 {
            audit.take(
                SubscriberId(id),
                Sums {
                    months: other,
                    ..agreeing
                },
            );
        }
        assert_eq!(audit.differing, 498);
        assert_eq!(audit.differences.len(), MOST_DIFFERENCES);
    }
}
