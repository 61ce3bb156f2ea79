//! Subscribers: list, page, form, and the buttons.

use axum::http::StatusCode;

use super::isp::{self, SUBSCRIBER, account, attempt, furnish, taken, with};
use crate::domain::access::Reason;
use crate::domain::id::SubscriberId;
use crate::domain::operator::Role;
use crate::domain::session::RecordKind;
use crate::domain::subscriber::{MacMode, Subscriber};
use crate::domain::time::{DAY, MINUTE};
use crate::store::subscribers;
use crate::web::testing::{NOW, TestApp};

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

fn stored(test: &TestApp, id: u32) -> Option<Subscriber> {
    let view = test.app.store.view().unwrap();
    subscribers::get(&view, SubscriberId(id))
        .unwrap()
        .map(|stored| stored.subscriber)
}

#[tokio::test]
async fn a_new_subscriber_is_saved_with_everything_that_was_typed() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    assert_eq!(
        browser.get("/subscribers/new").await.header("location"),
        "/plans/new"
    );
    furnish(&browser).await;
    browser
        .get("/subscribers/new")
        .await
        .shows(OK, &["New subscriber", "Home 20", "Tower North"]);
    let fields = [
        ("user_name", " Zaid@home "),
        ("password", " kept as typed "),
        ("email", "z@example.net"),
        ("notes", "two\r\nlines"),
        ("expires", "2027-01-31"),
        ("max_sessions", "3"),
        ("on_limit", "reject_new"),
        ("mac_mode", "learn"),
        ("mac_learn", "16"),
        (
            "macs",
            "aabb.ccdd.eeff\r\n\r\nAA-BB-CC-DD-EE-FF\r\n1:2:3:4:5:6",
        ),
        ("static_address", "10.9.9.9"),
        ("only_nas", "1"),
        ("download_kbps", "4M"),
        ("upload_kbps", "1024"),
    ];
    let to = taken(&browser, "/subscribers", &with(&SUBSCRIBER, &fields)).await;
    assert_eq!(to, "/subscribers/2");
    let saved = stored(&test, 2).unwrap();
    assert_eq!(saved.username.as_str(), "Zaid@home");
    assert_eq!(saved.notes, "two\nlines");
    assert_eq!(saved.mac_mode, MacMode::Learn(16));
    assert_eq!(saved.macs.len(), 2);
    assert_eq!(saved.rate_override.unwrap().download_kbps, 4_000);
    let calendar = test.app.settings().calendar.clone();
    assert_eq!(
        calendar.last_day(saved.expires_at.unwrap()).to_string(),
        "2027-01-31"
    );
    // The form of the record holds the same again, but for the password.
    let form = browser.get("/subscribers/2/edit").await;
    for value in [
        "Zaid@home",
        "2027-01-31",
        "10.9.9.9",
        "4000",
        "1024",
        "z@example.net",
    ] {
        form.shows(OK, &[&format!("value=\"{value}\"")]);
    }
    assert!(!form.body.contains("kept as typed"));
    form.shows(OK, &["AA:BB:CC:DD:EE:FF\n01:02:03:04:05:06"]);
    let shown = browser.post("/subscribers/2/password", &[]).await;
    shown.shows(OK, &["<code class=\"password\"> kept as typed </code>"]);
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field_and_everything_is_kept() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let too_long = "x".repeat(5_000);
    let many = (0..17)
        .map(|n| format!("2:0:0:0:0:{n:x}"))
        .collect::<Vec<_>>()
        .join("\n");
    let cases = [
        ("user_name", "", "A user name is needed"),
        ("user_name", "a b", "No spaces or control characters"),
        ("user_name", "ALI", "Another subscriber has this user name"),
        ("password", "", "A password is needed"),
        ("full_name", &too_long[..121], "At most 120 characters"),
        ("phone", &too_long[..41], "At most 40 characters"),
        ("email", "nobody", "An address such as ali@example.net"),
        ("email", "@x", "An address such as ali@example.net"),
        ("address", &too_long[..251], "At most 250 characters"),
        ("notes", &too_long, "At most 4000 characters"),
        ("plan", "", "Choose a plan"),
        ("plan", "99", "This plan does not exist any more"),
        ("expires", "2027-02-29", "A date such as 2026-12-31"),
        ("max_sessions", "0", "A whole number from 1 to 100"),
        ("max_sessions", "101", "A whole number from 1 to 100"),
        ("on_limit", "explode", "Choose one of the list"),
        ("mac_mode", "maybe", "Choose one of the list"),
        (
            "macs",
            "02:00:00:00:00:01\nnonsense",
            "nonsense is not a MAC address",
        ),
        ("macs", &many, "At most 16 addresses"),
        (
            "static_address",
            "10.0.0",
            "An IPv4 address such as 10.0.0.25",
        ),
        (
            "static_address",
            "127.0.0.1",
            "Routers cannot give this address",
        ),
        (
            "static_address",
            "224.0.0.1",
            "Routers cannot give this address",
        ),
        (
            "static_address",
            "0.0.0.0",
            "Routers cannot give this address",
        ),
        ("only_nas", "99", "This NAS does not exist any more"),
        ("only_nas", "x", "Choose a NAS, or any"),
        ("download_kbps", "4M", "Both speeds, or neither"),
        ("upload_kbps", "fast", "A speed in kbit/s"),
        ("upload_kbps", "63", "Between 64 and 4294967 kbit/s"),
    ];
    for (field, value, problem) in cases {
        let fields = with(
            &SUBSCRIBER,
            &[
                ("user_name", "new.one"),
                ("phone", "kept 77"),
                (field, value),
            ],
        );
        let answer = browser.post("/subscribers", &fields).await;
        answer.shows(WRONG, &[problem]);
        let beside = match (field, value) {
            ("download_kbps", "4M") => "upload_kbps",
            _ => field,
        };
        assert!(
            answer.body.contains(&format!("id=\"{beside}-error\"")),
            "{field}: {value}"
        );
        if field != "phone" {
            assert!(answer.body.contains("kept 77"), "{field}: {value}");
        }
        assert!(
            !answer.body.contains("pass of ali"),
            "the password came back"
        );
    }
    for learn in ["", "0", "17"] {
        let fields = with(&SUBSCRIBER, &[("mac_mode", "learn"), ("mac_learn", learn)]);
        let answer = browser.post("/subscribers", &fields).await;
        answer.shows(
            WRONG,
            &["id=\"mac_learn-error\"", "A whole number from 1 to 16"],
        );
    }
    assert!(stored(&test, 2).is_none());
    // Several at once are all told.
    let fields = with(
        &SUBSCRIBER,
        &[("user_name", ""), ("plan", "x"), ("expires", "soon")],
    );
    browser
        .post("/subscribers", &fields)
        .await
        .shows(WRONG, &["3 fields need your attention."]);
}

