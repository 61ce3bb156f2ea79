//! What a login needs to know of a subscriber, kept in a bounded cache that every commit refreshes, so that a changed
//! password holds at the next packet.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::domain::extra::Extras;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::plan::OnLimit;
use crate::domain::quota::{Began, Credit, TopUp};
use crate::domain::rate::Rate;
use crate::domain::subscriber::{Boost, MacMode, Status};
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::subscribers::{self, StoredSubscriber};
use crate::store::{Store, StoreError};

/// Subscribers kept; about 250 octets each.
const MOST_FACTS: usize = 16_384;

#[derive(Debug)]
pub struct LoginFacts {
    pub id: SubscriberId,
    /// Sealed: the cache holds no plain password.
    pub sealed_password: Box<[u8]>,
    pub plan: PlanId,
    pub status: Status,
    pub expires_at: Option<Timestamp>,
    pub rate_override: Option<Rate>,
    pub max_sessions: Option<u8>,
    pub on_limit: Option<OnLimit>,
    pub mac_mode: MacMode,
    pub macs: Box<[Mac]>,
    pub only_nas: Option<NasId>,
    pub static_address: Option<Ipv4Addr>,
    pub static_prefix: Option<(Ipv6Addr, u8)>,
    pub boost: Option<Boost>,
    pub credits: Box<[Credit]>,
    pub top_ups: Box<[TopUp]>,
    pub extras: Extras,
    pub began: Began,
}

impl From<StoredSubscriber> for LoginFacts {
    fn from(stored: StoredSubscriber) -> Self {
        let s = stored.subscriber;
        LoginFacts {
            began: s.began(),
            static_prefix: s.static_prefix,
            boost: s.boost,
            credits: s.credits.into(),
            top_ups: s.top_ups.into(),
            extras: s.extras,
            id: s.id,
            sealed_password: stored.sealed_password.into(),
            plan: s.plan,
            status: s.status,
            expires_at: s.expires_at,
            rate_override: s.rate_override,
            max_sessions: s.max_sessions,
            on_limit: s.on_limit,
            mac_mode: s.mac_mode,
            macs: s.macs.into(),
            only_nas: s.only_nas,
            static_address: s.static_address,
        }
    }
}

pub struct LoginFactsCache {
    /// By login name without case, so that a login is one lookup. The id stands beside the facts, so that a commit finds
    /// whom it changed without touching each of them.
    by_name: Cache<Box<str>, (SubscriberId, Arc<LoginFacts>)>,
    /// Counts commits. What was read before a commit may not be kept after it.
    commits: Mutex<u64>,
}

impl LoginFactsCache {
    pub(super) fn new() -> Self {
        LoginFactsCache {
            by_name: Cache::new(MOST_FACTS),
            commits: Mutex::new(0),
        }
    }

    /// Called after the commit that changed these subscribers. Walks over the whole cache once (some 50 µs), however many
    /// there are: changes are rare, logins are not.
    pub(super) fn forget(&self, changed: &HashSet<SubscriberId>) {
        if changed.is_empty() {
            return;
        }
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        *commits += 1;
        self.by_name.retain(|_, (id, _)| !changed.contains(id));
    }

    /// The facts of a login name, or `None` if nobody has it.
    pub fn find(
        &self,
        store: &Store,
        username: &str,
    ) -> Result<Option<Arc<LoginFacts>>, StoreError> {
        let name = folded(username);
        if let Some((_, facts)) = self.by_name.get(name.as_ref()) {
            return Ok(Some(facts));
        }
        match self.load(store, &name) {
            // The writer has just opened the file anew after a fault of the disk; the next view is good.
            Err(StoreError::Fault { .. }) => self.load(store, &name),
            loaded => loaded,
        }
    }

    fn load(&self, store: &Store, name: &str) -> Result<Option<Arc<LoginFacts>>, StoreError> {
        let commits_before = *self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let view = store.view()?;
        let Some(id) = subscribers::named(&view, name)? else {
            return Ok(None);
        };
        let Some(stored) = subscribers::get(&view, id)? else {
            return Ok(None);
        };
        let facts = Arc::new(LoginFacts::from(stored));
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if *commits == commits_before {
            self.by_name.insert(name.into(), (id, Arc::clone(&facts)));
        }
        Ok(Some(facts))
    }
}

/// Nearly all names are lower case already.
fn folded(username: &str) -> Cow<'_, str> {
    if username
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        Cow::Borrowed(username)
    } else {
        Cow::Owned(fold_case(username))
    }
}
