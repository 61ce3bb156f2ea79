//! What lists come to: how rows are read, what is refused, and that an import is all there, or not, or taken back.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::domain::audit::Object;
use crate::domain::id::{OperatorId, PlanId};
use crate::domain::mac::Mac;
use crate::domain::subscriber::{MacMode, Status, Subscriber};
use crate::domain::time::{DAY, Day};
use crate::operations::testing::*;
use crate::store::outbox::{Lane, Work};
use crate::store::{audit, subscribers as stored};

/// Everything that a list can say of one.
const WHOLE: &str = "\
username,password,plan,first_name,last_name,phone,email,city,address,notes,balance,status,expires_at,created_at,mac,static_ip,max_sessions,nas,id
ali,p a,home,Ali,Hassan,٠٧٧١,ali@example.net,Basra,Market 1,VIP,-5000,active,2026-12-31,2024-01-02,02-00-00-00-00-01 0200.0000.0002,10.0.0.9,3,Tower,17
";

fn here() -> (TestApp, PlanId) {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    (it, plan)
}

fn list(text: &str) -> (Vec<u8>, Choices) {
    let octets = text.as_bytes().to_vec();
    let choices = first_choices(&octets).unwrap();
    (octets, choices)
}

fn looked(it: &TestApp, text: &str) -> Look {
    let (octets, choices) = list(text);
    look(&it.app, &octets, &choices).unwrap()
}

fn applied(it: &TestApp, text: &str) -> Result<Done, Error> {
    let (octets, choices) = list(text);
    apply(&it.app, &actor(), "list.csv", &octets, &choices)
}

fn named(it: &TestApp, name: &str) -> Option<Subscriber> {
    let view = it.app.store.view().unwrap();
    let id = stored::named(&view, name).unwrap()?;
    Some(stored::get(&view, id).unwrap().unwrap().subscriber)
}

fn password_of(it: &TestApp, name: &str) -> String {
    let id = named(it, name).unwrap().id;
    let shown = run(subscribers::reveal_password(&it.app, &actor(), id)).unwrap();
    shown.expose().clone()
}

/// The problems of the only row that has any.
fn texts(it: &TestApp, text: &str) -> Vec<String> {
    let mut look = looked(it, text);
    assert_eq!(look.bad, 1, "{look:?}");
    look.problems.remove(0).texts
}

fn count(it: &TestApp) -> u64 {
    stored::count(&it.app.store.view().unwrap()).unwrap()
}

#[test]
fn a_row_becomes_a_subscriber_with_everything_that_it_says() {
    let (it, home) = here();
    let tower = it.add_nas(router("Tower", "192.0.2.1"));
    let done = applied(&it, WHOLE).unwrap();
    assert_eq!((done.added, done.left_out), (1, 0));
    let ali = named(&it, "ALI").unwrap();
    let calendar = it.app.settings().calendar.clone();
    let day = |text| Day::parse(text).unwrap();
    assert_eq!(
        ali,
        Subscriber {
            full_name: "Ali Hassan".into(),
            phone: "0771".into(),
            email: "ali@example.net".into(),
            address: "Basra, Market 1".into(),
            notes: "VIP\nbalance: -5000".into(),
            expires_at: Some(calendar.end_of(day("2026-12-31"))),
            mac_mode: MacMode::Fixed,
            macs: vec![Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2])],
            static_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
            max_sessions: Some(3),
            only_nas: Some(tower),
            ..Subscriber::new(
                ali.id,
                ali.username.clone(),
                home,
                calendar.starts(day("2024-01-02"))
            )
        }
    );
    assert_eq!(password_of(&it, "ali"), "p a");
    let view = it.app.store.view().unwrap();
    let noted = audit::of(&view, Object::Subscriber(ali.id), 9).unwrap();
    assert_eq!(noted.last().unwrap().action, "imported");
    let whole = audit::of(&view, Object::Settings, 1).unwrap().remove(0);
    assert_eq!(
        (whole.action.as_str(), whole.object_name.as_str()),
        ("imported", "import 1")
    );
    assert!(!format!("{noted:?}{whole:?}").contains("p a"), "no secret");
}

