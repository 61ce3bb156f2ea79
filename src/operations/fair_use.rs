//! What an operator does about a subscriber's fair use: reset it, sell a top-up, boost for a while; and what happens to
//! top-ups when a month is over (rules.md section 3).

use std::ops::ControlFlow;

use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::SubscriberId;
use crate::domain::octets::Octets;
use crate::domain::plan::Plan;
use crate::domain::quota::{
    self, Counting, Credit, CreditScope, Period, QuotaKind, TopUp, Validity,
};
use crate::domain::rate::Rate;
use crate::domain::subscriber::{Boost, MOST_CREDITS, MOST_TOP_UPS, Subscriber};
use crate::domain::time::{Calendar, DAY, Day, Timestamp};
use crate::store::outbox::{self, Work};
use crate::store::subscribers::StoredSubscriber;
use crate::store::{Tx, plans, subscribers};

use super::Error;
use super::trail::note;

/// What "reset FUP" takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Day,
    Month,
    All,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Day, Scope::Month, Scope::All];

    pub fn word(self) -> &'static str {
        match self {
            Scope::Day => "day",
            Scope::Month => "month",
            Scope::All => "all",
        }
    }

    pub fn from_word(word: &str) -> Option<Scope> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    fn covers(self, kind: QuotaKind) -> bool {
        match self {
            Scope::Day => kind == QuotaKind::Day,
            Scope::Month => kind == QuotaKind::Month,
            Scope::All => true,
        }
    }
}

/// Writes a credit equal to the present usage, so that quota and tiers begin anew. Nothing that was counted is erased.
/// Errors: `Refused` where there is nothing to take back.
pub async fn reset(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    scope: Scope,
    reason: String,
) -> Result<(), Error> {
    let now = app.now();
    let usage = usage(app, id, now)?;
    change(app, actor, id, "FUP reset", move |stored, by| {
        let subscriber = &mut stored.subscriber;
        drop_old_credits(subscriber, &usage.counting);
        let mut difference = Difference::default();
        for kind in QuotaKind::ALL
            .into_iter()
            .filter(|kind| scope.covers(*kind))
        {
            let used = usage.used.of(kind);
            if used.total() == 0 {
                continue;
            }
            subscriber.credits.push(Credit {
                scope: usage.scope(kind),
                octets: used,
                at: now,
                by: by.to_owned(),
                reason: reason.clone(),
            });
            difference.field(
                &format!("{} usage that counts", kind.adjective()),
                Octets(used.total()),
                Octets(0),
            );
        }
        if subscriber.credits.len() > MOST_CREDITS {
            return Err(Error::Refused(
                "It was reset too often in this month already".to_owned(),
            ));
        }
        if !difference.is_empty() {
            difference.field("reason", "", &reason);
        }
        Ok(difference)
    })
    .await
}

/// How long a top-up shall hold, as it is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    EndOfMonth,
    Days(u32),
    UntilUsed,
}

/// The longest a top-up holds by days.
pub const MOST_TOP_UP_DAYS: u32 = 366;

/// Adds octets beside the plan. The expiry date stays. Errors: `Refused` for too many.
pub async fn top_up(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    octets: u64,
    holds: Holds,
) -> Result<(), Error> {
    let now = app.now();
    let counting = usage(app, id, now)?.counting;
    let calendar = app.settings().calendar.clone();
    change(app, actor, id, "topped up", move |stored, by| {
        let subscriber = &mut stored.subscriber;
        let today = counting.today;
        subscriber.top_ups.retain(|t| t.is_valid(today, now));
        if subscriber.top_ups.len() >= MOST_TOP_UPS {
            return Err(Error::Refused(format!(
                "There are {MOST_TOP_UPS} top-ups already"
            )));
        }
        let validity = match holds {
            Holds::EndOfMonth => Validity::EndOfMonth(counting.month.end),
            Holds::Days(days) => {
                let days = i64::from(days.clamp(1, MOST_TOP_UP_DAYS));
                Validity::Until(now.plus(days * DAY))
            }
            Holds::UntilUsed => Validity::UntilUsed,
        };
        subscriber.settled.get_or_insert(counting.month.start);
        subscriber.top_ups.push(TopUp {
            octets,
            used: 0,
            validity,
            bought_at: now,
            by: by.to_owned(),
        });
        let mut difference = Difference::default();
        difference.field("top-up", "", Octets(octets)).field(
            "holds",
            "",
            holds_until(validity, &calendar),
        );
        Ok(difference)
    })
    .await
}

