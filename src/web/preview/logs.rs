//! Invented data for what is recorded: sessions, the authentication log, the audit log.

use askama::Template;

use super::{Sample, Wish, bad, good, warn};
use crate::web::pager::{ActiveFilter, Pager, SortHead};
use crate::web::pages::{audit, auth_log, sessions};
use crate::web::parts::{Badge, Field, Select};
use crate::web::query::Query;
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
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
        subscriber: "42".into(),
        size: "50".into(),
        part: sessions::HistoryPart {
            filters: filtered("/sessions"),
            rows: history_rows(wish),
            pager: Pager::log("/sessions", &Query::new(), 50, 50, Some(901)),
        },
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
            pager: Pager::log("/auth-log", &Query::new(), 50, 50, Some(901)),
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
        from: Field::new(""),
        to: Field::new(""),
        size: "50".into(),
        rows: audit::RowsPart {
            filters: vec![],
            rows: changes(wish),
            pager: Pager::log("/audit", &Query::new(), 50, 3, None),
        },
    }
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
