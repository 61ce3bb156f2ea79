//! Forgetting learned MAC addresses: of one, of many, and of those who were offline for long (rules.md section 8).
//!
//! Lists that a person made (`MacMode::Fixed`) are forgotten one by one only. Each has its own audit entry.

use std::ops::ControlFlow;

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::SubscriberId;
use crate::domain::subscriber::Subscriber;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, Work};
use crate::store::settings::{self, Setting};
use crate::store::{Tx, subscribers};

use super::Error;
use super::overview::{self, SubscriberFilter};
use super::subscriber_words::mac_list;
use super::trail::{note, part};

/// Subscribers that are forgotten at one press of a button: a few seconds. The rest waits for the next.
pub const MOST_AT_ONCE: usize = 10_000;
/// Of one transaction, so that no form waits behind it for long.
const PIECE: usize = 200;
/// Subscribers that one step looks at: some ten milliseconds.
const STEP: usize = 1_000;

/// Forgets all MAC addresses of a subscriber, so that the next device is learned. False where none was known.
pub(super) fn forget_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: SubscriberId,
    applies: fn(&Subscriber) -> bool,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
    let known = mac_list(&stored.subscriber);
    if known.is_empty() || !applies(&stored.subscriber) {
        return Ok(false);
    }
    stored.subscriber.macs.clear();
    subscribers::put(tx, &stored)?;
    outbox::add(tx, Work::IndexSubscriber(id))?;
    let mut difference = Difference::default();
    difference.field("MAC addresses", known, "");
    let action = "MAC addresses forgotten";
    note(tx, actor, action, &stored.subscriber, difference, now)?;
    Ok(true)
}

/// The subscribers of a list whose devices were learned.
fn learned(app: &App, filter: &SubscriberFilter) -> Result<Vec<SubscriberId>, Error> {
    overview::matching(app, filter, app.now(), |found| {
        let learned = found.into_iter().filter(|entry| entry.has_learned_macs);
        let mut ids: Vec<SubscriberId> = learned.map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids
    })
}

/// How many subscribers of a list have learned devices.
pub fn count_learned(app: &App, filter: &SubscriberFilter) -> Result<usize, Error> {
    Ok(learned(app, filter)?.len())
}

/// What came of forgetting the devices of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    pub count: usize,
    /// Beyond [`MOST_AT_ONCE`].
    pub left: usize,
}

/// Forgets the learned devices of the subscribers of a list, in pieces of some each. Blocks.
pub fn forget_many(
    app: &App,
    actor: &Actor,
    filter: &SubscriberFilter,
) -> Result<Forgotten, Error> {
    let mut ids = learned(app, filter)?;
    let left = ids.len().saturating_sub(MOST_AT_ONCE);
    ids.truncate(MOST_AT_ONCE);
    let count = forget_all(app, actor, &ids, app.now())?;
    Ok(Forgotten { count, left })
}

fn forget_all(
    app: &App,
    actor: &Actor,
    ids: &[SubscriberId],
    now: Timestamp,
) -> Result<usize, Error> {
    let mut count = 0;
    for piece in ids.chunks(PIECE) {
        let (piece, actor) = (piece.to_vec(), actor.clone());
        count += app
            .store
            .write("forget MACs", move |tx| -> Result<usize, Error> {
                let mut count = 0;
                for id in &piece {
                    match forget_in(tx, &actor, *id, Subscriber::has_learned_macs, now) {
                        Ok(is_done) => count += usize::from(is_done),
                        // Deleted meanwhile.
                        Err(Error::Missing(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(count)
            })
            .wait()?;
    }
    Ok(count)
}

/// What one step did, and where the next begins; `None` after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub forgotten: usize,
    pub next: Option<SubscriberId>,
}

/// Forgets the learned devices of those who were offline for so many days, among some subscribers from `from` on. Blocks.
pub fn forget_offline(
    app: &App,
    from: SubscriberId,
    days: u16,
    now: Timestamp,
) -> Result<Step, Error> {
    let mut due = Vec::new();
    let (mut looked_at, mut next) = (0, None);
    subscribers::each(&app.store.view()?, from, |stored| {
        let subscriber = stored.subscriber;
        if looked_at == STEP {
            next = Some(subscriber.id);
            return ControlFlow::Break(());
        }
        looked_at += 1;
        if subscriber.has_learned_macs() {
            due.push((subscriber.id, subscriber.created_at));
        }
        ControlFlow::Continue(())
    })?;
    let mut ids = Vec::new();
    for (id, created_at) in due {
        if let Some(since) = offline_since(app, id, created_at)?
            && Subscriber::forgets_macs(since, days, now)
        {
            ids.push(id);
        }
    }
    let forgotten = forget_all(app, &Actor::System("offline for long"), &ids, now)?;
    Ok(Step { forgotten, next })
}

/// Since when a subscriber is offline; since it was created where it never was online. `None` for one that is online.
fn offline_since(
    app: &App,
    id: SubscriberId,
    created_at: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let last = app.accounting.picture()?.sessions_of(id, 1)?.pop();
    Ok(match last {
        Some(session) => session.stopped.map(|stopped| stopped.at.max(created_at)),
        None => Some(created_at),
    })
}

/// After how many days offline learned devices are forgotten by themselves; `None` for never.
pub async fn set_forgetting(app: &App, actor: &Actor, days: Option<u16>) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    let old = app.settings().forget_macs_after;
    if old == days {
        return Ok(());
    }
    app.store
        .write("MAC setting", move |tx| {
            let setting = Setting::ForgetMacsAfter;
            match days {
                Some(days) => settings::put(tx, setting, &days.to_string())?,
                None => settings::remove(tx, setting)?,
            }
            let words = |days: Option<u16>| {
                days.map_or_else(|| "never".to_owned(), |days| format!("{days} days offline"))
            };
            let mut difference = Difference::default();
            difference.field(
                "learned MAC addresses are forgotten after",
                words(old),
                words(days),
            );
            note(tx, &actor, "changed", &part("appliance"), difference, now)
        })
        .await
}
