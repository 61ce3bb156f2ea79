//! Certificates of an authority: what the owner asks for, and one order from its beginning to its end.

use std::sync::Arc;

use crate::acme::{AcmeError, Authority, Binding, check_authority, sign_in};
use crate::app::App;
use crate::crypto::{Sealer, Secret};
use crate::domain::acme::Acme;
use crate::domain::audit::{Actor, Difference};
use crate::domain::time::Timestamp;
use crate::licence::base64url;
use crate::operations::trail::{note, part};
use crate::store::Tx;
use crate::store::acme::{self as rows, ACCOUNT_CONTEXT, BINDING_CONTEXT, Stored};
use crate::tls::{Pair, Source};

use super::{Error, check, has_all, note_choice, refuse_if_configured, term, term_of};

pub use crate::acme::LETS_ENCRYPT;

/// Octets of a key for HMAC-SHA256; authorities give 32 or 64.
const LONGEST_BINDING_KEY: usize = 256;

/// Who acts when nobody does.
const ACTOR: Actor = Actor::System("ACME");

/// What the owner asks for; the values were parsed by `domain::acme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub names: Vec<String>,
    pub email: String,
    pub directory: String,
    /// PEM text, or empty.
    pub authority: String,
    /// Of an account elsewhere, or empty.
    pub key_id: String,
}

/// Keeps what is asked for, and has it ordered. A good certificate of the authority that is there already is shown at once.
/// `binding_key` is that of the account elsewhere, as authorities write it (base64url); `None` keeps the present one.
/// Errors: `Field` `authority`, `binding_key`.
pub async fn use_acme(
    app: &Arc<App>,
    actor: &Actor,
    wanted: Wanted,
    binding_key: Option<&Secret<String>>,
) -> Result<(), Error> {
    refuse_if_configured(app)?;
    let new_key = match binding_key {
        Some(key) => Some(sealed_binding_key(app, key)?),
        None => None,
    };
    check_authority(&wanted.authority)
        .map_err(|problem| Error::field("authority", problem.to_string()))?;
    let (actor, now) = (actor.clone(), app.now());
    let before = app.certificates.in_use();
    let kept = app.certificates.stored(Source::Acme);
    let is_there = app
        .store
        .write("certificate order", move |tx| -> Result<bool, Error> {
            let old = rows::get(tx)?;
            let stored = changed(&old, &wanted, new_key.as_ref());
            if !wanted.key_id.is_empty() && stored.binding_key.is_none() {
                let problem = "The authority gave a key together with the ID";
                return Err(Error::field("binding_key", problem));
            }
            rows::put(tx, &stored)?;
            let mut difference = Difference::default();
            difference
                .field("names", old.acme.names.join(" "), wanted.names.join(" "))
                .field("e-mail", &old.acme.email, &wanted.email)
                .field("directory", &old.acme.directory, &wanted.directory)
                .field(
                    "own authority",
                    !old.acme.authority.is_empty(),
                    !wanted.authority.is_empty(),
                )
                .field("key ID", &old.acme.key_id, &wanted.key_id)
                .secret("key", new_key.is_some());
            note(
                tx,
                &actor,
                "certificate ordered",
                &part("certificate"),
                difference,
                now,
            )?;
            let good = kept.as_ref().filter(|facts| {
                old.acme.directory == wanted.directory
                    && has_all(facts, &stored.acme)
                    && now < term_of(facts).renew_at()
                    && now >= facts.not_before
            });
            match good {
                Some(facts) => {
                    note_choice(tx, &actor, &before, (Source::Acme, facts), now)?;
                    Ok(true)
                }
                None => Ok(false),
            }
        })
        .await?;
    if is_there {
        app.certificates.choose(Source::Acme)?;
    }
    // Before the jobs run there is nobody to tell; the job looks by itself at its start.
    let _told = app.jobs.run_now(super::JOB);
    Ok(())
}

