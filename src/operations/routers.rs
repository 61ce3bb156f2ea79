//! Telling routers: which sessions are to be told what, and what came of it (rules.md section 6).
//!
//! The ladder: CoA, sent again after 1, 2 and 4 s; once more by name and address where the router does not know the session;
//! then the router's API where the NAS allows it; else the change is pending, and right at the next login. Nothing is
//! disconnected unless a rule or a person says so.

mod api;
mod send;

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::app::{App, CoaOutcome, CoaReport, NasEntry, Wanted};
use crate::domain::id::{NasId, PlanId, SessionId};
use crate::domain::session::Session;
use crate::store::StoreError;
use crate::store::outbox::{self, Work};

use super::{Error, speeds};

pub use send::Clients;
pub(super) use send::coa_target;

/// What one session is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// What the rules say now: the speed and the time left, or the end.
    Push(SessionId),
    /// The same of a session that a look found to have another speed, unless the router has confirmed this one since.
    Adjust(SessionId),
    Disconnect(SessionId),
}

impl Order {
    pub fn session(self) -> SessionId {
        let (Order::Push(id) | Order::Adjust(id) | Order::Disconnect(id)) = self;
        id
    }
}

/// The sessions that a piece of follow-up work concerns, as they are now.
pub fn orders(app: &App, work: Work) -> Result<Vec<Order>, Error> {
    let live = app.accounting.live();
    Ok(match work {
        Work::Disconnect(id) => vec![Order::Disconnect(id)],
        Work::PushSession(id) => vec![Order::Adjust(id)],
        Work::DisconnectSubscriber(id) => {
            live.open_of(id).map(|s| Order::Disconnect(s.id)).collect()
        }
        Work::PushSubscriber(id) => live.open_of(id).map(|s| Order::Push(s.id)).collect(),
        Work::PushPlan(plan) => {
            drop(live);
            pushes(app, Some(plan))?
        }
        Work::PushAll => {
            drop(live);
            pushes(app, None)?
        }
        Work::IndexSubscriber(_) | Work::IndexPlan(_) | Work::IndexNas(_) => Vec::new(),
    })
}

/// The live sessions, of a plan or of all, whose router has been told something else than the rules say now.
fn pushes(app: &App, plan: Option<PlanId>) -> Result<Vec<Order>, Error> {
    let whom = plan.map_or(speeds::Whom::All, speeds::Whom::Plan);
    let due = speeds::due(app, &whom, app.now())?;
    Ok(due
        .into_iter()
        .map(|due| Order::Adjust(due.session))
        .collect())
}

/// The NAS of the session that an order concerns, if the session is still open.
pub fn nas_of(app: &App, order: Order) -> Option<NasId> {
    app.accounting
        .live()
        .session(order.session())
        .filter(|s| s.stopped.is_none())
        .map(|s| s.nas)
}

/// Removes follow-up work that was carried out.
pub async fn done(app: &App, keys: Vec<u64>) -> Result<(), Error> {
    app.store
        .write("router outbox", move |tx| outbox::done(tx, &keys))
        .await
        .map_err(|error: StoreError| error.into())
}

/// Carries one order out and reports the outcome on the NAS. Two of one session must not be under way at once. `None` when there was nothing to do: the session ended
/// meanwhile, its NAS is gone, or the router was told the same before.
pub async fn carry_out(app: &App, clients: &Clients, order: Order) -> Option<CoaOutcome> {
    let (session, nas) = target(app, order)?;
    let wanted = match wanted(app, order, &session, &nas) {
        Ok(wanted) => wanted?,
        Err(error) => {
            let outcome = CoaOutcome::Failed(error.to_string());
            report(app, order, &session, &nas, outcome.clone());
            return Some(outcome);
        }
    };
    let sent = send::change(app, clients, &wanted, &session, &nas).await;
    let outcome = sent.unwrap_or_else(|error| CoaOutcome::Failed(error.to_string()));
    conclude(app, order, &wanted, &session, &nas, outcome.clone()).await;
    Some(outcome)
}

/// Does without asking the router, which did not answer many orders before this one: the API where the NAS allows it, else
/// the change is pending.
pub async fn give_up(app: &App, order: Order) {
    let Some((session, nas)) = target(app, order) else {
        return;
    };
    if let Ok(Some(wanted)) = wanted(app, order, &session, &nas) {
        conclude(app, order, &wanted, &session, &nas, CoaOutcome::NoAnswer).await;
    }
}

