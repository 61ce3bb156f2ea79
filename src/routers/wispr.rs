//! The attributes of the Wi-Fi Alliance's WISPr dictionary (vendor 14122; vendors.md).

use super::RouterError;
use crate::domain::rate::Rate;
use crate::domain::time::{Calendar, Day, HOUR, MINUTE, SECOND, Timestamp};
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::wispr;

/// WISPr-Bandwidth-Max-Up and -Down: 32 bits, bit/s; a faster rate becomes the fastest that fits.
pub(super) fn push_bandwidth(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    for (kind, bps) in [
        (wispr::BANDWIDTH_MAX_UP, rate.upload_bps()),
        (wispr::BANDWIDTH_MAX_DOWN, rate.download_bps()),
    ] {
        out.push_vendor_u32(wispr::VENDOR, kind, u32::try_from(bps).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// Offsets end at UTC+14:00; nobody is further from Greenwich.
const FARTHEST_OFFSET: i64 = 14 * HOUR;

/// Reads WISPr-Session-Terminate-Time: `YYYY-MM-DDThh:mm:ss` and a zone `+hh:mm` or `+hhmm`, which is needed.
/// Errors: `TerminateTime` with the text.
pub fn parse_terminate_time(text: &str) -> Result<Timestamp, RouterError> {
    terminate_time(text).ok_or_else(|| RouterError::TerminateTime(text.chars().take(40).collect()))
}

fn terminate_time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once('T')?;
    // The parser of dates takes more notations than this one.
    let is_plain = date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day = Day::parse(date).ok().filter(|_| is_plain)?;
    let (time, zone) = rest.split_at_checked(8)?;
    let mut parts = time.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let of_day = two_digits(hour, 23)? * HOUR
        + two_digits(minute, 59)? * MINUTE
        + two_digits(second, 59)? * SECOND;
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", zone) => (1, zone),
        ("-", zone) => (-1, zone),
        _ => return None,
    };
    let (hours, minutes) = match zone.len() {
        5 => zone.split_once(':')?,
        _ => zone.split_at_checked(2)?,
    };
    let offset = two_digits(hours, 14)? * HOUR + two_digits(minutes, 59)? * MINUTE;
    let midnight = Calendar::utc().starts(day);
    (offset <= FARTHEST_OFFSET).then(|| midnight.plus(of_day - sign * offset))
}

fn two_digits(text: &str, largest: i64) -> Option<i64> {
    let is_plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    let value: i64 = text.parse().ok().filter(|_| is_plain)?;
    (value <= largest).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routers::vectors::vector;

    #[test]
    fn bandwidth_is_clamped_to_32_bits() {
        for (kbps, sent) in [
            (64, 64_000),
            (4_294_967, 4_294_967_000),
            (4_294_968, u32::MAX),
        ] {
            let mut out = AttributeBuffer::new();
            push_bandwidth(Rate::new(kbps, 64), &mut out).unwrap();
            let (_, value) = out.iter().next().unwrap();
            assert_eq!(
                value,
                [&[0, 0, 0x37, 0x2A, 7, 6], &sent.to_be_bytes()[..]].concat()
            );
        }
    }

    #[test]
    fn terminate_times_of_the_vector() {
        let vector = vector("wispr-session-terminate-time");
        let texts = vector["inputs"]["strings"].as_array().unwrap();
        let expected = vector["expected"]["unix"].as_array().unwrap();
        assert_eq!(texts.len(), 3);
        for (text, unix) in texts.iter().zip(expected) {
            let at = parse_terminate_time(text.as_str().unwrap()).unwrap();
            assert_eq!(at.seconds(), unix.as_i64().unwrap(), "{text}");
        }
    }

    #[test]
    fn other_times_are_refused() {
        let read = |text| parse_terminate_time(text).map(Timestamp::seconds);
        assert_eq!(read("1970-01-01T14:00:00+1400"), Ok(0));
        assert_eq!(read("1970-01-01T00:00:59-00:00"), Ok(59));
        for text in [
            "",
            "T",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00+",
            "1970-01-01T00:00:00+00",
            "1970-01-01T00:00:00+00:0",
            "1970-01-01T00:00:00+000",
            "1970-01-01T00:00:00+00000",
            "1970-01-01T00:00:00+14:01",
            "1970-01-01T00:00:00+00:60",
            "1970-01-01T24:00:00+00:00",
            "1970-01-01T00:60:00+00:00",
            "1970-01-01T00:00:60+00:00",
            "1970-01-01T0:000:00+00:00",
            "1970-01-01T00:00:+0+00:00",
            "1970-02-30T00:00:00+00:00",
            "70-01-01T00:00:00+00:00",
            "1970-01-01T00:00:0é+00:00",
            "1970-01-01 00:00:00+00:00",
        ] {
            assert_eq!(read(text), Err(RouterError::TerminateTime(text.to_owned())));
        }
    }
}
