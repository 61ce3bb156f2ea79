//! The page of the certificate, and plain HTTP beside HTTPS.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, date_time_ymd};

use crate::app::Listening;
use crate::domain::operator::Role;
use crate::domain::time::DAY;
use crate::tls::Source;
use crate::web::secure::Arrival;
use crate::web::testing::{PEER, TestApp};

const OK: StatusCode = StatusCode::OK;
const PATH: &str = "/settings/certificate";

/// Certificate and key as PEM text, issued by an authority, good for so many days from now.
fn pem(test: &TestApp, names: &[&str], days: i64) -> (String, String) {
    pem_between(test, names, days.min(1) - 1, days)
}

fn pem_between(test: &TestApp, names: &[&str], from: i64, to: i64) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let at = |days: i64| {
        let seconds = test.app.now().plus(days * DAY).seconds();
        date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(seconds.try_into().unwrap())
    };
    params.not_before = at(from);
    params.not_after = at(to);
    let (key, ca_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::default();
    authority.distinguished_name = DistinguishedName::new();
    authority
        .distinguished_name
        .push(DnType::CommonName, "Test CA");
    let issuer = Issuer::new(authority, ca_key);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test]
async fn the_certificate_in_use_is_shown_with_the_fingerprint_that_browsers_show() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let in_use = test.app.certificates.in_use();
    let fingerprint = in_use.facts.fingerprint.pairs();
    let page = browser.get(PATH).await;
    page.shows(
        OK,
        &["Self-signed", "localhost", &fingerprint, "Save and order"],
    );
    let part = browser.htmx(PATH).await;
    part.shows(OK, &["In use", &fingerprint]);
    assert!(!part.body.contains("<h1"));

    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get(PATH).await;
    page.shows(OK, &[&fingerprint]);
    assert!(!page.body.contains("Save and order") && !page.body.contains("Private key"));
    for verb in ["own", "acme", "self-signed", "self-signed/new"] {
        let refused = viewer.post(&format!("{PATH}/{verb}"), &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}");
    }
    let stranger = test.stranger().get(PATH).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn ones_own_certificate_is_checked_and_what_is_wrong_stands_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let before = test.app.certificates.in_use().facts.fingerprint;
    let (certificate, key) = pem(&test, &["panel.example"], 90);
    let (_, other_key) = pem(&test, &["panel.example"], 90);
    let (ended, ended_key) = pem(&test, &["panel.example"], -1);
    let (early, early_key) = pem_between(&test, &["panel.example"], 1, 90);
    let (nameless, nameless_key) = pem(&test, &[], 90);
    let own = format!("{PATH}/own");
    for (certificate, key, field, says) in [
        (
            certificate.as_str(),
            other_key.as_str(),
            "key",
            "does not belong to the first certificate",
        ),
        (&certificate, "", "key", "no private key"),
        ("", &key, "certificate", "no certificate"),
        (&ended, &ended_key, "certificate", "It ended on 2027-01-14"),
        (
            &early,
            &early_key,
            "certificate",
            "not good before 2027-01-16",
        ),
        (&nameless, &nameless_key, "certificate", "no names"),
    ] {
        let answer = browser
            .post(&own, &[("certificate", certificate), ("key", key)])
            .await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[says]);
        let beside = format!("id=\"{field}-error\"");
        assert!(answer.body.contains(&beside), "{says}: {}", answer.body);
        let secret = key.lines().nth(1).unwrap_or("no key was sent");
        assert!(!answer.body.contains(secret), "a key in a page");
    }
    assert_eq!(
        test.app.certificates.in_use().facts.fingerprint,
        before,
        "a refused one changed nothing"
    );
    assert!(test.app.certificates.stored(Source::Own).is_none());

    let fields = [("certificate", certificate.as_str()), ("key", &key)];
    let taken = browser.post(&own, &fields).await;
    assert_eq!(taken.header("location"), PATH, "{}", taken.text());
    assert_eq!(
        taken.flash(),
        "The certificate for panel.example is in use."
    );
    let in_use = test.app.certificates.in_use();
    assert_eq!(in_use.source, Source::Own);
    assert_eq!(in_use.facts.names, ["panel.example"]);
    browser
        .get(PATH)
        .await
        .shows(OK, &["Your own", "panel.example"]);
    let audit = browser.get("/audit").await;
    audit.shows(OK, &["certificate changed", "self-signed", "own"]);

    // One that this browser will warn about is taken, and said.
    let (certificate, key) = pem(&test, &["other.example"], 90);
    let fields = [("certificate", certificate.as_str()), ("key", &key)];
    let taken = browser.post(&own, &fields).await;
    assert!(
        taken.flash().contains("You came here as panel.example"),
        "{}",
        taken.flash()
    );

    let back = browser.post(&format!("{PATH}/self-signed"), &[]).await;
    assert_eq!(back.header("location"), PATH);
    assert_eq!(test.app.certificates.in_use().facts.fingerprint, before);
    browser.post(&format!("{PATH}/self-signed/new"), &[]).await;
    let fresh = test.app.certificates.in_use();
    assert_eq!(fresh.source, Source::SelfSigned);
    assert_ne!(fresh.facts.fingerprint, before);
}

