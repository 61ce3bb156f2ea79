//! RadSec among the settings of a NAS: which certificate it must show.

use crate::crypto;
use crate::domain::Invalid;
use crate::domain::nas::Nas;
use crate::domain::radsec::{RadsecTrust, parse_fingerprint};
use crate::domain::text::fold_case;
use crate::operations::Error;
use crate::radius::radsec::{Authority, pem_fingerprint};

use super::Draft;

/// The SHA-256 of a certificate: typed in any notation, or of the certificate itself (PEM).
pub fn certificate_fingerprint(typed: &str) -> Result<[u8; 32], Invalid> {
    if typed.contains("-----BEGIN") {
        return pem_fingerprint(typed).map_err(|error| Invalid::new(error.to_string()));
    }
    parse_fingerprint(typed)
}

/// Errors: `Field` for an authority that cannot be read.
pub(super) fn check(draft: &Draft) -> Result<(), Error> {
    match &draft.radsec {
        Some(RadsecTrust::Authority { pem, .. }) => Authority::parse(pem)
            .map(|_| ())
            .map_err(|error| Error::field("radsec_authority", error.to_string())),
        Some(RadsecTrust::Pinned(_)) | None => Ok(()),
    }
}

/// A certificate is that of one NAS. Errors: `Field` where the other one is known by the same.
pub(super) fn check_other(draft: &Draft, other: &Nas) -> Result<(), Error> {
    match (&draft.radsec, &other.radsec) {
        (Some(RadsecTrust::Pinned(own)), Some(RadsecTrust::Pinned(theirs))) if own == theirs => {
            let message = format!("{} has this certificate", other.name);
            Err(Error::field("radsec_certificate", message))
        }
        (
            Some(RadsecTrust::Authority { pem, name }),
            Some(RadsecTrust::Authority {
                pem: their_pem,
                name: their_name,
            }),
        ) if pem == their_pem && fold_case(name) == fold_case(their_name) => {
            let message = format!("{} has this name at the same authority", other.name);
            Err(Error::field("radsec_name", message))
        }
        _ => Ok(()),
    }
}

/// `certificate ab12…` or `tower.isp.test by authority ab12…`, for the audit log.
pub(super) fn words(nas: &Nas) -> String {
    match &nas.radsec {
        None => "none".to_owned(),
        Some(RadsecTrust::Pinned(pin)) => format!("certificate {}", crypto::hex(pin)),
        Some(RadsecTrust::Authority { pem, name }) => {
            let authority = crypto::hex(&crypto::sha256(pem.as_bytes()));
            format!("{name} by authority {authority}")
        }
    }
}
