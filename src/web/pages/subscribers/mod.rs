//! Subscribers: list, detail, form, and what can be done to one.

mod fair_use;
mod form;
mod list;
mod live;
mod macs;
mod reconnect;
mod show;
mod verbs;

pub use fair_use::{
    CreditRow, FairUsePage, QuotaPart, TopUpRow, boost, end_boost, fair_use, reset_fup, top_up,
};
pub use form::{FormPage, create, defaults, edit, filled, new, parse, update};
pub use list::{ListPage, Row, RowsPart, list};
pub use live::{Graph, LivePart, live};
pub use macs::{ForgetMacsPage, ask_forget_macs, forget_many_macs, set_forgetting};
pub use reconnect::cancel_reconnect;
pub use show::{SessionsPart, ShowPage, SpeedPart, Why, explain, sessions, show};
pub use verbs::{
    PasswordPage, PasswordPart, ask_remove, disconnect, enable, forget_macs, remove,
    reveal_password, suspend,
};

/// Where the list is; a subscriber is below it.
const PATH: &str = "/subscribers";
