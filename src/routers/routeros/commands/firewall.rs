//! Address lists, which the panel writes, and rules, which it reads in their order.

use std::time::Duration;

use super::{ItemId, add, read, verb};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;

const LISTS_V4: &str = "/ip/firewall/address-list";
const LISTS_V6: &str = "/ipv6/firewall/address-list";

/// Which addresses a list is of. Lists of both may have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Of an address, a prefix or a range; names are resolved by the router to IPv4.
    pub fn of(address: &str) -> Family {
        if address.contains(':') {
            Family::V6
        } else {
            Family::V4
        }
    }

    /// The menu of its address lists.
    pub fn lists(self) -> &'static str {
        match self {
            Family::V4 => LISTS_V4,
            Family::V6 => LISTS_V6,
        }
    }
}

/// An address on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    pub id: ItemId,
    pub list: String,
    /// An address, a prefix, a range or a name.
    pub address: String,
    /// When it leaves the list by itself.
    pub timeout: Option<Duration>,
    /// From RADIUS, a profile or a timeout: gone with the next restart.
    pub is_dynamic: bool,
    pub is_disabled: bool,
    pub comment: Option<String>,
}

/// The entries of one list.
pub async fn list(router: &Router, family: Family, name: &str) -> Result<Vec<ListEntry>, ApiError> {
    let command = verb(family.lists(), "print")
        .query(&format!("list={name}"))
        .fields(".id,list,address,timeout,dynamic,disabled,comment");
    read(router, command, |row| {
        Ok(ListEntry {
            id: row.id(".id")?,
            list: row.required("list")?,
            address: row.required("address")?,
            timeout: row.duration("timeout"),
            is_dynamic: row.is("dynamic"),
            is_disabled: row.is("disabled"),
            comment: row.text("comment"),
        })
    })
    .await
}

/// Puts an address on a list; none when it is there, which is what was wanted. With a timeout the entry is lost when
/// the router restarts (mikrotik.md b5).
pub async fn add_to_list(
    router: &Router,
    name: &str,
    address: &str,
    timeout: Option<Duration>,
    comment: &str,
) -> Result<Option<ItemId>, ApiError> {
    let timeout = timeout.map(|timeout| format!("{}s", timeout.as_secs()));
    let mut attributes = vec![("list", name), ("address", address), ("comment", comment)];
    attributes.extend(timeout.as_deref().map(|timeout| ("timeout", timeout)));
    match add(router, Family::of(address).lists(), &attributes).await {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.is_duplicate() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A menu of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Filter,
    Mangle,
    Nat,
}

impl Table {
    pub fn menu(self) -> &'static str {
        match self {
            Table::Filter => "/ip/firewall/filter",
            Table::Mangle => "/ip/firewall/mangle",
            Table::Nat => "/ip/firewall/nat",
        }
    }
}

/// A rule with what it has matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: ItemId,
    pub chain: String,
    pub action: String,
    pub comment: Option<String>,
    pub is_disabled: bool,
    pub is_dynamic: bool,
    pub octets: Option<u64>,
    pub packets: Option<u64>,
}

/// The rules in the order in which they are tried.
pub async fn rules(router: &Router, table: Table) -> Result<Vec<Rule>, ApiError> {
    let command = verb(table.menu(), "print")
        .fields(".id,chain,action,comment,disabled,dynamic,bytes,packets");
    read(router, command, |row| {
        Ok(Rule {
            id: row.id(".id")?,
            chain: row.required("chain")?,
            action: row.required("action")?,
            comment: row.text("comment"),
            is_disabled: row.is("disabled"),
            is_dynamic: row.is("dynamic"),
            octets: row.count("bytes"),
            packets: row.count("packets"),
        })
    })
    .await
}
