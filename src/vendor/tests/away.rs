//! A vendor that does not answer, a term that ends, a clock that is turned: what goes on, and what waits.

use std::time::Duration;

use axum::http::StatusCode;

use super::*;
use crate::domain::time::{DAY, HOUR};
use crate::operations::aaa::Aaa;
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request, exchange};
use crate::radius::{AttributeBuffer, Code, Handler, Port, SharedSecret, server as radius};
use crate::web::tests::isp::{NAS, PLAN, SUBSCRIBER, furnish, taken, with};

const OK: StatusCode = StatusCode::OK;

/// Whether the subscriber `ali` is let in over a real socket.
fn logs_in(test: &TestApp) -> bool {
    let handler: Arc<dyn Handler> = Arc::new(Aaa::new(Arc::clone(&test.app)));
    let any = "127.0.0.1:0".parse().unwrap();
    let server = radius::spawn(any, Port::Auth, 1, handler).unwrap();
    let secret = SharedSecret::new(b"s3cret-of-tower").unwrap();
    let login = Login {
        user_name: "ali",
        password: "pass of ali",
        method: Method::Pap,
    };
    let request = Request::access(&secret, 1, &login, &AttributeBuffer::new()).unwrap();
    let reply = exchange(server.local_addr(), &request, Duration::from_secs(5), 3).unwrap();
    let is_accepted = reply.packet().unwrap().code() == Code::ACCESS_ACCEPT;
    server.stop();
    is_accepted
}

/// An ISP with a subscriber whose NAS is this machine.
async fn isp(test: &TestApp) {
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let here = with(
        &NAS,
        &[
            ("name", "Here"),
            ("address", "127.0.0.1"),
            ("message_authenticator", "optional"),
        ],
    );
    taken(&browser, "/nas", &here).await;
}

#[tokio::test]
async fn a_vendor_that_is_away_stops_changes_after_the_grace_and_radius_never() {
    let mut world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    isp(&test).await;
    world.go_away().await;
    let Beat::Silent(why) = beat(&test).await else {
        panic!("somebody answered");
    };
    assert!(why.contains("cannot be reached"), "{why}");
    assert_eq!(title(&test), "The licence is active.", "an hour is nothing");
    assert!(logs_in(&test));

    move_to(&test.app.clock, 2 * DAY);
    beat(&test).await;
    let browser = test.sign_in().await;
    let page = browser.get("/").await;
    page.shows(
        OK,
        &[
            "The vendor has not answered for more than a day.",
            "another 12 days",
        ],
    );
    let done = browser.post("/subscribers/1/forget-mac", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    browser
        .get("/settings/licence")
        .await
        .shows(OK, &["cannot be reached", "2027-01-15 08:00"]);

    move_to(&test.app.clock, 14 * DAY);
    beat(&test).await;
    let browser = test.sign_in().await;
    browser
        .get("/")
        .await
        .shows(OK, &["The vendor has not answered for too long."]);
    for (path, fields) in [
        ("/plans", &PLAN[..]),
        ("/subscribers", &with(&SUBSCRIBER, &[("user_name", "badr")])),
        ("/subscribers/1/suspend", &[("reason", "")]),
    ] {
        let refused = browser.post(path, fields).await;
        refused.shows(
            StatusCode::CONFLICT,
            &["The licence does not allow changes now"],
        );
    }
    // Of files, a backup comes in and a list of subscribers does not.
    for (path, comes_in) in [
        ("/settings/backups/upload", true),
        ("/subscribers/import/upload", false),
    ] {
        let file = browser.file(path, &browser.csrf, "a.csv", b"user\nbadr\n");
        let answer = test.send(file).await;
        let said = "The licence does not allow changes now";
        assert_eq!(!answer.body.contains(said), comes_in, "{path}");
    }
    // Of the first run what is a setting goes on, and what adds something does not.
    for (path, goes_on) in [
        ("/setup/network", true),
        ("/setup/backups", true),
        ("/setup/skip", true),
        ("/setup/dismiss", true),
        ("/setup/router", false),
        ("/setup/plan", false),
        ("/setup/subscriber", false),
    ] {
        let answer = browser.post(path, &[]).await;
        let is_refused = answer
            .body
            .contains("The licence does not allow changes now");
        assert_eq!(is_refused, !goes_on, "{path}: {}", answer.text());
    }
    // Looking, one's own account and what leads out go on.
    for path in [
        "/subscribers/1",
        "/plans",
        "/settings/licence",
        "/system/jobs",
    ] {
        assert_eq!(browser.get(path).await.status, OK, "{path}");
    }
    let ran = browser.post("/system/jobs/nothing/run", &[]).await;
    assert_eq!(
        ran.status,
        StatusCode::NOT_FOUND,
        "not refused by the licence"
    );
    let out = browser.post("/account/logins/revoke-others", &[]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert!(logs_in(&test), "subscribers do not notice");
}

#[tokio::test]
async fn a_vendor_that_comes_back_makes_all_well() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    move_to(&test.app.clock, 20 * DAY);
    assert!(!test.app.licence().allows_changes());
    move_to(&world.desk.clock, 20 * DAY);
    assert_eq!(beat(&test).await, Beat::Good);
    assert_eq!(title(&test), "The licence is active.");
}

#[tokio::test]
async fn an_installation_without_a_licence_has_two_weeks() {
    let mut world = World::start().await;
    let test = world.appliance(machine(1)).await;
    world.go_away().await;
    assert_eq!(beat(&test).await, Beat::NotActivated);
    isp(&test).await;
    move_to(&test.app.clock, 14 * DAY - 1);
    assert!(test.app.licence().allows_changes());
    move_to(&test.app.clock, 14 * DAY);
    assert!(!test.app.licence().allows_changes());
    assert_eq!(title(&test), "This installation was never activated.");
    assert!(logs_in(&test));
    // To begin again does not begin the days again.
    assert_eq!(beat(&test).await, Beat::NotActivated);
    assert!(!test.app.licence().allows_changes());
}

#[tokio::test]
async fn a_term_ends_after_its_grace_even_if_the_vendor_answers() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, Some(30))).await;
    for (days, said, changes) in [
        (30 * DAY - HOUR, "The licence is active.", true),
        (30 * DAY, "The term of the licence is over.", true),
        (44 * DAY - HOUR, "The term of the licence is over.", true),
        (44 * DAY, "The licence has expired.", false),
    ] {
        move_to(&test.app.clock, days);
        move_to(&world.desk.clock, days);
        assert_eq!(beat(&test).await, Beat::Good);
        assert_eq!(title(&test), said, "{days}");
        assert_eq!(test.app.licence().allows_changes(), changes, "{days}");
    }
}

