//! What the speed of a subscriber depends on, gathered in one place for logins, CoA, pages and the simulator; and the sweep
//! that finds live sessions whose router has been told something else than the rules say now.

use std::sync::Arc;

use crate::app::{App, LoginFacts, Settings, Wanted};
use crate::domain::access::session_timeout;
use crate::domain::bandwidth_rule::Rules;
use crate::domain::id::{LoginId, PlanId, SessionId, SubscriberId};
use crate::domain::nas::Profile;
use crate::domain::notice::{self, Notice};
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::quota::{self, Counting, Used};
use crate::domain::session::Session;
use crate::domain::speed::{self, QuotaState, SpeedFacts, TermGate};
use crate::domain::subscriber::Status;
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::store::outbox::{self, Work};
use crate::store::{StoreError, subscribers};

use super::{Error, notices};

/// The facts of one subscriber, owned; [`Gathered::facts`] lends them to the rules.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub about: Arc<LoginFacts>,
    pub plan: Arc<Plan>,
    pub used: Used,
    pub raised: u64,
    /// The days over which usage was summed.
    pub counting: Counting,
    pub fastest_kbps: u64,
    rules: Arc<Rules>,
    settings: Arc<Settings>,
}

impl Gathered {
    pub fn facts(&self) -> SpeedFacts<'_> {
        SpeedFacts {
            subscriber: self.about.id,
            plan: &self.plan,
            own: self.about.rate_override,
            boost: self.about.boost,
            used: self.used,
            raised: self.raised,
            expires_at: self.about.expires_at,
            rules: &self.rules,
            calendar: &self.settings.calendar,
            fastest_kbps: self.fastest_kbps,
        }
    }
}

/// Gathers the facts of a subscriber with this plan, for a router of this kind.
pub fn gather(
    app: &App,
    about: Arc<LoginFacts>,
    plan: Arc<Plan>,
    profile: Profile,
    now: Timestamp,
) -> Result<Gathered, StoreError> {
    let settings = app.settings();
    let counting = plan.quota.counting(about.began, &settings.calendar, now);
    let used = if plan.counts() {
        let used = app.accounting.used(about.id, &counting, &plan)?;
        used.less(&about.credits, &counting)
    } else {
        Used::default()
    };
    Ok(Gathered {
        raised: quota::raised(&about.top_ups, counting.today, now),
        used,
        counting,
        fastest_kbps: profile.fastest_kbps(),
        rules: app.rules(),
        settings,
        about,
        plan,
    })
}

