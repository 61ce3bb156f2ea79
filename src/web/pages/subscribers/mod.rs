//! Subscribers: list, detail, form, deletion.

use askama::Template;

use crate::web::chart::Bars;
use crate::web::filters;
use crate::web::pages::{audit, auth_log, sessions};
use crate::web::parts::{ActiveFilter, Badge, Fact, Field, Pager, Select, SortHead, Tone};
use crate::web::shell::Shell;

/// `GET /subscribers?q=&plan=&state=&presence=&sort=&page=&size=`; htmx gets `RowsPart`.
#[derive(Template)]
#[template(path = "pages/subscribers/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub q: String,
    pub plan: Select,
    pub state: Select,
    pub presence: Select,
    /// The present order, kept by the filter form: `user`, `-expiry`.
    pub sort: String,
    pub size: String,
    pub rows: RowsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/subscribers/_rows.html")]
pub struct RowsPart {
    pub filters: Vec<ActiveFilter>,
    pub by_user: SortHead,
    pub by_expiry: SortHead,
    pub by_created: SortHead,
    pub rows: Vec<Row>,
    pub pager: Pager,
    /// True when there is no subscriber at all, so that the page offers to add the first.
    pub is_first_run: bool,
}

#[derive(Clone, Default)]
pub struct Row {
    pub href: String,
    pub user_name: String,
    pub full_name: String,
    pub phone: String,
    pub plan: String,
    pub state: Badge,
    pub presence: Badge,
    /// Small print under the presence, such as `5 h 51 min`, or empty.
    pub presence_note: String,
    pub expires: String,
    /// Small print under the expiry, such as `in 3 days`, or empty.
    pub expires_note: String,
    pub used_this_month: String,
    pub created: String,
}

/// `GET /subscribers/{id}`.
#[derive(Template)]
#[template(path = "pages/subscribers/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    /// `/subscribers/{id}`: the forms of this page post below it.
    pub path: String,
    pub user_name: String,
    pub full_name: String,
    pub state: Badge,
    pub presence: Badge,
    pub is_enabled: bool,
    pub has_mac_lock: bool,
    pub why: Why,
    pub account: Vec<Fact>,
    pub access: Vec<Fact>,
    pub notes: String,
    pub used_today: String,
    pub used_this_month: String,
    /// Last 30 days.
    pub usage: Bars,
    pub open: SessionsPart,
    pub attempts: Vec<auth_log::Row>,
    /// The authentication log, filtered by this subscriber.
    pub attempts_href: String,
    pub audit: Vec<audit::Row>,
}

/// One sentence that explains the present state: why offline, rejected, slow.
#[derive(Clone, Default)]
pub struct Why {
    pub tone: Tone,
    pub title: String,
    pub text: String,
    /// Steps that led there, such as those of the effective speed; may be empty.
    pub steps: Vec<String>,
    /// What to do about it, or empty.
    pub href: String,
    pub action: String,
}

/// Open and last sessions: `GET /subscribers/{id}/sessions`, asked for by htmx every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/subscribers/_sessions.html")]
pub struct SessionsPart {
    pub csrf: String,
    pub open: Vec<sessions::OnlineRow>,
    pub closed: Vec<sessions::HistoryRow>,
    /// The history, filtered by this subscriber.
    pub all_href: String,
}

/// `GET /subscribers/new`, `GET /subscribers/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/subscribers/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub user_name: Field,
    /// Empty keeps the present one when editing.
    pub password: Field,
    pub full_name: Field,
    pub phone: Field,
    pub email: Field,
    pub address: Field,
    pub notes: Field,
    pub plan: Select,
    /// `YYYY-MM-DD`; the last day that still works.
    pub expires: Field,
    pub enabled: bool,
    pub max_sessions: Field,
    pub on_limit: Select,
    pub mac_mode: Select,
    pub mac_learn: Field,
    /// One MAC a line, any notation.
    pub macs: Field,
    pub static_address: Field,
    /// kbps; empty means the plan's speed.
    pub download_kbps: Field,
    pub upload_kbps: Field,
}

/// `GET /subscribers/{id}/delete`.
#[derive(Template)]
#[template(path = "pages/subscribers/delete.html")]
pub struct DeletePage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub user_name: String,
    /// What goes with it and what stays, one sentence each.
    pub consequences: Vec<String>,
}
