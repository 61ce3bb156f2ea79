//! Operators: sign in and out, add, change passwords, see and revoke signed-in browsers.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role, check_password, parse_name};
use crate::domain::text::fold_case;
use crate::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::store::operators::{
    self, MOST_LOGINS, MOST_OPERATORS, StoredLogin, StoredOperator, TokenHash,
};
use crate::store::settings::{self, Setting};
use crate::store::{StoreError, Tx};

use super::trail::note;
use super::{Error, blocking};

/// A browser that was not used for so long must sign in again.
const IDLE: i64 = 12 * HOUR;
/// Even a busy one must after so long.
const OLDEST: i64 = 30 * DAY;
/// How exact "last seen" is: a write for every page would be wasteful.
const SEEN_STEP: i64 = 5 * MINUTE;
/// Password checks at once: each takes 7 MB and 13 ms of a core.
const CHECKS_AT_ONCE: usize = 2;

/// Limits how fast passwords can be tried.
pub struct Throttle {
    by_address: Limiter,
    by_account: Limiter,
    checks: Semaphore,
}

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock>;

/// Attempts at once, then one every so many seconds.
fn limiter(burst: u32, every_seconds: u64) -> Limiter {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let period = std::time::Duration::from_secs(every_seconds.max(1));
    let quota = Quota::with_period(period)
        .unwrap_or(Quota::per_minute(NonZeroU32::MIN))
        .allow_burst(burst);
    RateLimiter::keyed(quota)
}

