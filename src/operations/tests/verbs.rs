//! Subscribers, plans, NAS devices and sessions.

use super::*;
use crate::domain::audit::HIDDEN;
use crate::domain::mac::Mac;
use crate::domain::nas::{MessageAuthenticator, Network};
use crate::domain::plan::Plan;
use crate::domain::rate::Rate;
use crate::domain::session::Cause;
use crate::domain::subscriber::Status;
use crate::domain::time::{DAY, SECOND};
use crate::operations::online::{OnlineFilter, OnlineSort, online};
use crate::operations::subscribers::Draft;
use crate::store::{nas as nas_rows, statics, subscribers as rows};

fn router_work(it: &TestApp) -> Vec<Work> {
    waiting(it, Lane::Routers)
}

#[test]
fn a_subscriber_lives_from_creation_to_deletion_and_each_step_is_noted() {
    let it = TestApp::new();
    let app = &it.app;
    let plan = it.add_plan(plan("Home"));
    let faster = it.add_plan(Plan {
        rate: Rate::new(5_000, 50_000),
        ..super::plan("Fast")
    });
    let mut draft = subscriber("Ali", plan);
    draft.static_address = Some(Ipv4Addr::new(10, 0, 0, 9));
    let id = it.add_subscriber(draft.clone());
    let object = Object::Subscriber(id);
    let entry = noted(&it, object);
    assert_eq!(
        (entry.action.as_str(), entry.object_name.as_str()),
        ("created", "Ali")
    );
    assert_eq!((entry.at, entry.actor.as_str()), (NOW, "command line"));
    assert_eq!(
        waiting(&it, Lane::Search).last(),
        Some(&Work::IndexSubscriber(id))
    );
    assert!(router_work(&it).is_empty());

    // Nothing changed: nothing is written.
    let unchanged = Draft {
        password: None,
        ..draft.clone()
    };
    let before = entries(&it);
    run(subscribers::update(app, &actor(), id, unchanged.clone())).unwrap();
    assert_eq!(entries(&it), before);

    let changed = Draft {
        password: secret("pass-2"),
        plan: faster,
        full_name: "Ali Hassan".into(),
        macs: vec![Mac([1; 6])],
        ..draft.clone()
    };
    run(subscribers::update(app, &actor(), id, changed)).unwrap();
    let entry = noted(&it, object);
    assert_eq!(entry.action, "plan changed");
    let words = changes(&entry);
    assert!(words.contains(&("plan", "Home", "Fast")));
    assert!(words.contains(&("full name", "", "Ali Hassan")));
    assert!(words.contains(&("password", HIDDEN, HIDDEN)));
    assert_eq!(words.len(), 4, "{words:?}");
    assert!(
        !format!("{entry:?}").contains("pass-"),
        "no secret is in the audit log"
    );
    assert_eq!(router_work(&it), [Work::PushSubscriber(id)]);

    let shown = run(subscribers::reveal_password(app, &actor(), id)).unwrap();
    assert_eq!(shown.expose(), "pass-2");
    assert_eq!(noted(&it, object).action, "password shown");

    run(subscribers::forget_macs(app, &actor(), id)).unwrap();
    assert_eq!(
        changes(&noted(&it, object)),
        [("MAC addresses", "01:01:01:01:01:01", "")]
    );
    let before = entries(&it);
    run(subscribers::forget_macs(app, &actor(), id)).unwrap();
    assert_eq!(entries(&it), before, "there was none left");

    run(subscribers::suspend(app, &actor(), id, "unpaid".into())).unwrap();
    let words = noted(&it, object);
    assert_eq!(
        changes(&words),
        [("state", "enabled", "suspended"), ("reason", "", "unpaid")]
    );
    assert_eq!(
        router_work(&it).last(),
        Some(&Work::DisconnectSubscriber(id))
    );
    let before = entries(&it);
    run(subscribers::suspend(app, &actor(), id, "again".into())).unwrap();
    assert_eq!(entries(&it), before);
    let stored = rows::get(&app.store.view().unwrap(), id).unwrap().unwrap();
    let unpaid = Status::Suspended {
        since: NOW,
        reason: "unpaid".into(),
    };
    assert_eq!(stored.subscriber.status, unpaid);
    run(subscribers::enable(app, &actor(), id)).unwrap();
    assert_eq!(noted(&it, object).action, "enabled");

    run(subscribers::remove(app, &actor(), id)).unwrap();
    assert_eq!(noted(&it, object).action, "deleted");
    assert_eq!(router_work(&it).len(), 3);
    assert_eq!(
        router_work(&it).last(),
        Some(&Work::DisconnectSubscriber(id))
    );
    // Name and address are free again; the id is not.
    let next = it.add_subscriber(draft);
    assert_ne!(next, id);
    for gone in [
        run(subscribers::update(app, &actor(), id, unchanged)),
        run(subscribers::enable(app, &actor(), id)),
        run(subscribers::forget_macs(app, &actor(), id)),
        run(subscribers::remove(app, &actor(), id)),
    ] {
        assert!(matches!(gone, Err(Error::Missing("subscriber"))));
    }
}

