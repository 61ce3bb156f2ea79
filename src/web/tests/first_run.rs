//! The six steps of the first run: each done, done wrong, skipped, done again, and in any order.

use std::net::IpAddr;

use axum::http::StatusCode;

use super::isp::{NAS, PLAN, account, attempt, furnish, stored, taken, with};
use super::second_factor::enrol;
use crate::domain::access::Reason;
use crate::domain::backup::{Every, Schedule};
use crate::domain::nas::Profile;
use crate::domain::operator::Role;
use crate::domain::session::RecordKind;
use crate::operations::backups::settings as backups;
use crate::operations::setup::{self, Step, StepState};
use crate::store::Read;
use crate::store::settings::Setting;
use crate::store::tables;
use crate::web::testing::{Answer, Browser, NOW, TestApp};

const NETWORK: [(&str, &str); 3] = [
    ("isp_name", "Cedar Net"),
    ("time_zone", "Asia/Baghdad"),
    ("currency", "iqd"),
];
const ROUTER: [(&str, &str); 4] = [
    ("name", "Tower North"),
    ("address", "10.20.0.1"),
    ("secret", ""),
    ("profile", "mikrotik"),
];
const FIRST_PLAN: [(&str, &str); 6] = [
    ("name", "Home 20"),
    ("download_kbps", "20M"),
    ("upload_kbps", "5M"),
    ("price", "25000"),
    ("term", "1"),
    ("term_unit", "months"),
];
const SUBSCRIBER: [(&str, &str); 3] = [("user_name", "ali"), ("password", ""), ("plan", "1")];
const PHRASE: &str = "four words of mine";
const PASSPHRASE: [(&str, &str); 3] = [
    ("passphrase", PHRASE),
    ("passphrase_again", PHRASE),
    ("nightly", "on"),
];

/// Every page of the steps.
const PAGES: [&str; 9] = [
    "/setup/operator",
    "/setup/network",
    "/setup/router",
    "/setup/router/script",
    "/setup/plan",
    "/setup/subscriber",
    "/setup/login",
    "/setup/backups",
    "/setup/done",
];

fn state(test: &TestApp, step: Step) -> StepState {
    setup::progress(&test.app).unwrap().state(step)
}

/// Sends a form that must come back with an error beside each of `fields`, and with what was typed.
async fn refused(browser: &Browser<'_>, path: &str, form: &[(&str, &str)], fields: &[&str]) {
    let page = browser.post(path, form).await;
    page.shows(StatusCode::UNPROCESSABLE_ENTITY, &[]);
    for field in fields {
        let error = format!("id=\"{field}-error\"");
        assert!(
            page.body.contains(&error),
            "{path} {field}: {}",
            page.text()
        );
    }
    let errors = page.body.matches("<p class=\"error\"").count();
    assert_eq!(errors, fields.len(), "{path}: {}", page.text());
    for (name, value) in form {
        let is_kept = !name.starts_with("pass") && *name != "secret" && !value.is_empty();
        let kept = format!("value=\"{value}\"");
        assert!(
            !is_kept || page.body.contains(&kept),
            "{path}: {name} is lost"
        );
    }
}

/// The text of the block to copy from.
fn script(page: &Answer) -> &str {
    let (_, rest) = page.body.split_once("<pre id=\"script\"").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split("</pre>").next().unwrap()
}

