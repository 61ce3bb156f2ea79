//! One search box over everything.

use askama::Template;

use crate::web::filters;
use crate::web::parts::Badge;
use crate::web::shell::Shell;

/// `GET /search?q=`; htmx gets `ResultsPart` while somebody types.
#[derive(Template)]
#[template(path = "pages/search/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub results: ResultsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/search/_results.html")]
pub struct ResultsPart {
    /// What was asked; empty shows nothing.
    pub q: String,
    pub hits: Vec<Hit>,
    /// Such as `12 results in 3 ms`.
    pub summary: String,
}

#[derive(Clone, Default)]
pub struct Hit {
    pub href: String,
    /// Symbol of the kind: `user`, `layers`, `router`.
    pub icon: &'static str,
    pub kind: String,
    pub title: String,
    /// Full name, phone, address: whatever tells two hits apart.
    pub details: Vec<String>,
    pub state: Option<Badge>,
}
