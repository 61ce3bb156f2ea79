//! The dashboard: first steps of a new appliance, figures of a running one.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;

use crate::crypto::Secret;
use crate::domain::access::Reason;
use crate::domain::audit::Actor;
use crate::domain::id::NasId;
use crate::domain::nas::Network;
use crate::domain::operator::Role;
use crate::operations::aaa::reject_slot;
use crate::operations::nas;
use crate::store::auth_log::{Attempt, Method};
use crate::telemetry::{SAMPLE_INTERVAL, monotonic};
use crate::web::testing::{NOW, TestApp};

const SECRET: &str = "sesame-sesame-sesame";

async fn add_nas(test: &TestApp, name: &str, network: &str) -> NasId {
    let draft = nas::Draft {
        secret: Some(Arc::new(Secret::new(SECRET.to_owned()))),
        limit_proxy_state: false,
        ..nas::Draft::new(name, Network::parse(network).unwrap())
    };
    nas::create(&test.app, &Actor::CommandLine, draft)
        .await
        .unwrap()
}

fn rejected(test: &TestApp, username: &str, nas: NasId, reason: Option<Reason>) {
    test.app.auth_log.add(Attempt {
        at: NOW,
        username: username.into(),
        subscriber: None,
        nas,
        source: IpAddr::from([192, 0, 2, 1]),
        mac: None,
        method: Method::Pap,
        reason,
    });
}

#[tokio::test]
async fn a_new_appliance_shows_what_is_left_to_do() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/").await;
    page.shows(
        StatusCode::OK,
        &[
            "Finish setting up (1 of 6)",
            "/setup/plan",
            "/setup/router",
            "/setup/subscriber",
            "No NAS yet",
        ],
    );
    add_nas(&test, "Tower", "192.0.2.1").await;
    let page = browser.get("/").await;
    page.shows(StatusCode::OK, &["Finish setting up (2 of 6)"]);
    assert!(!page.body.contains("href=\"/setup/router\""));
    // It is nobody's business who may not do it.
    test.operator("ziad", Role::Viewer).await;
    let page = test.sign_in_as("ziad").await.get("/").await;
    assert!(!page.body.contains("Finish setting up"));
}

#[tokio::test]
async fn the_figures_are_those_of_the_appliance() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let tower = add_nas(&test, "Tower", "192.0.2.1").await;
    let harbour = add_nas(&test, "Harbour <b>", "192.0.2.0/24").await;
    let stats = |id| Arc::clone(&test.app.nas(id).unwrap().stats);
    stats(tower).saw_auth(NOW);
    stats(harbour).saw_wrong_digest(NOW);
    let counters = &test.app.telemetry.counters;
    counters.access_requests.add(125);
    counters.access_accepts.add(1_100);
    counters.rejects(reject_slot(Reason::Expired)).add(30);
    counters.rejects(reject_slot(Reason::WrongPassword)).add(90);
    test.app.telemetry.sample(monotonic() + SAMPLE_INTERVAL);
    rejected(&test, "mariam", tower, Some(Reason::Expired));
    rejected(&test, "<script>", harbour, Some(Reason::UnknownUser));
    rejected(&test, "accepted-one", tower, None);
    let page = browser.get("/").await;
    page.shows(
        StatusCode::OK,
        &[
            "12.5 /s",
            "12.5/s now",
            "1,100 accepted",
            "120 rejected",
            "since the start",
            "Tower 192.0.2.1 This device does not protect its requests Answering now 0",
            "Wrong secret never 0",
            "The shared secret on the router is another one than here",
            "mariam Rejected",
            "&#60;script&#62;",
            "Daemon memory",
            "Healthy",
            "As of 08:00:00",
        ],
    );
    let text = page.text();
    let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word}"));
    assert!(place("Harbour") < place("Tower"), "trouble stands first");
    assert!(
        place(Reason::WrongPassword.words()) < place("Expired 30"),
        "frequent reasons stand first"
    );
    assert!(!page.body.contains("accepted-one") && !page.body.contains("<script>"));
    assert!(!page.body.contains(SECRET) && !page.body.contains(&browser.token));
}

#[tokio::test]
async fn htmx_gets_the_figures_alone() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let part = browser.htmx("/").await;
    part.shows(StatusCode::OK, &["Online now"]);
    assert!(
        !part.body.contains("<html")
            && !part.body.contains("Finish setting up")
            && !part.body.contains("csrf")
    );
    assert_eq!(part.header("vary"), "HX-Request");
}