impl Default for Throttle {
    fn default() -> Self {
        Throttle {
            by_address: limiter(10, 6),
            by_account: limiter(5, 12),
            checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }
}

impl Throttle {
    /// Counts an attempt. False when there were too many.
    fn admit(&self, address: &str, account: &str) -> bool {
        // Both are counted, so that neither hides the other.
        let address_ok = self.by_address.check_key(&address.to_owned()).is_ok();
        let account_ok = self.by_account.check_key(&fold_case(account)).is_ok();
        // The maps of attempts forget what has recovered, so that strangers cannot grow them without end.
        if self.by_address.len() > MOST_REMEMBERED || self.by_account.len() > MOST_REMEMBERED {
            self.by_address.retain_recent();
            self.by_account.retain_recent();
        }
        address_ok && account_ok
    }
}

const MOST_REMEMBERED: usize = 10_000;

/// A browser that was let in: what goes into its cookie.
pub struct SignedIn {
    pub token: Secret<String>,
    pub operator: Operator,
}

/// Who uses a page.
#[derive(Clone)]
pub struct CurrentLogin {
    pub operator: Operator,
    pub token_hash: TokenHash,
    pub login: StoredLogin,
}

/// Checks name and password. Errors: `Refused` with the same words whether the name or the password
/// is wrong, `Throttled`.
pub async fn sign_in(
    app: &App,
    throttle: &Throttle,
    name: &str,
    password: Secret<String>,
    address: String,
    user_agent: String,
) -> Result<SignedIn, Error> {
    if !throttle.admit(&address, name) {
        tracing::warn!(address, "too many attempts to sign in");
        return Err(Error::Throttled);
    }
    let found = operators::named(&app.store.view()?, name)?;
    let permit = throttle
        .checks
        .acquire()
        .await
        .map_err(|_| Error::Interrupted)?;
    let hash = found.as_ref().map(|o| o.password_hash.clone());
    let is_right = blocking(move || match hash {
        Some(hash) => crypto::verify_password(password.expose(), &hash),
        None => crypto::verify_nobody(password.expose()),
    })
    .await?;
    drop(permit);
    match found {
        Some(stored) if is_right => let_in(app, stored.operator, address, user_agent).await,
        _ => {
            tracing::warn!(address, "a sign-in was refused");
            Err(Error::Refused("Wrong name or password".to_owned()))
        }
    }
}

/// Gives a browser a token, of which the store keeps only the hash.
pub async fn let_in(
    app: &App,
    operator: Operator,
    address: String,
    user_agent: String,
) -> Result<SignedIn, Error> {
    let (token, csrf, now) = (crypto::random_token()?, crypto::random_token()?, app.now());
    let hash = crypto::sha256(token.as_bytes());
    let login = StoredLogin {
        operator: operator.id,
        created_at: now,
        seen_at: now,
        address: address.clone(),
        user_agent: user_agent.chars().take(200).collect(),
        csrf,
    };
    let actor = Actor::Operator {
        id: operator.id,
        name: operator.name.clone(),
        address,
    };
    let who = operator.clone();
    app.store
        .write("sign in", move |tx| {
            purge(tx, now)?;
            operators::put_login(tx, &hash, &login)?;
            note(tx, &actor, "signed in", &who, Difference::default(), now)
        })
        .await?;
    Ok(SignedIn {
        token: Secret::new(token),
        operator,
    })
}

/// The operator behind a cookie, or `None` if the browser must sign in.
pub async fn current(app: &App, token: &str) -> Result<Option<CurrentLogin>, Error> {
    let (token_hash, now) = (crypto::sha256(token.as_bytes()), app.now());
    let view = app.store.view()?;
    let Some(login) = operators::login(&view, &token_hash)? else {
        return Ok(None);
    };
    if is_over(&login, now) {
        return Ok(None);
    }
    let Some(stored) = operators::get(&view, login.operator)? else {
        return Ok(None);
    };
    drop(view);
    if now.since(login.seen_at) >= SEEN_STEP {
        seen(app, token_hash, now);
    }
    Ok(Some(CurrentLogin {
        operator: stored.operator,
        token_hash,
        login,
    }))
}

fn is_over(login: &StoredLogin, now: Timestamp) -> bool {
    now.since(login.seen_at) > IDLE || now.since(login.created_at) > OLDEST
}

/// Notes that a browser is in use, behind its back: a full disk must not keep operators out.
fn seen(app: &App, token_hash: TokenHash, now: Timestamp) {
    let ticket = app
        .store
        .write("browser seen", move |tx| -> Result<(), StoreError> {
            if let Some(mut login) = operators::login(tx, &token_hash)? {
                login.seen_at = now;
                operators::put_login(tx, &token_hash, &login)?;
            }
            Ok(())
        });
    drop(ticket);
}

pub async fn sign_out(app: &App, token_hash: TokenHash) -> Result<(), Error> {
    app.store
        .write("sign out", move |tx| {
            operators::remove_login(tx, &token_hash).map(drop)
        })
        .await
        .map_err(|error: StoreError| Error::Store(error))
}

/// The signed-in browsers of one operator, the newest first.
pub fn logins(app: &App, operator: OperatorId) -> Result<Vec<(TokenHash, StoredLogin)>, Error> {
    let now = app.now();
    let mut logins = operators::logins(&app.store.view()?)?;
    logins.retain(|(_, login)| login.operator == operator && !is_over(login, now));
    logins.sort_by_key(|(_, login)| std::cmp::Reverse(login.seen_at));
    Ok(logins)
}

/// Signs a browser of the operator out.
pub async fn revoke(
    app: &App,
    actor: &Actor,
    operator: Operator,
    token_hash: TokenHash,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("revoke browser", move |tx| {
            let login = operators::login(tx, &token_hash)?.filter(|l| l.operator == operator.id);
            if login.is_none() {
                return Err(Error::Missing("browser"));
            }
            operators::remove_login(tx, &token_hash)?;
            note(
                tx,
                &actor,
                "browser signed out",
                &operator,
                Difference::default(),
                now,
            )
        })
        .await
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
    if !throttle.admit(actor.address(), &current.operator.name) {
        return Err(Error::Throttled);
    }
    let stored = operators::get(&app.store.view()?, current.operator.id)?
        .ok_or(Error::Missing("operator"))?;
    let permit = throttle
        .checks
        .acquire()
        .await
        .map_err(|_| Error::Interrupted)?;
    let hash = stored.password_hash.clone();
    let checked = blocking(move || {
        crypto::verify_password(old.expose(), &hash).then(|| crypto::hash_password(new.expose()))
    })
    .await?;
    drop(permit);
    let Some(password_hash) = checked.transpose()? else {
        return Err(Error::field("present", "This is not your present password"));
    };
    set_password(
        app,
        actor,
        stored.operator,
        password_hash,
        Some(current.token_hash),
    )
    .await
}

/// Sets a new hash and signs out all browsers of the operator but `kept`.
async fn set_password(
    app: &App,
    actor: &Actor,
    operator: Operator,
    password_hash: String,
    kept: Option<TokenHash>,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("set password", move |tx| {
            let stored = StoredOperator {
                operator: operator.clone(),
                password_hash: password_hash.clone(),
            };
            operators::put(tx, &stored)?;
            for (token, login) in operators::logins(tx)? {
                if login.operator == operator.id && Some(token) != kept {
                    operators::remove_login(tx, &token)?;
                }
            }
            let mut difference = Difference::default();
            difference.secret("password", true);
            note(tx, &actor, "password changed", &operator, difference, now)
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
    let password_hash = candidate.password_hash.clone();
    operators::put(
        tx,
        &StoredOperator {
            operator: operator.clone(),
            password_hash,
        },
    )?;
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

/// Gives an operator a new password, from the command line. All browsers are signed out.
pub async fn reset_password(
    app: &App,
    actor: &Actor,
    name: &str,
    password: Secret<String>,
) -> Result<(), Error> {
    check_password(password.expose()).map_err(|problem| Error::Field {
        field: "password",
        problem,
    })?;
    let stored = operators::named(&app.store.view()?, name)?.ok_or(Error::Missing("operator"))?;
    let hash = blocking(move || crypto::hash_password(password.expose())).await??;
    set_password(app, actor, stored.operator, hash, None).await
}

/// All operators by name.
pub fn list(app: &App) -> Result<Vec<Operator>, Error> {
    let mut all: Vec<Operator> = operators::all(&app.store.view()?)?
        .into_iter()
        .map(|o| o.operator)
        .collect();
    all.sort_by_key(|o| fold_case(&o.name));
    Ok(all)
}

/// Removes browsers that are signed out by time, and the oldest beyond the bound.
fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut logins = operators::logins(tx)?;
    logins.sort_by_key(|(_, login)| login.seen_at);
    let surplus = (logins.len() + 1).saturating_sub(MOST_LOGINS);
    for (index, (token, login)) in logins.into_iter().enumerate() {
        if index < surplus || is_over(&login, now) {
            operators::remove_login(tx, &token)?;
        }
    }
    Ok(())
}

/// Shared by all pages.
pub type SharedThrottle = Arc<Throttle>;
