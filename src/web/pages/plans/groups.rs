//! The groups of a plan's form that repeat: tiers, speed windows, free hours. Each is a fixed number of rows, of which
//! empty ones are passed over, so that the form works without script.
//!
//! A field is called by its group, the number of its row from 1, and its own name: `daily_tier_1_threshold`.

use crate::domain::Invalid;
use crate::domain::fup::{MOST_TIERS, Threshold, Tier, TierAction};
use crate::domain::hours::{FreeWindow, MOST_WINDOWS, SpeedWindow, WhenThrottled};
use crate::domain::octets::Octets;
use crate::domain::quota::{Direction, QuotaKind};
use crate::domain::rate::{Rate, typed_kbps};
use crate::domain::window::{Window, parse_minutes};
use crate::web::form::{FormData, Problems, number};
use crate::web::parts::{Field, Select, SpeedField};

use super::parse::{choice, not_listed, speeds};

pub(super) const SPEED_WINDOW: &str = "speed_window";
pub(super) const FREE_HOURS: &str = "free_hours";

/// Shares of a quota at which a tier may begin; beyond the whole one makes sense where sessions go on.
const MOST_SHARE: u16 = 1_000;

/// The group of the tiers of a kind.
pub(super) fn tier_group(kind: QuotaKind) -> &'static str {
    match kind {
        QuotaKind::Day => "daily_tier",
        QuotaKind::Month | QuotaKind::Term => "monthly_tier",
    }
}

/// One row of a group in a form.
#[derive(Clone, Copy)]
struct Row<'a> {
    form: &'a FormData,
    group: &'static str,
    /// From 1.
    number: usize,
}

impl<'a> Row<'a> {
    fn all(form: &'a FormData, group: &'static str, most: usize) -> impl Iterator<Item = Row<'a>> {
        (1..=most).map(move |number| Row {
            form,
            group,
            number,
        })
    }

    fn name(&self, field: &str) -> String {
        field_name(self.group, self.number, field)
    }

    fn text(&self, field: &str) -> &'a str {
        self.form.text(&self.name(field)).trim()
    }

    /// Whether nothing was typed; a list always has a choice.
    fn is_empty(&self, typed: &[&str]) -> bool {
        typed.iter().all(|field| self.text(field).is_empty())
    }
}

fn field_name(group: &str, number: usize, field: &str) -> String {
    format!("{group}_{number}_{field}")
}

const TIER_TYPED: [&str; 4] = ["threshold", "down", "up", "percent"];
const WINDOW_TYPED: [&str; 5] = ["days", "from", "to", "down", "up"];
const FREE_TYPED: [&str; 4] = ["days", "from", "to", "percent"];

const ACTIONS: [(&str, &str); 4] = [
    ("throttle", "Throttle to"),
    ("percent", "Percent of the speed"),
    ("block", "Block"),
    ("notify", "Only notify"),
];
const THROTTLED: [(&str, &str); 3] = [
    ("skip", "Stay throttled"),
    ("multiply", "Multiply the throttled speed"),
    ("lift", "Lift fair use"),
];
pub(super) const DIRECTIONS: [(&str, &str); 3] = [
    ("both", "Both directions"),
    ("download", "Download"),
    ("upload", "Upload"),
];

/// A tier in the form.
#[derive(Clone, Default)]
pub struct TierRow {
    pub group: &'static str,
    pub number: usize,
    pub is_open: bool,
    /// Gigabytes, or a share such as `80%`.
    pub threshold: Field,
    pub action: Select,
    pub download: SpeedField,
    pub upload: SpeedField,
    pub percent: Field,
}

impl TierRow {
    pub fn id(&self, field: &str) -> String {
        field_name(self.group, self.number, field)
    }
}

/// A window in the form: another speed, or free hours.
#[derive(Clone, Default)]
pub struct WindowRow {
    pub group: &'static str,
    pub number: usize,
    pub is_open: bool,
    pub days: Field,
    pub from: Field,
    pub to: Field,
    pub download: SpeedField,
    pub upload: SpeedField,
    pub throttled: Select,
    pub percent: Field,
    pub direction: Select,
    /// `1 GB counts as 0.3 GB`, or empty.
    pub note: String,
}

impl WindowRow {
    pub fn id(&self, field: &str) -> String {
        field_name(self.group, self.number, field)
    }
}

fn select(problems: &Problems, row: &Row<'_>, field: &str, choices: &[(&str, &str)]) -> Select {
    let select = Select::new(choices.iter().copied(), row.text(field));
    problems.select(&row.name(field), select)
}

