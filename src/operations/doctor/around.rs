//! What surrounds the data: the daemon and where it listens, the certificate, backups, updates, the licence, jobs, routers.

use std::collections::HashMap;
use std::time::Duration;

use super::{ENDS_SOON, Finding};
use crate::app::{App, JobStatus, Listening};
use crate::config::Config;
use crate::domain::backup::Backup;
use crate::domain::duration::short;
use crate::domain::id::NasId;
use crate::domain::time::{Calendar, DAY, HOUR, Timestamp};
use crate::licence::State;
use crate::operations::nas_health::{self, NasState};
use crate::operations::updates::Outcome;
use crate::operations::{
    Error, backups as backup_verbs, licence as licence_verbs, updates as update_verbs,
};
use crate::store::backups as backup_rows;
use crate::store::updates::{self as update_rows, UpdateRow};
use crate::telemetry::monotonic;
use crate::tls::InUse;

/// A backup that is due is begun within a minute and tried again every hour: after so long it does not come by itself.
pub(super) const BACKUP_LATE: i64 = 6 * HOUR;
/// Without a schedule somebody makes them by hand, and forgets it.
pub(super) const BACKUP_OLD: i64 = 7 * DAY;
/// Backups that are looked at, on every page: the newest says the most.
const LOOKED_AT: usize = 20;
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

/// The newest backups, against their schedule and the place where they are sent.
pub fn backups(app: &App) -> Result<Finding, Error> {
    let mut known = backup_rows::newest(&app.store.view()?, LOOKED_AT)?;
    let now = app.now();
    let set = backup_verbs::settings::get(app)?;
    let wanted = Wanted {
        due: set
            .schedule
            .and_then(|schedule| schedule.last_due(&app.settings().calendar, now)),
        has_key: set.has_key(),
        elsewhere: backup_verbs::destination::get(app)?.is_some(),
    };
    // What is on its way is not missing there.
    let newest = known.iter_mut().find(|backup| backup.error.is_none());
    if let Some(newest) = newest.filter(|it| backup_verbs::send::is_sending(app, &it.name)) {
        newest.sent = None;
    }
    Ok(judge_backups(&known, wanted, now).at("/settings/backups"))
}

/// What backups should be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The last moment that the schedule named; nothing without a schedule.
    pub due: Option<Timestamp>,
    /// Whether there is something to encrypt them with.
    pub has_key: bool,
    /// Whether they are to be sent to another machine.
    pub elsewhere: bool,
}

/// `known` is newest first.
pub(super) fn judge_backups(known: &[Backup], wanted: Wanted, now: Timestamp) -> Finding {
    let what = "Backups";
    let made = known.iter().find(|backup| backup.error.is_none());
    if let Some(why) = known.first().and_then(|newest| newest.error.as_ref()) {
        let mend = "mend what it says, then `proxpanel backup`, or Settings, Backups";
        return Finding::bad(what, format!("the last one failed: {why}"), mend);
    }
    let Some(made) = made else {
        let mend = "Settings, Backups: a passphrase and a schedule; or `proxpanel backup passphrase`, then `proxpanel backup`";
        return Finding::warning(what, "there is none", mend);
    };
    let age = now.since(made.began_at);
    let seen = format!("the newest is {} old", short(age));
    let bad_test = made.test.as_ref().and_then(|test| test.problem.as_ref());
    let not_sent = made.sent.as_ref().and_then(|sent| sent.problem.as_ref());
    let is_late = |due: Timestamp| made.began_at < due && now.since(due) >= BACKUP_LATE;
    if let Some(problem) = bad_test {
        let mend = "make another one with `proxpanel backup`; when that is bad too, look at the disk with `dmesg | tail`";
        let seen = format!("the newest cannot be restored: {problem}");
        Finding::bad(what, seen, mend)
    } else if wanted.due.is_some_and(is_late) {
        let mend = "the one that the schedule wanted was not made: System, Jobs says why; `proxpanel backup` makes one now";
        Finding::bad(what, seen, mend)
    } else if wanted.due.is_some() && !wanted.has_key {
        let mend = "set a passphrase in Settings, Backups, or activate the licence";
        Finding::warning(
            what,
            format!("{seen}; no other can be made without a key"),
            mend,
        )
    } else if wanted.due.is_none() && age >= BACKUP_OLD {
        let mend = "set a schedule in Settings, Backups, or `proxpanel backup` now";
        Finding::warning(what, format!("{seen}, and there is no schedule"), mend)
    } else if let Some(problem) = not_sent.filter(|_| wanted.elsewhere) {
        let mend = "see that the other machine answers; Settings, Backups sends it again";
        Finding::warning(
            what,
            format!("{seen} and on this machine only: {problem}"),
            mend,
        )
    } else if made.test.is_none() {
        let mend = "press Test in Settings, Backups: only a restore shows that it is good";
        Finding::warning(
            what,
            format!("{seen}, and was never restored for a test"),
            mend,
        )
    } else {
        Finding::good(what, format!("{seen}, and was restored for a test"))
    }
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
