//! Plans: create, change, delete.

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::PlanId;
use crate::domain::octets::Octets;
use crate::domain::plan::{OnExpiry, OnLimit, Plan};
use crate::domain::rate::Burst;
use crate::domain::text::fold_case;
use crate::domain::window::Window;
use crate::store::outbox::{self, Work};
use crate::store::{Tx, plans};

use super::Error;
use super::trail::note;

/// `plan.id` and `plan.created_at` are given here. Errors: `Field` for a name that is taken.
pub async fn create(app: &App, actor: &Actor, mut plan: Plan) -> Result<PlanId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("create plan", move |tx| {
            check_name(tx, &plan.name, None)?;
            if plans::all(tx)?.len() >= plans::MOST_PLANS {
                return Err(Error::Refused(format!(
                    "There are {} plans already",
                    plans::MOST_PLANS
                )));
            }
            plan.id = plans::next_id(tx)?;
            plan.created_at = now;
            plans::put(tx, &plan)?;
            outbox::add(tx, Work::IndexPlan(plan.id))?;
            let mut difference = Difference::default();
            difference
                .field("price", "", plan.price)
                .field("speed", "", plan.rate);
            note(tx, &actor, "created", &plan, difference, now)?;
            Ok(plan.id)
        })
        .await
}

/// Live sessions of the plan are told a new speed; another pool holds at the next login.
pub async fn update(app: &App, actor: &Actor, id: PlanId, mut plan: Plan) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change plan", move |tx| {
            let old = plans::get(tx, id)?.ok_or(Error::Missing("plan"))?;
            check_name(tx, &plan.name, Some(id))?;
            plan.id = id;
            plan.created_at = old.created_at;
            if old == plan {
                return Ok(());
            }
            plans::put(tx, &plan)?;
            outbox::add(tx, Work::IndexPlan(id))?;
            if (old.rate, old.burst, old.priority) != (plan.rate, plan.burst, plan.priority) {
                outbox::add(tx, Work::PushPlan(id))?;
            }
            note(tx, &actor, "changed", &plan, differences(&old, &plan), now)
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
            plans::remove(tx, id)?;
            outbox::add(tx, Work::IndexPlan(id))?;
            note(tx, &actor, "deleted", &plan, Difference::default(), now)
        })
        .await
}

fn check_name(tx: &mut Tx<'_>, name: &str, own: Option<PlanId>) -> Result<(), Error> {
    let wanted = fold_case(name);
    let taken = plans::all(tx)?
        .iter()
        .any(|p| fold_case(&p.name) == wanted && Some(p.id) != own);
    if taken {
        Err(Error::field("name", "Another plan has this name"))
    } else {
        Ok(())
    }
}

fn differences(old: &Plan, new: &Plan) -> Difference {
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("price", old.price, new.price)
        .field("term", old.term, new.term)
        .field("speed", old.rate, new.rate)
        .field("burst", burst(old.burst), burst(new.burst))
        .field("priority", old.priority, new.priority)
        .field("pool", &old.pool, &new.pool)
        .field("address list", &old.address_list, &new.address_list)
        .field("sessions", old.max_sessions, new.max_sessions)
        .field(
            "at the session limit",
            on_limit(old.on_limit),
            on_limit(new.on_limit),
        )
        .field(
            "after expiry",
            on_expiry(&old.on_expiry),
            on_expiry(&new.on_expiry),
        )
        .field(
            "monthly quota",
            quota(old.quota.monthly),
            quota(new.quota.monthly),
        )
        .field(
            "login hours",
            hours(old.login_hours),
            hours(new.login_hours),
        )
        .field("MPPE keys", old.send_mppe, new.send_mppe)
        .field("notes", &old.notes, &new.notes);
    difference
}

fn burst(burst: Option<Burst>) -> String {
    burst.map_or_else(String::new, |b| {
        format!("{} while below {} over {} s", b.rate, b.threshold, b.time_s)
    })
}

fn on_limit(on_limit: OnLimit) -> &'static str {
    match on_limit {
        OnLimit::ReplaceOld => "replace the oldest",
        OnLimit::RejectNew => "reject the new one",
    }
}

fn on_expiry(on_expiry: &OnExpiry) -> String {
    match on_expiry {
        OnExpiry::Reject => "reject".to_owned(),
        OnExpiry::ExpiredPool { pool } => format!("pool {pool}"),
        OnExpiry::ExpiredSpeed { rate } => format!("goes on at {rate}"),
        OnExpiry::Grace { days, rate: None } => format!("grace of {days} days"),
        OnExpiry::Grace {
            days,
            rate: Some(rate),
        } => format!("grace of {days} days at {rate}"),
    }
}

fn quota(octets: Option<u64>) -> String {
    octets.map_or_else(|| "none".to_owned(), |octets| Octets(octets).to_string())
}

fn hours(hours: Option<Window>) -> String {
    hours.map_or_else(|| "always".to_owned(), |w| w.to_string())
}
