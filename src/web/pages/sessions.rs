//! Sessions: who is online now, and who was.

use askama::Template;

use crate::web::filters;
use crate::web::parts::{ActiveFilter, Badge, Field, Pager, Select, SortHead};
use crate::web::shell::Shell;

/// `GET /online?q=&nas=&plan=&state=&sort=&page=&size=`; htmx gets `OnlinePart`, also every 10 s.
#[derive(Template)]
#[template(path = "pages/sessions/online.html")]
pub struct OnlinePage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    pub plan: Select,
    pub state: Select,
    pub sort: String,
    pub size: String,
    pub part: OnlinePart,
}

#[derive(Template, Default)]
#[template(path = "pages/sessions/_online.html")]
pub struct OnlinePart {
    pub csrf: String,
    /// Path and query of this list, which htmx asks for again.
    pub here: String,
    pub filters: Vec<ActiveFilter>,
    pub by_user: SortHead,
    pub by_since: SortHead,
    pub by_download: SortHead,
    pub rows: Vec<OnlineRow>,
    pub pager: Pager,
    pub updated: String,
}

#[derive(Clone, Default)]
pub struct OnlineRow {
    pub user_name: String,
    /// The subscriber, or empty when it was deleted meanwhile.
    pub user_href: String,
    pub plan: String,
    pub nas: String,
    pub nas_href: String,
    pub address: String,
    pub mac: String,
    pub since: String,
    pub duration: String,
    pub download: String,
    pub upload: String,
    /// Small print under the state, such as `updated 22 s ago`.
    pub last_update: String,
    pub state: Badge,
    /// `POST` here sends the Disconnect-Request.
    pub disconnect: String,
}

/// `GET /sessions?q=&nas=&from=&to=&page=&size=`; htmx gets `HistoryPart`.
#[derive(Template)]
#[template(path = "pages/sessions/history.html")]
pub struct HistoryPage {
    pub shell: Shell,
    pub q: String,
    pub nas: Select,
    /// `YYYY-MM-DD`, both days included.
    pub from: Field,
    pub to: Field,
    pub size: String,
    pub part: HistoryPart,
}

#[derive(Template, Default)]
#[template(path = "pages/sessions/_history.html")]
pub struct HistoryPart {
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<HistoryRow>,
    pub pager: Pager,
}

#[derive(Clone, Default)]
pub struct HistoryRow {
    pub user_name: String,
    pub user_href: String,
    pub nas: String,
    pub address: String,
    pub mac: String,
    pub start: String,
    pub stop: String,
    pub duration: String,
    pub download: String,
    pub upload: String,
    /// Why it ended, in words.
    pub cause: String,
}
