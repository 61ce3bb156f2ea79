//! Which forms get through: the token, the origin, the role; and how their outcome is told.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;

use crate::domain::operator::Role;
use crate::web::cookies::{FLASH, VISITOR};
use crate::web::error::{Reply, done, stay};
use crate::web::extract::{Change, Panel};
use crate::web::parts::Tone;
use crate::web::shell::Flash;
use crate::web::testing::{PASSWORD, TestApp};
use crate::web::{dressed, routes};

async fn change(Change { signed, form }: Change) -> Reply {
    Ok(done(
        &signed,
        Flash::good(format!("Changed {}.", form.text("name"))),
        "/account/logins",
    ))
}

async fn disconnect(Change { signed, .. }: Change) -> Response {
    stay(&signed, Tone::Good, "Disconnected.")
}

/// The panel with two forms that change something.
async fn start() -> TestApp {
    let mut test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let panel = Panel {
        app: Arc::clone(&test.app),
        throttle: Arc::default(),
    };
    test.router = dressed(
        routes()
            .route("/change", post(change))
            .route("/disconnect", post(disconnect)),
        panel,
    );
    test
}

#[tokio::test]
async fn only_the_own_token_from_the_own_site_gets_through() {
    let test = start().await;
    let browser = test.sign_in().await;
    let other = test.sign_in_as("ziad").await;
    let forged = "0".repeat(64);
    for (token, headers, status) in [
        (browser.csrf.as_str(), &[][..], StatusCode::SEE_OTHER),
        (
            &browser.csrf,
            &[("origin", "http://panel.example")][..],
            StatusCode::SEE_OTHER,
        ),
        (
            &browser.csrf,
            &[("sec-fetch-site", "same-origin")][..],
            StatusCode::SEE_OTHER,
        ),
        ("", &[][..], StatusCode::FORBIDDEN),
        (&forged, &[][..], StatusCode::FORBIDDEN),
        (&other.csrf, &[][..], StatusCode::FORBIDDEN),
        (
            &browser.csrf,
            &[("origin", "http://evil.example")][..],
            StatusCode::FORBIDDEN,
        ),
        (
            &browser.csrf,
            &[("origin", "null")][..],
            StatusCode::FORBIDDEN,
        ),
        (
            &browser.csrf,
            &[("sec-fetch-site", "cross-site")][..],
            StatusCode::FORBIDDEN,
        ),
    ] {
        for path in ["/change", "/account/theme"] {
            let answer = browser.post_with(path, &[("csrf", token)], headers).await;
            assert_eq!(answer.status, status, "{path} {token} {headers:?}");
            if status == StatusCode::FORBIDDEN {
                answer.shows(status, &["This is not allowed", "Nothing was done."]);
            }
        }
    }
    let answer = browser.htmx_post("/change", &[("csrf", "wrong")]).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::FORBIDDEN, "")
    );
    assert!(answer.header("hx-trigger").contains("too old"));
}

#[tokio::test]
async fn forms_before_sign_in_must_repeat_the_cookie() {
    let test = start().await;
    let token = "ab".repeat(32);
    let fields = [("name", "rania"), ("password", PASSWORD)];
    let signs_in = async |cookie: &str, csrf: &str, headers: &[(&str, &str)]| {
        let cookie = if cookie.is_empty() {
            String::new()
        } else {
            format!("{VISITOR}={cookie}")
        };
        test.browser(cookie, csrf)
            .post_with("/login", &fields, headers)
            .await
            .status
    };
    assert_eq!(signs_in(&token, &token, &[]).await, StatusCode::SEE_OTHER);
    for (cookie, csrf) in [
        ("", ""),
        ("", token.as_str()),
        (&token, ""),
        (&token, &"cd".repeat(32)),
        ("ab", "ab"),
    ] {
        assert_eq!(
            signs_in(cookie, csrf, &[]).await,
            StatusCode::FORBIDDEN,
            "{cookie} {csrf}"
        );
    }
    let foreign = [("sec-fetch-site", "same-site")];
    assert_eq!(
        signs_in(&token, &token, &foreign).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_viewer_changes_nothing_but_the_own_account() {
    let test = start().await;
    let viewer = test.sign_in_as("ziad").await;
    viewer
        .post("/change", &[("name", "x")])
        .await
        .shows(StatusCode::FORBIDDEN, &["change nothing"]);
    assert_eq!(
        viewer
            .post("/account/theme", &[("theme", "dark")])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        viewer
            .post("/account/logins/revoke-others", &[])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_outcome_is_shown_once_by_the_next_whole_page() {
    let test = start().await;
    let browser = test.sign_in().await;
    let answer = browser.post("/change", &[("name", "علي <b>")]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/account/logins")
    );
    assert!(answer.cookie(FLASH).contains("HttpOnly"));
    let with_flash = test.browser(
        format!("{}; {FLASH}={}", browser.cookie, answer.cookie_value(FLASH)),
        &browser.csrf,
    );
    // A region that refreshes itself leaves the outcome to the page.
    assert!(with_flash.htmx("/").await.cookie(FLASH).is_empty());
    let page = with_flash.get("/account/logins").await;
    page.shows(StatusCode::OK, &["Changed علي &#60;b&#62;."]);
    assert!(page.cookie(FLASH).contains("Max-Age=0"));
    assert!(
        !browser
            .get("/account/logins")
            .await
            .body
            .contains("Changed")
    );
}

#[tokio::test]
async fn htmx_is_told_by_headers() {
    let test = start().await;
    let browser = test.sign_in().await;
    let answer = browser.htmx_post("/change", &[("name", "x")]).await;
    assert_eq!(
        (answer.status, answer.header("hx-redirect")),
        (StatusCode::NO_CONTENT, "/account/logins")
    );
    assert_eq!(answer.flash(), "Changed x.");
    let answer = browser.htmx_post("/disconnect", &[]).await;
    assert_eq!(
        (answer.status, answer.cookie(FLASH)),
        (StatusCode::NO_CONTENT, "")
    );
    assert!(answer.header("hx-trigger").contains("Disconnected."));
    let referer = [("referer", "http://panel.example/online?page=2")];
    let answer = browser.post_with("/disconnect", &[], &referer).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/online?page=2")
    );
    assert_eq!(answer.flash(), "Disconnected.");
    let foreign = [("referer", "http://evil.example/online")];
    assert_eq!(
        browser
            .post_with("/disconnect", &[], &foreign)
            .await
            .header("location"),
        "/"
    );
}
