//! Every state at its boundaries, and what it allows.

use super::*;
use crate::licence::SignatureError;
use crate::licence::testing::{licence, machine};

const T: i64 = 1_780_000_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp(T + milliseconds)
}

fn facts<'a>(licence: &'a Licence, hardware: &'a Hardware) -> Facts<'a> {
    Facts {
        is_configured: true,
        first_seen: Some(at(0)),
        licence: Some(Ok(licence)),
        revoked: None,
        is_elsewhere: false,
        last_good: at(0),
        last_seen: at(0),
        hardware,
    }
}

/// One word for the state, and whether it allows subscribers (one, the limit, one more) and changes.
fn judged(facts: &Facts<'_>, now: i64) -> (&'static str, [bool; 3], bool) {
    let standing = Standing::new(facts, at(now));
    let word = match &standing.state {
        State::None => "none",
        State::Active => "active",
        State::Grace { why, .. } => match why {
            Why::NotActivated => "grace before activation",
            Why::VendorAway => "grace without vendor",
            Why::TermOver => "grace after term",
        },
        State::Expired { why } => match why {
            Why::NotActivated => "never activated",
            Why::VendorAway => "vendor too long away",
            Why::TermOver => "term long over",
        },
        State::Revoked { .. } => "revoked",
        State::WrongHardware { .. } => "wrong hardware",
        State::Invalid { .. } => "invalid",
    };
    let allows = [1, 1_000, 1_001].map(|count| standing.allows_subscribers(count));
    (word, allows, standing.allows_changes())
}

const WITHIN: [bool; 3] = [true, true, false];
const ANY: [bool; 3] = [true; 3];
const NONE: [bool; 3] = [false; 3];

#[test]
fn without_a_vendor_everything_works() {
    let (mut licence, hardware) = (licence(), machine(9));
    licence.expires_at = Some(0);
    let mut facts = facts(&licence, &hardware);
    facts.is_configured = false;
    facts.revoked = Some("unpaid");
    assert_eq!(judged(&facts, 999 * DAY), ("none", ANY, true));
    assert!(Standing::new(&facts, at(-999 * DAY)).clock_behind.is_none());
}

#[test]
fn before_activation_there_are_two_weeks() {
    let (licence, hardware) = (licence(), machine(1));
    let mut facts = facts(&licence, &hardware);
    facts.licence = None;
    for (now, word, subscribers, changes) in [
        (0, "grace before activation", ANY, true),
        (14 * DAY - 1, "grace before activation", ANY, true),
        (14 * DAY, "never activated", NONE, false),
    ] {
        assert_eq!(judged(&facts, now), (word, subscribers, changes), "{now}");
    }
    facts.first_seen = None;
    assert_eq!(judged(&facts, 99 * DAY).0, "grace before activation");
}

#[test]
fn a_silent_vendor_is_waited_for() {
    let (licence, hardware) = (licence(), machine(1));
    let facts = facts(&licence, &hardware);
    for (now, word, subscribers, changes) in [
        (0, "active", WITHIN, true),
        (DAY - 1, "active", WITHIN, true),
        (DAY, "grace without vendor", WITHIN, true),
        (7 * DAY - 1, "grace without vendor", WITHIN, true),
        (7 * DAY, "vendor too long away", NONE, false),
    ] {
        assert_eq!(judged(&facts, now), (word, subscribers, changes), "{now}");
    }
}

#[test]
fn no_grace_is_a_day() {
    let (mut licence, hardware) = (licence(), machine(1));
    licence.grace_days = 0;
    assert_eq!(judged(&facts(&licence, &hardware), DAY - 1).0, "active");
    assert_eq!(
        judged(&facts(&licence, &hardware), DAY).0,
        "vendor too long away"
    );
}

#[test]
fn a_term_ends_with_its_grace() {
    let (mut licence, hardware) = (licence(), machine(1));
    licence.expires_at = Some(T + 30 * DAY);
    let mut facts = facts(&licence, &hardware);
    for (now, word, changes) in [
        (30 * DAY - 1, "active", true),
        (30 * DAY, "grace after term", true),
        (37 * DAY - 1, "grace after term", true),
        (37 * DAY, "term long over", false),
    ] {
        // The vendor answers all the while.
        facts.last_good = at(now);
        let (found, _, allows) = judged(&facts, now);
        assert_eq!((found, allows), (word, changes), "{now}");
    }
    facts.last_good = at(29 * DAY);
    let word = |now| judged(&facts, now).0;
    assert_eq!(word(36 * DAY - 1), "grace after term");
    assert_eq!(word(36 * DAY), "vendor too long away");
    assert_eq!(word(37 * DAY), "term long over");
}

#[test]
fn revoked_is_at_once() {
    let (licence, hardware) = (licence(), machine(1));
    let mut facts = facts(&licence, &hardware);
    facts.revoked = Some("unpaid");
    assert_eq!(judged(&facts, 0), ("revoked", NONE, false));
}

#[test]
fn another_machine_and_a_broken_token_have_the_grace_for_changes() {
    let (licence, here, there) = (licence(), machine(1), machine(2));
    let mut moved = facts(&licence, &here);
    moved.is_elsewhere = true;
    for facts in [facts(&licence, &there), moved] {
        for (now, changes) in [(0, true), (7 * DAY - 1, true), (7 * DAY, false)] {
            assert_eq!(judged(&facts, now), ("wrong hardware", NONE, changes));
        }
    }
    let mut broken = facts(&licence, &here);
    broken.licence = Some(Err(SignatureError::Wrong.into()));
    for (now, changes) in [(0, true), (DAY - 1, true), (DAY, false)] {
        assert_eq!(judged(&broken, now), ("invalid", NONE, changes));
    }
}

#[test]
fn a_clock_that_was_turned_back_gives_no_time_back() {
    let (licence, hardware) = (licence(), machine(1));
    let mut facts = facts(&licence, &hardware);
    facts.last_seen = at(8 * DAY);
    assert_eq!(judged(&facts, 0).0, "vendor too long away");
    for (clock, behind) in [
        (8 * DAY, None),
        (8 * DAY - HOUR, None),
        (8 * DAY - HOUR - 1, Some(HOUR + 1)),
        (9 * DAY, None),
    ] {
        let standing = Standing::new(&facts, at(clock));
        assert_eq!(standing.clock_behind, behind, "{clock}");
        assert_eq!(standing.now, at(clock.max(8 * DAY)));
    }
}
