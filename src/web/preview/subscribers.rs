//! Invented data for the pages about subscribers.

use askama::Template;

use super::{Sample, Wish, bad, good, logs, quiet, saved, warn, wave};
use crate::web::chart::{Bars, Day};
use crate::web::pager::{ActiveFilter, Pager, SortHead};
use crate::web::pages::deletion::DeletePage;
use crate::web::pages::subscribers;
use crate::web::parts::{Badge, Fact, Field, Meter, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/subscribers", list(wish).render()),
        page(
            "/subscribers/first",
            subscribers::ListPage {
                rows: subscribers::RowsPart {
                    is_first_run: true,
                    ..Default::default()
                },
                ..list(wish)
            }
            .render(),
        ),
        page(
            "/subscribers/none",
            subscribers::ListPage {
                rows: subscribers::RowsPart::default(),
                ..list(wish)
            }
            .render(),
        ),
        page("/subscribers/42", show(wish).render()),
        page("/subscribers/43", show_new(wish).render()),
        page("/subscribers/42/fair-use", fair_use(wish).render()),
        page("/subscribers/new", form(wish, true).render()),
        page("/subscribers/42/edit", form(wish, false).render()),
        page("/subscribers/42/delete", delete(wish).render()),
        page("/subscribers/forget-macs", forget_macs(wish).render()),
        page("/subscribers/42/password", password(wish).render()),
    ]
}

fn list(wish: Wish) -> subscribers::ListPage {
    let query = Query::new().with("state", "active").with("sort", "user");
    let row = |user: &str,
               name: &str,
               plan: &str,
               state,
               (presence, presence_note): (Badge, &str),
               expires: &str,
               note: &str,
               used: &str| subscribers::Row {
        href: "/subscribers/42".into(),
        user_name: wish.said(user),
        full_name: wish.said(name),
        phone: wish.said("+961 3 123 456"),
        plan: wish.said(plan),
        state,
        presence,
        presence_note: presence_note.into(),
        expires: expires.into(),
        expires_note: note.into(),
        used_this_month: used.into(),
        created: "12 Mar 2025".into(),
    };
    let head = |column| SortHead::new("/subscribers", &query, column, "user");
    subscribers::ListPage {
        shell: wish.shell("Subscribers", Nav::Subscribers),
        q: wish.said(""),
        plan: Select::new([("", "Any"), ("1", "Home 10M"), ("2", "Home 20M")], ""),
        state: Select::new(
            [("", "Any"), ("active", "Active"), ("expired", "Expired")],
            "active",
        ),
        presence: Select::new([("", "Any"), ("online", "Online")], ""),
        sort: "user".into(),
        size: "50".into(),
        rows: subscribers::RowsPart {
            filters: vec![ActiveFilter {
                text: "state is active".into(),
                remove_href: "/subscribers".into(),
            }],
            by_user: head("user"),
            by_expiry: head("expiry"),
            by_created: head("created"),
            rows: vec![
                row(
                    "fatima.k",
                    "Fatima Khoury",
                    "Home 20M",
                    good("Active"),
                    (good("Online"), "4 min"),
                    "31 Dec 2026",
                    "in 39 days",
                    "61.2 GB",
                ),
                row(
                    "user00042",
                    "علي حسن",
                    "Home 20M",
                    good("Active"),
                    (good("Online"), "5 h 51 min"),
                    "25 Nov 2026",
                    "in 3 days",
                    "204 GB",
                ),
                row(
                    "user00731",
                    "George Saab",
                    "Home 10M",
                    bad("Expired"),
                    (quiet("Offline"), "2 days"),
                    "20 Nov 2026",
                    "2 days ago",
                    "33.9 GB",
                ),
                row(
                    "user00912",
                    "Nour Haddad and Sons Trading Company",
                    "Business 100M",
                    warn("Grace"),
                    (quiet("Offline"), "1 h"),
                    "21 Nov 2026",
                    "1 day ago",
                    "1.21 TB",
                ),
                row(
                    "user01877",
                    "",
                    "Home 10M",
                    quiet("Disabled"),
                    (quiet("Never online"), ""),
                    "Never",
                    "",
                    "0",
                ),
                row(
                    "user03310",
                    "Karim Aoun",
                    "Night owl",
                    good("Active"),
                    (warn("Stale"), "since 13:40"),
                    "2 Jan 2027",
                    "in 41 days",
                    "18.0 GB",
                ),
            ],
            pager: Pager::new("/subscribers", &query, 2, 50, 50, "4,907", true),
            is_first_run: false,
            forget_href: "/subscribers/forget-macs?state=active".into(),
        },
    }
}

