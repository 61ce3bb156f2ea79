//! Who is online, session history, authentication log, audit log, search.

use std::sync::Arc;

use axum::http::StatusCode;

use super::isp::{self, SUBSCRIBER, account, attempt, furnish, taken, with};
use crate::domain::access::Reason;
use crate::domain::session::RecordKind;
use crate::domain::time::{DAY, MINUTE};
use crate::operations::search::catch_up;
use crate::operations::{attempts, blocking};
use crate::web::testing::{NOW, TestApp};

const OK: StatusCode = StatusCode::OK;

#[tokio::test]
async fn the_online_list_filters_sorts_and_refreshes() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/online")
        .await
        .shows(OK, &["Nobody is online"]);
    furnish(&browser).await;
    for name in ["bashir", "carla"] {
        taken(
            &browser,
            "/subscribers",
            &with(&SUBSCRIBER, &[("user_name", name)]),
        )
        .await;
    }
    account(&test.app, "ali", Some(1), RecordKind::Start, 10);
    account(&test.app, "bashir", Some(2), RecordKind::Start, 30_000);
    account(&test.app, "carla", Some(3), RecordKind::Start, 20_000_000);
    let shown = async |query: &str| {
        let page = browser.get(&format!("/online{query}")).await;
        assert_eq!(page.status, OK);
        let links = page
            .body
            .split("<a class=\"strong\" href=\"/subscribers/")
            .skip(1);
        links
            .map(|link| link.chars().next().unwrap())
            .collect::<String>()
    };
    for (query, ids) in [
        ("?sort=user", "123"),
        ("?sort=-user", "321"),
        ("?sort=-download", "321"),
        ("?nas=1&plan=1&sort=user", "123"),
        ("?nas=2", ""),
        ("?plan=2", ""),
        ("?q=ASHI", "2"),
        ("?q=10.64.0.7&sort=user", "123"),
        ("?q=0200.0000.0001&sort=user", "123"),
        ("?state=online&sort=user", "123"),
        ("?state=stale", ""),
        ("?page=2", ""),
    ] {
        assert_eq!(shown(query).await, ids, "{query}");
    }
    test.app.clock.move_to(NOW.plus(5 * MINUTE));
    assert_eq!(shown("?state=stale&sort=user").await, "123");
    assert_eq!(shown("?state=online").await, "");
    let part = browser.htmx("/online?nas=1&sort=user").await;
    part.shows(
        OK,
        &[
            "20.0 MB",
            "Home 20",
            "Tower North",
            "hx-get=\"/online?nas=1&#38;sort=user\"",
            "Stale",
        ],
    );
    assert!(!part.body.contains("<html"));
    let session = isp::open_session(&test.app, 1);
    let gone = browser
        .post(&format!("/sessions/{session}/disconnect"), &[])
        .await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_history_pages_by_its_own_cursor() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/sessions")
        .await
        .shows(OK, &["No sessions yet"]);
    furnish(&browser).await;
    for number in 0..30 {
        let name = format!("s{number:02}");
        account(&test.app, &name, Some(1), RecordKind::Start, 1_000);
        account(
            &test.app,
            &name,
            Some(1),
            RecordKind::Stop { cause: 1 },
            1_000,
        );
        if number == 14 {
            // Half of them in the tables, half in memory.
            assert!(test.app.accounting.fold());
        }
    }
    account(&test.app, "other", None, RecordKind::Stop { cause: 5 }, 7);
    let names = |body: &str| {
        let cells = body.split("<td class=\"main\">").skip(1);
        let name = |cell: &str| {
            cell.split("<bdi")
                .nth(1)
                .unwrap()
                .split(['>', '<'])
                .nth(1)
                .unwrap()
                .to_owned()
        };
        cells.map(name).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    let mut path = "/sessions?size=25".to_owned();
    for _ in 0..3 {
        let page = browser.get(&path).await;
        assert_eq!(page.status, OK);
        all.extend(names(&page.body));
        let next = page.body.split("rel=\"next\" href=\"").nth(1);
        match next {
            Some(next) => path = next.split('"').next().unwrap().replace("&#38;", "&"),
            None => break,
        }
    }
    let expected: Vec<String> = std::iter::once("other".to_owned())
        .chain((0..30).rev().map(|n| format!("s{n:02}")))
        .collect();
    assert_eq!(all, expected);
    let shown =
        async |query: &str| names(&browser.get(&format!("/sessions{query}")).await.body).join(" ");
    assert_eq!(shown("?q=s07").await, "s07");
    assert_eq!(
        shown("?q=10.64.0.7&size=25&subscriber=1")
            .await
            .split(' ')
            .count(),
        25
    );
    assert_eq!(shown("?subscriber=9").await, "");
    assert_eq!(shown("?nas=2").await, "");
    assert_eq!(shown("?q=s07&from=2027-01-15&to=2027-01-15").await, "s07");
    assert_eq!(shown("?q=s07&from=2027-01-16").await, "");
    assert_eq!(shown("?q=s07&to=2027-01-14").await, "");
    let page = browser.get("/sessions?subscriber=1&q=s07&from=never").await;
    page.shows(
        OK,
        &[
            "subscriber ali",
            "Hung up",
            "59 min",
            "1.0 kB",
            "A date such as 2026-12-31",
        ],
    );
    browser
        .get("/sessions?q=other")
        .await
        .shows(OK, &["Time is over"]);
    let part = browser.htmx("/sessions?q=&nas=1&from=").await;
    assert_eq!(part.header("hx-push-url"), "/sessions?nas=1");
}

