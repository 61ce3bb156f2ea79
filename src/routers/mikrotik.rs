//! MikroTik's own attributes (vendor 14988), above all Mikrotik-Rate-Limit.
//!
//! The grammar is in mikrotik.md a3. Fields are positional, so a priority or a minimum needs the burst fields before
//! it. Upload comes first: RouterOS counts from its own side, and what it receives is upload.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::RouterError;
use crate::domain::rate::{Rate, RateLimit};
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::mikrotik;

/// The priority that is not written. MikroTik's manual names none; 8 is the lowest.
const USUAL_PRIORITY: u8 = 8;
/// Seconds of a burst whose time is left out.
const USUAL_TIME: u64 = 1;
/// rate, burst, threshold, time, priority, minimum.
const MOST_FIELDS: usize = 6;

pub(super) fn push_rate_limit(
    limit: &RateLimit,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    // Room for the longest usual one, so that it is not moved while it grows.
    let mut text = String::with_capacity(64);
    let _ = write!(text, "{}", RateLimitText::from(limit));
    Ok(out.push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, &text)?)
}

/// The session's address joins this firewall address list. Only for an Access-Accept (mikrotik.md a4).
pub(super) fn push_address_list(list: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(mikrotik::VENDOR, mikrotik::ADDRESS_LIST, list)?)
}

/// The PPP profile, or the user profile of a hotspot.
pub(super) fn push_group(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(mikrotik::VENDOR, mikrotik::GROUP, name)?)
}

/// The pool for DHCPv6 prefix delegation on the PPP link.
pub(super) fn push_delegated_pool(
    pool: &str,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(mikrotik::VENDOR, mikrotik::DELEGATED_IPV6_POOL, pool)?)
}

/// A value for each direction: bit/s or seconds. As a rate, 0 is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub upload: u64,
    pub download: u64,
}

impl Pair {
    pub fn new(upload: u64, download: u64) -> Pair {
        Pair { upload, download }
    }

    fn both(value: u64) -> Pair {
        Pair::new(value, value)
    }

    /// `10M/512k` or `1000/2000`: rates in bit/s or plain numbers; without the second both are the same.
    pub fn parse(text: &str) -> Option<Pair> {
        pair(text, bits)
    }

    fn is_zero(self) -> bool {
        self == Pair::both(0)
    }
}

impl From<Rate> for Pair {
    fn from(rate: Rate) -> Pair {
        Pair::new(rate.upload_bps(), rate.download_bps())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurstText {
    pub rate: Pair,
    pub threshold: Pair,
    /// Seconds.
    pub time: Pair,
}

/// The value of Mikrotik-Rate-Limit: `Display` writes what RouterOS documents, `FromStr` also reads what others write.
///
/// Reading what was written gives the same again, but for a burst that says "none": that is read as `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitText {
    pub rate: Pair,
    pub burst: Option<BurstText>,
    /// 1 highest to 8 lowest.
    pub priority: u8,
    /// Guaranteed; the rate itself if nothing else was said.
    pub minimum: Pair,
}

impl From<&RateLimit> for RateLimitText {
    fn from(limit: &RateLimit) -> RateLimitText {
        let rate = Pair::from(limit.rate);
        RateLimitText {
            rate,
            burst: limit.burst.map(|burst| BurstText {
                rate: burst.rate.into(),
                threshold: burst.threshold.into(),
                time: Pair::both(burst.time_s.into()),
            }),
            priority: limit.priority.clamp(1, USUAL_PRIORITY),
            minimum: rate,
        }
    }
}

impl RateLimitText {
    /// A burst that changes nothing, for when only the fields behind it matter.
    fn idle_burst(&self) -> BurstText {
        BurstText {
            rate: self.rate,
            threshold: self.rate,
            time: Pair::both(USUAL_TIME),
        }
    }
}

impl fmt::Display for RateLimitText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rate)?;
        let has_minimum = self.minimum != self.rate;
        let has_priority = has_minimum || self.priority != USUAL_PRIORITY;
        let burst = match self.burst {
            Some(burst) => burst,
            None if has_priority => self.idle_burst(),
            None => return Ok(()),
        };
        let time = burst.time;
        write!(f, " {} {}", burst.rate, burst.threshold)?;
        write!(f, " {}/{}", time.upload, time.download)?;
        if has_priority {
            write!(f, " {}", self.priority)?;
        }
        if has_minimum {
            write!(f, " {}", self.minimum)?;
        }
        Ok(())
    }
}

