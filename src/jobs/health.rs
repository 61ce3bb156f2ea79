//! Samples the rates and the machine for the dashboard, and lets go lists that nobody looks at any more.

use std::sync::Arc;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::telemetry::{SAMPLE_INTERVAL, monotonic};

pub struct Health;

impl Job for Health {
    fn name(&self) -> &'static str {
        "health"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        app.telemetry.sample(monotonic());
        app.imports.forget_old(now);
        Ok(Next::After(SAMPLE_INTERVAL))
    }
}
