//! Invented data for the pages about imports.

use askama::Template;

use super::{Sample, Wish, good, quiet};
use crate::domain::import::Column;
use crate::operations::import::FirstLook;
use crate::web::pages::imports;
use crate::web::parts::{Fact, Field, Select, SpeedField};
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    let first = imports::ShowPage {
        file: Field::wrong("", "The file has headings and nothing below them"),
        waiting: String::new(),
        past: Vec::new(),
        ..show(wish)
    };
    let well = imports::LookPage {
        refusal: None,
        problems: Vec::new(),
        more_problems: String::new(),
        dates: None,
        plan: None,
        new_plans: Vec::new(),
        speed: None,
        may_leave_out: false,
        may_apply: true,
        ..look(wish)
    };
    vec![
        page("/subscribers/import", show(wish).render()),
        page("/subscribers/import/first", first.render()),
        page("/subscribers/import/look", look(wish).render()),
        page("/subscribers/import/look/well", well.render()),
    ]
}

fn show(wish: Wish) -> imports::ShowPage {
    imports::ShowPage {
        shell: wish.shell("Import subscribers", Nav::Subscribers),
        file: Field::default(),
        waiting: wish.said("customers 2026.csv"),
        look_href: "/subscribers/import/look",
        most_rows: "20,000".into(),
        most_megabytes: 8,
        columns: vec![
            (
                "username",
                "Needed. What the subscriber's router or PPPoE client sends.",
            ),
            ("expires_at", "The last day that is paid for."),
        ],
        past: vec![
            imports::PastRow {
                when: "2026-11-22 15:04".into(),
                by: wish.said("rania"),
                file: wish.said("customers 2026.csv"),
                added: "1,204 subscribers".into(),
                left_out: "3 rows left out".into(),
                plans: vec![(wish.said("Gold"), "/plans/2/edit".into())],
                state: good("Imported"),
                undo_href: "/subscribers/import/2/undo".into(),
            },
            imports::PastRow {
                when: "2026-11-22 14:58".into(),
                by: wish.said("rania"),
                file: wish.said("try.csv"),
                added: "1 subscriber".into(),
                state: quiet("Taken back"),
                ..Default::default()
            },
        ],
    }
}

fn look(wish: Wish) -> imports::LookPage {
    let column = |place: usize, heading: &str, samples: &[&str], becomes: &str| {
        let choices = Column::ALL.map(|column| (column.word(), column.label()));
        let left_out = std::iter::once(("", "Left out"));
        imports::ColumnRow {
            id: format!("column-{place}"),
            heading: wish.said(heading),
            samples: samples.iter().map(|sample| wish.said(sample)).collect(),
            becomes: Select::new(left_out.chain(choices), becomes),
        }
    };
    let plans = [("", "Make it"), ("1", "Home 20")];
    let speed = |text: &str, note: &str| SpeedField {
        field: Field::new(text),
        note: note.into(),
    };
    imports::LookPage {
        shell: wish.shell("Import subscribers", Nav::Subscribers),
        file: wish.said("customers 2026.csv"),
        refusal: Some("Say which way round the dates are: they could be read either way.".into()),
        facts: vec![
            Fact::new("Added", "1,204 subscribers").note("212 expired, 9 suspended of them."),
            Fact::new("Here already", "3 rows")
                .note("The user name is taken. Those subscribers stay as they are."),
            Fact::new("With a problem", "2 rows"),
            Fact::new(wish.said("Home 20"), "1,100 subscribers").link("/plans/1/edit"),
            Fact::new(wish.said("Gold"), "104 subscribers")
                .note("A plan that is not here: it is made, with a price of 0."),
        ],
        problems: vec![
            imports::ProblemRow {
                line: 17,
                user_name: wish.said("ali hassan"),
                texts: vec![wish.said("User name: No spaces or control characters")],
            },
            imports::ProblemRow {
                line: 1_203,
                user_name: wish.said("omar"),
                texts: vec![
                    "E-mail: An address such as ali@example.net".into(),
                    "Expires: The calendar has no such day".into(),
                ],
            },
        ],
        more_problems: "And 2 more rows.".into(),
        first: vec![FirstLook {
            user_name: wish.said("sara01"),
            full_name: wish.said("سارة الحداد"),
            phone: wish.said("+964 770 123 4567"),
            plan: wish.said("Home 20"),
            state: "Active",
            expires: "2026-12-31".into(),
        }],
        columns: vec![
            column(0, "PPPoE user", &["sara01", "omar", "nour.h"], "username"),
            column(1, "Password", &[], "password"),
            column(2, "Due", &["03/04/2026"], "expires_at"),
            column(3, "Box", &["xxx-0000"], ""),
        ],
        headings: Select::new([("yes", "Headings"), ("no", "A subscriber")], "yes"),
        charset: Select::new([("", "As it looks: UTF-8"), ("utf-8", "UTF-8")], ""),
        dates: Some(Select::new([("", "Choose"), ("day", "3 April")], "")),
        plan: Some(Select::new([("", "None: a problem"), ("1", "Home 20")], "")),
        new_plans: vec![imports::NewPlanRow {
            id: "same_plan-0".into(),
            name: wish.said("Gold"),
            means: Select::new(plans, ""),
        }],
        speed: Some(imports::SpeedOfNew {
            download: speed("10M", "10 Mbit/s"),
            upload: speed("10M", "10 Mbit/s"),
        }),
        may_leave_out: true,
        leaves_out: false,
        button: "Import 1,204 subscribers".into(),
        may_apply: false,
    }
}
