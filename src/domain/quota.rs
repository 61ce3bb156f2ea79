//! Sold volume: quotas, the periods they are counted in, credits and top-ups (rules.md sections 1 and 3).
//!
//! Nothing here counts: usage comes in as it was booked, and every answer is a function of it. Invariant: a period that
//! begins is a new key, so nothing has to be reset.

use super::octets::Traffic;
use super::time::{Calendar, Day, Timestamp};

/// Which direction a quota, a tier or a free window is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    Both,
    Download,
    Upload,
}

impl Direction {
    pub const ALL: [Direction; 3] = [Direction::Both, Direction::Download, Direction::Upload];

    /// The octets of this direction.
    pub fn of(self, traffic: Traffic) -> u64 {
        match self {
            Direction::Both => traffic.total(),
            Direction::Download => traffic.download,
            Direction::Upload => traffic.upload,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Direction::Both => "both",
            Direction::Download => "download",
            Direction::Upload => "upload",
        }
    }

    pub fn from_word(word: &str) -> Option<Direction> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }
}

/// The day of the month on which a month of usage begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MonthAnchor {
    /// The day of the last renewal.
    #[default]
    Renewal,
    /// The day on which the subscriber was created.
    CreatedDay,
    /// 1 to 31; what a month does not have falls back to its last day.
    DayOfMonth(u8),
}

/// What happens when a quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUsedUp {
    /// No session until the next period, a top-up or a reset.
    #[default]
    Block,
    /// The tiers say what happens; without any, nothing does.
    GoOn,
}

impl std::fmt::Display for MonthAnchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MonthAnchor::Renewal => f.write_str("day of the renewal"),
            MonthAnchor::CreatedDay => f.write_str("day of creation"),
            MonthAnchor::DayOfMonth(day) => write!(f, "day {day} of the month"),
        }
    }
}

impl std::fmt::Display for WhenUsedUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            WhenUsedUp::Block => "block",
            WhenUsedUp::GoOn => "go on",
        })
    }
}

/// What a plan sells by volume, in octets; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    pub daily: Option<u64>,
    /// For each month that begins at the anchor.
    pub monthly: Option<u64>,
    /// From one renewal to the next.
    pub total: Option<u64>,
    pub direction: Direction,
    pub anchor: MonthAnchor,
    pub when_used_up: WhenUsedUp,
}

/// One of the three things that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaKind {
    Day,
    Month,
    Term,
}

impl QuotaKind {
    pub const ALL: [QuotaKind; 3] = [QuotaKind::Day, QuotaKind::Month, QuotaKind::Term];

    /// `daily`, `monthly`, `term`: in front of "quota" and "tier".
    pub fn adjective(self) -> &'static str {
        match self {
            QuotaKind::Day => "daily",
            QuotaKind::Month => "monthly",
            QuotaKind::Term => "term",
        }
    }
}

impl Quota {
    pub fn of(&self, kind: QuotaKind) -> Option<u64> {
        match kind {
            QuotaKind::Day => self.daily,
            QuotaKind::Month => self.monthly,
            QuotaKind::Term => self.total,
        }
    }

    /// Which quota a top-up extends: the monthly one, else that of the term, else the daily one.
    pub fn topped_up(&self) -> QuotaKind {
        match (self.monthly, self.total, self.daily) {
            (None, Some(_), _) => QuotaKind::Term,
            (None, None, Some(_)) => QuotaKind::Day,
            _ => QuotaKind::Month,
        }
    }
}

/// A month of usage: business days from `start` up to, but without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    pub start: Day,
    pub end: Day,
}

impl Period {
    /// The period that holds `today`, when periods begin on this day of the month (1 to 31).
    pub fn holding(today: Day, day_of_month: u8) -> Period {
        let month = today.month();
        let this = month.day(day_of_month);
        if today < this {
            Period {
                start: month.plus(-1).day(day_of_month),
                end: this,
            }
        } else {
            Period {
                start: this,
                end: month.plus(1).day(day_of_month),
            }
        }
    }
}

/// When a subscriber's terms and months began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Began {
    pub created_at: Timestamp,
    pub renewed_at: Timestamp,
}

/// The days over which each kind of usage is summed at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counting {
    pub today: Day,
    pub month: Period,
    /// The first day of the term.
    pub term: Day,
}