#[tokio::test]
async fn an_order_is_parsed_kept_and_shown_until_it_is_done() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let acme = format!("{PATH}/acme");
    for (fields, says) in [
        (
            &[("names", "localhost"), ("agreed", "on")][..],
            "is not a domain name",
        ),
        (
            &[("names", "a.example"), ("agreed", "on"), ("email", "x")],
            "noc@example.net",
        ),
        (
            &[
                ("names", "a.example"),
                ("agreed", "on"),
                ("directory", "http://ca"),
            ],
            "begins with https://",
        ),
        (
            &[("names", "a.example"), ("agreed", "on"), ("authority", "x")],
            "there is none in the text",
        ),
        (&[("names", "a.example")], "agree to its terms"),
    ] {
        let answer = browser.post(&acme, fields).await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[says]);
        assert!(
            !browser.get(PATH).await.body.contains("<h3>Orders"),
            "{says}"
        );
    }
    let fields = [
        ("names", "Panel.Example panel.example"),
        ("email", "noc@isp.example"),
        ("agreed", "on"),
    ];
    let ordered = browser.post(&acme, &fields).await;
    assert_eq!(ordered.header("location"), PATH);
    browser.get(PATH).await.shows(
        OK,
        &[
            "Waiting",
            "For panel.example. It is ordered within a minute.",
            "noc@isp.example",
            "Self-signed",
        ],
    );
    let audit = browser.get("/audit").await;
    audit.shows(OK, &["certificate ordered", "noc@isp.example"]);
    // Another choice ends the orders.
    browser.post(&format!("{PATH}/self-signed"), &[]).await;
    assert!(!browser.get(PATH).await.body.contains("Waiting"));
}

