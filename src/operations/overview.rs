//! What the dashboard, the list of subscribers and the page of one show. The logs are in `records`.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::app::{App, DirectoryEntry, LoginFacts};
use crate::domain::audit::Entry;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::nas::Profile;
use crate::domain::octets::Usage;
use crate::domain::reconnect::Planned;
use crate::domain::session::{Presence, Session};
use crate::domain::subscriber::{Subscriber, TermState};
use crate::domain::text::fold_case;
use crate::domain::time::{Day, Month, Timestamp};
use crate::store::auth_log::Attempt;
use crate::store::notices::{self, Told};
use crate::store::{FILE_NAME, audit, journal, subscribers};

use super::paging::page_of;
use super::speeds::{self, Gathered};
use super::{Error, reconnects, search};

/// Subscribers that a text can find in a list.
const MOST_TEXT_HITS: usize = 200;

/// The administrative and the term state in one word, for lists; the facts stay apart in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Active,
    ExpiringSoon,
    Expired,
    Disabled,
}

impl State {
    pub const ALL: [State; 4] = [
        State::Active,
        State::ExpiringSoon,
        State::Expired,
        State::Disabled,
    ];

    pub fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::ExpiringSoon => "expiring",
            State::Expired => "expired",
            State::Disabled => "disabled",
        }
    }

    fn new(is_suspended: bool, term: TermState) -> State {
        match (is_suspended, term) {
            (true, _) => State::Disabled,
            (false, TermState::Active) => State::Active,
            (false, TermState::ExpiringSoon) => State::ExpiringSoon,
            (false, TermState::Expired) => State::Expired,
        }
    }

    pub fn of(subscriber: &Subscriber, now: Timestamp) -> State {
        State::new(subscriber.is_suspended(), subscriber.term_at(now))
    }

    fn of_entry(entry: &DirectoryEntry, now: Timestamp) -> State {
        State::new(entry.is_suspended, entry.term_at(now))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubscriberSort {
    #[default]
    Name,
    Expiry,
    Created,
}

/// Which subscribers a list shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct SubscriberFilter {
    pub text: String,
    pub plan: Option<PlanId>,
    pub state: Option<State>,
    pub is_online: Option<bool>,
    pub sort: SubscriberSort,
    pub descending: bool,
}

/// A subscriber with what the list says of it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub subscriber: Subscriber,
    pub state: State,
    /// Since when it is online.
    pub online_since: Option<Timestamp>,
    pub used_this_month: Usage,
}

/// One page of subscribers, and how many fit.
pub fn subscribers(
    app: &App,
    filter: &SubscriberFilter,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Listed>, usize), Error> {
    let now = app.now();
    let (rows, total) = matching(app, filter, now, |found| {
        let total = found.len();
        let page = page_of(found, skip, limit, |a, b| {
            compare(filter.sort, filter.descending, a, b)
        });
        (page.iter().map(|entry| entry.id).collect::<Vec<_>>(), total)
    })?;
    let month = app.settings().calendar.day(now).month();
    let picture = app.accounting.picture()?;
    let mut page = Vec::with_capacity(rows.len());
    for id in rows {
        let Some(stored) = subscribers::get(&picture.view, id)? else {
            continue;
        };
        page.push(Listed {
            state: State::of(&stored.subscriber, now),
            online_since: picture.live.open_of(id).map(|s| s.started_at).min(),
            used_this_month: picture.usage_of_month(month, id)?,
            subscriber: stored.subscriber,
        });
    }
    Ok((page, total))
}

/// Shows all that fit to `read`, in no order.
pub(super) fn matching<T>(
    app: &App,
    filter: &SubscriberFilter,
    now: Timestamp,
    read: impl FnOnce(Vec<&DirectoryEntry>) -> T,
) -> Result<T, Error> {
    let text_hits = text_hits(app, &filter.text)?;
    let online = (filter.is_online).map(|wanted| (wanted, app.accounting.live().online()));
    Ok(app.directory().with(&app.store, |all| {
        let fits = |e: &&DirectoryEntry| {
            filter.plan.is_none_or(|plan| e.plan == plan)
                && (filter.state).is_none_or(|state| State::of_entry(e, now) == state)
                && (online.as_ref())
                    .is_none_or(|(wanted, online)| online.contains(&e.id) == *wanted)
        };
        read(match &text_hits {
            Some(hits) => hits
                .iter()
                .filter_map(|id| all.get(id))
                .filter(fits)
                .collect(),
            None => all.values().filter(fits).collect(),
        })
    })?)
}

