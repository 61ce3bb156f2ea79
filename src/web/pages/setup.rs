//! First run: the one-time link of the installer makes the first operator.

use askama::Template;

use crate::web::filters;
use crate::web::parts::{Fact, Field};
use crate::web::shell::Bare;

/// `GET /setup/{token}`, and `POST` with errors.
#[derive(Template)]
#[template(path = "pages/setup/show.html")]
pub struct ShowPage {
    pub shell: Bare,
    /// Address of this page, token included.
    pub action: String,
    pub refusal: Option<String>,
    pub isp_name: Field,
    /// IANA name of the time zone.
    pub time_zone: Field,
    /// Names offered while typing.
    pub time_zones: Vec<String>,
    pub name: Field,
    pub password: Field,
    pub password_again: Field,
}

/// After setup: what the router needs to know.
#[derive(Template)]
#[template(path = "pages/setup/done.html")]
pub struct DonePage {
    pub shell: Bare,
    /// Addresses and ports for the router.
    pub facts: Vec<Fact>,
    /// A line to paste that authenticates somebody, or empty.
    pub try_it: String,
}
