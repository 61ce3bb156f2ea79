//! Addresses: pools, what is set aside, and who had one.

use axum::http::StatusCode;

use super::isp::{SUBSCRIBER, account, furnish, no_pages, stored, taken, with};
use crate::domain::address::Block;
use crate::domain::id::PlanId;
use crate::domain::operator::Role;
use crate::domain::plan::{AddressSource, Plan};
use crate::domain::session::RecordKind;
use crate::operations::plans;
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

const POOL: [(&str, &str); 4] = [
    ("name", "Homes"),
    ("kind", "v4"),
    ("ranges", "10.64.0.0/24\n10.65.0.1-10.65.0.2"),
    ("sticky", "on"),
];

const PREFIXES: [(&str, &str); 4] = [
    ("name", "v6"),
    ("kind", "delegated"),
    ("network", "2001:db8:100::/40"),
    ("delegated", "56"),
];

#[tokio::test]
async fn a_pool_is_saved_listed_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser.get("/addresses").await.shows(
        OK,
        &[
            "No pools on this side",
            "Who had this address",
            "2027-01-15",
        ],
    );
    let page = browser.get("/addresses/new").await;
    page.shows(OK, &["New pool", "value=\"56\""]);
    assert_eq!(taken(&browser, "/addresses", &POOL).await, "/addresses");
    assert_eq!(taken(&browser, "/addresses", &PREFIXES).await, "/addresses");
    browser.get("/addresses").await.shows(
        OK,
        &[
            "Homes",
            "10.64.0.1-10.64.0.254, 10.65.0.1-10.65.0.2",
            "0 used",
            "of 256",
            "/56 of 2001:db8:100::/40",
            "65,536",
        ],
    );
    let page = browser.get("/addresses/1/edit").await;
    page.shows(
        OK,
        &[
            "10.64.0.1-10.64.0.254\n10.65.0.1-10.65.0.2",
            "/addresses/1/delete",
        ],
    );
    assert!(
        page.body
            .contains("id=\"sticky\" name=\"sticky\" type=\"checkbox\" value=\"on\" checked")
    );
    browser
        .get("/addresses/2/edit")
        .await
        .shows(OK, &["value=\"2001:db8:100::/40\"", "value=\"56\""]);
    let less = with(&POOL, &[("sticky", "-"), ("ranges", "10.64.0.7")]);
    taken(&browser, "/addresses/1/edit", &less).await;
    let pool = test.app.addresses().pool("Homes").unwrap();
    assert_eq!((pool.kind.size(), pool.sticky), (1, false));
    browser
        .get("/audit")
        .await
        .shows(OK, &["Pool Homes", "/addresses/1/edit"]);
    let page = browser.get("/addresses/1/delete").await;
    page.shows(OK, &["Delete Homes", "keep theirs"]);
    assert_eq!(
        taken(&browser, "/addresses/1/delete", &[]).await,
        "/addresses"
    );
    no_pages(&browser, &["/addresses/1/edit", "/addresses/1/delete"]).await;
}

