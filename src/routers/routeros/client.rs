//! One router as the rest of the program sees it: a handle that takes requests and tells how the connection is.
//!
//! Behind it one task keeps one connection (`connection`), because routers log every login and allow few sessions. It
//! connects when there is something to ask and stays. Invariant: nobody waits longer than the deadline given, whatever
//! the router does, and nothing that waits is unbounded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::connection::{Actor, Order};
use super::error::ApiError;
use super::exchange::Credentials;
use super::request::Command;
use super::rows::{BATCHES_MAX, Bounds, Limits, Rows};
use super::tls::{Fingerprint, Trust};
use super::wire::Sentence;
use crate::telemetry::monotonic;

/// Requests that wait for the connection or for a place among those that run; one more is `Busy`.
const QUEUE_MAX: usize = 64;

/// Where a router is and how to log in there.
#[derive(Clone)]
pub struct Access {
    /// Usually port 8728 for plain TCP, 8729 for TLS.
    pub address: SocketAddr,
    pub security: Security,
    pub credentials: Credentials,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Password and answers can be read on the way: inside a tunnel only.
    Plain,
    Tls(Trust),
}

/// How the connection is right now. Times are of the monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// `error` is why it ended or failed, none when it was never tried; no new attempt before `next_try`.
    Offline {
        since: Instant,
        error: Option<ApiError>,
        next_try: Instant,
    },
    Connecting,
    Ready {
        since: Instant,
        /// What TLS showed; to be stored after the first use.
        certificate: Option<Fingerprint>,
        /// Name and version of RouterOS, once somebody has read them.
        identity: Option<String>,
        version: Option<String>,
    },
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub rows: Vec<Sentence>,
    /// The `!done`, with `ret` where the command gives something.
    pub done: Sentence,
}

/// A handle to the connection of one router. The task ends when the last handle and the last [`Rows`] are gone.
#[derive(Clone)]
pub struct Router {
    orders: mpsc::Sender<Order>,
    state: Arc<watch::Sender<State>>,
    dropped: Arc<Notify>,
}

/// How long things may take. Apart from the tests there is one set of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) connect: Duration,
    pub(super) login: Duration,
    /// For a router that does not take our octets.
    pub(super) write: Duration,
    /// From `/cancel` to the end of the request.
    pub(super) cancel: Duration,
    /// That a full reader may hold up the others.
    pub(super) patience: Duration,
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
}

impl Times {
    const USUAL: Times = Times {
        connect: Duration::from_secs(5),
        login: Duration::from_secs(5),
        write: Duration::from_secs(10),
        cancel: Duration::from_secs(10),
        patience: Duration::from_secs(2),
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(60),
    };
}

impl Router {
    /// Starts the task of a router; nothing is sent before the first request. Must be called inside a tokio runtime.
    pub fn spawn(access: Access) -> Router {
        Router::spawn_with(access, Times::USUAL)
    }

    pub(super) fn spawn_with(access: Access, times: Times) -> Router {
        let (orders, queue) = mpsc::channel(QUEUE_MAX);
        let now = monotonic();
        let (state, _) = watch::channel(State::Offline {
            since: now,
            error: None,
            next_try: now,
        });
        let router = Router {
            orders,
            state: Arc::new(state),
            dropped: Arc::new(Notify::new()),
        };
        let actor = Actor::new(
            access,
            times,
            queue,
            Arc::clone(&router.state),
            Arc::clone(&router.dropped),
        );
        tokio::spawn(actor.run());
        router
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Asks and gathers the whole answer.
    ///
    /// Errors: any of [`ApiError`]; `TooMany` beyond the rows of `limits` or 32 MiB.
    pub async fn call(&self, command: Command, limits: Limits) -> Result<Reply, ApiError> {
        let mut answer = self.rows(command, limits)?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next().await? {
            rows.push(row);
        }
        let done = answer.into_done();
        Ok(Reply { rows, done })
    }

    /// Asks and gives the rows as they come: for lists that need not be in memory as a whole.
    ///
    /// Errors: `Busy`, `Stopped`, or the last error of a router that is not tried again within the time.
    pub fn rows(&self, command: Command, limits: Limits) -> Result<Rows, ApiError> {
        let deadline = monotonic() + limits.time;
        if let State::Offline {
            error: Some(error),
            next_try,
            ..
        } = &*self.state.borrow()
            && *next_try > deadline
        {
            return Err(error.clone());
        }
        self.order(command, Some(Bounds::new(limits, deadline)))
    }

    /// Asks for what has no end of its own: `listen`, `monitor-traffic`. Dropping the rows cancels it on the router.
    ///
    /// Errors: `Busy`, `Stopped`. When the connection is lost the stream ends with an error, and must be asked for anew.
    pub fn stream(&self, command: Command) -> Result<Rows, ApiError> {
        self.order(command, None)
    }

    fn order(&self, command: Command, bounds: Option<Bounds>) -> Result<Rows, ApiError> {
        let (batches, receiver) = mpsc::channel(BATCHES_MAX);
        let (end, result) = oneshot::channel();
        let order = Order {
            command,
            batches,
            end,
        };
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => ApiError::Busy,
            TrySendError::Closed(_) => ApiError::Stopped,
        })?;
        Ok(Rows::new(
            receiver,
            result,
            Arc::clone(&self.dropped),
            bounds,
        ))
    }

    /// Keeps what was read of the router for whoever looks at the state, until the connection is lost.
    pub(super) fn learn(&self, read_identity: Option<&str>, read_version: Option<&str>) {
        self.state.send_if_modified(|state| {
            let State::Ready {
                identity, version, ..
            } = state
            else {
                return false;
            };
            for (known, read) in [(identity, read_identity), (version, read_version)] {
                if let Some(read) = read {
                    *known = Some(read.to_owned());
                }
            }
            true
        });
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