#[tokio::test]
async fn the_steps_lead_from_one_to_the_next_until_all_is_done() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser.get("/").await.shows(
        StatusCode::OK,
        &["Finish setting up (1 of 6)", "Name your network"],
    );
    for (path, form, next) in [
        ("/setup/network", &NETWORK[..], "/setup/router"),
        ("/setup/router", &ROUTER[..], "/setup/router/script"),
        ("/setup/plan", &FIRST_PLAN[..], "/setup/subscriber"),
        ("/setup/subscriber", &SUBSCRIBER[..], "/setup/login"),
        ("/setup/backups", &PASSPHRASE[..], "/setup/done"),
    ] {
        assert_eq!(taken(&browser, path, form).await, next);
    }
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    let done = browser.get("/setup/done").await;
    done.shows(StatusCode::OK, &["Almost ready", "See the first login"]);
    browser
        .get("/")
        .await
        .shows(StatusCode::OK, &["Finish setting up (5 of 6)"]);
    attempt(&test.app, "ali", Some(1), None, NOW);
    let done = browser.get("/setup/done").await;
    done.shows(
        StatusCode::OK,
        &["Ready", "Subscribers can log in", "A second factor"],
    );
    assert!(!browser.get("/").await.body.contains("Finish setting up"));
    for path in PAGES {
        let page = browser.get(path).await;
        page.shows(StatusCode::OK, &["Steps of the setup"]);
        assert_eq!(page.body.matches(", done</span>").count(), 6, "{path}");
    }
}

#[tokio::test]
async fn the_network_is_asked_for_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/setup/network").await;
    page.shows(
        StatusCode::OK,
        &["Asia/Beirut", "value=\"USD\"", "value=\"English\""],
    );
    assert!(
        !page.body.contains("value=\"UTC\" autocomplete"),
        "nobody lives in UTC"
    );
    let wrong = [
        ("isp_name", ""),
        ("time_zone", "Asia/Atlantis"),
        ("currency", "dollars"),
    ];
    let fields = ["isp_name", "time_zone", "currency"];
    refused(&browser, "/setup/network", &wrong, &fields).await;
    assert_eq!(state(&test, Step::Network), StepState::Open);
    taken(&browser, "/setup/network", &NETWORK).await;
    let settings = test.app.settings();
    assert_eq!(settings.isp_name, "Cedar Net");
    assert_eq!(
        (settings.calendar.zone_name(), settings.currency.as_str()),
        ("Asia/Baghdad", "IQD")
    );
    let again = browser.get("/setup/network").await;
    again.shows(
        StatusCode::OK,
        &[
            "value=\"Cedar Net\"",
            "value=\"Asia/Baghdad\"",
            "value=\"IQD\"",
        ],
    );
}

#[tokio::test]
async fn a_network_that_is_as_it_would_be_anyway_is_done_once_it_is_saved() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let usual = [
        ("isp_name", "ProxPanel"),
        ("time_zone", "UTC"),
        ("currency", "USD"),
    ];
    taken(&browser, "/setup/network", &usual).await;
    assert_eq!(state(&test, Step::Network), StepState::Done);
    let page = browser.get("/setup/network").await;
    page.shows(StatusCode::OK, &["value=\"ProxPanel\"", "value=\"UTC\""]);
}

#[tokio::test]
async fn the_second_save_changes_the_first_router() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let wrong = with(
        &ROUTER,
        &[("name", ""), ("address", "tower"), ("profile", "toaster")],
    );
    let page = browser.post("/setup/router", &wrong).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["id=\"name-error\"", "id=\"profile-error\""],
    );
    refused(
        &browser,
        "/setup/router",
        &with(&ROUTER, &[("address", "tower")]),
        &["address"],
    )
    .await;
    assert!(setup::first_router(&test.app).is_none());
    taken(&browser, "/setup/router", &ROUTER).await;
    let made = browser.post("/setup/router/script", &[]).await;
    let secret = script(&made).split("secret=&#34;").nth(1).unwrap();
    let secret = secret.split("&#34;").next().unwrap().to_owned();
    assert!(secret.len() > 20 && secret != "SECRET", "{secret}");
    // What this page does not show stays as it is elsewhere.
    let full = with(
        &NAS,
        &[
            ("secret", ""),
            ("coa_port", "1700"),
            ("notes", "On the roof"),
        ],
    );
    taken(&browser, "/nas/1/edit", &full).await;
    let page = browser.get("/setup/router").await;
    page.shows(
        StatusCode::OK,
        &[
            "value=\"Tower North\"",
            "value=\"10.20.0.1\"",
            "To its script",
        ],
    );
    assert!(!page.body.contains(&secret) && !page.body.contains("Skip"));
    let moved = with(
        &ROUTER,
        &[("address", "10.20.0.2"), ("name", "Tower South")],
    );
    taken(&browser, "/setup/router", &moved).await;
    let all = test.app.nas_table().all();
    assert_eq!(all.len(), 1);
    let nas = &all[0].nas;
    assert_eq!(
        (nas.name.as_str(), nas.network.to_string().as_str()),
        ("Tower South", "10.20.0.2")
    );
    assert_eq!((nas.coa_port, nas.notes.as_str()), (1700, "On the roof"));
    let again = browser.post("/setup/router/script", &[]).await;
    assert!(script(&again).contains(&secret), "the secret is kept");
    let typed = with(&ROUTER, &[("secret", "my own secret")]);
    taken(&browser, "/setup/router", &typed).await;
    let again = browser.post("/setup/router/script", &[]).await;
    assert!(script(&again).contains("my own secret"));
}