/// Whose sessions are looked at.
pub enum Whom {
    All,
    Plan(PlanId),
    /// Those for which this says yes; it sees the facts.
    Those(fn(&SpeedFacts<'_>, Timestamp) -> bool),
}

/// A live session whose router has been told something else than the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub session: SessionId,
    pub wanted: Wanted,
}

/// A session may last beyond its term by the spread of Session-Timeout and a little more; then a rule ends it.
const SLACK: i64 = 12 * MINUTE;

/// What the rules want of a live session; `None` for one that belongs to nobody.
pub fn wanted(
    app: &App,
    session: &Session,
    profile: Profile,
    now: Timestamp,
) -> Result<Option<(Gathered, Wanted)>, StoreError> {
    let Some(about) = about(app, session)? else {
        return Ok(None);
    };
    let Some(plan) = app.plan(about.plan) else {
        return Ok(None);
    };
    let gathered = gather(app, about, plan, profile, now)?;
    let facts = gathered.facts();
    let effective = speed::effective(&facts, now);
    let is_blocked = matches!(effective.quota, QuotaState::Blocked { .. });
    let wanted = if gathered.about.status != Status::Enabled || is_blocked {
        Wanted::End
    } else if is_over(&facts, session, now) {
        match ended_for(&facts, now) > SLACK {
            true => Wanted::End,
            // Session-Timeout is about to end it.
            false => return Ok(None),
        }
    } else {
        Wanted::Speed(effective.limit)
    };
    Ok(Some((gathered, wanted)))
}

/// Whether the term no longer allows this session: it is over, or it asks for another address.
fn is_over(facts: &SpeedFacts<'_>, session: &Session, now: Timestamp) -> bool {
    match speed::term_gate(facts.plan, facts.expires_at, now) {
        TermGate::Open | TermGate::Grace(..) => false,
        TermGate::Closed => true,
        TermGate::Restricted(_) => {
            let moves = matches!(facts.plan.on_expiry, OnExpiry::ExpiredPool { .. });
            moves && facts.expires_at.is_some_and(|at| session.started_at < at)
        }
    }
}

fn ended_for(facts: &SpeedFacts<'_>, now: Timestamp) -> i64 {
    let grace = match facts.plan.on_expiry {
        OnExpiry::Grace { days, .. } => i64::from(days) * DAY,
        _ => 0,
    };
    facts.expires_at.map_or(0, |at| now.since(at.plus(grace)))
}

/// Seconds that a session may last from now on, as an accept would say.
pub fn timeout(gathered: &Gathered, session: &Session, now: Timestamp) -> Option<u32> {
    let login = session.login.unwrap_or(LoginId(session.id.0));
    session_timeout(&gathered.facts(), now, login)
}

/// The facts of a session's subscriber; its login name may have changed since.
fn about(app: &App, session: &Session) -> Result<Option<Arc<LoginFacts>>, StoreError> {
    let Some(id) = session.subscriber else {
        return Ok(None);
    };
    match app.login_facts().find(&app.store, &session.username)? {
        Some(about) if about.id == id => Ok(Some(about)),
        _ => {
            let stored = subscribers::get(&app.store.view()?, id)?;
            Ok(stored.map(|stored| Arc::new(LoginFacts::from(stored))))
        }
    }
}

/// The live sessions whose router has been told something else than the rules say now. Some 10 µs a session; blocks.
pub fn due(app: &App, whom: &Whom, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    Ok(look(app, whom, now)?.due)
}

/// What a look at live sessions found.
#[derive(Default)]
struct Found {
    due: Vec<Due>,
    reached: Vec<(SubscriberId, Notice)>,
}

fn look(app: &App, whom: &Whom, now: Timestamp) -> Result<Found, StoreError> {
    let open: Vec<Session> = {
        let live = app.accounting.live();
        live.open_sessions()
            .filter(|s| s.subscriber.is_some())
            .cloned()
            .collect()
    };
    if matches!(whom, Whom::All) {
        app.pushes.keep(&open.iter().map(|s| s.id).collect());
    }
    let table = app.nas_table();
    let mut found = Found::default();
    for session in &open {
        let Some(nas) = table.by_id(session.nas) else {
            continue;
        };
        let Some((gathered, wanted)) = wanted(app, session, nas.nas.profile, now)? else {
            continue;
        };
        let is_meant = match whom {
            Whom::All => true,
            Whom::Plan(plan) => gathered.plan.id == *plan,
            Whom::Those(meant) => meant(&gathered.facts(), now),
        };
        if !is_meant {
            continue;
        }
        let reached = notice::reached(&gathered.facts(), &gathered.counting).into_iter();
        found
            .reached
            .extend(reached.map(|notice| (gathered.about.id, notice)));
        if let Wanted::Speed(limit) = wanted
            && session.told == Some(limit)
        {
            app.pushes.settle(session.id);
            continue;
        }
        found.due.push(Due {
            session: session.id,
            wanted,
        });
    }
    Ok(found)
}

/// Finds what is due and not under way yet, and leaves it in the outbox; and takes note of what is to be told about volume.
/// Says how many sessions have a change that is due. Blocks.
pub fn sweep(app: &App, whom: &Whom, now: Timestamp) -> Result<usize, Error> {
    let Found { mut due, reached } = look(app, whom, now)?;
    due.retain(|due| app.pushes.want(due.session, due.wanted, now));
    let count = due.len();
    if count > 0 {
        let written = app
            .store
            .write("speeds that are due", move |tx| -> Result<(), Error> {
                for due in &due {
                    outbox::add(tx, Work::PushSession(due.session))?;
                }
                Ok(())
            })
            .wait();
        if let Err(error) = written {
            // Nothing is under way: the next sweep finds the same again.
            app.pushes.keep(&std::collections::HashSet::new());
            return Err(error);
        }
    }
    if matches!(whom, Whom::All) {
        notices::keep(app, &reached);
    }
    notices::tell(app, &reached, now)?;
    Ok(count)
}
