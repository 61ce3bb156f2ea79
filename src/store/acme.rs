//! Certificates by ACME: what is asked for, how it went, and the account. One row.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::ACME;
use super::{Read, StoreError, Tx};
use crate::domain::acme::Acme;
use crate::domain::time::Timestamp;

pub use v1::AcmeRow;

/// What the account is sealed for.
pub const ACCOUNT_CONTEXT: &[u8] = b"acme/account";
/// What the key of the account elsewhere is sealed for.
pub const BINDING_CONTEXT: &[u8] = b"acme/binding";

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct AcmeRow {
        #[n(0)]
        pub names: Vec<String>,
        #[n(1)]
        pub email: String,
        #[n(2)]
        pub directory: String,
        #[n(3)]
        pub authority: String,
        #[n(4)]
        pub is_on: bool,
        /// Sealed; JSON text of the ACME client, with the private key of the account.
        #[n(5)]
        pub account: Option<ByteVec>,
        #[n(6)]
        pub failures: u32,
        #[n(7)]
        pub last_error: String,
        #[n(8)]
        pub last_try: Option<i64>,
        #[n(9)]
        pub tries: Vec<i64>,
        #[n(10)]
        pub key_id: Option<String>,
        /// Sealed.
        #[n(11)]
        pub binding_key: Option<ByteVec>,
    }
}

impl Record for AcmeRow {
    const VERSION: u8 = 1;
}

/// What is stored, with the sealed account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    pub acme: Acme,
    /// Sealed for [`ACCOUNT_CONTEXT`]; `None` before the first order.
    pub account: Option<Vec<u8>>,
    /// The key that belongs to `acme.key_id`, sealed for [`BINDING_CONTEXT`].
    pub binding_key: Option<Vec<u8>>,
}

impl From<&Stored> for AcmeRow {
    fn from(stored: &Stored) -> Self {
        let acme = &stored.acme;
        AcmeRow {
            names: acme.names.clone(),
            email: acme.email.clone(),
            directory: acme.directory.clone(),
            authority: acme.authority.clone(),
            is_on: acme.is_on,
            account: stored.account.clone().map(ByteVec::from),
            failures: acme.failures,
            last_error: acme.last_error.clone(),
            last_try: acme.last_try.map(|at| at.0),
            tries: acme.tries.iter().map(|at| at.0).collect(),
            key_id: Some(acme.key_id.clone()).filter(|id| !id.is_empty()),
            binding_key: stored.binding_key.clone().map(ByteVec::from),
        }
    }
}

impl From<AcmeRow> for Stored {
    fn from(row: AcmeRow) -> Self {
        Stored {
            acme: Acme {
                names: row.names,
                email: row.email,
                directory: row.directory,
                authority: row.authority,
                is_on: row.is_on,
                failures: row.failures,
                last_error: row.last_error,
                last_try: row.last_try.map(Timestamp),
                tries: row.tries.into_iter().map(Timestamp).collect(),
                key_id: row.key_id.unwrap_or_default(),
            },
            account: row.account.map(Vec::from),
            binding_key: row.binding_key.map(Vec::from),
        }
    }
}

/// What is stored; the default before anything was asked for.
pub fn get(read: &impl Read) -> Result<Stored, StoreError> {
    let row: Option<AcmeRow> = read.get(&ACME, 0)?;
    Ok(row.map(Stored::from).unwrap_or_default())
}

pub fn put(tx: &mut Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    tx.insert(&ACME, 0, &stored.into())
}
