//! Server-side pools: create, change, delete.

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::PoolId;
use crate::domain::plan::{AddressSource, Plan};
use crate::domain::pool::{Pool, PoolKind};
use crate::store::{Tx, plans, pools};

use super::Error;
use super::others::{check_name, check_room};
use super::trail::note;

/// Addresses and prefixes in all pools together: 1 MB of bits.
const MOST_IN_ALL: u32 = 1 << 23;

/// `pool.id` is given here. Errors: `Field` for a name that is taken, or addresses that another pool has.
pub async fn create(app: &App, actor: &Actor, mut pool: Pool) -> Result<PoolId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("create pool", move |tx| {
            let others = pools::all(tx)?;
            check(&pool, &others)?;
            check_room("pools", others.len(), pools::MOST_POOLS)?;
            pool.id = pools::next_id(tx)?;
            pools::put(tx, &pool)?;
            let mut difference = Difference::default();
            difference.field(what(&pool), "", &pool.kind);
            note(tx, &actor, "created", &pool, difference, now)?;
            Ok(pool.id)
        })
        .await
}

/// Sessions keep what they have, also where the pool has it no more; the change holds at the next login.
/// Errors: as [`create`], and `Field` for another name while a plan names the pool.
pub async fn update(app: &App, actor: &Actor, id: PoolId, mut pool: Pool) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change pool", move |tx| {
            let old = pools::get(tx, id)?.ok_or(Error::Missing("pool"))?;
            pool.id = id;
            if old == pool {
                return Ok(());
            }
            let mut others = pools::all(tx)?;
            others.retain(|other| other.id != id);
            check(&pool, &others)?;
            if old.name != pool.name
                && let Some(plan) = user(tx, &old)?
            {
                return Err(Error::field(
                    "name",
                    format!("The plan {plan} names this pool {}", old.name),
                ));
            }
            if kind_word(&old) != kind_word(&pool)
                && let Some(plan) = user(tx, &old)?
            {
                return Err(Error::field(
                    "kind",
                    format!("The plan {plan} needs this pool as it is"),
                ));
            }
            pools::put(tx, &pool)?;
            note(tx, &actor, "changed", &pool, differences(&old, &pool), now)
        })
        .await
}

/// Sessions keep what they have. Errors: `Refused` while a plan takes addresses from it.
pub async fn remove(app: &App, actor: &Actor, id: PoolId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete pool", move |tx| {
            let old = pools::get(tx, id)?.ok_or(Error::Missing("pool"))?;
            if let Some(plan) = user(tx, &old)? {
                return Err(Error::Refused(format!(
                    "The plan {plan} takes addresses from {}. Give the plan another pool first",
                    old.name
                )));
            }
            pools::remove(tx, id)?;
            let mut difference = Difference::default();
            difference.field(what(&old), &old.kind, "");
            note(tx, &actor, "deleted", &old, difference, now)
        })
        .await
}

/// The names of the plans that take addresses or prefixes from a pool.
pub fn plans_of<'p>(pool: &Pool, plans: impl IntoIterator<Item = &'p Plan>) -> Vec<String> {
    let uses = |plan: &&Plan| match pool.kind {
        PoolKind::V4(_) => plan.address_source == AddressSource::Server && plan.pool == pool.name,
        PoolKind::Delegated(_) => plan.delegated_pool == pool.name,
    };
    let plans = plans.into_iter().filter(uses);
    plans.map(|plan| plan.name.clone()).collect()
}

fn user(tx: &mut Tx<'_>, pool: &Pool) -> Result<Option<String>, Error> {
    Ok(plans_of(pool, &plans::all(tx)?).into_iter().next())
}

fn check(pool: &Pool, others: &[Pool]) -> Result<(), Error> {
    let names = others.iter().map(|other| other.name.as_str());
    check_name("pool", &pool.name, names)?;
    let field = match pool.kind {
        PoolKind::V4(_) => "ranges",
        PoolKind::Delegated(_) => "network",
    };
    // Whoever is in two pools would be handed out twice.
    let blocks = pool.kind.blocks();
    if let Some(other) = others
        .iter()
        .find(|other| blocks.iter().any(|block| other.kind.overlaps(*block)))
    {
        let problem = format!("The pool {} has some of these already", other.name);
        return Err(Error::field(field, problem));
    }
    let sizes = others.iter().chain([pool]).map(|pool| pool.kind.size());
    if sizes.fold(0_u32, u32::saturating_add) > MOST_IN_ALL {
        return Err(Error::field(
            field,
            format!("At most {MOST_IN_ALL} addresses and prefixes in all pools together"),
        ));
    }
    Ok(())
}

/// What the pool hands out, in the audit log.
fn what(pool: &Pool) -> &'static str {
    match pool.kind {
        PoolKind::V4(_) => "addresses",
        PoolKind::Delegated(_) => "prefixes",
    }
}

fn kind_word(pool: &Pool) -> &'static str {
    match pool.kind {
        PoolKind::V4(_) => "IPv4 addresses",
        PoolKind::Delegated(_) => "IPv6 prefixes",
    }
}

fn differences(old: &Pool, new: &Pool) -> Difference {
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("kind", kind_word(old), kind_word(new))
        .field(what(new), &old.kind, &new.kind)
        .field("same address again", old.sticky, new.sticky)
        .field("notes", &old.notes, &new.notes);
    difference
}
