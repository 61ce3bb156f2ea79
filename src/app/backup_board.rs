//! What is being done with backups right now, for the page and the command line; and what a person wishes to be done next.
//!
//! `operations::backups` writes here, everybody reads. Invariant: one thing at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::time::Timestamp;

/// A step of making, testing, sending or restoring a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupStep {
    /// Accounting is brought into the tables.
    Folding,
    Copying,
    Packing,
    Unpacking,
    /// What was unpacked is compared with what was packed.
    Comparing,
    /// On its way to another machine.
    Sending,
}

impl BackupStep {
    pub fn words(self) -> &'static str {
        match self {
            BackupStep::Folding => "bringing accounting into the tables",
            BackupStep::Copying => "copying the tables",
            BackupStep::Packing => "compressing and encrypting",
            BackupStep::Unpacking => "decrypting",
            BackupStep::Comparing => "comparing with what was packed",
            BackupStep::Sending => "talking to the other machine",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupProgress {
    /// What is done, for people: `Backup`, `Restore test of …`.
    pub what: String,
    pub since: Timestamp,
    pub step: BackupStep,
    pub done: u64,
    /// Zero while nobody knows.
    pub of: u64,
}

/// What a person wishes, for the job to carry out. No Debug: a passphrase may be in it.
pub enum BackupWish {
    Create,
    Test {
        name: String,
    },
    /// To the other machine, whether it was sent before or not.
    Send {
        name: String,
    },
    /// `typed` is the passphrase or the licence key of the backup; without it those that are known here.
    Restore {
        name: String,
        typed: Option<Secret<String>>,
        actor: Actor,
    },
}

#[derive(Default)]
struct State {
    wish: Option<BackupWish>,
    progress: Option<BackupProgress>,
    /// What went wrong last, where no list shows it, such as a restore.
    problem: Option<String>,
}

#[derive(Default)]
pub struct BackupBoard {
    state: Mutex<State>,
    cancelled: watch::Sender<bool>,
}

impl BackupBoard {
    /// Leaves a wish. False while something is being done or wished already.
    pub fn wish(&self, wish: BackupWish) -> bool {
        let mut state = self.state();
        if state.wish.is_some() || state.progress.is_some() {
            return false;
        }
        state.problem = None;
        state.wish = Some(wish);
        true
    }

    pub fn take_wish(&self) -> Option<BackupWish> {
        self.state().wish.take()
    }

    /// Begins something, unless something is being done already. It ends when the turn is dropped.
    pub fn begin(&self, what: String, now: Timestamp) -> Option<BackupTurn<'_>> {
        let mut state = self.state();
        if state.progress.is_some() {
            return None;
        }
        self.cancelled.send_replace(false);
        state.progress = Some(BackupProgress {
            what,
            since: now,
            step: BackupStep::Folding,
            done: 0,
            of: 0,
        });
        Some(BackupTurn { board: self })
    }

    pub fn progress(&self) -> Option<BackupProgress> {
        self.state().progress.clone()
    }

    /// Whether something is being done or will be at once.
    pub fn is_busy(&self) -> bool {
        let state = self.state();
        state.wish.is_some() || state.progress.is_some()
    }

    /// Asks what is being done to stop; it does at the next piece.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
        self.state().wish = None;
    }

    pub fn problem(&self) -> Option<String> {
        self.state().problem.clone()
    }

    pub fn set_problem(&self, problem: Option<String>) {
        self.state().problem = problem;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to do something with backups.
pub struct BackupTurn<'b> {
    board: &'b BackupBoard,
}

impl BackupTurn<'_> {
    /// Says how far it is. True when it shall stop.
    pub fn step(&self, step: BackupStep, done: u64, of: u64) -> bool {
        if let Some(progress) = &mut self.board.state().progress {
            (progress.step, progress.done, progress.of) = (step, done, of);
        }
        self.is_cancelled()
    }

    pub fn is_cancelled(&self) -> bool {
        *self.board.cancelled.borrow()
    }

    /// Waits until it shall stop.
    pub async fn cancelled(&self) {
        // The board outlives the turn, so there is always a sender.
        let _ = self.board.cancelled.subscribe().wait_for(|is| *is).await;
    }
}

impl Drop for BackupTurn<'_> {
    fn drop(&mut self) {
        self.board.state().progress = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_at_a_time() {
        let board = BackupBoard::default();
        assert!(board.wish(BackupWish::Create));
        assert!(!board.wish(BackupWish::Create), "one is waiting");
        assert!(board.is_busy());
        assert!(matches!(board.take_wish(), Some(BackupWish::Create)));
        assert!(board.take_wish().is_none());
        let turn = board.begin("Backup".into(), Timestamp(5)).unwrap();
        assert!(board.begin("Backup".into(), Timestamp(6)).is_none());
        assert!(!board.wish(BackupWish::Create), "one is under way");
        assert!(!turn.step(BackupStep::Copying, 3, 9));
        let progress = board.progress().unwrap();
        assert_eq!(
            (progress.done, progress.of, progress.since),
            (3, 9, Timestamp(5))
        );
        board.cancel();
        assert!(turn.step(BackupStep::Copying, 4, 9));
        drop(turn);
        assert_eq!(board.progress(), None);
        let next = board.begin("Backup".into(), Timestamp(7)).unwrap();
        assert!(
            !next.is_cancelled(),
            "a wish to stop is not for the next one"
        );
        board.set_problem(Some("no".into()));
        drop(next);
        assert_eq!(board.problem().as_deref(), Some("no"));
        assert!(board.wish(BackupWish::Create));
        assert_eq!(board.problem(), None);
        board.cancel();
        assert!(!board.is_busy());
    }

    #[tokio::test]
    async fn who_waits_for_the_wish_to_stop_is_told() {
        let board = BackupBoard::default();
        board.cancel();
        let turn = board.begin("Backup".into(), Timestamp(5)).unwrap();
        tokio::select! {
            biased;
            () = turn.cancelled() => panic!("that wish was for the one before"),
            () = async {} => {}
        }
        let (_, ()) = tokio::join!(turn.cancelled(), async { board.cancel() });
        turn.cancelled().await;
    }
}
