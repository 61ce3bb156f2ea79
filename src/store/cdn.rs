//! CDN profiles, and the routers that are kept in step with them.

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::{CDN_PROFILES, CDN_ROUTERS};
use super::{Change, Read, StoreError, Tx, ids, rows};
use crate::domain::cdn::{CdnMode, CdnProfile};
use crate::domain::id::{CdnId, NasId};
use crate::domain::nas::Network;
use crate::domain::rate::Rate;
use crate::domain::time::Timestamp;

/// More lists than anybody keeps apart; bounds what one router is told.
pub const MOST_PROFILES: usize = 50;

pub use v1::{CdnProfileRow, CdnRouterRow};

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct CdnProfileRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub enabled: bool,
        /// 0 speed only, 1 speed and accounting.
        #[n(2)]
        pub mode: u8,
        #[n(3)]
        pub networks: Vec<String>,
        #[n(4)]
        pub upload_kbps: u64,
        #[n(5)]
        pub download_kbps: u64,
        #[n(6)]
        pub most_per_router: u16,
        #[n(7)]
        pub nas: Vec<u32>,
        #[n(8)]
        pub notes: String,
    }

    /// A router that an operator pushed to, which is kept in step since.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct CdnRouterRow {
        #[n(0)]
        pub since: i64,
    }
}

impl Record for CdnProfileRow {
    const VERSION: u8 = 1;
}

impl Record for CdnRouterRow {
    const VERSION: u8 = 1;
}

impl From<&CdnProfile> for CdnProfileRow {
    fn from(p: &CdnProfile) -> Self {
        CdnProfileRow {
            name: p.name.clone(),
            enabled: p.enabled,
            mode: match p.mode {
                CdnMode::SpeedOnly => 0,
                CdnMode::SpeedAndAccounting => 1,
            },
            networks: p.networks.iter().map(ToString::to_string).collect(),
            upload_kbps: p.rate.upload_kbps,
            download_kbps: p.rate.download_kbps,
            most_per_router: p.most_per_router,
            nas: p.nas.iter().map(|id| id.0).collect(),
            notes: p.notes.clone(),
        }
    }
}

impl CdnProfileRow {
    fn into_profile(self, id: CdnId) -> Result<CdnProfile, StoreError> {
        let networks = self.networks.iter().map(|text| Network::parse(text));
        let networks: Result<Vec<Network>, _> = networks.collect();
        Ok(CdnProfile {
            id,
            name: self.name,
            enabled: self.enabled,
            mode: match self.mode {
                1 => CdnMode::SpeedAndAccounting,
                _ => CdnMode::SpeedOnly,
            },
            networks: networks.map_err(|why| rows::damaged(&CDN_PROFILES, id.0, &why))?,
            rate: Rate::new(self.upload_kbps, self.download_kbps),
            most_per_router: self.most_per_router,
            nas: self.nas.into_iter().map(NasId).collect(),
            notes: self.notes,
        })
    }
}

pub fn get(read: &impl Read, id: CdnId) -> Result<Option<CdnProfile>, StoreError> {
    let row: Option<CdnProfileRow> = read.get(&CDN_PROFILES, id.0)?;
    row.map(|row| row.into_profile(id)).transpose()
}

/// All profiles by id.
pub fn all(read: &impl Read) -> Result<Vec<CdnProfile>, StoreError> {
    let rows = read.range(&CDN_PROFILES, 0u32.., MOST_PROFILES)?;
    rows.into_iter()
        .map(|(id, row): (u32, CdnProfileRow)| row.into_profile(CdnId(id)))
        .collect()
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<CdnId, StoreError> {
    ids::next(tx, ids::CDN_PROFILE).map(CdnId)
}

pub fn put(tx: &mut Tx<'_>, profile: &CdnProfile) -> Result<(), StoreError> {
    tx.insert(&CDN_PROFILES, profile.id.0, &CdnProfileRow::from(profile))?;
    tx.touch(Change::Cdn);
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: CdnId) -> Result<(), StoreError> {
    tx.remove(&CDN_PROFILES, id.0)?;
    tx.touch(Change::Cdn);
    Ok(())
}

/// Since when a router is kept in step; `None` for one that nobody pushed to.
pub fn kept_since(read: &impl Read, nas: NasId) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<CdnRouterRow> = read.get(&CDN_ROUTERS, nas.0)?;
    Ok(row.map(|row| Timestamp(row.since)))
}

/// The routers that are kept in step.
pub fn kept(read: &impl Read) -> Result<Vec<NasId>, StoreError> {
    let rows = read.range(&CDN_ROUTERS, 0u32.., super::nas::MOST_NAS)?;
    Ok(rows
        .into_iter()
        .map(|(id, _): (u32, CdnRouterRow)| NasId(id))
        .collect())
}

pub fn keep(tx: &mut Tx<'_>, nas: NasId, since: Timestamp) -> Result<(), StoreError> {
    tx.insert(&CDN_ROUTERS, nas.0, &CdnRouterRow { since: since.0 })?;
    tx.touch(Change::Cdn);
    Ok(())
}

pub fn let_go(tx: &mut Tx<'_>, nas: NasId) -> Result<(), StoreError> {
    tx.remove(&CDN_ROUTERS, nas.0)?;
    tx.touch(Change::Cdn);
    Ok(())
}
