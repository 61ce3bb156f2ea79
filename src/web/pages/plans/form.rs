//! The form of a plan: how it looks, and what its buttons do.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::domain::id::PlanId;
use crate::domain::plan::TermUnit;
use crate::domain::plan_warnings::warnings;
use crate::domain::quota::QuotaKind;
use crate::operations::{blocking, online, plans as verbs};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Field, Select, SpeedField, Tick, thousands};
use crate::web::shell::{Flash, Nav, Shell};

use super::PATH;
use super::fill::filled;
use super::groups::{self, DIRECTIONS, FREE_HOURS, SPEED_WINDOW, TierRow, WindowRow};
use super::parse::{LOWEST_PRIORITY, parse};
use super::preview::{PreviewPart, of_plan, preview_of};

/// `GET /plans/new`, `GET /plans/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/plans/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    /// The number of the plan, or empty for a new one.
    pub id: String,
    pub refusal: Option<String>,
    /// What is odd about the plan as it is saved.
    pub warnings: Vec<String>,
    /// Said when live sessions will be changed by saving, or empty.
    pub notice: String,
    pub preview: PreviewPart,
    pub name: Field,
    pub price: Field,
    pub currency: Field,
    pub term: Field,
    pub term_unit: Select,
    pub download: SpeedField,
    pub upload: SpeedField,
    pub burst: BurstFields,
    pub priority: Field,
    pub quota: QuotaFields,
    pub daily_tiers: Vec<TierRow>,
    pub monthly_tiers: Vec<TierRow>,
    pub keep_burst: bool,
    pub speed_windows: Vec<WindowRow>,
    pub free_windows: Vec<WindowRow>,
    /// Such as `Mon-Fri 08:00-16:30`; empty is always.
    pub login_hours: Field,
    pub network: NetworkFields,
    pub cdn: Vec<Tick>,
    pub cdn_problem: Option<String>,
    pub max_sessions: Field,
    pub on_limit: Select,
    pub on_expiry: Select,
    pub expired_pool: Field,
    pub expired_download: SpeedField,
    pub expired_upload: SpeedField,
    pub grace_days: Field,
    pub notes: Field,
}

pub struct BurstFields {
    pub download: SpeedField,
    pub upload: SpeedField,
    pub threshold_download: SpeedField,
    pub threshold_upload: SpeedField,
    pub seconds: Field,
}

pub struct QuotaFields {
    /// Gigabytes; empty is unlimited.
    pub daily: Field,
    pub monthly: Field,
    pub total: Field,
    pub direction: Select,
    pub month_begins: Select,
    pub month_day: Field,
    pub when_used_up: Select,
}

pub struct NetworkFields {
    pub address_source: Select,
    pub pool: Field,
    pub address_list: Field,
    pub router_profile: Field,
    pub ipv6_pool: Field,
    pub delegated_pool: Field,
    pub send_mppe: bool,
    /// An attribute a line.
    pub extra_check: Field,
    pub extra_reply: Field,
}

impl FormPage {
    pub fn is_new(&self) -> bool {
        self.id.is_empty()
    }

    /// Whether the fields of the burst are to be seen: one of them holds something, or is wrong.
    pub fn has_burst(&self) -> bool {
        let burst = &self.burst;
        let speeds = [
            &burst.download,
            &burst.upload,
            &burst.threshold_download,
            &burst.threshold_upload,
        ];
        let is_shown = |field: &Field| !field.value.is_empty() || field.error.is_some();
        speeds.iter().any(|speed| is_shown(&speed.field))
            || is_shown(&burst.seconds)
            || self.priority.error.is_some()
    }

    pub fn has_tiers(&self, tiers: &[TierRow]) -> bool {
        tiers.iter().any(|row| row.is_open)
    }

    pub fn has_windows(&self, windows: &[WindowRow]) -> bool {
        windows.iter().any(|row| row.is_open)
    }
}

/// A form with what most plans have.
pub async fn new(signed: Signed) -> Reply {
    let form = defaults(signed.app());
    let view = FormPage {
        preview: preview_of(signed.app(), &form, None)?,
        cdn: cdn(signed.app(), &form),
        ..page(shell(&signed, true), None, &form, &Problems::default())
    };
    Ok(Page::ok(view).into_response())
}

