//! The licence in words, the same on pages, in alerts and on a terminal.

use super::Status;
use crate::domain::time::{Calendar, DAY, HOUR, Timestamp};
use crate::licence::{Standing, State, Why};

/// What is so, and what follows from it or what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub text: String,
    /// Whether anything is limited now, or will be.
    pub is_well: bool,
    /// Whether something is limited now.
    pub is_limited: bool,
}

const STOPPED: &str = "Subscribers sign in as before, and backups go on; new subscribers and changes in the panel wait for the \
                       vendor.";

pub fn words(standing: &Standing, calendar: &Calendar) -> Words {
    let left = |until: Timestamp| left(until.since(standing.now));
    let day = |until: Timestamp| calendar.format_minute(until);
    let (title, text) = match &standing.state {
        State::None => (
            "No licence is needed.".to_owned(),
            "No vendor is configured, so nothing is limited.".to_owned(),
        ),
        State::Active => ("The licence is active.".to_owned(), String::new()),
        State::Grace { until, why } => {
            let what = match why {
                Why::NotActivated => "This installation has no licence yet.",
                Why::VendorAway => "The vendor has not answered for more than a day.",
                Why::TermOver => "The term of the licence is over.",
            };
            let then = format!(
                "Everything works for another {}, until {}. Then new subscribers and changes in the panel wait; RADIUS does not.",
                left(*until),
                day(*until)
            );
            (what.to_owned(), then)
        }
        State::Expired { why } => {
            let what = match why {
                Why::NotActivated => "This installation was never activated.",
                Why::VendorAway => "The vendor has not answered for too long.",
                Why::TermOver => "The licence has expired.",
            };
            (what.to_owned(), STOPPED.to_owned())
        }
        State::Revoked { reason } if reason.is_empty() => (
            "The vendor took the licence back.".to_owned(),
            STOPPED.to_owned(),
        ),
        State::Revoked { reason } => (
            format!("The vendor took the licence back: {reason}."),
            STOPPED.to_owned(),
        ),
        State::WrongHardware { until } => (
            "The licence is bound to another machine.".to_owned(),
            wrong(standing, &left(*until), &day(*until)),
        ),
        State::Invalid { why, until } => (
            format!("The stored licence cannot be used: {why}."),
            wrong(standing, &left(*until), &day(*until)),
        ),
    };
    let is_limited = !standing.allows_changes() || !standing.allows_subscribers(1);
    Words {
        title,
        text,
        is_well: matches!(standing.state, State::None | State::Active),
        is_limited,
    }
}

fn wrong(standing: &Standing, left: &str, day: &str) -> String {
    match standing.allows_changes() {
        true => format!(
            "New subscribers wait until it is activated for this machine; changes in the panel work for another {left}, until {day}."
        ),
        false => STOPPED.to_owned(),
    }
}

/// Rounded so that nobody is promised too much.
fn left(milliseconds: i64) -> String {
    let (number, unit) = match milliseconds {
        long if long >= 2 * DAY => (long / DAY, "days"),
        day if day >= DAY => return format!("{} hours", day / HOUR),
        hours if hours >= 2 * HOUR => (hours / HOUR, "hours"),
        short => (short.max(0) / (HOUR / 60), "minutes"),
    };
    format!("{number} {unit}")
}

/// For a terminal.
pub fn lines(status: &Status, calendar: &Calendar) -> Vec<String> {
    let said = words(&status.standing, calendar);
    let mut lines = vec![
        format!("{} {}", said.title, said.text)
            .trim_end()
            .to_owned(),
    ];
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{label:<14}{value}"));
        }
    };
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| calendar.format_minute(at));
    line("Vendor", status.vendor_url.clone());
    if let Some(licence) = &status.standing.licence {
        let trial = if licence.is_trial { " (trial)" } else { "" };
        line("Licence", format!("number {}{trial}", licence.id));
        line("Customer", licence.customer.clone());
        let ends = licence.expires_at.map(Timestamp);
        line(
            "Ends",
            ends.map_or_else(|| "never".to_owned(), |at| time(Some(at))),
        );
        line("Grace", format!("{} days", licence.grace_days));
    }
    if status.is_activated() {
        line("Key", format!("ends with {}", status.key_hint));
    }
    let most = status.standing.most_subscribers();
    let most = most.map_or_else(|| "any number".to_owned(), |most| most.to_string());
    line("Subscribers", format!("{} of {most}", status.subscribers));
    line("This machine", status.hardware.id());
    line("Last good", time(status.last_good));
    line("Last asked", time(status.last_tried));
    line("Problem", status.problem.clone());
    if let Some(behind) = status.standing.clock_behind {
        line("Clock", clock_words(behind));
    }
    lines
}

/// What is said of a clock that shows less than it did.
pub fn clock_words(behind: i64) -> String {
    format!(
        "this machine's clock is {} behind what it showed before; the later time counts",
        left(behind)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_rounded_up() {
        for (milliseconds, said) in [
            (-5, "0 minutes"),
            (59_999, "0 minutes"),
            (60_000, "1 minutes"),
            (2 * HOUR - 1, "119 minutes"),
            (2 * HOUR, "2 hours"),
            (DAY, "24 hours"),
            (2 * DAY - 1, "47 hours"),
            (2 * DAY, "2 days"),
            (14 * DAY - 1, "13 days"),
        ] {
            assert_eq!(left(milliseconds), said);
        }
    }
}
