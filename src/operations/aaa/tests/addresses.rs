//! Addresses out of server-side pools, from the Access-Request to the Stop.

use proptest::prelude::*;

use super::super::address::{Line, choose};
use super::*;
use crate::domain::access::{Accepted, AddressChoice, Entitlement};
use crate::domain::id::SubscriberId;
use crate::domain::mac::Mac;
use crate::domain::nas::Network;
use crate::domain::plan::{AddressSource, Plan};
use crate::domain::pool::{Pool, PoolKind, Prefixes};
use crate::domain::rate::{Rate, RateLimit};
use crate::domain::session::{Place, RecordKind};
use crate::domain::time::SECOND;
use crate::operations::{pools, subscribers};
use crate::store::auth_log;

const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
const OTHER_MAC: Mac = Mac([2, 0, 0, 0, 0, 2]);

/// A plan that takes addresses from the pool `homes` of this side.
fn served() -> Plan {
    Plan {
        address_source: AddressSource::Server,
        ..plan("Home")
    }
}

/// One NAS, the plan, and a pool with these ranges.
fn isp(ranges: &str, sticky: bool) -> TestApp {
    let it = TestApp::new();
    it.add_nas(router("localhost", "127.0.0.1"));
    it.add_pool(Pool {
        sticky,
        ..pool("homes", ranges)
    });
    it.add_plan(served());
    it
}

fn entitled(address: AddressChoice, delegated: &str) -> Accepted {
    Accepted {
        entitlement: Entitlement {
            limit: RateLimit {
                rate: Rate::new(1, 1),
                burst: None,
                priority: 8,
            },
            address,
            address_list: String::new(),
            ipv6_pool: String::new(),
            delegated_pool: delegated.to_owned(),
            delegated_prefix: None,
            router_profile: String::new(),
            extra_reply: Vec::new(),
            session_timeout: None,
            interim_interval: 60,
            is_expired: false,
        },
        replaces: Vec::new(),
        learns: None,
    }
}

fn line(subscriber: u32, mac: Mac) -> Line<'static> {
    Line {
        subscriber: SubscriberId(subscriber),
        nas: NasId(1),
        mac: Some(mac),
        is_alone: false,
        open: &[],
    }
}

/// The last octet of the address that a login gets.
fn ask(it: &TestApp, line: &Line<'_>) -> Result<u8, Reason> {
    let mut accepted = entitled(AddressChoice::Server("homes".to_owned()), "");
    choose(&it.app, line, &mut accepted, it.app.now())?;
    match accepted.entitlement.address {
        AddressChoice::Static(address) => Ok(address.octets()[3]),
        other => panic!("{other:?}"),
    }
}

/// A record of a session with an address `10.0.0.x`.
fn account(it: &TestApp, name: &str, subscriber: u32, kind: RecordKind, last: u8) {
    let source = LOCALHOST;
    let base = interim(&it.app, name, SubscriberId(subscriber), NasId(1), source);
    it.account(crate::domain::session::Record {
        kind,
        place: Place {
            address: Some(Ipv4Addr::new(10, 0, 0, last)),
            ..base.place.clone()
        },
        ..base
    });
}

const STOP: RecordKind = RecordKind::Stop { cause: 1 };

fn later(it: &TestApp, seconds: i64) {
    it.clock.move_to(it.app.now().plus(seconds * SECOND));
}

#[test]
fn a_login_gets_an_address_and_the_stop_frees_it() {
    let bench = bench_of(isp("10.0.0.1-10.0.0.2", false), "127.0.0.1:0");
    for name in ["ali", "sara", "omar"] {
        bench
            .it
            .add_subscriber(subscriber(name, crate::domain::id::PlanId(1)));
    }
    let login = |name: &str| {
        let octets = bench.login(name);
        let reply = Packet::parse(&octets).unwrap();
        assert_eq!(reply.text(number::FRAMED_POOL), None);
        reply.ipv4(number::FRAMED_IP_ADDRESS).map(|a| a.octets()[3])
    };
    assert_eq!((login("ali"), login("sara")), (Some(1), Some(2)));
    assert_eq!(login("omar"), None);
    let attempt: auth_log::Attempt = bench.logged("omar");
    assert_eq!(attempt.reason, Some(Reason::NoAddress));
    account(&bench.it, "ali", 1, RecordKind::Start, 1);
    account(&bench.it, "ali", 1, STOP, 1);
    later(&bench.it, 180);
    account(&bench.it, "sara", 2, RecordKind::Interim, 2);
    assert_eq!((login("omar"), login("ali")), (Some(1), None));
}

