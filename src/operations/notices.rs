//! What subscribers are to be told about their volume: written when it is reached, once a period (rules.md section 3).
//!
//! Who sends mail or messages reads the rows. Months and terms are in the audit log too; days are not, since there they
//! would crowd out what people did.

use std::collections::HashSet;

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::SubscriberId;
use crate::domain::notice::Notice;
use crate::domain::quota::QuotaKind;
use crate::domain::time::{Day, Timestamp};
use crate::store::notices::{self, Told};
use crate::store::{Tx, subscribers};

use super::Error;
use super::trail::note;

/// Notices of one transaction, so that a morning on which thousands are due holds up no form.
const STEP: usize = 200;

/// Takes note of what these subscribers have reached, as far as it was not told before. Says how many that were. Blocks.
pub(super) fn tell(
    app: &App,
    reached: &[(SubscriberId, Notice)],
    now: Timestamp,
) -> Result<usize, Error> {
    let new = unknown(app, reached)?;
    let today = app.settings().calendar.day(now);
    let mut count = 0;
    for step in new.chunks(STEP) {
        let written = step.to_vec();
        count += app
            .store
            .write("quota notices", move |tx| write(tx, &written, today, now))
            .wait()?;
        app.notices
            .told(step.iter().map(|(subscriber, n)| (*subscriber, n.mark)));
    }
    Ok(count)
}

/// Forgets in memory what none of those who are online has reached now.
pub(super) fn keep(app: &App, reached: &[(SubscriberId, Notice)]) {
    let marks: HashSet<_> = reached.iter().map(|(id, n)| (*id, n.mark)).collect();
    app.notices.keep(&marks);
}

/// What neither memory nor the store says was told. What the store says is in memory afterwards.
fn unknown(
    app: &App,
    reached: &[(SubscriberId, Notice)],
) -> Result<Vec<(SubscriberId, Notice)>, Error> {
    let fresh: Vec<&(SubscriberId, Notice)> = reached
        .iter()
        .filter(|(subscriber, n)| !app.notices.is_told(*subscriber, n.mark))
        .collect();
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let view = app.store.view()?;
    let mut new = Vec::new();
    for (subscriber, notice) in fresh {
        if notices::is_told(&view, *subscriber, notice.mark)? {
            app.notices.told([(*subscriber, notice.mark)]);
        } else {
            new.push((*subscriber, *notice));
        }
    }
    Ok(new)
}

fn write(
    tx: &mut Tx<'_>,
    new: &[(SubscriberId, Notice)],
    today: Day,
    now: Timestamp,
) -> Result<usize, Error> {
    let mut count = 0;
    for (id, notice) in new {
        // Another sweep, or another session of the same subscriber, may have been faster.
        if notices::is_told(tx, *id, notice.mark)? {
            continue;
        }
        let Some(stored) = subscribers::get(tx, *id)? else {
            continue;
        };
        let told = Told {
            notice: *notice,
            at: now,
        };
        notices::put(tx, *id, told)?;
        count += 1;
        if notice.mark.kind != QuotaKind::Day {
            let actor = Actor::System("quota");
            let mut difference = Difference::default();
            difference.field("reached", "", notice);
            note(tx, &actor, "noticed", &stored.subscriber, difference, now)?;
        }
    }
    notices::purge(tx, today)?;
    Ok(count)
}
