//! The API in the form of a NAS, the setup script, the checks and the test of CoA.

use axum::http::StatusCode;
use tokio::net::UdpSocket;

use super::isp::{NAS, furnish, no_pages, taken, with};
use crate::domain::id::NasId;
use crate::domain::nas::{ApiTransport, UsageSource};
use crate::domain::operator::Role;
use crate::operations::nas as verbs;
use crate::web::testing::{Browser, TestApp};

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
const API: [(&str, &str); 4] = [
    ("api_access", "pinned"),
    ("api_user", "proxpanel"),
    ("api_password", "p4ss-of-api"),
    ("api_fallback", "on"),
];

fn api(test: &TestApp) -> crate::domain::nas::ApiAccess {
    test.app.nas(NasId(1)).unwrap().nas.api.clone().unwrap()
}

async fn with_api(browser: &Browser<'_>) {
    furnish(browser).await;
    assert_eq!(
        taken(browser, "/nas/1/edit", &with(&NAS, &API)).await,
        "/nas/1"
    );
}

#[tokio::test]
async fn the_api_is_saved_and_its_password_never_shown() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser.get("/nas/1").await.shows(OK, &["API not set up"]);
    taken(&browser, "/nas/1/edit", &with(&NAS, &API)).await;
    let saved = api(&test);
    assert_eq!(
        (saved.port, saved.address, saved.legacy_login),
        (8729, None, false)
    );
    for path in ["/nas/1", "/nas/1/edit", "/nas/1/script", "/audit"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, OK);
        assert!(!page.body.contains("p4ss-of-api"), "{path}");
    }
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "proxpanel at 10.20.0.1 port 8729",
            "the first one that it shows is kept",
        ],
    );
    // An empty password keeps the present one; everything else is as typed.
    let other = with(
        &with(&NAS, &API),
        &[
            ("api_password", "-"),
            ("api_access", "plain"),
            ("api_address", "2001:db8::9"),
            ("api_legacy_login", "on"),
            ("api_fallback", "-"),
            ("usage_source", "api"),
        ],
    );
    taken(&browser, "/nas/1/edit", &other).await;
    let nas = test.app.nas(NasId(1)).unwrap().nas.clone();
    assert_eq!(
        (nas.usage_source, nas.api_fallback),
        (UsageSource::Api, false)
    );
    let saved = api(&test);
    assert_eq!((saved.port, saved.legacy_login), (8728, true));
    assert_eq!(saved.transport, ApiTransport::Plain);
    browser.get("/nas/1/edit").await.shows(
        OK,
        &[
            "value=\"2001:db8::9\"",
            "value=\"8728\"",
            "Leave empty to keep the present one.",
        ],
    );
    taken(&browser, "/nas/1/edit", &NAS).await;
    assert!(test.app.nas(NasId(1)).unwrap().nas.api.is_none());
}

#[tokio::test]
async fn each_wrong_value_of_the_api_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let long = "x".repeat(33_000);
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let cases: [Case<'_>; 14] = [
        (
            "api_access",
            "Choose one of the list",
            &[("api_access", "telnet")],
        ),
        ("api_user", "A user name is needed", &[("api_user", " ")]),
        (
            "api_user",
            "At most 64 characters",
            &[("api_user", &long[..65])],
        ),
        (
            "api_password",
            "A password is needed",
            &[("api_password", "-")],
        ),
        (
            "api_password",
            "At most 128 octets",
            &[("api_password", &long[..129])],
        ),
        (
            "api_port",
            "A whole number from 1 to 65535",
            &[("api_port", "0")],
        ),
        (
            "api_port",
            "A whole number from 1 to 65535",
            &[("api_port", "65536")],
        ),
        (
            "api_address",
            "An address, such as",
            &[("api_address", "tower")],
        ),
        (
            "api_address",
            "Needed, since the device is a network",
            &[("address", "10.20.0.0/24")],
        ),
        (
            "api_authority",
            "Paste the certificate",
            &[("api_access", "authority")],
        ),
        (
            "api_authority",
            "cannot be used",
            &[("api_access", "authority"), ("api_authority", "PEM")],
        ),
        (
            "api_authority",
            "At most 32000 characters",
            &[("api_access", "authority"), ("api_authority", &long)],
        ),
        (
            "usage_source",
            "Choose one of the list",
            &[("usage_source", "snmp")],
        ),
        (
            "usage_source",
            "This needs access to the API",
            &[("api_access", "none"), ("usage_source", "api")],
        ),
    ];
    for (field, problem, changes) in cases {
        let fields = with(&with(&NAS, &API), changes);
        let answer = browser.post("/nas/1/edit", &fields).await;
        answer.shows(WRONG, &[problem, &format!("id=\"{field}-error\"")]);
        assert!(!answer.body.contains("p4ss-of-api"), "{field}");
    }
    assert!(test.app.nas(NasId(1)).unwrap().nas.api.is_none());
    // What is not asked for is not looked at.
    let none = with(
        &NAS,
        &[("api_access", "none"), ("api_port", "x"), ("api_user", "")],
    );
    taken(&browser, "/nas/1/edit", &none).await;
}

