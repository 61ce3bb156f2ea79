//! Amounts of traffic.

use std::fmt;
use std::ops::{Add, AddAssign};

/// Octets in both directions, as the subscriber sees them: upload is what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    pub upload: u64,
    pub download: u64,
}

impl Traffic {
    pub const ZERO: Traffic = Traffic {
        upload: 0,
        download: 0,
    };

    pub fn new(upload: u64, download: u64) -> Self {
        Self { upload, download }
    }

    pub fn total(self) -> u64 {
        self.upload.saturating_add(self.download)
    }

    /// What `self` has beyond `earlier`, in each direction, never below zero.
    pub fn beyond(self, earlier: Traffic) -> Traffic {
        Traffic {
            upload: self.upload.saturating_sub(earlier.upload),
            download: self.download.saturating_sub(earlier.download),
        }
    }

    /// The higher of both in each direction.
    pub fn highest(self, other: Traffic) -> Traffic {
        Traffic {
            upload: self.upload.max(other.upload),
            download: self.download.max(other.download),
        }
    }
}

impl Add for Traffic {
    type Output = Traffic;
    /// Saturates at 16 EiB, which no counter of ours reaches.
    fn add(self, other: Traffic) -> Traffic {
        Traffic {
            upload: self.upload.saturating_add(other.upload),
            download: self.download.saturating_add(other.download),
        }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        *self = *self + other;
    }
}

/// Octets for people, in decimal units as quotas are sold: `0 B`, `999 B`, `1.5 GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octets(pub u64);

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (1_000_000_000_000_000_000, "EB"),
            (1_000_000_000_000_000, "PB"),
            (1_000_000_000_000, "TB"),
            (1_000_000_000, "GB"),
            (1_000_000, "MB"),
            (1_000, "kB"),
        ];
        for (scale, unit) in UNITS {
            if self.0 >= scale {
                let tenths = self.0 / (scale / 10);
                return if tenths >= 1000 {
                    write!(f, "{} {unit}", tenths / 10)
                } else {
                    write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_for_people() {
        for (octets, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_550_000_000, "1.5 GB"),
            (99_949_000_000, "99.9 GB"),
            (100_000_000_000, "100 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(Octets(octets).to_string(), text);
        }
    }

    #[test]
    fn beyond_never_goes_below_zero() {
        let seen = Traffic::new(10, 20);
        assert_eq!(Traffic::new(15, 5).beyond(seen), Traffic::new(5, 0));
        assert_eq!(Traffic::new(15, 5).highest(seen), Traffic::new(15, 20));
        assert_eq!(
            (Traffic::new(u64::MAX, 1) + Traffic::new(1, 1)).upload,
            u64::MAX
        );
    }
}
