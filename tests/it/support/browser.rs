//! A headless Chromium, driven through chromedriver, for tests that look at real pages.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::Process;

/// chromedriver and Chromium start in about a second; a busy machine needs more.
const START_LIMIT: Duration = Duration::from_secs(60);

/// One command to chromedriver.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// A folder named by this variable receives the screenshots that tests take, for people to look at.
const SCREENSHOTS: &str = "PROXPANEL_SCREENSHOTS";

/// The size of the page, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Viewport {
    pub width: u32,
    pub height: u32,
    /// Touch, a mobile user agent, and no minimum width, which a desktop window has.
    pub phone: bool,
}

pub const DESKTOP: Viewport = Viewport {
    width: 1280,
    height: 900,
    phone: false,
};
pub const PHONE: Viewport = Viewport {
    width: 375,
    height: 812,
    phone: true,
};

/// An open browser with one window and a profile of its own.
pub struct Browser {
    pub client: Client,
    driver: SocketAddr,
    session: String,
}

/// Runs `test` with a fresh browser, and closes the browser afterwards also when the test fails.
pub fn with_browser(viewport: Viewport, test: impl AsyncFnOnce(&Browser)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    let (driver, address) = start_driver();
    let profile = tempfile::tempdir().expect("temporary folder");
    let browser = runtime.block_on(Browser::open(address, &profile, viewport));
    let result = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(&browser))));
    // Chromium is chromedriver's child, not ours: it goes when the session is closed, so that comes first.
    let closed = runtime
        .block_on(async { tokio::time::timeout(COMMAND_LIMIT, browser.client.close()).await });
    drop(driver);
    if let Err(failure) = result {
        panic::resume_unwind(failure);
    }
    closed
        .expect("the browser closes in time")
        .expect("the browser closes");
}

/// Starts chromedriver on a free port, which it names in its output.
fn start_driver() -> (Process, SocketAddr) {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0");
    let process = Process::start(command);
    let port = process.stdout.wait_for(START_LIMIT, |line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    let port = port.unwrap_or_else(|| panic!("chromedriver names no port\n{}", process.output()));
    (process, SocketAddr::from(([127, 0, 0, 1], port)))
}

impl Browser {
    async fn open(driver: SocketAddr, profile: &TempDir, viewport: Viewport) -> Self {
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-sync",
            "--hide-scrollbars",
            "--no-first-run",
            "--lang=en",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!(
            "--window-size={},{}",
            viewport.width, viewport.height
        ));
        let mut options = json!({ "args": arguments });
        if viewport.phone {
            let metrics = json!({ "width": viewport.width, "height": viewport.height, "pixelRatio": 2.0, "touch": true, "mobile": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities =
            json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("an object was written above")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{driver}"))
            .await
            .expect("Chromium starts");
        let session = client
            .session_id()
            .await
            .expect("session")
            .expect("session id");
        Self {
            client,
            driver,
            session,
        }
    }

    /// Opens an address, and waits until the page and what it refers to are loaded.
    pub async fn open_page(&self, url: &str) {
        self.client
            .goto(url)
            .await
            .unwrap_or_else(|error| panic!("{url} does not open: {error}"));
    }

    /// What the browser's console has said since the last call, as "LEVEL message": script errors, resources that did
    /// not load, and everything that the Content-Security-Policy refused.
    pub fn console(&self) -> Vec<String> {
        let answer = self.command("se/log", &json!({ "type": "browser" }));
        let entries = answer["value"]
            .as_array()
            .unwrap_or_else(|| panic!("no log: {answer}"));
        entries
            .iter()
            .map(|entry| format!("{} {}", text(&entry["level"]), text(&entry["message"])))
            .collect()
    }

    /// Fails when the console has anything to say.
    pub fn assert_quiet_console(&self) {
        let console = self.console();
        assert!(
            console.is_empty(),
            "the browser's console says:\n{}",
            console.join("\n")
        );
    }

    /// Whether the page is wider than the window, which on a phone means scrolling sideways.
    pub async fn scrolls_sideways(&self) -> bool {
        let script =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        let answer = self
            .client
            .execute(script, Vec::new())
            .await
            .expect("script");
        answer.as_bool().expect("a boolean")
    }

    /// Switches what the page hears from `prefers-color-scheme`.
    pub fn prefer_dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command(
            "goog/cdp/execute",
            &json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } }),
        );
    }

    /// Saves the page as `NAME.png` in the folder that `PROXPANEL_SCREENSHOTS` names; does nothing without it.
    pub async fn screenshot(&self, name: &str) {
        let Some(folder) = env::var_os(SCREENSHOTS).map(PathBuf::from) else {
            return;
        };
        fs::create_dir_all(&folder).expect("the folder for screenshots");
        let image = self.client.screenshot().await.expect("screenshot");
        fs::write(folder.join(format!("{name}.png")), image).expect("write");
    }

    /// A command of chromedriver's own, which the WebDriver standard and so fantoccini do not have.
    fn command(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!(
            "POST /session/{}/{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.session,
            self.driver,
            body.len()
        );
        let mut stream = TcpStream::connect(self.driver).expect("chromedriver");
        stream
            .set_read_timeout(Some(COMMAND_LIMIT))
            .expect("time limit");
        stream.write_all((head + &body).as_bytes()).expect("send");
        // chromedriver keeps the connection open all the same, so the answer ends where its length says.
        let mut reader = BufReader::new(stream);
        let mut status = String::new();
        reader.read_line(&mut status).expect("status line");
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("header");
            match header.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().expect("a length")
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut json = vec![0; length];
        reader.read_exact(&mut json).expect("body");
        assert!(
            status.starts_with("HTTP/1.1 200 "),
            "{path}: {status}{}",
            String::from_utf8_lossy(&json)
        );
        serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