#[tokio::test]
async fn the_script_is_for_the_version_and_address_and_hides_the_secret() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let answer = browser.get("/setup/router/script").await;
    assert_eq!(answer.header("location"), "/setup/router", "no router yet");
    taken(
        &browser,
        "/setup/router",
        &with(&ROUTER, &[("secret", "hush-hush-hush")]),
    )
    .await;
    // The panel is known by a name, so its address is asked for.
    let page = browser.get("/setup/router/script").await;
    page.shows(
        StatusCode::OK,
        &["Address of this panel", "/nas/1/checks", "RouterOS 7"],
    );
    assert!(script(&page).contains("address=SERVER"));
    let page = browser.get("/setup/router/script?server=nowhere").await;
    page.shows(
        StatusCode::OK,
        &["An address, such as", "value=\"nowhere\""],
    );
    let there = "/setup/router/script?server=192.0.2.9";
    let page = browser.get(there).await;
    assert!(script(&page).contains("address=192.0.2.9"));
    assert!(script(&page).contains("SECRET") && !page.body.contains("hush-hush"));
    assert!(
        !page.body.contains("id=\"server\""),
        "what is known is not asked for"
    );
    let six = browser.get(&format!("{there}&version=6")).await;
    assert_ne!(script(&six), script(&page));
    let shown = [("server", "192.0.2.9"), ("version", "6")];
    let shown = browser.post("/setup/router/script", &shown).await;
    assert_eq!(
        script(&shown).replace("hush-hush-hush", "SECRET"),
        script(&six)
    );
    // Without a script, the values.
    let cisco = with(&ROUTER, &[("profile", "cisco")]);
    taken(&browser, "/setup/router", &cisco).await;
    let page = browser.get(there).await;
    page.shows(
        StatusCode::OK,
        &["RADIUS server 192.0.2.9", "UDP 1812", "UDP 3799"],
    );
    assert!(!page.body.contains("<pre id=\"script\"") && !page.body.contains("RouterOS 7"));
    let shown = browser.post("/setup/router/script", &[]).await;
    shown.shows(StatusCode::OK, &["hush-hush-hush"]);
    assert_eq!(test.app.nas_table().all()[0].nas.profile, Profile::Cisco);
}

#[tokio::test]
async fn a_router_that_knocks_is_offered() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    let page = browser.get("/setup/router").await;
    page.shows(StatusCode::OK, &["Packets come from 192.0.2.77"]);
    let page = browser.get("/setup/router?address=192.0.2.77").await;
    page.shows(StatusCode::OK, &["value=\"192.0.2.77\""]);
}

