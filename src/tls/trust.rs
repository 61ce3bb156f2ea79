//! Whose certificate is good when we are the ones who connect: to routers, to servers that keep backups.
//!
//! Small machines show certificates that they made themselves, so the leaf is recognised by its SHA-256, or it comes from
//! an own authority; servers on the internet have one of a public authority. Invariant: whatever the trust, the signature
//! of the handshake is verified, so that nobody without the private key can show a certificate that was copied.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::pair::Pair;
use crate::crypto;

/// Certificates of one PEM text; an authority is one, with a few for its renewal.
const AUTHORITIES_MAX: usize = 16;
/// Sessions to resume: those of one server.
const SESSIONS_MAX: usize = 8;

/// SHA-256 of a certificate's DER octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(crypto::sha256(certificate))
    }

    /// As browsers and phones show it: `AB:CD:…`, 32 pairs.
    pub fn pairs(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|octet| format!("{octet:02X}")).collect();
        pairs.join(":")
    }

    /// Reads 64 hexadecimal digits of either case, with or without colons or spaces between them.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .take(65)
            .collect::<Option<_>>()?;
        let mut octets = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != octets.len() || !rest.is_empty() {
            return None;
        }
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = high << 4 | low;
        }
        Some(Fingerprint(octets))
    }
}

/// 64 lower-case hexadecimal digits, as RouterOS prints it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crypto::hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Which certificate of the other side is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// One that a browser would trust, for the name that we connect to.
    Public,
    /// Any at first, then only that one; whoever connects keeps its SHA-256 and shows it.
    FirstUse,
    /// The one with this SHA-256. Names and dates are ignored.
    Pinned(Fingerprint),
    /// One signed by these authorities, as PEM text, valid today and for the name or address that we connect to, which it
    /// must have among its alternative names: else one machine could pass for another.
    Authority(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The PEM text of the authority has no certificate or a broken one.
    #[error("the certificate of the authority cannot be used: {0}")]
    Authority(String),
    /// ring lacks a protocol version.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// What rustls needs to know to trust the other side: TLS 1.2 and 1.3 by ring.
///
/// Errors: `Authority` when the PEM text has no certificate or a broken one, `Tls` should ring lack a protocol version.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, TrustError> {
    let (mut config, _) = config_with(trust, None)?;
    // A resumed session would skip the certificate; connections are too few to need it.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The same for one connection and those that belong to it: they resume its session, which servers of FTP ask for, and the
/// certificate that was shown can be read even when the handshake failed. `own` is shown to a server that asks for one.
pub fn watched_config(
    trust: &Trust,
    own: Option<&Pair>,
) -> Result<(Arc<ClientConfig>, Arc<Verifier>), TrustError> {
    let (mut config, verifier) = config_with(trust, own)?;
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    Ok((Arc::new(config), verifier))
}

fn config_with(
    trust: &Trust,
    own: Option<&Pair>,
) -> Result<(ClientConfig, Arc<Verifier>), TrustError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(trust, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone());
    let config = match own {
        Some(pair) => {
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair.certified())))
        }
        None => config.with_no_client_auth(),
    };
    Ok((config, verifier))
}

fn by_authority(
    authorities: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Judge, TrustError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(provider))
        .build()
        .map(Judge::Authority)
        .map_err(|error| TrustError::Authority(error.to_string()))
}

fn public_authorities() -> RootCertStore {
    RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

fn authorities(pem: &str) -> Result<RootCertStore, TrustError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(AUTHORITIES_MAX) {
        let certificate = certificate.map_err(|error| TrustError::Authority(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| TrustError::Authority(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(TrustError::Authority(
            "there is none in the text".to_owned(),
        ));
    }
    Ok(store)
}

/// The SHA-256 of the first certificate that the other side showed.
pub fn leaf(certificates: Option<&[CertificateDer<'_>]>) -> Option<Fingerprint> {
    certificates?.first().map(Fingerprint::of)
}

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandshakeFault {
    /// Another certificate than the pinned one.
    Differs {
        expected: Fingerprint,
        found: Fingerprint,
    },
    /// What rustls found wrong.
    Tls(String),
    /// The connection was lost.
    Lost,
}

/// What a failed handshake says.
pub fn handshake_fault(error: &io::Error) -> HandshakeFault {
    let Some(error) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    else {
        return HandshakeFault::Lost;
    };
    if let Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = error
        && let Some(differs) = other.downcast_ref::<Differs>()
    {
        return HandshakeFault::Differs {
            expected: differs.expected,
            found: differs.found,
        };
    }
    HandshakeFault::Tls(error.to_string())
}

/// Carries both fingerprints through rustls.
#[derive(Debug, thiserror::Error)]
#[error("another certificate")]
struct Differs {
    expected: Fingerprint,
    found: Fingerprint,
}

/// Whose certificates a [`Verifier`] takes.
#[derive(Debug)]
enum Judge {
    Anyone,
    /// Looks at the SHA-256 of the leaf only.
    Leaf(Fingerprint),
    Authority(Arc<WebPkiServerVerifier>),
}

/// Judges the certificate of the other side, and remembers which one was shown.
#[derive(Debug)]
pub struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    first: OnceLock<Fingerprint>,
}

impl Verifier {
    fn new(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, TrustError> {
        let judge = match trust {
            Trust::FirstUse => Judge::Anyone,
            Trust::Pinned(expected) => Judge::Leaf(*expected),
            Trust::Public => by_authority(public_authorities(), provider)?,
            Trust::Authority(pem) => by_authority(authorities(pem)?, provider)?,
        };
        Ok(Arc::new(Verifier {
            judge,
            provider: Arc::clone(provider),
            first: OnceLock::new(),
        }))
    }

    /// Of the first certificate that was shown, good or not.
    pub fn shown(&self) -> Option<Fingerprint> {
        self.first.get().copied()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Fingerprint::of(end_entity);
        // Only the first counts: it is the one of the connection that all others belong to.
        let _ = self.first.set(found);
        match &self.judge {
            Judge::Authority(authority) => authority.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            Judge::Leaf(expected) if *expected != found => {
                let expected = *expected;
                let differs = Differs { expected, found };
                Err(CertificateError::Other(OtherError(Arc::new(differs))).into())
            }
            Judge::Leaf(_) | Judge::Anyone => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them() {
        let octets: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
        let plain = Fingerprint(octets).to_string();
        let pairs = Fingerprint(octets).pairs();
        assert!(
            pairs.starts_with("00:08:10:") && pairs.ends_with(":F0:F8"),
            "{pairs}"
        );
        for text in [plain.clone(), pairs.replace(':', " "), pairs] {
            assert_eq!(
                Fingerprint::parse(&text),
                Some(Fingerprint(octets)),
                "{text}"
            );
        }
        for text in [
            "",
            "00",
            &plain[1..],
            &format!("{plain}0"),
            &plain.replace('8', "g"),
        ] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
