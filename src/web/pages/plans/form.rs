//! The form of a plan: from what was typed to a plan, with every problem beside its field.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};

use crate::domain::Invalid;
use crate::domain::id::PlanId;
use crate::domain::money::{Currency, Money};
use crate::domain::octets::Octets;
use crate::domain::plan::{OnExpiry, OnLimit, Plan, Term, TermUnit};
use crate::domain::quota::Quota;
use crate::domain::rate::{Burst, Rate};
use crate::domain::text;
use crate::domain::window::Window;
use crate::operations::{blocking, online, plans as verbs};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::page::Page;
use crate::web::parts::{Field, Select, thousands};
use crate::web::shell::{Flash, Nav, Shell};

use super::PATH;

const LONGEST_NAME: usize = 80;
/// Names of pools and lists on routers.
const LONGEST_POOL: usize = 64;
const LONGEST_NOTES: usize = 4_000;
const LONGEST_TERM: u32 = 10_000;
const LONGEST_BURST: u32 = 3_600;
const LOWEST_PRIORITY: u8 = 8;
const MOST_SESSIONS: u8 = 100;

/// `GET /plans/new`, `GET /plans/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/plans/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    /// Said when live sessions will be changed by saving, or empty.
    pub notice: String,
    pub name: Field,
    pub price: Field,
    pub currency: Field,
    pub term: Field,
    pub term_unit: Select,
    pub download_kbps: Field,
    pub upload_kbps: Field,
    pub burst_download_kbps: Field,
    pub burst_upload_kbps: Field,
    pub burst_threshold_download_kbps: Field,
    pub burst_threshold_upload_kbps: Field,
    pub burst_seconds: Field,
    pub priority: Field,
    pub pool: Field,
    pub address_list: Field,
    pub max_sessions: Field,
    pub on_limit: Select,
    /// Gigabytes a month; empty is unlimited.
    pub monthly_quota: Field,
    /// Such as `1-5 08:00-16:30`; empty is always.
    pub login_hours: Field,
    pub on_expiry: Select,
    pub expired_pool: Field,
    pub send_mppe: bool,
    pub notes: Field,
}

impl FormPage {
    /// Whether the fields of the burst are to be seen: one of them holds something, or is wrong.
    pub fn has_burst(&self) -> bool {
        let fields = [
            &self.burst_download_kbps,
            &self.burst_upload_kbps,
            &self.burst_threshold_download_kbps,
            &self.burst_threshold_upload_kbps,
            &self.burst_seconds,
        ];
        let is_shown = |field: &&Field| !field.value.is_empty() || field.error.is_some();
        fields.iter().any(is_shown) || self.priority.error.is_some()
    }
}

/// A form with what most plans have.
pub async fn new(signed: Signed) -> Reply {
    let form = FormData::filled(vec![
        (
            "currency",
            signed.app().settings().currency.as_str().to_owned(),
        ),
        ("term", "1".to_owned()),
        ("term_unit", TermUnit::Months.word().to_owned()),
        ("priority", LOWEST_PRIORITY.to_string()),
        ("max_sessions", "1".to_owned()),
    ]);
    Ok(Page::ok(page(&signed, None, &form, &Problems::default(), None)).into_response())
}

pub async fn create(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let refusal = match parse(&form, &mut problems) {
        None => None,
        Some(plan) => {
            let flash = Flash::good(format!("The plan {} is created.", plan.name));
            match verbs::create(signed.app(), &signed.actor(), plan).await {
                Ok(_) => return Ok(done(&signed, flash, PATH)),
                Err(error) => problems.absorb(error)?,
            }
        }
    };
    Ok(again(page(&signed, None, &form, &problems, refusal)))
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let plan = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?;
    let mut view = page(
        &signed,
        Some(plan.id),
        &filled(&plan),
        &Problems::default(),
        None,
    );
    view.notice = notice(&signed, plan.id).await?;
    Ok(Page::ok(view).into_response())
}

