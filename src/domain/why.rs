//! Why a subscriber is offline, rejected or slow, in one sentence with what to do about it.
//!
//! One pure function over what is known. Whether a login would be refused now is asked of [`access::decide`] itself, so
//! that the page never says anything else than the next login hears.

use super::access::{self, AccessFacts, Decision, Reason};
use super::duration::short;
use super::id::{LoginId, NasId};
use super::octets::Octets;
use super::plan::OnExpiry;
use super::session::{Cause, Presence};
use super::speed::{self, QuotaState, SpeedFacts};
use super::subscriber::{MacMode, Status, Subscriber};
use super::time::Timestamp;

/// What is known of a subscriber.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub subscriber: &'a Subscriber,
    /// What the speed depends on; the plan among it.
    pub speed: SpeedFacts<'a>,
    /// The open session that was heard of last.
    pub open: Option<OpenSession>,
    /// When and why the last session ended.
    pub ended: Option<(Timestamp, Cause)>,
    /// The last attempt to log in.
    pub attempt: Option<LastAttempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSession {
    pub started_at: Timestamp,
    pub heard_at: Timestamp,
    pub presence: Presence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: Timestamp,
    pub nas: NasId,
    /// Absent where it was accepted.
    pub reason: Option<Reason>,
}

/// What the sentence amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Online with the speed of the plan.
    Well,
    /// Online with another speed, or offline without anything wrong.
    Notable,
    /// Online in part, or about to be lost.
    Doubtful,
    /// A login is rejected.
    Rejected,
}

