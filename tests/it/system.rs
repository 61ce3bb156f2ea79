//! The machine room with the real program: what doctor says and how it exits, and a restart from the panel.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::appliance::demo;
use crate::support::daemon::{Daemon, command};
use crate::support::https::Operator;
use crate::support::radius;

/// Generous, because the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// What doctor prints and its exit code. What the machine that runs the tests lacks is no matter here.
fn doctor(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = daemon.run(&[&["doctor"], arguments].concat());
    let report = String::from_utf8(output.stdout).unwrap();
    let is_of_the_machine = |line: &str| {
        ["BAD     Disk", "BAD     Memory"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let lines = report.lines().filter(|line| line.starts_with("BAD "));
    let (machine, ours): (Vec<&str>, Vec<&str>) = lines.partition(|line| is_of_the_machine(line));
    let code = match (output.status.code(), ours.is_empty(), machine.is_empty()) {
        (Some(1), true, false) => Some(0),
        (code, _, _) => code,
    };
    (code, report)
}

#[test]
fn the_exit_code_of_doctor_says_whether_anything_is_bad() {
    let mut daemon = demo(3, 0, 0, &[]);
    let (code, report) = doctor(&daemon, &[]);
    assert_eq!(code, Some(0), "{report}");
    let listens = format!("authentication {}", daemon.auth());
    for said in [
        "ok      Daemon: listens: panel ",
        listens.as_str(),
        "ok      Usage: adds up: sessions = days = months for every subscriber\n",
        "ok      Subscribers: 3, 0 sessions open\n",
        "warning Backups: there is none\n        Settings, Backups",
        " to look at, ",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let (code, report) = doctor(&daemon, &["--quick"]);
    assert_eq!(code, Some(0), "{report}");
    // What the last night said, or that there was none yet: nobody walked over the sums now.
    assert!(report.contains("ok      Usage: "), "{report}");
    assert!(!report.contains("for every subscriber\n"), "{report}");

    let key = daemon.data_dir().join("secret.key");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let (code, report) = doctor(&daemon, &["--quick"]);
    assert_eq!(code, Some(1), "{report}");
    let mend = format!("`chmod 600 {}`", key.display());
    assert!(report.contains(&mend), "{report}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    // Without a daemon it looks at what it can, and says that there is none.
    daemon.stop();
    let (code, report) = doctor(&daemon, &[]);
    assert_eq!(code, Some(1));
    assert!(
        report.contains("BAD     Daemon: no daemon runs"),
        "{report}"
    );
    assert!(report.contains("ok      Usage: adds up"), "{report}");
    let bad = report.lines().filter(|line| line.starts_with("BAD "));
    let counted = format!("\n{} bad, ", bad.count());
    assert!(report.contains(&counted), "{report}");

    // Nothing can be opened without the key.
    fs::rename(&key, daemon.data_dir().join("elsewhere")).unwrap();
    let (code, report) = doctor(&daemon, &["--quick"]);
    assert_eq!(code, Some(1));
    assert!(report.starts_with("BAD     Data: "), "{report}");

    for misuse in [&["doctor", "--deep"][..], &["doctor", "--quick", "--pulse"]] {
        let output = command(misuse).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{misuse:?}");
    }
}

#[test]
fn a_restart_from_the_panel_reads_the_configuration_and_everything_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proxpanel.toml");
    fs::write(&file, "[log]\nlevel = \"warn\"").unwrap();
    let config = file.to_str().unwrap();
    let mut daemon = demo(
        3,
        0,
        0,
        &["--https-listen", "127.0.0.1:0", "--config", config],
    );
    let added = daemon.run(&["operator", "add", "rania"]);
    let said = String::from_utf8(added.stdout).unwrap();
    let password = said
        .lines()
        .find_map(|line| line.strip_prefix("Password: "));
    let password = password.unwrap().to_owned();
    let operator = Operator::sign_in(daemon.https(), "rania", &password);
    let page = "/system/restart";

    // A mistake in the file is said while the panel is there to say it.
    fs::write(&file, "[log]\nlevel = \"loud\"").unwrap();
    let refused = operator.post(page, page, &[]);
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("loud"), "{}", refused.body);
    let health = operator.get("/system/health").body;
    assert!(health.contains("the next start fails"), "{health}");

    fs::write(&file, "[log]\nlevel = \"info\"").unwrap();
    let answer = operator.post(page, page, &[]);
    assert_eq!(answer.status, 200);
    let (_, wait) = answer.body.split_once("hx-get=\"").unwrap();
    let wait = wait
        .split('"')
        .find(|it| it.starts_with("/system/restarting"));
    let wait = wait.unwrap().to_owned();
    daemon.await_ready(2);

    // The browser is signed in as before, and is led on; a new sign-in works, and so does a subscriber's.
    let operator = operator.at(daemon.https());
    let over = operator.get(&wait);
    assert_eq!(
        (over.status, over.header("location")),
        (303, "/system/health")
    );
    let other = Operator::sign_in(daemon.https(), "rania", &password);
    assert_eq!(other.get("/system/health").status, 200);
    assert!(radius::accepts(daemon.auth(), "user00001", "pass00001"));
    let audit = other.get("/audit").body;
    assert!(audit.contains("restarted"), "{audit}");
    // The log goes on in the same place, at the new level.
    let log = other.get("/system/logs").body;
    assert!(log.contains("an operator has it start anew"), "{log}");
    daemon.process().signal("TERM");
    let stopping = |line: &str| line.contains("stopping").then_some(());
    assert!(
        daemon
            .process()
            .stderr
            .wait_for(PATIENCE, stopping)
            .is_some()
    );
}
