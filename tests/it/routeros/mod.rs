//! The stand-in for routers, tried by a client that strangers wrote, by the daemon, and by broken connections.

mod broken;
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

/// Runs the script of librouteros against a router, and returns what it prints.
fn librouteros(router: &Router, method: &str, tls: bool) -> String {
    let certificate = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(certificate.path(), router.certificate_pem()).unwrap();
    let address = if tls {
        router.api_tls_addr()
    } else {
        router.api_addr()
    };
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(SCRIPT).args([
        address.ip().to_string(),
        address.port().to_string(),
        "isp-api".to_owned(),
        "api-pass".to_owned(),
        method.to_owned(),
    ]);
    if tls {
        command.arg(certificate.path());
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error} (`make deps` installs what tests need)"));
    let (printed, failed) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{printed}{failed}\n`make deps` installs python3-librouteros"
    );
    printed
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
        let expected = format!("wrong password: {refusal} category None\n{PRINTED}");
        let printed = librouteros(&router, method, tls);
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
