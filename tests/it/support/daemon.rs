//! The real `proxpanel` daemon on free ports and in a folder of its own.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use tempfile::TempDir;

use super::process::Process;

/// A daemon that is not ready by then has failed. Generous, because the machine may be busy with other tests.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Stopping writes what is queued, and closes the store.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The addresses of one running daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    pub web: Vec<SocketAddr>,
    /// Empty unless a test asks for it with `--https-listen`.
    pub https: Vec<SocketAddr>,
    pub auth: Vec<SocketAddr>,
    pub acct: Vec<SocketAddr>,
    pub radsec: Vec<SocketAddr>,
}

impl Addresses {
    /// Reads `ready web=ADDR https=ADDR auth=ADDR acct=ADDR radsec=ADDR`. Each word may be repeated. `None` for any other line.
    fn parse(line: &str) -> Option<Self> {
        let mut addresses = Self::default();
        for word in line.strip_prefix("ready ")?.split(' ') {
            let (key, address) = word.split_once('=')?;
            let list = match key {
                "web" => &mut addresses.web,
                "https" => &mut addresses.https,
                "auth" => &mut addresses.auth,
                "acct" => &mut addresses.acct,
                "radsec" => &mut addresses.radsec,
                _ => continue,
            };
            list.push(address.parse().ok()?);
        }
        let complete =
            !(addresses.web.is_empty() || addresses.auth.is_empty() || addresses.acct.is_empty());
        complete.then_some(addresses)
    }
}

/// A folder with data, and the daemon that serves it. Dropping it kills the daemon and removes the folder.
pub struct Daemon {
    folder: TempDir,
    program: PathBuf,
    arguments: Vec<String>,
    /// `None` between `stop` or `kill9` and `restart`.
    process: Option<Process>,
    addresses: Addresses,
}

impl Daemon {
    /// Starts a daemon on an empty folder. `arguments` are added to `serve`; a `--web-listen`, `--auth-listen`,
    /// `--acct-listen` or `--radsec-listen` among them replaces the default of 127.0.0.1 with a free port.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("temporary folder"), arguments)
    }

    /// Starts a daemon on a folder that a test has filled, for example with `proxpanel demo`.
    pub fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        Self::start_program(
            Path::new(env!("CARGO_BIN_EXE_proxpanel")),
            folder,
            arguments,
        )
    }

    fn start_program(program: &Path, folder: TempDir, arguments: &[&str]) -> Self {
        let mut daemon = Self {
            folder,
            program: program.to_path_buf(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            process: None,
            addresses: Addresses::default(),
        };
        daemon.restart();
        daemon
    }

    /// Starts it again on the same folder, after stopping it if it runs. The ports are new ones.
    pub fn restart(&mut self) {
        if self.process.is_some() {
            self.stop();
        }
        let mut command = self.command(&["serve"]);
        for listen in [
            "--web-listen",
            "--auth-listen",
            "--acct-listen",
            "--radsec-listen",
        ] {
            if !self.arguments.iter().any(|argument| argument == listen) {
                command.args([listen, "127.0.0.1:0"]);
            }
        }
        command.args(&self.arguments);
        let process = Process::start(command);
        let Some(addresses) = process.stdout.wait_for(READY_LIMIT, Addresses::parse) else {
            // When it ended, its last words may still be on their way.
            process.stderr.wait_for_end(Duration::from_secs(1));
            panic!(
                "the daemon printed no ready line within {READY_LIMIT:?}\n{}",
                process.output()
            );
        };
        self.addresses = addresses;
        self.process = Some(process);
    }

    /// Waits until it says for the `count`th time that it is ready, as after a restart from the panel, and takes the new ports
    /// over.
    pub fn await_ready(&mut self, count: usize) {
        let process = self.process();
        let ready = |lines: &VecDeque<String>| {
            let ready = lines.iter().filter_map(|line| Addresses::parse(line));
            ready.count() >= count
        };
        let is_ready = process.stdout.wait_for_all(READY_LIMIT, ready);
        assert!(is_ready, "not ready again\n{}", process.output());
        let text = process.stdout.text();
        let last = text.lines().filter_map(Addresses::parse).next_back();
        self.addresses = last.expect("a ready line");
    }

    /// Ends it at once, as a crash would.
    pub fn kill9(&mut self) {
        self.process.take().expect("the daemon runs").kill();
    }

    /// Asks it to stop (SIGTERM), and returns how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.process
            .take()
            .expect("the daemon runs")
            .stop(STOP_LIMIT)
    }

    /// A `proxpanel` command on this daemon's folder, for example `["export", "sessions"]`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = proxpanel(&self.program, arguments);
        command.arg("--data-dir").arg(self.data_dir());
        command
    }

    /// Runs such a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("proxpanel starts")
    }

    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The first address of the panel.
    pub fn web(&self) -> SocketAddr {
        self.addresses.web[0]
    }

    /// The first address of the panel over HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.addresses.https[0]
    }

    /// The first authentication address.
    pub fn auth(&self) -> SocketAddr {
        self.addresses.auth[0]
    }

    /// The first accounting address.
    pub fn acct(&self) -> SocketAddr {
        self.addresses.acct[0]
    }

    /// The first RadSec address.
    pub fn radsec(&self) -> SocketAddr {
        self.addresses.radsec[0]
    }

    /// The running process: its output, its id, other signals.
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("the daemon runs")
    }
}

