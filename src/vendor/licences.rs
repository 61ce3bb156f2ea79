//! What the vendor's people do with licences: issue, change, revoke, free for another machine, look.

use super::VendorError;
use super::desk::Desk;
use super::records::{self, Who};
use super::tables::{CustomerRow, LicenceRow, RevokedRow};
use crate::crypto::CryptoError;
use crate::domain::text;
use crate::domain::time::{DAY, Timestamp};
use crate::licence::LicenceKey;
use crate::store::Tx;

/// Characters of names, addresses and reasons.
const LONGEST_TEXT: usize = 200;
/// Days of a term and of a grace; more is for ever.
pub const MOST_DAYS: u32 = 36_500;
pub const MOST_GRACE_DAYS: u16 = 365;
/// Grace of a licence when nobody says otherwise.
pub const USUAL_GRACE_DAYS: u16 = 14;
/// Licences of one page.
pub const PAGE: usize = 100;

/// What a licence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// None means any number.
    pub most_subscribers: Option<u32>,
    /// From now on; none means for ever.
    pub days: Option<u32>,
    pub grace_days: u16,
}

impl Terms {
    fn check(&self) -> Result<(), VendorError> {
        if self.days.is_some_and(|days| days == 0 || days > MOST_DAYS) {
            return Err(VendorError::field(
                "days",
                format!("1 to {MOST_DAYS}, or nothing"),
            ));
        }
        if self.grace_days > MOST_GRACE_DAYS {
            return Err(VendorError::field(
                "grace",
                format!("0 to {MOST_GRACE_DAYS}"),
            ));
        }
        Ok(())
    }

    fn ends(&self, now: Timestamp) -> Option<i64> {
        self.days
            .map(|days| now.plus(i64::from(days).saturating_mul(DAY)).0)
    }

    fn words(&self) -> String {
        let or = |number: Option<u32>, none: &str| {
            number.map_or_else(|| none.to_owned(), |number| number.to_string())
        };
        format!(
            "subscribers {}, days {}, grace {}",
            or(self.most_subscribers, "any"),
            or(self.days, "for ever"),
            self.grace_days
        )
    }
}

/// A licence to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub customer: String,
    pub email: String,
    pub terms: Terms,
}

/// One licence with its customer, for lists and pages.
#[derive(Clone)]
pub struct Listed {
    pub id: u32,
    pub customer: CustomerRow,
    pub licence: LicenceRow,
}

impl Desk {
    /// Makes a licence. Its key is the only thing that the customer needs.
    pub async fn issue(&self, who: Who, issue: &Issue) -> Result<(u32, LicenceKey), VendorError> {
        issue.terms.check()?;
        let customer = CustomerRow {
            name: line("customer", &issue.customer, true)?,
            email: line("email", &issue.email, false)?,
            created_at: self.now().0,
        };
        let key = LicenceKey::generate()?;
        let (sealer, now, terms, made) = (
            self.store.sealer().clone(),
            self.now(),
            issue.terms,
            key.clone(),
        );
        let id = self
            .store
            .write("issue licence", move |tx| {
                let customer = records::customer_named(tx, &customer)?;
                let id = records::next_licence(tx)?;
                let row = LicenceRow {
                    customer,
                    sealed_key: sealer.seal(&key_context(id), key.expose().as_bytes())?,
                    key_hint: key.hint().to_owned(),
                    most_subscribers: terms.most_subscribers,
                    issued_at: now.0,
                    expires_at: terms.ends(now),
                    grace_days: terms.grace_days,
                    is_trial: false,
                    revoked: None,
                    hardware: None,
                    moves: 0,
                    last: None,
                };
                records::put_licence(tx, id, &row)?;
                records::put_key(tx, &key, id)?;
                records::log(tx, now, &who, "licence issued", Some(id), &terms.words())?;
                Ok::<_, VendorError>(id)
            })
            .await?;
        Ok((id, made))
    }

    /// Gives a licence other terms, counted from now; one that was revoked holds again.
    pub async fn renew(&self, who: Who, id: u32, terms: Terms) -> Result<(), VendorError> {
        terms.check()?;
        self.change(
            who,
            id,
            "licence renewed",
            terms.words(),
            move |row, now| {
                row.most_subscribers = terms.most_subscribers;
                row.expires_at = terms.ends(now);
                row.grace_days = terms.grace_days;
                row.is_trial = false;
                row.revoked = None;
            },
        )
        .await
    }