/// The form of a new plan: what most plans have.
pub fn defaults(app: &App) -> FormData {
    FormData::filled(vec![
        ("currency", app.settings().currency.as_str().to_owned()),
        ("term", "1".to_owned()),
        ("term_unit", TermUnit::Months.word().to_owned()),
        ("priority", LOWEST_PRIORITY.to_string()),
        ("max_sessions", "1".to_owned()),
        ("on_expiry", "reject".to_owned()),
        ("on_limit", "replace_old".to_owned()),
    ])
}

pub async fn create(Work { signed, form }: Work) -> Reply {
    let mut problems = Problems::default();
    if let Some(plan) = parse(&form, &signed.app().cdn_profiles(), &mut problems) {
        let flash = Flash::good(format!("The plan {} is created.", plan.name));
        let is_odd = !warnings(&plan).is_empty();
        let created = verbs::create(signed.app(), &signed.actor(), plan).await;
        if let Some(id) = problems.absorb(created)? {
            return Ok(saved(&signed, flash, id, is_odd));
        }
    }
    let view = FormPage {
        cdn: cdn(signed.app(), &form),
        ..page(shell(&signed, true), None, &form, &problems)
    };
    Ok(Page::unprocessable(view).into_response())
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let plan = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?;
    let form = filled(&plan);
    let told = warnings(&plan);
    let view = FormPage {
        warnings: told.iter().map(ToString::to_string).collect(),
        notice: notice(&signed, plan.id).await?,
        preview: of_plan(signed.app(), (*plan).clone())?,
        cdn: cdn(signed.app(), &form),
        ..page(
            shell(&signed, false),
            Some(plan.id),
            &form,
            &Problems::default(),
        )
    };
    Ok(Page::ok(view).into_response())
}

pub async fn update(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let old = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?;
    let mut problems = Problems::default();
    if let Some(plan) = parse(&form, &signed.app().cdn_profiles(), &mut problems) {
        let flash = Flash::good(format!("The plan {} is saved.", plan.name));
        let is_odd = !warnings(&plan).is_empty();
        let updated = verbs::update(signed.app(), &signed.actor(), old.id, plan).await;
        if problems.absorb(updated)?.is_some() {
            return Ok(saved(&signed, flash, old.id, is_odd));
        }
    }
    let view = FormPage {
        notice: notice(&signed, old.id).await?,
        cdn: cdn(signed.app(), &form),
        ..page(shell(&signed, false), Some(old.id), &form, &problems)
    };
    Ok(Page::unprocessable(view).into_response())
}

/// To the list, or back to the form of a plan about which something is odd.
fn saved(signed: &Signed, flash: Flash, id: PlanId, is_odd: bool) -> Response {
    match is_odd {
        true => done(signed, flash, &format!("{PATH}/{id}/edit")),
        false => done(signed, flash, PATH),
    }
}

/// What saving means for those who are online.
async fn notice(signed: &Signed, id: PlanId) -> Result<String, Failure> {
    let app = Arc::clone(&signed.panel.app);
    let online = blocking(move || online::count_of_plan(&app, id)).await??;
    Ok(match online {
        0 => String::new(),
        1 => "One session with this plan is open. A new speed reaches it by CoA, without a drop; another pool or address list holds at the next login.".to_owned(),
        online => format!(
            "{} sessions with this plan are open. A new speed reaches them by CoA, without a drop; another pool or address list holds at the next login.",
            thousands(u64::try_from(online).unwrap_or(u64::MAX))
        ),
    })
}

/// The CDN profiles, with those ticked that were sent.
pub(super) fn cdn(app: &App, form: &FormData) -> Vec<Tick> {
    let profiles = app.cdn_profiles();
    let ticks = profiles
        .iter()
        .map(|profile| form.tick("cdn", profile.id, &profile.name));
    ticks.collect()
}

pub(super) fn shell(signed: &Signed, is_new: bool) -> Shell {
    let title = if is_new { "New plan" } else { "Edit plan" };
    signed.shell(title, Nav::Plans)
}

