//! The stand-in for routers, tried by a client that strangers wrote, by the daemon, and by broken connections.

mod broken;
mod cdn;
mod client;
mod radius;

use std::process::Command;
use std::time::Duration;

use crate::support::routeros::{Options, Router};

/// Generous, because the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The distribution's Python, since that is the one whose packages `make deps` installs.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/support/routeros/librouteros_session.py"
);
/// What the script prints, but for its first line.
const PRINTED: &str = include_str!("../support/routeros/librouteros_session.txt");

/// Runs the script of librouteros against a router, over TLS when there is a certificate to trust. Returns what it
/// prints, or how it failed.
fn librouteros(router: &Router, method: &str, trusted: Option<&str>) -> Result<String, String> {
    let certificate = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(certificate.path(), trusted.unwrap_or_default()).unwrap();
    let address = match trusted {
        Some(_) => router.api_tls_addr(),
        None => router.api_addr(),
    };
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(SCRIPT).args([
        address.ip().to_string(),
        address.port().to_string(),
        "isp-api".to_owned(),
        "api-pass".to_owned(),
        method.to_owned(),
    ]);
    if trusted.is_some() {
        command.arg(certificate.path());
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error} (`make deps` installs what tests need)"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let failed = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{printed}{failed}\n`make deps` installs python3-librouteros"
    ))
}

/// A router with one subscriber, who needs no RADIUS.
fn with_anna(version: &'static str) -> Router {
    let router = Router::start(Options {
        version,
        stream_interval: Duration::from_millis(20),
        ..Options::default()
    });
    router.add(
        "/ppp/secret",
        &[
            ("name", "anna"),
            ("password", "secret"),
            ("service", "pppoe"),
        ],
    );
    router.dial("anna", "secret", "02:00:00:00:00:01").online();
    router.pass("anna", 1000, 2000);
    router
}

#[test]
fn librouteros_drives_the_api_plain_and_over_tls_and_with_both_logins() {
    let refused = "trap invalid user name or password (6)";
    let cases = [
        ("6.42.12", "token", false, "trap cannot log in"),
        ("6.42.12", "token", true, "trap cannot log in"),
        ("6.49.10", "plain", false, refused),
        ("6.49.10", "plain", true, refused),
        ("7.14.3", "plain", true, refused),
        ("7.20.6", "plain", false, refused),
        ("7.20.6", "plain", true, refused),
    ];
    for (version, method, tls, refusal) in cases {
        let router = with_anna(version);
        router.flow("anna", 8_000, 16_000);
        let pem = tls.then(|| router.certificate_pem());
        let fingerprint = if tls {
            format!("fingerprint: {}\n", router.fingerprint_hex())
        } else {
            String::new()
        };
        let refusal = format!("wrong password: {refusal} category None");
        let expected = format!("{refusal}\n{fingerprint}{PRINTED}");
        let printed = librouteros(&router, method, pem.as_deref())
            .unwrap_or_else(|failed| panic!("{version}, TLS {tls}: {failed}"));
        let pairs = printed.lines().zip(expected.lines());
        for (printed, expected) in pairs {
            assert_eq!(printed, expected, "{version}, TLS {tls}");
        }
        assert_eq!(printed.lines().count(), expected.lines().count());
        let totals = router.totals();
        assert_eq!((totals.logins, totals.refused_logins), (1, 1));
        assert!(router.wait_until(PATIENCE, |state| state.totals.open_connections == 0));
    }
}

#[test]
fn another_certificate_is_not_the_one_that_was_trusted() {
    let router = with_anna("7.20.6");
    let (old, fingerprint) = (router.certificate_pem(), router.fingerprint());
    router.replace_certificate();
    assert_ne!(router.fingerprint(), fingerprint);
    let failed = librouteros(&router, "plain", Some(&old)).unwrap_err();
    assert!(failed.contains("CERTIFICATE_VERIFY_FAILED"), "{failed}");
    assert_eq!(router.totals().logins, 0);
}
