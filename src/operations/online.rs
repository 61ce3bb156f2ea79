//! Who is online: the open sessions that a list shows, filtered, in order, one page at a time.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::app::App;
use crate::domain::access::interim_interval;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::session::{Presence, Session};
use crate::domain::text::fold_case;

use super::Error;
use super::paging::page_of;
use super::sessions::Wanted;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnlineSort {
    Name,
    #[default]
    Since,
    Download,
}

/// Which open sessions a list shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct OnlineFilter {
    /// Part of the user name, the address or the MAC address.
    pub text: String,
    pub nas: Option<NasId>,
    pub plan: Option<PlanId>,
    /// Heard of in time, or not.
    pub is_stale: Option<bool>,
    pub sort: OnlineSort,
    pub descending: bool,
}

/// An open session with what the list says of it.
#[derive(Debug, Clone)]
pub struct Online {
    pub session: Session,
    pub presence: Presence,
    pub plan: Option<PlanId>,
}

/// One page of the open sessions that fit, and how many there are.
pub fn online(
    app: &App,
    filter: &OnlineFilter,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Online>, usize), Error> {
    let of_plan = filter
        .plan
        .map(|plan| subscribers_of(app, plan))
        .transpose()?;
    let wanted = Wanted::of(&filter.text);
    let (now, table) = (app.now(), app.nas_table());
    let mut page = Vec::new();
    let total = {
        // Records wait while the sessions are held, so only the rows of the page are put in order.
        let live = app.accounting.live();
        let open = live.open_count();
        let presence = |session: &Session| {
            let own = table
                .by_id(session.nas)
                .and_then(|entry| entry.nas.interim_interval);
            session.presence(now, interim_interval(own, open))
        };
        let found: Vec<&Session> = live
            .open_sessions()
            .filter(|s| filter.nas.is_none_or(|nas| s.nas == nas))
            .filter(|s| is_of(s, of_plan.as_ref()))
            .filter(|s| {
                filter
                    .is_stale
                    .is_none_or(|stale| stale == (presence(s) != Presence::Online))
            })
            .filter(|s| wanted.is_in(s))
            .collect();
        let total = found.len();
        for session in page_of(found, skip, limit, |a, b| compare(filter, a, b)) {
            page.push(Online {
                session: session.clone(),
                presence: presence(session),
                plan: None,
            });
        }
        total
    };
    app.directory().with(&app.store, |all| {
        for row in &mut page {
            let subscriber = row.session.subscriber.and_then(|id| all.get(&id));
            row.plan = subscriber.map(|entry| entry.plan);
        }
    })?;
    Ok((page, total))
}

fn subscribers_of(app: &App, plan: PlanId) -> Result<HashSet<SubscriberId>, Error> {
    Ok(app.directory().with(&app.store, |all| {
        all.values()
            .filter(|entry| entry.plan == plan)
            .map(|entry| entry.id)
            .collect()
    })?)
}

fn is_of(session: &Session, of_plan: Option<&HashSet<SubscriberId>>) -> bool {
    of_plan.is_none_or(|of| session.subscriber.is_some_and(|id| of.contains(&id)))
}

fn compare(filter: &OnlineFilter, a: &Session, b: &Session) -> Ordering {
    let order = match filter.sort {
        OnlineSort::Name => fold_case(&a.username).cmp(&fold_case(&b.username)),
        OnlineSort::Since => a.started_at.cmp(&b.started_at),
        OnlineSort::Download => a.booked.download.cmp(&b.booked.download),
    };
    let order = if filter.descending {
        order.reverse()
    } else {
        order
    };
    order.then_with(|| a.id.cmp(&b.id))
}

/// How many sessions of a plan are open.
pub fn count_of_plan(app: &App, plan: PlanId) -> Result<usize, Error> {
    let filter = OnlineFilter {
        plan: Some(plan),
        ..OnlineFilter::default()
    };
    Ok(online(app, &filter, 0, 0)?.1)
}

/// How many sessions run through a NAS.
pub fn count_of_nas(app: &App, nas: NasId) -> Result<usize, Error> {
    let filter = OnlineFilter {
        nas: Some(nas),
        ..OnlineFilter::default()
    };
    Ok(online(app, &filter, 0, 0)?.1)
}
