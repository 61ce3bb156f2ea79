//! What the API says of a router's settings.

use std::net::IpAddr;
use std::time::Duration;

use super::{
    ApiSeen, Check, Observed, RouterFacts, accept_incoming, add_entry, is_of, ours, server,
};
use crate::domain::nas::{ApiAccess, ApiTransport, UsageSource};
use crate::domain::time::{MINUTE, SECOND};
use crate::routers::routeros::commands::firewall::Rule;
use crate::routers::routeros::commands::radius::RadiusEntry;
use crate::routers::routeros::error::ApiError;
use crate::routers::script::{self, Version};

/// A router's clock that is off by more makes times of sessions wrong.
const CLOCK_OFF_MAX: i64 = 30 * SECOND;
/// A shorter time-out resends before a distant server could answer (mikrotik.md a1: set 3 s).
const TIMEOUT_MIN: Duration = Duration::from_secs(2);
/// More often is load without use (radius.md section 10).
const INTERIM_MIN: Duration = Duration::from_secs(60);
/// Names that one sentence and one command hold.
const NAMED_MAX: usize = 5;

pub(super) fn checks(observed: &Observed) -> Vec<Check> {
    let mut checks = vec![login(observed)];
    if let ApiSeen::Read(facts) = &observed.api {
        checks.extend([
            clock(facts),
            radius_entry(observed, facts),
            ppp_aaa(observed, facts),
            interim_setting(observed, facts),
            incoming(observed, facts),
            fasttrack(facts),
            shadowing(facts),
            pools(observed, facts),
        ]);
        checks.extend(walled_garden(observed, facts));
    }
    checks
}

/// What was read, or a check that it could not be.
fn read<'a, T>(name: &'static str, fact: &'a Result<T, ApiError>) -> Result<&'a T, Check> {
    fact.as_ref().map_err(|error| {
        let why = match error.is_forbidden() {
            true => "the API user lacks the right to read it".to_owned(),
            false => error.to_string(),
        };
        Check::unknown(name, format!("Not known: {why}."))
    })
}

fn login(observed: &Observed) -> Check {
    const NAME: &str = "API";
    match (&observed.api, &observed.nas.api) {
        (ApiSeen::NotSet, _) | (_, None) => Check::unknown(
            NAME,
            "Not set up, so the settings on the router are not checked.",
        ),
        (ApiSeen::Read(facts), Some(api)) => Check::good(
            NAME,
            format!("Signed in as {}, RouterOS {}.", api.user, facts.version),
        ),
        (ApiSeen::Failed(error), Some(api)) => {
            Check::bad(NAME, sentence(error), mend_login(observed, api, error))
        }
    }
}

