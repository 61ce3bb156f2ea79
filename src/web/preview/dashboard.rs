//! Invented data for the dashboard, of a busy network and of a new one.

use askama::Template;

use super::setup::steps;
use super::{Sample, Wish, bad, disk_full, good, logs, quiet, warn, wave};
use crate::web::chart::Sparkline;
use crate::web::pages::dashboard;
use crate::web::parts::{Fact, Meter, Tone};
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/", busy(wish).render()),
        page("/first-run", first_run(wish).render()),
    ]
}

fn meter(label: &str, value: &str, percent: u8, tone: Tone) -> Meter {
    Meter {
        label: label.into(),
        value: value.into(),
        percent,
        tone,
    }
}

pub(super) fn rate(scale: u64) -> Sparkline {
    let values: Vec<_> = (0..120).map(|i| wave(i, scale)).collect();
    Sparkline::new(
        &values,
        10,
        "Authentications per second over the last hour, between 4 and 38",
    )
}

fn busy(wish: Wish) -> dashboard::ShowPage {
    let card =
        |label: &str, value: &str, unit: &str, note: &str, icon, href: &str| dashboard::StatCard {
            label: label.into(),
            value: value.into(),
            unit: unit.into(),
            note: note.into(),
            icon,
            href: href.into(),
        };
    let state = |badge, count: &str, percent| dashboard::StateCount {
        badge,
        count: count.into(),
        href: "/subscribers?state=active".into(),
        percent,
    };
    let health =
        |name: &str, address: &str, state, seen: &str, online: &str, hints: Vec<String>| {
            dashboard::NasHealth {
                name: wish.said(name),
                href: "/nas/1".into(),
                address: address.into(),
                state,
                last_seen: seen.into(),
                online: online.into(),
                hints,
            }
        };
    let live = dashboard::LivePart {
        cards: vec![
            card(
                "Online now",
                "3,412",
                "",
                "14 without a recent update",
                "activity",
                "/online",
            ),
            card(
                "Active subscribers",
                "4,907",
                "",
                "of 5,240 in all",
                "users",
                "/subscribers?state=active",
            ),
            card(
                "Authentications",
                "12.4",
                "/s",
                "p99 0.6 ms",
                "key-round",
                "/auth-log",
            ),
            card(
                "Accounting",
                "57",
                "/s",
                "83 % are interim updates",
                "database",
                "/sessions",
            ),
        ],
        rate: rate(40),
        rate_now: "12.4/s now".into(),
        rate_peak: "peak 38/s".into(),
        accepts: "41,204".into(),
        rejects: "1,310".into(),
        since: "since the start, 3 d 4 h ago".into(),
        reject_reasons: vec![
            meter("Wrong password", "702", 54, Tone::Quiet),
            meter("Expired", "388", 30, Tone::Quiet),
            meter("Unknown user", "131", 10, Tone::Quiet),
            meter("Session limit", "63", 5, Tone::Quiet),
            meter("Wrong MAC", "26", 2, Tone::Quiet),
        ],
        states: vec![
            state(good("Active"), "4,907", 94),
            state(warn("Expiring soon"), "212", 4),
            state(bad("Expired"), "268", 5),
            state(quiet("Disabled"), "65", 1),
        ],
        nas: vec![
            health(
                "Tower North",
                "10.20.0.1",
                good("Answering"),
                "2 s ago",
                "1,804",
                vec![],
            ),
            health(
                "Tower South",
                "10.20.0.2",
                warn("Needs attention"),
                "1 s ago",
                "1,590",
                vec!["Sends no Message-Authenticator: require it after updating RouterOS.".into()],
            ),
            health(
                "Harbour",
                "2001:db8:20::3",
                bad("Wrong secret"),
                "4 s ago",
                "0",
                vec!["The shared secret differs: 48 packets could not be verified.".into()],
            ),
            health(
                "Old market",
                "10.20.0.9",
                quiet("Silent"),
                "3 days ago",
                "18",
                vec![],
            ),
        ],
        machine: vec![
            meter("CPU", "11 %", 11, Tone::Info),
            meter("Memory", "212 of 512 MB", 41, Tone::Info),
            meter("Disk", "18.4 of 20 GB", 92, Tone::Bad),
            meter("Daemon memory", "31 MB", 6, Tone::Info),
        ],
        machine_facts: vec![
            Fact::new("Load", "0.31, 0.28, 0.22"),
            Fact::new("Uptime", "41 days, 6 h"),
            Fact::new("Version", "0.1.0"),
        ],
        store: good("Healthy"),
        store_facts: vec![
            Fact::new("Database", "148 MB"),
            Fact::new("Accounting journal", "2.3 MB").note("68,204 records in 9,120 commits"),
            Fact::new("Commits", "1,204").note("4,180 changes"),
            Fact::new("Search index", "Up to date"),
        ],
        latest_rejects: logs::attempts(wish)
            .into_iter()
            .filter(|row| row.result.tone == Tone::Bad)
            .take(4)
            .collect(),
        updated: "14:03:22".into(),
    };
    let mut shell = wish.shell("Dashboard", Nav::Dashboard);
    shell.alerts.push(disk_full());
    dashboard::ShowPage {
        shell,
        steps: vec![],
        settled: 0,
        live,
    }
}

fn first_run(wish: Wish) -> dashboard::ShowPage {
    let full = busy(wish);
    let live = dashboard::LivePart {
        cards: full
            .live
            .cards
            .into_iter()
            .map(|card| dashboard::StatCard {
                value: "0".into(),
                note: String::new(),
                ..card
            })
            .collect(),
        rate: Sparkline::new(&[0; 60], 10, "No authentication in the last hour"),
        rate_now: "0/s now".into(),
        accepts: "0".into(),
        rejects: "0".into(),
        states: full
            .live
            .states
            .into_iter()
            .map(|state| dashboard::StateCount {
                count: "0".into(),
                percent: 0,
                ..state
            })
            .collect(),
        machine: full.live.machine,
        machine_facts: full.live.machine_facts,
        store_facts: full.live.store_facts,
        updated: full.live.updated,
        store: good("Healthy"),
        ..dashboard::LivePart::default()
    };
    dashboard::ShowPage {
        shell: wish.shell("Dashboard", Nav::Dashboard),
        steps: steps(None),
        settled: 3,
        live,
    }
}