#[tokio::test]
async fn each_wrong_value_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    taken(&browser, "/addresses", &POOL).await;
    taken(&browser, "/addresses", &PREFIXES).await;
    let long = "x".repeat(4_001);
    let v4 = with(&POOL, &[("name", "Other"), ("ranges", "10.66.0.1")]);
    let v6 = with(
        &PREFIXES,
        &[("name", "Other"), ("network", "2001:db9::/40")],
    );
    for (fields, field, value, problem) in [
        (&v4, "name", "", "A name is needed"),
        (&v4, "name", "homes", "Another pool has this name"),
        (&v4, "name", &long[..65], "At most 64 characters"),
        (&v4, "kind", "ipv4", "Choose one of the list"),
        (&v4, "ranges", "", "At least one range"),
        (&v4, "ranges", "10.66.0.9-10.66.0.1", "comes after"),
        (
            &v4,
            "ranges",
            "10.65.0.2",
            "The pool Homes has some of these already",
        ),
        (&v4, "notes", &long, "At most 4000 characters"),
        (&v6, "network", "", "An address or network"),
        (
            &v6,
            "network",
            "10.0.0.0/8",
            "An IPv6 network for subscribers",
        ),
        (
            &v6,
            "network",
            "2001:db8:1ff:ff00::/56",
            "The pool v6 has some of these already",
        ),
        (&v6, "delegated", "0", "A whole number from 1 to 64"),
        (&v6, "delegated", "65", "A whole number from 1 to 64"),
    ] {
        let answer = browser
            .post("/addresses", &with(fields, &[(field, value)]))
            .await;
        answer.shows(WRONG, &[problem, &format!("id=\"{field}-error\"")]);
    }
    let too_many = with(&v6, &[("delegated", "61")]);
    let answer = browser.post("/addresses", &too_many).await;
    answer.shows(WRONG, &["At most 1048576 prefixes", "id=\"network-error\""]);
    let same = with(&POOL, &[("name", "V6")]);
    let answer = browser.post("/addresses/1/edit", &same).await;
    answer.shows(WRONG, &["Another pool has this name", "Edit pool"]);
    assert!(test.app.addresses().pool("Other").is_none());
}

#[tokio::test]
async fn a_pool_that_a_plan_needs_cannot_be_deleted() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    taken(&browser, "/addresses", &POOL).await;
    let plan = Plan {
        address_source: AddressSource::Server,
        pool: "Homes".to_owned(),
        ..Plan::clone(&test.app.plan(PlanId(1)).unwrap())
    };
    let actor = crate::domain::audit::Actor::CommandLine;
    plans::update(&test.app, &actor, PlanId(1), plan)
        .await
        .unwrap();
    browser.get("/addresses").await.shows(OK, &["Home 20"]);
    browser.get("/addresses/1/delete").await.shows(
        OK,
        &["The plan Home 20 takes addresses from it", "disabled"],
    );
    let refused = browser.post("/addresses/1/delete", &[]).await;
    assert!(refused.status.is_client_error());
    assert!(test.app.addresses().pool("Homes").is_some());
}

#[tokio::test]
async fn static_addresses_are_listed_and_noted_where_they_lie_in_a_pool() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    browser
        .get("/addresses/static")
        .await
        .shows(OK, &["No static addresses"]);
    taken(&browser, "/addresses", &POOL).await;
    taken(&browser, "/addresses", &PREFIXES).await;
    let fields = with(
        &SUBSCRIBER,
        &[
            ("static_address", "10.64.0.9"),
            ("static_prefix", "2001:db8:200::/56"),
        ],
    );
    let answer = browser.post("/subscribers/1/edit", &fields).await;
    assert_eq!(
        answer.flash(),
        "ali is saved. The static address is in the pool Homes, which leaves it out."
    );
    let own = stored(&test, 1).unwrap();
    assert_eq!(
        own.static_prefix.map(Block::of_prefix),
        Some(Block::of_prefix(("2001:db8:200::".parse().unwrap(), 56)))
    );
    let page = browser.get("/subscribers/1").await;
    page.shows(
        OK,
        &[
            "in the pool Homes, which leaves it out",
            "2001:db8:200::/56",
        ],
    );
    browser
        .get("/subscribers/1/edit")
        .await
        .shows(OK, &["value=\"2001:db8:200::/56\""]);
    let page = browser.get("/addresses/static").await;
    page.shows(
        OK,
        &[
            "10.64.0.9",
            "ali",
            "Homes",
            "2001:db8:200::/56",
            "1 to 2 of 2",
        ],
    );
    browser
        .get("/addresses")
        .await
        .shows(OK, &["Static addresses: 2", "1 reserved"]);
    let other = with(
        &SUBSCRIBER,
        &[
            ("user_name", "sara"),
            ("static_prefix", "2001:db8:200:1::/64"),
        ],
    );
    let answer = browser.post("/subscribers", &other).await;
    answer.shows(
        WRONG,
        &["ali has some of this prefix", "id=\"static_prefix-error\""],
    );
    for typed in ["2001:db8::1/56", "10.0.0.0/24", "prefix"] {
        let wrong = with(&other, &[("static_prefix", typed)]);
        let answer = browser.post("/subscribers", &wrong).await;
        answer.shows(WRONG, &["id=\"static_prefix-error\""]);
    }
    // Outside of all pools nothing is to be said.
    let outside = with(&SUBSCRIBER, &[("static_address", "10.99.0.9")]);
    let answer = browser.post("/subscribers/1/edit", &outside).await;
    assert_eq!(answer.flash(), "ali is saved.");
}

