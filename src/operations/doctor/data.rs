//! What is stored: whether it can be saved, what waits to be worked off, what there is, and whether usage adds up.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Depth, Finding};
use crate::app::App;
use crate::domain::duration;
use crate::domain::octets::Octets;
use crate::domain::usage_audit::UsageAudit;
use crate::operations::{Error, overview, usage_audit};
use crate::store::accounting;
use crate::store::outbox::{self, Lane};
use crate::store::{self as stored, operators as operator_rows, subscribers as subscriber_rows};
use crate::telemetry::monotonic;

/// A fold is due every five minutes; one that did not come about four times in a row will not by itself.
const FOLD_LATE: Duration = Duration::from_secs(20 * 60);
/// Five minutes of a full machine are a tenth of it.
const LARGE_JOURNAL: u64 = 512 << 20;
/// Rows of follow-up work that are looked at; the dispatcher works off 200 a second.
const MOST_LOOKED_AT: usize = 1_000;
/// Fewer are on their way.
const MANY_ORDERS: usize = 200;
/// Speed changes that wait for a silent router.
const MANY_PENDING: usize = 50;
/// What the sums of usage are called.
pub(super) const USAGE: &str = "Usage";

/// Whether the disk takes what is written; nothing to say while there is nobody who writes.
pub(super) fn saving(app: &App) -> Option<Finding> {
    app.bound()?;
    Some(judge_saving(&app.store.health(), &app.accounting.health()))
}

fn judge_saving(store: &stored::Health, accounting: &accounting::Health) -> Finding {
    let what = "Saving";
    let failure = store.failing.as_ref();
    if accounting.disk_full || failure.is_some_and(|failure| failure.disk_full) {
        let seen =
            "the disk is full: logins go on, nothing is saved, and accounting is not answered";
        return Finding::bad(what, seen, "free some space; saving goes on by itself");
    }
    let mend =
        "the disk reports errors: `dmesg | tail` and `journalctl -u proxpanel -n 50` say which";
    match (failure, &accounting.failing) {
        (Some(failure), _) => {
            let seen = format!("changes cannot be written: {}", failure.message);
            Finding::bad(what, seen, mend)
        }
        (None, Some(why)) => {
            Finding::bad(what, format!("accounting cannot be written: {why}"), mend)
        }
        (None, None) => Finding::good(
            what,
            format!(
                "{} changes and {} accounting records since the start",
                store.writes, accounting.records
            ),
        ),
    }
}

pub(super) fn journal(app: &App) -> Result<Finding, Error> {
    let behind = app.accounting.behind()?;
    let now = monotonic();
    let since = app.accounting.health().folded_at.map_or_else(
        || app.telemetry.snapshot(now).running,
        |at| now.saturating_duration_since(at),
    );
    Ok(judge_journal(
        behind,
        overview::file_sizes(app).journal,
        since,
    ))
}

