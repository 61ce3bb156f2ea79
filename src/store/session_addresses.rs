//! Which ended sessions held which address: the index behind "who had this address at that time".
//!
//! Not here: the sessions themselves (`sessions`), and open ones (`accounting`). Invariant: an ended session stands under the
//! first number of everything it held last: its IPv4 address, its link prefix and its delegated prefix.

use std::net::Ipv6Addr;
use std::ops::ControlFlow;

use super::sessions::closed;
use super::tables::{CLOSED_SESSIONS, SESSIONS_BY_ADDRESS};
use super::{Order, Read, StoreError, Tx, sessions};
use crate::domain::address::Block;
use crate::domain::id::SessionId;
use crate::domain::session::{Place, Session};

/// Prefixes shorter than this are no subscriber's; bounds the keys that are tried for one address.
const SHORTEST_PREFIX: u8 = 16;
/// Rows indexed at once when an older store is opened.
const STEP: usize = 10_000;

pub(super) fn put(tx: &mut Tx<'_>, id: SessionId, place: &Place) -> Result<(), StoreError> {
    for block in place.blocks().into_iter().flatten() {
        tx.insert(&SESSIONS_BY_ADDRESS, (block.first, id.0), &())?;
    }
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, id: SessionId, place: &Place) -> Result<(), StoreError> {
    for block in place.blocks().into_iter().flatten() {
        tx.remove(&SESSIONS_BY_ADDRESS, (block.first, id.0))?;
    }
    Ok(())
}

/// Indexes all ended sessions, of a store that was written before there was this index.
pub(super) fn fill(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let mut from = 0_u64;
    loop {
        let rows: Vec<(u64, sessions::SessionRow)> = tx.range(&CLOSED_SESSIONS, from.., STEP)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        from = last.saturating_add(1);
        for (id, row) in rows {
            let session = row.into_session(SessionId(id));
            put(tx, session.id, &session.place)?;
        }
    }
}

/// Walks over the ended sessions that held any address of a stretch until `visit` breaks, newest first under each key:
/// those whose prefix contains it, then those within it. At most `look` sessions; says whether that was all.
pub fn each_holder(
    read: &impl Read,
    block: Block,
    look: usize,
    mut visit: impl FnMut(Session) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    let mut ids = Vec::new();
    let mut keys = containing(block);
    keys.push(block);
    for key in keys {
        let range = (key.first, 0_u64)..=(key.last, u64::MAX);
        let left = look.saturating_add(1).saturating_sub(ids.len());
        read.scan(
            &SESSIONS_BY_ADDRESS,
            range,
            Order::Descending,
            left,
            |(_, id): (u128, u64), ()| {
                ids.push(SessionId(id));
                ControlFlow::Continue(())
            },
        )?;
    }
    let is_all = ids.len() <= look;
    ids.truncate(look);
    // A session that stands under several keys is visited once.
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    for id in ids {
        let held = closed(read, id)?.filter(|s| {
            let mut blocks = s.place.blocks().into_iter().flatten();
            blocks.any(|held| held.overlaps(block))
        });
        if let Some(session) = held
            && visit(session).is_break()
        {
            break;
        }
    }
    Ok(is_all)
}

/// The first numbers before `block` at which a prefix that contains it may stand, each once.
fn containing(block: Block) -> Vec<Block> {
    let address = Ipv6Addr::from_bits(block.first);
    if address.to_ipv4_mapped().is_some() {
        return Vec::new();
    }
    let mut keys = Vec::new();
    for length in SHORTEST_PREFIX..128 {
        let first = Block::of_prefix((address, length)).first;
        let key = Block { first, last: first };
        if first < block.first && keys.last() != Some(&key) {
            keys.push(key);
        }
    }
    keys
}
