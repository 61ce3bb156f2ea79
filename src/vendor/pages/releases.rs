//! The releases, and withdrawing one. Publishing is a command, since a package of several megabytes is at hand there.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};

use super::gate::{Form, Signed};
use super::{minute, told};
use crate::domain::octets::Octets;
use crate::vendor::VendorError;
use crate::vendor::tables::ReleaseRow;
use crate::web::cookies;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::{Badge, Tone};
use crate::web::shell::{Bare, Flash};

#[derive(Template)]
#[template(path = "vendor/releases.html")]
pub struct ReleasesPage {
    pub shell: Bare,
    pub rows: Vec<Row>,
}

#[derive(Clone, Default)]
pub struct Row {
    pub version: String,
    pub architecture: String,
    pub state: Badge,
    pub size: String,
    pub at: String,
    pub notes: String,
    /// Where the form to withdraw it goes; empty when it is.
    pub withdraw: String,
}

pub(super) async fn list(signed: Signed) -> Result<Response, VendorError> {
    let releases = signed.desk().releases()?;
    let rows = releases.into_iter().map(|(id, row)| Row {
        state: match row.is_withdrawn {
            true => Badge::new(Tone::Quiet, "Withdrawn"),
            false => Badge::new(Tone::Good, "Offered"),
        },
        withdraw: match row.is_withdrawn {
            true => String::new(),
            false => format!("/releases/{id}/withdraw"),
        },
        size: Octets(row.octets).to_string(),
        at: minute(Some(row.published_at)),
        version: row.version,
        architecture: row.architecture,
        notes: row.notes,
    });
    let page = ReleasesPage {
        shell: signed.shell("Releases"),
        rows: rows.collect(),
    };
    Ok(Page::ok(page).into_response())
}

pub(super) async fn withdraw(Path(id): Path<u32>, Form { signed, .. }: Form) -> Response {
    match signed.desk().withdraw(signed.who(), id).await {
        Ok(()) => {
            let mut response = Redirect::to("/releases").into_response();
            let flash = Flash::good("The release is withdrawn. Machines that have it keep it.");
            cookies::set_flash(&mut response, &flash, true);
            response
        }
        Err(error) => told(&error),
    }
}

/// One line for a terminal.
pub(in crate::vendor) fn line(id: u32, row: &ReleaseRow) -> String {
    let state = if row.is_withdrawn {
        "withdrawn"
    } else {
        "offered"
    };
    format!(
        "{id:>6}  {:<12}  {:<6}  {state:<9}  {}  {}",
        row.version,
        row.architecture,
        minute(Some(row.published_at)),
        Octets(row.octets)
    )
}
