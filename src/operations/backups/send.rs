//! Backups leave the machine: a file is sent to the chosen place, and old ones of ours are removed there.
//!
//! Invariants: what came of it stands with the backup, and the backup here is as good as before; the file has its name there
//! only when all of it arrived (`remote`); nothing is removed there before that, and only what we named.

use crate::app::{App, BackupStep, BackupTurn};
use crate::domain::backup::{Backup, Sent, is_dated_name, surplus_elsewhere};
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::remote::{Link, RemoteError};
use crate::store::backups;
use crate::telemetry::monotonic;

use super::destination::{self, Destination};
use super::{busy, path_of, pause};

/// Rows in which the newest backup is looked for; before it are tries that failed, one an hour.
const MOST_TRIES_BEFORE: usize = 100;
/// What stands with a backup while it is under way, and for ever when the machine fell over meanwhile.
const BROKEN_OFF: &str = "it is on its way, or broke off when the machine stopped";

/// Whether this backup is on its way right now.
pub fn is_sending(app: &App, name: &str) -> bool {
    let progress = app.backups.progress();
    progress.is_some_and(|progress| progress.what == doing(name))
}

fn doing(name: &str) -> String {
    format!("Sending {name}")
}

/// The name of the backup that is to be sent now, if there is one. One that was made while the clock was ahead is newer than
/// all that follow for as long, and does not hold them up.
pub fn due(app: &App, now: Timestamp) -> Result<Option<String>, Error> {
    let Some(destination) = destination::get(app)? else {
        return Ok(None);
    };
    if pause::since(app)?.is_some() {
        return Ok(None);
    }
    let known = backups::newest(&app.store.view()?, MOST_TRIES_BEFORE)?;
    let newest = known
        .into_iter()
        .find(|backup| backup.error.is_none() && backup.began_at <= now);
    let due = newest.filter(|backup| backup.is_to_send(destination.since, now));
    let folder = &app.config.backup.folder;
    let here = due.filter(|backup| folder.join(&backup.name).is_file());
    Ok(here.map(|backup| backup.name))
}

/// Sends a backup of ours to the chosen place, and removes what is no longer kept there.
///
/// Errors: `Remote` and `Cancelled`, which stand with the backup, too; `Refused` while backups stay here, while sending is
/// paused, and while something else is done with them; `Missing` for a name that no backup of ours has.
pub async fn send(app: &App, name: &str) -> Result<Backup, Error> {
    let destination = destination::get(app)?.ok_or_else(destination::none)?;
    if pause::since(app)?.is_some() {
        return Err(pause::refusal());
    }
    let now = app.now();
    let turn = app.backups.begin(doing(name), now);
    let turn = turn.ok_or_else(busy)?;
    turn.step(BackupStep::Sending, 0, 0);
    let path = path_of(app, name)?;
    let of = std::fs::metadata(&path)?.len();
    let known = backups::newest(&app.store.view()?, backups::MOST_BACKUPS)?;
    let backup = known.into_iter().find(|backup| backup.name == name);
    let backup = backup.ok_or(Error::Missing("backup"))?;
    let mut sent = Sent {
        at: now,
        took_ms: 0,
        octets: 0,
        tries: backup
            .sent
            .as_ref()
            .map_or(0, |sent| sent.tries)
            .saturating_add(1),
        problem: Some(BROKEN_OFF.to_owned()),
        note: None,
    };
    keep(app, &backup, &sent).await?;

    let began = monotonic();
    let mut tell = |octets| {
        sent.octets = octets;
        turn.step(BackupStep::Sending, octets, of);
        // Whoever wants it to stop does not wait for the next piece.
        std::ops::ControlFlow::Continue(())
    };
    let put = async {
        let mut link = destination.server.connect().await?;
        link.put(&path, name, &mut tell).await?;
        Ok(link)
    };
    let outcome = match unless_cancelled(&turn, put).await {
        Ok(link) => {
            let tidied = unless_cancelled(&turn, tidy(link, &destination, name)).await;
            sent.note = tidied
                .err()
                .map(|error| format!("old ones stay there: {error}"));
            sent.problem = None;
            Ok(())
        }
        Err(error) => {
            sent.problem = Some(error.to_string());
            Err(error)
        }
    };
    let took = monotonic().saturating_duration_since(began);
    sent.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if let Some(note) = &sent.note {
        tracing::warn!(name, note, "a backup was sent");
    }
    keep(app, &backup, &sent).await?;
    outcome.map(|()| Backup {
        sent: Some(sent),
        ..backup
    })
}

/// Removes what is no longer kept there, and what of older ones arrived in part.
async fn tidy(mut link: Link, destination: &Destination, sent: &str) -> Result<(), RemoteError> {
    let files = link.list().await?;
    let names = files.iter().map(|file| file.name.as_str());
    for old in surplus_elsewhere(names, destination.keep, sent) {
        link.remove(old).await?;
        tracing::info!(
            name = old,
            "a backup is no longer kept on the other machine"
        );
    }
    for file in &files {
        let is_ours = |whole: &str| is_dated_name(whole) && whole < sent;
        if file.torn().is_some_and(is_ours) {
            link.remove(&file.name).await?;
        }
    }
    link.close().await;
    Ok(())
}

/// Does it, unless somebody wants it to stop.
pub(super) async fn unless_cancelled<T>(
    turn: &BackupTurn<'_>,
    work: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, Error> {
    tokio::select! {
        done = work => Ok(done?),
        () = turn.cancelled() => Err(Error::Cancelled),
    }
}

/// Keeps what came of it with the backup, unless a person deleted that meanwhile.
async fn keep(app: &App, backup: &Backup, sent: &Sent) -> Result<(), Error> {
    let (began_at, sent) = (backup.began_at, sent.clone());
    app.store
        .write("backup sent", move |tx| {
            if let Some(mut backup) = backups::get(tx, began_at)? {
                backup.sent = Some(sent.clone());
                backups::put(tx, &backup)?;
            }
            Ok(())
        })
        .await
}
