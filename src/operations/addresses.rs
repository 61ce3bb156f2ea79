//! Addresses: who has or had one at a time, which are set aside, and whether one may be.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use crate::app::App;
use crate::domain::address::Block;
use crate::domain::id::SubscriberId;
use crate::domain::nas::Network;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::statics::{self, Static};
use crate::store::{Read, View, session_addresses, subscribers};

use super::Error;

/// Ended sessions of one address that are looked at; bounds the time of a page to some 100 ms.
const MOST_LOOKED_AT: usize = 20_000;
/// Sessions of an answer: one at nearly any time, more for a network.
const MOST_HOLDERS: usize = 100;

/// Who had an address, or addresses of a network, at a time.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Oldest first; at most [`MOST_HOLDERS`].
    pub holders: Vec<Session>,
    /// The last that ended before that time, and the first that began after it.
    pub before: Option<Session>,
    pub after: Option<Session>,
    /// More sessions had it than were looked at, so that some may be missing.
    pub is_cut: bool,
}

impl Held {
    fn note(&mut self, session: Session, at: Timestamp) {
        if session.started_at > at {
            let is_nearer = |s: &Session| session.started_at < s.started_at;
            if self.after.as_ref().is_none_or(is_nearer) {
                self.after = Some(session);
            }
            return;
        }
        match ended_at(&session) {
            Some(ended) if ended < at => {
                let is_nearer = |s: &Session| ended_at(s).is_some_and(|other| ended > other);
                if self.before.as_ref().is_none_or(is_nearer) {
                    self.before = Some(session);
                }
            }
            _ if self.holders.len() < MOST_HOLDERS => self.holders.push(session),
            _ => self.is_cut = true,
        }
    }
}

fn ended_at(session: &Session) -> Option<Timestamp> {
    session.stopped.map(|stopped| stopped.at)
}

/// Who had any address of a network at a time, from accounting: sessions that are open, and those that ended.
pub fn holders(app: &App, network: Network, at: Timestamp) -> Result<Held, Error> {
    let wanted = Block::of_network(network);
    let mut held = Held::default();
    let mut seen = HashSet::new();
    // Memory first: what a fold writes meanwhile is then met twice, not missed.
    {
        let live = app.accounting.live();
        let is_wanted = |s: &&Session| {
            let mut blocks = s.place.blocks().into_iter().flatten();
            blocks.any(|block| block.overlaps(wanted))
        };
        for session in live
            .holders(wanted)
            .chain(live.ended_sessions().filter(is_wanted))
        {
            if seen.insert(session.id) {
                held.note(session.clone(), at);
            }
        }
    }
    let view = app.store.view()?;
    let is_all = session_addresses::each_holder(&view, wanted, MOST_LOOKED_AT, |session| {
        if !seen.contains(&session.id) {
            held.note(session, at);
        }
        ControlFlow::Continue(())
    })?;
    held.is_cut |= !is_all;
    held.holders.sort_by_key(|s| (s.started_at, s.id));
    Ok(held)
}

/// Subscribers of the newest ended sessions that had an address, newest first, each once.
pub fn past_holders(
    view: &View,
    address: IpAddr,
    limit: usize,
) -> Result<Vec<SubscriberId>, Error> {
    let mut found = Vec::new();
    session_addresses::each_holder(view, Block::of(address), MOST_LOOKED_AT, |session| {
        let known = session.subscriber.filter(|id| !found.contains(id));
        found.extend(known);
        match found.len() < limit {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(found)
}

/// Addresses and prefixes that are set aside, in order: `limit` after the first `skip`, and how many there are.
pub fn statics(app: &App, skip: usize, limit: usize) -> Result<(Vec<Static>, usize), Error> {
    let all = statics::all(&app.store.view()?)?;
    let total = all.len();
    Ok((all.into_iter().skip(skip).take(limit).collect(), total))
}

/// Whether a subscriber may have this static address and prefix. Errors: `Field` for one that is another's.
pub(super) fn check_static(
    read: &impl Read,
    address: Option<Ipv4Addr>,
    prefix: Option<(Ipv6Addr, u8)>,
    own: Option<SubscriberId>,
) -> Result<(), Error> {
    if let Some(address) = address
        && let Some(holder) = statics::address_holder(read, address)?
        && Some(holder) != own
    {
        let problem = format!("{} has this address", name_of(read, holder)?);
        return Err(Error::field("static_address", problem));
    }
    if let Some(prefix) = prefix
        && let Some(holder) = statics::prefix_holder(read, prefix, own)?
    {
        let problem = format!("{} has some of this prefix", name_of(read, holder)?);
        return Err(Error::field("static_prefix", problem));
    }
    Ok(())
}

fn name_of(read: &impl Read, id: SubscriberId) -> Result<String, Error> {
    let found = subscribers::get(read, id)?;
    Ok(found.map_or_else(
        || "another subscriber".to_owned(),
        |stored| stored.subscriber.username.as_str().to_owned(),
    ))
}
