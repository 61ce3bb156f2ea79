//! Demo data: an empty data folder becomes a small ISP, the same one every time.

use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use crate::domain::id::{NasId, PlanId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::money::{Currency, Money};
use crate::domain::nas::{MessageAuthenticator, Nas, Network, Profile};
use crate::domain::octets::Traffic;
use crate::domain::plan::{OnExpiry, OnLimit, Plan, Term, TermUnit};
use crate::domain::rate::{Burst, Rate};
use crate::domain::session::{Cause, Place, Session, Stopped};
use crate::domain::subscriber::{MacMode, Status, Subscriber};
use crate::domain::text::Username;
use crate::domain::time::{Calendar, DAY, HOUR, MINUTE, SECOND, Timestamp};
use crate::store::accounting::mark_folded;
use crate::store::nas::{StoredNas, secret_context};
use crate::store::outbox::{self, Work};
use crate::store::subscribers::{StoredSubscriber, password_context};
use crate::store::{Store, Tx, nas, plans, sessions, subscribers};

use super::Error;

/// The shared secret of the demo routers.
pub const SECRET: &str = "testing123";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub subscribers: u32,
    /// Open sessions, at most one a subscriber.
    pub sessions: u32,
    /// Days of history.
    pub days: u32,
}

pub const MOST_SUBSCRIBERS: u32 = 1_000_000;
pub const MOST_DAYS: u32 = 400;
/// Rows in one transaction.
const STEP: u32 = 5_000;

/// Fills the store. `progress` is told what is done and may stop it; then the folder is left half-filled.
/// Errors: `Refused` if the store holds anything already.
pub fn fill(
    store: &Store,
    size: Size,
    now: Timestamp,
    mut progress: impl FnMut(&str, u32, u32) -> ControlFlow<()>,
) -> Result<(), Error> {
    check(store, size)?;
    let first = store
        .write("demo plans", move |tx| furnish(tx, now))
        .wait()?;
    add_secrets(store, first, now)?;
    let demo = Demo {
        now,
        plans: first.plans,
        nas: first.nas,
        subscribers: size.subscribers,
    };
    for from in (0..size.subscribers).step_by(usize::try_from(STEP).unwrap_or(1)) {
        let to = from.saturating_add(STEP).min(size.subscribers);
        let sealer = store.sealer().clone();
        store
            .write("demo subscribers", move |tx| {
                for number in from..to {
                    let subscriber = demo.subscriber(number)?;
                    let context = password_context(subscriber.id);
                    let sealed_password =
                        sealer.seal(context.as_bytes(), format!("pass{number:05}").as_bytes())?;
                    subscribers::next_id(tx)?;
                    subscribers::put(
                        tx,
                        &StoredSubscriber {
                            subscriber,
                            sealed_password,
                        },
                    )?;
                }
                Ok::<_, Error>(())
            })
            .wait()?;
        if progress("subscribers", to, size.subscribers).is_break() {
            return Ok(());
        }
    }
    let mut next = 1;
    for back in (1..=size.days).rev() {
        next = history_of_day(store, demo, back, next)?;
        if progress("days of history", size.days - back + 1, size.days).is_break() {
            return Ok(());
        }
    }
    let open = size.sessions.min(size.subscribers);
    store
        .write("demo sessions", move |tx| {
            for number in 0..open {
                let session = demo.open_session(number, next.saturating_add(number.into()));
                for (day, part) in spread_today(&session, demo.now) {
                    if let Some(subscriber) = session.subscriber {
                        sessions::add_usage(tx, day, subscriber, part)?;
                    }
                }
                sessions::put(tx, &session)?;
            }
            mark_folded(tx, next.saturating_add(open.into()))?;
            Ok::<_, Error>(())
        })
        .wait()?;
    // ControlFlow of the last step: everything is done anyway.
    let _ = progress("open sessions", open, open);
    Ok(())
}

fn check(store: &Store, size: Size) -> Result<(), Error> {
    if size.subscribers > MOST_SUBSCRIBERS || size.days > MOST_DAYS {
        return Err(Error::Refused(format!(
            "At most {MOST_SUBSCRIBERS} subscribers and {MOST_DAYS} days"
        )));
    }
    let view = store.view()?;
    if subscribers::count(&view)? > 0
        || !plans::all(&view)?.is_empty()
        || !nas::all(&view)?.is_empty()
    {
        return Err(Error::Refused(format!(
            "{} holds data already; demo data goes into an empty folder only",
            store.folder().display()
        )));
    }
    Ok(())
}

