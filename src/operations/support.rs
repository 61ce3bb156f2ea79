//! Remote support: an operator account that the owner switches on for some hours, for the technician of the vendor.
//!
//! The technician signs in on the usual page with the name `support` and a one-time code; what the role may do is written in
//! `domain::operator`. Invariants: the account ends by itself, it cannot prolong itself, and its code works once.

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role, SUPPORT_HOURS, SUPPORT_NAME};
use crate::domain::time::{HOUR, Timestamp};
use crate::store::operators::{self, StoredOperator, SupportTerm};
use crate::store::{Read, Tx};

use super::Error;
use super::trail::note;

/// Groups of five signs in the one-time code: 100 bits.
const CODE_GROUPS: usize = 4;

/// Remote support as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    pub operator: OperatorId,
    pub until: Timestamp,
    /// The code was not used yet.
    pub waits: bool,
}

/// `None` while it is off, or over.
pub fn current(app: &App) -> Result<Option<Support>, Error> {
    let (view, now) = (app.store.view()?, app.now());
    let found = account(&view)?;
    Ok(found.and_then(|(stored, term)| {
        (now < term.until).then_some(Support {
            operator: stored.operator.id,
            until: term.until,
            waits: term.code_hash.is_some(),
        })
    }))
}

fn account(read: &impl Read) -> Result<Option<(StoredOperator, SupportTerm)>, Error> {
    let found = operators::named(read, SUPPORT_NAME)?;
    Ok(found.and_then(|stored| stored.support.map(|term| (stored, term))))
}

/// Switches remote support on and gives the one-time code, which nobody can see again. Errors: `Field` (`hours`) for a time
/// that is not offered, `Refused` while it is on, or when somebody has its name.
pub async fn begin(app: &App, actor: &Actor, hours: u16) -> Result<Secret<String>, Error> {
    if !SUPPORT_HOURS.contains(&hours) {
        return Err(Error::field("hours", "One of 1, 4, 24, 72"));
    }
    let code = crypto::readable_code(CODE_GROUPS)?;
    let code_hash = crypto::code_hash(code.expose());
    let (actor, now) = (actor.clone(), app.now());
    let until = now.plus(i64::from(hours) * HOUR);
    app.store
        .write("remote support on", move |tx| {
            match account(tx)? {
                Some((_, term)) if now < term.until => {
                    return Err(Error::Refused(
                        "Remote support is on already. End it first to get a new code".to_owned(),
                    ));
                }
                Some((stored, _)) => clear(tx, &stored.operator, now)?,
                None if operators::named(tx, SUPPORT_NAME)?.is_some() => {
                    return Err(Error::Refused(format!(
                        "An operator has the name {SUPPORT_NAME}. Remove that operator first"
                    )));
                }
                None => {}
            }
            let operator = Operator {
                id: operators::next_id(tx)?,
                name: SUPPORT_NAME.to_owned(),
                role: Role::Support,
                created_at: now,
            };
            let stored = StoredOperator {
                operator: operator.clone(),
                password_hash: String::new(),
                factor: None,
                support: Some(SupportTerm {
                    until,
                    code_hash: Some(code_hash),
                }),
            };
            operators::put(tx, &stored)?;
            let mut difference = Difference::default();
            difference.field("hours", "", hours);
            let what = "remote support switched on";
            note(tx, &actor, what, &operator, difference, now)
        })
        .await?;
    Ok(code)
}

/// Ends it at once, and signs the technician out everywhere. Errors: `Refused` when it is off.
pub async fn end(app: &App, actor: &Actor) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("remote support off", move |tx| {
            let Some((stored, _)) = account(tx)? else {
                return Err(Error::Refused("Remote support is off already".to_owned()));
            };
            let operator = stored.operator;
            operators::remove(tx, operator.id)?;
            let what = "remote support ended";
            note(tx, &actor, what, &operator, Difference::default(), now)
        })
        .await
}

/// Clears the account away once its time is over, and says whether it did.
pub async fn clear_if_over(app: &App, now: Timestamp) -> Result<bool, Error> {
    let is_over = |found: &(StoredOperator, SupportTerm)| found.1.until <= now;
    if !account(&app.store.view()?)?.as_ref().is_some_and(is_over) {
        return Ok(false);
    }
    app.store
        .write("remote support over", move |tx| {
            match account(tx)?.filter(|(_, term)| term.until <= now) {
                Some((stored, _)) => clear(tx, &stored.operator, now).map(|()| true),
                None => Ok(false),
            }
        })
        .await
}

fn clear(tx: &mut Tx<'_>, operator: &Operator, now: Timestamp) -> Result<(), Error> {
    operators::remove(tx, operator.id)?;
    let actor = Actor::System("its time was over");
    let what = "remote support ended";
    note(tx, &actor, what, operator, Difference::default(), now)
}

/// Uses the one-time code up. False for a wrong one, and for one that was used or is over.
pub(super) async fn redeem(
    app: &App,
    id: OperatorId,
    code: &Secret<String>,
) -> Result<bool, Error> {
    let (given, now) = (crypto::code_hash(code.expose()), app.now());
    app.store
        .write("remote support code", move |tx| {
            let Some(mut stored) = operators::get(tx, id)? else {
                return Ok(false);
            };
            let Some(term) = stored.support.as_mut().filter(|term| now < term.until) else {
                return Ok(false);
            };
            let fits = |hash: [u8; 32]| crypto::constant_time_eq(&hash, &given);
            if !term.code_hash.is_some_and(fits) {
                return Ok(false);
            }
            term.code_hash = None;
            operators::put(tx, &stored)?;
            Ok::<bool, Error>(true)
        })
        .await
}
