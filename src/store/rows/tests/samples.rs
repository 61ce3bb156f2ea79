//! One value of each shape with everything in it, and one with as little as there can be.

use super::machine::{import_row, offer_row, update_row};
use super::routers::{nas_bare, nas_full, nas_newest, nas_radsec, nas_tested, radsec_authority};
use super::*;
use crate::domain::access::Reason;
use crate::domain::acme::Acme;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule};
use crate::domain::cdn::{CdnMode, CdnProfile, networks};
use crate::domain::extra::{Extra, Extras};
use crate::domain::fup::{FairUse, Threshold, Tier, TierAction};
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::id::{CdnId, NasId, PlanId, RuleId};
use crate::domain::mac::Mac;
use crate::domain::money::{Currency, Money};
use crate::domain::notice::{Level, Mark, Notice};
use crate::domain::operator::{Operator, Role};
use crate::domain::plan::{AddressSource, OnExpiry, OnLimit, Plan, Term, TermUnit};
use crate::domain::quota::{
    Credit, CreditScope, Direction, MonthAnchor, Quota, QuotaKind, TopUp, Validity, WhenUsedUp,
};
use crate::domain::radsec::RadsecTrust;
use crate::domain::rate::{Burst, Rate};
use crate::domain::reconnect::Planned;
use crate::domain::subscriber::{Boost, MacMode, Status, Subscriber};
use crate::domain::text::Username;
use crate::domain::time::Day;
use crate::domain::window::Window;
use crate::store::audit::{self, NewEntry};
use crate::store::auth_log::{Attempt, Method};
use crate::store::notices::{self, Told};
use crate::store::operators::{StoredFactor, StoredLogin, StoredOperator, SupportTerm};
use crate::store::outbox::Work;
use crate::store::subscribers::StoredSubscriber;
use crate::store::{imports, planned, updates};
use std::net::{IpAddr, Ipv4Addr};

pub const NOW: Timestamp = Timestamp(1_780_000_000_123);

pub fn put_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for stored in [subscriber_full(), subscriber_bare(), subscriber_newest()] {
        subscribers::put(tx, &stored)?;
    }
    for plan in [plan_full(), plan_bare(), plan_newest()] {
        plans::put(tx, &plan)?;
    }
    bandwidth_rules::put(tx, &bandwidth_rule())?;
    for stored in [nas_full(), nas_bare(), nas_newest(), nas_tested()] {
        nas::put(tx, &stored)?;
    }
    nas::put(tx, &nas_radsec(5, RadsecTrust::Pinned([8; 32])))?;
    nas::put(tx, &nas_radsec(6, radsec_authority()))?;
    cdn::put(tx, &cdn_profile())?;
    cdn::keep(tx, NasId(2), NOW)?;
    acme::put(tx, &acme())?;
    operators::put(tx, &operator())?;
    operators::put(tx, &operator_newest())?;
    operators::put_login(tx, &[7; 32], &login())?;
    accounting::put_all(tx)?;
    planned::put(tx, &planned_login())?;
    for told in notices() {
        notices::put(tx, SubscriberId(1), told)?;
    }
    licence::put(tx, &licence_row())?;
    updates::put_offer(tx, &offer_row())?;
    updates::add(tx, &update_row())?;
    imports::add(tx, 1, &import_row())?;
    auth_log::append(tx, 1, &attempts(), NOW, NOW)?;
    let mut difference = Difference::default();
    difference
        .field("plan", "Home", "نور")
        .secret("password", true);
    let actor = Actor::Operator {
        id: OperatorId(1),
        name: "admin".into(),
        address: "2001:db8::9".into(),
    };
    let entry = NewEntry {
        at: NOW,
        actor: &actor,
        action: "changed",
        object: Object::Subscriber(SubscriberId(1)),
        object_name: "Ali",
        changes: difference.into_changes(),
    };
    audit::add(tx, entry)
}

pub fn licence_row() -> licence::LicenceRow {
    licence::LicenceRow {
        first_seen: NOW.0,
        sealed_key: vec![1, 2, 3],
        token: "a.b".into(),
        last_good: NOW.0,
        last_seen: NOW.0,
        last_tried: NOW.0,
        problem: "silent".into(),
        revoked: Some("unpaid".into()),
        is_elsewhere: true,
    }
}

pub fn subscriber_full() -> StoredSubscriber {
    StoredSubscriber {
        subscriber: Subscriber {
            id: SubscriberId(1),
            username: Username::parse("Ali@ISP").unwrap(),
            full_name: "علي حسن".into(),
            phone: "+9647701234567".into(),
            email: "ali@example.com".into(),
            address: "1 River Road".into(),
            notes: "two\nlines".into(),
            plan: PlanId(1),
            status: Status::Suspended {
                since: NOW,
                reason: "unpaid".into(),
            },
            expires_at: Some(Timestamp(-1)),
            max_sessions: Some(3),
            on_limit: Some(OnLimit::RejectNew),
            mac_mode: MacMode::Learn(2),
            macs: vec![Mac([1, 2, 3, 4, 5, 6]), Mac([255; 6])],
            only_nas: Some(NasId(2)),
            static_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
            rate_override: Some(Rate::new(512, 20_000)),
            ..Subscriber::new(
                SubscriberId(1),
                Username::parse("Ali@ISP").unwrap(),
                PlanId(1),
                NOW,
            )
        },
        sealed_password: vec![1, 2, 3],
    }
}