#[test]
fn what_only_the_store_can_tell_is_said_beside_its_field() {
    let it = TestApp::new();
    let app = &it.app;
    let plan = it.add_plan(plan("Home"));
    let mut ali = subscriber("ali", plan);
    ali.static_address = Some(Ipv4Addr::new(10, 0, 0, 9));
    let ali_id = it.add_subscriber(ali.clone());
    let free = subscriber("sara", plan);
    let sara = it.add_subscriber(free.clone());
    let before = entries(&it);
    type Change = fn(&mut Draft);
    let cases: [(&str, Change); 4] = [
        ("user_name", |d| {
            d.username = crate::domain::text::Username::parse("ALI").unwrap()
        }),
        ("plan", |d| d.plan = PlanId(99)),
        ("only_nas", |d| d.only_nas = Some(NasId(99))),
        ("static_address", |d| {
            d.static_address = Some(Ipv4Addr::new(10, 0, 0, 9))
        }),
    ];
    for (field, change) in cases {
        let mut draft = free.clone();
        change(&mut draft);
        assert_eq!(
            refused_field(run(subscribers::update(app, &actor(), sara, draft.clone()))),
            field
        );
        if field != "user_name" {
            draft.username = crate::domain::text::Username::parse("third").unwrap();
        }
        assert_eq!(
            refused_field(run(subscribers::create(app, &actor(), draft))),
            field
        );
    }
    let no_password = Draft {
        password: None,
        ..subscriber("fourth", plan)
    };
    assert_eq!(
        refused_field(run(subscribers::create(app, &actor(), no_password))),
        "password"
    );
    assert_eq!(entries(&it), before, "what is refused changes nothing");
    // One's own name and address are no conflict; an address that was given up is free.
    ali.full_name = "Ali".into();
    run(subscribers::update(app, &actor(), ali_id, ali.clone())).unwrap();
    ali.static_address = None;
    run(subscribers::update(app, &actor(), ali_id, ali)).unwrap();
    let taken = Draft {
        static_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
        ..free
    };
    run(subscribers::update(app, &actor(), sara, taken)).unwrap();
    let view = app.store.view().unwrap();
    let holder = statics::address_holder(&view, Ipv4Addr::new(10, 0, 0, 9));
    assert_eq!(holder.unwrap(), Some(sara));
}

#[test]
fn live_sessions_hear_of_what_concerns_them() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let base = subscriber("ali", plan);
    let later = |days: i64| Some(NOW.plus(days * DAY));
    let disconnect = |id| vec![Work::DisconnectSubscriber(id)];
    let push = |id| vec![Work::PushSubscriber(id)];
    type Wanted = fn(SubscriberId) -> Vec<Work>;
    let cases: [(&str, Draft, Draft, Wanted); 7] = [
        (
            "name",
            base.clone(),
            Draft {
                full_name: "x".into(),
                ..base.clone()
            },
            |_| vec![],
        ),
        (
            "speed",
            base.clone(),
            Draft {
                rate_override: Some(Rate::new(64, 64)),
                ..base.clone()
            },
            push,
        ),
        (
            "renewed",
            base.clone(),
            Draft {
                expires_at: later(60),
                ..base.clone()
            },
            push,
        ),
        (
            "ends now",
            base.clone(),
            Draft {
                expires_at: Some(NOW),
                ..base.clone()
            },
            disconnect,
        ),
        (
            "back",
            Draft {
                expires_at: Some(NOW),
                ..base.clone()
            },
            base.clone(),
            push,
        ),
        (
            "for ever",
            Draft {
                expires_at: later(-1),
                ..base.clone()
            },
            Draft {
                expires_at: None,
                ..base.clone()
            },
            push,
        ),
        (
            "suspended",
            base.clone(),
            Draft {
                enabled: false,
                ..base.clone()
            },
            disconnect,
        ),
    ];
    for (name, before, after, wanted) in cases {
        let id = it.add_subscriber(before);
        let known = router_work(&it).len();
        run(subscribers::update(&it.app, &actor(), id, after)).unwrap();
        assert_eq!(router_work(&it).split_off(known), wanted(id), "{name}");
        run(subscribers::remove(&it.app, &actor(), id)).unwrap();
    }
}