#[tokio::test]
async fn a_kept_certificate_is_shown_and_can_be_forgotten() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    with_api(&browser).await;
    let page = browser.get("/nas/1").await;
    assert!(
        !page.body.contains("Forget certificate"),
        "there is none yet"
    );
    verbs::pin_certificate(&test.app, NasId(1), [0xAB; 32])
        .await
        .unwrap();
    browser
        .get("/nas/1")
        .await
        .shows(OK, &["abab abab abab", "Forget certificate"]);
    taken(&browser, "/nas/1/edit", &with(&NAS, &API)).await;
    assert_eq!(api(&test).transport, ApiTransport::Pinned(Some([0xAB; 32])));
    assert_eq!(
        taken(&browser, "/nas/1/forget-certificate", &[]).await,
        "/nas/1"
    );
    assert_eq!(api(&test).transport, ApiTransport::Pinned(None));
}

#[tokio::test]
async fn the_script_shows_secrets_only_on_demand_and_says_so_in_the_audit_log() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    with_api(&browser).await;
    let page = browser.get("/nas/1/script").await;
    page.shows(
        OK,
        &[
            "1. RADIUS",
            "address=SERVER",
            "secret=&#34;SECRET&#34;",
            "password=&#34;APIPASS&#34;",
            "Show with secrets",
        ],
    );
    assert!(page.body.contains("require-message-auth") && !page.body.contains("Tower North&#34;"));
    let older = browser
        .get("/nas/1/script?version=6&server=192.0.2.10&interface=ether2&set_name=on")
        .await;
    older.shows(
        OK,
        &[
            "address=192.0.2.10",
            "interface=&#34;ether2&#34;",
            "identity set name=&#34;Tower North&#34;",
        ],
    );
    assert!(!older.body.contains("require-message-auth"));
    let shown = browser
        .post(
            "/nas/1/script",
            &[("version", "7"), ("server", "192.0.2.10")],
        )
        .await;
    shown.shows(
        OK,
        &[
            "s3cret-of-tower",
            "p4ss-of-api",
            "The secrets are on this page",
            "address=192.0.2.10",
        ],
    );
    assert_eq!(shown.header("cache-control"), "no-store");
    browser.get("/audit").await.shows(OK, &["secrets shown"]);
    let wrong = browser
        .get("/nas/1/script?server=here&interface=%22&portal=2001:db8::1")
        .await;
    wrong.shows(
        OK,
        &["An address, such as 192.0.2.10", "Mend the values above"],
    );
    assert!(!wrong.body.contains("step-1") && wrong.body.contains("id=\"portal-error\""));
    let unquotable = browser.get("/nas/1/script?interface=a%22b").await;
    unquotable.shows(OK, &["the interface cannot stand in a RouterOS script"]);
}

