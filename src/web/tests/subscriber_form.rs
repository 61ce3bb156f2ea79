//! The form of a subscriber: what is typed is saved, what is wrong is told beside its field.

use axum::http::StatusCode;

use super::isp::{SUBSCRIBER, furnish, stored, taken, with};
use crate::domain::subscriber::MacMode;
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

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
        ("extra_check", "nas-port-type=ethernet\r\n\r\n"),
        ("extra_reply", "Framed-Route := \"10.1.0.0/24 0.0.0.0 1\""),
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
    form.shows(OK, &["NAS-Port-Type = ethernet"]);
    form.shows(OK, &["Framed-Route = 10.1.0.0/24 0.0.0.0 1"]);
    assert_eq!(saved.extras.check[0].octets, [61, 6, 0, 0, 0, 15]);
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
        (
            "extra_check",
            "User-Name = ali\nUser-Password = x",
            "Line 2: User-Password cannot stand here",
        ),
        (
            "extra_reply",
            "Class = x",
            "Line 1: Class cannot stand here",
        ),
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