pub(super) fn tier_rows(form: &FormData, kind: QuotaKind, problems: &Problems) -> Vec<TierRow> {
    let rows = Row::all(form, tier_group(kind), MOST_TIERS).map(|row| TierRow {
        group: row.group,
        number: row.number,
        is_open: !row.is_empty(&TIER_TYPED),
        threshold: problems.field(form, &row.name("threshold")),
        action: select(problems, &row, "action", &ACTIONS),
        download: problems.speed(form, &row.name("down")),
        upload: problems.speed(form, &row.name("up")),
        percent: problems.field(form, &row.name("percent")),
    });
    rows.collect()
}

pub(super) fn window_rows(
    form: &FormData,
    group: &'static str,
    problems: &Problems,
) -> Vec<WindowRow> {
    let rows = Row::all(form, group, MOST_WINDOWS).map(|row| {
        let typed: &[&str] = match group {
            FREE_HOURS => &FREE_TYPED,
            _ => &WINDOW_TYPED,
        };
        let free = free_window(row, &mut Problems::default()).filter(|_| group == FREE_HOURS);
        WindowRow {
            group,
            number: row.number,
            is_open: !row.is_empty(typed),
            days: problems.field(form, &row.name("days")),
            from: problems.field(form, &row.name("from")),
            to: problems.field(form, &row.name("to")),
            download: problems.speed(form, &row.name("down")),
            upload: problems.speed(form, &row.name("up")),
            throttled: select(problems, &row, "throttled", &THROTTLED),
            percent: problems.field(form, &row.name("percent")),
            direction: select(problems, &row, "direction", &DIRECTIONS),
            note: free.map_or_else(String::new, |window| window.counts_as()),
        }
    });
    rows.collect()
}

/// The tiers of a kind, thresholds rising. `quota` is that of the kind, if there is one.
pub(super) fn tiers(
    form: &FormData,
    kind: QuotaKind,
    quota: Option<u64>,
    problems: &mut Problems,
) -> Option<Vec<Tier>> {
    let mut tiers: Vec<Tier> = Vec::new();
    let mut is_good = true;
    for row in Row::all(form, tier_group(kind), MOST_TIERS) {
        if row.is_empty(&TIER_TYPED) {
            continue;
        }
        let Some(tier) = tier(row, kind, quota, problems) else {
            is_good = false;
            continue;
        };
        let before = tiers.last().and_then(|t| t.threshold.octets(quota, 0));
        if before.is_some() && before >= tier.threshold.octets(quota, 0) {
            let text = "Above the threshold of the tier before";
            problems.add(row.name("threshold"), Invalid::new(text));
            is_good = false;
        }
        tiers.push(tier);
    }
    is_good.then_some(tiers)
}

fn tier(
    row: Row<'_>,
    kind: QuotaKind,
    quota: Option<u64>,
    problems: &mut Problems,
) -> Option<Tier> {
    let threshold = threshold(row.text("threshold"), kind, quota);
    let threshold = problems.take(row.name("threshold"), threshold);
    let action = match row.text("action") {
        "throttle" => {
            speeds(row.form, &row.name("down"), &row.name("up"), problems).map(TierAction::Throttle)
        }
        "percent" => problems
            .take(row.name("percent"), number(row.text("percent"), 1, 100))
            .map(TierAction::Percent),
        "block" => Some(TierAction::Block),
        "notify" => Some(TierAction::Notify),
        _ => problems.take(row.name("action"), Err(not_listed())),
    };
    Some(Tier {
        threshold: threshold?,
        action: action?,
    })
}

fn threshold(text: &str, kind: QuotaKind, quota: Option<u64>) -> Result<Threshold, Invalid> {
    match text.strip_suffix('%') {
        Some(_) if quota.is_none() => Err(Invalid::new(format!(
            "There is no {} quota to take a share of",
            kind.adjective()
        ))),
        Some(share) => number(share, 1, MOST_SHARE).map(Threshold::Percent),
        None => Octets::parse_gigabytes(text)
            .map(|octets| Threshold::Octets(octets.0))
            .map_err(|_| Invalid::new("Gigabytes such as 12.5, or a share such as 80%")),
    }
}

pub(super) fn speed_windows(form: &FormData, problems: &mut Problems) -> Option<Vec<SpeedWindow>> {
    let rows = Row::all(form, SPEED_WINDOW, MOST_WINDOWS);
    let filled = rows.filter(|row| !row.is_empty(&WINDOW_TYPED));
    // Every row is read, so that all problems are told at once.
    let read: Vec<Option<SpeedWindow>> = filled.map(|row| speed_window(row, problems)).collect();
    read.into_iter().collect()
}

