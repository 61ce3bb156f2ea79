//! When backups are made, how many stay, and what opens them: a passphrase, or the licence key.

use crate::app::App;
use crate::archive::{KeyKind, Words};
use crate::crypto::{Secret, hex, unhex};
use crate::domain::audit::{Actor, Difference};
use crate::domain::backup::{Retention, Schedule};
use crate::licence::State;
use crate::operations::trail::{note, part};
use crate::operations::{Error, licence};
use crate::store::licence as stored_licence;
use crate::store::settings::{self as stored, Setting};
use crate::store::{Read, Tx};

/// Shorter ones are guessed: whoever has the file can try as long as he likes.
pub const SHORTEST_PASSPHRASE: usize = 12;
pub const LONGEST_PASSPHRASE: usize = 200;
/// How the setting says that the licence key opens backups.
const LICENCE: &str = "licence";
/// Where the sealed passphrase belongs.
const CONTEXT: &[u8] = b"settings/backup-passphrase";
/// More than anybody keeps of one kind.
pub const MOST_KEPT: u16 = 366;

/// What is set; no key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSettings {
    /// Nothing for never.
    pub schedule: Option<Schedule>,
    pub keep: Retention,
    /// What opens backups that are made now.
    pub key: KeyKind,
    pub has_passphrase: bool,
    /// Whether a licence key is known here; the licence may have ended.
    pub has_licence: bool,
}

impl BackupSettings {
    /// Whether there is what backups are encrypted with.
    pub fn has_key(&self) -> bool {
        self.has(self.key)
    }

    pub fn has(&self, kind: KeyKind) -> bool {
        match kind {
            KeyKind::Passphrase => self.has_passphrase,
            KeyKind::Licence => self.has_licence,
        }
    }
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
        key: match text(Setting::BackupKey)?.as_deref() {
            Some(LICENCE) => KeyKind::Licence,
            _ => KeyKind::Passphrase,
        },
        has_passphrase: text(Setting::BackupPassphrase)?.is_some(),
        has_licence: stored_licence::get(from)?.is_some_and(|row| !row.sealed_key.is_empty()),
    })
}

/// Errors: `Field` for a schedule without a key, and for nothing at all to keep.
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
            if schedule.is_some() && !old.has_key() {
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

/// Chooses what opens backups made from now on; older ones keep theirs.
///
/// Errors: `Field` for a passphrase that was never set, and without a licence that is active: one that ends later goes on
/// opening backups, but nobody shall begin with one that he may not have.
pub async fn set_key(app: &App, actor: &Actor, kind: KeyKind) -> Result<(), Error> {
    let is_active = matches!(app.licence().state, State::Active | State::Grace { .. });
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("set key of backups", move |tx| {
            let old = read(tx)?;
            match kind {
                KeyKind::Passphrase if !old.has_passphrase => {
                    return Err(Error::field("key", "Set a passphrase first"));
                }
                KeyKind::Licence if !(old.has_licence && is_active) => {
                    return Err(Error::field(
                        "key",
                        "No licence is active here. Activate one in Settings, Licence, or keep the passphrase",
                    ));
                }
                KeyKind::Passphrase => stored::remove(tx, Setting::BackupKey)?,
                KeyKind::Licence => stored::put(tx, Setting::BackupKey, LICENCE)?,
            }
            let mut difference = Difference::default();
            difference.field("key", old.key, kind);
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
            let old = read(tx)?;
            stored::put(tx, Setting::BackupPassphrase, &sealed)?;
            stored::remove(tx, Setting::BackupKey)?;
            let mut difference = Difference::default();
            difference
                .field("key", old.key, KeyKind::Passphrase)
                .secret("passphrase", true);
            noted(tx, &actor, difference, now)
        })
        .await
}

pub(super) fn noted(
    tx: &mut Tx<'_>,
    actor: &Actor,
    difference: Difference,
    now: crate::domain::time::Timestamp,
) -> Result<(), Error> {
    match difference.is_empty() {
        true => Ok(()),
        false => note(tx, actor, "changed", &part("backups"), difference, now),
    }
}

/// The words that open backups made now. Errors: `Refused` when they are not known here.
pub(super) fn words(app: &App) -> Result<Words, Error> {
    words_of(app, get(app)?.key)
}

/// The words of one kind that are known here. Errors: `Refused` when there are none.
pub(super) fn words_of(app: &App, kind: KeyKind) -> Result<Words, Error> {
    match kind {
        KeyKind::Passphrase => passphrase(app),
        KeyKind::Licence => licence_key(app),
    }
}

/// The key of the licence, whatever became of the licence since: backups go on.
fn licence_key(app: &App) -> Result<Words, Error> {
    let key = licence::key(app)?.ok_or_else(|| {
        Error::Refused(
            "No licence is activated here, and its key encrypts backups. Activate one in Settings, Licence, or set a passphrase \
             in Settings, Backups"
                .to_owned(),
        )
    })?;
    let id = app.licence().licence.map(|licence| licence.id.to_string());
    Ok(Words::Licence {
        id: id.unwrap_or_default(),
        key: Secret::new(key.expose().to_owned()),
    })
}

fn passphrase(app: &App) -> Result<Words, Error> {
    let sealed = stored::get(&app.store.view()?, Setting::BackupPassphrase)?;
    let sealed = sealed.ok_or_else(|| {
        Error::Refused("Set a passphrase for backups first, in Settings, Backups".to_owned())
    })?;
    let plain = app.store.sealer().unseal(CONTEXT, &unhex(&sealed))?;
    let text = String::from_utf8_lossy(plain.expose()).into_owned();
    Ok(Words::Passphrase(Secret::new(text)))
}
