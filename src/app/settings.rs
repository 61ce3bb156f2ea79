//! What the installation is set to: the copy in memory that follows every commit, and what holds where nothing was set.
//!
//! Not here: who may change a setting, and what else a change means (`operations::settings`).

use std::str::FromStr;

use super::AppError;
use crate::domain::money::Currency;
use crate::domain::theme::Theme;
use crate::domain::time::Calendar;
use crate::store::settings::{self, Setting};
use crate::store::{StoreError, View};

/// What the installation is set to.
#[derive(Debug, Clone)]
pub struct Settings {
    pub isp_name: String,
    pub calendar: Calendar,
    /// Minutes after midnight at which a business day starts.
    pub day_starts: u16,
    pub currency: Currency,
    /// Days offline after which learned MAC addresses are forgotten; `None` for never.
    pub forget_macs_after: Option<u16>,
    /// Days for which authentication attempts are kept.
    pub attempt_days: u16,
    pub sign_in: SignIn,
    /// The colours of a browser that chose none.
    pub theme: Theme,
}

/// How operators sign in, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// Administrators must have a second factor.
    pub needs_factor: bool,
    /// A browser that was not used for so many hours must sign in again.
    pub idle_hours: u16,
    /// Even a busy one must after so many days.
    pub longest_days: u16,
}

/// Just after midnight, so that a job which runs at midnight sees a finished day (rules.md section 1).
pub const DAY_STARTS: u16 = 5;
/// Days for which authentication attempts are kept, where nothing is set.
pub const ATTEMPT_DAYS: u16 = 30;
/// Hours after which an unused browser is signed out, where nothing is set.
pub const IDLE_HOURS: u16 = 12;
/// Days after which every browser is signed out, where nothing is set.
pub const LONGEST_DAYS: u16 = 30;

impl Settings {
    pub(super) fn read(view: &View) -> Result<Settings, AppError> {
        let text = |setting| settings::get(view, setting);
        let zone = text(Setting::TimeZone)?.unwrap_or_else(|| "UTC".to_owned());
        let day_starts = number(view, Setting::DayStarts)?.unwrap_or(DAY_STARTS);
        let currency = text(Setting::Currency)?.unwrap_or_else(|| "USD".to_owned());
        Ok(Settings {
            isp_name: text(Setting::IspName)?.unwrap_or_else(|| "ProxPanel".to_owned()),
            calendar: Calendar::new(&zone, day_starts).map_err(AppError::Setting)?,
            day_starts,
            currency: Currency::parse(&currency).map_err(AppError::Setting)?,
            forget_macs_after: number(view, Setting::ForgetMacsAfter)?,
            attempt_days: number(view, Setting::AttemptDays)?.unwrap_or(ATTEMPT_DAYS),
            sign_in: SignIn {
                needs_factor: text(Setting::NeedsFactor)?.as_deref() == Some(settings::YES),
                idle_hours: number(view, Setting::IdleHours)?.unwrap_or(IDLE_HOURS),
                longest_days: number(view, Setting::LongestDays)?.unwrap_or(LONGEST_DAYS),
            },
            theme: text(Setting::Theme)?.map_or(Theme::Auto, |text| Theme::parse(&text)),
        })
    }
}

/// What cannot be read counts as not set.
fn number<T: FromStr>(view: &View, setting: Setting) -> Result<Option<T>, StoreError> {
    Ok(settings::get(view, setting)?.and_then(|text| text.parse().ok()))
}
