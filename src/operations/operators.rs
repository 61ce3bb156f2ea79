//! Operators: who they are, what an administrator may do to the account of another, and the own password.
//!
//! Signing in is in `sign_in`, the second factor in `factor`. Invariant: there is always an administrator.

mod factor;
mod sign_in;
mod waiting;

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role, SUPPORT_NAME, check_password, parse_name};
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::Tx;
use crate::store::operators::{self, MOST_OPERATORS, StoredOperator, TokenHash};
use crate::store::settings::{self, Setting};

use super::trail::note;
use super::{Error, blocking};

pub use factor::{
    FactorState, RECOVERY_CODES, RecoveryCodes, end_factor, enrol, factor_state,
    new_recovery_codes, reset_factor,
};
pub use sign_in::{
    BY_ACCOUNT, BY_ADDRESS, BY_CODE, CurrentLogin, Entry, Pace, SignedIn, Throttle, all_logins,
    confirm, current, let_in, logins, owes_code, revoke, sign_in, sign_out,
};

/// Checks the present password of whoever is signed in, before something that a stolen browser must not do.
/// Errors: `Field` (`present`), `Throttled`.
async fn present(
    app: &App,
    throttle: &Throttle,
    current: &CurrentLogin,
    actor: &Actor,
    password: Secret<String>,
) -> Result<(), Error> {
    if !throttle.admit(actor.address(), &current.operator.name) {
        return Err(Error::Throttled);
    }
    let stored = operators::get(&app.store.view()?, current.operator.id)?
        .ok_or(Error::Missing("operator"))?;
    match throttle
        .verify(password, Some(stored.password_hash))
        .await?
    {
        true => Ok(()),
        false => Err(Error::field("present", "This is not your present password")),
    }
}

/// Changes the own password and signs all other browsers out. Errors: `Field` for a wrong or weak password.
pub async fn change_password(
    app: &App,
    throttle: &Throttle,
    current: &CurrentLogin,
    actor: &Actor,
    old: Secret<String>,
    new: Secret<String>,
) -> Result<(), Error> {
    check_password(new.expose()).map_err(|problem| Error::Field {
        field: "password",
        problem,
    })?;
    present(app, throttle, current, actor, old).await?;
    let id = current.operator.id;
    set_password(app, actor, id, new, Some(current.token_hash)).await
}

/// Sets a password and signs out all browsers of the operator but `kept`.
async fn set_password(
    app: &App,
    actor: &Actor,
    id: OperatorId,
    password: Secret<String>,
    kept: Option<TokenHash>,
) -> Result<(), Error> {
    check_password(password.expose()).map_err(|problem| Error::Field {
        field: "password",
        problem,
    })?;
    let hash = blocking(move || crypto::hash_password(password.expose())).await??;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("set password", move |tx| {
            let mut stored = person(tx, id)?;
            stored.password_hash.clone_from(&hash);
            operators::put(tx, &stored)?;
            operators::sign_out(tx, id, kept)?;
            let mut difference = Difference::default();
            difference.secret("password", true);
            let what = "password changed";
            note(tx, &actor, what, &stored.operator, difference, now)
        })
        .await
}

/// An operator who is to be added: name and password are possible, the hash is made.
pub(super) struct Candidate {
    name: String,
    role: Role,
    password_hash: String,
}

/// Errors: `Field` for a bad name or a weak password.
pub(super) async fn candidate(
    name: &str,
    role: Role,
    password: Secret<String>,
) -> Result<Candidate, Error> {
    let field = |field| move |problem| Error::Field { field, problem };
    let name = parse_name(name).map_err(field("name"))?;
    if fold_case(&name) == SUPPORT_NAME {
        return Err(Error::field("name", "This name is kept for remote support"));
    }
    check_password(password.expose()).map_err(field("password"))?;
    let password_hash = blocking(move || crypto::hash_password(password.expose())).await??;
    Ok(Candidate {
        name,
        role,
        password_hash,
    })
}

/// Adds the candidate in this transaction. Errors: `Field` for a name that is taken.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    actor: &Actor,
    now: Timestamp,
) -> Result<Operator, Error> {
    let all = operators::all(tx)?;
    let wanted = fold_case(&candidate.name);
    if all.iter().any(|o| fold_case(&o.operator.name) == wanted) {
        return Err(Error::field("name", "Another operator has this name"));
    }
    if all.len() >= MOST_OPERATORS {
        return Err(Error::Refused(format!(
            "There are {MOST_OPERATORS} operators already"
        )));
    }
    let operator = Operator {
        id: operators::next_id(tx)?,
        name: candidate.name.clone(),
        role: candidate.role,
        created_at: now,
    };
    let stored = StoredOperator {
        operator: operator.clone(),
        password_hash: candidate.password_hash.clone(),
        factor: None,
        support: None,
    };
    operators::put(tx, &stored)?;
    // Whoever can add an operator needs no setup link any more.
    settings::remove(tx, Setting::SetupToken)?;
    let mut difference = Difference::default();
    difference.field("role", "", operator.role.word());
    note(tx, actor, "added", &operator, difference, now)?;
    Ok(operator)
}

