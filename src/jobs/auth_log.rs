//! Writes authentication attempts to the store.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::{Error, attempts, blocking};

/// Pages show waiting attempts too, so this only bounds what a crash may lose, against a commit of 45 KB each time.
const PERIOD: Duration = Duration::from_secs(10);
/// So many attempts in one piece are a flood.
const FLOOD: usize = 4_096;
/// How often it is looked whether a flood fills the queue.
const FLOOD_PERIOD: Duration = Duration::from_millis(500);

pub struct AuthLog;

impl Job for AuthLog {
    fn name(&self) -> &'static str {
        "authentication log"
    }

    async fn work(&mut self, app: Arc<App>, _now: Timestamp) -> Result<Next, Error> {
        let written = blocking(move || attempts::write(&app)).await??;
        // After a flood the next attempts may come as fast.
        Ok(Next::After(if written >= FLOOD {
            FLOOD_PERIOD
        } else {
            PERIOD
        }))
    }
}
