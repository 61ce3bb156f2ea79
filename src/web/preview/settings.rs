//! Invented data for settings, operators and the second factor.

use askama::Template;

use super::{Sample, Wish, good, quiet};
use crate::web::pages::deletion::DeletePage;
use crate::web::pages::{account, login, operators, second_factor, settings};
use crate::web::parts::{Badge, Fact, Field, Select, Tone};
use crate::web::qr::QrCode;
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/settings/general", general(wish).render()),
        page("/settings/radius", radius(wish).render()),
        page("/settings/security", security(wish).render()),
        page("/settings/appearance", appearance(wish).render()),
        page("/settings/support", support(wish, false).render()),
        page("/settings/support/on", support(wish, true).render()),
        page("/settings/support/code", support_code(wish).render()),
        page("/operators", list(wish).render()),
        page("/operators/new", new(wish).render()),
        page("/operators/2", show(wish, "").render()),
        page(
            "/operators/1",
            show(wish, "This is your own account.").render(),
        ),
        page("/operators/2/delete", delete(wish).render()),
        page("/login/code", code(wish).render()),
        page("/account/second-factor", enrol(wish).render()),
        page("/account/second-factor/on", factor(wish).render()),
        page("/account/second-factor/off", ask(wish).render()),
        page("/account/second-factor/codes", codes(wish).render()),
    ]
}

fn general(wish: Wish) -> settings::general::GeneralPage {
    settings::general::GeneralPage {
        shell: wish.shell(&tabs::settings("/settings/general").title(), Nav::Settings),
        tabs: tabs::settings("/settings/general"),
        refusal: None,
        isp_name: Field::new(wish.said("Cedar Net")),
        time_zone: Field::wrong(
            wish.said("Beirut"),
            "Unknown time zone Beirut; use a name such as Asia/Baghdad",
        ),
        time_zones: vec!["Asia/Beirut".into(), "Europe/Paris".into()],
        clock: "2026-11-22 15:04".into(),
        day_starts: Field::new("00:05"),
        currency: Field::new("USD"),
    }
}

fn radius(wish: Wish) -> settings::radius::RadiusPage {
    settings::radius::RadiusPage {
        shell: wish.shell(&tabs::settings("/settings/radius").title(), Nav::Settings),
        tabs: tabs::settings("/settings/radius"),
        refusal: None,
        attempt_days: Field::new("30"),
        log_hint: "At most 500,000 attempts are kept, however young.".into(),
        facts: vec![
            Fact::new("Authentication, UDP", "0.0.0.0:1812, [::]:1812").note("radius.auth_listen"),
            Fact::new("CoA leaves from", "Chosen by the system").note("radius.coa_bind"),
        ],
        config_file: "/etc/proxpanel/proxpanel.toml",
    }
}

fn security(wish: Wish) -> settings::security::SecurityPage {
    settings::security::SecurityPage {
        shell: wish.shell(&tabs::settings("/settings/security").title(), Nav::Settings),
        tabs: tabs::settings("/settings/security"),
        refusal: Some("Set up your own second factor first.".into()),
        needs_factor: true,
        idle_hours: Field::new("12"),
        longest_days: Field::wrong("31", "A whole number from 1 to 30"),
        facts: vec![
            Fact::new(
                "Sign-ins from one address",
                "10 at once, then one every 6 s",
            ),
            Fact::new("Trusted proxies", "None").note("web.trusted_proxies"),
        ],
        config_file: "/etc/proxpanel/proxpanel.toml",
    }
}

fn appearance(wish: Wish) -> settings::appearance::AppearancePage {
    settings::appearance::AppearancePage {
        shell: wish.shell(
            &tabs::settings("/settings/appearance").title(),
            Nav::Settings,
        ),
        tabs: tabs::settings("/settings/appearance"),
        theme: Select::new([("auto", "As the device is set"), ("dark", "Dark")], "auto"),
    }
}

fn support(wish: Wish, is_on: bool) -> settings::support::SupportPage {
    settings::support::SupportPage {
        shell: wish.shell(&tabs::settings("/settings/support").title(), Nav::Settings),
        tabs: tabs::settings("/settings/support"),
        refusal: None,
        is_on,
        facts: vec![
            Fact::new("Ends by itself", "2026-11-22 19:04"),
            Fact::new("One-time code", "Used"),
        ],
        browsers: browsers(wish),
        hours: Select::new([("1", "1 hour"), ("4", "4 hours")], "4"),
        audit_href: "/audit?q=support".into(),
    }
}

