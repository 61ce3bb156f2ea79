//! Invented data for the page of the certificate.

use askama::Template;

use super::{Sample, Wish, bad, good, quiet};
use crate::web::pages::settings::certificate::{
    AcmeForm, CertificatePage, OrderCard, OwnForm, StatePart,
};
use crate::web::parts::{Fact, Field};
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    let plain = CertificatePage {
        refusal: None,
        part: StatePart {
            source: quiet("Self-signed"),
            fault: wish.said("own.pem cannot be used"),
            ..part(wish)
        },
        may_choose: false,
        ..certificate(wish)
    };
    vec![
        page("/settings/certificate", certificate(wish).render()),
        page("/settings/certificate/configured", plain.render()),
    ]
}

fn part(wish: Wish) -> StatePart {
    let fingerprint = ["A1"; 32].join(":");
    StatePart {
        source: good("From an authority"),
        fault: String::new(),
        facts: vec![
            Fact::new("Good for", wish.said("panel.example.net")),
            Fact::new("Issued by", wish.said("R11")),
            Fact::new("From", "2026-11-01 10:00"),
            Fact::new("Until", "2027-01-30 09:59").note("in 69 d"),
            Fact::new("SHA-256", fingerprint)
                .note("The browser shows the same where it warns.")
                .copyable(),
        ],
        order: Some(OrderCard {
            state: bad("Not issued"),
            text: wish.said("For panel.example.net. It is tried again on 2026-11-22 16:00."),
            error: wish.said("Fetching http://panel.example.net/: connection refused"),
        }),
    }
}

fn certificate(wish: Wish) -> CertificatePage {
    CertificatePage {
        shell: wish.shell(
            &tabs::settings("/settings/certificate").title(),
            Nav::Settings,
        ),
        tabs: tabs::settings("/settings/certificate"),
        refusal: Some(wish.said("2 fields need your attention.")),
        part: part(wish),
        may_choose: true,
        acme: AcmeForm {
            names: Field::wrong(wish.said("panel"), "“panel” is not a domain name"),
            email: Field::new(wish.said("noc@example.net")),
            directory: Field::new(wish.said("https://ca.example/dir")),
            authority: Field::new(wish.said("-----BEGIN CERTIFICATE-----")),
            key_id: Field::new(wish.said("kid-1")),
            binding_key: Field::wrong("", "The authority gave a key together with the ID"),
            agreed: true,
            shows_more: true,
        },
        own: OwnForm {
            certificate: Field::new(wish.said("-----BEGIN CERTIFICATE-----")),
            key: Field::wrong(
                "",
                "The private key does not belong to the first certificate",
            ),
        },
    }
}
