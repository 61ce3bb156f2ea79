//! Asks before something is gone for ever, and says what goes with it and what stays: `GET /{list}/{id}/delete` of every noun.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

#[derive(Template)]
#[template(path = "pages/deletion.html")]
pub struct DeletePage {
    pub shell: Shell,
    /// The list that it stands in, and where that is.
    pub list: &'static str,
    pub list_href: &'static str,
    /// `Delete`, or `Remove`.
    pub verb: &'static str,
    /// Such as `plan`.
    pub thing: &'static str,
    pub name: String,
    pub action: String,
    pub back: String,
    /// One sentence each.
    pub consequences: Vec<String>,
    /// Why it cannot go now, such as subscribers that have it, or empty.
    pub blocked: String,
}