#[test]
fn a_plan_keeps_its_name_to_itself_and_stays_while_it_is_used() {
    let it = TestApp::new();
    let app = &it.app;
    let home = it.add_plan(plan("Home"));
    let other = it.add_plan(plan("Other"));
    assert_eq!(
        refused_field(run(plans::create(app, &actor(), plan("HOME")))),
        "name"
    );
    assert_eq!(
        refused_field(run(plans::update(app, &actor(), other, plan("home")))),
        "name"
    );
    let before = entries(&it);
    run(plans::update(app, &actor(), home, plan("Home"))).unwrap();
    assert_eq!(entries(&it), before, "nothing changed");
    let renamed = Plan {
        notes: "n".into(),
        ..plan("Homes")
    };
    run(plans::update(app, &actor(), home, renamed)).unwrap();
    assert_eq!(
        changes(&noted(&it, Object::Plan(home))),
        [("name", "Home", "Homes"), ("notes", "", "n")]
    );
    assert!(router_work(&it).is_empty(), "the speed is the same");
    let slower = Plan {
        rate: Rate::new(1_000, 1_000),
        ..plan("Homes")
    };
    run(plans::update(app, &actor(), home, slower)).unwrap();
    assert_eq!(router_work(&it), [Work::PushPlan(home)]);
    assert_eq!(app.plan(home).unwrap().created_at, NOW);

    let id = it.add_subscriber(subscriber("ali", home));
    let refused = run(plans::remove(app, &actor(), home));
    assert!(matches!(refused, Err(Error::Refused(why)) if why.contains("Homes")));
    run(subscribers::remove(app, &actor(), id)).unwrap();
    run(plans::remove(app, &actor(), home)).unwrap();
    assert!(app.plan(home).is_none());
    assert!(matches!(
        run(plans::remove(app, &actor(), home)),
        Err(Error::Missing("plan"))
    ));
    assert_ne!(it.add_plan(plan("Homes")), home);
}

#[test]
fn a_router_is_known_by_name_and_network_and_its_secret_stays_hidden() {
    let it = TestApp::new();
    let app = &it.app;
    let id = it.add_nas(router("Tower", "10.0.0.0/24"));
    let other = it.add_nas(router("other", "10.0.1.0/24"));
    assert_eq!(
        refused_field(run(nas::create(
            app,
            &actor(),
            router("TOWER", "10.0.2.0/24")
        ))),
        "name"
    );
    assert_eq!(
        refused_field(run(nas::create(
            app,
            &actor(),
            router("third", "10.0.0.0/24")
        ))),
        "address"
    );
    assert_eq!(
        refused_field(run(nas::update(
            app,
            &actor(),
            other,
            router("tower", "10.0.1.0/24")
        ))),
        "name"
    );
    let no_secret = nas::Draft {
        secret: None,
        ..router("third", "10.0.2.0/24")
    };
    assert_eq!(
        refused_field(run(nas::create(app, &actor(), no_secret))),
        "secret"
    );

    let unchanged = nas::Draft {
        secret: None,
        ..router("Tower", "10.0.0.0/24")
    };
    let (before, stored) = (
        entries(&it),
        nas_rows::get(&app.store.view().unwrap(), id).unwrap(),
    );
    run(nas::update(app, &actor(), id, unchanged.clone())).unwrap();
    assert_eq!(entries(&it), before, "nothing changed");
    it.app
        .sightings
        .note("10.9.0.1".parse().unwrap(), None, None, NOW);
    let moved = nas::Draft {
        secret: secret("another-secret"),
        network: Network::parse("10.9.0.0/24").unwrap(),
        message_authenticator: MessageAuthenticator::Required,
        ..unchanged
    };
    run(nas::update(app, &actor(), id, moved)).unwrap();
    let entry = noted(&it, Object::Nas(id));
    assert_eq!(
        changes(&entry),
        [
            ("address", "10.0.0.0/24", "10.9.0.0/24"),
            ("Message-Authenticator", "optional", "required"),
            ("shared secret", HIDDEN, HIDDEN)
        ]
    );
    assert!(!format!("{entry:?}").contains("another-secret"));
    assert!(
        it.app.sightings.list().is_empty(),
        "the stranger is a router of ours now"
    );
    let now = nas_rows::get(&app.store.view().unwrap(), id).unwrap();
    assert_ne!(now.unwrap().sealed_secret, stored.unwrap().sealed_secret);
    run(nas::remove(app, &actor(), id)).unwrap();
    assert!(app.nas_table().find("10.9.0.1".parse().unwrap()).is_none());
    assert_eq!(noted(&it, Object::Nas(id)).action, "deleted");
    assert_ne!(it.add_nas(router("Tower", "10.0.0.0/24")), id);
}

