//! What an accepted login carries, and what it changes.

use super::*;
use crate::domain::id::{LoginId, PlanId};
use crate::domain::mac::Mac;
use crate::domain::nas::Profile;
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::quota::{MonthAnchor, Quota};
use crate::domain::rate::Rate;
use crate::domain::subscriber::MacMode;
use crate::domain::time::{DAY, SECOND};
use crate::operations::subscribers::{self as verbs, Draft};
use crate::radius::number::{microsoft, mikrotik, wispr};
use crate::store::outbox::{self, Lane, Work};
use crate::store::subscribers;

fn pushed(bench: &Bench) -> Vec<Work> {
    let view = bench.it.app.store.view().unwrap();
    let waiting = outbox::waiting(&view, Lane::Routers, 99).unwrap();
    waiting.into_iter().filter_map(|(_, work)| work).collect()
}

#[test]
fn every_method_is_accepted_and_proves_that_the_server_knows_the_password() {
    let bench = bench();
    let plain = bench.it.add_plan(plan("Home"));
    let encrypted = bench.it.add_plan(Plan {
        send_mppe: true,
        ..plan("Encrypted")
    });
    bench.it.add_subscriber(subscriber("Ali@ISP", plain));
    bench.it.add_subscriber(subscriber("sara", encrypted));
    for method in METHODS {
        for (name, has_keys) in [("ali@isp", false), ("ALI@ISP", false), ("sara", true)] {
            let octets = bench
                .ask(name, "pass-1", method, &AttributeBuffer::new())
                .reply();
            let reply = Packet::parse(&octets).unwrap();
            assert_eq!(reply.code(), Code::ACCESS_ACCEPT, "{name} {method:?}");
            let keys = [
                microsoft::CHAP_MPPE_KEYS,
                microsoft::MPPE_SEND_KEY,
                microsoft::MPPE_RECV_KEY,
            ];
            let keys = keys.map(|kind| reply.vendor(microsoft::VENDOR, kind).is_some());
            let wanted = match (has_keys, method) {
                (true, Method::MsChap) => [true, false, false],
                (true, Method::MsChap2) => [false, true, true],
                _ => [false; 3],
            };
            assert_eq!(keys, wanted, "{name} {method:?}");
        }
    }
    let counters = &bench.it.app.telemetry.counters;
    assert_eq!(
        (counters.access_accepts.get(), counters.rejects_total()),
        (12, 0)
    );
    let logged = bench.logged("ALI@ISP");
    assert_eq!(
        (logged.reason, logged.method),
        (None, auth_log::Method::MsChapV2)
    );
}

#[test]
fn the_accept_speaks_the_language_of_the_router() {
    let bench = bench();
    let plan = bench.it.add_plan(Plan {
        address_list: "paying".to_owned(),
        ..plan("Home")
    });
    bench.it.add_subscriber(subscriber("ali", plan));
    for (from, profile) in [
        ("127.0.0.2", Profile::MikroTik),
        ("127.0.0.3", Profile::Wispr),
        ("127.0.0.4", Profile::Generic),
    ] {
        let mut draft = router(profile.word(), from);
        draft.profile = profile;
        draft.interim_interval = Some(300);
        bench.it.add_nas(draft);
        let login = Login {
            user_name: "ali",
            password: "pass-1",
            method: Method::Pap,
        };
        let asked = bench.ask_from(
            from.parse().unwrap(),
            SECRET,
            &login,
            &AttributeBuffer::new(),
        );
        let octets = asked.reply();
        let reply = Packet::parse(&octets).unwrap();
        assert_eq!(reply.code(), Code::ACCESS_ACCEPT, "{profile:?}");
        assert_eq!(reply.text(number::FRAMED_POOL), Some("homes"));
        assert_eq!(reply.u32(number::ACCT_INTERIM_INTERVAL), Some(300));
        assert_eq!(
            (
                reply.u32(number::SERVICE_TYPE),
                reply.u32(number::FRAMED_PROTOCOL)
            ),
            (Some(2), Some(1))
        );
        let seconds = reply.u32(number::SESSION_TIMEOUT).unwrap();
        assert!(
            (2_592_000..2_592_600).contains(&seconds),
            "{seconds}: thirty days and some"
        );
        let of = |vendor, kind| reply.vendor(vendor, kind).map(<[u8]>::to_vec);
        let rate = of(mikrotik::VENDOR, mikrotik::RATE_LIMIT);
        let list = of(mikrotik::VENDOR, mikrotik::ADDRESS_LIST);
        let up = of(wispr::VENDOR, wispr::BANDWIDTH_MAX_UP);
        let down = of(wispr::VENDOR, wispr::BANDWIDTH_MAX_DOWN);
        if profile == Profile::MikroTik {
            assert_eq!(
                (rate.as_deref(), list.as_deref()),
                (Some(&b"2M/10M"[..]), Some(&b"paying"[..]))
            );
            assert_eq!((up, down), (None, None));
        } else {
            assert_eq!((rate, list), (None, None));
            assert_eq!(up.unwrap(), 2_000_000u32.to_be_bytes());
            assert_eq!(down.unwrap(), 10_000_000u32.to_be_bytes());
        }
    }
}

