//! Hours of the week (rules.md section 1).

use super::Invalid;
use super::time::{Calendar, Day, Timestamp};

/// `[start, end)` in local wall time on some weekdays. `end < start` crosses midnight and belongs to
/// the weekday on which it starts; `start = end` is all day; no weekdays means every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Bit 0 is Monday, bit 6 Sunday; 0 means every day.
    pub weekdays: u8,
    /// Minutes after midnight, below 1440.
    pub start: u16,
    pub end: u16,
}

const MINUTES_OF_DAY: u16 = 1440;

/// What the ISP's clock shows at an instant, worked out once for all windows that are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// The business day.
    pub day: Day,
    /// 1 Monday to 7 Sunday, by the date on the wall.
    pub weekday: u8,
    /// Minutes after midnight, below 1440.
    pub minute: u16,
}

impl Window {
    /// Reads `08:00-16:30`, or with days in front, `1-5 08:00-16:30` and `6,7 00:00-00:00`; 1 is Monday.
    pub fn parse(text: &str) -> Result<Window, Invalid> {
        let refused = || Invalid::new("Hours such as 08:00-16:30 or 1-5 08:00-16:30 (1 is Monday)");
        let (days, hours) = match text.trim().rsplit_once(' ') {
            Some((days, hours)) => (days.trim(), hours),
            None => ("", text.trim()),
        };
        let (start, end) = hours.split_once('-').ok_or_else(refused)?;
        Ok(Window {
            weekdays: parse_days(days).ok_or_else(refused)?,
            start: parse_minutes(start).ok_or_else(refused)?,
            end: parse_minutes(end).ok_or_else(refused)?,
        })
    }

    pub fn contains(&self, calendar: &Calendar, at: Timestamp) -> bool {
        self.holds(&calendar.wall_clock(at))
    }

    /// Whether the window is open. In a gap of the clock it opens at the first instant that exists; in a repeated hour it
    /// is open at each reading.
    pub fn holds(&self, clock: &WallClock) -> bool {
        let (weekday, minute) = (clock.weekday, clock.minute);
        let yesterday = if weekday == 1 { 7 } else { weekday - 1 };
        if self.start == self.end {
            self.on(weekday)
        } else if self.start < self.end {
            self.on(weekday) && (self.start..self.end).contains(&minute)
        } else {
            (self.on(weekday) && minute >= self.start) || (self.on(yesterday) && minute < self.end)
        }
    }

    /// Minutes until the window closes, at least 1; `None` where it is shut, or never closes.
    pub fn minutes_left(&self, clock: &WallClock) -> Option<u16> {
        let never_closes = self.start == self.end && (self.weekdays == 0 || self.weekdays == 0x7F);
        if never_closes || !self.holds(clock) {
            return None;
        }
        let end = match self.start == self.end {
            true => MINUTES_OF_DAY,
            false if self.end > clock.minute => self.end,
            false => self.end + MINUTES_OF_DAY,
        };
        Some(end - clock.minute)
    }

    fn on(&self, weekday: u8) -> bool {
        self.weekdays == 0 || self.weekdays & (1 << (weekday - 1)) != 0
    }
}

fn parse_days(text: &str) -> Option<u8> {
    let mut days = 0u8;
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.parse::<u8>().ok()?, to.parse::<u8>().ok()?);
        if !(1..=7).contains(&from) || !(from..=7).contains(&to) {
            return None;
        }
        days |= (from..=to).fold(0, |bits, day| bits | 1 << (day - 1));
    }
    Some(days)
}

/// Minutes after midnight of `HH:MM`, below 1440.
pub fn parse_minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && total < MINUTES_OF_DAY).then_some(total)
}

impl std::fmt::Display for Window {
    /// Readable back by [`Window::parse`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.weekdays != 0 {
            let days: Vec<String> = (1..=7u8)
                .filter(|d| self.on(*d))
                .map(|d| d.to_string())
                .collect();
            write!(f, "{} ", days.join(","))?;
        }
        let (start, end) = (self.start, self.end);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            start / 60,
            start % 60,
            end / 60,
            end % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(window: &str, at: &str) -> bool {
        let at = Timestamp(at.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        Window::parse(window)
            .unwrap()
            .contains(&Calendar::utc(), at)
    }

    #[test]
    fn edges_belong_to_the_start() {
        // 2026-11-23 is a Monday.
        assert!(inside("08:00-16:00", "2026-11-23T08:00:00Z"));
        assert!(!inside("08:00-16:00", "2026-11-23T07:59:59Z"));
        assert!(inside("08:00-16:00", "2026-11-23T15:59:59Z"));
        assert!(!inside("08:00-16:00", "2026-11-23T16:00:00Z"));
        assert!(inside("1 08:00-16:00", "2026-11-23T08:00:00Z"));
        assert!(!inside("2-7 08:00-16:00", "2026-11-23T08:00:00Z"));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_starts_on() {
        // Sunday night reaches into Monday morning.
        assert!(inside("7 22:00-06:00", "2026-11-22T22:00:00Z"));
        assert!(inside("7 22:00-06:00", "2026-11-23T05:59:00Z"));
        assert!(!inside("7 22:00-06:00", "2026-11-23T06:00:00Z"));
        assert!(!inside("7 22:00-06:00", "2026-11-23T22:00:00Z"));
        assert!(!inside("1 22:00-06:00", "2026-11-23T05:00:00Z"));
    }

    #[test]
    fn equal_ends_are_all_day() {
        assert!(inside("1 00:00-00:00", "2026-11-23T23:59:59Z"));
        assert!(!inside("1 05:00-05:00", "2026-11-24T05:00:00Z"));
    }

    #[test]
    fn text_reads_back() {
        for text in ["08:00-16:30", "1,2,3,4,5 22:00-06:00"] {
            assert_eq!(Window::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "8-16",
            "24:00-25:00",
            "08:60-09:00",
            "0 08:00-09:00",
            "5-2 08:00-09:00",
            "8 01:00-02:00",
        ] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }
}
