//! First run: the one-time setup link, and what the first page asks.

use crate::app::{App, DAY_STARTS};
use crate::crypto::{self, Secret};
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::money::Currency;
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Calendar;
use crate::store::Read;
use crate::store::audit::{self, NewEntry};
use crate::store::operators as stored_operators;
use crate::store::settings::{self, Setting};

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

/// What the first page asks.
pub struct FirstRun {
    pub isp_name: String,
    pub time_zone: String,
    pub currency: Currency,
    pub operator_name: String,
    pub password: Secret<String>,
}

/// Makes the first operator and uses the token up. Errors: `Refused` for a token that is not valid (any more).
pub async fn complete(
    app: &App,
    token: &str,
    address: &str,
    first: FirstRun,
) -> Result<Operator, Error> {
    Calendar::new(&first.time_zone, DAY_STARTS).map_err(|problem| Error::Field {
        field: "time_zone",
        problem,
    })?;
    let candidate =
        operators::candidate(&first.operator_name, Role::Administrator, first.password).await?;
    let (now, address, token) = (app.now(), address.to_owned(), token.to_owned());
    let (name, zone, currency) = (first.isp_name, first.time_zone, first.currency);
    let operator = app
        .store
        .write("first run", move |tx| {
            // Looked at again here, so that of two browsers with the same link one wins.
            if !opens(tx, &token)? {
                return Err(Error::Refused(
                    "This setup link was used already or replaced by a newer one".to_owned(),
                ));
            }
            let operator = operators::insert(tx, &candidate, &Actor::System("first run"), now)?;
            settings::put(tx, Setting::IspName, &name)?;
            settings::put(tx, Setting::TimeZone, &zone)?;
            settings::put(tx, Setting::DayStarts, &DAY_STARTS.to_string())?;
            settings::put(tx, Setting::Currency, currency.as_str())?;
            let mut difference = Difference::default();
            difference
                .field("name", "", &name)
                .field("time zone", "", &zone)
                .field("currency", "", currency.as_str());
            let actor = Actor::Operator {
                id: operator.id,
                name: operator.name.clone(),
                address: address.clone(),
            };
            let entry = NewEntry {
                at: now,
                actor: &actor,
                action: "set up",
                object: Object::Settings,
                object_name: "appliance",
                changes: difference.into_changes(),
            };
            audit::add(tx, entry)?;
            Ok(operator)
        })
        .await?;
    app.accounting.set_calendar(app.settings().calendar.clone());
    Ok(operator)
}
