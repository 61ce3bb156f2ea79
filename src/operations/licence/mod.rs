//! The licence of this machine: asked for, activated, kept fresh, given up; and what it limits.
//!
//! Without a vendor in the configuration nothing here does anything. Invariants: only what the vendor signed changes what the
//! licence says; a vendor that does not answer takes nothing away at once; RADIUS never comes here.

mod ask;
mod words;

use crate::app::App;
use crate::config::Vendor;
use crate::crypto::{CryptoError, Sealer};
use crate::domain::audit::{Actor, Difference};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::http_client::HttpError;
use crate::licence::wire::{Register, Registered, kind};
use crate::licence::{Hardware, Licence, LicenceKey, Standing, Verdict};
use crate::store::licence::{self as rows, KEY_CONTEXT, LicenceRow};
use crate::store::{Read, Tx, subscribers};

use super::Error;
use super::trail::{self, part};
use ask::{Endpoint, Heard, Silence};

pub use ask::client;
pub use words::{Words, clock_words, lines, words};

/// This program, as the vendor sees it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Characters of a company and of an address.
const LONGEST_NAME: usize = 100;

/// What a page or a terminal shows. No Debug: it holds the end of a key.
pub struct Status {
    /// Where the vendor answers; empty without one.
    pub vendor_url: String,
    pub standing: Standing,
    pub hardware: Hardware,
    /// The last letters of the licence key; empty before activation.
    pub key_hint: String,
    pub last_good: Option<Timestamp>,
    pub last_tried: Option<Timestamp>,
    /// What went wrong when the vendor was last asked; empty when nothing did.
    pub problem: String,
    pub subscribers: u64,
}

impl Status {
    pub fn is_activated(&self) -> bool {
        !self.key_hint.is_empty()
    }
}

/// What a heartbeat came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    NoVendor,
    NotActivated,
    /// The vendor says that all is well.
    Good,
    /// The vendor says otherwise, in words.
    Bad(String),
    /// No answer, or none that can be believed.
    Silent(String),
}

pub fn status(app: &App) -> Result<Status, Error> {
    let held = app.held_licence();
    let row = held.row.clone().unwrap_or_default();
    let time = |milliseconds| Some(Timestamp(milliseconds)).filter(|at| at.0 > 0);
    let key = opened_key(app.store.sealer(), &row)?;
    Ok(Status {
        vendor_url: vendor(app).map_or_else(|_| String::new(), |vendor| vendor.url.clone()),
        standing: app.licence(),
        hardware: app.machine.hardware().clone(),
        key_hint: key.map_or_else(String::new, |key| key.hint().to_owned()),
        last_good: time(row.last_good),
        last_tried: time(row.last_tried),
        problem: row.problem,
        subscribers: subscribers::count(&app.store.view()?)?,
    })
}

/// The vendor of this installation. Errors: `Refused` without one.
pub fn vendor(app: &App) -> Result<&Vendor, Error> {
    let none = "No vendor is configured, so there is no licence and nothing is limited. A vendor tells its customers what to \
                write into [licence] of the configuration";
    let vendor = app.config.licence.vendor.as_ref();
    vendor.ok_or_else(|| Error::Refused(none.to_owned()))
}

/// The licence key, for those who ask the vendor for something else, such as an update. `None` before activation.
pub fn key(app: &App) -> Result<Option<LicenceKey>, Error> {
    match &app.held_licence().row {
        Some(row) => opened_key(app.store.sealer(), row),
        None => Ok(None),
    }
}

/// Asks the vendor for a licence of its own accord, which is usually a trial, and activates it.
///
/// Errors: `Field` for a name or an address that cannot be, `Refused` with the vendor's words.
pub async fn register(app: &App, actor: &Actor, company: &str, email: &str) -> Result<(), Error> {
    let vendor = vendor(app)?;
    let company = line("company", company)?;
    let email = line("email", email)?;
    if !email.contains('@') {
        return Err(Error::field("email", "An address such as noc@isp.example"));
    }
    let asked = Register {
        company,
        email,
        hardware: hardware(app)?.to_text(),
        version: VERSION.to_owned(),
    };
    let registered: Result<Registered, HttpError> =
        ask::post(vendor, "license/register", &asked).await;
    let registered = registered.map_err(|error| Error::Refused(error.to_string()))?;
    activate(app, actor, &registered.key).await
}

