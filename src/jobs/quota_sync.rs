//! QuotaSync: every thirty seconds, what live sessions used, by accounting and by the routers' own counters, is held against
//! quotas and tiers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::id::NasId;
use crate::domain::time::Timestamp;
use crate::operations::api_usage::Missing;
use crate::operations::quota_sync::{self, Read};
use crate::operations::speeds::{self, Whom};
use crate::operations::{Error, blocking};

const PERIOD: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct QuotaSync {
    /// Sessions that were missing at the last reading of each router.
    missing: HashMap<NasId, Missing>,
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
        let reads = quota_sync::read_all(&app).await;
        let (read, silent) = (
            reads.iter().filter(|read| read.readings.is_ok()).count(),
            reads.iter().filter(|read| read.readings.is_err()).count(),
        );
        let missing = std::mem::take(&mut self.missing);
        let syncing = Arc::clone(&app);
        let (missing, told) = blocking(move || sync(&syncing, reads, missing, now)).await??;
        self.missing = missing;
        let online = app.accounting.live().open_count();
        let (waiting, failed) = app.pushes.counts();
        self.outcome = format!(
            "{online} sessions, {told} to be told, {waiting} pending, {failed} of them failed; {read} routers read, {silent} did not answer"
        );
        Ok(Next::After(PERIOD))
    }
}

/// Takes the readings over, then looks at every session.
fn sync(
    app: &App,
    reads: Vec<Read>,
    mut missing: HashMap<NasId, Missing>,
    now: Timestamp,
) -> Result<(HashMap<NasId, Missing>, usize), Error> {
    missing.retain(|id, _| app.nas(*id).is_some());
    for read in reads {
        quota_sync::take(app, read, &mut missing, now)?;
    }
    let told = speeds::sweep(app, &Whom::All, now)?;
    Ok((missing, told))
}
