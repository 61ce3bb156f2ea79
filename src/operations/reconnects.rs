//! New logins for changes that no CoA can tell: at once, tonight, or whenever the subscriber comes again (rules.md section 6).

use crate::app::App;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::plan::Plan;
use crate::domain::reconnect::{self, Planned, Reconnect};
use crate::domain::subscriber::Subscriber;
use crate::domain::time::{Calendar, Timestamp};
use crate::store::outbox::{self, Work};
use crate::store::{Tx, planned, subscribers};

use super::Error;
use super::trail::{Named, note};

/// Sessions that are ended in one transaction; the routers are asked at their pace behind it.
const PIECE: usize = 200;

/// A live session that a change may concern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    session: SessionId,
    /// Its router takes a new speed by CoA.
    can_change_speed: bool,
}

/// The live sessions of a subscriber.
pub(super) fn open_of(app: &App, id: SubscriberId) -> Vec<Open> {
    let table = app.nas_table();
    let live = app.accounting.live();
    let open = live.open_of(id).map(|session| Open {
        session: session.id,
        can_change_speed: table
            .by_id(session.nas)
            .is_none_or(|entry| entry.nas.profile.can_change_speed()),
    });
    open.collect()
}

/// Who changed a subscriber, and when its sessions shall end for it.
pub(super) struct Wish<'a> {
    pub when: Reconnect,
    pub by: &'a Actor,
    pub calendar: &'a Calendar,
    pub now: Timestamp,
}

/// Ends, now or tonight, the sessions that do not get the change otherwise. Says so in `difference`.
pub(super) fn follow(
    tx: &mut Tx<'_>,
    open: &[Open],
    was: (&Subscriber, &Plan),
    new: (&Subscriber, &Plan),
    wish: &Wish<'_>,
    difference: &mut Difference,
) -> Result<(), Error> {
    let moves = reconnect::moves(was, new);
    let is_slower_or_faster = reconnect::changes_speed(was, new);
    let waiting: Vec<SessionId> = open
        .iter()
        .filter(|open| moves || (is_slower_or_faster && !open.can_change_speed))
        .map(|open| open.session)
        .collect();
    if waiting.is_empty() {
        return Ok(());
    }
    match wish.when {
        Reconnect::NextLogin => {}
        Reconnect::Now => {
            for session in waiting {
                outbox::add(tx, Work::Disconnect(session))?;
            }
            difference.field("new login", "", "now");
        }
        Reconnect::Tonight => {
            let due_at = reconnect::tonight(wish.calendar, wish.now);
            for session in waiting {
                let plan = Planned {
                    due_at,
                    session,
                    subscriber: new.0.id,
                    by: wish.by.name(),
                };
                planned::put(tx, &plan)?;
            }
            difference.field("new login", "", wish.calendar.format_minute(due_at));
        }
    }
    Ok(())
}

/// When a session of this subscriber is to be ended, if one is that is still open.
pub fn planned_of(app: &App, id: SubscriberId) -> Result<Option<Planned>, Error> {
    let found = planned::of(&app.store.view()?, id)?;
    let live = app.accounting.live();
    let is_open = |session| {
        let session = live.session(session);
        session.is_some_and(|session| session.stopped.is_none())
    };
    Ok(found.into_iter().find(|plan| is_open(plan.session)))
}

/// Leaves the sessions of a subscriber alone. False where nothing was planned.
pub async fn cancel(app: &App, actor: &Actor, id: SubscriberId) -> Result<bool, Error> {
    let (actor, now) = (actor.clone(), app.now());
    let calendar = app.settings().calendar.clone();
    app.store
        .write("cancel new login", move |tx| {
            let stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            let plans = planned::of(tx, id)?;
            let Some(first) = plans.first() else {
                return Ok(false);
            };
            let mut difference = Difference::default();
            difference.field("new login", calendar.format_minute(first.due_at), "");
            for plan in &plans {
                planned::remove(tx, plan)?;
            }
            let action = "new login cancelled";
            note(tx, &actor, action, &stored.subscriber, difference, now)?;
            Ok(true)
        })
        .await
}

/// What one piece of work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Sessions whose routers are asked to end them; others had ended before.
    pub ended: usize,
    pub is_more: bool,
}

/// Asks routers to end the sessions whose hour has come. Blocks.
pub fn carry_out(app: &App, now: Timestamp) -> Result<Done, Error> {
    let due = planned::due(&app.store.view()?, now, PIECE)?;
    if due.is_empty() {
        return Ok(Done {
            ended: 0,
            is_more: false,
        });
    }
    let is_more = due.len() == PIECE;
    let work: Vec<(Planned, Option<String>)> = {
        let live = app.accounting.live();
        let name = |session| {
            let session = live.session(session)?;
            session.stopped.is_none().then(|| session.username.clone())
        };
        due.into_iter()
            .map(|plan| {
                let name = name(plan.session);
                (plan, name)
            })
            .collect()
    };
    let ended = app
        .store
        .write("planned new logins", move |tx| -> Result<usize, Error> {
            let mut ended = 0;
            for (plan, name) in &work {
                // Cancelled meanwhile, or the session is over and a new one has what changed.
                let (true, Some(name)) = (planned::remove(tx, plan)?, name) else {
                    continue;
                };
                outbox::add(tx, Work::Disconnect(plan.session))?;
                let mut difference = Difference::default();
                difference
                    .field("session", "online", "disconnect requested")
                    .field("planned by", "", &plan.by);
                let actor = Actor::System("planned new login");
                let what = Named(Object::Subscriber(plan.subscriber), name);
                note(tx, &actor, "disconnected", &what, difference, now)?;
                ended += 1;
            }
            Ok(ended)
        })
        .wait()?;
    Ok(Done { ended, is_more })
}
