//! The first run on a phone, against the real daemon: from the setup link to the first login that a router is granted.

use std::net::SocketAddr;
use std::time::Duration;

use fantoccini::Locator;
use proxpanel::radius::auth::Method;
use proxpanel::radius::client::{Login, Request, exchange};
use proxpanel::radius::{AttributeBuffer, Code, SharedSecret};

use crate::panel::{fill, first_operator, send, text, url, wait_for_text};
use crate::support::browser::{Browser, PHONE, with_browser};
use crate::support::daemon::Daemon;

/// Looks at the page by day and by night, and that it fits.
async fn look(browser: &Browser, name: &str) {
    for (dark, scheme) in [(true, "dark"), (false, "light")] {
        browser.prefer_dark(dark);
        browser
            .screenshot(&format!("first-run-{name}-{scheme}"))
            .await;
    }
    assert!(
        !browser.scrolls_sideways().await,
        "{name} scrolls sideways on a phone"
    );
    browser.assert_quiet_console();
}

async fn press(browser: &Browser, selector: &str) {
    let found = browser.client.find(Locator::Css(selector)).await;
    let found = found.unwrap_or_else(|error| panic!("no {selector}: {error}"));
    found.click().await.unwrap();
}

async fn content(browser: &Browser, selector: &str) -> String {
    let found = browser.client.wait().at_most(Duration::from_secs(10));
    let found = found.for_element(Locator::Css(selector)).await.unwrap();
    found.text().await.unwrap()
}

/// Asks as the router would, with a password of the subscriber's box.
fn ask(server: SocketAddr, secret: &str, password: &str) -> Code {
    let login = Login {
        user_name: "ali",
        password,
        method: Method::MsChap2,
    };
    let secret = SharedSecret::new(secret.as_bytes()).unwrap();
    let request = Request::access(&secret, 1, &login, &AttributeBuffer::new()).unwrap();
    let reply = exchange(server, &request, Duration::from_secs(5), 3).unwrap();
    reply.packet().unwrap().code()
}

#[test]
fn a_phone_leads_from_the_link_to_the_first_login() {
    let daemon = Daemon::start(&[]);
    with_browser(PHONE, async |browser| {
        first_operator(browser, &daemon).await;
        look(browser, "1-operator").await;
        press(browser, "a[href='/setup/network'].button").await;
        wait_for_text(browser, "Your network").await;
        fill(browser, "isp_name", "Nour Net").await;
        fill(browser, "time_zone", "Asia/Baghdad").await;
        fill(browser, "currency", "IQD").await;
        look(browser, "2-network").await;
        send(browser).await;

        wait_for_text(browser, "Your router").await;
        fill(browser, "name", "Tower").await;
        fill(browser, "address", "127.0.0.1").await;
        look(browser, "3-router").await;
        send(browser).await;
        wait_for_text(browser, "Connect Tower").await;
        wait_for_text(browser, "No packet came since the start").await;
        look(browser, "3-script").await;
        let hidden = content(browser, "#script").await;
        assert!(hidden.contains("address=127.0.0.1") && hidden.contains("SECRET"));
        press(
            browser,
            "form[method='post'][action='/setup/router/script'] button",
        )
        .await;
        wait_for_text(browser, "The secret is on this page").await;
        let shown = content(browser, "#script").await;
        let secret = shown.split("secret=\"").nth(1).unwrap();
        let secret = secret.split('"').next().unwrap().to_owned();
        press(browser, "a.primary[href='/setup/plan']").await;

        wait_for_text(browser, "Your first plan").await;
        for (field, value) in [
            ("name", "Home 20"),
            ("download_kbps", "20M"),
            ("upload_kbps", "5M"),
            ("price", "25000"),
        ] {
            fill(browser, field, value).await;
        }
        look(browser, "4-plan").await;
        send(browser).await;

        wait_for_text(browser, "Your first subscriber").await;
        fill(browser, "user_name", "ali").await;
        look(browser, "5-subscriber").await;
        send(browser).await;
        wait_for_text(browser, "Waiting for ali to log in").await;
        wait_for_text(browser, "Nothing came from Tower yet").await;
        press(browser, "form.reveal button").await;
        let password = content(browser, "code.password").await;
        look(browser, "5-waiting").await;

        // By itself the page tells what the router met, and then that it worked.
        assert_eq!(
            ask(daemon.auth(), &secret, "typed wrong"),
            Code::ACCESS_REJECT
        );
        wait_for_text(browser, "wrong password").await;
        look(browser, "5-rejected").await;
        assert_eq!(ask(daemon.auth(), &secret, &password), Code::ACCESS_ACCEPT);
        wait_for_text(browser, "ali is in").await;
        look(browser, "5-in").await;
        press(browser, "a.primary[href='/setup/backups']").await;

        wait_for_text(browser, "Who loses the passphrase").await;
        fill(browser, "passphrase", "four words of mine").await;
        fill(browser, "passphrase_again", "four words of mine").await;
        look(browser, "6-backups").await;
        send(browser).await;
        wait_for_text(browser, "Subscribers can log in").await;
        look(browser, "7-done").await;
        browser.open_page(&url(&daemon, "/")).await;
        wait_for_text(browser, "Dashboard").await;
        assert!(!text(browser).await.contains("Finish setting up"));

        // Back: what was saved is shown, and saving it again makes nothing twice.
        browser.open_page(&url(&daemon, "/setup/router")).await;
        wait_for_text(browser, "To its script and checks").await;
        fill(browser, "name", "Tower North").await;
        send(browser).await;
        wait_for_text(browser, "Connect Tower North").await;
        browser.open_page(&url(&daemon, "/nas")).await;
        wait_for_text(browser, "Tower North").await;
        let rows = browser.client.find_all(Locator::Css("tbody tr")).await;
        assert_eq!(rows.unwrap().len(), 1);
        browser.assert_quiet_console();
    });
}
