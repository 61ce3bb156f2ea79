//! How pages say what the domain knows: times, attempts to sign in, the state of a NAS. One wording for all pages.

use crate::app::{App, NasStats};
use crate::domain::duration;
use crate::domain::time::{HOUR, MINUTE, Timestamp};
use crate::store::auth_log::Attempt;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Tone};

/// A router asks or reports at least this often, or it is called silent.
const SILENT_AFTER: i64 = 15 * MINUTE;
/// How long a sign of trouble is shown after it was last seen.
const TROUBLE_SHOWN: i64 = HOUR;

/// `3 min ago`; `now` for the last seconds and for times to come.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    match now.since(at) {
        ..1_000 => "now".to_owned(),
        milliseconds => format!("{} ago", duration::short(milliseconds)),
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
        result: match attempt.reason {
            None => Badge::new(Tone::Good, "Accepted"),
            Some(_) => Badge::new(Tone::Bad, "Rejected"),
        },
        reason: attempt
            .reason
            .map_or_else(String::new, |reason| reason.words().to_owned()),
        duration: String::new(),
    }
}

/// Whether a NAS is well, worst first: another secret, no protection, silence.
pub fn nas_state(stats: &NasStats, now: Timestamp) -> Badge {
    if is_recent(stats.last_wrong_secret(), now) {
        return Badge::new(Tone::Bad, "Wrong secret");
    }
    if is_recent(stats.last_missing_authenticator(), now) {
        return Badge::new(Tone::Warn, "Needs attention");
    }
    match stats.last_seen() {
        None => Badge::new(Tone::Quiet, "Not seen yet"),
        Some(at) if now.since(at) > SILENT_AFTER => Badge::new(Tone::Quiet, "Silent"),
        Some(_) => Badge::new(Tone::Good, "Answering"),
    }
}

/// What should be mended at a NAS, one sentence each.
pub fn nas_hints(stats: &NasStats, now: Timestamp) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(at) = stats
        .last_wrong_secret()
        .filter(|at| is_recent(Some(*at), now))
    {
        hints.push(format!(
            "The shared secret seems to differ: a packet could not be verified {}.",
            ago(now, at)
        ));
    }
    if let Some(at) = stats
        .last_missing_authenticator()
        .filter(|at| is_recent(Some(*at), now))
    {
        hints.push(format!(
            "A request without Message-Authenticator was dropped {}: update the router, or allow it on the NAS page.",
            ago(now, at)
        ));
    }
    hints
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| now.since(at) <= TROUBLE_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_worst_of_a_nas_is_its_state() {
        let stats = NasStats::default();
        let state = |stats: &NasStats, now| nas_state(stats, now).text;
        assert_eq!(state(&stats, NOW), "Not seen yet");
        assert!(nas_hints(&stats, NOW).is_empty());
        stats.saw_acct(NOW);
        assert_eq!(state(&stats, NOW.plus(SILENT_AFTER)), "Answering");
        assert_eq!(state(&stats, NOW.plus(SILENT_AFTER + 1)), "Silent");
        stats.saw_missing_authenticator(NOW);
        assert_eq!(state(&stats, NOW.plus(TROUBLE_SHOWN)), "Needs attention");
        stats.saw_wrong_digest(NOW);
        assert_eq!(state(&stats, NOW.plus(TROUBLE_SHOWN)), "Wrong secret");
        assert_eq!(nas_hints(&stats, NOW.plus(TROUBLE_SHOWN)).len(), 2);
        assert_eq!(state(&stats, NOW.plus(TROUBLE_SHOWN + 1)), "Silent");
        assert!(nas_hints(&stats, NOW.plus(TROUBLE_SHOWN + 1)).is_empty());
    }
}
