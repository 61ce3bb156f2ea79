//! The daemon as a service: what systemd hears of it, what a reload changes, and how fast it stops.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use proxpanel::telemetry::monotonic;
use tempfile::TempDir;

use crate::support::daemon::{self, Daemon};
use crate::support::process::Process;

/// Generous, because the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon under a service manager that only listens.
struct Service {
    folder: TempDir,
    manager: UnixDatagram,
    process: Process,
}

impl Service {
    fn start(config: &str, variables: &[(&str, &str)]) -> Service {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        fs::write(folder.path().join("proxpanel.toml"), config).unwrap();
        let mut command = daemon::command(&["serve"]);
        for listen in [
            "--web-listen",
            "--auth-listen",
            "--acct-listen",
            "--radsec-listen",
        ] {
            command.args([listen, "127.0.0.1:0"]);
        }
        command
            .arg("--config")
            .arg(folder.path().join("proxpanel.toml"))
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .env("NOTIFY_SOCKET", &socket)
            .envs(variables.iter().copied());
        Service {
            folder,
            manager,
            process: Process::start(command),
        }
    }

    /// The next message, or the daemon's output when none comes.
    fn hears(&self) -> String {
        let mut octets = [0; 1024];
        match self.manager.recv(&mut octets) {
            Ok(length) => String::from_utf8(octets[..length].to_vec()).unwrap(),
            Err(error) => panic!("no message: {error}\n{}", self.process.output()),
        }
    }

    fn configure(&self, config: &str) {
        fs::write(self.folder.path().join("proxpanel.toml"), config).unwrap();
    }

    /// Reloads, and waits until it is over.
    fn reload(&self) -> String {
        self.process.signal("HUP");
        let begun = self.hears();
        let ended = self.hears();
        assert!(ended.starts_with("READY=1\n"), "{ended}");
        begun
    }

    fn logs(&self, words: &str) -> bool {
        let found = |line: &str| line.contains(words).then_some(());
        self.process.stderr.wait_for(PATIENCE, found).is_some()
    }
}

#[test]
fn systemd_hears_ready_when_everything_listens_then_reload_and_stop() {
    let mut service = Service::start("", &[]);
    assert_eq!(service.hears(), "STATUS=Opening the data folder\n");
    let ready = service.hears();
    let status = ready.strip_prefix("READY=1\nSTATUS=").expect(&ready).trim();
    let address = |key: &str| -> SocketAddr {
        let word = status.split(' ').find_map(|word| word.strip_prefix(key));
        word.expect(status).parse().unwrap()
    };
    // No wait: whoever is told that it is ready can talk to it.
    TcpStream::connect(address("web=")).unwrap();
    assert!(address("auth=").port() != address("acct=").port());
    assert!(service.folder.path().join("data/control.sock").exists());
    let line = format!("ready {status}");
    let said = |text: &str| (text == line).then_some(());
    assert!(service.process.stdout.wait_for(PATIENCE, said).is_some());

    let begun = service.reload();
    let stamp = begun
        .strip_prefix("RELOADING=1\nMONOTONIC_USEC=")
        .expect(&begun);
    assert!(stamp.trim().parse::<u64>().unwrap() > 0);

    assert!(service.process.stop(PATIENCE).success());
    assert_eq!(service.hears(), "STOPPING=1\nSTATUS=Stopping\n");
}

#[test]
fn a_reload_changes_the_log_level_and_nothing_else() {
    let service = Service::start("[log]\nlevel = \"error\"", &[]);
    service.hears();
    service.hears();
    service.configure("[log]\nlevel = \"info\"");
    service.reload();
    assert!(service.logs("the configuration was read again level=info"));

    // A mistake in the file is named, and the level stays.
    service.configure("[log]\nlevel = \"loud\"");
    service.reload();
    assert!(service.logs("nothing was reloaded"));
    assert!(service.logs("loud"));

    service.configure("[log]\nlevel = \"info\"\n[radius]\nthreads = 3");
    service.reload();
    assert!(service.logs("hold only after a restart"));
}

#[test]
fn the_watchdog_is_fed_three_times_in_each_period() {
    let service = Service::start("", &[("WATCHDOG_USEC", "1500000")]);
    service.hears();
    assert!(service.hears().starts_with("READY=1\n"));
    let began = monotonic();
    for _ in 0..4 {
        assert_eq!(service.hears(), "WATCHDOG=1\n");
    }
    // Four beats have three pauses of half a second between them.
    assert!(began.elapsed() >= Duration::from_millis(1400));

    // The variable of another process, inherited by mistake, is not ours.
    let other = [("WATCHDOG_USEC", "30000"), ("WATCHDOG_PID", "1")];
    let mut service = Service::start("", &other);
    service.hears();
    assert!(service.hears().starts_with("READY=1\n"));
    assert!(service.process.stop(PATIENCE).success());
    assert_eq!(service.hears(), "STOPPING=1\nSTATUS=Stopping\n");
}

#[test]
fn a_browser_that_never_ends_its_form_does_not_hold_up_the_stop() {
    let mut daemon = Daemon::start(&[]);
    let mut browser = TcpStream::connect(daemon.web()).unwrap();
    browser.set_read_timeout(Some(PATIENCE)).unwrap();
    let form = "POST /login HTTP/1.1\r\nHost: panel\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    browser.write_all(form.as_bytes()).unwrap();
    // Said when the page begins to wait for the form.
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut answer = [0; 25];
    browser.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *go_on);
    let began = monotonic();
    assert!(daemon.stop().success());
    let took = began.elapsed();
    let expected = Duration::from_secs(1)..Duration::from_secs(5);
    assert!(expected.contains(&took), "{took:?}");
}

#[test]
fn the_pulse_is_asked_of_the_daemon_and_nobody_else() {
    let mut daemon = Daemon::start(&[]);
    let well = daemon.run(&["doctor", "--pulse"]);
    assert!(well.status.success());
    let expected = format!(
        "ok      proxpanel {}, store version {}, 0 subscribers, 0 sessions open\n",
        env!("CARGO_PKG_VERSION"),
        proxpanel::store::newest_version()
    );
    assert_eq!(String::from_utf8_lossy(&well.stdout), expected);
    daemon.stop();
    let stopped = daemon.run(&["doctor", "--pulse"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stopped.stderr).contains("no daemon runs on"));
}
