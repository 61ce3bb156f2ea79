//! Clears the account of remote support away when its time is over. It is of no use before that already: every page looks.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, support};

const PERIOD: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct RemoteSupport {
    outcome: String,
}

impl Job for RemoteSupport {
    fn name(&self) -> &'static str {
        "remote support"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        self.outcome = match support::clear_if_over(&app, now).await? {
            true => "the account was removed".to_owned(),
            false => "nothing was due".to_owned(),
        };
        Ok(Next::After(PERIOD))
    }
}
