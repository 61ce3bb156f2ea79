//! Server-side pools of addresses. What of them is taken is known in memory only (`app::addresses`).

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::net::{IpAddr, Ipv4Addr};

use super::codec::Record;
use super::rows;
use super::sessions::{prefix, prefix_octets};
use super::tables::POOLS;
use super::{Change, Read, StoreError, Tx, ids};
use crate::domain::Invalid;
use crate::domain::id::PoolId;
use crate::domain::nas::Network;
use crate::domain::pool::{Pool, PoolKind, Prefixes, Ranges};

/// More pools than anybody keeps apart; bounds what a change of one reads again.
pub const MOST_POOLS: usize = 500;

pub use v1::PoolRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct PoolRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub sticky: bool,
        #[n(2)]
        pub notes: String,
        /// First and last IPv4 address of each range.
        #[n(3)]
        pub ranges: Option<Vec<(u32, u32)>>,
        /// Of a pool of delegated prefixes: the network, and the length of each prefix.
        #[n(4)]
        pub network: Option<ByteVec>,
        #[n(5)]
        pub delegated: Option<u8>,
    }
}

impl Record for PoolRow {
    const VERSION: u8 = 1;
}

impl From<&Pool> for PoolRow {
    fn from(p: &Pool) -> Self {
        let mut row = PoolRow {
            name: p.name.clone(),
            sticky: p.sticky,
            notes: p.notes.clone(),
            ranges: None,
            network: None,
            delegated: None,
        };
        match &p.kind {
            PoolKind::V4(ranges) => {
                let numbers = ranges.list().iter();
                let numbers = numbers.map(|(first, last)| (first.to_bits(), last.to_bits()));
                row.ranges = Some(numbers.collect());
            }
            PoolKind::Delegated(prefixes) => {
                row.network = Some(prefix_octets(prefixes.network()));
                row.delegated = Some(prefixes.delegated());
            }
        }
        row
    }
}

impl PoolRow {
    fn into_pool(self, id: PoolId) -> Result<Pool, StoreError> {
        let kind = self.kind().map_err(|why| rows::damaged(&POOLS, id, &why))?;
        Ok(Pool {
            id,
            name: self.name,
            kind,
            sticky: self.sticky,
            notes: self.notes,
        })
    }

    fn kind(&self) -> Result<PoolKind, Invalid> {
        let network = self.network.as_ref().and_then(prefix);
        if let (Some((address, length)), Some(delegated)) = (network, self.delegated) {
            let network = Network::new(IpAddr::V6(address), length);
            return Prefixes::new(network, delegated).map(PoolKind::Delegated);
        }
        let numbers = self.ranges.as_deref().unwrap_or_default().iter();
        let address = Ipv4Addr::from_bits;
        let ranges = numbers.map(|(first, last)| (address(*first), address(*last)));
        Ranges::new(ranges.collect()).map(PoolKind::V4)
    }
}

pub fn get(read: &impl Read, id: PoolId) -> Result<Option<Pool>, StoreError> {
    read.get(&POOLS, id.0)?
        .map(|row: PoolRow| row.into_pool(id))
        .transpose()
}

/// All pools by id.
pub fn all(read: &impl Read) -> Result<Vec<Pool>, StoreError> {
    read.range(&POOLS, 0u32.., MOST_POOLS)?
        .into_iter()
        .map(|(id, row): (u32, PoolRow)| row.into_pool(PoolId(id)))
        .collect()
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<PoolId, StoreError> {
    ids::next(tx, ids::POOL).map(PoolId)
}

/// That it overlaps no other pool, and has a name of its own, is the caller's check, in this transaction.
pub fn put(tx: &mut Tx<'_>, pool: &Pool) -> Result<(), StoreError> {
    tx.insert(&POOLS, pool.id.0, &PoolRow::from(pool))?;
    tx.touch(Change::Pools);
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: PoolId) -> Result<(), StoreError> {
    tx.remove(&POOLS, id.0)?;
    tx.touch(Change::Pools);
    Ok(())
}
