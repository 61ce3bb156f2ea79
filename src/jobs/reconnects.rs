//! New logins that were planned for tonight: ends the sessions whose hour has come.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, blocking, reconnects};

/// How late an hour may be kept.
const PERIOD: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct Reconnects {
    outcome: String,
}

impl Job for Reconnects {
    fn name(&self) -> &'static str {
        "new logins"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let done = blocking(move || reconnects::carry_out(&app, now)).await??;
        self.outcome = match done.ended {
            0 => "nothing was due".to_owned(),
            1 => "1 session is ended".to_owned(),
            count => format!("{count} sessions are ended"),
        };
        Ok(match done.is_more {
            true => Next::Again,
            false => Next::After(PERIOD),
        })
    }
}