/// Binds a licence to this machine. Asking again with the same key does no harm.
///
/// Errors: `Field` for a key that is mistyped, unknown, or in use elsewhere; `Refused` when the vendor says no or nothing.
pub async fn activate(app: &App, actor: &Actor, key: &str) -> Result<(), Error> {
    let vendor = vendor(app)?;
    let key = LicenceKey::parse(key).map_err(|problem| Error::field("key", problem.to_string()))?;
    hardware(app)?;
    let heard = ask::ask(app, vendor, &key, Endpoint::Activate, false)
        .await
        .map_err(refusal)?;
    let licence = match (heard.answer.verdict, &heard.licence) {
        (Verdict::Good, Some(licence)) => licence.clone(),
        (verdict, _) => return Err(Error::Refused(said(verdict, &heard.answer.reason))),
    };
    let sealed = app
        .store
        .sealer()
        .seal(KEY_CONTEXT, key.expose().as_bytes())?;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("activate licence", move |tx| {
            let mut row = rows::get(tx)?.unwrap_or_else(|| first_row(now));
            row.sealed_key = sealed.clone();
            take(&mut row, &heard, now);
            rows::put(tx, &row)?;
            note(tx, &actor, "licence activated", Some(&licence), now)
        })
        .await
}

/// Gives the licence up, so that another machine can activate it. Says whether the vendor knows: when it does not answer,
/// the licence is forgotten here all the same, and stays bound to this machine there.
pub async fn deactivate(app: &App, actor: &Actor) -> Result<bool, Error> {
    let vendor = vendor(app)?;
    let Some(key) = key(app)? else {
        return Err(Error::Refused("No licence is activated here".to_owned()));
    };
    let told = ask::ask(app, vendor, &key, Endpoint::Heartbeat, true).await;
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("deactivate licence", move |tx| {
            let known = rows::get(tx)?.unwrap_or_else(|| first_row(now));
            // The days before activation do not begin again.
            let row = LicenceRow {
                first_seen: known.first_seen,
                last_seen: known.last_seen,
                ..LicenceRow::default()
            };
            rows::put(tx, &row)?;
            note(tx, &actor, "licence given up", None, now)
        })
        .await?;
    Ok(told.is_ok())
}

/// Tells the vendor that this machine lives, and takes over what it says. `is_start` validates first.
pub async fn beat(app: &App, is_start: bool) -> Result<Beat, Error> {
    let Ok(vendor) = vendor(app) else {
        return Ok(Beat::NoVendor);
    };
    let Some(key) = key(app)? else {
        seen(app, None).await?;
        return Ok(Beat::NotActivated);
    };
    let endpoint = match is_start {
        true => Endpoint::Validate,
        false => Endpoint::Heartbeat,
    };
    match ask::ask(app, vendor, &key, endpoint, false).await {
        Ok(heard) => {
            let (verdict, reason) = (heard.answer.verdict, heard.answer.reason.clone());
            apply(app, heard).await?;
            Ok(match verdict {
                Verdict::Good => Beat::Good,
                verdict => Beat::Bad(said(verdict, &reason)),
            })
        }
        Err(silence) => {
            let why = silence.to_string();
            seen(app, Some(why.clone())).await?;
            Ok(Beat::Silent(why))
        }
    }
}

/// Refuses `more` subscribers where the licence has no room for all of them; called in the transaction that adds them.
pub(super) fn check_room(standing: &Standing, read: &impl Read, more: u64) -> Result<(), Error> {
    let count = subscribers::count(read)?;
    if standing.allows_subscribers(count.saturating_add(more)) {
        return Ok(());
    }
    Err(Error::Refused(match standing.most_subscribers() {
        Some(most) if count.saturating_add(more) > u64::from(most) => format!(
            "The licence is for {most} subscribers, and there {} {}. Ask the vendor for more, or delete some",
            if more == 1 { "are" } else { "would be" },
            if more == 1 { count } else { count.saturating_add(more) },
        ),
        _ => "The licence does not allow new subscribers now; Settings, Licence says why. Those who are there go on as before"
            .to_owned(),
    }))
}

