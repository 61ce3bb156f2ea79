//! The RadSec connections of a NAS, and what went wrong last.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::Timestamp;

/// An open connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadsecPeer {
    pub source: SocketAddr,
    pub since: Timestamp,
}

/// Something that kept a NAS from connecting, or cut it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadsecTrouble {
    pub at: Timestamp,
    pub source: SocketAddr,
    pub why: String,
}

#[derive(Debug, Default)]
pub struct RadsecState(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// As many as the protocol lets in.
    open: Vec<RadsecPeer>,
    trouble: Option<RadsecTrouble>,
}

impl RadsecState {
    pub fn opened(&self, source: SocketAddr, now: Timestamp) {
        self.lock().open.push(RadsecPeer { source, since: now });
    }

    pub fn closed(&self, source: SocketAddr) {
        self.lock().open.retain(|peer| peer.source != source);
    }

    pub fn saw_trouble(&self, source: SocketAddr, why: String, now: Timestamp) {
        self.lock().trouble = Some(RadsecTrouble {
            at: now,
            source,
            why,
        });
    }

    /// Oldest first.
    pub fn open(&self) -> Vec<RadsecPeer> {
        self.lock().open.clone()
    }

    pub fn trouble(&self) -> Option<RadsecTrouble> {
        self.lock().trouble.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
