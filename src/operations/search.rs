//! One box over everything: bring the index up to date, and ask it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use crate::allocator;
use crate::app::App;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::nas::Nas;
use crate::domain::plan::Plan;
use crate::domain::subscriber::Subscriber;
use crate::domain::text::searchable;
use crate::search::{self, Change, Document, Key};
use crate::store::outbox::{self, Lane, Work};
use crate::store::{View, nas, plans, subscribers};

use super::sessions::Wanted;
use super::{Error, addresses};

const SUBSCRIBER: u8 = 1;
const PLAN: u8 = 2;
const NAS: u8 = 3;

/// Follow-up work taken in one piece: one index commit costs some 25 disk syncs however many changes it has.
const MOST_AT_ONCE: usize = 1_000;
/// Documents in one index commit when it is made anew.
const REBUILD_STEP: usize = 10_000;

/// A thing that was found.
#[derive(Debug, Clone)]
pub enum Hit {
    Subscriber(Box<Subscriber>),
    Plan(Box<Plan>),
    Nas(Box<Nas>),
}

/// What one piece of catching up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// More changes wait.
    pub more: bool,
    pub changed: bool,
}

/// Brings the index up to date: makes it anew when it is stale, else applies what waits. An index whose files are at fault
/// is opened and made anew. Blocks.
pub fn keep_up(app: &App) -> Result<Step, Error> {
    if app.search_is_stale.load(Ordering::Acquire) {
        let documents = rebuild(app, |_| ControlFlow::Continue(()))?;
        app.search_is_stale.store(false, Ordering::Release);
        // The writer that did so much is not kept for the few changes that may come.
        app.search().rest()?;
        allocator::release_unused();
        tracing::info!(documents, "the search index was made anew");
        return Ok(Step {
            more: true,
            changed: true,
        });
    }
    match catch_up(app) {
        Err(Error::Search(error)) => {
            tracing::warn!(%error, "the search index is at fault and will be made anew");
            app.reopen_search()?;
            Ok(Step {
                more: true,
                changed: true,
            })
        }
        result => result,
    }
}

/// Applies waiting changes to the index. Blocks.
pub fn catch_up(app: &App) -> Result<Step, Error> {
    let view = app.store.view()?;
    let waiting = outbox::waiting(&view, Lane::Search, MOST_AT_ONCE)?;
    let Some((last, _)) = waiting.last().copied() else {
        return Ok(Step {
            more: false,
            changed: false,
        });
    };
    let mut seen = HashSet::new();
    let mut changes = Vec::new();
    for key in waiting.iter().filter_map(|(_, work)| work.and_then(key_of)) {
        if seen.insert(key) {
            changes.push(change(&view, key)?);
        }
    }
    app.search().update(changes, last)?;
    let keys: Vec<u64> = waiting.iter().map(|(key, _)| *key).collect();
    let more = keys.len() == MOST_AT_ONCE;
    app.store
        .write("search outbox", move |tx| outbox::indexed(tx, &keys))
        .wait()?;
    Ok(Step {
        more,
        changed: true,
    })
}

fn key_of(work: Work) -> Option<Key> {
    match work {
        Work::IndexSubscriber(id) => Some(Key {
            kind: SUBSCRIBER,
            id: id.0,
        }),
        Work::IndexPlan(id) => Some(Key {
            kind: PLAN,
            id: id.0,
        }),
        Work::IndexNas(id) => Some(Key {
            kind: NAS,
            id: id.0,
        }),
        _ => None,
    }
}

fn change(view: &View, key: Key) -> Result<Change, Error> {
    let texts = match key.kind {
        SUBSCRIBER => {
            subscribers::get(view, SubscriberId(key.id))?.map(|s| subscriber_texts(&s.subscriber))
        }
        PLAN => plans::get(view, PlanId(key.id))?.map(|p| vec![p.name]),
        _ => nas::get(view, NasId(key.id))?.map(|n| nas_texts(&n.nas)),
    };
    Ok(texts.map_or(Change::Delete(key), |texts| {
        Change::Put(Document { key, texts })
    }))
}

fn subscriber_texts(s: &Subscriber) -> Vec<String> {
    let mut texts = vec![
        s.username.as_str().to_owned(),
        s.full_name.clone(),
        s.phone.clone(),
        s.email.clone(),
        s.address.clone(),
    ];
    texts.extend(s.macs.iter().map(|mac| mac.to_string()));
    texts.extend(s.static_address.map(|a| a.to_string()));
    texts.retain(|text| !text.is_empty());
    texts
}

fn nas_texts(nas: &Nas) -> Vec<String> {
    vec![nas.name.clone(), nas.network.to_string()]
}

