//! The authentication log: every attempt with its reason.

use askama::Template;

use crate::web::filters;
use crate::web::pager::{ActiveFilter, Pager};
use crate::web::parts::{Badge, Field, Select};
use crate::web::shell::Shell;

/// `GET /auth-log?q=&nas=&result=&reason=&from=&to=&page=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/auth_log/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    pub result: Select,
    pub reason: Select,
    pub from: Field,
    pub to: Field,
    pub size: String,
    /// How long attempts are kept, as one sentence.
    pub retention: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/auth_log/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// One attempt. Also shown on the dashboard, and on the pages of a subscriber and a NAS.
#[derive(Clone, Default)]
pub struct Row {
    pub time: String,
    pub user_name: String,
    /// The subscriber, or empty when nobody has this name.
    pub user_href: String,
    pub nas: String,
    pub method: String,
    pub mac: String,
    pub result: Badge,
    /// The reason in words, such as `Wrong password`; empty when accepted.
    pub reason: String,
    /// How long the answer took, such as `0.4 ms`.
    pub duration: String,
}
