//! The entitlement decision: may this login have a session, and what may the session have.
//!
//! The checks run in a fixed order with one named reason each (PRODUCT.md section 2).

use super::extra::Extra;
use super::id::{LoginId, NasId, SessionId};
use super::mac::Mac;
use super::plan::{AddressSource, OnExpiry, OnLimit};
use super::rate::RateLimit;
use super::session::Presence;
use super::speed::{self, QuotaState, SpeedFacts, TermGate};
use super::subscriber::{MacMode, Status};
use super::time::{DAY, MINUTE, SECOND, Timestamp};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a login was refused. The order is that of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No User-Name, no credential, several kinds of credential, or one of wrong size.
    BadRequest,
    /// EAP is not spoken here (radius.md section 14).
    EapNotSupported,
    UnknownUser,
    WrongPassword,
    /// PAP came out as garbage: most likely the shared secret differs.
    WrongSecret,
    Disabled,
    Expired,
    QuotaBlocked,
    WrongMac,
    WrongNas,
    SessionLimit,
    OutsideHours,
    /// An extra check attribute of the plan or the subscriber is not in the request.
    CheckFailed,
    /// The server-side pool of the plan has no address left, or is gone.
    NoAddress,
    /// A fault of ours.
    Fault,
}

impl Reason {
    pub const ALL: [Reason; 15] = [
        Reason::BadRequest,
        Reason::EapNotSupported,
        Reason::UnknownUser,
        Reason::WrongPassword,
        Reason::WrongSecret,
        Reason::Disabled,
        Reason::Expired,
        Reason::QuotaBlocked,
        Reason::WrongMac,
        Reason::WrongNas,
        Reason::SessionLimit,
        Reason::OutsideHours,
        Reason::CheckFailed,
        Reason::NoAddress,
        Reason::Fault,
    ];

    /// The word in filters, exports and counters; stored in the authentication log.
    pub fn code(self) -> &'static str {
        match self {
            Reason::BadRequest => "bad-request",
            Reason::EapNotSupported => "eap-not-supported",
            Reason::UnknownUser => "unknown-user",
            Reason::WrongPassword => "wrong-password",
            Reason::WrongSecret => "wrong-secret",
            Reason::Disabled => "disabled",
            Reason::Expired => "expired",
            Reason::QuotaBlocked => "quota-blocked",
            Reason::WrongMac => "wrong-mac",
            Reason::WrongNas => "wrong-nas",
            Reason::SessionLimit => "session-limit",
            Reason::OutsideHours => "outside-hours",
            Reason::CheckFailed => "check-failed",
            Reason::NoAddress => "no-address",
            Reason::Fault => "fault",
        }
    }

    pub fn from_code(code: &str) -> Option<Reason> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Reason::BadRequest => "Incomplete request",
            Reason::EapNotSupported => "EAP is not supported",
            Reason::UnknownUser => "Unknown user",
            Reason::WrongPassword => "Wrong password",
            Reason::WrongSecret => "Wrong shared secret on the router",
            Reason::Disabled => "Disabled",
            Reason::Expired => "Expired",
            Reason::QuotaBlocked => "Quota used up",
            Reason::WrongMac => "Wrong MAC address",
            Reason::WrongNas => "Wrong NAS",
            Reason::SessionLimit => "Too many sessions",
            Reason::OutsideHours => "Outside allowed hours",
            Reason::CheckFailed => "A check attribute differs",
            Reason::NoAddress => "No address left in the pool",
            Reason::Fault => "Internal fault",
        }
    }

    /// What the subscriber's equipment may show; says nothing about who exists.
    pub fn reply_message(self) -> &'static str {
        match self {
            Reason::Disabled => "Your account is disabled",
            Reason::Expired => "Your subscription has expired",
            Reason::QuotaBlocked => "Your quota is used up",
            Reason::WrongMac => "This device is not allowed",
            Reason::WrongNas => "This line is not allowed here",
            Reason::SessionLimit => "You are already online",
            Reason::OutsideHours => "Not allowed at this hour",
            Reason::CheckFailed => "This line is not allowed here",
            Reason::NoAddress | Reason::Fault => "Try again later",
            _ => "Wrong user name or password",
        }
    }
}

/// An open session of the same subscriber, as the decision sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSession {
    pub id: SessionId,
    pub nas: NasId,
    pub mac: Option<Mac>,
    pub started_at: Timestamp,
    pub heard_at: Timestamp,
    pub presence: Presence,
}

/// Everything the decision needs about a subscriber whose password was right.
#[derive(Debug, Clone)]
pub struct AccessFacts<'a> {
    pub status: &'a Status,
    /// Plan, term and usage among them.
    pub speed: SpeedFacts<'a>,
    pub max_sessions: Option<u8>,
    pub on_limit: Option<OnLimit>,
    pub mac_mode: MacMode,
    pub macs: &'a [Mac],
    pub only_nas: Option<NasId>,
    pub static_address: Option<Ipv4Addr>,
    pub static_prefix: Option<(Ipv6Addr, u8)>,
    /// Every extra check attribute of plan and subscriber was in the request.
    pub checks_hold: bool,
    /// The subscriber's own extra reply attributes; the plan has others.
    pub extra_reply: &'a [Extra],
    pub open: &'a [OpenSession],
    /// The request.
    pub nas: NasId,
    pub mac: Option<Mac>,
    pub login: LoginId,
    /// Seconds between interim records of this NAS.
    pub interim_interval: u32,
}

