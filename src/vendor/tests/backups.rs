//! Backups that open with the licence key: chosen on the page, restored with the key alone, and what losing it means.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;

use axum::http::StatusCode;

use super::*;
use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::backup::Trigger;
use crate::operations::backups::{self, KeyKind, Lock, restore};
use crate::operations::{Error, blocking};

const PAGE: &str = "/settings/backups";
const WORDS: &str = "four words make one";

async fn make(test: &TestApp) -> Result<String, Error> {
    let app = Arc::clone(&test.app);
    let made = blocking(move || backups::create(&app, Trigger::Person)).await?;
    made.map(|made| made.name)
}

fn path(test: &TestApp, name: &str) -> PathBuf {
    test.app.config.backup.folder.join(name)
}

/// Whether these typed words restore the file on a blank machine.
async fn opens(test: &TestApp, name: &str, typed: &str) -> Result<(), Error> {
    let (path, typed) = (path(test, name), Secret::new(typed.to_owned()));
    let restored = blocking(move || {
        let blank = tempfile::tempdir().unwrap();
        let lock = backups::look(File::open(&path)?)?;
        let words = backups::typed_words(&lock, typed)?;
        let mut tell = |_, _, _| ControlFlow::Continue(());
        let file = File::open(&path)?;
        restore::prepare(file, &words, blank.path(), NOW, &mut tell).map(drop)
    });
    restored.await?
}

async fn choose(browser: &crate::web::testing::Browser<'_>, key: &str) -> (StatusCode, String) {
    let answer = browser.post(&format!("{PAGE}/key"), &[("key", key)]).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn backups_open_with_the_licence_key_when_the_owner_wants_it() {
    let world = World::start().await;
    let test = world.appliance(machine(1)).await;
    let browser = test.sign_in().await;
    let page = browser.get(PAGE).await;
    assert!(!page.body.contains("What opens backups"));
    for (key, said) in [
        ("licence", "No licence is active here."),
        ("passphrase", "Set a passphrase first"),
        ("luck", "Choose one of the list"),
    ] {
        let (status, text) = choose(&browser, key).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text.contains(said), "{text}");
    }

    let (id, key) = world.issue(terms(None, None)).await;
    activate(&test, &key).await.unwrap();
    browser.get(PAGE).await.shows(
        StatusCode::OK,
        &["What opens backups", "No backup can be made before"],
    );
    assert_eq!(choose(&browser, "licence").await.0, StatusCode::SEE_OTHER);
    let page = browser.get(PAGE).await;
    page.shows(
        StatusCode::OK,
        &["Back up now", "open with the licence key now"],
    );
    assert!(!page.body.contains(&key));
    let name = make(&test).await.unwrap();
    let lock = backups::lock(&test.app, &name).unwrap();
    let expected = Lock {
        kind: KeyKind::Licence,
        id: id.to_string(),
    };
    assert_eq!(lock, expected);
    let ask = browser.get(&format!("{PAGE}/{name}/restore")).await;
    ask.shows(StatusCode::OK, &[&format!("Key of licence {id}")]);

    // As people type it; and what is none, or another's.
    opens(&test, &name, &key.to_lowercase().replace('-', " "))
        .await
        .unwrap();
    let refused = opens(&test, &name, WORDS).await.unwrap_err().to_string();
    assert!(refused.starts_with("A licence key looks like"), "{refused}");
    let other = world.issue(terms(None, None)).await.1;
    let refused = opens(&test, &name, &other).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("the licence key does not open"),
        "{refused}"
    );

    // A licence that the vendor takes back stops no backup.
    world
        .desk
        .revoke(Who::command_line(), id, "Unpaid")
        .await
        .unwrap();
    assert!(matches!(beat(&test).await, Beat::Bad(_)));
    let late = make(&test).await.unwrap();
    opens(&test, &late, &key).await.unwrap();
    // Nobody begins with such a licence.
    let path = format!("{PAGE}/passphrase");
    let set = [("passphrase", WORDS), ("passphrase_again", WORDS)];
    let answer = browser.post(&path, &set).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let (status, text) = choose(&browser, "licence").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
    let third = make(&test).await.unwrap();
    let lock = backups::lock(&test.app, &third).unwrap();
    assert_eq!(
        lock.kind,
        KeyKind::Passphrase,
        "a new passphrase takes over"
    );
    opens(&test, &third, WORDS).await.unwrap();

    // Both kinds are tested with what is known here, whatever new ones are made with.
    for name in [&late, &third] {
        let (app, name) = (Arc::clone(&test.app), name.clone());
        let tried = blocking(move || backups::test(&app, &name)).await.unwrap();
        tried.unwrap();
    }
}

#[tokio::test]
async fn without_its_licence_an_appliance_says_that_it_makes_no_backup() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let browser = test.sign_in().await;
    assert_eq!(choose(&browser, "licence").await.0, StatusCode::SEE_OTHER);
    let daily = [
        ("every", "day"),
        ("hour", "3"),
        ("keep_days", "7"),
        ("keep_weeks", "4"),
        ("keep_months", "6"),
    ];
    assert_eq!(browser.post(PAGE, &daily).await.flash(), "Saved.");
    let name = make(&test).await.unwrap();
    licence::deactivate(&test.app, &Actor::CommandLine)
        .await
        .unwrap();
    let refused = make(&test).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("No licence is activated here, and its key encrypts backups."),
        "{refused}"
    );
    let page = browser.get(PAGE).await;
    page.shows(StatusCode::OK, &["No backup can be made: ", &name]);
    assert!(!page.body.contains("Back up now"));
    let home = browser.get("/").await;
    home.shows(StatusCode::OK, &["No backup can be made."]);
}
