//! The panel in a real browser against the real daemon: first run, every page, and the work of an operator's day.

use fantoccini::Locator;
use proxpanel::app::Clock;
use proxpanel::crypto::totp::FactorSecret;
use proxpanel::radius::auth::Method;
use proxpanel::radius::client::{Login, Request};
use proxpanel::radius::{AttributeBuffer, Code, SharedSecret};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use crate::appliance::demo;
use crate::support::browser::{Browser, DESKTOP, PHONE, with_browser};
use crate::support::daemon::Daemon;
use crate::support::radius::{self, INTERIM, Record, START};

pub const PASSWORD: &str = "a long enough password";

/// The path of the one-time setup link that `proxpanel setup` prints.
pub fn setup_link(daemon: &Daemon) -> String {
    let output = daemon.run(&["setup"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub async fn fill(browser: &Browser, name: &str, value: &str) {
    let field = browser
        .client
        .find(Locator::Id(name))
        .await
        .unwrap_or_else(|error| panic!("no field {name}: {error}"));
    field.clear().await.unwrap();
    field.send_keys(value).await.unwrap();
}

/// Presses the button that sends the form of the page's main part.
pub async fn send(browser: &Browser) {
    let button = browser
        .client
        .find(Locator::Css(
            "main form button.primary, .bare-card form button.primary",
        ))
        .await
        .unwrap();
    button.click().await.unwrap();
}

/// What the page shows. Asked of the page itself, which is one step: an element found a moment ago may be gone.
pub async fn text(browser: &Browser) -> String {
    let script = "return document.body ? document.body.innerText : ''";
    let text = browser.client.execute(script, vec![]).await.unwrap();
    text.as_str().unwrap_or_default().to_owned()
}

/// Waits until the page shows a text.
pub async fn wait_for_text(browser: &Browser, wanted: &str) {
    for _ in 0..200 {
        if text(browser).await.contains(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{wanted:?} is not on the page:\n{}", text(browser).await);
}

/// The first operator through the link, who signs the browser in; `first_run` goes on with the steps.
pub async fn first_operator(browser: &Browser, daemon: &Daemon) {
    browser.open_page(&setup_link(daemon)).await;
    fill(browser, "name", "rania").await;
    fill(browser, "password", PASSWORD).await;
    fill(browser, "password_again", PASSWORD).await;
    browser.screenshot("setup").await;
    send(browser).await;
    wait_for_text(browser, "Hello rania").await;
}

/// What every other test needs of the first run: an operator and a network.
pub async fn first_run(browser: &Browser, daemon: &Daemon) {
    first_operator(browser, daemon).await;
    browser.open_page(&url(daemon, "/setup/network")).await;
    fill(browser, "isp_name", "Nour Net").await;
    fill(browser, "time_zone", "Asia/Baghdad").await;
    fill(browser, "currency", "IQD").await;
    send(browser).await;
    wait_for_text(browser, "Nour Net is saved").await;
    browser.open_page(&url(daemon, "/")).await;
    wait_for_text(browser, "rania").await;
}

pub fn url(daemon: &Daemon, path: &str) -> String {
    format!("http://{}{path}", daemon.web())
}

const PAGES: [(&str, &str); 57] = [
    ("dashboard", "/"),
    ("subscribers", "/subscribers"),
    (
        "subscribers-filtered",
        "/subscribers?state=expired&sort=-expiry",
    ),
    ("subscriber", "/subscribers/1"),
    ("subscriber-new", "/subscribers/new"),
    ("subscriber-edit", "/subscribers/2/edit"),
    ("subscriber-delete", "/subscribers/2/delete"),
    ("import", "/subscribers/import"),
    ("online", "/online"),
    ("plans", "/plans"),
    ("plan-new", "/plans/new"),
    ("plan-edit", "/plans/1/edit"),
    ("nas", "/nas"),
    ("nas-show", "/nas/1"),
    ("nas-new", "/nas/new"),
    ("addresses", "/addresses"),
    ("addresses-static", "/addresses/static"),
    ("addresses-holder", "/addresses/holder?address=10.0.0.0/8"),
    ("pool-new", "/addresses/new"),
    ("subscriber-fair-use", "/subscribers/1/fair-use"),
    ("nas-script", "/nas/1/script"),
    ("nas-checks", "/nas/1/checks"),
    ("rules", "/rules"),
    ("rule-new", "/rules/new"),
    ("simulator", "/simulator?subscriber=user00001"),
    ("cdn", "/cdn"),
    ("health", "/system/health"),
    ("jobs", "/system/jobs"),
    ("logs", "/system/logs"),
    ("restart", "/system/restart"),
    ("backups", "/settings/backups"),
    ("certificate", "/settings/certificate"),
    ("licence", "/settings/licence"),
    ("history", "/sessions"),
    ("auth-log", "/auth-log"),
    ("audit", "/audit"),
    ("search", "/search?q=user0001"),
    ("operators", "/operators"),
    ("operator-new", "/operators/new"),
    ("operator", "/operators/1"),
    ("second-factor", "/account/second-factor"),
    ("settings-general", "/settings/general"),
    ("settings-radius", "/settings/radius"),
    ("settings-security", "/settings/security"),
    ("settings-support", "/settings/support"),
    ("settings-appearance", "/settings/appearance"),
    ("logins", "/account/logins"),
    ("password", "/account/password"),
    ("setup-operator", "/setup/operator"),
    ("setup-network", "/setup/network"),
    ("setup-router", "/setup/router"),
    ("setup-script", "/setup/router/script"),
    ("setup-plan", "/setup/plan"),
    ("setup-subscriber", "/setup/subscriber"),
    ("setup-login", "/setup/login"),
    ("setup-backups", "/setup/backups"),
    ("setup-done", "/setup/done"),
];

#[test]
fn every_page_is_quiet_and_fits_on_desk_and_phone_by_day_and_night() {
    let daemon = demo(60, 25, 8, &[]);
    for number in 0..6 {
        radius::login(
            daemon.auth(),
            &format!("user{number:05}"),
            &format!("pass{number:05}"),
            Method::Pap,
        );
    }
    radius::login(daemon.auth(), "user00001", "not it", Method::Chap);
    radius::login(daemon.auth(), "nobody", "x", Method::MsChap2);
    for (viewport, size) in [(DESKTOP, "desk"), (PHONE, "phone")] {
        let daemon = &daemon;
        with_browser(viewport, async |browser| {
            if size == "desk" {
                first_run(browser, daemon).await;
            } else {
                browser.open_page(&url(daemon, "/login")).await;
                browser.screenshot("login-phone").await;
                fill(browser, "name", "rania").await;
                fill(browser, "password", PASSWORD).await;
                send(browser).await;
                wait_for_text(browser, "Subscribers").await;
            }
            browser.assert_quiet_console();
            for dark in [false, true] {
                browser.prefer_dark(dark);
                for (name, path) in PAGES {
                    browser.open_page(&url(daemon, path)).await;
                    let page = text(browser).await;
                    assert!(
                        !page.contains("not found") && !page.contains("went wrong"),
                        "{path}: {page}"
                    );
                    assert!(
                        !browser.scrolls_sideways().await,
                        "{path} scrolls sideways on a {size}"
                    );
                    browser.assert_quiet_console();
                    browser
                        .screenshot(&format!(
                            "{name}-{size}-{}",
                            if dark { "dark" } else { "light" }
                        ))
                        .await;
                }
            }
        });
    }
}

#[test]
fn an_operators_day() {
    let daemon = demo(12, 0, 0, &[]);
    with_browser(DESKTOP, async |browser| {
        first_run(browser, &daemon).await;

        // A plan and a subscriber on it, who logs in at once.
        browser.open_page(&url(&daemon, "/plans/new")).await;
        for (field, value) in [
            ("name", "Night owl"),
            ("price", "25000"),
            ("download_kbps", "40M"),
            ("upload_kbps", "8M"),
            ("pool", "owls"),
        ] {
            fill(browser, field, value).await;
        }
        send(browser).await;
        wait_for_text(browser, "Night owl").await;
        browser.open_page(&url(&daemon, "/subscribers/new")).await;
        fill(browser, "user_name", "hadi").await;
        fill(browser, "password", "s3cret pass").await;
        fill(browser, "full_name", "هادي العبيدي").await;
        let plan = browser.client.find(Locator::Id("plan")).await.unwrap();
        plan.select_by_label("Night owl").await.unwrap();
        send(browser).await;
        wait_for_text(browser, "هادي العبيدي").await;
        let reply = radius::login(daemon.auth(), "HADI", "s3cret pass", Method::MsChap2);
        let packet = reply.packet().unwrap();
        assert_eq!(packet.code(), Code::ACCESS_ACCEPT);
        let rate = packet.vendor(14988, 8).unwrap();
        assert_eq!(rate, b"8M/40M");

        // A wrong password is named, beside the subscriber and in the log.
        radius::login(daemon.auth(), "hadi", "wrong", Method::Pap);
        let here = browser.client.current_url().await.unwrap();
        browser.open_page(here.as_str()).await;
        wait_for_text(browser, "Wrong password").await;
        browser.open_page(&url(&daemon, "/auth-log")).await;
        wait_for_text(browser, "hadi").await;
        wait_for_text(browser, "Wrong password").await;

        // Online, found by address in the search box without leaving the page.
        let record = |status, seconds| Record {
            status,
            session: "day1".into(),
            user: "hadi".into(),
            seconds,
            upload: seconds * 1000,
            download: seconds * 9000,
        };
        radius::acknowledged(daemon.acct(), &record(START, 0));
        radius::acknowledged(daemon.acct(), &record(INTERIM, 60));
        browser.open_page(&url(&daemon, "/online")).await;
        wait_for_text(browser, "hadi").await;
        fill(browser, "search", "العبيد").await;
        wait_for_text(browser, "هادي العبيدي").await;

        browser.assert_quiet_console();

        // Forms keep what was typed and say what is wrong beside the field. The browser notes the status 422.
        browser.open_page(&url(&daemon, "/subscribers/new")).await;
        fill(browser, "user_name", "hadi").await;
        fill(browser, "password", "another one").await;
        fill(browser, "phone", "0770 123").await;
        send(browser).await;
        wait_for_text(browser, "Another subscriber has this user name").await;
        let phone = browser.client.find(Locator::Id("phone")).await.unwrap();
        assert_eq!(
            phone.prop("value").await.unwrap().as_deref(),
            Some("0770 123")
        );
        // The browser notes the status 422, and nothing else.
        assert!(browser.console().iter().all(|line| line.contains("422")));
        sign_out(browser).await;
        browser.open_page(&url(&daemon, "/subscribers")).await;
        wait_for_text(browser, "Sign in").await;
    });
}

async fn sign_in(browser: &Browser, daemon: &Daemon) {
    browser.open_page(&url(daemon, "/login")).await;
    fill(browser, "name", "rania").await;
    fill(browser, "password", PASSWORD).await;
    send(browser).await;
}

#[test]
fn a_phone_is_set_up_asked_for_and_taken_away_from_the_command_line() {
    let daemon = demo(3, 0, 0, &[]);
    with_browser(DESKTOP, async |browser| {
        first_run(browser, &daemon).await;
        browser
            .open_page(&url(&daemon, "/account/second-factor"))
            .await;
        let shown = "return document.getElementById('secret-text').textContent";
        let groups = browser.client.execute(shown, vec![]).await.unwrap();
        let base32 = groups.as_str().unwrap().replace([' ', '\n'], "");
        let phone = FactorSecret::from_base32(&base32).unwrap();
        // A code works once, so the next one is that of the next step, which counts already.
        let code = |later: i64| {
            let now = Clock::System.now().seconds();
            phone.code_at(now + later).unwrap()
        };
        fill(browser, "code", &code(0)).await;
        fill(browser, "present", PASSWORD).await;
        send(browser).await;
        wait_for_text(browser, "Recovery codes").await;
        assert!(!browser.scrolls_sideways().await);
        browser.screenshot("recovery-codes").await;

        sign_out(browser).await;
        sign_in(browser, &daemon).await;
        wait_for_text(browser, "One more step").await;
        browser.screenshot("login-code").await;
        fill(browser, "code", &code(30)).await;
        send(browser).await;
        wait_for_text(browser, "Dashboard").await;
        browser.assert_quiet_console();

        let output = daemon.run(&["operator", "reset-2fa", "rania"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("with the password alone"), "{said}");
        sign_in(browser, &daemon).await;
        wait_for_text(browser, "Dashboard").await;
        let again = daemon.run(&["operator", "reset-2fa", "rania"]);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(
            !again.status.success() && said.contains("no second factor"),
            "{said}"
        );
    });
}

async fn sign_out(browser: &Browser) {
    browser
        .client
        .find(Locator::Css(".operator-menu > summary"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    browser
        .client
        .find(Locator::Css("form[action='/logout'] button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    wait_for_text(browser, "Sign in").await;
}

#[test]
fn an_unknown_router_becomes_a_nas_in_two_clicks() {
    let daemon = demo(3, 0, 0, &[]);
    let stranger = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
    let secret = SharedSecret::new(b"new router secret").unwrap();
    // A login from an address that is no NAS; true when it was answered.
    let ask = || {
        let login = Login {
            user_name: "user00001",
            password: "pass00001",
            method: Method::Pap,
        };
        let request = Request::access(&secret, 7, &login, &AttributeBuffer::new()).unwrap();
        let socket = UdpSocket::bind((stranger, 0)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        socket.send_to(request.octets(), daemon.auth()).unwrap();
        let mut buffer = [0; 4096];
        socket
            .recv(&mut buffer)
            .is_ok_and(|length| request.verify(&buffer[..length]).is_ok())
    };
    assert!(!ask());
    with_browser(DESKTOP, async |browser| {
        first_run(browser, &daemon).await;
        browser.open_page(&url(&daemon, "/nas")).await;
        wait_for_text(browser, "127.0.0.77").await;
        browser.screenshot("nas-unknown").await;
        browser
            .client
            .find(Locator::Css("a[href*='127.0.0.77']"))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        let address = browser
            .client
            .wait()
            .for_element(Locator::Id("address"))
            .await
            .unwrap();
        assert_eq!(
            address.prop("value").await.unwrap().as_deref(),
            Some("127.0.0.77")
        );
        fill(browser, "name", "Tower 7").await;
        fill(browser, "secret", "new router secret").await;
        send(browser).await;
        wait_for_text(browser, "Tower 7").await;
        assert!(ask(), "the new NAS is answered at once");
        browser.assert_quiet_console();
    });
}

#[test]
fn a_plan_with_tiers_and_windows_explains_itself() {
    let daemon = demo(20, 6, 8, &[]);
    with_browser(DESKTOP, async |browser| {
        first_run(browser, &daemon).await;
        browser.open_page(&url(&daemon, "/plans/2/edit")).await;
        let open_all =
            "document.querySelectorAll('details').forEach(part => { part.open = true; })";
        browser.client.execute(open_all, vec![]).await.unwrap();
        for (field, value) in [
            ("daily_quota", "50"),
            ("daily_tier_1_threshold", "1"),
            ("daily_tier_1_down", "4M"),
            ("daily_tier_1_up", "512k"),
            ("daily_tier_2_threshold", "80%"),
            ("daily_tier_2_down", "1M"),
            ("daily_tier_2_up", "256k"),
        ] {
            fill(browser, field, value).await;
        }
        browser.screenshot("plan-tiers-desk").await;
        send(browser).await;
        wait_for_text(browser, "is saved").await;
        browser.screenshot("plan-tiers-saved-desk").await;
        let record = |status, seconds, download| Record {
            status,
            session: "tier1".into(),
            user: "user00000".into(),
            seconds,
            upload: 0,
            download,
        };
        radius::acknowledged(daemon.acct(), &record(START, 0, 0));
        radius::acknowledged(daemon.acct(), &record(INTERIM, 1, 3_000_000_000));
        browser.open_page(&url(&daemon, "/subscribers/1")).await;
        wait_for_text(browser, "Slowed down by fair use").await;
        wait_for_text(browser, "right now").await;
        wait_for_text(browser, "Daily tier 1").await;
        wait_for_text(browser, "The daily tier 2 begins at 40.0 GB").await;
        browser.screenshot("subscriber-throttled-desk").await;
        browser
            .open_page(&url(&daemon, "/subscribers/1/fair-use"))
            .await;
        fill(browser, "reason", "storm").await;
        send(browser).await;
        wait_for_text(browser, "Fair use begins anew").await;
        assert!(!text(browser).await.contains("Slowed down"));
        browser
            .open_page(&url(&daemon, "/simulator?plan=2&today=60"))
            .await;
        browser.screenshot("simulator-blocked-desk").await;
        browser.assert_quiet_console();
    });
}