/// The address a session gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressChoice {
    /// The router's profile decides.
    Router,
    Pool(String),
    Static(Ipv4Addr),
    /// A server-side pool, by name: the address is taken from it before the reply is written.
    Server(String),
}

/// What one session may have right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    pub limit: RateLimit,
    pub address: AddressChoice,
    pub address_list: String,
    /// Names of pools for the link prefix and for delegated prefixes; empty for none.
    pub ipv6_pool: String,
    pub delegated_pool: String,
    /// Instead of a pool.
    pub delegated_prefix: Option<(Ipv6Addr, u8)>,
    /// A profile, policy or service that the router knows by name; empty for none.
    pub router_profile: String,
    /// Attributes of plan and subscriber, ready for the wire.
    pub extra_reply: Vec<Extra>,
    /// Seconds, at least 60; `None` is unlimited and never sent as 0.
    pub session_timeout: Option<u32>,
    pub interim_interval: u32,
    /// Restricted because the term ended.
    pub is_expired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub entitlement: Entitlement,
    /// To be disconnected, since this login takes their place.
    pub replaces: Vec<SessionId>,
    /// To be remembered.
    pub learns: Option<Mac>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "nearly all of them are accepts, and none is kept"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Accept(Accepted),
    Reject(Reason),
}

/// An expired session is looked at again after an hour.
const EXPIRED_TIMEOUT: u32 = 3_600;
/// Expiry is spread over ten minutes, so that thousands do not redial at once (rules.md section 9).
const TIMEOUT_JITTER: u64 = 600;
const SHORTEST_TIMEOUT: i64 = 60;

/// Decides about a login whose password was right.
pub fn decide(facts: &AccessFacts<'_>, now: Timestamp) -> Decision {
    if matches!(facts.status, Status::Suspended { .. }) {
        return Decision::Reject(Reason::Disabled);
    }
    let plan = facts.speed.plan;
    let gate = speed::term_gate(plan, facts.speed.expires_at, now);
    if gate == TermGate::Closed {
        return Decision::Reject(Reason::Expired);
    }
    let effective = speed::effective(&facts.speed, now);
    if let QuotaState::Blocked { .. } = effective.quota {
        return Decision::Reject(Reason::QuotaBlocked);
    }
    let learns = match check_mac(facts) {
        Ok(learns) => learns,
        Err(reason) => return Decision::Reject(reason),
    };
    if facts.only_nas.is_some_and(|nas| nas != facts.nas) {
        return Decision::Reject(Reason::WrongNas);
    }
    let Some(replaces) = replaced_sessions(facts, now) else {
        return Decision::Reject(Reason::SessionLimit);
    };
    if plan
        .login_hours
        .is_some_and(|hours| !hours.contains(facts.speed.calendar, now))
    {
        return Decision::Reject(Reason::OutsideHours);
    }
    if !facts.checks_hold {
        return Decision::Reject(Reason::CheckFailed);
    }
    Decision::Accept(Accepted {
        entitlement: entitle(facts, gate, effective.limit, now),
        replaces,
        learns,
    })
}

fn check_mac(facts: &AccessFacts<'_>) -> Result<Option<Mac>, Reason> {
    let known = facts.mac.is_some_and(|mac| facts.macs.contains(&mac));
    match facts.mac_mode {
        MacMode::Off => Ok(None),
        _ if known => Ok(None),
        MacMode::Learn(most) if facts.macs.len() < usize::from(most) => Ok(facts.mac),
        MacMode::Learn(_) | MacMode::Fixed => Err(Reason::WrongMac),
    }
}

/// The sessions that must go for this one, or `None` if this one may not come.
///
/// A stale session never blocks a login (rules.md section 2). The same MAC on the same NAS always replaces.
fn replaced_sessions(facts: &AccessFacts<'_>, now: Timestamp) -> Option<Vec<SessionId>> {
    let is_same_line =
        |s: &&OpenSession| s.mac.is_some() && s.mac == facts.mac && s.nas == facts.nas;
    let mut others: Vec<&OpenSession> = facts
        .open
        .iter()
        .filter(|s| s.presence == Presence::Online && !is_same_line(s))
        .collect();
    let most = usize::from(
        facts
            .max_sessions
            .unwrap_or(facts.speed.plan.max_sessions)
            .max(1),
    );
    let surplus = (others.len() + 1).saturating_sub(most);
    let mut replaces = Vec::new();
    if surplus > 0 {
        let alive_within = i64::from(facts.interim_interval).saturating_mul(2 * SECOND);
        let alive = others
            .iter()
            .filter(|s| now.since(s.heard_at) <= alive_within)
            .count();
        let refuses = facts.on_limit.unwrap_or(facts.speed.plan.on_limit) == OnLimit::RejectNew;
        if refuses && alive >= most {
            return None;
        }
        others.sort_by_key(|s| (s.started_at, s.id));
        replaces.extend(others.iter().take(surplus).map(|s| s.id));
    }
    Some(replaces)
}

