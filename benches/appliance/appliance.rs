//! The appliance under measurement: the release daemon of this tree, on a throw-away data folder and free ports.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use crate::fault::Fault;
use crate::process::Process;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_proxpanel");

pub struct Appliance {
    pub process: Process,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    pub web: SocketAddr,
    data: PathBuf,
    /// Held open, so that a word on standard output does not end the daemon.
    _stdout: BufReader<ChildStdout>,
}

/// Fills an empty folder with demo subscribers.
pub fn fill(data: &Path, subscribers: u32) -> Result<(), Fault> {
    fill_with_past(data, subscribers, 0, 0)
}

/// The same with sessions that are open, and some that ended on each of the days before.
pub fn fill_with_past(
    data: &Path,
    subscribers: u32,
    sessions: u32,
    days: u32,
) -> Result<(), Fault> {
    let mut command = Command::new(PROGRAM);
    command.arg("demo").arg("--data-dir").arg(data);
    for (name, number) in [
        ("--subscribers", subscribers),
        ("--sessions", sessions),
        ("--days", days),
    ] {
        command.args([name, &number.to_string()]);
    }
    // How far it is, and why it refuses, comes on standard error.
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("demo: {status}").into())
    }
}

impl Appliance {
    /// Starts the daemon and waits until it says that it is ready.
    pub fn start(data: &Path) -> Result<Appliance, Fault> {
        Appliance::start_program(PROGRAM, data)
    }

    /// The same with another build of the daemon.
    pub fn start_program(program: &str, data: &Path) -> Result<Appliance, Fault> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.with_extension("log"))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(data);
        for listen in [
            "--web-listen",
            "--auth-listen",
            "--acct-listen",
            "--radsec-listen",
        ] {
            command.args([listen, "127.0.0.1:0"]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut process = Process::of(child);
        let mut stdout = BufReader::new(
            process
                .child()
                .stdout
                .take()
                .ok_or("no output of the daemon")?,
        );
        let mut line = String::new();
        while stdout.read_line(&mut line)? > 0 {
            if let Some(ready) = line.trim().strip_prefix("ready ") {
                let (auth, acct) = (address(ready, "auth=")?, address(ready, "acct=")?);
                let web = address(ready, "web=")?;
                return Ok(Appliance {
                    process,
                    web,
                    auth,
                    acct,
                    data: data.to_owned(),
                    _stdout: stdout,
                });
            }
            line.clear();
        }
        let log = fs::read_to_string(data.with_extension("log")).unwrap_or_default();
        Err(format!("the daemon ended before it was ready:\n{log}").into())
    }

    /// The segments of the accounting journal. They change when sessions are folded into the tables.
    pub fn segments(&self) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.data)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".journal") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

fn address(ready: &str, label: &str) -> Result<SocketAddr, Fault> {
    let value = ready.split(' ').find_map(|word| word.strip_prefix(label));
    let first = value.and_then(|value| value.split(',').next());
    Ok(first
        .ok_or_else(|| format!("no {label} in {ready:?}"))?
        .parse()?)
}
