//! The page of the vendor's people: who gets in, and what its forms do.

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, header};
use tower::ServiceExt;

use super::updates::{package, publish};
use super::*;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The value of a cookie that was set.
    fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(header::SET_COOKIE).into_iter();
        lines
            .filter_map(|line| line.to_str().unwrap().strip_prefix(&format!("{name}=")))
            .map(|rest| rest.split(';').next().unwrap().to_owned())
            .next()
    }

    fn token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    fn shows(&self, status: u16, texts: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        for text in texts {
            assert!(self.body.contains(text), "no {text} in {}", self.body);
        }
        self
    }
}

struct Browser {
    router: Router,
    cookie: String,
    token: String,
}

impl Browser {
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "vendor.example")
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        let peer: SocketAddr = "192.0.2.9:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = to_bytes(body, 4 << 20).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], String::new()).await
    }

    async fn post(&self, path: &str, fields: &str) -> Answer {
        let body = format!("csrf={}&{fields}", self.token);
        self.send(Method::POST, path, &[], body).await
    }

    /// A browser at the sign-in page.
    async fn stranger(desk: &Arc<Desk>) -> Browser {
        let mut browser = Browser {
            router: server::router(desk),
            cookie: String::new(),
            token: String::new(),
        };
        let page = browser.get("/login").await;
        browser.cookie = format!("visitor={}", page.cookie("visitor").unwrap());
        browser.token = page.token();
        browser
    }

    async fn signed_in(desk: &Arc<Desk>) -> Browser {
        let mut browser = Self::stranger(desk).await;
        let answer = browser.post("/login", "password=vendor+horse").await;
        answer.shows(303, &[]);
        let line = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(
            line.contains("Secure") && line.contains("HttpOnly"),
            "{line}"
        );
        browser.cookie = format!("session={}", answer.cookie("session").unwrap());
        browser.token = browser.get("/").await.token();
        browser
    }
}

#[tokio::test]
async fn only_the_password_leads_in() {
    let (desk, _folder) = vendor(30);
    let stranger = Browser::stranger(&desk).await;
    for path in ["/", "/issue", "/licences/1", "/log", "/releases"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.headers[header::LOCATION], "/login", "{path}");
    }
    for path in [
        "/issue",
        "/licences/1/revoke",
        "/licences/1/key",
        "/releases/1/withdraw",
        "/logout",
    ] {
        let answer = stranger.post(path, "").await;
        assert_eq!(answer.headers[header::LOCATION], "/login", "{path}");
    }
    let wrong = stranger.post("/login", "password=wrong").await;
    wrong.shows(422, &["The password is wrong."]);
    assert!(wrong.cookie("session").is_none());
    let mut tokenless = Browser::stranger(&desk).await;
    tokenless.token = "0".repeat(64);
    tokenless
        .post("/login", "password=vendor+horse")
        .await
        .shows(403, &[]);
    let browser = Browser::signed_in(&desk).await;
    browser
        .get("/")
        .await
        .shows(200, &["Licences", "vendor_key"]);
    browser
        .get("/log")
        .await
        .shows(200, &["signed in", "wrong password", "page 192.0.2.9"]);
    for _ in 0..5 {
        stranger.post("/login", "password=wrong").await;
    }
    stranger
        .post("/login", "password=vendor+horse")
        .await
        .shows(429, &["too many"]);
    browser.post("/logout", "").await.shows(303, &[]);
    assert_eq!(browser.get("/").await.headers[header::LOCATION], "/login");
}

