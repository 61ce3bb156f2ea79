//! Demo data: an empty data folder becomes a small ISP, the same one every time.

mod people;

use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use crate::domain::id::{NasId, PlanId};
use crate::domain::money::{Currency, Money};
use crate::domain::nas::{MessageAuthenticator, Nas, Network, Profile, UsageSource};
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::rate::{Burst, Rate};
use crate::domain::time::{Calendar, DAY, Timestamp};
use crate::store::accounting::mark_folded;
use crate::store::nas::{StoredNas, secret_context};
use crate::store::outbox::{self, Work};
use crate::store::subscribers::{StoredSubscriber, password_context};
use crate::store::{self, Store, Tx, nas, plans, sessions, subscribers, usage};

use super::Error;
use people::{Demo, spread_today};

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
/// Errors: `Refused` if the store holds anything already, or did so once: ids are never used again.
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
                        usage::add(tx, day, subscriber, part)?;
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
    if !store::is_unused(&view)? {
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
                        sealed_api_password: Vec::new(),
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
        coa_form: None,
        // Test clients differ in what they send; the first that protects its request must not lock the others out.
        message_authenticator: MessageAuthenticator::Optional,
        limit_proxy_state: true,
        send_message_authenticator: true,
        swap_octets: false,
        interim_interval: None,
        api: None,
        usage_source: UsageSource::Accounting,
        api_fallback: false,
        radsec: None,
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
        let price = Money {
            minor: self.price_minor,
            currency,
        };
        Plan {
            id,
            burst: self.bursts.then(|| Burst {
                rate: scaled(150),
                threshold: scaled(80),
                time_s: 16,
            }),
            pool: "subscribers".to_owned(),
            max_sessions: 2,
            on_expiry: match self.expired_pool {
                true => OnExpiry::ExpiredPool {
                    pool: "expired".to_owned(),
                },
                false => OnExpiry::Reject,
            },
            created_at: now,
            ..Plan::new(self.name, price, rate)
        }
    }
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
                        usage::add(tx, day, subscriber, session.usage())?;
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

/// Whether the data folder holds demo subscribers.
pub fn is_present(app: &crate::app::App) -> Result<bool, Error> {
    let view = app.store.view()?;
    Ok(subscribers::named(&view, "user00000")?.is_some()
        && app.nas_table().find(Ipv4Addr::LOCALHOST.into()).is_some())
}

/// The command, without the program's name, that logs the first demo subscriber in.
pub fn login_command(server: std::net::SocketAddr) -> String {
    format!("radtest --server {server} --secret {SECRET} user00000 pass00000")
}