/// Where the operator can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    EditSubscriber(&'static str),
    EditPlan(&'static str),
    ResetFup,
    LookAtSessions,
    LookAtAttempts,
    LookAtNas(NasId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub mood: Mood,
    pub title: String,
    pub text: String,
    /// How the speed came about; empty where the speed is not the point.
    pub steps: Vec<String>,
    pub remedy: Option<Remedy>,
}

impl Why {
    fn new(mood: Mood, title: impl Into<String>, text: impl Into<String>) -> Why {
        Why {
            mood,
            title: title.into(),
            text: text.into(),
            steps: Vec::new(),
            remedy: None,
        }
    }

    fn remedy(self, remedy: Remedy) -> Why {
        Why {
            remedy: Some(remedy),
            ..self
        }
    }
}

/// Explains the present state: what runs first, then what would refuse a login, then what the last attempt met.
pub fn explain(known: &Known<'_>, now: Timestamp) -> Why {
    let refusal = refusal(known, now);
    match (known.open, refusal) {
        (Some(open), refusal) if open.presence == Presence::Online => online(known, refusal, now),
        (_, Some(reason)) => would_be_refused(known, reason, now),
        (Some(open), None) => silent(open, now),
        (None, None) => offline(known, now),
    }
}

/// What the next login hears, whatever device or router it comes from.
fn refusal(known: &Known<'_>, now: Timestamp) -> Option<Reason> {
    let subscriber = known.subscriber;
    let facts = AccessFacts {
        status: &subscriber.status,
        speed: known.speed,
        max_sessions: subscriber.max_sessions,
        on_limit: subscriber.on_limit,
        mac_mode: MacMode::Off,
        macs: &[],
        only_nas: None,
        static_address: subscriber.static_address,
        static_prefix: None,
        checks_hold: true,
        extra_reply: &[],
        open: &[],
        nas: NasId(0),
        mac: None,
        login: LoginId(0),
        interim_interval: access::interim_interval(None, 0),
    };
    match access::decide(&facts, now) {
        Decision::Accept(_) => None,
        Decision::Reject(reason) => Some(reason),
    }
}

fn online(known: &Known<'_>, refusal: Option<Reason>, now: Timestamp) -> Why {
    if let Some(reason) = refusal {
        let title = format!("Online, but the next login is rejected: {}", lower(reason));
        let text = format!("The running session was allowed before. {}", advice(reason));
        return Why::new(Mood::Doubtful, title, text).remedy(remedy(reason, None));
    }
    let expired_at = known.subscriber.expires_at.filter(|at| *at <= now);
    if let (Some(at), OnExpiry::ExpiredPool { pool }) = (expired_at, &known.speed.plan.on_expiry) {
        let title = "Online, but restricted: the term is over";
        let text = format!(
            "Expired on {}. The plan gives an address from the pool {pool} and a low speed until a new date is set.",
            known.speed.calendar.last_day(at)
        );
        return Why::new(Mood::Doubtful, title, text)
            .remedy(Remedy::EditSubscriber("Set a new date"));
    }
    let effective = speed::effective(&known.speed, now);
    let rate = effective.limit.rate;
    let base = known.speed.plan.rate;
    let title = format!("Online at {rate}");
    let last = effective.steps.last().map(|step| step.cause);
    let (mood, text, mend) = match (effective.quota, last) {
        (QuotaState::Throttled(active), _) if rate.is_slower(base) => (
            Mood::Notable,
            format!(
                "Slowed down by fair use: {} used, and the {} tier {} begins at {}.",
                Octets(active.used),
                active.kind.adjective(),
                active.tier.index + 1,
                Octets(active.tier.threshold)
            ),
            Some(Remedy::ResetFup),
        ),
        (_, Some(speed::Cause::Plan) | None) => (
            Mood::Well,
            format!("The speed of the plan {}.", known.speed.plan.name),
            None,
        ),
        (_, Some(speed::Cause::Own)) if rate.is_slower(base) => (
            Mood::Notable,
            format!(
                "Slower than the plan {}, which has {base}: this subscriber has a speed of its own.",
                known.speed.plan.name
            ),
            Some(Remedy::EditSubscriber("Change the speed")),
        ),
        (_, Some(speed::Cause::Own)) => (
            Mood::Well,
            "The subscriber's own speed, instead of the plan's.".to_owned(),
            None,
        ),
        (_, Some(_)) => {
            let mood = if rate.is_slower(base) {
                Mood::Notable
            } else {
                Mood::Well
            };
            let last = effective.steps.last();
            let made = last.map_or_else(String::new, |step| speed::sentence(&known.speed, step));
            (mood, format!("{made}. The plan has {base}."), None)
        }
    };
    let mut why = Why::new(mood, title, text);
    why.remedy = mend;
    if effective.steps.len() > 1 {
        why.steps = effective.sentences(&known.speed);
    }
    why
}

fn would_be_refused(known: &Known<'_>, reason: Reason, now: Timestamp) -> Why {
    let title = match (
        reason,
        &known.subscriber.status,
        known.subscriber.expires_at,
    ) {
        (Reason::Disabled, Status::Suspended { since, reason }, _) => {
            let since = known.speed.calendar.format_minute(*since);
            match reason.is_empty() {
                true => format!("Rejected: suspended since {since}"),
                false => format!("Rejected: suspended since {since}, {reason}"),
            }
        }
        (Reason::Expired, _, Some(at)) => {
            format!("Rejected: expired {} ago", short(now.since(at)))
        }
        _ => format!("Rejected: {}", lower(reason)),
    };
    let mut text = advice(reason).to_owned();
    if let Some(attempt) = known.attempt {
        text = format!(
            "{text} The last attempt was {} ago.",
            short(now.since(attempt.at))
        );
    }
    Why::new(Mood::Rejected, title, text).remedy(remedy(reason, known.attempt))
}

fn silent(open: OpenSession, now: Timestamp) -> Why {
    let silent_for = short(now.since(open.heard_at));
    Why::new(
        Mood::Doubtful,
        format!("Not heard of for {silent_for}"),
        "The router sends no more accounting for this session. If it stays silent, the session is closed as lost; until then it blocks no login.",
    )
    .remedy(Remedy::LookAtSessions)
}

fn offline(known: &Known<'_>, now: Timestamp) -> Why {
    let ended_at = known.ended.map(|(at, _)| at);
    match (known.attempt, known.ended) {
        (Some(attempt), _) if ended_at.is_none_or(|at| attempt.at > at) => {
            after_attempt(known, attempt, now)
        }
        (_, Some((at, cause))) => Why::new(
            Mood::Notable,
            format!("Offline for {}", short(now.since(at))),
            format!(
                "The last session ended with {}. The subscriber's router has not dialled since.",
                cause.word()
            ),
        ),
        (_, None) => Why::new(
            Mood::Notable,
            "Never online",
            "No router has asked for this user name yet. Check the name and the password in the subscriber's equipment.",
        ),
    }
}

/// The last thing that happened was an attempt, and a login would not be refused for what the record says.
fn after_attempt(known: &Known<'_>, attempt: LastAttempt, now: Timestamp) -> Why {
    let ago = short(now.since(attempt.at));
    let Some(reason) = attempt.reason else {
        return Why::new(
            Mood::Doubtful,
            format!("Accepted {ago} ago, but no session was reported"),
            "The router got the answer and sent no accounting. Check that accounting is on and that UDP 1813 reaches this machine.",
        )
        .remedy(Remedy::LookAtNas(attempt.nas));
    };
    let is_mended = matches!(
        reason,
        Reason::Disabled | Reason::Expired | Reason::QuotaBlocked | Reason::OutsideHours
    );
    if is_mended {
        return Why::new(
            Mood::Notable,
            format!("Offline; rejected {ago} ago: {}", lower(reason)),
            "That reason is gone by now: the next login is accepted.",
        );
    }
    let text = match (reason, known.subscriber.mac_mode) {
        (Reason::WrongMac, MacMode::Learn(_)) => {
            "The device is not one of those that were learned. Forget the MAC addresses, and the next device is learned."
        }
        _ => advice(reason),
    };
    Why::new(
        Mood::Rejected,
        format!("Rejected {ago} ago: {}", lower(reason)),
        text,
    )
    .remedy(remedy(reason, Some(attempt)))
}

fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::BadRequest => "The router's request lacked a user name or a password.",
        Reason::EapNotSupported => "The router asks with EAP. Switch it to PAP, CHAP or MS-CHAP.",
        Reason::UnknownUser => "The attempt was made before this subscriber existed.",
        Reason::WrongPassword => {
            "The password in the subscriber's equipment is another one. Compare it, or set a new one here."
        }
        Reason::WrongSecret => {
            "The password arrived as garbage: the shared secret on the router is another one than here."
        }
        Reason::Disabled => "Enable the subscriber, and the next login is accepted.",
        Reason::Expired => "Set a new expiry date, and the next login is accepted.",
        Reason::QuotaBlocked => {
            "The quota of the plan is used up. A top-up or a reset lets the subscriber in at once; the next period begins anew."
        }
        Reason::WrongMac => {
            "The device is not on the list of this subscriber. Add its MAC address."
        }
        Reason::WrongNas => "The subscriber may only come through another NAS.",
        Reason::SessionLimit => {
            "As many sessions as allowed are open, and the plan rejects new ones."
        }
        Reason::OutsideHours => "The plan allows logins at other hours only.",
        Reason::CheckFailed => {
            "An extra check attribute of the plan or the subscriber was not in the router's request."
        }
        Reason::NoAddress => {
            "The server-side pool of the plan has no free address. Make it larger."
        }
        Reason::Fault => "A fault of ours; the cause is in the log of the machine.",
    }
}

