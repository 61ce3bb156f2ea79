//! The pages of operators: who may see and change them, and that there is always an administrator.

use axum::http::StatusCode;

use super::signing_in::{try_password, visitor};
use crate::crypto;
use crate::domain::operator::Role;
use crate::web::cookies::SESSION;
use crate::web::testing::{Browser, PASSWORD, TestApp};

const NEW: &str = "battery staple";

async fn knows_password(test: &TestApp, name: &str, password: &str) -> bool {
    let browser = visitor(test).await;
    let answer = try_password(&browser, name, password, "").await;
    !answer.cookie(SESSION).is_empty()
}

fn revoke_path(id: u32, browser: &Browser<'_>) -> String {
    let hash = crypto::hex(&crypto::sha256(browser.token.as_bytes()));
    format!("/operators/{id}/logins/{hash}/revoke")
}

#[tokio::test]
async fn an_operator_is_added_and_listed() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    rania.get("/operators/new").await.shows(
        StatusCode::OK,
        &["New operator", "data-generate=\"password\""],
    );
    for (name, role, password, again, field) in [
        ("a", "viewer", NEW, NEW, "name"),
        ("RANIA", "viewer", NEW, NEW, "name"),
        ("Support", "viewer", NEW, NEW, "name"),
        ("ziad", "support", NEW, NEW, "role"),
        ("ziad", "", NEW, NEW, "role"),
        ("ziad", "viewer", "short", "short", "password"),
        ("ziad", "viewer", NEW, PASSWORD, "password_again"),
    ] {
        let fields = [
            ("name", name),
            ("role", role),
            ("password", password),
            ("password_again", again),
        ];
        let page = rania.post("/operators", &fields).await;
        let error = format!("id=\"{field}-error\"");
        page.shows(StatusCode::UNPROCESSABLE_ENTITY, &[&error]);
        assert!(!page.body.contains(NEW), "{name} {role}");
    }
    let fields = [
        ("name", "ziad"),
        ("role", "viewer"),
        ("password", NEW),
        ("password_again", NEW),
    ];
    let answer = rania.post("/operators", &fields).await;
    assert_eq!(answer.header("location"), "/operators");
    let page = rania.get("/operators").await;
    page.shows(
        StatusCode::OK,
        &[
            "href=\"/operators/2\"",
            "Viewer",
            "You",
            "What each role may do",
        ],
    );
    assert!(knows_password(&test, "ziad", NEW).await);
    let ziad = test.sign_in_as("ziad").await;
    let page = ziad.get("/operators").await;
    page.shows(StatusCode::OK, &["rania"]);
    assert!(
        !page.body.contains("href=\"/operators/"),
        "nothing to press"
    );
    for path in ["/operators/new", "/operators/1", "/operators/1/delete"] {
        assert_eq!(ziad.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn there_is_always_an_administrator() {
    let test = TestApp::start().await;
    test.operator("omar", Role::Administrator).await;
    test.operator("ziad", Role::Viewer).await;
    let (rania, omar) = (test.sign_in().await, test.sign_in_as("omar").await);
    // Nobody takes the own rights away, so the last one cannot go either.
    for (path, fields) in [
        ("/operators/1/role", &[("role", "viewer")][..]),
        ("/operators/1/delete", &[][..]),
        (
            "/operators/1/password",
            &[("password", NEW), ("password_again", NEW)][..],
        ),
        ("/operators/1/sign-out", &[][..]),
    ] {
        let answer = rania.post(path, fields).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert!(answer.text().contains("your own account"), "{path}");
    }
    let answer = omar.post("/operators/1/role", &[("role", "viewer")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    // From the next page on.
    assert_eq!(rania.get("/operators").await.status, StatusCode::OK);
    let late = rania.post("/operators/3/delete", &[]).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    for role in ["administrator", "viewer"] {
        let answer = omar.post("/operators/3/role", &[("role", role)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{role}");
    }
    // From the command line, which has no own account.
    let command = crate::domain::audit::Actor::CommandLine;
    let id = crate::domain::id::OperatorId(2);
    use crate::operations::operators as verbs;
    for refused in [
        verbs::change_role(&test.app, &command, id, Role::Viewer).await,
        verbs::remove(&test.app, &command, id).await,
    ] {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("omar is the last administrator"), "{text}");
    }
}

#[tokio::test]
async fn a_removed_operator_is_out_at_once_and_stays_in_the_log() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let (rania, ziad) = (test.sign_in().await, test.sign_in_as("ziad").await);
    let page = rania.get("/operators/2/delete").await;
    page.shows(StatusCode::OK, &["Remove ziad ?", "stays in the audit log"]);
    let answer = rania.post("/operators/2/delete", &[]).await;
    assert_eq!(answer.flash(), "ziad is removed.");
    assert_eq!(ziad.get("/").await.status, StatusCode::SEE_OTHER);
    assert!(!knows_password(&test, "ziad", PASSWORD).await);
    for path in ["/operators/2", "/operators/2/delete"] {
        assert_eq!(rania.get(path).await.status, StatusCode::NOT_FOUND);
    }
    let audit = rania.get("/audit").await;
    audit.shows(StatusCode::OK, &["removed", "ziad"]);
}

#[tokio::test]
async fn a_reset_password_signs_out_and_keeps_the_second_factor() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let (rania, ziad) = (test.sign_in().await, test.sign_in_as("ziad").await);
    super::second_factor::enrol(&ziad, crate::web::testing::NOW).await;
    let fields = [("password", NEW), ("password_again", NEW)];
    let answer = rania.post("/operators/2/password", &fields).await;
    assert_eq!(answer.header("location"), "/operators/2");
    assert_eq!(ziad.get("/").await.status, StatusCode::SEE_OTHER);
    let browser = visitor(&test).await;
    let answer = try_password(&browser, "ziad", NEW, "").await;
    assert!(answer.header("location").starts_with("/login/code"));
    let page = rania.get("/operators/2").await;
    page.shows(StatusCode::OK, &["On since", "10 recovery codes left"]);
}

#[tokio::test]
async fn browsers_of_others_are_signed_out_one_by_one_or_all() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let rania = test.sign_in().await;
    let (one, two, three) = (
        test.sign_in_as("ziad").await,
        test.sign_in_as("ziad").await,
        test.sign_in_as("ziad").await,
    );
    let page = rania.get("/operators/2").await;
    page.shows(StatusCode::OK, &["Firefox on Linux", &revoke_path(2, &one)]);
    assert!(!page.body.contains(&one.token));
    let answer = rania.post(&revoke_path(2, &one), &[]).await;
    assert_eq!(answer.header("location"), "/operators/2");
    assert_eq!(one.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(two.get("/").await.status, StatusCode::OK);
    // A browser of somebody else is not found under this name.
    let wrong = rania.post(&revoke_path(1, &two), &[]).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    let answer = rania.post("/operators/2/sign-out", &[]).await;
    assert_eq!(answer.flash(), "2 browsers were signed out.");
    for browser in [&two, &three] {
        assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(rania.get("/").await.status, StatusCode::OK);
}
