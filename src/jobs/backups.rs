//! Backups by the schedule, and what a person wishes on the page of backups.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::{App, BackupWish};
use crate::domain::backup::{Backup, Trigger};
use crate::domain::octets::Octets;
use crate::domain::time::Timestamp;
use crate::operations::{Error, backups, blocking};

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
            let board = Arc::clone(&app);
            let done = blocking(move || carry_out(&app, wish)).await?;
            board
                .backups
                .set_problem(done.as_ref().err().map(Error::to_string));
            self.outcome = done?;
        } else if backups::is_due(&app, now)? {
            let made = blocking(move || backups::create(&app, Trigger::Schedule)).await?;
            self.outcome = words(&made?);
        }
        Ok(Next::After(PERIOD))
    }
}

fn carry_out(app: &App, wish: BackupWish) -> Result<String, Error> {
    match wish {
        BackupWish::Create => backups::create(app, Trigger::Person).map(|made| words(&made)),
        BackupWish::Test { name } => {
            backups::test(app, &name).map(|_| format!("{name} was restored for a test"))
        }
        BackupWish::Restore {
            name,
            passphrase,
            actor,
        } => backups::restore::restore(app, &actor, &name, passphrase)
            .map(|_| format!("{name} is restored")),
    }
}

fn words(backup: &Backup) -> String {
    let size = Octets(backup.octets);
    match backup.is_proven() {
        true => format!("{}, {size}, restored for a test", backup.name),
        false => format!("{}, {size}, not proven", backup.name),
    }
}
