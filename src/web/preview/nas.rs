//! Invented data for the pages about NAS devices.

use askama::Template;

use super::{Sample, Wish, bad, good, logs, quiet, warn};
use crate::web::pages::deletion::DeletePage;
use crate::web::pages::nas;
use crate::web::parts::{Fact, Field, Select};
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/nas", list(wish).render()),
        page(
            "/nas/empty",
            nas::ListPage {
                rows: vec![],
                unknown: nas::UnknownPart::default(),
                ..list(wish)
            }
            .render(),
        ),
        page("/nas/1", show(wish).render()),
        page("/nas/new", form(wish, true).render()),
        page("/nas/1/edit", form(wish, false).render()),
        page("/nas/1/delete", delete(wish).render()),
        page("/nas/1/checks", checks(wish).render()),
        page("/nas/1/script", script(wish, false).render()),
        page("/nas/1/script/secrets", script(wish, true).render()),
    ]
}

fn list(wish: Wish) -> nas::ListPage {
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
            strangers: vec![nas::StrangerRow {
                fingerprint: "1f2e 3d4c 5b6a 7988 1f2e 3d4c 5b6a 7988 1f2e 3d4c 5b6a 7988 1f2e 3d4c 5b6a 7988".into(),
                names: wish.said("tower-south.isp.test, 10.20.0.2"),
                source: "10.20.0.2".into(),
                tries: "12".into(),
                last_seen: "8 s ago".into(),
                href: "/nas/1/edit?certificate=1f2e".into(),
                action: wish.said("Use for Tower South"),
            }],
        },
    }
}

fn show(wish: Wish) -> nas::ShowPage {
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
            Fact::new("RadSec connection", "10.20.0.2:49152").note("since 2026-05-28 20:26:40"),
            Fact::new("Last RadSec trouble", "3 days ago")
                .note(wish.said("10.20.0.2:49151: its certificate is not that of a NAS")),
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
        coa: vec![
            coa("14:01:07", "Disconnect", good("Confirmed")),
            coa("13:22:40", "Change speed", warn("Pending: right at the next sign-in")),
            coa("11:09:13", "Disconnect", bad("No answer after 3 tries")),
        ],
        attempts: logs::attempts(wish),
        attempts_href: "/auth-log?nas=2".into(),
        notes: wish.said("On the roof, key at the desk"),
        has_certificate: true,
        forget_action: "/nas/2/forget-certificate".into(),
        test_action: "/nas/2/test-coa".into(),
        router_commands: "/radius add service=ppp address=10.20.0.250 secret=\"…\" timeout=3s\n/radius incoming set accept=yes port=3799\n/ppp aaa set use-radius=yes accounting=yes interim-update=1m".into(),
    }
}

fn form(wish: Wish, is_new: bool) -> nas::FormPage {
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
        send_message_authenticator: true,
        swap_octets: false,
        interim_interval: Field::default(),
        api: nas::ApiFields {
            access: Select::new([("none", "No API access"), ("pinned", "TLS")], "pinned"),
            address: Field::new(wish.said("10.20.0.44")),
            port: Field::wrong(wish.said("87290"), "A whole number from 1 to 65535"),
            user: Field::new(wish.said("proxpanel")),
            password: Field::default(),
            has_password: !is_new,
            authority: Field::default(),
            legacy_login: false,
            usage_source: Select::new([("accounting", "RADIUS accounting")], "accounting"),
            fallback: true,
        },
        radsec: nas::RadsecFields {
            trust: Select::new(
                [("off", "No RadSec"), ("pinned", "This certificate only")],
                "pinned",
            ),
            certificate: Field::wrong(
                wish.said("1f2e 3d4c"),
                "A SHA-256 fingerprint: 64 digits 0-9 and a-f, colons and spaces do not matter",
            ),
            authority: Field::default(),
            name: Field::default(),
        },
        notes: Field::new(wish.said("")),
    }
}

fn checks(wish: Wish) -> nas::ChecksPage {
    let row = |number, name, verdict, says: &str, command: &str| nas::CheckRow {
        id: format!("check-{number}"),
        name,
        verdict,
        says: wish.said(says),
        command: command.into(),
    };
    nas::ChecksPage {
        shell: wish.shell("Checks", Nav::Nas),
        name: wish.said("Tower South"),
        back: "/nas/2".into(),
        part: nas::ChecksPart {
            rows: vec![
                row(
                    0,
                    "Reachable",
                    good("Good"),
                    "Its last packet came 1 s ago.",
                    "",
                ),
                row(
                    1,
                    "API",
                    good("Good"),
                    "Signed in as proxpanel, RouterOS 7.15.3.",
                    "",
                ),
                row(
                    2,
                    "FastTrack",
                    bad("Mend"),
                    "It is on, so packets pass by the queues that hold the speeds.",
                    "/ip firewall filter disable [find where action=fasttrack-connection]",
                ),
                row(
                    3,
                    "Clock",
                    quiet("Not known"),
                    "Not known: the API user lacks the right to read it.",
                    "",
                ),
            ],
            connection: vec![
                Fact::new("Connection", "Offline for 3 min")
                    .note(wish.said("the router cannot be reached: connection refused")),
                Fact::new("Next try", "in 42 s at the earliest"),
            ],
        },
    }
}

fn script(wish: Wish, has_secrets: bool) -> nas::ScriptPage {
    let version = |label, is_current| nas::VersionLink {
        label,
        href: "/nas/2/script?version=6".into(),
        is_current,
    };
    nas::ScriptPage {
        shell: wish.shell("Setup script", Nav::Nas),
        path: "/nas/2/script".into(),
        name: wish.said("Tower South"),
        back: "/nas/2".into(),
        versions: vec![version("RouterOS 7", true), version("RouterOS 6", false)],
        version: "7".into(),
        server: Field::new(wish.said("192.0.2.10")),
        portal: Field::wrong(wish.said("portal"), "An address, such as 192.0.2.10"),
        interface: Field::default(),
        sets_name: true,
        refusal: None,
        has_secrets,
        lacks_server: true,
        lacks_api: true,
        steps: vec![
            nas::StepView {
                id: "step-1".into(),
                title: "RADIUS",
                why: "Points the router here.",
                commands: wish.said("/radius add service=ppp"),
            },
            nas::StepView {
                id: "step-2".into(),
                title: "FastTrack",
                why: "It lets packets pass by the queues.",
                commands: "/ip firewall filter disable [find]".into(),
            },
        ],
        download_href: "/nas/2/script.rsc?version=7".into(),
    }
}

fn delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Delete NAS", Nav::Nas),
        list: "NAS devices",
        list_href: "/nas",
        verb: "Delete",
        thing: "NAS",
        action: "/nas/1/delete".into(),
        back: "/nas/1".into(),
        name: wish.said("Tower North"),
        consequences: vec![
            "1,804 sessions that run through it stay up, but cannot be disconnected from here."
                .into(),
            "Its requests are dropped from now on.".into(),
            "Session history and the authentication log stay.".into(),
        ],
        blocked: String::new(),
    }
}
