//! One question to the vendor and its signed answer.

use std::fs::File;
use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::config::{Vendor, VendorCertificate};
use crate::crypto::{self, CryptoError};
use crate::http_client::{Client, Fingerprint, HttpError, Trust};
use crate::licence::wire::{BASE, Question, Signed};
use crate::licence::{Answer, Licence, LicenceKey, NONCE_OCTETS, TokenError, base64url};
use crate::operations::blocking;
use crate::store::{StoreError, subscribers};

use super::VERSION;

/// Octets of a file of authorities; browsers' own list has a quarter of it.
const LARGEST_CA: u64 = 1 << 20;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Endpoint {
    Activate,
    Validate,
    Heartbeat,
}

impl Endpoint {
    fn path(self) -> &'static str {
        match self {
            Endpoint::Activate => "license/activate",
            Endpoint::Validate => "license/validate",
            Endpoint::Heartbeat => "license/heartbeat",
        }
    }
}

/// What the vendor signed for us, just now.
#[derive(Clone)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    /// With `Good`.
    pub(super) licence: Option<Licence>,
}

/// Why there is nothing that can be believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("the vendor's answer is not believed: {0}")]
    Token(#[from] TokenError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn ask(
    app: &App,
    vendor: &Vendor,
    key: &LicenceKey,
    endpoint: Endpoint,
    leaving: bool,
) -> Result<Heard, Silence> {
    let nonce = crypto::random_bytes::<NONCE_OCTETS>()?;
    let question = Question {
        key: key.expose().to_owned(),
        hardware: app.machine.hardware().to_text(),
        nonce: base64url::encode(&nonce),
        version: VERSION.to_owned(),
        subscribers: subscribers::count(&app.store.view()?)?,
        leaving,
    };
    let signed: Signed = post(vendor, endpoint.path(), &question).await?;
    let (answer, licence) = Answer::open(&vendor.key, &signed.answer, &nonce)?;
    Ok(Heard { answer, licence })
}

pub(super) async fn post<B: Serialize + Sync, T: DeserializeOwned>(
    vendor: &Vendor,
    path: &str,
    body: &B,
) -> Result<T, HttpError> {
    let url = format!("{}{BASE}/{path}", vendor.url);
    client(vendor).await?.post_json(&url, body).await
}

/// A client that believes this vendor's server and no other. Errors: `File`, `Authority`.
pub async fn client(vendor: &Vendor) -> Result<Client, HttpError> {
    let trust = match &vendor.certificate {
        VendorCertificate::Public => Trust::Public,
        VendorCertificate::Pinned(fingerprint) => Trust::Pinned(Fingerprint(*fingerprint)),
        VendorCertificate::Authority(path) => {
            let kept = path.clone();
            let read = blocking(move || {
                let mut pem = String::new();
                File::open(&kept)?
                    .take(LARGEST_CA)
                    .read_to_string(&mut pem)
                    .map(|_| pem)
            });
            let pem = match read.await {
                Ok(read) => read.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            Trust::Authority(
                pem.map_err(|why| HttpError::Authority(format!("{}: {why}", path.display())))?,
            )
        }
    };
    Client::new(&trust)
}