#[test]
fn a_look_says_what_would_come_of_it_and_changes_nothing() {
    let (it, home) = here();
    it.add_subscriber(subscriber("old", home));
    let text = "\
login;pass;profile;name;status;expiry;mystery
ali;secret-one;home;Ali;1;2026-12-31;s3cret-X
omar;;Gold;;0;;s3cret-X
sara;;gold;;expired;;pin-7
nour;x;;;;2020-01-01;
old;x;Home;;;;
bad name;x;home;;;30/02/2026;
";
    let (octets, mut choices) = list(text);
    choices.plan = Some(home);
    let look = look(&it.app, &octets, &choices).unwrap();
    assert_eq!(look.refusal, "");
    assert_eq!((look.rows, look.ready, look.known, look.bad), (6, 4, 1, 1));
    assert_eq!(
        (look.made_passwords, look.expired, look.suspended),
        (2, 2, 1)
    );
    assert!(look.lacks_plan && look.has_short_dates && !look.asks_order);
    let plans: Vec<_> = look
        .plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.here, plan.count))
        .collect();
    assert_eq!(plans, [("Gold", None, 2), ("Home", Some(home), 2)]);
    let problem = &look.problems[0];
    assert_eq!((problem.line, problem.user_name.as_str()), (7, "bad name"));
    assert_eq!(
        problem.texts,
        [
            "User name: No spaces or control characters",
            "Expires: The calendar has no such day"
        ]
    );
    let column = |place: usize| {
        let column = &look.columns[place];
        (column.becomes, column.samples.clone())
    };
    assert_eq!(column(0).1, ["ali", "omar", "sara"]);
    assert_eq!(column(1), (Some(Column::Password), vec![]));
    assert_eq!(column(6), (None, vec!["x0xxxx-x".into(), "xxx-0".into()]));
    let states: Vec<_> = look.first.iter().map(|first| first.state).collect();
    assert_eq!(states, ["Active", "Suspended", "Expired", "Expired"]);
    assert_eq!(look.first[0].expires, "2026-12-31");
    assert_eq!(look.first[1].plan, "Gold");
    let shown = format!("{look:?}");
    for secret in ["secret-one", "s3cret", "pin-7"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert_eq!(count(&it), 1);
    assert_eq!(it.app.plans().len(), 1);
}

#[test]
fn rows_with_problems_hold_everything_up_until_they_are_left_out() {
    let (it, home) = here();
    it.add_subscriber(subscriber("old", home));
    let text = "user,plan\nali,home\nold,home\nomar,home\nomar,home\n";
    let (octets, mut choices) = list(text);
    let refused = apply(&it.app, &actor(), "f", &octets, &choices).unwrap_err();
    let expected = "1 row has a problem. Correct the file, or leave such rows out";
    assert_eq!(refused.to_string(), expected);
    assert_eq!(count(&it), 1);
    choices.leaves_out = true;
    let done = apply(&it.app, &actor(), "f", &octets, &choices).unwrap();
    assert_eq!((done.import, done.added, done.left_out), (1, 2, 2));
    assert_eq!(count(&it), 3);
    // The same list once more: everybody is here.
    let again = apply(&it.app, &actor(), "f", &octets, &choices).unwrap_err();
    assert_eq!(again.to_string(), "All of them are here already.");
}

#[test]
fn every_value_is_held_against_its_bounds_and_the_others() {
    let (it, home) = here();
    let mut holder = subscriber("holder", home);
    holder.static_address = Some(Ipv4Addr::new(10, 0, 0, 1));
    it.add_subscriber(holder);
    for (heading, value, text) in [
        (
            "password",
            &*"x".repeat(129),
            "Password: At most 128 octets",
        ),
        ("email", "nobody", "E-mail: An address such as"),
        ("phone", "9.64771E+11", "Phone: a spreadsheet shortened"),
        ("mac", "02:00", "MAC addresses: 02:00 is not a MAC address"),
        (
            "static_ip",
            "10.0.0.1",
            "Static address: holder has this address",
        ),
        ("static_ip", "pool1", "Static address: "),
        ("max_sessions", "101", "Sessions at once: A whole number"),
        ("nas", "Nowhere", "Only this NAS: no NAS has this name"),
        ("status", "perhaps", "State: Not a state"),
        ("expires_at", "tomorrow", "Expires: A date such as"),
        ("created_at", "2024-02-30", "Customer since: The calendar"),
        ("full_name", &*"x".repeat(121), "Full name: At most 120"),
        ("notes", &*"x".repeat(4_001), "Notes: At most 4000"),
        ("address", &*"x".repeat(251), "Address: At most 250"),
    ] {
        let list = format!("user,plan,{heading}\nali,home,{value}\n");
        let texts = texts(&it, &list);
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with(text), "{texts:?}");
    }
    for (list, text) in [
        ("user,plan\n1E+5,home", "User name: a spreadsheet"),
        ("user,plan\n,home", "User name: A user name is needed"),
        ("user,plan\nali,", "Plan: the list names none"),
        (
            "user,plan,status,expires\nali,home,expired,2030-01-01",
            "State: expired, and yet",
        ),
        ("user,plan\nali,home,rest", "The row has more values"),
        (
            "user,plan\nali,home\nALI,home",
            "User name: it stands on line 2, too",
        ),
        (
            "user,plan,ip\nali,home,10.0.0.7\nomar,home,10.0.0.7",
            "Static address: it stands on line 2, too",
        ),
    ] {
        let texts = texts(&it, list);
        assert!(texts[0].starts_with(text), "{texts:?}");
    }
}

