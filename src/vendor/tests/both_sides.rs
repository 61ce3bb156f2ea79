//! The life of a licence, honest on both sides.

use std::sync::Mutex;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};

use super::*;
use crate::domain::audit::Actor;
use crate::domain::time::{DAY, HOUR};
use crate::operations::{self, import};
use crate::store::licence as rows;
use crate::vendor::records;
use crate::web::tests::isp::{SUBSCRIBER, furnish, with};

const OK: StatusCode = StatusCode::OK;
const HERE: &str = "/settings/licence";

#[tokio::test]
async fn a_licence_is_activated_by_its_key_and_stays_fresh() {
    let world = World::start().await;
    let (id, key) = world.issue(terms(Some(1_500), Some(365))).await;
    let test = world.appliance(machine(1)).await;
    let browser = test.sign_in().await;
    licence::beat(&test.app, true).await.unwrap();
    let page = browser.get(HERE).await;
    page.shows(
        OK,
        &[
            "This installation has no licence yet.",
            "Needs attention",
            "Activate",
        ],
    );
    let done = browser
        .post(
            "/settings/licence/activate",
            &[("key", &key.to_lowercase())],
        )
        .await;
    assert_eq!(done.flash(), "The licence is active.");
    let page = browser.get(HERE).await;
    page.shows(
        OK,
        &[
            "The licence is active.",
            "Cedar Net",
            "0 of 1,500",
            "as in the licence",
        ],
    );
    assert!(!page.body.contains(&key), "the key is not shown again");

    for hours in 1..=3 {
        move_to(&test.app.clock, hours * HOUR);
        move_to(&world.desk.clock, hours * HOUR);
        assert_eq!(beat(&test).await, Beat::Good);
    }
    assert_eq!(status(&test).last_good, Some(NOW.plus(3 * HOUR)));
    let listed = world.desk.licence(id).unwrap();
    let last = listed.licence.last.unwrap();
    assert_eq!((last.at, last.is_bound), (NOW.plus(3 * HOUR).0, true));
    assert_eq!(last.version, env!("CARGO_PKG_VERSION"));
    let view = world.desk.store.view().unwrap();
    assert_eq!(records::heartbeats(&view, id, 10).unwrap().len(), 4);

    let row = rows::get(&test.app.store.view().unwrap()).unwrap().unwrap();
    let hint = key.rsplit('-').next().unwrap().as_bytes();
    assert!(!row.sealed_key.windows(5).any(|part| part == hint));
    let audit = browser.get("/audit").await;
    audit.shows(OK, &["licence activated", "Cedar Net"]);
}

#[tokio::test]
async fn heartbeats_are_kept_for_a_month_and_not_by_the_second() {
    let world = World::start().await;
    let (test, id) = world.licensed(terms(None, None)).await;
    let count = || {
        let view = world.desk.store.view().unwrap();
        records::heartbeats(&view, id, 10_000).unwrap().len()
    };
    for _ in 0..3 {
        beat(&test).await;
    }
    assert_eq!(count(), 1);
    move_to(&world.desk.clock, 30 * DAY);
    move_to(&test.app.clock, 30 * DAY);
    beat(&test).await;
    assert_eq!(count(), 2);
    move_to(&world.desk.clock, 30 * DAY + HOUR);
    beat(&test).await;
    assert_eq!(count(), 2, "the first one is too old now");
}

