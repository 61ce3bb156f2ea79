//! Invented data for search, sign-in, the operator's own pages and errors.

use askama::Template;

use super::{Sample, Wish, backups, bad, good};
use crate::web::pages::{account, errors, login, search, system};
use crate::web::parts::Field;
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    let mut all = vec![
        page("/login", login(wish, None).render()),
        page(
            "/login/refused",
            login(wish, Some("Name or password is wrong.")).render(),
        ),
        page("/search", search(wish).render()),
        page(
            "/search/nothing",
            search::ShowPage {
                results: search::ResultsPart {
                    q: wish.said("zzz"),
                    ..Default::default()
                },
                ..search(wish)
            }
            .render(),
        ),
        page("/system/jobs", jobs(wish).render()),
        page("/settings/backups", backups::backups(wish).render()),
        page(
            "/settings/backups/a.enc/restore",
            backups::restore(wish).render(),
        ),
        page("/account/logins", logins(wish).render()),
        page("/account/password", password(wish).render()),
    ];
    all.extend(error_pages(wish));
    all
}

fn login(wish: Wish, refusal: Option<&str>) -> login::ShowPage {
    login::ShowPage {
        shell: wish.bare("Sign in"),
        name: Field::new(wish.said("rania")),
        refusal: refusal.map(Into::into),
        next: wish.said("/"),
    }
}

fn jobs(wish: Wish) -> system::JobsPage {
    let row = |name: &str, state, outcome: &str, error: &str| system::JobRow {
        name: name.into(),
        state,
        last_run: "12 s ago".into(),
        took: "38 ms".into(),
        next_run: "2026-11-22 14:02:30".into(),
        outcome: wish.said(outcome),
        error: error.into(),
        run_href: "/system/jobs/x/run".into(),
    };
    system::JobsPage {
        shell: wish.shell("Jobs", Nav::System),
        tabs: tabs::system("/system/jobs"),
        audit: system::AuditCard {
            state: bad("1 subscriber differs"),
            text: "4,907 subscribers with usage, looked at on 2026-11-22 00:07.".into(),
            rows: vec![system::AuditDifference {
                user_name: wish.said("user00042"),
                href: "/subscribers/42".into(),
                sessions: "204 GB, 12.0 GB of it free".into(),
                days: "204 GB".into(),
                months: "203 GB".into(),
            }],
        },
        part: system::JobsPart {
            csrf: "csrf-token".into(),
            rows: vec![
                row(
                    "quota sync",
                    good("Well"),
                    "4,907 sessions, 3 to be told",
                    "",
                ),
                row("routers", bad("Failed"), "", "the disk is full"),
            ],
        },
    }
}

fn search(wish: Wish) -> search::ShowPage {
    let hit = |icon, kind: &str, title: &str, detail: &str, state| search::Hit {
        href: "/subscribers/42".into(),
        icon,
        kind: kind.into(),
        title: wish.said(title),
        details: detail.split(", ").map(|part| wish.said(part)).collect(),
        state,
    };
    let mut shell = wish.shell("Search", Nav::Elsewhere);
    shell.search = wish.said("ali");
    search::ShowPage {
        shell,
        results: search::ResultsPart {
            q: wish.said("ali"),
            hits: vec![
                hit(
                    "user",
                    "Subscriber",
                    "user00042",
                    "علي حسن, +961 3 123 456",
                    Some(good("Online")),
                ),
                hit(
                    "user",
                    "Subscriber",
                    "khalil.m",
                    "Khalil Mansour, +961 70 654 321",
                    Some(bad("Expired")),
                ),
                hit("layers", "Plan", "Ali Baba 50M", "USD 40.00 a month", None),
                hit("router", "NAS", "Aliya tower", "10.20.0.7", None),
            ],
            summary: "4 results in 2 ms".into(),
        },
    }
}

fn logins(wish: Wish) -> account::LoginsPage {
    let row = |browser: &str, address: &str, is_this| account::LoginRow {
        browser: wish.said(browser),
        address: address.into(),
        since: "21 Nov 09:02".into(),
        last_used: "2 min ago".into(),
        is_this,
        revoke: "/account/logins/1/revoke".into(),
    };
    account::LoginsPage {
        shell: wish.shell("Signed-in browsers", Nav::Elsewhere),
        rows: vec![
            row("Firefox on Linux", "192.0.2.17", true),
            row("Chrome on Android", "198.51.100.20", false),
        ],
    }
}

fn password(wish: Wish) -> account::PasswordPage {
    account::PasswordPage {
        shell: wish.shell("Change password", Nav::Elsewhere),
        present: Field::wrong("", "This is not your present password."),
        password: Field::default(),
        password_again: Field::default(),
    }
}

fn error_pages(wish: Wish) -> Vec<Sample> {
    let request_id = || wish.said("01JDA4X9");
    let shell = || wish.bare("Error");
    let text = |text: &str| wish.said(text);
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/errors/not-found", errors::NotFoundPage { shell: shell(), request_id: request_id() }.render()),
        page(
            "/errors/forbidden",
            errors::ForbiddenPage { shell: shell(), text: text("This form is too old. Load the page again and repeat the change."), request_id: request_id() }.render(),
        ),
        page(
            "/errors/refused",
            errors::RefusedPage { shell: shell(), code: "409".into(), text: text("The session has already ended."), back: text("/online"), request_id: request_id() }.render(),
        ),
        page("/errors/fault", errors::FaultPage { shell: shell(), request_id: request_id() }.render()),
        page(
            "/errors/unavailable",
            errors::UnavailablePage {
                shell: shell(),
                text: text("The disk is full, so nothing can be saved. Subscribers can still sign in. Free some space, then try again."),
                request_id: request_id(),
            }
            .render(),
        ),
    ]
}
