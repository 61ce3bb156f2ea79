//! A look at everything that can go wrong with the data folder, each with what to do about it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use crate::domain::octets::Usage;
use crate::domain::session::Session;
use crate::store::accounting::{Live, each_session, folded};
use crate::store::{View, nas, operators, plans, subscribers, usage};

use super::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Warning,
    Bad,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub what: String,
    /// What to do, where it is not good.
    pub mend: String,
}

impl Finding {
    fn good(what: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Good,
            what: what.into(),
            mend: String::new(),
        }
    }

    fn warning(what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Warning,
            what: what.into(),
            mend: mend.into(),
        }
    }

    fn bad(what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Bad,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

/// Looks at the tables and the sessions in memory. Walks over all of them: minutes for years of accounting.
pub fn examine(live: &Live, view: &View, folder: &Path) -> Result<Vec<Finding>, Error> {
    let mut findings = vec![folder_finding(folder)];
    findings.push(match subscribers::count(view)? {
        0 => Finding::warning("no subscribers yet", "add them in the panel"),
        count => Finding::good(format!("{count} subscribers")),
    });
    findings.push(match plans::all(view)?.len() {
        0 => Finding::warning("no plans yet", "add one in the panel under Plans"),
        count => Finding::good(format!("{count} plans")),
    });
    findings.push(match nas::all(view)?.len() {
        0 => Finding::warning(
            "no NAS devices yet",
            "add your router in the panel under NAS devices",
        ),
        count => Finding::good(format!("{count} NAS devices")),
    });
    findings.push(match operators::all(view)?.len() {
        0 => Finding::warning(
            "nobody can sign in yet",
            "run `proxpanel setup` and open the link it prints",
        ),
        count => Finding::good(format!("{count} operators")),
    });
    findings.push(Finding::good(format!(
        "{} sessions open",
        live.open_count()
    )));
    findings.push(check_sums(live, view)?);
    Ok(findings)
}

fn folder_finding(folder: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let what = format!("data folder {}", folder.display());
    match std::fs::metadata(folder) {
        Ok(data) if data.permissions().mode() & 0o007 != 0 => Finding::warning(
            format!("{what} can be read by everybody on this machine"),
            format!("run `chmod o-rwx {}`", folder.display()),
        ),
        Ok(_) => Finding::good(what),
        Err(error) => Finding::bad(
            format!("{what}: {error}"),
            "check that the folder exists and belongs to the daemon's user",
        ),
    }
}

/// Sum of sessions = sum of days = sum of months, for every subscriber (PRODUCT.md section 1).
pub fn check_sums(live: &Live, view: &View) -> Result<Finding, Error> {
    let mut by_session: HashMap<u32, Usage> = HashMap::new();
    each_session(live, view, |session: &Session| {
        if let Some(subscriber) = session.subscriber {
            *by_session.entry(subscriber.0).or_default() += session.usage();
        }
        ControlFlow::Continue(())
    })?;
    let mut by_day = usage::sums(view, usage::Period::Days)?;
    let mut by_month = usage::sums(view, usage::Period::Months)?;
    for ((_, subscriber), octets) in live.all_usage_beyond(folded(view)?) {
        *by_day.entry(subscriber.0).or_default() += octets;
        *by_month.entry(subscriber.0).or_default() += octets;
    }
    let differing = by_session
        .keys()
        .chain(by_day.keys())
        .chain(by_month.keys())
        .filter(|id| {
            let sessions = by_session.get(id).copied().unwrap_or_default();
            sessions != by_day.get(id).copied().unwrap_or_default()
                || sessions != by_month.get(id).copied().unwrap_or_default()
        })
        .collect::<std::collections::BTreeSet<_>>();
    Ok(match differing.first() {
        None => Finding::good("usage adds up: sessions = days = months for every subscriber"),
        Some(first) => Finding::bad(
            format!(
                "usage does not add up for {} subscribers, the first has number {first}",
                differing.len()
            ),
            "nothing was changed; please report it with the output of `proxpanel export sessions`",
        ),
    })
}
