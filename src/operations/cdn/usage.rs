//! What the queues of CDN profiles counted: octets that do not count for the subscriber (rules.md section 7).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::App;
use crate::domain::id::{NasId, SessionId};
use crate::domain::octets::Traffic;
use crate::routers::routeros::commands::cdn::counted;

use super::super::Error;
use super::push::{counting, refused, router};

/// Whether queues of a router are read at all.
pub fn counts(app: &App, nas: NasId) -> bool {
    !counting(app, nas).is_empty()
}

/// Reads the queues of a router, and takes what they counted off the usage of the sessions they are for, once accounting
/// has carried it. Says for how many sessions something new was counted. A router that is being changed is read the next
/// time.
pub async fn read(app: &Arc<App>, nas: NasId) -> Result<usize, Error> {
    settle(app, nas);
    let turn = app.cdn.turn(nas);
    let Ok(_turn) = turn.try_lock() else {
        return Ok(0);
    };
    let profiles: Vec<_> = counting(app, nas)
        .iter()
        .map(|profile| profile.id)
        .collect();
    let router = router(app, nas)?;
    let now = app.now();
    let readings = counted(&router, &profiles).await.map_err(refused)?;
    let mut of_sessions: BTreeMap<SessionId, Traffic> = BTreeMap::new();
    for ((_, session), traffic) in app.cdn.read(nas, readings) {
        *of_sessions.entry(session).or_default() += traffic;
    }
    for (session, traffic) in &of_sessions {
        app.cdn.wait(nas, *session, *traffic, now);
    }
    Ok(of_sessions.len())
}

/// Takes off what accounting has carried by now. Octets count until their record comes, and nothing can be taken off
/// before; so what was counted waits for the first record after it, or for the end of the session.
pub(super) fn settle(app: &App, nas: NasId) {
    let carried = {
        let live = app.accounting.live();
        app.cdn.carried(nas, |session| {
            let open = live.session(session).filter(|s| s.stopped.is_none());
            open.map(|s| s.heard_at)
        })
    };
    for (session, traffic, at) in carried {
        app.accounting.discount(session, traffic, at);
    }
}