#[tokio::test]
async fn a_licence_limits_new_subscribers_only() {
    let world = World::start().await;
    let (test, id) = world.licensed(terms(Some(1), None)).await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    let second = with(&SUBSCRIBER, &[("user_name", "badr")]);
    let refused = browser.post("/subscribers", &second).await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["The licence is for 1 subscribers, and there are 1."],
    );
    // Those who are there may be changed.
    let edit = with(&SUBSCRIBER, &[("full_name", "Ali"), ("password", "-")]);
    let changed = browser.post("/subscribers/1/edit", &edit).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text());

    world
        .desk
        .renew(Who::command_line(), id, terms(Some(2), None))
        .await
        .unwrap();
    assert_eq!(beat(&test).await, Beat::Good);
    let taken = browser.post("/subscribers", &second).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text());
    // A list comes in when there is room for everybody on it.
    let app = Arc::clone(&test.app);
    let list = |text: &'static [u8]| {
        let app = Arc::clone(&app);
        operations::blocking(move || {
            let choices = import::first_choices(text).unwrap();
            let refusal = import::look(&app, text, &choices).unwrap().refusal;
            let done = import::apply(&app, &Actor::CommandLine, "list", text, &choices);
            (
                refusal,
                done.map(|done| done.added).map_err(|e| e.to_string()),
            )
        })
    };
    let wider = terms(Some(4), None);
    let renewed = world.desk.renew(Who::command_line(), id, wider).await;
    renewed.unwrap();
    assert_eq!(beat(&test).await, Beat::Good);
    let three = list(b"user,plan\na,Home 20\nb,Home 20\nc,Home 20\n")
        .await
        .unwrap();
    let refusal = "The licence is for 4 subscribers, and there would be 5. Ask the vendor for more, or delete some";
    assert_eq!(three, (refusal.to_owned(), Err(refusal.to_owned())));
    let two = list(b"user,plan\na,Home 20\nb,Home 20\n").await.unwrap();
    assert_eq!(two, (String::new(), Ok(2)));
    beat(&test).await;
    let last = world.desk.licence(id).unwrap().licence.last.unwrap();
    assert_eq!(last.subscribers, 4);
}

#[tokio::test]
async fn a_machine_may_ask_for_a_trial_and_gets_the_same_again() {
    let world = World::start().await;
    let test = world.appliance(machine(1)).await;
    let browser = test.sign_in().await;
    let register = |company: &'static str, email: &'static str| {
        let browser = &browser;
        async move {
            let form = [("company", company), ("email", email)];
            browser.post("/settings/licence/register", &form).await
        }
    };
    for (company, email, problem) in [
        ("", "noc@cedar.example", "Needed"),
        ("Cedar Net", "cedar", "An address such as"),
    ] {
        let refused = register(company, email).await;
        refused.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
    let done = register("Cedar Net", "noc@cedar.example").await;
    assert_eq!(done.flash(), "The vendor gave a licence, and it is active.");
    let page = browser.get(HERE).await;
    page.shows(OK, &["number 1, a trial", "0 of 100", "2027-02-14"]);
    register("Cedar Net", "noc@cedar.example").await;
    assert_eq!(world.desk.licences(u32::MAX, "").unwrap().len(), 1);
    // What was paid for is not given to a machine that merely asks.
    world
        .desk
        .renew(Who::command_line(), 1, terms(None, None))
        .await
        .unwrap();
    let refused = register("Cedar Net", "noc@cedar.example").await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["this machine has a licence already"],
    );
    let other = world.appliance(machine(2)).await;
    let browser = other.sign_in().await;
    let form = [("company", "Other"), ("email", "o@other.example")];
    browser.post("/settings/licence/register", &form).await;
    assert_eq!(world.desk.licences(u32::MAX, "").unwrap().len(), 2);
}

#[tokio::test]
async fn a_vendor_may_give_no_trials() {
    let world = World::with(0, server::router).await;
    let test = world.appliance(machine(1)).await;
    let actor = Actor::CommandLine;
    let refused = licence::register(&test.app, &actor, "Cedar", "noc@cedar.example").await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("to people who ask"), "{said}");
}

