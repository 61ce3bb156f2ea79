//! HTTPS to a certificate authority, for the ACME client: bounded in time and size.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Limited;
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

/// One request and its answer. Authorities answer at once; what takes long is asked for again.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// Octets of an answer; a directory, an order or a chain has a few thousand.
const LARGEST_ANSWER: usize = 256 * 1024;
/// Certificates that a directory of the owner's own may be trusted by.
const MOST_AUTHORITIES: usize = 16;

/// Trusts either what browsers trust, or only the owner's authority.
pub(super) struct Https(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Https {
    /// `authority` is PEM text; empty for what browsers trust. Errors: what is wrong with it, in words.
    pub(super) fn new(authority: &str) -> Result<Https, String> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots(authority)?)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        Ok(Https(
            Client::builder(TokioExecutor::new()).build(connector),
        ))
    }
}

/// The authorities to trust. Errors: in words.
pub(super) fn roots(authority: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if authority.trim().is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    }
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()).take(MOST_AUTHORITIES) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err(
            "There is no certificate in it. It begins with -----BEGIN CERTIFICATE-----".to_owned(),
        );
    }
    Ok(roots)
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = self.0.request(request);
        Box::pin(async move {
            let answer = timeout(LONGEST_ANSWER, answer).await.map_err(other)?;
            let (head, body) = answer.map_err(other)?.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER);
            Ok(Response::from_parts(head, body).into())
        })
    }
}

fn other(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}
