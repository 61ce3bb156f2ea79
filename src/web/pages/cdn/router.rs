//! One router: what a push would change there, the push, taking everything away, and how the last one ended.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::CdnOutcome;
use crate::domain::cdn::CdnWarning;
use crate::domain::id::NasId;
use crate::operations;
use crate::operations::cdn::{self as verbs, Step, Verb};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Tone, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

/// Changes that the page shows; a first push may have thousands.
const STEPS_SHOWN: usize = 200;

/// `GET /cdn/routers/{nas}`.
#[derive(Template)]
#[template(path = "pages/cdn/router.html")]
pub struct RouterPage {
    pub shell: Shell,
    pub path: String,
    pub name: String,
    pub state: Badge,
    pub facts: Vec<Fact>,
    pub hints: Vec<Hint>,
    /// Why the router could not be read, or empty; then there are no steps.
    pub problem: String,
    /// What is to be changed, in a few words.
    pub summary: String,
    pub steps: Vec<StepRow>,
    /// Such as `and 1,800 more`, or empty.
    pub more: String,
    /// Whether there is anything of ours to be removed, as far as is known.
    pub is_ours_there: bool,
}

/// What keeps the profiles from working, with the RouterOS command that mends it, or empty.
#[derive(Clone, Default)]
pub struct Hint {
    pub title: String,
    pub text: String,
    pub command: String,
}

#[derive(Clone, Default)]
pub struct StepRow {
    pub verb: Badge,
    pub menu: String,
    pub object: String,
    pub values: String,
}

pub(super) fn path(nas: NasId) -> String {
    format!("{}/routers/{nas}", super::PATH)
}

/// How a router does: kept in step or not, and how the last push ended.
pub(super) fn state(is_kept: bool, outcome: Option<&CdnOutcome>) -> Badge {
    match (is_kept, outcome) {
        (_, Some(outcome)) if !outcome.error.is_empty() => Badge::new(Tone::Bad, "Failed"),
        (false, _) => Badge::new(Tone::Quiet, "Not pushed"),
        (true, Some(outcome)) if !outcome.warnings.is_empty() || outcome.left > 0 => {
            Badge::new(Tone::Warn, "Needs attention")
        }
        (true, Some(_)) => Badge::new(Tone::Good, "In step"),
        (true, None) => Badge::new(Tone::Quiet, "Waiting"),
    }
}

/// Reads the router. One that cannot be read still has its page.
pub async fn router(Path(id): Path<u32>, signed: Signed) -> Reply {
    let entry = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?;
    let nas = entry.nas.id;
    let (preview, problem) = match verbs::preview(&signed.panel.app, nas).await {
        Ok(preview) => (Some(preview), String::new()),
        Err(operations::Error::Refused(why)) => (None, why),
        Err(error) => return Err(error.into()),
    };
    let words = Words::of(signed.app());
    let outcome = signed.app().cdn.outcome(nas);
    let steps = preview.as_ref().map_or(&[][..], |preview| &preview.steps);
    let warnings = match (&preview, &outcome) {
        (Some(preview), _) => preview.warnings.clone(),
        (None, Some(outcome)) => outcome.warnings.clone(),
        (None, None) => Vec::new(),
    };
    let there = preview.as_ref().map(|preview| preview.there);
    let is_kept = verbs::keeps(signed.app(), nas)?;
    let has_failed = outcome
        .as_ref()
        .is_some_and(|outcome| !outcome.error.is_empty());
    let page = RouterPage {
        shell: signed.shell(&format!("CDN on {}", entry.nas.name), Nav::Cdn),
        path: path(nas),
        name: entry.nas.name.clone(),
        state: state(is_kept, outcome.as_ref()),
        facts: facts(&words, is_kept, there, outcome.as_ref()),
        hints: warnings.into_iter().map(hint).collect(),
        problem,
        summary: summary(steps.len()),
        steps: steps.iter().take(STEPS_SHOWN).map(step_row).collect(),
        more: match steps.len().saturating_sub(STEPS_SHOWN) {
            0 => String::new(),
            more => format!("and {} more", count(more)),
        },
        is_ours_there: is_kept || there.is_some_and(|there| there > 0) || has_failed,
    };
    Ok(Page::ok(page).into_response())
}

