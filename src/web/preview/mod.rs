//! Every page with invented data: checks what must hold for all of them, and serves them for a look.
//!
//! `PREVIEW_LISTEN=127.0.0.1:8090 cargo test --lib preview::serve -- --ignored` shows them in a browser.

mod addresses;
mod backups;
mod cdn;
mod certificate;
mod contrast;
mod dashboard;
mod imports;
mod licence;
mod logs;
mod nas;
mod others;
mod plans;
mod settings;
mod setup;
mod subscribers;
mod system;
mod updates;

use crate::web::assets;
use crate::web::parts::{Badge, Tone};
use crate::web::shell::{Alert, Bare, Flash, Nav, Shell, Theme};

/// One rendered page and where the preview shows it.
struct Sample {
    path: &'static str,
    html: String,
}

/// How the samples are made.
#[derive(Clone, Copy)]
struct Wish {
    theme: Theme,
    /// Put behind every text that a person or a router could have chosen.
    word: &'static str,
}

impl Wish {
    fn shell(self, title: &str, nav: Nav) -> Shell {
        Shell {
            title: title.into(),
            nav,
            operator: self.said("rania"),
            theme: self.theme,
            may_change: true,
            may_work: true,
            csrf: "csrf-token".into(),
            here: "/".into(),
            ..Shell::default()
        }
    }

    fn bare(self, title: &str) -> Bare {
        Bare {
            title: title.into(),
            theme: self.theme,
            csrf: "csrf-token".into(),
            flash: None,
        }
    }

    fn said(self, text: &str) -> String {
        format!("{text}{}", self.word)
    }
}

fn samples(wish: Wish) -> Vec<Sample> {
    [
        dashboard::samples,
        subscribers::samples,
        nas::samples,
        addresses::samples,
        cdn::samples,
        certificate::samples,
        imports::samples,
        licence::samples,
        logs::samples,
        others::samples,
        plans::samples,
        settings::samples,
        setup::samples,
        system::samples,
        updates::samples,
    ]
    .into_iter()
    .flat_map(|samples| samples(wish))
    .collect()
}

fn good(text: &str) -> Badge {
    Badge::new(Tone::Good, text)
}

fn bad(text: &str) -> Badge {
    Badge::new(Tone::Bad, text)
}

fn warn(text: &str) -> Badge {
    Badge::new(Tone::Warn, text)
}

fn quiet(text: &str) -> Badge {
    Badge::new(Tone::Quiet, text)
}

fn disk_full() -> Alert {
    Alert {
        tone: Tone::Bad,
        title: "The disk is full.".into(),
        text: "Subscribers can still sign in, but nothing can be saved. Free some space on /var/lib/proxpanel.".into(),
    }
}

fn saved() -> Option<Flash> {
    Some(Flash::good(
        "The plan of user00042 was changed. The new speed is active.",
    ))
}

/// Numbers that look alive and are the same each time.
fn wave(i: u64, scale: u64) -> u64 {
    let noise = i.wrapping_mul(2_654_435_761).wrapping_add(97) % 1_000;
    let swing = (i % 48).abs_diff(24) * 30;
    scale * (400 + swing + noise / 3) / 1_500
}

const PLAIN: Wish = Wish {
    theme: Theme::Dark,
    word: "",
};

/// Values of all `name="…"` attributes in `html`.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn nothing_inline_so_that_the_policy_holds() {
    for Sample { path, html } in samples(PLAIN) {
        assert!(!html.contains(" style="), "{path}: inline style");
        assert!(!html.contains("<style"), "{path}: style element");
        for script in html.split("<script").skip(1) {
            assert!(
                script.starts_with(" src=\"/static/"),
                "{path}: inline script"
            );
        }
        for tag in html.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            assert!(!has_handler(tag), "{path}: {tag}");
        }
        assert!(!html.contains("javascript:"), "{path}");
    }
}

/// True for `onclick=` and its kin.
fn has_handler(tag: &str) -> bool {
    tag.split_whitespace().any(|word| {
        word.strip_prefix("on")
            .and_then(|rest| rest.split_once('='))
            .is_some_and(|(name, _)| name.chars().all(char::is_alphabetic))
    })
}

#[test]
fn what_people_type_cannot_become_markup() {
    let hostile = Wish {
        theme: Theme::Auto,
        word: "\"'><script>alert(1)</script><b x=",
    };
    for Sample { path, html } in samples(hostile) {
        assert!(!html.contains("<script>"), "{path}");
        assert!(!html.contains("\"'>"), "{path}");
    }
}

#[test]
fn every_file_and_icon_that_a_page_names_exists() {
    let sprite = include_str!("../../../static/icons.svg");
    for Sample { path, html } in samples(PLAIN) {
        assert!(!html.contains("/static/missing"), "{path}");
        let start = format!("{}#", assets::asset("icons.svg"));
        for icon in html
            .split(start.as_str())
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                sprite.contains(&format!("<symbol id=\"{icon}\"")),
                "{path}: {icon}"
            );
        }
    }
}

#[test]
fn every_input_has_a_label_and_every_id_stands_once() {
    for Sample { path, html } in samples(PLAIN) {
        let mut ids = attributes(&html, "id");
        let labels = attributes(&html, "for");
        for label in &labels {
            assert!(ids.contains(label), "{path}: label for {label}");
        }
        for tag in html.split('<').filter(|tag| {
            ["input ", "select ", "textarea "]
                .iter()
                .any(|start| tag.starts_with(start))
        }) {
            let id = attributes(tag, "id");
            assert!(
                tag.contains("type=\"hidden\"") || id.first().is_some_and(|id| labels.contains(id)),
                "{path}: {tag}"
            );
        }
        for described in attributes(&html, "aria-describedby")
            .iter()
            .chain(&attributes(&html, "aria-labelledby"))
        {
            assert!(
                described.split(' ').all(|id| ids.contains(&id)),
                "{path}: {described}"
            );
        }
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{path}: an id stands twice");
    }
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for Sample { path, html } in samples(PLAIN) {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let head = form.split('>').next().unwrap();
            if head.contains("method=\"post\"") {
                assert!(
                    form.contains("name=\"csrf\" value=\"csrf-token\""),
                    "{path}: {head}"
                );
            } else {
                assert!(
                    head.contains("method=\"get\"") || head.contains("method=\"dialog\""),
                    "{path}: {head}"
                );
                assert!(
                    !form.contains("name=\"csrf\""),
                    "{path}: token in an address"
                );
            }
        }
    }
}

#[test]
fn every_page_has_one_heading_a_title_and_its_theme() {
    for Sample { path, html } in samples(PLAIN) {
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(
            html.contains("<html lang=\"en\" dir=\"ltr\" data-theme=\"dark\">"),
            "{path}"
        );
        assert!(html.contains(" · ProxPanel</title>"), "{path}");
        assert!(html.contains("id=\"main\""), "{path}");
        assert!(
            attributes(&html, "aria-current")
                .iter()
                .filter(|current| **current == "page")
                .count()
                // The menu stands twice, for both widths; a tab besides.
                <= 3,
            "{path}"
        );
    }
}

#[test]
fn a_wrong_field_keeps_its_value_and_says_why_beside_it() {
    let all = samples(PLAIN);
    let form = &all
        .iter()
        .find(|sample| sample.path == "/subscribers/new")
        .unwrap()
        .html;
    assert!(form.contains(r#"value="not a mac-or-ip""#));
    assert!(form.contains(
        r#"aria-describedby="static_address-error static_address-hint" aria-invalid="true""#
    ));
    assert!(form.contains(r#"<p class="error" id="static_address-error">"#));
}
