//! Pools as verbs, what is set aside, and who had an address at a time.

use super::*;
use crate::domain::nas::Network;
use crate::domain::plan::{AddressSource, Plan};
use crate::domain::pool::{Pool, PoolKind, Prefixes};
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::time::{HOUR, MINUTE};
use crate::operations::addresses::{Held, holders, statics};
use crate::operations::search::{Hit, find};
use crate::operations::subscribers::Draft;
use crate::store::pools as rows;

fn prefixes(name: &str, network: &str, length: u8) -> Pool {
    let network = Network::parse(network).unwrap();
    Pool {
        kind: PoolKind::Delegated(Prefixes::new(network, length).unwrap()),
        ..pool(name, "10.0.0.1")
    }
}

#[test]
fn pools_are_created_changed_and_deleted_with_their_audit_entries() {
    let it = TestApp::new();
    let app = &it.app;
    let id = it.add_pool(pool("Homes", "10.0.0.1-10.0.0.9"));
    let object = Object::Pool(id);
    assert_eq!(
        changes(&noted(&it, object)),
        [("addresses", "", "10.0.0.1-10.0.0.9")]
    );
    let wider = Pool {
        sticky: true,
        notes: "n".into(),
        ..pool("Houses", "10.0.0.1-10.0.0.20")
    };
    run(pools::update(app, &actor(), id, wider.clone())).unwrap();
    assert_eq!(
        changes(&noted(&it, object)),
        [
            ("name", "Homes", "Houses"),
            ("addresses", "10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.20"),
            ("same address again", "false", "true"),
            ("notes", "", "n"),
        ]
    );
    let before = entries(&it);
    run(pools::update(app, &actor(), id, wider)).unwrap();
    assert_eq!(entries(&it), before, "nothing was changed");
    assert!(app.addresses().pool("Houses").is_some() && app.addresses().pool("Homes").is_none());
    run(pools::remove(app, &actor(), id)).unwrap();
    assert_eq!(noted(&it, object).action, "deleted");
    assert!(app.addresses().pool("Houses").is_none());
    for result in [
        run(pools::remove(app, &actor(), id)),
        run(pools::update(app, &actor(), id, pool("x", "10.0.0.1"))),
    ] {
        assert!(matches!(result, Err(Error::Missing("pool"))));
    }
}

#[test]
fn pools_do_not_share_names_or_addresses() {
    let it = TestApp::new();
    let app = &it.app;
    let id = it.add_pool(pool("Homes", "10.0.0.1-10.0.0.9, 10.0.2.0/24"));
    it.add_pool(prefixes("v6", "2001:db8::/48", 56));
    let before = entries(&it);
    for (other, field) in [
        (pool("HOMES", "10.0.1.1"), "name"),
        (pool("x", "10.0.0.9"), "ranges"),
        (pool("x", "10.0.1.0/24, 10.0.2.200-10.0.3.3"), "ranges"),
        (prefixes("x", "2001:db8:0:ff00::/56", 64), "network"),
        (prefixes("x", "2001:db8::/44", 56), "network"),
    ] {
        let refused = run(pools::create(app, &actor(), other.clone()));
        assert_eq!(refused_field(refused), field, "{}", other.kind);
    }
    assert_eq!(entries(&it), before);
    // Its own name and addresses are no conflict; those of the other are.
    let grown = pool("homes", "10.0.0.1-10.0.0.20");
    run(pools::update(app, &actor(), id, grown)).unwrap();
    let refused = run(pools::update(app, &actor(), id, pool("V6", "10.0.0.1")));
    assert_eq!(refused_field(refused), "name");
}

#[test]
fn there_is_an_end_to_pools_and_their_addresses() {
    let it = TestApp::new();
    for n in 0..8 {
        it.add_pool(pool(
            &format!("p{n}"),
            &format!("{}.0.0.1-{}.16.0.0", n + 10, n + 10),
        ));
    }
    let refused = run(pools::create(&it.app, &actor(), pool("one", "9.0.0.1")));
    assert_eq!(refused_field(refused), "ranges");
    let write = it.app.store.write("many", |tx| {
        for n in 8..rows::MOST_POOLS {
            let third = u8::try_from(n % 256).unwrap();
            let second = u8::try_from(n / 256).unwrap();
            let only = pool(&format!("p{n}"), &format!("9.{second}.{third}.1"));
            let id = rows::next_id(tx)?;
            rows::put(tx, &Pool { id, ..only })?;
        }
        rows::remove(tx, crate::domain::id::PoolId(1))?;
        rows::remove(tx, crate::domain::id::PoolId(2))
    });
    write
        .wait()
        .map_err(|error: StoreError| error.to_string())
        .unwrap();
    for n in 0..2 {
        it.add_pool(pool(&format!("last{n}"), &format!("9.9.9.{}", n + 1)));
    }
    let refused = run(pools::create(&it.app, &actor(), pool("one", "9.9.9.9")));
    assert!(matches!(refused, Err(Error::Refused(text)) if text.contains("500 pools")));
}

