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

/// Reads the queues of a router, and takes what they counted since the last reading off the usage of the sessions they
/// are for. Says for how many sessions. A router that is being changed is read the next time.
pub async fn read(app: &Arc<App>, nas: NasId) -> Result<usize, Error> {
    let turn = app.cdn.turn(nas);
    let Ok(_turn) = turn.try_lock() else {
        return Ok(0);
    };
    let profiles: Vec<_> = counting(app, nas)
        .iter()
        .map(|profile| profile.id)
        .collect();
    let router = router(app, nas)?;
    let readings = counted(&router, &profiles).await.map_err(refused)?;
    let mut of_sessions: BTreeMap<SessionId, Traffic> = BTreeMap::new();
    for ((_, session), traffic) in app.cdn.read(nas, readings) {
        *of_sessions.entry(session).or_default() += traffic;
    }
    for (session, traffic) in &of_sessions {
        discount(app, *session, *traffic);
    }
    Ok(of_sessions.len())
}

/// To be wired to accounting: octets of an open session that do not count from now on.
fn discount(_app: &App, session: SessionId, traffic: Traffic) {
    tracing::debug!(%session, upload = traffic.upload, download = traffic.download, "CDN octets do not count");
}
