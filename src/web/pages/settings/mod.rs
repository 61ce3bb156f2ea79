//! Settings of the installation: one file for each tab, each with its own address.

pub mod appearance;
pub mod backups;
pub mod certificate;
pub mod general;
pub mod licence;
pub mod radius;
pub mod security;
pub mod support;
pub mod updates;

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::Error;
use crate::web::error::{Reply, done};
use crate::web::extract::Signed;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::shell::Flash;

/// What follows the form of a tab: the tab anew once its values are `saved`, else the form with what is wrong with it.
/// `None` is a form that could not be read whole.
fn after_save<P: Template>(
    signed: &Signed,
    path: &str,
    saved: Option<Result<(), Error>>,
    mut problems: Problems,
    again: impl FnOnce(&Problems) -> P,
) -> Reply {
    if let Some(saved) = saved
        && problems.absorb(saved)?.is_some()
    {
        let flash = Flash::good("Saved. It holds from now on.");
        return Ok(done(signed, flash, path));
    }
    Ok(Page::unprocessable(again(&problems)).into_response())
}
