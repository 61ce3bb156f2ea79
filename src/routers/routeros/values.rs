//! Values as RouterOS writes them (mikrotik.md a2, b4), read; none where the text is no such value.

use std::time::Duration;

use crate::domain::time::{Day, Timestamp};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Units of a time in milliseconds, in the order in which they are written.
const UNITS: [(&str, u64); 6] = [
    ("w", 7 * 24 * HOUR),
    ("d", 24 * HOUR),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", 1),
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Time zones lie within fourteen hours of UTC.
const OFFSET_MAX_SECONDS: i64 = 14 * 3600;

/// `true` and `yes`, `false` and `no`.
pub fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// Digits and nothing else.
pub fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// `1w2d3h4m5s500ms` with any unit left out, `00:00:05`, both as in `1w2d03:04:05`, or bare digits, which are seconds.
pub fn duration(text: &str) -> Option<Duration> {
    if let Some(seconds) = number(text) {
        return Some(Duration::from_secs(seconds));
    }
    let mut milliseconds = 0u64;
    let mut rest = text;
    // Taken from in order, so that each unit comes once.
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (count, after) = leading(rest, |c| c.is_ascii_digit())?;
        let (unit, next) = leading(after, |c| c.is_ascii_alphabetic())?;
        let part = if unit.is_empty() {
            clock(std::mem::take(&mut rest))?
        } else {
            rest = next;
            let (_, scale) = units.find(|(name, _)| *name == unit)?;
            number(count)?.checked_mul(*scale)?
        };
        milliseconds = milliseconds.checked_add(part)?;
    }
    (!text.is_empty()).then(|| Duration::from_millis(milliseconds))
}

/// `HH:MM:SS` in milliseconds.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(two_digits);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let is_clock = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    is_clock.then(|| hours * HOUR + minutes * MINUTE + seconds * SECOND)
}

fn two_digits(text: &str) -> Option<u64> {
    number(text).filter(|_| text.len() == 2)
}

/// What the text begins with, and the rest.
fn leading(text: &str, is_part: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    text.split_at_checked(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// `0x81D00000` of `/ppp/active` as RADIUS writes it in Acct-Session-Id: `81d00000` (mikrotik.md a2).
pub fn session_id(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    let digits = digits.unwrap_or(text);
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| digits.to_ascii_lowercase())
}

/// The moment that `/system/clock` shows: `2026-01-31` (or `jan/31/2026` before 7.10), `23:59:59`, `+03:00`.
pub fn moment(date: &str, time: &str, offset: &str) -> Option<Timestamp> {
    let days = i64::from(day(date)?.0);
    let milliseconds = i64::try_from(clock(time)?).ok()?;
    let local = days.checked_mul(24 * 3600 * 1000)? + milliseconds;
    Some(Timestamp(local - offset_seconds(offset)? * 1000))
}

fn day(text: &str) -> Option<Day> {
    let mut parts = text.split('/');
    if let (Some(month), Some(day), Some(year), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let month = 1 + MONTHS.iter().position(|name| *name == month)?;
        return Day::parse(&format!("{year}-{month:02}-{day}")).ok();
    }
    Day::parse(text).ok()
}

/// `+03:00`, `-03:30`.
fn offset_seconds(text: &str) -> Option<i64> {
    let (sign, clock_text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let seconds = i64::try_from(clock(&format!("{clock_text}:00"))? / SECOND).ok()?;
    (seconds <= OFFSET_MAX_SECONDS).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truths() {
        for (text, expected) in [
            ("true", Some(true)),
            ("yes", Some(true)),
            ("false", Some(false)),
            ("no", Some(false)),
            ("", None),
            ("Yes", None),
            ("1", None),
        ] {
            assert_eq!(truth(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1.5", None),
            (" 1", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        const DAY: u64 = 86_400_000;
        for (text, expected) in [
            ("1w2d3h4m5s", Some(9 * DAY + 11_045_000)),
            ("0s", Some(0)),
            ("5s", Some(5_000)),
            ("3h", Some(10_800_000)),
            ("1w5s", Some(7 * DAY + 5_000)),
            ("90m", Some(5_400_000)),
            ("10ms", Some(10)),
            ("1m10ms", Some(60_010)),
            ("2s500ms", Some(2_500)),
            ("300", Some(300_000)),
            ("00:00:05", Some(5_000)),
            ("23:59:59", Some(86_399_000)),
            ("1d00:00:01", Some(DAY + 1_000)),
            ("1w2d03:04:05", Some(9 * DAY + 11_045_000)),
            ("", None),
            ("s", None),
            ("5", Some(5_000)),
            ("1h5", None),
            ("5s1h", None),
            ("5s5s", None),
            ("5x", None),
            ("5S", None),
            ("never", None),
            ("-5s", None),
            ("1 s", None),
            ("5s ", None),
            ("24:00:00", None),
            ("00:60:00", None),
            ("00:00:60", None),
            ("00:05", None),
            ("00:00:00:05", None),
            ("0:00:05", None),
            ("00:00:05s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615w", None),
            ("1wé", None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn session_ids() {
        for (text, expected) in [
            ("0x81D00000", Some("81d00000")),
            ("0X81D00000", Some("81d00000")),
            ("81a09556", Some("81a09556")),
            ("0x", None),
            ("", None),
            ("0x81G", None),
            ("0x0x81", None),
        ] {
            assert_eq!(session_id(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn moments() {
        for (date, time, offset, expected) in [
            ("1970-01-01", "00:00:00", "+00:00", Some(0)),
            ("1970-01-02", "00:00:01", "+00:00", Some(86_401)),
            ("2026-01-31", "23:59:59", "+03:00", Some(1_769_893_199)),
            ("jan/31/2026", "23:59:59", "+03:00", Some(1_769_893_199)),
            ("2026-01-31", "23:59:59", "-03:30", Some(1_769_916_599)),
            ("dec/31/2026", "00:00:00", "+14:00", Some(1_798_624_800)),
            ("2026-02-30", "00:00:00", "+00:00", None),
            ("jan/31", "00:00:00", "+00:00", None),
            ("Jan/31/2026", "00:00:00", "+00:00", None),
            ("jan/31/2026/1", "00:00:00", "+00:00", None),
            ("2026-01-31", "24:00:00", "+00:00", None),
            ("2026-01-31", "00:00:00", "+14:01", None),
            ("2026-01-31", "00:00:00", "03:00", None),
            ("2026-01-31", "00:00:00", "", None),
            ("2026-01-31", "00:00:00", "é", None),
        ] {
            let expected = expected.map(|seconds: i64| Timestamp(seconds * 1000));
            assert_eq!(
                moment(date, time, offset),
                expected,
                "{date} {time} {offset}"
            );
        }
    }
}
