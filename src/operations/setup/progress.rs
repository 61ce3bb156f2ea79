//! The six steps of the first run: which are done, which were skipped, and what each of them made.
//!
//! What is done follows from what is in the store; only what a person skips or dismisses is kept. Invariant: no step is needed
//! for another page to work, and a step that is done again changes what it made the first time.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::app::{App, NasEntry};
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::plan::Plan;
use crate::domain::subscriber::Subscriber;
use crate::operations::trail::{note, part};
use crate::operations::{Error, backups};
use crate::store::settings::{self, Setting, YES};
use crate::store::{Read, View, operators, sessions, subscribers};

/// Blocks of the authentication log that are searched for a login that was accepted: the newest 2,048 attempts.
const BLOCKS_LOOKED_AT: usize = 4;
/// Sessions that ended, in which one through a router is looked for.
const SESSIONS_LOOKED_AT: usize = 1_000;

/// The steps, in their order on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Operator,
    Network,
    Router,
    Plan,
    Subscriber,
    Backups,
}

impl Step {
    pub const ALL: [Step; 6] = [
        Step::Operator,
        Step::Network,
        Step::Router,
        Step::Plan,
        Step::Subscriber,
        Step::Backups,
    ];

    /// The word in addresses, forms and the store.
    pub fn word(self) -> &'static str {
        match self {
            Step::Operator => "operator",
            Step::Network => "network",
            Step::Router => "router",
            Step::Plan => "plan",
            Step::Subscriber => "subscriber",
            Step::Backups => "backups",
        }
    }

    pub fn from_word(word: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.word() == word)
    }

    /// What it makes may come another way, such as with an import. Without a calendar or backups an ISP should not be.
    pub fn may_skip(self) -> bool {
        matches!(self, Step::Router | Step::Plan | Step::Subscriber)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Open,
    Skipped,
    Done,
}

/// How far the first run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub steps: [(Step, StepState); 6],
    /// Nobody wants to be reminded.
    pub is_dismissed: bool,
}

impl Progress {
    /// Steps that are done or skipped.
    pub fn settled(&self) -> usize {
        let is_settled = |(_, state): &&(Step, StepState)| *state != StepState::Open;
        self.steps.iter().filter(is_settled).count()
    }

    /// Whether the steps still want attention.
    pub fn is_open(&self) -> bool {
        !self.is_dismissed && self.settled() < self.steps.len()
    }

    pub fn state(&self, step: Step) -> StepState {
        let found = self.steps.iter().find(|(known, _)| *known == step);
        found.map_or(StepState::Open, |(_, state)| *state)
    }
}

pub fn progress(app: &App) -> Result<Progress, Error> {
    let view = app.store.view()?;
    let is_set = |setting| Ok::<_, Error>(settings::get(&view, setting)?.is_some());
    let skipped = skipped(&view)?;
    let has_operator = !operators::all(&view)?.is_empty();
    let has_name = is_set(Setting::IspName)?;
    let has_backup_key = backups::settings::get(app)?.has_key();
    let has_login = first_of(&view)?.is_some() && was_anybody_let_in(app, &view)?;
    let state = |step: Step| {
        let is_done = match step {
            Step::Operator => has_operator,
            Step::Network => has_name,
            Step::Router => first_router(app).is_some(),
            Step::Plan => first_plan(app).is_some(),
            Step::Subscriber => has_login,
            Step::Backups => has_backup_key,
        };
        match is_done {
            true => StepState::Done,
            false if skipped.contains(&step) => StepState::Skipped,
            false => StepState::Open,
        }
    };
    Ok(Progress {
        steps: Step::ALL.map(|step| (step, state(step))),
        is_dismissed: is_set(Setting::SetupDismissed)?,
    })
}

fn skipped(read: &impl Read) -> Result<Vec<Step>, Error> {
    let words = settings::get(read, Setting::SetupSkipped)?.unwrap_or_default();
    Ok(words
        .split_whitespace()
        .filter_map(Step::from_word)
        .collect())
}

/// The routers through which a login is the first one: those that are registered now. A NAS that was deleted showed nothing of
/// the one that took its place; and this machine, which tries logins by itself, shows nothing of a router. It counts while
/// there is no other. An id is never given twice, so whatever names one of these came after it was made.
pub fn counted_routers(app: &App) -> Vec<NasId> {
    let all = app.nas_table().all();
    let is_here = |entry: &&Arc<NasEntry>| entry.nas.network.is_loopback();
    let only_here = all.iter().all(|entry| is_here(&entry));
    all.iter()
        .filter(|entry| only_here || !is_here(entry))
        .map(|entry| entry.nas.id)
        .collect()
}

/// Somebody is or was online through a router that counts, or a login through one was accepted lately.
fn was_anybody_let_in(app: &App, view: &View) -> Result<bool, Error> {
    let counted = counted_routers(app);
    let is_counted = |nas: NasId| counted.contains(&nas);
    let until = |found| match found {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let mut found = {
        let live = app.accounting.live();
        live.open_sessions().any(|session| is_counted(session.nas))
    };
    if !found {
        sessions::each_closed_before(view, SessionId(u64::MAX), SESSIONS_LOOKED_AT, |session| {
            found = is_counted(session.nas);
            until(found)
        })?;
    }
    if !found {
        app.auth_log
            .each_before(view, u64::MAX, BLOCKS_LOOKED_AT, |_, attempt| {
                found = attempt.reason.is_none() && is_counted(attempt.nas);
                until(found)
            })?;
    }
    Ok(found)
}

/// The NAS that the step of the router made, or whichever was there first.
pub fn first_router(app: &App) -> Option<Arc<NasEntry>> {
    let all = app.nas_table().all();
    all.into_iter().min_by_key(|entry| entry.nas.id)
}

/// The plan that was made first.
pub fn first_plan(app: &App) -> Option<Arc<Plan>> {
    app.plans().into_iter().min_by_key(|plan| plan.id)
}

/// The subscriber who was made first.
pub fn first_subscriber(app: &App) -> Result<Option<Subscriber>, Error> {
    first_of(&app.store.view()?)
}

fn first_of(view: &View) -> Result<Option<Subscriber>, Error> {
    let mut first = None;
    subscribers::each(view, SubscriberId(0), |stored| {
        first = Some(stored.subscriber);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// Leaves a step out for good; doing it later still counts. Errors: `Refused` for one that an ISP needs.
pub async fn skip(app: &App, actor: &Actor, step: Step) -> Result<(), Error> {
    if !step.may_skip() {
        return Err(Error::Refused(
            "This step can wait, but it cannot be left out".to_owned(),
        ));
    }
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("skip setup step", move |tx| {
            let mut steps = skipped(tx)?;
            if steps.contains(&step) {
                return Ok(());
            }
            steps.push(step);
            let words: Vec<&str> = steps.iter().map(|step| step.word()).collect();
            settings::put(tx, Setting::SetupSkipped, &words.join(" "))?;
            let mut difference = Difference::default();
            difference.field("step", "", step.word());
            let what = "setup step skipped";
            note(tx, &actor, what, &part("first run"), difference, now)
        })
        .await
}

/// Takes the steps off the dashboard. Their pages stay.
pub async fn dismiss(app: &App, actor: &Actor) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("dismiss setup", move |tx| {
            if settings::get(tx, Setting::SetupDismissed)?.is_some() {
                return Ok(());
            }
            settings::put(tx, Setting::SetupDismissed, YES)?;
            let what = "setup dismissed";
            let nothing = Difference::default();
            note(tx, &actor, what, &part("first run"), nothing, now)
        })
        .await
}