#[tokio::test]
async fn a_static_address_belongs_to_one_subscriber() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let fixed = [("static_address", "10.9.9.9")];
    taken(&browser, "/subscribers/1/edit", &with(&SUBSCRIBER, &fixed)).await;
    let other = with(
        &SUBSCRIBER,
        &[("user_name", "omar"), ("static_address", "10.9.9.9")],
    );
    let answer = browser.post("/subscribers", &other).await;
    answer.shows(
        WRONG,
        &["id=\"static_address-error\"", "ali has this address"],
    );
    // Keeping one's own is no conflict.
    taken(&browser, "/subscribers/1/edit", &with(&SUBSCRIBER, &fixed)).await;
}

#[tokio::test]
async fn saving_keeps_what_was_not_touched() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(
        &browser,
        "/subscribers/1/edit",
        &with(&SUBSCRIBER, &[("expires", "2027-01-20")]),
    )
    .await;
    let before = stored(&test, 1).unwrap();
    let again = with(
        &SUBSCRIBER,
        &[("expires", "2027-01-20"), ("password", "-"), ("phone", "1")],
    );
    taken(&browser, "/subscribers/1/edit", &again).await;
    let after = stored(&test, 1).unwrap();
    assert_eq!(
        (after.expires_at, after.phone.as_str()),
        (before.expires_at, "1")
    );
    browser
        .post("/subscribers/1/password", &[])
        .await
        .shows(OK, &["pass of ali"]);
    // An unticked box suspends; the reason of a suspension survives an edit.
    taken(
        &browser,
        "/subscribers/1/suspend",
        &[("reason", "unpaid since May")],
    )
    .await;
    taken(
        &browser,
        "/subscribers/1/edit",
        &with(&again, &[("enabled", "-")]),
    )
    .await;
    browser
        .get("/subscribers/1")
        .await
        .shows(OK, &["suspended since", "unpaid since May"]);
}

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
    for path in [
        "/subscribers/7",
        "/subscribers/7/edit",
        "/subscribers/7/delete",
        "/subscribers/7/sessions",
        "/subscribers/x",
        "/subscribers/99999999999",
    ] {
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
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