    /// Takes a licence back. Its machine hears of it within the hour.
    pub async fn revoke(&self, who: Who, id: u32, reason: &str) -> Result<(), VendorError> {
        let reason = line("reason", reason, false)?;
        let told = reason.clone();
        self.change(who, id, "licence revoked", told, move |row, now| {
            row.revoked = Some(RevokedRow {
                at: now.0,
                reason: reason.clone(),
            });
        })
        .await
    }

    /// Frees a licence from its machine: the next one that activates it has it.
    pub async fn move_on(&self, who: Who, id: u32) -> Result<(), VendorError> {
        self.change(
            who,
            id,
            "licence freed for another machine",
            String::new(),
            |row, _| {
                if row.hardware.take().is_some() {
                    row.moves = row.moves.saturating_add(1);
                }
            },
        )
        .await
    }

    async fn change(
        &self,
        who: Who,
        id: u32,
        what: &'static str,
        detail: String,
        change: impl Fn(&mut LicenceRow, Timestamp) + Send + 'static,
    ) -> Result<(), VendorError> {
        let now = self.now();
        self.store
            .write(what, move |tx: &mut Tx<'_>| {
                let mut row = records::licence(tx, id)?.ok_or(VendorError::Missing("licence"))?;
                change(&mut row, now);
                records::put_licence(tx, id, &row)?;
                Ok(records::log(tx, now, &who, what, Some(id), &detail)?)
            })
            .await
    }

    /// Licences from the newest on, below `before`, whose customer or key has `part`; at most [`PAGE`].
    pub fn licences(&self, before: u32, part: &str) -> Result<Vec<Listed>, VendorError> {
        let view = self.store.view()?;
        let part = part.trim().to_lowercase();
        let customer = |row: &LicenceRow| {
            let found = records::customer(&view, row.customer);
            found.ok().flatten().unwrap_or(CustomerRow {
                name: String::new(),
                email: String::new(),
                created_at: 0,
            })
        };
        let rows = records::licences(&view, before, PAGE, |id, row| {
            let known = customer(row);
            part.is_empty()
                || id.to_string() == part
                || row.key_hint.to_lowercase() == part
                || known.name.to_lowercase().contains(&part)
                || known.email.to_lowercase().contains(&part)
        })?;
        let listed = rows.into_iter().map(|(id, licence)| Listed {
            id,
            customer: customer(&licence),
            licence,
        });
        Ok(listed.collect())
    }

    pub fn licence(&self, id: u32) -> Result<Listed, VendorError> {
        let view = self.store.view()?;
        let licence = records::licence(&view, id)?.ok_or(VendorError::Missing("licence"))?;
        let customer = records::customer(&view, licence.customer)?;
        Ok(Listed {
            id,
            customer: customer.ok_or(VendorError::Missing("customer"))?,
            licence,
        })
    }

    /// The key of a licence in plain, for a customer who lost it. Each look is in the log.
    pub async fn show_key(&self, who: Who, id: u32) -> Result<LicenceKey, VendorError> {
        let listed = self.licence(id)?;
        let key = self.opened_key(id, &listed.licence)?;
        self.change(who, id, "licence key shown", String::new(), |_, _| ())
            .await?;
        Ok(key)
    }

    pub(super) fn opened_key(&self, id: u32, row: &LicenceRow) -> Result<LicenceKey, VendorError> {
        let plain = self
            .store
            .sealer()
            .unseal(&key_context(id), &row.sealed_key)?;
        let text = std::str::from_utf8(plain.expose()).map_err(|_| CryptoError::Unseal)?;
        Ok(LicenceKey::parse(text).map_err(|_| CryptoError::Unseal)?)
    }
}

/// The place that a sealed key belongs to.
pub(super) fn key_context(id: u32) -> Vec<u8> {
    format!("licences/{id}/key").into_bytes()
}

pub(super) fn line(
    field: &'static str,
    text: &str,
    is_needed: bool,
) -> Result<String, VendorError> {
    let line =
        text::line(text, LONGEST_TEXT).map_err(|problem| VendorError::Field { field, problem })?;
    match is_needed && line.is_empty() {
        true => Err(VendorError::field(field, "Needed")),
        false => Ok(line),
    }
}
