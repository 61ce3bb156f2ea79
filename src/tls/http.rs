//! HTTPS to a certificate authority, for the ACME client: bounded in time and size.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::Limited;
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::time::timeout;

use super::trust::{Trust, TrustError, client_config};

/// One request and its answer. Authorities answer at once; what takes long is asked for again.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// Octets of an answer; a directory, an order or a chain has a few thousand.
const LARGEST_ANSWER: usize = 256 * 1024;

/// A client that speaks HTTPS only.
pub(super) struct Https(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Https {
    /// Errors: what is wrong with an authority of one's own.
    pub(super) fn new(trust: &Trust) -> Result<Https, TrustError> {
        let config = client_config(trust)?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*config).clone())
            .https_only()
            .enable_http1()
            .build();
        Ok(Https(
            Client::builder(TokioExecutor::new()).build(connector),
        ))
    }
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