#[test]
fn a_disconnect_is_asked_for_once_the_session_is_there() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let nas = it.add_nas(router("localhost", "127.0.0.1"));
    let ali = it.add_subscriber(subscriber("ali", plan));
    let id = it.go_online("ali", ali, nas, LOCALHOST);
    run(sessions::disconnect(&it.app, &actor(), id)).unwrap();
    assert_eq!(router_work(&it), [Work::Disconnect(id)]);
    assert_eq!(noted(&it, Object::Subscriber(ali)).action, "disconnected");
    it.app.accounting.give_up(id, NOW);
    until(|| it.app.accounting.live().open_count() == 0);
    let again = run(sessions::disconnect(&it.app, &actor(), id));
    assert!(matches!(again, Err(Error::Missing("session"))));
}

#[test]
fn sessions_silent_for_ten_intervals_are_given_up() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let usual = it.add_nas(router("usual", "127.0.0.1"));
    let mut slow = router("slow", "127.0.0.2");
    slow.interim_interval = Some(600);
    let slow = it.add_nas(slow);
    let of = |name, nas| {
        it.go_online(
            name,
            it.add_subscriber(subscriber(name, plan)),
            nas,
            LOCALHOST,
        )
    };
    let (lost, kept) = (of("lost", usual), of("kept", slow));
    let at = |seconds: i64| sessions::give_up_lost(&it.app, NOW.plus(seconds * SECOND));
    assert_eq!(at(660), 0);
    assert_eq!(at(661), 1);
    until(|| it.app.accounting.live().open_count() == 1);
    let live = it.app.accounting.live();
    assert_eq!(
        live.session(lost).unwrap().stopped.unwrap().cause,
        Cause::Lost
    );
    assert_eq!(live.session(kept).unwrap().stopped, None);
}

#[test]
fn online_sessions_are_filtered_and_paged() {
    let it = TestApp::new();
    let (home, fast) = (it.add_plan(plan("Home")), it.add_plan(plan("Fast")));
    let nas = it.add_nas(router("localhost", "127.0.0.1"));
    for (name, plan) in [("ali", home), ("sara", fast), ("salma", fast)] {
        let id = it.add_subscriber(subscriber(name, plan));
        it.go_online(name, id, nas, LOCALHOST);
    }
    let names = |filter: OnlineFilter, skip, limit| {
        let (page, total) = online(&it.app, &filter, skip, limit).unwrap();
        (
            page.into_iter()
                .map(|o| o.session.username)
                .collect::<Vec<_>>(),
            total,
        )
    };
    let all = OnlineFilter {
        sort: OnlineSort::Name,
        ..OnlineFilter::default()
    };
    assert_eq!(names(all.clone(), 0, 9).0, ["ali", "salma", "sara"]);
    assert_eq!(names(all.clone(), 1, 1), (vec!["salma".to_owned()], 3));
    let backwards = OnlineFilter {
        descending: true,
        ..all.clone()
    };
    assert_eq!(names(backwards, 0, 2).0, ["sara", "salma"]);
    let of_plan = OnlineFilter {
        plan: Some(home),
        ..all.clone()
    };
    assert_eq!(names(of_plan, 0, 9), (vec!["ali".to_owned()], 1));
    let with_text = OnlineFilter {
        text: " SA ".into(),
        ..all.clone()
    };
    assert_eq!(names(with_text, 0, 9).1, 2);
    let elsewhere = OnlineFilter {
        nas: Some(NasId(9)),
        ..all
    };
    assert_eq!(names(elsewhere, 0, 9), (vec![], 0));
}