#[test]
fn a_pool_that_a_plan_needs_stays_as_it_is_named() {
    let it = TestApp::new();
    let app = &it.app;
    let homes = it.add_pool(pool("homes", "10.0.0.1-10.0.0.9"));
    let v6 = it.add_pool(prefixes("v6", "2001:db8::/48", 56));
    // By this name on the router.
    let plan_id = it.add_plan(plan("Home"));
    let served = Plan {
        address_source: AddressSource::Server,
        delegated_pool: "v6".into(),
        ..plan("Home")
    };
    run(pools::update(
        app,
        &actor(),
        homes,
        pool("houses", "10.0.0.1"),
    ))
    .unwrap();
    run(pools::update(
        app,
        &actor(),
        homes,
        pool("homes", "10.0.0.1"),
    ))
    .unwrap();
    run(plans::update(app, &actor(), plan_id, served)).unwrap();
    for id in [homes, v6] {
        let refused = run(pools::remove(app, &actor(), id));
        assert!(matches!(refused, Err(Error::Refused(text)) if text.contains("Home")));
    }
    let renamed = run(pools::update(
        app,
        &actor(),
        homes,
        pool("houses", "10.0.0.1"),
    ));
    assert_eq!(refused_field(renamed), "name");
    let turned = prefixes("homes", "2001:db9::/48", 56);
    let turned = run(pools::update(app, &actor(), homes, turned));
    assert_eq!(refused_field(turned), "kind");
    run(pools::update(
        app,
        &actor(),
        homes,
        pool("homes", "10.0.0.1-10.0.0.2"),
    ))
    .unwrap();
    run(plans::update(app, &actor(), plan_id, plan("Home"))).unwrap();
    for id in [homes, v6] {
        run(pools::remove(app, &actor(), id)).unwrap();
    }
}

#[test]
fn a_static_prefix_has_one_holder() {
    let it = TestApp::new();
    let app = &it.app;
    let plan = it.add_plan(plan("Home"));
    let with = |name: &str, text: &str| Draft {
        static_prefix: Some(crate::domain::address::parse_prefix(text).unwrap()),
        ..subscriber(name, plan)
    };
    let ali = it.add_subscriber(with("ali", "2001:db8:0:100::/56"));
    for text in [
        "2001:db8:0:100::/56",
        "2001:db8:0:1ff::/64",
        "2001:db8::/48",
    ] {
        let refused = run(subscribers::create(app, &actor(), with("sara", text)));
        assert_eq!(refused_field(refused), "static_prefix", "{text}");
    }
    let sara = it.add_subscriber(with("sara", "2001:db8:0:200::/56"));
    let wider = with("ali", "2001:db8::/55");
    run(subscribers::update(app, &actor(), ali, wider)).unwrap();
    let entry = noted(&it, Object::Subscriber(ali));
    let fields = changes(&entry);
    assert!(fields.contains(&("static prefix", "2001:db8:0:100::/56", "2001:db8::/55")));
    let refused = run(subscribers::update(
        app,
        &actor(),
        sara,
        with("sara", "2001:db8:0:100::/56"),
    ));
    assert_eq!(refused_field(refused), "static_prefix");
    let (page, total) = statics(app, 1, 1).unwrap();
    assert_eq!((page.len(), total), (1, 2));
    assert_eq!((page[0].subscriber, page[0].network.prefix()), (sara, 56));
}

