//! Plain HTTP and HTTPS: how a request came, where browsers on the plain port are sent, and what they are told to remember.
//!
//! Invariant: where HTTPS listens, no page leaves over plain HTTP, but for those that a trusted proxy carries on over HTTPS.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::web::client::Client;
use crate::web::extract::Panel;

/// What certificate authorities ask for (RFC 8555 section 8.3); the token follows.
pub const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";

/// Browsers that saw a certificate which they trust ask no other way for so long (RFC 6797): a week, because the way back to
/// a self-signed one is closed to them meanwhile.
const REMEMBER_HTTPS: HeaderValue = HeaderValue::from_static("max-age=604800");

/// Longest host with its port that is repeated in a redirect.
const LONGEST_HOST: usize = 260;

/// How a request came to the panel; the server puts it beside each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub peer: SocketAddr,
    pub is_tls: bool,
    /// Where HTTPS listens, for requests on a plain port that must go there.
    https_port: Option<u16>,
}

impl Arrival {
    pub fn plain(peer: SocketAddr, https_port: Option<u16>) -> Arrival {
        Arrival {
            peer,
            is_tls: false,
            https_port,
        }
    }

    pub fn tls(peer: SocketAddr) -> Arrival {
        Arrival {
            peer,
            is_tls: true,
            https_port: None,
        }
    }
}

/// Middleware around every handler: sends browsers from the plain port to HTTPS, and tells those that came over a certificate
/// of an authority to stay there.
pub async fn guard(State(panel): State<Panel>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let arrival = parts.extensions.get::<Arrival>().copied();
    if let Some(port) = arrival.and_then(|arrival| arrival.https_port) {
        let path = parts.uri.path();
        // Monitors ask the plain port as ever, and authorities ask no other.
        let is_open = path == "/healthz" || path.starts_with(CHALLENGE_PATH);
        if !is_open && !Client::of(&parts, trusted(&panel)).is_https {
            return elsewhere(&parts, port);
        }
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let is_trusted = || !panel.app.certificates.in_use().facts.is_self_signed;
    if arrival.is_some_and(|arrival| arrival.is_tls) && is_trusted() {
        let name = HeaderName::from_static("strict-transport-security");
        response.headers_mut().insert(name, REMEMBER_HTTPS);
    }
    response
}

fn trusted(panel: &Panel) -> &[IpAddr] {
    &panel.app.config.web.trusted_proxies
}

/// The redirect to HTTPS.
fn elsewhere(parts: &Parts, https_port: u16) -> Response {
    let Some(host) = host(&parts.headers) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let location = match https_port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    match HeaderValue::try_from(location) {
        // Whatever the method: a form that was sent in the clear is sent again, not lost.
        Ok(location) => (
            StatusCode::PERMANENT_REDIRECT,
            [(header::LOCATION, location)],
        )
            .into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The host by which the browser asked, without a port.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_[]:".contains(&b);
    let fits = !name.is_empty() && name.len() <= LONGEST_HOST && name.bytes().all(is_plain);
    fits.then_some(name)
}

/// `GET /.well-known/acme-challenge/{token}`: what proves that the name leads here.
pub async fn challenge(State(panel): State<Panel>, Path(token): Path<String>) -> Response {
    match panel.app.certificates.challenges().answer(&token) {
        Some(answer) => answer.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_repeated_without_its_port_and_only_if_it_is_one() {
        for (sent, name) in [
            ("panel.example", Some("panel.example")),
            ("panel.example:80", Some("panel.example")),
            ("192.0.2.7:8080", Some("192.0.2.7")),
            ("[2001:db8::7]", Some("[2001:db8::7]")),
            ("[2001:db8::7]:80", Some("[2001:db8::7]")),
            ("", None),
            (":80", None),
            ("a/b", None),
            ("a b", None),
            ("user@evil.example", None),
            (&"a".repeat(261), None),
        ] {
            let headers = HeaderMap::from_iter([(header::HOST, sent.parse().unwrap())]);
            assert_eq!(host(&headers), name, "{sent}");
        }
        assert_eq!(host(&HeaderMap::new()), None);
    }
}
