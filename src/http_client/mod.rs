//! HTTPS to others: the vendor, places to download from, certificate authorities.
//!
//! What is asked and what an answer means is the caller's business. Invariants: nothing goes over plain HTTP, not even after
//! a redirect; every answer has an end in octets and in time; no error names more of an address than its host, because paths
//! and queries may hold secrets.

mod download;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::tls::trust::{TrustError, client_config};

pub use crate::tls::trust::{Fingerprint, Trust};
pub use download::Downloaded;

/// How others know us.
const USER_AGENT: &str = concat!("proxpanel/", env!("CARGO_PKG_VERSION"));
/// Times that one question is sent on to another address.
const MOST_REDIRECTS: usize = 4;
/// Octets of a problem document that are kept; it is a sentence or two.
const LONGEST_PROBLEM: usize = 300;

/// How long to wait and how much to take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the TCP connection.
    pub connect: Duration,
    /// From the first octet sent to the last one received; for a download, up to the head of the answer.
    pub total: Duration,
    /// Octets of an answer that is kept in memory.
    pub largest_body: usize,
    /// A download that gets nothing for so long has stalled.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
            largest_body: 1 << 20,
            stall: Duration::from_secs(30),
        }
    }
}

/// What the other side says went wrong, as far as it says so in RFC 9457's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// A word or an address that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub detail: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0:?} is not an address that begins with https://")]
    Address(String),
    #[error("the certificate of the authority cannot be used: {0}")]
    Authority(String),
    #[error("{host} cannot be reached: {why}")]
    Unreachable { host: String, why: String },
    #[error("{host} does not prove who it is: {why}")]
    Untrusted { host: String, why: String },
    #[error("{host} took too long to answer")]
    Timeout { host: String },
    #[error("{host} sent more than {limit} octets")]
    TooLarge { host: String, limit: u64 },
    #[error("{host} answered {status}{}", said(problem.as_ref()))]
    Status {
        host: String,
        status: u16,
        problem: Option<Problem>,
    },
    #[error("{host} sends on to an address that is not followed")]
    Redirect { host: String },
    #[error("the answer of {host} cannot be read: {why}")]
    Garbled { host: String, why: String },
    #[error("{} cannot be written: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
}

fn said(problem: Option<&Problem>) -> String {
    match problem {
        Some(problem) if !problem.detail.is_empty() => format!(": {}", problem.detail),
        Some(problem) if !problem.title.is_empty() => format!(": {}", problem.title),
        _ => String::new(),
    }
}

/// Asks others over HTTPS. A connection for each question: they are rare, and none can be found dead.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limits: Limits,
}

impl Client {
    /// Errors: `Authority` for a text without a usable certificate.
    pub fn new(trust: &Trust) -> Result<Client, HttpError> {
        Self::with_limits(trust, Limits::default())
    }

