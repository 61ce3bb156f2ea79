//! Rows of pools, what is set aside, and which ended sessions held which address.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use super::accounting::session_closed;
use super::samples::subscriber_bare;
use super::*;
use crate::domain::address::Block;
use crate::domain::id::PoolId;
use crate::domain::nas::Network;
use crate::domain::pool::{Pool, PoolKind, Prefixes, Ranges};
use crate::domain::session::Place;
use crate::domain::subscriber::Subscriber;
use crate::store::tables::{POOLS, SESSIONS_BY_ADDRESS};
use crate::store::{pools, session_addresses, statics};

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

fn prefix(text: &str) -> (Ipv6Addr, u8) {
    crate::domain::address::parse_prefix(text).unwrap()
}

fn pool_v4() -> Pool {
    Pool {
        id: PoolId(1),
        name: "Homes".into(),
        kind: PoolKind::V4(Ranges::parse("100.64.0.10-100.64.31.254, 100.64.40.7").unwrap()),
        sticky: true,
        notes: "two\nlines".into(),
    }
}

fn pool_delegated() -> Pool {
    Pool {
        id: PoolId(2),
        name: "v6".into(),
        kind: PoolKind::Delegated(Prefixes::new(network("2001:db8:100::/40"), 56).unwrap()),
        sticky: false,
        notes: String::new(),
    }
}

#[test]
fn pools_are_read_as_they_were_written() {
    let store = store();
    write(&store, |tx| {
        pools::put(tx, &pool_v4())?;
        pools::put(tx, &pool_delegated())
    });
    let view = store.view().unwrap();
    golden("pool-v4", view.get(&POOLS, 1).unwrap().unwrap());
    golden("pool-delegated", view.get(&POOLS, 2).unwrap().unwrap());
    assert_eq!(pools::all(&view).unwrap(), [pool_v4(), pool_delegated()]);
    assert_eq!(
        pools::get(&view, PoolId(2)).unwrap(),
        Some(pool_delegated())
    );
    write(&store, |tx| pools::remove(tx, PoolId(1)));
    let view = store.view().unwrap();
    assert_eq!(pools::get(&view, PoolId(1)).unwrap(), None);
}