/// Until when a top-up holds, in words.
pub fn holds_until(validity: Validity, calendar: &Calendar) -> String {
    match validity {
        Validity::EndOfMonth(end) => format!("through {}", end.plus(-1)),
        Validity::Until(until) => format!("until {}", calendar.format_minute(until)),
        Validity::UntilUsed => "until it is used".to_owned(),
    }
}

/// The longest boost.
pub const LONGEST_BOOST: i64 = 31 * DAY;

/// Gives at least this speed until an instant. Errors: `Field` for an instant that has passed or is too far.
pub async fn boost(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    rate: Rate,
    until: Timestamp,
) -> Result<(), Error> {
    let now = app.now();
    if until <= now {
        return Err(Error::field("until", "That moment has passed"));
    }
    if until.since(now) > LONGEST_BOOST {
        return Err(Error::field("until", "At most 31 days from now"));
    }
    set_boost(app, actor, id, Some(Boost { rate, until })).await
}

pub async fn end_boost(app: &App, actor: &Actor, id: SubscriberId) -> Result<(), Error> {
    set_boost(app, actor, id, None).await
}

async fn set_boost(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    boost: Option<Boost>,
) -> Result<(), Error> {
    let calendar = app.settings().calendar.clone();
    let action = if boost.is_some() {
        "boosted"
    } else {
        "boost ended"
    };
    change(app, actor, id, action, move |stored, _| {
        let words = |boost: Option<Boost>| {
            boost.map_or_else(String::new, |b| {
                format!("{} until {}", b.rate, calendar.format_minute(b.until))
            })
        };
        let mut difference = Difference::default();
        difference.field("boost", words(stored.subscriber.boost), words(boost));
        stored.subscriber.boost = boost;
        Ok(difference)
    })
    .await
}

/// Changes one subscriber, tells its live sessions, and leaves an audit entry; nothing where nothing differs.
async fn change(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    action: &'static str,
    work: impl Fn(&mut StoredSubscriber, &str) -> Result<Difference, Error> + Send + 'static,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write(action, move |tx| {
            let mut stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            let difference = work(&mut stored, &actor.name())?;
            if difference.is_empty() {
                return Ok(());
            }
            subscribers::put(tx, &stored)?;
            outbox::add(tx, Work::PushSubscriber(id))?;
            note(tx, &actor, action, &stored.subscriber, difference, now)
        })
        .await
}

/// What counts for a subscriber now.
struct Usage {
    used: quota::Used,
    counting: Counting,
}

impl Usage {
    fn scope(&self, kind: QuotaKind) -> CreditScope {
        match kind {
            QuotaKind::Day => CreditScope::Day(self.counting.today),
            QuotaKind::Month => CreditScope::Month(self.counting.month.start),
            QuotaKind::Term => CreditScope::Term(self.counting.term),
        }
    }
}

fn usage(app: &App, id: SubscriberId, now: Timestamp) -> Result<Usage, Error> {
    let picture = app.accounting.picture()?;
    let stored = subscribers::get(&picture.view, id)?.ok_or(Error::Missing("subscriber"))?;
    let subscriber = stored.subscriber;
    let plan = app.plan(subscriber.plan).ok_or(Error::Missing("plan"))?;
    let calendar = &app.settings().calendar;
    let counting = plan.quota.counting(subscriber.began(), calendar, now);
    let used = picture.used(id, &counting, &plan)?;
    Ok(Usage {
        used: used.less(&subscriber.credits, &counting),
        counting,
    })
}

/// Credits of days and months that are over count for nothing.
fn drop_old_credits(subscriber: &mut Subscriber, counting: &Counting) {
    subscriber.credits.retain(|credit| match credit.scope {
        CreditScope::Day(day) => day == counting.today,
        CreditScope::Month(start) => start == counting.month.start,
        CreditScope::Term(start) => start == counting.term,
    });
}

