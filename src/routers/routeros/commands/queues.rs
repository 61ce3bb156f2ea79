//! Simple queues: the speed that a session really has. Types and trees of queues have only the verbs that all menus
//! share.

use super::{ItemId, read, verb};
use crate::domain::octets::Traffic;
use crate::routers::mikrotik::Pair;
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;

pub const SIMPLE: &str = "/queue/simple";
pub const TREE: &str = "/queue/tree";
pub const TYPE: &str = "/queue/type";

/// A simple queue, in the order of its list: the first whose target fits is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleQueue {
    pub id: ItemId,
    /// `<pppoe-USER>` where RADIUS gave a speed.
    pub name: String,
    /// Addresses or an interface, comma-separated.
    pub target: Option<String>,
    /// bit/s; 0 is unlimited.
    pub max_limit: Option<Pair>,
    /// What goes through; whether in octet/s or bit/s is not certain (mikrotik.md b4).
    pub rate: Option<Pair>,
    pub octets: Option<Traffic>,
    /// Made by RADIUS or a profile: not to be changed by us.
    pub is_dynamic: bool,
    pub is_disabled: bool,
    pub comment: Option<String>,
}

pub async fn simple(router: &Router) -> Result<Vec<SimpleQueue>, ApiError> {
    let command = verb(SIMPLE, "print")
        .fields(".id,name,target,max-limit,rate,bytes,dynamic,disabled,comment");
    read(router, command, |row| {
        Ok(SimpleQueue {
            id: row.id(".id")?,
            name: row.required("name")?,
            target: row.text("target"),
            max_limit: row.pair("max-limit"),
            rate: row.pair("rate"),
            octets: row.traffic("bytes"),
            is_dynamic: row.is("dynamic"),
            is_disabled: row.is("disabled"),
            comment: row.text("comment"),
        })
    })
    .await
}
