//! The page of jobs, and what staff does about fair use.

use axum::http::StatusCode;

use super::isp::{account, furnish, stored, taken};
use crate::domain::operator::Role;
use crate::domain::quota::Validity;
use crate::domain::session::RecordKind;
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;

#[tokio::test]
async fn a_job_is_seen_and_run_by_hand() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let entry = test.app.jobs.entry("quota sync");
    entry.begin(test.app.now());
    entry.finish(Err("the disk is full".into()), 7, None);
    let page = browser.get("/system/jobs").await;
    page.shows(
        OK,
        &[
            "quota sync",
            "Failed",
            "the disk is full",
            "7 ms",
            "Usage audit",
            "Not yet",
        ],
    );
    browser
        .htmx("/system/jobs")
        .await
        .shows(OK, &["quota sync", "Run now"]);
    browser.post("/system/jobs/quota%20sync/run", &[]).await;
    entry.rung().await;
    let audit = browser.get("/audit").await;
    audit.shows(OK, &["job started", "quota sync"]);
    let missing = browser.post("/system/jobs/nothing/run", &[]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get("/system/jobs").await;
    assert!(!page.body.contains("Run now"));
    let refused = viewer.post("/system/jobs/quota%20sync/run", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn fair_use_is_reset_topped_up_and_boosted_by_forms() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    account(&test.app, "ali", Some(1), RecordKind::Start, 3_000_000_000);
    let page = browser.get("/subscribers/1/fair-use").await;
    page.shows(
        OK,
        &["What counts now", "Reset fair use", "Top up", "Boost"],
    );

    let path = "/subscribers/1";
    let wrong = |what: &str, fields: &[(&'static str, &'static str)]| {
        let (what, fields) = (format!("{path}/{what}"), fields.to_vec());
        let browser = &browser;
        async move { browser.post(&what, &fields).await }
    };
    for (what, fields, problem) in [
        (
            "reset-fup",
            &[("scope", "week"), ("reason", "")][..],
            "Choose one of the list",
        ),
        (
            "top-up",
            &[("gigabytes", "0"), ("holds", "used")],
            "Gigabytes, such as 100 or 12.5",
        ),
        (
            "top-up",
            &[("gigabytes", "5"), ("holds", "days"), ("days", "0")],
            "A whole number from 1 to 366",
        ),
        (
            "top-up",
            &[("gigabytes", "5"), ("holds", "ever")],
            "Choose one of the list",
        ),
        (
            "boost",
            &[
                ("boost_download", "fast"),
                ("boost_upload", "1M"),
                ("boost_hours", "1"),
            ],
            "A speed in kbit/s",
        ),
        (
            "boost",
            &[
                ("boost_download", "9M"),
                ("boost_upload", "1M"),
                ("boost_hours", "745"),
            ],
            "A whole number from 1 to 744",
        ),
    ] {
        let answer = wrong(what, fields).await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
    let subscriber = || stored(&test, 1).unwrap();
    let before = subscriber();
    assert!(before.top_ups.is_empty() && before.credits.is_empty() && before.boost.is_none());

    taken(
        &browser,
        "/subscribers/1/top-up",
        &[("gigabytes", "12.5"), ("holds", "used")],
    )
    .await;
    let top_up = &subscriber().top_ups[0];
    assert_eq!(
        (top_up.octets, top_up.validity),
        (12_500_000_000, Validity::UntilUsed)
    );
    taken(
        &browser,
        "/subscribers/1/boost",
        &[
            ("boost_download", "50M"),
            ("boost_upload", "9M"),
            ("boost_hours", "2"),
        ],
    )
    .await;
    assert_eq!(subscriber().boost.unwrap().rate.download_kbps, 50_000);
    browser
        .get("/subscribers/1")
        .await
        .shows(OK, &["50 Mbit/s down", "Boost until", "Speed now"]);
    taken(&browser, "/subscribers/1/end-boost", &[]).await;
    assert_eq!(subscriber().boost, None);

    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get("/subscribers/1/fair-use").await;
    assert!(!page.body.contains("Reset fair use"));
    for what in ["reset-fup", "top-up", "boost", "end-boost"] {
        let refused = viewer.post(&format!("{path}/{what}"), &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{what}");
    }
}
