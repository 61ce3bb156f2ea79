//! Backups leave the machine: the real daemon, its page, and servers of files that strangers wrote.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proxpanel::crypto::Secret;
use proxpanel::remote::{Protocol, Server};

use crate::appliance::demo;
use crate::backups::{WORDS, backups_in, good, restore, set_passphrase, until};
use crate::certificates::{HTTPS, operator, operator_named};
use crate::support::daemon::Daemon;
use crate::support::file_servers::{Asks, Behaves, FileServer, PASSWORD};
use crate::support::https::{Answer, Operator};

const PAGE: &str = "/settings/backups";
const PLACE: &str = "/settings/backups/destination";
const TEST: &str = "/settings/backups/destination/test";

/// A daemon with a passphrase for backups, and its administrator.
fn isp() -> (Daemon, Operator) {
    let daemon = demo(40, 20, 3, &HTTPS);
    set_passphrase(&daemon);
    let operator = operator(&daemon);
    (daemon, operator)
}

/// The form as the owner fills it in for a server.
fn choose(operator: &Operator, server: &Server, keep: &str) -> Answer {
    let identity = server.identity.clone().unwrap_or_default();
    let fields = [
        ("protocol", server.protocol.word()),
        ("host", server.host.as_str()),
        ("port", &server.port.to_string()),
        ("server_user", server.user.as_str()),
        ("server_password", server.password.expose().as_str()),
        ("folder", server.folder.as_str()),
        ("keep_there", keep),
        ("identity", identity.as_str()),
    ];
    operator.post(PAGE, PLACE, &fields)
}

#[track_caller]
fn chosen(operator: &Operator, server: &Server, keep: &str) {
    let saved = choose(operator, server, keep);
    assert_eq!(saved.status, 303, "{}", saved.body);
}

/// Presses the button, and returns what the page says.
#[track_caller]
fn tested(operator: &Operator, status: u16, said: &str) -> String {
    let answer = operator.post(PAGE, TEST, &[]);
    assert_eq!(answer.status, status, "{}", answer.body);
    // Apostrophes and quotation marks are written otherwise on a page.
    assert!(answer.body.contains(said), "no {said} in {}", answer.body);
    answer.body
}