    pub fn with_limits(trust: &Trust, limits: Limits) -> Result<Client, HttpError> {
        let config = client_config(trust).map_err(|error| match error {
            TrustError::Authority(why) | TrustError::Tls(why) => HttpError::Authority(why),
        })?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*config).clone())
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Client { inner, limits })
    }

    /// Sends a request as it is and reads the answer, whatever its status. Redirects are not followed.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, HttpError> {
        let host = host(request.uri());
        let whole = async {
            let (parts, body) = self.begin(request).await?.into_parts();
            let octets = self.body(&host, body).await?;
            Ok(Response::from_parts(parts, octets))
        };
        let timed = timeout(self.limits.total, whole).await;
        timed.map_err(|_| HttpError::Timeout { host: host.clone() })?
    }

    /// Asks for a JSON document. `bearer` goes into the Authorization header, to the first host only.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T, HttpError> {
        let uri = parse(url)?;
        let host = host(&uri);
        let whole = async {
            let answer = self.follow(uri, bearer).await?;
            self.body(&host, answer.into_body()).await
        };
        let timed = timeout(self.limits.total, whole).await;
        let octets = timed.map_err(|_| HttpError::Timeout { host: host.clone() })??;
        read_json(&host, &octets)
    }

    /// Posts a JSON document and reads another. Errors: `Status` for anything but 2xx, with what the other side says.
    pub async fn post_json<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        url: &str,
        body: &B,
    ) -> Result<T, HttpError> {
        let uri = parse(url)?;
        let host = host(&uri);
        let garbled = |why: String| HttpError::Garbled {
            host: host.clone(),
            why,
        };
        let octets = serde_json::to_vec(body).map_err(|error| garbled(error.to_string()))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(octets)))
            .map_err(|error| garbled(error.to_string()))?;
        let (parts, octets) = self.send(request).await?.into_parts();
        if !parts.status.is_success() {
            return Err(refused(&host, parts.status.as_u16(), &octets));
        }
        read_json(&host, &octets)
    }

    /// Asks, follows redirects to other https addresses, and gives back the head of an answer whose status is 2xx.
    async fn follow(
        &self,
        first: Uri,
        bearer: Option<&str>,
    ) -> Result<Response<Incoming>, HttpError> {
        let authority = first.authority().cloned();
        let mut uri = first;
        for _ in 0..=MOST_REDIRECTS {
            let host = host(&uri);
            let mut request = Request::builder().uri(uri.clone());
            if let Some(bearer) = bearer.filter(|_| uri.authority() == authority.as_ref()) {
                request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
            }
            let request = request
                .body(Full::default())
                .map_err(|error| HttpError::Garbled {
                    host: host.clone(),
                    why: error.to_string(),
                })?;
            let answer = self.begin(request).await?;
            let status = answer.status();
            if status.is_success() {
                return Ok(answer);
            }
            if !status.is_redirection() {
                let octets = self.body(&host, answer.into_body()).await?;
                return Err(refused(&host, status.as_u16(), &octets));
            }
            let location = answer.headers().get(header::LOCATION);
            uri = location
                .and_then(|location| resolve(&uri, location))
                .ok_or(HttpError::Redirect { host })?;
        }
        Err(HttpError::Redirect { host: host(&uri) })
    }

    /// Sends a request and waits for the head of the answer.
    async fn begin(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        let host = host(request.uri());
        if request.uri().scheme_str() != Some("https") {
            return Err(HttpError::Address(host));
        }
        let headers = request.headers_mut();
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(USER_AGENT));
        let answer = timeout(self.limits.total, self.inner.request(request)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(why(host, &error)),
            Err(_) => Err(HttpError::Timeout { host }),
        }
    }

    async fn body(&self, host: &str, body: Incoming) -> Result<Bytes, HttpError> {
        match Limited::new(body, self.limits.largest_body).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(HttpError::TooLarge {
                    host: host.to_owned(),
                    limit: u64::try_from(self.limits.largest_body).unwrap_or(u64::MAX),
                })
            }
            Err(error) => Err(HttpError::Garbled {
                host: host.to_owned(),
                why: error.to_string(),
            }),
        }
    }
}

/// Errors: `Address` for what is no whole https address.
fn parse(url: &str) -> Result<Uri, HttpError> {
    let uri = url.parse::<Uri>().ok();
    uri.filter(|uri| uri.scheme_str() == Some("https") && !host(uri).is_empty())
        // The path may hold a secret; the scheme and the host cannot.
        .ok_or_else(|| HttpError::Address(url.chars().take_while(|c| *c != '?').take(60).collect()))
}

fn host(uri: &Uri) -> String {
    uri.host().unwrap_or_default().to_owned()
}

/// Where a redirect leads: another https address, or another path of the same host.
fn resolve(from: &Uri, location: &HeaderValue) -> Option<Uri> {
    let location = location.to_str().ok()?;
    if location.starts_with('/') && !location.starts_with("//") {
        let authority = from.authority()?;
        return format!("https://{authority}{location}").parse().ok();
    }
    parse(location).ok()
}

fn read_json<T: DeserializeOwned>(host: &str, octets: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(octets).map_err(|error| HttpError::Garbled {
        host: host.to_owned(),
        why: error.to_string(),
    })
}

fn refused(host: &str, status: u16, octets: &[u8]) -> HttpError {
    let shorten = |text: String| text.chars().take(LONGEST_PROBLEM).collect();
    let problem = serde_json::from_slice::<Problem>(octets).ok();
    HttpError::Status {
        host: host.to_owned(),
        status,
        problem: problem.map(|problem| Problem {
            kind: shorten(problem.kind),
            title: shorten(problem.title),
            detail: shorten(problem.detail),
        }),
    }
}

/// Walks down to the innermost cause: what rustls or the system says.
fn why(host: String, error: &legacy::Error) -> HttpError {
    let mut cause: &dyn StdError = error;
    loop {
        // An io::Error keeps the error of rustls inside, where `source` skips it.
        let inner = cause
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref())
            .map(|inner| inner as &dyn StdError);
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return HttpError::Untrusted {
                host,
                why: tls.to_string(),
            };
        }
        match inner.or_else(|| cause.source()) {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    if let Some(error) = cause.downcast_ref::<io::Error>()
        && error.kind() == io::ErrorKind::TimedOut
    {
        return HttpError::Timeout { host };
    }
    HttpError::Unreachable {
        host,
        why: cause.to_string(),
    }
}