fn show(wish: Wish) -> subscribers::ShowPage {
    let days: Vec<_> = (0..30)
        .map(|i| Day {
            title: format!("Day {i}"),
            download_octets: wave(i, 9_000),
            upload_octets: wave(i + 7, 1_800),
        })
        .collect();
    let mut shell = wish.shell("user00042", Nav::Subscribers);
    shell.flash = saved();
    subscribers::ShowPage {
        shell,
        path: "/subscribers/42".into(),
        user_name: wish.said("user00042"),
        full_name: wish.said("علي حسن"),
        state: good("Active"),
        presence: good("Online 5 h 51 min"),
        is_enabled: true,
        is_online: true,
        has_mac_lock: true,
        why: subscribers::Why {
            tone: Tone::Info,
            title: "Online at 20 Mbps down, 5 Mbps up".into(),
            text: wish.said("The speed of the plan Home 20M, confirmed by Tower North at 13:58."),
            steps: vec![
                "Plan 10M/2M".into(),
                "changed to Home 20M".into(),
                "CoA confirmed".into(),
            ],
            ..Default::default()
        },
        planned: wish.said("The session is ended on 2026-11-23 04:00, so that the next login brings what changed. Planned by rania."),
        account: vec![
            Fact::new("Plan", wish.said("Home 20M")).link("/plans/2/edit"),
            Fact::new("Expires", "25 Nov 2026").note("in 3 days; that day still works"),
            Fact::new("Phone", wish.said("+961 3 123 456")).copyable(),
            Fact::new("E-mail", ""),
            Fact::new("Address", wish.said("Hamra, Building 12, 3rd floor")),
            Fact::new("Created", "12 Mar 2025").note("by rania"),
        ],
        access: vec![
            Fact::new("Sessions at once", "1").note("a new one replaces the old"),
            Fact::new("MAC lock", "Learns 2").note("4C:5E:0C:8A:11:F0"),
            Fact::new("Address", "from pool home"),
            Fact::new("Speed", "of the plan"),
        ],
        notes: wish.said("Roof antenna, key at the neighbour."),
        used_today: "4.6 GB".into(),
        used_this_month: "204 GB".into(),
        free_this_month: "12.5 GB".into(),
        months: Bars::new(&days[..12], "Usage per month over 12 months").labelled(
            "2025-12",
            "2026-11",
            "most: 210 GB",
        ),
        quota: quota(wish),
        speed: subscribers::SpeedPart {
            download: "2 Mbit/s".into(),
            upload: "512 kbit/s".into(),
            steps: vec![
                wish.said("Plan Home 20M: 20 Mbit/s down, 5 Mbit/s up"),
                "Daily tier 2 at 10 GB (11.2 GB used): 2 Mbit/s down, 512 kbit/s up".into(),
            ],
            pending: "The router still has 20 Mbit/s down, 5 Mbit/s up: no answer from the router. Tried again by itself.".into(),
            free_hours: vec!["02:00-08:00: 1 GB counts as 0.3 GB".into()],
        },
        has_live: false,
        usage: Bars::new(&days, "Usage per day over 30 days, at most 11 GB").labelled(
            "24 Oct",
            "22 Nov",
            "most: 11.2 GB",
        ),
        open: subscribers::SessionsPart {
            csrf: "csrf-token".into(),
            open: logs::online_rows(wish).into_iter().take(1).collect(),
            closed: logs::history_rows(wish),
            all_href: "/sessions?q=user00042".into(),
        },
        attempts: logs::attempts(wish).into_iter().take(3).collect(),
        attempts_href: "/auth-log?q=user00042".into(),
        audit: logs::changes(wish),
    }
}

fn quota(wish: Wish) -> subscribers::QuotaPart {
    let meter = |label: &str, value: &str, percent, tone| Meter {
        label: label.into(),
        value: value.into(),
        percent,
        tone,
    };
    subscribers::QuotaPart {
        state: Badge::new(Tone::Warn, "Throttled"),
        meters: vec![
            meter("Today", "11.2 GB of 15.0 GB", 74, Tone::Info),
            meter(
                "Month from 2026-11-05 to 2026-12-04",
                "204 GB of 200 GB",
                100,
                Tone::Bad,
            ),
        ],
        notes: vec![
            wish.said("Top-ups add 10.0 GB to the monthly quota."),
            "On 2026-11-22 14:05 it reached 80 % of the daily quota of 10.0 GB.".into(),
        ],
    }
}

fn fair_use(wish: Wish) -> subscribers::FairUsePage {
    subscribers::FairUsePage {
        shell: wish.shell("user00042", Nav::Subscribers),
        path: "/subscribers/42".into(),
        user_name: wish.said("user00042"),
        refusal: Some("One field needs your attention.".into()),
        quota: quota(wish),
        scope: Select::new(
            [("all", "Day, month and term"), ("day", "The day only")],
            "all",
        ),
        reason: Field::new(wish.said("Storm")),
        gigabytes: Field::wrong(wish.said("lots"), "Gigabytes, such as 100 or 12.5"),
        holds: Select::new([("month", "To the end of the month of usage")], "month"),
        days: Field::default(),
        boost_download: Field::new("50M"),
        boost_upload: Field::new("10M"),
        boost_hours: Field::new("24"),
        boosted: "50 Mbit/s down, 10 Mbit/s up until 2026-11-23 18:00".into(),
        top_ups: vec![subscribers::TopUpRow {
            bought: "2026-11-20 10:00".into(),
            size: "10.0 GB".into(),
            used: "0 B".into(),
            holds: "through 2026-12-04".into(),
            by: wish.said("rania"),
        }],
        credits: vec![subscribers::CreditRow {
            at: "2026-11-19 09:00".into(),
            scope: "Day 2026-11-19".into(),
            size: "9.0 GB".into(),
            by: wish.said("rania"),
            reason: wish.said("Storm"),
        }],
    }
}

