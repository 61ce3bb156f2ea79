//! Which sessions are open: how many, whose, and which addresses they hold.
//!
//! Only ids are kept here; the sessions themselves are in `live`. Invariant: exactly the open sessions are listed, under what
//! they say now.

use std::collections::HashMap;

use crate::domain::address::{Block, Holdings};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::session::Session;

/// Under what a session is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listing {
    subscriber: Option<SubscriberId>,
    held: [Option<Block>; 3],
}

impl Listing {
    /// `None` for a session that ended.
    pub(super) fn of(session: &Session) -> Option<Listing> {
        session.stopped.is_none().then(|| Listing {
            subscriber: session.subscriber,
            held: session.place.blocks(),
        })
    }
}

#[derive(Default)]
pub(super) struct Open {
    count: usize,
    /// Oldest first.
    by_subscriber: HashMap<SubscriberId, Vec<SessionId>>,
    by_address: Holdings<SessionId>,
}

impl Open {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn list(&mut self, id: SessionId, listing: Option<Listing>) {
        let Some(listing) = listing else { return };
        self.count += 1;
        for block in listing.held.into_iter().flatten() {
            self.by_address.add(block, id);
        }
        if let Some(subscriber) = listing.subscriber {
            let ids = self.by_subscriber.entry(subscriber).or_default();
            let place = ids.partition_point(|other| *other < id);
            ids.insert(place, id);
        }
    }

    /// Takes back what [`Open::list`] did with the same listing.
    pub(super) fn unlist(&mut self, id: SessionId, listing: Option<Listing>) {
        let Some(listing) = listing else { return };
        self.count = self.count.saturating_sub(1);
        for block in listing.held.into_iter().flatten() {
            self.by_address.remove(block, id);
        }
        if let Some(subscriber) = listing.subscriber
            && let Some(ids) = self.by_subscriber.get_mut(&subscriber)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_subscriber.remove(&subscriber);
            }
        }
    }

    /// Of a subscriber, oldest first.
    pub(super) fn of(&self, subscriber: SubscriberId) -> &[SessionId] {
        self.by_subscriber
            .get(&subscriber)
            .map_or(&[], Vec::as_slice)
    }

    /// Those that hold any address of a stretch.
    pub(super) fn holders(&self, block: Block) -> impl Iterator<Item = SessionId> + '_ {
        self.by_address.overlapping(block)
    }

    /// Subscribers with an open session.
    pub(super) fn subscribers(&self) -> impl Iterator<Item = SubscriberId> + '_ {
        self.by_subscriber.keys().copied()
    }
}
