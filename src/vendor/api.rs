//! What appliances reach over HTTPS: JSON in, JSON out, problems as RFC 9457.
//!
//! Invariants: a request is small, and each address has its pace; an answer never says more of a fault than that there is one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::answers::Wanted;
use super::desk::Desk;
use super::throttle::Kind;
use super::{Refusal, VendorError, download};
use crate::licence::wire::{LARGEST_REQUEST, Question, Register, Registered, Signed, kind};

/// Downloads at once: each keeps a thread that may block.
const MOST_DOWNLOADS: usize = 8;
/// Architectures that an appliance that says nothing has.
const USUAL_ARCHITECTURE: &str = "amd64";

/// What the handlers share.
#[derive(Clone)]
pub struct Counter {
    pub desk: Arc<Desk>,
    downloads: Arc<Semaphore>,
}

impl Counter {
    pub fn new(desk: Arc<Desk>) -> Counter {
        Counter {
            desk,
            downloads: Arc::new(Semaphore::new(MOST_DOWNLOADS)),
        }
    }
}

pub fn routes() -> Router<Counter> {
    Router::new()
        .route("/api/v1/license/register", post(register))
        .route("/api/v1/license/activate", post(activate))
        .route("/api/v1/license/validate", post(validate))
        .route("/api/v1/license/heartbeat", post(heartbeat))
        .route("/api/v1/update/check", get(check))
        .route("/api/v1/download/proxpanel", get(newest))
        .route("/api/v1/download/update", get(update))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
}

type Answered = Result<Response, VendorError>;

async fn register(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answered {
    counter.desk.throttle.admit(Kind::Register, peer.ip())?;
    let asked: Register = parse(body)?;
    let key = counter.desk.register(&text(peer.ip()), &asked).await?;
    Ok(json(&Registered {
        key: key.expose().to_owned(),
    }))
}

async fn activate(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answered {
    answer(counter, peer, Wanted::Activate, body).await
}

async fn validate(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answered {
    answer(counter, peer, Wanted::Validate, body).await
}

async fn heartbeat(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answered {
    answer(counter, peer, Wanted::Heartbeat, body).await
}

async fn answer(
    counter: Counter,
    peer: SocketAddr,
    wanted: Wanted,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answered {
    counter.desk.throttle.admit(Kind::Question, peer.ip())?;
    let question: Question = parse(body)?;
    let answer = counter
        .desk
        .answer(wanted, &text(peer.ip()), &question)
        .await?;
    Ok(json(&Signed { answer }))
}

/// What an update is asked for.
#[derive(Deserialize)]
struct Asked {
    arch: Option<String>,
    version: Option<String>,
}

async fn check(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Answered {
    let asked = admitted(&counter, peer, &headers, asked)?;
    let architecture = asked.arch.as_deref().unwrap_or(USUAL_ARCHITECTURE);
    Ok(json(&counter.desk.newest(architecture)?))
}

/// The newest package, for a machine that has none.
async fn newest(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Answered {
    let asked = admitted(&counter, peer, &headers, asked)?;
    send(&counter, asked.arch.as_deref(), None).await
}

/// The package of one version, which an appliance has checked before.
async fn update(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Answered {
    let asked = admitted(&counter, peer, &headers, asked)?;
    let missing = || Refusal::Malformed("version is missing".to_owned());
    let version = asked.version.ok_or_else(missing)?;
    send(&counter, asked.arch.as_deref(), Some(&version)).await
}

fn admitted(
    counter: &Counter,
    peer: SocketAddr,
    headers: &HeaderMap,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Asked, VendorError> {
    counter.desk.throttle.admit(Kind::Question, peer.ip())?;
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    counter.desk.admit(bearer.unwrap_or_default())?;
    let Query(asked) = asked.map_err(|error| Refusal::Malformed(error.body_text()))?;
    Ok(asked)
}

async fn send(counter: &Counter, architecture: Option<&str>, version: Option<&str>) -> Answered {
    let architecture = architecture.unwrap_or(USUAL_ARCHITECTURE);
    let release = counter.desk.release(architecture, version)?;
    let path = counter.desk.release_path(&release)?;
    let place = Arc::clone(&counter.downloads).try_acquire_owned();
    let place = place.map_err(|_| Refusal::TooMany)?;
    let (body, octets) = download::body(&path, place).map_err(|error| {
        tracing::error!(path = %path.display(), %error, "a release has no file");
        Refusal::NoRelease
    })?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(octets));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.debian.binary-package"),
    );
    if let Ok(name) =
        HeaderValue::from_str(&format!("attachment; filename=\"{}\"", release.file_name))
    {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn parse<T: DeserializeOwned>(
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<T, VendorError> {
    let malformed = |why: String| VendorError::Refused(Refusal::Malformed(why));
    let body = body.map_err(|error| malformed(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))
}

fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(octets) => ([(header::CONTENT_TYPE, "application/json")], octets).into_response(),
        Err(error) => problem(kind::FAULT, 500, &error.to_string()),
    }
}

/// RFC 9457.
#[derive(Serialize)]
struct Document<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

fn problem(kind: &str, status: u16, detail: &str) -> Response {
    let title = kind.replace('-', " ");
    let document = Document {
        r#type: kind,
        title: &title,
        status,
        detail,
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body,
    )
        .into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let minute = HeaderValue::from_static("60");
        response.headers_mut().insert(header::RETRY_AFTER, minute);
    }
    response
}

impl IntoResponse for VendorError {
    fn into_response(self) -> Response {
        match self {
            VendorError::Refused(refusal) => {
                let (kind, status) = refusal.kind();
                problem(kind, status, &refusal.to_string())
            }
            VendorError::Field { .. } | VendorError::Missing(_) => {
                problem(kind::MALFORMED, 400, &self.to_string())
            }
            fault => {
                tracing::error!(error = %fault, "a question was not answered");
                problem(
                    kind::FAULT,
                    500,
                    "something went wrong here; the vendor's log says what",
                )
            }
        }
    }
}
