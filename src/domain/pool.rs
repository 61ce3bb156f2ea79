//! Pools of addresses that this side hands out (rules.md section 8).
//!
//! Not here: which of them are taken (`allocation`, `app::addresses`). Invariant: the slots of a pool are its addresses or
//! prefixes in order, each once, at most [`MOST_IN_POOL`].

use super::Invalid;
use super::address::{Block, Lease, is_assignable, is_unicast};
use super::id::PoolId;
use super::nas::Network;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses or prefixes in one pool: 16 times what one machine serves; 128 KB of bits.
pub const MOST_IN_POOL: u32 = 1 << 20;
/// Ranges in one pool; bounds what a lookup walks over.
pub const MOST_RANGES: usize = 64;
/// The longest prefix that is delegated: one network.
const LONGEST_DELEGATED: u8 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub id: PoolId,
    /// By which plans name it.
    pub name: String,
    pub kind: PoolKind,
    /// A subscriber gets the last address again, if it is free.
    pub sticky: bool,
    pub notes: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolKind {
    /// One IPv4 address for each session.
    V4(Ranges),
    /// One IPv6 prefix for each session (RFC 3633).
    Delegated(Prefixes),
}

/// Ranges of IPv4 addresses, both ends included: in order, none over another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<(Ipv4Addr, Ipv4Addr)>);

/// An IPv6 network cut into prefixes of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixes {
    network: Ipv6Addr,
    length: u8,
    delegated: u8,
}

impl Ranges {
    /// Errors: no range, too many, ends the wrong way round or not for subscribers, an overlap, too many addresses.
    pub fn new(mut ranges: Vec<(Ipv4Addr, Ipv4Addr)>) -> Result<Ranges, Invalid> {
        if ranges.is_empty() {
            return Err(Invalid::new(
                "At least one range, such as 100.64.0.10-100.64.31.254",
            ));
        }
        if ranges.len() > MOST_RANGES {
            return Err(Invalid::new(format!("At most {MOST_RANGES} ranges")));
        }
        ranges.sort_unstable();
        let mut size = 0_u64;
        let mut before: Option<(Ipv4Addr, Ipv4Addr)> = None;
        for (first, last) in ranges.iter().copied() {
            if first > last {
                return Err(Invalid::new(format!("{first} comes after {last}")));
            }
            if !is_assignable(first) || !is_assignable(last) {
                return Err(Invalid::new(format!(
                    "Routers cannot give addresses of {first}-{last} to subscribers"
                )));
            }
            if let Some((other, end)) = before.filter(|(_, end)| *end >= first) {
                return Err(Invalid::new(format!(
                    "{first}-{last} overlaps {other}-{end}"
                )));
            }
            size = size.saturating_add(u64::from(count(first, last)));
            before = Some((first, last));
        }
        if size > u64::from(MOST_IN_POOL) {
            return Err(Invalid::new(format!(
                "At most {MOST_IN_POOL} addresses in one pool; these are {size}"
            )));
        }
        Ok(Ranges(ranges))
    }

    /// `100.64.0.10-100.64.31.254, 100.64.40.0/24`, one address, or several lines of these. A network stands for its hosts:
    /// without its first and last address, which some equipment does not take.
    pub fn parse(text: &str) -> Result<Ranges, Invalid> {
        let mut ranges = Vec::new();
        let parts = text.split([',', ';', '\n']).map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            if ranges.len() == MOST_RANGES {
                return Err(Invalid::new(format!("At most {MOST_RANGES} ranges")));
            }
            ranges.push(range(part)?);
        }
        Ranges::new(ranges)
    }

    pub fn list(&self) -> &[(Ipv4Addr, Ipv4Addr)] {
        &self.0
    }
}

/// What stands between two commas.
fn range(part: &str) -> Result<(Ipv4Addr, Ipv4Addr), Invalid> {
    let refused = || {
        let typed: String = part.chars().take(40).collect();
        Invalid::new(format!(
            "{typed} is no range such as 100.64.0.10-100.64.31.254 or 100.64.40.0/24"
        ))
    };
    let address = |text: &str| text.trim().parse::<Ipv4Addr>().map_err(|_| refused());
    if let Some((first, last)) = part.split_once('-') {
        return Ok((address(first)?, address(last)?));
    }
    if !part.contains('/') {
        let only = address(part)?;
        return Ok((only, only));
    }
    let network = Network::parse(part)?;
    let IpAddr::V4(first) = network.address() else {
        return Err(refused());
    };
    let above = u32::MAX.checked_shr(network.prefix().into()).unwrap_or(0);
    let last = Ipv4Addr::from_bits(first.to_bits() | above);
    Ok(match network.prefix() {
        31 | 32 => (first, last),
        _ => (
            Ipv4Addr::from_bits(first.to_bits().saturating_add(1)),
            Ipv4Addr::from_bits(last.to_bits().saturating_sub(1)),
        ),
    })
}

