//! The commands of both sides of a licence, with the real binary: `proxpanel vendor` while it serves and while it does not.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::daemon::{Daemon, command};
use crate::support::process::{Process, said};

const PATIENCE: Duration = Duration::from_secs(60);

fn vendor(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(&["vendor"]);
    command.args(arguments).arg("--data-dir").arg(folder);
    command
}

#[track_caller]
fn runs(folder: &Path, arguments: &[&str], texts: &[&str]) -> String {
    let output = vendor(folder, arguments).output().expect("vendor runs");
    let said = said(&output);
    assert!(output.status.success(), "{arguments:?}: {said}");
    for text in texts {
        assert!(said.contains(text), "{arguments:?}: no {text} in {said}");
    }
    said
}

#[track_caller]
fn fails(folder: &Path, arguments: &[&str], text: &str) {
    let output = vendor(folder, arguments).output().expect("vendor runs");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(text), "{arguments:?}: no {text} in {said}");
}

#[test]
fn a_vendor_is_run_from_the_command_line() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path().join("vendor");
    fails(&place, &["list"], "holds no vendor yet");
    let made = runs(
        &place,
        &["init", "--host", "127.0.0.1"],
        &[
            "Password of the page: ",
            "vendor_key = \"",
            "vendor_pin = \"",
        ],
    );
    fails(&place, &["init"], "holds a vendor already");
    let key = runs(&place, &["key"], &["vendor_key"]);
    assert!(made.ends_with(&key));

    // Without a server the folder is opened; with one it is asked.
    let terms = ["--subscribers", "1500", "--days", "365"];
    let issue = |name: &'static str| [&["issue", name][..], &terms].concat();
    runs(
        &place,
        &issue("Cedar Net"),
        &["Licence 1 for Cedar Net", "Key: PROX-"],
    );
    let mut server = Process::start(vendor(&place, &["serve", "--listen", "127.0.0.1:0"]));
    let ready = server.stdout.wait_for(PATIENCE, |line| {
        line.strip_prefix("ready https=").map(str::to_owned)
    });
    let address = ready.unwrap_or_else(|| panic!("not ready\n{}", server.output()));
    assert!(std::net::TcpStream::connect(&address).is_ok());
    runs(&place, &issue("Birch Net"), &["Licence 2 for Birch Net"]);
    runs(
        &place,
        &["revoke", "1", "--reason", "Unpaid"],
        &["Licence 1 is revoked"],
    );
    runs(
        &place,
        &["list"],
        &["Revoked", "Cedar Net", "Not activated", "Birch Net"],
    );
    runs(&place, &["renew", "1"], &["Licence 1 has new terms"]);
    runs(
        &place,
        &["list", "cedar"],
        &["Not activated", "subscribers 0 of any, ends never"],
    );
    runs(&place, &["move", "2"], &["Licence 2 is free"]);
    fails(
        &place,
        &["move", "9"],
        "there is no licence with this number",
    );
    fails(&place, &["issue", " "], "customer: Needed");
    assert!(server.stop(PATIENCE).success());
    runs(&place, &["list", "birch"], &["0 of 1,500"]);
}

#[test]
fn an_appliance_without_a_vendor_says_that_it_needs_no_licence() {
    let daemon = Daemon::start(&[]);
    let output = daemon.run(&["license", "status"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).starts_with("No licence is needed."),
        "{}",
        said(&output)
    );
    for arguments in [
        &["license", "activate", "PROX-22222-22222-22222-22222"][..],
        &["license", "register", "Cedar", "noc@cedar.example"],
        &["license", "deactivate"],
    ] {
        let output = daemon.run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).contains("No vendor is configured"),
            "{}",
            said(&output)
        );
    }
}