/// The form with what was typed, and each problem beside its field.
pub(in crate::web) fn page(
    shell: Shell,
    id: Option<PlanId>,
    form: &FormData,
    problems: &Problems,
) -> FormPage {
    let field = |name: &str| problems.field(form, name);
    let speed = |name: &str| problems.speed(form, name);
    let select = |name: &str, choices: &[(&str, &str)]| {
        problems.select(name, Select::new(choices.iter().copied(), form.text(name)))
    };
    let units = TermUnit::ALL.map(|unit| (unit.word(), unit.word()));
    FormPage {
        shell,
        action: id.map_or_else(|| PATH.to_owned(), |id| format!("{PATH}/{id}/edit")),
        back: PATH.to_owned(),
        id: id.map_or_else(String::new, |id| id.to_string()),
        refusal: problems.summary(),
        warnings: Vec::new(),
        notice: String::new(),
        preview: PreviewPart::default(),
        name: field("name"),
        price: field("price"),
        currency: field("currency"),
        term: field("term"),
        term_unit: select("term_unit", &units),
        download: speed("download_kbps"),
        upload: speed("upload_kbps"),
        burst: BurstFields {
            download: speed("burst_download_kbps"),
            upload: speed("burst_upload_kbps"),
            threshold_download: speed("burst_threshold_download_kbps"),
            threshold_upload: speed("burst_threshold_upload_kbps"),
            seconds: field("burst_seconds"),
        },
        priority: field("priority"),
        quota: QuotaFields {
            daily: field("daily_quota"),
            monthly: field("monthly_quota"),
            total: field("total_quota"),
            direction: select("quota_direction", &DIRECTIONS),
            month_begins: select("month_begins", &MONTH_BEGINS),
            month_day: field("month_day"),
            when_used_up: select("when_used_up", &WHEN_USED_UP),
        },
        daily_tiers: groups::tier_rows(form, QuotaKind::Day, problems),
        monthly_tiers: groups::tier_rows(form, QuotaKind::Month, problems),
        keep_burst: form.has("keep_burst"),
        speed_windows: groups::window_rows(form, SPEED_WINDOW, problems),
        free_windows: groups::window_rows(form, FREE_HOURS, problems),
        login_hours: field("login_hours"),
        network: NetworkFields {
            address_source: select("address_source", &SOURCES),
            pool: field("pool"),
            address_list: field("address_list"),
            router_profile: field("router_profile"),
            ipv6_pool: field("ipv6_pool"),
            delegated_pool: field("delegated_pool"),
            send_mppe: form.has("send_mppe"),
            extra_check: field("extra_check"),
            extra_reply: field("extra_reply"),
        },
        cdn: Vec::new(),
        cdn_problem: problems.of("cdn"),
        max_sessions: field("max_sessions"),
        on_limit: select("on_limit", &ON_LIMIT),
        on_expiry: select("on_expiry", &ON_EXPIRY),
        expired_pool: field("expired_pool"),
        expired_download: speed("expired_download_kbps"),
        expired_upload: speed("expired_upload_kbps"),
        grace_days: field("grace_days"),
        notes: field("notes"),
    }
}

const MONTH_BEGINS: [(&str, &str); 3] = [
    ("renewal", "On the day of the renewal"),
    ("created", "On the day of creation"),
    ("day", "On a day of the month"),
];
const WHEN_USED_UP: [(&str, &str); 2] = [
    ("block", "Block until the next period"),
    ("go_on", "Go on, as the tiers say"),
];
const SOURCES: [(&str, &str); 2] = [
    ("router", "The router"),
    ("server", "A server pool of ProxPanel"),
];
const ON_LIMIT: [(&str, &str); 2] = [
    ("replace_old", "Disconnect the oldest session"),
    ("reject_new", "Reject the new one"),
];
const ON_EXPIRY: [(&str, &str); 4] = [
    ("reject", "Reject the login"),
    ("expired_pool", "Give an address from another pool"),
    ("expired_speed", "Go on with another speed"),
    ("grace", "Go on for some days of grace"),
];
