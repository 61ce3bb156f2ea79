//! Server-side pools: which address or prefix a login gets (rules.md section 8).
//!
//! Who holds what is written nowhere twice: open sessions hold what accounting says, subscribers what is set aside for them,
//! and a login holds what it was given until its accounting Start must have come. Invariant: what one of these holds is given
//! to nobody else. So a lost Stop frees its address when the session is given up, and a restart loses nothing but the logins
//! of its last seconds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use super::AppError;
use crate::domain::address::{Block, Holdings, Lease};
use crate::domain::allocation::Allocation;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::pool::{Pool, PoolKind};
use crate::domain::session::Session;
use crate::domain::subscriber::Subscriber;
use crate::domain::time::{SECOND, Timestamp};
use crate::store::accounting::{Accounting, Live};
use crate::store::{Store, View, pools, sessions, statics, subscribers};

/// An address is kept for a login so long: a Start is sent again a few times before a router gives up, and comes with the
/// first interim record otherwise.
const RESERVED_FOR: i64 = 180 * SECOND;
/// Logins that wait for their Start; far above what one machine accepts in that time.
const MOST_RESERVED: usize = 1 << 18;
/// A pool without a free address is looked through again after this, whatever the number of logins.
const SEARCH_AGAIN: u64 = 1_000;
/// Subscribers whose last address is in memory; about 60 octets each.
const MOST_GIVEN: usize = 16_384;
/// Ended sessions of a subscriber that are searched for the last address.
const MOST_SEARCHED: usize = 4;

/// A login that wants an address.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub subscriber: SubscriberId,
    pub nas: NasId,
    pub mac: Option<Mac>,
    /// The subscriber may have one session only, so that a new login takes the place of any other.
    pub is_alone: bool,
    /// Open sessions of the subscriber that end for this login: it may have what they hold.
    pub leaving: &'a [SessionId],
}

/// What became of the addresses of a pool.
#[derive(Debug, Clone)]
pub struct Counted {
    pub pool: Arc<Pool>,
    /// Held by open sessions.
    pub used: u32,
    /// Given to a login whose session is not seen yet, or set aside for a subscriber who is not online with it.
    pub reserved: u32,
}

impl Counted {
    pub fn free(&self) -> u32 {
        let size = self.pool.kind.size();
        size.saturating_sub(self.used).saturating_sub(self.reserved)
    }
}

pub struct Addresses {
    state: Mutex<State>,
    /// What each subscriber was given last: addresses, and prefixes.
    given: Cache<(SubscriberId, bool), Lease>,
}

#[derive(Default)]
struct State {
    /// By name.
    pools: HashMap<String, Open>,
    statics: Statics,
    reserved: HashMap<Lease, Reservation>,
    /// When each reservation lapses, soonest first.
    lapses: VecDeque<(Timestamp, Lease)>,
}

struct Open {
    pool: Arc<Pool>,
    /// What was looked at since the last search from scratch. Nothing is given by these bits alone.
    looked_at: Allocation,
    searched_at: Option<Timestamp>,
}

struct Reservation {
    subscriber: SubscriberId,
    nas: NasId,
    mac: Option<Mac>,
    until: Timestamp,
}

impl Reservation {
    /// The same line asks again before its session began, or the only session that the subscriber may have.
    fn is_for(&self, asked: &Asked<'_>) -> bool {
        let is_same_line = self.mac.is_some() && (self.nas, self.mac) == (asked.nas, asked.mac);
        self.subscriber == asked.subscriber && (asked.is_alone || is_same_line)
    }
}

/// What is set aside for one subscriber each.
#[derive(Default)]
struct Statics {
    held: Holdings<SubscriberId>,
    of: HashMap<SubscriberId, [Option<Block>; 2]>,
}

impl Statics {
    fn add(&mut self, subscriber: SubscriberId, block: Block) {
        self.held.add(block, subscriber);
        let blocks = self.of.entry(subscriber).or_default();
        if let Some(free) = blocks.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(block);
        }
    }

    fn forget(&mut self, subscriber: SubscriberId) {
        for block in self.of.remove(&subscriber).into_iter().flatten().flatten() {
            self.held.remove(block, subscriber);
        }
    }
}

/// What the tables say of pools, and of what is set aside.
pub(super) struct Fresh {
    pools: Vec<Pool>,
    statics: Vec<statics::Static>,
}

impl Fresh {
    pub(super) fn read(view: &View) -> Result<Fresh, AppError> {
        let pools = pools::all(view)?;
        let statics = match pools.is_empty() {
            true => Vec::new(),
            false => statics::all(view)?,
        };
        Ok(Fresh { pools, statics })
    }
}

