//! TLS to the API of a router, and the three ways to trust its certificate (mikrotik.md b1).
//!
//! Routers show certificates that they made themselves, so the leaf is recognised by its SHA-256, or it comes from an
//! own authority. Invariant: whatever the trust, the signature of the handshake is verified, so that nobody without
//! the private key can show a certificate that was copied.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::error::{ApiError, message};
use crate::crypto;

/// Certificates of one PEM text; an authority is one, with a few for its renewal.
const AUTHORITIES_MAX: usize = 16;

/// SHA-256 of a certificate's DER octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(crypto::sha256(certificate))
    }
}

/// As RouterOS prints it: 64 lower-case hexadecimal digits.
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

/// Which certificate of a router is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Any at the first login, then only that one; its SHA-256 is in the state of the router, to be stored and shown.
    FirstUse,
    /// The one with this SHA-256. Names and dates are ignored.
    Pinned(Fingerprint),
    /// One signed by these authorities, as PEM text, valid today and for the router's address, which it must have among
    /// its alternative names (`subject-alt-name=IP:...`): else one router could pass for another.
    Authority(String),
}

/// What rustls needs to know to trust a router: TLS 1.2 and 1.3 by ring.
///
/// Errors: `Authority` when the PEM text has no certificate or a broken one, `Tls` should ring lack a protocol version.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, ApiError> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::FirstUse => Arc::new(LeafVerifier::new(None, &provider)),
        Trust::Pinned(expected) => Arc::new(LeafVerifier::new(Some(*expected), &provider)),
        Trust::Authority(pem) => {
            WebPkiServerVerifier::builder_with_provider(authorities(pem)?, Arc::clone(&provider))
                .build()
                .map_err(|error| ApiError::Authority(error.to_string()))?
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // A resumed session would skip the certificate; connections are too few to need it.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn authorities(pem: &str) -> Result<Arc<RootCertStore>, ApiError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(AUTHORITIES_MAX) {
        let certificate = certificate.map_err(|error| ApiError::Authority(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| ApiError::Authority(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(ApiError::Authority("there is none in the text".to_owned()));
    }
    Ok(Arc::new(store))
}

/// The SHA-256 of the first certificate that the router showed.
pub(super) fn leaf(certificates: Option<&[CertificateDer<'_>]>) -> Option<Fingerprint> {
    certificates?.first().map(Fingerprint::of)
}

/// What a failed handshake says: the certificate that differs, what rustls found wrong, or a lost connection.
pub(super) fn handshake_error(error: &io::Error) -> ApiError {
    let Some(error) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    else {
        return ApiError::lost(error);
    };
    if let Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = error
        && let Some(differs) = other.downcast_ref::<Differs>()
    {
        return ApiError::CertificateDiffers {
            expected: differs.expected,
            found: differs.found,
        };
    }
    ApiError::Tls(message(error.to_string().as_bytes()))
}

/// Carries both fingerprints through rustls.
#[derive(Debug, thiserror::Error)]
#[error("another certificate")]
struct Differs {
    expected: Fingerprint,
    found: Fingerprint,
}

/// Looks at the SHA-256 of the leaf only; without an expected one, any will do.
#[derive(Debug)]
struct LeafVerifier {
    expected: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl LeafVerifier {
    fn new(expected: Option<Fingerprint>, provider: &Arc<CryptoProvider>) -> LeafVerifier {
        LeafVerifier {
            expected,
            provider: Arc::clone(provider),
        }
    }
}

impl ServerCertVerifier for LeafVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Fingerprint::of(end_entity);
        match self.expected {
            Some(expected) if expected != found => {
                let differs = Differs { expected, found };
                Err(CertificateError::Other(OtherError(Arc::new(differs))).into())
            }
            _ => Ok(ServerCertVerified::assertion()),
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
#[path = "tls_tests.rs"]
mod tests;
