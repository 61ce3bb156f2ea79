//! TLS to the API of a router: `tls::trust` in the words of this room (mikrotik.md b1).

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;

use super::error::{ApiError, message};
use crate::tls::trust::{self, HandshakeFault, TrustError};
pub use crate::tls::trust::{Fingerprint, Trust};

/// What rustls needs to know to trust a router.
///
/// Errors: `Authority` when the PEM text has no certificate or a broken one, `Tls` should ring lack a protocol version.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, ApiError> {
    trust::client_config(trust).map_err(|error| match error {
        TrustError::Authority(why) => ApiError::Authority(why),
        TrustError::Tls(why) => ApiError::Tls(why),
    })
}

/// What a failed handshake says: the certificate that differs, what rustls found wrong, or a lost connection.
pub(super) fn handshake_error(error: &io::Error) -> ApiError {
    match trust::handshake_fault(error) {
        HandshakeFault::Differs { expected, found } => {
            ApiError::CertificateDiffers { expected, found }
        }
        HandshakeFault::Tls(why) => ApiError::Tls(message(why.as_bytes())),
        HandshakeFault::Lost => ApiError::lost(error),
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
