//! An update from the vendor's command line to the package manager: the real binary on both sides, and the script of root
//! with a package manager that only says what it was asked.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::daemon::{Daemon, command};
use crate::support::process::{Process, said};

const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn runs(mut command: Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = said(&output);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// The word after `label` in a text.
fn word_after<'t>(text: &'t str, label: &str) -> &'t str {
    let (_, rest) = text.split_once(label).unwrap_or_else(|| panic!("{text}"));
    rest.split_whitespace().next().unwrap()
}

/// A real package with nothing in it but what it says of itself.
fn package(folder: &Path, version: &str, architecture: &str) -> PathBuf {
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let control = format!(
        "Package: proxpanel\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: A <a@a.invalid>\nDescription: a\n"
    );
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let file = folder.join("it.deb");
    let mut build = Command::new("dpkg-deb");
    build
        .args(["--root-owner-group", "-b"])
        .arg(&tree)
        .arg(&file);
    runs(build);
    file
}

struct Both {
    folder: tempfile::TempDir,
    _server: Process,
    appliance: Daemon,
    config: PathBuf,
}

impl Both {
    fn vendor(place: &Path, arguments: &[&str]) -> Command {
        let mut command = command(&["vendor"]);
        command.args(arguments).arg("--data-dir").arg(place);
        command
    }

    /// A vendor that serves, and an appliance with a licence of it.
    fn start() -> Both {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("vendor");
        let made = runs(Both::vendor(&place, &["init", "--host", "127.0.0.1"]));
        let issued = runs(Both::vendor(&place, &["issue", "Cedar Net"]));
        let server = Process::start(Both::vendor(&place, &["serve", "--listen", "127.0.0.1:0"]));
        let ready = server.stdout.wait_for(PATIENCE, |line| {
            line.strip_prefix("ready https=").map(str::to_owned)
        });
        let address = ready.unwrap_or_else(|| panic!("not ready\n{}", server.output()));
        let config = folder.path().join("proxpanel.toml");
        let text = format!(
            "[licence]\nvendor_url = \"https://{address}\"\nvendor_key = {}\nvendor_pin = {}\n",
            word_after(&made, "vendor_key = "),
            word_after(&made, "vendor_pin = ")
        );
        fs::write(&config, text).unwrap();
        let appliance = Daemon::start(&["--config", config.to_str().unwrap()]);
        let both = Both {
            folder,
            _server: server,
            appliance,
            config,
        };
        both.ask(&["license", "activate", word_after(&issued, "Key: ")]);
        both
    }

    fn publish(&self, file: &Path, version: &str, architecture: &str) {
        let place = self.folder.path().join("vendor");
        let file = file.to_str().unwrap();
        let arguments = [
            "publish",
            file,
            "--version",
            version,
            "--arch",
            architecture,
        ];
        runs(Both::vendor(
            &place,
            &[&arguments[..], &["--notes", "Better"]].concat(),
        ));
    }

    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.appliance.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    fn spool(&self) -> PathBuf {
        self.appliance.data_dir().join("updates")
    }

    /// Runs the script of root with a package manager that ends with `code`. Says what the script wrote of it.
    fn apply(&self, code: u8) -> String {
        let place = |name: &str| self.folder.path().join(name);
        fs::create_dir_all(place("bin")).unwrap();
        let fake = place("bin/apt-get");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >>{}\necho 'a \"log\"'\nexit {code}\n",
            place("asked").display()
        );
        fs::write(&fake, script).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/apply-update");
        let output = Command::new(script)
            .env("PATH", format!("{}:{path}", place("bin").display()))
            .env("PROXPANEL_UPDATE_SPOOL", self.spool())
            .env("PROXPANEL_UPDATE_FOLDER", place("own"))
            .env(
                "PROXPANEL_UPDATE_USER",
                String::from_utf8(user).unwrap().trim(),
            )
            .env("PROXPANEL_UPDATE_PROGRAM", command(&[]).get_program())
            .env("PROXPANEL_UPDATE_CONFIG", &self.config)
            .output()
            .unwrap();
        let results = fs::read_to_string(place("own/results")).unwrap();
        assert!(!self.spool().join("ready").exists(), "{}", said(&output));
        assert!(!place("own/work").exists());
        let is_ok = results.contains("\"what\":\"ok\"");
        assert_eq!(output.status.success(), is_ok, "{}", said(&output));
        for line in results.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
        }
        results
    }

    /// What the package manager was asked; empty when it was not.
    fn asked(&self) -> String {
        let asked = self.folder.path().join("asked");
        let text = fs::read_to_string(&asked).unwrap_or_default();
        let _ = fs::remove_file(asked);
        text
    }
}

