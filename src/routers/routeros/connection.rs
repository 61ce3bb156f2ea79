//! The task of one router: when it connects, how long it waits after a failure, and how requests share the connection.
//!
//! It knows nothing of deadlines: whoever gives up drops the rows, and the request is cancelled here. Invariant: every
//! order ends, with its `!done` or with what ended the connection.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{sleep_until, timeout};

use super::client::{Access, Security, State, Times};
use super::connect::{Connected, connect};
use super::error::ApiError;
use super::exchange::Event;
use super::request::Command;
use super::rows::End;
use super::tls::Trust;
use super::wire::Sentence;
use crate::crypto;
use crate::telemetry::monotonic;

/// Requests on the connection at a time; more wait in the queue.
pub(super) const RUNNING_MAX: usize = 32;
/// Octets read at a time.
const READ_OCTETS: usize = 32 << 10;
/// Octets that may come while nothing runs: late words of requests that are over, and no more.
const UNASKED_MAX_OCTETS: usize = 64 << 10;

/// A request and where its answer goes.
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) batches: mpsc::Sender<Vec<Sentence>>,
    pub(super) end: oneshot::Sender<End>,
}

impl Order {
    /// Nobody waits for it any more.
    fn is_dropped(&self) -> bool {
        self.batches.is_closed()
    }

    fn fail(self, error: ApiError) {
        // Whoever does not listen needs no error.
        let _ = self.end.send(Err(error));
    }
}

pub(super) struct Actor {
    access: Access,
    times: Times,
    orders: mpsc::Receiver<Order>,
    state: Arc<watch::Sender<State>>,
    dropped: Arc<Notify>,
    /// Since when there is no connection.
    offline: Instant,
    /// Attempts without a useful connection since the last one.
    failures: u32,
    next_try: Instant,
}

impl Actor {
    pub(super) fn new(
        access: Access,
        times: Times,
        orders: mpsc::Receiver<Order>,
        state: Arc<watch::Sender<State>>,
        dropped: Arc<Notify>,
    ) -> Actor {
        let now = monotonic();
        Actor {
            access,
            times,
            orders,
            state,
            dropped,
            offline: now,
            failures: 0,
            next_try: now,
        }
    }

    /// Runs until every handle is gone.
    pub(super) async fn run(mut self) {
        while let Some(order) = self.orders.recv().await {
            if order.is_dropped() {
                continue;
            }
            sleep_until(self.next_try.into()).await;
            if order.is_dropped() {
                continue;
            }
            self.state.send_replace(State::Connecting);
            match connect(&self.access, &self.times).await {
                Ok(connected) => self.online(connected, order).await,
                Err(error) => self.failed(error, order),
            }
        }
    }

    async fn online(&mut self, connected: Connected, order: Order) {
        if let (Security::Tls(trust @ Trust::FirstUse), Some(certificate)) =
            (&mut self.access.security, connected.certificate)
        {
            *trust = Trust::Pinned(certificate);
        }
        self.state.send_replace(State::Ready {
            since: monotonic(),
            certificate: connected.certificate,
            identity: None,
            version: None,
        });
        let mut connection = Connection {
            connected,
            times: self.times,
            running: HashMap::new(),
            was_useful: false,
        };
        let end = connection
            .serve(order, &mut self.orders, &self.dropped)
            .await;
        let was_useful = connection.was_useful;
        let error = end.err();
        connection.end(error.clone().unwrap_or(ApiError::Stopped));
        self.offline = monotonic();
        if was_useful {
            self.failures = 0;
            self.wait(error, Duration::ZERO);
        } else {
            let pause = self.pause();
            self.wait(error, pause);
        }
    }

    /// Those who wait are told now: the next attempt may be a minute away.
    fn failed(&mut self, error: ApiError, order: Order) {
        order.fail(error.clone());
        while let Ok(order) = self.orders.try_recv() {
            order.fail(error.clone());
        }
        // Routers write every refused login into their log, and some lock the user out.
        let pause = match error {
            ApiError::LoginRefused(_) => self.times.longest_pause,
            _ => self.pause(),
        };
        self.wait(Some(error), pause);
    }

