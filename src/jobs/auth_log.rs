//! Writes authentication attempts to the store.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, blocking};

/// Pages show waiting attempts too, so this only bounds what a crash may lose, against a commit of 45 KB each time.
const PERIOD: Duration = Duration::from_secs(10);
/// How often it is looked whether a flood fills the queue.
const FLOOD_PERIOD: Duration = Duration::from_millis(500);

pub struct AuthLog;

impl Job for AuthLog {
    fn name(&self) -> &'static str {
        "authentication log"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        blocking(move || {
            app.auth_log.flush(&app.store, now)?;
            // After a flood the next attempts may come as fast.
            let is_flood = app.auth_log.was_flooded();
            Ok(Next::After(if is_flood { FLOOD_PERIOD } else { PERIOD }))
        })
        .await?
    }
}
