//! What the Debian package is made of fits the program. The package itself is tested by `make test-package`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::daemon::command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What a program prints; it must be there and succeed.
fn output(program: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error} (`make deps` installs what the tests need)",
                program.display()
            )
        });
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        ran.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    text
}

#[test]
fn the_package_has_the_version_of_the_program() {
    let changelog = read("debian/changelog");
    let first = changelog.lines().next().unwrap();
    let expected = format!("proxpanel ({}) ", env!("CARGO_PKG_VERSION"));
    assert!(first.starts_with(&expected), "{first}");
}

#[test]
fn the_package_knows_the_version_of_the_store() {
    let printed = output(&root().join("packaging/store-version"), &[]);
    assert_eq!(
        printed.trim(),
        proxpanel::store::newest_version().to_string()
    );
}

#[test]
fn the_units_expose_at_most_two_of_ten() {
    for unit in [
        "debian/proxpanel.service",
        "debian/proxpanel.proxpanel-vendor.service",
    ] {
        let analyzed = output(
            Path::new("systemd-analyze"),
            &[
                "security",
                "--no-pager",
                "--offline=true",
                "--threshold=20",
                unit,
            ],
        );
        assert!(analyzed.contains("Overall exposure level"), "{analyzed}");
    }
}

#[test]
fn the_vendors_unit_is_closed_like_that_of_the_appliance() {
    let appliance = read("debian/proxpanel.service");
    let vendor = read("debian/proxpanel.proxpanel-vendor.service");
    let closing = [
        "Ambient",
        "Capability",
        "Device",
        "Keyring",
        "Lock",
        "Memory",
        "NoNew",
        "Private",
        "Protect",
        "RemoveIPC",
        "Restrict",
        "SystemCall",
        "UMask",
    ];
    let lines = appliance
        .lines()
        .filter(|line| closing.iter().any(|word| line.starts_with(word)));
    let mut compared = 0;
    for line in lines {
        // It lists no addresses of the machine.
        let expected = line.strip_suffix(" AF_NETLINK").unwrap_or(line);
        assert!(vendor.lines().any(|found| found == expected), "{expected}");
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
    assert!(vendor.contains("\nUser=proxpanel-vendor\n"));
}

#[test]
fn the_unit_keeps_one_right_and_is_watched() {
    let unit = read("debian/proxpanel.service");
    for line in [
        "Type=notify",
        "ExecStartPre=/usr/bin/proxpanel check-config",
        r#"ExecReload=/bin/sh -c "kill -HUP $MAINPID""#,
        "WatchdogSec=60",
        "Restart=always",
        "User=proxpanel",
        "StateDirectory=proxpanel",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "MemoryAccounting=yes",
    ] {
        let count = unit.lines().filter(|found| *found == line).count();
        assert_eq!(count, 1, "{line}");
    }
}

/// The commands that `--help` shows.
fn commands() -> Vec<String> {
    let help = command(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap();
    let names = listed.lines().take_while(|line| !line.is_empty());
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_command_is_in_the_manual_page_and_in_the_completions() {
    let commands = commands();
    assert!(commands.len() > 8, "{commands:?}");
    assert!(!commands.contains(&"completions".to_owned()));
    let manual = read("docs/proxpanel.8");
    for name in &commands {
        let entry = format!(".It Cm {name}");
        assert!(
            manual.lines().any(|line| line.starts_with(&entry)),
            "{entry}"
        );
    }
    for shell in ["bash", "zsh", "fish"] {
        let printed = command(&["completions", shell]).output().unwrap();
        let script = String::from_utf8(printed.stdout).unwrap();
        for name in &commands {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}
