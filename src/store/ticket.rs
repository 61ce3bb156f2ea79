//! One queued write: the caller's closure on its way to the writer, and the ticket on which the answer comes back.
//!
//! Order, batches and commits are the writer's. Invariants: every ticket is answered or, when the writer is gone, says
//! `Closed`; a panic inside a closure stays inside.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::StoreError;
use super::tx::Tx;

/// What the writer thread is told.
pub(super) enum Message {
    Work(Box<dyn Job>),
    /// A reader met a fault: open the file anew.
    Mend,
    /// Commit what came before, then close.
    Stop,
}

impl Message {
    pub(super) fn refuse(self, error: StoreError) {
        if let Message::Work(job) = self {
            job.fail(error);
        }
    }
}

/// A queued write with its types erased.
pub(super) trait Job: Send {
    fn name(&self) -> &'static str;

    /// Runs the closure, from the start each time, and keeps its result. True when the closure succeeded.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Answers with the kept result.
    fn answer(self: Box<Self>);

    /// Answers with an error of the store.
    fn fail(self: Box<Self>, error: StoreError);
}

pub(super) struct Task<T, E, F> {
    name: &'static str,
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    pub(super) fn new(name: &'static str, work: F) -> (Self, WriteTicket<T, E>) {
        let (reply, receiver) = oneshot::channel();
        (
            Task {
                name,
                work,
                result: None,
                reply,
            },
            WriteTicket { receiver },
        )
    }
}

impl<T, E, F> Job for Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // The transaction is safe to look at after a panic: the writer aborts it when the closure had changed rows.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(E::from(StoreError::Panicked { name: self.name })));
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>) {
        let result = self
            .result
            .unwrap_or_else(|| Err(E::from(StoreError::Closed)));
        // An error means that the caller no longer waits; the write stands.
        let _ = self.reply.send(result);
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(E::from(error)));
    }
}

/// The claim on a queued write's answer: `.await` it in async code, `.wait()` for it on a plain thread. Dropping it does
/// not take the write back.
#[must_use = "a write may fail"]
pub struct WriteTicket<T, E> {
    receiver: oneshot::Receiver<Result<T, E>>,
}

impl<T, E: From<StoreError>> WriteTicket<T, E> {
    /// Blocks until the write is on disk or refused. Only for plain threads: on an async worker it would panic.
    pub fn wait(self) -> Result<T, E> {
        self.receiver
            .blocking_recv()
            .unwrap_or_else(|_| Err(E::from(StoreError::Closed)))
    }
}

impl<T, E: From<StoreError>> Future for WriteTicket<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|received| received.unwrap_or_else(|_| Err(E::from(StoreError::Closed))))
    }
}
