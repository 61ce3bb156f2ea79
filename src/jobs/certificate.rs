//! The certificate of the panel: notices new files, and renews what nears its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, certificates};

/// Files are looked at so often.
const PERIOD: Duration = Duration::from_secs(60);

/// An order takes minutes, and the daemon stops within seconds; so it runs beside, and ends with this.
#[derive(Default)]
pub struct Certificate {
    under_way: JoinSet<Result<String, Error>>,
    ended: Option<Result<Result<String, Error>, JoinError>>,
    outcome: String,
}

impl Job for Certificate {
    fn name(&self) -> &'static str {
        certificates::JOB
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        if let Some(ended) = self.ended.take() {
            self.outcome = ended.map_err(|_| Error::Interrupted)??;
        }
        if certificates::reload(&app).is_ok_and(|changed| changed) {
            self.outcome = "new files are in use".to_owned();
        }
        if certificates::renew_self_signed(&app).await? {
            self.outcome = "a new self-signed certificate".to_owned();
        }
        if !self.under_way.is_empty() {
            return Ok(Next::After(PERIOD));
        }
        match certificates::next_try(&app)? {
            Some(at) if at <= now => {
                let app = Arc::clone(&app);
                self.under_way
                    .spawn(async move { certificates::order(&app).await });
                Ok(Next::After(PERIOD))
            }
            Some(at) => {
                let until = u64::try_from(at.since(now)).unwrap_or(u64::MAX);
                Ok(Next::After(Duration::from_millis(until).min(PERIOD)))
            }
            None => Ok(Next::After(PERIOD)),
        }
    }

    async fn wait(&mut self) {
        match self.under_way.join_next().await {
            Some(ended) => self.ended = Some(ended),
            None => std::future::pending().await,
        }
    }
}
