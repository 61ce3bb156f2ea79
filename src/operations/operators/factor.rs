//! The second factor of an operator: the codes of a phone, and ten recovery codes for when it is lost.
//!
//! Invariants: no code works twice, also not for two who send it at once; the secret is sealed; of recovery codes only digests
//! are kept.

use super::sign_in::{CurrentLogin, Throttle};
use super::{other_than, present};
use crate::app::App;
use crate::crypto::totp::FactorSecret;
use crate::crypto::{self, CryptoError, Sealer, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::trail::note;
use crate::store::Tx;
use crate::store::operators::{self, StoredFactor, factor_context};

/// Recovery codes made at a time.
pub const RECOVERY_CODES: usize = 10;
/// Groups of five signs in a recovery code: 75 bits.
const RECOVERY_GROUPS: usize = 3;

/// What a page says about the second factor of an operator.
pub struct FactorState {
    pub since: Timestamp,
    /// Recovery codes that were not used yet.
    pub recovery_left: usize,
}

/// The codes that are shown once.
pub struct RecoveryCodes(pub Vec<Secret<String>>);

/// `None` while the password alone lets in. Errors: `Missing`.
pub fn factor_state(app: &App, id: OperatorId) -> Result<Option<FactorState>, Error> {
    let stored = operators::get(&app.store.view()?, id)?.ok_or(Error::Missing("operator"))?;
    Ok(stored.factor.map(|factor| FactorState {
        since: factor.since,
        recovery_left: factor.recovery.len(),
    }))
}

/// Switches the second factor on once the phone has shown that it knows `secret`; other browsers are signed out.
/// Errors: `Field` for a wrong password (`present`) or code (`code`), `Refused` when it is on already or the account cannot
/// have one.
pub async fn enrol(
    app: &App,
    throttle: &Throttle,
    current: &CurrentLogin,
    actor: &Actor,
    password: Secret<String>,
    secret: &FactorSecret,
    code: &str,
) -> Result<RecoveryCodes, Error> {
    if current.operator.role == Role::Support {
        return Err(Error::Refused(
            "Remote support signs in with its one-time code only".to_owned(),
        ));
    }
    present(app, throttle, current, actor, password).await?;
    let now = app.now();
    let step = secret.step_of(code, now.seconds()).ok_or_else(wrong_code)?;
    let (codes, recovery) = recovery_codes()?;
    let id = current.operator.id;
    let context = factor_context(id);
    let sealed_secret = app
        .store
        .sealer()
        .seal(context.as_bytes(), secret.octets())?;
    let factor = StoredFactor {
        sealed_secret,
        last_step: step,
        recovery,
        since: now,
    };
    let (actor, kept) = (actor.clone(), current.token_hash);
    app.store
        .write("second factor on", move |tx| {
            let mut stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
            if stored.factor.is_some() {
                return Err(Error::Refused(
                    "Your second factor is on already".to_owned(),
                ));
            }
            stored.factor = Some(factor.clone());
            operators::put(tx, &stored)?;
            operators::sign_out(tx, id, Some(kept))?;
            switched(tx, &actor, &stored.operator, ("off", "on"), now)
        })
        .await?;
    Ok(RecoveryCodes(codes))
}

/// Makes new recovery codes; the old ones stop working. Errors: `Field` for a wrong password, `Refused` without a second factor.
pub async fn new_recovery_codes(
    app: &App,
    throttle: &Throttle,
    current: &CurrentLogin,
    actor: &Actor,
    password: Secret<String>,
) -> Result<RecoveryCodes, Error> {
    present(app, throttle, current, actor, password).await?;
    let (codes, recovery) = recovery_codes()?;
    let (id, actor, now) = (current.operator.id, actor.clone(), app.now());
    app.store
        .write("recovery codes", move |tx| {
            let mut stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
            let factor = stored.factor.as_mut().ok_or_else(is_off)?;
            factor.recovery.clone_from(&recovery);
            operators::put(tx, &stored)?;
            let mut difference = Difference::default();
            difference.secret("recovery codes", true);
            let what = "recovery codes replaced";
            note(tx, &actor, what, &stored.operator, difference, now)
        })
        .await?;
    Ok(RecoveryCodes(codes))
}

/// Switches the own second factor off. Errors: `Field` for a wrong password, `Refused` where administrators need one.
pub async fn end_factor(
    app: &App,
    throttle: &Throttle,
    current: &CurrentLogin,
    actor: &Actor,
    password: Secret<String>,
) -> Result<(), Error> {
    if app.settings().sign_in.needs_factor && current.operator.role == Role::Administrator {
        return Err(Error::Refused(
            "Administrators need a second factor. That is set under Settings, Security".to_owned(),
        ));
    }
    present(app, throttle, current, actor, password).await?;
    remove(app, actor, current.operator.id, false).await
}

/// Takes the second factor of another operator away, whose phone is lost, and signs all its browsers out. Errors: `Refused`
/// for the own account, or where there is none.
pub async fn reset_factor(app: &App, actor: &Actor, id: OperatorId) -> Result<(), Error> {
    other_than(actor, id)?;
    remove(app, actor, id, true).await
}

async fn remove(app: &App, actor: &Actor, id: OperatorId, signs_out: bool) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("second factor off", move |tx| {
            let mut stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
            stored.factor.take().ok_or_else(is_off)?;
            operators::put(tx, &stored)?;
            if signs_out {
                operators::sign_out(tx, id, None)?;
            }
            switched(tx, &actor, &stored.operator, ("on", "off"), now)
        })
        .await
}

