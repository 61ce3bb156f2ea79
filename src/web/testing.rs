//! The panel in process for tests: a real store in a temporary folder, a clock that stands still, the real router.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::app::{App, Clock};
use crate::config::{Config, Overrides};
use crate::crypto::{self, Secret};
use crate::domain::audit::Actor;
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Timestamp;
use crate::operations::operators;
use crate::store::accounting::Pace;
use crate::store::operators as stored_operators;
use crate::web::query::Query;
use crate::web::{cookies, router};

/// The password of every operator that [`TestApp`] makes.
pub const PASSWORD: &str = "correct horse";
/// 2027-01-15 08:00:00 UTC, where the clock stands at first.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);
/// Where requests come from.
pub const PEER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40_000);

/// Pages of tests are far below this.
const LARGEST_PAGE: usize = 4 << 20;

pub struct TestApp {
    pub app: Arc<App>,
    pub router: Router,
    /// Dropped last.
    _folder: TempDir,
}

impl TestApp {
    /// An appliance that was set up: one administrator named `rania`.
    pub async fn start() -> TestApp {
        let test = TestApp::empty("");
        test.operator("rania", Role::Administrator).await;
        test
    }

    /// An appliance that nobody can sign in to yet, with lines of a configuration file.
    pub fn empty(config: &str) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        let overrides = Overrides {
            data_dir: Some(folder.path().to_path_buf()),
            ..Overrides::default()
        };
        let config = Config::parse(config, Path::new("test.toml"), &overrides).unwrap();
        let app = Arc::new(App::open(config, Clock::standing_at(NOW), Pace::default()).unwrap());
        TestApp {
            router: router(Arc::clone(&app)),
            app,
            _folder: folder,
        }
    }

    pub async fn operator(&self, name: &str, role: Role) -> Operator {
        let password = Secret::new(PASSWORD.to_owned());
        operators::add(&self.app, &Actor::CommandLine, name, role, password)
            .await
            .unwrap()
    }

    /// A browser of the administrator that [`TestApp::start`] made.
    pub async fn sign_in(&self) -> Browser<'_> {
        self.sign_in_as("rania").await
    }

    /// A signed-in browser, without the cost of the sign-in page.
    pub async fn sign_in_as(&self, name: &str) -> Browser<'_> {
        let stored = stored_operators::named(&self.app.store.view().unwrap(), name)
            .unwrap()
            .unwrap();
        let agent =
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned();
        let signed_in = operators::let_in(&self.app, stored.operator, PEER.ip().to_string(), agent)
            .await
            .unwrap();
        let token = signed_in.token.expose().clone();
        let login = stored_operators::login(
            &self.app.store.view().unwrap(),
            &crypto::sha256(token.as_bytes()),
        );
        Browser {
            test: self,
            cookie: format!("{}={token}", cookies::SESSION),
            csrf: login.unwrap().unwrap().csrf,
            token,
        }
    }

    /// A browser without any cookie.
    pub fn stranger(&self) -> Browser<'_> {
        self.browser(String::new(), "")
    }

    /// A browser with this cookie, whose forms carry this token.
    pub fn browser(&self, cookie: String, csrf: &str) -> Browser<'_> {
        Browser {
            test: self,
            cookie,
            csrf: csrf.to_owned(),
            token: String::new(),
        }
    }

    /// Closes the appliance. On a thread of its own, since closing blocks, which an async test must not.
    pub fn close(&self) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.app.close());
        });
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.respond(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, LARGEST_PAGE).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A good answer that is no text.
    pub async fn octets(&self, request: Request<Body>) -> (HeaderMap, Vec<u8>) {
        let response = self.respond(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, LARGEST_PAGE).await.unwrap();
        (parts.headers, body.to_vec())
    }

    async fn respond(&self, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(ConnectInfo(PEER));
        self.router.clone().oneshot(request).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a browser keeps between requests.
pub struct Browser<'a> {
    test: &'a TestApp,
    pub cookie: String,
    pub csrf: String,
    /// The token in the cookie.
    pub token: String,
}

impl Browser<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.test
            .send(
                self.request(Method::GET, path, &[])
                    .body(Body::empty())
                    .unwrap(),
            )
            .await
    }

    /// As htmx asks.
    pub async fn htmx(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path, &[("hx-request", "true")]);
        self.test.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form with the token of this browser.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[]).await
    }

    /// Sends a form as htmx does.
    pub async fn htmx_post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[("hx-request", "true")])
            .await
    }

    /// Sends a form with further headers; the token is added unless `fields` has its own.
    pub async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut body: Vec<String> = fields
            .iter()
            .map(|(name, value)| pair(name, value))
            .filter(|pair| !pair.is_empty())
            .collect();
        if fields.iter().all(|(name, _)| *name != "csrf") {
            body.push(pair("csrf", &self.csrf));
        }
        let request = self
            .request(Method::POST, path, headers)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.test
            .send(request.body(Body::from(body.join("&"))).unwrap())
            .await
    }

    /// A form with one file in it, and this token.
    pub fn file(&self, path: &str, csrf: &str, name: &str, content: &[u8]) -> Request<Body> {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let body = [head.as_bytes(), content, b"\r\n--x--\r\n"].concat();
        self.request(Method::POST, path, &[])
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(body))
            .unwrap()
    }

    /// A request with the cookie of this browser.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "panel.example");
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, &self.cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }
}

/// `name=value`, encoded; a name alone for an empty value.
fn pair(name: &str, value: &str) -> String {
    match value {
        "" => format!("{name}="),
        value => Query::new()
            .with(name, value)
            .href("")
            .trim_start_matches('?')
            .to_owned(),
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header as text, or the empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The `Set-Cookie` line of a cookie, or the empty text.
    pub fn cookie(&self, name: &str) -> &str {
        let lines = self
            .headers
            .get_all(header::SET_COOKIE)
            .into_iter()
            .map(|line| line.to_str().unwrap());
        lines
            .into_iter()
            .find(|line| line.starts_with(&format!("{name}=")))
            .unwrap_or("")
    }

    /// The value of a cookie that was set, or the empty text.
    pub fn cookie_value(&self, name: &str) -> &str {
        let pair = self.cookie(name).split(';').next().unwrap_or("");
        pair.split_once('=').map_or("", |(_, value)| value)
    }

    /// The text of the page without tags, blanks put together, so that assertions follow what people read.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in self.body.split('<') {
            text.push(' ');
            text.push_str(part.split_once('>').map_or(part, |(_, behind)| behind));
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What the next page would show once.
    pub fn flash(&self) -> String {
        let mut headers = HeaderMap::new();
        let sent = format!("{}={}", cookies::FLASH, self.cookie_value(cookies::FLASH));
        headers.insert(header::COOKIE, sent.parse().unwrap());
        cookies::flash(&headers).map_or_else(String::new, |flash| flash.text)
    }

    /// Fails unless the page has this status and shows all these texts.
    pub fn shows(&self, status: StatusCode, texts: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        for text in texts {
            assert!(
                self.body.contains(text) || self.text().contains(text),
                "no {text:?} in {}",
                self.text()
            );
        }
        self
    }
}
