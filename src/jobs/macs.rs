//! Forgetting the learned devices of subscribers who were offline for long: once for each business day, in pieces.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::domain::id::SubscriberId;
use crate::domain::time::{Day, Timestamp};
use crate::operations::{Error, blocking, macs};

/// How late after the day's start, or after a change of the setting, it may begin.
const PERIOD: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct Macs {
    /// The day of the last look and the days that the setting said; a new setting is a new look.
    looked: Option<(Day, u16)>,
    /// Where the look under way goes on.
    next: Option<SubscriberId>,
    forgotten: usize,
    outcome: String,
}

impl Job for Macs {
    fn name(&self) -> &'static str {
        "learned devices"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        let settings = app.settings();
        let Some(days) = settings.forget_macs_after else {
            (self.looked, self.next) = (None, None);
            self.outcome = "nothing is forgotten by itself".to_owned();
            return Ok(Next::After(PERIOD));
        };
        let look = (settings.calendar.day(now), days);
        if self.looked != Some(look) {
            self.next = Some(SubscriberId(0));
            self.forgotten = 0;
        }
        if let Some(from) = self.next {
            let looking = Arc::clone(&app);
            let step = blocking(move || macs::forget_offline(&looking, from, days, now)).await??;
            self.looked = Some(look);
            self.next = step.next;
            self.forgotten += step.forgotten;
            if self.next.is_some() {
                return Ok(Next::Again);
            }
            self.outcome = format!("forgotten of {} subscribers", self.forgotten);
        }
        Ok(Next::After(PERIOD))
    }
}