impl Counting {
    /// The first day of the period of this kind.
    pub fn began(&self, kind: QuotaKind) -> Day {
        match kind {
            QuotaKind::Day => self.today,
            QuotaKind::Month => self.month.start,
            QuotaKind::Term => self.term,
        }
    }
}

impl Quota {
    /// What is counted at `now`, computed once so that a job that crosses midnight sees one day.
    pub fn counting(&self, began: Began, calendar: &Calendar, now: Timestamp) -> Counting {
        let today = calendar.day(now);
        let renewed = calendar.day(began.renewed_at);
        let day_of_month = match self.anchor {
            MonthAnchor::Renewal => renewed.of_month(),
            MonthAnchor::CreatedDay => calendar.day(began.created_at).of_month(),
            MonthAnchor::DayOfMonth(day) => day,
        };
        let mut month = Period::holding(today, day_of_month);
        if self.anchor == MonthAnchor::Renewal && renewed <= today {
            // A renewal in the middle of a month begins a new one.
            month.start = month.start.max(renewed);
        }
        Counting {
            today,
            month,
            term: renewed.min(today),
        }
    }
}

/// Counted octets of the day, the month and the term that run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    pub today: Traffic,
    pub month: Traffic,
    pub term: Traffic,
}

impl Used {
    pub fn of(&self, kind: QuotaKind) -> Traffic {
        match kind {
            QuotaKind::Day => self.today,
            QuotaKind::Month => self.month,
            QuotaKind::Term => self.term,
        }
    }

    /// What is left after the credits that belong to these days.
    #[must_use]
    pub fn less(mut self, credits: &[Credit], counting: &Counting) -> Used {
        for credit in credits {
            match credit.scope {
                CreditScope::Day(day) if day == counting.today => {
                    self.today = self.today.beyond(credit.octets);
                }
                CreditScope::Month(start) if start == counting.month.start => {
                    self.month = self.month.beyond(credit.octets);
                }
                CreditScope::Term(start) if start == counting.term => {
                    self.term = self.term.beyond(credit.octets);
                }
                _ => {}
            }
        }
        self
    }
}

/// Which usage a credit takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditScope {
    Day(Day),
    /// The month that begins on this day.
    Month(Day),
    /// The term that began on this day.
    Term(Day),
}

/// Usage that shall not count against quota and tiers: what "reset FUP" writes. It erases nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    pub scope: CreditScope,
    pub octets: Traffic,
    pub at: Timestamp,
    /// The operator's name.
    pub by: String,
    pub reason: String,
}

/// How long a top-up can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// The last day is the one before this.
    EndOfMonth(Day),
    Until(Timestamp),
    UntilUsed,
}

/// Octets bought beside the plan. The plan's quota is used first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    pub octets: u64,
    /// Drawn in months that are over.
    pub used: u64,
    pub validity: Validity,
    pub bought_at: Timestamp,
    pub by: String,
}

impl TopUp {
    pub fn is_valid(&self, today: Day, now: Timestamp) -> bool {
        let in_time = match self.validity {
            Validity::EndOfMonth(end) => today < end,
            Validity::Until(until) => now < until,
            Validity::UntilUsed => true,
        };
        in_time && self.used < self.octets
    }

    fn left(&self) -> u64 {
        self.octets.saturating_sub(self.used)
    }
}

/// By how much top-ups raise the quota and the thresholds of the month that runs now.
pub fn raised(top_ups: &[TopUp], today: Day, now: Timestamp) -> u64 {
    let valid = top_ups.iter().filter(|t| t.is_valid(today, now));
    valid.fold(0, |sum, t| sum.saturating_add(t.left()))
}

/// Draws what a finished month used beyond its quota from the top-ups, the one that expires first in front.
pub fn settle(top_ups: &mut [TopUp], beyond: u64, last_day: Day, ended_at: Timestamp) {
    let mut order: Vec<&mut TopUp> = top_ups
        .iter_mut()
        .filter(|t| t.bought_at < ended_at && t.is_valid(last_day, ended_at.plus(-1)))
        .collect();
    order.sort_by_key(|t| match t.validity {
        Validity::EndOfMonth(_) => (0, ended_at, t.bought_at),
        Validity::Until(until) => (1, until, t.bought_at),
        Validity::UntilUsed => (2, ended_at, t.bought_at),
    });
    let mut left = beyond;
    for top_up in order {
        let drawn = left.min(top_up.left());
        top_up.used += drawn;
        left -= drawn;
    }
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
