//! Why a certificate or its key cannot be used.

use std::io;
use std::path::PathBuf;

use super::files::LARGEST_FILE;
use super::pair::MOST_CERTIFICATES;

/// In words for the person who gave the certificate. No variant carries anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("There is no certificate in it. It begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("Certificate {number} of the text cannot be read: {why}")]
    Certificate { number: usize, why: String },
    #[error("There are more than {MOST_CERTIFICATES} certificates in it")]
    TooManyCertificates,
    #[error("There is no private key in it. It begins with -----BEGIN PRIVATE KEY-----")]
    NoKey,
    #[error(
        "The private key is encrypted. Take the passphrase off first: openssl pkey -in key.pem -out plain.pem"
    )]
    EncryptedKey,
    #[error("The private key cannot be used: {0}")]
    Key(String),
    #[error("The private key does not belong to the first certificate")]
    Mismatch,
    #[error("{} cannot be used: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is larger than {LARGEST_FILE} octets; it is probably another file", .path.display())]
    TooLarge { path: PathBuf },
    #[error("A self-signed certificate could not be made: {0}")]
    SelfSigned(String),
    #[error("TLS could not be set up: {0}")]
    Setup(rustls::Error),
}

impl TlsError {
    /// Whether the key is to blame rather than the certificate.
    pub fn is_of_key(&self) -> bool {
        matches!(
            self,
            TlsError::NoKey | TlsError::EncryptedKey | TlsError::Key(_) | TlsError::Mismatch
        )
    }
}
