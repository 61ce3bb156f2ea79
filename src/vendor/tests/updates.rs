//! Releases: offered and given out to those whose licence holds.

use std::fs;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use tower::ServiceExt;

use super::*;
use crate::crypto;
use crate::domain::time::DAY;
use crate::http_client::{Client, HttpError};
use crate::licence::Release;
use crate::licence::wire::Update;
use crate::vendor::VendorError;
use crate::vendor::publish::Publish;
use crate::vendor::tables::ReleaseRow;

const MOST: u64 = 10 << 20;

/// A file that begins as a Debian package does.
pub(super) fn package(content: &[u8]) -> Vec<u8> {
    [&b"!<arch>\ndebian-binary   "[..], content].concat()
}

struct Shop {
    world: World,
    client: Client,
    key: String,
    id: u32,
}

impl Shop {
    async fn open(days: Option<u32>) -> Shop {
        let world = World::start().await;
        let (id, key) = world.issue(terms(None, days)).await;
        let test = world.appliance(machine(1)).await;
        let vendor = test.app.config.licence.vendor.clone().unwrap();
        let client = licence::client(&vendor).await.unwrap();
        Shop {
            world,
            client,
            key,
            id,
        }
    }

    async fn publish(&self, version: &str, content: &[u8]) {
        publish(&self.world.desk, version, content).await.unwrap();
    }

    fn at(&self, path: &str) -> String {
        format!("https://{}/api/v1/{path}", self.world.address)
    }

    async fn check(&self, arch: &str) -> Result<Update, HttpError> {
        let url = self.at(&format!("update/check?arch={arch}"));
        self.client.get_json(&url, Some(&self.key)).await
    }
}

pub(super) async fn publish(
    desk: &Desk,
    version: &str,
    content: &[u8],
) -> Result<(u32, ReleaseRow), VendorError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.deb");
    fs::write(&file, content).unwrap();
    let publish = Publish {
        file,
        version: version.to_owned(),
        architecture: "amd64".to_owned(),
        notes: " Better\r\n<b>Faster</b>\u{1b}[2J\n".to_owned(),
    };
    desk.publish(Who::command_line(), publish).await
}

