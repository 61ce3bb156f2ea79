//! Sessions: disconnect, and give up those that fell silent.

use crate::app::App;
use crate::domain::access::interim_interval;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::session::{Presence, Session};
use crate::domain::text::searchable;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, Work};
use crate::store::subscribers;

use super::Error;
use super::trail::{Named, note};

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
            let what = Named(object, &username);
            note(tx, &actor, "disconnected", &what, difference, now)
        })
        .await
}

/// Asks the routers to end every open session of a subscriber. Says how many there are; none is no error.
pub async fn disconnect_subscriber(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
) -> Result<usize, Error> {
    let open = app.accounting.live().open_of(id).count();
    if open == 0 {
        return Ok(0);
    }
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("disconnect subscriber", move |tx| {
            let stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            outbox::add(tx, Work::DisconnectSubscriber(id))?;
            let mut difference = Difference::default();
            difference.field("sessions", open, "disconnect requested");
            let what = &stored.subscriber;
            note(tx, &actor, "disconnected", what, difference, now)?;
            Ok(open)
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
