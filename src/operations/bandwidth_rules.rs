//! Bandwidth rules: create, change, switch on and off, delete.
//!
//! Everybody who is online is told afterwards; whose speed is still the same hears nothing (rules.md section 5).

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::bandwidth_rule::{BandwidthRule, Rules};
use crate::domain::id::{PlanId, RuleId, SubscriberId};
use crate::domain::text::Username;
use crate::domain::time::Day;
use crate::store::outbox::{self, Work};
use crate::store::{Tx, bandwidth_rules, plans, subscribers};

use super::Error;
use super::others::{check_name, check_room};
use super::trail::note;

/// `rule.id` is given here. Errors: `Field` for a name that is taken, `Refused` when there are too many.
pub async fn create(app: &App, actor: &Actor, mut rule: BandwidthRule) -> Result<RuleId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("create bandwidth rule", move |tx| {
            let others = bandwidth_rules::all(tx)?;
            check(&rule, &others)?;
            check_room("rules", others.len(), bandwidth_rules::MOST_RULES)?;
            rule.id = bandwidth_rules::next_id(tx)?;
            bandwidth_rules::put(tx, &rule)?;
            outbox::add(tx, Work::PushAll)?;
            let mut difference = Difference::default();
            difference
                .field("hours", "", hours(&rule))
                .field("download", "", rule.download)
                .field("upload", "", rule.upload)
                .field("for", "", whom(tx, &rule)?);
            note(tx, &actor, "created", &rule, difference, now)?;
            Ok(rule.id)
        })
        .await
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: RuleId,
    mut rule: BandwidthRule,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change bandwidth rule", move |tx| {
            let found = bandwidth_rules::get(tx, id)?;
            let old = found.ok_or(Error::Missing("bandwidth rule"))?;
            let mut others = bandwidth_rules::all(tx)?;
            others.retain(|other| other.id != id);
            check(&rule, &others)?;
            rule.id = id;
            if old == rule {
                return Ok(());
            }
            bandwidth_rules::put(tx, &rule)?;
            outbox::add(tx, Work::PushAll)?;
            let difference = differences(tx, &old, &rule)?;
            note(tx, &actor, "changed", &rule, difference, now)
        })
        .await
}

pub async fn enable(app: &App, actor: &Actor, id: RuleId) -> Result<(), Error> {
    switch(app, actor, id, true).await
}

pub async fn disable(app: &App, actor: &Actor, id: RuleId) -> Result<(), Error> {
    switch(app, actor, id, false).await
}

/// Nothing happens where it is so already.
async fn switch(app: &App, actor: &Actor, id: RuleId, enabled: bool) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("switch bandwidth rule", move |tx| {
            let found = bandwidth_rules::get(tx, id)?;
            let mut rule = found.ok_or(Error::Missing("bandwidth rule"))?;
            if rule.enabled == enabled {
                return Ok(());
            }
            rule.enabled = enabled;
            bandwidth_rules::put(tx, &rule)?;
            outbox::add(tx, Work::PushAll)?;
            let action = if enabled { "enabled" } else { "disabled" };
            note(tx, &actor, action, &rule, Difference::default(), now)
        })
        .await
}

pub async fn remove(app: &App, actor: &Actor, id: RuleId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete bandwidth rule", move |tx| {
            let found = bandwidth_rules::get(tx, id)?;
            let rule = found.ok_or(Error::Missing("bandwidth rule"))?;
            bandwidth_rules::remove(tx, id)?;
            outbox::add(tx, Work::PushAll)?;
            note(tx, &actor, "deleted", &rule, Difference::default(), now)
        })
        .await
}

/// The rules that are its rivals: the same priority at the same hour for the same people.
pub fn rivals<'a>(
    rules: &'a Rules,
    rule: &'a BandwidthRule,
) -> impl Iterator<Item = &'a BandwidthRule> {
    rules.iter().filter(|other| rule.rivals(other))
}

/// The subscribers with these user names, in their order. Errors: `Field` on `subscribers` that names the ones nobody has.
pub fn named(app: &App, usernames: &[Username]) -> Result<Vec<SubscriberId>, Error> {
    let view = app.store.view()?;
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for username in usernames {
        match subscribers::named(&view, &username.folded())? {
            Some(id) => found.push(id),
            None => unknown.push(username.as_str()),
        }
    }
    match unknown.is_empty() {
        true => Ok(found),
        false => Err(Error::field(
            "subscribers",
            format!("Nobody is called {}", unknown.join(", ")),
        )),
    }
}

fn check(rule: &BandwidthRule, others: &[BandwidthRule]) -> Result<(), Error> {
    let names = others.iter().map(|other| other.name.as_str());
    check_name("rule", &rule.name, names)
}

fn differences(
    tx: &mut Tx<'_>,
    old: &BandwidthRule,
    new: &BandwidthRule,
) -> Result<Difference, Error> {
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("enabled", old.enabled, new.enabled)
        .field("hours", hours(old), hours(new))
        .field("from", day(old.from), day(new.from))
        .field("until", day(old.until), day(new.until))
        .field("priority", old.priority, new.priority)
        .field("download", old.download, new.download)
        .field("upload", old.upload, new.upload)
        .field("for", whom(tx, old)?, whom(tx, new)?);
    Ok(difference)
}

fn hours(rule: &BandwidthRule) -> String {
    match rule.window.is_always() {
        true => "always".to_owned(),
        false => rule.window.to_string(),
    }
}

fn day(day: Option<Day>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

/// Names listed in an audit entry; the rest is counted.
const MOST_LISTED: usize = 20;

/// Whom a rule concerns, by name: plans, then subscribers.
fn whom(tx: &mut Tx<'_>, rule: &BandwidthRule) -> Result<String, Error> {
    if rule.concerns_all() {
        return Ok("everybody".to_owned());
    }
    let mut names = Vec::new();
    for id in rule.plans.iter().take(MOST_LISTED) {
        let PlanId(number) = *id;
        let plan = plans::get(tx, *id)?;
        names.push(plan.map_or_else(|| format!("plan {number}"), |plan| plan.name));
    }
    let room = MOST_LISTED.saturating_sub(names.len());
    for id in rule.subscribers.iter().take(room) {
        let SubscriberId(number) = *id;
        let stored = subscribers::get(tx, *id)?;
        names.push(stored.map_or_else(
            || format!("subscriber {number}"),
            |stored| stored.subscriber.username.as_str().to_owned(),
        ));
    }
    let all = rule.plans.len() + rule.subscribers.len();
    if all > names.len() {
        names.push(format!("{} more", all - names.len()));
    }
    Ok(names.join(", "))
}