#[test]
fn what_databases_write_for_nothing_is_nothing() {
    let (it, _) = here();
    let text = "user,password,plan,phone,expires,status,mac\n\
        ali,NULL,home,\\N,0000-00-00 00:00:00,NULL,\n\
        omar,x,home,,never,,\n";
    assert_eq!(applied(&it, text).unwrap().added, 2);
    let ali = named(&it, "ali").unwrap();
    assert_eq!((ali.phone.as_str(), ali.expires_at), ("", None));
    assert_eq!((ali.status, ali.mac_mode), (Status::Enabled, MacMode::Off));
    let made = password_of(&it, "ali");
    assert_eq!(made.len(), 11, "{made} can be typed into a box");
    assert_ne!(made, password_of(&it, "omar"));
    assert_eq!(named(&it, "omar").unwrap().expires_at, None);
}

#[test]
fn states_hold_from_the_first_login_on() {
    let (it, _) = here();
    let text = "user,plan,status,expires\nali,home,disabled,2030-01-01\nomar,home,expired,\n\
        sara,home,expired,2020-05-05\n";
    applied(&it, text).unwrap();
    assert!(named(&it, "ali").unwrap().is_suspended());
    assert_eq!(named(&it, "omar").unwrap().expires_at, Some(NOW));
    let past = named(&it, "sara").unwrap().expires_at.unwrap();
    assert!(past < NOW.plus(-300 * DAY));
}

#[test]
fn plans_that_only_the_list_has_are_made_or_mean_another() {
    let (it, home) = here();
    let text = "user,plan\nali,Gold\nomar,GOLD\nsara,Silver\n";
    let (octets, mut choices) = list(text);
    choices.new_rate = Rate::new(3_000, 30_000);
    choices.same_plans = vec![("silver".into(), home)];
    let done = apply(&it.app, &actor(), "f", &octets, &choices).unwrap();
    assert_eq!(done.plans, ["Gold"]);
    let gold = named(&it, "ali").unwrap().plan;
    assert_eq!(named(&it, "omar").unwrap().plan, gold);
    assert_eq!(named(&it, "sara").unwrap().plan, home);
    let plan = it.app.plan(gold).unwrap();
    assert_eq!((plan.name.as_str(), plan.price.minor), ("Gold", 0));
    assert_eq!(plan.rate, Rate::new(3_000, 30_000));
    assert!(plan.notes.starts_with("Made by an import"));
    // Whoever has no plan in the list gets the chosen one.
    let (octets, mut choices) = list("user\nnour\n");
    choices.plan = Some(home);
    apply(&it.app, &actor(), "f", &octets, &choices).unwrap();
    assert_eq!(named(&it, "nour").unwrap().plan, home);
    // What was chosen and deleted since means nothing.
    let gone = PlanId(99);
    choices.plan = Some(gone);
    choices.same_plans = vec![("Lead".into(), gone)];
    let octets = b"user,plan\nzaid,Lead\nhuda,\n";
    choices.columns = vec![Some(Column::UserName), Some(Column::Plan)];
    let look = look(&it.app, octets, &choices).unwrap();
    assert_eq!((look.ready, look.bad, look.plans[0].here), (1, 1, None));
    let many: String = (0..=MOST_NEW_PLANS)
        .map(|n| format!("u{n},Plan {n}\n"))
        .collect();
    let refusal = looked(&it, &format!("user,plan\n{many}")).refusal;
    assert!(refusal.starts_with("More than 100 plans"), "{refusal}");
}

