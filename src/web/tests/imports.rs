//! Lists of subscribers through the panel: brought in, looked at, read otherwise, imported, taken back.

use axum::http::StatusCode;

use super::first_run::state;
use super::isp::{PLAN, SUBSCRIBER, taken, with};
use crate::domain::operator::Role;
use crate::operations::import::LARGEST;
use crate::operations::setup::{Step, StepState};
use crate::store::subscribers;
use crate::web::testing::{Answer, Browser, TestApp};

const OK: StatusCode = StatusCode::OK;
const PATH: &str = "/subscribers/import";
const UPLOAD: &str = "/subscribers/import/upload";
const LOOK: &str = "/subscribers/import/look";
const APPLY: &str = "/subscribers/import/apply";

const LIST: &str =
    "username,password,plan,name,city\nomar,s3cret-1,Home 20,عمر,Basra\nsara,,Gold,,\n";
/// The form of the look as it stands at first.
const AS_READ: [(&str, &str); 8] = [
    ("headings", "yes"),
    ("charset", ""),
    ("column-0", "username"),
    ("column-1", "password"),
    ("column-2", "plan"),
    ("column-3", "full_name"),
    ("column-4", "address"),
    ("download_kbps", "10M"),
];

async fn add_plan(browser: &Browser<'_>) {
    taken(browser, "/plans", &with(&PLAN, &[("on_expiry", "reject")])).await;
}

async fn bring(test: &TestApp, browser: &Browser<'_>, content: &[u8]) -> Answer {
    test.send(browser.file(UPLOAD, &browser.csrf, "list.csv", content))
        .await
}

