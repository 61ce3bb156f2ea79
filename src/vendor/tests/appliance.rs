//! Updates from both sides: published here, fetched, checked and handed over there; and what goes wrong on the way.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::StatusCode;
use axum::routing::get;
use hyper::body::{Bytes, Frame};

use super::updates::{package, publish};
use super::*;
use crate::crypto::{self, Key};
use crate::domain::audit::{Actor, Object};
use crate::domain::time::{DAY, HOUR, MINUTE};
use crate::licence::{ARCHITECTURE, Release, SigningKey};
use crate::operations::Error;
use crate::operations::updates::{self, Outcome};
use crate::store::{audit, updates as rows};
use crate::vendor::records;
use crate::vendor::tables::ReleaseRow;

fn folder(test: &TestApp) -> PathBuf {
    test.app.config.data_dir.join(updates::FOLDER)
}

/// Names in the folder of updates.
fn files(test: &TestApp) -> Vec<String> {
    let entries = fs::read_dir(folder(test)).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// What was done with updates, newest first.
fn audited(test: &TestApp) -> Vec<String> {
    let view = test.app.store.view().unwrap();
    let entries = audit::of(&view, Object::Settings, 100).unwrap();
    let of_updates = entries
        .into_iter()
        .filter(|it| it.action.starts_with("update "));
    of_updates
        .map(|it| format!("{} {}", it.actor, it.action))
        .collect()
}

#[track_caller]
fn refused<T>(outcome: Result<T, Error>, text: &str) {
    match outcome {
        Err(Error::Refused(why)) => assert!(why.contains(text), "no {text} in {why}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was done"),
    }
}

fn release(version: &str, content: &[u8]) -> Release {
    Release {
        version: version.to_owned(),
        architecture: ARCHITECTURE.to_owned(),
        octets: u64::try_from(content.len()).unwrap(),
        sha256: crypto::sha256(content).into(),
        notes: String::new(),
        published_at: NOW.0,
    }
}

/// Offers what a vendor that works as it should would not.
async fn offer(world: &World, version: &str, manifest: String) {
    let row = ReleaseRow {
        version: version.to_owned(),
        architecture: ARCHITECTURE.to_owned(),
        file_name: "a.deb".to_owned(),
        octets: 1,
        sha256: [0; 32],
        manifest,
        notes: String::new(),
        published_at: NOW.0,
        is_withdrawn: false,
    };
    let added = world.desk.store.write("offer", move |tx| {
        records::add_release(tx, &row).map_err(crate::vendor::VendorError::from)
    });
    added.await.unwrap();
}

#[tokio::test]
async fn a_release_is_offered_fetched_and_handed_over() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let app = &test.app;
    assert_eq!(updates::check(app).await.unwrap(), None);
    refused(updates::download(app).await, "No newer version");
    refused(updates::begin_download(app), "No newer version");

    let content = package(&[7; 700_000]);
    publish(&world.desk, "9.0.0", &content).await.unwrap();
    let offered = updates::check(app).await.unwrap().unwrap();
    assert_eq!(offered.version, "9.0.0");
    assert_eq!(offered.notes, "Better\n<b>Faster</b>[2J");
    let status = updates::status(app).unwrap();
    assert_eq!(status.offered, Some(offered));
    assert!(!status.is_downloaded && status.problem.is_empty());
    assert_eq!(status.last_good, Some(NOW));
    let actor = Actor::CommandLine;
    refused(updates::install(app, &actor).await, "Download");

    updates::download(app).await.unwrap();
    assert!(updates::status(app).unwrap().is_downloaded);
    assert_eq!(
        files(&test),
        [format!("proxpanel_9.0.0_{ARCHITECTURE}.deb")]
    );
    assert_eq!(app.updates.progress(), None);

    // Not while one is on its way.
    let turn = app.updates.begin("9.0.1", 1).unwrap();
    refused(
        updates::install(app, &actor).await,
        "still being downloaded",
    );
    drop(turn);
    updates::install(app, &actor).await.unwrap();
    assert_eq!(files(&test), ["ready"]);
    let ready = folder(&test).join("ready");
    for (path, mode) in [("", 0o700), ("manifest", 0o600)] {
        let found = fs::metadata(ready.join(path)).unwrap().mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    assert_eq!(audited(&test), ["command line update handed over"]);
    let manifest = fs::read_to_string(ready.join("manifest")).unwrap();
    let signed = Release::open(&world.desk.public_key(), &manifest).unwrap();
    let handed = fs::File::open(ready.join("package.deb")).unwrap();
    signed.check_package(handed).unwrap();
    let status = updates::status(app).unwrap();
    assert!(status.is_installing() && !status.is_downloaded);
    refused(updates::install(app, &actor).await, "Download");
    updates::download(app).await.unwrap();
    refused(updates::install(app, &actor).await, "Another update");

    let results = test.app.config.data_dir.join("results");
    assert_eq!(updates::follow(app, &results).await.unwrap(), None);
    let seconds = NOW.0 / 1_000;
    let lines = format!(
        "{{\"at\":{seconds},\"what\":\"started\"}}\n{{\"at\":{seconds},\"what\":\"ok\"}}\n"
    );
    fs::write(&results, lines).unwrap();
    let row = updates::follow(app, &results).await.unwrap().unwrap();
    assert_eq!(updates::outcome(&row), Outcome::Done);
    assert_eq!(updates::follow(app, &results).await.unwrap(), None);
    assert!(!ready.exists());
    let history = updates::status(app).unwrap().history;
    assert_eq!(history, [row]);
    assert_eq!(audited(&test)[0], "system: updates update installed");
}

#[tokio::test]
async fn a_package_that_nobody_takes_is_said_and_can_be_tried_again() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    publish(&world.desk, "9.0.0", &package(b"a")).await.unwrap();
    updates::check(&test.app).await.unwrap();
    for _ in 0..2 {
        updates::download(&test.app).await.unwrap();
        let handed = updates::install(&test.app, &Actor::CommandLine).await;
        handed.unwrap();
        let now = test.app.now();
        test.app.clock.move_to(now.plus(10 * MINUTE));
        let nothing = Path::new("/nonexistent");
        let row = updates::follow(&test.app, nothing).await.unwrap().unwrap();
        assert!(row.problem.contains("Nobody took"), "{}", row.problem);
        assert!(!folder(&test).join("ready").exists());
    }
    assert_eq!(updates::status(&test.app).unwrap().history.len(), 2);
}