#[test]
fn a_plan_whose_pool_is_gone_or_of_another_kind_rejects() {
    let it = isp("10.0.0.1", false);
    let server = |name: &str| entitled(AddressChoice::Server(name.to_owned()), "");
    let prefixes = Prefixes::new(Network::parse("2001:db8::/55").unwrap(), 56).unwrap();
    it.add_pool(Pool {
        kind: PoolKind::Delegated(prefixes),
        ..pool("v6", "10.0.0.9")
    });
    for name in ["", "gone", "HOMES", "v6"] {
        let mut accepted = server(name);
        let chosen = choose(&it.app, &line(1, MAC), &mut accepted, NOW);
        assert_eq!(chosen, Err(Reason::NoAddress), "{name}");
    }
    // What is no matter of this side stays as it is.
    for untouched in [
        entitled(AddressChoice::Router, ""),
        entitled(AddressChoice::Pool("homes".into()), "on the router"),
        entitled(AddressChoice::Pool("homes".into()), "homes"),
        entitled(AddressChoice::Static(Ipv4Addr::new(10, 0, 0, 1)), ""),
    ] {
        let mut accepted = untouched.clone();
        choose(&it.app, &line(1, MAC), &mut accepted, NOW).unwrap();
        assert_eq!(accepted, untouched);
    }
    let delegated = |subscriber, mac| {
        let mut accepted = entitled(AddressChoice::Router, "v6");
        choose(&it.app, &line(subscriber, mac), &mut accepted, NOW)?;
        assert_eq!(accepted.entitlement.delegated_pool, "");
        Ok(accepted.entitlement.delegated_prefix.unwrap())
    };
    let prefix = |text: &str| Ok((text.parse().unwrap(), 56));
    assert_eq!(delegated(1, MAC), prefix("2001:db8::"));
    assert_eq!(delegated(2, OTHER_MAC), prefix("2001:db8:0:100::"));
    assert_eq!(delegated(3, MAC), Err(Reason::NoAddress));
    // A prefix of one's own comes before the pool.
    let mut own = entitled(AddressChoice::Router, "v6");
    own.entitlement.delegated_prefix = Some(("2001:db9::".parse().unwrap(), 56));
    let before = own.clone();
    choose(&it.app, &line(4, MAC), &mut own, NOW).unwrap();
    assert_eq!(own, before);
}

#[test]
fn a_login_without_a_session_holds_its_address_for_three_minutes() {
    let it = isp("10.0.0.1", false);
    assert_eq!(ask(&it, &line(1, MAC)), Ok(1));
    later(&it, 179);
    assert_eq!(ask(&it, &line(2, OTHER_MAC)), Err(Reason::NoAddress));
    later(&it, 1);
    assert_eq!(ask(&it, &line(2, OTHER_MAC)), Ok(1));
    // Asking again renews it.
    later(&it, 100);
    assert_eq!(ask(&it, &line(2, OTHER_MAC)), Ok(1));
    later(&it, 100);
    assert_eq!(ask(&it, &line(1, MAC)), Err(Reason::NoAddress));
}

