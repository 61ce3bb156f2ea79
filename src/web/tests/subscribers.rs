//! Subscribers: list, page, and the buttons. The form is in `subscriber_form`.

use axum::http::StatusCode;

use super::isp::{self, SUBSCRIBER, account, attempt, furnish, no_pages, stored, taken, with};
use crate::domain::access::Reason;
use crate::domain::operator::Role;
use crate::domain::session::RecordKind;
use crate::domain::time::{DAY, MINUTE};
use crate::web::testing::{NOW, TestApp};

const OK: StatusCode = StatusCode::OK;

#[tokio::test]
async fn the_list_filters_sorts_and_pages() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/subscribers")
        .await
        .shows(OK, &["Add the first subscriber"]);
    furnish(&browser).await;
    for (name, expires) in [
        ("bashir", "2027-01-16"),
        ("carla", "2027-01-10"),
        ("dina", "2028-01-01"),
    ] {
        let fields = with(&SUBSCRIBER, &[("user_name", name), ("expires", expires)]);
        taken(&browser, "/subscribers", &fields).await;
    }
    taken(&browser, "/subscribers/4/suspend", &[]).await;
    account(&test.app, "ali", Some(1), RecordKind::Start, 2_000_000_000);
    let names = async |query: &str| {
        let page = browser.get(&format!("/subscribers{query}")).await;
        assert_eq!(page.status, OK);
        let links = page
            .body
            .split("<a class=\"strong\" href=\"/subscribers/")
            .skip(1);
        let name = |link: &str| {
            link.split("<bdi>")
                .nth(1)
                .unwrap()
                .split('<')
                .next()
                .unwrap()
                .to_owned()
        };
        links.map(name).collect::<Vec<_>>().join(" ")
    };
    for (query, found) in [
        ("", "ali bashir carla dina"),
        ("?sort=-user", "dina carla bashir ali"),
        ("?sort=expiry", "carla bashir dina ali"),
        ("?state=active", "ali"),
        ("?state=expiring", "bashir"),
        ("?state=expired", "carla"),
        ("?state=disabled", "dina"),
        ("?presence=online", "ali"),
        ("?presence=offline", "bashir carla dina"),
        ("?plan=1", "ali bashir carla dina"),
        ("?plan=7", ""),
        ("?page=2", ""),
        ("?plan=x&state=y&page=0&size=1", "ali bashir carla dina"),
    ] {
        assert_eq!(names(query).await, found, "{query}");
    }
    let page = browser.get("/subscribers?state=expired&sort=-user").await;
    page.shows(
        OK,
        &[
            "state expired",
            "1 to 1 of 1",
            "href=\"/subscribers?sort=-user\"",
        ],
    );
    browser
        .get("/subscribers?presence=online")
        .await
        .shows(OK, &["2.2 GB", "علي حسن"]);
    let part = browser.htmx("/subscribers?q=&state=expired&plan=").await;
    assert!(!part.body.contains("<html") && part.body.contains("carla"));
    assert_eq!(part.header("hx-push-url"), "/subscribers?state=expired");
    let same = browser.htmx("/subscribers?state=expired").await;
    assert_eq!(
        same.header("hx-push-url"),
        "",
        "refreshing leaves the browser's history alone"
    );
}

#[tokio::test]
async fn the_page_of_one_explains_and_shows_everything() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser
        .get("/subscribers/1")
        .await
        .shows(OK, &["Never online", "No traffic yet", "No session yet"]);
    attempt(
        &test.app,
        "ALI",
        None,
        Some(Reason::WrongPassword),
        NOW.plus(-3 * MINUTE),
    );
    browser.get("/subscribers/1").await.shows(
        OK,
        &[
            "Rejected 3 min ago: wrong password",
            "href=\"/subscribers/1/edit\">Set the password",
            "Tower North",
            "MS-CHAPv2",
        ],
    );
    account(
        &test.app,
        "ali",
        Some(1),
        RecordKind::Interim,
        3_000_000_000,
    );
    let page = browser.get("/subscribers/1").await;
    page.shows(
        OK,
        &[
            "Online at 20 Mbit/s down, 5 Mbit/s up",
            "10.64.0.7",
            "02:00:00:00:00:01",
            "3.3 GB",
            "Usage per day over 30 days",
            "created",
        ],
    );
    let session = isp::open_session(&test.app, 1);
    page.shows(OK, &[&format!("/sessions/{session}/disconnect")]);
    account(
        &test.app,
        "ali",
        Some(1),
        RecordKind::Stop { cause: 2 },
        3_000_000_000,
    );
    browser
        .htmx("/subscribers/1/sessions")
        .await
        .shows(OK, &["Line lost", "href=\"/sessions?subscriber=1\""]);
    browser
        .get("/subscribers/1")
        .await
        .shows(OK, &["Offline for 1 min"]);
    let own = with(
        &SUBSCRIBER,
        &[
            ("download_kbps", "1M"),
            ("upload_kbps", "1M"),
            ("mac_mode", "fixed"),
            ("macs", "02:00:00:00:00:09"),
            ("only_nas", "1"),
        ],
    );
    taken(&browser, "/subscribers/1/edit", &own).await;
    account(&test.app, "ali2", Some(1), RecordKind::Start, 0);
    browser.get("/subscribers/1").await.shows(
        OK,
        &[
            "Slower than the plan Home 20",
            "subscriber&#39;s own speed: 1 Mbit/s down",
            "02:00:00:00:00:09",
            "Only through",
        ],
    );
}

