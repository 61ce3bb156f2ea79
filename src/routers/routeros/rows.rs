//! The rows of one answer, as they come from the task of the connection.
//!
//! Dropping them ends the request on the router. Invariant: an answer ends once, with the `!done` or an error, and only
//! after its last row.

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout_at;

use super::error::ApiError;
use super::wire::Sentence;

/// Batches on their way to one reader. Each holds what one read of the socket gave, so that a full one is 128 KiB.
pub(super) const BATCHES_MAX: usize = 4;

/// Octets of all rows of one bounded answer; ten times the session list of the largest router.
const OCTETS_MAX: usize = 32 << 20;

/// What one answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the last word of the answer, the wait for a connection included.
    pub time: Duration,
    pub rows: usize,
}

/// Limits that have begun to count.
pub(super) struct Bounds {
    deadline: Instant,
    rows: usize,
    most_rows: usize,
    octets: usize,
}

impl Bounds {
    pub(super) fn new(limits: Limits, deadline: Instant) -> Bounds {
        Bounds {
            deadline,
            rows: 0,
            most_rows: limits.rows,
            octets: 0,
        }
    }

    fn count(&mut self, row: &Sentence) -> Result<(), ApiError> {
        self.rows += 1;
        self.octets += row.octets();
        if self.rows > self.most_rows || self.octets > OCTETS_MAX {
            return Err(ApiError::TooMany {
                most: self.most_rows,
            });
        }
        Ok(())
    }
}

/// What ends an answer.
pub(super) type End = Result<Sentence, ApiError>;

pub struct Rows {
    batches: mpsc::Receiver<Vec<Sentence>>,
    batch: IntoIter<Sentence>,
    /// None once it was read: it gives its value once.
    end: Option<oneshot::Receiver<End>>,
    done: Option<Sentence>,
    dropped: Arc<Notify>,
    /// None for what has no end.
    bounds: Option<Bounds>,
}

impl Rows {
    pub(super) fn new(
        batches: mpsc::Receiver<Vec<Sentence>>,
        end: oneshot::Receiver<End>,
        dropped: Arc<Notify>,
        bounds: Option<Bounds>,
    ) -> Rows {
        Rows {
            batches,
            batch: Vec::new().into_iter(),
            end: Some(end),
            done: None,
            dropped,
            bounds,
        }
    }

    /// The next row, none after the last. May be dropped while it waits, and asked again.
    ///
    /// Errors: `Timeout` and `TooMany` beyond the limits of the request, and whatever ended it or its connection; after
    /// that `Stopped`.
    pub async fn next(&mut self) -> Result<Option<Sentence>, ApiError> {
        loop {
            if let Some(row) = self.batch.next() {
                if let Some(bounds) = &mut self.bounds {
                    bounds.count(&row)?;
                }
                return Ok(Some(row));
            }
            if self.done.is_some() {
                return Ok(None);
            }
            match self.bounds.as_ref().map(|bounds| bounds.deadline) {
                None => self.advance().await?,
                Some(deadline) => timeout_at(deadline.into(), self.advance())
                    .await
                    .map_err(|_| ApiError::Timeout { what: "answer" })??,
            }
        }
    }

    /// The words of `!done`; empty before the end.
    pub(super) fn into_done(mut self) -> Sentence {
        self.done.take().unwrap_or_default()
    }

    async fn advance(&mut self) -> Result<(), ApiError> {
        if let Some(batch) = self.batches.recv().await {
            self.batch = batch.into_iter();
            return Ok(());
        }
        let end = self.end.as_mut().ok_or(ApiError::Stopped)?;
        let result = end.await;
        self.end = None;
        self.done = Some(result.map_err(|_| ApiError::Stopped)??);
        Ok(())
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // Closed before the notice, so that the task sees it.
        self.batches.close();
        if self.end.is_some() {
            self.dropped.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
