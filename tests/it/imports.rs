//! Lists of subscribers on the command line: looked at, imported and taken back by the real program, with a daemon and without one.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::appliance::demo;
use crate::backups::good;
use crate::support::daemon::Daemon;
use crate::support::radius::accepts;

/// As a program of before wrote it: Windows-1256, its own headings, a row that is no subscriber.
const OLD: &[u8] = b"konto;kennwort;profile;name;gone\r\n\
    ali;pw-of-ali;Gold;\xda\xe1\xed;key-123\r\n\
    omar;pw-of-omar;gold plus;Omar;\r\n\
    b d;pw-of-bd;Gold;;\r\n\
    user00000;pw-of-old;Gold;;\r\n";
const READING: [&str; 7] = [
    "--column",
    "konto=username",
    "--column",
    "2=password",
    "--same-plan",
    "gold plus=1",
    "--new-plan-speed=20M/5M",
];

fn import(daemon: &Daemon, verb: &str, file: &Path, more: &[&str]) -> Output {
    let mut command = daemon.command(&["import", verb]);
    let output = command.arg(file).args(READING).args(more).output().unwrap();
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        assert!(!text.contains("pw-of"), "{text}");
        assert!(!text.contains("key-123"), "{text}");
    }
    output
}

/// What a command that fails prints, and why it failed.
#[track_caller]
fn refused(output: &Output) -> (String, String) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_list_is_looked_at_imported_and_taken_back_with_the_daemon_up_and_down() {
    let mut daemon = demo(3, 0, 0, &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("old.csv");
    fs::write(&file, OLD).unwrap();
    for (is_up, number) in [(true, 1), (false, 2)] {
        if !is_up {
            daemon.stop();
        }
        let (said, why) = refused(&import(&daemon, "look", &file, &[]));
        for line in [
            "4 rows, written in windows-1256\n",
            "      2  to be added\n",
            "      1  here already, left as they are\n",
            "      1  with a problem\n",
            "      1  konto: User name, such as ali | omar | b d\n",
            "      2  kennwort: Password\n",
            "      4  name: Full name, such as علي | Omar\n",
            "      5  gone: left out, such as xxx-000\n",
            "      1  Gold: it is not here, and is made\n",
            "\n  ali, علي, Gold, Active\n",
            "\n  line 4, b d: User name: No spaces or control characters\n",
        ] {
            assert!(said.contains(line), "{line}: {said}");
        }
        let expected = "proxpanel: 1 row has a problem. Correct the file, or leave such rows out\n";
        assert_eq!(why, expected);
        let applied = refused(&import(&daemon, "apply", &file, &[]));
        assert_eq!(applied, (String::new(), expected.to_owned()));
        let looked = good(&import(&daemon, "look", &file, &["--leave-out"]));
        assert_eq!(looked, said);

        let done = good(&import(&daemon, "apply", &file, &["--leave-out"]));
        let expected = format!(
            "Import {number}: 2 subscribers were added, 2 rows were left out\n\
            Plans made, with a price of 0: Gold\n\
            To take it back within 7 days: proxpanel import undo {number}\n"
        );
        assert_eq!(done, expected);
        if is_up {
            assert!(accepts(daemon.auth(), "ali", "pw-of-ali"));
            assert!(accepts(daemon.auth(), "user00000", "pass00000"));
        }
        let again = refused(&import(&daemon, "look", &file, &["--leave-out"]));
        assert_eq!(again.1, "proxpanel: No row can be imported.\n");

        let listed = good(&daemon.run(&["import", "list"]));
        let newest = listed.lines().next().unwrap();
        let expected = format!(
            "  import {number}  by command line  old.csv  2 added, 2 left out  can be taken back"
        );
        assert!(newest.ends_with(&expected), "{listed}");
        let undo = || daemon.run(&["import", "undo", &number.to_string()]);
        assert_eq!(
            good(&undo()),
            format!("Import {number} is taken back: 2 subscribers were deleted\n")
        );
        let (_, why) = refused(&undo());
        assert_eq!(why, "proxpanel: This import was taken back already.\n");
        let (_, why) = refused(&daemon.run(&["import", "undo", "9"]));
        assert_eq!(why, "proxpanel: this import does not exist (any more)\n");
        if is_up {
            assert!(!accepts(daemon.auth(), "ali", "pw-of-ali"));
        }
    }
    daemon.restart();
    assert!(accepts(daemon.auth(), "user00000", "pass00000"));
    let listed = good(&daemon.run(&["import", "list"]));
    assert_eq!(listed.matches("taken back on").count(), 2, "{listed}");
}

#[test]
fn a_list_comes_from_standard_input_too_and_one_that_is_none_is_refused() {
    let mut daemon = demo(3, 0, 0, &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let large = elsewhere.path().join("large.csv");
    fs::write(&large, vec![b'a'; (8 << 20) + 1]).unwrap();
    let empty = elsewhere.path().join("empty.csv");
    fs::write(&empty, "").unwrap();
    for is_up in [true, false] {
        if !is_up {
            daemon.stop();
        }
        let name = format!("from-a-pipe-{is_up}");
        let list = format!("user,plan\n{name},1\n");
        let mut apply = daemon.command(&["import", "apply", "-", "--same-plan", "1=1"]);
        let done = good(&piped(&mut apply, list.as_bytes()));
        assert!(done.contains("1 subscriber was added, 0 rows"), "{done}");
        let listed = good(&daemon.run(&["import", "list"]));
        assert!(listed.contains("  standard input  1 added"), "{listed}");

        let why = |file: &Path| refused(&import(&daemon, "look", file, &[])).1;
        let large = why(&large);
        assert!(large.contains("large.csv is larger than 8 MB"), "{large}");
        assert!(why(&empty).contains("file: The file is empty"));
        let absent = why(&elsewhere.path().join("absent.csv"));
        assert!(absent.contains("cannot read "), "{absent}");
        assert!(why(elsewhere.path()).contains("cannot read "));
        let unknown = refused(&daemon.run(&["import", "look", "/dev/null", "--charset=ebcdic"])).1;
        assert!(unknown.contains("charset: ebcdic is none of"), "{unknown}");
    }
}

fn piped(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;

/// Only root can try this: what it imports into a folder of the daemon's user is read by root and written by that user.
#[test]
fn root_reads_the_list_and_the_owner_of_the_data_imports_it() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let mut daemon = demo(3, 0, 0, &[]);
    daemon.stop();
    let folder = daemon.data_dir().to_owned();
    give_away(&folder);
    // The program itself, where everybody can run it.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = elsewhere.path().join("proxpanel");
    fs::copy(env!("CARGO_BIN_EXE_proxpanel"), &program).unwrap();
    let list = elsewhere.path().join("list.csv");
    fs::write(&list, "user,password,plan\nali,pw-of-ali,Gold\n").unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).arg("--data-dir").arg(&folder);
        command
    };
    let list = list.to_str().unwrap();
    let done = good(&run(&["import", "apply", list]).output().unwrap());
    assert!(done.starts_with("Import 1: 1 subscriber was added"));
    let more = b"user,plan\nomar,Gold\n";
    let done = good(&piped(&mut run(&["import", "apply", "-"]), more));
    assert!(done.starts_with("Import 2: 1 subscriber was added"));
    let listed = good(&run(&["import", "list"]).output().unwrap());
    assert!(listed.contains("  list.csv  1 added"), "{listed}");
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let owner = entry.metadata().unwrap().uid();
        assert_eq!(owner, NOBODY, "{}", entry.path().display());
    }
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            give_away(&entry.path());
        }
    }
}
