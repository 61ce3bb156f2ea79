//! Tells routers what was committed: CoA and Disconnect, paced over all and bounded for each router.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::dispatcher::{Dispatcher, Flight, How};
use super::{Job, Next};
use crate::app::{App, CoaOutcome};
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::routers::{self, Clients};
use crate::store::outbox::{self, Lane};

/// Rows taken from the store at once, and rows under way at most; the rest stays where it is.
const MOST_AT_ONCE: usize = 500;
const MOST_ROWS: usize = 20_000;
/// Requests a second over all (rules.md section 6).
const PER_SECOND: u32 = 200;
/// Requests sent in one piece of work: a quarter of a second, so that a stop does not wait long.
const PIECE: usize = 50;
const PIECE_LIMIT: Duration = Duration::from_millis(250);
const PERIOD: Duration = Duration::from_secs(30);

pub struct Outbox {
    bell: watch::Receiver<u64>,
    clients: Arc<Clients>,
    dispatcher: Dispatcher,
    under_way: JoinSet<(Flight, Option<CoaOutcome>)>,
    pace: Option<Interval>,
    /// The last row that was taken.
    taken: u64,
    /// Rows that are done and still in the store.
    done: Vec<u64>,
    sent: u64,
}

impl Outbox {
    pub fn new(app: &App, clients: Clients) -> Outbox {
        Outbox {
            bell: app.outbox_bell(),
            clients: Arc::new(clients),
            dispatcher: Dispatcher::default(),
            under_way: JoinSet::new(),
            pace: None,
            taken: 0,
            done: Vec::new(),
            sent: 0,
        }
    }

    /// Takes rows that came since the last time. True when there are more.
    fn take_rows(&mut self, app: &App) -> Result<bool, Error> {
        if self.dispatcher.waiting() >= MOST_ROWS {
            return Ok(false);
        }
        let view = app.store.view()?;
        let rows = outbox::waiting_after(&view, Lane::Routers, self.taken, MOST_AT_ONCE)?;
        drop(view);
        let more = rows.len() == MOST_AT_ONCE;
        for (key, work) in rows {
            let orders = match work {
                Some(work) => routers::orders(app, work)?,
                None => Vec::new(),
            };
            let placed = orders
                .into_iter()
                .filter_map(|order| Some((routers::nas_of(app, order)?, order)));
            let is_urgent = work.is_some_and(outbox::Work::is_urgent);
            self.done
                .extend(self.dispatcher.add(key, is_urgent, placed));
            self.taken = key;
        }
        Ok(more)
    }

    fn send(&mut self, app: &Arc<App>, flight: Flight) {
        let (app, clients) = (Arc::clone(app), Arc::clone(&self.clients));
        self.under_way.spawn(async move {
            let outcome = match flight.how {
                How::Send => routers::carry_out(&app, &clients, flight.order).await,
                How::GiveUp => {
                    routers::give_up(&app, flight.order).await;
                    None
                }
            };
            (flight, outcome)
        });
    }

    fn landed(&mut self, flight: Flight, outcome: Option<CoaOutcome>) {
        let answered = outcome.map(|outcome| outcome != CoaOutcome::NoAnswer);
        self.sent += u64::from(answered.is_some());
        self.done.extend(self.dispatcher.finish(flight, answered));
    }

    /// Waits until an order may go out, so that all together keep the pace.
    async fn keep_pace(&mut self) {
        let was_idle = self.under_way.is_empty();
        let pace = self.pace.get_or_insert_with(|| {
            let mut pace = interval(Duration::from_secs(1) / PER_SECOND);
            pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
            pace
        });
        if was_idle {
            // A rest earns no burst.
            pace.reset_immediately();
        }
        pace.tick().await;
    }
}

impl Job for Outbox {
    fn name(&self) -> &'static str {
        "routers"
    }

    fn outcome(&mut self) -> String {
        match self.dispatcher.waiting() {
            0 => format!("{} requests since the start", self.sent),
            waiting => format!("{} requests since the start, {waiting} wait", self.sent),
        }
    }

    async fn work(&mut self, app: Arc<App>, _now: Timestamp) -> Result<Next, Error> {
        self.bell.mark_unchanged();
        let more = self.take_rows(&app)?;
        let mut is_blocked = false;
        for _ in 0..PIECE {
            while let Some(landed) = self.under_way.try_join_next() {
                if let Ok((flight, outcome)) = landed {
                    self.landed(flight, outcome);
                }
            }
            let Some(flight) = self.dispatcher.next(app.now()) else {
                is_blocked = true;
                break;
            };
            if flight.how == How::Send {
                self.keep_pace().await;
            }
            self.send(&app, flight);
        }
        if is_blocked && !more && !self.under_way.is_empty() {
            // Nothing may go out before an answer or a new order comes in.
            tokio::select! {
                landed = self.under_way.join_next() => {
                    if let Some(Ok((flight, outcome))) = landed {
                        self.landed(flight, outcome);
                    }
                }
                _ = self.bell.changed() => {}
                () = tokio::time::sleep(PIECE_LIMIT) => {}
            }
        }
        if !self.done.is_empty() {
            routers::done(&app, self.done.clone()).await?;
            self.done.clear();
        }
        let is_idle = self.dispatcher.is_idle() && !more;
        Ok(if is_idle {
            Next::After(PERIOD)
        } else {
            Next::Again
        })
    }

    async fn wait(&mut self) {
        // An error means that the appliance is gone; then nothing rings any more.
        if self.bell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
