//! Plans: create, change, delete.

use std::sync::Arc;

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::PlanId;
use crate::domain::plan::Plan;
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, Work};
use crate::store::{Tx, cdn, plans};

use super::Error;
use super::others::{check_name, check_room};
use super::plan_words::differences;
use super::trail::note;

/// The plan with this number or name.
pub(super) fn named(app: &App, text: &str) -> Option<Arc<Plan>> {
    let number = text.parse().ok().and_then(|id| app.plan(PlanId(id)));
    let named = || {
        let wanted = fold_case(text);
        let plans = app.plans();
        plans
            .into_iter()
            .find(|plan| fold_case(&plan.name) == wanted)
    };
    number.or_else(named)
}

/// `plan.id` and `plan.created_at` are given here. Errors: `Field` for a name that is taken.
pub async fn create(app: &App, actor: &Actor, plan: Plan) -> Result<PlanId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("create plan", move |tx| {
            insert(tx, plan.clone(), &actor, now)
        })
        .await
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    mut plan: Plan,
    actor: &Actor,
    now: Timestamp,
) -> Result<PlanId, Error> {
    let others = plans::all(tx)?;
    check(&plan, &others)?;
    check_room("plans", others.len(), plans::MOST_PLANS)?;
    plan.id = plans::next_id(tx)?;
    plan.created_at = now;
    plans::put(tx, &plan)?;
    outbox::add(tx, Work::IndexPlan(plan.id))?;
    let mut difference = Difference::default();
    difference
        .field("price", "", plan.price)
        .field("speed", "", plan.rate);
    note(tx, actor, "created", &plan, difference, now)?;
    Ok(plan.id)
}

/// Live sessions of the plan are told what changes for them; another pool holds at the next login.
pub async fn update(app: &App, actor: &Actor, id: PlanId, mut plan: Plan) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change plan", move |tx| {
            let old = plans::get(tx, id)?.ok_or(Error::Missing("plan"))?;
            let mut others = plans::all(tx)?;
            others.retain(|other| other.id != id);
            check(&plan, &others)?;
            plan.id = id;
            plan.created_at = old.created_at;
            if old == plan {
                return Ok(());
            }
            plans::put(tx, &plan)?;
            outbox::add(tx, Work::IndexPlan(id))?;
            if concerns_sessions(&old, &plan) {
                outbox::add(tx, Work::PushPlan(id))?;
            }
            let profiles = cdn::all(tx)?;
            let difference = differences(&old, &plan, &profiles);
            note(tx, &actor, "changed", &plan, difference, now)
        })
        .await
}

/// Errors: `Refused` while a subscriber has the plan.
pub async fn remove(app: &App, actor: &Actor, id: PlanId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete plan", move |tx| {
            let plan = plans::get(tx, id)?.ok_or(Error::Missing("plan"))?;
            if plans::is_in_use(tx, id)? {
                return Err(Error::Refused(format!(
                    "Subscribers have the plan {}. Give them another plan first",
                    plan.name
                )));
            }
            delete(tx, &plan, &actor, now)
        })
        .await
}

/// Deletes a plan that nobody has.
pub(super) fn delete(
    tx: &mut Tx<'_>,
    plan: &Plan,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Error> {
    plans::remove(tx, plan.id)?;
    outbox::add(tx, Work::IndexPlan(plan.id))?;
    note(tx, actor, "deleted", plan, Difference::default(), now)
}

fn check(plan: &Plan, others: &[Plan]) -> Result<(), Error> {
    let names = others.iter().map(|other| other.name.as_str());
    check_name("plan", &plan.name, names)
}

/// Whether the speed or the time of a live session may be another one now.
fn concerns_sessions(old: &Plan, new: &Plan) -> bool {
    (old.rate, old.burst, old.priority, old.quota) != (new.rate, new.burst, new.priority, new.quota)
        || old.fair_use != new.fair_use
        || old.speed_windows != new.speed_windows
        || old.login_hours != new.login_hours
        || old.on_expiry != new.on_expiry
}
