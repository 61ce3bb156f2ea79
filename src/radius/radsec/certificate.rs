//! What a client showed: its certificate, the names in it, and whether an authority stands behind it.
//!
//! Which certificate is which NAS is not known here. Names are compared whole and without case; there are no wildcards,
//! since each certificate is one device.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use crate::crypto;

/// Certificates of one PEM text; an authority is one, with a few for its renewal.
const AUTHORITIES_MAX: usize = 16;
/// Names read of one certificate; a device has one or two.
const NAMES_MAX: usize = 32;
/// Longest name that is read (RFC 1035 allows 253 octets).
const NAME_MAX_OCTETS: usize = 253;

/// A certificate whose key the client has. The rest of its chain is kept for [`Authority::check`].
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    fingerprint: [u8; 32],
    names: Vec<String>,
}

impl ClientCertificate {
    /// `chain` as the client sent it, its own first. `None` when it is empty.
    pub fn new(chain: &[CertificateDer<'_>]) -> Option<ClientCertificate> {
        let own = chain.first()?;
        Some(ClientCertificate {
            fingerprint: crypto::sha256(own),
            names: names(own),
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
        })
    }

    /// SHA-256 of the DER octets.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Common name, then the DNS names and addresses among the alternative names, in lower case and without repetition.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether `name` is among them. Addresses are compared as such: `2001:DB8::0:1` is `2001:db8::1`.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.contains(&normal(name))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "ClientCertificate({} {:?})",
            crypto::hex(&self.fingerprint),
            self.names
        )
    }
}

/// The certificates of an authority that signs those of devices.
#[derive(Debug, Clone)]
pub struct Authority(Arc<dyn ClientCertVerifier>);

/// Why a text is no authority, or a certificate not of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    #[error("there is no certificate in the text (it starts with -----BEGIN CERTIFICATE-----)")]
    Empty,
    #[error(
        "the text is not whole: copy everything from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    )]
    NotWhole,
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    #[error("the certificate is not accepted: {0}")]
    NotAccepted(String),
}

impl Authority {
    /// Reads PEM text. Errors: `Empty`, `NotWhole`, `Unreadable`.
    pub fn parse(pem: &str) -> Result<Authority, AuthorityError> {
        let unreadable = |error: &dyn fmt::Display| AuthorityError::Unreadable(error.to_string());
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(AUTHORITIES_MAX) {
            let certificate = certificate.map_err(|_| AuthorityError::NotWhole)?;
            store.add(certificate).map_err(|error| unreadable(&error))?;
        }
        if store.is_empty() {
            return Err(AuthorityError::Empty);
        }
        let provider = Arc::new(ring::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map(Authority)
            .map_err(|error| unreadable(&error))
    }

    /// Whether the authority signed the certificate, which is valid at `unix_seconds` and meant for clients.
    /// Errors: `NotAccepted`, with what is wrong.
    pub fn check(
        &self,
        certificate: &ClientCertificate,
        unix_seconds: u64,
    ) -> Result<(), AuthorityError> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(unix_seconds));
        let Some((own, others)) = certificate.chain.split_first() else {
            return Err(AuthorityError::Empty);
        };
        self.0
            .verify_client_cert(own, others, now)
            .map(|_| ())
            .map_err(|error| AuthorityError::NotAccepted(error.to_string()))
    }
}

/// SHA-256 of the first certificate in a PEM text. Errors: `Empty`, `NotWhole`.
pub fn pem_fingerprint(pem: &str) -> Result<[u8; 32], AuthorityError> {
    match CertificateDer::pem_slice_iter(pem.as_bytes()).next() {
        None => Err(AuthorityError::Empty),
        Some(Err(_)) => Err(AuthorityError::NotWhole),
        Some(Ok(certificate)) => Ok(crypto::sha256(&certificate)),
    }
}

/// None of a certificate that cannot be read: its fingerprint still says which it is.
fn names(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    for name in all_names(&certificate).take(NAMES_MAX) {
        if !name.is_empty() && name.len() <= NAME_MAX_OCTETS && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn all_names<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = String> + 'a {
    let common = certificate.subject().iter_common_name();
    let common = common.filter_map(|name| name.as_str().ok()).map(normal);
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative
        .into_iter()
        .flat_map(|extension| extension.value.general_names.iter());
    common.chain(alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(normal(name)),
        GeneralName::IPAddress(octets) => address(octets).map(|ip| ip.to_string()),
        _ => None,
    }))
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

/// Lower case and without control characters, since it comes from a stranger; addresses in their usual form.
fn normal(name: &str) -> String {
    let name = name.trim();
    match name.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => name
            .chars()
            .filter(|c| !c.is_control())
            .flat_map(char::to_lowercase)
            .collect(),
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
