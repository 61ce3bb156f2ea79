//! The machine room: jobs and how they fare.

mod jobs;

pub use jobs::{AuditCard, AuditDifference, JobRow, JobsPage, JobsPart, jobs, run_job};
