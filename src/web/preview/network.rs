//! Invented data for the pages about the network: dashboard, NAS, sessions, logs.

use askama::Template;

use super::{Sample, Wish, bad, disk_full, good, quiet, warn, wave};
use crate::web::chart::Sparkline;
use crate::web::pages::{audit, auth_log, dashboard, nas, sessions};
use crate::web::parts::{ActiveFilter, Badge, Fact, Field, Meter, Pager, Select, SortHead, Tone};
use crate::web::query::Query;
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/", dashboard(wish).render()),
        page("/first-run", first_run(wish).render()),
        page("/nas", nas_list(wish).render()),
        page(
            "/nas/empty",
            nas::ListPage {
                rows: vec![],
                unknown: nas::UnknownPart::default(),
                ..nas_list(wish)
            }
            .render(),
        ),
        page("/nas/1", nas_show(wish).render()),
        page("/nas/new", nas_form(wish, true).render()),
        page("/nas/1/edit", nas_form(wish, false).render()),
        page("/nas/1/delete", nas_delete(wish).render()),
        page("/online", online(wish).render()),
        page(
            "/online/empty",
            sessions::OnlinePage {
                part: sessions::OnlinePart::default(),
                ..online(wish)
            }
            .render(),
        ),
        page("/sessions", history(wish).render()),
        page(
            "/sessions/empty",
            sessions::HistoryPage {
                part: sessions::HistoryPart::default(),
                ..history(wish)
            }
            .render(),
        ),
        page("/auth-log", auth_log(wish).render()),
        page(
            "/auth-log/empty",
            auth_log::ListPage {
                rows: auth_log::RowsPart::default(),
                ..auth_log(wish)
            }
            .render(),
        ),
        page("/audit", audit_log(wish).render()),
        page(
            "/audit/empty",
            audit::ListPage {
                rows: audit::RowsPart::default(),
                ..audit_log(wish)
            }
            .render(),
        ),
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

fn rate(scale: u64) -> Sparkline {
    let values: Vec<_> = (0..120).map(|i| wave(i, scale)).collect();
    Sparkline::new(
        &values,
        10,
        "Authentications per second over the last hour, between 4 and 38",
    )
}

fn dashboard(wish: Wish) -> dashboard::ShowPage {
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
            Fact::new("Last commit", "1 s ago").note("4.1 ms, 37 changes"),
            Fact::new("Accounting journal", "2.3 MB").note("folded 3 min ago"),
            Fact::new("Search index", "Up to date"),
        ],
        latest_rejects: attempts(wish)
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
        live,
    }
}

fn first_run(wish: Wish) -> dashboard::ShowPage {
    let step = |is_done, title: &str, text: &str, href: &str, action: &str| dashboard::Step {
        is_done,
        title: title.into(),
        text: text.into(),
        href: href.into(),
        action: action.into(),
    };
    let steps = vec![
        step(true, "Create the first operator", "That is you.", "", ""),
        step(
            false,
            "Create a plan",
            "A speed, a price and a term.",
            "/plans/new",
            "New plan",
        ),
        step(
            false,
            "Add your router",
            "Its address and a shared secret.",
            "/nas/new",
            "New NAS",
        ),
        step(
            false,
            "Add a subscriber",
            "A user name, a password, a plan.",
            "/subscribers/new",
            "New subscriber",
        ),
        step(
            false,
            "See the first sign-in",
            "It appears here as soon as the router asks.",
            "",
            "",
        ),
    ];
    let full = dashboard(wish);
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
        steps,
        live,
    }
}

pub(super) fn attempts(wish: Wish) -> Vec<auth_log::Row> {
    let row = |time: &str, user: &str, href: &str, result: Badge, reason: &str, method: &str| {
        auth_log::Row {
            time: time.into(),
            user_name: wish.said(user),
            user_href: href.into(),
            nas: wish.said("Tower North"),
            method: method.into(),
            mac: wish.said("4C:5E:0C:8A:11:F0"),
            result,
            reason: reason.into(),
            duration: "0.4 ms".into(),
        }
    };
    vec![
        row(
            "14:03:21",
            "user00042",
            "/subscribers/42",
            good("Accepted"),
            "",
            "MS-CHAP v2",
        ),
        row(
            "14:03:20",
            "user01877",
            "/subscribers/1877",
            bad("Rejected"),
            "Wrong password",
            "CHAP",
        ),
        row(
            "14:03:18",
            "fatima.k",
            "/subscribers/7",
            good("Accepted"),
            "",
            "PAP",
        ),
        row(
            "14:03:17",
            "admin",
            "",
            bad("Rejected"),
            "Unknown user",
            "PAP",
        ),
        row(
            "14:03:11",
            "user00731",
            "/subscribers/731",
            bad("Rejected"),
            "Expired on 20 Nov",
            "MS-CHAP v2",
        ),
        row(
            "14:03:02",
            "user03310",
            "/subscribers/3310",
            bad("Rejected"),
            "Wrong MAC: 2 known, none fits",
            "MS-CHAP v2",
        ),
        row(
            "14:02:58",
            "user00912",
            "/subscribers/912",
            bad("Rejected"),
            "Session limit of 1 reached",
            "CHAP",
        ),
        row(
            "14:02:51",
            "user04410",
            "/subscribers/4410",
            good("Accepted"),
            "",
            "MS-CHAP v1",
        ),
    ]
}

