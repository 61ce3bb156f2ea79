//! The other side, for tests: identities made here, a server with a recording handler, and a client that sends octets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connection::receive;
use super::{Ending, Limits, Links, Radsec, SECRET};
use crate::crypto;
use crate::radius::client::Request;
use crate::radius::packet::PACKET_MAX_OCTETS;
use crate::radius::tests::fake::{Fake, PATIENCE, Seen, fake};
use crate::radius::{
    AccessOutcome, AccessRequest, AttributeBuffer, Code, NasPeer, SharedSecret, number,
};

/// The name in the server's certificate.
const SERVER: &str = "proxpanel";
/// The NAS whose certificate is known.
pub const NAS: u32 = 7;

pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    key: KeyPair,
}

pub fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

impl Identity {
    pub fn own(name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let made = params(name, &[name]).self_signed(&key).unwrap();
        Identity {
            certificate: made.der().clone(),
            pem: made.pem(),
            key,
        }
    }

    pub fn fingerprint(&self) -> [u8; 32] {
        crypto::sha256(&self.certificate)
    }

    /// A thief has the certificate, but another key.
    pub fn with_key_of(&self, other: &Identity) -> Arc<dyn ResolvesClientCert> {
        let key = PrivateKeyDer::try_from(other.key.serialize_der()).unwrap();
        let key = ring::sign::any_supported_type(&key).unwrap();
        let certified = CertifiedKey::new(vec![self.certificate.clone()], key);
        Arc::new(SingleCertAndKey::from(certified))
    }

    pub fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        self.with_key_of(self)
    }
}

/// Shows no certificate.
#[derive(Debug)]
pub struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// An authority of one's own, which signs with its own key.
pub struct TestAuthority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl TestAuthority {
    pub fn new() -> TestAuthority {
        let mut params = params("authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        TestAuthority {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            certificate: made.der().clone(),
            pem: made.pem(),
            key,
        }
    }
}

/// A NAS record as the table has it for RadSec.
pub fn radsec_peer(nas: u32) -> Arc<NasPeer> {
    Arc::new(NasPeer {
        nas,
        ..crate::radius::tests::peer(SECRET)
    })
}

pub struct Bench {
    pub radsec: Radsec,
    pub address: SocketAddr,
    pub links: Arc<Links>,
    pub handler: Arc<Fake>,
    pub seen: Seen,
    pub server: Identity,
    /// That of the NAS.
    pub nas: Identity,
}

pub fn bench_with(
    limits: Limits,
    access: impl Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync + 'static,
) -> Bench {
    bench_at(NAS, Arc::default(), limits, access)
}

/// One whose connections can be found in `links` as those of `nas`.
pub fn bench_at(
    nas_number: u32,
    links: Arc<Links>,
    limits: Limits,
    access: impl Fn(&AccessRequest<'_>, &mut AttributeBuffer) -> AccessOutcome + Send + Sync + 'static,
) -> Bench {
    let (server, nas) = (Identity::own(SERVER), Identity::own("nas-7"));
    let (handler, seen) = fake(crate::radius::tests::peer(b"of UDP"), access);
    let mut known = handler.certificates.lock().unwrap();
    known.insert(nas.fingerprint(), radsec_peer(nas_number));
    drop(known);
    let key = PrivateKeyDer::try_from(server.key.serialize_der()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    let certified = CertifiedKey::new(vec![server.certificate.clone()], key);
    let shown = Arc::new(SingleCertAndKey::from(certified));
    let fake = Arc::<Fake>::clone(&handler);
    let mut radsec = Radsec::new(fake, shown, Arc::clone(&links), limits).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    let address = radsec.listen(listener).unwrap();
    Bench {
        radsec,
        address,
        links,
        handler,
        seen,
        server,
        nas,
    }
}

/// The reply of a router to a request of ours.
pub fn answer(request: &[u8], code: Code, error_cause: Option<u32>, secret: &[u8]) -> Vec<u8> {
    let mut attributes = Vec::new();
    if let Some(cause) = error_cause {
        attributes.extend([number::ERROR_CAUSE, 6]);
        attributes.extend(cause.to_be_bytes());
    }
    let length = u16::try_from(20 + attributes.len()).unwrap();
    let mut octets = vec![code.0, request[1]];
    octets.extend(length.to_be_bytes());
    octets.extend(&request[4..20]);
    octets.extend(&attributes);
    let digest = Md5::new().chain_update(&octets).chain_update(secret);
    octets[4..20].copy_from_slice(&digest.finalize());
    octets
}

impl Bench {
    /// A connection that is served by now.
    pub async fn connect_and_ask(&self) -> Client {
        let mut client = self.connect().await;
        client.ask().await;
        client
    }

    pub async fn connect(&self) -> Client {
        self.try_connect(self.nas.resolver()).await.unwrap()
    }

    /// With TLS 1.3 the client has done its part before the server looks at its certificate.
    pub async fn try_connect(&self, shown: Arc<dyn ResolvesClientCert>) -> std::io::Result<Client> {
        self.connect_trusting(&self.server, shown).await
    }

    pub async fn connect_trusting(
        &self,
        server: &Identity,
        shown: Arc<dyn ResolvesClientCert>,
    ) -> std::io::Result<Client> {
        self.connect_speaking(rustls::DEFAULT_VERSIONS, server, shown)
            .await
    }

    pub async fn connect_speaking(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        server: &Identity,
        shown: Arc<dyn ResolvesClientCert>,
    ) -> std::io::Result<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(server.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(shown);
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(SERVER).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = timeout(PATIENCE, connector.connect(name, stream)).await;
        Ok(Client(shaken.expect("a handshake in time")?))
    }
}

pub struct Client(pub TlsStream<TcpStream>);

impl Client {
    pub async fn send(&mut self, octets: &[u8]) {
        self.0.write_all(octets).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Status-Server, and its answer.
    pub async fn ask(&mut self) {
        let secret = SharedSecret::new(SECRET).unwrap();
        let status = Request::status(&secret, 0).unwrap();
        self.send(status.octets()).await;
        let answer = self.receive().await;
        assert_eq!(status.verify(&answer).unwrap().code(), Code::ACCESS_ACCEPT);
    }

    pub async fn receive(&mut self) -> Vec<u8> {
        self.next().await.expect("a packet")
    }

    /// The next packet, or how the connection ended.
    pub async fn next(&mut self) -> Result<Vec<u8>, Ending> {
        let limits = Limits {
            idle: PATIENCE,
            ..Limits::default()
        };
        let mut buffer = vec![0; PACKET_MAX_OCTETS];
        let length = receive(&mut self.0, &mut buffer, limits).await?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Waits until the server closes, without a packet before.
    pub async fn ends(mut self) {
        let next = self.next().await;
        let ended = matches!(next, Err(Ending::Closed | Ending::Broken(_)));
        assert!(ended, "{next:?}");
    }
}

/// Times that only a failing test waits for.
pub fn patient() -> Limits {
    Limits {
        handshake: PATIENCE,
        packet: PATIENCE,
        idle: PATIENCE,
        send: PATIENCE,
        drain: PATIENCE,
        ..Limits::default()
    }
}

/// A time that a test does wait for.
pub const SHORT: Duration = Duration::from_millis(60);
