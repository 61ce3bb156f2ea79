//! The address of an accepted login, where this side hands it out: out of a server-side pool into the entitlement.

use crate::app::{App, Asked};
use crate::domain::access::{Accepted, AddressChoice, OpenSession, Reason};
use crate::domain::address::Lease;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::pool::PoolKind;
use crate::domain::session::Presence;
use crate::domain::time::Timestamp;

/// Who logs in, as far as addresses go.
pub(super) struct Line<'a> {
    pub subscriber: SubscriberId,
    pub nas: NasId,
    pub mac: Option<Mac>,
    /// One session at most.
    pub is_alone: bool,
    pub open: &'a [OpenSession],
}

/// Replaces the names of server-side pools in the entitlement by an address and a prefix. Plans without such pools pass.
/// Errors: `NoAddress` when the pool that the plan asks for is gone, or has nothing left.
pub(super) fn choose(
    app: &App,
    line: &Line<'_>,
    accepted: &mut Accepted,
    now: Timestamp,
) -> Result<(), Reason> {
    let addresses = app.addresses();
    let leaving = leaving(line, &accepted.replaces);
    let asked = Asked {
        subscriber: line.subscriber,
        nas: line.nas,
        mac: line.mac,
        is_alone: line.is_alone,
        leaving: &leaving,
    };
    let take = |pool: &_| addresses.take(pool, &asked, &app.accounting, &app.store, now);
    let entitlement = &mut accepted.entitlement;
    if let AddressChoice::Server(name) = &entitlement.address {
        let pool = addresses.pool(name).ok_or(Reason::NoAddress)?;
        let PoolKind::V4(_) = pool.kind else {
            return Err(Reason::NoAddress);
        };
        match take(&pool) {
            Some(Lease::Address(address)) => entitlement.address = AddressChoice::Static(address),
            _ => return Err(Reason::NoAddress),
        }
    }
    if entitlement.delegated_pool.is_empty() || entitlement.delegated_prefix.is_some() {
        return Ok(());
    }
    // Any other name is that of a pool on the router.
    if let Some(pool) = addresses.pool(&entitlement.delegated_pool)
        && let PoolKind::Delegated(_) = pool.kind
    {
        let Some(Lease::Prefix(prefix, length)) = take(&pool) else {
            return Err(Reason::NoAddress);
        };
        entitlement.delegated_prefix = Some((prefix, length));
        entitlement.delegated_pool.clear();
    }
    Ok(())
}

/// Open sessions whose addresses this login may have: those that it replaces, those of the same line, which the router has
/// given up, and those that fell silent.
fn leaving(line: &Line<'_>, replaces: &[SessionId]) -> Vec<SessionId> {
    line.open
        .iter()
        .filter(|s| {
            let is_same_line = s.mac.is_some() && (s.nas, s.mac) == (line.nas, line.mac);
            replaces.contains(&s.id) || is_same_line || s.presence != Presence::Online
        })
        .map(|s| s.id)
        .collect()
}
