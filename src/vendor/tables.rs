//! The map of the vendor's store: every table with its key, value and rough size, and the shapes of its rows.
//!
//! Times are milliseconds since 1970. What a version wrote stays readable (`tests::rows`). Never renumber a field; new ones are optional. A table added after a release needs a
//! migration at the end of [`KIND`].

use minicbor::{Decode, Encode};

use crate::licence::Hardware;
use crate::store::codec::Record;
use crate::store::tables::{AnyMap, COUNTERS, META, Map};
use crate::store::{Kind, Migration, create};

/// The vendor's store.
pub const KIND: Kind = Kind {
    file_name: "vendor.redb",
    migrations: &[Migration {
        version: 1,
        name: "create the tables",
        run: |transaction| create(transaction, ALL),
    }],
};

/// Settings of the vendor. Key: word. A handful of rows.
pub const SETTINGS: Map<&str, String> = Map::new("settings");

/// Customers. Key: customer. Thousands of rows.
pub const CUSTOMERS: Map<u32, CustomerRow> = Map::new("customers");

/// Licences. Key: licence. Thousands of rows of 300 octets.
pub const LICENCES: Map<u32, LicenceRow> = Map::new("licences");

/// Which licence a key is of. Key: SHA-256 of the licence key. Thousands of rows.
pub const LICENCE_KEYS: Map<[u8; 32], u32> = Map::new("licence_keys");

/// What appliances said. Key: licence, ten minutes since 1970. Kept for 30 days, so at most 4,320 of one licence.
pub const HEARTBEATS: Map<(u32, i64), HeartbeatRow> = Map::new("heartbeats");

/// Releases. Key: release, in the order in which they were published. Tens of rows.
pub const RELEASES: Map<u32, ReleaseRow> = Map::new("releases");

/// What was done. Key: sequence. Only grows.
pub const LOG: Map<u64, LogRow> = Map::new("log");

const ALL: &[&dyn AnyMap] = &[
    &META,
    &COUNTERS,
    &SETTINGS,
    &CUSTOMERS,
    &LICENCES,
    &LICENCE_KEYS,
    &HEARTBEATS,
    &RELEASES,
    &LOG,
];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CustomerRow {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub email: String,
    #[n(2)]
    pub created_at: i64,
}

#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct LicenceRow {
    #[n(0)]
    pub customer: u32,
    /// The licence key, sealed under the key of the store.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed_key: Vec<u8>,
    /// Its last letters.
    #[n(2)]
    pub key_hint: String,
    /// None means any number.
    #[n(3)]
    pub most_subscribers: Option<u32>,
    #[n(4)]
    pub issued_at: i64,
    /// None means for ever.
    #[n(5)]
    pub expires_at: Option<i64>,
    #[n(6)]
    pub grace_days: u16,
    /// A machine asked for it itself.
    #[n(7)]
    pub is_trial: bool,
    #[n(8)]
    pub revoked: Option<RevokedRow>,
    /// The machine it is bound to.
    #[n(9)]
    pub hardware: Option<Hardware>,
    /// Times that it was freed for another machine.
    #[n(10)]
    pub moves: u32,
    /// What its machine said last.
    #[n(11)]
    pub last: Option<HeartbeatRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RevokedRow {
    #[n(0)]
    pub at: i64,
    /// What the customer is told.
    #[n(1)]
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HeartbeatRow {
    #[n(0)]
    pub at: i64,
    #[n(1)]
    pub address: String,
    #[n(2)]
    pub version: String,
    #[n(3)]
    pub subscribers: u64,
    /// False for a machine that the licence is not bound to.
    #[n(4)]
    pub is_bound: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReleaseRow {
    #[n(0)]
    pub version: String,
    /// As Debian names it: `amd64`, `arm64`.
    #[n(1)]
    pub architecture: String,
    /// In the folder of releases.
    #[n(2)]
    pub file_name: String,
    #[n(3)]
    pub octets: u64,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// What was signed of it.
    #[n(5)]
    pub manifest: String,
    #[n(6)]
    pub notes: String,
    #[n(7)]
    pub published_at: i64,
    /// Neither offered nor given out any more.
    #[n(8)]
    pub is_withdrawn: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LogRow {
    #[n(0)]
    pub at: i64,
    /// `page 192.0.2.7`, `command line`, `appliance 192.0.2.8`.
    #[n(1)]
    pub who: String,
    /// Past tense: `licence issued`.
    #[n(2)]
    pub what: String,
    #[n(3)]
    pub licence: Option<u32>,
    #[n(4)]
    pub detail: String,
}

impl Record for CustomerRow {
    const VERSION: u8 = 1;
}
impl Record for LicenceRow {
    const VERSION: u8 = 1;
}
impl Record for HeartbeatRow {
    const VERSION: u8 = 1;
}
impl Record for ReleaseRow {
    const VERSION: u8 = 1;
}
impl Record for LogRow {
    const VERSION: u8 = 1;
}
