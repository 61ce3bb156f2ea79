//! One case of the simulator: a plan with or without a subscriber, looked at from any moment.

use std::sync::Arc;

use crate::app::{App, LoginFacts};
use crate::domain::access::{
    self, AccessFacts, AddressChoice, Decision, Entitlement, Reason, interim_interval,
};
use crate::domain::hours::free_at;
use crate::domain::id::{LoginId, NasId, SubscriberId};
use crate::domain::nas::Profile;
use crate::domain::octets::{Octets, Traffic};
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::quota::{self, Began, Counting, Direction, QuotaKind, Used};
use crate::domain::rate::RateLimit;
use crate::domain::speed::{self, QuotaState, SpeedFacts};
use crate::domain::subscriber::{MacMode, Status};
use crate::domain::time::{Calendar, DAY, Timestamp};
use crate::operations::{Error, plans, speeds};
use crate::radius::AttributeBuffer;
use crate::radius::describe::describe_attributes;
use crate::routers::profile;

use super::{Asked, Problem};
use crate::domain::Invalid;

/// Whom we look at, and what counts for it at the moment that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// Empty for a plan alone.
    pub username: String,
    pub plan: Arc<Plan>,
    pub expires_at: Option<Timestamp>,
    pub profile: Profile,
    about: Option<Arc<LoginFacts>>,
    began: Began,
    used: Used,
    /// The periods that `used` belongs to.
    counting: Counting,
}

/// What is at one moment.
pub(super) struct Look {
    pub limit: RateLimit,
    pub steps: Vec<String>,
    pub quota: String,
    pub free_hours: String,
    pub entitlement: Result<Entitlement, Reason>,
}

impl Case {
    /// A plan that nobody has yet, from its first minute on.
    pub fn of_plan(plan: Arc<Plan>, calendar: &Calendar, at: Timestamp) -> Case {
        let began = Began {
            created_at: at,
            renewed_at: at,
        };
        Case {
            username: String::new(),
            counting: plan.quota.counting(began, calendar, at),
            plan,
            expires_at: None,
            profile: Profile::MikroTik,
            about: None,
            began,
            used: Used::default(),
        }
    }

    /// Whoever is asked for. The outer error is a fault, the inner one a name that nobody has.
    pub fn find(app: &App, asked: &Asked, at: Timestamp) -> Result<Result<Case, Problem>, Error> {
        let username = asked.subscriber.trim();
        if username.is_empty() {
            let plan = asked.plan.trim();
            let found = plans::named(app, plan);
            let calendar = &app.settings().calendar;
            return Ok(match (found, plan.is_empty()) {
                (Some(plan), _) => Ok(Case::of_plan(plan, calendar, at)),
                (None, true) => Err(problem("subscriber", "A user name or a plan is needed")),
                (None, false) => Err(problem("plan", "There is no such plan")),
            });
        }
        let Some(about) = app.login_facts().find(&app.store, username)? else {
            return Ok(Err(problem("subscriber", "Nobody has this user name")));
        };
        let Some(plan) = app.plan(about.plan) else {
            return Ok(Err(problem("subscriber", "Its plan is gone")));
        };
        let nas = about.only_nas.and_then(|id| app.nas(id));
        let profile = nas.map_or(Profile::MikroTik, |entry| entry.nas.profile);
        let gathered = speeds::gather(app, Arc::clone(&about), Arc::clone(&plan), profile, at)?;
        Ok(Ok(Case {
            username: username.to_owned(),
            plan,
            expires_at: about.expires_at,
            profile,
            began: about.began,
            used: gathered.used,
            counting: gathered.counting,
            about: Some(about),
        }))
    }

    /// Counts so many octets instead of the real ones, in the direction that the quota looks at.
    pub fn suppose(&mut self, kind: QuotaKind, octets: Option<u64>) {
        let Some(octets) = octets else {
            return;
        };
        let traffic = match self.plan.quota.direction {
            Direction::Upload => Traffic::new(octets, 0),
            Direction::Both | Direction::Download => Traffic::new(0, octets),
        };
        match kind {
            QuotaKind::Day => self.used.today = traffic,
            QuotaKind::Month => self.used.month = traffic,
            QuotaKind::Term => self.used.term = traffic,
        }
    }

    /// Moments of this subscriber at which something changes: the ends of term, grace and boost.
    pub fn turns(&self) -> impl Iterator<Item = Timestamp> {
        let grace = match &self.plan.on_expiry {
            OnExpiry::Grace { days, .. } => Some(i64::from(*days) * DAY),
            _ => None,
        };
        let grace = self.expires_at.zip(grace).map(|(at, days)| at.plus(days));
        let boost = self.about.as_ref().and_then(|about| about.boost);
        let boost = boost.map(|boost| boost.until);
        self.expires_at.into_iter().chain(grace).chain(boost)
    }

    /// What counts at a later moment if nothing more is used: a period that has begun since is empty.
    fn used_at(&self, counting: &Counting) -> Used {
        let mut used = self.used;
        if counting.today != self.counting.today {
            used.today = Traffic::ZERO;
        }
        if counting.month.start != self.counting.month.start {
            used.month = Traffic::ZERO;
        }
        used
    }

