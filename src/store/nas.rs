//! NAS devices, with their shared secrets sealed under `nas:<id>`.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::codec::Record;
use super::sessions::{address, address_octets};
use super::tables::NAS;
use super::{Change, Read, StoreError, Tx, ids, rows};
use crate::domain::id::NasId;
use crate::domain::nas::{
    ApiAccess, ApiTransport, CoaForm, MessageAuthenticator, Nas, Network, Profile, UsageSource,
};
use crate::domain::radsec::RadsecTrust;
use crate::domain::time::Timestamp;

/// More routers than a small ISP has; bounds lists and the table in memory.
pub const MOST_NAS: usize = 5_000;

/// What the secret of a NAS is sealed under.
pub fn secret_context(id: NasId) -> String {
    format!("nas:{}", id.0)
}

#[derive(Debug, Clone)]
pub struct StoredNas {
    pub nas: Nas,
    pub sealed_secret: Vec<u8>,
    /// Empty where there is no API user.
    pub sealed_api_password: Vec<u8>,
}

/// What the API password of a NAS is sealed under.
pub fn api_context(id: NasId) -> String {
    format!("nas-api:{}", id.0)
}

pub use v1::NasRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct NasRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub network: String,
        #[n(2)]
        pub profile: String,
        #[n(3)]
        pub coa_port: u16,
        /// 0 auto, 1 auto and pinned, 2 required, 3 optional.
        #[n(4)]
        pub message_authenticator: u8,
        #[n(5)]
        pub limit_proxy_state: bool,
        #[n(6)]
        pub send_message_authenticator: bool,
        #[n(7)]
        pub swap_octets: bool,
        #[n(8)]
        pub interim_interval: Option<u32>,
        #[n(9)]
        pub notes: String,
        #[n(10)]
        pub created_at: i64,
        #[n(11)]
        pub sealed_secret: ByteVec,
        #[n(12)]
        pub api: Option<ApiRow>,
        /// Set where readings of the API are booked.
        #[n(13)]
        pub counts_by_api: Option<bool>,
        #[n(14)]
        pub api_fallback: Option<bool>,
        #[n(15)]
        pub sealed_api_password: Option<ByteVec>,
        /// 0 plain, 1 with Message-Authenticator, 2 with Event-Timestamp too.
        #[n(16)]
        pub coa_form: Option<u8>,
        #[n(17)]
        pub radsec: Option<RadsecRow>,
    }

    /// Either the fingerprint, or authority and name.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct RadsecRow {
        /// SHA-256 of the certificate.
        #[n(0)]
        pub pin: Option<ByteVec>,
        /// PEM.
        #[n(1)]
        pub authority: Option<String>,
        #[n(2)]
        pub name: Option<String>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct ApiRow {
        #[n(0)]
        pub address: Option<ByteVec>,
        #[n(1)]
        pub port: u16,
        #[n(2)]
        pub user: String,
        /// 0 plain, 1 pinned, 2 authority.
        #[n(3)]
        pub transport: u8,
        /// SHA-256 of the certificate, once it is known.
        #[n(4)]
        pub pin: Option<ByteVec>,
        /// PEM.
        #[n(5)]
        pub authority: Option<String>,
        #[n(6)]
        pub legacy_login: bool,
    }
}

impl From<&ApiAccess> for v1::ApiRow {
    fn from(api: &ApiAccess) -> Self {
        let (transport, pin, authority) = match &api.transport {
            ApiTransport::Plain => (0, None, None),
            ApiTransport::Pinned(pin) => (1, pin.map(|pin| pin.to_vec().into()), None),
            ApiTransport::Authority(pem) => (2, None, Some(pem.clone())),
        };
        v1::ApiRow {
            address: api.address.map(address_octets),
            port: api.port,
            user: api.user.clone(),
            transport,
            pin,
            authority,
            legacy_login: api.legacy_login,
        }
    }
}

impl From<v1::ApiRow> for ApiAccess {
    fn from(row: v1::ApiRow) -> Self {
        ApiAccess {
            address: row.address.as_ref().and_then(address),
            port: row.port,
            user: row.user,
            transport: match (row.transport, row.authority) {
                (0, _) => ApiTransport::Plain,
                (_, Some(pem)) => ApiTransport::Authority(pem),
                (_, None) => {
                    ApiTransport::Pinned(row.pin.and_then(|pin| pin.as_slice().try_into().ok()))
                }
            },
            legacy_login: row.legacy_login,
        }
    }
}

impl From<&RadsecTrust> for v1::RadsecRow {
    fn from(trust: &RadsecTrust) -> Self {
        match trust {
            RadsecTrust::Pinned(pin) => v1::RadsecRow {
                pin: Some(pin.to_vec().into()),
                authority: None,
                name: None,
            },
            RadsecTrust::Authority { pem, name } => v1::RadsecRow {
                pin: None,
                authority: Some(pem.clone()),
                name: Some(name.clone()),
            },
        }
    }
}

