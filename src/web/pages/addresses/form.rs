//! The form of a pool: from what was typed to a pool, with every problem beside its field.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::Invalid;
use crate::domain::id::PoolId;
use crate::domain::nas::Network;
use crate::domain::pool::{Pool, PoolKind, Prefixes, Ranges};
use crate::domain::text;
use crate::operations::pools as verbs;
use crate::web::error::{Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::parts::{Field, Select};
use crate::web::shell::{Flash, Nav, Shell};

use super::{PATH, find};

/// Fits into an attribute, and into a table.
const LONGEST_NAME: usize = 64;
const LONGEST_NOTES: usize = 4_000;

/// `GET /addresses/new`, `GET /addresses/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/addresses/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    /// Where it can be deleted; empty for a new one.
    pub delete: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub name: Field,
    pub kind: Select,
    /// Of a pool of addresses: ranges and networks.
    pub ranges: Field,
    /// Of a pool of prefixes: the network, and the length of each.
    pub network: Field,
    pub delegated: Field,
    pub sticky: bool,
    pub notes: Field,
}

pub async fn new(signed: Signed) -> Reply {
    let form = FormData::filled(vec![
        ("kind", "v4".to_owned()),
        ("delegated", "56".to_owned()),
        ("sticky", "on".to_owned()),
    ]);
    Ok(Page::ok(page(&signed, None, &form, &Problems::default())).into_response())
}

pub async fn create(Work { signed, form }: Work) -> Reply {
    let mut problems = Problems::default();
    if let Some(pool) = parse(&form, &mut problems) {
        let text = format!(
            "{} is created. Choose it in the plans that use it.",
            pool.name
        );
        let created = verbs::create(signed.app(), &signed.actor(), pool).await;
        if problems.absorb(created)?.is_some() {
            return Ok(done(&signed, Flash::good(text), PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, None, &form, &problems)).into_response())
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let pool = find(&signed, id)?;
    let form = filled(&pool);
    let page = page(&signed, Some(pool.id), &form, &Problems::default());
    Ok(Page::ok(page).into_response())
}

pub async fn update(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = find(&signed, id)?.id;
    let mut problems = Problems::default();
    if let Some(pool) = parse(&form, &mut problems) {
        let flash = Flash::good(format!("{} is saved.", pool.name));
        let saved = verbs::update(signed.app(), &signed.actor(), id, pool).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, Some(id), &form, &problems)).into_response())
}

fn page(signed: &Signed, id: Option<PoolId>, form: &FormData, problems: &Problems) -> FormPage {
    let field = |name| problems.field(form, name);
    let kinds = [
        ("v4", "IPv4 addresses, one for each session"),
        (
            "delegated",
            "IPv6 prefixes to delegate, one for each session",
        ),
    ];
    let (title, action, delete) = match id {
        None => ("New pool", PATH.to_owned(), String::new()),
        Some(id) => (
            "Edit pool",
            format!("{PATH}/{id}/edit"),
            format!("{PATH}/{id}/delete"),
        ),
    };
    FormPage {
        shell: signed.shell(title, Nav::Addresses),
        action,
        back: PATH.to_owned(),
        delete,
        is_new: id.is_none(),
        refusal: problems.summary(),
        name: field("name"),
        kind: problems.select("kind", Select::new(kinds, form.text("kind"))),
        ranges: field("ranges"),
        network: field("network"),
        delegated: field("delegated"),
        sticky: form.has("sticky"),
        notes: field("notes"),
    }
}

/// The form as it stands for a pool.
fn filled(pool: &Pool) -> FormData {
    let mut fields = vec![("name", pool.name.clone()), ("notes", pool.notes.clone())];
    match &pool.kind {
        PoolKind::V4(ranges) => {
            let lines = ranges.to_string().replace(", ", "\n");
            fields.extend([("kind", "v4".to_owned()), ("ranges", lines)]);
        }
        PoolKind::Delegated(prefixes) => {
            let (address, length) = prefixes.network();
            fields.extend([
                ("kind", "delegated".to_owned()),
                ("network", format!("{address}/{length}")),
                ("delegated", prefixes.delegated().to_string()),
            ]);
        }
    }
    if pool.sticky {
        fields.push(("sticky", "on".to_owned()));
    }
    FormData::filled(fields)
}

/// What was typed as a pool without an id; `None` once any problem was noted.
fn parse(form: &FormData, problems: &mut Problems) -> Option<Pool> {
    let name = problems.take("name", text::name(form.text("name"), LONGEST_NAME));
    let kind = kind(form, problems);
    let notes = problems.take("notes", text::paragraph(form.text("notes"), LONGEST_NOTES));
    Some(Pool {
        id: PoolId(0),
        name: name?,
        kind: kind?,
        sticky: form.has("sticky"),
        notes: notes?,
    })
}

fn kind(form: &FormData, problems: &mut Problems) -> Option<PoolKind> {
    match form.text("kind") {
        "v4" => {
            let ranges = Ranges::parse(form.text("ranges"));
            problems.take("ranges", ranges).map(PoolKind::V4)
        }
        "delegated" => {
            let network = problems.take("network", Network::parse(form.text("network")));
            let length = problems.take("delegated", number(form.text("delegated"), 1, 64));
            let prefixes = Prefixes::new(network?, length?);
            problems.take("network", prefixes).map(PoolKind::Delegated)
        }
        _ => {
            problems.add("kind", Invalid::new("Choose one of the list"));
            None
        }
    }
}
