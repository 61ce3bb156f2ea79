//! How a NAS does, by what was seen of it: one state, and what should be mended.

use crate::app::{CoaOutcome, CoaReport, NasEntry, NasStats};
use crate::domain::nas::MessageAuthenticator;
use crate::domain::time::{MINUTE, Timestamp};
use crate::radius::{dictionary, number};

/// A wrong secret, and other refusals, count for so long after it was last seen.
pub(super) const WRONG_SECRET_FOR: i64 = 10 * MINUTE;
/// A router with subscribers speaks at least at every interim record, at most two minutes apart (rules.md section 2).
pub(super) const SILENT_AFTER: i64 = 10 * MINUTE;
/// So many of the newest CoA and Disconnect requests decide whether they work.
const COA_LOOKED_AT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NasState {
    /// No packet since the start of the daemon.
    NeverSeen,
    WrongSecret,
    Silent,
    Answering,
}

/// Something to mend, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    WrongSecret,
    /// Requests are dropped since they lack the Message-Authenticator that this NAS must send.
    MissingAuthenticator,
    /// It shall use RadSec, and its last try failed.
    Radsec,
    /// CoA and Disconnect get no answer.
    CoaUnanswered,
    /// CoA and Disconnect are refused, with the Error-Cause (RFC 5176 section 3.5).
    CoaRefused(Option<u32>),
    /// It sends no Message-Authenticator, so answers can be forged (CVE-2024-3596).
    Unprotected,
}

pub fn state(stats: &NasStats, now: Timestamp) -> NasState {
    let wrong = stats.last_wrong_secret();
    let seen = stats.last_seen();
    if wrong.is_some_and(|at| now.since(at) <= WRONG_SECRET_FOR) {
        return NasState::WrongSecret;
    }
    match seen.max(wrong) {
        None => NasState::NeverSeen,
        Some(at) if now.since(at) > SILENT_AFTER => NasState::Silent,
        Some(_) => NasState::Answering,
    }
}

pub fn troubles(entry: &NasEntry, now: Timestamp) -> Vec<Trouble> {
    let stats = &entry.stats;
    let is_recent = |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) <= WRONG_SECRET_FOR);
    let mut troubles = Vec::new();
    if is_recent(stats.last_wrong_secret()) {
        troubles.push(Trouble::WrongSecret);
    }
    if is_recent(stats.last_missing_authenticator()) {
        troubles.push(Trouble::MissingAuthenticator);
    }
    let is_connected = !stats.radsec.open().is_empty();
    let radsec_trouble = stats.radsec.trouble().map(|trouble| trouble.at);
    if entry.nas.radsec.is_some() && !is_connected && is_recent(radsec_trouble) {
        troubles.push(Trouble::Radsec);
    }
    troubles.extend(coa_trouble(stats));
    let is_unprotected = match entry.nas.message_authenticator {
        // What comes through TLS needs none.
        MessageAuthenticator::Auto { pinned } => {
            !pinned && stats.last_auth().is_some() && !is_connected
        }
        MessageAuthenticator::Required => false,
        MessageAuthenticator::Optional => true,
    };
    if is_unprotected {
        troubles.push(Trouble::Unprotected);
    }
    troubles
}

fn coa_trouble(stats: &NasStats) -> Option<Trouble> {
    coa_trouble_of(stats.coa_reports())
}

/// The newest outcomes must all have failed: one that works shows that the way is open.
pub(super) fn coa_trouble_of(mut reports: Vec<CoaReport>) -> Option<Trouble> {
    /// The router does not know the session: nothing to mend.
    const SESSION_CONTEXT_NOT_FOUND: Option<u32> = Some(503);
    reports.truncate(COA_LOOKED_AT);
    let newest = reports.first().map(|report| report.outcome.clone())?;
    let works = |outcome: &CoaOutcome| {
        *outcome == CoaOutcome::Confirmed
            || *outcome == CoaOutcome::Refused(SESSION_CONTEXT_NOT_FOUND)
    };
    if reports.iter().any(|report| works(&report.outcome)) {
        return None;
    }
    match newest {
        CoaOutcome::Refused(cause) => Some(Trouble::CoaRefused(cause)),
        CoaOutcome::NoAnswer | CoaOutcome::Failed(_) => Some(Trouble::CoaUnanswered),
        CoaOutcome::Confirmed => None,
    }
}

/// An Error-Cause in words, as the dictionary names it (RFC 5176 section 3.5).
pub fn error_cause(cause: u32) -> String {
    let name = dictionary::value_name(number::ERROR_CAUSE, cause);
    name.map_or_else(
        || format!("Error-Cause {cause}"),
        |name| name.replace('-', " "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    #[test]
    fn the_state_follows_what_was_seen_last() {
        let stats = NasStats::default();
        assert_eq!(state(&stats, NOW), NasState::NeverSeen);
        stats.saw_acct(NOW.plus(-SILENT_AFTER));
        assert_eq!(state(&stats, NOW), NasState::Answering);
        assert_eq!(state(&stats, NOW.plus(1)), NasState::Silent);
        stats.saw_garbled(NOW);
        assert_eq!(state(&stats, NOW), NasState::WrongSecret);
        assert_eq!(
            state(&stats, NOW.plus(WRONG_SECRET_FOR)),
            NasState::WrongSecret
        );
        assert_eq!(
            state(&stats, NOW.plus(WRONG_SECRET_FOR + 1)),
            NasState::Silent
        );
    }

    #[test]
    fn coa_is_in_trouble_when_the_newest_requests_all_failed() {
        let told = |outcomes: &[CoaOutcome]| {
            let stats = NasStats::default();
            for outcome in outcomes {
                stats.report_coa(CoaReport {
                    at: NOW,
                    is_disconnect: true,
                    username: "ali".into(),
                    outcome: outcome.clone(),
                });
            }
            coa_trouble(&stats)
        };
        use CoaOutcome::{Confirmed, Failed, NoAnswer, Refused};
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[NoAnswer]), Some(Trouble::CoaUnanswered));
        assert_eq!(
            told(&[Failed("no route".into())]),
            Some(Trouble::CoaUnanswered)
        );
        assert_eq!(
            told(&[NoAnswer, Refused(Some(501))]),
            Some(Trouble::CoaRefused(Some(501)))
        );
        assert_eq!(told(&[Refused(Some(503))]), None);
        assert_eq!(told(&[Confirmed, NoAnswer, NoAnswer]), None);
        assert_eq!(
            told(&[Confirmed, NoAnswer, NoAnswer, NoAnswer]),
            Some(Trouble::CoaUnanswered)
        );
    }

    #[test]
    fn causes_have_their_names() {
        assert_eq!(error_cause(503), "Session Context Not Found");
        assert_eq!(error_cause(9999), "Error-Cause 9999");
    }
}
