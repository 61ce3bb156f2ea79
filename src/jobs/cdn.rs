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
    /// Only routers that are kept in step are in it; one that is not there is compared at once.
    compared: HashMap<NasId, Compared>,
}

impl Cdn {
    pub fn new(app: &App) -> Cdn {
        Cdn {
            bell: app.cdn_bell(),
            compared: HashMap::new(),
        }
    }
}

/// How the last comparison of a router went.
#[derive(Clone, Copy)]
struct Compared {
    at: Timestamp,
    failed: bool,
}

impl Compared {
    /// Whether it is time for the next one, or the connection is newer than this one, so that the router may have
    /// restarted. `connected` is how long it lasts, where there is one.
    fn is_over(self, now: Timestamp, connected: Option<Duration>) -> bool {
        let passed = now.since(self.at);
        let pause = if self.failed { RETRY_AFTER } else { SYNC_EVERY };
        let is_new = |lasted: Duration| {
            i128::from(passed) > i128::try_from(lasted.as_millis()).unwrap_or(i128::MAX)
        };
        passed >= pause || connected.is_some_and(is_new)
    }
}

fn connected(app: &App, nas: NasId) -> Option<Duration> {
    match router_api::connection(app, nas) {
        Connection::Ready { lasted, .. } => Some(lasted),
        _ => None,
    }
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
            let last = self.compared.get(&nas);
            let is_due = last.is_none_or(|last| last.is_over(now, connected(&app, nas)));
            let task = match is_due {
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
            let before = app.cdn.outcome(nas).map(|outcome| outcome.error);
            let outcome = cdn::sync(Arc::clone(&app), nas).await;
            // A router that stays away is said once.
            if outcome.made > 0 || outcome.error != before.unwrap_or_default() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_is_compared_again_in_time_after_failures_and_reconnects() {
        const NOW: Timestamp = Timestamp(1_800_000_000_000);
        let long = Some(Duration::from_secs(86_400));
        let cases = [
            (SYNC_EVERY - 1, false, long, false),
            (SYNC_EVERY, false, long, true),
            (SYNC_EVERY, false, None, true),
            (RETRY_AFTER - 1, true, None, false),
            (RETRY_AFTER, true, None, true),
            (RETRY_AFTER, false, None, false),
            // It was connected when it was compared, or since.
            (30_000, false, Some(Duration::from_secs(30)), false),
            (30_000, false, Some(Duration::from_millis(29_999)), true),
        ];
        for (passed, failed, connected, due) in cases {
            let last = Compared {
                at: NOW.plus(-passed),
                failed,
            };
            assert_eq!(
                last.is_over(NOW, connected),
                due,
                "{passed} {failed} {connected:?}"
            );
        }
    }
}
