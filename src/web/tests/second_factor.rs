//! The second factor: setting it up, the second step of signing in, recovery codes, and what happens without a phone.

use axum::http::StatusCode;

use super::signing_in::{try_password, visitor};
use crate::crypto::totp::FactorSecret;
use crate::domain::operator::Role;
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::operations::operators::RECOVERY_CODES;
use crate::store::FILE_NAME;
use crate::web::cookies::{CODE, SESSION, VISITOR};
use crate::web::testing::{Answer, Browser, NOW, PASSWORD, TestApp};

const PATH: &str = "/account/second-factor";

/// The secret that a page offers to a phone.
fn offered(page: &Answer) -> FactorSecret {
    let (_, rest) = page.body.split_once("name=\"secret\" value=\"").unwrap();
    FactorSecret::from_base32(rest.split('"').next().unwrap()).unwrap()
}

fn code_at(secret: &FactorSecret, at: Timestamp) -> String {
    secret.code_at(at.seconds()).unwrap()
}

fn recovery_codes(page: &Answer) -> Vec<String> {
    let (_, rest) = page.body.split_once("<pre id=\"recovery-codes\"").unwrap();
    let text = rest.split('>').nth(1).unwrap().split('<').next().unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Sets the second factor up as a person would.
pub(super) async fn enrol(browser: &Browser<'_>, now: Timestamp) -> (FactorSecret, Vec<String>) {
    let page = browser.get(PATH).await;
    page.shows(StatusCode::OK, &["Scan this", "<path d=\"M4 4h7"]);
    let secret = offered(&page);
    let base32 = secret.base32();
    let groups: Vec<&str> = (0..8).map(|n| &base32.expose()[4 * n..4 * n + 4]).collect();
    assert!(page.text().contains(&groups.join(" ")));
    let fields = [
        ("secret", base32.expose().as_str()),
        ("present", PASSWORD),
        ("code", &code_at(&secret, now)),
    ];
    let page = browser.post(PATH, &fields).await;
    page.shows(StatusCode::OK, &["Recovery codes", "only time"]);
    let codes = recovery_codes(&page);
    assert_eq!(codes.len(), RECOVERY_CODES);
    (secret, codes)
}

/// The password was right: a browser that owes the code.
async fn owing<'a>(test: &'a TestApp, name: &str, next: &str) -> Browser<'a> {
    let browser = visitor(test).await;
    let answer = try_password(&browser, name, PASSWORD, next).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(
        answer.cookie(SESSION).is_empty(),
        "in without a code: {}",
        answer.header("location")
    );
    let cookie = answer.cookie(CODE);
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=300"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let both = format!("{}; {CODE}={}", browser.cookie, answer.cookie_value(CODE));
    assert!(answer.header("location").starts_with("/login/code"));
    test.browser(both, &browser.csrf)
}

async fn send_code(browser: &Browser<'_>, code: &str) -> Answer {
    let fields = [("code", code), ("next", "/plans")];
    browser.post("/login/code", &fields).await
}

async fn is_in(test: &TestApp, answer: &Answer) -> bool {
    let cookie = format!("{SESSION}={}", answer.cookie_value(SESSION));
    let page = test.browser(cookie, "").get("/account/logins").await;
    page.status == StatusCode::OK
}

#[tokio::test]
async fn a_phone_is_asked_after_the_password_and_no_code_works_twice() {
    let test = TestApp::start().await;
    let (first, other) = (test.sign_in().await, test.sign_in().await);
    let (secret, _) = enrol(&first, NOW).await;
    assert_eq!(
        other.get("/").await.status,
        StatusCode::SEE_OTHER,
        "other browsers are signed out"
    );
    first
        .get(PATH)
        .await
        .shows(StatusCode::OK, &["On since", "10"]);

    // The code that switched it on is used up; that of the next step is not.
    let browser = owing(&test, "rania", "/plans").await;
    let page = browser.get("/login/code?next=/plans").await;
    page.shows(StatusCode::OK, &["six digits", "value=\"/plans\""]);
    let answer = send_code(&browser, &code_at(&secret, NOW)).await;
    answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["was used already"]);
    let answer = send_code(&browser, "000000").await;
    answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["Wrong code"]);
    let next = code_at(&secret, NOW.plus(30 * SECOND));
    let spaced = format!("{} {}", &next[..3], &next[3..]);
    let answer = send_code(&browser, &spaced).await;
    assert_eq!(answer.header("location"), "/plans");
    assert!(is_in(&test, &answer).await);
    for name in [CODE, VISITOR] {
        assert!(answer.cookie(name).contains("Max-Age=0"), "{name}");
    }
    // The same code of the same phone lets nobody else in.
    let thief = owing(&test, "rania", "").await;
    let answer = send_code(&thief, &next).await;
    answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["was used already"]);
    assert!(answer.cookie(SESSION).is_empty());
}