async fn apply(app: &App, heard: Heard) -> Result<(), Error> {
    let now = app.now();
    app.store
        .write("licence heard", move |tx| {
            let mut row = rows::get(tx)?.unwrap_or_else(|| first_row(now));
            let was = (row.revoked.is_some(), row.is_elsewhere);
            take(&mut row, &heard, now);
            rows::put(tx, &row)?;
            let is = (row.revoked.is_some(), row.is_elsewhere);
            let action = match is {
                _ if was == is => return Ok(()),
                (true, _) => "licence revoked by the vendor",
                (_, true) => "licence bound to another machine",
                (false, false) => "licence good again",
            };
            let actor = Actor::System("licence");
            note(tx, &actor, action, heard.licence.as_ref(), now)
        })
        .await
}

/// What an answer changes.
fn take(row: &mut LicenceRow, heard: &Heard, now: Timestamp) {
    // The vendor's clock counts where ours is behind; a clock of either that once was far ahead is forgotten.
    let at = now.0.max(heard.answer.at);
    row.last_seen = at;
    row.last_tried = now.0;
    row.problem.clear();
    row.revoked = None;
    row.is_elsewhere = false;
    match heard.answer.verdict {
        Verdict::Good => {
            row.last_good = at;
            if let Some(token) = &heard.answer.token {
                row.token.clone_from(token);
            }
        }
        Verdict::Revoked => row.revoked = Some(heard.answer.reason.clone()),
        Verdict::Elsewhere => row.is_elsewhere = true,
    }
}

/// Keeps the time, and what went wrong.
async fn seen(app: &App, problem: Option<String>) -> Result<(), Error> {
    let now = app.now();
    app.store
        .write("licence seen", move |tx| {
            let mut row = rows::get(tx)?.unwrap_or_else(|| first_row(now));
            row.last_seen = row.last_seen.max(now.0);
            if let Some(problem) = &problem {
                row.last_tried = now.0;
                row.problem.clone_from(problem);
            }
            Ok(rows::put(tx, &row)?)
        })
        .await
}

fn first_row(now: Timestamp) -> LicenceRow {
    LicenceRow {
        first_seen: now.0,
        last_seen: now.0,
        ..LicenceRow::default()
    }
}

fn hardware(app: &App) -> Result<&Hardware, Error> {
    let hardware = app.machine.hardware();
    if hardware.is_unknown() {
        let text = "This machine shows nothing by which a licence could know it: no machine id, no board, no network card. Run: \
                    systemd-machine-id-setup";
        return Err(Error::Refused(text.to_owned()));
    }
    Ok(hardware)
}

fn opened_key(sealer: &Sealer, row: &LicenceRow) -> Result<Option<LicenceKey>, Error> {
    if row.sealed_key.is_empty() {
        return Ok(None);
    }
    let plain = sealer.unseal(KEY_CONTEXT, &row.sealed_key)?;
    let text = std::str::from_utf8(plain.expose()).map_err(|_| CryptoError::Unseal)?;
    Ok(Some(
        LicenceKey::parse(text).map_err(|_| CryptoError::Unseal)?,
    ))
}

/// One line of text that a person typed.
fn line(field: &'static str, text: &str) -> Result<String, Error> {
    let line = text::line(text, LONGEST_NAME).map_err(|problem| Error::Field { field, problem })?;
    match line.is_empty() {
        true => Err(Error::field(field, "Needed")),
        false => Ok(line),
    }
}

/// What the vendor says when it says no.
fn said(verdict: Verdict, reason: &str) -> String {
    match (verdict, reason) {
        (Verdict::Good, _) => String::new(),
        (Verdict::Revoked, "") => "The vendor took this licence back".to_owned(),
        (Verdict::Revoked, reason) => format!("The vendor took this licence back: {reason}"),
        (Verdict::Elsewhere, _) => "This licence is bound to another machine".to_owned(),
    }
}

/// What a person who waits is told.
fn refusal(silence: Silence) -> Error {
    if let Silence::Http(HttpError::Status {
        problem: Some(problem),
        ..
    }) = &silence
    {
        match problem.kind.as_str() {
            kind::UNKNOWN_KEY => {
                return Error::field("key", "The vendor does not know this key");
            }
            kind::OTHER_HARDWARE => {
                return Error::field(
                    "key",
                    "This licence is bound to another machine. Deactivate it there, or ask the vendor to move it",
                );
            }
            _ => {}
        }
    }
    Error::Refused(silence.to_string())
}

fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    licence: Option<&Licence>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut difference = Difference::default();
    if let Some(licence) = licence {
        difference
            .field("number", "", licence.id)
            .field("customer", "", &licence.customer);
    }
    trail::note(tx, actor, action, &part("licence"), difference, now)
}
