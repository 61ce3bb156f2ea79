//! CDN profiles: add, change, delete. What routers are told of them is in `push` and `steps`, what their queues counted in `usage`.

mod push;
mod steps;
mod usage;

pub use push::{Preview, keeps, preview, push, remove_everything, sync};
pub use steps::{Step, Verb};
pub use usage::{counts, read};

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::cdn::{CdnMode, CdnProfile};
use crate::domain::id::{CdnId, NasId};
use crate::store::{cdn, plans};

use super::Error;
use super::others::{check_name, check_room};
use super::trail::note;

/// `profile.id` is given here. Errors: `Field` for a name that is taken.
pub async fn create(app: &App, actor: &Actor, mut profile: CdnProfile) -> Result<CdnId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("create CDN profile", move |tx| {
            let others = cdn::all(tx)?;
            check(&profile, &others)?;
            check_room("CDN profiles", others.len(), cdn::MOST_PROFILES)?;
            profile.id = cdn::next_id(tx)?;
            cdn::put(tx, &profile)?;
            let mut difference = Difference::default();
            difference.field("speed", "", profile.rate).field(
                "networks",
                "",
                profile.networks.len(),
            );
            note(tx, &actor, "created", &profile, difference, now)?;
            Ok(profile.id)
        })
        .await
}

/// Routers that are kept in step are told within a moment.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: CdnId,
    mut profile: CdnProfile,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change CDN profile", move |tx| {
            let old = cdn::get(tx, id)?.ok_or(Error::Missing("CDN profile"))?;
            let mut others = cdn::all(tx)?;
            others.retain(|other| other.id != id);
            check(&profile, &others)?;
            profile.id = id;
            if old == profile {
                return Ok(());
            }
            cdn::put(tx, &profile)?;
            let difference = differences(&old, &profile);
            note(tx, &actor, "changed", &profile, difference, now)
        })
        .await
}

/// Errors: `Refused` while a plan has the profile.
pub async fn remove(app: &App, actor: &Actor, id: CdnId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete CDN profile", move |tx| {
            let profile = cdn::get(tx, id)?.ok_or(Error::Missing("CDN profile"))?;
            let plans = plans::all(tx)?;
            if let Some(plan) = plans.iter().find(|plan| plan.cdn.contains(&id)) {
                return Err(Error::Refused(format!(
                    "The plan {} has the profile {}. Take it out there first",
                    plan.name, profile.name
                )));
            }
            cdn::remove(tx, id)?;
            note(tx, &actor, "deleted", &profile, Difference::default(), now)
        })
        .await
}

fn check(profile: &CdnProfile, others: &[CdnProfile]) -> Result<(), Error> {
    let names = others.iter().map(|other| other.name.as_str());
    check_name("CDN profile", &profile.name, names)
}

fn differences(old: &CdnProfile, new: &CdnProfile) -> Difference {
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("on", old.enabled, new.enabled)
        .field("counts", counting(old.mode), counting(new.mode))
        .field("speed", old.rate, new.rate)
        .field("networks", networks(old), networks(new))
        .field("queues", old.most_per_router, new.most_per_router)
        .field("routers", routers(&old.nas), routers(&new.nas))
        .field("notes", &old.notes, &new.notes);
    difference
}

fn counting(mode: CdnMode) -> &'static str {
    match mode {
        CdnMode::SpeedOnly => "as always",
        CdnMode::SpeedAndAccounting => "not",
    }
}

/// How many there are, and what changes with each of them: the list itself may have two thousand lines.
fn networks(profile: &CdnProfile) -> String {
    let first = profile.networks.first().map(ToString::to_string);
    let last = profile.networks.last().map(ToString::to_string);
    format!(
        "{}, {} to {}",
        profile.networks.len(),
        first.unwrap_or_default(),
        last.unwrap_or_default()
    )
}

fn routers(nas: &[NasId]) -> String {
    match nas {
        [] => "all".to_owned(),
        some => {
            let ids: Vec<String> = some.iter().map(ToString::to_string).collect();
            ids.join(", ")
        }
    }
}
