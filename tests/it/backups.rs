//! Backups of the real daemon: made while it works, killed in the middle, restored on a blank machine and in its own place.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use fantoccini::Locator;

use crate::appliance::demo;
use crate::panel::{fill, first_run, wait_for_text};
use crate::support::browser::{Browser, DESKTOP, with_browser};
use crate::support::daemon::{Daemon, command};
use crate::support::radius::{self, INTERIM, Record};

pub const WORDS: &str = "four words make one";

/// Runs a command with a line on its standard input.
pub fn run_with(mut command: Command, line: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // A command that refuses early does not read it.
    let _ = writeln!(input, "{line}");
    drop(input);
    child.wait_with_output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[track_caller]
pub fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

pub fn set_passphrase(daemon: &Daemon) {
    let passphrase = daemon.command(&["backup", "passphrase", "--passphrase-stdin"]);
    good(&run_with(passphrase, WORDS));
}

pub fn restore(file: &Path, folder: &Path, more: &[&str], words: &str) -> Output {
    let mut restore = command(&["restore", "--passphrase-stdin"]);
    restore.arg(file).arg("--data-dir").arg(folder).args(more);
    run_with(restore, words)
}

fn account(daemon: &Daemon, total: u32) {
    let record = Record {
        status: INTERIM,
        session: "backed-up".to_owned(),
        user: "user00003".to_owned(),
        seconds: total,
        upload: total,
        download: total * 10,
    };
    radius::account(daemon.acct(), &record, Duration::from_secs(5), 3).unwrap();
}

/// Waits for what another process does; without an end only when that never happens.
#[track_caller]
pub fn until(is_so: impl Fn() -> bool) {
    let (_never, tick) = channel::<()>();
    for _ in 0..60_000 {
        if is_so() {
            return;
        }
        // Nothing ever comes: this lets the others run.
        let _ = tick.recv_timeout(Duration::from_millis(1));
    }
    panic!("it never came about");
}

pub fn backups_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[test]
fn a_backup_of_the_working_daemon_opens_on_a_blank_machine() {
    let mut daemon = demo(40, 20, 3, &[]);
    let refusal = refused(&daemon.run(&["backup"]));
    assert!(
        refusal.contains("Set a passphrase for backups first"),
        "{refusal}"
    );
    set_passphrase(&daemon);
    account(&daemon, 700);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut make = daemon.command(&["backup"]);
    let said = good(&make.arg("--to").arg(elsewhere.path()).output().unwrap());
    assert!(said.contains("40 subscribers"), "{said}");
    let made = PathBuf::from(said.lines().next().unwrap());
    assert_eq!(made.parent().unwrap(), daemon.data_dir().join("backups"));
    let file = elsewhere.path().join(made.file_name().unwrap());
    assert!(fs::read(&file).unwrap() == fs::read(&made).unwrap());
    let listed = good(&daemon.run(&["backup", "list"]));
    assert!(listed.contains("proven by a restore"), "{listed}");

    let verify = |words| {
        let mut verify = command(&["backup", "verify", "--passphrase-stdin"]);
        verify.arg(&file);
        run_with(verify, words)
    };
    assert!(good(&verify(WORDS)).contains("is whole: 40 subscribers"));
    assert!(refused(&verify("four words make two")).contains("does not open this backup"));

    // Beside a working daemon, and over its data, nothing is restored by accident.
    let refusal = refused(&restore(&file, daemon.data_dir(), &["--replace"], WORDS));
    assert!(refusal.contains("a daemon runs on"), "{refusal}");
    account(&daemon, 900);
    daemon.stop();
    let refusal = refused(&restore(&file, daemon.data_dir(), &[], WORDS));
    assert!(
        refusal.contains("With --replace it is put aside and kept"),
        "{refusal}"
    );

    let blank = tempfile::tempdir().unwrap();
    let folder = blank.path().join("data");
    let refusal = refused(&restore(&file, &folder, &[], "wrong"));
    assert!(refusal.contains("does not open this backup"), "{refusal}");
    let said = good(&restore(&file, &folder, &[], WORDS));
    assert!(said.contains("40 subscribers"), "{said}");
    let moved = tempfile::tempdir().unwrap();
    for entry in backups_in(&folder) {
        fs::rename(&entry, moved.path().join(entry.file_name().unwrap())).unwrap();
    }
    let restored = Daemon::start_in(moved, &[]);
    assert!(radius::accepts(restored.auth(), "user00003", "pass00003"));
    assert!(!radius::accepts(restored.auth(), "user00003", "pass00004"));
    let sessions = good(&restored.run(&["export", "sessions"]));
    let line = sessions
        .lines()
        .find(|line| line.contains("backed-up"))
        .unwrap();
    assert!(line.contains(",700,7000"), "{line}");
    let doctor = good(&restored.run(&["doctor"]));
    assert!(!doctor.contains("BAD"), "{doctor}");

    // In the place of the old data, which is kept whole.
    let said = good(&restore(&file, daemon.data_dir(), &["--replace"], WORDS));
    assert!(said.contains("Restored to"), "{said}");
    daemon.restart();
    let sessions = good(&daemon.run(&["export", "sessions"]));
    assert!(sessions.contains(",700,7000"), "as of the backup");
    assert!(radius::accepts(daemon.auth(), "user00003", "pass00003"));
    let kept = backups_in(daemon.data_dir())
        .into_iter()
        .find(|path| path.to_string_lossy().contains("before-restore-"))
        .expect("the old data");
    daemon.stop();
    let mut export = command(&["export", "sessions", "--data-dir"]);
    let old = good(&export.arg(&kept).output().unwrap());
    assert!(old.contains(",900,9000"), "as of the stop");
}

#[test]
fn a_kill_in_the_middle_leaves_no_backup_and_the_next_one_cleans_up() {
    let mut daemon = demo(300, 0, 60, &[]);
    set_passphrase(&daemon);
    let folder = daemon.data_dir().join("backups");
    let work = daemon.data_dir().join("backup-work");
    for wanted in ["backup-work", ".enc.part"] {
        let mut child = daemon
            .command(&["backup"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let is_begun = || match wanted {
            "backup-work" => work.exists(),
            ending => backups_in(&folder)
                .iter()
                .any(|path| path.to_string_lossy().ends_with(ending)),
        };
        until(is_begun);
        daemon.kill9();
        child.wait().unwrap();
        let whole = backups_in(&folder)
            .into_iter()
            .filter(|path| path.to_string_lossy().ends_with(".enc"));
        assert_eq!(whole.count(), 0, "killed at {wanted}");
        daemon.restart();
        assert!(!work.exists(), "no copy in clear stays");
        assert_eq!(backups_in(&folder).len(), 0);
    }
    good(&daemon.run(&["backup"]));
    let left = backups_in(&folder);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].to_string_lossy().ends_with(".enc"));
    assert!(!work.exists());
}

async fn press(browser: &Browser, form: &str) {
    let button = format!("form[action='{form}'] button:not(.icon-button)");
    let found = browser.client.find(Locator::Css(&button)).await;
    let found = found.unwrap_or_else(|error| panic!("no {form}: {error}"));
    found.click().await.unwrap();
}

#[test]
fn a_restore_on_the_page_starts_the_appliance_anew_on_it() {
    let daemon = demo(10, 0, 0, &[]);
    with_browser(DESKTOP, async |browser| {
        first_run(browser, &daemon).await;
        let page = format!("http://{}/settings/backups", daemon.web());
        browser.open_page(&page).await;
        fill(browser, "passphrase", WORDS).await;
        fill(browser, "passphrase_again", WORDS).await;
        press(browser, "/settings/backups/passphrase").await;
        wait_for_text(browser, "The passphrase is set").await;
        press(browser, "/settings/backups/create").await;
        wait_for_text(browser, "Proven").await;
        browser.screenshot("backups").await;
        browser.assert_quiet_console();
        let name = backups_in(&daemon.data_dir().join("backups"));
        let name = name[0].file_name().unwrap().to_str().unwrap().to_owned();
        good(&daemon.run(&["operator", "add", "later"]));

        browser.open_page(&format!("{page}/{name}/restore")).await;
        press(browser, &format!("/settings/backups/{name}/restore")).await;
        let lines = || daemon.process().stdout.text();
        let ready = || {
            lines()
                .lines()
                .filter(|line| line.starts_with("ready "))
                .count()
        };
        until(|| ready() == 2);
        let line = lines();
        let line = line.lines().last().unwrap();
        let web = line
            .split(' ')
            .find_map(|word| word.strip_prefix("web="))
            .unwrap();
        // The browser was signed in when the backup was made.
        browser.open_page(&format!("http://{web}/")).await;
        wait_for_text(browser, "Dashboard").await;
    });
    let gone = daemon.run(&["operator", "reset-password", "later"]);
    let refusal = refused(&gone);
    assert!(refusal.contains("does not exist"), "{refusal}");
}
