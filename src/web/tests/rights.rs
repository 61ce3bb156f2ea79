//! Who may use which address: every one that the router has is listed here, so that none is forgotten.

use axum::http::StatusCode;

use super::isp::{NAS, PLAN, SUBSCRIBER, furnish};
use super::support::{enter, switch_on};
use crate::domain::operator::Role;
use crate::web::testing::{Browser, TestApp};

/// Who may send a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Before signing in.
    Visitor,
    /// About the own account.
    Own,
    /// Daily work: administrators and remote support.
    Work,
    /// Administrators.
    Change,
}

use Who::{Change, Own, Visitor, Work};

const FORMS: &[(&str, Who)] = &[
    ("/login", Visitor),
    ("/login/code", Visitor),
    ("/setup", Visitor),
    ("/setup/network", Change),
    ("/setup/router", Change),
    ("/setup/router/script", Change),
    ("/setup/plan", Change),
    ("/setup/subscriber", Change),
    ("/setup/backups", Change),
    ("/setup/skip", Change),
    ("/setup/dismiss", Change),
    ("/logout", Own),
    ("/account/logins/{browser}/revoke", Own),
    ("/account/logins/revoke-others", Own),
    ("/account/password", Own),
    ("/account/theme", Own),
    ("/account/second-factor", Own),
    ("/account/second-factor/recovery", Own),
    ("/account/second-factor/off", Own),
    ("/subscribers", Work),
    ("/subscribers/forget-macs", Work),
    ("/subscribers/forget-macs-after", Change),
    ("/subscribers/{id}/cancel-new-login", Work),
    ("/subscribers/{id}/edit", Work),
    ("/subscribers/{id}/delete", Work),
    ("/subscribers/{id}/disconnect", Work),
    ("/subscribers/{id}/suspend", Work),
    ("/subscribers/{id}/enable", Work),
    ("/subscribers/{id}/forget-mac", Work),
    ("/subscribers/{id}/reset-fup", Work),
    ("/subscribers/{id}/top-up", Work),
    ("/subscribers/{id}/boost", Work),
    ("/subscribers/{id}/end-boost", Work),
    ("/subscribers/{id}/password", Change),
    ("/plans", Work),
    ("/plans/preview", Work),
    ("/plans/{id}/edit", Work),
    ("/plans/{id}/delete", Work),
    ("/cdn", Work),
    ("/cdn/{id}/edit", Work),
    ("/cdn/{id}/delete", Work),
    ("/cdn/routers/{id}/push", Work),
    ("/cdn/routers/{id}/remove", Work),
    ("/rules", Work),
    ("/rules/{id}/edit", Work),
    ("/rules/{id}/enable", Work),
    ("/rules/{id}/disable", Work),
    ("/rules/{id}/delete", Work),
    ("/nas", Change),
    ("/nas/{id}/edit", Change),
    ("/nas/{id}/test-coa", Work),
    ("/nas/{id}/forget-certificate", Change),
    ("/nas/{id}/script", Change),
    ("/nas/{id}/delete", Change),
    ("/subscribers/import/upload", Change),
    ("/subscribers/import/look", Change),
    ("/subscribers/import/apply", Change),
    ("/subscribers/import/forget", Change),
    ("/subscribers/import/{id}/undo", Change),
    ("/addresses", Work),
    ("/addresses/{id}/edit", Work),
    ("/addresses/{id}/delete", Work),
    ("/sessions/{id}/disconnect", Work),
    ("/operators", Change),
    ("/operators/{id}/role", Change),
    ("/operators/{id}/password", Change),
    ("/operators/{id}/reset-second-factor", Change),
    ("/operators/{id}/sign-out", Change),
    ("/operators/{id}/logins/{browser}/revoke", Change),
    ("/operators/{id}/delete", Change),
    ("/settings/general", Change),
    ("/settings/radius", Change),
    ("/settings/security", Change),
    ("/settings/support", Change),
    ("/settings/support/end", Change),
    ("/settings/appearance", Change),
    ("/settings/backups", Change),
    ("/settings/backups/passphrase", Change),
    ("/settings/backups/key", Change),
    ("/settings/backups/destination", Change),
    ("/settings/backups/destination/test", Change),
    ("/settings/backups/destination/trust", Change),
    ("/settings/backups/destination/resume", Change),
    ("/settings/backups/create", Change),
    ("/settings/backups/cancel", Change),
    ("/settings/backups/upload", Change),
    ("/settings/backups/{name}/test", Change),
    ("/settings/backups/{name}/send", Change),
    ("/settings/backups/{name}/restore", Change),
    ("/settings/backups/{name}/delete", Change),
    ("/settings/licence/activate", Change),
    ("/settings/licence/register", Change),
    ("/settings/licence/deactivate", Change),
    ("/settings/licence/ask", Change),
    ("/settings/certificate/own", Change),
    ("/settings/certificate/acme", Change),
    ("/settings/certificate/self-signed", Change),
    ("/settings/certificate/self-signed/new", Change),
    ("/settings/updates/check", Change),
    ("/settings/updates/download", Change),
    ("/settings/updates/cancel", Change),
    ("/settings/updates/install", Change),
    ("/system/jobs/{name}/run", Work),
    ("/system/restart", Change),
];

