//! Whether a licence holds, and what follows: pure, the time is an argument.
//!
//! | state | new subscribers | changes in the panel |
//! | --- | --- | --- |
//! | none: no vendor is configured | yes | yes |
//! | active, grace | up to the limit | yes |
//! | another machine, unreadable | no | until the grace is over |
//! | expired (the grace is over), revoked | no | no |
//!
//! RADIUS, sign-in, one's own account, settings, backups and restore go on in every state.

use super::{Hardware, Licence, TokenError};
use crate::domain::time::{DAY, HOUR, Timestamp};

/// How long a new installation works before it must be activated.
pub const GRACE_BEFORE_ACTIVATION: i64 = 14 * DAY;
/// A vendor that is silent for less is not worth a word: heartbeats are hourly, and lines break.
const SILENCE: i64 = DAY;
/// Clocks are set by so much every day.
const CLOCK_TOLERANCE: i64 = HOUR;

/// Why there is grace, and why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    NotActivated,
    /// The vendor did not answer for long.
    VendorAway,
    /// The term that was paid is over.
    TermOver,
}

/// What is known of the licence of this machine.
#[derive(Debug, Clone)]
pub enum State {
    /// No vendor is configured: everything works.
    None,
    Active,
    Grace {
        until: Timestamp,
        why: Why,
    },
    /// The grace is over.
    Expired {
        why: Why,
    },
    /// The vendor took it back, with its words.
    Revoked {
        reason: String,
    },
    /// It is for another machine, or was moved to one.
    WrongHardware {
        until: Timestamp,
    },
    /// What is stored is no licence of this vendor.
    Invalid {
        why: TokenError,
        until: Timestamp,
    },
}

/// What is stored and seen; [`Standing::new`] judges it.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub is_configured: bool,
    /// When this installation first knew of its vendor; none before the first look.
    pub first_seen: Option<Timestamp>,
    /// The stored token, opened; none before activation.
    pub licence: Option<Result<&'a Licence, TokenError>>,
    /// The last signed word was that it is revoked, with the reason.
    pub revoked: Option<&'a str>,
    /// The last signed word was that it is bound elsewhere.
    pub is_elsewhere: bool,
    /// When the vendor last said that all is well.
    pub last_good: Timestamp,
    /// The latest moment that this installation or its vendor has named.
    pub last_seen: Timestamp,
    pub hardware: &'a Hardware,
}

/// The state of the licence at one moment.
#[derive(Debug, Clone)]
pub struct Standing {
    pub state: State,
    /// What the licence says, as far as it can be read.
    pub licence: Option<Licence>,
    /// The moment that counts: never before one that was seen.
    pub now: Timestamp,
    /// How far the clock of this machine is behind what it once showed, in milliseconds, when that is no mere correction.
    pub clock_behind: Option<i64>,
}

impl Standing {
    pub fn new(facts: &Facts<'_>, clock: Timestamp) -> Standing {
        let behind = facts.last_seen.since(clock);
        let now = clock.max(facts.last_seen);
        let licence = match &facts.licence {
            Some(Ok(licence)) => Some((*licence).clone()),
            _ => None,
        };
        Standing {
            state: state(facts, now),
            licence,
            now,
            clock_behind: (facts.is_configured && behind > CLOCK_TOLERANCE).then_some(behind),
        }
    }

    /// Whether a store with so many subscribers is within the licence; asked before one is added, with the new one counted.
    pub fn allows_subscribers(&self, count: u64) -> bool {
        match &self.state {
            State::None => true,
            State::Active | State::Grace { .. } => self
                .most_subscribers()
                .is_none_or(|most| count <= u64::from(most)),
            State::Expired { .. }
            | State::Revoked { .. }
            | State::WrongHardware { .. }
            | State::Invalid { .. } => false,
        }
    }

    /// Whether operators may change things in the panel.
    pub fn allows_changes(&self) -> bool {
        match &self.state {
            State::None | State::Active | State::Grace { .. } => true,
            State::WrongHardware { until } | State::Invalid { until, .. } => self.now < *until,
            State::Expired { .. } | State::Revoked { .. } => false,
        }
    }

    pub fn most_subscribers(&self) -> Option<u32> {
        self.licence.as_ref()?.most_subscribers
    }
}

fn state(facts: &Facts<'_>, now: Timestamp) -> State {
    if !facts.is_configured {
        return State::None;
    }
    let Some(licence) = &facts.licence else {
        let began = facts.first_seen.unwrap_or(now);
        return graced(began.plus(GRACE_BEFORE_ACTIVATION), Why::NotActivated, now);
    };
    if let Some(reason) = facts.revoked {
        return State::Revoked {
            reason: reason.to_owned(),
        };
    }
    let licence = match licence {
        Ok(licence) => *licence,
        Err(why) => {
            return State::Invalid {
                why: *why,
                until: facts.last_good.plus(SILENCE),
            };
        }
    };
    let grace = i64::from(licence.grace_days).saturating_mul(DAY);
    let silent_end = facts.last_good.plus(grace.max(SILENCE));
    if facts.is_elsewhere || !licence.hardware.is_same_machine(facts.hardware) {
        return State::WrongHardware { until: silent_end };
    }
    let expires_at = licence.expires_at.map(Timestamp);
    let term_end = expires_at.map(|at| at.plus(grace));
    if let Some(term_end) = term_end.filter(|end| *end <= now) {
        return graced(term_end, Why::TermOver, now);
    }
    if silent_end <= now {
        return graced(silent_end, Why::VendorAway, now);
    }
    match (term_end, expires_at) {
        (Some(until), Some(expires_at)) if expires_at <= now => graced(until, Why::TermOver, now),
        _ if now >= facts.last_good.plus(SILENCE) => graced(silent_end, Why::VendorAway, now),
        _ => State::Active,
    }
}

fn graced(until: Timestamp, why: Why, now: Timestamp) -> State {
    if now < until {
        State::Grace { until, why }
    } else {
        State::Expired { why }
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