#[tokio::test]
async fn only_what_was_signed_is_taken() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let content = package(&[7; 300_000]);
    let (_, row) = publish(&world.desk, "9.0.0", &content).await.unwrap();
    let file = world.desk.release_path(&row).unwrap();
    updates::check(&test.app).await.unwrap();
    let mut other = content.clone();
    *other.last_mut().unwrap() = 8;
    for (name, octets, text) in [
        ("another content", other, "SHA-256"),
        ("an octet less", content[1..].to_vec(), "octets"),
        ("an octet more", [&content[..], b"a"].concat(), "more than"),
        ("nothing", Vec::new(), "octets"),
    ] {
        fs::write(&file, octets).unwrap();
        refused(updates::download(&test.app).await, text);
        assert_eq!(files(&test), Vec::<String>::new(), "{name}");
    }
    fs::write(&file, &content).unwrap();
    updates::download(&test.app).await.unwrap();

    // Changed on the disk after the download.
    let here = folder(&test).join(format!("proxpanel_9.0.0_{ARCHITECTURE}.deb"));
    fs::write(&here, package(&[8; 300_000])).unwrap();
    let installed = updates::install(&test.app, &Actor::CommandLine).await;
    refused(installed, "SHA-256");
    assert!(updates::status(&test.app).unwrap().history.is_empty());
    // And then the download mends it.
    updates::download(&test.app).await.unwrap();
    assert_eq!(fs::read(&here).unwrap(), content);
}

#[tokio::test]
async fn only_the_vendor_s_newer_releases_are_offered() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let (app, key) = (&test.app, &world.desk.signing);
    let other = SigningKey::from_seed(&Key::from_bytes([8; 32])).unwrap();
    for (version, manifest, text) in [
        ("9.0.0", release("9.0.0", b"a").sign(&other), "did not sign"),
        ("9.0.1", "odd".to_owned(), "not a signed text"),
        ("9.0.2", release("9 0", b"a").sign(key), "which is none"),
        ("9.0.3", release("9.0.3", b"").sign(key), "octets"),
    ] {
        offer(&world, version, manifest).await;
        refused(updates::check(app).await, text);
        let status = updates::status(app).unwrap();
        assert!(status.problem.contains(text), "{}", status.problem);
        assert_eq!(status.offered, None);
    }
    // An old release under a new name, and this very version.
    for version in ["0.0.1", licence::VERSION] {
        let manifest = release(version, b"a").sign(key);
        offer(&world, "9.1.0", manifest).await;
        assert_eq!(updates::check(app).await.unwrap(), None);
        assert_eq!(updates::status(app).unwrap().problem, "");
    }
    // What was offered before, and is installed by now.
    let installed = release(licence::VERSION, b"a").sign(key);
    let kept = app.store.write("offer", move |tx| {
        let manifest = installed.clone();
        let offer = rows::offer(tx)?;
        rows::put_offer(tx, &rows::OfferRow { manifest, ..offer })
    });
    kept.await.unwrap();
    assert_eq!(updates::status(app).unwrap().offered, None);
    refused(updates::download(app).await, "No newer version");
    let elsewhere = Release {
        architecture: "riscv64".to_owned(),
        ..release("9.2.0", b"a")
    };
    offer(&world, "9.2.0", elsewhere.sign(key)).await;
    refused(updates::check(app).await, "riscv64");
}

