//! Signing in and out, and what a browser that is not signed in gets.

use axum::http::StatusCode;

use crate::domain::operator::Role;
use crate::domain::time::HOUR;
use crate::store::FILE_NAME;
use crate::web::cookies::{SESSION, VISITOR};
use crate::web::testing::{Answer, Browser, NOW, PASSWORD, TestApp};

/// A browser that has opened the sign-in page and holds its token.
pub(super) async fn visitor(test: &TestApp) -> Browser<'_> {
    let page = test.stranger().get("/login").await;
    page.shows(StatusCode::OK, &["Sign in"]);
    let csrf = page.cookie_value(VISITOR);
    assert!(
        page.body
            .contains(&format!("name=\"csrf\" value=\"{csrf}\""))
    );
    test.browser(format!("{VISITOR}={csrf}"), csrf)
}

pub(super) async fn try_password(
    browser: &Browser<'_>,
    name: &str,
    password: &str,
    next: &str,
) -> Answer {
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

#[tokio::test]
async fn behind_a_trusted_proxy_the_cookie_is_secure_and_the_true_address_is_noted() {
    for (trusted, is_secure, address) in [
        ("127.0.0.1", true, "198.51.100.7"),
        ("192.0.2.1", false, "127.0.0.1"),
    ] {
        let test = TestApp::empty(&format!("[web]\ntrusted_proxies = [\"{trusted}\"]"));
        test.operator("rania", Role::Administrator).await;
        let browser = visitor(&test).await;
        let headers = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
        ];
        let fields = [("name", "rania"), ("password", PASSWORD)];
        let answer = browser.post_with("/login", &fields, &headers).await;
        assert_eq!(
            answer.cookie(SESSION).contains("; Secure"),
            is_secure,
            "{trusted}"
        );
        let signed = test.browser(format!("{SESSION}={}", answer.cookie_value(SESSION)), "");
        signed
            .get("/account/logins")
            .await
            .shows(StatusCode::OK, &[address]);
    }
}

#[tokio::test]
async fn a_browser_that_was_not_used_for_half_a_day_must_sign_in_again() {
    for (hours, status) in [(12, StatusCode::OK), (13, StatusCode::SEE_OTHER)] {
        let test = TestApp::start().await;
        let browser = test.sign_in().await;
        test.app.clock.move_to(NOW.plus(hours * HOUR));
        assert_eq!(
            browser.get("/account/logins").await.status,
            status,
            "{hours}"
        );
    }
}

#[tokio::test]
async fn neither_password_nor_token_is_in_a_page_or_in_the_file() {
    let test = TestApp::start().await;
    let browser = visitor(&test).await;
    let answer = try_password(&browser, "rania", PASSWORD, "/").await;
    let token = answer.cookie_value(SESSION).to_owned();
    let signed = test.browser(format!("{SESSION}={token}"), "");
    for path in [
        "/",
        "/account/logins",
        "/account/password",
        "/setup/done",
        "/nothing-here",
    ] {
        let page = signed.get(path).await;
        assert!(
            !page.body.contains(&token) && !page.body.contains(PASSWORD),
            "{path}"
        );
        assert!(!page.body.contains("$argon2"), "{path}");
    }
    let file = std::fs::read(test.app.store.folder().join(FILE_NAME)).unwrap();
    for secret in [token.as_bytes(), PASSWORD.as_bytes()] {
        assert!(
            !file.windows(secret.len()).any(|window| window == secret),
            "a secret is in the file"
        );
    }
}
