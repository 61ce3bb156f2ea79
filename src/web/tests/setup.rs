//! First run: the one-time link, and what every page says before.

use axum::http::StatusCode;

use crate::operations::{operators, setup};
use crate::web::cookies::{SESSION, VISITOR};
use crate::web::testing::{Browser, PASSWORD, TestApp};

const FIELDS: [(&str, &str); 6] = [
    ("isp_name", "Cedar Net"),
    ("time_zone", "Asia/Beirut"),
    ("currency", "lbp"),
    ("name", "rania"),
    ("password", PASSWORD),
    ("password_again", PASSWORD),
];

/// The address of the setup page.
async fn link(test: &TestApp) -> String {
    format!(
        "/setup?token={}",
        setup::new_token(&test.app).await.unwrap().expose()
    )
}

async fn visitor<'a>(test: &'a TestApp, link: &str) -> Browser<'a> {
    let page = test.stranger().get(link).await;
    page.shows(StatusCode::OK, &["Welcome", "Asia/Beirut", "value=\"USD\""]);
    let csrf = page.cookie_value(VISITOR);
    test.browser(format!("{VISITOR}={csrf}"), csrf)
}

#[tokio::test]
async fn before_setup_every_page_says_how_to_begin() {
    let test = TestApp::empty("");
    let token = link(&test).await;
    for path in ["/", "/login", "/account/logins"] {
        let page = test.stranger().get(path).await;
        page.shows(
            StatusCode::SERVICE_UNAVAILABLE,
            &["Not set up yet", "proxpanel setup"],
        );
        assert!(
            !page
                .body
                .contains(token.trim_start_matches("/setup?token=")),
            "{path}"
        );
    }
    for path in ["/setup", "/setup?token=", "/setup?token=wrong"] {
        let page = test.stranger().get(path).await;
        page.shows(
            StatusCode::FORBIDDEN,
            &["This link does not work", "proxpanel setup"],
        );
    }
}

#[tokio::test]
async fn the_link_works_once_and_signs_in() {
    let test = TestApp::empty("[radius]\nauth_listen = [\"0.0.0.0:11812\", \"[::]:11812\"]");
    let link = link(&test).await;
    let browser = visitor(&test, &link).await;
    let answer = browser.post(&link, &FIELDS).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/setup/done")
    );
    assert!(answer.cookie(SESSION).contains("HttpOnly"));
    let signed = test.browser(format!("{SESSION}={}", answer.cookie_value(SESSION)), "");
    let done = signed.get("/setup/done").await;
    done.shows(
        StatusCode::OK,
        &[
            "Ready",
            "panel.example",
            "Authentication UDP 11812 ",
            "UDP 1813",
        ],
    );
    let settings = test.app.settings();
    assert_eq!(settings.isp_name, "Cedar Net");
    assert_eq!(
        (settings.calendar.zone_name(), settings.currency.as_str()),
        ("Asia/Beirut", "LBP")
    );
    // Used up: neither the page nor the form works again.
    let page = test.stranger().get(&link).await;
    page.shows(StatusCode::FORBIDDEN, &["used already", "Sign in"]);
    let again: Vec<_> = FIELDS
        .iter()
        .map(|&(name, value)| (name, if name == "name" { "mallory" } else { value }))
        .collect();
    browser
        .post(&link, &again)
        .await
        .shows(StatusCode::FORBIDDEN, &["used already"]);
    assert_eq!(operators::list(&test.app).unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_link_replaces_the_older() {
    let test = TestApp::empty("");
    let older = link(&test).await;
    let newer = link(&test).await;
    assert_eq!(
        test.stranger().get(&older).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(test.stranger().get(&newer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_mistake_is_said_beside_its_field_and_the_rest_is_kept() {
    let test = TestApp::empty("");
    let link = link(&test).await;
    let browser = visitor(&test, &link).await;
    let wrong = [
        ("isp_name", " "),
        ("time_zone", "Asia/Atlantis"),
        ("currency", "dollars"),
        ("name", "a b"),
        ("password", "hunter2"),
        ("password_again", "hunter3"),
    ];
    let page = browser.post(&link, &wrong).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &[
            "A name is needed",
            "Unknown time zone Asia/Atlantis",
            "Three letters, such as USD or IQD",
            "2 to 32 letters",
            "At least 10 characters",
            "The two passwords differ",
            "value=\"dollars\"",
            "value=\"a b\"",
        ],
    );
    assert!(!page.body.contains("hunter"), "a password came back");
    for (field, _) in wrong {
        assert!(
            page.body.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    assert!(setup::is_needed(&test.app).unwrap());
    assert_eq!(
        browser.post(&link, &FIELDS).await.status,
        StatusCode::SEE_OTHER
    );
}
