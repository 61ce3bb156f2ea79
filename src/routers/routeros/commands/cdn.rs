//! Objects of ours for CDN profiles: read as a whole, changed one by one, and the octets of their queues.

use super::{ItemId, READ, add, move_before, read, remove, set, verb};
use crate::domain::id::{CdnId, SessionId};
use crate::domain::octets::Traffic;
use crate::routers::routeros::cdn::{counted_mark, queue_of};
use crate::routers::routeros::client::Router;
use crate::routers::routeros::error::ApiError;
use crate::routers::routeros::objects::{Actual, Change, Menu};

/// All objects of ours, and where the dynamic queues stand. A router without IPv6 has none of those.
pub async fn actual(router: &Router) -> Result<Actual, ApiError> {
    let mut actual = Actual::default();
    for menu in Menu::ALL {
        match take(router, menu, &mut actual).await {
            Err(error) if menu.is_ipv6() && error.is_unknown_command() => {}
            result => result?,
        }
    }
    Ok(actual)
}

async fn take(router: &Router, menu: Menu, actual: &mut Actual) -> Result<(), ApiError> {
    let command = verb(menu.path(), "print").fields(menu.fields());
    let mut rows = router.rows(command, READ)?;
    while let Some(row) = rows.next().await? {
        actual.take(menu, &row);
    }
    Ok(())
}

/// Makes one change. An address that is on its list already, or a row that is gone, is what was wanted.
pub async fn apply(router: &Router, change: &Change) -> Result<(), ApiError> {
    let menu = change.menu();
    match change {
        Change::Add { item, before } => {
            let before = before.as_ref().map(ItemId::to_string);
            let mut attributes = texts(&item.fields);
            attributes.push(match menu {
                Menu::QueueType => ("name", &item.key),
                _ => ("comment", &item.key),
            });
            attributes.extend(before.as_deref().map(|id| ("place-before", id)));
            let is_list = matches!(menu, Menu::AddressList | Menu::AddressList6);
            match add(router, menu.path(), &attributes).await {
                Err(error) if is_list && error.is_duplicate() => Ok(()),
                result => result.map(drop),
            }
        }
        Change::Set { id, fields, .. } => set(router, menu.path(), id, &texts(fields)).await,
        Change::Move { id, before, .. } => {
            move_before(router, menu.path(), id, before.as_ref()).await
        }
        Change::Remove { id, .. } => remove(router, menu.path(), id).await,
    }
}

fn texts<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    let text = |(name, value): &'a (&'static str, String)| (*name, value.as_str());
    fields.iter().map(text).collect()
}

/// Rules of FastTrack that are on. What they take passes all queues and marks by (mikrotik.md a3).
pub async fn fasttrack_rules(router: &Router) -> Result<usize, ApiError> {
    let mut rules = 0;
    for (menu, is_ipv6) in [
        ("/ip/firewall/filter", false),
        ("/ipv6/firewall/filter", true),
    ] {
        let command = verb(menu, "print")
            .query("action=fasttrack-connection")
            .fields(".id,disabled");
        match read(router, command, |row| Ok(!row.is("disabled"))).await {
            Ok(found) => rules += found.into_iter().filter(|is_on| *is_on).count(),
            Err(error) if is_ipv6 && error.is_unknown_command() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rules)
}

/// What the queues of these profiles have counted since they were made. Only their rows are read: counters of all queues
/// would be too much every few seconds (mikrotik.md b6).
pub async fn counted(
    router: &Router,
    profiles: &[CdnId],
) -> Result<Vec<((CdnId, SessionId), Traffic)>, ApiError> {
    let mut counted = Vec::new();
    for profile in profiles {
        let command = verb(Menu::Queue.path(), "print")
            .query(&format!("packet-marks={}", counted_mark(*profile)))
            .fields(".id,comment,bytes");
        let queues = read(router, command, |row| {
            let comment = row.text("comment").unwrap_or_default();
            Ok(queue_of(&comment).zip(row.traffic("bytes")))
        });
        counted.extend(queues.await?.into_iter().flatten());
    }
    Ok(counted)
}