/// An error as a sentence of its own.
fn sentence(error: &ApiError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn mend_login(observed: &Observed, api: &ApiAccess, error: &ApiError) -> String {
    let service = match api.transport {
        ApiTransport::Plain => "api",
        ApiTransport::Pinned(_) | ApiTransport::Authority(_) => "api-ssl",
    };
    match error {
        ApiError::LoginRefused(_) => script::quoted("the API user", &api.user).map_or_else(
            |_| String::new(),
            |user| format!("/user set [find where name={user}] password=\"APIPASS\""),
        ),
        ApiError::Unreachable(_) | ApiError::Timeout { .. } => format!(
            "/ip service set {service} disabled=no port={} address={}",
            api.port,
            server(observed)
        ),
        ApiError::Tls(_) => "/ip service set api-ssl certificate=\"proxpanel-api\"".to_owned(),
        // Another certificate is the panel's to forget, or somebody in between.
        _ => String::new(),
    }
}

fn clock(facts: &RouterFacts) -> Check {
    const NAME: &str = "Clock";
    let clock = match read(NAME, &facts.clock) {
        Ok(Some(clock)) => *clock,
        Ok(None) => return Check::unknown(NAME, "The router's time is not understood."),
        Err(unknown) => return unknown,
    };
    // `since` knows no times to come.
    let off = clock.0.saturating_sub(facts.read_at.0);
    if off.abs() <= CLOCK_OFF_MAX {
        return Check::good(NAME, "The router's time is right.");
    }
    let (amount, unit) = match off.abs() {
        milliseconds @ 0..MINUTE => (milliseconds / SECOND, "s"),
        milliseconds => (milliseconds / MINUTE, "min"),
    };
    let side = if off > 0 { "ahead" } else { "behind" };
    let version = match facts.version.starts_with("6.") {
        true => Version::V6,
        false => Version::V7,
    };
    Check::bad(
        NAME,
        format!("The router's clock is {amount} {unit} {side}."),
        script::set_clock(version),
    )
}

fn is_ppp(entry: &&RadiusEntry) -> bool {
    entry.service.split(',').any(|service| service == "ppp")
}

fn radius_entry(observed: &Observed, facts: &RouterFacts) -> Check {
    const NAME: &str = "RADIUS entry";
    let entries = match read(NAME, &facts.radius) {
        Ok(entries) => entries,
        Err(unknown) => return unknown,
    };
    // `address@vrf` is ours too; without a known address of ours, any entry for subscribers may be.
    let is_ours = |entry: &&RadiusEntry| match observed.server {
        Some(server) => entry
            .address
            .split('@')
            .next()
            .and_then(|address| address.parse::<IpAddr>().ok())
            .is_some_and(|address| address == server),
        None => true,
    };
    let ours_there: Vec<&RadiusEntry> = entries.iter().filter(is_ours).collect();
    let Some(entry) = ours_there.iter().copied().find(is_ppp) else {
        return match ours_there.is_empty() {
            true => Check::bad(NAME, "None leads to this panel.", add_entry(observed)),
            false => Check::bad(
                NAME,
                "The one that leads here is not for PPP.",
                format!("{} service=ppp", ours(observed)),
            ),
        };
    };
    let found = format!("[find where address={}]", entry.address);
    if entry.is_disabled {
        return Check::bad(NAME, "It is disabled.", format!("/radius enable {found}"));
    }
    let network = &observed.nas.network;
    if let Some(source) = &entry.source_address
        && source != "0.0.0.0"
        && source != "::"
        && !is_of(network, source)
    {
        let right = network
            .single()
            .map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string());
        return Check::bad(
            NAME,
            format!("Its packets come from {source}, which is not the address of this NAS."),
            format!("/radius set {found} src-address={right}"),
        );
    }
    match entry.timeout {
        Some(timeout) if timeout < TIMEOUT_MIN => Check::bad(
            NAME,
            format!(
                "Its time-out is {} ms, which is too short.",
                timeout.as_millis()
            ),
            format!("/radius set {found} timeout=3s"),
        ),
        _ => Check::good(NAME, format!("It asks {} for PPP.", entry.address)),
    }
}

fn ppp_aaa(observed: &Observed, facts: &RouterFacts) -> Check {
    const NAME: &str = "PPP asks RADIUS";
    let aaa = match read(NAME, &facts.aaa) {
        Ok(aaa) => aaa,
        Err(unknown) => return unknown,
    };
    let needs_accounting = observed.nas.usage_source == UsageSource::Accounting;
    let command = "/ppp aaa set use-radius=yes accounting=yes";
    match (aaa.uses_radius, aaa.has_accounting || !needs_accounting) {
        (false, _) => Check::bad(NAME, "RADIUS is not asked for PPP.", command),
        (true, false) => Check::bad(NAME, "Accounting is off.", command),
        (true, true) => Check::good(NAME, "RADIUS is asked, with accounting."),
    }
}

fn interim_setting(observed: &Observed, facts: &RouterFacts) -> Check {
    const NAME: &str = "Interim setting";
    let aaa = match read(NAME, &facts.aaa) {
        Ok(aaa) => aaa,
        Err(unknown) => return unknown,
    };
    let own = observed.interim_interval;
    match aaa.interim_update {
        Some(every) if !every.is_zero() && every < INTERIM_MIN => Check::bad(
            NAME,
            format!("Every {} s is too often.", every.as_secs()),
            format!("/ppp aaa set interim-update={own}s"),
        ),
        _ => Check::good(
            NAME,
            format!("Every {own} s, as the panel says at each sign-in."),
        ),
    }
}

fn incoming(observed: &Observed, facts: &RouterFacts) -> Check {
    const NAME: &str = "CoA setting";
    let incoming = match read(NAME, &facts.incoming) {
        Ok(incoming) => incoming,
        Err(unknown) => return unknown,
    };
    let wanted = observed.nas.coa_port;
    match incoming.port {
        _ if !incoming.is_accepted => Check::bad(
            NAME,
            "The router does not take CoA.",
            accept_incoming(observed),
        ),
        Some(port) if port != u64::from(wanted) => Check::bad(
            NAME,
            format!("The router listens on port {port}, and the panel sends to {wanted}."),
            accept_incoming(observed),
        ),
        _ => Check::good(NAME, format!("The router takes CoA on port {wanted}.")),
    }
}

fn is_active(rule: &&Rule) -> bool {
    !rule.is_disabled && !rule.is_dynamic
}