#[tokio::test]
async fn a_revoked_licence_says_why_and_holds_again_when_renewed() {
    let world = World::start().await;
    let (test, id) = world.licensed(terms(None, None)).await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    world
        .desk
        .revoke(Who::command_line(), id, "Unpaid since May")
        .await
        .unwrap();
    let said = "The vendor took this licence back: Unpaid since May";
    assert_eq!(beat(&test).await, Beat::Bad(said.to_owned()));
    let page = browser.get("/").await;
    page.shows(OK, &["The vendor took the licence back: Unpaid since May."]);
    let refused = browser
        .post("/subscribers/1/suspend", &[("reason", "")])
        .await;
    refused.shows(
        StatusCode::CONFLICT,
        &["The licence does not allow changes now"],
    );
    let key = browser.post("/settings/licence/ask", &[]).await;
    assert_eq!(key.flash(), format!("{said}."));
    world
        .desk
        .renew(Who::command_line(), id, terms(None, None))
        .await
        .unwrap();
    let asked = browser.post("/settings/licence/ask", &[]).await;
    assert_eq!(asked.flash(), "The vendor says that all is well.");
    let done = browser
        .post("/subscribers/1/suspend", &[("reason", "")])
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let audit = browser.get("/audit").await;
    audit.shows(
        OK,
        &[
            "licence revoked by the vendor",
            "licence good again",
            "system: licence",
        ],
    );
}

#[tokio::test]
async fn a_licence_moves_only_when_it_was_freed() {
    let world = World::start().await;
    let (id, key) = world.issue(terms(None, None)).await;
    let old = world.appliance(machine(1)).await;
    let new = world.appliance(machine(2)).await;
    activate(&old, &key).await.unwrap();
    let browser = new.sign_in().await;
    let form = [("key", key.as_str())];
    let refused = browser.post("/settings/licence/activate", &form).await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["This licence is bound to another machine. Deactivate it there"],
    );
    world.desk.move_on(Who::command_line(), id).await.unwrap();
    // A heartbeat does not bind it again.
    assert!(matches!(beat(&old).await, Beat::Bad(_)));
    let done = browser.post("/settings/licence/activate", &form).await;
    assert_eq!(done.flash(), "The licence is active.");
    assert_eq!(beat(&new).await, Beat::Good);
    assert!(matches!(beat(&old).await, Beat::Bad(_)));
    assert_eq!(title(&old), "The licence is bound to another machine.");
    assert!(old.app.licence().allows_changes(), "for the days of grace");
    assert!(!old.app.licence().allows_subscribers(1));
    move_to(&old.app.clock, 14 * DAY);
    assert!(!old.app.licence().allows_changes());
    assert_eq!(world.desk.licence(id).unwrap().licence.moves, 1);
    // And back again.
    world.desk.move_on(Who::command_line(), id).await.unwrap();
    activate(&old, &key).await.unwrap();
    assert_eq!(title(&old), "The licence is active.");
    assert!(old.app.licence().allows_subscribers(1));
}

#[tokio::test]
async fn giving_a_licence_up_does_not_begin_the_first_days_again() {
    let world = World::start().await;
    for (days, changes) in [(14 * DAY - 1, true), (14 * DAY, false)] {
        let (test, _) = world.licensed(terms(None, None)).await;
        move_to(&test.app.clock, days);
        move_to(&world.desk.clock, days);
        assert_eq!(beat(&test).await, Beat::Good);
        // Nor does a clock that is turned back for it.
        move_to(&test.app.clock, 0);
        let told = licence::deactivate(&test.app, &Actor::CommandLine).await;
        assert!(told.unwrap(), "the vendor knows");
        assert!(!status(&test).is_activated());
        assert_eq!(test.app.licence().allows_changes(), changes, "{days}");
    }
}

