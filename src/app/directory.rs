//! The few facts of every subscriber that lists and counts need, so that no page walks over the whole table.
//!
//! About 80 octets a subscriber. Made at the first use, not at the start: logins do not need it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};

use crate::domain::id::{PlanId, SubscriberId};
use crate::domain::subscriber::{Subscriber, TermState};
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError, View, subscribers};

#[derive(Debug)]
pub struct DirectoryEntry {
    pub id: SubscriberId,
    /// The login name without case.
    pub name: Box<str>,
    pub plan: PlanId,
    pub is_suspended: bool,
    pub has_learned_macs: bool,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl DirectoryEntry {
    fn new(subscriber: &Subscriber) -> Self {
        DirectoryEntry {
            id: subscriber.id,
            name: subscriber.username.folded().into(),
            plan: subscriber.plan,
            is_suspended: subscriber.is_suspended(),
            has_learned_macs: subscriber.has_learned_macs(),
            expires_at: subscriber.expires_at,
            created_at: subscriber.created_at,
        }
    }

    pub fn term_at(&self, now: Timestamp) -> TermState {
        TermState::at(self.expires_at, now)
    }
}

pub struct Directory(RwLock<Option<HashMap<SubscriberId, DirectoryEntry>>>);

impl Directory {
    pub(super) fn new() -> Self {
        Directory(RwLock::new(None))
    }

    /// Takes over the change of one subscriber.
    pub(super) fn follow(&self, view: &View, id: SubscriberId) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = entries.as_mut() else {
            return;
        };
        match subscribers::get(view, id) {
            Ok(Some(stored)) => {
                known.insert(id, DirectoryEntry::new(&stored.subscriber));
            }
            Ok(None) => {
                known.remove(&id);
            }
            Err(error) => {
                tracing::error!(%error, "the directory of subscribers is made anew");
                *entries = None;
            }
        }
    }

    /// Shows every entry to `read`, in no order.
    pub fn with<T>(
        &self,
        store: &Store,
        read: impl FnOnce(&HashMap<SubscriberId, DirectoryEntry>) -> T,
    ) -> Result<T, StoreError> {
        {
            let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = entries.as_ref() {
                return Ok(read(known));
            }
        }
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.is_none() {
            // The view is taken under the lock, so that no commit falls between it and the first change that follows.
            let view = store.view()?;
            let mut all = HashMap::new();
            subscribers::each(&view, SubscriberId(0), |stored| {
                all.insert(
                    stored.subscriber.id,
                    DirectoryEntry::new(&stored.subscriber),
                );
                ControlFlow::Continue(())
            })?;
            *entries = Some(all);
        }
        match entries.as_ref() {
            Some(known) => Ok(read(known)),
            None => Err(StoreError::Closed),
        }
    }
}