/// What one subscriber's accept says of address, speed and time.
type Said = (Option<String>, Option<Ipv4Addr>, String, Option<u32>);

fn said(bench: &Bench, name: &str) -> Said {
    let octets = bench.login(name);
    let reply = Packet::parse(&octets).unwrap();
    assert_eq!(reply.code(), Code::ACCESS_ACCEPT, "{name}");
    let rate = reply
        .vendor(mikrotik::VENDOR, mikrotik::RATE_LIMIT)
        .unwrap();
    (
        reply.text(number::FRAMED_POOL).map(str::to_owned),
        reply.ipv4(number::FRAMED_IP_ADDRESS),
        String::from_utf8(rate.to_vec()).unwrap(),
        reply.u32(number::SESSION_TIMEOUT),
    )
}

#[test]
fn address_speed_and_time_follow_subscriber_and_plan() {
    let bench = bench();
    let pool = OnExpiry::ExpiredPool {
        pool: "walled".to_owned(),
    };
    let plan = bench.it.add_plan(Plan {
        on_expiry: pool,
        ..plan("Home")
    });
    let own = Ipv4Addr::new(10, 9, 8, 7);
    let add = |name: &str, change: fn(&mut Draft)| {
        let mut draft = subscriber(name, plan);
        change(&mut draft);
        bench.it.add_subscriber(draft);
    };
    add("static", |d| {
        (d.static_address, d.expires_at) = (Some(Ipv4Addr::new(10, 9, 8, 7)), None)
    });
    add("expired", |d| {
        (d.static_address, d.expires_at) = (Some(Ipv4Addr::new(10, 9, 8, 6)), Some(NOW))
    });
    add("faster", |d| {
        (d.rate_override, d.expires_at) = (Some(Rate::new(512, 20_000)), None)
    });
    add("last", |d| d.expires_at = Some(NOW.plus(SECOND)));
    assert_eq!(
        said(&bench, "static"),
        (None, Some(own), "2M/10M".into(), None)
    );
    let (pool, address, rate, timeout) = said(&bench, "expired");
    assert_eq!(
        (pool.as_deref(), address),
        (Some("walled"), None),
        "expiry beats the static address"
    );
    assert_eq!((rate.as_str(), timeout), ("1M/1M", Some(3_600)));
    assert_eq!(
        said(&bench, "faster"),
        (Some("homes".into()), None, "512k/20M".into(), None)
    );
    let (_, _, _, timeout) = said(&bench, "last");
    assert!(
        (60..660).contains(&timeout.unwrap()),
        "never less than a minute"
    );
}

#[test]
fn changes_hold_at_the_very_next_packet() {
    let bench = bench();
    let home = bench.it.add_plan(plan("Home"));
    let app = &bench.it.app;
    let id = bench.it.add_subscriber(subscriber("ali", home));
    assert_eq!(said(&bench, "ali").2, "2M/10M");
    let change = |draft: Draft| run(verbs::update(app, &actor(), id, draft)).unwrap();
    change(Draft {
        password: secret("pass-2"),
        ..subscriber("ali", home)
    });
    let accepts = |name: &str, password: &str| {
        let asked = bench.ask(name, password, Method::Pap, &AttributeBuffer::new());
        code(&asked.reply()) == Code::ACCESS_ACCEPT
    };
    assert!(accepts("ali", "pass-2"));
    assert!(!accepts("ali", "pass-1"));
    // A new name is known, and the old one is nobody's.
    change(Draft {
        password: None,
        ..subscriber("Ali2", home)
    });
    assert!(accepts("ali2", "pass-2"));
    assert!(!accepts("ali", "pass-2"));
    assert_eq!(bench.logged("ali").reason, Some(Reason::UnknownUser));
    // Somebody else takes the old name.
    bench.it.add_subscriber(subscriber("ali", home));
    assert!(accepts("ali", "pass-1"));
    let mut faster = plan("Home");
    faster.rate = Rate::new(5_000, 50_000);
    run(crate::operations::plans::update(
        app,
        &actor(),
        home,
        faster,
    ))
    .unwrap();
    assert_eq!(said(&bench, "ali").2, "5M/50M");
    run(verbs::remove(app, &actor(), id)).unwrap();
    assert!(!accepts("ali2", "pass-2"));
}