#[tokio::test]
async fn the_authentication_log_filters_by_everything() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/auth-log")
        .await
        .shows(OK, &["No attempts yet", "kept for 30 days"]);
    furnish(&browser).await;
    for number in 0..60 {
        attempt(
            &test.app,
            &format!("u{number:02}"),
            None,
            Some(Reason::UnknownUser),
            NOW.plus(-2 * DAY),
        );
    }
    let app = Arc::clone(&test.app);
    let written = blocking(move || attempts::write(&app)).await.unwrap();
    assert_eq!(written.unwrap(), 60);
    attempt(
        &test.app,
        "ali",
        Some(1),
        Some(Reason::WrongPassword),
        NOW.plus(-MINUTE),
    );
    attempt(&test.app, "ali", Some(1), None, NOW);
    let count = async |query: &str| {
        let page = browser.get(&format!("/auth-log{query}")).await;
        assert_eq!(page.status, OK);
        page.body.matches("data-label=\"Result\"").count()
    };
    for (query, rows) in [
        ("", 50),
        ("?size=100", 62),
        ("?before=13", 12),
        ("?q=ALI", 2),
        ("?q=u0", 10),
        ("?q=02:00:00:00:00:01&size=100", 62),
        ("?result=accepted", 1),
        ("?result=rejected&size=100", 61),
        ("?reason=wrong-password", 1),
        ("?reason=wrong-password&result=accepted", 1),
        ("?reason=nonsense&size=100", 62),
        ("?nas=1&size=100", 62),
        ("?nas=2", 0),
        ("?from=2027-01-15", 2),
        ("?to=2027-01-14&size=100", 60),
        ("?from=2027-01-13&to=2027-01-13&size=100", 60),
        ("?from=2027-01-14&to=2027-01-14", 0),
    ] {
        assert_eq!(count(query).await, rows, "{query}");
    }
    let page = browser.get("/auth-log?reason=wrong-password").await;
    page.shows(
        OK,
        &[
            "Wrong password",
            "href=\"/subscribers/1\"",
            "Tower North",
            "MS-CHAPv2",
            "The newest entry",
        ],
    );
    let first = browser.get("/auth-log").await;
    first.shows(
        OK,
        &["href=\"/auth-log?before=13\"", "The newest 50 entries"],
    );
}

#[tokio::test]
async fn the_audit_log_tells_who_changed_what() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let change = with(
        &SUBSCRIBER,
        &[("phone", "777"), ("password", "another one")],
    );
    taken(&browser, "/subscribers/1/edit", &change).await;
    taken(&browser, "/subscribers/1/delete", &[]).await;
    let page = browser.get("/audit").await;
    page.shows(
        OK,
        &[
            "rania",
            "+961 3 123 456",
            "777",
            "(hidden)",
            "Subscriber ali",
            "href=\"/nas/1\"",
            "127.0.0.1",
        ],
    );
    assert!(!page.body.contains("another one"));
    let count = async |query: &str| {
        browser
            .get(&format!("/audit{query}"))
            .await
            .body
            .matches("data-label=\"Who\"")
            .count()
    };
    let all = count("").await;
    assert_eq!(count("?q=ALI").await, 3);
    assert_eq!(count("?q=deleted").await, 1);
    assert_eq!(count("?q=Tower").await, 1);
    assert_eq!(count("?from=2027-01-15&to=2027-01-15").await, all);
    assert_eq!(count("?from=2027-01-16").await, 0);
    assert_eq!(count("?to=2027-01-14").await, 0);
    assert_eq!(count("?before=2").await, 1);
    browser
        .get("/audit?q=nobody")
        .await
        .shows(OK, &["Nothing fits these filters"]);
    assert!(!browser.htmx("/audit?q=ali").await.body.contains("<html"));
}

#[tokio::test]
async fn search_finds_live_and_goes_to_the_only_hit() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/search")
        .await
        .shows(OK, &["What are you looking for?"]);
    furnish(&browser).await;
    for number in 0..25 {
        let name = format!("many{number:02}");
        taken(
            &browser,
            "/subscribers",
            &with(&SUBSCRIBER, &[("user_name", &name), ("full_name", "Many")]),
        )
        .await;
    }
    let app = Arc::clone(&test.app);
    let caught_up = blocking(move || catch_up(&app)).await.unwrap();
    assert!(!caught_up.unwrap().more);
    for (q, to) in [
        ("ali", "/subscribers/1"),
        ("Tower", "/nas/1"),
        ("Home", "/plans/1/edit"),
        ("علي", "/subscribers/1"),
    ] {
        let path = crate::web::query::Query::new().with("q", q).href("/search");
        let answer = browser.get(&path).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, to),
            "{q}"
        );
        browser.htmx(&path).await.shows(OK, &["1 result", to]);
    }
    let live = browser.htmx("/search?q=many").await;
    assert_eq!(live.body.matches("<li>").count(), 20);
    live.shows(OK, &["The best 20 results"]);
    assert!(!live.body.contains("<html"));
    browser
        .get("/search?q=many")
        .await
        .shows(OK, &["25 results", "value=\"many\"", "Active"]);
    browser
        .get("/search?q=zzzzzz")
        .await
        .shows(OK, &["Nothing found for"]);
    assert_eq!(browser.htmx("/search?q=").await.body.trim(), "");
}
