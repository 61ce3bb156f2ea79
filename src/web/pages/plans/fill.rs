//! The form as it stands for a plan: the reverse of `parse`.

use crate::domain::octets::Octets;
use crate::domain::plan::{AddressSource, OnExpiry, OnLimit, Plan};
use crate::domain::quota::{MonthAnchor, QuotaKind, WhenUsedUp};
use crate::domain::rate::{Rate, typed_kbps};
use crate::web::form::{FormData, extras_filled};

use super::groups::{fill_tiers, fill_windows};

pub(in crate::web) fn filled(plan: &Plan) -> FormData {
    let on_limit = match plan.on_limit {
        OnLimit::ReplaceOld => "replace_old",
        OnLimit::RejectNew => "reject_new",
    };
    let source = match plan.address_source {
        AddressSource::Router => "router",
        AddressSource::Server => "server",
    };
    let hours = plan.login_hours.map(|hours| hours.to_string());
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| pairs.push((name.to_owned(), value));
    put("name", plan.name.clone());
    put("price", plan.price.amount());
    put("currency", plan.price.currency.as_str().to_owned());
    put("term", plan.term.count.to_string());
    put("term_unit", plan.term.unit.word().to_owned());
    put("download_kbps", typed_kbps(plan.rate.download_kbps));
    put("upload_kbps", typed_kbps(plan.rate.upload_kbps));
    put("priority", plan.priority.to_string());
    put("login_hours", hours.unwrap_or_default());
    put("pool", plan.pool.clone());
    put("address_source", source.to_owned());
    put("ipv6_pool", plan.ipv6_pool.clone());
    put("delegated_pool", plan.delegated_pool.clone());
    put("address_list", plan.address_list.clone());
    put("router_profile", plan.router_profile.clone());
    put("max_sessions", plan.max_sessions.to_string());
    put("on_limit", on_limit.to_owned());
    put("notes", plan.notes.clone());
    for (name, is_on) in [
        ("send_mppe", plan.send_mppe),
        ("keep_burst", plan.fair_use.keep_burst),
    ] {
        if is_on {
            put(name, "on".to_owned());
        }
    }
    if let Some(burst) = plan.burst {
        let (rate, threshold) = (burst.rate, burst.threshold);
        put("burst_download_kbps", typed_kbps(rate.download_kbps));
        put("burst_upload_kbps", typed_kbps(rate.upload_kbps));
        put(
            "burst_threshold_download_kbps",
            typed_kbps(threshold.download_kbps),
        );
        put(
            "burst_threshold_upload_kbps",
            typed_kbps(threshold.upload_kbps),
        );
        put("burst_seconds", burst.time_s.to_string());
    }
    for id in &plan.cdn {
        put("cdn", id.to_string());
    }
    for (name, value) in extras_filled(&plan.extras) {
        put(name, value);
    }
    quota(plan, &mut put);
    on_expiry(&plan.on_expiry, &mut put);
    fill_tiers(QuotaKind::Day, &plan.fair_use.daily, &mut pairs);
    fill_tiers(QuotaKind::Month, &plan.fair_use.monthly, &mut pairs);
    fill_windows(&plan.speed_windows, &plan.free_windows, &mut pairs);
    FormData::filled(pairs)
}

fn quota(plan: &Plan, put: &mut impl FnMut(&str, String)) {
    let quota = &plan.quota;
    for (name, octets) in [
        ("daily_quota", quota.daily),
        ("monthly_quota", quota.monthly),
        ("total_quota", quota.total),
    ] {
        if let Some(octets) = octets {
            put(name, Octets(octets).gigabytes());
        }
    }
    put("quota_direction", quota.direction.word().to_owned());
    let anchor = match quota.anchor {
        MonthAnchor::Renewal => "renewal",
        MonthAnchor::CreatedDay => "created",
        MonthAnchor::DayOfMonth(day) => {
            put("month_day", day.to_string());
            "day"
        }
    };
    put("month_begins", anchor.to_owned());
    let used_up = match quota.when_used_up {
        WhenUsedUp::Block => "block",
        WhenUsedUp::GoOn => "go_on",
    };
    put("when_used_up", used_up.to_owned());
}

fn on_expiry(on_expiry: &OnExpiry, put: &mut impl FnMut(&str, String)) {
    let speed = |put: &mut dyn FnMut(&str, String), rate: &Rate| {
        put("expired_download_kbps", typed_kbps(rate.download_kbps));
        put("expired_upload_kbps", typed_kbps(rate.upload_kbps));
    };
    let word = match on_expiry {
        OnExpiry::Reject => "reject",
        OnExpiry::ExpiredPool { pool } => {
            put("expired_pool", pool.clone());
            "expired_pool"
        }
        OnExpiry::ExpiredSpeed { rate } => {
            speed(put, rate);
            "expired_speed"
        }
        OnExpiry::Grace { days, rate } => {
            put("grace_days", days.to_string());
            if let Some(rate) = rate {
                speed(put, rate);
            }
            "grace"
        }
    };
    put("on_expiry", word.to_owned());
}
