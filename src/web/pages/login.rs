//! Signing in.

use askama::Template;

use crate::web::filters;
use crate::web::parts::Field;
use crate::web::shell::Bare;

/// `GET /login`, and `POST /login` when it is refused (422) or throttled (429).
#[derive(Template)]
#[template(path = "pages/login/show.html")]
pub struct ShowPage {
    pub shell: Bare,
    pub name: Field,
    /// One sentence above the form; never says whether the name exists.
    pub refusal: Option<String>,
    /// Where to go afterwards: a path of this panel.
    pub next: String,
}
