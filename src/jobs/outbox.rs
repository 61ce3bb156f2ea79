//! Tells routers what was committed: CoA and Disconnect, paced.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Job, Next};
use crate::app::{App, CoaOutcome};
use crate::domain::id::NasId;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::routers::{self, Clients, Order};
use crate::store::outbox::{self, Lane};

/// Work taken at once; the rest stays in the store.
const MOST_AT_ONCE: usize = 100;
/// Requests under way to one NAS (rules.md section 6).
const IN_FLIGHT_PER_NAS: usize = 20;
/// Unanswered requests in a row after which a NAS is given up for this round: one full flight.
const GIVE_UP_AFTER: u32 = 20;
/// Requests a second over all (rules.md section 6).
const PER_SECOND: u32 = 200;
const PERIOD: Duration = Duration::from_secs(30);

pub struct Outbox {
    bell: watch::Receiver<u64>,
    clients: Arc<Clients>,
}

impl Outbox {
    pub fn new(app: &App, clients: Clients) -> Outbox {
        Outbox {
            bell: app.outbox_bell(),
            clients: Arc::new(clients),
        }
    }
}

impl Job for Outbox {
    fn name(&self) -> &'static str {
        "routers"
    }

    async fn work(&mut self, app: Arc<App>, _now: Timestamp) -> Result<Next, Error> {
        self.bell.mark_unchanged();
        let waiting = outbox::waiting(&app.store.view()?, Lane::Routers, MOST_AT_ONCE)?;
        if waiting.is_empty() {
            return Ok(Next::After(PERIOD));
        }
        let more = waiting.len() == MOST_AT_ONCE;
        let mut orders = VecDeque::new();
        for work in waiting.iter().filter_map(|(_, work)| *work) {
            for order in routers::orders(&app, work)? {
                // A session that is named twice is told once: the present values go out either way.
                if !orders.contains(&order) {
                    orders.push_back(order);
                }
            }
        }
        carry_out(&app, &self.clients, orders).await;
        let keys: Vec<u64> = waiting.iter().map(|(key, _)| *key).collect();
        routers::done(&app, keys).await?;
        Ok(if more {
            Next::Again
        } else {
            Next::After(PERIOD)
        })
    }

    async fn wait(&mut self) {
        // An error means that the appliance is gone; then nothing rings any more.
        if self.bell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What is under way to one NAS.
struct Nas {
    places: Semaphore,
    /// Requests without an answer since the last answer.
    silent: AtomicU32,
}

impl Default for Nas {
    fn default() -> Self {
        Nas {
            places: Semaphore::new(IN_FLIGHT_PER_NAS),
            silent: AtomicU32::new(0),
        }
    }
}

/// Carries all orders out, paced over all and bounded for each NAS. A router that does not answer is given up for this
/// round after a few requests: what it was to be told holds at the next login (rules.md section 6).
async fn carry_out(app: &Arc<App>, clients: &Arc<Clients>, orders: VecDeque<Order>) {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut routers_by_id: HashMap<NasId, Arc<Nas>> = HashMap::new();
    let mut under_way = JoinSet::new();
    for order in orders {
        pace.tick().await;
        let Some(id) = routers::nas_of(app, order) else {
            continue;
        };
        let nas = Arc::clone(routers_by_id.entry(id).or_default());
        let (app, clients) = (Arc::clone(app), Arc::clone(clients));
        under_way.spawn(async move {
            // The semaphore is never closed.
            let _place = nas.places.acquire().await;
            if nas.silent.load(Ordering::Relaxed) >= GIVE_UP_AFTER {
                routers::give_up(&app, order);
                return;
            }
            match routers::carry_out(&app, &clients, order).await {
                Some(CoaOutcome::NoAnswer) => {
                    nas.silent.fetch_add(1, Ordering::Relaxed);
                }
                Some(_) => nas.silent.store(0, Ordering::Relaxed),
                None => {}
            }
        });
    }
    while under_way.join_next().await.is_some() {}
}
