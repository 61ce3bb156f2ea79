//! Keeps routers in step with the CDN profiles, and reads the queues that count.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Job, Next};
use crate::app::App;
use crate::domain::id::NasId;
use crate::domain::time::{MINUTE, Timestamp};
use crate::operations::router_api::{self, Connection};
use crate::operations::{Error, cdn};
use crate::store::cdn as rows;

/// Counters of queues are read so often (rules.md section 7).
const PERIOD: Duration = Duration::from_secs(30);
/// A router is compared so often: sessions came and went, and somebody may have changed it by hand.
const SYNC_EVERY: i64 = 5 * MINUTE;
/// After a failure it is tried again sooner.
const RETRY_AFTER: i64 = MINUTE;
/// Changes are gathered for so long.
const GATHER: Duration = Duration::from_secs(1);
/// Routers that are worked on at once; a slow one holds one place only.
const AT_ONCE: usize = 16;

pub struct Cdn {
    bell: watch::Receiver<u64>,
    /// How the last comparison of each router went. Only routers that are kept in step are in it.
    compared: HashMap<NasId, Compared>,
}

impl Cdn {
    pub fn new(app: &App) -> Cdn {
        Cdn {
            bell: app.cdn_bell(),
            compared: HashMap::new(),
        }
    }

    /// Whether a router is to be compared now: nobody did so yet, something changed here, time is over, or its connection
    /// is newer than the last comparison, so that it may have restarted.
    fn is_due(&self, app: &App, nas: NasId, now: Timestamp) -> bool {
        let Some(last) = self.compared.get(&nas) else {
            return true;
        };
        let passed = now.since(last.at);
        let pause = if last.failed { RETRY_AFTER } else { SYNC_EVERY };
        let is_new = match router_api::connection(app, nas) {
            Connection::Ready { lasted, .. } => {
                i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX) < passed
            }
            _ => false,
        };
        passed >= pause || is_new
    }
}

#[derive(Clone, Copy)]
struct Compared {
    at: Timestamp,
    failed: bool,
}

/// What is done at a router this time.
enum Task {
    Compare,
    Read,
}

impl Job for Cdn {
    fn name(&self) -> &'static str {
        "CDN"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        if self.bell.has_changed().unwrap_or(false) {
            self.bell.mark_unchanged();
            self.compared.clear();
        }
        let kept = rows::kept(&app.store.view()?)?;
        self.compared.retain(|nas, _| kept.contains(nas));
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        for nas in kept {
            let task = match self.is_due(&app, nas, now) {
                true => Task::Compare,
                false if cdn::counts(&app, nas) => Task::Read,
                false => continue,
            };
            let (app, places) = (Arc::clone(&app), Arc::clone(&places));
            under_way.spawn(async move {
                // The semaphore is never closed.
                let _place = places.acquire().await;
                carry_out(app, nas, task).await
            });
        }
        while let Some(ended) = under_way.join_next().await {
            if let Ok(Some((nas, compared))) = ended {
                self.compared.insert(nas, compared);
            }
        }
        Ok(Next::After(PERIOD))
    }

    async fn wait(&mut self) {
        // An error means that the appliance is gone; then nothing rings any more.
        if self.bell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.bell.mark_changed();
        tokio::time::sleep(GATHER).await;
    }
}

/// How the comparison went, unless the router was only read. What went wrong is on the router's page.
async fn carry_out(app: Arc<App>, nas: NasId, task: Task) -> Option<(NasId, Compared)> {
    match task {
        Task::Compare => {
            let outcome = cdn::sync(app, nas).await;
            if outcome.made > 0 || !outcome.error.is_empty() {
                tracing::info!(%nas, made = outcome.made, error = %outcome.error, "CDN objects of a router");
            }
            let compared = Compared {
                at: outcome.at,
                failed: !outcome.error.is_empty(),
            };
            Some((nas, compared))
        }
        Task::Read => {
            if let Err(error) = cdn::read(&app, nas).await {
                tracing::debug!(%nas, %error, "CDN queues could not be read");
            }
            None
        }
    }
}