fn sealed_binding_key(app: &App, key: &Secret<String>) -> Result<Vec<u8>, Error> {
    let text = key.expose().trim().trim_end_matches('=');
    let octets = base64url::decode(text)
        .filter(|octets| (1..=LONGEST_BINDING_KEY).contains(&octets.len()))
        .map(Secret::new);
    let octets = octets.ok_or_else(|| {
        let problem = "The key as the authority gave it: letters, digits, - and _";
        Error::field("binding_key", problem)
    })?;
    Ok(app.store.sealer().seal(BINDING_CONTEXT, octets.expose())?)
}

/// A new order begins with a clean sheet, but tries count on, and an account belongs to its directory and to the account
/// elsewhere that it was bound to.
fn changed(old: &Stored, wanted: &Wanted, new_key: Option<&Vec<u8>>) -> Stored {
    let is_same_id = old.acme.key_id == wanted.key_id;
    let is_same = old.acme.directory == wanted.directory && is_same_id && new_key.is_none();
    let kept_key = || old.binding_key.clone().filter(|_| is_same_id);
    Stored {
        acme: Acme {
            names: wanted.names.clone(),
            email: wanted.email.clone(),
            directory: wanted.directory.clone(),
            authority: wanted.authority.clone(),
            is_on: true,
            failures: 0,
            last_error: String::new(),
            last_try: old.acme.last_try,
            tries: old.acme.tries.clone(),
            key_id: wanted.key_id.clone(),
        },
        account: old.account.clone().filter(|_| is_same),
        binding_key: match wanted.key_id.is_empty() {
            true => None,
            false => new_key.cloned().or_else(kept_key),
        },
    }
}

/// When an order is due; `None` while none is wanted.
pub fn next_try(app: &App) -> Result<Option<Timestamp>, Error> {
    if app.certificates.is_configured() {
        return Ok(None);
    }
    let acme = rows::get(&app.store.view()?)?.acme;
    Ok(acme.next_try(term(app, &acme), app.now()))
}

/// One order, up to some minutes: the certificate is checked, stored and shown, or the reason is kept for the page. Says what
/// became of it, in words.
pub async fn order(app: &Arc<App>) -> Result<String, Error> {
    let stored = begin(app).await?;
    let ordered = match hold(app, &stored).await {
        Ok(pair) => verify(&pair, &stored.acme, app.now()).map(|()| pair),
        Err(Held::Acme(error)) => Err(error.to_string()),
        Err(Held::Error(error)) => return Err(error),
    };
    match ordered {
        Ok(pair) => install(app, &stored.acme, pair).await,
        Err(reason) => {
            let kept = reason.clone();
            change(app, &stored.acme, move |acme| acme.fail(kept.clone())).await?;
            tracing::warn!(reason, "no certificate was issued");
            Ok(format!("no certificate: {reason}"))
        }
    }
}

/// Notes the try before it begins, so that even a crash in the middle counts.
async fn begin(app: &Arc<App>) -> Result<Stored, Error> {
    let now = app.now();
    app.store
        .write("certificate try", move |tx| -> Result<Stored, Error> {
            let mut stored = rows::get(tx)?;
            stored.acme.begin(now);
            rows::put(tx, &stored)?;
            Ok(stored)
        })
        .await
}

/// Why a conversation ended: something to tell the owner, or a fault here.
enum Held {
    Acme(AcmeError),
    Error(Error),
}

async fn hold(app: &Arc<App>, stored: &Stored) -> Result<Pair, Held> {
    let sealer = app.store.sealer();
    let kept = match &stored.account {
        Some(sealed) => Some(account(sealer, sealed).map_err(Held::Error)?),
        None => None,
    };
    match converse(app, stored, kept.as_ref()).await {
        // Once more as somebody new: the authority forgot the account, or the owner closed it.
        Err(Held::Acme(AcmeError::AccountGone)) if kept.is_some() => {
            converse(app, stored, None).await
        }
        held => held,
    }
}

fn account(sealer: &Sealer, sealed: &[u8]) -> Result<Secret<String>, Error> {
    let plain = sealer.unseal(ACCOUNT_CONTEXT, sealed)?;
    Ok(Secret::new(
        String::from_utf8_lossy(plain.expose()).into_owned(),
    ))
}