#[tokio::test]
async fn where_the_configuration_names_the_files_nothing_can_be_chosen() {
    let test =
        TestApp::empty("[web]\ncertificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"\n");
    test.operator("rania", Role::Administrator).await;
    let browser = test.sign_in().await;
    let page = browser.get(PATH).await;
    page.shows(
        OK,
        &[
            "The configuration names the files",
            "/nowhere/k.pem cannot be used",
            "The certificate cannot be used.",
        ],
    );
    assert!(!page.body.contains("Save and order"));
    let (certificate, key) = pem(&test, &["panel.example"], 90);
    let fields = [("certificate", certificate.as_str()), ("key", &key)];
    let refused = browser.post(&format!("{PATH}/own"), &fields).await;
    refused.shows(StatusCode::UNPROCESSABLE_ENTITY, &["[web]"]);
    let refused = browser.post(&format!("{PATH}/self-signed"), &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn every_page_warns_of_a_certificate_that_ends_while_https_listens() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let (certificate, key) = pem(&test, &["panel.example"], 10);
    let fields = [("certificate", certificate.as_str()), ("key", &key)];
    browser.post(&format!("{PATH}/own"), &fields).await;
    browser
        .get("/plans")
        .await
        .shows(OK, &["The certificate ends in 10 days."]);
    // Plain HTTP alone: a proxy shows its own.
    test.app.set_listening(Listening {
        web: vec![PEER],
        https: Vec::new(),
        auth: vec![PEER],
        acct: vec![PEER],
        radsec: Vec::new(),
    });
    let page = browser.get("/plans").await;
    assert!(!page.body.contains("The certificate ends"));
}

/// The status, and where it leads, of a request that came so.
async fn asked(
    test: &TestApp,
    arrival: Arrival,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, String) {
    let stranger = test.stranger();
    let mut request = stranger
        .request(method, path, headers)
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(arrival);
    let answer = test.send(request).await;
    (answer.status.as_u16(), answer.header("location").to_owned())
}

#[tokio::test]
async fn the_plain_port_leads_to_https_but_for_what_must_stay() {
    let test = TestApp::start().await;
    let sent = |port, method, path: &'static str| {
        let (test, arrival) = (&test, Arrival::plain(PEER, port));
        async move { asked(test, arrival, method, path, &[]).await }
    };
    let to = |location: &str| (308, location.to_owned());
    let get = Method::GET;
    assert_eq!(
        sent(Some(443), get.clone(), "/plans?q=a%20b&page=2").await,
        to("https://panel.example/plans?q=a%20b&page=2")
    );
    assert_eq!(
        sent(Some(8443), get.clone(), "/").await,
        to("https://panel.example:8443/")
    );
    assert_eq!(
        sent(Some(443), Method::POST, "/login").await,
        to("https://panel.example/login")
    );
    assert_eq!(sent(Some(443), get.clone(), "/healthz").await.0, 200);
    assert_eq!(
        sent(Some(443), get.clone(), "/.well-known/acme-challenge/x")
            .await
            .0,
        404
    );
    assert_eq!(
        sent(Some(443), get.clone(), "/.well-known/acme-challenges")
            .await
            .0,
        308
    );
    // Without HTTPS the panel is served.
    assert_eq!(sent(None, get.clone(), "/login").await.0, 200);
    let tls = asked(&test, Arrival::tls(PEER), get.clone(), "/login", &[]).await;
    assert_eq!(tls.0, 200);
    // Anybody can claim to be a proxy.
    let claim = [("x-forwarded-proto", "https")];
    let plain = Arrival::plain(PEER, Some(443));
    assert_eq!(asked(&test, plain, get, "/login", &claim).await.0, 308);
}

#[tokio::test]
async fn what_a_trusted_proxy_carries_over_https_is_served_on_the_plain_port() {
    let test = TestApp::empty("[web]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    test.operator("rania", Role::Administrator).await;
    let plain = Arrival::plain(PEER, Some(443));
    for (proto, status) in [("https", 200), ("http", 308)] {
        let headers = [("x-forwarded-proto", proto)];
        let answer = asked(&test, plain, Method::GET, "/login", &headers).await;
        assert_eq!(answer.0, status, "{proto}");
    }
    assert_eq!(asked(&test, plain, Method::GET, "/login", &[]).await.0, 308);
}

#[tokio::test]
async fn cookies_are_secure_over_https_and_only_a_trusted_certificate_is_remembered() {
    let test = TestApp::start().await;
    let login = async |arrival| {
        let stranger = test.stranger();
        let request = stranger.request(Method::GET, "/login", &[]);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(arrival);
        test.send(request).await
    };
    let remembered = "strict-transport-security";
    let plain = login(Arrival::plain(PEER, None)).await;
    assert!(!plain.cookie("visitor").contains("Secure"));
    assert_eq!(plain.header(remembered), "");
    let tls = login(Arrival::tls(PEER)).await;
    assert!(tls.cookie("visitor").contains("; Secure"));
    assert_eq!(tls.header(remembered), "", "self-signed");
    let browser = test.sign_in().await;
    let (certificate, key) = pem(&test, &["panel.example"], 90);
    let fields = [("certificate", certificate.as_str()), ("key", &key)];
    browser.post(&format!("{PATH}/own"), &fields).await;
    assert_eq!(test.app.certificates.in_use().source, Source::Own);
    let tls = login(Arrival::tls(PEER)).await;
    assert_eq!(tls.header(remembered), "max-age=604800");
    let plain = login(Arrival::plain(PEER, None)).await;
    assert_eq!(plain.header(remembered), "");
}