/// What the subscribers refer to.
#[derive(Debug, Clone, Copy)]
struct First {
    plans: [PlanId; 4],
    nas: NasId,
    nas_v6: NasId,
}

fn furnish(tx: &mut Tx<'_>, now: Timestamp) -> Result<First, Error> {
    let currency = Currency::parse("USD").map_err(|problem| Error::Field {
        field: "currency",
        problem,
    })?;
    let mut made = [PlanId(0); 4];
    for (slot, offer) in made.iter_mut().zip(OFFERS) {
        let id = plans::next_id(tx)?;
        plans::put(tx, &offer.plan(id, currency, now))?;
        outbox::add(tx, Work::IndexPlan(id))?;
        *slot = id;
    }
    Ok(First {
        plans: made,
        nas: nas::next_id(tx)?,
        nas_v6: nas::next_id(tx)?,
    })
}

fn add_secrets(store: &Store, first: First, now: Timestamp) -> Result<(), Error> {
    let sealer = store.sealer().clone();
    store
        .write("demo NAS", move |tx| {
            for (id, name, address) in [
                (first.nas, "localhost", "127.0.0.1"),
                (first.nas_v6, "localhost-v6", "::1"),
            ] {
                let network = Network::parse(address).map_err(|problem| Error::Field {
                    field: "address",
                    problem,
                })?;
                let sealed_secret =
                    sealer.seal(secret_context(id).as_bytes(), SECRET.as_bytes())?;
                nas::put(
                    tx,
                    &StoredNas {
                        nas: router(id, name, network, now),
                        sealed_secret,
                    },
                )?;
                outbox::add(tx, Work::IndexNas(id))?;
            }
            Ok(())
        })
        .wait()
}

fn router(id: NasId, name: &str, network: Network, now: Timestamp) -> Nas {
    Nas {
        id,
        name: name.to_owned(),
        network,
        profile: Profile::MikroTik,
        coa_port: 3799,
        message_authenticator: MessageAuthenticator::Auto { pinned: false },
        limit_proxy_state: true,
        send_message_authenticator: true,
        swap_octets: false,
        interim_interval: None,
        notes: "Demo router: radclient and radtest on this machine".to_owned(),
        created_at: now.plus(-i64::from(MOST_DAYS) * DAY),
    }
}

struct Offer {
    name: &'static str,
    price_minor: i64,
    upload_kbps: u64,
    download_kbps: u64,
    bursts: bool,
    expired_pool: bool,
}

const OFFERS: [Offer; 4] = [
    Offer {
        name: "Home 10",
        price_minor: 1_500,
        upload_kbps: 2_000,
        download_kbps: 10_000,
        bursts: false,
        expired_pool: true,
    },
    Offer {
        name: "Home 25",
        price_minor: 2_500,
        upload_kbps: 5_000,
        download_kbps: 25_000,
        bursts: true,
        expired_pool: true,
    },
    Offer {
        name: "Family 50",
        price_minor: 3_500,
        upload_kbps: 10_000,
        download_kbps: 50_000,
        bursts: true,
        expired_pool: true,
    },
    Offer {
        name: "Business 100",
        price_minor: 9_900,
        upload_kbps: 50_000,
        download_kbps: 100_000,
        bursts: false,
        expired_pool: true,
    },
];

impl Offer {
    fn plan(&self, id: PlanId, currency: Currency, now: Timestamp) -> Plan {
        let rate = Rate::new(self.upload_kbps, self.download_kbps);
        let scaled = |percent: u64| {
            Rate::new(
                self.upload_kbps * percent / 100,
                self.download_kbps * percent / 100,
            )
        };
        Plan {
            id,
            name: self.name.to_owned(),
            price: Money {
                minor: self.price_minor,
                currency,
            },
            term: Term {
                count: 1,
                unit: TermUnit::Months,
            },
            rate,
            burst: self.bursts.then(|| Burst {
                rate: scaled(150),
                threshold: scaled(80),
                time_s: 16,
            }),
            priority: 8,
            pool: "subscribers".to_owned(),
            address_list: String::new(),
            max_sessions: 2,
            on_limit: OnLimit::ReplaceOld,
            on_expiry: match self.expired_pool {
                true => OnExpiry::ExpiredPool {
                    pool: "expired".to_owned(),
                },
                false => OnExpiry::Reject,
            },
            monthly_quota_octets: None,
            login_hours: None,
            send_mppe: false,
            notes: String::new(),
            created_at: now,
        }
    }
}

