//! Plans: list, form, deletion.

use axum::http::StatusCode;

use super::isp::{PLAN, SUBSCRIBER, account, furnish, no_forms, no_pages, taken, with};
use crate::domain::id::{CdnId, PlanId};
use crate::domain::plan::OnExpiry;
use crate::domain::session::RecordKind;
use crate::store::outbox::{self, Lane, Work};
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

const FULL: [(&str, &str); 10] = [
    ("on_expiry", "expired_pool"),
    ("expired_pool", "late"),
    ("pool", "home"),
    ("burst_download_kbps", "30M"),
    ("burst_upload_kbps", "8M"),
    ("burst_threshold_download_kbps", "15M"),
    ("burst_threshold_upload_kbps", "4M"),
    ("burst_seconds", "16"),
    ("monthly_quota", "12.5"),
    ("login_hours", "1-5 08:00-16:30"),
];

#[tokio::test]
async fn a_plan_is_saved_listed_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/plans")
        .await
        .shows(OK, &["No plans yet", "Create the first plan"]);
    browser
        .get("/plans/new")
        .await
        .shows(OK, &["value=\"USD\"", "New plan"]);
    let fields = with(
        &with(&PLAN, &FULL),
        &[
            ("price", "25.5"),
            ("send_mppe", "on"),
            ("notes", "خطة البيت"),
        ],
    );
    assert_eq!(taken(&browser, "/plans", &fields).await, "/plans");
    let plan = test.app.plan(PlanId(1)).unwrap();
    assert_eq!(plan.price.to_string(), "25.50 USD");
    assert_eq!(plan.quota.monthly, Some(12_500_000_000));
    assert_eq!(
        plan.on_expiry,
        OnExpiry::ExpiredPool {
            pool: "late".into()
        }
    );
    assert_eq!(plan.burst.unwrap().threshold.upload_kbps, 4_000);
    assert!(plan.send_mppe);
    browser.get("/plans").await.shows(
        OK,
        &[
            "Home 20",
            "25.50 USD",
            "1 month",
            "20 Mbit/s",
            "5 Mbit/s",
            "30 Mbit/s for 8 s",
            "Pool late",
            "href=\"/subscribers?plan=1\"",
        ],
    );
    let form = browser.get("/plans/1/edit").await;
    for value in [
        "25.50",
        "20M",
        "5M",
        "30M",
        "8M",
        "15M",
        "4M",
        "16",
        "12.5",
        "1,2,3,4,5 08:00-16:30",
        "late",
        "home",
    ] {
        form.shows(OK, &[&format!("value=\"{value}\"")]);
    }
    form.shows(OK, &["خطة البيت", "<details class=\"more\" open>"]);
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let long = "x".repeat(5_000);
    let all = "All five fields of the burst, or none";
    let cases = [
        ("name", "", "A name is needed"),
        ("name", "hOME 20", "Another plan has this name"),
        ("name", &long[..81], "At most 80 characters"),
        ("price", "", "Not an amount in USD"),
        ("price", "1.234", "USD has 2 decimals"),
        ("currency", "dollar", "Three letters"),
        ("term", "0", "A whole number from 1 to 10000"),
        ("term_unit", "years", "Choose one of the list"),
        ("download_kbps", "", "A speed is needed"),
        ("download_kbps", "fast", "A speed in kbit/s"),
        ("upload_kbps", "63", "Between 64"),
        ("priority", "9", "A whole number from 1 to 8"),
        ("priority", "0", "A whole number from 1 to 8"),
        ("pool", &long[..65], "At most 64 characters"),
        ("address_list", &long[..65], "At most 64 characters"),
        ("max_sessions", "101", "A whole number from 1 to 100"),
        ("on_limit", "", "Choose one of the list"),
        ("on_expiry", "free", "Choose one of the list"),
        ("expired_pool", "", "The name of the pool is needed"),
        ("monthly_quota", "0", "Gigabytes, such as"),
        ("login_hours", "8-16", "Hours such as"),
        ("notes", &long, "At most 4000 characters"),
        ("burst_download_kbps", "", all),
        ("burst_upload_kbps", "", all),
        ("burst_threshold_download_kbps", "", all),
        ("burst_threshold_upload_kbps", "", all),
        ("burst_seconds", "", "A whole number from 1 to 3600"),
        ("burst_seconds", "3601", "A whole number from 1 to 3600"),
        (
            "burst_threshold_download_kbps",
            "30001",
            "Not above the burst speed",
        ),
        (
            "burst_threshold_upload_kbps",
            "8001",
            "Not above the burst speed",
        ),
    ];
    let full = with(
        &with(&PLAN, &FULL),
        &[("name", "Other"), ("notes", "kept as it was")],
    );
    for (field, value, problem) in cases {
        let answer = browser
            .post("/plans", &with(&full, &[(field, value)]))
            .await;
        answer.shows(WRONG, &[problem, &format!("id=\"{field}-error\"")]);
        assert!(
            field == "notes" || answer.body.contains("kept as it was"),
            "{field}"
        );
    }
    assert!(test.app.plan(PlanId(2)).is_none());
    // The edges themselves are fine.
    let edges = with(
        &full,
        &[
            ("burst_download_kbps", "20000"),
            ("burst_threshold_download_kbps", "20000"),
            ("burst_seconds", "3600"),
            ("priority", "1"),
        ],
    );
    taken(&browser, "/plans", &edges).await;
}