fn filtered(path: &str) -> Vec<ActiveFilter> {
    vec![
        ActiveFilter {
            text: "NAS is Tower North".into(),
            remove_href: path.into(),
        },
        ActiveFilter {
            text: "text “user”".into(),
            remove_href: path.into(),
        },
    ]
}

fn nas_choice() -> Select {
    Select::new(
        [("", "Any"), ("1", "Tower North"), ("2", "Tower South")],
        "1",
    )
}

fn nas_list(wish: Wish) -> nas::ListPage {
    let row =
        |name: &str, address: &str, state, seen: &str, online: &str, hints: &[&str]| nas::Row {
            href: "/nas/1".into(),
            name: wish.said(name),
            address: address.into(),
            profile: "MikroTik".into(),
            state,
            last_seen: seen.into(),
            online: online.into(),
            hints: hints.iter().map(|hint| wish.said(hint)).collect(),
        };
    let unknown = |address: &str, packets: &str, user: &str| nas::UnknownRow {
        address: address.into(),
        packets: packets.into(),
        last_seen: "5 s ago".into(),
        user_name: wish.said(user),
        add_href: "/nas/new?address=10.20.0.44".into(),
    };
    nas::ListPage {
        shell: wish.shell("NAS devices", Nav::Nas),
        rows: vec![
            row(
                "Tower North",
                "10.20.0.1",
                good("Answering"),
                "2 s ago",
                "1,804",
                &[],
            ),
            row(
                "Tower South",
                "10.20.0.2",
                warn("Needs attention"),
                "1 s ago",
                "1,590",
                &["Sends no Message-Authenticator."],
            ),
            row(
                "Harbour",
                "2001:db8:20::3",
                bad("Wrong secret"),
                "4 s ago",
                "0",
                &["48 packets could not be verified with the shared secret."],
            ),
            row(
                "Branch offices",
                "10.31.0.0/24",
                quiet("Silent"),
                "3 days ago",
                "0",
                &[],
            ),
        ],
        unknown: nas::UnknownPart {
            rows: vec![
                unknown("10.20.0.44", "312", "user00042"),
                unknown("198.51.100.7", "9", "test"),
            ],
        },
    }
}

fn nas_show(wish: Wish) -> nas::ShowPage {
    let coa = |time: &str, verb: &str, outcome| nas::CoaRow {
        time: time.into(),
        verb: verb.into(),
        user_name: wish.said("user00042"),
        outcome,
    };
    nas::ShowPage {
        shell: wish.shell("Tower South", Nav::Nas),
        path: "/nas/2".into(),
        name: wish.said("Tower South"),
        state: warn("Needs attention"),
        facts: vec![
            Fact::new("Address", wish.said("10.20.0.2")).copyable(),
            Fact::new("Profile", "MikroTik"),
            Fact::new("Shared secret", "stored encrypted"),
            Fact::new("CoA port", "3799"),
            Fact::new("Message-Authenticator", "checked when present"),
            Fact::new("Online", "1,590").link("/online?nas=2"),
            Fact::new("Last seen", "1 s ago"),
        ],
        counters: vec![
            Fact::new("Accepted", "182,402"),
            Fact::new("Rejected", "6,120"),
            Fact::new("Dropped", "3").note("2 malformed, 1 repeated too fast"),
        ],
        hints: vec![nas::Hint {
            title: "This device does not protect its requests".into(),
            text: "It sends no Message-Authenticator, so an attacker on the path could forge an answer. Update RouterOS to 7.15 or newer, then require it.".into(),
            command: "/radius set [find] require-message-auth=yes-for-request-resp".into(),
        }],
        rate: rate(12),
        rate_now: "4.1/s now".into(),
        coa: vec![
            coa("14:01:07", "Disconnect", good("Confirmed")),
            coa("13:22:40", "Change speed", warn("Pending: right at the next sign-in")),
            coa("11:09:13", "Disconnect", bad("No answer after 3 tries")),
        ],
        attempts: attempts(wish),
        router_commands: "/radius add service=ppp address=10.20.0.250 secret=\"…\" timeout=3s\n/radius incoming set accept=yes port=3799\n/ppp aaa set use-radius=yes accounting=yes interim-update=1m".into(),
    }
}

