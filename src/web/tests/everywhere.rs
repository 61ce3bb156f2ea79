//! What holds whatever is asked: headers, error pages, request numbers, who may see pages.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::get;

use crate::domain::operator::Role;
use crate::operations;
use crate::store::StoreError;
use crate::web::error::{Failure, Reply};
use crate::web::extract::Panel;
use crate::web::testing::TestApp;
use crate::web::{dressed, routes};

/// The panel with routes of the test beside its own.
fn with_routes(test: &mut TestApp, more: Router<Panel>) {
    let panel = Panel {
        app: Arc::clone(&test.app),
        throttle: Arc::default(),
    };
    test.router = dressed(routes().merge(more), panel);
}

#[tokio::test]
async fn every_answer_is_guarded_by_headers() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for path in [
        "/",
        "/login",
        "/account/logins",
        "/nothing-here",
        "/healthz",
        "/setup?token=x",
    ] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_sign_in_and_back() {
    let test = TestApp::start().await;
    let stranger = test.stranger();
    for (path, location) in [
        ("/", "/login"),
        (
            "/account/logins?x=1&y=2",
            "/login?next=%2Faccount%2Flogins%3Fx%3D1%26y%3D2",
        ),
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, location)
        );
    }
    assert_eq!(stranger.htmx("/").await.status, StatusCode::UNAUTHORIZED);
    // A form goes back to the page it was on, since its own address may have no page.
    let referer = [("referer", "http://panel.example/account/logins")];
    let answer = stranger.post_with("/logout", &[], &referer).await;
    assert_eq!(answer.header("location"), "/login?next=%2Faccount%2Flogins");
    let forged = test.browser(format!("session={}", "ab".repeat(32)), "");
    assert_eq!(forged.get("/").await.header("location"), "/login");
}

#[tokio::test]
async fn what_does_not_exist_is_a_page_and_to_htmx_a_toast() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/nothing-here").await;
    page.shows(StatusCode::NOT_FOUND, &["There is no such page"]);
    let id = page.header("x-request-id");
    assert_eq!(id.len(), 12);
    assert!(page.body.contains(&format!("<code>{id}</code>")));
    assert_ne!(
        id,
        browser.get("/nothing-here").await.header("x-request-id")
    );
    let toast = browser.htmx("/nothing-here").await;
    assert_eq!(
        (toast.status, toast.body.as_str()),
        (StatusCode::NOT_FOUND, "")
    );
    assert!(toast.header("hx-trigger").contains("there is no such page"));
}

#[tokio::test]
async fn a_method_that_does_not_fit_says_which_would() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let answer = browser.get("/logout").await;
    answer.shows(
        StatusCode::METHOD_NOT_ALLOWED,
        &["405", "does not take such a request"],
    );
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn forms_are_bounded() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let fits = "x".repeat(255 * 1024);
    let answer = browser
        .post("/account/theme", &[("back", "/"), ("more", &fits)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = browser
        .post("/account/theme", &[("more", &(fits + &"x".repeat(2048)))])
        .await;
    answer.shows(
        StatusCode::PAYLOAD_TOO_LARGE,
        &["413", "The form is too large"],
    );
}

#[tokio::test]
async fn faults_hide_their_cause_and_are_counted() {
    async fn boom() -> Reply {
        panic!("a secret cause")
    }
    async fn fault() -> Reply {
        Err(Failure::Fault("a secret cause".into()))
    }
    async fn full() -> Reply {
        Err(operations::Error::Store(StoreError::Unwritable {
            reason: "a secret cause".into(),
        })
        .into())
    }
    async fn refused() -> Reply {
        Err(operations::Error::Refused("The session has ended already".into()).into())
    }
    async fn number(Path(number): Path<u32>) -> String {
        number.to_string()
    }
    let mut test = TestApp::start().await;
    let more = Router::new()
        .route("/boom", get(boom))
        .route("/fault", get(fault))
        .route("/full", get(full))
        .route("/refused", get(refused))
        .route("/number/{number}", get(number));
    with_routes(&mut test, more);
    let browser = test.sign_in().await;
    let counters = &test.app.telemetry.counters;
    for (path, status, says) in [
        (
            "/boom",
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
        ),
        (
            "/fault",
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
        ),
        (
            "/full",
            StatusCode::SERVICE_UNAVAILABLE,
            "Nothing can be saved now",
        ),
        (
            "/refused",
            StatusCode::CONFLICT,
            "The session has ended already",
        ),
        ("/number/x", StatusCode::NOT_FOUND, "There is no such page"),
        ("/number/7", StatusCode::OK, "7"),
    ] {
        let (pages, faults) = (counters.pages.get(), counters.page_faults.get());
        let page = browser.get(path).await;
        page.shows(status, &[says]);
        let toast = browser.htmx(path).await;
        assert_eq!(toast.status, status);
        assert_eq!(
            toast.header("hx-trigger").is_empty(),
            status.is_success(),
            "{path}"
        );
        assert!(
            !page.body.contains("secret") && !toast.header("hx-trigger").contains("secret"),
            "{path}"
        );
        assert_eq!(counters.pages.get(), pages + 2, "{path}");
        assert_eq!(
            counters.page_faults.get(),
            faults + if status.is_server_error() { 2 } else { 0 },
            "{path}"
        );
    }
}

#[tokio::test]
async fn health_reads_the_store_and_needs_no_sign_in() {
    let test = TestApp::empty("");
    test.stranger()
        .get("/healthz")
        .await
        .shows(StatusCode::OK, &["ok"]);
    assert_eq!(test.app.telemetry.counters.pages.get(), 0);
    test.close();
    assert_eq!(
        test.stranger().get("/healthz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_closed_store_is_said_and_no_fault() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    test.close();
    browser.get("/").await.shows(
        StatusCode::SERVICE_UNAVAILABLE,
        &["The appliance is stopping"],
    );
}

#[tokio::test]
async fn pages_are_packed_and_files_stay_as_they_are() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (path, encoding) in [("/login", ""), ("/", "gzip")] {
        let request = browser.request(Method::GET, path, &[("accept-encoding", "gzip")]);
        let response =
            tower::ServiceExt::oneshot(test.router.clone(), request.body(Body::empty()).unwrap());
        let headers = response.await.unwrap().headers().clone();
        let sent = headers
            .get("content-encoding")
            .map_or("", |value| value.to_str().unwrap());
        assert_eq!(sent, encoding, "{path}");
    }
}

#[tokio::test]
async fn a_viewer_sees_pages() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let browser = test.sign_in_as("ziad").await;
    browser
        .get("/")
        .await
        .shows(StatusCode::OK, &["Dashboard", "ziad"]);
}
