//! Sessions: disconnect, and give up those that fell silent.

use std::cmp::Reverse;

use crate::app::App;
use crate::domain::access::interim_interval;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::id::{NasId, PlanId, SessionId, SubscriberId};
use crate::domain::session::{Presence, Session};
use crate::domain::text::searchable;
use crate::domain::time::Timestamp;
use crate::store::audit::{self, NewEntry};
use crate::store::outbox::{self, Work};

use super::Error;

/// Asks the router to end a session. Returns when the request is on disk; the router is asked behind it.
pub async fn disconnect(app: &App, actor: &Actor, id: SessionId) -> Result<(), Error> {
    let (username, subscriber) = {
        let live = app.accounting.live();
        let session = live
            .session(id)
            .filter(|s| s.stopped.is_none())
            .ok_or(Error::Missing("session"))?;
        (session.username.clone(), session.subscriber)
    };
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("disconnect", move |tx| {
            outbox::add(tx, Work::Disconnect(id))?;
            let mut difference = Difference::default();
            difference.field("session", "online", "disconnect requested");
            let object = subscriber.map_or(Object::Settings, Object::Subscriber);
            audit::add(
                tx,
                NewEntry {
                    at: now,
                    actor: &actor,
                    action: "disconnected",
                    object,
                    object_name: &username,
                    changes: difference.into_changes(),
                },
            )?;
            Ok(())
        })
        .await
}

/// Closes sessions whose router was silent for ten intervals. Says how many.
pub fn give_up_lost(app: &App, now: Timestamp) -> usize {
    let table = app.nas_table();
    let lost: Vec<(SessionId, Timestamp)> = {
        let live = app.accounting.live();
        let online = live.open_count();
        live.open_sessions()
            .filter(|s| {
                let own = table
                    .by_id(s.nas)
                    .and_then(|entry| entry.nas.interim_interval);
                s.presence(now, interim_interval(own, online)) == Presence::Lost
            })
            .map(|s| (s.id, s.updated_at))
            .collect()
    };
    for (id, at) in &lost {
        app.accounting.give_up(*id, *at);
    }
    lost.len()
}

/// Which open sessions a list shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct OnlineFilter {
    pub text: String,
    pub nas: Option<NasId>,
    pub plan: Option<PlanId>,
}

/// An open session with what the list says of it.
#[derive(Debug, Clone)]
pub struct Online {
    pub session: Session,
    pub presence: Presence,
    pub plan: Option<PlanId>,
}

/// The open sessions that fit, newest first: one page of them, and how many there are.
pub fn online(
    app: &App,
    filter: &OnlineFilter,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Online>, usize), Error> {
    let plan_of = |subscriber: Option<SubscriberId>| -> Result<Option<PlanId>, Error> {
        let Some(subscriber) = subscriber else {
            return Ok(None);
        };
        Ok(app
            .directory()
            .with(&app.store, |all| all.get(&subscriber).map(|e| e.plan))?)
    };
    let wanted = searchable(filter.text.trim());
    let mut found: Vec<(Timestamp, SessionId)> = Vec::new();
    let plans = match filter.plan {
        None => None,
        Some(plan) => Some(app.directory().with(&app.store, |all| {
            all.values()
                .filter(|e| e.plan == plan)
                .map(|e| e.id)
                .collect::<std::collections::HashSet<_>>()
        })?),
    };
    {
        let live = app.accounting.live();
        for session in live.open_sessions() {
            let has_nas = filter.nas.is_none_or(|nas| session.nas == nas);
            let has_plan = plans
                .as_ref()
                .is_none_or(|of| session.subscriber.is_some_and(|s| of.contains(&s)));
            if has_nas && has_plan && has_text(session, &wanted) {
                found.push((session.started_at, session.id));
            }
        }
    }
    found.sort_by_key(|key| Reverse(*key));
    let total = found.len();
    let now = app.now();
    let mut page = Vec::new();
    for (_, id) in found.into_iter().skip(skip).take(limit) {
        let session = app.accounting.live().session(id).cloned();
        if let Some(session) = session {
            let presence = session.presence(now, app.interim_interval(session.nas));
            let plan = plan_of(session.subscriber)?;
            page.push(Online {
                session,
                presence,
                plan,
            });
        }
    }
    Ok((page, total))
}

/// Whether a session has a text in its name, address or MAC address.
pub fn has_text(session: &Session, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let address = session
        .place
        .address
        .map(|a| a.to_string())
        .unwrap_or_default();
    let mac = session
        .place
        .mac
        .map(|m| m.to_string().to_lowercase())
        .unwrap_or_default();
    let bare: String = wanted.chars().filter(char::is_ascii_hexdigit).collect();
    searchable(&session.username).contains(wanted)
        || address.contains(wanted)
        || mac.contains(wanted)
        || (bare.len() >= 4
            && bare.len() == wanted.chars().filter(|c| !":-. ".contains(*c)).count()
            && mac.replace(':', "").contains(&bare))
}
