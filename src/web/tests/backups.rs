//! The page of backups: made, tested, taken away, brought back, restored.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};

use crate::app::BackupWish;
use crate::domain::backup::Trigger;
use crate::domain::operator::Role;
use crate::operations::{backups, blocking};
use crate::web::testing::{Browser, TestApp};

const OK: StatusCode = StatusCode::OK;
const PATH: &str = "/settings/backups";
const UPLOAD: &str = "/settings/backups/upload";
const WORDS: &str = "four words make one";

async fn with_passphrase(browser: &Browser<'_>) {
    let path = format!("{PATH}/passphrase");
    let answer = browser
        .post(&path, &[("passphrase", WORDS), ("passphrase_again", WORDS)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

/// What the job does when it is rung for.
async fn make(test: &TestApp) -> String {
    let app = Arc::clone(&test.app);
    let made = blocking(move || backups::create(&app, Trigger::Schedule)).await;
    made.unwrap().unwrap().name
}

#[tokio::test]
async fn the_first_passphrase_the_schedule_and_the_first_backup() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get(PATH).await;
    page.shows(
        OK,
        &[
            "No backup can be made before you set a passphrase",
            "There is no backup yet.",
            "No backup is made by itself.",
        ],
    );
    assert!(!page.body.contains("Back up now"));
    let path = format!("{PATH}/passphrase");
    for (one, other, problem) in [
        (WORDS, "four words make two", "The two passphrases differ"),
        ("short", "short", "12 to 200 characters"),
    ] {
        let answer = browser
            .post(&path, &[("passphrase", one), ("passphrase_again", other)])
            .await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
        assert!(
            !answer.body.contains(one),
            "what was typed does not come back"
        );
    }
    let schedule = [
        ("every", "week"),
        ("weekday", "5"),
        ("day", "1"),
        ("hour", "3"),
        ("keep_days", "7"),
        ("keep_weeks", "4"),
        ("keep_months", "6"),
    ];
    let early = browser.post(PATH, &schedule).await;
    early.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Set a passphrase first"],
    );
    with_passphrase(&browser).await;
    let saved = browser.post(PATH, &schedule).await;
    assert_eq!(saved.flash(), "Saved.");
    // 2027-01-15 is a Friday.
    let page = browser.get(PATH).await;
    page.shows(OK, &["The next one: 2027-01-22 03:00", "Back up now"]);
    for (field, value, problem) in [
        ("every", "hour", "Choose one of the list"),
        ("weekday", "8", "A whole number from 1 to 7"),
        ("hour", "24", "A whole number from 0 to 23"),
        ("keep_days", "367", "A whole number from 0 to 366"),
    ] {
        let mut wrong = schedule;
        if let Some(place) = wrong.iter_mut().find(|(name, _)| *name == field) {
            place.1 = value;
        }
        let answer = browser.post(PATH, &wrong).await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }

    let entry = test.app.jobs.entry(backups::JOB);
    let begun = browser.post(&format!("{PATH}/create"), &[]).await;
    assert_eq!(begun.flash(), "The backup has begun.");
    entry.rung().await;
    let twice = browser.post(&format!("{PATH}/create"), &[]).await;
    twice.shows(StatusCode::CONFLICT, &["already"]);
    assert!(matches!(
        test.app.backups.take_wish(),
        Some(BackupWish::Create)
    ));
    let name = make(&test).await;
    assert_eq!(name, "backup_2027-01-15_08-00-00.enc");
    let part = browser.htmx(PATH).await;
    part.shows(OK, &[&name, "Proven", "Schedule", "0 subscribers"]);
    assert!(!part.body.contains("<html"));
    let audit = browser.get("/audit").await;
    audit.shows(OK, &["backups", "passphrase", "weekly 5 3"]);
    assert!(!audit.body.contains(WORDS));
    let home = browser.get("/").await;
    home.shows(OK, &["Last backup", "Last restore test"]);
}

#[tokio::test]
async fn a_backup_is_taken_away_brought_back_and_restored() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    with_passphrase(&browser).await;
    let name = make(&test).await;
    let href = format!("{PATH}/{name}");
    let request = browser.request(Method::GET, &href, &[]);
    let (headers, taken) = test.octets(request.body(Body::empty()).unwrap()).await;
    let file = std::fs::read(test.app.config.backup.folder.join(&name)).unwrap();
    assert!(taken == file, "octet for octet");
    assert_eq!(
        headers[header::CONTENT_DISPOSITION],
        format!("attachment; filename=\"{name}\"").as_str()
    );
    browser
        .get("/audit")
        .await
        .shows(OK, &["backup downloaded", &name]);

    let deleted = browser.post(&format!("{href}/delete"), &[]).await;
    assert_eq!(deleted.flash(), format!("{name} is deleted."));
    assert_eq!(browser.get(&href).await.status, StatusCode::NOT_FOUND);
    let mut foreign = browser.file(UPLOAD, &browser.csrf, &name, &file);
    let site = header::HeaderName::from_static("sec-fetch-site");
    let headers = foreign.headers_mut();
    headers.insert(site, header::HeaderValue::from_static("cross-site"));
    assert_eq!(test.send(foreign).await.status, StatusCode::FORBIDDEN);
    for (csrf, content, status) in [
        ("wrong", &file[..], StatusCode::FORBIDDEN),
        (&browser.csrf, b"no backup", StatusCode::CONFLICT),
        (&browser.csrf, &file[..], StatusCode::SEE_OTHER),
        (&browser.csrf, &file[..], StatusCode::CONFLICT),
    ] {
        let answer = test.send(browser.file(UPLOAD, csrf, &name, content)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    browser.get(PATH).await.shows(OK, &[&name, "Not made here"]);
    let path = test.app.config.backup.folder.join(&name);
    assert!(std::fs::read(path).unwrap() == file);

    let ask = browser.get(&format!("{href}/restore")).await;
    ask.shows(OK, &["Restore and start anew", &name]);
    let path = format!("{href}/restore");
    let begun = browser.post(&path, &[("typed", WORDS)]).await;
    assert!(begun.flash().starts_with("The restore has begun."));
    match test.app.backups.take_wish() {
        Some(BackupWish::Restore {
            name: wished,
            typed,
            actor,
        }) => {
            assert_eq!((wished, actor.name()), (name.clone(), "rania".to_owned()));
            assert_eq!(typed.unwrap().expose(), WORDS);
        }
        _ => panic!("another wish"),
    }
    browser.post(&path, &[("typed", "")]).await;
    let wish = test.app.backups.take_wish();
    assert!(matches!(
        wish,
        Some(BackupWish::Restore { typed: None, .. })
    ));
}

#[tokio::test]
async fn those_who_may_only_look_take_nothing_away() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    with_passphrase(&browser).await;
    let name = make(&test).await;
    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get(PATH).await;
    page.shows(OK, &[&name, "Proven"]);
    for offered in ["Download", "Back up now", "Set passphrase", "Delete"] {
        assert!(!page.body.contains(offered), "{offered}");
    }
    let href = format!("{PATH}/{name}");
    assert_eq!(viewer.get(&href).await.status, StatusCode::FORBIDDEN);
    for what in [
        format!("{PATH}/create"),
        format!("{PATH}/cancel"),
        format!("{PATH}/passphrase"),
        PATH.to_owned(),
        format!("{href}/test"),
        format!("{href}/restore"),
        format!("{href}/delete"),
    ] {
        let refused = viewer.post(&what, &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{what}");
    }
    let answer = test
        .send(viewer.file(UPLOAD, &viewer.csrf, "a.enc", b"x"))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Names that lead elsewhere are no backups.
    for name in ["..%2Fsecret.key", "secret.key", ".enc"] {
        let answer = browser.get(&format!("{PATH}/{name}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
}

/// The form of the other machine, filled in well.
const PLACE: [(&str, &str); 8] = [
    ("protocol", "sftp"),
    ("host", "backup.example"),
    ("port", ""),
    ("server_user", "isp"),
    ("server_password", "pass-of-the-server"),
    ("folder", "isp"),
    ("keep_there", "14"),
    ("identity", ""),
];

fn with(field: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut form = PLACE.to_vec();
    for place in &mut form {
        if place.0 == field {
            place.1 = value;
        }
    }
    form
}

#[tokio::test]
async fn the_other_machine_is_chosen_and_its_password_is_never_shown() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get(PATH)
        .await
        .shows(OK, &["Backups stay on this machine", "Nowhere"]);
    let path = format!("{PATH}/destination");
    for (field, value, problem) in [
        ("protocol", "scp", "Choose one of the list"),
        ("host", "back up", "A name or an address"),
        ("port", "0", "A whole number from 1 to 65535"),
        ("port", "65536", "A whole number from 1 to 65535"),
        ("server_user", " ", "A user name is needed"),
        (
            "server_password",
            "",
            "one is kept only for the same server",
        ),
        ("folder", "../etc", "A folder such as"),
        ("keep_there", "367", "A whole number from 0 to 366"),
        (
            "identity",
            "SHA256:short",
            "The fingerprint of the host key",
        ),
    ] {
        let answer = browser.post(&path, &with(field, value)).await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
        assert!(
            answer.body.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
        assert!(!answer.body.contains("pass-of-the-server"));
        // What was typed into the other fields stays, and so does the form of the schedule.
        assert!(
            answer.body.contains("value=\"isp\"") && answer.body.contains("backup"),
            "{field}"
        );
        assert!(
            answer
                .body
                .contains("id=\"keep_weeks\" name=\"keep_weeks\" type=\"text\" value=\"4\"")
        );
    }
    let saved = browser.post(&path, &PLACE).await;
    assert_eq!(saved.flash(), "Saved. Test it now.");
    let page = browser.get(PATH).await;
    page.shows(OK, &["sftp://isp@backup.example:22/isp", "Test"]);
    assert!(!page.body.contains("FTP encrypts nothing"));
    let saved = browser.post(&path, &with("server_password", "")).await;
    assert_eq!(saved.flash(), "Saved. Test it now.", "kept");
    browser.post(&path, &with("protocol", "ftp")).await;
    let page = browser.get(PATH).await;
    page.shows(
        OK,
        &["FTP encrypts nothing", "ftp://isp@backup.example:21/isp"],
    );

    let trust = format!("{path}/trust");
    let pin = "ab".repeat(32);
    browser.post(&path, &with("protocol", "ftps")).await;
    let refused = browser.post(&trust, &[("shown", "my friend")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let trusted = browser.post(&trust, &[("shown", &pin)]).await;
    assert!(trusted.flash().starts_with("This server is trusted"));
    let page = browser.get(PATH).await;
    page.shows(OK, &[&format!("value=\"{pin}\"")]);
    let audit = browser.get("/audit").await;
    audit.shows(
        OK,
        &[
            "sent to",
            "ftps://isp@backup.example:21/isp",
            "known by",
            &pin,
        ],
    );
    for page in [page, audit] {
        assert!(!page.body.contains("pass-of-the-server"));
    }

    let entry = test.app.jobs.entry(backups::JOB);
    let begun = browser.post(&format!("{PATH}/a.enc/send"), &[]).await;
    assert_eq!(begun.flash(), "a.enc is sent to the other machine.");
    entry.rung().await;
    let wish = test.app.backups.take_wish();
    assert!(matches!(wish, Some(BackupWish::Send { name }) if name == "a.enc"));
    let off = browser.post(&path, &[("protocol", "off")]).await;
    assert_eq!(off.flash(), "Saved. Backups stay on this machine.");
    let tested = browser.post(&format!("{path}/test"), &[]).await;
    tested.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Backups are not sent anywhere"],
    );
}
