//! Dates as other programs write them.

use crate::domain::Invalid;
use crate::domain::text::ascii_digits;
use crate::domain::time::{Calendar, Day, Timestamp};
use jiff::civil::Date;

/// How `03/04/2026` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// A date as a list has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadDate {
    /// The whole day.
    Day(Day),
    /// Minutes after midnight, by the ISP's clock.
    Minute(Day, u16),
    Instant(Timestamp),
}

impl ReadDate {
    /// When a term ends of which this is the end: a day is still paid for (rules.md section 9).
    pub fn end(self, calendar: &Calendar) -> Timestamp {
        match self {
            ReadDate::Day(day) => calendar.end_of(day),
            other => other.start(calendar),
        }
    }

    pub fn start(self, calendar: &Calendar) -> Timestamp {
        match self {
            ReadDate::Day(day) => calendar.starts(day),
            ReadDate::Minute(day, minutes) => calendar.at(day, minutes),
            ReadDate::Instant(at) => at,
        }
    }
}

/// 1970-01-01 as spreadsheets count days.
const SPREADSHEET_EPOCH: i64 = 25_569;
/// Numbers that are dates of spreadsheets: the years 1954 to 2119. Others are something else.
const SPREADSHEET_DAYS: std::ops::RangeInclusive<i64> = 20_000..=80_235;
const LAST_MINUTE: u16 = 24 * 60 - 1;

/// Reads `2026-12-31`, `31/12/2026`, `31 Dec 2026`, each also with a time, an instant such as `2026-12-31T20:59:59Z`, or the number
/// that a spreadsheet writes. At the first and in the last minute of a day, the day is meant. The year has four digits.
pub fn read_date(text: &str, order: DateOrder) -> Result<ReadDate, Invalid> {
    let text = ascii_digits(text.trim());
    let odd = || Invalid::new("A date such as 2026-12-31");
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(ReadDate::Instant(Timestamp(instant.as_millisecond())));
    }
    if let Some((day, minutes)) = spreadsheet(&text) {
        return Ok(on(day, minutes));
    }
    let Parts { date, minutes } = Parts::of(&text).ok_or_else(odd)?;
    let (year, month, day) = match date {
        [year, month, day] if year.is_year() => (year, month, day),
        [first, second, year] if year.is_year() => match (first, second, order) {
            (Part::Month(_), _, _) => (year, first, second),
            (_, Part::Month(_), _) | (_, _, DateOrder::DayFirst) => (year, second, first),
            (_, _, DateOrder::MonthFirst) => (year, first, second),
        },
        _ => return Err(odd()),
    };
    let year = i16::try_from(year.number()).map_err(|_| odd())?;
    let month = i8::try_from(month.number()).map_err(|_| odd())?;
    let of_month = i8::try_from(day.number()).map_err(|_| odd())?;
    let date = Date::new(year, month, of_month)
        .map_err(|_| Invalid::new("The calendar has no such day"))?;
    Ok(on(Day::from_date(date), minutes))
}

fn on(day: Day, minutes: u16) -> ReadDate {
    match minutes {
        0 | LAST_MINUTE => ReadDate::Day(day),
        minutes => ReadDate::Minute(day, minutes),
    }
}

/// Which order the dates of a column are in, as far as they show it. Both when some show the one and some the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orders {
    pub day_first: bool,
    pub month_first: bool,
    /// Some could be read either way, as different days.
    pub either: bool,
}

impl Orders {
    pub fn note(&mut self, text: &str) {
        let text = ascii_digits(text.trim());
        let Some(Parts { date, .. }) = Parts::of(&text) else {
            return;
        };
        let [Part::Number(first), Part::Number(second), year] = date else {
            return;
        };
        if !year.is_year() || date.first().is_some_and(|part| part.is_year()) {
            return;
        }
        match (first, second) {
            (13.., 1..=12) => self.day_first = true,
            (1..=12, 13..) => self.month_first = true,
            (1..=12, 1..=12) if first != second => self.either = true,
            _ => {}
        }
    }

    /// The order that the dates show; `None` when they do not, and it matters.
    pub fn shown(self) -> Option<DateOrder> {
        match (self.day_first, self.month_first) {
            (false, false) if self.either => None,
            (false, true) => Some(DateOrder::MonthFirst),
            _ => Some(DateOrder::DayFirst),
        }
    }
}

#[derive(Clone, Copy)]
enum Part {
    Number(u32),
    /// By its name, 1 to 12.
    Month(u32),
}

impl Part {
    fn number(self) -> u32 {
        match self {
            Part::Number(number) | Part::Month(number) => number,
        }
    }

    fn is_year(self) -> bool {
        matches!(self, Part::Number(1_000..=9_999))
    }
}

/// A date in three pieces, in the order in which they stand, and minutes after midnight.
struct Parts {
    date: [Part; 3],
    minutes: u16,
}

impl Parts {
    fn of(text: &str) -> Option<Parts> {
        let (mut date, mut minutes, mut is_afternoon) = (Vec::new(), 0, None);
        let is_between = |c: char| c.is_whitespace() || matches!(c, '/' | '-' | '.' | ',');
        for token in text.split(is_between).filter(|token| !token.is_empty()) {
            // `31T18:30`
            let token = match token.split_once('T') {
                Some((day, time)) if time.contains(':') => {
                    date.push(Part::Number(day.parse().ok()?));
                    time
                }
                _ => token,
            };
            match token {
                _ if token.contains(':') => minutes = clock(token)?,
                _ if token.eq_ignore_ascii_case("am") => is_afternoon = Some(false),
                _ if token.eq_ignore_ascii_case("pm") => is_afternoon = Some(true),
                _ if date.len() == 3 => return None,
                _ => date.push(match token.parse() {
                    Ok(number) => Part::Number(number),
                    Err(_) => Part::Month(month(token)?),
                }),
            }
        }
        if let Some(is_afternoon) = is_afternoon {
            let of_half = minutes % 720;
            minutes = if is_afternoon { of_half + 720 } else { of_half };
        }
        let date = <[Part; 3]>::try_from(date).ok()?;
        Some(Parts { date, minutes })
    }
}

/// Minutes after midnight of `18:30` or `18:30:59`.
fn clock(text: &str) -> Option<u16> {
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?.parse::<u16>().ok()?, parts.next()?);
    let minutes = minutes.parse::<u16>().ok()?;
    (hours < 24 && minutes < 60).then(|| hours * 60 + minutes)
}

/// By the first three letters of its English name.
fn month(name: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let begins = name.get(..3)?.to_ascii_lowercase();
    let place = NAMES.iter().position(|known| *known == begins)?;
    u32::try_from(place).ok()?.checked_add(1)
}

/// Days since 1899-12-30, and parts of a day, as minutes after midnight.
fn spreadsheet(text: &str) -> Option<(Day, u16)> {
    let (days, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(days) || !is_number(part) {
        return None;
    }
    let days = days.parse::<i64>().ok()?;
    if !SPREADSHEET_DAYS.contains(&days) {
        return None;
    }
    let part = format!("0.{part}").parse::<f64>().ok()?;
    let day = Day(i32::try_from(days - SPREADSHEET_EPOCH).ok()?);
    let minutes = part * f64::from(LAST_MINUTE + 1);
    let of_day = (0..=LAST_MINUTE).find(|minute| f64::from(*minute) + 0.5 > minutes);
    Some((day, of_day.unwrap_or(LAST_MINUTE)))
}
