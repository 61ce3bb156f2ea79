//! One value of each shape with everything in it, and one with as little as there can be.

use super::*;
use crate::domain::access::Reason;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::id::{NasId, PlanId};
use crate::domain::mac::Mac;
use crate::domain::money::{Currency, Money};
use crate::domain::nas::{MessageAuthenticator, Nas, Network, Profile};
use crate::domain::operator::{Operator, Role};
use crate::domain::plan::{OnExpiry, OnLimit, Plan, Term, TermUnit};
use crate::domain::rate::{Burst, Rate};
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::subscriber::{MacMode, Status, Subscriber};
use crate::domain::text::Username;
use crate::domain::time::Day;
use crate::domain::window::Window;
use crate::store::audit::{self, NewEntry};
use crate::store::auth_log::{Attempt, Method};
use crate::store::nas::StoredNas;
use crate::store::operators::{StoredLogin, StoredOperator};
use crate::store::outbox::Work;
use crate::store::subscribers::StoredSubscriber;
use std::net::{IpAddr, Ipv4Addr};

const NOW: Timestamp = Timestamp(1_780_000_000_123);

pub fn put_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for stored in [subscriber_full(), subscriber_bare()] {
        subscribers::put(tx, &stored)?;
    }
    for plan in [plan_full(), plan_bare()] {
        plans::put(tx, &plan)?;
    }
    for stored in [nas_full(), nas_bare()] {
        nas::put(tx, &stored)?;
    }
    operators::put(tx, &operator())?;
    operators::put_login(tx, &[7; 32], &login())?;
    for session in [session_closed(), session_open()] {
        sessions::put(tx, &session)?;
    }
    sessions::add_usage(tx, Day(20_600), SubscriberId(1), Traffic::new(1, u64::MAX))?;
    auth_log::append(tx, 1, &attempts(), NOW)?;
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
            created_at: NOW,
        },
        sealed_password: vec![1, 2, 3],
    }
}

pub fn subscriber_bare() -> StoredSubscriber {
    StoredSubscriber {
        subscriber: Subscriber {
            id: SubscriberId(2),
            username: Username::parse("b").unwrap(),
            full_name: String::new(),
            phone: String::new(),
            email: String::new(),
            address: String::new(),
            notes: String::new(),
            plan: PlanId(2),
            status: Status::Enabled,
            expires_at: None,
            max_sessions: None,
            on_limit: None,
            mac_mode: MacMode::Fixed,
            macs: Vec::new(),
            only_nas: None,
            static_address: None,
            rate_override: None,
            created_at: Timestamp(0),
        },
        sealed_password: Vec::new(),
    }
}

pub fn plan_full() -> Plan {
    Plan {
        id: PlanId(1),
        name: "Home 10".into(),
        price: Money {
            minor: -1,
            currency: Currency::parse("IQD").unwrap(),
        },
        term: Term {
            count: 30,
            unit: TermUnit::Days,
        },
        rate: Rate::new(2_000, 10_000),
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
        monthly_quota_octets: Some(u64::MAX),
        login_hours: Some(Window::parse("1-5 22:00-06:00").unwrap()),
        send_mppe: true,
        notes: "n".into(),
        created_at: NOW,
    }
}

pub fn plan_bare() -> Plan {
    Plan {
        id: PlanId(2),
        name: String::new(),
        term: Term {
            count: 1,
            unit: TermUnit::Months,
        },
        burst: None,
        priority: 8,
        pool: String::new(),
        address_list: String::new(),
        max_sessions: 1,
        on_limit: OnLimit::ReplaceOld,
        on_expiry: OnExpiry::Reject,
        monthly_quota_octets: None,
        login_hours: None,
        send_mppe: false,
        ..plan_full()
    }
}

pub fn nas_full() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(1),
            name: "tower".into(),
            network: Network::parse("2001:db8::/64").unwrap(),
            profile: Profile::Wispr,
            coa_port: 1_700,
            message_authenticator: MessageAuthenticator::Auto { pinned: true },
            limit_proxy_state: true,
            send_message_authenticator: true,
            swap_octets: true,
            interim_interval: Some(300),
            notes: "n".into(),
            created_at: NOW,
        },
        sealed_secret: vec![9; 5],
    }
}

pub fn nas_bare() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(2),
            network: Network::parse("127.0.0.1").unwrap(),
            profile: Profile::MikroTik,
            message_authenticator: MessageAuthenticator::Optional,
            limit_proxy_state: false,
            send_message_authenticator: false,
            swap_octets: false,
            interim_interval: None,
            ..nas_full().nas
        },
        sealed_secret: Vec::new(),
    }
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

fn place() -> Place {
    Place {
        address: Some(Ipv4Addr::new(100, 64, 0, 9)),
        ipv6_prefix: Some(("2001:db8::".parse().unwrap(), 64)),
        delegated_prefix: Some(("2001:db8:1::".parse().unwrap(), 56)),
        mac: Some(Mac([2, 0, 0, 0, 0, 9])),
        calling_station: "line 7".into(),
        nas_port: Some(15_728_640),
        nas_port_id: "ether2".into(),
        nas_ip: Some(Ipv4Addr::LOCALHOST),
        source: Some("::1".parse().unwrap()),
    }
}

pub fn session_closed() -> Session {
    Session {
        id: SessionId(1),
        subscriber: Some(SubscriberId(1)),
        login: Some(LoginId(u64::MAX)),
        booked: Traffic::new(5, 6),
        place: place(),
        stopped: Some(Stopped {
            at: NOW,
            cause: Cause::NasOff,
        }),
        resumed: true,
        ..session_open()
    }
}

pub fn session_open() -> Session {
    Session {
        id: SessionId(2),
        nas: NasId(1),
        acct_session_id: b"81a0\xff".to_vec(),
        username: "Ali".into(),
        subscriber: None,
        login: None,
        started_at: NOW,
        updated_at: NOW.plus(60_000),
        heard_at: NOW.plus(59_000),
        session_time: 60,
        highest: Traffic::new(1, u64::MAX),
        booked: Traffic::new(1, u64::MAX),
        place: Place::default(),
        stopped: None,
        resumed: false,
    }
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
    ]
}

/// Entries of the journal by the name of their line.
pub fn entry(name: &str) -> Entry {
    let stop = Record {
        kind: RecordKind::Stop { cause: 2 },
        nas: NasId(1),
        nas_since: Timestamp(5),
        acct_session_id: b"81a0\xff".to_vec(),
        username: "Ali".into(),
        subscriber: Some(SubscriberId(7)),
        login: Some(LoginId(9)),
        event_at: NOW,
        received_at: NOW.plus(1),
        session_time: Some(60),
        totals: Some(Traffic::new(1, u64::MAX)),
        has_gigawords: true,
        place: place(),
    };
    match name {
        "journal-stop" => Entry::Record(stop),
        "journal-on" => Entry::Record(Record {
            kind: RecordKind::On,
            subscriber: None,
            login: None,
            session_time: None,
            totals: None,
            has_gigawords: false,
            place: Place::default(),
            ..stop
        }),
        _ => Entry::GiveUp {
            session: SessionId(3),
            at: NOW,
        },
    }
}
