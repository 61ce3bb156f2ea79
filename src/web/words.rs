//! How pages say what the domain knows: times, names of plans and NAS devices, states, attempts. One wording for all pages.
//!
//! Not here: rules, and words of one page only.

use std::sync::Arc;

use crate::app::{App, NasTable, Settings};
use crate::domain::access::Reason;
use crate::domain::duration::short;
use crate::domain::id::{NasId, PlanId, SessionId, SubscriberId};
use crate::domain::octets::Octets;
use crate::domain::session::{Cause, Presence, Session};
use crate::domain::time::{Calendar, DAY, Timestamp};
use crate::operations::overview::State;
use crate::store::auth_log::Attempt;
use crate::store::subscribers;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Select, Tone};

/// What one page needs to put facts into words: the moment, the calendar, the names.
pub struct Words<'a> {
    pub app: &'a App,
    pub now: Timestamp,
    settings: Arc<Settings>,
    nas: Arc<NasTable>,
}

impl<'a> Words<'a> {
    pub fn of(app: &'a App) -> Words<'a> {
        Words {
            app,
            now: app.now(),
            settings: app.settings(),
            nas: app.nas_table(),
        }
    }

    pub fn calendar(&self) -> &Calendar {
        &self.settings.calendar
    }

    /// `2026-11-22 15:04:05` on the ISP's wall clock.
    pub fn second(&self, at: Timestamp) -> String {
        self.calendar().format(at)
    }

    /// `2026-11-22 15:04`.
    pub fn minute(&self, at: Timestamp) -> String {
        self.calendar().format_minute(at)
    }

    /// `2026-11-22`.
    pub fn day(&self, at: Timestamp) -> String {
        self.calendar().day(at).to_string()
    }

    /// `3 min ago`, or `now`.
    pub fn ago(&self, at: Timestamp) -> String {
        ago(self.now, at)
    }

    /// The last day of a term, and how far it is away: `2026-12-31`, `in 39 d`.
    pub fn expiry(&self, at: Option<Timestamp>) -> (String, String) {
        let Some(at) = at else {
            return ("Never".to_owned(), String::new());
        };
        let note = match at > self.now {
            true => format!("in {}", days(at.since(self.now))),
            false => format!("{} ago", days(self.now.since(at))),
        };
        (self.calendar().last_day(at).to_string(), note)
    }

    pub fn plan(&self, id: PlanId) -> String {
        self.app
            .plan(id)
            .map_or_else(|| "a deleted plan".to_owned(), |plan| plan.name.clone())
    }

    pub fn nas(&self, id: NasId) -> String {
        self.nas.by_id(id).map_or_else(
            || "a deleted NAS".to_owned(),
            |entry| entry.nas.name.clone(),
        )
    }

    pub fn subscriber(&self, id: SubscriberId) -> String {
        let found = self
            .app
            .store
            .view()
            .ok()
            .and_then(|view| subscribers::get(&view, id).ok().flatten());
        found.map_or_else(
            || "a deleted subscriber".to_owned(),
            |stored| stored.subscriber.username.as_str().to_owned(),
        )
    }

    /// The page of a NAS, or empty once it is deleted.
    pub fn nas_href(&self, id: NasId) -> String {
        self.nas
            .by_id(id)
            .map_or_else(String::new, |_| format!("/nas/{id}"))
    }

    /// All NAS devices behind a first choice such as `Any`.
    pub fn nas_choices(&self, first: &str, chosen: &str) -> Select {
        let all = self.nas.all();
        let rest = all
            .iter()
            .map(|entry| (entry.nas.id.to_string(), entry.nas.name.clone()));
        Select::new(
            std::iter::once((String::new(), first.to_owned())).chain(rest),
            chosen,
        )
    }

    /// All plans behind a first choice such as `Any`; without one when `first` is empty.
    pub fn plan_choices(&self, first: &str, chosen: &str) -> Select {
        let all = self.app.plans();
        let first = (!first.is_empty()).then(|| (String::new(), first.to_owned()));
        let rest = all
            .iter()
            .map(|plan| (plan.id.to_string(), plan.name.clone()));
        Select::new(first.into_iter().chain(rest), chosen)
    }

    /// How an open session does: silent, waiting for its next record, or well.
    pub fn presence(&self, session: &Session) -> Presence {
        session.presence(self.now, self.app.interim_interval(session.nas))
    }
}

/// `3 min ago`; `now` for the last seconds and for times to come.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    match now.since(at) {
        ..1_000 => "now".to_owned(),
        milliseconds => format!("{} ago", short(milliseconds)),
    }
}

/// `3 min ago`, or `never`.
pub fn ago_or_never(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| ago(now, at))
}

