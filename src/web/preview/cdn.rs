//! Invented data for the pages about CDN profiles.

use askama::Template;

use super::{Sample, Wish, good, quiet, warn};
use crate::web::pages::cdn;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Badge, Fact, Field, Select, Tick, Tone};
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/cdn", list(wish).render()),
        page(
            "/cdn/empty",
            cdn::ListPage {
                rows: vec![],
                routers: vec![],
                ..list(wish)
            }
            .render(),
        ),
        page("/cdn/new", form(wish, true).render()),
        page("/cdn/1/edit", form(wish, false).render()),
        page("/cdn/1/delete", delete(wish).render()),
        page("/cdn/routers/1", router(wish).render()),
        page(
            "/cdn/routers/1/silent",
            cdn::RouterPage {
                problem: wish
                    .said("The router could not be asked: it cannot be reached: timed out"),
                hints: vec![],
                steps: vec![],
                is_ours_there: false,
                ..router(wish)
            }
            .render(),
        ),
    ]
}

fn list(wish: Wish) -> cdn::ListPage {
    let row = |name: &str, state, counting: &str, networks: &str, plans: &str| cdn::Row {
        href: "/cdn/1".into(),
        name: wish.said(name),
        state,
        counting: counting.into(),
        download: "100 Mbit/s".into(),
        upload: "20 Mbit/s".into(),
        networks: networks.into(),
        routers: wish.said("Tower North, Tower South"),
        plans: wish.said(plans),
    };
    let router = |name: &str, state, last_push: &str| cdn::RouterRow {
        href: "/cdn/routers/1".into(),
        name: wish.said(name),
        state,
        last_push: last_push.into(),
    };
    cdn::ListPage {
        shell: wish.shell("CDN profiles", Nav::Cdn),
        rows: vec![
            row(
                "Cache in Beirut",
                good("On"),
                "Does not count",
                "1,240",
                "Home 20, Home 50",
            ),
            row("Games", quiet("Off"), "Counts", "12", ""),
        ],
        routers: vec![
            router("Tower North", good("In step"), "2 min ago"),
            router("Tower South", warn("Needs attention"), "4 min ago"),
            router("Tower East", quiet("Not pushed"), ""),
        ],
    }
}

fn form(wish: Wish, is_new: bool) -> cdn::FormPage {
    let nas = |id: &str, name: &str, is_ticked| Tick {
        id: id.into(),
        name: wish.said(name),
        is_ticked,
    };
    let networks = wish.said("203.0.113.0/24\nexample.net");
    cdn::FormPage {
        shell: wish.shell("CDN profile", Nav::Cdn),
        action: "/cdn".into(),
        back: "/cdn".into(),
        is_new,
        refusal: (!is_new).then(|| wish.said("One field needs your attention.")),
        name: Field::new(wish.said("Cache in Beirut")),
        enabled: true,
        mode: Select::new(
            [
                ("speed", "Counts like all traffic"),
                ("accounting", "Does not count"),
            ],
            "accounting",
        ),
        download_kbps: Field::new("100000"),
        upload_kbps: Field::new("20000"),
        networks: match is_new {
            true => Field::new(networks),
            false => Field::wrong(networks, "Line 2, \"example.net\": An address or network"),
        },
        most_networks: 2_000,
        most_per_router: Field::new("200"),
        nas: match is_new {
            true => vec![],
            false => vec![
                nas("1", "Tower North", true),
                nas("2", "Tower South", false),
            ],
        },
        notes: Field::new(wish.said("List of the cache's operator")),
    }
}

fn delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Delete CDN profile", Nav::Cdn),
        list: "CDN profiles",
        list_href: "/cdn",
        verb: "Delete",
        thing: "profile",
        action: "/cdn/1/delete".into(),
        back: "/cdn/1/edit".into(),
        name: wish.said("Cache in Beirut"),
        consequences: vec![
            "Its lists, rules and queues are taken from every router that is kept in step.".into(),
        ],
        blocked: wish.said("The plan Home 20 has this profile. Take it out there first."),
    }
}

fn router(wish: Wish) -> cdn::RouterPage {
    let step = |tone, verb: &str, menu: &str, object: &str, values: &str| cdn::StepRow {
        verb: Badge::new(tone, verb),
        menu: menu.into(),
        object: wish.said(object),
        values: wish.said(values),
    };
    cdn::RouterPage {
        shell: wish.shell("CDN on Tower North", Nav::Cdn),
        path: "/cdn/routers/1".into(),
        name: wish.said("Tower North"),
        state: warn("Needs attention"),
        facts: vec![
            Fact::new("Kept in step", "Yes").note("Compared every five minutes."),
            Fact::new("Objects of ours", "1,254"),
            Fact::new("Last push", "2 min ago"),
        ],
        hints: vec![cdn::Hint {
            title: "FastTrack takes the traffic past the queues".into(),
            text: wish.said("One rule of the firewall with FastTrack is on."),
            command: "/ip firewall filter disable [find where action=fasttrack-connection]".into(),
        }],
        problem: String::new(),
        summary: "A push would make 4 changes, in this order. Nothing else is touched.".into(),
        steps: vec![
            step(
                Tone::Good,
                "Add",
                "/queue/type",
                "pp-cdn-1-down",
                "kind=pcq pcq-rate=100000000",
            ),
            step(
                Tone::Info,
                "Change",
                "/queue/simple",
                "proxpanel:cdn:1:down",
                "max-limit=1/2",
            ),
            step(
                Tone::Info,
                "Move",
                "/queue/simple",
                "proxpanel:cdn:1:up",
                "above the queues of sessions",
            ),
            step(
                Tone::Warn,
                "Remove",
                "/ip/firewall/mangle",
                "proxpanel:cdn:2:mark-up",
                "",
            ),
        ],
        more: "and 1,800 more".into(),
        is_ours_there: true,
    }
}