/// These take files instead of fields, and look at everything else before they read them; `web::upload`, whose token the tests of
/// backups try.
const FILES: [&str; 2] = ["/settings/backups/upload", "/subscribers/import/upload"];

/// Pages that only administrators may see; all others show no secret and are open to every operator.
const RESTRICTED: &[&str] = &[
    // A backup itself.
    "/settings/backups/{name}",
    "/settings/backups/{name}/restore",
    "/subscribers/import",
    "/subscribers/import/look",
    "/subscribers/import/{id}/undo",
    "/operators/new",
    "/operators/{id}",
    "/operators/{id}/delete",
    "/setup/operator",
    "/setup/network",
    "/setup/router",
    "/setup/router/script",
    "/setup/plan",
    "/setup/subscriber",
    "/setup/login",
    "/setup/backups",
    "/setup/done",
    "/system/restart",
];
/// An operator without a password has no second factor to look at.
const NOT_FOR_SUPPORT: &[&str] = &["/account/second-factor"];

/// The addresses of the router that take a method, as they are written there.
fn addresses(method: &str) -> Vec<String> {
    let source = include_str!("../mod.rs");
    let mut found = Vec::new();
    for route in source.split(".route(").skip(1) {
        let route = route.split(".route(").next().unwrap();
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split_once('"').unwrap().1.split_once('"').unwrap().1;
        let handlers = handlers.split(".merge(").next().unwrap();
        if handlers.contains(&format!("{method}(")) {
            found.push(path.to_owned());
        }
    }
    assert!(found.len() > 30, "the router is not where it should be");
    found
}

/// An address with something in place of its parts. `99` is nobody's id, so that nothing is changed on the way.
fn filled(path: &str, id: &str) -> String {
    path.replace("{id}", id)
        .replace("{browser}", "ab")
        .replace("{name}", "health")
}

async fn status(browser: &Browser<'_>, path: &str) -> StatusCode {
    browser.post(&filled(path, "99"), &[]).await.status
}

#[test]
fn every_form_of_the_router_is_listed_once() {
    let mut listed: Vec<&str> = FORMS.iter().map(|(path, _)| *path).collect();
    let mut routed = addresses("post");
    listed.sort_unstable();
    routed.sort_unstable();
    assert_eq!(listed, routed);
}

#[tokio::test]
async fn every_form_is_refused_to_those_who_may_not_send_it() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let rania = test.sign_in().await;
    let code = switch_on(&rania, "4").await;
    let (ziad, technician) = (test.sign_in_as("ziad").await, enter(&test, &code).await);
    let stranger = test.stranger();
    for (path, who) in FORMS {
        if matches!(*path, "/logout" | "/settings/support/end") {
            continue;
        }
        for (name, browser, may) in [
            ("a viewer", &ziad, *who == Own),
            ("remote support", &technician, matches!(who, Own | Work)),
            ("an administrator", &rania, *who != Visitor),
        ] {
            if *who != Visitor && !(may && FILES.contains(path)) {
                let is_refused = status(browser, path).await == StatusCode::FORBIDDEN;
                assert_eq!(is_refused, !may, "{name} at {path}");
            }
        }
        let answer = stranger.post(&filled(path, "99"), &[]).await;
        let is_led_away = answer.header("location").starts_with("/login");
        let is_refused = answer.status == StatusCode::FORBIDDEN;
        assert_eq!(
            (is_led_away, is_refused),
            (*who != Visitor, *who == Visitor),
            "{path}"
        );
    }
    // The two that would have ended the browsers above.
    for browser in [&ziad, &technician] {
        let status = status(browser, "/settings/support/end").await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    // Without the token of the form nobody may anything.
    for (path, _) in FORMS.iter().filter(|(path, _)| !FILES.contains(path)) {
        let answer = rania.post(&filled(path, "99"), &[("csrf", "")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn no_page_shows_a_secret_to_remote_support() {
    let test = TestApp::start().await;
    let rania = test.sign_in().await;
    furnish(&rania).await;
    let code = switch_on(&rania, "4").await;
    let technician = enter(&test, &code).await;
    let secret = |fields: &[(&'static str, &'static str)], name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found.unwrap().1
    };
    let secrets = [
        secret(&SUBSCRIBER, "password"),
        secret(&NAS, "secret"),
        "$argon2id$",
        code.as_str(),
    ];
    assert_eq!(PLAN[0].1, "Home 20");
    for path in addresses("get") {
        // A file of the appliance is no page.
        if path.starts_with("/static/") {
            continue;
        }
        let page = technician.get(&filled(&path, "1")).await;
        let listed = [RESTRICTED, NOT_FOR_SUPPORT].concat();
        // The link of the first run is used up, for everybody.
        let is_refused = listed.contains(&path.as_str()) || path == "/setup";
        assert_eq!(page.status == StatusCode::FORBIDDEN, is_refused, "{path}");
        assert!(!page.status.is_server_error(), "{path}");
        for secret in secrets {
            assert!(!page.body.contains(secret), "{path} shows {secret}");
        }
    }
    for path in ["/subscribers/1/password", "/nas/1/script"] {
        let answer = technician.post(path, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}