async fn converse(
    app: &Arc<App>,
    stored: &Stored,
    account: Option<&Secret<String>>,
) -> Result<Pair, Held> {
    let acme = &stored.acme;
    let sealer = app.store.sealer();
    let key = match &stored.binding_key {
        Some(sealed) => {
            let key = sealer.unseal(BINDING_CONTEXT, sealed);
            Some(key.map_err(|error| Held::Error(error.into()))?)
        }
        None => None,
    };
    let authority = Authority {
        directory: &acme.directory,
        trust: &acme.authority,
        email: &acme.email,
        binding: key.as_ref().map(|key| Binding {
            key_id: &acme.key_id,
            key,
        }),
    };
    let (session, new_account) = sign_in(authority, account).await.map_err(Held::Acme)?;
    if let Some(new_account) = new_account {
        keep_account(app, acme, &new_account)
            .await
            .map_err(Held::Error)?;
    }
    let challenges = app.certificates.challenges();
    let ordered = session.order(&acme.names, challenges).await;
    ordered.map_err(Held::Acme)
}

async fn keep_account(app: &App, acme: &Acme, account: &Secret<String>) -> Result<(), Error> {
    let sealed = app
        .store
        .sealer()
        .seal(ACCOUNT_CONTEXT, account.expose().as_bytes())?;
    let asked = acme.clone();
    app.store
        .write("certificate account", move |tx| -> Result<(), Error> {
            let mut stored = rows::get(tx)?;
            if is_same_account(&stored.acme, &asked) {
                stored.account = Some(sealed.clone());
                rows::put(tx, &stored)?;
            }
            Ok(())
        })
        .await
}

/// What was issued must be what was asked for. Errors: in words.
pub(super) fn verify(pair: &Pair, acme: &Acme, now: Timestamp) -> Result<(), String> {
    let facts = pair.facts();
    check(facts, now)
        .map_err(|problem| format!("The certificate that was issued cannot be used. {problem}"))?;
    match acme.names.iter().find(|name| !facts.covers(name)) {
        None => Ok(()),
        Some(name) => Err(format!(
            "The certificate that was issued is not good for {name}"
        )),
    }
}

/// Stores and shows it, unless the owner has changed his mind meanwhile.
pub(super) async fn install(app: &Arc<App>, asked: &Acme, pair: Pair) -> Result<String, Error> {
    if !is_still_wanted(&rows::get(&app.store.view()?)?.acme, asked) {
        return Ok("a certificate was issued that is not wanted any more".to_owned());
    }
    let facts = pair.facts().clone();
    super::store(app, Source::Acme, pair).await?;
    let (asked, now, before) = (asked.clone(), app.now(), app.certificates.in_use());
    let (names, fingerprint) = (facts.names.join(" "), facts.fingerprint.pairs());
    let is_wanted = app
        .store
        .write("certificate issued", move |tx| -> Result<bool, Error> {
            let mut stored = rows::get(tx)?;
            if !is_still_wanted(&stored.acme, &asked) {
                return Ok(false);
            }
            stored.acme.succeed();
            rows::put(tx, &stored)?;
            note_choice(tx, &ACTOR, &before, (Source::Acme, &facts), now)?;
            Ok(true)
        })
        .await?;
    if is_wanted {
        app.certificates.choose(Source::Acme)?;
        tracing::info!(names, fingerprint, "a certificate was issued and is in use");
    }
    Ok(format!("a certificate for {names}"))
}

fn is_still_wanted(now: &Acme, asked: &Acme) -> bool {
    now.is_on && now.names == asked.names && is_same_account(now, asked)
}

fn is_same_account(one: &Acme, other: &Acme) -> bool {
    one.directory == other.directory && one.key_id == other.key_id
}

async fn change(
    app: &App,
    asked: &Acme,
    work: impl Fn(&mut Acme) + Send + 'static,
) -> Result<(), Error> {
    let asked = asked.clone();
    app.store
        .write(
            "certificate try ended",
            move |tx: &mut Tx<'_>| -> Result<(), Error> {
                let mut stored = rows::get(tx)?;
                if is_still_wanted(&stored.acme, &asked) {
                    work(&mut stored.acme);
                    rows::put(tx, &stored)?;
                }
                Ok(())
            },
        )
        .await
}