fn support_code(wish: Wish) -> settings::support::CodePage {
    settings::support::CodePage {
        shell: wish.shell(&tabs::settings("/settings/support").title(), Nav::Settings),
        tabs: tabs::settings("/settings/support"),
        name: "support",
        code: "k7mxq-2hfzp-9wd3t-rbvca".into(),
        until: "2026-11-22 19:04".into(),
    }
}

fn list(wish: Wish) -> operators::ListPage {
    let row = |name: &str, role: &str, factor: Badge, is_you| operators::Row {
        name: wish.said(name),
        href: "/operators/2".into(),
        is_you,
        role: role.into(),
        factor,
        browsers: "2".into(),
        last_used: "2 min ago".into(),
        since: "2026-01-04".into(),
    };
    operators::ListPage {
        shell: wish.shell("Operators", Nav::Operators),
        rows: vec![
            row("rania", "Administrator", good("On"), true),
            row("ziad", "Viewer", quiet("Off"), false),
        ],
        rights: operators::rights(),
    }
}

fn new(wish: Wish) -> operators::NewPage {
    operators::NewPage {
        shell: wish.shell("New operator", Nav::Operators),
        refusal: None,
        name: Field::wrong(wish.said("rania"), "Another operator has this name"),
        role: roles(),
        password: Field::default(),
        password_again: Field::default(),
    }
}

fn show(wish: Wish, note: &'static str) -> operators::ShowPage {
    operators::ShowPage {
        shell: wish.shell("ziad", Nav::Operators),
        path: "/operators/2".into(),
        name: wish.said("ziad"),
        role_badge: Badge::new(Tone::Info, "Viewer"),
        facts: vec![
            Fact::new("Since", "2026-01-04 09:12"),
            Fact::new("Second factor", "On since 2026-02-01").note("7 recovery codes left"),
        ],
        may_manage: note.is_empty(),
        note,
        has_factor: true,
        refusal: None,
        role: roles(),
        password: Field::wrong("", "At least 10 characters"),
        password_again: Field::default(),
        browsers: browsers(wish),
    }
}

fn delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Remove operator", Nav::Operators),
        list: "Operators",
        list_href: "/operators",
        verb: "Remove",
        thing: "operator",
        name: wish.said("ziad"),
        back: "/operators/2".into(),
        action: "/operators/2/delete".into(),
        consequences: vec!["All browsers with this name are signed out at once.".into()],
        blocked: String::new(),
    }
}

fn roles() -> Select {
    Select::new(
        [("administrator", "Administrator"), ("viewer", "Viewer")],
        "viewer",
    )
}

fn browsers(wish: Wish) -> Vec<account::LoginRow> {
    vec![account::LoginRow {
        browser: wish.said("Firefox on Linux"),
        address: "192.0.2.17".into(),
        since: "2026-11-21 09:02".into(),
        last_used: "2 min ago".into(),
        is_this: false,
        revoke: "/operators/2/logins/1/revoke".into(),
    }]
}

fn code(wish: Wish) -> login::CodePage {
    login::CodePage {
        shell: wish.bare("Code"),
        code: Field::wrong("", "Wrong code."),
        next: wish.said("/"),
    }
}

fn enrol(wish: Wish) -> second_factor::EnrolPage {
    second_factor::EnrolPage {
        shell: wish.shell("Second factor", Nav::Elsewhere),
        is_needed: true,
        refusal: None,
        code_image: QrCode::of("otpauth://totp/Cedar:rania?secret=GEZDGNBVGY3TQOJQ").unwrap(),
        groups: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
        secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        present: Field::default(),
        later: "/setup/operator",
        code: Field::wrong("", "Not the code that the phone shows now."),
    }
}

fn factor(wish: Wish) -> second_factor::ShowPage {
    second_factor::ShowPage {
        shell: wish.shell("Second factor", Nav::Elsewhere),
        facts: vec![
            Fact::new("On since", "2026-02-01 10:00"),
            Fact::new("Recovery codes left", "7"),
        ],
        may_end: true,
    }
}

fn ask(wish: Wish) -> second_factor::AskPage {
    second_factor::AskPage {
        shell: wish.shell("Switch the second factor off", Nav::Elsewhere),
        text: "Then whoever knows your password can sign in.".into(),
        action: "/account/second-factor/off".into(),
        label: "Switch off".into(),
        is_danger: true,
        refusal: None,
        present: Field::wrong("", "This is not your present password"),
    }
}

fn codes(wish: Wish) -> second_factor::CodesPage {
    second_factor::CodesPage {
        shell: wish.shell("Recovery codes", Nav::Elsewhere),
        codes: ["k7mxq-2hfzp-9wd3t", "aaaaa-bbbbb-ccccc"].join("\n"),
        onward: "/",
    }
}