/// Months that are settled in one go; a daemon that was off for longer takes the oldest first.
const MOST_MONTHS: usize = 24;

/// Draws from top-ups what finished months used beyond their quota. Says for how many subscribers. Walks over all of them
/// once; meant for the start of a day. Blocks.
pub fn settle_top_ups(app: &App, now: Timestamp) -> Result<usize, Error> {
    let mut due = Vec::new();
    let today = app.settings().calendar.day(now);
    subscribers::each(&app.store.view()?, SubscriberId(0), |stored| {
        let subscriber = &stored.subscriber;
        if !subscriber.top_ups.is_empty() && subscriber.settled.is_none_or(|day| day < today) {
            due.push(subscriber.id);
        }
        ControlFlow::Continue(())
    })?;
    let mut settled = 0;
    for id in due {
        settled += usize::from(settle(app, id, now)?);
    }
    Ok(settled)
}

fn settle(app: &App, id: SubscriberId, now: Timestamp) -> Result<bool, Error> {
    let Some(stored) = subscribers::get(&app.store.view()?, id)? else {
        return Ok(false);
    };
    let Some(plan) = app.plan(stored.subscriber.plan) else {
        return Ok(false);
    };
    let calendar = app.settings().calendar.clone();
    let current = plan
        .quota
        .counting(stored.subscriber.began(), &calendar, now)
        .month;
    let months = finished(&stored.subscriber, current);
    let mut beyond = Vec::with_capacity(months.len());
    for month in &months {
        beyond.push((
            *month,
            beyond_quota(app, &plan, &stored.subscriber, *month)?,
        ));
    }
    if beyond.is_empty() {
        return Ok(false);
    }
    app.store
        .write("settle top-ups", move |tx| {
            settle_in(tx, id, &beyond, current, &calendar)
        })
        .wait()
}

/// The months since the last settlement that are over.
fn finished(subscriber: &Subscriber, current: Period) -> Vec<Period> {
    let day_of_month = current.end.of_month();
    let mut months = Vec::new();
    let mut from = subscriber.settled.unwrap_or(current.start);
    while from < current.start && months.len() < MOST_MONTHS {
        let end = Period::holding(from, day_of_month).end.min(current.start);
        months.push(Period { start: from, end });
        from = end;
    }
    months
}

fn beyond_quota(
    app: &App,
    plan: &Plan,
    subscriber: &Subscriber,
    month: Period,
) -> Result<u64, Error> {
    let Some(monthly) = plan.quota.monthly else {
        return Ok(0);
    };
    let last = month.end.plus(-1);
    let counting = Counting {
        today: last,
        month,
        term: last,
    };
    let used = app
        .accounting
        .used(subscriber.id, &counting, plan)?
        .less(&subscriber.credits, &counting);
    Ok(plan.quota.direction.of(used.month).saturating_sub(monthly))
}

fn settle_in(
    tx: &mut Tx<'_>,
    id: SubscriberId,
    beyond: &[(Period, u64)],
    current: Period,
    calendar: &Calendar,
) -> Result<bool, Error> {
    let Some(mut stored) = subscribers::get(tx, id)? else {
        return Ok(false);
    };
    if plans::get(tx, stored.subscriber.plan)?.is_none() {
        return Ok(false);
    }
    let mut settled: Day = stored.subscriber.settled.unwrap_or(current.start);
    for (month, octets) in beyond {
        // Another run may have been faster.
        if month.start != settled {
            continue;
        }
        let ended_at = calendar.starts(month.end);
        let last_day = month.end.plus(-1);
        quota::settle(&mut stored.subscriber.top_ups, *octets, last_day, ended_at);
        settled = month.end;
    }
    stored.subscriber.settled = Some(settled);
    let top_ups = &mut stored.subscriber.top_ups;
    top_ups.retain(|t| t.is_valid(current.start, calendar.starts(current.start)));
    if stored.subscriber.top_ups.is_empty() {
        stored.subscriber.settled = None;
    }
    subscribers::put(tx, &stored)?;
    Ok(true)
}
