//! Backups by the clock: when one is due, which of those that were made may go, here and on another machine, and which is
//! to be sent there.

use std::collections::BTreeSet;
use std::fmt;

use super::Invalid;
use super::time::{Calendar, Day, HOUR, Timestamp};

/// How often a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    Day,
    /// 1 Monday to 7 Sunday.
    Week(u8),
    /// 1 to 31; the last day where the month is shorter.
    Month(u8),
}

/// When backups are made by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub every: Every,
    /// 0 to 23, on the ISP's wall clock.
    pub hour: u8,
}

/// The longest time between two backups is a month; the days that are looked at.
const MOST_DAYS: i32 = 62;

impl Schedule {
    /// Reads what `Display` writes. Errors: any other text.
    pub fn parse(text: &str) -> Result<Schedule, Invalid> {
        let unknown =
            || Invalid::new("A schedule such as `daily 3`, `weekly 5 3` or `monthly 1 3`");
        let number = |word: Option<&str>, least: u8, most: u8| {
            let number = word.and_then(|word| word.parse().ok());
            number
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(unknown)
        };
        let mut words = text.split_whitespace();
        let every = match words.next() {
            Some("daily") => Every::Day,
            Some("weekly") => Every::Week(number(words.next(), 1, 7)?),
            Some("monthly") => Every::Month(number(words.next(), 1, 31)?),
            _ => return Err(unknown()),
        };
        let hour = number(words.next(), 0, 23)?;
        match words.next() {
            None => Ok(Schedule { every, hour }),
            Some(_) => Err(unknown()),
        }
    }

    fn falls_on(&self, date: Day) -> bool {
        match self.every {
            Every::Day => true,
            Every::Week(weekday) => {
                u8::try_from(date.date().weekday().to_monday_one_offset()) == Ok(weekday)
            }
            Every::Month(day) => date == date.month().day(day),
        }
    }

    /// The last moment up to `now` at which a backup was to be made.
    pub fn last_due(&self, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
        let today = calendar.date(now);
        (0..=MOST_DAYS)
            .map(|back| today.plus(-back))
            .filter(|date| self.falls_on(*date))
            .map(|date| calendar.at(date, u16::from(self.hour) * 60))
            .find(|at| *at <= now)
    }

    /// The next moment after `now`.
    pub fn next_due(&self, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
        let today = calendar.date(now);
        (0..=MOST_DAYS)
            .map(|on| today.plus(on))
            .filter(|date| self.falls_on(*date))
            .map(|date| calendar.at(date, u16::from(self.hour) * 60))
            .find(|at| *at > now)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.every {
            Every::Day => write!(f, "daily {}", self.hour),
            Every::Week(weekday) => write!(f, "weekly {weekday} {}", self.hour),
            Every::Month(day) => write!(f, "monthly {day} {}", self.hour),
        }
    }
}

/// How many backups stay: the newest of each of the last days, weeks (from Monday) and months that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub days: u16,
    pub weeks: u16,
    pub months: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            days: 7,
            weeks: 4,
            months: 6,
        }
    }
}

impl Retention {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Retention> {
        let numbers: Vec<u16> = text
            .split_whitespace()
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()?;
        match numbers[..] {
            [days, weeks, months] => Some(Retention {
                days,
                weeks,
                months,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.days, self.weeks, self.months)
    }
}

/// Why a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    Schedule,
    /// An operator or the command line.
    Person,
}

/// What came of restoring a backup to a place where nobody uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreTest {
    pub at: Timestamp,
    pub took_ms: u64,
    /// What does not fit; nothing when all is well.
    pub problem: Option<String>,
}

/// What came of sending a backup to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When the last try began.
    pub at: Timestamp,
    pub took_ms: u64,
    /// How much of the file went.
    pub octets: u64,
    pub tries: u8,
    /// Why it is not there; nothing when it is.
    pub problem: Option<String>,
    /// What did not work although it is there, such as removing old ones.
    pub note: Option<String>,
}

/// A backup that could not be sent is tried again after so long.
pub const SEND_AGAIN_AFTER: i64 = HOUR;
/// Tries for one backup; after them the next backup brings everything anyway.
pub const MOST_TRIES: u8 = 2;

