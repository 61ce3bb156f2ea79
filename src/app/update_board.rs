//! How far the download of an update is, for the page and the command line; and the wish of a person for one.
//!
//! `operations::updates` writes here, everybody reads. Invariant: one thing at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateProgress {
    pub version: String,
    /// Octets.
    pub done: u64,
    pub of: u64,
}

#[derive(Default)]
struct State {
    is_wished: bool,
    progress: Option<UpdateProgress>,
    /// What went wrong last.
    problem: Option<String>,
}

pub struct UpdateBoard {
    state: Mutex<State>,
    cancelled: watch::Sender<bool>,
}

impl Default for UpdateBoard {
    fn default() -> Self {
        UpdateBoard {
            state: Mutex::default(),
            cancelled: watch::Sender::new(false),
        }
    }
}

impl UpdateBoard {
    /// Leaves the wish for a download, for the job. False while one is under way or wished already.
    pub fn wish(&self) -> bool {
        let mut state = self.state();
        if state.is_wished || state.progress.is_some() {
            return false;
        }
        state.problem = None;
        state.is_wished = true;
        true
    }

    pub fn take_wish(&self) -> bool {
        std::mem::take(&mut self.state().is_wished)
    }

    /// Begins a download, unless one is under way. It ends when the turn is dropped.
    pub fn begin(&self, version: &str, of: u64) -> Option<UpdateTurn<'_>> {
        let mut state = self.state();
        if state.progress.is_some() {
            return None;
        }
        self.cancelled.send_replace(false);
        state.problem = None;
        state.progress = Some(UpdateProgress {
            version: version.to_owned(),
            done: 0,
            of,
        });
        Some(UpdateTurn { board: self })
    }

    pub fn progress(&self) -> Option<UpdateProgress> {
        self.state().progress.clone()
    }

    /// Whether a download is under way or will be at once.
    pub fn is_busy(&self) -> bool {
        let state = self.state();
        state.is_wished || state.progress.is_some()
    }

    /// Ends the download at the next moment, and forgets the wish.
    pub fn cancel(&self) {
        self.state().is_wished = false;
        self.cancelled.send_replace(true);
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

/// The right to download.
pub struct UpdateTurn<'b> {
    board: &'b UpdateBoard,
}

impl UpdateTurn<'_> {
    pub fn step(&self, done: u64) {
        if let Some(progress) = &mut self.board.state().progress {
            progress.done = done;
        }
    }

    /// Waits until somebody wants it to end.
    pub async fn cancelled(&self) {
        let mut cancelled = self.board.cancelled.subscribe();
        // The sender is in the board, which lives as long as the turn.
        let _ = cancelled.wait_for(|is| *is).await;
    }
}

impl Drop for UpdateTurn<'_> {
    fn drop(&mut self) {
        self.board.state().progress = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_thing_at_a_time() {
        let board = UpdateBoard::default();
        assert!(board.wish() && !board.wish() && board.is_busy());
        assert!(board.take_wish() && !board.take_wish());
        board.set_problem(Some("no".into()));
        let turn = board.begin("0.3.0", 9).unwrap();
        assert_eq!(board.problem(), None);
        assert!(board.begin("0.3.0", 9).is_none() && !board.wish());
        turn.step(4);
        let progress = board.progress().unwrap();
        assert_eq!((progress.done, progress.of), (4, 9));
        board.cancel();
        turn.cancelled().await;
        drop(turn);
        assert!(!board.is_busy());
        let next = board.begin("0.3.0", 9).unwrap();
        assert!(
            !*board.cancelled.borrow(),
            "a wish to stop is not for the next one"
        );
        drop(next);
        assert!(board.wish());
        board.cancel();
        assert!(!board.is_busy());
    }
}
