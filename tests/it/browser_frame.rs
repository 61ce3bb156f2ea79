//! The browser tests' own frame, tried on two tiny pages: what it must notice, and what it must not complain about.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use fantoccini::Locator;
use tokio::net::TcpListener;

use crate::support::browser::{DESKTOP, PHONE, with_browser};

const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:";

const CLEAN: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clean</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><script src="/script.js" defer></script>
</head><body><h1>Hello</h1></body></html>"#;

/// Breaks the policy, throws, and is wider than any window.
const DIRTY: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dirty</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><script>alert(1)</script>
<script src="/broken.js" defer></script></head><body><pre>WIDE</pre></body></html>"#;

const SCRIPT: &str = "document.querySelector('h1').textContent += matchMedia('(prefers-color-scheme: dark)').matches ? ' night' : ' day';";

async fn serve() -> String {
    let page = |html: String| async move {
        (
            [
                (CONTENT_TYPE, "text/html"),
                (CONTENT_SECURITY_POLICY, POLICY),
            ],
            html,
        )
    };
    let script = |code: &'static str| async move { ([(CONTENT_TYPE, "text/javascript")], code) };
    let app = Router::new()
        .route("/clean", get(move || page(CLEAN.to_owned())))
        .route(
            "/dirty",
            get(move || page(DIRTY.replace("WIDE", &"wide ".repeat(600)))),
        )
        .route("/script.js", get(move || script(SCRIPT)))
        .route(
            "/broken.js",
            get(move || script("throw new Error('broken on purpose')")),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

#[test]
fn a_clean_page_is_quiet_and_follows_the_colour_scheme() {
    with_browser(DESKTOP, async |browser| {
        let server = serve().await;
        browser.prefer_dark(false);
        browser.open_page(&format!("{server}/clean")).await;
        let heading = browser
            .client
            .find(Locator::Css("h1"))
            .await
            .expect("heading");
        assert_eq!(heading.text().await.expect("text"), "Hello day");
        browser.prefer_dark(true);
        browser.open_page(&format!("{server}/clean")).await;
        let heading = browser
            .client
            .find(Locator::Css("h1"))
            .await
            .expect("heading");
        assert_eq!(heading.text().await.expect("text"), "Hello night");
        assert!(!browser.scrolls_sideways().await);
        browser.screenshot("frame-desktop").await;
        browser.assert_quiet_console();
    });
}

#[test]
fn a_dirty_page_is_noticed_on_a_phone() {
    with_browser(PHONE, async |browser| {
        let server = serve().await;
        browser.open_page(&format!("{server}/clean")).await;
        let width = browser
            .client
            .execute("return innerWidth", Vec::new())
            .await
            .expect("script");
        assert_eq!(width, 375);
        assert!(!browser.scrolls_sideways().await);
        browser.assert_quiet_console();

        browser.open_page(&format!("{server}/dirty")).await;
        assert!(browser.scrolls_sideways().await);
        let console = browser.console().join("\n");
        assert!(console.contains("Content Security Policy"), "{console}");
        assert!(console.contains("broken on purpose"), "{console}");
        assert!(browser.console().is_empty(), "each message is given once");
    });
}

#[test]
#[should_panic(expected = "a failed assertion inside the browser")]
fn a_failing_test_fails_and_closes_its_browser() {
    with_browser(DESKTOP, async |_browser| {
        panic!("a failed assertion inside the browser")
    });
}
