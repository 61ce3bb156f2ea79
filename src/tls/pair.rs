//! A certificate with its chain and its private key, out of PEM text (RFC 7468).
//!
//! Invariant: a [`Pair`] that exists can be shown to browsers: its key belongs to its first certificate.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::error::TlsError;
use super::facts::Facts;
use crate::crypto::Secret;

/// Certificates of one chain; public authorities send two or three.
pub(super) const MOST_CERTIFICATES: usize = 10;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
const CERTIFICATE: &str = "CERTIFICATE";
/// Ends the label of every kind of private key.
const KEY: &str = "PRIVATE KEY";
const ENCRYPTED_KEY: &str = "ENCRYPTED PRIVATE KEY";
/// What keys of the older kind say that a passphrase protects (RFC 1421 section 4.6.1.1).
const ENCRYPTED_MARK: &str = "Proc-Type: 4,ENCRYPTED";

/// A certificate that can be shown, and what it says.
#[derive(Clone)]
pub struct Pair {
    certified: Arc<CertifiedKey>,
    facts: Facts,
    /// The key, then the certificates: the form in which it is stored.
    pem: Secret<String>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Pair {
    /// Takes the certificates out of one text and the key out of another; both may be the same. What else stands there,
    /// such as the words that some authorities put above, is left out.
    ///
    /// Errors: each says what is missing or wrong; dates and names are not looked at.
    pub fn parse(chain: &str, key: &str) -> Result<Pair, TlsError> {
        let certificates: Vec<String> = blocks(chain)
            .filter(|block| block.label == CERTIFICATE)
            .map(|block| block.text)
            .take(MOST_CERTIFICATES + 1)
            .collect();
        if certificates.len() > MOST_CERTIFICATES {
            return Err(TlsError::TooManyCertificates);
        }
        let key = blocks(key)
            .find(|block| block.label.ends_with(KEY))
            .ok_or(TlsError::NoKey)?;
        if key.label == ENCRYPTED_KEY || key.text.contains(ENCRYPTED_MARK) {
            return Err(TlsError::EncryptedKey);
        }
        let key = Secret::new(key.text);
        let chain: Vec<CertificateDer<'static>> = certificates
            .iter()
            .enumerate()
            .map(|(index, text)| {
                CertificateDer::from_pem_slice(text.as_bytes()).map_err(|error| {
                    TlsError::Certificate {
                        number: index + 1,
                        why: error.to_string(),
                    }
                })
            })
            .collect::<Result<_, _>>()?;
        let leaf = chain.first().ok_or(TlsError::NoCertificate)?;
        let facts = Facts::read(leaf).map_err(|why| TlsError::Certificate { number: 1, why })?;
        let der = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
            .map_err(|_| TlsError::Key("its text is damaged".to_owned()))?;
        let certified = certify(chain, der)?;
        Ok(Pair {
            certified: Arc::new(certified),
            facts,
            pem: Secret::new(format!("{}{}", key.expose(), certificates.concat())),
        })
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    pub(super) fn pem(&self) -> &str {
        self.pem.expose()
    }
}

fn certify(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    let key = ring::default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|_| TlsError::Key("it is none of RSA, ECDSA and Ed25519".to_owned()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(TlsError::Mismatch),
        Err(Error::InconsistentKeys(_)) => Err(TlsError::Key("its kind is not known".to_owned())),
        Err(error) => Err(TlsError::Certificate {
            number: 1,
            why: error.to_string(),
        }),
    }
}

/// One `-----BEGIN LABEL-----` to its end, with line ends of Unix whatever the browser made of them.
struct Block {
    label: String,
    text: String,
}

/// The whole blocks of a text; one without an end is none.
fn blocks(text: &str) -> impl Iterator<Item = Block> + '_ {
    let mut lines = text.lines().map(str::trim);
    std::iter::from_fn(move || {
        loop {
            let begin = lines.find(|line| line.starts_with(BEGIN))?;
            let Some(label) = begin
                .strip_prefix(BEGIN)
                .and_then(|rest| rest.strip_suffix(DASHES))
            else {
                continue;
            };
            let end = format!("-----END {label}{DASHES}");
            let mut block = format!("{begin}\n");
            for line in lines.by_ref() {
                block.push_str(line);
                block.push('\n');
                if line == end {
                    return Some(Block {
                        label: label.to_owned(),
                        text: block,
                    });
                }
            }
        }
    })
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