/// A line of the authentication log.
pub fn attempt(app: &App, attempt: &Attempt) -> auth_log::Row {
    let nas = app.nas(attempt.nas).map_or_else(
        || attempt.source.to_string(),
        |entry| entry.nas.name.clone(),
    );
    auth_log::Row {
        time: app.settings().calendar.format(attempt.at),
        user_name: attempt.username.to_string(),
        user_href: attempt
            .subscriber
            .map_or_else(String::new, |id| format!("/subscribers/{id}")),
        nas,
        method: attempt.method.word().to_owned(),
        mac: attempt.mac.map_or_else(String::new, |mac| mac.to_string()),
        result: outcome_badge(attempt.reason),
        reason: attempt
            .reason
            .map_or_else(String::new, |reason| reason.words().to_owned()),
    }
}

/// Hours matter on the last two days only.
fn days(milliseconds: i64) -> String {
    match milliseconds / DAY {
        0 | 1 => short(milliseconds),
        days => format!("{days} days"),
    }
}

pub fn subscriber_href(id: SubscriberId) -> String {
    format!("/subscribers/{id}")
}

/// Where the form that ends a session posts to.
pub fn disconnect_href(id: SessionId) -> String {
    format!("/sessions/{id}/disconnect")
}

pub fn octets(octets: u64) -> String {
    Octets(octets).to_string()
}

pub fn state_badge(state: State) -> Badge {
    match state {
        State::Active => Badge::new(Tone::Good, "Active"),
        State::ExpiringSoon => Badge::new(Tone::Warn, "Expires soon"),
        State::Expired => Badge::new(Tone::Bad, "Expired"),
        State::Disabled => Badge::new(Tone::Quiet, "Disabled"),
    }
}

pub fn presence_badge(presence: Presence) -> Badge {
    match presence {
        Presence::Online => Badge::new(Tone::Good, "Online"),
        Presence::Stale => Badge::new(Tone::Warn, "Stale"),
        Presence::Lost => Badge::new(Tone::Bad, "Lost"),
    }
}

pub fn outcome_badge(reason: Option<Reason>) -> Badge {
    match reason {
        None => Badge::new(Tone::Good, "Accepted"),
        Some(_) => Badge::new(Tone::Bad, "Rejected"),
    }
}

/// Where a session is attached, as one text: the address, or the prefix where there is no address.
pub fn place(session: &Session) -> String {
    let place = &session.place;
    let prefix = place.ipv6_prefix.or(place.delegated_prefix);
    match (place.address, prefix) {
        (Some(address), _) => address.to_string(),
        (None, Some((prefix, length))) => format!("{prefix}/{length}"),
        (None, None) => String::new(),
    }
}

/// The MAC address, or what the router sent in its place.
pub fn station(session: &Session) -> String {
    session.place.mac.map_or_else(
        || session.place.calling_station.clone(),
        |mac| mac.to_string(),
    )
}

/// Why a session ended, for people (RFC 2866 section 5.10).
pub fn cause(cause: Cause) -> String {
    let word = cause.word();
    let known = match word.as_str() {
        "User-Request" => "Hung up",
        "Lost-Carrier" => "Line lost",
        "Lost-Service" => "Service lost",
        "Idle-Timeout" => "Idle for too long",
        "Session-Timeout" => "Time is over",
        "Admin-Reset" => "Disconnected by an operator",
        "Admin-Reboot" | "NAS-Reboot" => "Router restarted",
        "NAS-Request" => "Router ended it",
        "NAS-Error" => "Router fault",
        "Port-Error" => "Port fault",
        "Lost" => "Not heard of any more",
        _ => return word.replace('-', " "),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::MINUTE;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn times_are_told_from_now() {
        for (back, text) in [
            (-5_000, "now"),
            (999, "now"),
            (1_000, "1 s ago"),
            (3 * MINUTE, "3 min ago"),
        ] {
            assert_eq!(ago(NOW, NOW.plus(-back)), text);
        }
        assert_eq!(ago_or_never(NOW, None), "never");
    }

    #[test]
    fn far_days_are_told_without_hours() {
        for (milliseconds, words) in [
            (2 * DAY, "2 days"),
            (2 * DAY - 1, "1 d 23 h"),
            (40 * DAY + 1, "40 days"),
            (5 * MINUTE, "5 min"),
        ] {
            assert_eq!(days(milliseconds), words);
        }
    }

    #[test]
    fn causes_are_told_in_plain_words_and_none_is_lost() {
        for (number, words) in [
            (1, "Hung up"),
            (2, "Line lost"),
            (5, "Time is over"),
            (6, "Disconnected by an operator"),
            (11, "Router restarted"),
            (12, "Port Unneeded"),
            (99, "Cause 99"),
        ] {
            assert_eq!(cause(Cause::Radius(number)), words);
        }
        assert_eq!(cause(Cause::Lost), "Not heard of any more");
        assert_eq!(cause(Cause::NasOff), "Router restarted");
    }
}
