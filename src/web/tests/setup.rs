//! First run: the one-time link, and what every page says before.

use axum::http::StatusCode;

use crate::crypto::Secret;
use crate::operations::{operators, setup};
use crate::web::cookies::{SESSION, VISITOR};
use crate::web::testing::{Browser, PASSWORD, TestApp};

const FIELDS: [(&str, &str); 3] = [
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
    page.shows(StatusCode::OK, &["Welcome", "Six short steps"]);
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
    let test = TestApp::empty("");
    let link = link(&test).await;
    let browser = visitor(&test, &link).await;
    let answer = browser.post(&link, &FIELDS).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/setup/operator")
    );
    assert!(answer.cookie(SESSION).contains("HttpOnly"));
    let signed = test.browser(format!("{SESSION}={}", answer.cookie_value(SESSION)), "");
    let page = signed.get("/setup/operator").await;
    page.shows(StatusCode::OK, &["Hello rania", "Set up a second factor"]);
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
    let audit = test.sign_in_as("rania").await.get("/audit").await;
    audit.shows(StatusCode::OK, &["first run", "set up"]);
    // Nor is there another link, once somebody can sign in.
    let refused = setup::new_token(&test.app).await.map(|_| ());
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("set up already"), "{refused}");
}

#[tokio::test]
async fn of_two_browsers_with_the_same_link_one_wins() {
    let test = TestApp::empty("");
    let token = setup::new_token(&test.app).await.unwrap();
    let complete = |name: &'static str| {
        let password = Secret::new(PASSWORD.to_owned());
        setup::complete(&test.app, token.expose(), "192.0.2.7", name, password)
    };
    // Both were shown the page before either sent its form.
    let (one, other) = tokio::join!(complete("rania"), complete("mallory"));
    let refusals = [one, other].map(|ended| ended.err().map(|error| error.to_string()));
    let refused: Vec<String> = refusals.into_iter().flatten().collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("used already"), "{}", refused[0]);
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
        ("name", "a b"),
        ("password", "hunter2"),
        ("password_again", "hunter3"),
    ];
    let page = browser.post(&link, &wrong).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &[
            "2 to 32 letters",
            "At least 10 characters",
            "The two passwords differ",
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
