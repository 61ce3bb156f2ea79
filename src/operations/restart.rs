//! Starting anew because an operator wants it. The daemon does it; here is what comes before.

use crate::app::App;
use crate::domain::audit::{Actor, Difference};

use super::trail::{self, part};
use super::{Error, blocking};

/// Has the daemon stop in good order and start anew, with the configuration as it is on the disk now.
///
/// Errors: `Refused` while a backup is under way, which would be cut off, and for a configuration with a mistake in it, which
/// would otherwise be found when the panel is gone.
pub async fn restart(app: &App, actor: &Actor) -> Result<(), Error> {
    if app.backups.is_busy() {
        let text = "A backup is being made, tested or restored. Wait for it, or stop it under Settings, Backups";
        return Err(Error::Refused(text.to_owned()));
    }
    let source = app.config.source.clone();
    if let Err(error) = blocking(move || source.load()).await? {
        return Err(Error::Refused(format!(
            "Nothing was restarted, because the configuration has a mistake: {error}"
        )));
    }
    // A restart may be what frees a disk that takes no writes, so it does not wait for one.
    if let Err(error) = note(app, actor).await {
        tracing::warn!(%error, "the restart is not in the audit log");
    }
    tracing::warn!(actor = actor.name(), "an operator has it start anew");
    app.restart.notify_one();
    Ok(())
}

async fn note(app: &App, actor: &Actor) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("restart", move |tx| {
            let nothing = Difference::default();
            trail::note(
                tx,
                &actor,
                "restarted",
                &part("the appliance"),
                nothing,
                now,
            )
        })
        .await
}
