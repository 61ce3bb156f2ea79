//! What an operator does with jobs: looks at them, and has one run now.

use crate::app::{App, JobStatus};
use crate::domain::audit::{Actor, Difference};

use super::Error;
use super::trail::{note, part};

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
            let nothing = Difference::default();
            note(tx, &actor, "job started", &part(&name), nothing, now)
        })
        .await
}
