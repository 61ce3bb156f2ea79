//! The parts of a plan that came after its first shape, and what subscribers share with them.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::domain::extra::{Extra, Extras};
use crate::domain::fup::{FairUse, Threshold, Tier, TierAction};
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::quota::{Direction, MonthAnchor, Quota, WhenUsedUp};
use crate::domain::rate::Rate;
use crate::domain::window::Window;

/// A pair of speeds.
#[derive(Debug, Clone, Encode, Decode)]
pub struct RateRow {
    #[n(0)]
    pub up_kbps: u64,
    #[n(1)]
    pub down_kbps: u64,
}

impl From<Rate> for RateRow {
    fn from(rate: Rate) -> Self {
        RateRow {
            up_kbps: rate.upload_kbps,
            down_kbps: rate.download_kbps,
        }
    }
}

impl From<RateRow> for Rate {
    fn from(row: RateRow) -> Self {
        Rate::new(row.up_kbps, row.down_kbps)
    }
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct WindowRow {
    #[n(0)]
    pub weekdays: u8,
    #[n(1)]
    pub start: u16,
    #[n(2)]
    pub end: u16,
}

impl From<Window> for WindowRow {
    fn from(w: Window) -> Self {
        WindowRow {
            weekdays: w.weekdays,
            start: w.start,
            end: w.end,
        }
    }
}

impl From<WindowRow> for Window {
    fn from(row: WindowRow) -> Self {
        Window {
            weekdays: row.weekdays,
            start: row.start,
            end: row.end,
        }
    }
}

/// Beside the monthly quota, which the plan's first shape had.
#[derive(Debug, Clone, Encode, Decode)]
pub struct QuotaRow {
    #[n(0)]
    pub daily: Option<u64>,
    #[n(1)]
    pub total: Option<u64>,
    /// 0 both, 1 download, 2 upload.
    #[n(2)]
    pub direction: u8,
    /// 0 renewal, 255 day of creation, else this day of the month.
    #[n(3)]
    pub anchor: u8,
    #[n(4)]
    pub goes_on: bool,
}

const CREATED_DAY: u8 = 255;

/// Plans of the first shape counted by calendar months.
const FIRST_ANCHOR: MonthAnchor = MonthAnchor::DayOfMonth(1);

/// The row beside `monthly`; `None` for what the first shape could say.
pub fn quota_row(quota: &Quota) -> Option<QuotaRow> {
    let first = Quota {
        monthly: quota.monthly,
        anchor: FIRST_ANCHOR,
        ..Quota::default()
    };
    (*quota != first).then(|| QuotaRow {
        daily: quota.daily,
        total: quota.total,
        direction: direction_number(quota.direction),
        anchor: match quota.anchor {
            MonthAnchor::Renewal => 0,
            MonthAnchor::CreatedDay => CREATED_DAY,
            MonthAnchor::DayOfMonth(day) => day.clamp(1, 31),
        },
        goes_on: quota.when_used_up == WhenUsedUp::GoOn,
    })
}

pub fn quota(monthly: Option<u64>, row: Option<QuotaRow>) -> Quota {
    let Some(row) = row else {
        return Quota {
            monthly,
            anchor: FIRST_ANCHOR,
            ..Quota::default()
        };
    };
    Quota {
        daily: row.daily,
        monthly,
        total: row.total,
        direction: direction(row.direction),
        anchor: match row.anchor {
            0 => MonthAnchor::Renewal,
            CREATED_DAY => MonthAnchor::CreatedDay,
            day => MonthAnchor::DayOfMonth(day),
        },
        when_used_up: if row.goes_on {
            WhenUsedUp::GoOn
        } else {
            WhenUsedUp::Block
        },
    }
}

fn direction_number(direction: Direction) -> u8 {
    match direction {
        Direction::Both => 0,
        Direction::Download => 1,
        Direction::Upload => 2,
    }
}

fn direction(number: u8) -> Direction {
    match number {
        1 => Direction::Download,
        2 => Direction::Upload,
        _ => Direction::Both,
    }
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct TierRow {
    /// Octets, or percent where `is_percent`.
    #[n(0)]
    pub threshold: u64,
    #[n(1)]
    pub is_percent: bool,
    #[n(2)]
    pub action: ActionRow,
}

#[derive(Debug, Clone, Encode, Decode)]
pub enum ActionRow {
    #[n(0)]
    Throttle(#[n(0)] RateRow),
    #[n(1)]
    Percent(#[n(0)] u16),
    #[n(2)]
    Block,
    #[n(3)]
    Notify,
}

impl From<Tier> for TierRow {
    fn from(tier: Tier) -> Self {
        let (threshold, is_percent) = match tier.threshold {
            Threshold::Octets(octets) => (octets, false),
            Threshold::Percent(percent) => (percent.into(), true),
        };
        TierRow {
            threshold,
            is_percent,
            action: match tier.action {
                TierAction::Throttle(rate) => ActionRow::Throttle(rate.into()),
                TierAction::Percent(percent) => ActionRow::Percent(percent),
                TierAction::Block => ActionRow::Block,
                TierAction::Notify => ActionRow::Notify,
            },
        }
    }
}

impl From<TierRow> for Tier {
    fn from(row: TierRow) -> Self {
        Tier {
            threshold: if row.is_percent {
                Threshold::Percent(u16::try_from(row.threshold).unwrap_or(u16::MAX))
            } else {
                Threshold::Octets(row.threshold)
            },
            action: match row.action {
                ActionRow::Throttle(rate) => TierAction::Throttle(rate.into()),
                ActionRow::Percent(percent) => TierAction::Percent(percent),
                ActionRow::Block => TierAction::Block,
                ActionRow::Notify => TierAction::Notify,
            },
        }
    }
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct FairUseRow {
    #[n(0)]
    pub daily: Vec<TierRow>,
    #[n(1)]
    pub monthly: Vec<TierRow>,
    #[n(2)]
    pub keep_burst: bool,
}

/// `None` for a plan without fair use.
pub fn fair_use_row(fair_use: &FairUse) -> Option<FairUseRow> {
    let rows = |tiers: &[Tier]| tiers.iter().copied().map(TierRow::from).collect();
    (*fair_use != FairUse::default()).then(|| FairUseRow {
        daily: rows(&fair_use.daily),
        monthly: rows(&fair_use.monthly),
        keep_burst: fair_use.keep_burst,
    })
}

pub fn fair_use(row: Option<FairUseRow>) -> FairUse {
    let tiers = |rows: Vec<TierRow>| rows.into_iter().map(Tier::from).collect();
    row.map_or_else(FairUse::default, |row| FairUse {
        daily: tiers(row.daily),
        monthly: tiers(row.monthly),
        keep_burst: row.keep_burst,
    })
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct SpeedWindowRow {
    #[n(0)]
    pub window: WindowRow,
    #[n(1)]
    pub rate: RateRow,
    /// 0 skip, 1 multiply, 2 lift.
    #[n(2)]
    pub when_throttled: u8,
}

impl From<SpeedWindow> for SpeedWindowRow {
    fn from(w: SpeedWindow) -> Self {
        SpeedWindowRow {
            window: w.window.into(),
            rate: w.rate.into(),
            when_throttled: match w.when_throttled {
                WhenThrottled::Skip => 0,
                WhenThrottled::Multiply => 1,
                WhenThrottled::Lift => 2,
            },
        }
    }
}

impl From<SpeedWindowRow> for SpeedWindow {
    fn from(row: SpeedWindowRow) -> Self {
        SpeedWindow {
            window: row.window.into(),
            rate: row.rate.into(),
            when_throttled: match row.when_throttled {
                1 => WhenThrottled::Multiply,
                2 => WhenThrottled::Lift,
                _ => WhenThrottled::Skip,
            },
        }
    }
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct FreeWindowRow {
    #[n(0)]
    pub window: WindowRow,
    #[n(1)]
    pub free_percent: u8,
    /// 0 both, 1 download, 2 upload.
    #[n(2)]
    pub direction: u8,
}

impl From<FreeWindow> for FreeWindowRow {
    fn from(w: FreeWindow) -> Self {
        FreeWindowRow {
            window: w.window.into(),
            free_percent: w.free_percent,
            direction: direction_number(w.direction),
        }
    }
}

impl From<FreeWindowRow> for FreeWindow {
    fn from(row: FreeWindowRow) -> Self {
        FreeWindow {
            window: row.window.into(),
            free_percent: row.free_percent.min(100),
            direction: direction(row.direction),
        }
    }
}

/// `None` for an empty list, so that rows of plans without it do not grow.
pub fn rows<T: Clone, R: From<T>>(items: &[T]) -> Option<Vec<R>> {
    (!items.is_empty()).then(|| items.iter().cloned().map(R::from).collect())
}

pub fn items<R, T: From<R>>(rows: Option<Vec<R>>) -> Vec<T> {
    rows.unwrap_or_default().into_iter().map(T::from).collect()
}

pub fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct ExtrasRow {
    #[n(0)]
    pub check: Vec<ExtraRow>,
    #[n(1)]
    pub reply: Vec<ExtraRow>,
}

#[derive(Debug, Clone, Encode, Decode)]
pub struct ExtraRow {
    #[n(0)]
    pub text: String,
    #[n(1)]
    pub octets: ByteVec,
}

pub fn extras_row(extras: &Extras) -> Option<ExtrasRow> {
    let rows = |list: &[Extra]| {
        list.iter()
            .map(|extra| ExtraRow {
                text: extra.text.clone(),
                octets: extra.octets.clone().into(),
            })
            .collect()
    };
    (!extras.is_empty()).then(|| ExtrasRow {
        check: rows(&extras.check),
        reply: rows(&extras.reply),
    })
}

pub fn extras(row: Option<ExtrasRow>) -> Extras {
    let list = |rows: Vec<ExtraRow>| {
        rows.into_iter()
            .map(|row| Extra {
                text: row.text,
                octets: row.octets.into(),
            })
            .collect()
    };
    row.map_or_else(Extras::default, |row| Extras {
        check: list(row.check),
        reply: list(row.reply),
    })
}