pub fn subscriber_bare() -> StoredSubscriber {
    StoredSubscriber {
        subscriber: Subscriber {
            mac_mode: MacMode::Fixed,
            ..Subscriber::new(
                SubscriberId(2),
                Username::parse("b").unwrap(),
                PlanId(2),
                Timestamp(0),
            )
        },
        sealed_password: Vec::new(),
    }
}

pub fn plan_full() -> Plan {
    let price = Money {
        minor: -1,
        currency: Currency::parse("IQD").unwrap(),
    };
    Plan {
        id: PlanId(1),
        term: Term {
            count: 30,
            unit: TermUnit::Days,
        },
        burst: Some(Burst {
            rate: Rate::new(4_000, 20_000),
            threshold: Rate::new(1_000, 5_000),
            time_s: 16,
        }),
        priority: 1,
        pool: "homes".into(),
        address_list: "paying".into(),
        max_sessions: 100,
        on_limit: OnLimit::RejectNew,
        on_expiry: OnExpiry::ExpiredPool {
            pool: "walled".into(),
        },
        quota: Quota {
            monthly: Some(u64::MAX),
            anchor: MonthAnchor::DayOfMonth(1),
            ..Quota::default()
        },
        login_hours: Some(Window::parse("1-5 22:00-06:00").unwrap()),
        send_mppe: true,
        notes: "n".into(),
        created_at: NOW,
        ..Plan::new("Home 10", price, Rate::new(2_000, 10_000))
    }
}

pub fn plan_bare() -> Plan {
    let full = plan_full();
    Plan {
        id: PlanId(2),
        quota: Quota {
            monthly: None,
            ..full.quota
        },
        notes: "n".into(),
        created_at: NOW,
        ..Plan::new("", full.price, full.rate)
    }
}

/// With everything that came after the first shape.
pub fn plan_newest() -> Plan {
    let window = Window::parse("6,7 20:00-02:00").unwrap();
    let tier = |threshold, action| Tier { threshold, action };
    Plan {
        id: PlanId(3),
        on_expiry: OnExpiry::Grace {
            days: 3,
            rate: Some(Rate::new(64, 128)),
        },
        address_source: AddressSource::Server,
        ipv6_pool: "link".into(),
        delegated_pool: "pd".into(),
        router_profile: "gold".into(),
        quota: Quota {
            daily: Some(1),
            monthly: Some(2),
            total: Some(u64::MAX),
            direction: Direction::Download,
            anchor: MonthAnchor::CreatedDay,
            when_used_up: WhenUsedUp::GoOn,
        },
        fair_use: FairUse {
            daily: vec![tier(Threshold::Percent(80), TierAction::Notify)],
            monthly: vec![
                tier(Threshold::Octets(9), TierAction::Throttle(Rate::new(1, 2))),
                tier(Threshold::Octets(10), TierAction::Percent(50)),
                tier(Threshold::Octets(11), TierAction::Block),
            ],
            keep_burst: true,
        },
        speed_windows: vec![SpeedWindow {
            window,
            rate: Rate::new(3, 4),
            when_throttled: WhenThrottled::Lift,
        }],
        free_windows: vec![FreeWindow {
            window,
            free_percent: 70,
            direction: Direction::Upload,
        }],
        cdn: vec![CdnId(5)],
        extras: Extras {
            check: vec![],
            reply: vec![Extra {
                text: "Filter-Id = x".into(),
                octets: vec![11, 3, 120],
            }],
        },
        created_at: NOW,
        ..Plan::new("Newest", plan_full().price, Rate::new(5, 6))
    }
}

/// The same of a subscriber.
pub fn subscriber_newest() -> StoredSubscriber {
    let name = Username::parse("new").unwrap();
    let credit = |scope| Credit {
        scope,
        octets: Traffic::new(1, 2),
        at: NOW,
        by: "admin".into(),
        reason: "storm".into(),
    };
    let top_up = |validity| TopUp {
        octets: 5,
        used: 1,
        validity,
        bought_at: NOW,
        by: "admin".into(),
    };
    StoredSubscriber {
        subscriber: Subscriber {
            static_prefix: Some(("2001:db8:7::".parse().unwrap(), 56)),
            boost: Some(Boost {
                rate: Rate::new(7, 8),
                until: NOW,
            }),
            credits: vec![
                credit(CreditScope::Day(Day(20_600))),
                credit(CreditScope::Month(Day(-1))),
                credit(CreditScope::Term(Day(0))),
            ],
            top_ups: vec![
                top_up(Validity::EndOfMonth(Day(20_601))),
                top_up(Validity::Until(NOW)),
                top_up(Validity::UntilUsed),
            ],
            settled: Some(Day(20_570)),
            extras: plan_newest().extras,
            renewed_at: Timestamp(5),
            ..Subscriber::new(SubscriberId(3), name, PlanId(3), NOW)
        },
        sealed_password: vec![4],
    }
}