fn fasttrack(facts: &RouterFacts) -> Check {
    const NAME: &str = "FastTrack";
    let rules = match read(NAME, &facts.filter) {
        Ok(rules) => rules,
        Err(unknown) => return unknown,
    };
    let mut active = rules.iter().filter(is_active);
    match active.any(|rule| rule.action == "fasttrack-connection") {
        true => Check::bad(
            NAME,
            "It is on, so packets pass by the queues that hold the speeds.",
            "/ip firewall filter disable [find where action=fasttrack-connection]",
        ),
        false => Check::good(NAME, "It is off."),
    }
}

fn shadowing(facts: &RouterFacts) -> Check {
    const NAME: &str = "Local secrets";
    let names = match read(NAME, &facts.shadowing) {
        Ok(names) => names,
        Err(unknown) => return unknown,
    };
    if names.is_empty() {
        return Check::good(NAME, "None has the name of a subscriber.");
    }
    let lines = names
        .iter()
        .take(NAMED_MAX)
        .filter_map(|name| script::quoted("the secret", name).ok())
        .map(|name| format!("/ppp secret disable [find where name={name}]"));
    Check::bad(
        NAME,
        format!("The router does not ask RADIUS for {}.", listed(names)),
        lines.collect::<Vec<_>>().join("\n"),
    )
}

/// `ali, omar and 7 more`.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn pools(observed: &Observed, facts: &RouterFacts) -> Check {
    const NAME: &str = "Pools";
    let there = match read(NAME, &facts.pools) {
        Ok(there) => there,
        Err(unknown) => return unknown,
    };
    let named = &observed.named;
    let wanted = named.pools.iter().chain(&named.expired_pools);
    let mut missing: Vec<String> = wanted
        .filter(|name| !there.contains(name))
        .cloned()
        .collect();
    let mut command = lines(&missing, "/ip pool add", "ranges=FIRST-LAST");
    // Without the IPv6 package there is no such menu; plans that name no pool there do not need it.
    if let Ok(there) = &facts.ipv6_pools {
        let absent = |name: &&String| !there.contains(name);
        let absent: Vec<String> = named.ipv6_pools.iter().filter(absent).cloned().collect();
        let more = lines(
            &absent,
            "/ipv6 pool add",
            "prefix=PREFIX prefix-length=LENGTH",
        );
        command.extend(more);
        missing.extend(absent);
    }
    match missing.is_empty() {
        true => Check::good(NAME, "All that plans name are there."),
        false => Check::bad(
            NAME,
            format!("Plans name pools that are not there: {}.", listed(&missing)),
            command.join("\n"),
        ),
    }
}

fn lines(names: &[String], command: &str, rest: &str) -> Vec<String> {
    names
        .iter()
        .take(NAMED_MAX)
        .filter_map(|name| script::quoted("the pool", name).ok())
        .map(|name| format!("{command} name={name} {rest}"))
        .collect()
}

/// Only where a plan lets the expired in: the jumps of every pool, and before everything that accepts.
fn walled_garden(observed: &Observed, facts: &RouterFacts) -> Option<Check> {
    const NAME: &str = "Rules for the expired";
    let pools = &observed.named.expired_pools;
    if pools.is_empty() {
        return None;
    }
    let rules = match read(NAME, &facts.filter) {
        Ok(rules) => rules,
        Err(unknown) => return Some(unknown),
    };
    let active: Vec<&Rule> = rules.iter().filter(is_active).collect();
    let wanted = script::expired_rules(pools);
    let place = |comment: &String| {
        active
            .iter()
            .position(|rule| rule.comment.as_ref() == Some(comment))
    };
    if wanted.iter().any(|comment| place(comment).is_none()) {
        let command = script::walled_garden(pools).unwrap_or_default();
        let says = "Some are missing, so that the expired reach everything.";
        return Some(Check::bad(NAME, says, command));
    }
    let is_forward = |at: usize| active.get(at).is_some_and(|rule| rule.chain == "forward");
    let first_accept = active.iter().position(|rule| {
        let accepts = ["accept", "fasttrack-connection"].contains(&rule.action.as_str());
        rule.chain == "forward" && accepts
    });
    let is_late = |comment: &&String| {
        let behind = |at: usize| first_accept.is_some_and(|accept| accept < at);
        place(comment).is_some_and(|at| is_forward(at) && behind(at))
    };
    let late: Vec<String> = wanted
        .iter()
        .filter(is_late)
        .filter_map(|comment| script::quoted("the pool", comment).ok())
        .map(|comment| {
            format!(
                "/ip firewall filter move [find where comment={comment}] destination=[:pick [find where chain=forward dynamic=no] 0]"
            )
        })
        .collect();
    Some(match late.is_empty() {
        true => Check::good(NAME, "They are there, before everything that accepts."),
        false => Check::bad(
            NAME,
            "A rule that accepts stands before them, so that the expired reach more than the portal.",
            late.join("\n"),
        ),
    })
}