impl Addresses {
    pub(super) fn new(fresh: Fresh) -> Addresses {
        let addresses = Addresses {
            state: Mutex::new(State::default()),
            given: Cache::new(MOST_GIVEN),
        };
        addresses.follow_pools(fresh);
        addresses
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over pools that changed. What was given to logins stays theirs.
    pub(super) fn follow_pools(&self, fresh: Fresh) {
        let mut state = self.lock();
        state.pools = fresh
            .pools
            .into_iter()
            .map(|pool| (pool.name.clone(), Open::new(pool)))
            .collect();
        state.statics = Statics::default();
        for item in fresh.statics {
            let block = Block::of_network(item.network);
            state.statics.add(item.subscriber, block);
        }
    }

    /// Takes over the change of one subscriber. Without pools nothing is kept of subscribers.
    pub(super) fn follow_subscriber(&self, view: &View, id: SubscriberId) {
        if self.lock().pools.is_empty() {
            return;
        }
        let stored = match subscribers::get(view, id) {
            Ok(stored) => stored.map(|stored| stored.subscriber),
            Err(error) => {
                tracing::error!(%error, "a static address in memory is out of date");
                return;
            }
        };
        let mut state = self.lock();
        state.statics.forget(id);
        for block in stored.iter().flat_map(set_aside) {
            state.statics.add(id, block);
        }
    }

    /// A pool by its name, as plans write it.
    pub fn pool(&self, name: &str) -> Option<Arc<Pool>> {
        let state = self.lock();
        state.pools.get(name).map(|open| Arc::clone(&open.pool))
    }

    /// The pool that an address or prefix lies in, in part at least.
    pub fn pool_over(&self, block: Block) -> Option<Arc<Pool>> {
        let state = self.lock();
        let mut pools = state.pools.values();
        pools
            .find(|open| open.pool.kind.overlaps(block))
            .map(|open| Arc::clone(&open.pool))
    }

    /// An address or prefix for a login; `None` when there is none left.
    pub fn take(
        &self,
        pool: &Pool,
        asked: &Asked<'_>,
        accounting: &Accounting,
        store: &Store,
        now: Timestamp,
    ) -> Option<Lease> {
        let before = self.given_before(pool, asked.subscriber, accounting, store);
        // Sessions first, then this lock: everybody takes them in this order.
        let live = accounting.live();
        let mut state = self.lock();
        state.let_lapse(now);
        let State {
            pools,
            statics,
            reserved,
            lapses,
        } = &mut *state;
        if lapses.len() >= MOST_RESERVED {
            tracing::error!("too many logins wait for their accounting Start");
            return None;
        }
        let open = pools.get_mut(&pool.name)?;
        let may_have = |lease: Lease| {
            let block = lease.block();
            reserved.get(&lease).is_none_or(|r| r.is_for(asked))
                && statics.held.overlapping(block).next().is_none()
                && live.holders(block).all(|s| asked.leaving.contains(&s.id))
        };
        let is_wanted =
            |lease: &Lease| pool.sticky || reserved.get(lease).is_some_and(|r| r.is_for(asked));
        let lease = before
            .into_iter()
            .filter(is_wanted)
            .find(|lease| open.pool.kind.slot(*lease).is_some() && may_have(*lease))
            .or_else(|| open.search(may_have, now))?;
        let until = now.plus(RESERVED_FOR);
        let reservation = Reservation {
            subscriber: asked.subscriber,
            nas: asked.nas,
            mac: asked.mac,
            until,
        };
        reserved.insert(lease, reservation);
        lapses.push_back((until, lease));
        drop(state);
        drop(live);
        self.given
            .insert(given_key(asked.subscriber, &pool.kind), lease);
        Some(lease)
    }

    /// What the subscriber had last: given by us, else of a session that is open, else of one that ended.
    fn given_before(
        &self,
        pool: &Pool,
        subscriber: SubscriberId,
        accounting: &Accounting,
        store: &Store,
    ) -> Option<Lease> {
        if let Some(lease) = self.given.get(&given_key(subscriber, &pool.kind)) {
            return Some(lease);
        }
        if !pool.sticky {
            return None;
        }
        let held = |session: &Session| {
            lease_of(session, &pool.kind).filter(|lease| pool.kind.slot(*lease).is_some())
        };
        let open = accounting
            .live()
            .open_of(subscriber)
            .filter_map(held)
            .last();
        open.or_else(|| {
            let view = store.view();
            let ended = view.and_then(|v| sessions::closed_of(&v, subscriber, MOST_SEARCHED));
            let ended = ended.unwrap_or_else(|error| {
                tracing::warn!(%error, "a login gets a new address: its last one cannot be read");
                Vec::new()
            });
            ended.iter().find_map(held)
        })
    }

    /// How full each pool is, by name.
    pub fn counts(&self, live: &Live, now: Timestamp) -> Vec<Counted> {
        let mut state = self.lock();
        state.let_lapse(now);
        let mut counted: Vec<Counted> = state
            .pools
            .values()
            .map(|open| Counted {
                pool: Arc::clone(&open.pool),
                used: 0,
                reserved: 0,
            })
            .collect();
        counted.sort_by_key(|it| it.pool.name.to_lowercase());
        let places = Places::new(&counted);
        let held = live
            .open_sessions()
            .flat_map(|s| s.place.blocks())
            .flatten();
        for index in held.filter_map(|block| places.find(block)) {
            if let Some(it) = counted.get_mut(index) {
                it.used = it.used.saturating_add(1);
            }
        }
        let given = state.reserved.keys().map(|lease| lease.block());
        let aside = state.statics.of.values().flatten().copied().flatten();
        for block in given.chain(aside) {
            if live.holders(block).next().is_none()
                && let Some(it) = places.find(block).and_then(|index| counted.get_mut(index))
            {
                it.reserved = it.reserved.saturating_add(1);
            }
        }
        counted
    }
}

impl State {
    /// Forgets reservations whose time is over. Each is looked at once.
    fn let_lapse(&mut self, now: Timestamp) {
        while let Some((until, lease)) = self.lapses.front().copied() {
            if until > now {
                return;
            }
            self.lapses.pop_front();
            // It may have been given anew since.
            if self.reserved.get(&lease).is_some_and(|r| r.until <= now) {
                self.reserved.remove(&lease);
            }
        }
    }
}

impl Open {
    fn new(pool: Pool) -> Open {
        Open {
            looked_at: Allocation::new(pool.kind.size()),
            pool: Arc::new(pool),
            searched_at: None,
        }
    }

