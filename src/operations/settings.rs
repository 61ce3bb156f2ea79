//! Settings of the installation: one verb for each tab. What is set holds from the next packet and the next page on.
//!
//! Not here: what is in the configuration file, which only the owner of the machine changes.

use crate::app::{ATTEMPT_DAYS, App, DAY_STARTS, IDLE_HOURS, LONGEST_DAYS, SignIn};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::OperatorId;
use crate::domain::money::Currency;
use crate::domain::theme::Theme;
use crate::domain::time::Calendar;
use crate::store::operators;
use crate::store::settings::{self, Setting};
use crate::store::{StoreError, Tx};

use super::Error;
use super::trail::{note, part};

/// Days for which authentication attempts may be kept.
pub const LEAST_ATTEMPT_DAYS: u16 = 1;
pub const MOST_ATTEMPT_DAYS: u16 = 365;
/// Hours after which an unused browser is signed out, at most a week.
pub const MOST_IDLE_HOURS: u16 = 168;
/// Days after which every browser is signed out; the cookie lasts no longer.
pub const MOST_LONGEST_DAYS: u16 = 30;

/// The tab General.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct General {
    pub isp_name: String,
    pub time_zone: String,
    /// Minutes after midnight.
    pub day_starts: u16,
    pub currency: Currency,
}

/// One setting that a tab saves: what it is called, what holds where nothing was set, and what it shall be.
struct Line {
    setting: Setting,
    label: &'static str,
    otherwise: String,
    new: String,
}

fn line(
    setting: Setting,
    label: &'static str,
    otherwise: impl ToString,
    new: impl ToString,
) -> Line {
    Line {
        setting,
        label,
        otherwise: otherwise.to_string(),
        new: new.to_string(),
    }
}

/// Errors: `Field` for a time zone or a start of the day that does not exist.
pub async fn set_general(app: &App, actor: &Actor, new: General) -> Result<(), Error> {
    Calendar::new(&new.time_zone, new.day_starts).map_err(|problem| Error::Field {
        field: "time_zone",
        problem,
    })?;
    let lines = vec![
        line(Setting::IspName, "name", "ProxPanel", &new.isp_name),
        line(Setting::TimeZone, "time zone", "UTC", &new.time_zone),
        line(
            Setting::DayStarts,
            "day starts, minutes after midnight",
            DAY_STARTS,
            new.day_starts,
        ),
        line(Setting::Currency, "currency", "USD", new.currency.as_str()),
    ];
    save(app, actor, "general", lines).await?;
    // The copy of the settings followed the commit; accounting has one of its own.
    app.accounting.set_calendar(app.settings().calendar.clone());
    Ok(())
}

/// Errors: `Field` (`attempt_days`).
pub async fn set_radius(app: &App, actor: &Actor, attempt_days: u16) -> Result<(), Error> {
    within(
        "attempt_days",
        attempt_days,
        LEAST_ATTEMPT_DAYS,
        MOST_ATTEMPT_DAYS,
    )?;
    let label = "days that attempts are kept";
    let kept = line(Setting::AttemptDays, label, ATTEMPT_DAYS, attempt_days);
    save(app, actor, "RADIUS", vec![kept]).await
}

/// Errors: `Field` for a time out of bounds, and (`needs_factor`) for an administrator who would be the first to be locked out.
pub async fn set_security(
    app: &App,
    actor: &Actor,
    own: OperatorId,
    new: SignIn,
) -> Result<(), Error> {
    within("idle_hours", new.idle_hours, 1, MOST_IDLE_HOURS)?;
    within("longest_days", new.longest_days, 1, MOST_LONGEST_DAYS)?;
    let has_factor =
        operators::get(&app.store.view()?, own)?.is_some_and(|stored| stored.factor.is_some());
    if new.needs_factor && !has_factor {
        return Err(Error::field(
            "needs_factor",
            "Set up your own second factor first: the menu behind your name leads there",
        ));
    }
    let word = |is_on| if is_on { settings::YES } else { settings::NO };
    let lines = vec![
        line(
            Setting::NeedsFactor,
            "administrators need a second factor",
            settings::NO,
            word(new.needs_factor),
        ),
        line(
            Setting::IdleHours,
            "hours until an unused browser is signed out",
            IDLE_HOURS,
            new.idle_hours,
        ),
        line(
            Setting::LongestDays,
            "days until every browser is signed out",
            LONGEST_DAYS,
            new.longest_days,
        ),
    ];
    save(app, actor, "security", lines).await
}

pub async fn set_appearance(app: &App, actor: &Actor, theme: Theme) -> Result<(), Error> {
    let otherwise = Theme::default().as_str();
    let colours = line(Setting::Theme, "colours", otherwise, theme.as_str());
    save(app, actor, "appearance", vec![colours]).await
}

fn within(field: &'static str, value: u16, least: u16, most: u16) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let text = format!("A whole number from {least} to {most}");
    Err(Error::field(field, text))
}

/// Writes the lines, with one entry for all that differs from before; no entry where nothing differs.
async fn save(app: &App, actor: &Actor, tab: &'static str, lines: Vec<Line>) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("settings", move |tx| {
            let difference = put_all(tx, &lines)?;
            if difference.is_empty() {
                return Ok(());
            }
            note(tx, &actor, "settings changed", &part(tab), difference, now)
        })
        .await
}

fn put_all(tx: &mut Tx<'_>, lines: &[Line]) -> Result<Difference, StoreError> {
    let mut difference = Difference::default();
    for line in lines {
        let stored = settings::get(tx, line.setting)?;
        let old = stored.as_deref().unwrap_or(&line.otherwise);
        if old != line.new {
            difference.field(line.label, old, &line.new);
        }
        // What was saved is set from then on, also where it is what holds anyway: the first run asks for it.
        if stored.as_ref() != Some(&line.new) {
            settings::put(tx, line.setting, &line.new)?;
        }
    }
    Ok(difference)
}