#[tokio::test]
async fn the_page_says_who_had_an_address() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    furnish(&browser).await;
    // From 06:59:00+60 s to one minute before eight.
    account(
        &test.app,
        "ali",
        Some(1),
        RecordKind::Stop { cause: 1 },
        1_000,
    );
    let ask = |address: &'static str, time: &'static str| {
        let path = format!("/addresses/holder?address={address}&date=2027-01-15&time={time}");
        let browser = &browser;
        async move { browser.get(&path).await }
    };
    let page = ask("10.64.0.7", "07:30").await;
    page.shows(
        OK,
        &[
            "10.64.0.7 at 2027-01-15 07:30",
            "/subscribers/1",
            "07:00:00",
            "07:59:00",
            "02:00:00:00:00:01",
            "Tower North",
            "81-ali",
        ],
    );
    assert!(!page.text().contains("Nobody had it"));
    let page = ask("10.64.0.7", "06:59").await;
    page.shows(OK, &["Nobody had it at that time", "After", "81-ali"]);
    let page = ask("10.64.0.7", "08:30").await;
    page.shows(OK, &["Nobody had it at that time", "Before"]);
    let page = ask("10.64.0.8", "07:30").await;
    page.shows(OK, &["Nor at any other"]);
    account(&test.app, "sara", None, RecordKind::Interim, 1_000);
    let page = ask("10.64.0.0/24", "07:30").await;
    page.shows(OK, &["ali", "sara", "still online"]);
    for (address, time, problem) in [
        ("tower", "07:30", "id=\"address-error\""),
        ("10.64.0.7", "7 pm", "id=\"time-error\""),
    ] {
        let path = crate::web::query::Query::new()
            .with("address", address)
            .with("time", time)
            .with("date", "2027-01-15");
        let page = browser.get(&path.href("/addresses/holder")).await;
        page.shows(OK, &[problem]);
        assert!(!page.text().contains("Nobody had it"));
    }
    let page = browser
        .get("/addresses/holder?address=10.64.0.7&date=tomorrow")
        .await;
    page.shows(OK, &["id=\"date-error\""]);
    // Without a time: now.
    let page = browser.get("/addresses/holder?address=10.64.0.7").await;
    page.shows(OK, &["at 2027-01-15 08:00"]);
    browser
        .get("/addresses/holder")
        .await
        .shows(OK, &["Who had this address"]);
}

#[tokio::test]
async fn a_viewer_sees_pools_and_changes_none() {
    let test = TestApp::start().await;
    taken(&test.sign_in().await, "/addresses", &POOL).await;
    test.operator("omar", Role::Viewer).await;
    let viewer = test.sign_in_as("omar").await;
    let page = viewer.get("/addresses").await;
    page.shows(OK, &["Homes"]);
    assert!(!page.body.contains("New pool"));
    for path in ["/addresses", "/addresses/1/edit", "/addresses/1/delete"] {
        assert_eq!(viewer.post(path, &POOL).await.status, StatusCode::FORBIDDEN);
    }
}