fn entitle(
    facts: &AccessFacts<'_>,
    gate: TermGate,
    limit: RateLimit,
    now: Timestamp,
) -> Entitlement {
    let plan = facts.speed.plan;
    let mut entitlement = Entitlement {
        limit,
        address: match facts.static_address {
            Some(address) => AddressChoice::Static(address),
            None if plan.pool.is_empty() => AddressChoice::Router,
            None if plan.address_source == AddressSource::Server => {
                AddressChoice::Server(plan.pool.clone())
            }
            None => AddressChoice::Pool(plan.pool.clone()),
        },
        address_list: plan.address_list.clone(),
        ipv6_pool: plan.ipv6_pool.clone(),
        delegated_pool: plan.delegated_pool.clone(),
        delegated_prefix: facts.static_prefix,
        router_profile: plan.router_profile.clone(),
        extra_reply: plan
            .extras
            .reply
            .iter()
            .chain(facts.extra_reply)
            .cloned()
            .collect(),
        session_timeout: session_timeout(&facts.speed, now, facts.login),
        interim_interval: facts.interim_interval,
        is_expired: matches!(gate, TermGate::Restricted(_)),
    };
    if let (TermGate::Restricted(_), OnExpiry::ExpiredPool { pool }) = (gate, &plan.on_expiry) {
        // A static address does not keep an expired subscriber out of the expired pool (rules.md section 8), and the
        // walled garden is IPv4 only.
        entitlement.address = AddressChoice::Pool(pool.clone());
        entitlement.address_list.clone_from(pool);
        entitlement.router_profile.clone_from(pool);
        entitlement.ipv6_pool.clear();
        entitlement.delegated_pool.clear();
        entitlement.delegated_prefix = None;
        entitlement.extra_reply.clear();
        entitlement.session_timeout = Some(EXPIRED_TIMEOUT);
    }
    entitlement
}

/// Seconds that a session may last from now on: to the end of the term where the plan then drops or moves it, or to the end
/// of the grace, spread over ten minutes by the login; and to the end of the hours in which logins are allowed.
pub fn session_timeout(facts: &SpeedFacts<'_>, now: Timestamp, login: LoginId) -> Option<u32> {
    let plan = facts.plan;
    let ends_at = facts.expires_at.and_then(|at| match &plan.on_expiry {
        OnExpiry::Reject | OnExpiry::ExpiredPool { .. } => Some(at),
        OnExpiry::Grace { days, .. } => Some(at.plus(i64::from(*days) * DAY)),
        OnExpiry::ExpiredSpeed { .. } => None,
    });
    let term = ends_at.map(|at| spread_timeout(at, now, login));
    let hours = plan.login_hours.and_then(|window| {
        let left = i64::from(window.minutes_left(&facts.calendar.wall_clock(now))?) * 60;
        u32::try_from(left.max(SHORTEST_TIMEOUT)).ok()
    });
    match (term, hours) {
        (Some(term), Some(hours)) => Some(term.min(hours)),
        (term, hours) => term.or(hours),
    }
}

/// Seconds to expiry, plus up to ten minutes that depend on the login.
fn spread_timeout(expires_at: Timestamp, now: Timestamp, login: LoginId) -> u32 {
    let jitter = i64::try_from(login.0 % TIMEOUT_JITTER).unwrap_or(0);
    let seconds = (expires_at.since(now) / SECOND)
        .max(SHORTEST_TIMEOUT)
        .saturating_add(jitter);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Seconds between interim records: 60 up to 3,000 online, 120 above (rules.md section 2), unless the NAS has its own.
pub fn interim_interval(own: Option<u32>, online: usize) -> u32 {
    const MANY: usize = 3_000;
    own.unwrap_or(if online <= MANY { 60 } else { 120 })
}

/// How long a half-open gap of the clock is tolerated in Event-Timestamp: a day back, five minutes ahead.
const CLOCK_BEHIND: i64 = 24 * 60 * MINUTE;
const CLOCK_AHEAD: i64 = 5 * MINUTE;

/// When an accounting event happened: the router's word if believable, else our clock less Acct-Delay-Time (at most a day).
pub fn event_time(
    event_timestamp: Option<u32>,
    delay_time: Option<u32>,
    now: Timestamp,
) -> Timestamp {
    if let Some(seconds) = event_timestamp {
        let at = Timestamp::from_seconds(seconds.into());
        if now.since(at) <= CLOCK_BEHIND && at.since(now) <= CLOCK_AHEAD {
            return at;
        }
    }
    let delay = i64::from(delay_time.unwrap_or(0))
        .saturating_mul(SECOND)
        .min(CLOCK_BEHIND);
    now.plus(-delay)
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