/// As rates, `10M/512k`: the largest exact unit. No `G`, which RouterOS does not document.
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rate(self.upload, f)?;
        f.write_str("/")?;
        write_rate(self.download, f)
    }
}

fn write_rate(bps: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match bps {
        0 => f.write_str("0"),
        bps if bps % 1_000_000 == 0 => write!(f, "{}M", bps / 1_000_000),
        bps if bps % 1_000 == 0 => write!(f, "{}k", bps / 1_000),
        bps => write!(f, "{bps}"),
    }
}

impl FromStr for RateLimitText {
    type Err = RouterError;

    /// Lenient: suffixes in any case, `G` too, any white space between fields. What is left out has its default.
    /// A burst of 0/0, or one that repeats the rate as burst and threshold, is how "none" is said, and is `None`.
    /// Errors: `RateLimit` with the field's name and text.
    fn from_str(text: &str) -> Result<RateLimitText, RouterError> {
        let mut fields = text.split_whitespace();
        if text.split_whitespace().nth(MOST_FIELDS).is_some() {
            return Err(refused("the end", text));
        }
        let mut next = |field, read: fn(&str) -> Option<u64>| match fields.next() {
            Some(text) => pair(text, read)
                .map(Some)
                .ok_or_else(|| refused(field, text)),
            None => Ok(None),
        };
        let rate = next("the rate", bits)?.ok_or_else(|| refused("the rate", text))?;
        let burst = next("the burst rate", bits)?;
        let threshold = next("the threshold", bits)?;
        let time = next("the burst time", seconds)?;
        let priority = match fields.next() {
            Some(text) => priority(text).ok_or_else(|| refused("the priority", text))?,
            None => USUAL_PRIORITY,
        };
        let minimum = match fields.next() {
            Some(text) => pair(text, bits).ok_or_else(|| refused("the minimum", text))?,
            None => rate,
        };
        let burst = burst
            .map(|burst| BurstText {
                rate: burst,
                threshold: threshold.unwrap_or(rate),
                time: time.unwrap_or(Pair::both(USUAL_TIME)),
            })
            .filter(|burst| !burst.rate.is_zero() && (burst.rate, burst.threshold) != (rate, rate));
        Ok(RateLimitText {
            rate,
            burst,
            priority,
            minimum,
        })
    }
}

fn refused(field: &'static str, text: &str) -> RouterError {
    RouterError::RateLimit {
        field,
        text: text.chars().take(80).collect(),
    }
}

/// `rx[/tx]`; without tx both are the same.
fn pair(text: &str, read: fn(&str) -> Option<u64>) -> Option<Pair> {
    match text.split_once('/') {
        Some((upload, download)) => Some(Pair::new(read(upload)?, read(download)?)),
        None => read(text).map(Pair::both),
    }
}

fn bits(text: &str) -> Option<u64> {
    let (digits, scale) = match text.chars().next_back()? {
        'k' | 'K' => (text.get(..text.len() - 1)?, 1_000),
        'm' | 'M' => (text.get(..text.len() - 1)?, 1_000_000),
        'g' | 'G' => (text.get(..text.len() - 1)?, 1_000_000_000),
        _ => (text, 1),
    };
    seconds(digits)?.checked_mul(scale)
}

/// Digits and nothing else; `parse` would take a plus sign.
fn seconds(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn priority(text: &str) -> Option<u8> {
    let value = u8::try_from(seconds(text)?).ok()?;
    (1..=USUAL_PRIORITY).contains(&value).then_some(value)
}

#[cfg(test)]
#[path = "mikrotik_tests.rs"]
mod tests;