/// Makes the index anew from the tables; `progress` is told how many documents are in. Blocks.
/// Errors: `Interrupted` when `progress` breaks it off; the index is then unfinished, and made anew at the next start.
pub fn rebuild(
    app: &App,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<usize, Error> {
    let view = app.store.view()?;
    let mut batch = Vec::new();
    let mut done = 0;
    for plan in plans::all(&view)? {
        batch.push(Change::Put(Document {
            key: Key {
                kind: PLAN,
                id: plan.id.0,
            },
            texts: vec![plan.name],
        }));
    }
    for stored in nas::all(&view)? {
        let key = Key {
            kind: NAS,
            id: stored.nas.id.0,
        };
        batch.push(Change::Put(Document {
            key,
            texts: nas_texts(&stored.nas),
        }));
    }
    let mut failed: Option<Error> = None;
    subscribers::each(&view, SubscriberId(0), |stored| {
        let key = Key {
            kind: SUBSCRIBER,
            id: stored.subscriber.id.0,
        };
        batch.push(Change::Put(Document {
            key,
            texts: subscriber_texts(&stored.subscriber),
        }));
        if batch.len() < REBUILD_STEP {
            return ControlFlow::Continue(());
        }
        done += batch.len();
        if let Err(error) = app.search().update(batch.drain(..), 0) {
            failed = Some(error.into());
        } else if progress(done).is_break() {
            failed = Some(Error::Interrupted);
        }
        match failed {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    done += batch.len();
    // Work that was committed meanwhile is applied after this, by its own number.
    app.search()
        .update(batch, outbox::last_indexed(&view)?.max(1))?;
    Ok(done)
}

/// What fits the words, best first. Rows are checked, so that no candidate without the words is shown; if nothing has
/// them, one mistake in each word is forgiven.
pub fn find(app: &App, text: &str, limit: usize) -> Result<Vec<Hit>, Error> {
    let view = app.store.view()?;
    let mut hits = Vec::new();
    for key in app.search().query(text, limit.saturating_mul(2))? {
        if let Some((hit, texts)) = load(&view, key)?
            && search::matches(&texts, text)
        {
            hits.push(hit);
        }
    }
    add_live(app, &view, text, &mut hits, limit)?;
    add_past(&view, text, &mut hits, limit)?;
    if hits.is_empty() {
        for key in app.search().similar(text, limit)? {
            hits.extend(load(&view, key)?.map(|(hit, _)| hit));
        }
    }
    hits.truncate(limit);
    Ok(hits)
}

fn load(view: &View, key: Key) -> Result<Option<(Hit, Vec<String>)>, Error> {
    Ok(match key.kind {
        SUBSCRIBER => subscribers::get(view, SubscriberId(key.id))?.map(|stored| {
            let texts = subscriber_texts(&stored.subscriber);
            (Hit::Subscriber(Box::new(stored.subscriber)), texts)
        }),
        PLAN => plans::get(view, PlanId(key.id))?.map(|plan| {
            let texts = vec![plan.name.clone()];
            (Hit::Plan(Box::new(plan)), texts)
        }),
        _ => nas::get(view, NasId(key.id))?.map(|stored| {
            let texts = nas_texts(&stored.nas);
            (Hit::Nas(Box::new(stored.nas)), texts)
        }),
    })
}

/// Whoever is online under an address or from a MAC address right now.
fn add_live(
    app: &App,
    view: &View,
    text: &str,
    hits: &mut Vec<Hit>,
    limit: usize,
) -> Result<(), Error> {
    let folded = searchable(text.trim());
    if !folded.chars().any(|c| c.is_ascii_digit()) || folded.len() < 4 {
        return Ok(());
    }
    let wanted = Wanted::of(text);
    let mut found: Vec<SubscriberId> = {
        let live = app.accounting.live();
        live.open_sessions()
            .filter(|s| wanted.is_in(s))
            .filter_map(|s| s.subscriber)
            .take(limit)
            .collect()
    };
    found.sort_unstable();
    found.dedup();
    add_subscribers(view, found, hits)
}

/// Whoever had an address before, newest first.
fn add_past(view: &View, text: &str, hits: &mut Vec<Hit>, limit: usize) -> Result<(), Error> {
    match text.trim().parse() {
        Ok(address) => add_subscribers(view, addresses::past_holders(view, address, limit)?, hits),
        Err(_) => Ok(()),
    }
}

/// Those that are not among the hits yet, and still exist.
fn add_subscribers(
    view: &View,
    found: Vec<SubscriberId>,
    hits: &mut Vec<Hit>,
) -> Result<(), Error> {
    for id in found {
        let is_known = |hit: &Hit| matches!(hit, Hit::Subscriber(s) if s.id == id);
        if !hits.iter().any(is_known)
            && let Some(stored) = subscribers::get(view, id)?
        {
            hits.push(Hit::Subscriber(Box::new(stored.subscriber)));
        }
    }
    Ok(())
}
