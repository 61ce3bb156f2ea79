//! Runs jobs, each in a task of its own, and remembers how they fare.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;

/// The first pause after a failure; doubled with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How one job fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobStatus {
    pub runs: u64,
    pub failures: u64,
    pub last_run: Option<Timestamp>,
    /// Why the last run failed; empty after a good one.
    pub last_error: String,
}

type Statuses = Arc<Mutex<BTreeMap<&'static str, JobStatus>>>;

pub struct Supervisor {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    statuses: Statuses,
}

impl Default for Supervisor {
    fn default() -> Self {
        Supervisor {
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
            statuses: Statuses::default(),
        }
    }
}

impl Supervisor {
    /// Runs a job until the supervisor stops. Must be called inside the runtime.
    pub fn run(&mut self, app: &Arc<App>, job: impl Job) {
        let (app, stop, statuses) = (
            Arc::clone(app),
            self.stop.subscribe(),
            Arc::clone(&self.statuses),
        );
        self.tasks
            .spawn(async move { keep_running(app, job, stop, statuses).await });
    }

    pub fn statuses(&self) -> BTreeMap<&'static str, JobStatus> {
        self.statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
    statuses: Statuses,
) {
    let mut failures_in_a_row = 0u32;
    while !*stop.borrow() {
        let now = app.now();
        let result = job.work(Arc::clone(&app), now).await;
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
        note(
            &statuses,
            job.name(),
            now,
            result.err().map(|error| error.to_string()),
        );
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(pause) => {}
            () = job.wait(), if failures_in_a_row == 0 && !pause.is_zero() => {}
        }
    }
}

fn back_off(failures_before: u32) -> Duration {
    SHORTEST_PAUSE
        .saturating_mul(1 << failures_before.min(6))
        .min(LONGEST_PAUSE)
}

fn note(statuses: &Statuses, name: &'static str, now: Timestamp, error: Option<String>) {
    let mut statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
    let status = statuses.entry(name).or_default();
    status.runs += 1;
    status.failures += u64::from(error.is_some());
    status.last_run = Some(now);
    status.last_error = error.unwrap_or_default();
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
