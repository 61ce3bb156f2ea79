//! Which certificate of another machine is good.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::HttpError;
use crate::crypto;

/// Certificates of one PEM text; an authority is one, with a few for its renewal.
const MOST_AUTHORITIES: usize = 16;

/// Whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that browsers trust.
    Public,
    /// These authorities only, as PEM text.
    Authority(String),
    /// The certificate with this SHA-256, whatever its names and dates: for servers with a certificate of their own making.
    Pinned([u8; 32]),
}

/// TLS 1.2 and 1.3 by ring. Errors: `Authority`.
pub(super) fn client_config(trust: &Trust) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Authority(error.to_string()))?;
    let builder = match trust {
        Trust::Public => builder.with_root_certificates(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        }),
        Trust::Authority(pem) => builder.with_root_certificates(authorities(pem)?),
        Trust::Pinned(expected) => {
            let verifier = Pinned {
                expected: *expected,
                provider,
            };
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(pem: &str) -> Result<RootCertStore, HttpError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(MOST_AUTHORITIES) {
        let certificate = certificate.map_err(|error| HttpError::Authority(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| HttpError::Authority(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(HttpError::Authority(
            "there is no certificate in the text".to_owned(),
        ));
    }
    Ok(store)
}

/// Knows one certificate. The signature of the handshake is verified all the same: a certificate can be copied, its key
/// cannot.
#[derive(Debug)]
struct Pinned {
    expected: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if crypto::sha256(end_entity) == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
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
