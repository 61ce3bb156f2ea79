//! The audit of usage, each night after the business day has begun; one that was missed is made up for.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::usage_audit::{self, Audit};
use crate::operations::{Error, blocking};

/// How late after the day's start it may begin.
const PERIOD: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct UsageAudit {
    under_way: Option<Audit>,
    outcome: String,
}

impl Job for UsageAudit {
    fn name(&self) -> &'static str {
        "usage audit"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let mut audit = match self.under_way.take() {
            Some(audit) => audit,
            None if usage_audit::is_due(&app, now)? => Audit::begin(now),
            None => return Ok(Next::After(PERIOD)),
        };
        let accounting = app.accounting.clone();
        let (audit, is_more) = blocking(move || {
            let is_more = audit.step(&accounting);
            is_more.map(|is_more| (audit, is_more))
        })
        .await??;
        if is_more {
            self.under_way = Some(audit);
            return Ok(Next::Again);
        }
        let found = audit.finish(app.now());
        self.outcome = format!(
            "{} subscribers, {} do not add up",
            found.looked_at, found.differing
        );
        if found.differing > 0 {
            tracing::error!(
                differing = found.differing,
                "usage does not add up; nothing was changed"
            );
        }
        usage_audit::keep(&app, found).await?;
        Ok(Next::After(PERIOD))
    }
}