#[test]
fn only_the_same_line_or_a_single_session_gets_what_waits_for_a_start() {
    let it = isp("10.0.0.1-10.0.0.9", false);
    assert_eq!(ask(&it, &line(1, MAC)), Ok(1));
    assert_eq!(ask(&it, &line(1, MAC)), Ok(1), "the same line dials again");
    assert_eq!(ask(&it, &line(1, OTHER_MAC)), Ok(2), "a second device");
    let elsewhere = Line {
        nas: NasId(2),
        ..line(1, OTHER_MAC)
    };
    assert_eq!(ask(&it, &elsewhere), Ok(3), "on another router");
    let nameless = Line {
        mac: None,
        ..line(1, MAC)
    };
    assert_eq!((ask(&it, &nameless), ask(&it, &nameless)), (Ok(4), Ok(5)));
    let alone = Line {
        is_alone: true,
        ..line(1, MAC)
    };
    assert_eq!(ask(&it, &alone), Ok(5));
}

#[test]
fn what_a_live_session_holds_is_never_given_again() {
    let it = isp("10.0.0.1-10.0.0.2", false);
    assert_eq!(ask(&it, &line(1, MAC)), Ok(1));
    // The Start is late: the reservation is over by then.
    later(&it, 300);
    account(&it, "ali", 1, RecordKind::Start, 1);
    // A session that got its address from somebody else.
    account(&it, "guest", 9, RecordKind::Interim, 2);
    for _ in 0..3 {
        later(&it, 2);
        assert_eq!(ask(&it, &line(2, OTHER_MAC)), Err(Reason::NoAddress));
    }
    // A lost Stop: the session is given up, and its address with it.
    let live = it.app.accounting.live();
    let lost: Vec<_> = live.open_sessions().map(|s| (s.id, s.updated_at)).collect();
    drop(live);
    for (id, at) in lost {
        it.app.accounting.give_up(id, at);
    }
    until(|| it.app.accounting.live().open_count() == 0);
    later(&it, 2);
    assert!(ask(&it, &line(2, OTHER_MAC)).is_ok());
}

#[test]
fn a_pool_that_is_full_is_searched_once_a_second() {
    let it = isp("10.0.0.1", false);
    account(&it, "ali", 1, RecordKind::Start, 1);
    assert_eq!(ask(&it, &line(2, MAC)), Err(Reason::NoAddress));
    account(&it, "ali", 1, STOP, 1);
    assert_eq!(ask(&it, &line(2, MAC)), Err(Reason::NoAddress));
    it.clock.move_to(NOW.plus(1_000));
    assert_eq!(ask(&it, &line(2, MAC)), Ok(1));
    // A clock that was set back does not stop the search.
    let it = isp("10.0.0.1", false);
    account(&it, "ali", 1, RecordKind::Start, 1);
    assert_eq!(ask(&it, &line(2, MAC)), Err(Reason::NoAddress));
    account(&it, "ali", 1, STOP, 1);
    it.clock.move_to(NOW.plus(-3_600 * SECOND));
    assert_eq!(ask(&it, &line(2, MAC)), Ok(1));
}

#[test]
fn whoever_dials_again_keeps_the_address_of_the_session_that_goes() {
    let bench = bench_of(isp("10.0.0.1-10.0.0.3", true), "127.0.0.1:0");
    let id = bench.it.add_subscriber(subscribers::Draft {
        max_sessions: Some(2),
        ..subscriber("ali", crate::domain::id::PlanId(1))
    });
    let login = |station: &str| {
        let octets = bench
            .ask("ali", "pass-1", Method::Pap, &calling(station))
            .reply();
        let reply = Packet::parse(&octets).unwrap();
        reply.ipv4(number::FRAMED_IP_ADDRESS).map(|a| a.octets()[3])
    };
    let online = |name: &str, mac: Mac, last: u8| {
        let base = interim(&bench.it.app, name, id, NasId(1), LOCALHOST);
        bench.it.account(crate::domain::session::Record {
            acct_session_id: format!("{mac}").into_bytes(),
            place: Place {
                address: Some(Ipv4Addr::new(10, 0, 0, last)),
                mac: Some(mac),
                ..base.place.clone()
            },
            ..base
        });
    };
    assert_eq!(login(&MAC.to_string()), Some(1));
    online("ali", MAC, 1);
    later(&bench.it, 10);
    assert_eq!(login(&MAC.to_string()), Some(1), "the same line");
    assert_eq!(login(&OTHER_MAC.to_string()), Some(2), "a second line");
    online("ali", OTHER_MAC, 2);
    later(&bench.it, 5);
    // A third line replaces the oldest, but not what that one's line may still hold for a Start.
    assert_eq!(login("02:00:00:00:00:03"), Some(3));
    later(&bench.it, 185);
    for (mac, last) in [(MAC, 1), (OTHER_MAC, 2)] {
        online("ali", mac, last);
    }
    let third = login("02:00:00:00:00:04");
    assert_eq!(third, Some(3), "the last one that was given, which is free");
}

