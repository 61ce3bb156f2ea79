//! Spans of time for people.

use super::time::{DAY, HOUR, MINUTE, SECOND};

/// The two largest units: `3 d 4 h`, `4 h 5 min`, `5 min`, `12 s`. Milliseconds in.
pub fn short(milliseconds: i64) -> String {
    let ms = milliseconds.max(0);
    match ms {
        ms if ms >= DAY => two(ms / DAY, "d", ms % DAY / HOUR, "h"),
        ms if ms >= HOUR => two(ms / HOUR, "h", ms % HOUR / MINUTE, "min"),
        ms if ms >= MINUTE => format!("{} min", ms / MINUTE),
        ms => format!("{} s", ms / SECOND),
    }
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_two_largest_units() {
        for (ms, text) in [
            (-5, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (HOUR, "1 h"),
            (HOUR + MINUTE, "1 h 1 min"),
            (DAY - 1, "23 h 59 min"),
            (2 * DAY + HOUR, "2 d 1 h"),
        ] {
            assert_eq!(short(ms), text);
        }
    }
}
