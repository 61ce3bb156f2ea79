//! Instants, business days and months (rules.md section 1).
//!
//! Every stored instant is UTC. Only [`Calendar`] knows the ISP's time zone.

use super::Invalid;
use super::window::WallClock;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    pub fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(SECOND))
    }

    pub fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    pub fn plus(self, milliseconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to `self`, never below zero: a clock that jumped back makes no negative time.
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// A business day: days since 1970-01-01 in the ISP's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A calendar month of business days: `year * 12 + month - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

const EPOCH: Date = Date::constant(1970, 1, 1);

impl Day {
    pub fn from_date(date: Date) -> Day {
        let days = EPOCH.until(date).map_or(0, |span| span.get_days());
        Day(days)
    }

    pub fn date(self) -> Date {
        EPOCH.saturating_add(jiff::Span::new().try_days(self.0).unwrap_or_default())
    }

    pub fn month(self) -> Month {
        let date = self.date();
        Month(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// 1 to 31.
    pub fn of_month(self) -> u8 {
        u8::try_from(self.date().day()).unwrap_or(1)
    }

    /// Reads a date typed by a person, `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Day, Invalid> {
        text.trim()
            .parse::<Date>()
            .map(Day::from_date)
            .map_err(|_| Invalid::new("A date such as 2026-12-31"))
    }
}

impl Month {
    pub fn plus(self, months: i32) -> Month {
        Month(self.0.saturating_add(months))
    }

    /// A day of this month, 1 to 31; the last one where the month is shorter.
    pub fn day(self, day_of_month: u8) -> Day {
        let year = i16::try_from(self.0.div_euclid(12)).unwrap_or(i16::MAX);
        let month = i8::try_from(self.0.rem_euclid(12) + 1).unwrap_or(1);
        // A year that the calendar does not have falls back to its first day.
        let first = Date::new(year, month, 1).unwrap_or(EPOCH);
        let day = i8::try_from(day_of_month).unwrap_or(i8::MAX);
        let day = day.clamp(1, first.days_in_month());
        Day::from_date(Date::new(year, month, day).unwrap_or(first))
    }
}

impl std::fmt::Display for Month {
    /// `2026-11`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:04}-{:02}",
            self.0.div_euclid(12),
            self.0.rem_euclid(12) + 1
        )
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.date().fmt(f)
    }
}

/// Names of time zones to choose from, sorted: places and UTC, without the aliases of the database.
pub fn zone_names() -> Vec<String> {
    let is_place = |name: &str| {
        name == "UTC"
            || name
                .split_once('/')
                .is_some_and(|(area, _)| AREAS.contains(&area))
    };
    let mut names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| is_place(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The first words of time zones that are places.
const AREAS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

/// The ISP's calendar: its zone, and the wall-clock time at which a business day starts.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
    day_starts: Time,
}

/// Timestamps outside jiff's range (years -9999 to 9999) are clamped, not refused.
fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(if at.0 < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    })
}

/// The date that the clock on the wall shows, from its milliseconds.
fn date_of(on_the_wall: i64) -> Day {
    Day(i32::try_from(on_the_wall.div_euclid(DAY)).unwrap_or(0))
}

impl Calendar {
    /// `day_starts` is minutes after midnight, below 1440.
    pub fn new(zone: &str, day_starts_minutes: u16) -> Result<Calendar, Invalid> {
        let zone_found = TimeZone::get(zone).map_err(|_| {
            Invalid::new(format!(
                "Unknown time zone {zone}; use a name such as Asia/Baghdad"
            ))
        })?;
        let hour = i8::try_from(day_starts_minutes / 60).unwrap_or(i8::MAX);
        let minute = i8::try_from(day_starts_minutes % 60).unwrap_or(0);
        let day_starts = Time::new(hour, minute, 0, 0)
            .map_err(|_| Invalid::new("The day starts between 00:00 and 23:59"))?;
        Ok(Calendar {
            zone: zone_found,
            name: zone.to_owned(),
            day_starts,
        })
    }