/// A backup that was made, or a try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub began_at: Timestamp,
    pub by: Trigger,
    /// Name of the file; empty for a try that failed.
    pub name: String,
    pub took_ms: u64,
    /// Of the file.
    pub octets: u64,
    /// Of all tables.
    pub rows: u64,
    pub subscribers: u64,
    /// Why there is no file.
    pub error: Option<String>,
    /// Nothing before it was tried.
    pub test: Option<RestoreTest>,
    /// Nothing before it was sent anywhere.
    pub sent: Option<Sent>,
}

impl Backup {
    /// Whether it was restored and everything was there.
    pub fn is_proven(&self) -> bool {
        self.error.is_none()
            && self
                .test
                .as_ref()
                .is_some_and(|test| test.problem.is_none())
    }

    /// Whether it got to another machine.
    pub fn is_elsewhere(&self) -> bool {
        self.sent
            .as_ref()
            .is_some_and(|sent| sent.problem.is_none())
    }

    /// Whether it is to be sent now, to a machine that was chosen at `since`. One that was made before is not sent by itself,
    /// and one that cannot be restored never.
    pub fn is_to_send(&self, since: Timestamp, now: Timestamp) -> bool {
        if self.error.is_some() || self.is_bad() {
            return false;
        }
        match &self.sent {
            None => self.began_at >= since,
            Some(sent) => {
                sent.problem.is_some()
                    && sent.tries < MOST_TRIES
                    && now.since(sent.at) >= SEND_AGAIN_AFTER
            }
        }
    }

    /// Whether it was restored and something was missing.
    fn is_bad(&self) -> bool {
        self.test
            .as_ref()
            .is_some_and(|test| test.problem.is_some())
    }
}

/// Which of `backups` go, newest first in and out. One that is newest of nothing that is kept goes, and so does one that
/// cannot be restored, once there is a newer one. The last that was proven stays whatever the numbers say, and so does
/// whatever is newer than it.
pub fn surplus<'b>(backups: &'b [Backup], keep: Retention, calendar: &Calendar) -> Vec<&'b Backup> {
    let made: Vec<&Backup> = backups.iter().filter(|b| b.error.is_none()).collect();
    let Some(proven) = made.iter().position(|backup| backup.is_proven()) else {
        return Vec::new();
    };
    let mut days = Newest::of(keep.days);
    let mut weeks = Newest::of(keep.weeks);
    let mut months = Newest::of(keep.months);
    let mut going = Vec::new();
    for (place, backup) in made.iter().enumerate() {
        if backup.is_bad() {
            if place > proven {
                going.push(*backup);
            }
            continue;
        }
        let date = calendar.date(backup.began_at);
        let weekday = i32::from(date.date().weekday().to_monday_zero_offset());
        let in_days = days.takes(date.0);
        let in_weeks = weeks.takes(date.plus(-weekday).0);
        let in_months = months.takes(date.month().0);
        if place > proven && !in_days && !in_weeks && !in_months {
            going.push(*backup);
        }
    }
    going
}

/// Whether a file was named by us: `backup_2026-11-22_03-00-00.enc`. Such names sort by time.
pub fn is_dated_name(name: &str) -> bool {
    const SHAPE: &[u8] = b"backup_0000-00-00_00-00-00.enc";
    let fits = |(octet, shape): (u8, &u8)| match shape {
        b'0' => octet.is_ascii_digit(),
        shape => octet == *shape,
    };
    name.len() == SHAPE.len() && name.bytes().zip(SHAPE).all(fits)
}

/// Which files of the folder on another machine go once `sent` is there: of those that we named, what is older than the
/// newest `keep`, among which `sent` always counts. None where `keep` is 0.
pub fn surplus_elsewhere<'n>(
    names: impl IntoIterator<Item = &'n str>,
    keep: u16,
    sent: &str,
) -> Vec<&'n str> {
    let Some(others) = usize::from(keep).checked_sub(1) else {
        return Vec::new();
    };
    let ours = |name: &&str| is_dated_name(name) && *name != sent;
    let mut names: Vec<&str> = names.into_iter().filter(ours).collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    names.split_off(others.min(names.len()))
}

/// Finds the newest of each of the last periods.
struct Newest {
    most: usize,
    seen: BTreeSet<i32>,
}

impl Newest {
    fn of(most: u16) -> Newest {
        Newest {
            most: usize::from(most),
            seen: BTreeSet::new(),
        }
    }

    /// Whether this one, the next older, is the newest of a period that is kept.
    fn takes(&mut self, period: i32) -> bool {
        self.seen.len() < self.most && self.seen.insert(period)
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