/// A session of `name` with 10.0.0.5 and 2001:db8:0:100::/56 from ten minutes before `NOW` plus `from` hours.
fn session(it: &TestApp, name: &str, subscriber: SubscriberId, kind: RecordKind, at: i64) {
    it.clock.move_to(NOW.plus(at));
    let base = interim(&it.app, name, subscriber, NasId(1), LOCALHOST);
    it.account(Record {
        kind,
        place: Place {
            address: Some(Ipv4Addr::new(10, 0, 0, 5)),
            delegated_prefix: Some(("2001:db8:0:100::".parse().unwrap(), 56)),
            ..base.place.clone()
        },
        ..base
    });
}

#[test]
fn who_had_an_address_is_known_to_the_second() {
    let it = TestApp::new();
    it.add_nas(router("localhost", "127.0.0.1"));
    let plan = it.add_plan(plan("Home"));
    let [ali, sara, omar] =
        ["ali", "sara", "omar"].map(|name| it.add_subscriber(subscriber(name, plan)));
    let stop = RecordKind::Stop { cause: 1 };
    // Each began ten minutes before its record.
    session(&it, "ali", ali, stop, HOUR);
    session(&it, "sara", sara, stop, 2 * HOUR);
    assert!(it.app.accounting.fold());
    session(&it, "omar", omar, stop, 3 * HOUR);
    session(&it, "ali-2", ali, RecordKind::Interim, 4 * HOUR);
    let ask = |text: &str, at: i64| {
        holders(&it.app, Network::parse(text).unwrap(), NOW.plus(at)).unwrap()
    };
    let names = |held: &Held| {
        let name = |s: &Option<crate::domain::session::Session>| {
            s.as_ref().map(|s| s.username.clone()).unwrap_or_default()
        };
        let holders: Vec<String> = held.holders.iter().map(|s| s.username.clone()).collect();
        (holders.join(" "), name(&held.before), name(&held.after))
    };
    let begin = -10 * MINUTE;
    for text in [
        "10.0.0.5",
        "10.0.0.0/24",
        "2001:db8:0:100::/56",
        "2001:db8:0:1ab::7",
    ] {
        for (at, holder, before, after) in [
            (HOUR + begin - 1, "", "", "ali"),
            (HOUR + begin, "ali", "", "sara"),
            (HOUR, "ali", "", "sara"),
            (HOUR + 1, "", "ali", "sara"),
            (2 * HOUR, "sara", "ali", "omar"),
            (3 * HOUR, "omar", "sara", "ali-2"),
            (4 * HOUR + begin - 1, "", "omar", "ali-2"),
            (4 * HOUR + begin, "ali-2", "omar", ""),
            (99 * HOUR, "ali-2", "omar", ""),
        ] {
            let held = ask(text, at);
            let wanted = (holder.to_owned(), before.to_owned(), after.to_owned());
            assert_eq!(names(&held), wanted, "{text} {at}");
            assert!(!held.is_cut);
        }
    }
    for text in ["10.0.0.6", "2001:db8:0:200::/56", "::1"] {
        let held = ask(text, 2 * HOUR);
        assert_eq!(names(&held), Default::default(), "{text}");
    }
    // All of them in the tables say the same.
    assert!(it.app.accounting.fold());
    assert_eq!(names(&ask("10.0.0.5", 3 * HOUR)).0, "omar");
    it.app.close();
}

#[test]
fn a_past_address_is_found_by_the_search_box() {
    let it = TestApp::new();
    it.add_nas(router("localhost", "127.0.0.1"));
    let plan = it.add_plan(plan("Home"));
    let [ali, sara] = ["ali", "sara"].map(|name| it.add_subscriber(subscriber(name, plan)));
    let stop = RecordKind::Stop { cause: 1 };
    session(&it, "ali", ali, stop, HOUR);
    session(&it, "sara", sara, stop, 2 * HOUR);
    session(&it, "ali-2", ali, stop, 3 * HOUR);
    assert!(it.app.accounting.fold());
    let found = |text: &str| {
        let hits = find(&it.app, text, 9).unwrap();
        let name = |hit: &Hit| match hit {
            Hit::Subscriber(s) => s.username.as_str().to_owned(),
            _ => String::new(),
        };
        hits.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(found("10.0.0.5"), ["ali", "sara"]);
    assert_eq!(found(" 2001:db8:0:177::1 "), ["ali", "sara"]);
    assert!(found("10.0.0.6").is_empty());
    run(subscribers::remove(&it.app, &actor(), ali)).unwrap();
    assert_eq!(found("10.0.0.5"), ["sara"], "the deleted one is no hit");
    it.app.close();
}
