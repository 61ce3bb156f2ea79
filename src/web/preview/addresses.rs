//! Invented data for the pages about addresses.

use askama::Template;

use super::{Sample, Wish};
use crate::web::pager::{Pager, Paging};
use crate::web::pages::addresses;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Field, Meter, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/addresses", list(wish).render()),
        page(
            "/addresses/empty",
            addresses::ListPage {
                rows: vec![],
                ..list(wish)
            }
            .render(),
        ),
        page("/addresses/new", form(wish, true).render()),
        page("/addresses/1/edit", form(wish, false).render()),
        page("/addresses/1/delete", delete(wish).render()),
        page("/addresses/static", statics(wish).render()),
        page("/addresses/holder", holder(wish, true).render()),
        page("/addresses/holder/nobody", holder(wish, false).render()),
    ]
}

fn list(wish: Wish) -> addresses::ListPage {
    let row = |name: &str, what: &str, sort: &str, (used, size, percent), tone, free: &str| {
        addresses::Row {
            href: "/addresses/1".into(),
            name: wish.said(name),
            what: what.into(),
            sort: sort.into(),
            fill: Meter {
                label: format!("{used} used, 12 reserved"),
                value: format!("of {size}"),
                percent,
                tone,
            },
            free: free.into(),
            plans: vec![wish.said("Home 20M"), wish.said("Office")],
        }
    };
    addresses::ListPage {
        shell: wish.shell("Addresses", Nav::Addresses),
        rows: vec![
            row(
                "Homes",
                "100.64.0.10-100.64.31.254, 100.64.40.1-100.64.40.254",
                "IPv4 addresses",
                ("4,810", "8,435", 58),
                Tone::Good,
                "3,613",
            ),
            row(
                "Business",
                "198.51.100.1-198.51.100.254",
                "IPv4 addresses",
                ("231", "254", 96),
                Tone::Warn,
                "11",
            ),
            row(
                "v6",
                "/56 of 2001:db8:100::/40",
                "IPv6 prefixes",
                ("65,524", "65,536", 100),
                Tone::Bad,
                "0",
            ),
        ],
        address: Field::default(),
        date: Field::new("2026-11-22"),
        time: Field::new("15:04"),
        zone: "Asia/Beirut".into(),
        statics: "212".into(),
    }
}

fn form(wish: Wish, is_new: bool) -> addresses::FormPage {
    addresses::FormPage {
        shell: wish.shell("Pool", Nav::Addresses),
        action: "/addresses".into(),
        back: "/addresses".into(),
        delete: if is_new {
            String::new()
        } else {
            "/addresses/1/delete".into()
        },
        is_new,
        refusal: (!is_new).then(|| "One field needs your attention.".into()),
        name: Field::new(wish.said("Homes")),
        kind: Select::new(
            [("v4", "IPv4 addresses"), ("delegated", "IPv6 prefixes")],
            "v4",
        ),
        ranges: if is_new {
            Field::default()
        } else {
            Field::wrong(
                wish.said("100.64.0.10-100.64.31.254\n100.64.31.0/24"),
                "100.64.31.1-100.64.31.254 overlaps 100.64.0.10-100.64.31.254",
            )
        },
        network: Field::default(),
        delegated: Field::new("56"),
        sticky: true,
        notes: Field::new(wish.said("Assigned by RIPE in 2019")),
    }
}

fn delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Delete pool", Nav::Addresses),
        list: "Addresses",
        list_href: "/addresses",
        verb: "Delete",
        thing: "pool",
        action: "/addresses/1/delete".into(),
        back: "/addresses/1/edit".into(),
        name: wish.said("Homes"),
        consequences: vec!["Nobody gets an address from it any more.".into()],
        blocked: "The plan Home 20M takes addresses from it. Give the plan another pool first."
            .into(),
    }
}

fn statics(wish: Wish) -> addresses::StaticsPage {
    let row = |address: &str, user: &str, pool: &str| addresses::StaticRow {
        address: address.into(),
        user_name: wish.said(user),
        user_href: "/subscribers/1".into(),
        pool: wish.said(pool),
    };
    let rows = vec![
        row("198.51.100.23", "user00042", "Business"),
        row("203.0.113.9", "user00107", ""),
        row("2001:db8:12::/56", "user00042", ""),
    ];
    let paging = Paging::of(&Query::new());
    addresses::StaticsPage {
        shell: wish.shell("Static addresses", Nav::Addresses),
        pager: Pager::of("/addresses/static", &Query::new(), paging, rows.len(), 212),
        rows,
    }
}

fn holder(wish: Wish, is_found: bool) -> addresses::HolderPage {
    let row = |when: &str, user: &str, from: &str, until: &str| addresses::HolderRow {
        when: when.into(),
        user_name: wish.said(user),
        user_href: "/subscribers/1".into(),
        address: "100.64.3.25".into(),
        mac: "02:00:00:00:0A:01".into(),
        nas: wish.said("Tower North"),
        nas_href: "/nas/1".into(),
        from: from.into(),
        until: until.into(),
        session: wish.said("81a0002f"),
    };
    let had = row("", "user00042", "2026-11-21 22:10:03", "still online");
    let around = vec![
        row(
            "Before",
            "user00042",
            "2026-11-20 08:01:11",
            "2026-11-22 03:00:02",
        ),
        row("After", "user00107", "2026-11-22 03:12:40", "still online"),
    ];
    addresses::HolderPage {
        shell: wish.shell("Who had this address", Nav::Addresses),
        address: Field::new(wish.said("100.64.3.25")),
        date: Field::new("2026-11-22"),
        time: Field::wrong(wish.said("3 pm"), "A time such as 15:04"),
        zone: "Asia/Beirut".into(),
        asked: "100.64.3.25 at 2026-11-22 03:05".into(),
        holders: if is_found { vec![had] } else { vec![] },
        around: if is_found { vec![] } else { around },
        is_cut: is_found,
    }
}