/// Uses a code up: of the phone, or a recovery code. Errors: `Refused`. An operator whose second factor was taken away
/// meanwhile needs none.
pub(super) async fn redeem(
    app: &App,
    operator: &Operator,
    code: &str,
    address: &str,
) -> Result<(), Error> {
    let (sealer, now) = (app.store.sealer().clone(), app.now());
    let (id, code) = (operator.id, code.to_owned());
    let actor = Actor::Operator {
        id,
        name: operator.name.clone(),
        address: address.to_owned(),
    };
    let hash = crypto::code_hash(&code);
    app.store
        .write("second factor", move |tx| {
            let mut stored = operators::get(tx, id)?.ok_or(Error::Missing("operator"))?;
            let Some(factor) = stored.factor.as_mut() else {
                return Ok(());
            };
            let step = unseal(&sealer, id, factor)?.step_of(&code, now.seconds());
            if let Some(step) = step.filter(|step| *step > factor.last_step) {
                factor.last_step = step;
                return Ok(operators::put(tx, &stored)?);
            }
            let known = |left: &[u8; 32]| crypto::constant_time_eq(left, &hash);
            let Some(position) = factor.recovery.iter().position(known) else {
                let text = match step {
                    Some(_) => "This code was used already. Wait for the next one",
                    None => "Wrong code",
                };
                return Err(Error::Refused(text.to_owned()));
            };
            let before = factor.recovery.len();
            factor.recovery.remove(position);
            let mut difference = Difference::default();
            difference.field("recovery codes left", before, before.saturating_sub(1));
            operators::put(tx, &stored)?;
            let what = "recovery code used";
            note(tx, &actor, what, &stored.operator, difference, now)
        })
        .await
}

fn unseal(
    sealer: &Sealer,
    id: OperatorId,
    factor: &StoredFactor,
) -> Result<FactorSecret, CryptoError> {
    let plain = sealer.unseal(factor_context(id).as_bytes(), &factor.sealed_secret)?;
    FactorSecret::from_octets(plain.expose()).ok_or(CryptoError::Unseal)
}

/// Codes for the owner, and the hashes that are kept of them.
type Recovery = (Vec<Secret<String>>, Vec<[u8; 32]>);

fn recovery_codes() -> Result<Recovery, Error> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    let mut hashes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = crypto::readable_code(RECOVERY_GROUPS)?;
        hashes.push(crypto::code_hash(code.expose()));
        codes.push(code);
    }
    Ok((codes, hashes))
}

fn switched(
    tx: &mut Tx<'_>,
    actor: &Actor,
    operator: &Operator,
    (old, new): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let mut difference = Difference::default();
    difference.field("second factor", old, new);
    note(
        tx,
        actor,
        "second factor changed",
        operator,
        difference,
        now,
    )
}

fn wrong_code() -> Error {
    Error::field(
        "code",
        "Not the code that the phone shows now. Is the clock of the phone right?",
    )
}

fn is_off() -> Error {
    Error::Refused("There is no second factor to change".to_owned())
}
