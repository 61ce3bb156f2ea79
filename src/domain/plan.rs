//! Plans: what is sold.

use super::extra::Extras;
use super::fup::FairUse;
use super::hours::{FreeWindow, SpeedWindow};
use super::id::{CdnId, PlanId};
use super::money::Money;
use super::quota::{Quota, QuotaKind};
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
    /// Goes on with another speed, without a drop.
    ExpiredSpeed {
        rate: Rate,
    },
    /// Goes on for so many days, with another speed if there is one; then rejected.
    Grace {
        days: u16,
        rate: Option<Rate>,
    },
}

/// Where the address of a session comes from, unless the subscriber has a static one (rules.md section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressSource {
    /// The router chooses, from the pool that is named or its own.
    #[default]
    Router,
    /// We choose, from the server-side pool that is named.
    Server,
}

/// Characters of a name.
pub const LONGEST_NAME: usize = 80;
/// CDN profiles that a plan may have.
pub const MOST_CDN: usize = 8;

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
    pub address_source: AddressSource,
    /// Pool for the link prefix (IPv6), by name; empty for none.
    pub ipv6_pool: String,
    /// Pool for delegated prefixes (IPv6 PD), by name; empty for none.
    pub delegated_pool: String,
    /// A name that the router knows: PPP profile (MikroTik), policy map (Cisco), QoS profile (Huawei, ZTE), SLA profile (Nokia),
    /// service (Juniper); empty for none.
    pub router_profile: String,
    pub quota: Quota,
    pub fair_use: FairUse,
    /// At most [`super::hours::MOST_WINDOWS`]; the first that holds wins.
    pub speed_windows: Vec<SpeedWindow>,
    /// At most [`super::hours::MOST_WINDOWS`]; the first that holds wins.
    pub free_windows: Vec<FreeWindow>,
    /// At most [`MOST_CDN`].
    pub cdn: Vec<CdnId>,
    pub extras: Extras,
    /// Hours in which a login is allowed; `None` is always.
    pub login_hours: Option<Window>,
    /// MPPE keys in the accept. Off for PPPoE (radius.md section 8).
    pub send_mppe: bool,
    pub notes: String,
    pub created_at: Timestamp,
}

impl Plan {
    /// A plan with nothing but a name, a price, a month and a speed: one session, no quota, rejected when it is over.
    pub fn new(name: &str, price: Money, rate: Rate) -> Plan {
        Plan {
            id: PlanId(0),
            name: name.to_owned(),
            price,
            term: Term {
                count: 1,
                unit: TermUnit::Months,
            },
            rate,
            burst: None,
            priority: 8,
            pool: String::new(),
            address_list: String::new(),
            max_sessions: 1,
            on_limit: OnLimit::ReplaceOld,
            on_expiry: OnExpiry::Reject,
            address_source: AddressSource::Router,
            ipv6_pool: String::new(),
            delegated_pool: String::new(),
            router_profile: String::new(),
            quota: Quota::default(),
            fair_use: FairUse::default(),
            speed_windows: Vec::new(),
            free_windows: Vec::new(),
            cdn: Vec::new(),
            extras: Extras::default(),
            login_hours: None,
            send_mppe: false,
            notes: String::new(),
            created_at: Timestamp(0),
        }
    }
}

impl Plan {
    /// Whether usage of this kind can change anything.
    pub fn counts_by(&self, kind: QuotaKind) -> bool {
        let has_tiers = match kind {
            QuotaKind::Day => !self.fair_use.daily.is_empty(),
            QuotaKind::Month => !self.fair_use.monthly.is_empty(),
            QuotaKind::Term => false,
        };
        has_tiers || self.quota.of(kind).is_some()
    }

    pub fn counts(&self) -> bool {
        QuotaKind::ALL.into_iter().any(|kind| self.counts_by(kind))
    }
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
