//! A list of subscribers in a real browser: chosen, looked at by day and night, imported, signed in with, taken back.

use std::fs;

use fantoccini::Locator;

use crate::appliance::demo;
use crate::panel::{PASSWORD, fill, first_run, send, text, url, wait_for_text};
use crate::support::browser::{Browser, DESKTOP, PHONE, Viewport, with_browser};
use crate::support::daemon::Daemon;
use crate::support::radius;

/// With Excel's semicolons, Arabic names, a plan that is not there, and one row that cannot be.
const LIST: &str = "PPPoE user;Password;Package;الاسم;Mobile;Due;Box no\n\
    sara01;pass-sara;Home 25;سارة الحداد;0770 123 4567;31/12/2026;K-17\n\
    omar;;Gold;Omar Khalil;;15/01/2027;K-18\n\
    user00001;x;Home 10;;;;\n\
    no good;x;Home 10;;;;K-19\n";

/// High enough for the whole page, so that a picture shows all of it.
fn tall(viewport: Viewport) -> Viewport {
    Viewport {
        height: 2_600,
        ..viewport
    }
}

async fn bring(browser: &Browser, daemon: &Daemon, file: &str) {
    browser.open_page(&url(daemon, "/subscribers/import")).await;
    let field = browser.client.find(Locator::Id("file")).await.unwrap();
    field.send_keys(file).await.unwrap();
    send(browser).await;
    wait_for_text(browser, "Nothing is imported yet").await;
}

async fn press(browser: &Browser, label: &str) {
    let path = format!("//main//button[contains(normalize-space(.), '{label}')]");
    let button = browser.client.find(Locator::XPath(&path)).await.unwrap();
    button.click().await.unwrap();
}

#[test]
fn a_list_from_another_program_is_imported_and_taken_back() {
    let daemon = demo(4, 0, 0, &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("customers.csv");
    fs::write(&file, LIST).unwrap();
    let file = file.to_str().unwrap();
    with_browser(tall(DESKTOP), async |browser| {
        first_run(browser, &daemon).await;
        bring(browser, &daemon, file).await;
        for dark in [true, false] {
            browser.prefer_dark(dark);
            let scheme = if dark { "dark" } else { "light" };
            browser
                .screenshot(&format!("import-look-desk-{scheme}"))
                .await;
        }
        assert!(!browser.scrolls_sideways().await);
        let tick = browser.client.find(Locator::Id("leave_out")).await;
        tick.unwrap().click().await.unwrap();
        press(browser, "Import 2 subscribers").await;
        wait_for_text(browser, "2 subscribers are imported").await;
        browser.screenshot("import-done").await;
        assert!(radius::accepts(daemon.auth(), "sara01", "pass-sara"));

        browser
            .open_page(&url(&daemon, "/subscribers/import/1/undo"))
            .await;
        wait_for_text(browser, "2 subscribers of this import are deleted").await;
        browser.screenshot("import-undo").await;
        press(browser, "Take back import").await;
        wait_for_text(browser, "2 subscribers are deleted").await;
        assert!(!radius::accepts(daemon.auth(), "sara01", "pass-sara"));
        browser.assert_quiet_console();
    });
    with_browser(tall(PHONE), async |browser| {
        browser.open_page(&url(&daemon, "/login")).await;
        fill(browser, "name", "rania").await;
        fill(browser, "password", PASSWORD).await;
        send(browser).await;
        wait_for_text(browser, "Subscribers").await;
        bring(browser, &daemon, file).await;
        let page = text(browser).await;
        assert!(!page.contains("pass-sara"), "{page}");
        for dark in [true, false] {
            browser.prefer_dark(dark);
            let scheme = if dark { "dark" } else { "light" };
            browser
                .screenshot(&format!("import-look-phone-{scheme}"))
                .await;
        }
        assert!(!browser.scrolls_sideways().await);
        browser.assert_quiet_console();
    });
}
