//! Newer versions: what there is, how far a download is, installing one, and what was installed before.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::time::Timestamp;
use crate::operations::licence::VERSION;
use crate::operations::updates::{self as verb, Outcome, Status};
use crate::store::updates::UpdateRow;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages;
use crate::web::parts::{Badge, Fact, Meter, Tone};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::{self, Words};

const PATH: &str = "/settings/updates";

/// `GET /settings/updates`.
#[derive(Template)]
#[template(path = "pages/settings/updates.html")]
pub struct UpdatesPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub part: UpdatesPart,
}

/// What changes by itself; the page asks for it again every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/settings/_updates.html")]
pub struct UpdatesPart {
    /// Empty for those who may only look.
    pub csrf: String,
    /// Why there are no updates here; empty when there may be.
    pub none: String,
    pub title: String,
    pub state: Badge,
    pub facts: Vec<Fact>,
    /// The vendor's words, one paragraph a line.
    pub notes: Vec<String>,
    pub progress: Option<Meter>,
    /// What went wrong last and no row shows.
    pub problem: Option<String>,
    pub can_download: bool,
    /// The question before it is installed; empty when it cannot be.
    pub install_question: String,
    pub rows: Vec<TriedRow>,
}

#[derive(Clone, Default)]
pub struct TriedRow {
    pub when: String,
    pub by: String,
    pub versions: String,
    pub state: Badge,
    pub problem: String,
    pub log: String,
}

pub async fn show(signed: Signed) -> Reply {
    let part = part(&signed)?;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = UpdatesPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        part,
    };
    Ok(Page::ok(page).into_response())
}

/// Asks the vendor at once instead of within the day.
pub async fn check(Change { signed, .. }: Change) -> Reply {
    let flash = match verb::check(signed.app()).await? {
        Some(release) => Flash::good(format!("Version {} can be had.", release.version)),
        None => Flash::good("This is the newest version."),
    };
    Ok(done(&signed, flash, PATH))
}

pub async fn download(Change { signed, .. }: Change) -> Reply {
    verb::begin_download(signed.app())?;
    Ok(done(&signed, Flash::good("The download has begun."), PATH))
}

pub async fn cancel(Change { signed, .. }: Change) -> Reply {
    signed.app().updates.cancel();
    Ok(done(&signed, Flash::good("The download stops."), PATH))
}

pub async fn install(Change { signed, .. }: Change) -> Reply {
    let release = verb::install(signed.app(), &signed.actor()).await?;
    let text = format!(
        "Version {} is handed to the package manager. This page comes back by itself.",
        release.version
    );
    Ok(done(&signed, Flash::good(text), PATH))
}

fn part(signed: &Signed) -> Result<UpdatesPart, Failure> {
    let words = Words::of(signed.app());
    let status = verb::status(signed.app())?;
    let is_busy = signed.app().updates.is_busy() || status.is_installing();
    let none = match (status.has_vendor, status.is_activated) {
        (false, _) => {
            "No vendor is configured: new versions come from where this one came from, such as apt."
        }
        (true, false) => "The vendor gives updates with a licence; activate one first.",
        (true, true) => "",
    };
    let (title, state) = match (&status.offered, status.is_installing()) {
        (_, true) => (
            "A new version is being installed.".to_owned(),
            Badge::new(Tone::Info, "Installing"),
        ),
        (Some(release), false) => (
            format!("Version {} can be installed.", release.version),
            Badge::new(Tone::Info, "New version"),
        ),
        (None, false) => (
            "No newer version is known.".to_owned(),
            Badge::new(Tone::Quiet, "Up to date"),
        ),
    };
    let problem = status.download_problem.as_deref();
    let problem = problem
        .or(Some(&status.problem))
        .filter(|text| !text.is_empty());
    let install_question = match (&status.offered, status.is_downloaded && !is_busy) {
        (Some(release), true) => question(&release.version),
        _ => String::new(),
    };
    Ok(UpdatesPart {
        csrf: pages::button_token(signed),
        none: none.to_owned(),
        title,
        state,
        facts: facts(&words, &status),
        notes: status.offered.as_ref().map_or_else(Vec::new, |release| {
            release.notes.lines().map(str::to_owned).collect()
        }),
        progress: status.progress.as_ref().map(|progress| {
            let share = progress.done.saturating_mul(100) / progress.of.max(1);
            Meter {
                label: format!("Downloading version {}", progress.version),
                value: format!(
                    "{} of {}",
                    words::octets(progress.done),
                    words::octets(progress.of)
                ),
                percent: u8::try_from(share.min(100)).unwrap_or(100),
                tone: Tone::Info,
            }
        }),
        problem: problem.map(str::to_owned),
        can_download: status.offered.is_some() && !status.is_downloaded && !is_busy,
        install_question,
        rows: status
            .history
            .iter()
            .map(|row| tried(&words, row))
            .collect(),
    })
}

fn question(version: &str) -> String {
    format!(
        "Version {version} is installed now. The data are copied first; the panel and RADIUS are away for some seconds, and \
         routers try again by themselves. If the new version does not work here, this one is put back."
    )
}

fn facts(words: &Words<'_>, status: &Status) -> Vec<Fact> {
    let last = status.last_good;
    let mut facts = vec![
        Fact::new("This version", VERSION),
        Fact::new(
            "Asked",
            last.map_or_else(|| "never".to_owned(), |at| words.minute(at)),
        ),
    ];
    if let Some(release) = &status.offered {
        facts.push(Fact::new("Size", words::octets(release.octets)));
        let at = Timestamp(release.published_at);
        facts.push(Fact::new("Published", words.minute(at)));
        let is_here = match status.is_downloaded {
            true => "yes; the vendor signed it",
            false => "no",
        };
        facts.push(Fact::new("Downloaded", is_here));
    }
    facts
}

fn tried(words: &Words<'_>, row: &UpdateRow) -> TriedRow {
    let outcome = verb::outcome(row);
    let state = match outcome {
        Outcome::Waiting | Outcome::Installing => Badge::new(Tone::Info, outcome.words()),
        Outcome::Done => Badge::new(Tone::Good, outcome.words()),
        Outcome::Failed => Badge::new(Tone::Bad, outcome.words()),
    };
    TriedRow {
        when: words.minute(Timestamp(row.handed_over_at)),
        by: row.by.clone(),
        versions: format!("{} to {}", row.from, row.version),
        state,
        problem: row.problem.clone(),
        log: row.log.clone(),
    }
}
