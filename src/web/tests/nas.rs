//! NAS devices: list, page with what to mend, form, deletion, strangers.

use std::net::IpAddr;

use axum::http::StatusCode;

use super::isp::{NAS, account, attempt, furnish, no_forms, no_pages, taken, with};
use crate::app::{CoaOutcome, CoaReport};
use crate::crypto;
use crate::domain::id::NasId;
use crate::domain::nas::MessageAuthenticator;
use crate::domain::radsec::RadsecTrust;
use crate::domain::session::RecordKind;
use crate::domain::time::MINUTE;
use crate::store::nas as stored;
use crate::web::testing::{NOW, TestApp};

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

#[tokio::test]
async fn a_nas_is_saved_and_its_secret_never_shown() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/nas")
        .await
        .shows(OK, &["No NAS yet", "None. A router that is not known"]);
    let fields = with(
        &NAS,
        &[
            ("address", "10.20.0.0/24"),
            ("interim_interval", "60"),
            ("swap_octets", "on"),
            ("notes", "on the roof"),
        ],
    );
    assert_eq!(taken(&browser, "/nas", &fields).await, "/nas/1");
    let nas = test.app.nas(NasId(1)).unwrap().nas.clone();
    assert_eq!(
        (nas.interim_interval, nas.swap_octets, nas.limit_proxy_state),
        (Some(60), true, false)
    );
    for path in ["/nas", "/nas/1", "/nas/1/edit", "/nas/1/delete", "/audit"] {
        let page = browser.get(path).await;
        page.shows(OK, &["Tower North"]);
        assert!(!page.body.contains("s3cret-of-tower"), "{path}");
    }
    browser.get("/nas/1/edit").await.shows(
        OK,
        &["value=\"60\"", "value=\"10.20.0.0/24\"", "on the roof"],
    );
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "every 60 s",
            "Not seen yet",
            "on the roof",
            "interim-update=60s",
        ],
    );
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let long = "x".repeat(5_000);
    let cases = [
        ("name", "", "A name is needed"),
        ("name", "tower NORTH", "Another NAS has this name"),
        ("name", &long[..65], "At most 64 characters"),
        ("address", "10.20.0.1", "Tower North has this address"),
        ("address", "10.20.0.1/24", "did you mean 10.20.0.0/24?"),
        ("address", "tower", "An address or network"),
        ("secret", "", "A shared secret is needed"),
        ("secret", &long[..129], "At most 128 octets"),
        ("profile", "3com", "Choose a vendor of the list"),
        ("coa_port", "0", "A whole number from 1 to 65535"),
        ("coa_port", "65536", "A whole number from 1 to 65535"),
        ("message_authenticator", "no", "Choose one of the list"),
        ("interim_interval", "59", "A whole number from 60 to 86400"),
        (
            "interim_interval",
            "86401",
            "A whole number from 60 to 86400",
        ),
        ("notes", &long, "At most 4000 characters"),
    ];
    let other = with(
        &NAS,
        &[
            ("name", "Other"),
            ("address", "10.20.0.9"),
            ("notes", "kept as it was"),
        ],
    );
    for (field, value, problem) in cases {
        let answer = browser.post("/nas", &with(&other, &[(field, value)])).await;
        answer.shows(WRONG, &[problem, &format!("id=\"{field}-error\"")]);
        assert!(
            field == "notes" || answer.body.contains("kept as it was"),
            "{field}"
        );
        assert!(
            !answer.body.contains("s3cret-of-tower"),
            "the secret came back"
        );
    }
    assert!(test.app.nas(NasId(2)).is_none());
}

#[tokio::test]
async fn what_was_learned_of_a_router_survives_an_edit() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let policy = || test.app.nas(NasId(1)).unwrap().nas.message_authenticator;
    let secret = || {
        let view = test.app.store.view().unwrap();
        stored::get(&view, NasId(1)).unwrap().unwrap().sealed_secret
    };
    let before = secret();
    taken(
        &browser,
        "/nas/1/edit",
        &with(
            &NAS,
            &[("secret", "-"), ("message_authenticator", "required")],
        ),
    )
    .await;
    assert_eq!(policy(), MessageAuthenticator::Required);
    assert_eq!(secret(), before, "an empty field keeps the secret");
    taken(
        &browser,
        "/nas/1/edit",
        &with(&NAS, &[("message_authenticator", "optional")]),
    )
    .await;
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "Optional, which is not safe",
            "does not protect its requests",
        ],
    );
    taken(&browser, "/nas/1/edit", &NAS).await;
    assert_eq!(policy(), MessageAuthenticator::Auto { pinned: false });
}

