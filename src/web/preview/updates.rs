//! Invented data for the updates.

use askama::Template;

use super::{Sample, Wish, bad, good, quiet};
use crate::web::pages::settings::updates::{TriedRow, UpdatesPage, UpdatesPart};
use crate::web::parts::{Fact, Meter, Tone};
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, part| Sample {
        path,
        html: UpdatesPage {
            shell: wish.shell(&tabs::settings("/settings/updates").title(), Nav::Settings),
            tabs: tabs::settings("/settings/updates"),
            part,
        }
        .render()
        .unwrap(),
    };
    let row = |state, problem: &str, log: &str| TriedRow {
        when: "2026-11-22 14:02".into(),
        by: wish.said("rania"),
        versions: "0.2.0 to 0.3.0".into(),
        state,
        problem: wish.said(problem),
        log: wish.said(log),
    };
    let offered = UpdatesPart {
        csrf: "csrf-token".into(),
        title: "Version 0.3.0 can be installed.".into(),
        state: good("New version"),
        facts: vec![
            Fact::new("This version", "0.2.0"),
            Fact::new("Size", "5.9 MB"),
        ],
        notes: vec![wish.said("Faster reports."), wish.said("Fewer octets.")],
        progress: Some(Meter {
            label: "Downloading version 0.3.0".into(),
            value: "2.1 MB of 5.9 MB".into(),
            percent: 35,
            tone: Tone::Info,
        }),
        problem: Some(wish.said("licence.example cannot be reached")),
        can_download: true,
        install_question: wish.said("Version 0.3.0 is installed now."),
        rows: vec![
            row(bad("failed"), "it could not be installed", "dpkg: error"),
            row(good("installed"), "", ""),
        ],
        ..UpdatesPart::default()
    };
    let none = UpdatesPart {
        none: "No vendor is configured.".into(),
        title: "No newer version is known.".into(),
        state: quiet("Up to date"),
        ..UpdatesPart::default()
    };
    vec![
        page("/settings/updates", offered),
        page("/settings/updates/none", none),
    ]
}
