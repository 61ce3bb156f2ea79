//! After a restore nothing is sent to the other machine, until a person says that it may go on.
//!
//! The place is in the backup. A restored copy beside the original would send to the same folder and remove the original's
//! backups there, and only a person knows which of the two machines goes on. Invariant: the mark is in the restored data
//! before that is used.

use std::path::Path;

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::store::settings::{self as stored, Setting};
use crate::store::snapshot::SnapshotError;
use crate::store::{OpenOptions, Read, Store, Tx};

use super::settings::noted;
use super::{JOB, destination};

/// The moment of the restore since which nothing is sent to the chosen place. Nothing once a person said that it may go on,
/// and while backups stay here anyway.
pub fn since(app: &App) -> Result<Option<Timestamp>, Error> {
    match destination::get(app)? {
        Some(_) => read(&app.store.view()?),
        None => Ok(None),
    }
}

fn read(from: &impl Read) -> Result<Option<Timestamp>, Error> {
    let set = stored::get(from, Setting::SendingPaused)?;
    // What is no number was written by nobody of ours; it pauses all the same.
    Ok(set.map(|at| Timestamp(at.parse().unwrap_or_default())))
}

/// Marks restored data in `folder` that nobody uses yet. Blocks.
pub(super) fn begin(folder: &Path, now: Timestamp) -> Result<(), Error> {
    let store = Store::open(folder, OpenOptions::default()).map_err(SnapshotError::Open)?;
    let marked = store.write("pause sending", move |tx| -> Result<(), Error> {
        Ok(stored::put(tx, Setting::SendingPaused, &now.0.to_string())?)
    });
    let marked = marked.wait();
    store.close();
    marked
}

/// Whoever chooses another place chooses it for this machine.
pub(super) fn end(tx: &mut Tx<'_>) -> Result<(), Error> {
    Ok(stored::remove(tx, Setting::SendingPaused)?)
}

/// Lets sending go on, because the owner says that no other machine sends there. Errors: `Refused` when it is not paused.
pub async fn resume(app: &App, actor: &Actor) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    let calendar = app.settings().calendar.clone();
    app.store
        .write("resume sending", move |tx| {
            let since = read(tx)?.ok_or_else(|| {
                Error::Refused("Sending is not paused; somebody resumed it already".to_owned())
            })?;
            end(tx)?;
            let was = format!(
                "paused since the restore of {}",
                calendar.format_minute(since)
            );
            let mut difference = Difference::default();
            difference.field("sending", was, "goes on");
            noted(tx, &actor, difference, now)
        })
        .await?;
    // That it was paused may be the last that is said of a backup.
    app.backups.set_problem(None);
    app.jobs.run_now(JOB);
    Ok(())
}

/// Why nothing is sent now.
pub(super) fn refusal() -> Error {
    Error::Refused(
        "Sending is paused since the restore. Resume it in Settings, Backups, once no other machine sends to this place"
            .to_owned(),
    )
}