    /// The next one that may be had, so that what was freed rests as long as there are others; when all were looked at, from
    /// scratch.
    fn search(&mut self, may_have: impl Fn(Lease) -> bool, now: Timestamp) -> Option<Lease> {
        if let Some(lease) = self.search_on(&may_have) {
            return Some(lease);
        }
        let is_recent = |at: Timestamp| now.0.abs_diff(at.0) < SEARCH_AGAIN;
        if self.searched_at.is_some_and(is_recent) {
            return None;
        }
        self.searched_at = Some(now);
        self.looked_at.free_all();
        self.search_on(&may_have)
    }

    fn search_on(&mut self, may_have: &impl Fn(Lease) -> bool) -> Option<Lease> {
        while let Some(slot) = self.looked_at.take(None) {
            let lease = self.pool.kind.lease(slot).filter(|lease| may_have(*lease));
            if lease.is_some() {
                return lease;
            }
        }
        None
    }
}

fn given_key(subscriber: SubscriberId, kind: &PoolKind) -> (SubscriberId, bool) {
    (subscriber, matches!(kind, PoolKind::Delegated(_)))
}

/// What a session holds of the kind that a pool hands out.
fn lease_of(session: &Session, kind: &PoolKind) -> Option<Lease> {
    match kind {
        PoolKind::V4(_) => session.place.address.map(Lease::Address),
        PoolKind::Delegated(_) => {
            let prefix = session.place.delegated_prefix;
            prefix.map(|(address, length)| Lease::Prefix(address, length))
        }
    }
}

fn set_aside(subscriber: &Subscriber) -> impl Iterator<Item = Block> {
    let address = subscriber.static_address.map(Block::of_v4);
    let prefix = subscriber.static_prefix.map(Block::of_prefix);
    address.into_iter().chain(prefix)
}

/// The stretches of all pools in order; pools do not overlap.
struct Places(Vec<(Block, usize)>);

impl Places {
    fn new(counted: &[Counted]) -> Places {
        let numbered = counted.iter().enumerate();
        let mut blocks: Vec<(Block, usize)> = numbered
            .flat_map(|(index, it)| it.pool.kind.blocks().into_iter().map(move |b| (b, index)))
            .collect();
        blocks.sort_unstable();
        Places(blocks)
    }

    /// The pool that has the first address of a stretch.
    fn find(&self, block: Block) -> Option<usize> {
        let after = self.0.partition_point(|(own, _)| own.first <= block.first);
        let (own, index) = self.0.get(after.checked_sub(1)?)?;
        (block.first <= own.last).then_some(*index)
    }
}