#[tokio::test]
async fn of_two_who_send_a_code_at_once_one_gets_in() {
    let test = TestApp::start().await;
    let (secret, recovery) = enrol(&test.sign_in().await, NOW).await;
    for code in [code_at(&secret, NOW.plus(30 * SECOND)), recovery[3].clone()] {
        let (one, two) = (
            owing(&test, "rania", "").await,
            owing(&test, "rania", "").await,
        );
        let (one, two) = tokio::join!(send_code(&one, &code), send_code(&two, &code));
        let entered = [&one, &two]
            .iter()
            .filter(|answer| !answer.cookie(SESSION).is_empty())
            .count();
        assert_eq!(entered, 1, "{} {}", one.text(), two.text());
    }
}

#[tokio::test]
async fn nothing_tells_of_a_code_before_the_password_is_right() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    enrol(&test.sign_in().await, NOW).await;
    let browser = visitor(&test).await;
    let mut said = Vec::new();
    for name in ["rania", "ziad", "nobody"] {
        let answer = try_password(&browser, name, "wrong horse", "").await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[]);
        assert!(answer.cookie(CODE).is_empty());
        said.push(answer.body.replace(name, "NAME"));
    }
    assert!(said.iter().all(|page| *page == said[0]));
    let answer = browser.get("/login/code").await;
    assert_eq!(answer.header("location"), "/login");
    let answer = send_code(&browser, "123456").await;
    assert_eq!(answer.header("location"), "/login");
}

#[tokio::test]
async fn the_second_step_ends_after_minutes_and_with_the_password() {
    let test = TestApp::start().await;
    test.operator("omar", Role::Administrator).await;
    let (secret, _) = enrol(&test.sign_in().await, NOW).await;
    let slow = owing(&test, "rania", "").await;
    let late = NOW.plus(5 * MINUTE);
    test.app.clock.move_to(late);
    let answer = send_code(&slow, &code_at(&secret, late)).await;
    assert_eq!(answer.header("location"), "/login");
    assert!(answer.flash().contains("took too long"));

    let beaten = owing(&test, "rania", "").await;
    let fields = [
        ("password", "battery staple"),
        ("password_again", "battery staple"),
    ];
    let omar = test.sign_in_as("omar").await;
    let answer = omar.post("/operators/1/password", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = send_code(&beaten, &code_at(&secret, late)).await;
    assert_eq!(answer.header("location"), "/login");
}

#[tokio::test]
async fn codes_cannot_be_tried_fast() {
    let test = TestApp::start().await;
    let (secret, _) = enrol(&test.sign_in().await, NOW).await;
    let browser = owing(&test, "rania", "").await;
    for _ in 0..5 {
        let answer = send_code(&browser, "000000").await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["Wrong code"]);
    }
    let right = code_at(&secret, NOW.plus(30 * SECOND));
    let answer = send_code(&browser, &right).await;
    answer.shows(StatusCode::TOO_MANY_REQUESTS, &["Too many attempts"]);
    assert!(answer.cookie(SESSION).is_empty());
}

#[tokio::test]
async fn a_recovery_code_works_once_and_new_ones_end_the_old() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let (_, codes) = enrol(&browser, NOW).await;
    let owes = owing(&test, "rania", "").await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    assert!(is_in(&test, &send_code(&owes, &typed).await).await);
    let owes = owing(&test, "rania", "").await;
    let answer = send_code(&owes, &codes[0]).await;
    answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["Wrong code"]);
    browser.get(PATH).await.shows(StatusCode::OK, &["9"]);
    let audit = browser.get("/audit").await;
    audit.shows(
        StatusCode::OK,
        &["recovery code used", "second factor changed"],
    );

    let path = format!("{PATH}/recovery");
    let wrong = browser.post(&path, &[("present", "wrong horse")]).await;
    wrong.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["This is not your present password", "id=\"present-error\""],
    );
    let page = browser.post(&path, &[("present", PASSWORD)]).await;
    let fresh = recovery_codes(&page);
    let answer = send_code(&owes, &codes[1]).await;
    answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &["Wrong code"]);
    assert!(is_in(&test, &send_code(&owes, &fresh[9]).await).await);
}

