//! Backups: what there is and whether it was proven, how far the one under way is, and the forms around it.

mod destination;
mod form;
mod upload;
mod verbs;

pub use destination::{
    DestinationForm, resume_sending, save_destination, test_destination, trust_destination,
};
pub use form::{choose_key, passphrase, read_passphrase, update};
pub use upload::upload;
pub use verbs::{RestorePage, ask_restore, cancel, create, download, remove, restore, send, test};

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::BackupProgress;
use crate::domain::backup::{Backup, Every, Sent, Trigger};
use crate::operations::backups::settings::BackupSettings;
use crate::operations::backups::{self as verb, KeyKind, Listed};
use crate::operations::blocking;
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages;
use crate::web::parts::{Badge, Field, Meter, Select, Tone, thousands};
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::{self, Words};

pub(super) const PATH: &str = "/settings/backups";

/// `GET /settings/backups`, and its posts with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/backups.html")]
pub struct BackupsPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub part: BackupsPart,
    pub refusal: Option<String>,
    /// Why no backup can be made; empty when one can.
    pub no_key: &'static str,
    pub has_passphrase: bool,
    /// Whether there is a licence key to choose, or one was chosen.
    pub may_choose_key: bool,
    pub uses_licence: bool,
    pub key: Select,
    pub passphrase: Field,
    pub passphrase_again: Field,
    pub every: Select,
    pub weekday: Select,
    pub day: Field,
    pub hour: Select,
    pub keep_days: Field,
    pub keep_weeks: Field,
    pub keep_months: Field,
    /// When the next one is made, in words.
    pub next: String,
    /// Where the files are.
    pub folder: String,
    pub destination: DestinationForm,
    /// Of the restore since which nothing is sent there; empty when it is.
    pub paused: String,
}

/// What changes by itself; the page asks for it again every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/settings/_backups.html")]
pub struct BackupsPart {
    /// Empty for those who may only look.
    pub csrf: String,
    /// What is being done, if anything.
    pub progress: Option<Meter>,
    /// What went wrong last and no row shows.
    pub problem: Option<String>,
    pub can_create: bool,
    /// Whether backups are sent to another machine, or were.
    pub shows_sent: bool,
    pub rows: Vec<BackupRow>,
}

#[derive(Clone, Default)]
pub struct BackupRow {
    pub when: String,
    /// Who wanted it: `Schedule`, `By hand`, or `Not made here`.
    pub by: String,
    /// Empty for a try that failed.
    pub name: String,
    pub size: String,
    /// Subscribers and rows.
    pub holds: String,
    pub took: String,
    pub test: Badge,
    /// What the test found, or why there is no file.
    pub note: String,
    /// What came of sending it; empty for one that was not sent.
    pub sent: Badge,
    pub sent_note: String,
    /// `/settings/backups/{name}`, the file; empty where there is none. Below it is what can be done with it.
    pub href: String,
    pub test_href: String,
    /// Empty where it cannot be sent.
    pub send_href: String,
    pub delete_href: String,
    pub delete_question: String,
}

pub async fn show(signed: Signed) -> Reply {
    let part = part(&signed).await?;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = page(&signed, part, FormData::default(), &Problems::default(), "")?;
    Ok(Page::ok(page).into_response())
}

/// The page after a form that was not taken. `form` is that form; the others stand as they are set. `stranger` is what a server
/// showed that nobody knows.
async fn again(signed: &Signed, form: FormData, problems: &Problems, stranger: &str) -> Reply {
    let part = part(signed).await?;
    let page = page(signed, part, form, problems, stranger)?;
    Ok(Page::unprocessable(page).into_response())
}

fn page(
    signed: &Signed,
    part: BackupsPart,
    form: FormData,
    problems: &Problems,
    stranger: &str,
) -> Result<BackupsPage, Failure> {
    let words = Words::of(signed.app());
    let set = verb::settings::get(signed.app())?;
    let elsewhere = verb::destination::get(signed.app())?;
    let elsewhere = elsewhere.as_ref();
    let form = form
        .beside(form::filled(&set))
        .beside(destination::filled(elsewhere));
    let form = &form;
    let next = set
        .schedule
        .and_then(|schedule| schedule.next_due(words.calendar(), words.now));
    let field = |name| problems.field(form, name);
    Ok(BackupsPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        part,
        refusal: problems.summary(),
        no_key: no_key(&set),
        has_passphrase: set.has_passphrase,
        may_choose_key: set.has_licence
            || set.key == KeyKind::Licence
            || problems.of("key").is_some(),
        uses_licence: set.key == KeyKind::Licence,
        key: problems.select("key", form::keys(form.text("key"))),
        passphrase: problems.secret("passphrase"),
        passphrase_again: problems.secret("passphrase_again"),
        every: problems.select("every", form::every(form.text("every"))),
        weekday: problems.select("weekday", form::weekdays(form.text("weekday"))),
        day: field("day"),
        hour: problems.select("hour", form::hours(form.text("hour"))),
        keep_days: field("keep_days"),
        keep_weeks: field("keep_weeks"),
        keep_months: field("keep_months"),
        next: next.map_or_else(String::new, |at| words.minute(at)),
        folder: signed.app().config.backup.folder.display().to_string(),
        destination: destination::form(elsewhere, form, problems, stranger),
        paused: verb::pause::since(signed.app())?.map_or_else(String::new, |at| words.minute(at)),
    })
}