#[test]
fn a_sticky_pool_gives_the_last_address_also_after_a_restart() {
    let it = isp("10.0.0.1-10.0.0.9", true);
    assert_eq!(
        (ask(&it, &line(1, MAC)), ask(&it, &line(2, MAC))),
        (Ok(1), Ok(2))
    );
    account(&it, "ali", 1, RecordKind::Start, 1);
    account(&it, "ali", 1, STOP, 1);
    account(&it, "sara", 2, RecordKind::Start, 2);
    later(&it, 200);
    assert_eq!(ask(&it, &line(3, MAC)), Ok(3), "freed ones rest");
    assert_eq!(ask(&it, &line(1, OTHER_MAC)), Ok(1));
    later(&it, 200);
    it.app.close();
    let TestApp { folder, app, .. } = it;
    drop(app);
    let it = TestApp::open(folder);
    later(&it, 1_000);
    assert_eq!(ask(&it, &line(4, MAC)), Ok(1), "from the start again");
    later(&it, 181);
    // By the last ended session; who is online gets it only when that session goes.
    assert_eq!(ask(&it, &line(1, OTHER_MAC)), Ok(1));
    assert_eq!(ask(&it, &line(2, OTHER_MAC)), Ok(3));
    let open = [crate::domain::access::OpenSession {
        id: it
            .app
            .accounting
            .live()
            .open_of(SubscriberId(2))
            .next()
            .unwrap()
            .id,
        nas: NasId(9),
        mac: None,
        started_at: NOW,
        heard_at: NOW,
        presence: crate::domain::session::Presence::Stale,
    }];
    let stale = Line {
        is_alone: true,
        open: &open,
        ..line(2, OTHER_MAC)
    };
    assert_eq!(ask(&it, &stale), Ok(3), "what was given last comes first");
    it.app.close();
    let TestApp { folder, app, .. } = it;
    drop(app);
    let it = TestApp::open(folder);
    let stale = Line {
        open: &open,
        ..stale
    };
    assert_eq!(ask(&it, &stale), Ok(2), "the session that fell silent");
    it.app.close();
}

#[test]
fn a_static_address_in_a_pool_is_left_out_while_it_is_one() {
    let it = isp("10.0.0.1-10.0.0.2", false);
    let mut draft = subscriber("ali", crate::domain::id::PlanId(1));
    draft.static_address = Some(Ipv4Addr::new(10, 0, 0, 1));
    let ali = it.add_subscriber(draft.clone());
    assert_eq!(ask(&it, &line(7, MAC)), Ok(2));
    assert_eq!(ask(&it, &line(8, MAC)), Err(Reason::NoAddress));
    draft.static_address = None;
    run(subscribers::update(&it.app, &actor(), ali, draft.clone())).unwrap();
    later(&it, 2);
    assert_eq!(ask(&it, &line(8, MAC)), Ok(1));
    // A pool that is made later leaves it out, too; and a deleted subscriber holds nothing.
    draft.static_address = Some(Ipv4Addr::new(10, 0, 1, 1));
    run(subscribers::update(&it.app, &actor(), ali, draft)).unwrap();
    it.add_pool(pool("later", "10.0.1.1"));
    let asks = |subscriber| {
        let mut accepted = entitled(AddressChoice::Server("later".to_owned()), "");
        choose(&it.app, &line(subscriber, MAC), &mut accepted, it.app.now())
    };
    assert_eq!(asks(7), Err(Reason::NoAddress));
    run(subscribers::remove(&it.app, &actor(), ali)).unwrap();
    later(&it, 2);
    assert_eq!(asks(7), Ok(()));
}