    pub fn utc() -> Calendar {
        Calendar {
            zone: TimeZone::UTC,
            name: "UTC".to_owned(),
            day_starts: Time::midnight(),
        }
    }

    pub fn zone_name(&self) -> &str {
        &self.name
    }

    fn zoned(&self, at: Timestamp) -> jiff::Zoned {
        instant(at).to_zoned(self.zone.clone())
    }

    /// The clock on the wall in milliseconds since it showed 1970-01-01 00:00. Dates and hours are plain arithmetic from here,
    /// which matters to logins: each asks several times.
    fn on_the_wall(&self, at: Timestamp) -> i64 {
        let at = instant(at);
        at.as_millisecond() + i64::from(self.zone.to_offset(at).seconds()) * SECOND
    }

    /// The business day an instant belongs to.
    pub fn day(&self, at: Timestamp) -> Day {
        self.business_day(self.on_the_wall(at))
    }

    /// The date on the wall, whatever the business day.
    pub fn date(&self, at: Timestamp) -> Day {
        date_of(self.on_the_wall(at))
    }

    fn business_day(&self, on_the_wall: i64) -> Day {
        date_of(on_the_wall - i64::from(self.day_starts()) * MINUTE)
    }

    /// The first instant of a business day. In a clock-change gap: the first existing instant.
    pub fn starts(&self, day: Day) -> Timestamp {
        day.date()
            .to_datetime(self.day_starts)
            .to_zoned(self.zone.clone())
            .map_or(Timestamp(i64::from(day.0).saturating_mul(DAY)), |z| {
                Timestamp(z.timestamp().as_millisecond())
            })
    }

    /// The instant at which the clock on the wall shows so many minutes after midnight on a date: the first one where it
    /// shows them twice; where it jumps over them, what it would have been before the jump.
    pub fn at(&self, date: Day, minutes: u16) -> Timestamp {
        let hour = i8::try_from(minutes / 60).unwrap_or(i8::MAX);
        let minute = i8::try_from(minutes % 60).unwrap_or(0);
        let time = Time::new(hour, minute, 0, 0).unwrap_or(Time::MAX);
        let zoned = date.date().to_datetime(time).to_zoned(self.zone.clone());
        zoned.map_or(Timestamp(i64::from(date.0).saturating_mul(DAY)), |z| {
            Timestamp(z.timestamp().as_millisecond())
        })
    }

    /// The instant at which a subscriber whose last day is `day` expires: the end of that business day (rules.md section 9).
    pub fn end_of(&self, day: Day) -> Timestamp {
        self.starts(day.plus(1))
    }

    /// The last day that is still paid for when a term ends at `expires_at`; the inverse of [`Calendar::end_of`].
    pub fn last_day(&self, expires_at: Timestamp) -> Day {
        self.day(expires_at.plus(-1))
    }

    /// What the clock on the wall shows.
    pub fn wall_clock(&self, at: Timestamp) -> WallClock {
        let on_the_wall = self.on_the_wall(at);
        // 1970-01-01 was a Thursday, the fourth day.
        let weekday = (date_of(on_the_wall).0 + 3).rem_euclid(7) + 1;
        WallClock {
            day: self.business_day(on_the_wall),
            weekday: u8::try_from(weekday).unwrap_or(1),
            minute: u16::try_from(on_the_wall.rem_euclid(DAY) / MINUTE).unwrap_or(0),
        }
    }