#[tokio::test]
async fn the_second_save_changes_the_first_plan() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    taken(&browser, "/setup/network", &NETWORK).await;
    let page = browser.get("/setup/plan").await;
    page.shows(StatusCode::OK, &[">IQD<", "Skip: I make plans later"]);
    let wrong = [
        ("name", ""),
        ("download_kbps", "fast"),
        ("upload_kbps", ""),
        ("price", "25,000"),
        ("term", "0"),
        ("term_unit", "months"),
    ];
    let fields = ["name", "download_kbps", "upload_kbps", "price", "term"];
    refused(&browser, "/setup/plan", &wrong, &fields).await;
    taken(&browser, "/setup/plan", &FIRST_PLAN).await;
    let whole = with(
        &PLAN,
        &[
            ("on_expiry", "reject"),
            ("currency", "IQD"),
            ("pool", "homes"),
        ],
    );
    taken(&browser, "/plans/1/edit", &whole).await;
    let page = browser.get("/setup/plan").await;
    page.shows(StatusCode::OK, &["value=\"Home 20\"", "value=\"20M\""]);
    assert!(!page.body.contains("Skip"));
    let faster = with(&FIRST_PLAN, &[("download_kbps", "30M")]);
    taken(&browser, "/setup/plan", &faster).await;
    let plans = test.app.plans();
    assert_eq!(plans.len(), 1);
    assert_eq!(
        (plans[0].rate.download_kbps, plans[0].pool.as_str()),
        (30_000, "homes")
    );
}

#[tokio::test]
async fn the_second_save_changes_the_first_subscriber() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/setup/subscriber").await;
    page.shows(
        StatusCode::OK,
        &["A subscriber needs a plan", "href=\"/setup/plan\""],
    );
    refused(
        &browser,
        "/setup/subscriber",
        &[("user_name", "ali"), ("plan", "")],
        &[],
    )
    .await;
    taken(
        &browser,
        "/setup/plan",
        &with(&FIRST_PLAN, &[("price", "25")]),
    )
    .await;
    let wrong = with(&SUBSCRIBER, &[("user_name", "a li")]);
    refused(&browser, "/setup/subscriber", &wrong, &["user_name"]).await;
    assert!(stored(&test, 1).is_none());
    let answer = browser.get("/setup/login").await;
    assert_eq!(
        answer.header("location"),
        "/setup/subscriber",
        "nobody to wait for"
    );
    taken(&browser, "/setup/subscriber", &SUBSCRIBER).await;
    let password = async || {
        let shown = browser.htmx_post("/subscribers/1/password", &[]).await;
        shown.text().split(' ').next().unwrap().to_owned()
    };
    let made = password().await;
    assert_eq!(made.len(), 11, "{made}");
    let page = browser.get("/setup/subscriber").await;
    page.shows(
        StatusCode::OK,
        &["value=\"ali\"", "keep the present one", "/setup/login"],
    );
    assert!(!page.body.contains(&made) && !page.body.contains("Skip"));
    let renamed = with(&SUBSCRIBER, &[("user_name", "ali.hassan")]);
    taken(&browser, "/setup/subscriber", &renamed).await;
    assert_eq!(stored(&test, 1).unwrap().username.as_str(), "ali.hassan");
    assert!(stored(&test, 2).is_none());
    assert_eq!(password().await, made, "the password is kept");
    let typed = with(&SUBSCRIBER, &[("password", "typed one")]);
    taken(&browser, "/setup/subscriber", &typed).await;
    let shown = browser.htmx_post("/subscribers/1/password", &[]).await;
    assert!(shown.text().starts_with("typed one"), "{}", shown.text());
}