#[tokio::test]
async fn a_change_says_whom_it_reaches_and_reaches_them() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let form = browser.get("/plans/1/edit").await;
    assert!(!form.body.contains("by CoA"));
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    let notice = "One session with this plan is open. A new speed reaches it by CoA";
    browser.get("/plans/1/edit").await.shows(OK, &[notice]);
    browser
        .post("/plans/1/edit", &with(&PLAN, &[("price", "x")]))
        .await
        .shows(WRONG, &[notice]);
    let faster = with(&PLAN, &[("download_kbps", "30M"), ("on_expiry", "reject")]);
    taken(&browser, "/plans/1/edit", &faster).await;
    let view = test.app.store.view().unwrap();
    let waiting = outbox::waiting(&view, Lane::Routers, 100).unwrap();
    assert!(
        waiting
            .iter()
            .any(|(_, work)| *work == Some(Work::PushPlan(PlanId(1))))
    );
}

#[tokio::test]
async fn a_plan_that_somebody_has_stays() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser
        .get("/plans/1/delete")
        .await
        .shows(OK, &["One subscriber has this plan", "disabled>"]);
    let answer = browser.post("/plans/1/delete", &[]).await;
    answer.shows(StatusCode::CONFLICT, &["Subscribers have the plan Home 20"]);
    taken(
        &browser,
        "/plans",
        &with(&PLAN, &[("name", "Other"), ("on_expiry", "reject")]),
    )
    .await;
    taken(
        &browser,
        "/subscribers/1/edit",
        &with(&SUBSCRIBER, &[("plan", "2")]),
    )
    .await;
    browser
        .get("/plans/1/delete")
        .await
        .shows(OK, &["This cannot be undone."]);
    assert_eq!(taken(&browser, "/plans/1/delete", &[]).await, "/plans");
    no_pages(
        &browser,
        &["/plans/1/edit", "/plans/1/delete", "/plans/x/edit"],
    )
    .await;
    no_forms(&browser, &["/plans/1/edit", "/plans/1/delete"], &PLAN).await;
}

#[tokio::test]
async fn a_plan_has_the_cdn_profiles_that_are_ticked() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let plan = with(&PLAN, &[("on_expiry", "reject")]);
    assert!(!browser.get("/plans/new").await.body.contains("cdn-1"));
    for name in ["Cache", "Video"] {
        let profile = [
            ("name", name),
            ("enabled", "on"),
            ("download_kbps", "100M"),
            ("upload_kbps", "100M"),
            ("mode", "speed"),
            ("most_per_router", "100"),
            ("networks", "203.0.113.0/24"),
        ];
        taken(&browser, "/cdn", &profile).await;
    }
    taken(&browser, "/plans", &with(&plan, &[("cdn", "2")])).await;
    assert_eq!(test.app.plan(PlanId(1)).unwrap().cdn, [CdnId(2)]);
    browser.get("/plans/1/edit").await.shows(
        OK,
        &["value=\"1\"><label for=\"cdn-1\"", "value=\"2\" checked"],
    );
    let other = with(&plan, &[("cdn", "1")]);
    taken(&browser, "/plans/1/edit", &other).await;
    browser.get("/audit").await.shows(OK, &["Video", "Cache"]);
    let gone = with(&plan, &[("name", "Other"), ("cdn", "9")]);
    let answer = browser.post("/plans", &gone).await;
    answer.shows(WRONG, &["A CDN profile is gone", "id=\"cdn-error\""]);
    let mut many = with(&plan, &[("name", "Other")]);
    many.extend([("cdn", "1"); 9]);
    let answer = browser.post("/plans", &many).await;
    answer.shows(WRONG, &["At most 8 CDN profiles"]);
}
