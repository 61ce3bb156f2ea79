//! The firewall's part of the script: our own packets, the expired, FastTrack.
//!
//! Rules are known by their comment. Those that must stand before others are put first when they are made; where they
//! stand later is the operator's choice, and the checks of the router's page look at it.

use std::net::{IpAddr, Ipv4Addr};

use super::text::{ensure, ensure_first, guarded, unless_there};
use super::{ScriptInput, server};

const FILTER: &str = "/ip firewall filter";
/// Asked by a router that has no servers of its own (mikrotik.md c1).
const UPSTREAM: [&str; 2] = ["9.9.9.9", "1.1.1.1"];
const NAT: &str = "/ip firewall nat";
/// The chain that the expired go through, so that few jumps must stand before other rules.
pub(super) const CHAIN: &str = "proxpanel-expired";
/// The rules of the chain, in their order.
const HELD: [&str; 4] = ["walled to", "walled from", "expired tcp", "expired rest"];
/// The address list of what the expired may reach.
const WALLED: &str = "proxpanel-walled";

/// CoA and the API, from our address.
pub(super) fn input(input: &ScriptInput<'_>) -> Vec<String> {
    let menu = match input.server {
        Some(IpAddr::V6(_)) => "/ipv6 firewall filter",
        Some(IpAddr::V4(_)) | None => FILTER,
    };
    let server = server(input);
    let rule = |name: &str, protocol: &str, port: u16| {
        let fields =
            format!("action=accept protocol={protocol} dst-port={port} src-address={server}");
        let key = format!("comment=\"proxpanel {name}\"");
        guarded(
            "a rule that lets the panel in",
            &ensure_first(menu, "input", &key, &fields),
        )
    };
    let coa = rule("coa", "udp", input.coa_port);
    let api = input.api.as_ref().map(|api| rule("api", "tcp", api.port));
    std::iter::once(coa).chain(api).collect()
}

pub(super) fn no_fasttrack() -> String {
    guarded(
        "switching FastTrack off",
        &format!("{FILTER} disable [{FILTER} find where action=fasttrack-connection]"),
    )
}

/// Nobody used the resolver while it was closed, so that everybody but subscribers can be shut out.
pub(super) fn resolver() -> Vec<String> {
    let rule = |name: &str, fields: &str, protocol: &str| {
        let key = format!("comment=\"proxpanel names {name} {protocol}\"");
        let fields = format!("{fields} protocol={protocol} dst-port=53");
        ensure_first(FILTER, "input", &key, &fields)
    };
    let shut = ["udp", "tcp"]
        .map(|protocol| rule("shut", "action=drop in-interface=!all-ppp", protocol))
        .join("\n")
        .replace('\n', "\n  ");
    let servers = UPSTREAM.join(",");
    let open = format!(
        ":if ([/ip dns get allow-remote-requests] = false) do={{\n  {shut}\n  /ip dns set allow-remote-requests=yes\n}}"
    );
    let upstream = format!(
        ":if ([:len [/ip dns get servers]] = 0 && [:len [/ip dns get dynamic-servers]] = 0) do={{\n  /ip dns set servers={servers}\n}}"
    );
    let mut commands = vec![
        guarded("opening the resolver", &open),
        guarded("the servers of the resolver", &upstream),
    ];
    for protocol in ["udp", "tcp"] {
        let accept = rule("open", "action=accept in-interface=all-ppp", protocol);
        commands.push(guarded("a rule for the resolver", &accept));
    }
    commands
}

/// From and to the expired everything goes through one chain; plain HTTP leads to the portal, names are asked here.
pub(super) fn walled_garden(pools: &[String], portal: Option<Ipv4Addr>) -> Vec<String> {
    let mut commands = Vec::new();
    if let Some(portal) = portal {
        let fields = format!("list=\"{WALLED}\" address={portal}");
        let key = "comment=\"proxpanel portal\"";
        let list = ensure(
            "/ip firewall address-list",
            key,
            &format!("{fields} {key}"),
            &fields,
        );
        commands.push(guarded("the portal's address", &list));
    }
    // Their order counts, and nobody else uses the chain: each is added behind the one before.
    let fields = [
        format!("action=accept dst-address-list=\"{WALLED}\""),
        format!("action=accept src-address-list=\"{WALLED}\""),
        "action=reject protocol=tcp reject-with=tcp-reset".to_owned(),
        "action=reject reject-with=icmp-admin-prohibited".to_owned(),
    ];
    for (name, fields) in HELD.iter().zip(fields) {
        let key = format!("comment=\"proxpanel {name}\"");
        let add = format!("chain=\"{CHAIN}\" {fields} {key}");
        commands.push(guarded(
            "a rule for the expired",
            &unless_there(FILTER, &key, &add),
        ));
    }
    for pool in pools {
        for (side, field) in [("from", "src-address-list"), ("to", "dst-address-list")] {
            let key = format!("comment={}", comment(&format!("expired {side} "), pool));
            let fields = format!("action=jump jump-target=\"{CHAIN}\" {field}={pool}");
            commands.push(guarded(
                "a jump of the expired",
                &ensure_first(FILTER, "forward", &key, &fields),
            ));
        }
        commands.extend(redirects(pool, portal));
    }
    commands
}

/// The comments of what [`walled_garden`] makes in the filter.
pub(super) fn expired_rules(pools: &[String]) -> Vec<String> {
    let own = HELD.map(|name| format!("proxpanel {name}"));
    let jumps = pools
        .iter()
        .flat_map(|pool| ["from", "to"].map(|side| format!("proxpanel expired {side} {pool}")));
    own.into_iter().chain(jumps).collect()
}

fn redirects(pool: &str, portal: Option<Ipv4Addr>) -> Vec<String> {
    let list = format!("src-address-list={pool}");
    let to_portal = portal.map(|portal| {
        [
            (
                "walled ",
                format!("action=accept {list} dst-address-list=\"{WALLED}\""),
            ),
            (
                "portal ",
                format!("action=dst-nat to-addresses={portal} to-ports=80 protocol=tcp dst-port=80 {list}"),
            ),
        ]
    });
    let names = (
        "names ",
        format!("action=redirect to-ports=53 protocol=udp dst-port=53 {list}"),
    );
    let rules = to_portal.into_iter().flatten().chain([names]);
    let rule = |(name, fields): (&str, String)| {
        let key = format!("comment={}", comment(name, pool));
        let fields = format!("chain=dstnat {fields}");
        guarded(
            "a redirection of the expired",
            &ensure(NAT, &key, &format!("{fields} {key}"), &fields),
        )
    };
    rules.map(rule).collect()
}

/// `"proxpanel expired from homes"` out of the quoted name of a pool.
fn comment(name: &str, pool: &str) -> String {
    format!("\"proxpanel {name}{}\"", pool.trim_matches('"'))
}
