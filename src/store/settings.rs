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
    /// `licence` when backups are encrypted with the licence key; absent for the passphrase.
    BackupKey,
    /// The other machine that backups are sent to, sealed, in hex; absent for none.
    BackupDestination,
    /// When a backup was restored here, in milliseconds since 1970, while nothing is sent to the other machine for it; absent
    /// once a person let it go on.
    SendingPaused,
    /// Days for which authentication attempts are kept.
    AttemptDays,
    /// `YES` when administrators must have a second factor.
    NeedsFactor,
    /// Hours after which a browser that was not used must sign in again.
    IdleHours,
    /// Days after which every browser must sign in again.
    LongestDays,
    /// The colours of browsers that chose none: `light`, `dark` or `auto`.
    Theme,
    /// SHA-256, in hex, of the one-time setup token; absent once an operator exists.
    SetupToken,
    /// Steps of the first run that were skipped, as words between blanks.
    SetupSkipped,
    /// `YES` once nobody wants to be reminded of the first run.
    SetupDismissed,
    /// Which certificate the panel shows (`tls::Source::word`); absent for the self-signed one.
    Certificate,
    /// Days offline after which learned MAC addresses are forgotten; absent for never.
    ForgetMacsAfter,
}

/// How a setting says that something is on; the other word is [`NO`].
pub const YES: &str = "yes";
pub const NO: &str = "no";

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
            Setting::BackupKey => "backup-key",
            Setting::BackupDestination => "backup-destination",
            Setting::SendingPaused => "sending-paused",
            Setting::AttemptDays => "attempt-days",
            Setting::NeedsFactor => "needs-second-factor",
            Setting::IdleHours => "idle-hours",
            Setting::LongestDays => "longest-days",
            Setting::Theme => "theme",
            Setting::SetupToken => "setup-token",
            Setting::SetupSkipped => "setup-skipped",
            Setting::SetupDismissed => "setup-dismissed",
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