/// What the session shall be told, or nothing where it has been told.
fn wanted(
    app: &App,
    order: Order,
    session: &Session,
    nas: &NasEntry,
) -> Result<Option<send::Change>, Error> {
    if let Order::Disconnect(_) = order {
        return Ok(Some(send::Change::End));
    }
    Ok(
        match speeds::wanted(app, session, nas.nas.profile, app.now())? {
            None => None,
            Some((_, Wanted::End)) => Some(send::Change::End),
            // Told meanwhile, by a form for instance: the look is older than the answer.
            Some((_, Wanted::Speed(limit)))
                if matches!(order, Order::Adjust(_)) && session.told == Some(limit) =>
            {
                app.pushes.settle(session.id);
                None
            }
            Some((facts, Wanted::Speed(limit))) => {
                let timeout = speeds::timeout(&facts, session, app.now());
                Some(send::Change::Speed { limit, timeout })
            }
        },
    )
}

/// Takes note of what came of it, by whatever way.
async fn conclude(
    app: &App,
    order: Order,
    wanted: &send::Change,
    session: &Session,
    nas: &NasEntry,
    outcome: CoaOutcome,
) {
    report(app, order, session, nas, outcome.clone());
    if is_gone(&outcome) {
        // The router does not know the session: its Stop was lost.
        app.accounting.give_up(session.id, session.updated_at);
        app.pushes.settle(session.id);
        return;
    }
    let is_done = match &outcome {
        CoaOutcome::Confirmed => true,
        CoaOutcome::NoAnswer if nas.nas.api_fallback => api::change(app, wanted, session).await,
        _ => false,
    };
    match (is_done, wanted) {
        (true, send::Change::Speed { limit, .. }) => {
            let (noted, note) = oneshot::channel();
            let noted = Box::new(move || {
                // Nobody waits any more: then the daemon stops.
                let _ = noted.send(());
            });
            app.accounting.tell(session.id, *limit, noted);
            // Settled before it is noted, a sweep in between would find the old speed and tell the router once more. An
            // error means that it was not noted; then that is right.
            let _ = note.await;
            app.pushes.settle(session.id);
        }
        // The session is open until its Stop comes: a sweep in between must not end it once more.
        (true, send::Change::End) => {
            let waits = "the router confirmed the end, and its Stop has not come yet".to_owned();
            app.pushes.fail(session.id, waits, app.now());
        }
        (false, _) => app.pushes.fail(session.id, reason(&outcome), app.now()),
    }
}

/// Why a change is pending, in words.
fn reason(outcome: &CoaOutcome) -> String {
    match outcome {
        CoaOutcome::Confirmed => String::new(),
        CoaOutcome::Refused(Some(cause)) => {
            format!("refused: {}", super::nas_health::error_cause(*cause))
        }
        CoaOutcome::Refused(None) => "refused".to_owned(),
        CoaOutcome::NoAnswer => "no answer from the router".to_owned(),
        CoaOutcome::Failed(why) => why.clone(),
    }
}

fn target(app: &App, order: Order) -> Option<(Session, Arc<NasEntry>)> {
    let session = app
        .accounting
        .live()
        .session(order.session())
        .filter(|s| s.stopped.is_none())
        .cloned()?;
    let nas = app.nas(session.nas)?;
    Some((session, nas))
}

fn report(app: &App, order: Order, session: &Session, nas: &NasEntry, outcome: CoaOutcome) {
    let counters = &app.telemetry.counters;
    match outcome {
        CoaOutcome::Confirmed => counters.coa_acks.increment(),
        CoaOutcome::Refused(_) => counters.coa_naks.increment(),
        CoaOutcome::NoAnswer | CoaOutcome::Failed(_) => counters.coa_timeouts.increment(),
    }
    nas.stats.report_coa(CoaReport {
        at: app.now(),
        is_disconnect: matches!(order, Order::Disconnect(_)),
        username: session.username.clone(),
        outcome,
    });
}

/// Session context not found (RFC 5176 section 3.5): the session is over.
pub(super) const SESSION_CONTEXT_NOT_FOUND: u32 = 503;

fn is_gone(outcome: &CoaOutcome) -> bool {
    *outcome == CoaOutcome::Refused(Some(SESSION_CONTEXT_NOT_FOUND))
}
