//! What an operator does with jobs: looks at them, and has one run now.

use crate::app::{App, JobStatus};
use crate::domain::audit::{Actor, Difference, Object};
use crate::store::audit::{self, NewEntry};

use super::Error;

/// All jobs by name.
pub fn all(app: &App) -> Vec<(&'static str, JobStatus)> {
    app.jobs.statuses()
}

/// Has a job run now. Errors: `Missing` for a name that no job has.
pub async fn run_now(app: &App, actor: &Actor, name: &str) -> Result<(), Error> {
    if !app.jobs.run_now(name) {
        return Err(Error::Missing("job"));
    }
    let (actor, now, name) = (actor.clone(), app.now(), name.to_owned());
    app.store
        .write("run a job", move |tx| {
            let entry = NewEntry {
                at: now,
                actor: &actor,
                action: "job started",
                object: Object::Settings,
                object_name: &name,
                changes: Difference::default().into_changes(),
            };
            audit::add(tx, entry).map_err(Error::from)
        })
        .await
}