#[tokio::test]
async fn a_vendor_that_is_away_takes_nothing_away() {
    let mut world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    publish(&world.desk, "9.0.0", &package(b"a")).await.unwrap();
    updates::check(&test.app).await.unwrap();
    world.go_away().await;
    refused(updates::check(&test.app).await, "reached");
    refused(updates::download(&test.app).await, "reached");
    let status = updates::status(&test.app).unwrap();
    assert!(status.offered.is_some() && status.problem.contains("reached"));
    assert!(!status.is_downloaded);
}

#[tokio::test]
async fn it_is_asked_every_day_and_soon_again_after_no_answer() {
    let mut world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let due = |after: i64, jitter: i64| {
        let now = test.app.now().plus(after);
        updates::is_due(&test.app, now, jitter).unwrap()
    };
    assert!(due(0, 0));
    updates::check(&test.app).await.unwrap();
    for (after, jitter, is) in [
        (0, 0, false),
        (DAY - 1, 0, false),
        (DAY, 0, true),
        (DAY, HOUR, false),
        (DAY + HOUR, HOUR, true),
        (-1, 0, true),
    ] {
        assert_eq!(due(after, jitter), is, "{after} {jitter}");
    }
    world.go_away().await;
    updates::check(&test.app).await.unwrap_err();
    assert!(!due(HOUR - 1, 0) && due(HOUR, 2 * HOUR));
}

#[tokio::test]
async fn without_a_vendor_or_a_licence_there_are_no_updates() {
    let test = TestApp::empty("");
    refused(updates::check(&test.app).await, "No vendor");
    assert!(!updates::is_due(&test.app, NOW, 0).unwrap());
    assert_eq!(updates::status(&test.app).unwrap().offered, None);
    let world = World::start().await;
    let test = world.appliance(machine(1)).await;
    refused(updates::check(&test.app).await, "activate");
    assert!(!updates::is_due(&test.app, NOW, 0).unwrap());
}

/// Begins and then says nothing more.
struct Endless {
    has_begun: bool,
}

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.has_begun {
            return Poll::Pending;
        }
        self.has_begun = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![7; 300_000])))))
    }
}

#[tokio::test]
async fn a_download_is_cancelled_at_any_moment() {
    // The package begins and never ends.
    let world = World::with(30, |desk| {
        let endless = || async { axum::body::Body::new(Endless { has_begun: false }) };
        Router::new()
            .route("/api/v1/download/update", get(endless))
            .fallback_service(server::router(desk))
    })
    .await;
    let (test, _) = world.licensed(terms(None, None)).await;
    publish(&world.desk, "9.0.0", &package(&[7; 400_000]))
        .await
        .unwrap();
    updates::check(&test.app).await.unwrap();
    let app = Arc::clone(&test.app);
    let downloading = tokio::spawn(async move { updates::download(&app).await });
    let board = &test.app.updates;
    let begun = async {
        while board.progress().is_none_or(|progress| progress.done == 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), begun)
        .await
        .unwrap();
    refused(updates::download(&test.app).await, "being downloaded");
    board.cancel();
    let ended = downloading.await.unwrap();
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert_eq!(files(&test), Vec::<String>::new());
    assert!(!board.is_busy());
}

#[tokio::test]
async fn the_page_leads_from_the_question_to_the_hand_over() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let browser = test.sign_in().await;
    let path = "/settings/updates";
    browser
        .get(path)
        .await
        .shows(StatusCode::OK, &["No newer version is known."]);
    publish(&world.desk, "9.0.0", &package(b"a")).await.unwrap();
    let asked = browser.post("/settings/updates/check", &[]).await;
    assert!(asked.flash().contains("9.0.0"), "{}", asked.flash());
    let page = browser.get(path).await;
    let shown = [
        "Version 9.0.0 can be installed.",
        "&#60;b&#62;Faster",
        "Download",
    ];
    page.shows(StatusCode::OK, &shown);
    assert!(!page.body.contains("/settings/updates/install"));
    browser
        .get("/")
        .await
        .shows(StatusCode::OK, &["Version 9.0.0 can be installed."]);
    let early = browser.post("/settings/updates/install", &[]).await;
    assert_ne!(early.status, StatusCode::OK);
    assert!(updates::status(&test.app).unwrap().history.is_empty());
    let begun = browser.post("/settings/updates/download", &[]).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert!(test.app.updates.take_wish(), "the job is asked");
    updates::download(&test.app).await.unwrap();
    let page = browser.get(path).await;
    page.shows(
        StatusCode::OK,
        &[
            "/settings/updates/install",
            "Version 9.0.0 is installed now.",
        ],
    );
    let handed = browser.post("/settings/updates/install", &[]).await;
    assert_eq!(handed.status, StatusCode::SEE_OTHER);
    let page = browser.get(path).await;
    page.shows(
        StatusCode::OK,
        &["handed over", "rania", "A new version is being installed."],
    );
    assert!(folder(&test).join("ready").exists());
}