#[test]
fn dates_that_could_be_either_are_asked_for() {
    let (it, _) = here();
    let text = "user,plan,expires\nali,home,03/04/2026\n";
    let look_now = looked(&it, text);
    assert!(look_now.asks_order && look_now.has_short_dates);
    assert!(look_now.refusal.starts_with("Say which way round"));
    assert!(applied(&it, text).is_err());
    let (octets, mut choices) = list(text);
    choices.dates = Some(DateOrder::MonthFirst);
    let chosen = look(&it.app, &octets, &choices).unwrap();
    assert!(!chosen.asks_order && chosen.refusal.is_empty());
    assert_eq!(chosen.first[0].expires, "2026-03-04");
    // Another row shows it.
    let shown = looked(
        &it,
        "user,plan,expires\nali,home,03/04/2026\nomar,home,04/13/2026\n",
    );
    assert!(!shown.asks_order && shown.has_short_dates);
    assert_eq!(shown.first[0].expires, "2026-03-04");
    let plain = looked(&it, "user,plan,expires\nali,home,2026-03-04\n");
    assert!(!plain.asks_order && !plain.has_short_dates);
}

#[test]
fn a_list_must_say_who_and_each_thing_once() {
    let (it, _) = here();
    let (octets, mut choices) = list("user,plan,b\nali,home,x\n");
    choices.columns[0] = None;
    let refusal = look(&it.app, &octets, &choices).unwrap().refusal;
    assert_eq!(refusal, "Say which column holds the user names.");
    choices.columns = vec![
        Some(Column::UserName),
        Some(Column::Plan),
        Some(Column::Plan),
    ];
    let refusal = look(&it.app, &octets, &choices).unwrap().refusal;
    assert_eq!(refusal, "Two columns become: Plan.");
    // A guess takes the first of two.
    let (_, choices) = list("login,username,name,customer\na,b,c,d\n");
    let full = Some(Column::FullName);
    assert_eq!(choices.columns, [Some(Column::UserName), None, full, full]);
}

#[test]
fn a_list_without_headings_is_read_once_somebody_says_what_is_what() {
    let (it, home) = here();
    let text = "ali,pw-1,0771\nomar,pw-2,0772\n";
    let (octets, mut choices) = list(text);
    assert!(!choices.has_headings);
    let first = look(&it.app, &octets, &choices).unwrap();
    assert_eq!((first.rows, first.ready), (2, 0));
    assert_eq!(first.columns[2].samples, ["0000"]);
    choices.columns = vec![
        Some(Column::UserName),
        Some(Column::Password),
        Some(Column::Notes),
    ];
    choices.plan = Some(home);
    let done = apply(&it.app, &actor(), "f", &octets, &choices).unwrap();
    assert_eq!(done.added, 2);
    assert_eq!(password_of(&it, "ali"), "pw-1");
    assert_eq!(named(&it, "ali").unwrap().notes, "0771");
    let said = choices_as(b"user\nali\n", None, Some(false)).unwrap();
    assert_eq!((said.has_headings, said.columns), (false, vec![None]));
}

#[test]
fn what_became_impossible_since_is_refused_as_a_whole() {
    let (it, home) = here();
    let (octets, choices) = list("user,plan,ip\nali,home,\nomar,home,10.0.0.1\n");
    assert_eq!(look(&it.app, &octets, &choices).unwrap().ready, 2);
    let mut taken = subscriber("other", home);
    taken.static_address = Some(Ipv4Addr::new(10, 0, 0, 1));
    it.add_subscriber(taken);
    let refused = apply(&it.app, &actor(), "f", &octets, &choices).unwrap_err();
    assert!(refused.to_string().starts_with("1 row has a problem"));
    assert!(named(&it, "ali").is_none());
    // Within the transaction, the line is named.
    let error = on("Line 3".into(), Error::field("static_address", "taken"));
    assert_eq!(error.to_string(), "Line 3: taken");
}