fn speed_window(row: Row<'_>, problems: &mut Problems) -> Option<SpeedWindow> {
    let window = window(row, problems);
    let rate = speeds(row.form, &row.name("down"), &row.name("up"), problems);
    let throttled = choice(row.text("throttled"), WhenThrottled::from_word);
    let when_throttled = problems.take(row.name("throttled"), throttled);
    Some(SpeedWindow {
        window: window?,
        rate: rate?,
        when_throttled: when_throttled?,
    })
}

pub(super) fn free_windows(form: &FormData, problems: &mut Problems) -> Option<Vec<FreeWindow>> {
    let rows = Row::all(form, FREE_HOURS, MOST_WINDOWS);
    let filled = rows.filter(|row| !row.is_empty(&FREE_TYPED));
    let read: Vec<Option<FreeWindow>> = filled.map(|row| free_window(row, problems)).collect();
    read.into_iter().collect()
}

fn free_window(row: Row<'_>, problems: &mut Problems) -> Option<FreeWindow> {
    let window = window(row, problems);
    let percent = number(row.text("percent"), 1, 100);
    let free_percent = problems.take(row.name("percent"), percent);
    let direction = choice(row.text("direction"), Direction::from_word);
    let direction = problems.take(row.name("direction"), direction);
    Some(FreeWindow {
        window: window?,
        free_percent: free_percent?,
        direction: direction?,
    })
}

fn window(row: Row<'_>, problems: &mut Problems) -> Option<Window> {
    let days = problems.take(row.name("days"), Window::parse_days(row.text("days")));
    let mut minutes = |field: &str| {
        let minutes = parse_minutes(row.text(field));
        let minutes = minutes.ok_or_else(|| Invalid::new("A time such as 08:00"));
        problems.take(row.name(field), minutes)
    };
    let (start, end) = (minutes("from"), minutes("to"));
    Some(Window {
        weekdays: days?,
        start: start?,
        end: end?,
    })
}

/// Collects the values of a group as they stand for a plan.
struct Filling<'a> {
    pairs: &'a mut Vec<(String, String)>,
    group: &'static str,
}

impl Filling<'_> {
    fn put(&mut self, number: usize, field: &str, value: impl Into<String>) {
        let name = field_name(self.group, number, field);
        self.pairs.push((name, value.into()));
    }

    fn speeds(&mut self, number: usize, rate: Rate) {
        self.put(number, "down", typed_kbps(rate.download_kbps));
        self.put(number, "up", typed_kbps(rate.upload_kbps));
    }

    fn window(&mut self, number: usize, window: &Window) {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        self.put(number, "days", window.days());
        self.put(number, "from", time(window.start));
        self.put(number, "to", time(window.end));
    }
}

pub(super) fn fill_tiers(kind: QuotaKind, tiers: &[Tier], pairs: &mut Vec<(String, String)>) {
    let group = tier_group(kind);
    let mut filling = Filling { pairs, group };
    for (number, tier) in (1..).zip(tiers) {
        let threshold = match tier.threshold {
            Threshold::Octets(octets) => Octets(octets).gigabytes(),
            Threshold::Percent(percent) => format!("{percent}%"),
        };
        filling.put(number, "threshold", threshold);
        let action = match tier.action {
            TierAction::Throttle(rate) => {
                filling.speeds(number, rate);
                "throttle"
            }
            TierAction::Percent(percent) => {
                filling.put(number, "percent", percent.to_string());
                "percent"
            }
            TierAction::Block => "block",
            TierAction::Notify => "notify",
        };
        filling.put(number, "action", action);
    }
}

pub(super) fn fill_windows(
    speed: &[SpeedWindow],
    free: &[FreeWindow],
    pairs: &mut Vec<(String, String)>,
) {
    let group = SPEED_WINDOW;
    let mut filling = Filling { pairs, group };
    for (number, window) in (1..).zip(speed) {
        filling.window(number, &window.window);
        filling.speeds(number, window.rate);
        filling.put(number, "throttled", window.when_throttled.word());
    }
    filling.group = FREE_HOURS;
    for (number, window) in (1..).zip(free) {
        filling.window(number, &window.window);
        filling.put(number, "percent", window.free_percent.to_string());
        filling.put(number, "direction", window.direction.word());
    }
}
