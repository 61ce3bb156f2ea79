//! HTTPS of the real daemon: from the first start, with files that another program renews, and with a certificate authority.

use std::path::Path;
use std::time::Duration;

use crate::support::daemon::Daemon;
use crate::support::https::{Answer, Connection, Operator, ask_plain};
use crate::support::pebble::{KEY, KEY_ID, Pebble, dead_port};

const LIMIT: Duration = Duration::from_secs(60);
const PAGE: &str = "/settings/certificate";
pub const HTTPS: [&str; 2] = ["--https-listen", "127.0.0.1:0"];

fn fingerprint(daemon: &Daemon) -> String {
    Connection::open(daemon.https()).fingerprint()
}

/// Adds an administrator, and returns the password.
fn add_operator(daemon: &Daemon, name: &str) -> String {
    let added = daemon.run(&["operator", "add", name]);
    let said = String::from_utf8(added.stdout).unwrap();
    let password = said
        .lines()
        .find_map(|line| line.strip_prefix("Password: "));
    password.expect("a password").to_owned()
}

pub fn operator(daemon: &Daemon) -> Operator {
    operator_named(daemon, "rania")
}

pub fn operator_named(daemon: &Daemon, name: &str) -> Operator {
    Operator::sign_in(daemon.https(), name, &add_operator(daemon, name))
}

/// Waits for a line of the log that `pick` takes something from.
fn logged<T>(daemon: &Daemon, pick: impl Fn(&str) -> Option<T>) -> T {
    let process = daemon.process();
    let found = process.stderr.wait_for(LIMIT, pick);
    found.unwrap_or_else(|| panic!("no such line\n{}", process.output()))
}

#[test]
fn https_is_there_from_the_first_start_and_plain_http_leads_to_it() {
    let mut daemon = Daemon::start(&HTTPS);
    let port = daemon.https().port();
    let setup = String::from_utf8(daemon.run(&["setup"]).stdout).unwrap();
    let begin = format!("https://127.0.0.1:{port}/setup?token=");
    assert!(setup.starts_with(&begin), "{setup}");

    let before = fingerprint(&daemon);
    let page = operator(&daemon).get(PAGE);
    assert!(page.body.contains(&before), "{}", page.body);
    assert!(page.body.contains("Self-signed"));

    let led = ask_plain(daemon.web(), "/plans?page=2");
    assert_eq!(led.status, 308);
    let there = format!("https://panel.example.net:{port}/plans?page=2");
    assert_eq!(led.header("location"), there);
    assert_eq!(ask_plain(daemon.web(), "/healthz").body, "ok");

    daemon.restart();
    assert_eq!(fingerprint(&daemon), before, "the same after a restart");
}

#[test]
fn plain_http_alone_serves_the_panel() {
    let daemon = Daemon::start(&[]);
    assert!(daemon.addresses().https.is_empty());
    let page = ask_plain(daemon.web(), "/login");
    // Nobody can sign in before the first operator is made, but the page is there.
    assert!([200, 303, 503].contains(&page.status), "{}", page.status);
    assert_eq!(page.header("location"), "");
}

/// Writes a certificate and its key as another program would.
fn renew(folder: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    std::fs::write(folder.join("key.pem"), key).unwrap();
    std::fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
}

#[test]
fn files_of_the_configuration_are_read_again_at_sighup_without_dropping_anybody() {
    let folder = tempfile::tempdir().unwrap();
    renew(folder.path(), "one.example");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "[web]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        path("chain.pem"),
        path("key.pem")
    );
    std::fs::write(folder.path().join("proxpanel.toml"), config).unwrap();
    let named = path("proxpanel.toml");
    let daemon = Daemon::start(&[&HTTPS[..], &["--config", &named]].concat());
    let mut open = Connection::open(daemon.https());
    let before = open.fingerprint();
    assert_eq!(open.ask("/healthz").body, "ok");

    renew(folder.path(), "two.example");
    daemon.process().signal("HUP");
    logged(&daemon, |line| {
        (line.contains("another certificate is in use") && line.contains("two.example"))
            .then_some(())
    });
    let after = fingerprint(&daemon);
    assert_ne!(after, before);
    assert_eq!(open.ask("/healthz").body, "ok", "the open one goes on");
    assert_eq!(open.fingerprint(), before);

    // What cannot be read leaves what is there.
    std::fs::write(path("key.pem"), "damaged").unwrap();
    daemon.process().signal("HUP");
    logged(&daemon, |line| {
        line.contains("stays as it was").then_some(())
    });
    assert_eq!(fingerprint(&daemon), after);
    let page = operator(&daemon).get("/");
    assert!(page.body.contains("The certificate cannot be used."));
}

fn order(operator: &Operator, pebble: &Pebble, names: &str) -> Answer {
    order_as(operator, pebble, names, ("", ""))
}

/// With an account at the authority and its key.
fn order_as(
    operator: &Operator,
    pebble: &Pebble,
    names: &str,
    (key_id, key): (&str, &str),
) -> Answer {
    let directory = pebble.directory();
    let fields = [
        ("names", names),
        ("email", "noc@example.net"),
        ("directory", directory.as_str()),
        ("authority", pebble.authority.as_str()),
        ("key_id", key_id),
        ("binding_key", key),
        ("agreed", "on"),
    ];
    operator.post(PAGE, &format!("{PAGE}/acme"), &fields)
}

