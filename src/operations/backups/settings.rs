//! When backups are made, how many stay, and the passphrase that opens them.

use crate::app::App;
use crate::archive::Words;
use crate::crypto::{Secret, hex, unhex};
use crate::domain::audit::{Actor, Difference};
use crate::domain::backup::{Retention, Schedule};
use crate::operations::Error;
use crate::store::settings::{self as stored, Setting};
use crate::store::{Read, Tx};

use super::add_entry;

/// Shorter ones are guessed: whoever has the file can try as long as he likes.
pub const SHORTEST_PASSPHRASE: usize = 12;
pub const LONGEST_PASSPHRASE: usize = 200;
/// Where the sealed passphrase belongs.
const CONTEXT: &[u8] = b"settings/backup-passphrase";
/// More than anybody keeps of one kind.
pub const MOST_KEPT: u16 = 366;

/// What is set; the passphrase itself is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSettings {
    /// Nothing for never.
    pub schedule: Option<Schedule>,
    pub keep: Retention,
    pub has_passphrase: bool,
}

pub fn get(app: &App) -> Result<BackupSettings, Error> {
    read(&app.store.view()?)
}

fn read(from: &impl Read) -> Result<BackupSettings, Error> {
    let text = |setting| stored::get(from, setting);
    Ok(BackupSettings {
        schedule: text(Setting::BackupSchedule)?.and_then(|text| Schedule::parse(&text).ok()),
        keep: text(Setting::BackupRetention)?
            .and_then(|text| Retention::parse(&text))
            .unwrap_or_default(),
        has_passphrase: text(Setting::BackupPassphrase)?.is_some(),
    })
}

/// Errors: `Refused` for a schedule without a passphrase, and for nothing at all to keep.
pub async fn update(
    app: &App,
    actor: &Actor,
    schedule: Option<Schedule>,
    keep: Retention,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("change backups", move |tx| {
            let old = read(tx)?;
            if schedule.is_some() && !old.has_passphrase {
                return Err(Error::field("every", "Set a passphrase first"));
            }
            if keep.days == 0 && keep.weeks == 0 && keep.months == 0 {
                return Err(Error::field("keep_days", "Keep at least one"));
            }
            let words = |schedule: Option<Schedule>| match schedule {
                Some(schedule) => schedule.to_string(),
                None => "never".to_owned(),
            };
            let mut difference = Difference::default();
            difference
                .field("schedule", words(old.schedule), words(schedule))
                .field("daily, weekly, monthly kept", old.keep, keep);
            match schedule {
                Some(schedule) => stored::put(tx, Setting::BackupSchedule, &schedule.to_string())?,
                None => stored::remove(tx, Setting::BackupSchedule)?,
            }
            stored::put(tx, Setting::BackupRetention, &keep.to_string())?;
            noted(tx, &actor, difference, now)
        })
        .await
}

/// Backups made from now on open with this passphrase; older ones keep theirs.
/// Errors: `Field` for one that is too short or too long.
pub async fn set_passphrase(
    app: &App,
    actor: &Actor,
    passphrase: Secret<String>,
) -> Result<(), Error> {
    let length = passphrase.expose().chars().count();
    if !(SHORTEST_PASSPHRASE..=LONGEST_PASSPHRASE).contains(&length) {
        return Err(Error::field(
            "passphrase",
            format!("{SHORTEST_PASSPHRASE} to {LONGEST_PASSPHRASE} characters"),
        ));
    }
    let sealed = app
        .store
        .sealer()
        .seal(CONTEXT, passphrase.expose().as_bytes())?;
    let sealed = hex(&sealed);
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("set backup passphrase", move |tx| {
            stored::put(tx, Setting::BackupPassphrase, &sealed)?;
            let mut difference = Difference::default();
            difference.secret("passphrase", true);
            noted(tx, &actor, difference, now)
        })
        .await
}

fn noted(
    tx: &mut Tx<'_>,
    actor: &Actor,
    difference: Difference,
    now: crate::domain::time::Timestamp,
) -> Result<(), Error> {
    match difference.is_empty() {
        true => Ok(()),
        false => add_entry(tx, actor, "changed", "backups", difference, now),
    }
}

/// The words that open backups made now. Errors: `Refused` before a passphrase was set.
pub(super) fn words(app: &App) -> Result<Words, Error> {
    let sealed = stored::get(&app.store.view()?, Setting::BackupPassphrase)?;
    let sealed = sealed.ok_or_else(|| {
        Error::Refused("Set a passphrase for backups first, in Settings, Backups".to_owned())
    })?;
    let plain = app.store.sealer().unseal(CONTEXT, &unhex(&sealed))?;
    let text = String::from_utf8_lossy(plain.expose()).into_owned();
    Ok(Words::Passphrase(Secret::new(text)))
}
