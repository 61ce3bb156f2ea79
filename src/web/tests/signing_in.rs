//! Signing in and out, and what a browser that is not signed in gets.

use axum::http::StatusCode;

use crate::web::cookies::{SESSION, VISITOR};
use crate::web::testing::{Answer, Browser, PASSWORD, TestApp};

/// A browser that has opened the sign-in page and holds its token.
async fn visitor(test: &TestApp) -> Browser<'_> {
    let page = test.stranger().get("/login").await;
    page.shows(StatusCode::OK, &["Sign in"]);
    let csrf = page.cookie_value(VISITOR);
    assert!(
        page.body
            .contains(&format!("name=\"csrf\" value=\"{csrf}\""))
    );
    test.browser(format!("{VISITOR}={csrf}"), csrf)
}

async fn try_password(browser: &Browser<'_>, name: &str, password: &str, next: &str) -> Answer {
    browser
        .post(
            "/login",
            &[("name", name), ("password", password), ("next", next)],
        )
        .await
}

#[tokio::test]
async fn the_right_password_signs_in_and_goes_on() {
    let test = TestApp::start().await;
    let browser = visitor(&test).await;
    for (next, location) in [
        ("/plans?page=2", "/plans?page=2"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ] {
        let answer = try_password(&browser, " RANIA ", PASSWORD, next).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, location)
        );
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(
                answer.cookie(SESSION).contains(part),
                "{}",
                answer.cookie(SESSION)
            );
        }
        assert!(!answer.cookie(SESSION).contains("Secure"));
        let signed = test.browser(format!("{SESSION}={}", answer.cookie_value(SESSION)), "");
        assert_eq!(
            signed.get("/login?next=/nas").await.header("location"),
            "/nas"
        );
    }
}

#[tokio::test]
async fn wrong_names_and_passwords_read_the_same_and_are_throttled() {
    let test = TestApp::start().await;
    let browser = visitor(&test).await;
    let mut said = Vec::new();
    for (name, password) in [("rania", "wrong horse"), ("nobody", PASSWORD)] {
        let answer = try_password(&browser, name, password, "/plans").await;
        answer.shows(
            StatusCode::UNPROCESSABLE_ENTITY,
            &["Wrong name or password.", "value=\"/plans\""],
        );
        assert!(answer.cookie(SESSION).is_empty() && !answer.body.contains(password));
        said.push(answer.body.replace(name, "NAME"));
    }
    assert_eq!(said[0], said[1]);
    // Five tries of one name at once; then even the right password waits.
    let mut last = StatusCode::OK;
    for _ in 0..5 {
        last = try_password(&browser, "rania", "wrong horse", "")
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let answer = try_password(&browser, "rania", PASSWORD, "").await;
    answer.shows(StatusCode::TOO_MANY_REQUESTS, &["Too many attempts"]);
    assert!(answer.cookie(SESSION).is_empty());
}