/// Adds an operator. Errors: `Field` for a bad or taken name or a weak password.
pub async fn add(
    app: &App,
    actor: &Actor,
    name: &str,
    role: Role,
    password: Secret<String>,
) -> Result<Operator, Error> {
    let candidate = candidate(name, role, password).await?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("add operator", move |tx| {
            insert(tx, &candidate, &actor, now)
        })
        .await
}

/// The operator with a name, for commands. Errors: `Missing`.
pub fn find(app: &App, name: &str) -> Result<Operator, Error> {
    let found = operators::named(&app.store.view()?, name)?;
    found
        .map(|stored| stored.operator)
        .ok_or(Error::Missing("operator"))
}

/// Gives another operator a new password. All its browsers are signed out. Errors: `Field` for a weak one, `Refused` for the own
/// account and that of remote support.
pub async fn reset_password(
    app: &App,
    actor: &Actor,
    id: OperatorId,
    password: Secret<String>,
) -> Result<(), Error> {
    other_than(actor, id)?;
    set_password(app, actor, id, password, None).await
}

/// Gives another operator another role, from its next page on. Errors: `Refused` for the own account, that of remote support,
/// and the last administrator.
pub async fn change_role(
    app: &App,
    actor: &Actor,
    id: OperatorId,
    role: Role,
) -> Result<(), Error> {
    other_than(actor, id)?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change role", move |tx| {
            let mut stored = person(tx, id)?;
            let old = stored.operator.role;
            if old == role {
                return Ok(());
            }
            keep_an_administrator(tx, &stored.operator)?;
            stored.operator.role = role;
            operators::put(tx, &stored)?;
            let mut difference = Difference::default();
            difference.field("role", old.word(), role.word());
            let what = "role changed";
            note(tx, &actor, what, &stored.operator, difference, now)
        })
        .await
}

/// Removes another operator with all its browsers. Errors as of [`change_role`].
pub async fn remove(app: &App, actor: &Actor, id: OperatorId) -> Result<(), Error> {
    other_than(actor, id)?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("remove operator", move |tx| {
            let operator = person(tx, id)?.operator;
            keep_an_administrator(tx, &operator)?;
            operators::remove(tx, id)?;
            let mut difference = Difference::default();
            difference.field("role", operator.role.word(), "");
            note(tx, &actor, "removed", &operator, difference, now)
        })
        .await
}

/// Signs all browsers of another operator out, and says how many.
pub async fn sign_out_all(app: &App, actor: &Actor, id: OperatorId) -> Result<usize, Error> {
    other_than(actor, id)?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("sign out operator", move |tx| {
            let stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
            let count = operators::sign_out(tx, id, None)?;
            let mut difference = Difference::default();
            difference.field("browsers", count, 0);
            let what = "signed out everywhere";
            note(tx, &actor, what, &stored.operator, difference, now)?;
            Ok(count)
        })
        .await
}

/// What an administrator does to others takes another way for the own account: with the present password.
fn other_than(actor: &Actor, id: OperatorId) -> Result<(), Error> {
    match actor {
        Actor::Operator { id: own, .. } if *own == id => Err(Error::Refused(
            "This is your own account. Use the menu behind your name, or ask another administrator"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// An operator that is no remote support. Errors: `Missing`, `Refused`.
fn person(tx: &Tx<'_>, id: OperatorId) -> Result<StoredOperator, Error> {
    let stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
    match stored.operator.role {
        Role::Support => Err(Error::Refused(
            "Remote support is switched on and off under Settings, Support".to_owned(),
        )),
        _ => Ok(stored),
    }
}

/// Errors: `Refused` when nobody but `leaves` is an administrator.
fn keep_an_administrator(tx: &Tx<'_>, leaves: &Operator) -> Result<(), Error> {
    let stays = operators::all(tx)?
        .iter()
        .any(|o| o.operator.id != leaves.id && o.operator.role == Role::Administrator);
    if stays || leaves.role != Role::Administrator {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{} is the last administrator. Make another one first",
        leaves.name
    )))
}

/// One line of the list of operators.
pub struct Listed {
    pub operator: Operator,
    pub has_factor: bool,
    /// Signed-in browsers, and when one of them was last used.
    pub browsers: usize,
    pub last_used: Option<Timestamp>,
}

/// All operators by name.
pub fn list(app: &App) -> Result<Vec<Listed>, Error> {
    let logins = all_logins(app)?;
    let mut all: Vec<Listed> = operators::all(&app.store.view()?)?
        .into_iter()
        .map(|stored| {
            let own = || {
                let id = stored.operator.id;
                logins.iter().filter(move |(_, login)| login.operator == id)
            };
            Listed {
                has_factor: stored.factor.is_some(),
                browsers: own().count(),
                last_used: own().map(|(_, login)| login.seen_at).max(),
                operator: stored.operator,
            }
        })
        .collect();
    all.sort_by_key(|listed| fold_case(&listed.operator.name));
    Ok(all)
}
