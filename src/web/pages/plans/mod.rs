//! Plans: what is sold.

use askama::Template;

use crate::web::filters;
use crate::web::parts::{Field, Select};
use crate::web::shell::Shell;

/// `GET /plans`.
#[derive(Template)]
#[template(path = "pages/plans/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

#[derive(Clone, Default)]
pub struct Row {
    /// `/plans/{id}`; editing and deletion are below it.
    pub href: String,
    pub name: String,
    pub price: String,
    pub term: String,
    pub download: String,
    pub upload: String,
    /// Such as `20M for 8 s`, or empty.
    pub burst: String,
    pub pool: String,
    pub on_expiry: String,
    pub subscribers: String,
    /// The list of subscribers with this plan.
    pub subscribers_href: String,
}

/// `GET /plans/new`, `GET /plans/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/plans/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    /// Said when live sessions will be changed by saving, or empty.
    pub notice: String,
    pub name: Field,
    pub price: Field,
    pub currency: Field,
    pub term: Field,
    pub term_unit: Select,
    pub download_kbps: Field,
    pub upload_kbps: Field,
    pub burst_download_kbps: Field,
    pub burst_upload_kbps: Field,
    pub burst_threshold_download_kbps: Field,
    pub burst_threshold_upload_kbps: Field,
    pub burst_seconds: Field,
    pub priority: Field,
    pub pool: Field,
    pub address_list: Field,
    pub max_sessions: Field,
    pub on_expiry: Select,
    pub expired_pool: Field,
    pub interim_seconds: Field,
    pub send_mppe: bool,
    pub notes: Field,
}

/// `GET /plans/{id}/delete`.
#[derive(Template)]
#[template(path = "pages/plans/delete.html")]
pub struct DeletePage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub name: String,
    pub consequences: Vec<String>,
    /// Why it cannot be deleted now, such as subscribers that have it, or empty.
    pub blocked: String,
}