#[test]
fn what_was_given_stays_given_when_the_pool_changes() {
    let it = isp("10.0.0.1-10.0.0.3", false);
    let id = crate::domain::id::PoolId(1);
    assert_eq!(ask(&it, &line(1, MAC)), Ok(1));
    account(&it, "sara", 2, RecordKind::Start, 2);
    run(pools::update(
        &it.app,
        &actor(),
        id,
        pool("homes", "10.0.0.1-10.0.0.2"),
    ))
    .unwrap();
    assert_eq!(ask(&it, &line(3, MAC)), Err(Reason::NoAddress));
    run(pools::update(
        &it.app,
        &actor(),
        id,
        pool("homes", "10.0.0.1-10.0.0.4"),
    ))
    .unwrap();
    assert_eq!(ask(&it, &line(3, MAC)), Ok(3));
}

#[test]
fn the_counts_of_a_pool_add_up() {
    let it = isp("10.0.0.1-10.0.0.9", false);
    it.add_pool(pool("other", "10.0.1.1"));
    let mut draft = subscriber("ali", crate::domain::id::PlanId(1));
    draft.static_address = Some(Ipv4Addr::new(10, 0, 0, 9));
    it.add_subscriber(draft);
    let counts = || {
        let counted = it
            .app
            .addresses()
            .counts(&it.app.accounting.live(), it.app.now());
        let counted = counted.into_iter();
        let counted = counted.map(|it| (it.pool.name.clone(), it.used, it.reserved, it.free()));
        counted.collect::<Vec<_>>()
    };
    let other = ("other".to_owned(), 0, 0, 1);
    assert_eq!(counts(), [("homes".to_owned(), 0, 1, 8), other.clone()]);
    ask(&it, &line(7, MAC)).unwrap();
    assert_eq!(counts(), [("homes".to_owned(), 0, 2, 7), other.clone()]);
    account(&it, "x", 7, RecordKind::Start, 1);
    account(&it, "ali", 1, RecordKind::Start, 9);
    assert_eq!(counts(), [("homes".to_owned(), 2, 0, 7), other.clone()]);
    account(&it, "x", 7, STOP, 1);
    later(&it, 180);
    assert_eq!(counts(), [("homes".to_owned(), 1, 0, 8), other]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Logins, Starts that come or not, Stops that come or not: no two live sessions share an address.
    #[test]
    fn no_two_sessions_have_one_address(sticky in any::<bool>(), steps in proptest::collection::vec((1_u32..7, 0_u8..5, 0_i64..120), 1..50)) {
        let it = isp("10.0.0.1-10.0.0.4", sticky);
        let mut held: std::collections::HashMap<u32, (String, u8)> = std::collections::HashMap::new();
        for (number, (subscriber, step, seconds)) in steps.into_iter().enumerate() {
            let name = format!("s{number}");
            let mac = Mac([2, 0, 0, 0, 0, u8::try_from(subscriber).unwrap()]);
            if step < 3 && !held.contains_key(&subscriber) {
                if let Ok(last) = ask(&it, &line(subscriber, mac)) {
                    prop_assert!(!held.values().any(|(_, other)| *other == last), "{last} is held");
                    if step > 0 {
                        account(&it, &name, subscriber, RecordKind::Start, last);
                        held.insert(subscriber, (name, last));
                    }
                } else {
                    let live = it.app.accounting.live().open_count();
                    prop_assert!(live > 0 || seconds < 180);
                }
            } else if step == 3 && let Some((name, last)) = held.remove(&subscriber) {
                account(&it, &name, subscriber, STOP, last);
            }
            later(&it, seconds);
        }
        let live = it.app.accounting.live();
        let mut addresses: Vec<_> = live.open_sessions().filter_map(|s| s.place.address).collect();
        let count = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        prop_assert_eq!(addresses.len(), count);
        drop(live);
        it.app.close();
    }
}
