//! What appliances ask, and the signed answers they get.
//!
//! Invariants: a licence is bound by activation alone, to a machine that shows what it is; every answer repeats the nonce of
//! its question; what takes something away is signed, so that nobody in between can say it.

use minicbor::bytes::ByteArray;

use super::desk::Desk;
use super::licences::{key_context, line};
use super::records::{self, Setting, Who};
use super::tables::{CustomerRow, HeartbeatRow, LicenceRow};
use super::{Refusal, VendorError};
use crate::domain::time::{DAY, Timestamp};
use crate::licence::wire::{Question, Register};
use crate::licence::{Answer, Hardware, Licence, LicenceKey, Nonce, Verdict, base64url};
use crate::store::{Read, Tx};

/// Grace of a licence that a machine asked for itself.
const TRIAL_GRACE_DAYS: u16 = 7;
/// Characters of a version.
const LONGEST_VERSION: usize = 40;

/// What an appliance wants with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Activate,
    Validate,
    Heartbeat,
}

/// A question whose parts can be what they say they are.
struct Understood {
    key: LicenceKey,
    hardware: Hardware,
    nonce: Nonce,
    heartbeat: HeartbeatRow,
    is_leaving: bool,
}

impl Desk {
    /// Gives a machine that asks a licence for a while; the same machine gets the same one again.
    pub async fn register(
        &self,
        address: &str,
        asked: &Register,
    ) -> Result<LicenceKey, VendorError> {
        let hardware = hardware(&asked.hardware)?;
        let customer = CustomerRow {
            name: malformed(line("company", &asked.company, true))?,
            email: malformed(line("email", &asked.email, true))?,
            created_at: self.now().0,
        };
        let (sealer, now) = (self.store.sealer().clone(), self.now());
        let (key, who) = (LicenceKey::generate()?, Who::appliance(address));
        let made = key.clone();
        let known = self
            .store
            .write("register", move |tx| {
                let (days, most) = (
                    number(tx, Setting::TrialDays)?,
                    number(tx, Setting::TrialSubscribers)?,
                );
                if days == 0 {
                    return Err(Refusal::Closed.into());
                }
                let same = |row: &LicenceRow| {
                    let bound = row.hardware.as_ref();
                    bound.is_some_and(|bound| bound.is_same_machine(&hardware))
                };
                let known = records::licences(tx, u32::MAX, 1, |_, row| same(row))?;
                if let Some((id, row)) = known.into_iter().next() {
                    return match row.is_trial {
                        true => Ok(Some((id, row))),
                        false => Err(Refusal::KnownMachine.into()),
                    };
                }
                let customer = records::customer_named(tx, &customer)?;
                let id = records::next_licence(tx)?;
                let row = LicenceRow {
                    customer,
                    sealed_key: sealer.seal(&key_context(id), key.expose().as_bytes())?,
                    key_hint: key.hint().to_owned(),
                    most_subscribers: Some(most),
                    issued_at: now.0,
                    expires_at: Some(now.plus(i64::from(days).saturating_mul(DAY)).0),
                    grace_days: TRIAL_GRACE_DAYS,
                    is_trial: true,
                    revoked: None,
                    // Bound at once, so that the same machine is known when it asks again.
                    hardware: Some(hardware.clone()),
                    moves: 0,
                    last: None,
                };
                records::put_licence(tx, id, &row)?;
                records::put_key(tx, &key, id)?;
                records::log(
                    tx,
                    now,
                    &who,
                    "trial registered",
                    Some(id),
                    &customer_words(tx, &row)?,
                )?;
                Ok::<_, VendorError>(None)
            })
            .await?;
        match known {
            Some((id, row)) => self.opened_key(id, &row),
            None => Ok(made),
        }
    }

    /// The signed answer to a question. Errors: `Refusal`s, which need no proof because they take nothing away.
    pub async fn answer(
        &self,
        wanted: Wanted,
        address: &str,
        question: &Question,
    ) -> Result<String, VendorError> {
        let now = self.now();
        let read = read(question, address, now)?;
        let nonce = read.nonce;
        let who = Who::appliance(address);
        let (id, row, verdict, customer) = self
            .store
            .write("licence question", move |tx| {
                let found = records::licence_of(tx, &read.key)?;
                let (id, mut row) = found.ok_or(Refusal::UnknownKey)?;
                let (verdict, what) = decide(wanted, &mut row, &read)?;
                let mut heartbeat = read.heartbeat.clone();
                heartbeat.is_bound = verdict == Verdict::Good;
                records::add_heartbeat(tx, id, &heartbeat)?;
                row.last = Some(heartbeat);
                records::put_licence(tx, id, &row)?;
                if let Some(what) = what {
                    let detail = format!("machine {}", read.hardware.id());
                    records::log(tx, now, &who, what, Some(id), &detail)?;
                }
                let customer = customer_words(tx, &row)?;
                Ok::<_, VendorError>((id, row, verdict, customer))
            })
            .await?;
        let token = (verdict == Verdict::Good).then(|| self.token(id, &row, customer));
        let answer = Answer {
            nonce: ByteArray::from(nonce),
            at: now.0,
            licence: id,
            verdict,
            reason: row
                .revoked
                .map_or_else(String::new, |revoked| revoked.reason),
            token,
        };
        Ok(answer.sign(&self.signing))
    }

