//! CDN profiles: list, form, deletion, and the page of a router.

use axum::http::StatusCode;

use super::isp::{furnish, no_forms, no_pages, taken, with};
use crate::app::CdnOutcome;
use crate::domain::audit::Actor;
use crate::domain::cdn::{CdnMode, CdnWarning};
use crate::domain::id::{CdnId, NasId, PlanId};
use crate::domain::operator::Role;
use crate::operations::plans;
use crate::web::testing::{NOW, TestApp};

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

const CDN: [(&str, &str); 7] = [
    ("name", "Cache"),
    ("enabled", "on"),
    ("mode", "speed"),
    ("download_kbps", "100M"),
    ("upload_kbps", "20M"),
    (
        "networks",
        "203.0.113.0/25\n203.0.113.128/25 # both halves\n2001:db8::/32",
    ),
    ("most_per_router", "200"),
];

#[tokio::test]
async fn a_profile_is_saved_listed_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser.get("/cdn").await.shows(
        OK,
        &[
            "No CDN profiles yet",
            "Create the first profile",
            "No router has an API user",
        ],
    );
    browser.get("/cdn/new").await.shows(
        OK,
        &["New CDN profile", "value=\"200\"", "Tick none for all"],
    );
    let more = [("mode", "accounting"), ("nas", "3"), ("notes", "من بيروت")];
    assert_eq!(taken(&browser, "/cdn", &with(&CDN, &more)).await, "/cdn");
    let profiles = test.app.cdn_profiles();
    let profile = profiles.first().unwrap();
    assert_eq!(profile.mode, CdnMode::SpeedAndAccounting);
    assert_eq!(profile.networks.len(), 2);
    assert_eq!(
        (profile.rate.download_kbps, profile.nas.as_slice()),
        (100_000, &[NasId(3)][..])
    );
    browser.get("/cdn").await.shows(
        OK,
        &[
            "Cache",
            "100 Mbit/s",
            "20 Mbit/s",
            "Does not count",
            "a deleted NAS",
        ],
    );
    browser.get("/cdn/1/edit").await.shows(
        OK,
        &[
            "203.0.113.0/24\n2001:db8::/32</textarea>",
            "value=\"100000\"",
            "من بيروت",
        ],
    );
    let off = with(&CDN, &[("enabled", "-"), ("name", "cache")]);
    assert_eq!(taken(&browser, "/cdn/1/edit", &off).await, "/cdn");
    browser
        .get("/cdn")
        .await
        .shows(OK, &["Off", "Counts", "All"]);
    browser
        .get("/audit")
        .await
        .shows(OK, &["CDN profile cache", "href=\"/cdn/1/edit\""]);
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    taken(&browser, "/cdn", &CDN).await;
    let other = with(&CDN, &[("name", "Other"), ("notes", "kept as it was")]);
    for (field, value, problem) in [
        ("name", "", "A name is needed"),
        ("name", "cACHE", "Another CDN profile has this name"),
        ("mode", "free", "Choose one of the list"),
        ("download_kbps", "63", "Between 64"),
        ("upload_kbps", "", "A speed in kbit/s"),
        ("networks", "", "At least one network is needed"),
        ("networks", "10.0.0.1\nexample.net", "Line 2"),
        ("networks", "0.0.0.0/0", "Too large"),
        ("most_per_router", "0", "A whole number from 1 to 2000"),
        ("most_per_router", "2001", "A whole number from 1 to 2000"),
    ] {
        let answer = browser.post("/cdn", &with(&other, &[(field, value)])).await;
        let beside = format!("id=\"{field}-error\"");
        answer.shows(WRONG, &[problem, &beside, "kept as it was"]);
    }
    assert_eq!(test.app.cdn_profiles().len(), 1);
    taken(
        &browser,
        "/cdn",
        &with(&other, &[("most_per_router", "2000")]),
    )
    .await;
}

#[tokio::test]
async fn a_profile_that_a_plan_has_stays() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/cdn", &CDN).await;
    let mut plan = test.app.plan(PlanId(1)).unwrap().as_ref().clone();
    plan.cdn = vec![CdnId(1)];
    plans::update(&test.app, &Actor::CommandLine, PlanId(1), plan.clone())
        .await
        .unwrap();
    browser.get("/cdn").await.shows(OK, &["Home 20"]);
    let blocked = "The plan Home 20 has this profile";
    browser
        .get("/cdn/1/delete")
        .await
        .shows(OK, &[blocked, "disabled>"]);
    let answer = browser.post("/cdn/1/delete", &[]).await;
    answer.shows(StatusCode::CONFLICT, &["Home 20 has the profile Cache"]);
    plan.cdn.clear();
    plans::update(&test.app, &Actor::CommandLine, PlanId(1), plan)
        .await
        .unwrap();
    assert_eq!(taken(&browser, "/cdn/1/delete", &[]).await, "/cdn");
    no_pages(
        &browser,
        &[
            "/cdn/1/edit",
            "/cdn/1/delete",
            "/cdn/x/edit",
            "/cdn/routers/9",
        ],
    )
    .await;
    no_forms(
        &browser,
        &[
            "/cdn/1/edit",
            "/cdn/1/delete",
            "/cdn/routers/9/push",
            "/cdn/routers/9/remove",
        ],
        &CDN,
    )
    .await;
}

#[tokio::test]
async fn a_router_that_cannot_be_asked_still_has_its_page() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let page = browser.get("/cdn/routers/1").await;
    page.shows(
        OK,
        &[
            "CDN on",
            "The router cannot be asked: no access to the API is set",
            "Not pushed",
        ],
    );
    assert!(!page.body.contains("Remove everything of ours"));
    // The push is refused by the router, and kept as its outcome; the router is kept in step all the same.
    let answer = browser.post("/cdn/routers/1/push", &[]).await;
    assert_eq!(answer.header("location"), "/cdn/routers/1");
    let page = browser.get("/cdn/routers/1").await;
    page.shows(
        OK,
        &["Failed", "It ended with", "Remove everything of ours"],
    );
    test.app.cdn.report(
        NasId(1),
        CdnOutcome {
            at: NOW,
            made: 1_234,
            left: 0,
            warnings: vec![
                CdnWarning::FastTrack(1),
                CdnWarning::QueuesAbove(2),
                CdnWarning::LeftOut(3),
            ],
            error: String::new(),
        },
    );
    browser.get("/cdn/routers/1").await.shows(
        OK,
        &[
            "Needs attention",
            "1,234",
            "One rule of the firewall with FastTrack is on",
            "2 queues of sessions stood first",
            "insert-queue-before=bottom",
            "3 sessions are beyond",
        ],
    );
    browser.post("/cdn/routers/1/remove", &[]).await;
    browser.get("/cdn/routers/1").await.shows(
        OK,
        &["Failed", "Remove everything of ours", "It ended with"],
    );
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/cdn", &CDN).await;
    test.operator("sami", Role::Viewer).await;
    let sami = test.sign_in_as("sami").await;
    let page = sami.get("/cdn/routers/1").await;
    assert!(!page.body.contains("/push\""));
    for path in [
        "/cdn",
        "/cdn/1/edit",
        "/cdn/1/delete",
        "/cdn/routers/1/push",
        "/cdn/routers/1/remove",
    ] {
        let answer = sami.post(path, &CDN).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}
