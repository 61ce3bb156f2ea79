//! Operators and their signed-in browsers.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::{LOGINS, OPERATORS};
use super::{Change, Read, StoreError, Tx, ids, rows};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;

/// Bounds the list; more people than work in a small ISP.
pub const MOST_OPERATORS: usize = 1_000;
/// Bounds the table of signed-in browsers; the oldest go first.
pub const MOST_LOGINS: usize = 5_000;

/// No Debug: it holds the password's hash.
#[derive(Clone)]
pub struct StoredOperator {
    pub operator: Operator,
    /// A PHC string (argon2id); empty for the account of remote support, which has no password.
    pub password_hash: String,
    /// Absent while the password alone lets in.
    pub factor: Option<StoredFactor>,
    /// Of the account of remote support only.
    pub support: Option<SupportTerm>,
}

/// A second factor: the time-based codes of a phone, and the recovery codes for when it is lost. No Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFactor {
    /// What the phone knows, sealed for [`factor_context`].
    pub sealed_secret: Vec<u8>,
    /// The time step of the last code that was used: neither it nor an older one works again (RFC 6238 section 5.2).
    pub last_step: u64,
    /// SHA-256 of each recovery code that is left; they are random, so they need no slow hash.
    pub recovery: Vec<[u8; 32]>,
    pub since: Timestamp,
}

/// For how long remote support is on. No Debug.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SupportTerm {
    pub until: Timestamp,
    /// SHA-256 of the one-time code; absent once it was used.
    pub code_hash: Option<[u8; 32]>,
}

/// Where the secret of an operator's second factor is sealed for.
pub fn factor_context(id: OperatorId) -> String {
    format!("operator/{}/factor", id.0)
}

/// A signed-in browser. Its key is the hash of the token in the cookie. No Debug: it holds the token of its forms.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredLogin {
    pub operator: OperatorId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub address: String,
    pub user_agent: String,
    /// Goes into every form.
    pub csrf: String,
}

pub type TokenHash = [u8; 32];

const LOWEST: TokenHash = [0; 32];

pub use v1::{LoginRow, OperatorRow};

mod v1 {
    use super::*;

    #[derive(Clone, Encode, Decode)]
    pub struct OperatorRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub role: String,
        #[n(2)]
        pub password_hash: String,
        #[n(3)]
        pub created_at: i64,
        #[n(4)]
        pub factor: Option<FactorRow>,
        #[n(5)]
        pub support: Option<SupportRow>,
    }

    #[derive(Clone, Encode, Decode)]
    pub struct FactorRow {
        #[n(0)]
        pub sealed_secret: ByteVec,
        #[n(1)]
        pub last_step: u64,
        #[n(2)]
        pub recovery: Vec<ByteArray<32>>,
        #[n(3)]
        pub since: i64,
    }

    #[derive(Clone, Encode, Decode)]
    pub struct SupportRow {
        #[n(0)]
        pub until: i64,
        #[n(1)]
        pub code_hash: Option<ByteArray<32>>,
    }

    #[derive(Clone, Encode, Decode)]
    pub struct LoginRow {
        #[n(0)]
        pub operator: u32,
        #[n(1)]
        pub created_at: i64,
        #[n(2)]
        pub seen_at: i64,
        #[n(3)]
        pub address: String,
        #[n(4)]
        pub user_agent: String,
        #[n(5)]
        pub csrf: String,
    }
}

impl Record for OperatorRow {
    const VERSION: u8 = 1;
}

impl Record for LoginRow {
    const VERSION: u8 = 1;
}

impl OperatorRow {
    fn into_stored(self, id: OperatorId) -> Result<StoredOperator, StoreError> {
        let unknown = || rows::damaged(&OPERATORS, id, &format!("the role {}", self.role));
        let role = Role::from_word(&self.role).ok_or_else(unknown)?;
        Ok(StoredOperator {
            operator: Operator {
                id,
                name: self.name,
                role,
                created_at: Timestamp(self.created_at),
            },
            password_hash: self.password_hash,
            factor: self.factor.map(StoredFactor::from),
            support: self.support.map(|row| SupportTerm {
                until: Timestamp(row.until),
                code_hash: row.code_hash.map(Into::into),
            }),
        })
    }
}

impl From<v1::FactorRow> for StoredFactor {
    fn from(row: v1::FactorRow) -> Self {
        StoredFactor {
            sealed_secret: row.sealed_secret.into(),
            last_step: row.last_step,
            recovery: row.recovery.into_iter().map(Into::into).collect(),
            since: Timestamp(row.since),
        }
    }
}