fn kind(error: HttpError) -> String {
    match error {
        HttpError::Status { problem, .. } => problem.unwrap().kind,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_newest_release_is_offered_and_given_out_whole() {
    let shop = Shop::open(None).await;
    assert_eq!(shop.check("amd64").await.unwrap().version, "");
    let old = package(&[1; 10]);
    let long: Vec<u8> = (0..600_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    let new = package(&long);
    shop.publish("0.2.0", &old).await;
    shop.publish("0.3.0", &new).await;
    let offered = shop.check("amd64").await.unwrap();
    assert_eq!(offered.version, "0.3.0");
    let release = Release::open(&shop.world.desk.public_key(), &offered.manifest).unwrap();
    assert_eq!(release.version, "0.3.0");
    assert_eq!(release.notes, "Better\n<b>Faster</b>[2J");
    assert!(release.check_package(&new[..]).is_ok());
    assert_eq!(shop.check("arm64").await.unwrap().version, "");

    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("it.deb");
    for (path, content) in [
        ("download/proxpanel", &new),
        ("download/update?version=0.3.0&arch=amd64", &new),
        ("download/update?version=0.2.0", &old),
    ] {
        let got = shop
            .client
            .download(&shop.at(path), Some(&shop.key), &to, MOST, |_, _| ())
            .await;
        assert_eq!(got.unwrap().sha256, crypto::sha256(content), "{path}");
    }
    for path in [
        "download/update?version=9",
        "download/update?version=0.3.0&arch=arm64",
        "download/proxpanel?arch=..",
    ] {
        let got = shop
            .client
            .download(&shop.at(path), Some(&shop.key), &to, MOST, |_, _| ())
            .await;
        assert_eq!(kind(got.unwrap_err()), "no-release", "{path}");
    }
    let missing = shop.at("download/update");
    let got = shop
        .client
        .download(&missing, Some(&shop.key), &to, MOST, |_, _| ())
        .await;
    assert_eq!(kind(got.unwrap_err()), "malformed");
}

#[tokio::test]
async fn a_release_whose_file_is_gone_is_no_release() {
    let shop = Shop::open(None).await;
    shop.publish("0.2.0", &package(b"a")).await;
    fs::remove_file(
        shop.world
            .desk
            .releases_folder()
            .join("proxpanel_0.2.0_amd64.deb"),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("it.deb");
    let url = shop.at("download/proxpanel");
    let got = shop
        .client
        .download(&url, Some(&shop.key), &to, MOST, |_, _| ())
        .await;
    assert_eq!(kind(got.unwrap_err()), "no-release");
}

#[tokio::test]
async fn those_who_take_a_release_and_do_not_read_it_are_bounded() {
    let shop = Shop::open(None).await;
    // More than waits for a slow reader, so that each keeps its place.
    shop.publish("0.2.0", &package(&[7; 600_000])).await;
    let router = server::router(&shop.world.desk);
    let ask = || {
        let request = Request::builder()
            .uri("/api/v1/download/proxpanel")
            .header(header::AUTHORIZATION, format!("Bearer {}", shop.key));
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = "192.0.2.9:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    };
    let mut taken = Vec::new();
    for _ in 0..8 {
        let answer = ask().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        taken.push(answer);
    }
    let refused = ask().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_licence_that_does_not_hold_gets_nothing() {
    let shop = Shop::open(Some(30)).await;
    shop.publish("0.2.0", &package(b"a")).await;
    let clock = &shop.world.desk.clock;
    move_to(clock, 44 * DAY - 1);
    assert!(shop.check("amd64").await.is_ok());
    move_to(clock, 44 * DAY);
    assert_eq!(kind(shop.check("amd64").await.unwrap_err()), "expired");
    let who = Who::command_line();
    shop.world
        .desk
        .renew(who.clone(), shop.id, terms(None, None))
        .await
        .unwrap();
    assert!(shop.check("amd64").await.is_ok());
    shop.world.desk.revoke(who, shop.id, "").await.unwrap();
    assert_eq!(kind(shop.check("amd64").await.unwrap_err()), "revoked");
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("it.deb");
    let url = shop.at("download/proxpanel");
    let got = shop
        .client
        .download(&url, Some(&shop.key), &to, MOST, |_, _| ())
        .await;
    assert_eq!(kind(got.unwrap_err()), "revoked");
}

#[tokio::test]
async fn a_version_is_published_once_and_upwards() {
    let (desk, _folder) = vendor(30);
    let good = package(b"a");
    let (id, row) = publish(&desk, "0.3.0", &good).await.unwrap();
    assert_eq!(row.sha256, crypto::sha256(&good));
    for (version, content, field) in [
        ("0.3.0", &good[..], "version"),
        ("0.2.9", &good, "version"),
        ("0.3.0~rc1", &good, "version"),
        ("../1", &good, "version"),
        ("1-1", &good, "version"),
        ("0.4.0", b"", "file"),
        ("0.4.0", b"PK", "file"),
    ] {
        match publish(&desk, version, content).await {
            Err(VendorError::Field { field: found, .. }) => assert_eq!(found, field, "{version}"),
            _ => panic!("{version} was taken"),
        }
    }
    let files: Vec<_> = fs::read_dir(desk.releases_folder()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing of those that were refused stays");
    desk.withdraw(Who::command_line(), id).await.unwrap();
    assert_eq!(desk.newest("amd64").unwrap().version, "");
    assert!(publish(&desk, "0.3.0", &good).await.is_err());
    publish(&desk, "0.2.9", &good).await.unwrap();
    assert_eq!(desk.newest("amd64").unwrap().version, "0.2.9");
    let missing = desk.withdraw(Who::command_line(), 99).await;
    assert!(matches!(missing, Err(VendorError::Missing(_))));
}
