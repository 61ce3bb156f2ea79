//! Invented data for the steps of the first run.

use askama::Template;

use super::{Sample, Wish};
use crate::operations::setup::{Progress, Step, StepState};
use crate::web::pages::nas::VersionLink;
use crate::web::pages::setup::{self, StepLink, step_links};
use crate::web::pages::subscribers::Why;
use crate::web::parts::{Fact, Field, Select, SpeedField, Tone};

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/setup/token", link(wish).render()),
        page("/setup/needed", needed(wish).render()),
        page("/setup/operator", operator(wish, false).render()),
        page("/setup/operator/on", operator(wish, true).render()),
        page("/setup/network", network(wish).render()),
        page("/setup/router", router(wish).render()),
        page("/setup/router/script", script(wish, true).render()),
        page("/setup/router/values", script(wish, false).render()),
        page("/setup/plan", plan(wish).render()),
        page("/setup/subscriber", subscriber(wish, "").render()),
        page(
            "/setup/subscriber/none",
            subscriber(wish, "/setup/plan").render(),
        ),
        page("/setup/login", waiting(wish, false).render()),
        page("/setup/login/in", waiting(wish, true).render()),
        page("/setup/backups", backups(wish, false).render()),
        page("/setup/backups/set", backups(wish, true).render()),
        page("/setup/done", done(wish, true).render()),
        page("/setup/done/open", done(wish, false).render()),
    ]
}

/// Two are done, one is skipped.
pub(super) fn steps(here: Option<Step>) -> Vec<StepLink> {
    let state = |step| match step {
        Step::Operator | Step::Network => StepState::Done,
        Step::Plan => StepState::Skipped,
        Step::Router | Step::Subscriber | Step::Backups => StepState::Open,
    };
    let progress = Progress {
        steps: Step::ALL.map(|step| (step, state(step))),
        is_dismissed: false,
    };
    step_links(&progress, here)
}

fn link(wish: Wish) -> setup::LinkPage {
    setup::LinkPage {
        shell: wish.bare("Welcome"),
        action: "/setup?token=abc".into(),
        refusal: None,
        name: Field::new(wish.said("rania")),
        password: Field::wrong(
            "",
            "The password needs at least 10 characters; this one has 6.",
        ),
        password_again: Field::default(),
    }
}

fn needed(wish: Wish) -> setup::NeededPage {
    setup::NeededPage {
        shell: wish.bare("Not set up yet"),
        text: wish.said("Nobody can sign in before the first operator is made."),
        command: "proxpanel setup",
    }
}

fn operator(wish: Wish, has_factor: bool) -> setup::OperatorPage {
    setup::OperatorPage {
        shell: wish.bare("Your account"),
        steps: steps(Some(Step::Operator)),
        name: wish.said("rania"),
        has_factor,
        onward: "/setup/network",
    }
}

fn network(wish: Wish) -> setup::NetworkPage {
    setup::NetworkPage {
        shell: wish.bare("Your network"),
        steps: steps(Some(Step::Network)),
        action: "/setup/network",
        refusal: Some(wish.said("day starts: A time from 00:00 to 23:59")),
        isp_name: Field::new(wish.said("Cedar Net")),
        time_zone: Field::wrong(
            wish.said("Beirut"),
            "Unknown time zone Beirut; use a name such as Asia/Baghdad",
        ),
        time_zones: vec!["Asia/Beirut".into(), "Europe/Paris".into()],
        currency: Field::new("USD"),
    }
}

fn router(wish: Wish) -> setup::RouterPage {
    setup::RouterPage {
        shell: wish.bare("Your router"),
        steps: steps(Some(Step::Router)),
        action: "/setup/router",
        refusal: None,
        is_new: true,
        name: Field::new(wish.said("Tower North")),
        address: Field::wrong(wish.said("10.20.0"), "Not an address"),
        secret: Field::default(),
        profile: Select::new(
            [("mikrotik", "MikroTik RouterOS"), ("cisco", "Cisco")],
            "mikrotik",
        ),
        stranger: wish.said("10.20.0.1"),
        stranger_href: "/setup/router?address=10.20.0.1".into(),
        onward: "",
    }
}

fn script(wish: Wish, is_mikrotik: bool) -> setup::ScriptPage {
    let version = |label, is_current| VersionLink {
        label,
        href: "/setup/router/script?version=6".into(),
        is_current,
    };
    let line = "/radius add service=ppp address=10.20.0.250 src-address=10.20.0.1 secret=\"SECRET\" authentication-port=1812 accounting-port=1813 timeout=3s comment=\"proxpanel\"";
    setup::ScriptPage {
        shell: wish.bare("Connect the router"),
        steps: steps(Some(Step::Router)),
        name: wish.said("Tower North"),
        path: "/setup/router/script",
        back: "/setup/router",
        onward: "/setup/plan",
        versions: match is_mikrotik {
            true => vec![version("RouterOS 7", true), version("RouterOS 6", false)],
            false => vec![],
        },
        version: "7",
        server: match is_mikrotik {
            true => Field::new(wish.said("10.20.0.250")),
            false => Field::default(),
        },
        refusal: None,
        script: match is_mikrotik {
            true => wish.said(&[line; 24].join("\n")),
            false => String::new(),
        },
        has_secret: !is_mikrotik,
        nas_href: "/nas/1".into(),
        facts: vec![
            Fact::new("RADIUS server", wish.said("10.20.0.250")).copyable(),
            Fact::new("Authentication", "UDP 1812"),
            Fact::new("Accounting", "UDP 1813"),
            Fact::new("CoA, on the router", "UDP 3799"),
        ],
    }
}

