//! The operator's own things: browsers, password, colours, signing out.

use axum::http::StatusCode;

use crate::crypto;
use crate::domain::operator::Role;
use crate::web::cookies::{SESSION, VISITOR};
use crate::web::testing::{Browser, PASSWORD, TestApp};

const NEW: &str = "battery staple";

fn revoke_path(browser: &Browser<'_>) -> String {
    format!(
        "/account/logins/{}/revoke",
        crypto::hex(&crypto::sha256(browser.token.as_bytes()))
    )
}

async fn is_signed_in(browser: &Browser<'_>) -> bool {
    browser.get("/account/password").await.status == StatusCode::OK
}

#[tokio::test]
async fn signing_out_ends_the_login_on_the_server() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    assert!(is_signed_in(&browser).await);
    let answer = browser.post("/logout", &[]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/login")
    );
    assert!(answer.cookie(SESSION).contains("Max-Age=0"));
    assert!(!is_signed_in(&browser).await);
}

#[tokio::test]
async fn a_revoked_browser_is_locked_out_and_the_others_stay() {
    let test = TestApp::start().await;
    let (browser, lost, third) = (
        test.sign_in().await,
        test.sign_in().await,
        test.sign_in().await,
    );
    let page = browser.get("/account/logins").await;
    page.shows(
        StatusCode::OK,
        &[
            "Firefox on Linux",
            "This browser",
            "127.0.0.1",
            "2027-01-15 08:00",
        ],
    );
    assert!(page.body.contains(&revoke_path(&lost)) && !page.body.contains(&revoke_path(&browser)));
    for token in [&browser.token, &lost.token] {
        assert!(
            !page.body.contains(token.as_str()),
            "a token is in the page"
        );
    }
    let answer = browser.post(&revoke_path(&lost), &[]).await;
    assert_eq!(
        (answer.header("location"), answer.flash().as_str()),
        ("/account/logins", "The browser was signed out.")
    );
    assert!(
        !is_signed_in(&lost).await && is_signed_in(&third).await && is_signed_in(&browser).await
    );
    browser
        .post(&revoke_path(&lost), &[])
        .await
        .shows(StatusCode::NOT_FOUND, &[]);
    let answer = browser.post("/account/logins/revoke-others", &[]).await;
    assert_eq!(answer.flash(), "One other browser was signed out.");
    assert!(!is_signed_in(&third).await && is_signed_in(&browser).await);
}

#[tokio::test]
async fn nobody_revokes_the_browser_of_another() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let (mine, other) = (test.sign_in().await, test.sign_in_as("ziad").await);
    assert!(
        !other
            .get("/account/logins")
            .await
            .body
            .contains(&revoke_path(&mine))
    );
    assert_eq!(
        other.post(&revoke_path(&mine), &[]).await.status,
        StatusCode::NOT_FOUND
    );
    other.post("/account/logins/revoke-others", &[]).await;
    assert!(is_signed_in(&mine).await);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_signs_others_out() {
    let test = TestApp::start().await;
    let (browser, other) = (test.sign_in().await, test.sign_in().await);
    for (present, password, again, says, field) in [
        (
            "wrong horse",
            NEW,
            NEW,
            "This is not your present password",
            "present",
        ),
        (
            PASSWORD,
            "short",
            "short",
            "At least 10 characters",
            "password",
        ),
        (
            PASSWORD,
            NEW,
            PASSWORD,
            "The two passwords differ",
            "password_again",
        ),
    ] {
        let fields = [
            ("present", present),
            ("password", password),
            ("password_again", again),
        ];
        let page = browser.post("/account/password", &fields).await;
        page.shows(
            StatusCode::UNPROCESSABLE_ENTITY,
            &[says, &format!("id=\"{field}-error\"")],
        );
        assert!(
            [PASSWORD, NEW, "wrong horse"]
                .iter()
                .all(|secret| !page.body.contains(secret)),
            "{says}"
        );
    }
    assert!(is_signed_in(&other).await);
    let fields = [
        ("present", PASSWORD),
        ("password", NEW),
        ("password_again", NEW),
    ];
    let answer = browser.post("/account/password", &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/account/logins")
    );
    assert!(is_signed_in(&browser).await && !is_signed_in(&other).await);
    let token = "ab".repeat(32);
    let visitor = test.browser(format!("{VISITOR}={token}"), &token);
    for (password, status) in [
        (PASSWORD, StatusCode::UNPROCESSABLE_ENTITY),
        (NEW, StatusCode::SEE_OTHER),
    ] {
        let answer = visitor
            .post("/login", &[("name", "rania"), ("password", password)])
            .await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn colours_are_kept_and_lead_back_to_the_page() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (theme, back, kept, location) in [
        ("dark", "/account/logins?a=1", "dark", "/account/logins?a=1"),
        ("light", "//evil.example", "light", "/"),
        ("\"><script>", "/\\evil.example", "auto", "/"),
    ] {
        let answer = browser
            .post("/account/theme", &[("theme", theme), ("back", back)])
            .await;
        assert_eq!(
            (answer.cookie_value("theme"), answer.header("location")),
            (kept, location)
        );
    }
    let dark = test.browser(format!("{}; theme=dark", browser.cookie), "");
    for path in ["/account/logins?a=1", "/nothing-here"] {
        assert!(
            dark.get(path).await.body.contains("data-theme=\"dark\""),
            "{path}"
        );
    }
    assert!(
        dark.get("/account/logins?a=1")
            .await
            .body
            .contains("name=\"back\" value=\"/account/logins?a=1\"")
    );
}
