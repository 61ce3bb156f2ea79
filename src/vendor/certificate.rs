//! The certificate of the vendor's server: the files that its people name, or one that it made itself.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::VendorError;
use crate::crypto;
use crate::domain::time::Timestamp;

/// Octets of a file of certificates; a chain has three of 2 KB.
const LARGEST_FILE: u64 = 256 << 10;
/// Appliances know a certificate of our own making by its digest, so its end hardly matters; it must only not come.
const LAST_YEAR: i32 = 2_100;

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's own first, then those of the authorities in between.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What the server shows.
pub struct Certificate {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of its first certificate.
    pub fingerprint: [u8; 32],
}

/// Where the one that was made at the start lies.
pub(super) fn own_files(folder: &Path) -> CertificateFiles {
    CertificateFiles {
        certificate: folder.join("server.crt"),
        key: folder.join("server.key"),
    }
}

/// Makes a key and a certificate for these names, unless they are there.
pub(super) fn make(folder: &Path, hosts: &[String], now: Timestamp) -> Result<(), VendorError> {
    let files = own_files(folder);
    if files.key.exists() {
        return Ok(());
    }
    let fault = |error: rcgen::Error| VendorError::Certificate {
        path: files.certificate.clone(),
        why: error.to_string(),
    };
    let mut params = CertificateParams::new(hosts.to_vec()).map_err(fault)?;
    // A machine whose clock is a little behind shall believe it too.
    let year = i32::try_from(now.seconds() / (366 * 86_400) + 1970).unwrap_or(1970);
    params.not_before = rcgen::date_time_ymd(year, 1, 1);
    params.not_after = rcgen::date_time_ymd(LAST_YEAR, 1, 1);
    let key = KeyPair::generate().map_err(fault)?;
    let certificate = params.self_signed(&key).map_err(fault)?;
    write(&files.certificate, &certificate.pem(), 0o644)?;
    write(&files.key, &key.serialize_pem(), 0o600)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), VendorError> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|source| VendorError::File {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn load(files: &CertificateFiles) -> Result<Certificate, VendorError> {
    let fault = |why: String| VendorError::Certificate {
        path: files.certificate.clone(),
        why,
    };
    let chain = CertificateDer::pem_slice_iter(&read(&files.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| fault(error.to_string()))?;
    let first = chain
        .first()
        .ok_or_else(|| fault("there is no certificate in it".to_owned()))?;
    let fingerprint = crypto::sha256(first);
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| {
        VendorError::Certificate {
            path: files.key.clone(),
            why: error.to_string(),
        }
    })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| fault(error.to_string()))?;
    Ok(Certificate {
        config: Arc::new(config),
        fingerprint,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, VendorError> {
    let mut octets = Vec::new();
    let read = fs::metadata(path).and_then(|_| {
        File::open(path)?
            .take(LARGEST_FILE)
            .read_to_end(&mut octets)
    });
    read.map_err(|source| VendorError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(octets)
}
