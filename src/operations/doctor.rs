//! A look at everything that can go wrong with the data folder, each with what to do about it.

use std::path::Path;

use crate::app::App;
use crate::store::{nas, operators, plans, subscribers};

use super::{Error, usage_audit};

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
pub fn examine(app: &App) -> Result<Vec<Finding>, Error> {
    let view = &app.store.view()?;
    let mut findings = vec![folder_finding(app.store.folder())];
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
        app.accounting.live().open_count()
    )));
    findings.push(check_sums(app)?);
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
pub fn check_sums(app: &App) -> Result<Finding, Error> {
    let audit = usage_audit::run(&app.accounting, app.now())?;
    Ok(match audit.differences.first() {
        None => Finding::good("usage adds up: sessions = days = months for every subscriber"),
        Some((first, _)) => Finding::bad(
            format!(
                "usage does not add up for {} subscribers, the first has number {first}",
                audit.differing
            ),
            "nothing was changed; please report it with the output of `proxpanel export sessions`",
        ),
    })
}
