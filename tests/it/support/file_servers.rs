//! Servers of files that strangers wrote: pyftpdlib and asyncssh, as the distribution packages them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use proxpanel::crypto::Secret;
use proxpanel::remote::{Protocol, Server};
use rcgen::{CertificateParams, KeyPair};

use super::process::Process;

/// The distribution's Python, since that is the one whose packages `make deps` installs.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/file_servers");
/// Generous, because the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

pub const USER: &str = "isp";
pub const PASSWORD: &str = "remote-pass-4711";

/// A running server, its folder, and what a client must know of it.
pub struct FileServer {
    _process: Process,
    pub folder: tempfile::TempDir,
    pub server: Server,
    /// The SHA-256 that the server shows; of plain FTP none.
    pub identity: Option<String>,
}

/// How the server is asked for a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Password,
    Questions,
}

/// What the server does when a file comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Behaves {
    Well,
    /// Its process ends.
    Dies,
    /// It takes nothing and says nothing.
    Hangs,
}

impl FileServer {
    /// Starts one with an account that owns an empty folder. Nobody has told the client whom to trust yet.
    pub fn start(protocol: Protocol) -> FileServer {
        FileServer::start_so(protocol, Asks::Password, Behaves::Well)
    }

    pub fn start_so(protocol: Protocol, asks: Asks, behaves: Behaves) -> FileServer {
        let behaves = match behaves {
            Behaves::Well => "well",
            Behaves::Dies => "dies",
            Behaves::Hangs => "hangs",
        };
        let folder = tempfile::tempdir().unwrap();
        let keys = tempfile::tempdir().unwrap();
        let script = if protocol == Protocol::Sftp {
            "sftp.py"
        } else {
            "ftp.py"
        };
        let mut command = Command::new(PYTHON);
        command.arg("-B").arg(format!("{SCRIPTS}/{script}"));
        command.arg(folder.path()).args([USER, PASSWORD]);
        let mut certificate = None;
        match protocol {
            Protocol::Ftp => {
                command.arg(behaves);
            }
            Protocol::Ftps => {
                let file = keys.path().join("server.pem");
                certificate = Some(write_certificate(&file));
                command.arg(behaves).arg(file);
            }
            Protocol::Sftp => {
                command.arg(if asks == Asks::Password {
                    "password"
                } else {
                    "questions"
                });
                command.arg(behaves);
            }
        }
        let process = Process::start(command);
        let ready = |line: &str| line.strip_prefix("ready ").map(str::to_owned);
        let Some(ready) = process.stdout.wait_for(PATIENCE, ready) else {
            panic!(
                "{script} does not start (`make deps` installs what the tests need)\n{}",
                process.output()
            );
        };
        let mut words = ready.split(' ');
        let port = words.next().unwrap().parse().unwrap();
        FileServer {
            _process: process,
            folder,
            server: Server {
                protocol,
                host: "127.0.0.1".to_owned(),
                port,
                user: USER.to_owned(),
                password: Secret::new(PASSWORD.to_owned()),
                folder: String::new(),
                identity: None,
            },
            identity: words.next().map(str::to_owned).or(certificate),
        }
    }

    /// The client's side, once the owner trusts what the server shows.
    pub fn trusted(&self) -> Server {
        Server {
            identity: self.identity.clone(),
            ..self.server.clone()
        }
    }
}

/// Writes certificate and key in one PEM file and returns the SHA-256 of the certificate.
fn write_certificate(file: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["backup.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(
        file,
        format!("{}{}", certificate.pem(), key.serialize_pem()),
    )
    .unwrap();
    proxpanel::tls::trust::Fingerprint::of(certificate.der()).to_string()
}
