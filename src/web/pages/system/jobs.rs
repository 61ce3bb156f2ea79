//! The jobs: state, last run, last error, and a button that runs one now.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::JobStatus;
use crate::domain::octets::Usage;
use crate::operations::{blocking, jobs as verbs, usage_audit};
use crate::web::error::{Failure, Reply, stay};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages;
use crate::web::parts::{Badge, Tone, thousands};
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::{self, Words, ago_or_never};

/// `GET /system/jobs`.
#[derive(Template)]
#[template(path = "pages/system/jobs.html")]
pub struct JobsPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub part: JobsPart,
    pub audit: AuditCard,
}

/// What the last nightly audit of usage found.
#[derive(Clone, Default)]
pub struct AuditCard {
    pub state: Badge,
    pub text: String,
    /// Subscribers whose sums differ.
    pub rows: Vec<AuditDifference>,
}

#[derive(Clone, Default)]
pub struct AuditDifference {
    pub user_name: String,
    pub href: String,
    pub sessions: String,
    pub days: String,
    pub months: String,
}

/// The rows, which the page asks for again every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/system/_jobs.html")]
pub struct JobsPart {
    /// Empty for those who may only look.
    pub csrf: String,
    pub rows: Vec<JobRow>,
}

#[derive(Clone, Default)]
pub struct JobRow {
    pub name: String,
    pub state: Badge,
    pub last_run: String,
    pub took: String,
    pub next_run: String,
    pub outcome: String,
    pub error: String,
    pub run_href: String,
}

pub async fn jobs(signed: Signed) -> Reply {
    let part = part(&signed);
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = JobsPage {
        shell: signed.shell(&tabs::system("/system/jobs").title(), Nav::System),
        tabs: tabs::system("/system/jobs"),
        part,
        audit: audit(&signed).await?,
    };
    Ok(Page::ok(page).into_response())
}

pub async fn run_job(Path(name): Path<String>, work: Work) -> Reply {
    let signed = work.signed;
    verbs::run_now(signed.app(), &signed.actor(), &name).await?;
    Ok(stay(
        &signed,
        Tone::Good,
        &format!("The job {name} runs now."),
    ))
}

async fn audit(signed: &Signed) -> Result<AuditCard, Failure> {
    let app = Arc::clone(&signed.panel.app);
    let Some(last) = blocking(move || usage_audit::last(&app)).await?? else {
        return Ok(AuditCard {
            state: Badge::new(Tone::Quiet, "Not yet"),
            text:
                "Every night the sums of sessions, days and months of each subscriber are compared."
                    .to_owned(),
            rows: Vec::new(),
        });
    };
    let words = Words::of(signed.app());
    let state = match last.differing {
        0 => Badge::new(Tone::Good, "Everything adds up"),
        1 => Badge::new(Tone::Bad, "1 subscriber differs"),
        differing => Badge::new(Tone::Bad, format!("{} differ", thousands(differing))),
    };
    let octets = |usage: Usage| match usage.free.total() {
        0 => words::octets(usage.raw.total()),
        free => format!(
            "{}, {} of it free",
            words::octets(usage.raw.total()),
            words::octets(free)
        ),
    };
    Ok(AuditCard {
        state,
        text: format!(
            "{} subscribers with usage, looked at on {}. A difference is shown, never corrected.",
            thousands(last.looked_at),
            words.minute(last.ended_at)
        ),
        rows: last
            .differences
            .iter()
            .map(|(id, sums)| AuditDifference {
                user_name: words.subscriber(*id),
                href: words::subscriber_href(*id),
                sessions: octets(sums.sessions),
                days: octets(sums.days),
                months: octets(sums.months),
            })
            .collect(),
    })
}

fn part(signed: &Signed) -> JobsPart {
    let words = Words::of(signed.app());
    JobsPart {
        csrf: pages::button_token(signed),
        rows: verbs::all(signed.app())
            .iter()
            .map(|(name, status)| row(&words, name, status))
            .collect(),
    }
}

fn row(words: &Words<'_>, name: &str, status: &JobStatus) -> JobRow {
    let state = match (status.is_running, status.last_error.as_str(), status.runs) {
        (true, _, _) => Badge::new(Tone::Info, "Running"),
        (false, "", 0) => Badge::new(Tone::Quiet, "Not yet"),
        (false, "", _) => Badge::new(Tone::Good, "Well"),
        (false, _, _) => Badge::new(Tone::Bad, "Failed"),
    };
    JobRow {
        name: name.to_owned(),
        state,
        last_run: ago_or_never(words.now, status.last_run),
        took: match status.runs {
            0 => String::new(),
            _ => format!("{} ms", status.took_ms),
        },
        next_run: status
            .next_run
            .map_or_else(String::new, |at| words.second(at)),
        outcome: status.outcome.clone(),
        error: status.last_error.clone(),
        run_href: format!("/system/jobs/{}/run", name.replace(' ', "%20")),
    }
}
