//! Lists of subscribers from elsewhere: brought in, looked at, imported, taken back.
//!
//! A file waits in memory for the operator who brought it; passwords stand in it and come back on no page.

mod look;
mod undo;

pub use look::{
    ColumnRow, LookPage, NewPlanRow, ProblemRow, SpeedOfNew, apply, choose, forget, look,
};
pub use undo::{ask_undo, undo};

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use axum::response::IntoResponse;

use crate::app::WaitingImport;
use crate::crypto::Secret;
use crate::domain::id::PlanId;
use crate::domain::import::Column;
use crate::domain::time::Timestamp;
use crate::operations::blocking;
use crate::operations::import::{self, LARGEST, MOST_ROWS, Past};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Signed};
use crate::web::filters;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::parts::{Badge, Field, Tone, counted, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::upload::Upload;
use crate::web::words::Words;

const PATH: &str = "/subscribers/import";
const LOOK: &str = "/subscribers/import/look";
/// Octets of the form around the file.
const MARGIN: usize = 64 << 10;
/// Characters of the name of a file that are kept.
const LONGEST_FILE_NAME: usize = 100;

/// `GET /subscribers/import`, and the upload with errors (422).
#[derive(Template)]
#[template(path = "pages/imports/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub file: Field,
    /// The name of a file that waits, or empty.
    pub waiting: String,
    pub look_href: &'static str,
    pub most_rows: String,
    pub most_megabytes: usize,
    /// Headings that we would write, with what they hold.
    pub columns: Vec<(&'static str, &'static str)>,
    pub past: Vec<PastRow>,
}

#[derive(Clone, Default)]
pub struct PastRow {
    pub when: String,
    pub by: String,
    pub file: String,
    pub added: String,
    /// Small print under it, or empty.
    pub left_out: String,
    /// Plans that it made and that are still there: name and address.
    pub plans: Vec<(String, String)>,
    pub state: Badge,
    /// Where it can be taken back, or empty.
    pub undo_href: String,
}

pub async fn show(Administrator(signed): Administrator) -> Reply {
    let page = page(&signed, &Problems::default()).await?;
    Ok(Page::ok(page).into_response())
}

/// Takes a file, and goes on to the look at it. Nothing is imported yet.
pub async fn upload(signed: Signed, request: Request) -> Reply {
    let largest = u64::try_from(LARGEST + MARGIN).unwrap_or(u64::MAX);
    let mut form = Upload::begin(signed, request, largest).await?;
    let mut octets = Vec::new();
    while let Some(piece) = form.piece().await? {
        octets.extend(piece);
    }
    let octets = Secret::new(octets);
    let octets = Arc::new(octets);
    let read = Arc::clone(&octets);
    let choices = blocking(move || import::first_choices(read.expose())).await?;
    let signed = form.signed;
    let mut problems = Problems::default();
    let Some(choices) = problems.absorb(choices)? else {
        let page = page(&signed, &problems).await?;
        return Ok(Page::unprocessable(page).into_response());
    };
    let app = signed.app();
    app.imports.put(WaitingImport {
        by: signed.current.operator.id,
        name: form.file_name.chars().take(LONGEST_FILE_NAME).collect(),
        octets,
        choices,
        since: app.now(),
    });
    Ok(signed.htmx.redirect(LOOK))
}

async fn page(signed: &Signed, problems: &Problems) -> Result<ShowPage, Failure> {
    let app = Arc::clone(&signed.panel.app);
    let past = blocking(move || import::past(&app)).await??;
    let words = Words::of(signed.app());
    let waiting = waiting(signed);
    Ok(ShowPage {
        shell: signed.shell("Import subscribers", Nav::Subscribers),
        file: Field {
            value: String::new(),
            error: problems.of("file"),
        },
        waiting: waiting.map_or_else(String::new, |import| import.name),
        look_href: LOOK,
        most_rows: thousands(u64::try_from(MOST_ROWS).unwrap_or(u64::MAX)),
        most_megabytes: LARGEST >> 20,
        columns: Column::ALL.map(|c| (c.word(), explained(c))).to_vec(),
        past: past
            .into_iter()
            .map(|past| past_row(&words, past))
            .collect(),
    })
}

/// The file of this operator.
fn waiting(signed: &Signed) -> Option<WaitingImport> {
    let app = signed.app();
    app.imports.of(signed.current.operator.id, app.now())
}

fn past_row(words: &Words<'_>, past: Past) -> PastRow {
    let Past { id, row, may_undo } = past;
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let plans = row.plans.iter().filter_map(|id| {
        let plan = words.app.plan(PlanId(*id))?;
        Some((plan.name.clone(), format!("/plans/{id}/edit")))
    });
    PastRow {
        when: words.minute(Timestamp(row.at)),
        by: row.by,
        file: row.file,
        added: counted(count(row.count), "subscriber", "subscribers"),
        left_out: match row.left_out {
            0 => String::new(),
            left => format!("{} left out", counted(count(left), "row", "rows")),
        },
        plans: plans.collect(),
        state: match row.undone_at {
            Some(_) => Badge::new(Tone::Quiet, "Taken back"),
            None => Badge::new(Tone::Good, "Imported"),
        },
        undo_href: match may_undo {
            true => format!("{PATH}/{id}/undo"),
            false => String::new(),
        },
    }
}

/// What a column of our own holds.
fn explained(column: Column) -> &'static str {
    match column {
        Column::UserName => "Needed. What the subscriber's router or PPPoE client sends.",
        Column::Password => "Where it is empty, one is made; the subscriber's page shows it.",
        Column::Plan => "By its name. One that is not here can be made, or mean another.",
        Column::FullName => "Or first_name and last_name.",
        Column::Phone => "",
        Column::Email => "",
        Column::Address => "Several columns, such as city and street, become one.",
        Column::Notes => "What has no place of its own, such as balance, goes there, too.",
        Column::State => "active, suspended or expired. Empty is active.",
        Column::ExpiresAt => {
            "The last day that is paid for: 2026-12-31, 31/12/2026. Empty never expires."
        }
        Column::CreatedAt => "Customer since.",
        Column::Macs => "In any notation. With one, only those devices may sign in.",
        Column::StaticAddress => "An IPv4 address for this subscriber alone.",
        Column::MaxSessions => "Empty is what the plan says.",
        Column::Nas => "The only router that may bring the subscriber in, by its name or address.",
    }
}

/// Back to the start, when the file is gone: it waited too long, or the appliance was started anew.
fn gone(signed: &Signed) -> axum::response::Response {
    let flash = Flash::bad("The file is not here any more. Choose it again.");
    done(signed, flash, PATH)
}
