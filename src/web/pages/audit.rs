//! The audit log: who changed what, with old and new values.

use askama::Template;

use crate::web::filters;
use crate::web::pager::{ActiveFilter, Pager};
use crate::web::parts::Field;
use crate::web::shell::Shell;

/// `GET /audit?q=&who=&action=&from=&to=&page=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/audit/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub who: Select,
    pub action: Select,
    pub from: Field,
    pub to: Field,
    pub size: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/audit/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

#[derive(Clone, Default)]
pub struct Row {
    pub time: String,
    pub who: String,
    /// What was done, in the past tense: `changed`, `suspended`.
    pub action: String,
    /// What it was done to, such as `Subscriber user00042`.
    pub object: String,
    pub object_href: String,
    /// Changed values; secrets stand as `changed`, never as text.
    pub changes: Vec<Change>,
    /// Network address of the operator's browser.
    pub address: String,
}

#[derive(Clone, Default)]
pub struct Change {
    pub field: String,
    pub old: String,
    pub new: String,
}
