//! The counters of all live sessions, read from the routers that have an API, all at once: one slow or dead router delays
//! nobody but itself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::id::NasId;
use crate::domain::mac::Mac;
use crate::domain::time::Timestamp;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::commands::{interfaces, ppp};
use crate::routers::routeros::error::ApiError;

use super::api_usage::{self, Missing, Reading};
use super::{Error, router_api};

/// Well below the period of the job, so that no reading meets the next one.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one router said.
pub struct Read {
    pub nas: NasId,
    pub readings: Result<Vec<Reading>, String>,
}

/// Reads every router with an API. Takes as long as the slowest one, at most [`PATIENCE`].
pub async fn read_all(app: &Arc<App>) -> Vec<Read> {
    let mut under_way = JoinSet::new();
    for entry in app.nas_table().all() {
        if entry.nas.api.is_none() {
            continue;
        }
        let (app, id) = (Arc::clone(app), entry.nas.id);
        under_way.spawn(async move {
            Read {
                nas: id,
                readings: read(&app, id).await,
            }
        });
    }
    under_way.join_all().await
}

async fn read(app: &App, id: NasId) -> Result<Vec<Reading>, String> {
    let router = router_api::of(app, id).map_err(|error| error.to_string())?;
    let readings = tokio::time::timeout(PATIENCE, readings(&router)).await;
    let readings = readings
        .map_err(|_| "it took too long".to_owned())?
        .map_err(|error| error.to_string())?;
    if let Err(error) = router_api::keep_certificate(app, id, &router).await {
        tracing::warn!(%error, nas = id.0, "the certificate of a router could not be kept");
    }
    Ok(readings)
}

/// Both lists are read at once; the list of active sessions names them, the other one counts. Sessions that run twice
/// under one name are told apart by their device.
async fn readings(router: &Router) -> Result<Vec<Reading>, ApiError> {
    let (active, traffic) =
        tokio::try_join!(ppp::active(router), interfaces::user_traffic(router))?;
    let mut counters: HashMap<String, Vec<interfaces::UserTraffic>> = HashMap::new();
    for counted in traffic {
        counters
            .entry(counted.user.clone())
            .or_default()
            .push(counted);
    }
    let mut readings = Vec::with_capacity(active.len());
    for session in active {
        let Some(counted) = counters.get_mut(&session.name) else {
            continue;
        };
        let same_device = counted.iter().position(|c| {
            c.session.remote_address.is_some() && c.session.remote_address == session.caller_id
        });
        if counted.is_empty() {
            continue;
        }
        let counted = counted.swap_remove(same_device.unwrap_or(0));
        let uptime = session.uptime.map_or(0, |uptime| uptime.as_secs());
        readings.push(Reading {
            username: session.name,
            acct_session_id: session.session_id.unwrap_or_default(),
            address: match session.address {
                Some(IpAddr::V4(address)) => Some(address),
                _ => None,
            },
            mac: session.caller_id.as_deref().and_then(Mac::read),
            uptime_s: u32::try_from(uptime).unwrap_or(u32::MAX),
            upload: counted.octets.upload,
            download: counted.octets.download,
        });
    }
    Ok(readings)
}

/// Takes what one router said: records where it sends none, else figures beside what is booked. A router that did not
/// answer changes nothing.
pub fn take(
    app: &App,
    read: Read,
    missing: &mut HashMap<NasId, Missing>,
    now: Timestamp,
) -> Result<(), Error> {
    let (Some(entry), Ok(readings)) = (app.nas(read.nas), &read.readings) else {
        return Ok(());
    };
    let missing = missing.entry(read.nas).or_default();
    api_usage::take(app, &entry.nas, readings, missing, now)?;
    Ok(())
}
