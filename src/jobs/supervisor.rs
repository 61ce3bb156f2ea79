//! Runs jobs, each in a task of its own, and writes on the board how they fare.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Job, Next};
use crate::app::{App, JobEntry};
use crate::domain::time::Timestamp;
use crate::telemetry::monotonic;

/// The first pause after a failure; doubled with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub struct Supervisor {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Default for Supervisor {
    fn default() -> Self {
        Supervisor {
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }
}

impl Supervisor {
    /// Runs a job until the supervisor stops. Must be called inside the runtime.
    pub fn run(&mut self, app: &Arc<App>, job: impl Job) {
        let (app, stop) = (Arc::clone(app), self.stop.subscribe());
        let entry = app.jobs.entry(job.name());
        self.tasks
            .spawn(async move { keep_running(app, job, stop, &entry).await });
    }

    /// Lets every job finish its piece.
    pub async fn stop(mut self) {
        // An error means that no job is left.
        let _ = self.stop.send(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a job ended with a panic");
            }
        }
    }
}

async fn keep_running(
    app: Arc<App>,
    mut job: impl Job,
    mut stop: watch::Receiver<bool>,
    entry: &JobEntry,
) {
    let mut failures_in_a_row = 0u32;
    while !*stop.borrow() {
        let (now, began) = (app.now(), monotonic());
        entry.begin(now);
        let result = job.work(Arc::clone(&app), now).await;
        let took = monotonic().saturating_duration_since(began);
        let pause = match &result {
            Ok(Next::Again) => Duration::ZERO,
            Ok(Next::After(pause)) => *pause,
            Err(error) => {
                // Said once; a disk that stays full is on every page anyway.
                if failures_in_a_row == 0 {
                    tracing::warn!(job = job.name(), %error, "a job failed and will be tried again");
                }
                back_off(failures_in_a_row)
            }
        };
        failures_in_a_row = if result.is_ok() {
            0
        } else {
            failures_in_a_row.saturating_add(1)
        };
        let said = match result {
            Ok(_) => Ok(job.outcome()),
            Err(error) => Err(error.to_string()),
        };
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        entry.finish(said, millis(took), Some(after(now, pause)));
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(pause) => {}
            () = entry.rung() => {}
            () = job.wait(), if failures_in_a_row == 0 && !pause.is_zero() => {}
        }
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    now.plus(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
}

fn back_off(failures_before: u32) -> Duration {
    SHORTEST_PAUSE
        .saturating_mul(1 << failures_before.min(6))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let pauses: Vec<u64> = [0, 1, 2, 5, 6, 7, u32::MAX]
            .map(|n| back_off(n).as_secs())
            .into();
        assert_eq!(pauses, [1, 2, 4, 32, 60, 60, 60]);
    }
}
