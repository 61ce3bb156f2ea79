//! What is asked of a router and told to it, in the words of mikrotik.md b4 and b5: one file per noun.
//!
//! Here are the verbs that all menus share. Reads name their fields, because a router computes slow ones too when it
//! is not told; rows are read one by one and never lie in memory as a whole. What decides about a write, and in which
//! order, is not the business of this room.

pub mod cdn;
pub mod firewall;
pub mod interfaces;
pub mod pools;
pub mod ppp;
pub mod queues;
pub mod radius;
mod row;
pub mod system;

use std::fmt;
use std::time::Duration;

use super::client::{Reply, Router};
use super::error::ApiError;
use super::request::Command;
use super::rows::Limits;
use super::wire::Sentence;
use row::Row;

/// For one list (mikrotik.md b6).
const READ_TIME: Duration = Duration::from_secs(30);
/// Rows of one list: twice the sessions of the largest router.
const READ_ROWS_MAX: usize = 100_000;
/// For one change.
const WRITE_TIME: Duration = Duration::from_secs(10);

const READ: Limits = Limits {
    time: READ_TIME,
    rows: READ_ROWS_MAX,
};

/// No write gives rows.
const WRITE: Limits = Limits {
    time: WRITE_TIME,
    rows: 0,
};

/// Which item of a menu, such as `*1A`: good until the item is removed or the router restarts, so never to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemId(String);

impl ItemId {
    /// Of a row that [`print`] gave, with `.id` among its fields. Errors: `Value` when it is missing or empty.
    pub fn of(row: &Sentence) -> Result<ItemId, ApiError> {
        Row(row).id(".id")
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<[u8]> for ItemId {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The items of a menu as rows: `fields` comma-separated, `queries` without their `?` in the order of their stack.
pub async fn print(
    router: &Router,
    menu: &str,
    fields: &str,
    queries: &[&str],
) -> Result<Vec<Sentence>, ApiError> {
    let command = queries
        .iter()
        .fold(verb(menu, "print"), |command, query| command.query(query));
    let reply = router.call(command.fields(fields), READ).await?;
    Ok(reply.rows)
}

/// Adds an item and gives its id. `place-before` among the attributes says where, in menus where the order counts.
pub async fn add(
    router: &Router,
    menu: &str,
    attributes: &[(&str, &str)],
) -> Result<ItemId, ApiError> {
    let reply = write(router, with(verb(menu, "add"), attributes)).await?;
    Row(&reply.done).id("ret")
}

/// Changes the named attributes of an item.
pub async fn set(
    router: &Router,
    menu: &str,
    id: &ItemId,
    attributes: &[(&str, &str)],
) -> Result<(), ApiError> {
    let command = verb(menu, "set").with(".id", id);
    write(router, with(command, attributes)).await?;
    Ok(())
}

/// Makes an attribute of an item have no value, where an empty one would be another thing.
pub async fn unset(
    router: &Router,
    menu: &str,
    id: &ItemId,
    attribute: &str,
) -> Result<(), ApiError> {
    let command = verb(menu, "unset").with(".id", id);
    write(router, command.with("value-name", attribute)).await?;
    Ok(())
}

/// Removes an item. One that is gone is a success: whoever removes wants it gone.
pub async fn remove(router: &Router, menu: &str, id: &ItemId) -> Result<(), ApiError> {
    match write(router, verb(menu, "remove").with(".id", id)).await {
        Err(error) if !error.is_missing() => Err(error),
        _ => Ok(()),
    }
}

/// Moves an item before another, or to the end of its menu.
pub async fn move_before(
    router: &Router,
    menu: &str,
    id: &ItemId,
    before: Option<&ItemId>,
) -> Result<(), ApiError> {
    let command = verb(menu, "move").with("numbers", id);
    let command = match before {
        Some(before) => command.with("destination", before),
        None => command,
    };
    write(router, command).await?;
    Ok(())
}

fn verb(menu: &str, verb: &str) -> Command {
    Command::new(&format!("{menu}/{verb}"))
}

fn with(command: Command, attributes: &[(&str, &str)]) -> Command {
    attributes
        .iter()
        .fold(command, |command, (name, value)| command.with(name, value))
}

async fn write(router: &Router, command: Command) -> Result<Reply, ApiError> {
    router.call(command, WRITE).await
}

/// All rows of a list, each read as it comes.
async fn read<T>(
    router: &Router,
    command: Command,
    item: impl Fn(Row<'_>) -> Result<T, ApiError>,
) -> Result<Vec<T>, ApiError> {
    let mut rows = router.rows(command, READ)?;
    let mut items = Vec::new();
    while let Some(row) = rows.next().await? {
        items.push(item(Row(&row))?);
    }
    Ok(items)
}

/// The row of a menu that has one.
async fn read_one<T>(
    router: &Router,
    command: Command,
    item: impl Fn(Row<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let items = read(router, command, item).await?;
    items.into_iter().next().ok_or(ApiError::Value {
        field: "the only row",
        text: String::new(),
    })
}

#[cfg(test)]
mod tests;
