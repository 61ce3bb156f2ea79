//! The audit of usage: sum of sessions = sum of days = sum of months, for every subscriber (rules.md section 2).
//!
//! In steps of some subscribers each, so that it can be stopped and other work goes on. Each step is a picture of its own,
//! and all that it compares is as of that moment. A difference is shown, never corrected.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::app::App;
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::octets::Usage;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::usage_audit::{Sums, UsageAudit};
use crate::store::accounting::{Accounting, Live, folded};
use crate::store::usage::{self, Period};
use crate::store::{View, sessions, subscribers, usage_audit};

use super::Error;

/// Subscribers of one step: half a second for some years of sessions, and a few megabytes.
const STEP: u32 = 100;

/// An audit under way.
#[derive(Debug, Clone)]
pub struct Audit {
    found: UsageAudit,
    /// The number of the first subscriber that was not looked at.
    next: u32,
}

impl Audit {
    pub fn begin(now: Timestamp) -> Audit {
        Audit {
            found: UsageAudit::begin(now),
            next: 0,
        }
    }

    /// Looks at some more subscribers. Says whether there are others. Blocks.
    pub fn step(&mut self, accounting: &Accounting) -> Result<bool, Error> {
        let end = self.next.saturating_add(STEP);
        let (sums, last) = sums(accounting, self.next, end)?;
        for (subscriber, sums) in sums {
            self.found.take(SubscriberId(subscriber), sums);
        }
        self.next = end;
        Ok(end <= last)
    }

    pub fn finish(self, now: Timestamp) -> UsageAudit {
        UsageAudit {
            ended_at: now,
            ..self.found
        }
    }
}

/// The sums of the subscribers from `first` up to, but without, `end`, and the number of the newest one there is.
fn sums(
    accounting: &Accounting,
    first: u32,
    end: u32,
) -> Result<(BTreeMap<u32, Sums>, u32), Error> {
    let mut sums = BTreeMap::new();
    let (view, in_memory) = {
        // Only what is in memory is read under the lock; accounting goes on while the tables are walked.
        let picture = accounting.picture()?;
        let in_memory = of_memory(&picture.live, &picture.view, first..end, &mut sums)?;
        (picture.view, in_memory)
    };
    sessions::each_closed_of(&view, first..end, |session| {
        // What is in memory is newer.
        if !in_memory.contains(&session.id) {
            add_session(&mut sums, &session);
        }
        ControlFlow::Continue(())
    })?;
    usage::each_of(&view, Period::Days, first..end, |subscriber, octets| {
        sums.entry(subscriber.0).or_default().days += octets;
    })?;
    usage::each_of(&view, Period::Months, first..end, |subscriber, octets| {
        sums.entry(subscriber.0).or_default().months += octets;
    })?;
    sums.retain(|_, sums| *sums != Sums::default());
    Ok((sums, subscribers::newest_id(&view)?.0))
}

/// Adds the sessions in memory and the usage that no fold has written. Says which sessions those are.
fn of_memory(
    live: &Live,
    view: &View,
    those: std::ops::Range<u32>,
    sums: &mut BTreeMap<u32, Sums>,
) -> Result<HashSet<SessionId>, Error> {
    let mut ids = HashSet::new();
    for session in live.open_sessions().chain(live.ended_sessions()) {
        if session.subscriber.is_some_and(|s| those.contains(&s.0)) {
            ids.insert(session.id);
            add_session(sums, session);
        }
    }
    for ((_, subscriber), octets) in live.all_usage_beyond(folded(view)?) {
        if those.contains(&subscriber.0) {
            let sums = sums.entry(subscriber.0).or_default();
            sums.days += octets;
            sums.months += octets;
        }
    }
    Ok(ids)
}

fn add_session(sums: &mut BTreeMap<u32, Sums>, session: &Session) {
    if let Some(subscriber) = session.subscriber
        && session.usage() != Usage::ZERO
    {
        sums.entry(subscriber.0).or_default().sessions += session.usage();
    }
}

/// Looks at every subscriber at once, for doctor. Blocks: minutes for years of accounting.
pub fn run(accounting: &Accounting, now: Timestamp) -> Result<UsageAudit, Error> {
    let mut audit = Audit::begin(now);
    while audit.step(accounting)? {}
    Ok(audit.finish(now))
}

/// Whether the audit of this business day has not run yet.
pub fn is_due(app: &App, now: Timestamp) -> Result<bool, Error> {
    let calendar = &app.settings().calendar;
    let last = usage_audit::last(&app.store.view()?)?;
    // Another day, not a later one: after a clock that was ahead for a while, nights are not left out.
    Ok(last.is_none_or(|last| calendar.day(last.began_at) != calendar.day(now)))
}

/// Keeps what an audit found, in place of the one before.
pub async fn keep(app: &Arc<App>, found: UsageAudit) -> Result<(), Error> {
    app.store
        .write("usage audit", move |tx| -> Result<(), Error> {
            Ok(usage_audit::put(tx, &found)?)
        })
        .await
}

/// What the last audit found; `None` before the first one.
pub fn last(app: &App) -> Result<Option<UsageAudit>, Error> {
    Ok(usage_audit::last(&app.store.view()?)?)
}