/// The same numbers every time: SplitMix64 (Steele, Lea, Flood 2014) of a number.
fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn below(seed: u64, bound: u64) -> u64 {
    scatter(seed) % bound.max(1)
}

fn pick<'a>(seed: u64, from: &[&'a str]) -> &'a str {
    let index = usize::try_from(below(seed, u64::try_from(from.len()).unwrap_or(1))).unwrap_or(0);
    from.get(index).copied().unwrap_or_default()
}

const GIVEN: [&str; 20] = [
    "Ahmed",
    "Sara",
    "Omar",
    "Layla",
    "Hassan",
    "Nour",
    "Yusuf",
    "Mariam",
    "Karim",
    "Zainab",
    "أحمد",
    "فاطمة",
    "محمد",
    "زينب",
    "علي",
    "مريم",
    "حسين",
    "نور",
    "مصطفى",
    "هدى",
];
const FAMILY: [&str; 16] = [
    "Haddad",
    "Khalil",
    "Saleh",
    "Mansour",
    "Aziz",
    "Rahman",
    "Najjar",
    "Fares",
    "الحداد",
    "الجبوري",
    "العبيدي",
    "الموسوي",
    "التميمي",
    "السامرائي",
    "الزبيدي",
    "الربيعي",
];
const STREETS: [&str; 6] = [
    "Market Street",
    "River Road",
    "Palm Avenue",
    "School Lane",
    "Station Road",
    "Garden Square",
];

#[derive(Debug, Clone, Copy)]
struct Demo {
    now: Timestamp,
    plans: [PlanId; 4],
    nas: NasId,
    subscribers: u32,
}

impl Demo {
    fn subscriber(&self, number: u32) -> Result<Subscriber, Error> {
        let seed = u64::from(number) << 8;
        let username = Username::parse(&format!("user{number:05}"));
        let username = username.map_err(|problem| Error::Field {
            field: "user_name",
            problem,
        })?;
        let plan = usize::try_from(below(seed + 1, 4)).unwrap_or(0);
        Ok(Subscriber {
            id: SubscriberId(number.saturating_add(1)),
            username,
            full_name: format!("{} {}", pick(seed + 2, &GIVEN), pick(seed + 3, &FAMILY)),
            phone: format!("+9647{:09}", below(seed + 4, 1_000_000_000)),
            email: String::new(),
            address: format!("{} {}", 1 + below(seed + 5, 200), pick(seed + 6, &STREETS)),
            notes: String::new(),
            plan: self.plans.get(plan).copied().unwrap_or(PlanId(1)),
            status: Status::Enabled,
            expires_at: Some(self.now.plus(self.days_left(number) * DAY)),
            max_sessions: None,
            on_limit: None,
            mac_mode: MacMode::Off,
            macs: Vec::new(),
            only_nas: None,
            static_address: None,
            rate_override: None,
            created_at: self.now.plus(-signed(below(seed + 8, 700)) * DAY),
        })
    }

    /// Most have weeks left, some a few days, a few are over and get the expired pool.
    fn days_left(&self, number: u32) -> i64 {
        let seed = (u64::from(number) << 8) + 7;
        match below(seed, 100) {
            _ if number < 10 => 30,
            0..4 => -1 - signed(below(seed + 100, 20)),
            4..14 => 1 + signed(below(seed + 100, 6)),
            _ => 8 + signed(below(seed + 100, 50)),
        }
    }

    fn place(&self, number: u32) -> Place {
        let [_, a, b, c] = number.to_be_bytes();
        Place {
            address: Some(Ipv4Addr::from_bits(0x6440_0000 + number + 2)),
            mac: Some(Mac([0x02, 0x10, 0x20, a, b, c])),
            nas_port: Some(0x00f0_0000 + number),
            nas_port_id: "ether2".to_owned(),
            nas_ip: Some(Ipv4Addr::LOCALHOST),
            source: Some(Ipv4Addr::LOCALHOST.into()),
            ..Place::default()
        }
    }