#[tokio::test]
async fn waiting_says_what_came_instead_and_turns_green() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    taken(
        &browser,
        "/setup/plan",
        &with(&FIRST_PLAN, &[("price", "25")]),
    )
    .await;
    taken(&browser, "/setup/subscriber", &SUBSCRIBER).await;
    let part = async || browser.htmx("/setup/login").await;
    part().await.shows(
        StatusCode::OK,
        &[
            "Waiting for ali to log in",
            "There is no router yet",
            "without waiting",
        ],
    );
    taken(&browser, "/setup/router", &ROUTER).await;
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &["Nothing came from Tower North yet", "UDP 1812"],
    );
    assert!(!page.body.contains("<html"));
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    part().await.shows(
        StatusCode::OK,
        &[
            "Packets come from 192.0.2.77, which is no router here",
            "/setup/router?address=192.0.2.77",
        ],
    );
    let entry = setup::first_router(&test.app).unwrap();
    entry.stats.saw_wrong_digest(NOW);
    part().await.shows(
        StatusCode::OK,
        &["The shared secret on the router is another one"],
    );
    attempt(
        &test.app,
        "alli",
        None,
        Some(Reason::UnknownUser),
        NOW.plus(1_000),
    );
    part()
        .await
        .shows(StatusCode::OK, &["Somebody tries as “alli”"]);
    attempt(&test.app, "ali", Some(1), Some(Reason::WrongPassword), NOW);
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &[
            "wrong password",
            "class=\"why bad\"",
            "href=\"/setup/subscriber\">Set the password",
        ],
    );
    assert!(!page.body.contains("class=\"why good\""));
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    attempt(&test.app, "ali", Some(1), None, NOW);
    let page = part().await;
    page.shows(
        StatusCode::OK,
        &["ali is in", "class=\"why good\"", "first accounting record"],
    );
    assert!(!page.body.contains("alli") && !page.body.contains("192.0.2.77"));
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    account(&test.app, "ali", Some(1), RecordKind::Interim, 1_000);
    part().await.shows(StatusCode::OK, &["Online at 5M/20M"]);
}

#[tokio::test]
async fn what_came_long_ago_is_not_held_against_the_first_login() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let stranger = IpAddr::from([192, 0, 2, 77]);
    test.app.sightings.note(stranger, None, None, NOW);
    attempt(&test.app, "alli", None, Some(Reason::UnknownUser), NOW);
    test.app.clock.move_to(NOW.plus(11 * 60_000));
    furnish(&browser).await;
    let page = browser.get("/setup/login").await;
    page.shows(StatusCode::OK, &["Nothing came from Tower North yet"]);
    assert!(!page.body.contains("192.0.2.77") && !page.body.contains("alli"));
}

#[tokio::test]
async fn a_session_without_an_attempt_in_the_log_counts_as_the_first_login() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    account(&test.app, "ali", Some(1), RecordKind::Interim, 1_000);
    assert_eq!(state(&test, Step::Subscriber), StepState::Done);
    browser
        .get("/setup/login")
        .await
        .shows(StatusCode::OK, &["ali is in"]);
}

#[tokio::test]
async fn the_passphrase_is_set_with_a_backup_every_night() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/setup/backups").await;
    page.shows(StatusCode::OK, &["loses the backups", "checked", "Not now"]);
    for (first, second, field) in [
        ("", "", "passphrase"),
        ("too short", "too short", "passphrase"),
        (PHRASE, "four words of yours", "passphrase_again"),
    ] {
        let form = [
            ("passphrase", first),
            ("passphrase_again", second),
            ("nightly", "on"),
        ];
        refused(&browser, "/setup/backups", &form, &[field]).await;
    }
    let set = || backups::get(&test.app).unwrap();
    assert!(!set().has_passphrase && set().schedule.is_none());
    taken(
        &browser,
        "/setup/backups",
        &with(&PASSPHRASE, &[("nightly", "-")]),
    )
    .await;
    assert!(set().has_passphrase && set().schedule.is_none());
    // The passphrase stays when nothing is typed; the schedule can come later.
    taken(&browser, "/setup/backups", &[("nightly", "on")]).await;
    let nightly = Schedule {
        every: Every::Day,
        hour: 3,
    };
    assert_eq!(set().schedule, Some(nightly));
    let page = browser.get("/setup/backups").await;
    page.shows(
        StatusCode::OK,
        &["A passphrase is set", "by themselves already", "Go on"],
    );
    assert!(!page.body.contains(PHRASE));
    // A schedule that was chosen elsewhere is left alone.
    let weekly = Schedule {
        every: Every::Week(5),
        hour: 2,
    };
    let actor = crate::domain::audit::Actor::CommandLine;
    let keep = set().keep;
    backups::update(&test.app, &actor, Some(weekly), keep)
        .await
        .unwrap();
    taken(&browser, "/setup/backups", &PASSPHRASE).await;
    assert_eq!(set().schedule, Some(weekly));
}

