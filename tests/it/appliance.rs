//! The real binary with demo data: a router logs subscribers in, accounts sessions, and everything is still there later.

use std::time::Duration;

use proxpanel::radius::auth::Method;
use proxpanel::radius::{Code, number};

use crate::support::daemon::{Daemon, command};
use crate::support::radius::{self, INTERIM, Record, START, STOP};

/// A daemon with demo subscribers, so many of them online, and days of history.
pub fn demo(subscribers: u32, sessions: u32, days: u32, arguments: &[&str]) -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    let filled = command(&["demo", "--data-dir"])
        .arg(folder.path())
        .args([
            "--subscribers",
            &subscribers.to_string(),
            "--sessions",
            &sessions.to_string(),
        ])
        .args(["--days", &days.to_string()])
        .output()
        .unwrap();
    assert!(
        filled.status.success(),
        "{}",
        String::from_utf8_lossy(&filled.stderr)
    );
    Daemon::start_in(folder, arguments)
}

fn export(daemon: &Daemon) -> Vec<Vec<String>> {
    let output = daemon.run(&["export", "sessions"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_method_logs_in_over_both_families() {
    let daemon = demo(
        20,
        0,
        0,
        &["--auth-listen", "127.0.0.1:0", "--auth-listen", "[::1]:0"],
    );
    let auth = &daemon.addresses().auth;
    assert_eq!(auth.len(), 2);
    for server in auth {
        for method in [Method::Pap, Method::Chap, Method::MsChap, Method::MsChap2] {
            let reply = radius::login(*server, "user00000", "pass00000", method);
            assert_eq!(
                reply.packet().unwrap().code(),
                Code::ACCESS_ACCEPT,
                "{method:?} at {server}"
            );
            let reply = radius::login(*server, "USER00001", "pass00000", method);
            assert_eq!(
                reply.packet().unwrap().code(),
                Code::ACCESS_REJECT,
                "{method:?} at {server}"
            );
        }
    }
    assert!(
        !daemon.process().stderr.text().contains("panicked"),
        "{}",
        daemon.process().output()
    );
}

#[test]
fn a_session_is_accounted_and_exported_with_the_daemon_up_and_down() {
    let mut daemon = demo(20, 5, 2, &[]);
    let before = export(&daemon).len();
    let record = |status, seconds, upload, download| Record {
        status,
        session: "tests1".into(),
        user: "user00019".into(),
        seconds,
        upload,
        download,
    };
    for record in [
        record(START, 0, 0, 0),
        record(INTERIM, 60, 100, 1_000),
        record(INTERIM, 60, 100, 1_000),
    ] {
        radius::acknowledged(daemon.acct(), &record);
    }
    let find = |rows: &[Vec<String>]| rows.iter().find(|row| row[1] == "tests1").cloned().unwrap();
    let open = find(&export(&daemon));
    assert_eq!(
        (open[0].as_str(), open[2].as_str()),
        ("localhost", "user00019")
    );
    assert_eq!(open[6..], ["", "100", "1000", "", "0", "0"]);

    radius::acknowledged(daemon.acct(), &record(STOP, 90, 150, 2_000));
    let up = export(&daemon);
    assert_eq!(find(&up)[7..9], ["150", "2000"]);
    assert!(!find(&up)[6].is_empty());
    assert!(daemon.stop().success());
    let down = export(&daemon);
    assert_eq!(up, down);
    assert_eq!(down.len(), before + 1);
    let doctor = daemon.run(&["doctor"]);
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert!(report.contains("ok      Usage: adds up"), "{report}");
}

#[test]
fn radtest_prints_the_reply_and_its_exit_code_says_the_outcome() {
    let daemon = demo(3, 0, 0, &[]);
    let server = daemon.auth().to_string();
    let run = |arguments: &[&str]| {
        let output = command(&["radtest", "--server", &server])
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    for method in ["pap", "chap", "mschap", "mschapv2"] {
        let (code, text) = run(&["--method", method, "user00001", "pass00001"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("Access-Accept") && text.contains("Mikrotik-Rate-Limit = \""),
            "{text}"
        );
    }
    let (code, text) = run(&["user00001", "wrong"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("Access-Reject") && text.contains("Reply-Message"),
        "{text}"
    );
    let (code, text) = run(&[
        "--secret",
        "not-it",
        "--timeout",
        "1",
        "--tries",
        "1",
        "user00001",
        "pass00001",
    ]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("shared secret"), "{text}");
}

#[test]
fn radclient_is_served() {
    let daemon = demo(3, 0, 0, &[]);
    let radclient = |server, kind: &str, request: &str| {
        radius::radclient(server, kind, radius::SECRET, 2, request)
    };
    for request in [
        "User-Name=user00001,User-Password=pass00001",
        "User-Name=user00001,CHAP-Password=pass00001",
        "User-Name=user00001,MS-CHAP-Password=pass00001",
    ] {
        let text = radclient(daemon.auth(), "auth", request);
        assert!(text.contains("Received Access-Accept"), "{request}\n{text}");
        assert!(text.contains("Mikrotik-Rate-Limit"), "{text}");
    }
    let text = radclient(
        daemon.auth(),
        "auth",
        "User-Name=user00001,User-Password=wrong",
    );
    assert!(text.contains("Received Access-Reject"), "{text}");
    let text = radclient(daemon.auth(), "status", "Message-Authenticator=0x00");
    assert!(text.contains("Received Access-Accept"), "{text}");
    for kind in ["Start", "Interim-Update", "Stop"] {
        let request = format!(
            "User-Name=user00001,Acct-Session-Id=r1,Acct-Status-Type={kind},Acct-Session-Time=5"
        );
        let text = radclient(daemon.acct(), "acct", &request);
        assert!(
            text.contains("Received Accounting-Response"),
            "{kind}\n{text}"
        );
    }
}

#[test]
fn a_changed_password_and_the_class_tie_login_and_accounting() {
    let daemon = demo(3, 0, 0, &[]);
    let reply = radius::login(daemon.auth(), "user00001", "pass00001", Method::Pap);
    let packet = reply.packet().unwrap();
    let class = packet.first(number::CLASS).unwrap();
    assert!(
        class.starts_with(b"v1:2:"),
        "{}",
        String::from_utf8_lossy(class)
    );
    assert!(reply.elapsed < Duration::from_secs(5));
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused_and_says_why() {
    let daemon = demo(3, 0, 0, &[]);
    let output = daemon.run(&[
        "serve",
        "--web-listen",
        "127.0.0.1:0",
        "--auth-listen",
        "127.0.0.1:0",
        "--acct-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("running"), "{text}");
    assert!(radius::accepts(daemon.auth(), "user00001", "pass00001"));
}

#[test]
fn operators_are_added_with_the_daemon_up_and_down() {
    let mut daemon = demo(3, 0, 0, &[]);
    let add = |daemon: &Daemon, name: &str| daemon.run(&["operator", "add", name]);
    let up = add(&daemon, "rania");
    assert!(up.status.success());
    let text = String::from_utf8(up.stdout).unwrap();
    assert!(
        text.contains("rania was added as administrator") && text.contains("Password: "),
        "{text}"
    );
    let twice = add(&daemon, "RANIA");
    assert_eq!(twice.status.code(), Some(1));
    assert!(
        String::from_utf8(twice.stderr)
            .unwrap()
            .contains("Another operator has this name")
    );
    assert!(
        !daemon.run(&["setup"]).status.success(),
        "the setup link is gone once there is an operator"
    );
    daemon.stop();
    assert!(add(&daemon, "omar").status.success());
    assert!(
        daemon
            .run(&["operator", "reset-password", "omar"])
            .status
            .success()
    );
    assert!(
        !daemon
            .run(&["operator", "reset-password", "nobody"])
            .status
            .success()
    );
    daemon.restart();
    assert!(
        !daemon.process().stderr.text().contains("Password"),
        "no password in the log"
    );
}

#[test]
fn demo_refuses_a_folder_with_data_and_changes_nothing() {
    let daemon = demo(3, 0, 0, &[]);
    let again = daemon.run(&["demo", "--subscribers", "5"]);
    assert_eq!(again.status.code(), Some(1));
    let mut daemon = daemon;
    daemon.stop();
    let again = daemon.run(&["demo", "--subscribers", "5"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("empty"));
    daemon.restart();
    assert!(radius::accepts(daemon.auth(), "user00002", "pass00002"));
}

#[test]
fn a_lost_search_index_is_made_anew() {
    let mut daemon = demo(30, 0, 0, &[]);
    daemon.stop();
    std::fs::remove_dir_all(daemon.data_dir().join("search")).unwrap();
    daemon.restart();
    assert!(radius::accepts(daemon.auth(), "user00002", "pass00002"));
    let reindexed = daemon.run(&["reindex"]);
    assert!(
        String::from_utf8(reindexed.stdout)
            .unwrap()
            .starts_with("36 entries")
    );
}

#[test]
fn a_login_is_simulated_with_the_daemon_up_and_down() {
    let mut daemon = demo(3, 0, 0, &[]);
    let simulate = |daemon: &Daemon, arguments: &[&str]| {
        let output = daemon.run(&[&["simulate"], arguments].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for is_up in [true, false] {
        if !is_up {
            daemon.stop();
        }
        let (code, text, _) = simulate(&daemon, &["user00000"]);
        assert_eq!(code, Some(0), "{text}");
        for label in ["subscriber", "login", "speed", "reply"] {
            let found = text.lines().any(|line| line.starts_with(label));
            assert!(found, "{label}: {text}");
        }
        let (code, json, _) = simulate(&daemon, &["--plan", "1", "--today", "1", "--json"]);
        assert_eq!(code, Some(0));
        let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(answer["download_kbps"].as_u64().unwrap() > 0, "{json}");
        let (code, _, why) = simulate(&daemon, &["nobody", "--at", "noon"]);
        assert_eq!(code, Some(1));
        assert!(
            why.contains("subscriber: Nobody has this user name"),
            "{why}"
        );
        assert!(why.contains("at: A date and a time"), "{why}");
        assert_eq!(simulate(&daemon, &[]).0, Some(2));
    }
}
