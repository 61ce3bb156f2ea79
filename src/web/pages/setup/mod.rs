//! First run: the one-time link makes the first operator, then six short steps lead to the first login.
//!
//! Each step is a page with its own address, in any order, and can be done again: it shows what was saved and changes that. The
//! forms are small ones over those of the pages where everything else is set. Invariant: only administrators get past the link.

mod backups;
mod done;
mod link;
mod network;
mod operator;
mod plan;
mod router;
mod script;
mod subscriber;
mod waiting;

pub use backups::{BackupsPage, backups, save_backups};
pub use done::{DonePage, NextStep, done};
pub use link::{LinkPage, NeededPage, create, needed, show};
pub use network::{NetworkPage, network, save_network};
pub use operator::{OperatorPage, operator};
pub use plan::{PlanPage, plan, save_plan};
pub use router::{RouterPage, router, save_router};
pub use script::{ScriptPage, reveal, script};
pub use subscriber::{SubscriberPage, save_subscriber, subscriber};
pub use waiting::{WaitingPage, WaitingPart, waiting};

use crate::operations::setup::{self, Progress, Step, StepState};
use crate::web::error::{self, Failure, Reply};
use crate::web::extract::{Change, Signed};
use crate::web::form::{FormData, Problems};
use crate::web::shell::{Bare, Flash};

const NETWORK: &str = "/setup/network";
const ROUTER: &str = "/setup/router";
const SCRIPT: &str = "/setup/router/script";
const PLAN: &str = "/setup/plan";
const SUBSCRIBER: &str = "/setup/subscriber";
const WAITING: &str = "/setup/login";
const BACKUPS: &str = "/setup/backups";
const DONE: &str = "/setup/done";

/// One of the steps, as the row on top of each page and the dashboard show it.
#[derive(Clone, Default)]
pub struct StepLink {
    pub href: &'static str,
    /// One word.
    pub label: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    pub is_done: bool,
    pub is_skipped: bool,
    pub is_here: bool,
}

/// All steps, for a page that belongs to one of them or to none.
pub fn step_links(progress: &Progress, here: Option<Step>) -> Vec<StepLink> {
    let links = progress.steps.iter().map(|(step, state)| {
        let (href, label, title, text) = words(*step);
        StepLink {
            href,
            label,
            title,
            text,
            is_done: *state == StepState::Done,
            is_skipped: *state == StepState::Skipped,
            is_here: here == Some(*step),
        }
    });
    links.collect()
}

/// Address, label, title and text of a step.
fn words(step: Step) -> (&'static str, &'static str, &'static str, &'static str) {
    match step {
        Step::Operator => (
            "/setup/operator",
            "Operator",
            "Make the first operator",
            "That is you. A second factor is offered.",
        ),
        Step::Network => (
            NETWORK,
            "Network",
            "Name your network",
            "Its name, time zone and currency.",
        ),
        Step::Router => (
            ROUTER,
            "Router",
            "Connect your router",
            "Its address, and a script to paste.",
        ),
        Step::Plan => (PLAN, "Plan", "Make a plan", "A speed, a price and a term."),
        Step::Subscriber => (
            SUBSCRIBER,
            "Login",
            "See the first login",
            "A subscriber, and the first session.",
        ),
        Step::Backups => (
            BACKUPS,
            "Backups",
            "Set a passphrase for backups",
            "Without it no backup is made.",
        ),
    }
}

/// What all pages of the steps have.
pub struct Frame {
    shell: Bare,
    steps: Vec<StepLink>,
}

fn frame(signed: &Signed, title: &str, here: Option<Step>) -> Result<Frame, Failure> {
    let progress = setup::progress(signed.app())?;
    Ok(Frame {
        shell: signed.bare(title),
        steps: step_links(&progress, here),
    })
}

/// What stands above a form: what a verb refused, or a problem with a field that this small form does not have.
fn refusal_of(problems: &Problems, fields: &[&str]) -> Option<String> {
    let elsewhere = problems
        .first()
        .filter(|(field, _)| !fields.contains(field));
    problems.refusal().or_else(|| {
        elsewhere.map(|(field, problem)| format!("{}: {problem}", field.replace('_', " ")))
    })
}

/// `base` with what was typed into `fields`.
fn over(base: FormData, form: &FormData, fields: &[&str]) -> FormData {
    let typed = |base: FormData, name: &&str| base.with(name, form.text(name));
    fields.iter().fold(base, typed)
}

/// Leaves a step out, and goes to the next one.
pub async fn skip(Change { signed, form }: Change) -> Reply {
    let step = Step::from_word(form.text("step")).ok_or(Failure::Missing)?;
    setup::skip(signed.app(), &signed.actor(), step).await?;
    let next = match step {
        Step::Operator => NETWORK,
        Step::Network => ROUTER,
        Step::Router => PLAN,
        Step::Plan => SUBSCRIBER,
        Step::Subscriber => BACKUPS,
        Step::Backups => DONE,
    };
    let flash = Flash::good("Skipped. You can come back to it at any time.");
    Ok(error::done(&signed, flash, next))
}

/// Takes the steps off the dashboard.
pub async fn dismiss(change: Change) -> Reply {
    let signed = change.signed;
    setup::dismiss(signed.app(), &signed.actor()).await?;
    let flash = Flash::good(
        "Dismissed. Everything of it is in the menu: Settings, NAS devices, Plans, Subscribers.",
    );
    Ok(error::done(&signed, flash, "/"))
}