impl v1::RadsecRow {
    /// `None` for a row that says neither: then nobody is let in by it.
    fn into_trust(self) -> Option<RadsecTrust> {
        let pin = self.pin.and_then(|pin| pin.as_slice().try_into().ok());
        match (pin, self.authority, self.name) {
            (Some(pin), ..) => Some(RadsecTrust::Pinned(pin)),
            (None, Some(pem), Some(name)) => Some(RadsecTrust::Authority { pem, name }),
            _ => None,
        }
    }
}

impl Record for NasRow {
    const VERSION: u8 = 1;
}

impl From<&StoredNas> for NasRow {
    fn from(stored: &StoredNas) -> Self {
        let n = &stored.nas;
        NasRow {
            name: n.name.clone(),
            network: n.network.to_string(),
            profile: n.profile.word().to_owned(),
            coa_port: n.coa_port,
            message_authenticator: match n.message_authenticator {
                MessageAuthenticator::Auto { pinned: false } => 0,
                MessageAuthenticator::Auto { pinned: true } => 1,
                MessageAuthenticator::Required => 2,
                MessageAuthenticator::Optional => 3,
            },
            limit_proxy_state: n.limit_proxy_state,
            send_message_authenticator: n.send_message_authenticator,
            swap_octets: n.swap_octets,
            interim_interval: n.interim_interval,
            notes: n.notes.clone(),
            created_at: n.created_at.0,
            sealed_secret: stored.sealed_secret.clone().into(),
            api: n.api.as_ref().map(v1::ApiRow::from),
            counts_by_api: (n.usage_source == UsageSource::Api).then_some(true),
            api_fallback: n.api_fallback.then_some(true),
            sealed_api_password: (!stored.sealed_api_password.is_empty())
                .then(|| stored.sealed_api_password.clone().into()),
            coa_form: n.coa_form.map(|form| match form {
                CoaForm::Plain => 0,
                CoaForm::MessageAuthenticator => 1,
                CoaForm::Dated => 2,
                CoaForm::Radsec => 3,
            }),
            radsec: n.radsec.as_ref().map(v1::RadsecRow::from),
        }
    }
}

impl NasRow {
    fn into_stored(self, id: NasId) -> Result<StoredNas, StoreError> {
        let nas = Nas {
            id,
            name: self.name,
            network: Network::parse(&self.network).map_err(|why| rows::damaged(&NAS, id, &why))?,
            profile: Profile::parse(&self.profile).map_err(|why| rows::damaged(&NAS, id, &why))?,
            coa_port: self.coa_port,
            coa_form: self.coa_form.map(|form| match form {
                1 => CoaForm::MessageAuthenticator,
                2 => CoaForm::Dated,
                3 => CoaForm::Radsec,
                _ => CoaForm::Plain,
            }),
            message_authenticator: match self.message_authenticator {
                0 => MessageAuthenticator::Auto { pinned: false },
                1 => MessageAuthenticator::Auto { pinned: true },
                3 => MessageAuthenticator::Optional,
                _ => MessageAuthenticator::Required,
            },
            limit_proxy_state: self.limit_proxy_state,
            send_message_authenticator: self.send_message_authenticator,
            swap_octets: self.swap_octets,
            interim_interval: self.interim_interval,
            api: self.api.map(ApiAccess::from),
            usage_source: match self.counts_by_api {
                Some(true) => UsageSource::Api,
                _ => UsageSource::Accounting,
            },
            api_fallback: self.api_fallback.unwrap_or(false),
            radsec: self.radsec.and_then(v1::RadsecRow::into_trust),
            notes: self.notes,
            created_at: Timestamp(self.created_at),
        };
        Ok(StoredNas {
            nas,
            sealed_secret: self.sealed_secret.into(),
            sealed_api_password: self.sealed_api_password.map(Vec::from).unwrap_or_default(),
        })
    }
}

/// All NAS devices by id.
pub fn all(read: &impl Read) -> Result<Vec<StoredNas>, StoreError> {
    let rows = read.range(&NAS, 0u32.., MOST_NAS)?;
    rows.into_iter()
        .map(|(id, row): (u32, NasRow)| row.into_stored(NasId(id)))
        .collect()
}

pub fn get(read: &impl Read, id: NasId) -> Result<Option<StoredNas>, StoreError> {
    read.get(&NAS, id.0)?
        .map(|row: NasRow| row.into_stored(id))
        .transpose()
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<NasId, StoreError> {
    ids::next(tx, ids::NAS).map(NasId)
}

pub fn put(tx: &mut Tx<'_>, stored: &StoredNas) -> Result<(), StoreError> {
    tx.insert(&NAS, stored.nas.id.0, &NasRow::from(stored))?;
    tx.touch(Change::Nas(stored.nas.id.0));
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: NasId) -> Result<(), StoreError> {
    tx.remove(&NAS, id.0)?;
    tx.touch(Change::Nas(id.0));
    Ok(())
}
