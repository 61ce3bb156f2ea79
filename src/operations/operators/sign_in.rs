//! Signing in and out: password, then the code of a second factor, then a browser with a token.
//!
//! Not here: what a code is checked against (`factor`). Invariants: nothing says whether a name exists, no code is asked before
//! the password was right, and only hashes of tokens are kept.

use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::Semaphore;

use super::factor;
use super::waiting::Waiting;
use crate::app::{App, SignIn};
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::domain::text::fold_case;
use crate::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::operations::trail::note;
use crate::operations::{Error, blocking, support};
use crate::store::operators::{self, MOST_LOGINS, StoredLogin, StoredOperator, TokenHash};
use crate::store::{StoreError, Tx};

/// How exact "last seen" is: a write for every page would be wasteful.
const SEEN_STEP: i64 = 5 * MINUTE;
/// Password checks at once: each takes 7 MB and 13 ms of a core.
const CHECKS_AT_ONCE: usize = 2;
/// The maps of attempts are tidied when they hold more names than this.
const MOST_REMEMBERED: usize = 10_000;

/// Attempts at once, then one every so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub burst: u32,
    pub every_seconds: u64,
}

/// Names and passwords from one address.
pub const BY_ADDRESS: Pace = Pace {
    burst: 10,
    every_seconds: 6,
};
/// Passwords for one name.
pub const BY_ACCOUNT: Pace = Pace {
    burst: 5,
    every_seconds: 12,
};
/// Codes for one name. Three of a million fit at any time, so a day of trying has one chance in two hundred.
pub const BY_CODE: Pace = Pace {
    burst: 5,
    every_seconds: 60,
};

/// Limits how fast passwords and codes can be tried, and remembers who owes a code.
pub struct Throttle {
    by_address: Limiter,
    by_account: Limiter,
    by_code: Limiter,
    checks: Semaphore,
    waiting: Waiting,
}

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock>;

fn limiter(pace: Pace) -> Limiter {
    let burst = NonZeroU32::new(pace.burst).unwrap_or(NonZeroU32::MIN);
    let period = std::time::Duration::from_secs(pace.every_seconds.max(1));
    let quota = Quota::with_period(period)
        .unwrap_or(Quota::per_minute(NonZeroU32::MIN))
        .allow_burst(burst);
    RateLimiter::keyed(quota)
}

impl Default for Throttle {
    fn default() -> Self {
        Throttle {
            by_address: limiter(BY_ADDRESS),
            by_account: limiter(BY_ACCOUNT),
            by_code: limiter(BY_CODE),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            waiting: Waiting::default(),
        }
    }
}

impl Throttle {
    /// Counts an attempt. False when there were too many.
    pub(super) fn admit(&self, address: &str, account: &str) -> bool {
        // Both are counted, so that neither hides the other.
        let address_ok = self.by_address.check_key(&address.to_owned()).is_ok();
        let account_ok = self.by_account.check_key(&fold_case(account)).is_ok();
        self.forget();
        address_ok && account_ok
    }

    /// The same for a code.
    pub(super) fn admit_code(&self, address: &str, account: &str) -> bool {
        let address_ok = self.by_address.check_key(&address.to_owned()).is_ok();
        let code_ok = self.by_code.check_key(&fold_case(account)).is_ok();
        self.forget();
        address_ok && code_ok
    }

    /// The maps of attempts forget what has recovered, so that strangers cannot grow them without end.
    fn forget(&self) {
        for limiter in [&self.by_address, &self.by_account, &self.by_code] {
            if limiter.len() > MOST_REMEMBERED {
                limiter.retain_recent();
            }
        }
    }

    /// Checks a password, a few at a time; against nobody's where there is none, so that the time tells nothing.
    pub(super) async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let permit = self
            .checks
            .acquire()
            .await
            .map_err(|_| Error::Interrupted)?;
        let is_right = blocking(move || match hash {
            Some(hash) => crypto::verify_password(password.expose(), &hash),
            None => crypto::verify_nobody(password.expose()),
        })
        .await?;
        drop(permit);
        Ok(is_right)
    }
}

/// A browser that was let in: what goes into its cookie.
pub struct SignedIn {
    pub token: Secret<String>,
    pub operator: Operator,
}

/// How far the right password leads.
pub enum Entry {
    In(SignedIn),
    /// A code is wanted next. The token names this browser for some minutes, for [`confirm`].
    Code(Secret<String>),
}

/// Who uses a page.
#[derive(Clone)]
pub struct CurrentLogin {
    pub operator: Operator,
    pub token_hash: TokenHash,
    pub login: StoredLogin,
    pub has_factor: bool,
    /// The operator must set up a second factor before anything else.
    pub must_enrol: bool,
}

