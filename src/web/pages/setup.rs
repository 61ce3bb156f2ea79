//! First run: the one-time link of the installer makes the first operator.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::{Fact, Field};
use crate::web::shell::{Bare, Theme};

/// `GET /setup?token=`, and `POST` with errors.
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

/// Every page while there is no operator (503), and the answer to a link that does not work (403).
#[derive(Template)]
#[template(path = "pages/setup/needed.html")]
pub struct NeededPage {
    pub shell: Bare,
    pub text: String,
    /// What makes a new link, or empty when the way in is to sign in.
    pub command: &'static str,
}

/// The command that prints a setup link.
const COMMAND: &str = "proxpanel setup";

/// What every page says while nobody can sign in.
pub fn needed(theme: Theme) -> Response {
    let view = NeededPage {
        shell: Bare {
            title: "Not set up yet".to_owned(),
            theme,
            ..Bare::default()
        },
        text: "Nobody can sign in before the first operator is made.".to_owned(),
        command: COMMAND,
    };
    Page::with_status(StatusCode::SERVICE_UNAVAILABLE, view).into_response()
}