    fn open_session(&self, number: u32, id: u64) -> Session {
        let seed = (u64::from(number) << 8) + 50;
        let started_at = self
            .now
            .plus(-(5 * MINUTE + signed(below(seed, 20 * 3600)) * SECOND));
        let updated_at = self.now.plus(-signed(below(seed + 1, 55)) * SECOND);
        let seconds = updated_at.since(started_at) / SECOND;
        let used = Traffic::new(
            below(seed + 2, 40_000) * u64::try_from(seconds).unwrap_or(0),
            below(seed + 3, 400_000) * u64::try_from(seconds).unwrap_or(0),
        );
        Session {
            id: SessionId(id),
            nas: self.nas,
            acct_session_id: format!("81d{number:05x}").into_bytes(),
            username: format!("user{number:05}"),
            subscriber: Some(SubscriberId(number.saturating_add(1))),
            login: None,
            started_at,
            updated_at,
            heard_at: updated_at,
            session_time: u32::try_from(seconds).unwrap_or(0),
            highest: used,
            booked: used,
            place: self.place(number),
            stopped: None,
            resumed: false,
        }
    }

    /// A session that began and ended on one day in the past, or `None` for one who stayed away.
    fn past_session(&self, number: u32, back: u32, id: u64) -> Option<Session> {
        let seed = (u64::from(number) << 24) + (u64::from(back) << 8);
        if below(seed, 100) < 30 {
            return None;
        }
        let calendar = Calendar::utc();
        let day = calendar.day(self.now).plus(-i32::try_from(back).ok()?);
        let started_at = calendar
            .starts(day)
            .plus(HOUR + signed(below(seed + 1, 14 * 3600)) * SECOND);
        let seconds = 600 + below(seed + 2, 8 * 3600);
        let ended_at = started_at.plus(signed(seconds) * SECOND);
        let used = Traffic::new(
            below(seed + 3, 30_000) * seconds,
            below(seed + 4, 300_000) * seconds,
        );
        let causes = [1, 1, 1, 2, 5, 10];
        let cause = causes
            .get(usize::try_from(below(seed + 5, 6)).unwrap_or(0))
            .copied()
            .unwrap_or(1);
        Some(Session {
            id: SessionId(id),
            acct_session_id: format!("80{back:02x}{number:05x}").into_bytes(),
            started_at,
            updated_at: ended_at,
            heard_at: ended_at,
            session_time: u32::try_from(seconds).unwrap_or(0),
            highest: used,
            booked: used,
            stopped: Some(Stopped {
                at: ended_at,
                cause: Cause::Radius(cause),
            }),
            ..self.open_session(number, id)
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

/// Writes the sessions of one past day and returns the next free session id.
fn history_of_day(store: &Store, demo: Demo, back: u32, mut next: u64) -> Result<u64, Error> {
    let day = Calendar::utc()
        .day(demo.now)
        .plus(-i32::try_from(back).unwrap_or(0));
    for from in (0..demo.subscribers).step_by(usize::try_from(STEP).unwrap_or(1)) {
        let to = from.saturating_add(STEP).min(demo.subscribers);
        let first = next;
        next = store
            .write("demo history", move |tx| {
                let mut next = first;
                for number in from..to {
                    let Some(session) = demo.past_session(number, back, next) else {
                        continue;
                    };
                    if let Some(subscriber) = session.subscriber {
                        sessions::add_usage(tx, day, subscriber, session.booked)?;
                    }
                    sessions::put(tx, &session)?;
                    next += 1;
                }
                mark_folded(tx, next)?;
                Ok::<_, Error>(next)
            })
            .wait()?;
    }
    Ok(next)
}

/// The usage of an open session by day, all of it on the day of its last record: close enough for a demo, and it adds up.
fn spread_today(session: &Session, now: Timestamp) -> Vec<(crate::domain::time::Day, Traffic)> {
    vec![(
        Calendar::utc().day(session.updated_at.max(now.plus(-DAY))),
        session.booked,
    )]
}

/// Whether the data folder holds demo subscribers.
pub fn is_present(app: &crate::app::App) -> Result<bool, Error> {
    let view = app.store.view()?;
    Ok(subscribers::named(&view, "user00000")?.is_some()
        && app.nas_table().find(Ipv4Addr::LOCALHOST.into()).is_some())
}
