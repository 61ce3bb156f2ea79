//! Amounts of traffic.

use super::Invalid;
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

    /// The lower of both in each direction.
    pub fn lowest(self, other: Traffic) -> Traffic {
        Traffic {
            upload: self.upload.min(other.upload),
            download: self.download.min(other.download),
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

/// What was used, and the part of it that does not count against quota and tiers: free hours, and a CDN's octets.
/// Invariant of everybody who books: `free` is never above `raw`, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// As the router counted it; never lowered.
    pub raw: Traffic,
    pub free: Traffic,
}

impl Usage {
    pub const ZERO: Usage = Usage {
        raw: Traffic::ZERO,
        free: Traffic::ZERO,
    };

    /// What counts against quota and tiers.
    pub fn counted(self) -> Traffic {
        self.raw.beyond(self.free)
    }
}

impl From<Traffic> for Usage {
    /// All of it counts.
    fn from(raw: Traffic) -> Usage {
        Usage {
            raw,
            free: Traffic::ZERO,
        }
    }
}

impl Add for Usage {
    type Output = Usage;
    fn add(self, other: Usage) -> Usage {
        Usage {
            raw: self.raw + other.raw,
            free: self.free + other.free,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}

/// Octets for people, in decimal units as quotas are sold: `0 B`, `999 B`, `1.5 GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octets(pub u64);

const GIGABYTE: u64 = 1_000_000_000;

impl Octets {
    /// Reads gigabytes as a person types them, `100` or `12.5`: more than nothing, exact to the octet.
    pub fn parse_gigabytes(text: &str) -> Result<Octets, Invalid> {
        let refused = || Invalid::new("Gigabytes, such as 100 or 12.5");
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return Err(refused());
        }
        let octets = format!("{whole}{fraction:0<9}").parse::<u64>();
        match octets {
            Ok(0) | Err(_) => Err(refused()),
            Ok(octets) => Ok(Octets(octets)),
        }
    }

    /// Readable back by [`Octets::parse_gigabytes`].
    pub fn gigabytes(self) -> String {
        let fraction = format!("{:09}", self.0 % GIGABYTE);
        match fraction.trim_end_matches('0') {
            "" => (self.0 / GIGABYTE).to_string(),
            fraction => format!("{}.{fraction}", self.0 / GIGABYTE),
        }
    }
}

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
        assert_eq!(Traffic::new(15, 5).lowest(seen), Traffic::new(10, 5));
        assert_eq!(
            (Traffic::new(u64::MAX, 1) + Traffic::new(1, 1)).upload,
            u64::MAX
        );
    }

    #[test]
    fn what_is_free_does_not_count_and_stays_in_the_whole() {
        let free = Traffic::new(3, 5);
        let usage = Usage::from(Traffic::new(10, 20)) + Usage { raw: free, free };
        assert_eq!(usage.raw, Traffic::new(13, 25));
        assert_eq!(usage.counted(), Traffic::new(10, 20));
    }

    #[test]
    fn gigabytes_are_read_exactly_and_back() {
        for (text, octets) in [
            ("1", 1_000_000_000),
            ("12.5", 12_500_000_000),
            (" 0.000000001 ", 1),
            ("18446744073.709551615", u64::MAX),
        ] {
            let read = Octets::parse_gigabytes(text).unwrap();
            assert_eq!(read.0, octets);
            assert_eq!(read.gigabytes(), text.trim());
        }
        for text in [
            "",
            "0",
            "0.0",
            "-1",
            "1,5",
            "1.",
            ".5",
            "1.0000000001",
            "18446744073.709551616",
            "9".repeat(30).as_str(),
        ] {
            assert!(Octets::parse_gigabytes(text).is_err(), "{text}");
        }
    }
}
