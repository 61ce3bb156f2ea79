//! The certificate of the panel: which one browsers see, and what replaces it.
//!
//! A new one is checked first, then its file is written, then the choice is kept in the store, then it is shown. Invariant:
//! until all that is done browsers see the old one, whatever fails.

mod acme;

use std::sync::Arc;

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::acme::{Acme, Term};
use crate::domain::audit::{Actor, Difference};
use crate::domain::time::{Calendar, Timestamp};
use crate::store::settings::{self, Setting};
use crate::store::{Tx, acme as rows};
use crate::tls::{Facts, InUse, Pair, RENEWED_BEFORE, Source, Step};

use super::trail::{note, part};
use super::{Error, blocking};

pub use acme::{LETS_ENCRYPT, Wanted, next_try, order, use_acme};

/// The job that renews certificates and notices new files.
pub const JOB: &str = "certificate";

/// What a page says about the certificate.
#[derive(Debug, Clone)]
pub struct State {
    pub in_use: Arc<InUse>,
    /// The configuration names the files, so nothing can be chosen here.
    pub is_configured: bool,
    pub acme: Acme,
    /// When the authority is asked next; `None` while it is not asked at all.
    pub next_try: Option<Timestamp>,
    /// How far an order is that is under way.
    pub step: Option<Step>,
}

pub fn state(app: &App) -> Result<State, Error> {
    let acme = rows::get(&app.store.view()?)?.acme;
    Ok(State {
        in_use: app.certificates.in_use(),
        is_configured: app.certificates.is_configured(),
        next_try: acme.next_try(term(app, &acme), app.now()),
        step: app.certificates.challenges().step(),
        acme,
    })
}

/// The term of the certificate in use, if it is from the authority and has all the names that are asked for.
fn term(app: &App, acme: &Acme) -> Option<Term> {
    let in_use = app.certificates.in_use();
    (in_use.source == Source::Acme && has_all(&in_use.facts, acme)).then(|| term_of(&in_use.facts))
}

fn term_of(facts: &Facts) -> Term {
    Term {
        not_before: facts.not_before,
        not_after: facts.not_after,
    }
}

fn has_all(facts: &Facts, acme: &Acme) -> bool {
    acme.names.iter().all(|name| facts.covers(name))
}

/// Reads the files again. Says whether browsers see another certificate now. Errors: what cannot be used; the certificate
/// stays.
pub fn reload(app: &App) -> Result<bool, Error> {
    let before = app.certificates.in_use();
    let reloaded = app.certificates.reload(app.now());
    let after = app.certificates.in_use();
    match &reloaded {
        Ok(true) => {
            tracing::info!(
                names = after.facts.names.join(" "),
                "another certificate is in use"
            );
        }
        Ok(false) => {}
        // Said once for each reason.
        Err(error) if before.fault != after.fault => {
            tracing::error!(%error, "the certificate cannot be read again and stays as it was");
        }
        Err(_) => {}
    }
    Ok(reloaded?)
}

/// Goes back to the certificate that the machine made itself, or to a new one of that kind.
pub async fn use_self_signed(app: &Arc<App>, actor: &Actor, fresh: bool) -> Result<(), Error> {
    refuse_if_configured(app)?;
    let kept = app.certificates.stored(Source::SelfSigned);
    let facts = match kept {
        Some(facts) if !fresh => facts,
        _ => new_self_signed(app).await?,
    };
    take(app, actor, Source::SelfSigned, facts).await
}

async fn new_self_signed(app: &Arc<App>) -> Result<Facts, Error> {
    let app = Arc::clone(app);
    blocking(move || {
        let pair = app.certificates.make_self_signed(app.now())?;
        app.certificates.store(Source::SelfSigned, &pair)?;
        Ok(pair.facts().clone())
    })
    .await?
}

