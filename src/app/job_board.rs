//! What each job is doing and how it fared, for pages and the command line; and the bell by which a person starts one now.
//!
//! Jobs write here, everybody reads. Nothing here runs a job.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::domain::time::Timestamp;

/// How one job fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobStatus {
    pub is_running: bool,
    pub runs: u64,
    pub failures: u64,
    /// When the last run began.
    pub last_run: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it did, in words; empty where there is nothing to say.
    pub outcome: String,
    /// Why it failed; empty after a good one.
    pub last_error: String,
    /// When it runs again at the latest.
    pub next_run: Option<Timestamp>,
}

/// The place of one job on the board.
#[derive(Debug, Default)]
pub struct JobEntry {
    status: Mutex<JobStatus>,
    bell: Notify,
}

impl JobEntry {
    pub fn status(&self) -> JobStatus {
        self.lock().clone()
    }

    pub fn begin(&self, now: Timestamp) {
        let mut status = self.lock();
        status.is_running = true;
        status.last_run = Some(now);
    }

    pub fn finish(
        &self,
        result: Result<String, String>,
        took_ms: u64,
        next_run: Option<Timestamp>,
    ) {
        let mut status = self.lock();
        status.is_running = false;
        status.runs += 1;
        status.took_ms = took_ms;
        status.next_run = next_run;
        match result {
            Ok(outcome) => {
                status.last_error.clear();
                if !outcome.is_empty() {
                    status.outcome = outcome;
                }
            }
            Err(error) => {
                status.failures += 1;
                status.last_error = error;
            }
        }
    }

    /// Waits for a person who wants the job to run now.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, JobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All jobs by name.
#[derive(Debug, Default)]
pub struct JobBoard(Mutex<BTreeMap<&'static str, Arc<JobEntry>>>);

impl JobBoard {
    /// The place of a job, made at the first call.
    pub fn entry(&self, name: &'static str) -> Arc<JobEntry> {
        Arc::clone(self.lock().entry(name).or_default())
    }

    pub fn statuses(&self) -> Vec<(&'static str, JobStatus)> {
        let entries = self.lock();
        entries
            .iter()
            .map(|(name, entry)| (*name, entry.status()))
            .collect()
    }

    /// Rings the bell of a job. False when there is no such job.
    pub fn run_now(&self, name: &str) -> bool {
        match self.lock().get(name) {
            Some(entry) => {
                entry.bell.notify_one();
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Arc<JobEntry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_shows_the_last_run() {
        let board = JobBoard::default();
        let entry = board.entry("sweep");
        entry.begin(Timestamp(5));
        assert!(entry.status().is_running);
        entry.finish(Ok("3 pushed".into()), 12, Some(Timestamp(9)));
        entry.begin(Timestamp(9));
        entry.finish(Err("no disk".into()), 1, None);
        entry.begin(Timestamp(10));
        entry.finish(Ok(String::new()), 2, None);
        let expected = JobStatus {
            is_running: false,
            runs: 3,
            failures: 1,
            last_run: Some(Timestamp(10)),
            took_ms: 2,
            outcome: "3 pushed".into(),
            last_error: String::new(),
            next_run: None,
        };
        assert_eq!(board.statuses(), [("sweep", expected)]);
    }

    #[tokio::test]
    async fn a_bell_that_rang_before_is_heard() {
        let board = JobBoard::default();
        assert!(!board.run_now("sweep"));
        let entry = board.entry("sweep");
        assert!(board.run_now("sweep"));
        entry.rung().await;
    }
}
