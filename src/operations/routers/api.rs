//! The last rung of the ladder: the change through the router's API, where CoA got no answer and the NAS allows it.

use std::time::Duration;

use crate::app::App;
use crate::domain::rate::RateLimit;
use crate::domain::session::Session;
use crate::operations::router_api;
use crate::routers::mikrotik::RateLimitText;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::commands::{self, ItemId, ppp, queues};
use crate::routers::routeros::error::ApiError;

use super::send::Change;

/// A person may be waiting, and the next order of this router waits too.
const PATIENCE: Duration = Duration::from_secs(8);

/// Makes the change. False when that did not work either; the reason is in the log and on the page of the NAS.
pub(super) async fn change(app: &App, change: &Change, session: &Session) -> bool {
    let router = match router_api::of(app, session.nas) {
        Ok(router) => router,
        Err(error) => {
            tracing::debug!(%error, nas = session.nas.0, "no API to fall back to");
            return false;
        }
    };
    let done = tokio::time::timeout(PATIENCE, carry_out(&router, change, session)).await;
    match done {
        Ok(Ok(is_done)) => is_done,
        Ok(Err(error)) => {
            tracing::info!(%error, nas = session.nas.0, "a change through the API failed");
            false
        }
        Err(_) => {
            tracing::info!(
                nas = session.nas.0,
                "a change through the API took too long"
            );
            false
        }
    }
}

async fn carry_out(router: &Router, change: &Change, session: &Session) -> Result<bool, ApiError> {
    match change {
        Change::End => {
            let id = session.acct_session_id_text();
            Ok(ppp::disconnect(router, &session.username, Some(&id)).await? > 0)
        }
        Change::Speed { limit, .. } => set_queue(router, limit, &session.username).await,
    }
}

/// The queue that the router made for the session gets the new limits; what is left out keeps its old value, so the
/// burst is always written. False when there is no such queue.
async fn set_queue(router: &Router, limit: &RateLimit, user: &str) -> Result<bool, ApiError> {
    let query = format!("name=<pppoe-{user}>");
    let rows = commands::print(router, queues::SIMPLE, ".id", &[&query]).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let text = RateLimitText::from(limit);
    let none = "0/0".to_owned();
    let (burst, threshold, time) = match text.burst {
        Some(burst) => (
            burst.rate.to_string(),
            burst.threshold.to_string(),
            format!("{}s/{}s", burst.time.upload, burst.time.download),
        ),
        None => (none.clone(), none, "0s/0s".to_owned()),
    };
    let priority = format!("{0}/{0}", text.priority);
    let attributes = [
        ("max-limit", text.rate.to_string()),
        ("burst-limit", burst),
        ("burst-threshold", threshold),
        ("burst-time", time),
        ("priority", priority),
    ];
    let attributes: Vec<(&str, &str)> = attributes
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    commands::set(router, queues::SIMPLE, &ItemId::of(row)?, &attributes).await?;
    Ok(true)
}