pub async fn update(Path(id): Path<u32>, Change { signed, form }: Change) -> Reply {
    let id = signed.app().plan(PlanId(id)).ok_or(Failure::Missing)?.id;
    let mut problems = Problems::default();
    let refusal = match parse(&form, &mut problems) {
        None => None,
        Some(plan) => {
            let flash = Flash::good(format!("The plan {} is saved.", plan.name));
            match verbs::update(signed.app(), &signed.actor(), id, plan).await {
                Ok(()) => return Ok(done(&signed, flash, PATH)),
                Err(error) => problems.absorb(error)?,
            }
        }
    };
    let mut view = page(&signed, Some(id), &form, &problems, refusal);
    view.notice = notice(&signed, id).await?;
    Ok(again(view))
}

fn again(view: FormPage) -> Response {
    Page::unprocessable(view).into_response()
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

fn page(
    signed: &Signed,
    id: Option<PlanId>,
    form: &FormData,
    problems: &Problems,
    refusal: Option<String>,
) -> FormPage {
    let field = |name| problems.field(form, name);
    let select = |name, choices: &[(&str, &str)]| {
        problems.select(name, Select::new(choices.iter().copied(), form.text(name)))
    };
    let units = TermUnit::ALL.map(|unit| (unit.word(), unit.word()));
    let (title, action) = match id {
        None => ("New plan", PATH.to_owned()),
        Some(id) => ("Edit plan", format!("{PATH}/{id}/edit")),
    };
    FormPage {
        shell: signed.shell(title, Nav::Plans),
        action,
        back: PATH.to_owned(),
        is_new: id.is_none(),
        refusal: refusal.or_else(|| problems.summary()),
        notice: String::new(),
        name: field("name"),
        price: field("price"),
        currency: field("currency"),
        term: field("term"),
        term_unit: select("term_unit", &units),
        download_kbps: field("download_kbps"),
        upload_kbps: field("upload_kbps"),
        burst_download_kbps: field("burst_download_kbps"),
        burst_upload_kbps: field("burst_upload_kbps"),
        burst_threshold_download_kbps: field("burst_threshold_download_kbps"),
        burst_threshold_upload_kbps: field("burst_threshold_upload_kbps"),
        burst_seconds: field("burst_seconds"),
        priority: field("priority"),
        pool: field("pool"),
        address_list: field("address_list"),
        max_sessions: field("max_sessions"),
        on_limit: select(
            "on_limit",
            &[
                ("replace_old", "Disconnect the oldest session"),
                ("reject_new", "Reject the new one"),
            ],
        ),
        monthly_quota: field("monthly_quota"),
        login_hours: field("login_hours"),
        on_expiry: select(
            "on_expiry",
            &[
                ("reject", "Reject the login"),
                ("expired_pool", "Give an address from another pool"),
            ],
        ),
        expired_pool: field("expired_pool"),
        send_mppe: form.has("send_mppe"),
        notes: field("notes"),
    }
}

/// The form as it stands for a plan.
fn filled(plan: &Plan) -> FormData {
    let (on_expiry, expired_pool) = match &plan.on_expiry {
        OnExpiry::Reject => ("reject", String::new()),
        OnExpiry::ExpiredPool { pool } => ("expired_pool", pool.clone()),
        OnExpiry::ExpiredSpeed { .. } => ("expired_speed", String::new()),
        OnExpiry::Grace { .. } => ("grace", String::new()),
    };
    let on_limit = match plan.on_limit {
        OnLimit::ReplaceOld => "replace_old",
        OnLimit::RejectNew => "reject_new",
    };
    let quota = plan.quota.monthly.map(|octets| Octets(octets).gigabytes());
    let hours = plan.login_hours.map(|hours| hours.to_string());
    let mut fields = vec![
        ("name", plan.name.clone()),
        ("price", plan.price.amount()),
        ("currency", plan.price.currency.as_str().to_owned()),
        ("term", plan.term.count.to_string()),
        ("term_unit", plan.term.unit.word().to_owned()),
        ("download_kbps", plan.rate.download_kbps.to_string()),
        ("upload_kbps", plan.rate.upload_kbps.to_string()),
        ("priority", plan.priority.to_string()),
        ("pool", plan.pool.clone()),
        ("address_list", plan.address_list.clone()),
        ("max_sessions", plan.max_sessions.to_string()),
        ("on_limit", on_limit.to_owned()),
        ("monthly_quota", quota.unwrap_or_default()),
        ("login_hours", hours.unwrap_or_default()),
        ("on_expiry", on_expiry.to_owned()),
        ("expired_pool", expired_pool),
        ("notes", plan.notes.clone()),
    ];
    if let Some(burst) = plan.burst {
        fields.extend([
            ("burst_download_kbps", burst.rate.download_kbps.to_string()),
            ("burst_upload_kbps", burst.rate.upload_kbps.to_string()),
            (
                "burst_threshold_download_kbps",
                burst.threshold.download_kbps.to_string(),
            ),
            (
                "burst_threshold_upload_kbps",
                burst.threshold.upload_kbps.to_string(),
            ),
            ("burst_seconds", burst.time_s.to_string()),
        ]);
    }
    if plan.send_mppe {
        fields.push(("send_mppe", "on".to_owned()));
    }
    FormData::filled(fields)
}

/// What was typed as a plan; `None` once any problem was noted. Id and creation are given by the verb.
fn parse(form: &FormData, problems: &mut Problems) -> Option<Plan> {
    let name = problems.take("name", name(form.text("name")));
    let price = price(form, problems);
    let term = term(form, problems);
    let download = problems.take(
        "download_kbps",
        Rate::parse_kbps(form.text("download_kbps")),
    );
    let upload = problems.take("upload_kbps", Rate::parse_kbps(form.text("upload_kbps")));
    let rate = download
        .zip(upload)
        .map(|(download, upload)| Rate::new(upload, download));
    let burst = burst(form, rate, problems);
    let priority = problems.take(
        "priority",
        number(form.text("priority"), 1, LOWEST_PRIORITY),
    );
    let pool = problems.take("pool", text::line(form.text("pool"), LONGEST_POOL));
    let list = text::line(form.text("address_list"), LONGEST_POOL);
    let address_list = problems.take("address_list", list);
    let most = number(form.text("max_sessions"), 1, MOST_SESSIONS);
    let max_sessions = problems.take("max_sessions", most);
    let on_limit = problems.take("on_limit", on_limit(form.text("on_limit")));
    let on_expiry = on_expiry(form, problems);
    let quota = optional(form.text("monthly_quota"), Octets::parse_gigabytes);
    let monthly_quota = problems.take("monthly_quota", quota);
    let login_hours = problems.take(
        "login_hours",
        optional(form.text("login_hours"), Window::parse),
    );
    let notes = problems.take("notes", text::paragraph(form.text("notes"), LONGEST_NOTES));
    Some(Plan {
        term: term?,
        burst: burst?,
        priority: priority?,
        pool: pool?,
        address_list: address_list?,
        max_sessions: max_sessions?,
        on_limit: on_limit?,
        on_expiry: on_expiry?,
        quota: Quota {
            monthly: monthly_quota?.map(|octets| octets.0),
            ..Quota::default()
        },
        login_hours: login_hours?,
        send_mppe: form.has("send_mppe"),
        notes: notes?,
        ..Plan::new(&name?, price?, rate?)
    })
}

fn name(typed: &str) -> Result<String, Invalid> {
    let name = text::line(typed, LONGEST_NAME)?;
    match name.is_empty() {
        true => Err(Invalid::new("A name is needed")),
        false => Ok(name),
    }
}

fn price(form: &FormData, problems: &mut Problems) -> Option<Money> {
    let currency = problems.take("currency", Currency::parse(form.text("currency")))?;
    problems.take("price", Money::parse(form.text("price"), currency))
}

fn term(form: &FormData, problems: &mut Problems) -> Option<Term> {
    let count = problems.take("term", number(form.text("term"), 1, LONGEST_TERM));
    let unit = TermUnit::ALL
        .into_iter()
        .find(|unit| unit.word() == form.text("term_unit"));
    let unit = problems.take("term_unit", unit.ok_or_else(not_listed));
    Some(Term {
        count: count?,
        unit: unit?,
    })
}

const BURST: [&str; 5] = [
    "burst_download_kbps",
    "burst_upload_kbps",
    "burst_threshold_download_kbps",
    "burst_threshold_upload_kbps",
    "burst_seconds",
];

/// All five fields, or none. A burst is at least as fast as the plain speed, and its threshold is not above it.
fn burst(form: &FormData, rate: Option<Rate>, problems: &mut Problems) -> Option<Option<Burst>> {
    if BURST.iter().all(|name| form.text(name).trim().is_empty()) {
        return Some(None);
    }
    let mut kbps = |name: &'static str| match form.text(name).trim() {
        "" => problems.take(
            name,
            Err(Invalid::new("All five fields of the burst, or none")),
        ),
        text => problems.take(name, Rate::parse_kbps(text)),
    };
    let [download, upload, threshold_download, threshold_upload] = [
        kbps("burst_download_kbps"),
        kbps("burst_upload_kbps"),
        kbps("burst_threshold_download_kbps"),
        kbps("burst_threshold_upload_kbps"),
    ];
    let time_s = problems.take(
        "burst_seconds",
        number(form.text("burst_seconds"), 1, LONGEST_BURST),
    );
    let burst = Burst {
        rate: Rate::new(upload?, download?),
        threshold: Rate::new(threshold_upload?, threshold_download?),
        time_s: time_s?,
    };
    let rate = rate?;
    let mut not_below = |name, faster: u64, slower: u64, what: &str| {
        if faster < slower {
            problems.add(name, Invalid::new(what));
        }
        faster >= slower
    };
    let slow = "Not below the plain speed";
    let high = "Not above the burst speed";
    let fits = [
        not_below(
            "burst_download_kbps",
            burst.rate.download_kbps,
            rate.download_kbps,
            slow,
        ),
        not_below(
            "burst_upload_kbps",
            burst.rate.upload_kbps,
            rate.upload_kbps,
            slow,
        ),
        not_below(
            "burst_threshold_download_kbps",
            burst.rate.download_kbps,
            burst.threshold.download_kbps,
            high,
        ),
        not_below(
            "burst_threshold_upload_kbps",
            burst.rate.upload_kbps,
            burst.threshold.upload_kbps,
            high,
        ),
    ];
    fits.iter().all(|fits| *fits).then_some(Some(burst))
}

fn on_limit(text: &str) -> Result<OnLimit, Invalid> {
    match text {
        "replace_old" => Ok(OnLimit::ReplaceOld),
        "reject_new" => Ok(OnLimit::RejectNew),
        _ => Err(not_listed()),
    }
}

fn on_expiry(form: &FormData, problems: &mut Problems) -> Option<OnExpiry> {
    let pool = problems.take(
        "expired_pool",
        text::line(form.text("expired_pool"), LONGEST_POOL),
    )?;
    match form.text("on_expiry") {
        "reject" => Some(OnExpiry::Reject),
        "expired_pool" if pool.is_empty() => {
            problems.add(
                "expired_pool",
                Invalid::new("The name of the pool is needed"),
            );
            None
        }
        "expired_pool" => Some(OnExpiry::ExpiredPool { pool }),
        _ => {
            problems.add("on_expiry", not_listed());
            None
        }
    }
}

fn not_listed() -> Invalid {
    Invalid::new("Choose one of the list")
}
