//! Speeds.

use super::Invalid;
use std::fmt;

/// The slowest speed anybody is given, in kbit/s (rules.md section 5, step 7).
pub const SLOWEST_KBPS: u64 = 64;
/// RouterOS queues end near 2^32 bit/s (rules.md section 5, step 7).
pub const FASTEST_KBPS: u64 = 4_294_967;

/// A pair of speeds in kbit/s (1000 bit/s) as the subscriber sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub upload_kbps: u64,
    pub download_kbps: u64,
}

impl Rate {
    pub fn new(upload_kbps: u64, download_kbps: u64) -> Rate {
        Rate {
            upload_kbps,
            download_kbps,
        }
    }

    pub fn upload_bps(self) -> u64 {
        self.upload_kbps.saturating_mul(1000)
    }

    pub fn download_bps(self) -> u64 {
        self.download_kbps.saturating_mul(1000)
    }

    fn each(self, f: impl Fn(u64) -> u64) -> Rate {
        Rate {
            upload_kbps: f(self.upload_kbps),
            download_kbps: f(self.download_kbps),
        }
    }

    fn with(self, other: Rate, f: impl Fn(u64, u64) -> u64) -> Rate {
        Rate {
            upload_kbps: f(self.upload_kbps, other.upload_kbps),
            download_kbps: f(self.download_kbps, other.download_kbps),
        }
    }

    /// At least 64 kbit/s, at most what the router can do.
    #[must_use]
    pub fn clamp(self, fastest_kbps: u64) -> Rate {
        let fastest = fastest_kbps.max(SLOWEST_KBPS);
        self.each(|kbps| kbps.clamp(SLOWEST_KBPS, fastest))
    }

    /// The slower of both in each direction.
    #[must_use]
    pub fn lowest(self, other: Rate) -> Rate {
        self.with(other, u64::min)
    }

    /// The faster of both in each direction.
    #[must_use]
    pub fn highest(self, other: Rate) -> Rate {
        self.with(other, u64::max)
    }

    /// 100 is unchanged. Rounded down.
    #[must_use]
    pub fn percent(self, percent: u16) -> Rate {
        self.each(|kbps| kbps.saturating_mul(percent.into()) / 100)
    }

    /// Multiplied by `to / from` in each direction, rounded down; from nothing it stays.
    #[must_use]
    pub fn scaled(self, from: Rate, to: Rate) -> Rate {
        let scale = |kbps: u64, from: u64, to: u64| match from {
            0 => kbps,
            from => {
                let scaled = u128::from(kbps) * u128::from(to) / u128::from(from);
                u64::try_from(scaled).unwrap_or(u64::MAX)
            }
        };
        Rate {
            upload_kbps: scale(self.upload_kbps, from.upload_kbps, to.upload_kbps),
            download_kbps: scale(self.download_kbps, from.download_kbps, to.download_kbps),
        }
    }

    /// Whether it is slower than the other in any direction.
    pub fn is_slower(self, than: Rate) -> bool {
        self.lowest(than) != than
    }

    /// One direction as typed: `2048`, `512k`, `10M`, `1G`; a bare number is kbit/s.
    pub fn parse_kbps(text: &str) -> Result<u64, Invalid> {
        let text = text.trim();
        let (digits, scale) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1),
            Some((at, 'm' | 'M')) => (text.get(..at), 1_000),
            Some((at, 'g' | 'G')) => (text.get(..at), 1_000_000),
            _ => (Some(text), 1),
        };
        let kbps = digits
            .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|d| d.parse::<u64>().ok())
            .and_then(|n| n.checked_mul(scale))
            .ok_or_else(|| Invalid::new("A speed in kbit/s, such as 2048, 512k or 10M"))?;
        if (SLOWEST_KBPS..=FASTEST_KBPS).contains(&kbps) {
            Ok(kbps)
        } else {
            Err(Invalid::new(format!(
                "Between {SLOWEST_KBPS} and {FASTEST_KBPS} kbit/s"
            )))
        }
    }
}