/// A `proxpanel` command without a folder, for example `["check-config"]`.
pub fn command(arguments: &[&str]) -> Command {
    proxpanel(Path::new(env!("CARGO_BIN_EXE_proxpanel")), arguments)
}

/// Variables of the person who runs the tests must not reach the program under test.
fn proxpanel(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("JOURNAL_STREAM")
        .env_remove("NOTIFY_SOCKET");
    command
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A stand-in that keeps the daemon's promises, so that this file is tested without one. It counts its starts in
    /// the data folder, notes its arguments, and obeys SIGTERM.
    const STAND_IN: &str = r#"#!/bin/sh
[ "$1" = serve ] || { echo "ran $*"; exit 3; }
echo "$@" > "$3/arguments"
echo start >> "$3/starts"
trap 'echo stopped >> "$3/starts"; exit 0' TERM
echo "not ready yet"
echo "ready web=127.0.0.1:1 auth=127.0.0.1:2 auth=[::1]:2 acct=127.0.0.1:$(wc -l < "$3/starts")"
while :; do sleep 0.05; done
"#;

    fn stand_in(script: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let source = folder.path().join("stand-in");
        fs::write(&source, script).expect("write");
        fs::set_permissions(&source, fs::Permissions::from_mode(0o755)).expect("chmod");
        // A file that any process still has open for writing cannot be run, and a test on another thread may just
        // be starting a child that inherits our open file. So another program writes the one that is run.
        let program = folder.path().join("proxpanel");
        let copied = Command::new("cp")
            .arg("-p")
            .arg(&source)
            .arg(&program)
            .status();
        assert!(copied.is_ok_and(|status| status.success()));
        (folder, program)
    }

    fn start(script: &str, arguments: &[&str]) -> Daemon {
        let (folder, program) = stand_in(script);
        Daemon::start_program(&program, folder, arguments)
    }

    #[test]
    fn a_ready_line_gives_all_addresses() {
        let address = |text: &str| text.parse::<SocketAddr>().expect(text);
        let parsed = Addresses::parse(
            "ready web=127.0.0.1:8080 https=[::1]:8443 auth=0.0.0.0:1812 auth=[::]:1812 acct=0.0.0.0:1813 radsec=[::]:2083",
        );
        let expected = Addresses {
            web: vec![address("127.0.0.1:8080")],
            https: vec![address("[::1]:8443")],
            auth: vec![address("0.0.0.0:1812"), address("[::]:1812")],
            acct: vec![address("0.0.0.0:1813")],
            radsec: vec![address("[::]:2083")],
        };
        assert_eq!(parsed, Some(expected));
        let not_ready = [
            "",
            "ready",
            "ready web=127.0.0.1:1 auth=127.0.0.1:2",
            "ready web=x auth=127.0.0.1:2 acct=127.0.0.1:3",
            "already web=127.0.0.1:1",
        ];
        for line in not_ready {
            assert_eq!(Addresses::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_daemon_starts_stops_crashes_and_starts_again() {
        let mut daemon = start(STAND_IN, &["--auth-listen", "[::1]:0"]);
        assert_eq!(daemon.web().port(), 1);
        assert_eq!(daemon.auth().port(), 2);
        assert_eq!(daemon.addresses().auth.len(), 2);
        assert_eq!(daemon.acct().port(), 1);
        let folder = daemon.data_dir().display().to_string();
        let arguments = fs::read_to_string(daemon.data_dir().join("arguments")).expect("arguments");
        let expected = format!(
            "serve --data-dir {folder} --web-listen 127.0.0.1:0 --acct-listen 127.0.0.1:0 --radsec-listen 127.0.0.1:0 --auth-listen [::1]:0\n"
        );
        assert_eq!(arguments, expected);

        daemon.kill9();
        daemon.restart();
        assert_eq!(daemon.acct().port(), 2);
        daemon.restart();
        assert_eq!(
            daemon.acct().port(),
            4,
            "the second start and the stop before the third are both noted"
        );
        assert!(daemon.stop().success());
        let starts = fs::read_to_string(daemon.data_dir().join("starts")).expect("starts");
        assert_eq!(starts, "start\nstart\nstopped\nstart\nstopped\n");

        let output = daemon.run(&["export", "sessions"]);
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("ran export sessions --data-dir {folder}\n")
        );
    }

    #[test]
    #[should_panic(expected = "the disk is on fire")]
    fn a_daemon_that_ends_before_it_is_ready_fails_with_its_output() {
        start("#!/bin/sh\necho 'the disk is on fire' >&2\nexit 1\n", &[]);
    }
}