/// `since` is the time since the last fold.
fn judge_journal(behind: u64, octets: u64, since: Duration) -> Finding {
    let what = "Accounting journal";
    let ago = duration::short(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let seen = format!("{}, {behind} records not yet in the tables", Octets(octets));
    let mend = "`journalctl -u proxpanel | grep fold` says why; usually the disk is full or slow";
    if behind > 0 && since >= FOLD_LATE {
        Finding::bad(what, format!("{seen} for {ago}"), mend)
    } else if octets >= LARGE_JOURNAL {
        Finding::warning(what, seen, mend)
    } else {
        Finding::good(what, seen)
    }
}

pub(super) fn orders(app: &App) -> Result<Finding, Error> {
    let view = app.store.view()?;
    let waiting = outbox::waiting(&view, Lane::Routers, MOST_LOOKED_AT)?.len();
    let (pending, failed) = app.pushes.counts();
    Ok(judge_orders(waiting, pending, failed))
}

/// Orders that wait for the dispatcher, sessions whose router has not taken a speed, and those where it failed.
fn judge_orders(waiting: usize, pending: usize, failed: usize) -> Finding {
    let what = "Orders to routers";
    let more = if waiting >= MOST_LOOKED_AT {
        " or more"
    } else {
        ""
    };
    let seen = format!(
        "{waiting}{more} wait; {pending} sessions wait for a speed, for {failed} of them it failed"
    );
    if waiting >= MOST_LOOKED_AT {
        let mend = "see System, Jobs whether `routers` fails, and NAS devices for routers that answer no CoA";
        Finding::bad(what, seen, mend).at("/system/jobs")
    } else if waiting >= MANY_ORDERS || failed >= MANY_PENDING {
        let mend = "see NAS devices for routers that answer no CoA; each page has a test of it";
        Finding::warning(what, seen, mend).at("/nas")
    } else {
        Finding::good(what, seen)
    }
}

pub(super) fn search(app: &App) -> Result<Finding, Error> {
    let waiting = outbox::waiting(&app.store.view()?, Lane::Search, MOST_LOOKED_AT)?.len();
    let is_stale = app.search_is_stale.load(Ordering::Relaxed);
    Ok(judge_search(is_stale, waiting))
}

fn judge_search(is_stale: bool, waiting: usize) -> Finding {
    let (what, mend) = ("Search index", "when it stays so: `proxpanel reindex`");
    if is_stale {
        Finding::warning(what, "it is to be made anew", mend).at("/system/jobs")
    } else if waiting >= MOST_LOOKED_AT {
        let seen = format!("{waiting} or more changes are not in it yet");
        Finding::warning(what, seen, mend).at("/system/jobs")
    } else {
        Finding::good(what, format!("up to date but for {waiting} changes"))
    }
}

pub(super) fn subscribers(app: &App) -> Result<Finding, Error> {
    let open = app.accounting.live().open_count();
    let count = subscriber_rows::count(&app.store.view()?)?;
    Ok(match count {
        0 => Finding::warning(
            "Subscribers",
            "none yet",
            "add them in the panel, or import them",
        )
        .at("/subscribers"),
        count => Finding::good("Subscribers", format!("{count}, {open} sessions open")),
    })
}

pub(super) fn plans(app: &App) -> Finding {
    match app.plans().len() {
        0 => Finding::warning("Plans", "none yet", "add one in the panel under Plans").at("/plans"),
        count => Finding::good("Plans", count.to_string()),
    }
}

pub(super) fn operators(app: &App) -> Result<Finding, Error> {
    let count = operator_rows::all(&app.store.view()?)?.len();
    Ok(match count {
        0 => Finding::warning(
            "Operators",
            "nobody can sign in yet",
            "run `proxpanel setup` and open the link it prints",
        ),
        count => Finding::good("Operators", count.to_string()),
    })
}

/// Sum of sessions = sum of days = sum of months, for every subscriber (PRODUCT.md section 1). Walks over all of them.
pub fn check_sums(app: &App) -> Result<Finding, Error> {
    let audit = usage_audit::run(&app.accounting, app.now())?;
    Ok(judge_sums(&audit, Depth::Whole, "now"))
}

/// What the last nightly audit found of the same.
pub(super) fn last_sums(app: &App) -> Result<Finding, Error> {
    Ok(match usage_audit::last(app)? {
        Some(audit) => {
            let at = app.settings().calendar.format_minute(audit.ended_at);
            judge_sums(&audit, Depth::Quick, &at)
        }
        None => Finding::good(USAGE, "sums are compared every night; not yet here"),
    })
}

fn judge_sums(audit: &UsageAudit, depth: Depth, at: &str) -> Finding {
    let looked = match depth {
        Depth::Whole => String::new(),
        Depth::Quick => format!(", as of {at}"),
    };
    match audit.differences.first() {
        None => Finding::good(
            USAGE,
            format!("adds up: sessions = days = months for every subscriber{looked}"),
        ),
        Some((first, _)) => Finding::bad(
            USAGE,
            format!(
                "does not add up for {} subscribers, the first has number {first}{looked}",
                audit.differing
            ),
            "nothing was changed; System, Jobs lists them. Report it with the output of `proxpanel export sessions`",
        )
        .at("/system/jobs"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Bad, Good, Warning};
    use super::*;
    use crate::store::CommitFailure;

    #[test]
    fn what_cannot_be_saved_is_bad_whoever_says_so() {
        let store = |disk_full: Option<bool>| stored::Health {
            failing: disk_full.map(|disk_full| CommitFailure {
                message: "no".into(),
                disk_full,
                since: Duration::ZERO,
                last: Duration::ZERO,
            }),
            ..stored::Health::default()
        };
        let accounting = |failing: bool, disk_full: bool| accounting::Health {
            failing: failing.then(|| "late".into()),
            disk_full,
            ..accounting::Health::default()
        };
        for (store, accounting, expected, seen) in [
            (store(None), accounting(false, false), Good, "0 changes"),
            (
                store(Some(false)),
                accounting(true, false),
                Bad,
                "written: no",
            ),
            (store(None), accounting(true, false), Bad, "written: late"),
            (
                store(Some(true)),
                accounting(false, false),
                Bad,
                "disk is full",
            ),
            (store(None), accounting(true, true), Bad, "disk is full"),
        ] {
            let finding = judge_saving(&store, &accounting);
            assert_eq!(finding.verdict, expected);
            assert!(finding.seen.contains(seen), "{}", finding.seen);
        }
    }

    #[test]
    fn a_journal_is_late_only_when_something_waits() {
        let second = Duration::from_secs(1);
        for (behind, octets, since, expected) in [
            (0, 0, FOLD_LATE, Good),
            (1, 0, FOLD_LATE - second, Good),
            (1, 0, FOLD_LATE, Bad),
            (1, LARGE_JOURNAL, FOLD_LATE, Bad),
            (0, LARGE_JOURNAL - 1, second, Good),
            (0, LARGE_JOURNAL, second, Warning),
        ] {
            let finding = judge_journal(behind, octets, since);
            assert_eq!(finding.verdict, expected, "{behind} {octets} {since:?}");
        }
    }

    #[test]
    fn orders_that_pile_up_are_told() {
        for (waiting, pending, failed, expected) in [
            (0, 500, 0, Good),
            (MANY_ORDERS - 1, 50, MANY_PENDING - 1, Good),
            (MANY_ORDERS, 0, 0, Warning),
            (0, 50, MANY_PENDING, Warning),
            (MOST_LOOKED_AT - 1, 0, 0, Warning),
            (MOST_LOOKED_AT, 0, 0, Bad),
        ] {
            let finding = judge_orders(waiting, pending, failed);
            assert_eq!(finding.verdict, expected, "{waiting} {pending} {failed}");
        }
    }

    #[test]
    fn an_index_is_behind_when_it_is_stale_or_much_waits() {
        for (is_stale, waiting, expected) in [
            (false, 0, Good),
            (false, MOST_LOOKED_AT - 1, Good),
            (false, MOST_LOOKED_AT, Warning),
            (true, 0, Warning),
        ] {
            assert_eq!(
                judge_search(is_stale, waiting).verdict,
                expected,
                "{waiting}"
            );
        }
    }
}
