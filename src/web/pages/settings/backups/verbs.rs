//! What is done with backups: made, tested, sent, taken away, restored, deleted.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::BackupWish;
use crate::crypto::Secret;
use crate::operations::backups::{self as verb, KeyKind, Lock};
use crate::operations::{Error, blocking};
use crate::web::download::file_response;
use crate::web::error::{Failure, Reply, done, stay};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::{Field, Tone};
use crate::web::shell::{Flash, Nav, Shell};

use super::PATH;

/// `GET /settings/backups/{name}/restore`.
#[derive(Template)]
#[template(path = "pages/settings/backups_restore.html")]
pub struct RestorePage {
    pub shell: Shell,
    pub name: String,
    pub action: String,
    pub back: &'static str,
    /// `Passphrase of this backup`, or which licence's key it is.
    pub label: String,
    pub typed: Field,
}

pub async fn create(change: Change) -> Reply {
    wished(&change.signed, BackupWish::Create, "The backup has begun.")
}

pub async fn test(Path(name): Path<String>, change: Change) -> Reply {
    let text = format!("{name} is restored for a test.");
    wished(&change.signed, BackupWish::Test { name }, &text)
}

pub async fn send(Path(name): Path<String>, change: Change) -> Reply {
    known(&name)?;
    let text = format!("{name} is sent to the other machine.");
    wished(&change.signed, BackupWish::Send { name }, &text)
}

pub async fn cancel(change: Change) -> Reply {
    change.signed.app().backups.cancel();
    Ok(stay(
        &change.signed,
        Tone::Info,
        "It stops at the next piece.",
    ))
}

fn wished(signed: &Signed, wish: BackupWish, text: &str) -> Reply {
    if let BackupWish::Test { name } = &wish {
        known(name)?;
    }
    verb::wish(signed.app(), wish)?;
    Ok(done(signed, Flash::good(text), PATH))
}

/// Errors: `Missing` for what cannot be the name of a backup.
fn known(name: &str) -> Result<(), Failure> {
    match verb::is_backup_name(name) {
        true => Ok(()),
        false => Err(Failure::Missing),
    }
}

pub async fn ask_restore(Path(name): Path<String>, Administrator(signed): Administrator) -> Reply {
    known(&name)?;
    let (app, asked) = (Arc::clone(&signed.panel.app), name.clone());
    let lock = match blocking(move || verb::lock(&app, &asked)).await? {
        Ok(lock) => lock,
        // It is no backup, or it is damaged.
        Err(Error::Archive(error)) => return Err(Failure::Refused(error.to_string())),
        Err(other) => return Err(other.into()),
    };
    let page = RestorePage {
        label: label(&lock),
        shell: signed.shell("Restore", Nav::Settings),
        action: format!("{PATH}/{name}/restore"),
        back: PATH,
        name,
        typed: Field::default(),
    };
    Ok(Page::ok(page).into_response())
}

/// What the owner is asked for.
fn label(lock: &Lock) -> String {
    match (lock.kind, lock.id.as_str()) {
        (KeyKind::Passphrase, _) => "Passphrase of this backup".to_owned(),
        (KeyKind::Licence, "") => "Licence key of this backup".to_owned(),
        (KeyKind::Licence, id) => format!("Key of licence {id}"),
    }
}

pub async fn restore(Path(name): Path<String>, Change { signed, form }: Change) -> Reply {
    known(&name)?;
    let typed = form.text("typed");
    let wish = BackupWish::Restore {
        typed: (!typed.is_empty()).then(|| Secret::new(typed.to_owned())),
        actor: signed.actor(),
        name,
    };
    let text = "The restore has begun. When it is done the appliance starts anew, and you sign in with a name of the backup.";
    wished(&signed, wish, text)
}

pub async fn remove(Path(name): Path<String>, change: Change) -> Reply {
    let signed = change.signed;
    known(&name)?;
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let flash = Flash::good(format!("{name} is deleted."));
    blocking(move || verb::remove(&app, &actor, &name)).await??;
    Ok(done(&signed, flash, PATH))
}

/// The file, for those who may change things: who has it and the passphrase has everything.
pub async fn download(Path(name): Path<String>, Administrator(signed): Administrator) -> Reply {
    known(&name)?;
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let asked = name.clone();
    let (file, octets) = blocking(move || verb::open(&app, &actor, &asked)).await??;
    Ok(file_response(file, octets, &name))
}
