//! How it stands with the backups: judged once, for the report and for what stands above every page.

use super::{Finding, Verdict};
use crate::app::App;
use crate::domain::backup::Backup;
use crate::domain::duration::short;
use crate::domain::time::{Calendar, DAY, HOUR, Timestamp};
use crate::operations::Error;
use crate::operations::backups::{destination, pause, send, settings};
use crate::store::backups as rows;

/// A backup that is due is begun within a minute and tried again every hour: after so long it does not come by itself.
pub(super) const BACKUP_LATE: i64 = 6 * HOUR;
/// Without a schedule somebody makes them by hand, and forgets it.
pub(super) const BACKUP_OLD: i64 = 7 * DAY;
/// Backups that are looked at, on every page: the newest says the most.
const LOOKED_AT: usize = 20;

/// What is to be said of the backups: the first that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The last try came to nothing.
    Failed(String),
    /// The schedule wants some and there is nothing to encrypt them with; late once one is missing for it.
    WithoutKey {
        is_late: bool,
    },
    /// There never was one.
    Missing,
    /// The newest cannot be restored.
    Unrestorable(String),
    /// The schedule wanted one that does not come.
    Late,
    /// They are made by hand, and the newest is old.
    Forgotten,
    /// Nothing is sent to the other machine since a restore at that moment.
    Paused(Timestamp),
    /// The newest did not get to the other machine.
    Unsent(String),
    Untested,
    Good,
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
    /// Since when that waits for a person.
    pub paused: Option<Timestamp>,
}

/// How it stands with them, and the line of the report that says so.
pub fn backups(app: &App) -> Result<(Standing, Finding), Error> {
    let mut known = rows::newest(&app.store.view()?, LOOKED_AT)?;
    let now = app.now();
    let set = settings::get(app)?;
    let schedule = set.schedule;
    let wanted = Wanted {
        due: schedule.and_then(|schedule| schedule.last_due(&app.settings().calendar, now)),
        has_key: set.has_key(),
        elsewhere: destination::get(app)?.is_some(),
        paused: pause::since(app)?,
    };
    // What is on its way is not missing there.
    let newest = known.iter_mut().find(|backup| backup.error.is_none());
    if let Some(newest) = newest.filter(|it| send::is_sending(app, &it.name)) {
        newest.sent = None;
    }
    let standing = judge(&known, wanted, now);
    let found = finding(&standing, age(&known, now), &app.settings().calendar);
    Ok((standing, found.at("/settings/backups")))
}

fn made(known: &[Backup]) -> Option<&Backup> {
    known.iter().find(|backup| backup.error.is_none())
}

pub(super) fn age(known: &[Backup], now: Timestamp) -> Option<i64> {
    made(known).map(|made| now.since(made.began_at))
}

/// `known` is newest first.
pub(super) fn judge(known: &[Backup], wanted: Wanted, now: Timestamp) -> Standing {
    if let Some(why) = known.first().and_then(|newest| newest.error.as_ref()) {
        return Standing::Failed(why.clone());
    }
    let made = made(known);
    let is_there = |due: Timestamp| made.is_some_and(|made| made.began_at >= due);
    let is_late = wanted
        .due
        .is_some_and(|due| !is_there(due) && now.since(due) >= BACKUP_LATE);
    let is_keyless = wanted.due.is_some() && !wanted.has_key;
    let Some(made) = made else {
        return match is_keyless {
            true => Standing::WithoutKey { is_late },
            false => Standing::Missing,
        };
    };
    let bad_test = made.test.as_ref().and_then(|test| test.problem.as_ref());
    let not_sent = made.sent.as_ref().and_then(|sent| sent.problem.as_ref());
    if let Some(problem) = bad_test {
        Standing::Unrestorable(problem.clone())
    } else if is_keyless {
        Standing::WithoutKey { is_late }
    } else if is_late {
        Standing::Late
    } else if wanted.due.is_none() && now.since(made.began_at) >= BACKUP_OLD {
        Standing::Forgotten
    } else if let Some(since) = wanted.paused {
        Standing::Paused(since)
    } else if let Some(problem) = not_sent.filter(|_| wanted.elsewhere) {
        Standing::Unsent(problem.clone())
    } else if made.test.is_none() {
        Standing::Untested
    } else {
        Standing::Good
    }
}

/// `age` is that of the newest, where there is one.
pub(super) fn finding(standing: &Standing, age: Option<i64>, calendar: &Calendar) -> Finding {
    let what = "Backups";
    let seen = age.map_or_else(
        || "there is none".to_owned(),
        |age| format!("the newest is {} old", short(age)),
    );
    match standing {
        Standing::Failed(why) => Finding::bad(
            what,
            format!("the last one failed: {why}"),
            "mend what it says, then `proxpanel backup`, or Settings, Backups",
        ),
        Standing::WithoutKey { is_late } => {
            let verdict = match is_late {
                true => Verdict::Bad,
                false => Verdict::Warning,
            };
            Finding::new(
                what,
                verdict,
                format!("{seen}; no other can be made without a key"),
                "set a passphrase in Settings, Backups, or activate the licence",
            )
        }
        Standing::Missing => Finding::warning(
            what,
            seen,
            "Settings, Backups: a passphrase and a schedule; or `proxpanel backup passphrase`, then `proxpanel backup`",
        ),
        Standing::Unrestorable(problem) => Finding::bad(
            what,
            format!("the newest cannot be restored: {problem}"),
            "make another one with `proxpanel backup`; when that is bad too, look at the disk with `dmesg | tail`",
        ),
        Standing::Late => Finding::bad(
            what,
            seen,
            "the one that the schedule wanted was not made: System, Jobs says why; `proxpanel backup` makes one now",
        ),
        Standing::Forgotten => Finding::warning(
            what,
            format!("{seen}, and there is no schedule"),
            "set a schedule in Settings, Backups, or `proxpanel backup` now",
        ),
        Standing::Paused(since) => Finding::warning(
            what,
            format!(
                "{seen}; sending to the other machine is paused since the restore of {}",
                calendar.format_minute(*since)
            ),
            "when no other machine sends to that place any more, resume it in Settings, Backups; or choose another place there",
        ),
        Standing::Unsent(problem) => Finding::warning(
            what,
            format!("{seen} and on this machine only: {problem}"),
            "see that the other machine answers; Settings, Backups sends it again",
        ),
        Standing::Untested => Finding::warning(
            what,
            format!("{seen}, and was never restored for a test"),
            "press Test in Settings, Backups: only a restore shows that it is good",
        ),
        Standing::Good => Finding::good(what, format!("{seen}, and was restored for a test")),
    }
}
