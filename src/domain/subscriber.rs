//! Subscribers: who buys, and the four independent facts about each (rules.md section 9).

use super::id::{NasId, PlanId, SubscriberId};
use super::mac::Mac;
use super::plan::OnLimit;
use super::rate::Rate;
use super::text::Username;
use super::time::{DAY, Timestamp};
use std::net::Ipv4Addr;

/// What an operator decided about a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Enabled,
    Suspended { since: Timestamp, reason: String },
}

/// Which MAC addresses may log in (rules.md section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacMode {
    Off,
    /// Remember up to this many after successful logins, then only those.
    Learn(u8),
    Fixed,
}

/// More addresses than a household has devices; bounds the record.
pub const MOST_MACS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    pub id: SubscriberId,
    pub username: Username,
    pub full_name: String,
    pub phone: String,
    pub email: String,
    pub address: String,
    pub notes: String,
    pub plan: PlanId,
    pub status: Status,
    /// `None` never expires.
    pub expires_at: Option<Timestamp>,
    /// `None` follows the plan.
    pub max_sessions: Option<u8>,
    pub on_limit: Option<OnLimit>,
    pub mac_mode: MacMode,
    pub macs: Vec<Mac>,
    /// Logins only through this NAS.
    pub only_nas: Option<NasId>,
    pub static_address: Option<Ipv4Addr>,
    /// Instead of the plan's speed.
    pub rate_override: Option<Rate>,
    pub created_at: Timestamp,
}

/// The term of a subscriber at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermState {
    Active,
    /// Active, with at most [`EXPIRING_SOON`] left.
    ExpiringSoon,
    Expired,
}

/// "Expiring soon" on the dashboard and in filters.
pub const EXPIRING_SOON: i64 = 7 * DAY;

impl Subscriber {
    pub fn term_at(&self, now: Timestamp) -> TermState {
        match self.expires_at {
            Some(at) if at <= now => TermState::Expired,
            Some(at) if at.since(now) <= EXPIRING_SOON => TermState::ExpiringSoon,
            _ => TermState::Active,
        }
    }

    pub fn is_suspended(&self) -> bool {
        matches!(self.status, Status::Suspended { .. })
    }

    /// The name people know, or the login name.
    pub fn display_name(&self) -> &str {
        if self.full_name.is_empty() {
            self.username.as_str()
        } else {
            &self.full_name
        }
    }
}
