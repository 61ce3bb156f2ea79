//! What the packets of a router say of it.

use super::{Check, Observed, accept_incoming, add_entry, ours};
use crate::app::CoaOutcome;
use crate::domain::duration::short;
use crate::domain::nas::UsageSource;
use crate::domain::time::Timestamp;
use crate::operations::nas_health::{
    SILENT_AFTER, Trouble, WRONG_SECRET_FOR, coa_trouble_of, error_cause,
};

/// One overdue session in so many is the usual loss of a network.
const OVERDUE_SHARE: usize = 10;

pub(super) fn checks(observed: &Observed) -> Vec<Check> {
    vec![
        reachable(observed),
        authentication(observed),
        accounting(observed),
        interim(observed),
        coa(observed),
    ]
}

fn ago(observed: &Observed, at: Timestamp) -> String {
    match observed.now.since(at) {
        ..1_000 => "just now".to_owned(),
        milliseconds => format!("{} ago", short(milliseconds)),
    }
}

fn is_recent(observed: &Observed, at: Option<Timestamp>, within: i64) -> bool {
    at.is_some_and(|at| observed.now.since(at) <= within)
}

fn reachable(observed: &Observed) -> Check {
    const NAME: &str = "Reachable";
    let seen = observed.last_auth.max(observed.last_acct);
    match seen {
        Some(at) if is_recent(observed, seen, SILENT_AFTER) => {
            Check::good(NAME, format!("Its last packet came {}.", ago(observed, at)))
        }
        // Without subscribers a router has nothing to say.
        _ if matches!(observed.api, super::ApiSeen::Read(_)) => Check::good(
            NAME,
            "It answers through the API, and sends no RADIUS packets now.",
        ),
        Some(at) => Check::bad(
            NAME,
            format!("Nothing came since {}.", ago(observed, at)),
            add_entry(observed),
        ),
        None => Check::bad(
            NAME,
            "No packet came since the start of the panel.",
            add_entry(observed),
        ),
    }
}

fn authentication(observed: &Observed) -> Check {
    const NAME: &str = "Authentication";
    if is_recent(observed, observed.last_wrong_secret, WRONG_SECRET_FOR) {
        let command = format!("{} secret=\"SECRET\"", ours(observed));
        return Check::bad(NAME, "The router has another shared secret.", command);
    }
    match observed.last_auth {
        Some(at) => Check::good(NAME, format!("It last asked {}.", ago(observed, at))),
        None => Check::unknown(NAME, "It has not asked since the start of the panel."),
    }
}

fn accounting(observed: &Observed) -> Check {
    const NAME: &str = "Accounting";
    if observed.nas.usage_source == UsageSource::Api {
        return Check::good(NAME, "None is expected: usage is read through the API.");
    }
    match observed.last_acct {
        Some(at) if is_recent(observed, Some(at), SILENT_AFTER) => {
            Check::good(NAME, format!("The last record came {}.", ago(observed, at)))
        }
        last if observed.open > 0 => Check::bad(
            NAME,
            match last {
                Some(at) => format!(
                    "Sessions are open, and the last record came {}.",
                    ago(observed, at)
                ),
                None => {
                    "Sessions are open, and no record came since the start of the panel.".to_owned()
                }
            },
            "/ppp aaa set use-radius=yes accounting=yes",
        ),
        _ => Check::unknown(NAME, "No session is open, so no record is due."),
    }
}

fn interim(observed: &Observed) -> Check {
    const NAME: &str = "Interim records";
    let (open, overdue) = (observed.open, observed.overdue);
    if observed.nas.usage_source == UsageSource::Api {
        return Check::good(NAME, "None are expected: usage is read through the API.");
    }
    match (open, overdue) {
        (0, _) => Check::unknown(NAME, "No session is open, so no record is due."),
        (_, 0) => Check::good(NAME, "Every open session reports in time."),
        _ if overdue.saturating_mul(OVERDUE_SHARE) <= open => Check::good(
            NAME,
            format!("{overdue} of {open} sessions are overdue, which is usual."),
        ),
        _ => Check::bad(
            NAME,
            format!("{overdue} of {open} sessions are overdue."),
            format!(
                "/ppp aaa set accounting=yes interim-update={}s",
                observed.interim_interval
            ),
        ),
    }
}

fn coa(observed: &Observed) -> Check {
    const NAME: &str = "Changes and disconnects (CoA)";
    match coa_trouble_of(observed.coa.clone()) {
        Some(Trouble::CoaRefused(Some(cause))) => Check::bad(
            NAME,
            format!("The router refuses them: {}.", error_cause(cause)),
            String::new(),
        ),
        Some(Trouble::CoaRefused(None)) => Check::bad(
            NAME,
            "The router refuses them and does not say why.",
            String::new(),
        ),
        Some(_) => Check::bad(
            NAME,
            format!(
                "No answer from UDP port {}; the router believes only the address of its own RADIUS entry.",
                observed.nas.coa_port
            ),
            accept_incoming(observed),
        ),
        None => match observed.coa.first() {
            None => Check::unknown(NAME, "Nothing was sent yet: press “Test CoA”."),
            Some(report) if report.outcome == CoaOutcome::Confirmed => Check::good(
                NAME,
                format!("The last one was confirmed {}.", ago(observed, report.at)),
            ),
            Some(report) => Check::good(
                NAME,
                format!("The router answered {}.", ago(observed, report.at)),
            ),
        },
    }
}