fn plan(wish: Wish) -> setup::PlanPage {
    let speed = |value: &str, note: &str| SpeedField {
        field: Field::new(wish.said(value)),
        note: note.into(),
    };
    setup::PlanPage {
        shell: wish.bare("Your first plan"),
        steps: steps(Some(Step::Plan)),
        action: "/setup/plan",
        refusal: None,
        is_new: true,
        name: Field::new(wish.said("Home 20")),
        download: speed("20M", "20 Mbit/s"),
        upload: speed("5M", "5 Mbit/s"),
        price: Field::wrong(wish.said("25,000"), "Not an amount in IQD"),
        currency: "IQD".into(),
        term: Field::new("1"),
        term_unit: Select::new([("days", "days"), ("months", "months")], "months"),
    }
}

fn subscriber(wish: Wish, plan_href: &'static str) -> setup::SubscriberPage {
    setup::SubscriberPage {
        shell: wish.bare("Your first subscriber"),
        steps: steps(Some(Step::Subscriber)),
        action: "/setup/subscriber",
        refusal: None,
        is_new: true,
        plan_href,
        user_name: Field::wrong(wish.said("ali hassan"), "No spaces or control characters"),
        password: Field::default(),
        plan: Select::new([("1".to_owned(), wish.said("Home 20"))], "1"),
        onward: "",
    }
}

fn waiting(wish: Wish, is_in: bool) -> setup::WaitingPage {
    let why = |tone, title: &str, text: &str, href: &str, action: &str| Why {
        tone,
        title: wish.said(title),
        text: wish.said(text),
        steps: vec![],
        href: href.into(),
        action: action.into(),
    };
    let notes = vec![
        why(
            Tone::Warn,
            "Packets come from 10.20.0.9, which is no router here",
            "If that is Tower North, this is the address that it must have here. Packets are accepted from known addresses only.",
            "/setup/router?address=10.20.0.9",
            "Use this address",
        ),
        why(
            Tone::Warn,
            "Somebody tries as “alli”",
            "Nobody has this user name. If that should be ali, mend it on the other side, or here.",
            "/setup/subscriber",
            "Edit",
        ),
    ];
    setup::WaitingPage {
        shell: wish.bare("The first login"),
        steps: steps(Some(Step::Subscriber)),
        user_name: wish.said("ali"),
        path: "/setup/login",
        back: "/setup/subscriber",
        reveal: "/subscribers/1/password".into(),
        part: setup::WaitingPart {
            is_in,
            why: match is_in {
                true => why(
                    Tone::Good,
                    "ali is in",
                    "Online at 20 Mbit/s down, 5 Mbit/s up",
                    "/subscribers/1",
                    "See its page",
                ),
                false => why(
                    Tone::Bad,
                    "Rejected 4 s ago: wrong password",
                    "The password in the subscriber's equipment is another one. Compare it, or set a new one here.",
                    "/setup/subscriber",
                    "Set the password",
                ),
            },
            notes: if is_in { vec![] } else { notes },
            path: "/setup/login",
            onward: "/setup/backups",
            updated: "14:03:22".into(),
        },
    }
}

fn backups(wish: Wish, has_key: bool) -> setup::BackupsPage {
    setup::BackupsPage {
        shell: wish.bare("Backups"),
        steps: steps(Some(Step::Backups)),
        action: "/setup/backups",
        onward: "/setup/done",
        refusal: None,
        has_key,
        uses_licence: false,
        has_schedule: has_key,
        nightly: true,
        passphrase: Field::default(),
        passphrase_again: Field::wrong("", "The two passphrases differ"),
    }
}

fn done(wish: Wish, is_ready: bool) -> setup::DonePage {
    let steps = steps(None);
    let open = steps
        .iter()
        .filter(|step| !step.is_done && !step.is_skipped);
    setup::DonePage {
        shell: wish.bare(if is_ready { "Ready" } else { "Almost ready" }),
        open: if is_ready {
            vec![]
        } else {
            open.cloned().collect()
        },
        steps,
        next: vec![setup::NextStep {
            href: "/settings/certificate",
            title: "A certificate for the panel",
            text: "For a name of your own, so that browsers do not warn.",
        }],
        try_it: wish.said("proxpanel radtest --user demo --password demo"),
    }
}