fn facts(
    words: &Words<'_>,
    is_kept: bool,
    there: Option<usize>,
    outcome: Option<&CdnOutcome>,
) -> Vec<Fact> {
    let kept = match is_kept {
        true => Fact::new("Kept in step", "Yes").note(
            "Compared every five minutes, after each change here and after a lost connection.",
        ),
        false => Fact::new("Kept in step", "No")
            .note("Nothing is changed on this router before the first push."),
    };
    let mut facts = vec![kept];
    facts.extend(there.map(|there| Fact::new("Objects of ours", count(there))));
    if let Some(outcome) = outcome {
        facts.push(Fact::new("Last push", words.ago(outcome.at)).note(words.second(outcome.at)));
        facts.push(Fact::new("Changes made", count(outcome.made)));
        if !outcome.error.is_empty() {
            facts.push(Fact::new("It ended with", outcome.error.clone()));
        }
    }
    facts
}

fn summary(steps: usize) -> String {
    match steps {
        0 => "The router holds what it should. A push would change nothing.".to_owned(),
        1 => "A push would make one change. Nothing else is touched.".to_owned(),
        steps => format!(
            "A push would make {} changes, in this order. Nothing else is touched.",
            count(steps)
        ),
    }
}

fn step_row(step: &Step) -> StepRow {
    StepRow {
        verb: match step.verb {
            Verb::Add => Badge::new(Tone::Good, "Add"),
            Verb::Change => Badge::new(Tone::Info, "Change"),
            Verb::Move => Badge::new(Tone::Info, "Move"),
            Verb::Remove => Badge::new(Tone::Warn, "Remove"),
        },
        menu: step.menu.to_owned(),
        object: step.object.clone(),
        values: step.values.clone(),
    }
}

fn hint(warning: CdnWarning) -> Hint {
    let (title, text, command) = match warning {
        CdnWarning::FastTrack(rules) => (
            "FastTrack takes the traffic past the queues",
            format!(
                "{} of the firewall with FastTrack {} on. What it takes gets neither the CDN speed nor the speed of the plan, and is not \
                 counted by a queue. Switch it off, or keep subscribers out of it.",
                if rules == 1 {
                    "One rule".to_owned()
                } else {
                    format!("{} rules", count(rules))
                },
                if rules == 1 { "is" } else { "are" }
            ),
            "/ip firewall filter disable [find where action=fasttrack-connection]",
        ),
        CdnWarning::QueuesAbove(queues) => (
            "Queues of sessions stood above ours",
            format!(
                "The first queue that fits takes the traffic, and {} of sessions stood first. A push moves ours up; so that new sessions do not \
                 get above them again, let the PPP profiles put their queues at the bottom.",
                if queues == 1 {
                    "one queue".to_owned()
                } else {
                    format!("{} queues", count(queues))
                }
            ),
            "/ppp profile set [find] insert-queue-before=bottom",
        ),
        CdnWarning::LeftOut(sessions) => (
            "Some subscribers have no queue",
            format!(
                "{} beyond the number of queues that the profile allows on one router: {} the speed of the plan, and all of it counts. Allow more \
                 under the profile, if the router can carry them.",
                if sessions == 1 {
                    "One session is".to_owned()
                } else {
                    format!("{} sessions are", count(sessions))
                },
                if sessions == 1 { "it has" } else { "they have" }
            ),
            "",
        ),
    };
    Hint {
        title: title.to_owned(),
        text,
        command: command.to_owned(),
    }
}

fn count(number: usize) -> String {
    thousands(u64::try_from(number).unwrap_or(u64::MAX))
}

pub async fn push(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let nas = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?.nas.id;
    let outcome = verbs::push(&signed.panel.app, &signed.actor(), nas).await?;
    let flash = flash(outcome, |made| match made {
        0 => "The router is in step.".to_owned(),
        1 => "One change was made. The router is in step.".to_owned(),
        made => format!("{} changes were made. The router is in step.", count(made)),
    });
    Ok(done(&signed, flash, &path(nas)))
}

pub async fn remove_everything(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let nas = signed.app().nas(NasId(id)).ok_or(Failure::Missing)?.nas.id;
    let outcome = verbs::remove_everything(&signed.panel.app, &signed.actor(), nas).await?;
    let flash = flash(outcome, |made| match made {
        0 => "There is nothing of ours on the router.".to_owned(),
        1 => "One object was removed. There is nothing of ours on the router any more.".to_owned(),
        made => format!(
            "{} objects were removed. There is nothing of ours on the router any more.",
            count(made)
        ),
    });
    Ok(done(&signed, flash, &path(nas)))
}

fn flash(outcome: Option<CdnOutcome>, good: impl FnOnce(usize) -> String) -> Flash {
    match outcome {
        None => Flash::good("The router is still being changed. Look again in a minute."),
        Some(outcome) if !outcome.error.is_empty() => Flash::bad(outcome.error),
        Some(outcome) if outcome.left > 0 => Flash::bad(format!(
            "{} changes are still to be made. They are tried again within five minutes.",
            count(outcome.left)
        )),
        Some(outcome) => Flash::good(good(outcome.made)),
    }
}
