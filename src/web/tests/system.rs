//! The machine room: health, jobs, the log, a restart; and what staff does about fair use.

use axum::http::StatusCode;
use tracing::Level;

use super::isp::{account, furnish, stored, taken};
use crate::domain::operator::Role;
use crate::domain::quota::Validity;
use crate::domain::session::RecordKind;
use crate::operations::testing::fail_backup;
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
async fn health_shows_what_is_wrong_and_where_it_is_mended() {
    let test = TestApp::start().await;
    test.app.set_listening(test.app.listening());
    let browser = test.sign_in().await;
    let page = browser.get("/system/health").await;
    page.shows(
        OK,
        &[
            "there is none",
            "href=\"/settings/backups\"",
            "<code>proxpanel backup passphrase</code>",
            "This machine",
            "HTTPS",
            "Restart",
        ],
    );
    let part = browser.htmx("/system/health").await;
    part.shows(OK, &["Data folder", "to look at"]);
    assert!(!part.body.contains("<html"));

    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get("/system/health").await;
    page.shows(OK, &["Data folder"]);
    assert!(!page.body.contains("/system/restart"));
}

#[tokio::test]
async fn a_backup_that_failed_is_said_above_every_page() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let alert = "Backups need attention.";
    assert!(!browser.get("/plans").await.body.contains(alert));
    fail_backup(&test.app, "no space is left.").await;
    let page = browser.get("/plans").await;
    page.shows(
        OK,
        &[
            alert,
            "The last one failed: no space is left. Settings, Backups says more.",
        ],
    );
}

#[tokio::test]
async fn the_log_is_shown_newest_first_by_level_and_text() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/system/logs").await;
    page.shows(OK, &["Nothing was logged", "journalctl -u proxpanel"]);
    let at = test.app.now().0;
    let add = |level, text: &str| {
        let target = "proxpanel::jobs";
        test.app.log.add(at, level, target, text.to_owned());
    };
    add(Level::INFO, "alpha <b>");
    add(Level::WARN, "beta disk");
    add(Level::ERROR, "gamma Disk");
    let page = browser.get("/system/logs").await;
    page.shows(OK, &["alpha &#60;b&#62;", "2027-01-15 08:00:00", "jobs"]);
    let place = |text: &str| page.body.find(text).unwrap();
    assert!(place("gamma Disk") < place("beta disk"));
    assert!(place("beta disk") < place("alpha "));

    let shown = |page: &str| ["alpha", "beta", "gamma"].map(|word| page.contains(word));
    for (address, expected) in [
        ("/system/logs?level=warn", [false, true, true]),
        ("/system/logs?level=error", [false, false, true]),
        ("/system/logs?q=DISK", [false, true, true]),
        ("/system/logs?q=disk&level=error", [false, false, true]),
        ("/system/logs?before=3", [true, true, false]),
        ("/system/logs?level=loud", [true, true, true]),
    ] {
        let part = browser.htmx(address).await;
        assert_eq!(shown(&part.body), expected, "{address}");
        // Older lines do not change, so that they are not asked for again.
        let is_live = part.body.contains("every 5s");
        assert_eq!(is_live, !address.contains("before"), "{address}");
    }
    for number in 4..=60 {
        add(Level::INFO, &format!("line {number}."));
    }
    let newest = browser.get("/system/logs?size=25").await;
    newest.shows(OK, &["line 60.", "line 36.", "before=36"]);
    assert!(!newest.body.contains("line 35."));
    let older = browser.get("/system/logs?size=25&before=36").await;
    older.shows(OK, &["line 35.", "line 11."]);
}

#[tokio::test]
async fn a_restart_is_asked_for_noted_and_waited_for() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let question = browser.get("/system/restart").await;
    question.shows(OK, &["stay online", "/etc/proxpanel/proxpanel.toml"]);
    let answer = browser.post("/system/restart", &[]).await;
    let wait = format!("/system/restarting?since={}", test.app.now().0);
    answer.shows(OK, &["starts anew", &wait, "http-equiv=\"refresh\""]);
    test.app.restart.notified().await;
    browser
        .get("/audit")
        .await
        .shows(OK, &["restarted the appliance"]);

    let still = browser.htmx(&wait).await;
    assert_eq!(still.status, StatusCode::NO_CONTENT);
    assert_eq!(still.header("hx-redirect"), "");
    browser.get(&wait).await.shows(OK, &["starts anew"]);
    let before = format!("/system/restarting?since={}", test.app.started_at.0 - 1);
    let over = browser.htmx(&before).await;
    assert_eq!(over.header("hx-redirect"), "/system/health");
    assert_eq!(over.flash(), "The appliance was started anew.");
    let plain = browser.get(&before).await;
    assert_eq!(plain.header("location"), "/system/health");

    let turn = test.app.backups.begin("Backup".into(), test.app.now());
    let refused = browser.post("/system/restart", &[]).await;
    refused.shows(StatusCode::CONFLICT, &["A backup is being made"]);
    drop(turn);
    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    for answer in [
        viewer.get("/system/restart").await,
        viewer.post("/system/restart", &[]).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
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