fn names(folder: &Path) -> Vec<String> {
    let names = backups_in(folder).into_iter();
    let mut names: Vec<String> = names
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Makes a backup by the command line; returns its file.
fn make(daemon: &Daemon) -> PathBuf {
    let said = good(&daemon.run(&["backup"]));
    assert!(said.contains("It is sent to "), "{said}");
    PathBuf::from(said.lines().next().unwrap())
}

#[test]
fn a_backup_goes_to_each_kind_of_server_and_comes_back_on_a_blank_machine() {
    let (daemon, operator) = isp();
    for protocol in Protocol::ALL {
        let there = FileServer::start(protocol);
        let mut server = there.server.clone();
        server.folder = "isp/backups".to_owned();
        chosen(&operator, &server, "3");
        if let Some(shown) = &there.identity {
            // Nothing is sent to a stranger, not even by the schedule.
            let page = tested(&operator, 422, "Is this your server?");
            assert!(page.contains(shown.as_str()), "{page}");
            let trusted = operator.post(PAGE, &format!("{PLACE}/trust"), &[("shown", shown)]);
            assert_eq!(trusted.status, 303, "{}", trusted.body);
        }
        tested(&operator, 303, "");
        let folder = there.folder.path().join("isp/backups");
        assert_eq!(names(&folder), [""; 0], "nothing is left of the test");

        let made = make(&daemon);
        let name = made.file_name().unwrap().to_str().unwrap();
        let arrived = folder.join(name);
        until(|| arrived.exists());
        assert!(fs::read(&arrived).unwrap() == fs::read(&made).unwrap());
        until(|| operator.get(PAGE).body.contains(">Sent<"));
        let listed = good(&daemon.run(&["backup", "list"]));
        assert!(listed.contains("; sent"), "{listed}");

        let blank = tempfile::tempdir().unwrap();
        let restored = good(&restore(&arrived, &blank.path().join("data"), &[], WORDS));
        assert!(restored.contains("40 subscribers"), "{restored}");
        // The next one is made in another second, and is the first on the page.
        let removed = operator.post(PAGE, &format!("{PAGE}/{name}/delete"), &[]);
        assert_eq!(removed.status, 303);

        let is_plain = protocol == Protocol::Ftp;
        let page = operator.get(PAGE).body;
        assert_eq!(page.contains("FTP encrypts nothing"), is_plain);
        for shown in [page, operator.get("/audit").body, daemon.process().output()] {
            assert!(!shown.contains(PASSWORD), "{protocol:?}: {shown}");
        }
    }
    let home = operator.get("/").body;
    assert!(home.contains("Last on another machine"), "{home}");
    let off = operator.post(PAGE, PLACE, &[("protocol", "off")]);
    assert_eq!(off.status, 303);
    assert!(
        operator
            .get(PAGE)
            .body
            .contains("Backups stay on this machine")
    );
    assert!(!good(&daemon.run(&["backup"])).contains("It is sent to"));
}

#[test]
fn what_is_wrong_with_a_server_is_said_and_the_backup_here_stays_good() {
    let (daemon, operator) = isp();
    for protocol in Protocol::ALL {
        let there = FileServer::start_so(protocol, Asks::Password, Behaves::Dies);
        let mut wrong = there.trusted();
        wrong.password = Secret::new("wrong-pass-0815".to_owned());
        chosen(&operator, &wrong, "3");
        tested(&operator, 422, "refused the user name or the password");
        if protocol != Protocol::Ftp {
            let mut impostor = there.trusted();
            impostor.identity = Some(match protocol {
                Protocol::Sftp => format!("SHA256:{}", "A".repeat(43)),
                _ => "00".repeat(32),
            });
            chosen(&operator, &impostor, "3");
            let page = tested(&operator, 422, "This is another server than before");
            assert!(!page.contains("Trust this server"), "{page}");
        }
        chosen(&operator, &there.trusted(), "3");
        let made = make(&daemon);
        until(|| operator.get(PAGE).body.contains(">Not sent<"));
        let page = operator.get(PAGE).body;
        assert!(page.contains(">Proven<"), "{page}");
        assert!(page.contains("The newest backup is on this machine only."));
        let name = made.file_name().unwrap().to_str().unwrap();
        assert!(!there.folder.path().join(name).exists());
        tested(&operator, 422, "cannot be reached");
        // A person may send it at once, and again.
        let well = FileServer::start(protocol);
        chosen(&operator, &well.trusted(), "3");
        let sent = operator.post(PAGE, &format!("{PAGE}/{name}/send"), &[]);
        assert_eq!(sent.status, 303, "{}", sent.body);
        until(|| operator.get(PAGE).body.contains(">Sent<"));
        assert_eq!(names(well.folder.path()), [name]);
        let page = operator.get(PAGE).body;
        assert!(!page.contains("The newest backup is on this machine only."));
        operator.post(PAGE, &format!("{PAGE}/{name}/delete"), &[]);
    }
    let log = daemon.process().output();
    assert!(!log.contains("wrong-pass-0815") && !log.contains(PASSWORD));
}

#[test]
fn elsewhere_the_newest_stay_and_nothing_of_others_goes() {
    let (daemon, operator) = isp();
    let old = |day: u32| format!("backup_2020-01-{day:02}_03-00-00.enc");
    for protocol in Protocol::ALL {
        let there = FileServer::start(protocol);
        let folder = there.folder.path();
        let theirs = ["photos.zip", "backup_2020-01-01.enc", "notes.enc.part"];
        let torn = format!("{}.part", old(4));
        let ours = [1, 2, 3].map(old);
        for name in theirs
            .iter()
            .copied()
            .chain(ours.iter().map(String::as_str))
        {
            fs::write(folder.join(name), name).unwrap();
        }
        fs::write(folder.join(&torn), "torn").unwrap();
        chosen(&operator, &there.trusted(), "2");
        let made = make(&daemon);
        let name = made.file_name().unwrap().to_str().unwrap().to_owned();
        until(|| !folder.join(&torn).exists());
        let mut left = vec![old(3), name.clone()];
        left.extend(theirs.map(str::to_owned));
        left.sort();
        assert_eq!(names(folder), left, "{protocol:?}");
        until(|| operator.get(PAGE).body.contains(">Sent<"));
        operator.post(PAGE, &format!("{PAGE}/{name}/delete"), &[]);
    }
}

#[test]
fn an_upload_that_stands_still_is_stopped_by_a_person_and_by_the_end_of_the_daemon() {
    let (mut daemon, operator) = isp();
    for protocol in [Protocol::Sftp, Protocol::Ftp] {
        let there = FileServer::start_so(protocol, Asks::Password, Behaves::Hangs);
        chosen(&operator, &there.trusted(), "2");
        let made = make(&daemon);
        let is_sending = || {
            operator
                .get(PAGE)
                .body
                .contains("talking to the other machine")
        };
        until(is_sending);
        let stopped = operator.post(PAGE, &format!("{PAGE}/cancel"), &[]);
        assert!(stopped.status < 400, "{}", stopped.body);
        until(|| operator.get(PAGE).body.contains("it was cancelled"));
        let name = made.file_name().unwrap().to_str().unwrap();
        assert!(!there.folder.path().join(name).exists());
        // The outcome is kept before the turn is over.
        until(|| !is_sending());
        let again = operator.post(PAGE, &format!("{PAGE}/{name}/send"), &[]);
        assert_eq!(again.status, 303, "{}", again.body);
        until(is_sending);
        if protocol == Protocol::Ftp {
            daemon.stop();
            daemon.restart();
            let listed = good(&daemon.run(&["backup", "list"]));
            assert!(listed.contains("NOT SENT: "), "{listed}");
            return;
        }
        operator.post(PAGE, &format!("{PAGE}/cancel"), &[]);
        until(|| !is_sending());
        operator.post(PAGE, &format!("{PAGE}/{name}/delete"), &[]);
    }
}

#[test]
fn a_restored_copy_leaves_the_originals_backups_alone_until_a_person_says_so() {
    let (daemon, original) = isp();
    let there = FileServer::start(Protocol::Sftp);
    chosen(&original, &there.trusted(), "1");
    let made = make(&daemon);
    let name = made.file_name().unwrap().to_str().unwrap();
    until(|| original.get(PAGE).body.contains(">Sent<"));

    let folder = tempfile::tempdir().unwrap();
    good(&restore(&made, folder.path(), &[], WORDS));
    let copy = Daemon::start_in(folder, &HTTPS);
    let operator = operator_named(&copy, "maya");
    // One of its own would be the newest there, and push the original's out. Names have the second in them.
    let second = |path: &Path| fs::metadata(path).unwrap().mtime();
    let probe = copy.data_dir().join("probe");
    until(|| {
        fs::write(&probe, "").unwrap();
        second(&probe) > second(&made)
    });
    let said = good(&copy.run(&["backup"]));
    assert!(
        said.contains("sending is paused since the restore"),
        "{said}"
    );
    let doctor = good(&copy.run(&["doctor", "--quick"]));
    assert!(
        doctor.contains("sending to the other machine is paused since the restore of"),
        "{doctor}"
    );
    let page = operator.get(PAGE).body;
    assert!(page.contains("Sending is paused"), "{page}");
    assert!(page.contains("Backups stay on this machine."), "{page}");
    let own = page.split(".enc/restore").next().unwrap();
    let own = own.rsplit('/').next().unwrap().to_owned() + ".enc";
    assert!(own.as_str() > name, "{own}");
    let pressed = operator.post(PAGE, &format!("{PAGE}/{own}/send"), &[]);
    assert_eq!(pressed.status, 303, "{}", pressed.body);
    until(|| operator.get(PAGE).body.contains("Resume it in Settings"));
    let home = operator.get("/").body;
    assert!(home.contains("paused since the restore"), "{home}");
    tested(&operator, 303, "");
    assert_eq!(names(there.folder.path()), [name]);

    let resumed = operator.post(PAGE, &format!("{PLACE}/resume"), &[]);
    assert_eq!(resumed.status, 303, "{}", resumed.body);
    until(|| operator.get(PAGE).body.contains(">Sent<"));
    until(|| names(there.folder.path()) == [own.as_str()]);
    let audit = operator.get("/audit").body;
    assert!(audit.contains("paused since the restore of"), "{audit}");
    assert!(!operator.get(PAGE).body.contains("Sending is paused"));
}
