//! What was typed as a plan, with every problem beside its field. The groups of rows are in `groups`.

use std::sync::Arc;

use crate::domain::Invalid;
use crate::domain::cdn::CdnProfile;
use crate::domain::fup::FairUse;
use crate::domain::id::CdnId;
use crate::domain::money::{Currency, Money};
use crate::domain::octets::Octets;
use crate::domain::plan::{
    AddressSource, LONGEST_NAME, MOST_CDN, OnExpiry, OnLimit, Plan, Term, TermUnit,
};
use crate::domain::quota::{Direction, MonthAnchor, Quota, QuotaKind, WhenUsedUp};
use crate::domain::rate::{Burst, Rate};
use crate::domain::text;
use crate::domain::window::Window;
use crate::web::form::{FormData, Problems, extras, number, optional};

use super::groups::{free_windows, speed_windows, tiers};

/// Names of pools, lists and profiles on routers.
const LONGEST_POOL: usize = 64;
const LONGEST_NOTES: usize = 4_000;
const LONGEST_TERM: u32 = 10_000;
const LONGEST_BURST: u32 = 3_600;
const LONGEST_GRACE: u16 = 365;
pub(super) const LOWEST_PRIORITY: u8 = 8;
const MOST_SESSIONS: u8 = 100;

/// The plan; `None` once any problem was noted. Id and creation are given by the verb. `profiles` are those that may be chosen.
pub fn parse(
    form: &FormData,
    profiles: &[Arc<CdnProfile>],
    problems: &mut Problems,
) -> Option<Plan> {
    let name = problems.take("name", text::name(form.text("name"), LONGEST_NAME));
    let price = price(form, problems);
    let term = term(form, problems);
    let rate = speeds(form, "download_kbps", "upload_kbps", problems);
    let burst = burst(form, problems);
    let priority = number(form.text("priority"), 1, LOWEST_PRIORITY);
    let priority = problems.take("priority", priority);
    let quota = quota(form, problems);
    let fair_use = fair_use(form, problems);
    let speed_windows = speed_windows(form, problems);
    let free_windows = free_windows(form, problems);
    let login_hours = optional(form.text("login_hours"), Window::parse);
    let login_hours = problems.take("login_hours", login_hours);
    let mut line = |field: &str| problems.take(field, text::line(form.text(field), LONGEST_POOL));
    let pool = line("pool");
    let ipv6_pool = line("ipv6_pool");
    let delegated_pool = line("delegated_pool");
    let address_list = line("address_list");
    let router_profile = line("router_profile");
    let address_source = address_source(form, problems);
    let most = number(form.text("max_sessions"), 1, MOST_SESSIONS);
    let max_sessions = problems.take("max_sessions", most);
    let extras = extras(form, problems);
    let cdn = problems.take("cdn", cdn(form, profiles));
    let on_limit = problems.take("on_limit", on_limit(form.text("on_limit")));
    let on_expiry = on_expiry(form, problems);
    let notes = problems.take("notes", text::paragraph(form.text("notes"), LONGEST_NOTES));
    // Each field that is missing here has noted its problem.
    Some(Plan {
        term: term?,
        burst: burst?,
        priority: priority?,
        quota: quota?,
        fair_use: fair_use?,
        speed_windows: speed_windows?,
        free_windows: free_windows?,
        login_hours: login_hours?,
        pool: pool?,
        address_source: address_source?,
        ipv6_pool: ipv6_pool?,
        delegated_pool: delegated_pool?,
        address_list: address_list?,
        router_profile: router_profile?,
        max_sessions: max_sessions?,
        on_limit: on_limit?,
        on_expiry: on_expiry?,
        cdn: cdn?,
        extras: extras?,
        send_mppe: form.has("send_mppe"),
        notes: notes?,
        ..Plan::new(&name?, price?, rate?)
    })
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

/// Both directions of a speed that is needed.
pub(super) fn speeds(
    form: &FormData,
    download: &str,
    upload: &str,
    problems: &mut Problems,
) -> Option<Rate> {
    let mut kbps = |name: &str| match form.text(name).trim() {
        "" => problems.take(
            name,
            Err(Invalid::new("A speed is needed, such as 20M or 512k")),
        ),
        text => problems.take(name, Rate::parse_kbps(text)),
    };
    let (download, upload) = (kbps(download), kbps(upload));
    Some(Rate::new(upload?, download?))
}

const BURST: [&str; 5] = [
    "burst_download_kbps",
    "burst_upload_kbps",
    "burst_threshold_download_kbps",
    "burst_threshold_upload_kbps",
    "burst_seconds",
];

/// All five fields, or none. A threshold above the burst would never be reached.
fn burst(form: &FormData, problems: &mut Problems) -> Option<Option<Burst>> {
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
    let directions = [
        (
            "burst_threshold_download_kbps",
            burst.threshold.download_kbps > burst.rate.download_kbps,
        ),
        (
            "burst_threshold_upload_kbps",
            burst.threshold.upload_kbps > burst.rate.upload_kbps,
        ),
    ];
    for (name, _) in directions.iter().filter(|(_, is_above)| *is_above) {
        problems.add(*name, Invalid::new("Not above the burst speed"));
    }
    directions
        .iter()
        .all(|(_, is_above)| !is_above)
        .then_some(Some(burst))
}

fn quota(form: &FormData, problems: &mut Problems) -> Option<Quota> {
    let mut octets = |field: &str| {
        let octets = optional(form.text(field), Octets::parse_gigabytes);
        problems.take(field, octets)
    };
    let daily = octets("daily_quota");
    let monthly = octets("monthly_quota");
    let total = octets("total_quota");
    let direction = choice(form.text("quota_direction"), Direction::from_word);
    let direction = problems.take("quota_direction", direction);
    let anchor = match form.text("month_begins") {
        "" | "renewal" => Some(MonthAnchor::Renewal),
        "created" => Some(MonthAnchor::CreatedDay),
        "day" => problems
            .take("month_day", number(form.text("month_day"), 1, 31))
            .map(MonthAnchor::DayOfMonth),
        _ => problems.take("month_begins", Err(not_listed())),
    };
    let when_used_up = match form.text("when_used_up") {
        "" | "block" => Some(WhenUsedUp::Block),
        "go_on" => Some(WhenUsedUp::GoOn),
        _ => problems.take("when_used_up", Err(not_listed())),
    };
    Some(Quota {
        daily: daily?.map(|octets| octets.0),
        monthly: monthly?.map(|octets| octets.0),
        total: total?.map(|octets| octets.0),
        direction: direction?,
        anchor: anchor?,
        when_used_up: when_used_up?,
    })
}

fn fair_use(form: &FormData, problems: &mut Problems) -> Option<FairUse> {
    // A quota that was typed wrong has its problem already.
    let quota = |field: &str| {
        let octets = Octets::parse_gigabytes(form.text(field)).ok();
        octets.map(|octets| octets.0)
    };
    let daily = tiers(form, QuotaKind::Day, quota("daily_quota"), problems);
    let monthly = tiers(form, QuotaKind::Month, quota("monthly_quota"), problems);
    Some(FairUse {
        daily: daily?,
        monthly: monthly?,
        keep_burst: form.has("keep_burst"),
    })
}

fn address_source(form: &FormData, problems: &mut Problems) -> Option<AddressSource> {
    match form.text("address_source") {
        "" | "router" => Some(AddressSource::Router),
        "server" if form.text("pool").trim().is_empty() => problems.take(
            "pool",
            Err(Invalid::new("The name of the server pool is needed")),
        ),
        "server" => Some(AddressSource::Server),
        _ => problems.take("address_source", Err(not_listed())),
    }
}

fn cdn(form: &FormData, profiles: &[Arc<CdnProfile>]) -> Result<Vec<CdnId>, Invalid> {
    let ticked = form.all("cdn");
    if ticked.len() > MOST_CDN {
        return Err(Invalid::new(format!("At most {MOST_CDN} CDN profiles")));
    }
    let gone = || Invalid::new("A CDN profile is gone. Choose again");
    let known = |text: &str| {
        profiles
            .iter()
            .find(|profile| profile.id.to_string() == text)
    };
    ticked
        .into_iter()
        .map(|text| known(text).map(|profile| profile.id).ok_or_else(gone))
        .collect()
}

fn on_limit(text: &str) -> Result<OnLimit, Invalid> {
    match text {
        "replace_old" => Ok(OnLimit::ReplaceOld),
        "reject_new" => Ok(OnLimit::RejectNew),
        _ => Err(not_listed()),
    }
}

const EXPIRED_DOWN: &str = "expired_download_kbps";
const EXPIRED_UP: &str = "expired_upload_kbps";

fn on_expiry(form: &FormData, problems: &mut Problems) -> Option<OnExpiry> {
    match form.text("on_expiry") {
        "reject" => Some(OnExpiry::Reject),
        "expired_pool" => {
            let pool = text::line(form.text("expired_pool"), LONGEST_POOL);
            let pool = pool.and_then(|pool| match pool.is_empty() {
                true => Err(Invalid::new("The name of the pool is needed")),
                false => Ok(pool),
            });
            let pool = problems.take("expired_pool", pool)?;
            Some(OnExpiry::ExpiredPool { pool })
        }
        "expired_speed" => {
            let rate = speeds(form, EXPIRED_DOWN, EXPIRED_UP, problems)?;
            Some(OnExpiry::ExpiredSpeed { rate })
        }
        "grace" => {
            let days = number(form.text("grace_days"), 1, LONGEST_GRACE);
            let days = problems.take("grace_days", days);
            let typed = [EXPIRED_DOWN, EXPIRED_UP].map(|name| form.text(name).trim());
            let rate = match typed.iter().all(|text| text.is_empty()) {
                true => Some(None),
                false => speeds(form, EXPIRED_DOWN, EXPIRED_UP, problems).map(Some),
            };
            Some(OnExpiry::Grace {
                days: days?,
                rate: rate?,
            })
        }
        _ => problems.take("on_expiry", Err(not_listed())),
    }
}

/// What a list says; the first of it where nothing was sent.
pub(super) fn choice<T: Default>(
    text: &str,
    from_word: fn(&str) -> Option<T>,
) -> Result<T, Invalid> {
    match text {
        "" => Ok(T::default()),
        word => from_word(word).ok_or_else(not_listed),
    }
}

pub(super) fn not_listed() -> Invalid {
    Invalid::new("Choose one of the list")
}
