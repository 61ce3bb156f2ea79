//! The vendor's data folder: made once, private, and not an appliance's.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::{OpenOptions, Store};
use crate::vendor::{Configured, VendorError};

fn init(password: &str) -> Init {
    Init {
        password: password.to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        trial_days: 0,
        trial_subscribers: 0,
    }
}

#[test]
fn a_vendor_is_made_once_and_keeps_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("vendor");
    let open = || Desk::open(&place, Clock::standing_at(NOW));
    assert!(matches!(open(), Err(VendorError::NotMade(_))));
    let short = Desk::init(&place, &init("nine char"), Clock::standing_at(NOW));
    assert!(matches!(
        short,
        Err(VendorError::Field {
            field: "password",
            ..
        })
    ));
    assert!(!place.exists(), "a refusal leaves nothing");

    let desk = Desk::init(&place, &init("ten chars!"), Clock::standing_at(NOW)).unwrap();
    let (key, lines) = (desk.public_key(), desk.key_lines().unwrap());
    desk.store.close();
    drop(desk);
    let again = Desk::init(&place, &init("ten chars!"), Clock::standing_at(NOW));
    assert!(matches!(again, Err(VendorError::MadeAlready(_))));
    let desk = open().unwrap();
    assert_eq!((desk.public_key(), desk.key_lines().unwrap()), (key, lines));
    for name in ["signing.key", "server.pem", "secret.key", "vendor.redb"] {
        let mode = fs::metadata(place.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    assert_eq!(
        fs::metadata(&place).unwrap().permissions().mode() & 0o077,
        0
    );
}

#[test]
fn what_is_printed_for_customers_is_a_configuration() {
    let (desk, _folder) = vendor(30);
    let text = desk.key_lines().unwrap().join("\n");
    let config = crate::config::Config::parse(
        &text,
        std::path::Path::new("test.toml"),
        &crate::config::Overrides::default(),
    );
    let configured = config.unwrap().licence.vendor.unwrap();
    assert_eq!(configured.key, desk.public_key());
}

#[test]
fn an_appliance_does_not_take_a_vendors_store_for_its_own() {
    let (desk, folder) = vendor(30);
    let place = desk.folder().to_owned();
    desk.store.close();
    drop(desk);
    let before = fs::read(place.join("vendor.redb")).unwrap();
    Store::open(&place, OpenOptions::default()).unwrap().close();
    assert_eq!(fs::read(place.join("vendor.redb")).unwrap(), before);
    drop(folder);
}

#[test]
fn certificates_of_other_files_are_checked() {
    let (desk, folder) = vendor(30);
    let file = |name: &str| desk.folder().join(name);
    let load = |certificate: &str, key: &str| {
        desk.certificate(Some(&Configured {
            certificate: file(certificate),
            key: file(key),
        }))
        .map(|certificate| certificate.facts().fingerprint)
    };
    let own = desk.certificate(None).unwrap().facts().fingerprint;
    assert_eq!(load("server.pem", "server.pem").unwrap(), own);
    let (other, _other_folder) = vendor(30);
    fs::copy(other.folder().join("server.pem"), file("other.pem")).unwrap();
    for (certificate, key) in [
        ("missing.pem", "server.pem"),
        ("server.pem", "missing.pem"),
        ("signing.key", "server.pem"),
        ("server.pem", "signing.key"),
        ("server.pem", "other.pem"),
    ] {
        assert!(load(certificate, key).is_err(), "{certificate} {key}");
    }
    drop(folder);
}