/// Addresses from `first` to `last`; all 2^32 count as one less.
fn count(first: Ipv4Addr, last: Ipv4Addr) -> u32 {
    last.to_bits()
        .saturating_sub(first.to_bits())
        .saturating_add(1)
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl Prefixes {
    /// Errors: no IPv6 network, or a length from which no or too many prefixes come.
    pub fn new(network: Network, delegated: u8) -> Result<Prefixes, Invalid> {
        let length = network.prefix();
        let address = match network.address() {
            IpAddr::V6(address) if length > 0 && is_unicast(address) => address,
            _ => {
                return Err(Invalid::new(
                    "An IPv6 network for subscribers, such as 2001:db8:100::/40",
                ));
            }
        };
        if !(length..=LONGEST_DELEGATED).contains(&delegated) {
            return Err(Invalid::new(format!(
                "A length from the network's {length} to {LONGEST_DELEGATED}"
            )));
        }
        let prefixes = Prefixes {
            network: address,
            length,
            delegated,
        };
        match prefixes.size() {
            size if size <= u128::from(MOST_IN_POOL) => Ok(prefixes),
            _ => Err(Invalid::new(format!(
                "At most {MOST_IN_POOL} prefixes in one pool: a longer network, or shorter prefixes"
            ))),
        }
    }

    /// The network and its length.
    pub fn network(&self) -> (Ipv6Addr, u8) {
        (self.network, self.length)
    }

    /// The length of the prefix that one session gets.
    pub fn delegated(&self) -> u8 {
        self.delegated
    }

    fn size(&self) -> u128 {
        let bits = u32::from(self.delegated.saturating_sub(self.length));
        1_u128.checked_shl(bits).unwrap_or(u128::MAX)
    }

    /// Addresses in one prefix.
    fn step(&self) -> u128 {
        1_u128
            .checked_shl(128 - u32::from(self.delegated))
            .unwrap_or(u128::MAX)
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{} of {}/{}", self.delegated, self.network, self.length)
    }
}

impl fmt::Display for PoolKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolKind::V4(ranges) => ranges.fmt(f),
            PoolKind::Delegated(prefixes) => prefixes.fmt(f),
        }
    }
}

impl PoolKind {
    /// Addresses or prefixes, at most [`MOST_IN_POOL`].
    pub fn size(&self) -> u32 {
        match self {
            PoolKind::V4(ranges) => ranges
                .0
                .iter()
                .map(|(first, last)| count(*first, *last))
                .fold(0, u32::saturating_add),
            PoolKind::Delegated(prefixes) => u32::try_from(prefixes.size()).unwrap_or(u32::MAX),
        }
    }

    /// What stands at a slot; `None` beyond the last.
    pub fn lease(&self, slot: u32) -> Option<Lease> {
        match self {
            PoolKind::V4(ranges) => {
                let mut left = slot;
                for (first, last) in &ranges.0 {
                    let here = count(*first, *last);
                    if left < here {
                        let bits = first.to_bits().saturating_add(left);
                        return Some(Lease::Address(Ipv4Addr::from_bits(bits)));
                    }
                    left -= here;
                }
                None
            }
            PoolKind::Delegated(prefixes) => {
                let offset = u128::from(slot).checked_mul(prefixes.step())?;
                let first = prefixes.network.to_bits().checked_add(offset)?;
                (slot < self.size())
                    .then(|| Lease::Prefix(Ipv6Addr::from_bits(first), prefixes.delegated))
            }
        }
    }

    /// The slot of what this pool may have handed out; `None` for what is not of this pool.
    pub fn slot(&self, lease: Lease) -> Option<u32> {
        match (self, lease) {
            (PoolKind::V4(ranges), Lease::Address(address)) => {
                let mut before = 0_u32;
                for (first, last) in &ranges.0 {
                    if (first..=last).contains(&&address) {
                        let here = address.to_bits().saturating_sub(first.to_bits());
                        return Some(before.saturating_add(here));
                    }
                    before = before.saturating_add(count(*first, *last));
                }
                None
            }
            (PoolKind::Delegated(prefixes), Lease::Prefix(address, length)) => {
                let offset = address.to_bits().checked_sub(prefixes.network.to_bits())?;
                let slot = u32::try_from(offset.checked_div(prefixes.step())?).ok()?;
                let is_whole = offset % prefixes.step() == 0;
                (length == prefixes.delegated && is_whole && slot < self.size()).then_some(slot)
            }
            _ => None,
        }
    }

    /// The stretches that the pool covers.
    pub fn blocks(&self) -> Vec<Block> {
        match self {
            PoolKind::V4(ranges) => ranges
                .0
                .iter()
                .map(|(first, last)| Block {
                    first: Block::of_v4(*first).first,
                    last: Block::of_v4(*last).last,
                })
                .collect(),
            PoolKind::Delegated(prefixes) => vec![Block::of_prefix(prefixes.network())],
        }
    }

    pub fn overlaps(&self, block: Block) -> bool {
        self.blocks().iter().any(|own| own.overlaps(block))
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
