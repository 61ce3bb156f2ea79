//! The configuration a router starts with: that of the script in mikrotik.md c1, as far as the stand-in has a use for it.

use std::net::SocketAddr;

use super::nas::{ACCESS_PORT, SERVICE};
use super::state::State;
use super::{Options, Radius};

/// `ports` of the API, of `api-ssl` and of CoA.
pub fn fill(state: &mut State, options: &Options, ports: [SocketAddr; 3]) {
    let [api, api_tls, coa] = ports.map(|address| address.port().to_string());
    put(state, "/system/identity", &[("name", &options.identity)]);
    put(
        state,
        "/system/resource",
        &[
            ("cpu-load", "3"),
            ("cpu-count", "4"),
            ("free-memory", "805306368"),
            ("total-memory", "1073741824"),
            ("board-name", "CCR2004-16G-2S+"),
            ("architecture-name", "arm64"),
        ],
    );
    put(state, "/system/clock", &[("time-zone-name", "UTC")]);
    put(
        state,
        "/ppp/aaa",
        &[
            ("use-radius", "yes"),
            ("accounting", "yes"),
            ("interim-update", "5m"),
            ("use-circuit-id-in-nas-port-id", "no"),
        ],
    );
    put(
        state,
        "/radius/incoming",
        &[("accept", "yes"), ("port", &coa)],
    );
    put(
        state,
        "/ip/dns",
        &[
            ("servers", "9.9.9.9,1.1.1.1"),
            ("allow-remote-requests", "yes"),
        ],
    );
    for (name, kind) in [("ether1", "ether"), (ACCESS_PORT, "ether")] {
        let row = [
            ("name", name),
            ("type", kind),
            ("running", "true"),
            ("disabled", "false"),
            ("dynamic", "false"),
        ];
        state.table("/interface").insert(&row);
    }
    for (name, ranges) in [
        ("isp-active", "100.64.0.10-100.64.31.254"),
        ("isp-expired", "100.64.32.10-100.64.35.254"),
    ] {
        let row = [("name", name), ("ranges", ranges)];
        state.table("/ip/pool").insert(&row);
    }
    let profiles: [&[(&str, &str)]; 3] = [
        &[("name", "default"), ("remote-address", "isp-active")],
        &[("name", "isp-radius"), ("remote-address", "isp-active")],
        &[
            ("name", "isp-expired"),
            ("remote-address", "isp-expired"),
            ("address-list", "isp-expired"),
            ("rate-limit", "1M/1M"),
        ],
    ];
    for profile in profiles {
        state.table("/ppp/profile").insert(profile);
    }
    state.table("/interface/pppoe-server/server").insert(&[
        ("service-name", SERVICE),
        ("interface", ACCESS_PORT),
        ("default-profile", "default"),
        ("authentication", "pap,chap,mschap2"),
        ("disabled", "false"),
    ]);
    for (name, kind) in [("default", "pfifo"), ("default-small", "pfifo")] {
        let row = [("name", name), ("kind", kind)];
        state.table("/queue/type").insert(&row);
    }
    for (name, port) in [("api", &api), ("api-ssl", &api_tls)] {
        let row = [("name", name), ("port", port), ("disabled", "false")];
        state.table("/ip/service").insert(&row);
    }
    state.table("/certificate").insert(&[
        ("name", "isp-api"),
        ("common-name", &options.identity),
        ("key-usage", "digital-signature,key-encipherment,tls-server"),
    ]);
    if let Some(given) = &options.radius {
        radius(state, options, given);
    }
}

/// Puts the entry of `/radius`, or changes it.
pub fn radius(state: &mut State, options: &Options, radius: &Radius) {
    let requires = state.version >= (7, 15);
    let values = [
        ("service", "ppp,hotspot".to_owned()),
        ("address", radius.auth.ip().to_string()),
        ("secret", radius.secret.clone()),
        ("authentication-port", radius.auth.port().to_string()),
        ("accounting-port", radius.acct.port().to_string()),
        (
            "timeout",
            format!("{}ms", options.radius_timeout.as_millis()),
        ),
        ("src-address", options.address.to_string()),
        ("comment", "isp".to_owned()),
        ("disabled", "false".to_owned()),
    ];
    let table = state.table("/radius");
    let place = match table
        .rows
        .iter()
        .position(|row| row.get("comment") == Some("isp"))
    {
        Some(place) => place,
        None => table.insert(&[]),
    };
    for (name, value) in values {
        table.rows[place].put(name, value);
    }
    if requires {
        table.rows[place].put("require-message-auth", "yes-for-request-resp");
    }
}

fn put(state: &mut State, path: &str, values: &[(&str, &str)]) {
    for (name, value) in values {
        state.table(path).rows[0].put(name, *value);
    }
}