pub fn bandwidth_rule() -> BandwidthRule {
    BandwidthRule {
        id: RuleId(1),
        name: "Ramadan".into(),
        enabled: true,
        window: Window::parse("02:00-08:00").unwrap(),
        from: Some(Day(20_500)),
        until: None,
        priority: 10,
        download: Adjust::Percent(200),
        upload: Adjust::Add(-512),
        plans: vec![PlanId(1), PlanId(3)],
        subscribers: vec![SubscriberId(2)],
    }
}

pub fn planned_login() -> Planned {
    Planned {
        due_at: NOW,
        session: SessionId(3),
        subscriber: SubscriberId(2),
        by: "admin".into(),
    }
}

/// In the order in which they are read.
pub fn notices() -> Vec<Told> {
    let told = |kind, began, level| Told {
        notice: Notice {
            mark: Mark {
                kind,
                began: Day(began),
                level,
            },
            limit: u64::MAX,
        },
        at: NOW,
    };
    vec![
        told(QuotaKind::Day, 20_600, Level::Share(80)),
        told(QuotaKind::Day, 20_600, Level::Tier(0)),
        told(QuotaKind::Month, 20_590, Level::Share(100)),
        told(QuotaKind::Month, 20_590, Level::Tier(5)),
        told(QuotaKind::Term, 20_500, Level::Share(90)),
    ]
}

pub fn operator() -> StoredOperator {
    StoredOperator {
        operator: Operator {
            id: OperatorId(1),
            name: "Admin".into(),
            role: Role::Viewer,
            created_at: NOW,
        },
        password_hash: "$argon2id$x".into(),
        factor: None,
        support: None,
    }
}

pub fn operator_newest() -> StoredOperator {
    StoredOperator {
        operator: Operator {
            id: OperatorId(2),
            name: "support".into(),
            role: Role::Support,
            created_at: NOW,
        },
        password_hash: String::new(),
        factor: Some(StoredFactor {
            sealed_secret: vec![9; 5],
            last_step: u64::MAX,
            recovery: vec![[1; 32], [2; 32]],
            since: NOW,
        }),
        support: Some(SupportTerm {
            until: NOW.plus(1),
            code_hash: Some([3; 32]),
        }),
    }
}

pub fn login() -> StoredLogin {
    StoredLogin {
        operator: OperatorId(1),
        created_at: NOW,
        seen_at: NOW.plus(1),
        address: "::1".into(),
        user_agent: "browser".into(),
        csrf: "token".into(),
    }
}

pub fn attempts() -> Vec<Attempt> {
    let accepted = Attempt {
        at: NOW,
        username: "ali".into(),
        subscriber: Some(SubscriberId(1)),
        nas: NasId(1),
        source: "::1".parse().unwrap(),
        mac: Some(Mac([1; 6])),
        method: Method::MsChapV2,
        reason: None,
    };
    let rejected = Attempt {
        subscriber: None,
        source: IpAddr::from([10, 0, 0, 1]),
        mac: None,
        method: Method::Pap,
        reason: Some(Reason::WrongSecret),
        ..accepted.clone()
    };
    vec![accepted, rejected]
}

pub fn all_work() -> Vec<Work> {
    vec![
        Work::IndexSubscriber(SubscriberId(1)),
        Work::IndexPlan(PlanId(2)),
        Work::IndexNas(NasId(3)),
        Work::PushSubscriber(SubscriberId(4)),
        Work::PushPlan(PlanId(5)),
        Work::Disconnect(SessionId(u64::MAX)),
        Work::DisconnectSubscriber(SubscriberId(7)),
        Work::PushAll,
        Work::PushSession(SessionId(9)),
    ]
}

pub fn cdn_profile() -> CdnProfile {
    CdnProfile {
        id: CdnId(1),
        name: "Cache".into(),
        enabled: true,
        mode: CdnMode::SpeedAndAccounting,
        networks: networks("203.0.113.0/24 2001:db8::/32").unwrap(),
        rate: Rate::new(20_000, 50_000),
        most_per_router: 500,
        nas: vec![NasId(2), NasId(3)],
        notes: "two\nlines".into(),
    }
}

pub fn acme() -> acme::Stored {
    acme::Stored {
        acme: Acme {
            names: vec!["panel.example.net".into(), "b.example".into()],
            email: "noc@example.net".into(),
            directory: "https://ca.example/dir".into(),
            authority: "-----BEGIN".into(),
            is_on: true,
            failures: 2,
            last_error: "no answer".into(),
            last_try: Some(NOW),
            tries: vec![NOW.plus(-1), NOW],
            key_id: String::new(),
        },
        account: Some(vec![1, 2, 255]),
        binding_key: None,
    }
}

/// Bound to an account elsewhere.
pub fn acme_bound() -> acme::Stored {
    acme::Stored {
        acme: Acme {
            key_id: "kid-1".into(),
            ..acme().acme
        },
        account: None,
        binding_key: Some(vec![9, 8]),
    }
}