/// Makes the next self-signed certificate when the one in use nears its end. Says whether it did.
pub async fn renew_self_signed(app: &Arc<App>) -> Result<bool, Error> {
    let in_use = app.certificates.in_use();
    let is_late = app.now() >= in_use.facts.not_after.plus(-RENEWED_BEFORE);
    if in_use.source != Source::SelfSigned || in_use.fault.is_some() || !is_late {
        return Ok(false);
    }
    let facts = new_self_signed(app).await?;
    take(app, &Actor::System(JOB), Source::SelfSigned, facts).await?;
    Ok(true)
}

/// Takes the owner's certificate, PEM texts. Errors: `Field` `certificate` or `key` with what is wrong with it.
pub async fn use_own(
    app: &Arc<App>,
    actor: &Actor,
    chain: &str,
    key: &Secret<String>,
) -> Result<Facts, Error> {
    refuse_if_configured(app)?;
    let pair = Pair::parse(chain, key.expose()).map_err(|error| {
        let field = if error.is_of_key() {
            "key"
        } else {
            "certificate"
        };
        Error::field(field, error.to_string())
    })?;
    check(pair.facts(), app.now()).map_err(|problem| Error::field("certificate", problem))?;
    let facts = pair.facts().clone();
    store(app, Source::Own, pair).await?;
    take(app, actor, Source::Own, facts.clone()).await?;
    Ok(facts)
}

/// What browsers would not take, in words.
fn check(facts: &Facts, now: Timestamp) -> Result<(), String> {
    if facts.names.is_empty() {
        return Err("It has no names that browsers look at (subject alternative names)".to_owned());
    }
    if now > facts.not_after {
        let end = Calendar::format_utc(facts.not_after);
        return Err(format!("It ended on {end}"));
    }
    if now < facts.not_before {
        let begin = Calendar::format_utc(facts.not_before);
        return Err(format!(
            "It is not good before {begin}. Is the clock of this machine right?"
        ));
    }
    Ok(())
}

async fn store(app: &Arc<App>, source: Source, pair: Pair) -> Result<(), Error> {
    let app = Arc::clone(app);
    Ok(blocking(move || app.certificates.store(source, &pair)).await??)
}

fn refuse_if_configured(app: &App) -> Result<(), Error> {
    match app.certificates.is_configured() {
        false => Ok(()),
        true => Err(Error::Refused(
            "The configuration names the files of the certificate. Take certificate and key out of [web] there, and restart, \
             to choose here"
                .to_owned(),
        )),
    }
}

/// Keeps the choice of a certificate whose file is there, then shows it. What is not from an authority ends the orders.
async fn take(app: &Arc<App>, actor: &Actor, source: Source, facts: Facts) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    let before = app.certificates.in_use();
    app.store
        .write("certificate", move |tx| -> Result<(), Error> {
            let mut stored = rows::get(tx)?;
            if stored.acme.is_on {
                stored.acme.is_on = false;
                rows::put(tx, &stored)?;
            }
            note_choice(tx, &actor, &before, (source, &facts), now)
        })
        .await?;
    Ok(app.certificates.choose(source)?)
}

/// The choice, and the audit entry that says what browsers see now.
fn note_choice(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: &InUse,
    (source, facts): (Source, &Facts),
    now: Timestamp,
) -> Result<(), Error> {
    settings::put(tx, Setting::Certificate, source.word())?;
    let mut difference = Difference::default();
    let until = |facts: &Facts| Calendar::format_utc(facts.not_after);
    difference
        .field("source", before.source.word(), source.word())
        .field("names", before.facts.names.join(" "), facts.names.join(" "))
        .field("until", until(&before.facts), until(facts))
        .field(
            "SHA-256",
            before.facts.fingerprint.pairs(),
            facts.fingerprint.pairs(),
        );
    note(
        tx,
        actor,
        "certificate changed",
        &part("certificate"),
        difference,
        now,
    )
}

#[cfg(test)]
mod tests;