#[tokio::test]
async fn the_page_names_the_command_that_mends() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let entry = test.app.nas(NasId(1)).unwrap();
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "Not seen yet",
            "src-address=10.20.0.1",
            "/radius incoming set accept=yes port=3799",
            "/ppp aaa set use-radius=yes accounting=yes interim-update=5m",
        ],
    );
    entry.stats.saw_auth(NOW.plus(-MINUTE));
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "Answering",
            "require-message-auth=yes-for-request-resp",
            "1 min ago",
        ],
    );
    entry.stats.saw_garbled(NOW.plus(-2 * MINUTE));
    let wrong = browser.get("/nas/1").await;
    wrong.shows(
        OK,
        &[
            "Wrong secret",
            "verified 2 min ago",
            "/radius set [find where address=",
            "secret=&#34;SECRET&#34;",
        ],
    );
    browser.get("/nas").await.shows(
        OK,
        &[
            "Wrong secret",
            "The shared secret on the router is another one",
        ],
    );
    let report = |outcome| CoaReport {
        at: NOW,
        is_disconnect: true,
        username: "ali".into(),
        outcome,
    };
    entry.stats.report_coa(report(CoaOutcome::NoAnswer));
    browser
        .get("/nas/1")
        .await
        .shows(OK, &["get no answer", "No answer", "UDP port 3799"]);
    entry
        .stats
        .report_coa(report(CoaOutcome::Refused(Some(501))));
    browser
        .get("/nas/1")
        .await
        .shows(OK, &["are refused", "Administratively Prohibited"]);
    entry.stats.report_coa(report(CoaOutcome::Confirmed));
    let page = browser.get("/nas/1").await;
    page.shows(OK, &["Confirmed"]);
    assert!(!page.body.contains("get no answer") && !page.body.contains("are refused"));
    entry.stats.saw_missing_authenticator(NOW);
    browser
        .get("/nas/1")
        .await
        .shows(OK, &["Requests without Message-Authenticator are dropped"]);
    attempt(&test.app, "ali", Some(1), None, NOW);
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "href=\"/subscribers/1\"",
            "Accepted",
            "href=\"/auth-log?nas=1\"",
        ],
    );
    // Commands are for RouterOS only.
    taken(
        &browser,
        "/nas/1/edit",
        &with(&NAS, &[("profile", "generic")]),
    )
    .await;
    let generic = browser.get("/nas/1").await;
    assert!(!generic.body.contains("/radius "));
}

#[tokio::test]
async fn a_stranger_becomes_a_nas() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let stranger = IpAddr::from([198, 51, 100, 7]);
    test.app
        .sightings
        .note(stranger, Some(b"ali"), Some(b"bras-01"), NOW.plus(-MINUTE));
    let part = browser.htmx("/nas/unknown").await;
    part.shows(OK, &["198.51.100.7", "1 min ago", "ali"]);
    assert!(!part.body.contains("<html"));
    let link = "/nas/new?address=198.51.100.7&#38;name=bras-01";
    part.shows(OK, &[link]);
    let form = browser.get(&link.replace("&#38;", "&")).await;
    form.shows(OK, &["value=\"198.51.100.7\"", "value=\"bras-01\""]);
    taken(
        &browser,
        "/nas",
        &with(&NAS, &[("address", "198.51.100.7")]),
    )
    .await;
    browser
        .get("/nas/unknown")
        .await
        .shows(OK, &["None. A router that is not known"]);
}

#[tokio::test]
async fn deleting_says_what_happens_to_sessions() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser
        .get("/nas/1/delete")
        .await
        .shows(OK, &["No session runs through it now."]);
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    browser
        .get("/nas/1/delete")
        .await
        .shows(OK, &["One session that runs through it stays up"]);
    assert_eq!(taken(&browser, "/nas/1/delete", &[]).await, "/nas");
    no_pages(&browser, &["/nas/1", "/nas/1/edit", "/nas/1/delete"]).await;
    no_forms(&browser, &["/nas/1/edit", "/nas/1/delete"], &NAS).await;
    // What it left behind is still shown.
    browser.get("/online").await.shows(OK, &["a deleted NAS"]);
}