fn names(test: &TestApp) -> Vec<String> {
    let view = test.app.store.view().unwrap();
    let mut names = Vec::new();
    let first = crate::domain::id::SubscriberId(0);
    subscribers::each(&view, first, |stored| {
        names.push(stored.subscriber.username.as_str().to_owned());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    names
}

#[tokio::test]
async fn a_list_is_looked_at_then_imported_then_taken_back() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    add_plan(&browser).await;
    browser.post("/subscribers", &SUBSCRIBER).await;
    browser
        .get(PATH)
        .await
        .shows(OK, &["At most 20,000 rows and 8 MB"]);
    let list = browser.get("/subscribers").await;
    assert!(list.body.contains("href=\"/subscribers/import\""));

    let brought = bring(&test, &browser, LIST.as_bytes()).await;
    assert_eq!(
        (brought.status, brought.header("location")),
        (StatusCode::SEE_OTHER, LOOK)
    );
    assert_eq!(names(&test), ["ali"]);
    browser
        .get(PATH)
        .await
        .shows(OK, &["list.csv waits for you"]);
    let look = browser.get(LOOK).await;
    look.shows(
        OK,
        &[
            "Nothing is imported yet",
            "Added 2 subscribers",
            "Made 1 password",
            "Gold 1 subscriber A plan that is not here",
            "omar عمر Home 20 Active Never",
            "Import 2 subscribers",
            "As it looks: UTF-8",
        ],
    );
    assert!(!look.body.contains("s3cret-1"), "a password on a page");
    assert!(
        look.body.contains("value=\"10M\""),
        "the speed of new plans"
    );

    let done = browser.post(APPLY, &AS_READ).await;
    assert_eq!(
        done.flash(),
        "2 subscribers are imported. Look at the price and the speed of what was made: Gold."
    );
    assert_eq!(names(&test), ["ali", "omar", "sara"]);
    // The file is gone.
    let again = browser.get(LOOK).await;
    assert_eq!(again.header("location"), PATH);
    assert!(again.flash().starts_with("The file is not here any more"));

    browser
        .get(PATH)
        .await
        .shows(OK, &["list.csv 2 subscribers Gold Imported Take back"]);
    browser.get(&format!("{PATH}/1/undo")).await.shows(
        OK,
        &[
            "2 subscribers of this import are deleted",
            "Plans that it made go, too",
            "Take back import",
        ],
    );
    let undone = browser.post(&format!("{PATH}/1/undo"), &[]).await;
    assert_eq!(
        undone.flash(),
        "The import is taken back: 2 subscribers are deleted."
    );
    assert_eq!(names(&test), ["ali"]);
    let page = browser.get(PATH).await;
    page.shows(OK, &["list.csv 2 subscribers none Taken back"]);
    assert!(!page.body.contains("/undo"));
    let asked = browser.get(&format!("{PATH}/1/undo")).await;
    asked.shows(OK, &["This import was taken back already."]);
    let refused = browser.post(&format!("{PATH}/1/undo"), &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let unknown = browser.get(&format!("{PATH}/9/undo")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_changed_is_looked_at_before_it_is_imported() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    add_plan(&browser).await;
    bring(&test, &browser, LIST.as_bytes()).await;
    let changed = with(
        &AS_READ,
        &[
            ("column-4", "notes"),
            ("list_plan", "Gold"),
            ("same_plan", "1"),
            ("download_kbps", "20M"),
        ],
    );
    let asked = browser.post(APPLY, &changed).await;
    assert_eq!(asked.header("location"), LOOK);
    assert!(asked.flash().starts_with("What you changed is taken over"));
    assert!(names(&test).is_empty());
    let look = browser.get(LOOK).await;
    look.shows(OK, &["Home 20 2 subscribers"]);
    assert!(!look.text().contains("not here: it is made"));
    // Nothing asks for a speed any more; what was chosen stays.
    let same = with(
        &AS_READ,
        &[
            ("column-4", "notes"),
            ("list_plan", "Gold"),
            ("same_plan", "1"),
            ("download_kbps", ""),
        ],
    );
    let done = browser.post(APPLY, &same).await;
    assert_eq!(done.flash(), "2 subscribers are imported.");
    assert_eq!(test.app.plans().len(), 1);
    let view = test.app.store.view().unwrap();
    let omar = subscribers::named(&view, "omar").unwrap().unwrap();
    let omar = subscribers::get(&view, omar).unwrap().unwrap().subscriber;
    assert_eq!((omar.notes.as_str(), omar.plan.0), ("city: Basra", 1));
}

#[tokio::test]
async fn problems_are_shown_with_their_lines_and_can_be_left_out() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    add_plan(&browser).await;
    let mut list = "username,password,plan,name,city\ngood,x,Home 20,,\n".to_owned();
    for number in 0..52 {
        list.push_str(&format!("no {number},x,Home 20,,\n"));
    }
    bring(&test, &browser, list.as_bytes()).await;
    let look = browser.get(LOOK).await;
    look.shows(
        OK,
        &[
            "With a problem 52 rows",
            "3 no 0 User name: No spaces",
            "And 2 more rows.",
            "Leave rows with a problem out",
        ],
    );
    assert!(!look.text().contains("no 50"));
    let refused = browser.post(APPLY, &AS_READ).await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["52 rows have a problem. Correct the file"],
    );
    let done = browser
        .post(APPLY, &with(&AS_READ, &[("leave_out", "on")]))
        .await;
    assert_eq!(done.flash(), "1 subscriber is imported.");
    browser.get(PATH).await.shows(OK, &["52 rows left out"]);
}

#[tokio::test]
async fn how_a_list_is_read_can_be_said() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    add_plan(&browser).await;
    bring(
        &test,
        &browser,
        b"user,name,until,mystery\nali,\xc4,03/04/2026,pin-7\n",
    )
    .await;
    let look = browser.get(LOOK).await;
    look.shows(
        OK,
        &[
            "Say which way round the dates are",
            "As it looks: Windows-1256",
            "03/04/2026 is Choose",
            "Plan of those without one",
            "mystery xxx-0 mystery becomes Left out",
        ],
    );
    assert!(look.body.contains(" disabled>"), "nothing can be imported");
    assert!(!look.body.contains("pin-7"));
    let fields = [
        ("headings", "yes"),
        ("charset", ""),
        ("column-0", "username"),
        ("column-1", "full_name"),
        ("column-2", "expires_at"),
        ("dates", "month"),
        ("plan", "1"),
    ];
    let chosen = browser.post(LOOK, &fields).await;
    assert_eq!(chosen.header("location"), LOOK);
    let look = browser.get(LOOK).await;
    look.shows(OK, &["ali ؤ Home 20 Expired 2026-03-04"]);
    assert!(!look.body.contains(" disabled>"));
    // Other letters: the columns are guessed anew.
    let western = [
        ("headings", "yes"),
        ("charset", "windows-1252"),
        ("plan", "1"),
    ];
    browser.post(LOOK, &western).await;
    let look = browser.get(LOOK).await;
    look.shows(OK, &["ali Ä Home 20"]);
    let impossible = [("headings", "yes"), ("charset", "utf-8")];
    let refused = browser.post(LOOK, &impossible).await;
    refused.shows(
        StatusCode::UNPROCESSABLE_ENTITY,
        &["Line 2 is not written in UTF-8"],
    );
    let wrong = [
        ("headings", "yes"),
        ("charset", "windows-1252"),
        ("upload_kbps", "x"),
    ];
    let refused = browser.post(LOOK, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // No headings: the first line is somebody, too.
    browser
        .post(LOOK, &[("headings", "no"), ("charset", "windows-1252")])
        .await;
    let look = browser.get(LOOK).await;
    look.shows(OK, &["Say which column holds the user names", "Column 4"]);
    let forgotten = browser.post(&format!("{PATH}/forget"), &[]).await;
    assert_eq!(
        forgotten.flash(),
        "The file is forgotten. Nothing was imported."
    );
    let gone = browser.post(LOOK, &fields).await;
    assert_eq!(gone.header("location"), PATH);
    let gone = browser.post(APPLY, &fields).await;
    assert_eq!(gone.header("location"), PATH);
}

#[tokio::test]
async fn what_is_no_list_is_refused_beside_the_file() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (content, text) in [
        (&b""[..], "The file is empty"),
        (b"PK\x03\x04", "This is a workbook"),
        (&vec![b'a'; LARGEST + 1], "Larger than 8 MB"),
    ] {
        let answer = bring(&test, &browser, content).await;
        answer.shows(StatusCode::UNPROCESSABLE_ENTITY, &[text]);
        assert!(answer.body.contains("id=\"file-error\""));
    }
    let huge = vec![b'a'; LARGEST + (128 << 10)];
    let answer = bring(&test, &browser, &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let nameless = browser.file(UPLOAD, &browser.csrf, "", b"user\nali");
    let answer = test.send(nameless).await;
    answer.shows(StatusCode::CONFLICT, &["Choose a file first"]);
    let old = browser.file(UPLOAD, "old", "list.csv", b"user\nali");
    assert_eq!(test.send(old).await.status, StatusCode::FORBIDDEN);
    let waiting = browser.get(LOOK).await;
    assert_eq!(waiting.header("location"), PATH);
}

#[tokio::test]
async fn a_list_is_the_business_of_who_brought_it() {
    let test = TestApp::start().await;
    test.operator("huda", Role::Administrator).await;
    test.operator("vera", Role::Viewer).await;
    let (rania, huda) = (test.sign_in().await, test.sign_in_as("huda").await);
    bring(&test, &rania, LIST.as_bytes()).await;
    assert_eq!(huda.get(LOOK).await.header("location"), PATH);
    assert_eq!(rania.get(LOOK).await.status, OK);
    let vera = test.sign_in_as("vera").await;
    let answer = bring(&test, &vera, LIST.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let list = vera.get("/subscribers").await;
    assert!(!list.body.contains("/subscribers/import"));
}

#[tokio::test]
async fn the_first_run_offers_an_import_and_goes_on_after_it() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    add_plan(&browser).await;
    let step = browser.get("/setup/subscriber").await;
    step.shows(
        OK,
        &["Your subscribers are in another program?", "Import a list"],
    );
    assert!(step.body.contains("href=\"/subscribers/import\""));
    bring(&test, &browser, LIST.as_bytes()).await;
    let done = browser.post(APPLY, &AS_READ).await;
    assert_eq!(done.header("location"), "/setup/login");
    browser.get("/setup/login").await.shows(OK, &["omar"]);
    assert_eq!(state(&test, Step::Subscriber), StepState::Open);
    let step = browser.get("/setup/subscriber").await;
    assert!(!step.body.contains("/subscribers/import"));
    // Later it stays where it is.
    browser.post("/setup/dismiss", &[]).await;
    bring(&test, &browser, b"user,plan\nnour,Home 20\n").await;
    let fields = [
        ("headings", "yes"),
        ("column-0", "username"),
        ("column-1", "plan"),
    ];
    let done = browser.post(APPLY, &fields).await;
    assert_eq!(done.header("location"), PATH);
}
