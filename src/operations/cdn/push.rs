//! Brings routers into step with the CDN profiles: what would be changed, the changes, and taking all of it away.
//!
//! Invariants: one change of a router at a time; nothing but objects of ours is changed; a router is changed by itself
//! only after an operator pushed to it, and not any more once everything was removed.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::{App, CdnOutcome};
use crate::domain::audit::{Actor, Difference};
use crate::domain::cdn::{CdnMode, CdnProfile, CdnWarning};
use crate::domain::id::NasId;
use crate::routers::routeros::cdn::{Desired, Line, desired, queue_of};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::commands::cdn::{actual, apply, fasttrack_rules};
use crate::routers::routeros::error::ApiError;
use crate::routers::routeros::objects::{Actual, Change, Item, diff};
use crate::store::cdn;

use super::super::trail::note;
use super::super::{Error, blocking, router_api};
use super::steps::Step;
use super::usage::settle;

/// Objects of ours on one router: lists of ten profiles, or the queues of its subscribers. Each is a line of its
/// configuration.
const MOST_OBJECTS: usize = 20_000;
/// Commands under way to one router.
const IN_FLIGHT: usize = 8;
/// Read and change so often: a session that ended meanwhile takes the row away that a command names.
const MOST_PASSES: usize = 3;
/// All of it: some thousand commands of a few milliseconds each. A stopping daemon waits for it; what is left is done the
/// next time, and the order of changes makes that harmless.
const LONGEST_PUSH: Duration = Duration::from_secs(60);
/// A page does not wait longer; the push goes on behind it.
const PAGE_WAITS: Duration = Duration::from_secs(20);

/// What a push would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub steps: Vec<Step>,
    /// Objects of ours that are there now.
    pub there: usize,
    pub warnings: Vec<CdnWarning>,
}

/// Whether a router is kept in step.
pub fn keeps(app: &App, nas: NasId) -> Result<bool, Error> {
    Ok(cdn::kept_since(&app.store.view()?, nas)?.is_some())
}

/// Reads the router and says what a push would change; changes nothing. Errors: `Refused` when it cannot be read.
pub async fn preview(app: &Arc<App>, nas: NasId) -> Result<Preview, Error> {
    let wanted = wanted(app, nas).await?;
    let router = router(app, nas)?;
    let seen = tokio::time::timeout(PAGE_WAITS, look(&router, &wanted)).await;
    let (actual, warnings) = seen
        .map_err(|_| ApiError::Timeout { what: "answer" })
        .and_then(|seen| seen)
        .map_err(refused)?;
    router_api::keep_certificate(app, nas, &router).await?;
    Ok(Preview {
        steps: diff(&wanted.items, &actual)
            .iter()
            .map(Step::from)
            .collect(),
        there: actual.count(),
        warnings,
    })
}

/// Pushes, and keeps the router in step from now on. `None` when it goes on behind the page.
pub async fn push(app: &Arc<App>, actor: &Actor, nas: NasId) -> Result<Option<CdnOutcome>, Error> {
    decide(app, actor, nas, true).await?;
    Ok(in_background(app, nas).await)
}

/// Takes everything of ours from the router, and leaves it alone from now on. `None` when it goes on behind the page.
pub async fn remove_everything(
    app: &Arc<App>,
    actor: &Actor,
    nas: NasId,
) -> Result<Option<CdnOutcome>, Error> {
    decide(app, actor, nas, false).await?;
    Ok(in_background(app, nas).await)
}

/// Makes whatever is to be made now: all that the profiles need on a router that is kept in step, and nothing on another.
/// Keeps how that ended.
pub async fn sync(app: Arc<App>, nas: NasId) -> CdnOutcome {
    settle(&app, nas);
    let turn = app.cdn.turn(nas);
    let _turn = turn.lock().await;
    let mut outcome = CdnOutcome {
        at: app.now(),
        made: 0,
        left: 0,
        warnings: Vec::new(),
        error: String::new(),
    };
    let work = tokio::time::timeout(LONGEST_PUSH, bring(&app, nas, &mut outcome));
    let error = match work.await {
        Ok(Ok(())) => String::new(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "The router takes too long. The rest is tried again in a minute".to_owned(),
    };
    outcome.at = app.now();
    outcome.error = error;
    app.cdn.report(nas, outcome.clone());
    outcome
}

/// An operator's decision is kept, with who made it, before anything is done about it.
async fn decide(app: &App, actor: &Actor, nas: NasId, keep: bool) -> Result<(), Error> {
    let entry = app.nas(nas).ok_or(Error::Missing("NAS"))?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("keep a router in step", move |tx| {
            let was_kept = cdn::kept_since(tx, nas)?.is_some();
            if was_kept == keep {
                return Ok(());
            }
            let action = match keep {
                true => {
                    cdn::keep(tx, nas, now)?;
                    "CDN pushed"
                }
                false => {
                    cdn::let_go(tx, nas)?;
                    "CDN removed"
                }
            };
            let mut difference = Difference::default();
            difference.field("CDN kept in step", was_kept, keep);
            note(tx, &actor, action, &entry.nas, difference, now)
        })
        .await
}

/// Goes on when the browser, or its patience, is gone: half a push would stay for minutes.
async fn in_background(app: &Arc<App>, nas: NasId) -> Option<CdnOutcome> {
    let task = tokio::spawn(sync(Arc::clone(app), nas));
    let ended = tokio::time::timeout(PAGE_WAITS, task).await;
    ended.ok().and_then(Result::ok)
}

/// What the router should hold now. Errors: `Refused` when that is too much.
async fn wanted(app: &Arc<App>, nas: NasId) -> Result<Desired, Error> {
    let shared = Arc::clone(app);
    let wanted = blocking(move || {
        let profiles: Vec<Arc<CdnProfile>> = profiles(&shared, nas);
        Ok::<_, Error>(desired(&profiles, &lines(&shared, nas)?))
    })
    .await??;
    match wanted.items.len() {
        ..=MOST_OBJECTS => Ok(wanted),
        many => Err(Error::Refused(format!(
            "That would be {many} objects on the router, but at most {MOST_OBJECTS} are made. Shorten the lists of networks, or give \
             the profiles to fewer routers"
        ))),
    }
}

/// The profiles that are on at a router.
fn profiles(app: &App, nas: NasId) -> Vec<Arc<CdnProfile>> {
    let profiles = app.cdn_profiles();
    let on = profiles.iter().filter(|profile| profile.is_on(nas));
    on.cloned().collect()
}

/// The open sessions of a router; those of subscribers without a profile too, since they hold addresses.
fn lines(app: &App, nas: NasId) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    let mut subscribers = Vec::new();
    {
        let live = app.accounting.live();
        for session in live.open_sessions().filter(|s| s.nas == nas) {
            let place = &session.place;
            let prefixes = [place.ipv6_prefix, place.delegated_prefix];
            subscribers.push(session.subscriber);
            lines.push(Line {
                session: session.id,
                address: place.address,
                prefixes: prefixes.into_iter().flatten().collect(),
                cdn: Vec::new(),
            });
        }
    }
    app.directory().with(&app.store, |all| {
        for (line, subscriber) in lines.iter_mut().zip(subscribers) {
            let plan = subscriber
                .and_then(|id| all.get(&id))
                .and_then(|entry| app.plan(entry.plan));
            line.cdn = plan.map(|plan| plan.cdn.clone()).unwrap_or_default();
        }
    })?;
    Ok(lines)
}