#[tokio::test]
async fn a_certificate_that_tried_becomes_that_of_a_nas() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let source = IpAddr::from([198, 51, 100, 7]);
    test.app.strangers.show(b"not readable", source, NOW);
    let pin = crypto::sha256(b"not readable");
    let hex = crypto::hex(&pin);
    let groups: Vec<&str> = (0..64).step_by(4).map(|at| &hex[at..at + 4]).collect();
    let part = browser.htmx("/nas/unknown").await;
    part.shows(
        OK,
        &["Unknown certificates", &groups.join(" "), "198.51.100.7"],
    );
    let link = format!("/nas/new?address=198.51.100.7&#38;certificate={hex}");
    part.shows(OK, &[&link, "Add as NAS"]);
    let form = browser.get(&link.replace("&#38;", "&")).await;
    form.shows(OK, &[&hex, "value=\"pinned\" selected"]);
    let fields = with(
        &NAS,
        &[
            ("address", "198.51.100.7"),
            ("radsec", "pinned"),
            ("radsec_certificate", &hex),
        ],
    );
    taken(&browser, "/nas", &fields).await;
    let saved = || test.app.nas(NasId(1)).unwrap().nas.radsec.clone();
    assert_eq!(saved(), Some(RadsecTrust::Pinned(pin)));
    let page = browser.get("/nas/unknown").await;
    assert!(!page.body.contains("Unknown certificates"));
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "RadSec certificate",
            &groups.join(" "),
            "RadSec connection",
            "none",
        ],
    );
    // The router has a new one: it is offered where the address is known.
    test.app.strangers.show(b"a newer one", source, NOW);
    let newer = crypto::hex(&crypto::sha256(b"a newer one"));
    let link = format!("/nas/1/edit?certificate={newer}");
    let part = browser.htmx("/nas/unknown").await;
    part.shows(OK, &[&link, "Use for Tower North"]);
    browser.get(&link).await.shows(OK, &[&newer]);
    // What the form shows of the old one is taken as it stands.
    let as_shown = groups.join(" ");
    let edited = with(&fields, &[("radsec_certificate", &as_shown)]);
    taken(&browser, "/nas/1/edit", &edited).await;
    assert_eq!(saved(), Some(RadsecTrust::Pinned(pin)));
    for (fields, words) in [
        (vec![("radsec_certificate", "")], "Paste the fingerprint"),
        (vec![("radsec_certificate", "abcd")], "64 digits"),
        (
            vec![("radsec_certificate", "-----BEGIN CERTIFICATE-----")],
            "the text is not whole",
        ),
        (vec![("radsec", "maybe")], "Choose one of the list"),
        (
            vec![("radsec", "authority")],
            "Paste the certificate of the authority",
        ),
        (
            vec![
                ("radsec", "authority"),
                ("radsec_authority", "x"),
                ("radsec_name", ""),
            ],
            "A name is needed",
        ),
        (
            vec![
                ("radsec", "authority"),
                ("radsec_authority", "x"),
                ("radsec_name", "x"),
            ],
            "no certificate in the text",
        ),
    ] {
        let wrong = browser.post("/nas/1/edit", &with(&edited, &fields)).await;
        wrong.shows(WRONG, &[words]);
    }
    taken(
        &browser,
        "/nas/1/edit",
        &with(&edited, &[("radsec", "off")]),
    )
    .await;
    assert_eq!(saved(), None);
}

#[tokio::test]
async fn a_radsec_trouble_is_shown_until_the_nas_is_connected() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let pin = "ab".repeat(32);
    let fields = with(&NAS, &[("radsec", "pinned"), ("radsec_certificate", &pin)]);
    taken(&browser, "/nas", &fields).await;
    let entry = test.app.nas(NasId(1)).unwrap();
    let source = "10.20.0.1:40000".parse().unwrap();
    entry.stats.saw_auth(NOW);
    let why = "it does not speak TLS".to_owned();
    entry
        .stats
        .radsec
        .saw_trouble(source, why, NOW.plus(-MINUTE));
    let troubled = ["are not let in", "10.20.0.1:40000: it does not speak TLS"];
    browser.get("/nas/1").await.shows(OK, &troubled);
    browser
        .get("/nas")
        .await
        .shows(OK, &["Needs attention", "are not let in"]);
    entry.stats.radsec.opened(source, NOW);
    let page = browser.get("/nas/1").await;
    page.shows(OK, &["10.20.0.1:40000", "since 20"]);
    assert!(!page.body.contains("are not let in") && !page.body.contains("does not protect"));
}
