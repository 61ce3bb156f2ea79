//! Closes sessions whose router fell silent.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, blocking, sessions};

const PERIOD: Duration = Duration::from_secs(60);

pub struct StaleSessions;

impl Job for StaleSessions {
    fn name(&self) -> &'static str {
        "stale sessions"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let closed = blocking(move || sessions::give_up_lost(&app, now)).await?;
        if closed > 0 {
            tracing::info!(
                closed,
                "sessions were silent for ten intervals and are closed as lost"
            );
        }
        Ok(Next::After(PERIOD))
    }
}