#[tokio::test]
async fn what_may_be_skipped_is_skipped_and_can_be_done_later() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (step, next) in [
        ("router", "/setup/plan"),
        ("plan", "/setup/subscriber"),
        ("subscriber", "/setup/backups"),
    ] {
        let form = [("step", step)];
        assert_eq!(taken(&browser, "/setup/skip", &form).await, next);
        // Twice is once.
        assert_eq!(taken(&browser, "/setup/skip", &form).await, next);
    }
    browser
        .get("/")
        .await
        .shows(StatusCode::OK, &["Finish setting up (4 of 6)", "Skipped"]);
    let entries = {
        let view = test.app.store.view().unwrap();
        view.count(&tables::AUDIT).unwrap()
    };
    for (step, status) in [
        ("operator", StatusCode::CONFLICT),
        ("network", StatusCode::CONFLICT),
        ("backups", StatusCode::CONFLICT),
        ("coffee", StatusCode::NOT_FOUND),
        ("", StatusCode::NOT_FOUND),
    ] {
        let answer = browser.post("/setup/skip", &[("step", step)]).await;
        assert_eq!(answer.status, status, "{step}");
    }
    let view = test.app.store.view().unwrap();
    assert_eq!(
        view.count(&tables::AUDIT).unwrap(),
        entries,
        "nothing was done"
    );
    drop(view);
    taken(&browser, "/setup/router", &ROUTER).await;
    assert_eq!(state(&test, Step::Router), StepState::Done);
    assert_eq!(state(&test, Step::Plan), StepState::Skipped);
    taken(&browser, "/setup/network", &NETWORK).await;
    taken(&browser, "/setup/backups", &PASSPHRASE).await;
    let page = browser.get("/setup/done").await;
    page.shows(StatusCode::OK, &["Ready", ", skipped"]);
    assert!(!browser.get("/").await.body.contains("Finish setting up"));
}

#[tokio::test]
async fn who_dismisses_the_steps_is_not_reminded_and_can_still_do_them() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    assert_eq!(taken(&browser, "/setup/dismiss", &[]).await, "/");
    assert_eq!(taken(&browser, "/setup/dismiss", &[]).await, "/");
    assert!(!browser.get("/").await.body.contains("Finish setting up"));
    let view = test.app.store.view().unwrap();
    let kept = crate::store::settings::get(&view, Setting::SetupDismissed).unwrap();
    assert_eq!(kept.as_deref(), Some("yes"));
    drop(view);
    let log = browser.get("/audit").await;
    assert_eq!(log.text().matches("setup dismissed").count(), 1);
    taken(&browser, "/setup/network", &NETWORK).await;
}

#[tokio::test]
async fn the_second_factor_comes_back_to_the_steps() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/account/second-factor").await;
    page.shows(StatusCode::OK, &["href=\"/setup/operator\">Not now"]);
    enrol(&browser, NOW).await;
    let page = browser.get("/setup/operator").await;
    page.shows(
        StatusCode::OK,
        &["The second factor is on", "/setup/network"],
    );
    // Once nobody is setting up, it is a page like any other.
    taken(&browser, "/setup/dismiss", &[]).await;
    test.operator("omar", Role::Administrator).await;
    let page = test
        .sign_in_as("omar")
        .await
        .get("/account/second-factor")
        .await;
    assert!(!page.body.contains("/setup/operator"));
}

#[tokio::test]
async fn only_administrators_see_the_steps() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let viewer = test.sign_in_as("ziad").await;
    for path in PAGES {
        assert_eq!(
            viewer.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
        let stranger = test.stranger().get(path).await;
        assert!(stranger.header("location").starts_with("/login"), "{path}");
    }
    let page = viewer.get("/account/second-factor").await;
    assert!(!page.body.contains("/setup/operator"));
}
