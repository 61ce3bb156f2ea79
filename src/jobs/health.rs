//! Samples the rates and the machine for the dashboard.

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

    async fn work(&mut self, app: Arc<App>, _now: Timestamp) -> Result<Next, Error> {
        app.telemetry.sample(monotonic());
        Ok(Next::After(SAMPLE_INTERVAL))
    }
}