fn nas_form(wish: Wish, is_new: bool) -> nas::FormPage {
    nas::FormPage {
        shell: wish.shell("New NAS", Nav::Nas),
        action: "/nas".into(),
        back: "/nas".into(),
        is_new,
        refusal: None,
        name: Field::new(wish.said("Harbour")),
        address: Field::new(wish.said("10.20.0.44")),
        secret: Field::wrong(wish.said(""), "The secret must not be empty."),
        profile: Select::new(
            [
                ("mikrotik", "MikroTik"),
                ("wispr", "WISPr"),
                ("generic", "Generic"),
            ],
            "mikrotik",
        ),
        coa_port: Field::new("3799"),
        message_authenticator: Select::new(
            [("auto", "Checked when present"), ("required", "Required")],
            "auto",
        ),
        limit_proxy_state: false,
        swap_octets: false,
        notes: Field::new(wish.said("")),
    }
}

fn nas_delete(wish: Wish) -> nas::DeletePage {
    nas::DeletePage {
        shell: wish.shell("Delete NAS", Nav::Nas),
        action: "/nas/1/delete".into(),
        back: "/nas/1".into(),
        name: wish.said("Tower North"),
        consequences: vec![
            "1,804 sessions that run through it stay up, but cannot be disconnected from here."
                .into(),
            "Its requests are dropped from now on.".into(),
            "Session history and the authentication log stay.".into(),
        ],
    }
}

pub(super) fn online_rows(wish: Wish) -> Vec<sessions::OnlineRow> {
    let row =
        |user: &str, address: &str, since: &str, duration: &str, down: &str, up: &str, state| {
            sessions::OnlineRow {
                user_name: wish.said(user),
                user_href: "/subscribers/42".into(),
                plan: wish.said("Home 20M"),
                nas: wish.said("Tower North"),
                nas_href: "/nas/1".into(),
                address: address.into(),
                mac: wish.said("4C:5E:0C:8A:11:F0"),
                since: since.into(),
                duration: duration.into(),
                download: down.into(),
                upload: up.into(),
                last_update: "updated 22 s ago".into(),
                state,
                disconnect: "/sessions/1/disconnect".into(),
            }
        };
    vec![
        row(
            "user00042",
            "10.64.3.17",
            "Today 08:12",
            "5 h 51 min",
            "4.21 GB",
            "388 MB",
            good("Online"),
        ),
        row(
            "fatima.k",
            "10.64.3.201",
            "Today 13:59",
            "4 min",
            "61.2 MB",
            "4.9 MB",
            good("Online"),
        ),
        row(
            "user01877",
            "10.64.7.9",
            "Yesterday 22:40",
            "15 h 23 min",
            "12.8 GB",
            "1.02 GB",
            warn("Stale"),
        ),
        row(
            "user04410",
            "2001:db8:64:3::/64",
            "18 Nov 09:01",
            "4 d 5 h",
            "48.3 GB",
            "6.71 GB",
            good("Online"),
        ),
    ]
}

fn online(wish: Wish) -> sessions::OnlinePage {
    let query = Query::new().with("nas", "1").with("sort", "-since");
    sessions::OnlinePage {
        shell: wish.shell("Online", Nav::Online),
        q: wish.said("user"),
        nas: nas_choice(),
        plan: Select::new([("", "Any"), ("1", "Home 20M")], ""),
        state: Select::new([("", "Any"), ("online", "Online"), ("stale", "Stale")], ""),
        sort: "-since".into(),
        size: "50".into(),
        part: sessions::OnlinePart {
            csrf: "csrf-token".into(),
            here: "/online?nas=1&sort=-since".into(),
            filters: filtered("/online"),
            by_user: SortHead::new("/online", &query, "user", "-since"),
            by_since: SortHead::new("/online", &query, "since", "-since"),
            by_download: SortHead::new("/online", &query, "download", "-since"),
            rows: online_rows(wish),
            pager: Pager::new("/online", &query, 1, 50, 50, "3,412", true),
            updated: "14:03:22".into(),
        },
    }
}

