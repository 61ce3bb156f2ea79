//! First run: the one-time setup link, and the steps behind it.

mod progress;

pub use progress::{
    Progress, Step, StepState, counted_routers, dismiss, first_plan, first_router,
    first_subscriber, progress, skip,
};

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::operator::{Operator, Role};
use crate::store::Read;
use crate::store::operators as stored_operators;
use crate::store::settings::{self, Setting};

use super::trail::{note, part};
use super::{Error, operators};

/// Whether nobody can sign in yet.
pub fn is_needed(app: &App) -> Result<bool, Error> {
    Ok(stored_operators::all(&app.store.view()?)?.is_empty())
}

/// A new one-time token; an older one stops working. Errors: `Refused` once there is an operator.
pub async fn new_token(app: &App) -> Result<Secret<String>, Error> {
    let token = crypto::random_token()?;
    let hash = crypto::hex(&crypto::sha256(token.as_bytes()));
    app.store
        .write("setup link", move |tx| {
            if !stored_operators::all(tx)?.is_empty() {
                return Err(Error::Refused(
                    "The appliance is set up already. Add an operator with `proxpanel operator add`".to_owned(),
                ));
            }
            settings::put(tx, Setting::SetupToken, &hash)?;
            Ok(())
        })
        .await?;
    Ok(Secret::new(token))
}

/// Whether a token opens the setup page.
pub fn is_valid(app: &App, token: &str) -> Result<bool, Error> {
    opens(&app.store.view()?, token)
}

fn opens(read: &impl Read, token: &str) -> Result<bool, Error> {
    let Some(hash) = settings::get(read, Setting::SetupToken)? else {
        return Ok(false);
    };
    let given = crypto::hex(&crypto::sha256(token.as_bytes()));
    Ok(crypto::constant_time_eq(given.as_bytes(), hash.as_bytes()))
}

/// Makes the first operator and uses the token up. Errors: `Refused` for a token that is not valid (any more), `Field` for a bad
/// name or a weak password.
pub async fn complete(
    app: &App,
    token: &str,
    address: &str,
    name: &str,
    password: Secret<String>,
) -> Result<Operator, Error> {
    let candidate = operators::candidate(name, Role::Administrator, password).await?;
    let (now, address, token) = (app.now(), address.to_owned(), token.to_owned());
    app.store
        .write("first run", move |tx| {
            // Looked at again here, so that of two browsers with the same link one wins.
            if !opens(tx, &token)? {
                return Err(Error::Refused(
                    "This setup link was used already or replaced by a newer one".to_owned(),
                ));
            }
            let operator = operators::insert(tx, &candidate, &Actor::System("first run"), now)?;
            let actor = Actor::Operator {
                id: operator.id,
                name: operator.name.clone(),
                address: address.clone(),
            };
            let nothing = Difference::default();
            note(tx, &actor, "set up", &part("appliance"), nothing, now)?;
            Ok(operator)
        })
        .await
}
