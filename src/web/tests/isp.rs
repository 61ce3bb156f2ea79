//! A small ISP for the tests of pages: one plan, one NAS, one subscriber, made through the panel's own forms.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::channel;
use std::time::Duration;

use axum::http::StatusCode;

use crate::app::App;
use crate::domain::access::Reason;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::octets::Traffic;
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::subscriber::Subscriber;
use crate::domain::time::{DAY, Timestamp};
use crate::store::auth_log::{Attempt, Method};
use crate::store::subscribers;
use crate::web::testing::{Browser, NOW, TestApp};

pub const PLAN: [(&str, &str); 10] = [
    ("name", "Home 20"),
    ("price", "25"),
    ("currency", "USD"),
    ("term", "1"),
    ("term_unit", "months"),
    ("download_kbps", "20M"),
    ("upload_kbps", "5M"),
    ("priority", "8"),
    ("max_sessions", "1"),
    ("on_limit", "replace_old"),
];

pub const NAS: [(&str, &str); 7] = [
    ("name", "Tower North"),
    ("address", "10.20.0.1"),
    ("secret", "s3cret-of-tower"),
    ("profile", "mikrotik"),
    ("coa_port", "3799"),
    ("message_authenticator", "auto"),
    ("send_message_authenticator", "on"),
];

pub const SUBSCRIBER: [(&str, &str); 7] = [
    ("user_name", "ali"),
    ("password", "pass of ali"),
    ("full_name", "علي حسن"),
    ("phone", "+961 3 123 456"),
    ("plan", "1"),
    ("enabled", "on"),
    ("mac_mode", "off"),
];

/// Nothing is at these addresses.
pub async fn no_pages(browser: &Browser<'_>, paths: &[&str]) {
    for path in paths {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// Nobody takes this form at these addresses.
pub async fn no_forms(browser: &Browser<'_>, paths: &[&str], form: &[(&str, &str)]) {
    for path in paths {
        let answer = browser.post(path, form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// `fields` with some values changed, added, or taken away where the value is `-`.
pub fn with<'a>(
    fields: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut all = fields.to_vec();
    for change in changes {
        all.retain(|(name, _)| *name != change.0);
        all.push(*change);
    }
    all.retain(|(_, value)| *value != "-");
    all
}

/// Sends a form that must be taken, and says where it leads.
pub async fn taken(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.post(path, fields).await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "{path}: {}",
        answer.text()
    );
    answer.header("location").to_owned()
}

/// The plan, the NAS and the subscriber, all with id 1.
pub async fn furnish(browser: &Browser<'_>) {
    let plan = with(&PLAN, &[("on_expiry", "reject")]);
    assert_eq!(taken(browser, "/plans", &plan).await, "/plans");
    assert_eq!(taken(browser, "/nas", &NAS).await, "/nas/1");
    assert_eq!(
        taken(browser, "/subscribers", &SUBSCRIBER).await,
        "/subscribers/1"
    );
}

pub fn attempt(
    app: &App,
    username: &str,
    subscriber: Option<u32>,
    reason: Option<Reason>,
    at: Timestamp,
) {
    attempt_through(app, NasId(1), (username, subscriber), reason, at);
}

/// The same through another NAS; `who` is the name that was typed, and whose it is.
pub fn attempt_through(
    app: &App,
    nas: NasId,
    who: (&str, Option<u32>),
    reason: Option<Reason>,
    at: Timestamp,
) {
    let (username, subscriber) = who;
    app.auth_log.add(Attempt {
        at,
        username: username.into(),
        subscriber: subscriber.map(SubscriberId),
        nas,
        source: IpAddr::from([10, 20, 0, 1]),
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        method: Method::MsChapV2,
        reason,
    });
}

/// An accounting record of a session that began an hour before [`NOW`].
pub fn account(app: &App, name: &str, subscriber: Option<u32>, kind: RecordKind, octets: u64) {
    let (done, is_done) = channel();
    let record = Record {
        kind,
        nas: NasId(1),
        nas_since: NOW.plus(-DAY),
        acct_session_id: format!("81-{name}").into_bytes(),
        username: name.to_owned(),
        subscriber: subscriber.map(SubscriberId),
        login: None,
        event_at: NOW.plus(-60_000),
        received_at: NOW.plus(-60_000),
        session_time: Some(3_540),
        totals: Some(Traffic::new(octets / 10, octets)),
        has_gigawords: true,
        place: Place {
            address: Some(Ipv4Addr::new(10, 64, 0, 7)),
            mac: Some(Mac([2, 0, 0, 0, 0, 1])),
            ..Place::default()
        },
        free_windows: Vec::new(),
        told: None,
    };
    let acknowledge = Box::new(move || {
        let _ = done.send(());
    });
    app.accounting.record(record, acknowledge);
    is_done.recv_timeout(Duration::from_secs(10)).unwrap();
}

/// The id of the open session of a subscriber.
pub fn open_session(app: &App, subscriber: u32) -> SessionId {
    let live = app.accounting.live();
    let id = live
        .open_of(SubscriberId(subscriber))
        .map(|session| session.id)
        .next();
    id.unwrap()
}

/// The record of a subscriber, if there is one.
pub fn stored(test: &TestApp, id: u32) -> Option<Subscriber> {
    let view = test.app.store.view().unwrap();
    let found = subscribers::get(&view, SubscriberId(id)).unwrap();
    found.map(|stored| stored.subscriber)
}