/// One direction in the largest exact unit that [`Rate::parse_kbps`] reads back: `20M`, `2048k`, `1G`.
pub fn typed_kbps(kbps: u64) -> String {
    match kbps {
        kbps if kbps >= 1_000_000 && kbps % 1_000_000 == 0 => format!("{}G", kbps / 1_000_000),
        kbps if kbps >= 1_000 && kbps % 1_000 == 0 => format!("{}M", kbps / 1_000),
        kbps => format!("{kbps}k"),
    }
}

/// `10 Mbit/s`, `512 kbit/s`, `2.5 Mbit/s`.
#[derive(Debug, Clone, Copy)]
pub struct Kbps(pub u64);

impl fmt::Display for Kbps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            kbps if kbps >= 1_000_000 && kbps % 100_000 == 0 => scaled(f, kbps / 100_000, "Gbit/s"),
            kbps if kbps >= 1_000 && kbps % 100 == 0 => scaled(f, kbps / 100, "Mbit/s"),
            kbps => write!(f, "{kbps} kbit/s"),
        }
    }
}

fn scaled(f: &mut fmt::Formatter<'_>, tenths: u64, unit: &str) -> fmt::Result {
    match tenths % 10 {
        0 => write!(f, "{} {unit}", tenths / 10),
        tenth => write!(f, "{}.{tenth} {unit}", tenths / 10),
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} down, {} up",
            Kbps(self.download_kbps),
            Kbps(self.upload_kbps)
        )
    }
}

/// A short time above the plain speed: while the average over `time_s` stays under the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    pub rate: Rate,
    pub threshold: Rate,
    /// Averaging time in seconds, 1 to 3600.
    pub time_s: u32,
}

impl Burst {
    /// Seconds at the burst speed from idle, upload and download: threshold * time / burst, rounded down (mikrotik.md a3).
    pub fn seconds_from_idle(self) -> (u64, u64) {
        let seconds = |threshold: u64, burst: u64| {
            threshold.saturating_mul(self.time_s.into()) / burst.max(1)
        };
        (
            seconds(self.threshold.upload_kbps, self.rate.upload_kbps),
            seconds(self.threshold.download_kbps, self.rate.download_kbps),
        )
    }
}

/// What a router is told about one session's speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    pub rate: Rate,
    pub burst: Option<Burst>,
    /// 1 highest to 8 lowest (RouterOS queues).
    pub priority: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_speeds() {
        for (text, kbps) in [
            ("2048", 2048),
            (" 512k ", 512),
            ("10M", 10_000),
            ("1g", 1_000_000),
            ("64", 64),
            ("4294967", 4_294_967),
        ] {
            assert_eq!(Rate::parse_kbps(text), Ok(kbps), "{text}");
        }
        for text in [
            "",
            "k",
            "63",
            "4294968",
            "5G",
            "-1",
            "1.5M",
            "99999999999999999999G",
            "١٠",
        ] {
            assert!(Rate::parse_kbps(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_in_the_largest_exact_unit() {
        for (kbps, text) in [
            (512, "512 kbit/s"),
            (2048, "2048 kbit/s"),
            (2_500, "2.5 Mbit/s"),
            (10_000, "10 Mbit/s"),
            (1_000_000, "1 Gbit/s"),
            (1_200_000, "1.2 Gbit/s"),
        ] {
            assert_eq!(Kbps(kbps).to_string(), text);
        }
    }

    #[test]
    fn what_is_typed_reads_back_in_the_largest_exact_unit() {
        for (kbps, text) in [
            (64, "64k"),
            (1_000, "1M"),
            (2_048, "2048k"),
            (20_000, "20M"),
            (1_000_000, "1G"),
            (1_500_000, "1500M"),
        ] {
            assert_eq!(typed_kbps(kbps), text);
            assert_eq!(Rate::parse_kbps(text), Ok(kbps));
        }
    }

    #[test]
    fn a_burst_lasts_threshold_times_time_by_burst() {
        let burst = |threshold, time_s| Burst {
            rate: Rate::new(8_000, 30_000),
            threshold: Rate::new(threshold, 15_000),
            time_s,
        };
        assert_eq!(burst(4_000, 16).seconds_from_idle(), (8, 8));
        assert_eq!(burst(8_000, 15).seconds_from_idle(), (15, 7));
        let none = Burst {
            rate: Rate::new(0, 0),
            ..burst(1, 1)
        };
        assert_eq!(none.seconds_from_idle(), (1, 15_000));
    }
}
