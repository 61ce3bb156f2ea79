//! Keeps the search index in step with the store, and makes it anew when it was lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Job, Next};
use crate::allocator;
use crate::app::App;
use crate::domain::time::{SECOND, Timestamp};
use crate::operations::{Error, blocking, search};

/// Changes are gathered for so long: one index commit is some 25 disk syncs.
const GATHER: Duration = Duration::from_secs(1);
/// The writer of the index is given back after so long without a change.
const REST_AFTER: i64 = 30 * SECOND;
const PERIOD: Duration = Duration::from_secs(30);

pub struct SearchIndex {
    bell: watch::Receiver<u64>,
    changed_at: Option<Timestamp>,
}

impl SearchIndex {
    pub fn new(app: &App) -> SearchIndex {
        SearchIndex {
            bell: app.outbox_bell(),
            changed_at: None,
        }
    }
}

impl Job for SearchIndex {
    fn name(&self) -> &'static str {
        "search index"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        self.bell.mark_unchanged();
        let should_rest = self
            .changed_at
            .is_some_and(|at| now.since(at) >= REST_AFTER);
        let (more, changed) = blocking(move || {
            let step = search::keep_up(&app)?;
            if should_rest && !step.changed {
                app.search().rest()?;
                allocator::release_unused();
            }
            Ok::<_, Error>((step.more, step.changed))
        })
        .await??;
        match (changed, should_rest) {
            (true, _) => self.changed_at = Some(now),
            (false, true) => self.changed_at = None,
            (false, false) => {}
        }
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
        tokio::time::sleep(GATHER).await;
    }
}