#[tokio::test]
async fn a_licence_is_issued_seen_and_changed_by_forms() {
    let (desk, _folder) = vendor(30);
    let browser = Browser::signed_in(&desk).await;
    browser.get("/").await.shows(200, &["No licences"]);
    browser
        .get("/issue")
        .await
        .shows(200, &["Issue a licence", "365"]);
    for (fields, problem) in [
        ("customer=&grace=14", "Needed"),
        ("customer=Cedar&grace=", "A whole number from 0 to 365"),
        (
            "customer=Cedar&grace=14&days=0",
            "A whole number from 1 to 36500",
        ),
        (
            "customer=Cedar&grace=14&subscribers=x",
            "A whole number from 1",
        ),
    ] {
        browser.post("/issue", fields).await.shows(422, &[problem]);
    }
    let fields = "customer=Cedar+%3Cb%3E&email=a%40b&subscribers=1500&days=30&grace=14";
    let issued = browser.post("/issue", fields).await;
    issued.shows(
        200,
        &["PROX-", "Cedar &#60;b&#62;", "1,500", "Not activated"],
    );
    browser
        .get("/?q=cedar")
        .await
        .shows(200, &["/licences/1", "0 of 1,500"]);
    browser.get("/?q=birch").await.shows(200, &["No licences"]);
    assert!(!browser.get("/licences/1").await.body.contains("PROX-"));
    browser
        .post("/licences/1/key", "")
        .await
        .shows(200, &["PROX-"]);

    browser
        .post("/licences/1/renew", "subscribers=&days=&grace=x")
        .await
        .shows(422, &[]);
    browser
        .post("/licences/1/renew", "subscribers=9&days=&grace=0")
        .await
        .shows(303, &[]);
    browser
        .get("/licences/1")
        .await
        .shows(200, &["never", "0 days"]);
    browser
        .post("/licences/1/revoke", "reason=Unpaid")
        .await
        .shows(303, &[]);
    browser
        .get("/licences/1")
        .await
        .shows(200, &["Revoked", "Unpaid"]);
    browser.post("/licences/1/move", "").await.shows(303, &[]);
    browser.get("/licences/2").await.shows(404, &[]);
    browser.post("/licences/2/move", "").await.shows(404, &[]);
    let log = browser.get("/log").await;
    log.shows(
        200,
        &[
            "licence issued",
            "licence renewed",
            "licence revoked",
            "licence freed",
            "licence key shown",
        ],
    );
}

#[tokio::test]
async fn forms_of_other_sites_and_old_pages_do_nothing() {
    let (desk, _folder) = vendor(30);
    let mut browser = Browser::signed_in(&desk).await;
    let body = format!("csrf={}&customer=Cedar&grace=1", browser.token);
    let foreign = [("sec-fetch-site", "cross-site")];
    browser
        .send(Method::POST, "/issue", &foreign, body)
        .await
        .shows(403, &[]);
    browser.token = "0".repeat(64);
    browser
        .post("/issue", "customer=Cedar&grace=1")
        .await
        .shows(403, &[]);
    let long = "x".repeat(20_000);
    browser
        .post("/issue", &format!("customer={long}"))
        .await
        .shows(413, &[]);
    assert!(desk.licences(u32::MAX, "").unwrap().is_empty());
}

#[tokio::test]
async fn pages_have_nothing_inline_and_strict_headers() {
    let (desk, _folder) = vendor(30);
    let browser = Browser::signed_in(&desk).await;
    browser.post("/issue", "customer=Cedar&grace=1").await;
    for path in ["/", "/issue", "/licences/1", "/log", "/login"] {
        let page = browser.get(path).await;
        page.shows(200, &["<h1>"]);
        assert!(
            !page.body.contains(" style=") && !page.body.contains("<style"),
            "{path}"
        );
        assert!(!page.body.contains("onclick"), "{path}");
        // Scripts come from files, and have no text of their own.
        let rest = page.body.replace("defer></script>", "");
        assert!(!rest.contains("</script>"), "{path}");
        for source in page.body.split(" src=\"").skip(1) {
            assert!(source.starts_with("/static/"), "{path}");
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn releases_are_seen_and_withdrawn() {
    let (desk, _folder) = vendor(30);
    let browser = Browser::signed_in(&desk).await;
    browser.get("/releases").await.shows(200, &["No releases"]);
    publish(&desk, "0.3.0", &package(b"a")).await.unwrap();
    browser.get("/releases").await.shows(
        200,
        &["0.3.0", "amd64", "Offered", "&#60;b&#62;Faster&#60;/b&#62;"],
    );
    let done = browser.post("/releases/1/withdraw", "").await;
    assert_eq!(done.headers[header::LOCATION], "/releases");
    browser.get("/releases").await.shows(200, &["Withdrawn"]);
    browser
        .post("/releases/9/withdraw", "")
        .await
        .shows(404, &[]);
    browser.get("/log").await.shows(200, &["release withdrawn"]);
}
