//! The other side of RadSec: certificates made here, and a real radsecproxy in front of the daemon.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use proxpanel::crypto;
use proxpanel::tls::trust::{Trust, client_config};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::process::Process;

/// Where Debian has it; the PATH of a user who is not root lacks the folder.
const PROGRAM: &str = "/usr/sbin/radsecproxy";
/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate that a device made itself, as PEM texts.
pub struct Identity {
    pub certificate: String,
    pub key: String,
    pub fingerprint: [u8; 32],
}

impl Identity {
    pub fn new(name: &str) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        Identity {
            certificate: made.pem(),
            key: key.serialize_pem(),
            fingerprint: crypto::sha256(made.der()),
        }
    }
}

/// A proxy that takes RADIUS over UDP and hands it on over TLS.
pub struct Proxy {
    pub process: Process,
    pub udp: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Proxy {
    /// Starts one that shows `identity`, trusts the certificate that `server` shows now, and takes `secret` on its UDP side.
    pub fn start(server: SocketAddr, identity: &Identity, secret: &str) -> Proxy {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let authority = file("server.pem", &shown_by(server));
        let certificate = file("certificate.pem", &identity.certificate);
        let key = file("key.pem", &identity.key);
        let udp = free_udp();
        let show = |path: &Path| path.display().to_string();
        let text = format!(
            "ListenUDP {udp}\nLogLevel 2\n\
             tls default {{\n CACertificateFile {}\n CertificateFile {}\n CertificateKeyFile {}\n}}\n\
             client 127.0.0.1 {{\n type udp\n secret {secret}\n}}\n\
             server proxpanel {{\n host {}\n port {}\n type tls\n secret radsec\n CertificateNameCheck off\n StatusServer on\n}}\n\
             realm * {{\n server proxpanel\n accountingServer proxpanel\n}}\n",
            show(&authority),
            show(&certificate),
            show(&key),
            server.ip(),
            server.port(),
        );
        let mut command = Command::new(PROGRAM);
        command.args(["-f", "-d", "2", "-c"]);
        command.arg(file("radsecproxy.conf", &text));
        command.arg("-i").arg(folder.path().join("pid"));
        Proxy {
            process: Process::start(command),
            udp,
            _folder: folder,
        }
    }

    /// Waits until the proxy says that it is connected, so many times since its start.
    pub fn wait_for_connection(&self, times: usize) {
        let is_up =
            |line: &str| line.contains("tlsconnect: TLS connection") && line.ends_with(" up");
        let counted = std::cell::Cell::new(0);
        let up = self.process.stderr.wait_for_all(PATIENCE, |lines| {
            counted.set(lines.iter().filter(|line| is_up(line)).count());
            counted.get() >= times
        });
        assert!(
            up,
            "{} of {times} connections\n{}",
            counted.get(),
            self.process.output()
        );
    }
}

fn free_udp() -> SocketAddr {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.local_addr().unwrap()
}

/// The certificate that a server shows to whoever comes, as PEM text.
fn shown_by(server: SocketAddr) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let der = runtime.block_on(async {
        let config = client_config(&Trust::FirstUse).unwrap();
        let stream = TcpStream::connect(server).await.unwrap();
        let name = ServerName::try_from("proxpanel").unwrap();
        let connector = TlsConnector::from(config);
        let stream = timeout(PATIENCE, connector.connect(name, stream)).await;
        let stream = stream.expect("a handshake in time").unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        shown[0].to_vec()
    });
    pem(&der)
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (number, octets) in der.chunks(3).enumerate() {
        let value = octets
            .iter()
            .fold(0, |value, octet| value << 8 | usize::from(*octet));
        let value = value << (8 * (3 - octets.len()));
        for digit in 0..=octets.len() {
            text.push(char::from(DIGITS[value >> (18 - 6 * digit) & 0x3F]));
        }
        text.push_str(&"=".repeat(3 - octets.len()));
        if number % 16 == 15 {
            text.push('\n');
        }
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