#[tokio::test]
async fn it_is_set_up_with_the_password_and_a_right_code_only() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get(PATH).await;
    let secret = offered(&page);
    let base32 = secret.base32().expose().clone();
    let right = code_at(&secret, NOW);
    for (present, code, field) in [
        ("wrong horse", right.as_str(), "present"),
        (PASSWORD, "000000", "code"),
        (PASSWORD, "", "code"),
    ] {
        let fields = [
            ("secret", base32.as_str()),
            ("present", present),
            ("code", code),
        ];
        let page = browser.post(PATH, &fields).await;
        let error = format!("id=\"{field}-error\"");
        page.shows(StatusCode::UNPROCESSABLE_ENTITY, &[&error]);
        assert_eq!(offered(&page).octets(), secret.octets(), "the same secret");
    }
    let fields = [("secret", "GEZD"), ("present", PASSWORD), ("code", "1")];
    let answer = browser.post(PATH, &fields).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let login = owing_nothing(&test).await;
    assert!(!login.cookie(SESSION).is_empty());
}

async fn owing_nothing(test: &TestApp) -> Answer {
    let browser = visitor(test).await;
    try_password(&browser, "rania", PASSWORD, "").await
}

#[tokio::test]
async fn neither_secret_nor_codes_are_in_the_file() {
    let test = TestApp::start().await;
    let (secret, codes) = enrol(&test.sign_in().await, NOW).await;
    let file = std::fs::read(test.app.store.folder().join(FILE_NAME)).unwrap();
    let holds = |wanted: &[u8]| file.windows(wanted.len()).any(|window| window == wanted);
    assert!(!holds(secret.octets()) && !holds(secret.base32().expose().as_bytes()));
    for code in &codes {
        assert!(!holds(code.as_bytes()) && !holds(code.replace('-', "").as_bytes()));
    }
}

#[tokio::test]
async fn an_administrator_resets_the_factor_of_a_lost_phone() {
    let test = TestApp::start().await;
    test.operator("omar", Role::Administrator).await;
    let (rania, omar) = (test.sign_in().await, test.sign_in_as("omar").await);
    enrol(&rania, NOW).await;
    let own = rania.post("/operators/1/reset-second-factor", &[]).await;
    own.shows(StatusCode::CONFLICT, &["your own account"]);
    let answer = omar.post("/operators/1/reset-second-factor", &[]).await;
    assert_eq!(answer.header("location"), "/operators/1");
    assert_eq!(rania.get("/").await.status, StatusCode::SEE_OTHER);
    assert!(!owing_nothing(&test).await.cookie(SESSION).is_empty());
    let again = omar.post("/operators/1/reset-second-factor", &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn administrators_can_be_made_to_have_one() {
    let test = TestApp::start().await;
    test.operator("omar", Role::Administrator).await;
    test.operator("ziad", Role::Viewer).await;
    let rania = test.sign_in().await;
    let wish = [
        ("needs_factor", "on"),
        ("idle_hours", "12"),
        ("longest_days", "30"),
    ];
    let answer = rania.post("/settings/security", &wish).await;
    answer.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Set up your own second factor first"],
    );
    enrol(&rania, NOW).await;
    let answer = rania.post("/settings/security", &wish).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);

    // Whoever has none gets to nothing else, by any way.
    let omar = test.sign_in_as("omar").await;
    for path in ["/", "/subscribers", "/operators", "/account/password"] {
        assert_eq!(omar.get(path).await.header("location"), PATH, "{path}");
        assert_eq!(omar.htmx(path).await.header("hx-redirect"), PATH, "{path}");
    }
    let theft = [("name", "thief"), ("role", "administrator")];
    assert_eq!(
        omar.post("/operators", &theft).await.header("location"),
        PATH
    );
    omar.get(PATH).await.shows(
        StatusCode::OK,
        &["Administrators need a second factor here"],
    );
    enrol(&omar, NOW).await;
    assert_eq!(omar.get("/").await.status, StatusCode::OK);
    // It cannot be switched off any more, and viewers are free to have none.
    let answer = omar
        .post(&format!("{PATH}/off"), &[("present", PASSWORD)])
        .await;
    answer.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Administrators need a second factor"],
    );
    let ziad = test.sign_in_as("ziad").await;
    assert_eq!(ziad.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_can_be_switched_off_with_the_password() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    enrol(&browser, NOW).await;
    let path = format!("{PATH}/off");
    let page = browser.post(&path, &[("present", "wrong horse")]).await;
    page.shows(StatusCode::UNPROCESSABLE_ENTITY, &["id=\"present-error\""]);
    let answer = browser.post(&path, &[("present", PASSWORD)]).await;
    assert_eq!(answer.header("location"), PATH);
    assert!(!owing_nothing(&test).await.cookie(SESSION).is_empty());
}