#[test]
fn macs_are_learned_up_to_the_number_and_then_only_those_come_in() {
    let bench = bench();
    let app = &bench.it.app;
    let plan = bench.it.add_plan(plan("Home"));
    let mut draft = subscriber("ali", plan);
    draft.mac_mode = MacMode::Learn(2);
    let id = bench.it.add_subscriber(draft);
    let macs = || {
        let view = app.store.view().unwrap();
        subscribers::get(&view, id)
            .unwrap()
            .unwrap()
            .subscriber
            .macs
    };
    let ask = |station: &str| bench.ask("ali", "pass-1", Method::Pap, &calling(station));
    let accepted = |asked: &Asked| code(&asked.reply()) == Code::ACCESS_ACCEPT;
    assert!(accepted(&ask("02-00-00-00-00-0a")));
    until(|| macs() == [Mac([2, 0, 0, 0, 0, 10])]);
    assert!(accepted(&ask("0200.0000.000B")));
    until(|| macs().len() == 2);
    let (known, stranger) = (ask("02:00:00:00:00:0A"), ask("02:00:00:00:00:0c"));
    assert!(accepted(&known));
    assert!(!accepted(&stranger));
    assert_eq!(bench.logged("ali").reason, Some(Reason::WrongMac));
    assert_eq!(macs().len(), 2);
    run(verbs::forget_macs(app, &actor(), id)).unwrap();
    assert!(accepted(&ask("02:00:00:00:00:0c")));
    until(|| macs() == [Mac([2, 0, 0, 0, 0, 12])]);
}

#[test]
fn a_login_beyond_the_limit_takes_the_place_of_the_oldest() {
    let bench = bench();
    let plan = bench.it.add_plan(Plan {
        max_sessions: 2,
        ..plan("Home")
    });
    let other = bench.it.add_nas(router("other", "127.0.9.9"));
    let id = bench.it.add_subscriber(subscriber("ali", plan));
    let mut ids = Vec::new();
    for age in [300, 200] {
        let mut record = interim(&bench.it.app, "ali", id, other, LOCALHOST);
        record.acct_session_id = format!("s{age}").into_bytes();
        record.session_time = Some(age);
        bench.it.account(record);
        ids = bench
            .it
            .app
            .accounting
            .live()
            .open_of(id)
            .map(|s| s.id)
            .collect();
    }
    assert_eq!(code(&bench.login("ali")), Code::ACCESS_ACCEPT);
    until(|| pushed(&bench) == [Work::Disconnect(ids[0])]);
}

#[test]
fn each_accept_has_a_class_of_its_own() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    let id = bench.it.add_subscriber(subscriber("ali", plan));
    let class = || {
        let octets = bench.login("ali");
        let class = Packet::parse(&octets)
            .unwrap()
            .first(number::CLASS)
            .unwrap()
            .to_vec();
        LoginId::from_class(&class).unwrap()
    };
    let (first, second) = (class(), class());
    assert_eq!((first.0, second.0), (id, id));
    assert_ne!(first.1, second.1);
}

#[test]
fn the_quota_of_a_month_counts_what_no_fold_has_written_yet() {
    let bench = bench();
    let quota = |name: &str, octets| -> PlanId {
        bench.it.add_plan(Plan {
            quota: Quota {
                monthly: Some(octets),
                anchor: MonthAnchor::DayOfMonth(1),
                ..Quota::default()
            },
            max_sessions: 9,
            ..plan(name)
        })
    };
    let enough = bench
        .it
        .add_subscriber(subscriber("enough", quota("more", 11_001)));
    bench.it.go_online("enough", enough, NasId(1), LOCALHOST);
    assert_eq!(code(&bench.login("enough")), Code::ACCESS_ACCEPT);
    assert!(bench.it.app.accounting.fold());
    assert_eq!(code(&bench.login("enough")), Code::ACCESS_ACCEPT);
    // A new month is a new quota.
    let mut record = interim(&bench.it.app, "enough", enough, NasId(1), LOCALHOST);
    record.totals = Some(crate::domain::octets::Traffic::new(1_001, 10_000));
    bench.it.account(record);
    let asked = bench.ask("enough", "pass-1", Method::Pap, &AttributeBuffer::new());
    assert_eq!(code(&asked.reply()), Code::ACCESS_REJECT);
    assert_eq!(bench.logged("enough").reason, Some(Reason::QuotaBlocked));
    bench.it.clock.move_to(NOW.plus(5 * DAY));
    assert_eq!(code(&bench.login("enough")), Code::ACCESS_ACCEPT);
}
