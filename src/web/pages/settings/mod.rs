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

use axum::response::Response;

use crate::web::error::done;
use crate::web::extract::Signed;
use crate::web::shell::Flash;

/// To the tab anew, once its values are saved.
fn saved(signed: &Signed, path: &str) -> Response {
    done(signed, Flash::good("Saved. It holds from now on."), path)
}