#[test]
fn an_import_is_taken_back_with_whom_it_made_and_nobody_else() {
    let (it, home) = here();
    it.add_subscriber(subscriber("old", home));
    let done = applied(
        &it,
        "user,plan\nali,home\nomar,Gold\nsara,home\nnour,home\n",
    )
    .unwrap();
    it.add_subscriber(subscriber("new", home));
    let source = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let nas = it.add_nas(router("Tower", "192.0.2.1"));
    it.go_online("ali", named(&it, "ali").unwrap().id, nas, source);
    let gone = named(&it, "sara").unwrap().id;
    run(subscribers::remove(&it.app, &actor(), gone)).unwrap();
    // A renewal makes somebody a customer of this place.
    let renewed = named(&it, "nour").unwrap();
    let write = it.app.store.write("renew", move |tx| {
        let mut row = stored::get(tx, renewed.id)?.unwrap();
        row.subscriber.renewed_at = NOW.plus(1);
        stored::put(tx, &row)
    });
    write.wait().unwrap();
    let asked = ask_undo(&it.app, done.import).unwrap();
    assert_eq!(
        (asked.here, asked.online, asked.renewed, asked.gone),
        (2, 1, 1, 1)
    );
    assert_eq!(asked.refusal, "");
    assert_eq!(undo(&it.app, &actor(), done.import).unwrap(), 2);
    for (name, is_here) in [
        ("old", true),
        ("new", true),
        ("nour", true),
        ("ali", false),
        ("omar", false),
    ] {
        assert_eq!(named(&it, name).is_some(), is_here, "{name}");
    }
    let plans: Vec<_> = it.app.plans().iter().map(|p| p.name.clone()).collect();
    assert_eq!(plans, ["Home"], "nobody has Gold any more");
    let gone = Work::IndexPlan(PlanId(home.0 + 1));
    assert_eq!(
        waiting(&it, Lane::Search).last(),
        Some(&gone),
        "nor shall the search"
    );
    let again = undo(&it.app, &actor(), done.import).unwrap_err();
    assert_eq!(again.to_string(), "This import was taken back already.");
    let past = past(&it.app).unwrap().remove(0);
    assert!(!past.may_undo && past.row.undone_at.is_some());
    assert!(matches!(
        undo(&it.app, &actor(), 99),
        Err(Error::Missing("import"))
    ));
}

#[test]
fn an_import_can_be_taken_back_for_a_week_and_a_plan_that_is_used_stays() {
    let (it, _) = here();
    let done = applied(&it, "user,plan\nali,Gold\n").unwrap();
    let gold = named(&it, "ali").unwrap().plan;
    it.add_subscriber(subscriber("other", gold));
    it.clock.move_to(NOW.plus(UNDO_DAYS * DAY));
    assert!(!past(&it.app).unwrap()[0].may_undo);
    let refused = undo(&it.app, &actor(), done.import).unwrap_err();
    assert!(refused.to_string().contains("seven days"), "{refused}");
    it.clock.move_to(NOW.plus(UNDO_DAYS * DAY - 1));
    assert!(past(&it.app).unwrap()[0].may_undo);
    undo(&it.app, &actor(), done.import).unwrap();
    assert!(it.app.plan(gold).is_some());
}

#[test]
fn imports_that_are_remembered_are_bounded() {
    let (it, _) = here();
    for number in 0..=imports::MOST_IMPORTS {
        applied(&it, &format!("user,plan\nu{number},home\n")).unwrap();
    }
    let kept = imports::newest(&it.app.store.view().unwrap(), usize::MAX).unwrap();
    assert_eq!(kept.len(), imports::MOST_IMPORTS);
    let past = past(&it.app).unwrap();
    assert_eq!(past.len(), imports::MOST_IMPORTS);
    let newest = u32::try_from(imports::MOST_IMPORTS).unwrap() + 1;
    assert_eq!((past[0].id, past.last().unwrap().id), (newest, 2));
}

#[test]
fn nobody_else_sees_a_file_that_waits() {
    let (it, _) = here();
    let (octets, choices) = list("user\nali\n");
    let (by, other) = (OperatorId(1), OperatorId(2));
    it.app.imports.put(crate::app::WaitingImport {
        by,
        name: "f".into(),
        octets: Arc::new(crate::crypto::Secret::new(octets)),
        choices,
        since: NOW,
    });
    assert!(it.app.imports.of(by, NOW).is_some());
    assert!(it.app.imports.of(other, NOW).is_none());
}