/// Whether any profile on a router counts octets.
pub(super) fn counting(app: &App, nas: NasId) -> Vec<Arc<CdnProfile>> {
    let mut profiles = profiles(app, nas);
    profiles.retain(|profile| profile.mode == CdnMode::SpeedAndAccounting);
    profiles
}

pub(super) fn router(app: &App, nas: NasId) -> Result<Router, Error> {
    router_api::of(app, nas)
        .map_err(|why| Error::Refused(format!("The router cannot be asked: {why}")))
}

pub(super) fn refused(error: ApiError) -> Error {
    Error::Refused(format!("The router could not be asked: {error}"))
}

async fn bring(app: &Arc<App>, nas: NasId, outcome: &mut CdnOutcome) -> Result<(), Error> {
    // Asked within the turn: who waited for it may have been overtaken by an operator who wants everything removed.
    let is_kept = keeps(app, nas)?;
    let wanted = match is_kept {
        true => wanted(app, nas).await?,
        false => Desired::default(),
    };
    let router = router(app, nas)?;
    passes(app, nas, &router, &wanted, outcome)
        .await
        .map_err(refused)?;
    if !is_kept {
        app.cdn.forget_readings(nas);
    }
    router_api::keep_certificate(app, nas, &router).await
}

/// Reads, changes, and reads again until there is nothing left to change.
async fn passes(
    app: &Arc<App>,
    nas: NasId,
    router: &Router,
    wanted: &Desired,
    outcome: &mut CdnOutcome,
) -> Result<(), ApiError> {
    for pass in 0..=MOST_PASSES {
        let (actual, warnings) = look(router, wanted).await?;
        if pass == 0 {
            outcome.warnings = warnings;
        }
        let changes = diff(&wanted.items, &actual);
        outcome.left = changes.len();
        if changes.is_empty() || pass == MOST_PASSES {
            break;
        }
        match carry_out(app, nas, router, changes, outcome).await {
            // What it named went meanwhile: look again.
            Err(error) if error.is_missing() => {}
            result => result?,
        }
    }
    Ok(())
}

/// What the router holds, and what keeps that from working.
async fn look(router: &Router, wanted: &Desired) -> Result<(Actual, Vec<CdnWarning>), ApiError> {
    let actual = actual(router).await?;
    let mut warnings = Vec::new();
    if !wanted.items.is_empty() {
        let counts = [
            (
                fasttrack_rules(router).await?,
                CdnWarning::FastTrack as fn(usize) -> CdnWarning,
            ),
            (actual.queues_above(), CdnWarning::QueuesAbove),
            (wanted.left_out, CdnWarning::LeftOut),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        warnings.extend(some.map(|(count, warning)| warning(count)));
    }
    Ok((actual, warnings))
}

/// Makes all changes in their order; those of one kind in one menu, which do not depend on each other, a few at a time.
async fn carry_out(
    app: &Arc<App>,
    nas: NasId,
    router: &Router,
    changes: Vec<Change>,
    outcome: &mut CdnOutcome,
) -> Result<(), ApiError> {
    for group in changes.chunk_by(Change::may_go_beside) {
        let mut under_way = JoinSet::new();
        let mut waiting = group.iter();
        loop {
            while under_way.len() < IN_FLIGHT
                && let Some(change) = waiting.next()
            {
                let (router, change) = (router.clone(), change.clone());
                under_way.spawn(async move { (apply(&router, &change).await, change) });
            }
            let Some(ended) = under_way.join_next().await else {
                break;
            };
            // A task that panicked has made nothing.
            let (result, change) = ended.map_err(|_| ApiError::Stopped)?;
            result?;
            outcome.made += 1;
            outcome.left = outcome.left.saturating_sub(1);
            if let Change::Add {
                item: Item { key, .. },
                ..
            } = &change
                && let Some(queue) = queue_of(key)
            {
                app.cdn.queue_is_new(nas, queue);
            }
        }
    }
    Ok(())
}