/// Checks name and password; for the account of remote support, its one-time code. Errors: `Refused` with the same words
/// whether the name or the password is wrong, `Throttled`.
pub async fn sign_in(
    app: &App,
    throttle: &Throttle,
    name: &str,
    password: Secret<String>,
    address: String,
    user_agent: String,
) -> Result<Entry, Error> {
    if !throttle.admit(&address, name) {
        tracing::warn!(address, "too many attempts to sign in");
        return Err(Error::Throttled);
    }
    let found = operators::named(&app.store.view()?, name)?;
    let hash = found
        .as_ref()
        .filter(|stored| stored.support.is_none())
        .map(|stored| stored.password_hash.clone());
    let is_right = throttle.verify(password.clone(), hash).await?;
    let refused = || {
        tracing::warn!(address, "a sign-in was refused");
        Error::Refused("Wrong name or password".to_owned())
    };
    let stored = found.ok_or_else(refused)?;
    let id = stored.operator.id;
    if stored.support.is_some() {
        if !support::redeem(app, id, &password).await? {
            return Err(refused());
        }
    } else if !is_right {
        return Err(refused());
    }
    if stored.factor.is_some() {
        let token = throttle
            .waiting
            .begin(id, &stored.password_hash, app.now())?;
        return Ok(Entry::Code(token));
    }
    let signed_in = let_in(app, stored.operator, address, user_agent).await?;
    Ok(Entry::In(signed_in))
}

/// Whether a browser with this token is to type a code.
pub fn owes_code(app: &App, throttle: &Throttle, token: &str) -> bool {
    throttle.waiting.find(token, app.now()).is_some()
}

/// Checks the code that [`sign_in`] asked for: of the phone, or a recovery code. Errors: `Missing` when the browser has to begin
/// anew, after some minutes or too many wrong codes; `Refused` for a wrong one, `Throttled`.
pub async fn confirm(
    app: &App,
    throttle: &Throttle,
    token: &str,
    code: &str,
    address: String,
    user_agent: String,
) -> Result<SignedIn, Error> {
    let begin_anew = || Error::Missing("sign-in");
    let now = app.now();
    let waits = throttle.waiting.find(token, now).ok_or_else(begin_anew)?;
    let stored = operators::get(&app.store.view()?, waits.operator)?
        .filter(|stored| stored.password_hash == waits.password_hash)
        .ok_or_else(begin_anew)?;
    if !throttle.admit_code(&address, &stored.operator.name) {
        tracing::warn!(address, "too many codes were tried");
        return Err(Error::Throttled);
    }
    // Counted before it is checked, so that tries at the same time count too.
    if !throttle.waiting.count_try(token) {
        return Err(begin_anew());
    }
    factor::redeem(app, &stored.operator, code, &address)
        .await
        .inspect_err(|_| tracing::warn!(address, "a code was refused"))?;
    throttle.waiting.end(token);
    let_in(app, stored.operator, address, user_agent).await
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
    let (who, limits) = (operator.clone(), app.settings().sign_in);
    app.store
        .write("sign in", move |tx| {
            purge(tx, limits, now)?;
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
    let limits = app.settings().sign_in;
    let view = app.store.view()?;
    let Some(login) = operators::login(&view, &token_hash)? else {
        return Ok(None);
    };
    if is_over(&login, limits, now) {
        return Ok(None);
    }
    let Some(stored) = operators::get(&view, login.operator)?.filter(|who| may_enter(who, now))
    else {
        return Ok(None);
    };
    drop(view);
    if now.since(login.seen_at) >= SEEN_STEP {
        seen(app, token_hash, now);
    }
    let has_factor = stored.factor.is_some();
    let is_administrator = stored.operator.role == Role::Administrator;
    Ok(Some(CurrentLogin {
        must_enrol: limits.needs_factor && is_administrator && !has_factor,
        has_factor,
        operator: stored.operator,
        token_hash,
        login,
    }))
}

/// Remote support ends at its time whether or not somebody has cleared it away.
fn may_enter(stored: &StoredOperator, now: Timestamp) -> bool {
    match (stored.operator.role, stored.support) {
        (Role::Support, term) => term.is_some_and(|term| now < term.until),
        (_, term) => term.is_none(),
    }
}

fn is_over(login: &StoredLogin, limits: SignIn, now: Timestamp) -> bool {
    now.since(login.seen_at) > i64::from(limits.idle_hours) * HOUR
        || now.since(login.created_at) > i64::from(limits.longest_days) * DAY
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

/// Every signed-in browser, the last used first.
pub fn all_logins(app: &App) -> Result<Vec<(TokenHash, StoredLogin)>, Error> {
    let (limits, now) = (app.settings().sign_in, app.now());
    let mut logins = operators::logins(&app.store.view()?)?;
    logins.retain(|(_, login)| !is_over(login, limits, now));
    logins.sort_by_key(|(_, login)| std::cmp::Reverse(login.seen_at));
    Ok(logins)
}

/// The signed-in browsers of one operator, the last used first.
pub fn logins(app: &App, operator: OperatorId) -> Result<Vec<(TokenHash, StoredLogin)>, Error> {
    let mut logins = all_logins(app)?;
    logins.retain(|(_, login)| login.operator == operator);
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

/// Removes browsers that are signed out by time, and the oldest beyond the bound.
fn purge(tx: &mut Tx<'_>, limits: SignIn, now: Timestamp) -> Result<(), StoreError> {
    let mut logins = operators::logins(tx)?;
    logins.sort_by_key(|(_, login)| login.seen_at);
    let surplus = (logins.len() + 1).saturating_sub(MOST_LOGINS);
    for (index, (token, login)) in logins.into_iter().enumerate() {
        if index < surplus || is_over(&login, limits, now) {
            operators::remove_login(tx, &token)?;
        }
    }
    Ok(())
}
