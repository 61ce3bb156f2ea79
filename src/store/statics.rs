//! Addresses and prefixes that are set aside for one subscriber: who holds which.
//!
//! Written with the subscriber's record (`subscribers`). Invariant: no two of them share an address; the caller of
//! `subscribers::put` checks that, in its transaction.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use super::tables::{STATIC_ADDRESSES, STATIC_PREFIXES};
use super::{Order, Read, StoreError, Tx};
use crate::domain::address::Block;
use crate::domain::id::SubscriberId;
use crate::domain::nas::Network;
use crate::domain::subscriber::Subscriber;

/// What is set aside for one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Static {
    pub subscriber: SubscriberId,
    pub network: Network,
}

pub(super) fn put(tx: &mut Tx<'_>, new: &Subscriber) -> Result<(), StoreError> {
    if let Some(address) = new.static_address {
        tx.insert(&STATIC_ADDRESSES, address.to_bits(), &new.id.0)?;
    }
    if let Some((prefix, length)) = new.static_prefix {
        tx.insert(&STATIC_PREFIXES, (prefix.to_bits(), length), &new.id.0)?;
    }
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, old: &Subscriber) -> Result<(), StoreError> {
    if let Some(address) = old.static_address {
        tx.remove(&STATIC_ADDRESSES, address.to_bits())?;
    }
    if let Some((prefix, length)) = old.static_prefix {
        tx.remove(&STATIC_PREFIXES, (prefix.to_bits(), length))?;
    }
    Ok(())
}

/// Who holds a static address.
pub fn address_holder(
    read: &impl Read,
    address: Ipv4Addr,
) -> Result<Option<SubscriberId>, StoreError> {
    Ok(read
        .get(&STATIC_ADDRESSES, address.to_bits())?
        .map(SubscriberId))
}

/// Who else than `own` holds a static prefix that shares an address with this one.
pub fn prefix_holder(
    read: &impl Read,
    prefix: (Ipv6Addr, u8),
    own: Option<SubscriberId>,
) -> Result<Option<SubscriberId>, StoreError> {
    let wanted = Block::of_prefix(prefix);
    let mut holder = None;
    // They do not overlap, so only the last before it and the first within it can; the own one may lie between.
    for (range, order) in [
        ((0, 0)..=(wanted.first, u8::MAX), Order::Descending),
        ((wanted.first, 0)..=(wanted.last, u8::MAX), Order::Ascending),
    ] {
        read.scan(&STATIC_PREFIXES, range, order, 2, |(first, length), id| {
            let held = Block::of_prefix((Ipv6Addr::from_bits(first), length));
            if held.overlaps(wanted) && own != Some(SubscriberId(id)) {
                holder = Some(SubscriberId(id));
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(holder)
}

/// All of them in order, IPv4 first: at most one of each kind for a subscriber.
pub fn all(read: &impl Read) -> Result<Vec<Static>, StoreError> {
    let mut found = Vec::new();
    let mut show = |address, length, id| {
        found.push(Static {
            subscriber: SubscriberId(id),
            network: Network::new(address, length),
        });
        ControlFlow::Continue(())
    };
    let order = Order::Ascending;
    read.scan(&STATIC_ADDRESSES, 0u32.., order, usize::MAX, |bits, id| {
        show(IpAddr::V4(Ipv4Addr::from_bits(bits)), 32, id)
    })?;
    read.scan(
        &STATIC_PREFIXES,
        (0u128, 0u8)..,
        order,
        usize::MAX,
        |(bits, length), id| show(IpAddr::V6(Ipv6Addr::from_bits(bits)), length, id),
    )?;
    Ok(found)
}

/// How many there are.
pub fn count(read: &impl Read) -> Result<u64, StoreError> {
    let addresses = read.count(&STATIC_ADDRESSES)?;
    Ok(addresses.saturating_add(read.count(&STATIC_PREFIXES)?))
}
