//! NAS devices: the routers that ask us, and the addresses that ask without being known.

mod api_form;
mod checks;
mod form;
mod hints;
mod radsec;
mod script;
mod show;

pub use api_form::ApiFields;
pub use checks::{CheckRow, ChecksPage, ChecksPart, checks, forget_certificate, test_coa};
pub use form::{FormPage, create, defaults, edit, filled, new, parse, update};
pub use hints::{Hint, hints, state_badge, titles};
pub use radsec::{RadsecFields, StrangerRow};
pub use script::{Asked, ScriptPage, StepView, VersionLink, download, reveal, show as script};
pub use show::{CoaRow, ShowPage, show};

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::{NasEntry, Sighting};
use crate::domain::id::NasId;
use crate::operations::{blocking, nas as verbs, online, overview};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Badge, thousands};
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::{Words, ago_or_never};

/// `GET /nas`.
#[derive(Template)]
#[template(path = "pages/nas/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub unknown: UnknownPart,
}

#[derive(Clone, Default)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub address: String,
    pub profile: String,
    pub state: Badge,
    pub last_seen: String,
    pub online: String,
    pub hints: Vec<String>,
}

/// Packets from addresses that no NAS covers: `GET /nas/unknown`, polled by htmx.
#[derive(Template, Default)]
#[template(path = "pages/nas/_unknown.html")]
pub struct UnknownPart {
    pub rows: Vec<UnknownRow>,
    /// Certificates of no NAS, at the RadSec port.
    pub strangers: Vec<StrangerRow>,
}

#[derive(Clone, Default)]
pub struct UnknownRow {
    pub address: String,
    pub packets: String,
    pub last_seen: String,
    pub user_name: String,
    /// The form for a new NAS with this address filled in.
    pub add_href: String,
}

const PATH: &str = "/nas";

/// All NAS devices by name, and who asks without being one.
pub async fn list(signed: Signed) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let online = blocking(move || overview::counts(&app)).await??.by_nas;
    let count = |id| online.get(&id).copied().unwrap_or(0);
    let words = Words::of(signed.app());
    let entries = signed.app().nas_table().all();
    let page = ListPage {
        shell: signed.shell("NAS devices", Nav::Nas),
        rows: entries
            .iter()
            .map(|entry| row(&words, entry, count(entry.nas.id)))
            .collect(),
        unknown: unknown_part(&words),
    };
    Ok(Page::ok(page).into_response())
}

fn row(words: &Words<'_>, entry: &NasEntry, online: usize) -> Row {
    Row {
        href: format!("{PATH}/{}", entry.nas.id),
        name: entry.nas.name.clone(),
        address: entry.nas.network.to_string(),
        profile: entry.nas.profile.label().to_owned(),
        state: state_badge(entry, words.now),
        last_seen: ago_or_never(words.now, entry.stats.last_seen()),
        online: thousands(u64::try_from(online).unwrap_or(u64::MAX)),
        hints: titles(entry, words.now),
    }
}

/// Addresses that ask and are no NAS, which the page asks for every few seconds.
pub async fn unknown(signed: Signed) -> Reply {
    Ok(Page::ok(unknown_part(&Words::of(signed.app()))).into_response())
}

fn unknown_part(words: &Words<'_>) -> UnknownPart {
    let seen = words.app.sightings.list();
    UnknownPart {
        rows: seen
            .iter()
            .map(|sighting| unknown_row(words, sighting))
            .collect(),
        strangers: radsec::stranger_rows(words),
    }
}

fn unknown_row(words: &Words<'_>, sighting: &Sighting) -> UnknownRow {
    let address = sighting.source.to_string();
    UnknownRow {
        packets: thousands(sighting.packets),
        last_seen: words.ago(sighting.last),
        user_name: sighting.user_name.clone(),
        add_href: Query::new()
            .with("address", &address)
            .with("name", &sighting.nas_identifier)
            .href("/nas/new"),
        address,
    }
}

/// Asks before deleting, and says what that means for those who are online through it.
pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let entry = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?;
    let app = Arc::clone(&signed.panel.app);
    let online = blocking(move || online::count_of_nas(&app, NasId(id))).await??;
    let sessions = match online {
        0 => "No session runs through it now.".to_owned(),
        1 => "One session that runs through it stays up, but cannot be disconnected from here."
            .to_owned(),
        online => format!(
            "{} sessions that run through it stay up, but cannot be disconnected from here.",
            thousands(u64::try_from(online).unwrap_or(u64::MAX))
        ),
    };
    let back = format!("{PATH}/{id}");
    let page = DeletePage {
        shell: signed.shell("Delete NAS", Nav::Nas),
        list: "NAS devices",
        list_href: PATH,
        verb: "Delete",
        thing: "NAS",
        action: format!("{back}/delete"),
        back,
        name: entry.nas.name.clone(),
        consequences: vec![
            "Its requests are dropped from now on, so nobody signs in through it.".to_owned(),
            sessions,
            "Session history and the authentication log stay.".to_owned(),
        ],
        blocked: String::new(),
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let entry = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?;
    verbs::remove(signed.app(), &signed.actor(), entry.nas.id).await?;
    let flash = Flash::good(format!("{} is deleted.", entry.nas.name));
    Ok(done(&signed, flash, PATH))
}
