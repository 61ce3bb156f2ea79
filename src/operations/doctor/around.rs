//! What surrounds the data: the daemon and where it listens, the certificate, updates, the licence, jobs, routers.

use std::collections::HashMap;
use std::time::Duration;

use super::{ENDS_SOON, Finding};
use crate::app::{App, JobStatus, Listening};
use crate::config::Config;
use crate::domain::duration::short;
use crate::domain::id::NasId;
use crate::domain::time::{Calendar, DAY, Timestamp};
use crate::licence::State;
use crate::operations::nas_health::{self, NasState};
use crate::operations::updates::Outcome;
use crate::operations::{Error, licence as licence_verbs, updates as update_verbs};
use crate::store::updates::{self as update_rows, UpdateRow};
use crate::telemetry::monotonic;
use crate::tls::InUse;

/// A failed update is told for so long, unless another one follows.
pub(super) const UPDATE_TOLD: i64 = 7 * DAY;
/// A router without any packet for so long carries nobody, or has lost its way here.
pub(super) const ROUTER_SILENT: i64 = DAY;
/// Names in one line.
const MOST_NAMED: usize = 5;

/// Where the daemon listens, against what it should.
pub(super) fn daemon(bound: Option<&Listening>, config: &Config) -> Finding {
    let what = "Daemon";
    let Some(bound) = bound else {
        let seen = "no daemon runs on this data folder: nobody can sign in";
        let mend = "`systemctl start proxpanel`; why it stopped: `journalctl -u proxpanel -n 50`";
        return Finding::bad(what, seen, mend);
    };
    let wanted = [
        ("panel", &bound.web, &config.web.listen),
        ("HTTPS", &bound.https, &config.web.https_listen),
        ("authentication", &bound.auth, &config.radius.auth_listen),
        ("accounting", &bound.acct, &config.radius.acct_listen),
        ("RadSec", &bound.radsec, &config.radius.radsec_listen),
    ];
    let open = wanted.iter().filter(|(_, open, _)| !open.is_empty());
    let seen: Vec<String> = open
        .map(|(name, open, _)| {
            let addresses: Vec<String> = open.iter().map(ToString::to_string).collect();
            format!("{name} {}", addresses.join(" "))
        })
        .collect();
    let short_of = wanted
        .iter()
        .filter(|(_, open, configured)| open.len() < configured.len());
    let missing: Vec<&str> = short_of.map(|(name, _, _)| *name).collect();
    match missing.is_empty() {
        true => Finding::good(what, format!("listens: {}", seen.join("; "))),
        false => Finding::warning(
            what,
            format!(
                "listens: {}; not every configured address of: {}",
                seen.join("; "),
                missing.join(", ")
            ),
            format!(
                "this system has no IPv6; leave its addresses out of {}, or switch IPv6 on",
                config.source.file().display()
            ),
        ),
    }
}

/// Behind a proxy that speaks HTTPS in our place, nobody sees the certificate.
pub(super) fn certificate(app: &App) -> Option<Finding> {
    let is_shown = !app.listening().https.is_empty();
    is_shown.then(|| {
        judge_certificate(
            &app.certificates.in_use(),
            app.now(),
            &app.settings().calendar,
        )
    })
}

pub(super) fn judge_certificate(in_use: &InUse, now: Timestamp, calendar: &Calendar) -> Finding {
    let what = "Certificate";
    let (until, left) = (in_use.facts.not_after, in_use.facts.not_after.since(now));
    let seen = format!(
        "{}, until {}",
        in_use.source.word(),
        calendar.format_minute(until)
    );
    let mend = "Settings, Certificate shows why it was not renewed, and the ways to a new one";
    let finding = if let Some(fault) = &in_use.fault {
        let mend = "Settings, Certificate names the files and the ways to a new one; `systemctl reload proxpanel` reads them again";
        Finding::bad(
            what,
            format!("the chosen one cannot be used: {fault}"),
            mend,
        )
    } else if left <= 0 {
        Finding::bad(what, format!("{seen}: it has ended"), mend)
    } else if left <= ENDS_SOON {
        Finding::warning(what, format!("{seen}: in {}", short(left)), mend)
    } else {
        Finding::good(what, seen)
    };
    finding.at("/settings/certificate")
}

/// Nothing to say where no vendor gives updates.
pub fn updates(app: &App) -> Result<Option<Finding>, Error> {
    let view = app.store.view()?;
    let newest = update_rows::newest(&view, 1)?.into_iter().next();
    let newest = newest.map(|(_, row)| row);
    let offered = update_verbs::offered(app)?.map(|(release, _)| release.version);
    let problem = update_rows::offer(&view)?.problem;
    let has_vendor = app.config.licence.vendor.is_some();
    let finding = judge_updates(newest.as_ref(), offered.as_deref(), &problem, app.now());
    Ok(has_vendor.then(|| finding.at("/settings/updates")))
}

