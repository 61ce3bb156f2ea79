//! Invented data for the licence.

use askama::Template;

use super::{Sample, Wish, bad, good, warn};
use crate::web::pages::settings::licence::LicencePage;
use crate::web::parts::{Badge, Fact, Field};
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, page: LicencePage| Sample {
        path,
        html: page.render().unwrap(),
    };
    let away = "The vendor has not answered for more than a day.";
    vec![
        page(
            "/settings/licence",
            LicencePage {
                facts: vec![
                    Fact::new("Vendor", wish.said("https://licence.example")),
                    Fact::new("Licence", "number 17"),
                    Fact::new("Customer", wish.said("Cedar Net")),
                    Fact::new("Ends", "2027-11-22 14:02"),
                    Fact::new("Subscribers", "1,204 of 1,500"),
                    Fact::new("Problem", wish.said("licence.example cannot be reached")),
                ],
                ..licence(wish, "The licence is active.", good("Well"))
            },
        ),
        page(
            "/settings/licence/grace",
            licence(wish, away, warn("Needs attention")),
        ),
        page(
            "/settings/licence/new",
            LicencePage {
                is_activated: false,
                refusal: Some(wish.said("licence.example cannot be reached.")),
                key: Field::wrong("", wish.said("The vendor does not know this key")),
                ..licence(
                    wish,
                    "This installation was never activated.",
                    bad("Limited"),
                )
            },
        ),
        page(
            "/settings/licence/none",
            LicencePage {
                has_vendor: false,
                is_activated: false,
                ..licence(wish, "No licence is needed.", good("Well"))
            },
        ),
    ]
}

fn licence(wish: Wish, title: &str, state: Badge) -> LicencePage {
    LicencePage {
        shell: wish.shell(&tabs::settings("/settings/licence").title(), Nav::Settings),
        tabs: tabs::settings("/settings/licence"),
        title: title.into(),
        text: wish.said("Everything works for another 12 days, until 2026-12-04 14:02."),
        state,
        has_vendor: true,
        is_activated: true,
        facts: Vec::new(),
        machine: vec![
            Fact::new("Number", "A1B2-C3D4-E5F6").copyable(),
            Fact::new("System", "as in the licence"),
            Fact::new("Board", "not shown by this machine"),
            Fact::new("Network cards", "another than in the licence"),
        ],
        refusal: None,
        key: Field::default(),
        company: Field::new(wish.said("Cedar Net")),
        email: Field::wrong(wish.said("cedar"), "An address such as noc@isp.example"),
    }
}
