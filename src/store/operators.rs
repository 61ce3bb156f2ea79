//! Operators and their signed-in browsers.

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
    /// A PHC string (argon2id).
    pub password_hash: String,
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
        let role = Role::parse(&self.role).map_err(|why| rows::damaged(&OPERATORS, id, &why))?;
        Ok(StoredOperator {
            operator: Operator {
                id,
                name: self.name,
                role,
                created_at: Timestamp(self.created_at),
            },
            password_hash: self.password_hash,
        })
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
    };
    tx.insert(&OPERATORS, stored.operator.id.0, &row)?;
    tx.touch(Change::Operators);
    Ok(())
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