pub(super) fn history_rows(wish: Wish) -> Vec<sessions::HistoryRow> {
    let row =
        |user: &str, start: &str, stop: &str, duration: &str, cause: &str| sessions::HistoryRow {
            user_name: wish.said(user),
            user_href: "/subscribers/42".into(),
            nas: wish.said("Tower North"),
            address: "10.64.3.17".into(),
            mac: wish.said("4C:5E:0C:8A:11:F0"),
            start: start.into(),
            stop: stop.into(),
            duration: duration.into(),
            download: "2.80 GB".into(),
            upload: "301 MB".into(),
            cause: cause.into(),
        };
    vec![
        row(
            "user00042",
            "22 Nov 01:10",
            "22 Nov 08:11",
            "7 h 1 min",
            "User request",
        ),
        row(
            "user00042",
            "21 Nov 18:02",
            "22 Nov 01:09",
            "7 h 7 min",
            "Lost carrier",
        ),
        row(
            "user00042",
            "21 Nov 09:44",
            "21 Nov 18:00",
            "8 h 16 min",
            "Disconnected by rania",
        ),
    ]
}

fn history(wish: Wish) -> sessions::HistoryPage {
    sessions::HistoryPage {
        shell: wish.shell("Session history", Nav::Sessions),
        q: wish.said(""),
        nas: nas_choice(),
        from: Field::new("2026-11-20"),
        to: Field::new(""),
        size: "50".into(),
        part: sessions::HistoryPart {
            filters: filtered("/sessions"),
            rows: history_rows(wish),
            pager: Pager::new(
                "/sessions",
                &Query::new(),
                3,
                50,
                50,
                "more than 10,000",
                true,
            ),
        },
    }
}

fn auth_log(wish: Wish) -> auth_log::ListPage {
    auth_log::ListPage {
        shell: wish.shell("Authentication log", Nav::AuthLog),
        q: wish.said(""),
        nas: nas_choice(),
        result: Select::new(
            [("", "Any"), ("accept", "Accepted"), ("reject", "Rejected")],
            "",
        ),
        reason: Select::new([("", "Any"), ("wrong_password", "Wrong password")], ""),
        from: Field::new(""),
        to: Field::new(""),
        size: "50".into(),
        retention: "Attempts are kept for 30 days, and at most 2 million of them.".into(),
        rows: auth_log::RowsPart {
            filters: filtered("/auth-log"),
            rows: attempts(wish),
            pager: Pager::new(
                "/auth-log",
                &Query::new(),
                1,
                50,
                50,
                "more than 10,000",
                true,
            ),
        },
    }
}

pub(super) fn changes(wish: Wish) -> Vec<audit::Row> {
    let change = |field: &str, old: &str, new: &str| audit::Change {
        field: field.into(),
        old: wish.said(old),
        new: wish.said(new),
    };
    let row = |time: &str, action: &str, object: &str, changes| audit::Row {
        time: time.into(),
        who: wish.said("rania"),
        action: action.into(),
        object: wish.said(object),
        object_href: "/subscribers/42".into(),
        changes,
        address: "192.0.2.17".into(),
    };
    vec![
        row(
            "22 Nov 13:58:02",
            "changed",
            "Subscriber user00042",
            vec![
                change("plan", "Home 10M", "Home 20M"),
                change("expires", "30 Nov 2026", "31 Dec 2026"),
            ],
        ),
        row(
            "22 Nov 11:20:44",
            "disconnected",
            "Session of user00042",
            vec![],
        ),
        row(
            "21 Nov 17:03:19",
            "changed",
            "Subscriber user00042",
            vec![change("password", "", "changed")],
        ),
    ]
}

fn audit_log(wish: Wish) -> audit::ListPage {
    audit::ListPage {
        shell: wish.shell("Audit log", Nav::Audit),
        q: wish.said(""),
        who: Select::new([("", "Anybody"), ("1", "rania")], ""),
        action: Select::new([("", "Any"), ("changed", "changed")], ""),
        from: Field::new(""),
        to: Field::new(""),
        size: "50".into(),
        rows: audit::RowsPart {
            filters: vec![],
            rows: changes(wish),
            pager: Pager::new("/audit", &Query::new(), 1, 50, 3, "3", false),
        },
    }
}
