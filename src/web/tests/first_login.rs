//! The two steps of the first run that wait for somebody else: the router with its script, and the first login.

use std::net::IpAddr;

use axum::http::StatusCode;

use super::first_run::{FIRST_PLAN, ROUTER, SUBSCRIBER, refused, state};
use super::isp::{NAS, account, attempt, attempt_through, furnish, taken, with};
use crate::domain::access::Reason;
use crate::domain::id::NasId;
use crate::domain::nas::Profile;
use crate::domain::session::RecordKind;
use crate::operations::setup::{self, Step, StepState};
use crate::web::testing::{Answer, NOW, TestApp};

/// The text of the block to copy from.
fn script(page: &Answer) -> &str {
    let (_, rest) = page.body.split_once("<pre id=\"script\"").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split("</pre>").next().unwrap()
}

#[tokio::test]
async fn the_second_save_changes_the_first_router() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let wrong = with(
        &ROUTER,
        &[("name", ""), ("address", "tower"), ("profile", "toaster")],
    );
    let page = browser.post("/setup/router", &wrong).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["id=\"name-error\"", "id=\"profile-error\""],
    );
    refused(
        &browser,
        "/setup/router",
        &with(&ROUTER, &[("address", "tower")]),
        &["address"],
    )
    .await;
    assert!(setup::first_router(&test.app).is_none());
    taken(&browser, "/setup/router", &ROUTER).await;
    let made = browser.post("/setup/router/script", &[]).await;
    let secret = script(&made).split("secret=&#34;").nth(1).unwrap();
    let secret = secret.split("&#34;").next().unwrap().to_owned();
    assert!(secret.len() > 20 && secret != "SECRET", "{secret}");
    // What this page does not show stays as it is elsewhere.
    let full = with(
        &NAS,
        &[
            ("secret", ""),
            ("coa_port", "1700"),
            ("notes", "On the roof"),
        ],
    );
    taken(&browser, "/nas/1/edit", &full).await;
    let page = browser.get("/setup/router").await;
    page.shows(
        StatusCode::OK,
        &[
            "value=\"Tower North\"",
            "value=\"10.20.0.1\"",
            "To its script",
        ],
    );
    assert!(!page.body.contains(&secret) && !page.body.contains("Skip"));
    let moved = with(
        &ROUTER,
        &[("address", "10.20.0.2"), ("name", "Tower South")],
    );
    taken(&browser, "/setup/router", &moved).await;
    let all = test.app.nas_table().all();
    assert_eq!(all.len(), 1);
    let nas = &all[0].nas;
    assert_eq!(
        (nas.name.as_str(), nas.network.to_string().as_str()),
        ("Tower South", "10.20.0.2")
    );
    assert_eq!((nas.coa_port, nas.notes.as_str()), (1700, "On the roof"));
    let again = browser.post("/setup/router/script", &[]).await;
    assert!(script(&again).contains(&secret), "the secret is kept");
    let typed = with(&ROUTER, &[("secret", "my own secret")]);
    taken(&browser, "/setup/router", &typed).await;
    let again = browser.post("/setup/router/script", &[]).await;
    assert!(script(&again).contains("my own secret"));
}

#[tokio::test]
async fn the_script_is_for_the_version_and_address_and_hides_the_secret() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let answer = browser.get("/setup/router/script").await;
    assert_eq!(answer.header("location"), "/setup/router", "no router yet");
    taken(
        &browser,
        "/setup/router",
        &with(&ROUTER, &[("secret", "hush-hush-hush")]),
    )
    .await;
    // The panel is known by a name, so its address is asked for.
    let page = browser.get("/setup/router/script").await;
    page.shows(
        StatusCode::OK,
        &["Address of this panel", "/nas/1/checks", "RouterOS 7"],
    );
    assert!(script(&page).contains("address=SERVER"));
    let page = browser.get("/setup/router/script?server=nowhere").await;
    page.shows(
        StatusCode::OK,
        &["An address, such as", "value=\"nowhere\""],
    );
    let there = "/setup/router/script?server=192.0.2.9";
    let page = browser.get(there).await;
    assert!(script(&page).contains("address=192.0.2.9"));
    assert!(script(&page).contains("SECRET") && !page.body.contains("hush-hush"));
    page.shows(StatusCode::OK, &["This panel is 192.0.2.9 for the router"]);
    let six = browser.get(&format!("{there}&version=6")).await;
    assert_ne!(script(&six), script(&page));
    let mut shown = Vec::new();
    for version in ["6", "7"] {
        let form = [("server", "192.0.2.9"), ("version", version)];
        let page = browser.post("/setup/router/script", &form).await;
        let text = script(&page).to_owned();
        assert!(text.contains("hush-hush-hush") && text.contains("address=192.0.2.9"));
        assert!(!text.contains("SECRET"));
        shown.push(text);
    }
    assert_ne!(shown[0], shown[1]);
    // Without a script, the values.
    let cisco = with(&ROUTER, &[("profile", "cisco")]);
    taken(&browser, "/setup/router", &cisco).await;
    let page = browser.get(there).await;
    page.shows(
        StatusCode::OK,
        &["RADIUS server 192.0.2.9", "UDP 1812", "UDP 3799"],
    );
    assert!(!page.body.contains("<pre id=\"script\"") && !page.body.contains("RouterOS 7"));
    let shown = browser.post("/setup/router/script", &[]).await;
    shown.shows(StatusCode::OK, &["hush-hush-hush"]);
    assert_eq!(test.app.nas_table().all()[0].nas.profile, Profile::Cisco);
}