#[tokio::test]
async fn a_start_validates_and_each_hour_has_a_heartbeat() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&asked);
    let world = World::with(0, move |desk| {
        let note = move |request: Request, next: Next| {
            let path = request.uri().path().to_owned();
            kept.lock().unwrap().push(path);
            next.run(request)
        };
        server::router(desk).layer(middleware::from_fn(note))
    })
    .await;
    let (test, _) = world.licensed(terms(None, None)).await;
    for is_start in [true, false] {
        let beaten = licence::beat(&test.app, is_start).await.unwrap();
        assert_eq!(beaten, Beat::Good);
    }
    let asked = asked.lock().unwrap();
    let of = |verb| format!("/api/v1/license/{verb}");
    assert_eq!(*asked, ["activate", "validate", "heartbeat"].map(of));
}

#[tokio::test]
async fn a_licence_that_is_given_up_is_free() {
    let mut world = World::start().await;
    let (id, key) = world.issue(terms(None, None)).await;
    let old = world.appliance(machine(1)).await;
    activate(&old, &key).await.unwrap();
    let browser = old.sign_in().await;
    let done = browser.post("/settings/licence/deactivate", &[]).await;
    assert_eq!(
        done.flash(),
        "The licence was given up. Another machine can activate it."
    );
    assert!(!status(&old).is_activated());
    assert!(world.desk.licence(id).unwrap().licence.hardware.is_none());
    let again = browser.post("/settings/licence/deactivate", &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);

    let new = world.appliance(machine(2)).await;
    activate(&new, &key).await.unwrap();
    world.go_away().await;
    let browser = new.sign_in().await;
    let done = browser.post("/settings/licence/deactivate", &[]).await;
    assert!(
        done.flash().contains("the vendor did not answer"),
        "{}",
        done.flash()
    );
    assert!(!status(&new).is_activated());
}

#[tokio::test]
async fn parts_of_a_machine_may_change_one_after_the_other() {
    let world = World::start().await;
    let (id, key) = world.issue(terms(None, None)).await;
    let part = |system: u8, card: u8| Hardware {
        system: Some([system; 16].into()),
        board: Some([9; 16].into()),
        cards: vec![[card; 16].into()],
    };
    for hardware in [part(1, 1), part(2, 1), part(2, 2)] {
        let test = world.appliance(hardware.clone()).await;
        activate(&test, &key).await.unwrap();
        let bound = world.desk.licence(id).unwrap().licence.hardware;
        assert_eq!(bound, Some(hardware));
    }
    let test = world.appliance(part(1, 1)).await;
    assert!(activate(&test, &key).await.is_err(), "two parts at once");
}

#[tokio::test]
async fn a_mistyped_or_unknown_key_is_named_beside_its_field() {
    let world = World::start().await;
    let test = world.appliance(machine(1)).await;
    let browser = test.sign_in().await;
    for (key, problem) in [
        ("", "A licence key looks like"),
        ("PROX-22222-22222-22222-2222", "A licence key looks like"),
        (
            "PROX-22222-22222-22222-22222",
            "The vendor does not know this key",
        ),
    ] {
        let refused = browser
            .post("/settings/licence/activate", &[("key", key)])
            .await;
        refused.shows(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
    test.operator("vera", Role::Viewer).await;
    let viewer = test.sign_in_as("vera").await;
    let page = viewer.get(HERE).await;
    assert!(!page.body.contains("action=\"/settings/licence"));
    for path in ["activate", "register", "deactivate", "ask"] {
        let refused = viewer.post(&format!("{HERE}/{path}"), &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn without_a_vendor_nothing_is_asked_and_nothing_limited() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get(HERE).await;
    page.shows(OK, &["No licence is needed."]);
    assert!(!page.body.contains("Licence key"));
    assert_eq!(beat(&test).await, Beat::NoVendor);
    assert!(
        rows::get(&test.app.store.view().unwrap())
            .unwrap()
            .is_none()
    );
    let refused = browser
        .post("/settings/licence/activate", &[("key", "x")])
        .await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["No vendor is configured"],
    );
    move_to(&test.app.clock, 9_999 * DAY);
    assert!(test.app.licence().allows_changes());
    assert!(test.app.licence().allows_subscribers(u64::MAX));
}