fn compare(
    sort: SubscriberSort,
    descending: bool,
    a: &DirectoryEntry,
    b: &DirectoryEntry,
) -> Ordering {
    let never_last = |at: Option<Timestamp>| at.unwrap_or(Timestamp(i64::MAX));
    let order = match sort {
        SubscriberSort::Name => a.name.cmp(&b.name),
        SubscriberSort::Expiry => never_last(a.expires_at).cmp(&never_last(b.expires_at)),
        SubscriberSort::Created => a.created_at.cmp(&b.created_at),
    };
    let order = if descending { order.reverse() } else { order };
    order.then_with(|| a.id.cmp(&b.id))
}

fn text_hits(app: &App, text: &str) -> Result<Option<HashSet<SubscriberId>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let hits = search::find(app, text, MOST_TEXT_HITS)?;
    let ids = hits.into_iter().filter_map(|hit| match hit {
        search::Hit::Subscriber(s) => Some(s.id),
        search::Hit::Plan(_) | search::Hit::Nas(_) => None,
    });
    Ok(Some(ids.collect()))
}

/// Everything the page of one subscriber shows.
#[derive(Debug, Clone)]
pub struct Detail {
    pub subscriber: Subscriber,
    pub state: State,
    /// What the speed depends on, for the router of the session that was heard of last.
    pub speed: Gathered,
    /// What it was told about its volume in the periods that run now.
    pub told: Vec<Told>,
    /// A live session that is to be ended for a new login.
    pub planned: Option<Planned>,
    pub used_today: Usage,
    pub used_this_month: Usage,
    /// The last twelve calendar months, oldest first.
    pub months: Vec<(Month, Usage)>,
    /// The last thirty days, oldest first.
    pub days: Vec<(Day, Usage)>,
    pub sessions: Vec<Session>,
    /// Newest first, with their numbers.
    pub attempts: Vec<(u64, Attempt)>,
    pub audit: Vec<Entry>,
}

const DAYS_SHOWN: i32 = 30;
const MONTHS_SHOWN: i32 = 12;
const SESSIONS_SHOWN: usize = 20;
const ATTEMPTS_SHOWN: usize = 10;
const AUDIT_SHOWN: usize = 10;
/// The page of one subscriber looks this far back for its attempts: the last 25,600.
const DETAIL_BLOCKS: usize = 50;

/// The newest sessions of one subscriber, open ones first.
pub fn sessions_of(app: &App, id: SubscriberId) -> Result<Vec<Session>, Error> {
    let picture = app.accounting.picture()?;
    subscribers::get(&picture.view, id)?.ok_or(Error::Missing("subscriber"))?;
    Ok(picture.sessions_of(id, SESSIONS_SHOWN)?)
}