#[tokio::test]
async fn a_router_that_knocks_is_offered() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    let page = browser.get("/setup/router").await;
    page.shows(StatusCode::OK, &["Packets come from 192.0.2.77"]);
    let page = browser.get("/setup/router?address=192.0.2.77").await;
    page.shows(StatusCode::OK, &["value=\"192.0.2.77\""]);
}

#[tokio::test]
async fn waiting_says_what_came_instead_and_turns_green() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    taken(
        &browser,
        "/setup/plan",
        &with(&FIRST_PLAN, &[("price", "25")]),
    )
    .await;
    taken(&browser, "/setup/subscriber", &SUBSCRIBER).await;
    let part = async || browser.htmx("/setup/login").await;
    part().await.shows(
        StatusCode::OK,
        &[
            "Waiting for ali to log in",
            "There is no router yet",
            "without waiting",
        ],
    );
    taken(&browser, "/setup/router", &ROUTER).await;
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &["Nothing came from Tower North yet", "UDP 1812"],
    );
    assert!(!page.body.contains("<html"));
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    part().await.shows(
        StatusCode::OK,
        &[
            "Packets come from 192.0.2.77, which is no router here",
            "/setup/router?address=192.0.2.77",
        ],
    );
    let entry = setup::first_router(&test.app).unwrap();
    entry.stats.saw_wrong_digest(NOW);
    part().await.shows(
        StatusCode::OK,
        &["The shared secret on the router is another one"],
    );
    attempt(
        &test.app,
        "alli",
        None,
        Some(Reason::UnknownUser),
        NOW.plus(1_000),
    );
    part()
        .await
        .shows(StatusCode::OK, &["Somebody tries as “alli”"]);
    attempt(&test.app, "ali", Some(1), Some(Reason::WrongPassword), NOW);
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &[
            "wrong password",
            "class=\"why bad\"",
            "href=\"/setup/subscriber\">Set the password",
        ],
    );
    assert!(!page.body.contains("class=\"why good\""));
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    attempt(&test.app, "ali", Some(1), None, NOW);
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &["ali is in", "class=\"why good\"", "first accounting record"],
    );
    assert!(!page.body.contains("alli") && !page.body.contains("192.0.2.77"));
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    account(&test.app, "ali", Some(1), RecordKind::Interim, 1_000);
    part()
        .await
        .shows(StatusCode::OK, &["Online at 20 Mbit/s down"]);
}

#[tokio::test]
async fn what_came_long_ago_is_not_held_against_the_first_login() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    attempt(&test.app, "alli", None, Some(Reason::UnknownUser), NOW);
    test.app.clock.move_to(NOW.plus(11 * 60_000));
    furnish(&browser).await;
    let page = browser.get("/setup/login").await;
    page.shows(StatusCode::OK, &["Nothing came from Tower North yet"]);
    assert!(!page.body.contains("192.0.2.77") && !page.body.contains("alli"));
}

#[tokio::test]
async fn a_session_without_an_attempt_in_the_log_counts_as_the_first_login() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    account(&test.app, "ali", Some(1), RecordKind::Interim, 1_000);
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    browser
        .get("/setup/login")
        .await
        .shows(StatusCode::OK, &["ali is in"]);
}

#[tokio::test]
async fn anybody_may_be_the_first() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    attempt(&test.app, "badr", Some(2), Some(Reason::WrongPassword), NOW);
    let page = browser.htmx("/setup/login").await;
    page.shows(StatusCode::OK, &["Waiting for ali", "without waiting"]);
    attempt(&test.app, "badr", Some(2), None, NOW);
    let page = browser.htmx("/setup/login").await;
    page.shows(
        StatusCode::OK,
        &["A subscriber is in It is not ali", "Go on"],
    );
    assert!(!page.body.contains("without waiting"));
    assert!(!page.body.contains("Nothing came"));
    attempt(&test.app, "ali", Some(1), None, NOW);
    let page = browser.htmx("/setup/login").await;
    page.shows(StatusCode::OK, &["ali is in"]);
}

#[tokio::test]
async fn a_login_from_this_machine_or_through_a_deleted_nas_is_not_the_first_one() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let here = with(&NAS, &[("name", "This machine"), ("address", "127.0.0.1")]);
    assert_eq!(taken(&browser, "/nas", &here).await, "/nas/2");
    let gone = with(&NAS, &[("name", "Gone"), ("address", "10.20.0.9")]);
    assert_eq!(taken(&browser, "/nas", &gone).await, "/nas/3");
    taken(&browser, "/nas/3/delete", &[]).await;
    for nas in [2, 3] {
        attempt_through(&test.app, NasId(nas), ("ali", Some(1)), None, NOW);
        assert_eq!(state(&test, Step::Subscriber), StepState::Open, "{nas}");
    }
    let page = browser.htmx("/setup/login").await;
    page.shows(
        StatusCode::OK,
        &[
            "ali was let in, but not through the router yet",
            "Nothing came from Tower North yet",
            "without waiting",
        ],
    );
    assert!(!page.body.contains("ali is in"));
    attempt(&test.app, "ali", Some(1), None, NOW);
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    let page = browser.htmx("/setup/login").await;
    page.shows(StatusCode::OK, &["ali is in"]);
}

#[tokio::test]
async fn this_machine_is_a_router_while_there_is_no_other() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/nas/1/edit", &with(&NAS, &[("address", "::1")])).await;
    attempt(&test.app, "ali", Some(1), None, NOW);
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    browser
        .htmx("/setup/login")
        .await
        .shows(StatusCode::OK, &["ali is in"]);
}