impl From<&StoredFactor> for v1::FactorRow {
    fn from(factor: &StoredFactor) -> Self {
        v1::FactorRow {
            sealed_secret: factor.sealed_secret.clone().into(),
            last_step: factor.last_step,
            recovery: factor.recovery.iter().map(|hash| (*hash).into()).collect(),
            since: factor.since.0,
        }
    }
}

impl From<LoginRow> for StoredLogin {
    fn from(row: LoginRow) -> Self {
        StoredLogin {
            operator: OperatorId(row.operator),
            created_at: Timestamp(row.created_at),
            seen_at: Timestamp(row.seen_at),
            address: row.address,
            user_agent: row.user_agent,
            csrf: row.csrf,
        }
    }
}

impl From<&StoredLogin> for LoginRow {
    fn from(login: &StoredLogin) -> Self {
        LoginRow {
            operator: login.operator.0,
            created_at: login.created_at.0,
            seen_at: login.seen_at.0,
            address: login.address.clone(),
            user_agent: login.user_agent.clone(),
            csrf: login.csrf.clone(),
        }
    }
}

pub fn all(read: &impl Read) -> Result<Vec<StoredOperator>, StoreError> {
    let rows = read.range(&OPERATORS, 0u32.., MOST_OPERATORS)?;
    rows.into_iter()
        .map(|(id, row): (u32, OperatorRow)| row.into_stored(OperatorId(id)))
        .collect()
}

pub fn get(read: &impl Read, id: OperatorId) -> Result<Option<StoredOperator>, StoreError> {
    read.get(&OPERATORS, id.0)?
        .map(|row: OperatorRow| row.into_stored(id))
        .transpose()
}

/// Finds an operator by name, without case.
pub fn named(read: &impl Read, name: &str) -> Result<Option<StoredOperator>, StoreError> {
    let wanted = fold_case(name.trim());
    Ok(all(read)?
        .into_iter()
        .find(|o| fold_case(&o.operator.name) == wanted))
}

pub fn login(read: &impl Read, token: &TokenHash) -> Result<Option<StoredLogin>, StoreError> {
    Ok(read.get(&LOGINS, *token)?.map(StoredLogin::from))
}

/// All signed-in browsers, in no useful order.
pub fn logins(read: &impl Read) -> Result<Vec<(TokenHash, StoredLogin)>, StoreError> {
    let rows = read.range(&LOGINS, LOWEST.., MOST_LOGINS)?;
    Ok(rows
        .into_iter()
        .map(|(token, row)| (token, row.into()))
        .collect())
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<OperatorId, StoreError> {
    ids::next(tx, ids::OPERATOR).map(OperatorId)
}

pub fn put(tx: &mut Tx<'_>, stored: &StoredOperator) -> Result<(), StoreError> {
    let row = OperatorRow {
        name: stored.operator.name.clone(),
        role: stored.operator.role.word().to_owned(),
        password_hash: stored.password_hash.clone(),
        created_at: stored.operator.created_at.0,
        factor: stored.factor.as_ref().map(v1::FactorRow::from),
        support: stored.support.map(|term| v1::SupportRow {
            until: term.until.0,
            code_hash: term.code_hash.map(Into::into),
        }),
    };
    tx.insert(&OPERATORS, stored.operator.id.0, &row)?;
    tx.touch(Change::Operators);
    Ok(())
}

/// Removes an operator with all its browsers.
pub fn remove(tx: &mut Tx<'_>, id: OperatorId) -> Result<(), StoreError> {
    sign_out(tx, id, None)?;
    tx.remove(&OPERATORS, id.0)?;
    tx.touch(Change::Operators);
    Ok(())
}

/// Signs out every browser of an operator but `kept`, and says how many.
pub fn sign_out(
    tx: &mut Tx<'_>,
    id: OperatorId,
    kept: Option<TokenHash>,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for (token, login) in logins(tx)? {
        if login.operator == id && Some(token) != kept {
            remove_login(tx, &token)?;
            count += 1;
        }
    }
    Ok(count)
}

pub fn put_login(
    tx: &mut Tx<'_>,
    token: &TokenHash,
    login: &StoredLogin,
) -> Result<(), StoreError> {
    tx.insert(&LOGINS, *token, &LoginRow::from(login))?;
    tx.touch(Change::Operators);
    Ok(())
}

pub fn remove_login(tx: &mut Tx<'_>, token: &TokenHash) -> Result<bool, StoreError> {
    let removed = tx.remove(&LOGINS, *token)?;
    tx.touch(Change::Operators);
    Ok(removed)
}