    pub fn look(&self, app: &App, at: Timestamp) -> Look {
        let settings = app.settings();
        let calendar = &settings.calendar;
        let counting = self.plan.quota.counting(self.began, calendar, at);
        let about = self.about.as_deref();
        let top_ups = about.map_or(&[][..], |about| &about.top_ups);
        let rules = app.rules();
        let speed = SpeedFacts {
            subscriber: about.map_or(SubscriberId(0), |about| about.id),
            plan: &self.plan,
            own: about.and_then(|about| about.rate_override),
            boost: about.and_then(|about| about.boost),
            used: self.used_at(&counting),
            raised: quota::raised(top_ups, counting.today, at),
            expires_at: self.expires_at,
            rules: &rules,
            calendar,
            fastest_kbps: self.profile.fastest_kbps(),
        };
        let effective = speed::effective(&speed, at);
        let online = app.accounting.live().open_count();
        let facts = AccessFacts {
            status: about.map_or(&Status::Enabled, |about| &about.status),
            speed,
            max_sessions: None,
            on_limit: None,
            mac_mode: MacMode::Off,
            macs: &[],
            only_nas: None,
            static_address: about.and_then(|about| about.static_address),
            static_prefix: about.and_then(|about| about.static_prefix),
            checks_hold: true,
            extra_reply: about.map_or(&[], |about| &about.extras.reply),
            open: &[],
            nas: NasId(0),
            mac: None,
            // The first of the ten minutes over which ends are spread.
            login: LoginId(0),
            interim_interval: interim_interval(None, online),
        };
        let free = free_at(&self.plan.free_windows, &calendar.wall_clock(at));
        Look {
            limit: effective.limit,
            steps: effective.sentences(&facts.speed),
            quota: quota_words(effective.quota),
            free_hours: free.map_or_else(String::new, |window| window.counts_as()),
            entitlement: match access::decide(&facts, at) {
                Decision::Accept(accepted) => Ok(accepted.entitlement),
                Decision::Reject(reason) => Err(reason),
            },
        }
    }

    /// What counts in each period that the plan looks at.
    pub fn used_words(&self, app: &App, at: Timestamp) -> Vec<String> {
        let calendar = &app.settings().calendar;
        let counting = self.plan.quota.counting(self.began, calendar, at);
        let used = self.used_at(&counting);
        let kinds = QuotaKind::ALL.into_iter();
        kinds
            .filter(|kind| self.plan.counts_by(*kind))
            .map(|kind| {
                let period = match kind {
                    QuotaKind::Day => "today",
                    QuotaKind::Month => "this month",
                    QuotaKind::Term => "this term",
                };
                let octets = self.plan.quota.direction.of(used.of(kind));
                match self.plan.quota.of(kind) {
                    Some(quota) => format!("{period} {} of {}", Octets(octets), Octets(quota)),
                    None => format!("{period} {}", Octets(octets)),
                }
            })
            .collect()
    }
}

fn problem(field: &'static str, text: &str) -> Problem {
    (field, Invalid::new(text))
}

impl Look {
    /// Why there would be no session, or empty.
    pub fn reason(&self) -> &'static str {
        self.entitlement.as_ref().err().map_or("", |r| r.words())
    }

    /// One line by which two moments are compared: `20 Mbit/s down, 5 Mbit/s up`, or why there is no session.
    pub fn in_short(&self) -> String {
        let mut text = match &self.entitlement {
            Ok(_) => self.limit.rate.to_string(),
            Err(reason) => format!("no login: {}", reason.words()),
        };
        for more in [self.quota.as_str(), self.free_hours.as_str()] {
            if !more.is_empty() {
                text.push_str(&format!(" ({more})"));
            }
        }
        text
    }

    /// The attributes of the accept as lines; none where there is none.
    pub fn reply(&self, router: Profile) -> Result<Vec<String>, Error> {
        let Ok(entitlement) = &self.entitlement else {
            return Ok(Vec::new());
        };
        let mut attributes = AttributeBuffer::new();
        profile::accept(router, entitlement, &mut attributes)
            .map_err(|error| Error::Refused(error.to_string()))?;
        let mut lines = describe_attributes(&attributes);
        if let AddressChoice::Server(pool) = &entitlement.address {
            lines.push(format!(
                "Framed-IP-Address = (one of the server pool {pool})"
            ));
        }
        Ok(lines)
    }
}

/// Empty while nothing is lowered.
fn quota_words(quota: QuotaState) -> String {
    match quota {
        QuotaState::Ok => String::new(),
        QuotaState::Throttled(active) => format!(
            "{} tier {} from {} on",
            active.kind.adjective(),
            active.tier.index + 1,
            Octets(active.tier.threshold)
        ),
        QuotaState::Blocked { kind, limit, used } => format!(
            "blocked: {} of {} {} used",
            Octets(used),
            Octets(limit),
            kind.adjective()
        ),
    }
}