    /// The instants after `from`, up to and with `until`, at which the clock on the wall may come to one of these minutes
    /// after midnight, or is changed; rising, without repetition. In a repeated hour each reading is there; in a gap an
    /// instant may be there at which the clock shows something else. At most [`MOST_DAYS`] days are looked at.
    pub fn readings(&self, minutes: &[u16], from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let until = until.min(from.plus(i64::from(MOST_DAYS) * DAY));
        let zone = &self.zone;
        let mut found: Vec<Timestamp> = Vec::new();
        let (first, last) = (self.zoned(from).date(), self.zoned(until).date());
        for day in Day::from_date(first).0..=Day::from_date(last).0 {
            for minutes in minutes {
                let hour = i8::try_from(minutes / 60).unwrap_or(i8::MAX);
                let minute = i8::try_from(minutes % 60).unwrap_or(i8::MAX);
                let Ok(time) = Time::new(hour, minute, 0, 0) else {
                    continue;
                };
                let reading = Day(day).date().to_datetime(time);
                let earlier = zone.to_ambiguous_timestamp(reading).earlier();
                let later = zone.to_ambiguous_timestamp(reading).later();
                let both = earlier.into_iter().chain(later);
                found.extend(both.map(|at| Timestamp(at.as_millisecond())));
            }
        }
        let changes = zone.following(self.zoned(from).timestamp());
        let changes = changes.map(|change| Timestamp(change.timestamp().as_millisecond()));
        found.extend(changes.take_while(|at| *at <= until).take(MOST_CHANGES));
        found.retain(|at| from < *at && *at <= until);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Minutes after midnight at which a business day starts.
    pub fn day_starts(&self) -> u16 {
        let time = self.day_starts;
        let minutes = i16::from(time.hour()) * 60 + i16::from(time.minute());
        u16::try_from(minutes).unwrap_or(0)
    }

    /// Reads an instant as the wall clock shows it, `2026-11-22T15:04` or with a blank instead of the `T`. Of a repeated hour the
    /// first reading is meant, in a gap the instant after it.
    pub fn parse_minute(&self, text: &str) -> Result<Timestamp, Invalid> {
        let read = text.trim().parse::<jiff::civil::DateTime>().ok();
        read.and_then(|reading| reading.to_zoned(self.zone.clone()).ok())
            .map(|zoned| Timestamp(zoned.timestamp().as_millisecond()))
            .ok_or_else(|| Invalid::new("A date and a time such as 2026-12-31 18:30"))
    }

    /// When the clock on the wall, read at `at`, has gone on to the start of the `minutes`th minute from there; sooner
    /// where it is put forward or back. Between both instants it shows nothing unexpected. `minutes` is at most a day's.
    pub fn minutes_on(&self, at: Timestamp, minutes: u16) -> Timestamp {
        let minute = Timestamp(at.0.div_euclid(MINUTE).saturating_mul(MINUTE));
        let ends = minute.plus(i64::from(minutes).saturating_mul(MINUTE));
        let (from, to) = (instant(at), instant(ends));
        if self.zone.to_offset(from) == self.zone.to_offset(to) {
            return ends;
        }
        let change = self.zone.following(from).next();
        change.map_or(ends, |change| {
            ends.min(Timestamp(change.timestamp().as_millisecond()))
        })
    }

    /// `2026-11-22 15:04:05` on the ISP's wall clock.
    pub fn format(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `2026-11-22 15:04`.
    pub fn format_minute(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `2026-11-22T12:04:05Z`, for exports.
    pub fn format_utc(at: Timestamp) -> String {
        jiff::Timestamp::from_millisecond(at.0).map_or_else(
            |_| String::new(),
            |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
    }

    /// Splits the span from `from` to `to` at the starts of business days. Each part is
    /// `(day, milliseconds)`; a span without length is one part on the day of `to`.
    /// At most [`MOST_DAYS`] parts: what is older falls into the first.
    pub fn split(&self, from: Timestamp, to: Timestamp) -> Vec<(Day, i64)> {
        let last = self.day(to);
        if to <= from {
            return vec![(last, 0)];
        }
        let first = self.day(from).max(last.plus(1 - MOST_DAYS));
        let mut parts = Vec::new();
        let mut begins = from;
        for number in first.0..=last.0 {
            let ends = if number == last.0 {
                to
            } else {
                self.starts(Day(number + 1)).min(to)
            };
            parts.push((Day(number), ends.since(begins)));
            begins = ends.max(begins);
        }
        parts
    }
}

/// The longest span that usage is spread over, in days; a reading that covers more is a broken clock.
pub const MOST_DAYS: i32 = 62;

/// Changes of the clock that are looked at in that span; zones have two a year.
const MOST_CHANGES: usize = 16;

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
