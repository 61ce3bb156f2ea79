//! Remote support: from switching it on to its end, by itself or by hand.

use axum::http::StatusCode;

use super::signing_in::{try_password, visitor};
use crate::domain::operator::Role;
use crate::domain::time::HOUR;
use crate::operations::support;
use crate::store::{FILE_NAME, operators};
use crate::web::cookies::SESSION;
use crate::web::testing::{Answer, Browser, NOW, PASSWORD, TestApp};

const PATH: &str = "/settings/support";
const BANNER: &str = "Remote support is on until 2027-01-15 12:00.";

/// Switches it on and gives the code.
pub(super) async fn switch_on(browser: &Browser<'_>, hours: &str) -> String {
    let page = browser.post(PATH, &[("hours", hours)]).await;
    page.shows(StatusCode::OK, &["only time that it is shown"]);
    let (_, rest) = page.body.split_once("<pre id=\"support-code\"").unwrap();
    let code = rest.split('>').nth(1).unwrap().split('<').next().unwrap();
    code.to_owned()
}

async fn try_code(test: &TestApp, code: &str) -> Answer {
    let browser = visitor(test).await;
    try_password(&browser, "Support", code, "").await
}

/// The technician's browser.
pub(super) async fn enter<'a>(test: &'a TestApp, code: &str) -> Browser<'a> {
    let answer = try_code(test, code).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let token = answer.cookie_value(SESSION).to_owned();
    let hash = crate::crypto::sha256(token.as_bytes());
    let view = test.app.store.view().unwrap();
    let csrf = operators::login(&view, &hash).unwrap().unwrap().csrf;
    test.browser(format!("{SESSION}={token}"), &csrf)
}

#[tokio::test]
async fn a_code_lets_a_technician_in_once_and_every_page_says_so() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    rania
        .get(PATH)
        .await
        .shows(StatusCode::OK, &["Off", "4 hours"]);
    let code = switch_on(&rania, "4").await;
    let file = std::fs::read(test.app.store.folder().join(FILE_NAME)).unwrap();
    for plain in [code.clone(), code.replace('-', "")] {
        let plain = plain.as_bytes();
        assert!(!file.windows(plain.len()).any(|window| window == plain));
    }
    for path in ["/", "/subscribers", "/operators", PATH] {
        rania.get(path).await.shows(StatusCode::OK, &[BANNER]);
    }
    rania
        .get(PATH)
        .await
        .shows(StatusCode::OK, &["Not used yet"]);
    let refused = try_code(&test, "aaaaa-bbbbb-ccccc-ddddd").await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Wrong name or password."],
    );
    let technician = enter(&test, &code.to_uppercase().replace('-', " ")).await;
    let page = technician.get("/").await;
    page.shows(StatusCode::OK, &["support", BANNER, "was let in"]);
    let again = try_code(&test, &code).await;
    again.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Wrong name or password."],
    );
    // What is done is in the audit log under that name.
    super::isp::furnish(&rania).await;
    let answer = technician.post("/subscribers/1/suspend", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let audit = rania.get("/audit?q=support").await;
    audit.shows(
        StatusCode::OK,
        &["remote support switched on", "signed in", "suspended"],
    );
}

#[tokio::test]
async fn it_ends_by_itself_for_code_and_browser() {
    for (milliseconds, status) in [(-1, StatusCode::OK), (0, StatusCode::SEE_OTHER)] {
        let test = TestApp::start().await;
        let rania = test.sign_in().await;
        let code = switch_on(&rania, "1").await;
        let technician = enter(&test, &code).await;
        let end = NOW.plus(HOUR + milliseconds);
        test.app.clock.move_to(end);
        assert_eq!(technician.get("/").await.status, status, "{milliseconds}");
        let is_on = rania.get("/").await.text().contains("Remote support is on");
        assert_eq!(is_on, status == StatusCode::OK);
        // The job clears what is over, and nothing before.
        let cleared = support::clear_if_over(&test.app, end).await.unwrap();
        assert_eq!(cleared, status != StatusCode::OK);
        let view = test.app.store.view().unwrap();
        let account = operators::named(&view, "support").unwrap();
        assert_eq!(account.is_none(), cleared);
        drop(view);
        assert!(!support::clear_if_over(&test.app, end).await.unwrap());
        let audit = rania.get("/audit?q=support").await.text();
        assert_eq!(audit.contains("its time was over"), cleared);
        assert_eq!(audit.contains("remote support ended"), cleared);
    }
    // An unused code is over too, also when nobody has cleared it away.
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    let code = switch_on(&rania, "1").await;
    test.app.clock.move_to(NOW.plus(HOUR));
    let late = try_code(&test, &code).await;
    late.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Wrong name or password."],
    );
    // It can be switched on again, with another code.
    let fresh = switch_on(&rania, "1").await;
    assert_ne!(fresh, code);
    enter(&test, &fresh).await;
}

#[tokio::test]
async fn it_can_be_ended_at_once() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    let code = switch_on(&rania, "72").await;
    let technician = enter(&test, &code).await;
    let again = rania.post(PATH, &[("hours", "4")]).await;
    again.shows(StatusCode::UNPROCESSABLE_ENTITY, &["is on already"]);
    let answer = rania.post("/settings/support/end", &[]).await;
    assert_eq!(answer.header("location"), PATH);
    assert_eq!(technician.get("/").await.status, StatusCode::SEE_OTHER);
    let audit = rania.get("/audit?q=support").await;
    audit.shows(StatusCode::OK, &["remote support ended", "rania"]);
    let refused = rania.post("/settings/support/end", &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let unused = switch_on(&rania, "4").await;
    rania.post("/settings/support/end", &[]).await;
    assert!(try_code(&test, &unused).await.cookie(SESSION).is_empty());
}

#[tokio::test]
async fn it_takes_an_offered_time_and_a_free_name() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    for hours in ["", "0", "2", "73", "1000000"] {
        let page = rania.post(PATH, &[("hours", hours)]).await;
        page.shows(StatusCode::UNPROCESSABLE_ENTITY, &["id=\"hours-error\""]);
    }
    assert!(support::current(&test.app).unwrap().is_none());
}

#[tokio::test]
async fn a_technician_cannot_stay_or_make_the_account_another() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    let code = switch_on(&rania, "1").await;
    let technician = enter(&test, &code).await;
    let password = "battery staple";
    let fields = [
        ("present", ""),
        ("password", password),
        ("password_again", password),
    ];
    let page = technician.post("/account/password", &fields).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["not your present password"],
    );
    let page = technician.get("/account/second-factor").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    // Nor can an administrator make it a lasting account by mistake.
    let id = support::current(&test.app).unwrap().unwrap().operator;
    for (verb, fields) in [
        ("role", &[("role", "administrator")][..]),
        (
            "password",
            &[("password", password), ("password_again", password)][..],
        ),
        ("delete", &[][..]),
    ] {
        let answer = rania.post(&format!("/operators/{id}/{verb}"), fields).await;
        assert!(answer.status.is_client_error(), "{verb}");
        assert!(answer.text().contains("Settings, Support"), "{verb}");
    }
    for tried in [PASSWORD, password, ""] {
        assert!(try_code(&test, tried).await.cookie(SESSION).is_empty());
    }
    let view = test.app.store.view().unwrap();
    let stored = operators::get(&view, id).unwrap().unwrap();
    assert_eq!(stored.operator.role, Role::Support);
    assert!(stored.password_hash.is_empty());
}