#[test]
fn a_pool_that_breaks_the_rules_is_damage() {
    let store = store();
    write(&store, |tx| {
        let mut row = pools::PoolRow::from(&pool_v4());
        row.ranges = Some(vec![(9, 1)]);
        tx.insert(&POOLS, 1, &row)
    });
    let error = pools::all(&store.view().unwrap()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn what_is_set_aside_follows_its_subscriber() {
    let store = store();
    let of = |id, address: Option<&str>, own: Option<&str>| Subscriber {
        id: SubscriberId(id),
        username: crate::domain::text::Username::parse(&format!("s{id}")).unwrap(),
        static_address: address.map(|text| text.parse().unwrap()),
        static_prefix: own.map(prefix),
        ..subscriber_bare().subscriber
    };
    let put = |subscriber: Subscriber| {
        let stored = subscribers::StoredSubscriber {
            subscriber,
            sealed_password: Vec::new(),
        };
        write(&store, move |tx| subscribers::put(tx, &stored));
    };
    put(of(1, Some("10.0.0.9"), Some("2001:db8:0:100::/56")));
    put(of(2, None, Some("2001:db8:0:300::/56")));
    put(of(3, Some("10.0.0.8"), None));
    let all = || {
        let all = statics::all(&store.view().unwrap()).unwrap();
        let shown = |item: statics::Static| (item.subscriber.0, item.network.to_string());
        all.into_iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        all(),
        [
            (3, "10.0.0.8".to_owned()),
            (1, "10.0.0.9".to_owned()),
            (1, "2001:db8:0:100::/56".to_owned()),
            (2, "2001:db8:0:300::/56".to_owned()),
        ]
    );
    assert_eq!(statics::count(&store.view().unwrap()).unwrap(), 4);
    for (asked, own, wanted) in [
        ("2001:db8:0:100::/56", None, Some(1)),
        ("2001:db8:0:100::/56", Some(1), None),
        // Within, around, beside.
        ("2001:db8:0:1ff::/64", None, Some(1)),
        ("2001:db8:0:1ff::/64", Some(1), None),
        ("2001:db8::/48", Some(1), Some(2)),
        ("2001:db8::/48", Some(2), Some(1)),
        ("2001:db8:0:200::/56", None, None),
        ("2001:db8::/56", None, None),
        ("2001:db9::/32", None, None),
    ] {
        let own = own.map(SubscriberId);
        let holder = statics::prefix_holder(&store.view().unwrap(), prefix(asked), own).unwrap();
        assert_eq!(holder.map(|id| id.0), wanted, "{asked} {own:?}");
    }
    put(of(1, None, None));
    assert_eq!(all().len(), 2);
    let address = Ipv4Addr::new(10, 0, 0, 8);
    let holder = |address| statics::address_holder(&store.view().unwrap(), address).unwrap();
    assert_eq!(holder(address), Some(SubscriberId(3)));
    write(&store, move |tx| {
        subscribers::remove(tx, &of(3, Some("10.0.0.8"), None))
    });
    assert_eq!((holder(address), all().len()), (None, 1));
}

/// An ended session that held these.
fn ended(id: u64, address: Option<&str>, delegated: Option<&str>) -> Session {
    Session {
        id: SessionId(id),
        place: Place {
            address: address.map(|text| text.parse().unwrap()),
            delegated_prefix: delegated.map(prefix),
            ..Place::default()
        },
        ..session_closed()
    }
}

fn holders(store: &Store, text: &str, look: usize) -> (Vec<u64>, bool) {
    let mut found = Vec::new();
    let view = store.view().unwrap();
    let block = Block::of_network(network(text));
    let is_all = session_addresses::each_holder(&view, block, look, |session| {
        found.push(session.id.0);
        ControlFlow::Continue(())
    });
    (found, is_all.unwrap())
}

#[test]
fn ended_sessions_are_found_by_what_they_held() {
    let store = store();
    let delegated = Some("2001:db8:0:100::/56");
    let all = [
        ended(1, Some("10.0.0.9"), None),
        ended(2, Some("10.0.0.9"), delegated),
        ended(3, Some("10.0.0.10"), None),
        ended(4, None, delegated),
    ];
    for session in all {
        write(&store, move |tx| sessions::put(tx, &session));
    }
    for (asked, wanted) in [
        ("10.0.0.9", &[2, 1][..]),
        ("10.0.0.10", &[3]),
        ("10.0.0.11", &[]),
        ("10.0.0.8/30", &[3, 2, 1]),
        ("0.0.0.0/0", &[3, 2, 1]),
        ("2001:db8:0:100::/56", &[4, 2]),
        ("2001:db8:0:1ff::77", &[4, 2]),
        ("2001:db8:0:200::77", &[]),
        ("2001:db8::/32", &[4, 2]),
        // The first address of all prefixes that could contain it.
        ("2001:db8:0:100::", &[4, 2]),
    ] {
        assert_eq!(
            holders(&store, asked, 99),
            (wanted.to_vec(), true),
            "{asked}"
        );
    }
    assert_eq!(holders(&store, "10.0.0.9", 2), (vec![2, 1], true));
    assert_eq!(holders(&store, "10.0.0.9", 1), (vec![2], false));
}

#[test]
fn the_index_follows_a_session_that_ends_elsewhere_or_goes_on() {
    let store = store();
    let put = |session: Session| write(&store, move |tx| sessions::put(tx, &session));
    let rows = || store.view().unwrap().count(&SESSIONS_BY_ADDRESS).unwrap();
    put(ended(1, Some("10.0.0.9"), Some("2001:db8:0:100::/56")));
    assert_eq!(rows(), 2);
    put(ended(1, Some("10.0.0.10"), None));
    assert_eq!((rows(), holders(&store, "10.0.0.9", 9).0), (1, vec![]));
    assert_eq!(holders(&store, "10.0.0.10", 9).0, [1]);
    put(Session {
        stopped: None,
        ..ended(1, Some("10.0.0.11"), None)
    });
    assert_eq!(rows(), 0);
    put(ended(1, Some("10.0.0.11"), None));
    assert_eq!(holders(&store, "10.0.0.11", 9).0, [1]);
}

#[test]
fn the_history_of_an_older_store_is_indexed() {
    let store = store();
    for id in 1..=3 {
        write(&store, move |tx| {
            sessions::put(tx, &ended(id, Some("10.0.0.9"), None))
        });
    }
    write(&store, |tx| tx.remove_range(&SESSIONS_BY_ADDRESS, (0, 0)..));
    assert!(holders(&store, "10.0.0.9", 9).0.is_empty());
    write(&store, session_addresses::fill);
    assert_eq!(holders(&store, "10.0.0.9", 9).0, [3, 2, 1]);
}
