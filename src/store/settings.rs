//! Settings of the installation, one row each.

use super::tables::SETTINGS;
use super::{Change, Read, StoreError, Tx};

/// Every setting there is. The word is the key of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The name of the ISP, on pages.
    IspName,
    /// IANA name.
    TimeZone,
    /// Minutes after midnight at which a business day starts.
    DayStarts,
    /// ISO 4217 code that new plans get.
    Currency,
    /// When backups are made by themselves (`domain::backup::Schedule`); absent for never.
    BackupSchedule,
    /// How many stay (`domain::backup::Retention`).
    BackupRetention,
    /// The passphrase of backups, sealed, in hex.
    BackupPassphrase,
    /// SHA-256, in hex, of the one-time setup token; absent once an operator exists.
    SetupToken,
    /// Which certificate the panel shows (`tls::Source::word`); absent for the self-signed one.
    Certificate,
    /// Days offline after which learned MAC addresses are forgotten; absent for never.
    ForgetMacsAfter,
}

impl Setting {
    fn word(self) -> &'static str {
        match self {
            Setting::IspName => "isp-name",
            Setting::TimeZone => "time-zone",
            Setting::DayStarts => "day-starts",
            Setting::Currency => "currency",
            Setting::BackupSchedule => "backup-schedule",
            Setting::BackupRetention => "backup-retention",
            Setting::BackupPassphrase => "backup-passphrase",
            Setting::SetupToken => "setup-token",
            Setting::Certificate => "certificate",
            Setting::ForgetMacsAfter => "forget-macs-after",
        }
    }
}

pub fn get(read: &impl Read, setting: Setting) -> Result<Option<String>, StoreError> {
    read.get(&SETTINGS, setting.word())
}

pub fn put(tx: &mut Tx<'_>, setting: Setting, value: &str) -> Result<(), StoreError> {
    tx.insert(&SETTINGS, setting.word(), &value.to_owned())?;
    tx.touch(Change::Settings);
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, setting: Setting) -> Result<(), StoreError> {
    tx.remove(&SETTINGS, setting.word())?;
    tx.touch(Change::Settings);
    Ok(())
}
