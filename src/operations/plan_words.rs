//! What is different about a plan, in words for the audit log.

use std::fmt::Display;

use crate::domain::audit::Difference;
use crate::domain::cdn::CdnProfile;
use crate::domain::extra::Extra;
use crate::domain::id::CdnId;
use crate::domain::octets::Octets;
use crate::domain::plan::{AddressSource, OnExpiry, OnLimit, Plan};
use crate::domain::quota::Quota;
use crate::domain::rate::Burst;
use crate::domain::window::Window;

/// Every field that differs, in the order of the form.
pub(super) fn differences(old: &Plan, new: &Plan, profiles: &[CdnProfile]) -> Difference {
    let mut difference = Difference::default();
    difference
        .field("name", &old.name, &new.name)
        .field("price", old.price, new.price)
        .field("term", old.term, new.term)
        .field("speed", old.rate, new.rate)
        .field("burst", burst(old.burst), burst(new.burst))
        .field("priority", old.priority, new.priority);
    quotas(&old.quota, &new.quota, &mut difference);
    let (fair, fairer) = (&old.fair_use, &new.fair_use);
    difference
        .field("daily tiers", list(&fair.daily), list(&fairer.daily))
        .field("monthly tiers", list(&fair.monthly), list(&fairer.monthly))
        .field(
            "burst when throttled",
            yes_no(fair.keep_burst),
            yes_no(fairer.keep_burst),
        )
        .field(
            "speed windows",
            list(&old.speed_windows),
            list(&new.speed_windows),
        )
        .field(
            "free hours",
            list(&old.free_windows),
            list(&new.free_windows),
        );
    network(old, new, profiles, &mut difference);
    difference
        .field(
            "login hours",
            hours(old.login_hours),
            hours(new.login_hours),
        )
        .field("sessions", old.max_sessions, new.max_sessions)
        .field(
            "at the session limit",
            on_limit(old.on_limit),
            on_limit(new.on_limit),
        )
        .field(
            "after expiry",
            on_expiry(&old.on_expiry),
            on_expiry(&new.on_expiry),
        )
        .field("MPPE keys", yes_no(old.send_mppe), yes_no(new.send_mppe))
        .field("notes", &old.notes, &new.notes);
    difference
}

fn quotas(old: &Quota, new: &Quota, difference: &mut Difference) {
    difference
        .field("daily quota", quota(old.daily), quota(new.daily))
        .field("monthly quota", quota(old.monthly), quota(new.monthly))
        .field("term quota", quota(old.total), quota(new.total))
        .field("quota counts", old.direction.word(), new.direction.word())
        .field("month begins", old.anchor, new.anchor)
        .field("quota used up", old.when_used_up, new.when_used_up);
}

fn network(old: &Plan, new: &Plan, profiles: &[CdnProfile], difference: &mut Difference) {
    let cdn = |plan: &Plan| list(plan.cdn.iter().map(|id| cdn_name(*id, profiles)));
    difference
        .field("pool", &old.pool, &new.pool)
        .field(
            "addresses from",
            source(old.address_source),
            source(new.address_source),
        )
        .field("IPv6 pool", &old.ipv6_pool, &new.ipv6_pool)
        .field("delegated pool", &old.delegated_pool, &new.delegated_pool)
        .field("address list", &old.address_list, &new.address_list)
        .field("router profile", &old.router_profile, &new.router_profile)
        .field("CDN profiles", cdn(old), cdn(new))
        .field(
            "check attributes",
            extras(&old.extras.check),
            extras(&new.extras.check),
        )
        .field(
            "reply attributes",
            extras(&old.extras.reply),
            extras(&new.extras.reply),
        );
}

/// The name of a CDN profile, or its number once it is gone.
fn cdn_name(id: CdnId, profiles: &[CdnProfile]) -> String {
    let found = profiles.iter().find(|profile| profile.id == id);
    found.map_or_else(|| format!("number {id}"), |profile| profile.name.clone())
}

/// What each says, one behind the other; `none` for none.
fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join("; "),
    }
}

fn extras(extras: &[Extra]) -> String {
    list(extras.iter().map(|extra| &extra.text))
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn burst(burst: Option<Burst>) -> String {
    burst.map_or_else(
        || "none".to_owned(),
        |b| format!("{} while below {} over {} s", b.rate, b.threshold, b.time_s),
    )
}

fn source(source: AddressSource) -> &'static str {
    match source {
        AddressSource::Router => "router",
        AddressSource::Server => "server pool",
    }
}

fn on_limit(on_limit: OnLimit) -> &'static str {
    match on_limit {
        OnLimit::ReplaceOld => "replace the oldest",
        OnLimit::RejectNew => "reject the new one",
    }
}

fn on_expiry(on_expiry: &OnExpiry) -> String {
    match on_expiry {
        OnExpiry::Reject => "reject".to_owned(),
        OnExpiry::ExpiredPool { pool } => format!("pool {pool}"),
        OnExpiry::ExpiredSpeed { rate } => format!("goes on at {rate}"),
        OnExpiry::Grace { days, rate: None } => format!("grace of {days} days"),
        OnExpiry::Grace {
            days,
            rate: Some(rate),
        } => format!("grace of {days} days at {rate}"),
    }
}

fn quota(octets: Option<u64>) -> String {
    octets.map_or_else(|| "none".to_owned(), |octets| Octets(octets).to_string())
}

fn hours(hours: Option<Window>) -> String {
    hours.map_or_else(|| "always".to_owned(), |w| w.to_string())
}
