//! Bandwidth rules: list, form, switch, deletion.

use axum::http::StatusCode;

use super::isp::{furnish, no_forms, taken, with};
use crate::domain::bandwidth_rule::Adjust;
use crate::domain::id::{PlanId, RuleId, SubscriberId};
use crate::domain::operator::Role;
use crate::store::outbox::{self, Lane, Work};
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// The clock of the tests stands at a Friday, 08:00.
const RULE: [(&str, &str); 10] = [
    ("name", "Night double"),
    ("priority", "50"),
    ("enabled", "on"),
    ("download", "200%"),
    ("upload", "-512k"),
    ("days", "Mon-Fri"),
    ("from", "07:00"),
    ("to", "09:00"),
    ("plans", "1"),
    ("subscribers", " ALI \n\n"),
];

#[tokio::test]
async fn a_rule_is_saved_listed_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser
        .get("/rules")
        .await
        .shows(OK, &["No rules yet", "Create the first rule"]);
    browser
        .get("/rules/new")
        .await
        .shows(OK, &["New rule", "value=\"100\"", "id=\"plans-1\""]);
    assert_eq!(taken(&browser, "/rules", &RULE).await, "/rules");
    let rules = test.app.rules();
    let rule = rules.get(RuleId(1)).unwrap();
    assert_eq!(
        (rule.download, rule.upload),
        (Adjust::Percent(200), Adjust::Add(-512))
    );
    assert_eq!(
        (rule.plans.as_slice(), rule.subscribers.as_slice()),
        (&[PlanId(1)][..], &[SubscriberId(1)][..])
    );
    assert_eq!(rule.window.to_string(), "1,2,3,4,5 07:00-09:00");
    browser.get("/rules").await.shows(
        OK,
        &[
            "Night double",
            "Mon-Fri 07:00-09:00",
            "200 %",
            "-512 kbit/s",
            "Home 20, ali",
            "On now",
            "Disable",
        ],
    );
    browser.get("/rules/1/edit").await.shows(
        OK,
        &[
            "value=\"Night double\"",
            "value=\"200%\"",
            "value=\"-512k\"",
            "value=\"Mon-Fri\"",
            "value=\"07:00\"",
            "value=\"1\" checked",
            ">ali</textarea>",
        ],
    );
    let view = test.app.store.view().unwrap();
    let waiting = outbox::waiting(&view, Lane::Routers, 100).unwrap();
    assert!(waiting.iter().any(|(_, work)| *work == Some(Work::PushAll)));
    browser
        .get("/audit")
        .await
        .shows(OK, &["Rule Night double", "href=\"/rules/1/edit\""]);
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/rules", &RULE).await;
    let base = with(&RULE, &[("name", "Kept as it was")]);
    let long = "x".repeat(81);
    let many = "a\n".repeat(501);
    for (field, value, problem) in [
        ("name", "", "A name is needed"),
        ("name", "night DOUBLE", "Another rule has this name"),
        ("name", &long, "At most 80 characters"),
        ("priority", "0", "A whole number from 1 to 1000"),
        ("priority", "1001", "A whole number from 1 to 1000"),
        ("download", "fast", "A share such as 150%"),
        ("download", "0%", "A share from 1%"),
        ("upload", "512k", "A share such as 150%"),
        ("days", "Xyz", "Days such as Mon-Fri"),
        ("from", "", "both, or neither"),
        ("to", "25:00", "both, or neither"),
        ("first_day", "soon", "A date such as"),
        ("last_day", "2026-02-30", "A date such as"),
        ("plans", "9", "A plan is gone"),
        ("subscribers", "nobody", "Nobody is called nobody"),
        ("subscribers", &many, "At most 500 user names"),
    ] {
        let answer = browser
            .post("/rules", &with(&base, &[(field, value)]))
            .await;
        answer.shows(WRONG, &[problem, &format!("id=\"{field}-error\"")]);
    }
    for (changes, problem) in [
        (
            [("download", ""), ("upload", "")],
            "A rule changes at least one direction",
        ),
        (
            [("first_day", "2027-02-02"), ("last_day", "2027-02-01")],
            "Not before the first day",
        ),
    ] {
        let answer = browser.post("/rules", &with(&base, &changes)).await;
        answer.shows(WRONG, &[problem]);
    }
    assert!(test.app.rules().get(RuleId(2)).is_none());
    // Whole days for everybody, for one day.
    let edges = with(
        &base,
        &[
            ("from", "-"),
            ("to", "-"),
            ("days", ""),
            ("plans", "-"),
            ("subscribers", "-"),
            ("upload", ""),
            ("first_day", "2027-02-01"),
            ("last_day", "2027-02-01"),
            ("enabled", "-"),
        ],
    );
    taken(&browser, "/rules", &edges).await;
    browser.get("/rules").await.shows(
        OK,
        &[
            "always",
            "2027-02-01 to 2027-02-01",
            "everybody",
            "Disabled",
        ],
    );
}

#[tokio::test]
async fn rivals_are_told_and_a_rule_is_switched_changed_and_deleted() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/rules", &RULE).await;
    let second = with(
        &RULE,
        &[("name", "Ramadan"), ("plans", "-"), ("subscribers", "")],
    );
    taken(&browser, "/rules", &second).await;
    let hint = "Same priority and hours as Ramadan. The older one wins: Night double.";
    browser.get("/rules").await.shows(OK, &[hint]);
    browser.get("/rules/1/edit").await.shows(OK, &[hint]);
    taken(&browser, "/rules/2/disable", &[]).await;
    let page = browser.get("/rules").await;
    page.shows(OK, &["Disabled", "Enable"]);
    assert!(!page.body.contains(hint));
    taken(&browser, "/rules/2/enable", &[]).await;
    let last = with(&second, &[("priority", "51")]);
    taken(&browser, "/rules/2/edit", &last).await;
    assert!(!browser.get("/rules").await.body.contains(hint));
    browser
        .get("/rules/2/delete")
        .await
        .shows(OK, &["Delete <bdi>Ramadan</bdi>?"]);
    taken(&browser, "/rules/2/delete", &[]).await;
    no_forms(
        &browser,
        &["/rules/2/edit", "/rules/2/delete", "/rules/2/enable"],
        &second,
    )
    .await;
    test.operator("ziad", Role::Viewer).await;
    let viewer = test.sign_in_as("ziad").await;
    let seen = viewer.get("/rules").await;
    seen.shows(OK, &["Night double"]);
    assert!(!seen.body.contains("/rules/new"));
    let refused = viewer.post("/rules/1/disable", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