fn show_new(wish: Wish) -> subscribers::ShowPage {
    subscribers::ShowPage {
        shell: wish.shell("user00043", Nav::Subscribers),
        state: bad("Expired"),
        presence: quiet("Never online"),
        is_enabled: false,
        is_online: false,
        has_mac_lock: false,
        why: subscribers::Why {
            tone: Tone::Bad,
            title: "Rejected since 20 Nov: expired".into(),
            text: "The last attempt was 3 minutes ago, through Tower North.".into(),
            href: "/subscribers/43/edit".into(),
            action: "Set a new date".into(),
            ..Default::default()
        },
        planned: String::new(),
        notes: String::new(),
        usage: Bars::new(&[], "No usage yet"),
        months: Bars::new(&[], "No usage yet"),
        quota: subscribers::QuotaPart::default(),
        speed: subscribers::SpeedPart::default(),
        open: subscribers::SessionsPart::default(),
        attempts: vec![],
        audit: vec![],
        ..show(wish)
    }
}

fn form(wish: Wish, is_new: bool) -> subscribers::FormPage {
    subscribers::FormPage {
        shell: wish.shell("New subscriber", Nav::Subscribers),
        action: "/subscribers".into(),
        back: "/subscribers".into(),
        is_new,
        refusal: is_new.then(|| "Two fields need your attention.".into()),
        user_name: if is_new {
            Field::wrong(
                wish.said("user00042"),
                "This user name belongs to somebody else.",
            )
        } else {
            Field::new(wish.said("user00042"))
        },
        password: Field::default(),
        full_name: Field::new(wish.said("علي حسن")),
        phone: Field::new(wish.said("+961 3 123 456")),
        email: Field::new(wish.said("")),
        address: Field::new(wish.said("Hamra")),
        notes: Field::new(wish.said("Roof antenna")),
        plan: Select::new([("1", "Home 10M"), ("2", "Home 20M")], "2"),
        expires: Field::new("2026-12-31"),
        enabled: true,
        max_sessions: Field::new("1"),
        on_limit: Select::new(
            [
                ("replace_old", "Disconnect the oldest session"),
                ("reject_new", "Reject the new one"),
            ],
            "replace_old",
        ),
        mac_mode: Select::new(
            [
                ("off", "Any"),
                ("learn", "Learn the first ones"),
                ("fixed", "Only those listed"),
            ],
            "learn",
        ),
        mac_learn: Field::new("2"),
        macs: Field::new(wish.said("4C:5E:0C:8A:11:F0")),
        static_prefix: Field::new(wish.said("2001:db8:12::/56")),
        static_address: Field::wrong(wish.said("not a mac-or-ip"), "This is not an IP address."),
        only_nas: Select::new([("", "Any NAS"), ("1", "Tower North")], ""),
        reconnect: Select::new(
            [
                ("next", "Wait for the next login"),
                ("tonight", "Disconnect tonight at 04:00"),
            ],
            "next",
        ),
        is_online: !is_new,
        download_kbps: Field::default(),
        upload_kbps: Field::default(),
        extra_check: Field::default(),
        extra_reply: if is_new {
            Field::wrong(
                wish.said("Filter-Name = gold"),
                "Line 1: no attribute is called Filter-Name",
            )
        } else {
            Field::new(wish.said("Framed-Route = 192.0.2.0/24 0.0.0.0 1"))
        },
    }
}

fn forget_macs(wish: Wish) -> subscribers::ForgetMacsPage {
    subscribers::ForgetMacsPage {
        shell: wish.shell("Learned MAC addresses", Nav::Subscribers),
        back: "/subscribers?state=active".into(),
        refusal: Some("One field needs another look.".into()),
        count: "4,210".into(),
        note: "At most 10000 are forgotten at a time.".into(),
        filters: vec![wish.said("plan Home 10M"), "state active".into()],
        meant: vec![("plan".into(), wish.said("1"))],
        days: Field::wrong("0", "A whole number from 1 to 3650"),
    }
}

fn delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Delete subscriber", Nav::Subscribers),
        list: "Subscribers",
        list_href: "/subscribers",
        verb: "Delete",
        thing: "subscriber",
        action: "/subscribers/42/delete".into(),
        back: "/subscribers/42".into(),
        name: wish.said("user00042"),
        consequences: vec![
            "The open session is disconnected, and the next sign-in is rejected as unknown.".into(),
            "Session history and the audit log stay.".into(),
        ],
        blocked: String::new(),
    }
}

fn password(wish: Wish) -> subscribers::PasswordPage {
    subscribers::PasswordPage {
        shell: wish.shell("Password", Nav::Subscribers),
        user_name: wish.said("user00042"),
        back: "/subscribers/42".into(),
        part: subscribers::PasswordPart {
            password: wish.said("kx7-mango"),
        },
    }
}
