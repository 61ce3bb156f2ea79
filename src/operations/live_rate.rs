//! How fast a subscriber's session is right now, asked of its router.

use std::time::Duration;

use crate::app::{App, NoApi, RateSample};
use crate::domain::id::SubscriberId;
use crate::domain::session::Session;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::commands::{self, interfaces};
use crate::routers::routeros::error::ApiError;

use super::{Error, router_api};

/// The graph asks every three seconds; a router that takes longer leaves a gap.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// What there is to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// Oldest first; the last is now.
    Rates(Vec<RateSample>),
    Offline,
    /// Why there is none, in words.
    Silent(String),
}

/// The speed of the subscriber's newest session, and what came before while somebody looked.
pub async fn now(app: &App, id: SubscriberId) -> Result<Live, Error> {
    let newest = {
        let live = app.accounting.live();
        live.open_of(id).max_by_key(|s| s.heard_at).cloned()
    };
    let Some(session) = newest else {
        return Ok(Live::Offline);
    };
    let router = match router_api::of(app, session.nas) {
        Ok(router) => router,
        Err(NoApi::NotSet) => {
            return Ok(Live::Silent(
                "Live speed needs the API of the router: set it on the page of the NAS.".to_owned(),
            ));
        }
        Err(error) => return Ok(Live::Silent(error.to_string())),
    };
    Ok(
        match tokio::time::timeout(PATIENCE, sample(app, &router, &session)).await {
            Ok(Ok(Some(samples))) => Live::Rates(samples),
            Ok(Ok(None)) => Live::Silent("The router does not know this session.".to_owned()),
            Ok(Err(error)) => Live::Silent(error.to_string()),
            Err(_) => Live::Silent("The router takes long to answer.".to_owned()),
        },
    )
}

async fn sample(
    app: &App,
    router: &Router,
    session: &Session,
) -> Result<Option<Vec<RateSample>>, ApiError> {
    let known = app.live_rates.interface(session.id);
    let interface = match known {
        Some(interface) => interface,
        None => match interface_of(router, &session.username).await? {
            Some(interface) => interface,
            None => return Ok(None),
        },
    };
    let rates = interfaces::live_rates(router, &[&interface]).await?;
    Ok(rates.first().map(|live| {
        let sample = RateSample {
            at: app.now(),
            upload_bps: live.rate.upload,
            download_bps: live.rate.download,
        };
        app.live_rates.add(session.id, &interface, sample)
    }))
}

/// An admin may have bound a name of his own to the user, so the router is asked.
async fn interface_of(router: &Router, user: &str) -> Result<Option<String>, ApiError> {
    let query = format!("user={user}");
    let rows = commands::print(router, "/interface/pppoe-server", "name", &[&query]).await?;
    let name = rows.first().and_then(|row| row.attribute("name"));
    Ok(name.map(|name| String::from_utf8_lossy(name).into_owned()))
}
