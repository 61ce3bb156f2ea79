//! A certificate authority on this machine: Pebble, with a name server that leads every name here.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

use super::process::Process;

const LIMIT: Duration = Duration::from_secs(60);

/// An account that an authority for members knows, and its key as it gives it out.
pub const KEY_ID: &str = "kid-1";
pub const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// Dropping it ends both programs.
pub struct Pebble {
    folder: TempDir,
    address: SocketAddr,
    life: u32,
    is_for_members: bool,
    names: Process,
    names_address: SocketAddr,
    process: Process,
    /// PEM text of the authority behind the directory's own certificate.
    pub authority: String,
}

impl Pebble {
    /// An authority that looks at `http_port` of this machine, and issues certificates for `life` seconds.
    pub fn start(http_port: u16, life: u32) -> Pebble {
        Self::start_for(http_port, life, false)
    }

    /// One that asks who has an account with it, [`KEY_ID`] with [`KEY`].
    pub fn start_for_members(http_port: u16, life: u32) -> Pebble {
        Self::start_for(http_port, life, true)
    }

    fn start_for(http_port: u16, life: u32, is_for_members: bool) -> Pebble {
        let folder = tempfile::tempdir().expect("temporary folder");
        let authority = own_certificate(folder.path());
        let names_address = free();
        let mut command = Command::new("pebble-challtestsrv");
        let names_text = names_address.to_string();
        command.args(["-dns01", &names_text, "-management", &free().to_string()]);
        for off in ["-http01", "-https01", "-tlsalpn01", "-defaultIPv6"] {
            command.args([off, ""]);
        }
        let names = Process::start(command);
        wait_for(names_address, &names);
        let address = free();
        let process = authority_on(
            folder.path(),
            address,
            http_port,
            (life, is_for_members),
            names_address,
        );
        Pebble {
            folder,
            address,
            life,
            is_for_members,
            names,
            names_address,
            process,
            authority,
        }
    }

    /// Ends it, and starts another at the same address that knows nothing of the accounts of before, and looks at another
    /// port.
    pub fn forget_everything(&mut self, http_port: u16) {
        self.process.kill();
        self.process = authority_on(
            self.folder.path(),
            self.address,
            http_port,
            (self.life, self.is_for_members),
            self.names_address,
        );
    }

    pub fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    /// What it said so far.
    pub fn output(&self) -> String {
        format!("{}{}", self.process.output(), self.names.output())
    }
}

fn authority_on(
    folder: &Path,
    address: SocketAddr,
    http_port: u16,
    (life, is_for_members): (u32, bool),
    names: SocketAddr,
) -> Process {
    let mut config = serde_json::json!({ "pebble": {
        "listenAddress": address.to_string(),
        "managementListenAddress": free().to_string(),
        "certificate": folder.join("certificate.pem"),
        "privateKey": folder.join("key.pem"),
        "httpPort": http_port,
        "tlsPort": free().port(),
        "ocspResponderURL": "",
        "certificateValidityPeriod": life,
    }});
    if is_for_members {
        config["pebble"]["externalAccountBindingRequired"] = true.into();
        config["pebble"]["externalAccountMACKeys"] = serde_json::json!({ KEY_ID: KEY });
    }
    let path = folder.join("pebble.json");
    std::fs::write(&path, config.to_string()).expect("written");
    let mut command = Command::new("pebble");
    command
        .arg("-config")
        .arg(path)
        .args(["-dnsserver", &names.to_string()])
        // Looks at once, refuses no good nonce, and looks again at each order.
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", "0")
        .env("PEBBLE_AUTHZREUSE", "0");
    let process = Process::start(command);
    wait_for(address, &process);
    process
}

/// Until it takes connections.
fn wait_for(address: SocketAddr, process: &Process) {
    for _ in 0..LIMIT.as_millis() / 50 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        if process.stdout.wait_for_end(Duration::from_millis(50)) {
            break;
        }
    }
    panic!("nobody listens on {address}\n{}", process.output());
}

/// A port that is free for TCP and UDP; another program may take it in between, but hardly does.
fn free() -> SocketAddr {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free for both TCP and UDP");
}

/// A port that nobody listens on.
pub fn dead_port() -> u16 {
    free().port()
}

/// Writes the certificate of the directory's own HTTPS. Returns the authority that issued it.
fn own_certificate(folder: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Tests' own authority");
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let key = KeyPair::generate().expect("a key");
    let certificate = leaf.signed_by(&key, &authority).expect("a certificate");
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).expect("written");
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
    authority.pem()
}
