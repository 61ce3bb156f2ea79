//! Asks the vendor every day for a newer version, downloads one when a person wishes, and follows what was handed over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::crypto;
use crate::domain::time::{MINUTE, Timestamp};
use crate::operations::Error;
use crate::operations::updates::{self, Outcome};

/// A wish rings the bell; what was handed over is looked after more often than the vendor is asked.
const PERIOD: Duration = Duration::from_secs(20);
/// Machines that were installed together must not ask together: up to about four hours are added, one minute for each.
const JITTER_STEP: i64 = MINUTE;

#[derive(Default)]
pub struct Updates {
    /// Drawn once.
    jitter: Option<i64>,
    outcome: String,
}

impl Job for Updates {
    fn name(&self) -> &'static str {
        updates::JOB
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let jitter = match self.jitter {
            Some(jitter) => jitter,
            None => {
                let random = u8::from_be_bytes(crypto::random_bytes::<1>()?);
                *self.jitter.insert(i64::from(random) * JITTER_STEP)
            }
        };
        if let Some(row) = updates::follow(&app, Path::new(updates::RESULTS)).await? {
            self.outcome = match updates::outcome(&row) {
                Outcome::Failed => format!("version {}: {}", row.version, row.problem),
                outcome => format!("version {} is {}", row.version, outcome.words()),
            };
        }
        if app.updates.take_wish() {
            let done = updates::download(&app).await;
            let problem = done.as_ref().err().map(Error::to_string);
            self.outcome = match &problem {
                None => "a new version was downloaded".to_owned(),
                Some(why) => why.clone(),
            };
            app.updates.set_problem(problem);
        } else if updates::is_due(&app, now, jitter)? {
            self.outcome = match updates::check(&app).await {
                Ok(Some(release)) => format!("version {} can be installed", release.version),
                Ok(None) => "this is the newest version".to_owned(),
                // The page says it; the next try is in an hour.
                Err(Error::Refused(why)) => why,
                Err(other) => return Err(other),
            };
        }
        Ok(Next::After(PERIOD))
    }
}
