//! QuotaSync: every thirty seconds, what live sessions used, by accounting and by the routers' own counters, is held against
//! quotas and tiers.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::speeds::{self, Whom};
use crate::operations::{Error, blocking};

const PERIOD: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct QuotaSync {
    outcome: String,
}

impl Job for QuotaSync {
    fn name(&self) -> &'static str {
        "quota sync"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let sweeping = Arc::clone(&app);
        let told = blocking(move || speeds::sweep(&sweeping, &Whom::All, now)).await??;
        let online = app.accounting.live().open_count();
        let (waiting, failed) = app.pushes.counts();
        self.outcome = format!(
            "{online} sessions, {told} to be told, {waiting} pending, {failed} of them failed"
        );
        Ok(Next::After(PERIOD))
    }
}