pub fn subscriber(app: &App, id: SubscriberId) -> Result<Detail, Error> {
    let now = app.now();
    let today = app.settings().calendar.day(now);
    let picture = app.accounting.picture()?;
    let stored = subscribers::get(&picture.view, id)?.ok_or(Error::Missing("subscriber"))?;
    let mut days = Vec::new();
    for day in (1 - DAYS_SHOWN..=0).map(|back| today.plus(back)) {
        days.push((day, picture.usage_of_day(day, id)?));
    }
    let mut months = Vec::new();
    for month in (1 - MONTHS_SHOWN..=0).map(|back| today.month().plus(back)) {
        months.push((month, picture.usage_of_month(month, id)?));
    }
    let mut attempts = Vec::new();
    let name = stored.subscriber.username.folded();
    app.auth_log
        .each_before(&picture.view, u64::MAX, DETAIL_BLOCKS, |number, attempt| {
            if attempt.subscriber == Some(id) || fold_case(&attempt.username) == name {
                attempts.push((number, attempt));
            }
            if attempts.len() < ATTEMPTS_SHOWN {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    let sessions = picture.sessions_of(id, SESSIONS_SHOWN)?;
    let used_this_month = picture.usage_of_month(today.month(), id)?;
    let audit = audit::of(
        &picture.view,
        crate::domain::audit::Object::Subscriber(id),
        AUDIT_SHOWN,
    )?;
    drop(picture);
    let subscriber = stored.subscriber.clone();
    let open = sessions.iter().filter(|s| s.stopped.is_none());
    let nas = open.max_by_key(|s| s.heard_at).and_then(|s| app.nas(s.nas));
    let profile = nas.map_or(Profile::MikroTik, |entry| entry.nas.profile);
    let plan = app.plan(subscriber.plan).ok_or(Error::Missing("plan"))?;
    let about = Arc::new(LoginFacts::from(stored));
    let speed = speeds::gather(app, about, plan, profile, now)?;
    Ok(Detail {
        state: State::of(&subscriber, now),
        told: notices::of(&app.store.view()?, id, &speed.counting)?,
        planned: reconnects::planned_of(app, id)?,
        speed,
        used_today: days.last().map_or(Usage::ZERO, |(_, usage)| *usage),
        used_this_month,
        months,
        days,
        sessions,
        attempts,
        audit,
        subscriber,
    })
}

/// The counts of the dashboard.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub subscribers: usize,
    pub states: Vec<(State, usize)>,
    pub online: usize,
    pub stale: usize,
    /// Open sessions by NAS.
    pub by_nas: HashMap<NasId, usize>,
}

pub fn counts(app: &App) -> Result<Counts, Error> {
    let now = app.now();
    let mut states: Vec<(State, usize)> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    let subscribers = app.directory().with(&app.store, |all| {
        for entry in all.values() {
            let state = State::of_entry(entry, now);
            for (counted, count) in &mut states {
                if *counted == state {
                    *count += 1;
                }
            }
        }
        all.len()
    })?;
    let mut counts = Counts {
        subscribers,
        states,
        ..Counts::default()
    };
    let table = app.nas_table();
    let live = app.accounting.live();
    let open = live.open_count();
    for session in live.open_sessions() {
        let own = table
            .by_id(session.nas)
            .and_then(|entry| entry.nas.interim_interval);
        *counts.by_nas.entry(session.nas).or_default() += 1;
        match session.presence(now, crate::domain::access::interim_interval(own, open)) {
            Presence::Online => counts.online += 1,
            Presence::Stale | Presence::Lost => counts.stale += 1,
        }
    }
    Ok(counts)
}

/// How many subscribers each plan has.
pub fn plan_counts(app: &App) -> Result<HashMap<PlanId, usize>, Error> {
    Ok(app.directory().with(&app.store, |all| {
        let mut counts = HashMap::new();
        for entry in all.values() {
            *counts.entry(entry.plan).or_default() += 1;
        }
        counts
    })?)
}

/// Files of the data folder that are looked at for their size; there are a few dozen.
const MOST_FILES: usize = 1_000;

/// Octets of what grows in the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileSizes {
    pub database: u64,
    /// All segments of the accounting journal.
    pub journal: u64,
}

/// Looks at the disk. A file that vanishes meanwhile counts as empty.
pub fn file_sizes(app: &App) -> FileSizes {
    let mut sizes = FileSizes::default();
    let files = std::fs::read_dir(app.store.folder())
        .into_iter()
        .flatten()
        .flatten()
        .take(MOST_FILES);
    for file in files {
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        match file.file_name().to_str() {
            Some(FILE_NAME) => sizes.database = size,
            Some(name) if journal::is_segment_name(name) => {
                sizes.journal = sizes.journal.saturating_add(size);
            }
            _ => {}
        }
    }
    sizes
}