#[test]
fn an_update_goes_from_the_vendor_to_the_package_manager() {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let both = Both::start();
    assert!(
        both.ask(&["update", "check"])
            .contains("is the newest version")
    );
    let file = package(both.folder.path(), "9.0.0", architecture);
    both.publish(&file, "9.0.0", architecture);
    let offered = both.ask(&["update", "check"]);
    assert!(offered.contains("Version 9.0.0 can be had") && offered.contains("Better"));
    let hand_over = || {
        both.ask(&["update", "download"]);
        let ready = both.spool().join("ready");
        // The daemon follows results of /var/lib, where there are none: an update that waits must be out of the way.
        let _ = fs::remove_dir_all(&ready);
        fs::create_dir(&ready).unwrap();
        ready
    };
    both.ask(&["update", "download"]);
    both.ask(&["update", "install"]);
    let ready = both.spool().join("ready");
    let manifest = fs::read(ready.join("manifest")).unwrap();
    let content = fs::read(ready.join("package.deb")).unwrap();
    assert!(
        both.ask(&["update", "history"])
            .contains("to 9.0.0  by command line")
    );
    let results = both.apply(0);
    assert!(results.contains("\"what\":\"started\"") && results.contains("\"what\":\"ok\""));
    assert!(both.asked().contains("install "));

    // The package manager fails: its words are told.
    let put = |package: &[u8], manifest: &[u8]| {
        let ready = hand_over();
        fs::write(ready.join("package.deb"), package).unwrap();
        fs::write(ready.join("manifest"), manifest).unwrap();
        ready
    };
    put(&content, &manifest);
    let results = both.apply(100);
    assert!(results.contains("could not install 9.0.0"), "{results}");
    assert!(results.contains("a \\\"log\\\""), "{results}");
    both.asked();

    // Changed between the hand-over and root: nothing is installed.
    let mut other = content.clone();
    *other.last_mut().unwrap() ^= 1;
    let longer = [&content[..], b"a"].concat();
    for (package, manifest) in [
        (&other[..], &manifest[..]),
        (&longer, &manifest),
        (&content[..20], &manifest),
        (&content, &manifest[1..]),
        (&content, b""),
    ] {
        put(package, manifest);
        let results = both.apply(0);
        assert!(results.contains("not what the vendor signed"), "{results}");
        assert_eq!(both.asked(), "");
    }
    // Links lead to files that are no package, whatever they are.
    let ready = put(&content, &manifest);
    fs::remove_file(ready.join("package.deb")).unwrap();
    symlink("/etc/passwd", ready.join("package.deb")).unwrap();
    let results = both.apply(0);
    assert!(results.contains("not what the vendor signed"), "{results}");
    assert!(!results.contains("root:"), "{results}");
    // An empty folder.
    hand_over();
    assert!(both.apply(0).contains("\"what\":\"failed\""));
    assert_eq!(both.asked(), "");
}

#[test]
fn a_package_that_says_otherwise_than_its_manifest_is_not_installed() {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let both = Both::start();
    let file = package(both.folder.path(), "0.0.1", architecture);
    both.publish(&file, "9.0.0", architecture);
    both.ask(&["update", "check"]);
    both.ask(&["update", "download"]);
    both.ask(&["update", "install"]);
    let results = both.apply(0);
    assert!(
        results.contains("says that it is proxpanel 0.0.1"),
        "{results}"
    );
    assert_eq!(both.asked(), "");
}