#[tokio::test]
async fn buttons_do_what_they_say_and_each_look_at_a_password_is_written_down() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let answer = browser.post("/subscribers/1/disconnect", &[]).await;
    assert_eq!(answer.flash(), "No session is open.");
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    let answer = browser.post("/subscribers/1/disconnect", &[]).await;
    assert_eq!(answer.flash(), "The router was asked to end the session.");
    let session = isp::open_session(&test.app, 1);
    let answer = browser
        .htmx_post(&format!("/sessions/{session}/disconnect"), &[])
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("hx-trigger").contains("asked to end"));
    assert_eq!(
        taken(&browser, "/subscribers/1/suspend", &[]).await,
        "/subscribers/1"
    );
    browser
        .get("/subscribers/1")
        .await
        .shows(OK, &["Disabled", "Enable"]);
    assert_eq!(
        taken(&browser, "/subscribers/1/enable", &[]).await,
        "/subscribers/1"
    );
    taken(
        &browser,
        "/subscribers/1/edit",
        &with(&SUBSCRIBER, &[("macs", "02:00:00:00:00:09")]),
    )
    .await;
    taken(&browser, "/subscribers/1/forget-mac", &[]).await;
    assert!(stored(&test, 1).unwrap().macs.is_empty());
    let shown = browser.htmx_post("/subscribers/1/password", &[]).await;
    shown.shows(OK, &["pass of ali"]);
    assert!(!shown.body.contains("<html"));
    assert_eq!(shown.header("cache-control"), "no-store");
    let page = browser.get("/audit").await;
    page.shows(
        OK,
        &[
            "password shown",
            "disconnected",
            "suspended",
            "enabled",
            "MAC addresses forgotten",
        ],
    );
    assert!(!page.body.contains("pass of ali"));
}

#[tokio::test]
async fn learned_devices_of_a_whole_list_are_forgotten_after_a_question() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    for (name, mode) in [("bashir", "learn"), ("carla", "learn"), ("dina", "fixed")] {
        let fields = [
            ("user_name", name),
            ("mac_mode", mode),
            ("mac_learn", "1"),
            ("macs", "02:00:00:00:00:09"),
        ];
        taken(&browser, "/subscribers", &with(&SUBSCRIBER, &fields)).await;
    }
    taken(&browser, "/subscribers/3/suspend", &[]).await;
    let list = browser.get("/subscribers?state=disabled&sort=-user").await;
    let link = "/subscribers/forget-macs?state=disabled";
    list.shows(OK, &[&format!("href=\"{link}\"")]);
    let question = browser.get(link).await;
    question.shows(
        OK,
        &["1 of them have learned MAC addresses", "state disabled"],
    );
    let known = || [2, 3, 4].map(|id| stored(&test, id).unwrap().macs.len());
    assert_eq!(known(), [1, 1, 1], "nobody has pressed yet");
    let path = "/subscribers/forget-macs";
    let done = browser.post(path, &[("state", "disabled")]).await;
    assert_eq!(done.header("location"), "/subscribers?state=disabled");
    let told = "The learned MAC addresses of one subscriber are forgotten.";
    assert_eq!((done.flash().as_str(), known()), (told, [1, 0, 1]));
    let none = browser.get(link).await;
    none.shows(OK, &["None of them has a learned MAC address"]);
    taken(&browser, path, &[]).await;
    assert_eq!(known(), [0, 0, 1]);
    // The days after which it happens by itself.
    let after = "/subscribers/forget-macs-after";
    for wrong in ["0", "3651", "soon"] {
        let answer = browser.post(after, &[("days", wrong)]).await;
        let words = ["A whole number from 1 to 3650", wrong];
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &words);
    }
    let fields = [("days", "3650"), ("state", "disabled")];
    assert_eq!(taken(&browser, after, &fields).await, link);
    browser.get(path).await.shows(OK, &["value=\"3650\""]);
    assert_eq!(taken(&browser, after, &[("days", "")]).await, path);
    assert_eq!(test.app.settings().forget_macs_after, None);
}