    /// Doubles with every failure, up to the longest, and spreads by a quarter so that routers do not come together.
    pub(super) fn pause(&mut self) -> Duration {
        let doubled = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = self.times.first_pause.saturating_mul(doubled);
        let pause = pause.min(self.times.longest_pause);
        let [random] = crypto::random_bytes().unwrap_or_default();
        let spread = pause.saturating_mul(random.into()) / (4 * 255);
        pause.saturating_add(spread)
    }

    fn wait(&mut self, error: Option<ApiError>, pause: Duration) {
        self.next_try = monotonic() + pause;
        self.state.send_replace(State::Offline {
            since: self.offline,
            error,
            next_try: self.next_try,
        });
    }
}

/// A request on the connection.
enum Running {
    Answered(Reader),
    /// The router was told to end it, and has until then.
    Cancelled(Instant),
}

/// Where the rows of a request go.
struct Reader {
    batches: mpsc::Sender<Vec<Sentence>>,
    end: oneshot::Sender<End>,
    /// Rows of the octets at hand.
    batch: Vec<Sentence>,
    /// How long the others may still wait for this one; whole again whenever it has kept up.
    patience: Duration,
}

/// What became of rows that were given to a reader.
enum Delivery {
    Taken,
    Dropped,
    TooSlow,
}

impl Reader {
    async fn deliver(&mut self, times: &Times) -> Delivery {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Delivery::Taken;
        }
        let batch = match self.batches.try_send(batch) {
            Ok(()) => {
                self.patience = times.patience;
                return Delivery::Taken;
            }
            Err(TrySendError::Closed(_)) => return Delivery::Dropped,
            Err(TrySendError::Full(batch)) => batch,
        };
        let start = monotonic();
        let sent = timeout(self.patience, self.batches.send(batch)).await;
        self.patience = self
            .patience
            .saturating_sub(monotonic().saturating_duration_since(start));
        match sent {
            Ok(Ok(())) => Delivery::Taken,
            Ok(Err(_)) => Delivery::Dropped,
            Err(_) => Delivery::TooSlow,
        }
    }
}

struct Connection {
    connected: Connected,
    times: Times,
    running: HashMap<u64, Running>,
    /// A request came to its end: the router works, and may be asked again at once should the connection be lost.
    was_useful: bool,
}

impl Connection {
    /// Sends and receives until nobody is left to serve (`Ok`) or the connection is lost.
    async fn serve(
        &mut self,
        first: Order,
        orders: &mut mpsc::Receiver<Order>,
        dropped: &Notify,
    ) -> Result<(), ApiError> {
        let mut buffer = vec![0; READ_OCTETS].into_boxed_slice();
        let mut events = Vec::new();
        let mut open = true;
        let mut unasked = 0;
        self.begin(first)?;
        while open || !self.running.is_empty() {
            self.send().await?;
            let deadline = self.next_deadline();
            tokio::select! {
                read = self.connected.socket.read(&mut buffer) => {
                    let read = read.map_err(|error| ApiError::lost(&error))?;
                    if read == 0 {
                        return Err(ApiError::Closed);
                    }
                    let octets = buffer.get(..read).unwrap_or_default();
                    let received = self.connected.exchange.receive(octets, &mut events);
                    self.attend(&mut events).await?;
                    received?;
                    unasked = if self.running.is_empty() { unasked + read } else { 0 };
                    if unasked > UNASKED_MAX_OCTETS {
                        return Err(ApiError::Unasked);
                    }
                }
                order = orders.recv(), if open && self.running.len() < RUNNING_MAX => match order {
                    Some(order) => self.begin(order)?,
                    None => open = false,
                },
                () = dropped.notified() => self.cancel_dropped()?,
                () = at(deadline) => return Err(ApiError::Timeout { what: "end a request" }),
            }
        }
        Ok(())
    }

