//! Releases: offered and given out to those whose licence holds.

use std::fs;

use super::*;
use crate::domain::time::DAY;
use crate::http_client::{Client, HttpError};
use crate::licence::wire::Update;
use crate::vendor::tables::ReleaseRow;

const MOST: u64 = 10 << 20;

fn release(version: &str, file_name: &str, content: &[u8]) -> ReleaseRow {
    ReleaseRow {
        version: version.to_owned(),
        architecture: "amd64".to_owned(),
        file_name: file_name.to_owned(),
        octets: u64::try_from(content.len()).unwrap(),
        sha256: crypto::sha256(content),
        manifest: format!("manifest of {version}"),
        notes: "Better".to_owned(),
        published_at: NOW.0,
        is_withdrawn: false,
    }
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

    async fn publish(&self, version: &str, file_name: &str, content: &[u8]) {
        let folder = self.world.desk.releases_folder();
        fs::write(folder.join(file_name), content).unwrap();
        let row = release(version, file_name, content);
        self.world
            .desk
            .add_release(Who::command_line(), row)
            .await
            .unwrap();
    }

    fn at(&self, path: &str) -> String {
        format!("https://{}/api/v1/{path}", self.world.address)
    }

    async fn check(&self, arch: &str) -> Result<Update, HttpError> {
        let url = self.at(&format!("update/check?arch={arch}"));
        self.client.get_json(&url, Some(&self.key)).await
    }
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
    let old = vec![1; 10];
    let new: Vec<u8> = (0..300_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    shop.publish("0.2.0", "proxpanel_0.2.0_amd64.deb", &old)
        .await;
    shop.publish("0.3.0", "proxpanel_0.3.0_amd64.deb", &new)
        .await;
    let offered = shop.check("amd64").await.unwrap();
    assert_eq!(offered.version, "0.3.0");
    assert_eq!(offered.manifest, "manifest of 0.3.0");
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
    shop.publish("0.2.0", "a.deb", b"a").await;
    fs::remove_file(shop.world.desk.releases_folder().join("a.deb")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("it.deb");
    let url = shop.at("download/proxpanel");
    let got = shop
        .client
        .download(&url, Some(&shop.key), &to, MOST, |_, _| ())
        .await;
    assert_eq!(kind(got.unwrap_err()), "no-release");
    let outside = release("1", "../a", b"");
    assert!(
        shop.world
            .desk
            .add_release(Who::command_line(), outside)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_licence_that_does_not_hold_gets_nothing() {
    let shop = Shop::open(Some(30)).await;
    shop.publish("0.2.0", "a.deb", b"a").await;
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
