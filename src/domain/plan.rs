//! Plans: what is sold.

use super::id::PlanId;
use super::money::Money;
use super::rate::{Burst, Rate};
use super::time::Timestamp;
use super::window::Window;

/// How long one payment lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// At least 1.
    pub count: u32,
    pub unit: TermUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermUnit {
    Minutes,
    Hours,
    Days,
    Months,
}

/// What a login gets after the term ended (rules.md section 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnExpiry {
    Reject,
    /// Accepted into a pool of the router from which only the portal can be reached.
    ExpiredPool {
        pool: String,
    },
}

/// What happens to a login beyond the number of sessions (rules.md section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLimit {
    /// Accept, and disconnect the oldest.
    ReplaceOld,
    /// Refuse, if the old one is alive.
    RejectNew,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub id: PlanId,
    pub name: String,
    pub price: Money,
    pub term: Term,
    pub rate: Rate,
    pub burst: Option<Burst>,
    /// 1 highest to 8 lowest.
    pub priority: u8,
    /// Pool by name on the router; empty leaves the choice to the router's profile.
    pub pool: String,
    /// Firewall address list on the router; empty for none.
    pub address_list: String,
    /// 1 to 100.
    pub max_sessions: u8,
    pub on_limit: OnLimit,
    pub on_expiry: OnExpiry,
    /// Octets per calendar month, both directions; `None` is unlimited. Used up: no login.
    pub monthly_quota_octets: Option<u64>,
    /// Hours in which a login is allowed; `None` is always.
    pub login_hours: Option<Window>,
    /// MPPE keys in the accept. Off for PPPoE (radius.md section 8).
    pub send_mppe: bool,
    pub notes: String,
    pub created_at: Timestamp,
}

impl TermUnit {
    pub const ALL: [TermUnit; 4] = [
        TermUnit::Minutes,
        TermUnit::Hours,
        TermUnit::Days,
        TermUnit::Months,
    ];

    pub fn word(self) -> &'static str {
        match self {
            TermUnit::Minutes => "minutes",
            TermUnit::Hours => "hours",
            TermUnit::Days => "days",
            TermUnit::Months => "months",
        }
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.unit.word();
        match self.count {
            1 => write!(f, "1 {}", word.trim_end_matches('s')),
            count => write!(f, "{count} {word}"),
        }
    }
}
