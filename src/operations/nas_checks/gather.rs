//! Observations of a router: what was seen of it, and what its API says within one deadline.

use std::time::Duration;

use tokio::time::timeout;

use super::{ApiSeen, Check, Observed, RouterFacts, judge};
use crate::app::{App, NasEntry, NoApi};
use crate::domain::id::NasId;
use crate::domain::session::Presence;
use crate::operations::{Error, router_api, router_script};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::commands::firewall::{self, Table};
use crate::routers::routeros::commands::{pools, ppp, print, radius, system};
use crate::routers::routeros::error::ApiError;
use crate::store::subscribers;

/// For everything that is asked of one router: somebody looks at the page.
const DEADLINE: Duration = Duration::from_secs(10);
/// Local secrets whose names are looked up; a router with RADIUS has a handful.
const SECRETS_MAX: usize = 5_000;

/// Looks at a router and judges. Takes ten seconds at most, whatever the router does.
///
/// Errors: `Missing`, or the store; a router that cannot be asked is a verdict, not an error.
pub async fn run(app: &App, id: NasId) -> Result<Vec<Check>, Error> {
    let entry = app.nas(id).ok_or(Error::Missing("NAS"))?;
    let api = ask(app, id).await?;
    Ok(judge(&observe(app, &entry, api)))
}

fn observe(app: &App, entry: &NasEntry, api: ApiSeen) -> Observed {
    let now = app.now();
    let interim_interval = app.interim_interval(entry.nas.id);
    let (open, overdue) = {
        let live = app.accounting.live();
        let sessions = live.open_sessions().filter(|s| s.nas == entry.nas.id);
        sessions.fold((0, 0), |(open, overdue), session| {
            let is_overdue = session.presence(now, interim_interval) != Presence::Online;
            (open + 1, overdue + usize::from(is_overdue))
        })
    };
    Observed {
        now,
        nas: entry.nas.clone(),
        named: router_script::named(app),
        server: router_script::own_address(app),
        interim_interval,
        last_auth: entry.stats.last_auth(),
        last_acct: entry.stats.last_acct(),
        last_wrong_secret: entry.stats.last_wrong_secret(),
        coa: entry.stats.coa_reports(),
        open,
        overdue,
        api,
    }
}

async fn ask(app: &App, id: NasId) -> Result<ApiSeen, Error> {
    let router = match router_api::of(app, id) {
        Ok(router) => router,
        Err(NoApi::Missing) => return Err(Error::Missing("NAS")),
        Err(NoApi::NotSet | NoApi::NoAddress) => return Ok(ApiSeen::NotSet),
        Err(NoApi::Store(error)) => return Err(error.into()),
        Err(NoApi::Crypto(error)) => return Err(error.into()),
    };
    let read = timeout(DEADLINE, facts(app, &router)).await;
    router_api::keep_certificate(app, id, &router).await?;
    Ok(match read {
        Ok(Ok(facts)) => ApiSeen::Read(Box::new(facts)),
        Ok(Err(error)) => ApiSeen::Failed(error),
        Err(_) => ApiSeen::Failed(ApiError::Timeout { what: "answer" }),
    })
}

/// Errors: what the first question met; later ones are told one by one.
async fn facts(app: &App, router: &Router) -> Result<RouterFacts, ApiError> {
    let version = system::resource(router).await?.version;
    let clock = system::clock(router).await.map(|clock| clock.now);
    let read_at = app.now();
    let (radius, incoming, aaa, filter, pools, ipv6_pools, shadowing) = tokio::join!(
        radius::entries(router),
        radius::incoming(router),
        ppp::aaa(router),
        firewall::rules(router, Table::Filter),
        pools::pools(router),
        print(router, "/ipv6/pool", "name", &[]),
        shadowing(app, router),
    );
    Ok(RouterFacts {
        version,
        clock,
        read_at,
        radius,
        incoming,
        aaa,
        filter,
        pools: pools.map(|pools| pools.into_iter().map(|pool| pool.name).collect()),
        ipv6_pools: ipv6_pools.map(|rows| {
            let name = |row: &crate::routers::routeros::wire::Sentence| {
                let name = row.attribute("name")?;
                Some(String::from_utf8_lossy(name).into_owned())
            };
            rows.iter().filter_map(name).collect()
        }),
        shadowing,
    })
}

/// The enabled local secrets that have the name of a subscriber.
async fn shadowing(app: &App, router: &Router) -> Result<Vec<String>, ApiError> {
    let secrets = ppp::secrets(router).await?;
    // What cannot be looked up now is looked up the next time.
    let Ok(view) = app.store.view() else {
        return Ok(Vec::new());
    };
    let is_subscriber = |name: &String| matches!(subscribers::named(&view, name), Ok(Some(_)));
    let names = secrets
        .into_iter()
        .filter(|secret| !secret.is_disabled)
        .take(SECRETS_MAX)
        .map(|secret| secret.name);
    Ok(names.filter(is_subscriber).collect())
}
