//! Taking an import back: those that it added are deleted, and the plans that it made where nobody has them.

use crate::allocator;
use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::{PlanId, SubscriberId};
use crate::domain::plan::Plan;
use crate::domain::subscriber::Subscriber;
use crate::domain::time::{DAY, Timestamp};
use crate::operations::trail::{note, part};
use crate::operations::{Error, plans, subscribers};
use crate::store::imports::{self, ImportRow, MOST_IMPORTS};
use crate::store::{Read, plans as stored_plans, subscribers as stored};

/// Days in which an import can be taken back.
pub const UNDO_DAYS: i64 = 7;

/// An import, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub id: u32,
    pub row: ImportRow,
    pub may_undo: bool,
}

/// Imports from the newest on.
pub fn past(app: &App) -> Result<Vec<Past>, Error> {
    let now = app.now();
    let rows = imports::newest(&app.store.view()?, MOST_IMPORTS)?;
    let past = |(id, row): (u32, ImportRow)| Past {
        id,
        may_undo: refusal(&row, now).is_none(),
        row,
    };
    Ok(rows.into_iter().map(past).collect())
}

/// What taking an import back would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    pub row: ImportRow,
    /// Why it cannot be taken back, or empty.
    pub refusal: String,
    /// Subscribers that would be deleted, and how many of them are online.
    pub here: usize,
    pub online: usize,
    /// Those who renewed since: they stay.
    pub renewed: usize,
    /// Those who were deleted since.
    pub gone: usize,
}

/// Errors: `Missing` for a number that no import has.
pub fn ask_undo(app: &App, id: u32) -> Result<Undo, Error> {
    let view = app.store.view()?;
    let row = imports::get(&view, id)?.ok_or(Error::Missing("import"))?;
    let found = of(&view, &row)?;
    let live = app.accounting.live();
    Ok(Undo {
        refusal: refusal(&row, app.now()).unwrap_or_default().to_owned(),
        here: found.here.len(),
        online: found
            .here
            .iter()
            .filter(|subscriber| live.is_online(subscriber.id))
            .count(),
        renewed: found.renewed,
        gone: found.gone,
        row,
    })
}

/// Deletes whom an import added, in one transaction. Blocks. Gives how many.
///
/// Errors: `Missing`; `Refused` for one that was taken back already or is too long ago.
pub fn undo(app: &App, actor: &Actor, id: u32) -> Result<usize, Error> {
    let (actor, now) = (actor.clone(), app.now());
    let count = app
        .store
        .write("undo import", move |tx| {
            let mut row = imports::get(tx, id)?.ok_or(Error::Missing("import"))?;
            if let Some(refusal) = refusal(&row, now) {
                return Err(Error::Refused(refusal.to_owned()));
            }
            let found = of(tx, &row)?;
            for subscriber in &found.here {
                subscribers::delete(tx, subscriber, &actor, now)?;
            }
            for plan in unused(tx, &row)? {
                plans::delete(tx, &plan, &actor, now)?;
            }
            row.undone_at = Some(now.0);
            imports::put(tx, id, &row)?;
            let mut difference = Difference::default();
            difference.field("subscribers", found.here.len(), "");
            let what = format!("import {id}");
            note(tx, &actor, "taken back", &part(&what), difference, now)?;
            Ok::<_, Error>(found.here.len())
        })
        .wait()?;
    allocator::release_unused();
    Ok(count)
}

fn refusal(row: &ImportRow, now: Timestamp) -> Option<&'static str> {
    let is_late = now.since(Timestamp(row.at)) >= UNDO_DAYS * DAY;
    match row.undone_at {
        Some(_) => Some("This import was taken back already."),
        None if is_late => {
            Some("This import is too long ago: it can be taken back for seven days.")
        }
        None => None,
    }
}

struct Found {
    here: Vec<Subscriber>,
    renewed: usize,
    gone: usize,
}

/// What became of those whom an import added.
fn of(read: &impl Read, row: &ImportRow) -> Result<Found, Error> {
    let mut found = Found {
        here: Vec::new(),
        renewed: 0,
        gone: 0,
    };
    for id in (row.first..).take(usize::try_from(row.count).unwrap_or(0)) {
        match stored::get(read, SubscriberId(id))?.map(|stored| stored.subscriber) {
            None => found.gone += 1,
            Some(subscriber) if subscriber.renewed_at > Timestamp(row.at) => found.renewed += 1,
            Some(subscriber) => found.here.push(subscriber),
        }
    }
    Ok(found)
}

/// Plans that it made and nobody has any more.
fn unused(read: &impl Read, row: &ImportRow) -> Result<Vec<Plan>, Error> {
    let mut unused = Vec::new();
    for id in row.plans.iter().copied().map(PlanId) {
        if let Some(plan) = stored_plans::get(read, id)?
            && !stored_plans::is_in_use(read, id)?
        {
            unused.push(plan);
        }
    }
    Ok(unused)
}
