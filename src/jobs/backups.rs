//! Backups by the schedule, sent away when they are made, and what a person wishes on the page of backups.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::{App, BackupWish};
use crate::domain::backup::{Backup, Trigger};
use crate::domain::octets::Octets;
use crate::domain::time::Timestamp;
use crate::operations::backups::{self, restore, send};
use crate::operations::{Error, blocking};

/// How late after its hour a backup may begin.
const PERIOD: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Backups {
    outcome: String,
}

impl Job for Backups {
    fn name(&self) -> &'static str {
        backups::JOB
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        if let Some(wish) = app.backups.take_wish() {
            let done = carry_out(&app, wish).await;
            app.backups
                .set_problem(done.as_ref().err().map(Error::to_string));
            self.outcome = done?;
        } else if app.backups.is_busy() {
            // Somebody at a terminal makes one; it rings when it is there.
            return Ok(Next::After(PERIOD));
        } else if backups::is_due(&app, now)? {
            let made = blocking(move || backups::create(&app, Trigger::Schedule)).await?;
            self.outcome = words(&made?);
        } else if let Some(name) = send::due(&app, now)? {
            self.outcome = sent_words(&send::send(&app, &name).await?);
        } else {
            return Ok(Next::After(PERIOD));
        }
        // What was made is to be sent.
        Ok(Next::Again)
    }
}

async fn carry_out(app: &Arc<App>, wish: BackupWish) -> Result<String, Error> {
    let here = Arc::clone(app);
    match wish {
        BackupWish::Create => {
            let made = blocking(move || backups::create(&here, Trigger::Person)).await?;
            made.map(|made| words(&made))
        }
        BackupWish::Test { name } => {
            let done = format!("{name} was restored for a test");
            let tested = blocking(move || backups::test(&here, &name)).await?;
            tested.map(|_| done)
        }
        BackupWish::Send { name } => send::send(app, &name).await.map(|sent| sent_words(&sent)),
        BackupWish::Restore { name, typed, actor } => {
            let done = format!("{name} is restored");
            let restored = blocking(move || restore::restore(&here, &actor, &name, typed)).await?;
            restored.map(|_| done)
        }
    }
}

fn sent_words(backup: &Backup) -> String {
    format!("{} was sent to the other machine", backup.name)
}

fn words(backup: &Backup) -> String {
    let size = Octets(backup.octets);
    match backup.is_proven() {
        true => format!("{}, {size}, restored for a test", backup.name),
        false => format!("{}, {size}, not proven", backup.name),
    }
}