#[tokio::test]
async fn a_clock_that_is_turned_back_is_noticed_and_gains_nothing() {
    let mut world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let day_13 = 13 * DAY;
    move_to(&test.app.clock, day_13);
    world.go_away().await;
    beat(&test).await;
    move_to(&test.app.clock, -30 * DAY);
    let standing = test.app.licence();
    assert_eq!(standing.now, NOW.plus(day_13));
    assert_eq!(standing.clock_behind, Some(day_13 + 30 * DAY));
    let browser = test.sign_in().await;
    let page = browser.get("/settings/licence").await;
    page.shows(OK, &["clock is 43 days behind what it showed before"]);
    beat(&test).await;
    assert_eq!(
        test.app.licence().now,
        NOW.plus(day_13),
        "a try does not lower it"
    );
}

#[tokio::test]
async fn a_clock_that_stands_still_does_not_stretch_the_term() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, Some(30))).await;
    for (days, changes) in [(44 * DAY - 1, true), (44 * DAY, false)] {
        move_to(&world.desk.clock, days);
        assert_eq!(beat(&test).await, Beat::Good);
        assert_eq!(test.app.licence().now, NOW.plus(days));
        assert_eq!(test.app.licence().allows_changes(), changes, "{days}");
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_once_is_forgiven_by_the_next_answer() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, Some(365))).await;
    move_to(&test.app.clock, 5_000 * DAY);
    beat(&test).await;
    assert!(!test.app.licence().allows_changes());
    move_to(&test.app.clock, DAY);
    move_to(&world.desk.clock, DAY);
    assert!(
        !test.app.licence().allows_changes(),
        "before anybody was asked"
    );
    assert_eq!(beat(&test).await, Beat::Good);
    assert!(test.app.licence().allows_changes());
    assert_eq!(test.app.licence().clock_behind, None);
}
