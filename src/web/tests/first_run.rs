//! The six steps of the first run: each done, done wrong, skipped, done again, and in any order.

use axum::http::StatusCode;

use super::isp::{PLAN, attempt, stored, taken, with};
use super::second_factor::enrol;
use crate::domain::backup::{Every, Schedule};
use crate::domain::operator::Role;
use crate::operations::backups::settings as backups;
use crate::operations::setup::{self, Step, StepState};
use crate::store::Read;
use crate::store::settings::Setting;
use crate::store::tables;
use crate::web::testing::{Browser, NOW, TestApp};

const NETWORK: [(&str, &str); 3] = [
    ("isp_name", "Cedar Net"),
    ("time_zone", "Asia/Baghdad"),
    ("currency", "iqd"),
];
pub(super) const ROUTER: [(&str, &str); 4] = [
    ("name", "Tower North"),
    ("address", "10.20.0.1"),
    ("secret", ""),
    ("profile", "mikrotik"),
];
pub(super) const FIRST_PLAN: [(&str, &str); 6] = [
    ("name", "Home 20"),
    ("download_kbps", "20M"),
    ("upload_kbps", "5M"),
    ("price", "25000"),
    ("term", "1"),
    ("term_unit", "months"),
];
pub(super) const SUBSCRIBER: [(&str, &str); 3] =
    [("user_name", "ali"), ("password", ""), ("plan", "1")];
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

pub(super) fn state(test: &TestApp, step: Step) -> StepState {
    setup::progress(&test.app).unwrap().state(step)
}

/// Sends a form that must come back with an error beside each of `fields`, and with what was typed.
pub(super) async fn refused(
    browser: &Browser<'_>,
    path: &str,
    form: &[(&str, &str)],
    fields: &[&str],
) {
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
    let alone = [("user_name", "ali"), ("plan", "")];
    let page = browser.post("/setup/subscriber", &alone).await;
    page.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["A subscriber needs a plan"],
    );
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
