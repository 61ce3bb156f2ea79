//! The page of the simulator; its answers are tested beside the operation.

use axum::http::StatusCode;

use super::isp::{PLAN, SUBSCRIBER, taken, with};
use crate::domain::operator::Role;
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;

#[tokio::test]
async fn a_simulation_has_an_address_and_shows_speed_steps_changes_and_reply() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let plan = with(
        &PLAN,
        &[
            ("on_expiry", "reject"),
            ("daily_quota", "20"),
            ("daily_tier_1_threshold", "10"),
            ("daily_tier_1_action", "throttle"),
            ("daily_tier_1_down", "4M"),
            ("daily_tier_1_up", "1M"),
            ("free_hours_1_from", "18:00"),
            ("free_hours_1_to", "19:00"),
            ("free_hours_1_percent", "70"),
        ],
    );
    taken(&browser, "/plans", &plan).await;
    taken(&browser, "/subscribers", &SUBSCRIBER).await;
    let empty = browser.get("/simulator").await;
    empty.shows(OK, &["Simulator", "<option value=\"1\">Home 20</option>"]);
    assert!(!empty.body.contains("How the speed comes about"));

    let address = "/simulator?subscriber=ali&at=2027-01-15T18:30&today=12.5&expires=2027-01-20";
    browser.get(address).await.shows(
        OK,
        &[
            "ali, plan Home 20, 2027-01-15 18:30",
            "Login accepted",
            "4 Mbit/s down, 1 Mbit/s up",
            "Daily tier 1 at 10.0 GB (12.5 GB used)",
            "today 12.5 GB of 20.0 GB",
            "1 GB counts as 0.3 GB",
            "2027-01-15 19:00",
            "2027-01-16 00:05",
            "20 Mbit/s down, 5 Mbit/s up",
            "Session-Timeout = 452100",
            "Mikrotik-Rate-Limit = &#34;1M/4M&#34;",
            "value=\"2027-01-15T18:30\"",
        ],
    );
    browser
        .get("/simulator?plan=1&today=20")
        .await
        .shows(OK, &["Plan Home 20, 2027-01-15 08:00", "Rejected: "]);
    browser
        .get("/simulator?subscriber=nobody&today=x&at=noon&expires=soon")
        .await
        .shows(
            OK,
            &[
                "id=\"subscriber-error\"",
                "Nobody has this user name",
                "id=\"today-error\"",
                "id=\"at-error\"",
                "id=\"expires-error\"",
            ],
        );
    test.operator("ziad", Role::Viewer).await;
    let viewer = test.sign_in_as("ziad").await;
    viewer.get(address).await.shows(OK, &["Login accepted"]);
}
