//! Every address with what nobody should send: a problem document, and nothing changed.

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::licence::wire::LARGEST_REQUEST;

struct Answered {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn send(router: &Router, method: Method, path: &str, bearer: &str, body: &str) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    if !bearer.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    let peer: SocketAddr = "192.0.2.9:4000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    Answered {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    }
}

fn question(key: &str, hardware: &str, nonce: &str) -> String {
    json!({ "key": key, "hardware": hardware, "nonce": nonce, "version": "1" }).to_string()
}

const NONCE: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const KEY: &str = "PROX-22222-22222-22222-22222";

#[tokio::test]
async fn bad_questions_are_refused_in_the_words_of_rfc_9457() {
    let (desk, _folder) = vendor(30);
    let router = server::router(&desk);
    let here = machine(1).to_text();
    let long = "x".repeat(LARGEST_REQUEST + 1);
    let (deep, blank) = ("[".repeat(2_000), " ".repeat(LARGEST_REQUEST));
    for path in ["activate", "validate", "heartbeat"] {
        for (body, status, kind) in [
            (String::new(), 400, "malformed"),
            ("{}".to_owned(), 400, "malformed"),
            ("[]".to_owned(), 400, "malformed"),
            (deep.clone(), 400, "malformed"),
            ("\u{0}".to_owned(), 400, "malformed"),
            (long.clone(), 400, "malformed"),
            (question(KEY, &here, NONCE) + &blank, 400, "malformed"),
            (question(KEY, "", NONCE), 400, "malformed"),
            (question(KEY, "AAAA", NONCE), 400, "malformed"),
            (question(KEY, &here, ""), 400, "malformed"),
            (question(KEY, &here, "AAAA"), 400, "malformed"),
            (question("", &here, NONCE), 404, "unknown-key"),
            (question("x", &here, NONCE), 404, "unknown-key"),
            (question(KEY, &here, NONCE), 404, "unknown-key"),
            (
                question(KEY, &here, NONCE).replace("\"version\"", "\"other\""),
                400,
                "malformed",
            ),
        ] {
            let path = format!("/api/v1/license/{path}");
            let got = send(&router, Method::POST, &path, "", &body).await;
            let shown = body.chars().take(60).collect::<String>();
            assert_eq!(got.status, status, "{path} {shown}");
            assert_eq!(got.header("content-type"), "application/problem+json");
            assert_eq!(got.json()["type"], kind, "{path} {shown}");
            assert_eq!(got.json()["status"], status, "{path} {shown}");
            assert!(!got.json()["detail"].as_str().unwrap().is_empty());
        }
    }
    assert!(desk.licences(u32::MAX, "").unwrap().is_empty());
}

#[tokio::test]
async fn a_registration_must_be_whole_and_is_rare() {
    let (desk, _folder) = vendor(30);
    let router = server::router(&desk);
    let path = "/api/v1/license/register";
    let body = |company: &str, hardware: &str| {
        json!({ "company": company, "email": "a@b", "hardware": hardware, "version": "1" })
            .to_string()
    };
    for (body, status) in [
        (body("", &machine(1).to_text()), 400),
        (body(&"x".repeat(201), &machine(1).to_text()), 400),
        (body("Cedar", "AAAA"), 400),
        (body("Cedar", &machine(1).to_text()), 200),
        ("{}".to_owned(), 400),
    ] {
        assert_eq!(
            send(&router, Method::POST, path, "", &body).await.status,
            status
        );
    }
    let last = send(
        &router,
        Method::POST,
        path,
        "",
        &body("Cedar", &machine(2).to_text()),
    )
    .await;
    assert_eq!((last.status, last.header("retry-after")), (429, "60"));
    assert_eq!(last.json()["type"], "too-many-requests");
    assert_eq!(desk.licences(u32::MAX, "").unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_that_asks_all_the_time_is_slowed_down() {
    let (desk, _folder) = vendor(30);
    let router = server::router(&desk);
    let mut refused = 0;
    for _ in 0..80 {
        let got = send(&router, Method::POST, "/api/v1/license/heartbeat", "", "{}").await;
        refused += usize::from(got.status == 429);
    }
    assert!(refused > 0, "80 in a moment");
    // Guessing keys where releases are given out is no faster.
    let got = send(&router, Method::GET, "/api/v1/update/check", KEY, "").await;
    assert_eq!(got.status, 429);
}

#[tokio::test]
async fn other_methods_and_addresses_are_not_there() {
    let (desk, _folder) = vendor(30);
    let router = server::router(&desk);
    for (method, path, status) in [
        (Method::GET, "/api/v1/license/activate", 405),
        (Method::PUT, "/api/v1/license/activate", 405),
        (Method::POST, "/api/v1/update/check", 405),
        (Method::GET, "/api/v1/download/other", 404),
        (Method::GET, "/api/v1/download/../../etc/passwd", 404),
        (Method::GET, "/nothing", 404),
    ] {
        let got = send(&router, method.clone(), path, "", "").await;
        assert_eq!(got.status, status, "{method} {path}");
    }
    let page = send(&router, Method::GET, "/login", "", "").await;
    assert_eq!(page.status, StatusCode::OK.as_u16());
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn updates_are_for_those_with_a_licence() {
    let (desk, _folder) = vendor(30);
    let router = server::router(&desk);
    for path in [
        "/api/v1/update/check",
        "/api/v1/download/proxpanel",
        "/api/v1/download/update?version=1",
    ] {
        for bearer in ["", "x", KEY] {
            let got = send(&router, Method::GET, path, bearer, "").await;
            assert_eq!(
                (got.status, &got.json()["type"]),
                (404, &json!("unknown-key")),
                "{path}"
            );
        }
    }
}