fn no_key(set: &BackupSettings) -> &'static str {
    match (set.has_key(), set.key) {
        (true, _) => "",
        (false, KeyKind::Passphrase) => "No backup can be made before you set a passphrase below.",
        (false, KeyKind::Licence) => {
            "No backup can be made: they are encrypted with the licence key, and no licence is activated here. Activate it, or set \
             a passphrase below."
        }
    }
}

async fn part(signed: &Signed) -> Result<BackupsPart, Failure> {
    let app = Arc::clone(&signed.panel.app);
    let list = blocking(move || verb::list(&app)).await??;
    let words = Words::of(signed.app());
    let board = &signed.app().backups;
    let elsewhere = verb::destination::get(signed.app())?;
    let elsewhere = elsewhere.as_ref();
    let may_send = elsewhere.is_some() && verb::pause::since(signed.app())?.is_none();
    let was_sent = |listed: &Listed| listed.backup.as_ref().is_some_and(|it| it.sent.is_some());
    Ok(BackupsPart {
        csrf: pages::button_token(signed),
        progress: board.progress().map(|progress| meter(&words, &progress)),
        problem: board.problem(),
        can_create: verb::settings::get(signed.app())?.has_key() && !board.is_busy(),
        shows_sent: elsewhere.is_some() || list.iter().any(was_sent),
        rows: list
            .iter()
            .map(|listed| row(&words, listed, may_send))
            .collect(),
    })
}

fn meter(words: &Words<'_>, progress: &BackupProgress) -> Meter {
    let share = u128::from(progress.done)
        .saturating_mul(100)
        .checked_div(u128::from(progress.of));
    let share = share.map(|share| u8::try_from(share.min(100)).unwrap_or(100));
    Meter {
        label: format!("{}: {}", progress.what, progress.step.words()),
        value: match share {
            Some(share) => format!("{share}%, began {}", words.ago(progress.since)),
            None => format!("began {}", words.ago(progress.since)),
        },
        percent: share.unwrap_or(0),
        tone: Tone::Info,
    }
}

fn row(words: &Words<'_>, listed: &Listed, may_send: bool) -> BackupRow {
    let size = listed.octets.map_or_else(String::new, words::octets);
    let href = match listed.octets {
        Some(_) => format!("{PATH}/{}", listed.name),
        None => String::new(),
    };
    let file = BackupRow {
        by: "Not made here".to_owned(),
        name: listed.name.clone(),
        size,
        test: Badge::new(Tone::Quiet, "Not tested"),
        test_href: format!("{href}/test"),
        delete_href: format!("{href}/delete"),
        delete_question: format!("{} is removed for good.", listed.name),
        href,
        ..BackupRow::default()
    };
    let Some(backup) = &listed.backup else {
        return file;
    };
    let (test, note) = outcome(words, backup, listed.octets.is_some());
    let (sent, sent_note) = match &backup.sent {
        Some(_) if verb::send::is_sending(words.app, &listed.name) => {
            (Badge::new(Tone::Info, "Sending"), String::new())
        }
        Some(sent) => sending(words, sent, backup.octets),
        None => (Badge::default(), String::new()),
    };
    let send_href = match (may_send, listed.octets) {
        (true, Some(_)) => format!("{}/send", file.href),
        _ => String::new(),
    };
    BackupRow {
        when: words.minute(backup.began_at),
        by: match backup.by {
            Trigger::Schedule => "Schedule".to_owned(),
            Trigger::Person => "By hand".to_owned(),
        },
        holds: match backup.error {
            Some(_) => String::new(),
            None => format!(
                "{} subscribers, {} rows",
                thousands(backup.subscribers),
                thousands(backup.rows)
            ),
        },
        took: format!(
            "{}.{} s",
            backup.took_ms / 1_000,
            backup.took_ms % 1_000 / 100
        ),
        test,
        note,
        sent,
        sent_note,
        send_href,
        ..file
    }
}

fn sending(words: &Words<'_>, sent: &Sent, of: u64) -> (Badge, String) {
    let at = words.minute(sent.at);
    match (&sent.problem, &sent.note) {
        (Some(problem), _) => {
            let went = format!("{} of {}", words::octets(sent.octets), words::octets(of));
            let note = format!("{problem}. Tried on {at}; {went} went.");
            (Badge::new(Tone::Warn, "Not sent"), note)
        }
        (None, Some(note)) => (Badge::new(Tone::Good, "Sent"), format!("{at}; {note}")),
        (None, None) => (Badge::new(Tone::Good, "Sent"), at),
    }
}

fn outcome(words: &Words<'_>, backup: &Backup, has_file: bool) -> (Badge, String) {
    match (&backup.error, &backup.test) {
        (Some(error), _) => (Badge::new(Tone::Bad, "Failed"), error.clone()),
        _ if !has_file => (
            Badge::new(Tone::Warn, "File is gone"),
            "Somebody moved or removed it.".to_owned(),
        ),
        (None, None) => (Badge::new(Tone::Quiet, "Not tested"), String::new()),
        (None, Some(test)) => match &test.problem {
            None => (
                Badge::new(Tone::Good, "Proven"),
                format!("restored and compared on {}", words.minute(test.at)),
            ),
            Some(problem) => (Badge::new(Tone::Bad, "Bad"), problem.clone()),
        },
    }
}

/// The word of a rhythm in the form.
fn word(every: Every) -> &'static str {
    match every {
        Every::Day => "day",
        Every::Week(_) => "week",
        Every::Month(_) => "month",
    }
}
