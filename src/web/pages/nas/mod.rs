//! NAS devices: the routers that ask us, and the addresses that ask without being known.

use askama::Template;

use crate::web::chart::Sparkline;
use crate::web::filters;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Fact, Field, Select};
use crate::web::shell::Shell;

/// `GET /nas`.
#[derive(Template)]
#[template(path = "pages/nas/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub unknown: UnknownPart,
}

#[derive(Clone, Default)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub address: String,
    pub profile: String,
    pub state: Badge,
    pub last_seen: String,
    pub online: String,
    pub hints: Vec<String>,
}

/// Packets from addresses that no NAS covers: `GET /nas/unknown`, polled by htmx.
#[derive(Template, Default)]
#[template(path = "pages/nas/_unknown.html")]
pub struct UnknownPart {
    pub rows: Vec<UnknownRow>,
}

#[derive(Clone, Default)]
pub struct UnknownRow {
    pub address: String,
    pub packets: String,
    pub last_seen: String,
    pub user_name: String,
    /// The form for a new NAS with this address filled in.
    pub add_href: String,
}

/// `GET /nas/{id}`.
#[derive(Template)]
#[template(path = "pages/nas/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub path: String,
    pub name: String,
    pub state: Badge,
    pub facts: Vec<Fact>,
    /// Counters since start: accepted, rejected, dropped, duplicates.
    pub counters: Vec<Fact>,
    pub hints: Vec<Hint>,
    pub rate: Sparkline,
    pub rate_now: String,
    /// Outcome of the last CoA and Disconnect requests.
    pub coa: Vec<CoaRow>,
    pub attempts: Vec<auth_log::Row>,
    /// RouterOS commands that point the router here, or empty for other vendors.
    pub router_commands: String,
}

/// Something to mend, with the command or setting that mends it.
#[derive(Clone, Default)]
pub struct Hint {
    pub title: String,
    pub text: String,
    pub command: String,
}

#[derive(Clone, Default)]
pub struct CoaRow {
    pub time: String,
    pub verb: String,
    pub user_name: String,
    pub outcome: Badge,
}

/// `GET /nas/new`, `GET /nas/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/nas/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub name: Field,
    /// One address or a CIDR.
    pub address: Field,
    /// Empty keeps the present one when editing.
    pub secret: Field,
    pub profile: Select,
    pub coa_port: Field,
    pub message_authenticator: Select,
    pub limit_proxy_state: bool,
    pub swap_octets: bool,
    pub notes: Field,
}

/// `GET /nas/{id}/delete`.
#[derive(Template)]
#[template(path = "pages/nas/delete.html")]
pub struct DeletePage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub name: String,
    pub consequences: Vec<String>,
}