fn remedy(reason: Reason, attempt: Option<LastAttempt>) -> Remedy {
    match (reason, attempt) {
        (Reason::WrongSecret | Reason::EapNotSupported | Reason::BadRequest, Some(attempt)) => {
            Remedy::LookAtNas(attempt.nas)
        }
        (Reason::Expired, _) => Remedy::EditSubscriber("Set a new date"),
        (Reason::WrongPassword, _) => Remedy::EditSubscriber("Set the password"),
        (Reason::QuotaBlocked, _) => Remedy::ResetFup,
        (Reason::CheckFailed, _) => Remedy::EditPlan("See the checks"),
        (Reason::NoAddress, _) => Remedy::EditPlan("See the pool"),
        (Reason::OutsideHours, _) => Remedy::EditPlan("Change the hours"),
        (Reason::SessionLimit, _) => Remedy::LookAtSessions,
        (Reason::Disabled | Reason::WrongMac | Reason::WrongNas, _) => {
            Remedy::EditSubscriber("Edit")
        }
        _ => Remedy::LookAtAttempts,
    }
}

/// The reason inside a sentence: its first letter is small, unless it begins an abbreviation.
fn lower(reason: Reason) -> String {
    let words = reason.words();
    let mut letters = words.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(words.chars().skip(1)).collect()
        }
        _ => words.to_owned(),
    }
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