    /// A request that does not fit in a sentence fails alone.
    fn begin(&mut self, order: Order) -> Result<(), ApiError> {
        if order.is_dropped() {
            return Ok(());
        }
        match self.connected.exchange.request(&order.command) {
            Ok(tag) => {
                let reader = Reader {
                    batches: order.batches,
                    end: order.end,
                    batch: Vec::new(),
                    patience: self.times.patience,
                };
                self.running.insert(tag, Running::Answered(reader));
            }
            Err(error) => order.fail(error),
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), ApiError> {
        let output = self.connected.exchange.take_output();
        if output.is_empty() {
            return Ok(());
        }
        let socket = &mut self.connected.socket;
        let sent = async {
            socket.write_all(&output).await?;
            socket.flush().await
        };
        timeout(self.times.write, sent)
            .await
            .map_err(|_| ApiError::Timeout {
                what: "take a request",
            })?
            .map_err(|error| ApiError::lost(&error))
    }

    /// Hands out rows in batches, one for each request and read.
    async fn attend(&mut self, events: &mut Vec<Event>) -> Result<(), ApiError> {
        let mut touched = Vec::new();
        for event in events.drain(..) {
            match event {
                Event::Row { tag, row } => {
                    if let Some(Running::Answered(reader)) = self.running.get_mut(&tag) {
                        if reader.batch.is_empty() {
                            touched.push(tag);
                        }
                        reader.batch.push(row);
                    }
                }
                Event::Ended { tag, result } => {
                    self.was_useful = true;
                    if let Some(Running::Answered(mut reader)) = self.running.remove(&tag) {
                        let result = match reader.deliver(&self.times).await {
                            Delivery::Taken => result,
                            Delivery::Dropped => continue,
                            Delivery::TooSlow => Err(ApiError::TooSlow),
                        };
                        let _ = reader.end.send(result);
                    }
                }
                Event::LoggedIn => {}
            }
        }
        for tag in touched {
            let Some(Running::Answered(reader)) = self.running.get_mut(&tag) else {
                continue;
            };
            match reader.deliver(&self.times).await {
                Delivery::Taken => {}
                Delivery::Dropped => self.cancel(tag, None)?,
                Delivery::TooSlow => self.cancel(tag, Some(ApiError::TooSlow))?,
            }
        }
        Ok(())
    }

    fn cancel_dropped(&mut self) -> Result<(), ApiError> {
        let is_dropped = |running: &Running| matches!(running, Running::Answered(reader) if reader.batches.is_closed());
        let tags: Vec<u64> = self
            .running
            .iter()
            .filter(|(_, running)| is_dropped(running))
            .map(|(tag, _)| *tag)
            .collect();
        tags.into_iter().try_for_each(|tag| self.cancel(tag, None))
    }

    fn cancel(&mut self, tag: u64, reason: Option<ApiError>) -> Result<(), ApiError> {
        let until = monotonic() + self.times.cancel;
        let running = self.running.insert(tag, Running::Cancelled(until));
        if let (Some(Running::Answered(reader)), Some(reason)) = (running, reason) {
            let _ = reader.end.send(Err(reason));
        }
        self.connected.exchange.cancel(tag)
    }

    /// When the first of the cancelled requests must have ended.
    fn next_deadline(&self) -> Option<Instant> {
        self.running
            .values()
            .filter_map(|running| match running {
                Running::Cancelled(until) => Some(*until),
                Running::Answered(_) => None,
            })
            .min()
    }

    /// Tells those who still wait.
    fn end(self, error: ApiError) {
        for running in self.running.into_values() {
            if let Running::Answered(reader) = running {
                let _ = reader.end.send(Err(error.clone()));
            }
        }
    }
}

/// Waits until then, or for ever.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
