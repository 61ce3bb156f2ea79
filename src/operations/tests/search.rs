//! The search box over the tables: finds, follows changes, and comes back after the index was lost.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::*;
use crate::domain::mac::Mac;
use crate::domain::subscriber::MacMode;
use crate::domain::text::Username;
use crate::operations::search::{Hit, catch_up, find, keep_up, rebuild};
use crate::operations::subscribers::Draft;

fn found(it: &TestApp, text: &str) -> Vec<String> {
    let name = |hit| match hit {
        Hit::Subscriber(s) => s.username.as_str().to_owned(),
        Hit::Plan(plan) => plan.name,
        Hit::Nas(nas) => nas.name,
    };
    find(&it.app, text, 9)
        .unwrap()
        .into_iter()
        .map(name)
        .collect()
}

fn follow(it: &TestApp) {
    for _ in 0..9 {
        if !catch_up(&it.app).unwrap().more {
            return;
        }
    }
    panic!("it never ends");
}

fn ali(plan: PlanId) -> Draft {
    Draft {
        full_name: "أحمد الحداد".into(),
        phone: "+964 770 123 4567".into(),
        macs: vec![Mac([0x02, 0x10, 0x20, 0x30, 0x40, 0x50])],
        static_address: Some(Ipv4Addr::new(10, 77, 8, 9)),
        ..subscriber("ahmed77", plan)
    }
}

#[test]
fn everything_is_found_by_any_of_its_words() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Family 50"));
    it.add_nas(router("tower-north", "10.55.0.0/24"));
    it.add_subscriber(ali(plan));
    it.add_subscriber(subscriber("sara", plan));
    follow(&it);
    assert!(waiting(&it, Lane::Search).is_empty());
    for (text, name) in [
        ("ahmed77", "ahmed77"),
        ("AHMED77", "ahmed77"),
        ("احمد", "ahmed77"),
        ("7701234567", "ahmed77"),
        ("02:10:20:30:40:50", "ahmed77"),
        ("0210.2030.4050", "ahmed77"),
        ("10.77.8.9", "ahmed77"),
        ("ahmad77", "ahmed77"),
        ("family", "Family 50"),
        ("tower", "tower-north"),
    ] {
        assert_eq!(found(&it, text), [name], "{text}");
    }
    assert!(found(&it, "nobody-at-all").is_empty());
    assert!(found(&it, "  ").is_empty());
}

#[test]
fn what_is_found_follows_changes() {
    let it = TestApp::new();
    let app = &it.app;
    let plan = it.add_plan(plan("Home"));
    let nas = it.add_nas(router("localhost", "127.0.0.1"));
    let id = it.add_subscriber(ali(plan));
    follow(&it);
    let renamed = Draft {
        username: Username::parse("karim").unwrap(),
        password: None,
        full_name: "Karim".into(),
        ..ali(plan)
    };
    run(subscribers::update(app, &actor(), id, renamed)).unwrap();
    follow(&it);
    assert_eq!(found(&it, "karim"), ["karim"]);
    assert!(found(&it, "ahmed77").is_empty());
    // Online under an address of the router's pool, twice.
    for session in ["one", "two"] {
        let mut record = interim(app, "karim", id, nas, LOCALHOST);
        record.acct_session_id = session.into();
        record.place.address = Some(Ipv4Addr::new(100, 64, 3, 4));
        it.account(record);
    }
    assert_eq!(found(&it, "100.64.3.4"), ["karim"]);
    run(subscribers::remove(app, &actor(), id)).unwrap();
    assert!(
        found(&it, "karim").is_empty(),
        "rows are checked before the index has caught up"
    );
    follow(&it);
    assert!(found(&it, "karim").is_empty());
    assert!(app.search().len() == 2);
}

#[test]
fn a_renamed_plan_and_router_are_found_by_their_new_names() {
    let it = TestApp::new();
    let app = &it.app;
    let home = it.add_plan(plan("Home"));
    let tower = it.add_nas(router("tower", "10.55.0.0/24"));
    follow(&it);
    run(plans::update(app, &actor(), home, plan("Family"))).unwrap();
    run(nas::update(
        app,
        &actor(),
        tower,
        router("mast", "10.55.0.0/24"),
    ))
    .unwrap();
    follow(&it);
    for (old, new, name) in [("home", "family", "Family"), ("tower", "mast", "mast")] {
        assert_eq!(found(&it, new), [name]);
        assert!(found(&it, old).is_empty(), "{old}");
    }
}

#[test]
fn a_learned_mac_is_found() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let mut draft = subscriber("ali", plan);
    draft.mac_mode = MacMode::Learn(1);
    let id = it.add_subscriber(draft);
    follow(&it);
    aaa::learn(&it.app, id, Mac([2, 0, 0, 0, 0xaa, 0xbb]));
    until(|| !waiting(&it, Lane::Search).is_empty());
    follow(&it);
    assert_eq!(found(&it, "02:00:00:00:aa:bb"), ["ali"]);
}

#[test]
fn a_lost_index_is_made_anew() {
    let it = TestApp::new();
    assert!(
        it.app.search_is_stale.load(Ordering::Relaxed),
        "a new one is empty"
    );
    let plan = it.add_plan(plan("Home"));
    it.add_subscriber(ali(plan));
    rebuild(&it.app, |_| ControlFlow::Continue(())).unwrap();
    follow(&it);
    let reopen = |it: TestApp, spoil: fn(&std::path::Path)| {
        it.app.close();
        let folder = it.folder;
        drop(it.app);
        spoil(&folder.path().join("search"));
        TestApp::open(folder)
    };
    let it = reopen(it, |_| {});
    assert!(!it.app.search_is_stale.load(Ordering::Relaxed));
    assert_eq!(found(&it, "ahmed77"), ["ahmed77"]);
    for spoil in [
        (|search| std::fs::remove_dir_all(search).unwrap()) as fn(&std::path::Path),
        |search| std::fs::write(search.join("meta.json"), "{").unwrap(),
    ] {
        let it = reopen(bench_with_ali(), spoil);
        assert!(it.app.search_is_stale.load(Ordering::Relaxed));
        assert!(found(&it, "ahmed77").is_empty());
        assert_eq!(rebuild(&it.app, |_| ControlFlow::Continue(())).unwrap(), 2);
        assert_eq!(found(&it, "ahmed77"), ["ahmed77"]);
        let it = reopen(it, |_| {});
        assert!(!it.app.search_is_stale.load(Ordering::Relaxed));
    }
}

#[test]
fn an_index_that_vanishes_while_it_is_open_is_made_anew() {
    let it = bench_with_ali();
    let app = &it.app;
    keep_up(app).unwrap();
    std::fs::remove_dir_all(it.folder.path().join("search")).unwrap();
    let plan = app.plans()[0].id;
    let mut sara = ali(plan);
    sara.username = Username::parse("sara55").unwrap();
    sara.static_address = None;
    it.add_subscriber(sara);
    for _ in 0..10 {
        if !keep_up(app).unwrap().more {
            break;
        }
    }
    assert_eq!(found(&it, "sara55"), ["sara55"]);
    assert_eq!(found(&it, "ahmed77"), ["ahmed77"]);
}

fn bench_with_ali() -> TestApp {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    it.add_subscriber(ali(plan));
    follow(&it);
    it
}
