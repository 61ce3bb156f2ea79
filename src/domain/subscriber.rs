//! Subscribers: who buys, and the four independent facts about each (rules.md section 9).

pub mod typed;

use super::extra::Extras;
use super::id::{NasId, PlanId, SubscriberId};
use super::mac::Mac;
use super::plan::OnLimit;
use super::quota::{Began, Credit, TopUp};
use super::rate::Rate;
use super::text::Username;
use super::time::{DAY, Day, Timestamp};
use std::net::{Ipv4Addr, Ipv6Addr};

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

/// Credits and top-ups kept of one subscriber; those that count no more make room.
pub const MOST_CREDITS: usize = 24;
pub const MOST_TOP_UPS: usize = 24;

/// More speed for a while (rules.md section 5, step 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boost {
    /// Not below this speed.
    pub rate: Rate,
    pub until: Timestamp,
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
    /// Delegated IPv6 prefix of this subscriber, instead of the plan's pool.
    pub static_prefix: Option<(Ipv6Addr, u8)>,
    pub boost: Option<Boost>,
    /// At most [`MOST_CREDITS`].
    pub credits: Vec<Credit>,
    /// At most [`MOST_TOP_UPS`].
    pub top_ups: Vec<TopUp>,
    /// The first day of the month up to which top-ups have paid for what was used beyond the quota.
    pub settled: Option<Day>,
    /// Beside those of the plan.
    pub extras: Extras,
    /// When the present term was paid for.
    pub renewed_at: Timestamp,
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

impl TermState {
    /// The term that ends at `expires_at`, which is `None` for one that never ends.
    pub fn at(expires_at: Option<Timestamp>, now: Timestamp) -> TermState {
        match expires_at {
            Some(at) if at <= now => TermState::Expired,
            Some(at) if at.since(now) <= EXPIRING_SOON => TermState::ExpiringSoon,
            _ => TermState::Active,
        }
    }
}

impl Subscriber {
    /// An enabled subscriber of whom nothing else is known; never expires.
    pub fn new(
        id: SubscriberId,
        username: Username,
        plan: PlanId,
        created_at: Timestamp,
    ) -> Subscriber {
        Subscriber {
            id,
            username,
            full_name: String::new(),
            phone: String::new(),
            email: String::new(),
            address: String::new(),
            notes: String::new(),
            plan,
            status: Status::Enabled,
            expires_at: None,
            max_sessions: None,
            on_limit: None,
            mac_mode: MacMode::Off,
            macs: Vec::new(),
            only_nas: None,
            static_address: None,
            rate_override: None,
            static_prefix: None,
            boost: None,
            credits: Vec::new(),
            top_ups: Vec::new(),
            settled: None,
            extras: Extras::default(),
            renewed_at: created_at,
            created_at,
        }
    }

    pub fn term_at(&self, now: Timestamp) -> TermState {
        TermState::at(self.expires_at, now)
    }

    pub fn began(&self) -> Began {
        Began {
            created_at: self.created_at,
            renewed_at: self.renewed_at,
        }
    }

    /// Whether it knows devices that it learned, so that others may be learned in their place.
    pub fn has_learned_macs(&self) -> bool {
        matches!(self.mac_mode, MacMode::Learn(_)) && !self.macs.is_empty()
    }

    /// Whether devices that were last seen at `since` are forgotten after so many days offline (rules.md section 8).
    pub fn forgets_macs(since: Timestamp, days: u16, now: Timestamp) -> bool {
        now.since(since) >= i64::from(days) * DAY
    }

    pub fn is_suspended(&self) -> bool {
        matches!(self.status, Status::Suspended { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_devices_are_forgotten_after_full_days_and_listed_ones_are_not_learned() {
        let now = Timestamp(1_780_000_000_000);
        let forgets = |offline: i64| Subscriber::forgets_macs(now.plus(-offline), 30, now);
        assert!(forgets(30 * DAY) && !forgets(30 * DAY - 1));
        let name = Username::parse("ali").unwrap();
        let mut ali = Subscriber::new(SubscriberId(1), name, PlanId(1), now);
        for (mac_mode, is_learned) in [
            (MacMode::Learn(1), true),
            (MacMode::Fixed, false),
            (MacMode::Off, false),
        ] {
            ali.mac_mode = mac_mode;
            ali.macs = vec![Mac([1; 6])];
            assert_eq!(ali.has_learned_macs(), is_learned);
            ali.macs.clear();
            assert!(!ali.has_learned_macs());
        }
    }

    #[test]
    fn a_term_expires_at_its_instant_and_soon_is_a_week() {
        let now = Timestamp(1_780_000_000_000);
        let at = |left| TermState::at(Some(now.plus(left)), now);
        assert_eq!(at(0), TermState::Expired);
        assert_eq!(at(1), TermState::ExpiringSoon);
        assert_eq!(at(EXPIRING_SOON), TermState::ExpiringSoon);
        assert_eq!(at(EXPIRING_SOON + 1), TermState::Active);
        assert_eq!(TermState::at(None, now), TermState::Active);
    }
}