pub(super) fn judge_updates(
    newest: Option<&UpdateRow>,
    offered: Option<&str>,
    problem: &str,
    now: Timestamp,
) -> Finding {
    let (what, version) = ("Updates", licence_verbs::VERSION);
    let failed = newest.filter(|row| {
        let ended = Timestamp(row.ended_at.unwrap_or_default());
        update_verbs::outcome(row) == Outcome::Failed && now.since(ended) < UPDATE_TOLD
    });
    match (failed, offered, problem) {
        (Some(row), _, _) => Finding::bad(
            what,
            format!("version {} was not installed: {}", row.version, row.problem),
            "this version goes on. `proxpanel update history` and Settings, Updates say more; try again there",
        ),
        (None, Some(offered), _) => Finding::good(
            what,
            format!("version {offered} can be installed; this is {version}"),
        ),
        (None, None, "") => Finding::good(what, format!("{version} is the newest known")),
        (None, None, problem) => Finding::warning(
            what,
            format!("the vendor was asked in vain: {problem}"),
            "it is asked again every hour; `proxpanel update check` asks now",
        ),
    }
}

/// Nothing to say without a vendor.
pub(super) fn licence(app: &App) -> Option<Finding> {
    let standing = app.licence();
    let said = licence_verbs::words(&standing, &app.settings().calendar);
    let has_vendor = !matches!(standing.state, State::None);
    has_vendor.then(|| judge_licence(&said).at("/settings/licence"))
}

pub(super) fn judge_licence(said: &licence_verbs::Words) -> Finding {
    let (what, seen) = ("Licence", format!("{} {}", said.title, said.text));
    let (seen, mend) = (
        seen.trim(),
        "Settings, Licence, or `proxpanel license status`",
    );
    match (said.is_well, said.is_limited) {
        (true, _) => Finding::good(what, seen),
        (false, false) => Finding::warning(what, seen, mend),
        (false, true) => Finding::bad(what, seen, mend),
    }
}

pub(super) fn jobs(app: &App) -> Finding {
    judge_jobs(&app.jobs.statuses()).at("/system/jobs")
}

pub(super) fn judge_jobs(jobs: &[(&str, JobStatus)]) -> Finding {
    let what = "Jobs";
    let failing: Vec<String> = jobs
        .iter()
        .filter(|(_, status)| !status.last_error.is_empty())
        .take(MOST_NAMED)
        .map(|(name, status)| format!("{name}: {}", status.last_error))
        .collect();
    match failing.is_empty() {
        true => Finding::good(what, format!("{} run, none fails", jobs.len())),
        false => Finding::warning(
            what,
            failing.join("; "),
            "each is tried again by itself; System, Jobs runs one now",
        ),
    }
}

/// What is known of one router.
pub(super) struct Router {
    pub name: String,
    pub has_wrong_secret: bool,
    /// When it was last heard; of the time before the start only what open sessions say.
    pub heard: Option<Timestamp>,
}

pub(super) fn routers(app: &App, heard: &HashMap<NasId, Timestamp>, now: Timestamp) -> Finding {
    let all = app.nas_table().all();
    let routers: Vec<Router> = all
        .iter()
        .map(|entry| Router {
            name: entry.nas.name.clone(),
            has_wrong_secret: nas_health::state(&entry.stats, now) == NasState::WrongSecret,
            heard: entry
                .stats
                .last_seen()
                .max(heard.get(&entry.nas.id).copied()),
        })
        .collect();
    // Without a daemon nobody listens.
    let listening = app
        .bound()
        .map(|_| app.telemetry.snapshot(monotonic()).running);
    judge_routers(&routers, listening.unwrap_or_default(), now).at("/nas")
}

/// `listening` is how long packets of a router would have been heard.
pub(super) fn judge_routers(routers: &[Router], listening: Duration, now: Timestamp) -> Finding {
    let what = "NAS devices";
    if routers.is_empty() {
        let mend = "add your router in the panel under NAS devices";
        return Finding::warning(what, "none yet", mend);
    }
    let listening = i64::try_from(listening.as_millis()).unwrap_or(i64::MAX);
    let is_silent = |router: &&Router| match router.heard {
        Some(at) => now.since(at) >= ROUTER_SILENT,
        None => listening >= ROUTER_SILENT,
    };
    let named = |routers: Vec<&Router>| {
        let names = routers.iter().take(MOST_NAMED);
        let names: Vec<&str> = names.map(|router| router.name.as_str()).collect();
        match routers.len().saturating_sub(MOST_NAMED) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    };
    let wrong: Vec<&Router> = routers.iter().filter(|it| it.has_wrong_secret).collect();
    let silent: Vec<&Router> = routers.iter().filter(is_silent).collect();
    if !wrong.is_empty() {
        Finding::bad(
            what,
            format!("another secret than here: {}", named(wrong)),
            "the page of each NAS has the command that sets the secret on the router",
        )
    } else if !silent.is_empty() {
        Finding::warning(
            what,
            format!("no packet for a day: {}", named(silent)),
            "the checks on the page of each NAS say what is missing on the router; delete those that are gone",
        )
    } else {
        Finding::good(what, routers.len().to_string())
    }
}