#[tokio::test]
async fn the_script_is_a_file_too() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    with_api(&browser).await;
    let file = browser
        .get("/nas/1/script.rsc?version=6&server=192.0.2.10")
        .await;
    assert_eq!(file.status, OK);
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    let name = "attachment; filename=\"proxpanel-1-v6.rsc\"";
    assert_eq!(file.header("content-disposition"), name);
    assert!(file.body.starts_with("# Setup for ProxPanel."));
    assert!(file.body.contains("primary-ntp") && !file.body.contains("s3cret"));
    let fields = [("version", "7"), ("as", "file")];
    let secret = browser.post("/nas/1/script", &fields).await;
    assert!(secret.body.contains("secret=\"s3cret-of-tower\""));
    assert!(secret.header("content-disposition").contains("v7.rsc"));
    let refused = browser.get("/nas/1/script.rsc?server=x").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn who_may_only_look_gets_no_secret_and_sends_nothing() {
    let test = TestApp::start().await;
    with_api(&test.sign_in().await).await;
    test.operator("ziad", Role::Viewer).await;
    let browser = test.sign_in_as("ziad").await;
    let page = browser.get("/nas/1/script").await;
    page.shows(OK, &["address=SERVER"]);
    assert!(!page.body.contains("Show with secrets"));
    assert!(!browser.get("/nas/1").await.body.contains("Test CoA"));
    for path in [
        "/nas/1/script",
        "/nas/1/test-coa",
        "/nas/1/forget-certificate",
    ] {
        let answer = browser.post(path, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.body.contains("s3cret"), "{path}");
    }
}

#[tokio::test]
async fn other_vendors_and_strangers_have_no_script() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(
        &browser,
        "/nas/1/edit",
        &with(&NAS, &[("profile", "generic")]),
    )
    .await;
    no_pages(
        &browser,
        &[
            "/nas/1/script",
            "/nas/1/script.rsc",
            "/nas/9/script",
            "/nas/9/checks",
        ],
    )
    .await;
}

#[tokio::test]
async fn checks_come_behind_the_page_and_stand_alone() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser.get("/nas/1").await.shows(
        OK,
        &[
            "hx-get=\"/nas/1/checks\"",
            "href=\"/nas/1/checks\"",
            "href=\"/nas/1/script\"",
            "Test CoA",
        ],
    );
    let part = browser.htmx("/nas/1/checks").await;
    part.shows(
        OK,
        &[
            "No packet came since the start",
            "Not set up, so the settings",
        ],
    );
    assert!(!part.body.contains("<html"));
    browser
        .get("/nas/1/checks")
        .await
        .shows(OK, &["Checks of", "/radius add service=ppp"]);
    // Nobody listens there: the page says so, and when it will be tried again.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = deaf.local_addr().unwrap().port().to_string();
    drop(deaf);
    let fields = with(
        &with(&NAS, &API),
        &[("api_address", "127.0.0.1"), ("api_port", &port)],
    );
    taken(&browser, "/nas/1/edit", &fields).await;
    let part = browser.htmx("/nas/1/checks").await;
    part.shows(
        OK,
        &[
            "The router cannot be reached",
            "Offline for",
            "Next try",
            "/ip service set api-ssl disabled=no",
        ],
    );
}

#[tokio::test]
async fn a_test_of_coa_says_what_came_back() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let router = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = router.local_addr().unwrap().port().to_string();
    let here = [("address", "127.0.0.1"), ("coa_port", &port)];
    taken(&browser, "/nas/1/edit", &with(&NAS, &here)).await;
    let answering = async {
        let mut request = [0; 4096];
        loop {
            let (length, from) = router.recv_from(&mut request).await.unwrap();
            let reply = refusal(&request[..length]);
            router.send_to(&reply, from).await.unwrap();
        }
    };
    let answer = tokio::select! {
        answer = browser.post("/nas/1/test-coa", &[]) => answer,
        () = answering => unreachable!(),
    };
    assert_eq!(answer.header("location"), "/nas/1");
    let expected = format!("CoA works: the router answered on port {port}.");
    assert_eq!(answer.flash(), expected);
    let page = browser.get("/nas/1").await;
    page.shows(OK, &["proxpanel-test", "as the test found out"]);
    // A network without sessions has no address to send to.
    let network = with(&NAS, &[("address", "10.20.0.0/24")]);
    taken(&browser, "/nas/1/edit", &network).await;
    browser
        .post("/nas/1/test-coa", &[])
        .await
        .shows(StatusCode::CONFLICT, &["This device is a network"]);
}

/// A Disconnect-NAK with Error-Cause 503, signed with the secret of the NAS.
fn refusal(request: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    let mut octets = vec![42, request[1], 0, 26];
    octets.extend(&request[4..20]);
    octets.extend([101, 6, 0, 0, 1, 247]);
    let digest = Md5::new()
        .chain_update(&octets)
        .chain_update("s3cret-of-tower");
    octets[4..20].copy_from_slice(&digest.finalize());
    octets
}
