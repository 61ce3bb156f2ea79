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
/// All bits of `weekdays`.
const EVERY_DAY: u8 = 0x7F;
/// Monday first.
pub const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// `Mon` for 1 to `Sun` for 7.
pub fn weekday_name(weekday: u8) -> &'static str {
    let name = WEEKDAYS.get(usize::from(weekday.saturating_sub(1)));
    name.and_then(|name| name.get(..3)).unwrap_or_default()
}

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
        if self.is_always() || !self.holds(clock) {
            return None;
        }
        let end = match self.start == self.end {
            true => MINUTES_OF_DAY,
            false if self.end > clock.minute => self.end,
            false => self.end + MINUTES_OF_DAY,
        };
        Some(end - clock.minute)
    }

    /// Whether some hour of the week is in both.
    pub fn overlaps(&self, other: &Window) -> bool {
        // Where two sets of hours meet, one of them begins, or a day does.
        let begins = [0, self.start, other.start];
        (1..=7u8).any(|weekday| {
            begins.into_iter().any(|minute| {
                let clock = WallClock {
                    day: Day(0),
                    weekday,
                    minute,
                };
                self.holds(&clock) && other.holds(&clock)
            })
        })
    }

    pub fn is_always(&self) -> bool {
        self.start == self.end && matches!(self.weekdays, 0 | EVERY_DAY)
    }

    /// Reads weekdays as a person types them: `1-5`, `Mon-Fri`, `sat, sun`, `Sat-Wed`; nothing is every day.
    pub fn parse_days(text: &str) -> Result<u8, Invalid> {
        parse_days(text).ok_or_else(|| Invalid::new("Days such as Mon-Fri or Sat, Sun"))
    }

    /// The weekdays as [`Window::parse_days`] reads them, `Mon-Fri, Sun`; empty for every day.
    pub fn days(&self) -> String {
        if matches!(self.weekdays, 0 | EVERY_DAY) {
            return String::new();
        }
        let mut parts: Vec<String> = Vec::new();
        let mut weekday = 1;
        while weekday <= 7 {
            let first = weekday;
            while weekday <= 7 && self.on(weekday) {
                weekday += 1;
            }
            match weekday - first {
                0 => {}
                1 => parts.push(weekday_name(first).to_owned()),
                _ => parts.push(format!(
                    "{}-{}",
                    weekday_name(first),
                    weekday_name(weekday - 1)
                )),
            }
            weekday += 1;
        }
        parts.join(", ")
    }

    /// `08:00-16:30`, or `all day`.
    pub fn hours(&self) -> String {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        match self.start == self.end {
            true => "all day".to_owned(),
            false => format!("{}-{}", time(self.start), time(self.end)),
        }
    }

    fn on(&self, weekday: u8) -> bool {
        self.weekdays == 0 || self.weekdays & (1 << (weekday - 1)) != 0
    }
}

fn parse_days(text: &str) -> Option<u8> {
    let mut days = 0u8;
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (parse_weekday(from)?, parse_weekday(to)?);
        // A week's end lies within `Sat-Wed`.
        for _ in 0..7 {
            days |= 1 << (day - 1);
            if day == last {
                break;
            }
            day = day % 7 + 1;
        }
    }
    Some(days)
}

/// 1 to 7, or at least two letters of a name.
fn parse_weekday(text: &str) -> Option<u8> {
    let text = text.trim().to_ascii_lowercase();
    let named = |name: &str| text.len() >= 2 && name.to_ascii_lowercase().starts_with(&text);
    let number = match WEEKDAYS.iter().position(|name| named(name)) {
        Some(place) => u8::try_from(place + 1).ok(),
        None => text.parse().ok(),
    };
    number.filter(|number| (1..=7).contains(number))
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
            "8 01:00-02:00",
            "M 01:00-02:00",
            "Mox 01:00-02:00",
            "1- 01:00-02:00",
        ] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_read_by_name_and_number_and_said_by_name() {
        for (text, bits, said) in [
            ("", 0, ""),
            ("1-7", 0x7F, ""),
            ("1-5", 0b001_1111, "Mon-Fri"),
            ("mon-friday", 0b001_1111, "Mon-Fri"),
            ("6,7", 0b110_0000, "Sat-Sun"),
            ("Sa, tu", 0b010_0010, "Tue, Sat"),
            ("Sat-Wed", 0b110_0111, "Mon-Wed, Sat-Sun"),
            ("7", 0b100_0000, "Sun"),
        ] {
            let window = Window {
                weekdays: Window::parse_days(text).unwrap(),
                start: 0,
                end: 60,
            };
            assert_eq!(window.weekdays, bits, "{text}");
            assert_eq!(window.days(), said, "{text}");
            let again = Window::parse_days(&window.days()).unwrap();
            assert_eq!(again, if said.is_empty() { 0 } else { bits }, "{text}");
        }
    }

    #[test]
    fn windows_overlap_when_an_hour_is_in_both() {
        for (one, other, overlaps) in [
            ("08:00-16:00", "15:59-17:00", true),
            ("08:00-16:00", "16:00-17:00", false),
            ("08:00-16:00", "09:00-10:00", true),
            ("1 08:00-16:00", "2 08:00-16:00", false),
            // Sunday night reaches into Monday.
            ("7 22:00-06:00", "1 05:00-07:00", true),
            ("7 22:00-06:00", "1 06:00-07:00", false),
            ("7 22:00-06:00", "7 05:00-07:00", false),
            ("1 00:00-00:00", "7 22:00-00:01", true),
            ("1 05:00-05:00", "1 03:00-04:00", true),
            ("00:00-00:00", "3 12:00-12:01", true),
        ] {
            let (one, other) = (Window::parse(one).unwrap(), Window::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), overlaps, "{one} {other}");
            assert_eq!(other.overlaps(&one), overlaps, "{other} {one}");
        }
        assert!(Window::parse("1-7 03:00-03:00").unwrap().is_always());
        assert!(!Window::parse("1-6 00:00-00:00").unwrap().is_always());
        assert!(!Window::parse("00:00-23:59").unwrap().is_always());
    }
}