/// Waits for a certificate that was issued to be shown, other than `before`. Returns its fingerprint.
fn issued(daemon: &Daemon, pebble: &Pebble, before: &[&str]) -> String {
    let found = daemon.process().stderr.wait_for(LIMIT, |line| {
        let (_, rest) = line.split_once("fingerprint=")?;
        let fingerprint = rest.split(' ').next()?.trim_matches('"').to_owned();
        (line.contains("was issued") && !before.contains(&fingerprint.as_str()))
            .then_some(fingerprint)
    });
    found.unwrap_or_else(|| panic!("{}\n{}", daemon.process().output(), pebble.output()))
}

#[test]
fn an_authority_issues_a_certificate_that_is_shown_at_once_and_after_a_restart() {
    let mut daemon = Daemon::start(&HTTPS);
    let mut pebble = Pebble::start(daemon.web().port(), 90 * 86_400);
    let password = add_operator(&daemon, "rania");
    let operator = Operator::sign_in(daemon.https(), "rania", &password);
    let mut open = Connection::open(daemon.https());
    let self_signed = open.fingerprint();
    let ordered = order(&operator, &pebble, "panel.example.net www.example.net");
    assert_eq!(ordered.header("location"), PAGE, "{}", ordered.body);
    let first = issued(&daemon, &pebble, &[]);
    let shown = Connection::open(daemon.https());
    assert_eq!(shown.fingerprint(), first);
    assert_eq!(shown.chain(), 2, "with the one in between");
    assert_ne!(first, self_signed);
    assert_eq!(open.ask("/healthz").body, "ok", "the open one goes on");
    let page = operator.get(PAGE);
    for text in [
        "From an authority",
        "panel.example.net, www.example.net",
        "Pebble Intermediate CA",
        &first,
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(page.header("strict-transport-security"), "max-age=604800");
    assert!(operator.get("/audit").body.contains("system: ACME"));
    // Nothing is answered on the plain port once it is over.
    let gone = ask_plain(daemon.web(), "/.well-known/acme-challenge/x");
    assert_eq!(gone.status, 404);

    daemon.restart();
    assert_eq!(fingerprint(&daemon), first);
    // An authority that lost its accounts gets a new one, and issues for another name.
    pebble.forget_everything(daemon.web().port());
    let operator = Operator::sign_in(daemon.https(), "rania", &password);
    order(&operator, &pebble, "other.example.net");
    let second = issued(&daemon, &pebble, &[&first]);
    assert_eq!(fingerprint(&daemon), second);
    daemon.stop();
}

#[test]
fn a_certificate_is_renewed_before_it_ends() {
    let daemon = Daemon::start(&HTTPS);
    // Good for five seconds, so that two thirds of its life are soon over.
    let pebble = Pebble::start(daemon.web().port(), 5);
    let operator = operator(&daemon);
    order(&operator, &pebble, "panel.example.net");
    let first = issued(&daemon, &pebble, &[]);
    let second = issued(&daemon, &pebble, &[&first]);
    let accounts = pebble.output();
    assert!(!accounts.contains("now 2 accounts"), "the account is kept");
    // By now it may be the third.
    assert_ne!(fingerprint(&daemon), first);
    assert_ne!(second, first);
}

#[test]
fn an_authority_that_cannot_reach_this_machine_is_told_and_the_certificate_stays() {
    let daemon = Daemon::start(&HTTPS);
    let pebble = Pebble::start(dead_port(), 90 * 86_400);
    let operator = operator(&daemon);
    let before = fingerprint(&daemon);
    order(&operator, &pebble, "panel.example.net");
    logged(&daemon, |line| {
        line.contains("no certificate was issued").then_some(())
    });
    let page = operator.get(PAGE).body;
    for text in [
        "Not issued",
        "could not see that panel.example.net leads to this machine",
        "connection refused",
        "It is tried again on",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(fingerprint(&daemon), before);
    // Nothing is trusted but the owner's authority, which this one is not from.
    let stranger = Pebble::start(dead_port(), 90 * 86_400);
    let directory = stranger.directory();
    let fields = [
        ("names", "panel.example.net"),
        ("directory", directory.as_str()),
        ("authority", pebble.authority.as_str()),
        ("agreed", "on"),
    ];
    operator.post(PAGE, &format!("{PAGE}/acme"), &fields);
    logged(&daemon, |line| {
        (line.contains("cannot be reached") && line.contains("certificate")).then_some(())
    });
    assert_eq!(fingerprint(&daemon), before);
}

#[test]
fn an_authority_for_its_members_gets_the_key_of_the_account_there() {
    let daemon = Daemon::start(&HTTPS);
    let pebble = Pebble::start_for_members(daemon.web().port(), 90 * 86_400);
    let operator = operator(&daemon);
    let refused = |said: &str| {
        logged(&daemon, |line| {
            (line.contains("no certificate was issued") && line.contains(said)).then_some(())
        });
    };
    order(&operator, &pebble, "panel.example.net");
    refused("externalAccountBinding");
    order_as(&operator, &pebble, "panel.example.net", ("kid-2", KEY));
    refused("references a key that is not known");
    order_as(&operator, &pebble, "panel.example.net", (KEY_ID, KEY));
    let first = issued(&daemon, &pebble, &[]);
    assert_eq!(fingerprint(&daemon), first);
    // The key is kept, and never shown.
    let page = operator.get(PAGE).body;
    assert!(page.contains(KEY_ID) && !page.contains(KEY), "{page}");
}