#[tokio::test]
async fn a_new_login_is_offered_planned_and_cancelled() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let label = "What needs a new login";
    let form = browser.get("/subscribers/1/edit").await;
    assert!(!form.body.contains(label), "nobody is online");
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    let form = browser.get("/subscribers/1/edit").await;
    form.shows(OK, &[label, "Disconnect tonight at 04:00"]);
    let with = |when| {
        let fields = [("static_address", "10.0.0.9"), ("reconnect", when)];
        with(&SUBSCRIBER, &fields)
    };
    let wrong = browser.post("/subscribers/1/edit", &with("soon")).await;
    wrong.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Choose one of the list"],
    );
    taken(&browser, "/subscribers/1/edit", &with("tonight")).await;
    let (planned, when) = ("A new login is planned", "04:00, so that the next login");
    let page = browser.get("/subscribers/1").await;
    page.shows(OK, &[planned, when, "/subscribers/1/cancel-new-login"]);
    let path = "/subscribers/1/cancel-new-login";
    let done = browser.post(path, &[]).await;
    assert_eq!(done.header("location"), "/subscribers/1");
    let told = "The session goes on; the change waits for the next login.";
    assert_eq!(done.flash(), told);
    let page = browser.get("/subscribers/1").await;
    assert!(!page.body.contains(planned));
    let again = browser.post(path, &[]).await;
    assert_eq!(again.flash(), "Nothing is planned any more.");
}

#[tokio::test]
async fn deleting_asks_first_and_says_what_stays() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    browser.get("/subscribers/1/delete").await.shows(
        OK,
        &[
            "Delete ali ?",
            "The open session is ended",
            "stay in the history",
        ],
    );
    assert_eq!(
        taken(&browser, "/subscribers/1/delete", &[]).await,
        "/subscribers"
    );
    assert!(stored(&test, 1).is_none());
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    no_pages(
        &browser,
        &[
            "/subscribers/7",
            "/subscribers/7/edit",
            "/subscribers/7/delete",
            "/subscribers/7/sessions",
            "/subscribers/x",
            "/subscribers/99999999999",
        ],
    )
    .await;
    for verb in [
        "edit",
        "delete",
        "disconnect",
        "suspend",
        "enable",
        "forget-mac",
        "password",
    ] {
        let answer = browser
            .post(&format!("/subscribers/7/{verb}"), &SUBSCRIBER)
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{verb}");
    }
    assert_eq!(
        browser.post("/sessions/7/disconnect", &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let test = TestApp::start().await;
    furnish(&test.sign_in().await).await;
    account(&test.app, "ali", Some(1), RecordKind::Start, 1);
    test.operator("nada", Role::Viewer).await;
    let viewer = test.sign_in_as("nada").await;
    for path in [
        "/subscribers",
        "/subscribers/1",
        "/online",
        "/plans",
        "/nas",
        "/nas/1",
    ] {
        let page = viewer.get(path).await;
        page.shows(OK, &[]);
        for button in [
            "/new\"",
            "/edit\"><svg",
            "/delete\"",
            "/disconnect\"",
            "Show password",
        ] {
            assert!(!page.body.contains(button), "{path} offers {button}");
        }
    }
    let session = format!("/sessions/{}/disconnect", isp::open_session(&test.app, 1));
    for path in [
        "/subscribers",
        "/subscribers/1/edit",
        "/subscribers/1/password",
        "/subscribers/1/delete",
        "/plans",
        "/plans/1/edit",
        "/plans/1/delete",
        "/nas",
        "/nas/1/edit",
        "/nas/1/delete",
        &session,
    ] {
        let answer = viewer.post(path, &SUBSCRIBER).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.body.contains("pass of ali"), "{path}");
    }
}

#[tokio::test]
async fn names_are_text_wherever_they_stand() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let evil = "<script>alert(1)</script>\"'";
    taken(
        &browser,
        "/plans",
        &with(
            &isp::PLAN,
            &[("name", evil), ("on_expiry", "reject"), ("pool", evil)],
        ),
    )
    .await;
    taken(&browser, "/nas", &with(&isp::NAS, &[("name", evil)])).await;
    let fields = with(
        &SUBSCRIBER,
        &[
            ("user_name", "<script>alert(1)</script>"),
            ("full_name", evil),
            ("notes", evil),
            ("phone", "<script>"),
            ("address", evil),
        ],
    );
    taken(&browser, "/subscribers", &fields).await;
    attempt(
        &test.app,
        evil,
        None,
        Some(Reason::UnknownUser),
        NOW.plus(-DAY),
    );
    account(&test.app, evil, Some(1), RecordKind::Start, 1);
    test.app.sightings.note(
        [10, 9, 9, 9].into(),
        Some(evil.as_bytes()),
        Some(evil.as_bytes()),
        NOW,
    );
    for path in [
        "/subscribers",
        "/subscribers/1",
        "/subscribers/1/edit",
        "/subscribers/1/delete",
        "/plans",
        "/plans/1/edit",
        "/plans/1/delete",
        "/nas",
        "/nas/1",
        "/nas/1/edit",
        "/nas/1/delete",
        "/online",
        "/auth-log",
        "/audit",
        "/search?q=%3Cscript%3Ealert",
        "/subscribers?q=%22%3E%3Cscript%3E",
        "/auth-log?q=%3Cscript%3E&from=%3Cscript%3E",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, OK, "{path}");
        assert!(!page.body.contains("<script>"), "{path}");
        assert!(!page.body.contains("\"'"), "{path}");
    }
}
