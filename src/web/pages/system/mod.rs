//! The machine room: health, jobs and how they fare, the log, a restart.

mod health;
mod jobs;
mod logs;
mod restart;

pub use health::{FindingRow, HealthPage, HealthPart, Piece, health};
pub use jobs::{AuditCard, AuditDifference, JobRow, JobsPage, JobsPart, jobs, run_job};
pub use logs::{LogRow, LogsPage, LogsPart, logs};
pub use restart::{RestartPage, RestartingPage, ask_restart, restart, wait_for_restart};