    fn token(&self, id: u32, row: &LicenceRow, customer: String) -> String {
        let licence = Licence {
            id,
            customer,
            hardware: row.hardware.clone().unwrap_or_default(),
            most_subscribers: row.most_subscribers,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            grace_days: row.grace_days,
            key_id: self.public_key().id(),
            is_trial: row.is_trial,
        };
        licence.sign(&self.signing)
    }

    /// Whether whoever has this key may have updates. Errors: `UnknownKey`, `Revoked`, `Expired`.
    pub fn admit(&self, key: &str) -> Result<u32, VendorError> {
        let key = LicenceKey::parse(key).map_err(|_| Refusal::UnknownKey)?;
        let found = records::licence_of(&self.store.view()?, &key)?;
        let (id, row) = found.ok_or(Refusal::UnknownKey)?;
        if row.revoked.is_some() {
            return Err(Refusal::Revoked.into());
        }
        let grace = i64::from(row.grace_days).saturating_mul(DAY);
        let is_over = |end: i64| end.saturating_add(grace) <= self.now().0;
        match row.expires_at.is_some_and(is_over) {
            true => Err(Refusal::Expired.into()),
            false => Ok(id),
        }
    }
}

/// What the vendor says, and a line for the log when something changed.
fn decide(
    wanted: Wanted,
    row: &mut LicenceRow,
    read: &Understood,
) -> Result<(Verdict, Option<&'static str>), Refusal> {
    if row.revoked.is_some() {
        return Ok((Verdict::Revoked, None));
    }
    let bound = row.hardware.as_ref();
    match bound.map(|bound| bound.is_same_machine(&read.hardware)) {
        Some(true) if read.is_leaving => {
            row.hardware = None;
            Ok((Verdict::Elsewhere, Some("licence given up")))
        }
        Some(true) => {
            // Parts may change one after the other.
            let is_new = row.hardware.as_ref() != Some(&read.hardware);
            row.hardware = Some(read.hardware.clone());
            Ok((Verdict::Good, is_new.then_some("machine changed a part")))
        }
        None if wanted == Wanted::Activate => {
            row.hardware = Some(read.hardware.clone());
            Ok((Verdict::Good, Some("licence activated")))
        }
        Some(false) if wanted == Wanted::Activate => Err(Refusal::OtherHardware),
        None | Some(false) => Ok((Verdict::Elsewhere, None)),
    }
}

fn read(question: &Question, address: &str, now: Timestamp) -> Result<Understood, Refusal> {
    let nonce = base64url::decode(&question.nonce)
        .and_then(|octets| Nonce::try_from(octets).ok())
        .ok_or_else(|| Refusal::Malformed("the nonce is not 16 octets as base64url".to_owned()))?;
    let version: String = question
        .version
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(LONGEST_VERSION)
        .collect();
    Ok(Understood {
        key: LicenceKey::parse(&question.key).map_err(|_| Refusal::UnknownKey)?,
        hardware: hardware(&question.hardware)?,
        nonce,
        heartbeat: HeartbeatRow {
            at: now.0,
            address: address.to_owned(),
            version,
            subscribers: question.subscribers,
            is_bound: false,
        },
        is_leaving: question.leaving,
    })
}

fn hardware(text: &str) -> Result<Hardware, Refusal> {
    let none = || Refusal::Malformed("the hardware cannot be read, or shows nothing".to_owned());
    Hardware::parse(text).ok_or_else(none)
}

/// What a person would correct in a form, a machine cannot.
fn malformed<T>(checked: Result<T, VendorError>) -> Result<T, VendorError> {
    checked.map_err(|error| match error {
        VendorError::Field { field, problem } => {
            Refusal::Malformed(format!("{field}: {problem}")).into()
        }
        other => other,
    })
}

fn number(tx: &Tx<'_>, setting: Setting) -> Result<u32, VendorError> {
    let text = records::setting(tx, setting)?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn customer_words(read: &impl Read, row: &LicenceRow) -> Result<String, VendorError> {
    let customer = records::customer(read, row.customer)?;
    Ok(customer.map_or_else(String::new, |customer| customer.name))
}
