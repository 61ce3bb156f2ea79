//! RadSec through a real radsecproxy: radclient asks it over UDP, it asks the daemon over TLS.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use proxpanel::app::Clock;
use proxpanel::crypto::hex;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::nas::MessageAuthenticator;
use proxpanel::domain::radsec::RadsecTrust;
use proxpanel::operations::nas::{self, Draft};

use crate::support::daemon::{Daemon, command};
use crate::support::isp;
use crate::support::radius;
use crate::support::radsec::{Identity, Proxy};

/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between radclient and the proxy; the daemon does not know it.
const SECRET: &str = "of-the-proxy";

/// A folder with demo subscribers, and a NAS that is known by its certificate alone: nothing comes from its address.
fn folder(identity: &Identity) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let filled = command(&[
        "demo",
        "--subscribers",
        "5",
        "--sessions",
        "0",
        "--days",
        "0",
    ])
    .arg("--data-dir")
    .arg(folder.path())
    .output()
    .unwrap();
    assert!(filled.status.success(), "{filled:?}");
    let app = isp::open(folder.path(), &Clock::System);
    let draft = Draft {
        message_authenticator: MessageAuthenticator::Required,
        radsec: Some(RadsecTrust::Pinned(identity.fingerprint)),
        ..isp::router("Behind TLS", [192, 0, 2, 77], "of UDP, not used")
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(nas::create(&app, &Actor::CommandLine, draft))
        .unwrap();
    app.close();
    folder
}

/// What radclient prints.
fn radclient(server: SocketAddr, kind: &str, tries: u32, request: &str) -> String {
    let script =
        format!("printf '%s' \"$REQUEST\" | radclient -r {tries} -t 3 -x {server} {kind} {SECRET}");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("REQUEST", request)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn record(server: SocketAddr, kind: &str, seconds: u32, octets: u32) {
    let request = format!(
        "User-Name=user00001,Acct-Session-Id=tls-1,Acct-Status-Type={kind},Acct-Session-Time={seconds},\
         Acct-Input-Octets={octets},Acct-Output-Octets={octets}"
    );
    let text = radclient(server, "acct", 3, &request);
    assert!(text.contains("Received Accounting-Response"), "{text}");
}

#[test]
fn radsecproxy_logs_in_accounts_and_comes_back_after_a_restart() {
    let identity = Identity::new("tower.isp.test");
    // A port that stays through a restart, found free.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let radsec = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut daemon = Daemon::start_in(folder(&identity), &["--radsec-listen", &radsec]);
    assert_eq!(daemon.radsec().to_string(), radsec);
    let proxy = Proxy::start(daemon.radsec(), &identity, SECRET);
    proxy.wait_for_connection(1);

    let login = "User-Name=user00001,User-Password=pass00001";
    let text = radclient(proxy.udp, "auth", 3, login);
    assert!(
        text.contains("Received Access-Accept"),
        "{text}\n{}",
        proxy.process.output()
    );
    assert!(text.contains("Mikrotik-Rate-Limit"), "{text}");
    let text = radclient(
        proxy.udp,
        "auth",
        3,
        "User-Name=user00001,User-Password=wrong",
    );
    assert!(text.contains("Received Access-Reject"), "{text}");
    record(proxy.udp, "Start", 0, 0);
    record(proxy.udp, "Interim-Update", 60, 1_000);

    daemon.restart();
    // This takes half a minute: radsecproxy leaves 30 s between two connections to one server (its connect_wait).
    proxy.wait_for_connection(2);
    let text = radclient(proxy.udp, "auth", 5, login);
    assert!(text.contains("Received Access-Accept"), "{text}");
    record(proxy.udp, "Stop", 90, 2_000);
    let output = daemon.run(&["export", "sessions"]);
    let rows = String::from_utf8(output.stdout).unwrap();
    let row: Vec<&str> = rows
        .lines()
        .find(|line| line.contains("tls-1"))
        .unwrap_or_else(|| panic!("{rows}"))
        .split(',')
        .collect();
    assert_eq!((row[0], row[2]), ("Behind TLS", "user00001"));
    assert_eq!(row[7..9], ["2000", "2000"]);
    // UDP goes on beside it.
    assert!(radius::accepts(daemon.auth(), "user00001", "pass00001"));
    let errors = daemon.process().stderr.text();
    assert!(
        !errors.contains("panicked") && !errors.contains("ERROR"),
        "{errors}"
    );
}

#[test]
fn radsecproxy_with_another_certificate_is_cut_off_and_named() {
    let daemon = Daemon::start_in(folder(&Identity::new("tower.isp.test")), &[]);
    // The same name in it changes nothing.
    let other = Identity::new("tower.isp.test");
    let proxy = Proxy::start(daemon.radsec(), &other, SECRET);
    let fingerprint = hex(&other.fingerprint);
    let named = daemon.process().stderr.wait_for(PATIENCE, |line| {
        (line.contains("certificate that is no NAS's") && line.contains(&fingerprint)).then_some(())
    });
    assert!(named.is_some(), "{}", daemon.process().output());
    let login = "User-Name=user00001,User-Password=pass00001";
    let text = radclient(proxy.udp, "auth", 1, login);
    assert!(!text.contains("Received"), "{text}");
}

/// What `radtest --radsec` says of a login, and how it ends.
fn radtest(daemon: &Daemon, password: &str, options: &[&str]) -> (Option<i32>, String) {
    let server = daemon.radsec().to_string();
    let output = command(&["radtest", "--radsec", "--server", &server])
        .args(options)
        .args(["user00001", password])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn radtest_asks_over_tls_and_says_what_stands_in_the_way() {
    let (identity, other) = (
        Identity::new("tower.isp.test"),
        Identity::new("tower.isp.test"),
    );
    let daemon = Daemon::start_in(folder(&identity), &[]);
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = daemon.data_dir().join("tls/self-signed.pem");
    let ca = ca.display().to_string();
    let (cert, key) = (
        file("own.pem", &identity.certificate),
        file("own.key", &identity.key),
    );
    let (stranger, strange_key) = (file("x.pem", &other.certificate), file("x.key", &other.key));
    let trusted = ["--ca", ca.as_str()];
    let own = [&trusted[..], &["--cert", &cert, "--key", &key]].concat();

    let (code, said) = radtest(&daemon, "pass00001", &own);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Access-Accept") && said.contains("over TLS"),
        "{said}"
    );
    let (code, said) = radtest(&daemon, "wrong", &own);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Access-Reject"), "{said}");

    let unknown = [&trusted[..], &["--cert", &stranger, "--key", &strange_key]].concat();
    let shown = proxpanel::tls::Fingerprint(other.fingerprint).pairs();
    let mismatch = [&trusted[..], &["--cert", &cert, "--key", &strange_key]].concat();
    for (options, words) in [
        (&own[2..], "is not trusted"),
        (
            &["--ca", cert.as_str(), "--cert", &cert, "--key", &key][..],
            "is not trusted",
        ),
        (&trusted[..], "wants a client certificate and got none"),
        (&unknown[..], shown.as_str()),
        (&unknown[..], "No NAS device there is known by it"),
        (&mismatch[..], "does not belong"),
    ] {
        let (code, said) = radtest(&daemon, "pass00001", options);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let args = [
        "radtest",
        "--radsec",
        "--server",
        &nobody.to_string(),
        "a",
        "b",
    ];
    let output = command(&args).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Nobody answers at 127.0.0.1:"), "{said}");
    let output = command(&["radtest", "--ca", &ca, "a", "b"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "a mistyped command");
}
