//! The certificate of `api-ssl`: self-signed, as on a router, and made anew on demand.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, version};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// A leaf and what serves it.
#[derive(Clone)]
pub struct Certificate {
    pub acceptor: TlsAcceptor,
    /// SHA-256 of the leaf.
    pub fingerprint: [u8; 32],
    pub pem: String,
}

impl Certificate {
    /// Routers of version 6 speak TLS 1.2 only.
    pub fn new(common_name: &str, version: (u32, u32)) -> Certificate {
        let made = rcgen::generate_simple_self_signed([common_name.to_owned()])
            .expect("a certificate can be made");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let leaf = made.cert.der().clone();
        let versions: &[&rustls::SupportedProtocolVersion] = if version < (7, 0) {
            &[&version::TLS12]
        } else {
            &[&version::TLS12, &version::TLS13]
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions of the provider")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.clone()], PrivateKeyDer::Pkcs8(key))
            .expect("a certificate with its key");
        Certificate {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            fingerprint: Sha256::digest(&leaf).into(),
            pem: pem(&leaf),
        }
    }

    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint)
    }
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Base64 in lines of 64 (RFC 7468 section 2).
fn pem(der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let octet = |n: usize| u32::from(group.get(n).copied().unwrap_or_default());
            let bits = (octet(0) << 16) | (octet(1) << 8) | octet(2);
            for n in 0..4_usize {
                let index = usize::try_from((bits >> (18 - 6 * n)) & 63).expect("six bits");
                text.push(if n <= group.len() {
                    char::from(LETTERS[index])
                } else {
                    '='
                });
            }
        }
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded_at_every_length() {
        for (octets, expected) in [
            (&b"f"[..], "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xff\xfe\xfd", "//79"),
        ] {
            let text = pem(octets);
            assert_eq!(text.lines().nth(1), Some(expected));
        }
        assert_eq!(pem(&[0; 49]).lines().count(), 4);
    }
}
