//! A look at everything that can go wrong with the machine, its data and what is around it, each with what to do about it.
//!
//! One examination for the terminal and the page. What is judged here is pure: values in, a finding out; gathering stands
//! beside it. Invariants: nothing is changed; but for the walk over all usage, which is asked for by name, it takes
//! milliseconds and stays away from what RADIUS waits for; a look that fails is itself a finding.

mod around;
mod backups;
mod data;
mod files;
mod machine;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::id::NasId;
use crate::domain::time::{DAY, Timestamp};

use super::Error;

pub use around::updates;
pub use backups::{Standing, backups};
pub use data::check_sums;

/// A disk this full deserves a warning, in percent.
pub const NEARLY_FULL: u8 = 90;
/// A certificate that ends this soon should have been renewed, or needs its owner.
pub const ENDS_SOON: i64 = 14 * DAY;

/// Worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Bad,
    Warning,
    Good,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: String,
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, where it is not good.
    pub mend: String,
    /// The page of the panel where it is mended, or empty.
    pub page: String,
}

impl Finding {
    fn new(what: &str, verdict: Verdict, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Finding {
            what: what.to_owned(),
            verdict,
            seen: seen.into(),
            mend: mend.into(),
            page: String::new(),
        }
    }

    fn good(what: &str, seen: impl Into<String>) -> Self {
        Finding::new(what, Verdict::Good, seen, "")
    }

    fn warning(what: &str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Finding::new(what, Verdict::Warning, seen, mend)
    }

    /// Public for what stands in the way of examining anything else.
    pub fn bad(what: &str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Finding::new(what, Verdict::Bad, seen, mend)
    }

    /// The page that mends it.
    fn at(self, page: &str) -> Self {
        Finding {
            page: page.to_owned(),
            ..self
        }
    }
}

/// How long an examination may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Milliseconds.
    Quick,
    /// With a walk over all usage: minutes for years of accounting.
    Whole,
}

/// What sessions say of the time: the newest word of any router, and of each.
struct Heard {
    newest: Option<Timestamp>,
    by_nas: HashMap<NasId, Timestamp>,
}

impl Heard {
    fn of(app: &App) -> Heard {
        let mut heard = Heard {
            newest: None,
            by_nas: HashMap::new(),
        };
        for session in app.accounting.live().open_sessions() {
            let at = session.heard_at;
            heard.newest = heard.newest.max(Some(at));
            let known = heard.by_nas.entry(session.nas).or_insert(at);
            *known = at.max(*known);
        }
        heard
    }
}

/// Looks at everything, and says the worst first. Blocks.
pub fn examine(app: &App, depth: Depth) -> Vec<Finding> {
    let now = app.now();
    let heard = Heard::of(app);
    let host = machine::host(app);
    let mut findings = vec![around::daemon(app.bound(), &app.config)];
    findings.extend(data::saving(app));
    findings.extend(machine::disks(app, &host));
    findings.push(machine::memory(&host));
    findings.push(machine::load(&host));
    findings.push(told("Clock", machine::clock(app, heard.newest)));
    findings.push(files::data_folder(app.store.folder()));
    findings.push(files::key_file(app.store.folder()));
    findings.push(files::configuration(app));
    findings.extend(files::put_aside(app.store.folder(), now));
    findings.extend(around::certificate(app));
    findings.push(told("Backups", backups(app).map(|(_, finding)| finding)));
    findings.extend(
        updates(app)
            .map_err(|error| failed("Updates", &error))
            .unwrap_or_else(Some),
    );
    findings.extend(around::licence(app));
    findings.push(told("Accounting journal", data::journal(app)));
    findings.push(told("Orders to routers", data::orders(app)));
    findings.push(told("Search index", data::search(app)));
    findings.push(around::jobs(app));
    findings.push(around::routers(app, &heard.by_nas, now));
    findings.push(told("Subscribers", data::subscribers(app)));
    findings.push(data::plans(app));
    findings.push(told("Operators", data::operators(app)));
    findings.push(told(
        data::USAGE,
        match depth {
            Depth::Quick => data::last_sums(app),
            Depth::Whole => check_sums(app),
        },
    ));
    // Stable: within a verdict the order above stays.
    findings.sort_by_key(|finding| finding.verdict);
    findings
}

/// A look that fails is a finding too.
fn told(what: &str, looked: Result<Finding, Error>) -> Finding {
    looked.unwrap_or_else(|error| failed(what, &error))
}

fn failed(what: &str, error: &Error) -> Finding {
    let mend = "the log says more: journalctl -u proxpanel -n 50";
    Finding::bad(what, format!("cannot be looked at: {error}"), mend).at("/system/logs")
}
