//! One NAS: how it does, what to mend, what was sent to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::{CoaOutcome, CoaReport, NasEntry};
use crate::domain::id::NasId;
use crate::domain::nas::{ApiTransport, CoaForm, MessageAuthenticator};
use crate::operations::records::{self, AttemptFilter};
use crate::operations::{self, blocking, nas_health, online};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::auth_log;
use crate::web::parts::{Badge, Fact, Tone, thousands};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words, ago_or_never};

use super::checks;
use super::hints::{self, Hint, state_badge};
use super::radsec;

/// Attempts and CoA outcomes that the page shows.
const ATTEMPTS_SHOWN: usize = 10;
const REPORTS_SHOWN: usize = 15;

/// `GET /nas/{id}`.
#[derive(Template)]
#[template(path = "pages/nas/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub path: String,
    pub name: String,
    pub state: Badge,
    pub facts: Vec<Fact>,
    /// Counters since start: accepted, rejected, dropped, duplicates.
    pub counters: Vec<Fact>,
    pub hints: Vec<Hint>,
    /// Outcome of the last CoA and Disconnect requests.
    pub coa: Vec<CoaRow>,
    pub attempts: Vec<auth_log::Row>,
    /// The authentication log, filtered by this NAS.
    pub attempts_href: String,
    pub notes: String,
    /// The certificate of the API is kept, so there is one to forget.
    pub has_certificate: bool,
    pub forget_action: String,
    pub test_action: String,
    /// RouterOS commands that point the router here, or empty for other vendors.
    pub router_commands: String,
}

#[derive(Clone, Default)]
pub struct CoaRow {
    pub time: String,
    pub verb: String,
    pub user_name: String,
    pub outcome: Badge,
}

/// The page of one NAS.
pub async fn show(Path(id): Path<u32>, signed: Signed) -> Reply {
    let id = NasId(id);
    let entry = signed.app().nas(id).ok_or(Failure::Missing)?;
    let app = Arc::clone(&signed.panel.app);
    let (attempts, online) = blocking(move || {
        let filter = AttemptFilter {
            nas: Some(id),
            ..AttemptFilter::default()
        };
        let attempts = records::attempts(&app, &filter, u64::MAX, ATTEMPTS_SHOWN)?;
        Ok::<_, operations::Error>((attempts.rows, online::count_of_nas(&app, id)?))
    })
    .await??;
    let words = Words::of(signed.app());
    let reports = entry.stats.coa_reports();
    let page = ShowPage {
        shell: signed.shell(&entry.nas.name, Nav::Nas),
        path: format!("/nas/{id}"),
        name: entry.nas.name.clone(),
        state: state_badge(&entry, words.now),
        facts: facts(&words, &entry, online),
        counters: counters(&entry),
        hints: hints::hints(&words, &entry),
        coa: reports
            .iter()
            .take(REPORTS_SHOWN)
            .map(|report| coa_row(&words, report))
            .collect(),
        attempts: attempts
            .iter()
            .map(|(_, attempt)| words::attempt(signed.app(), attempt))
            .collect(),
        attempts_href: Query::new().with("nas", &id.to_string()).href("/auth-log"),
        notes: entry.nas.notes.clone(),
        has_certificate: entry
            .nas
            .api
            .as_ref()
            .is_some_and(|api| matches!(api.transport, ApiTransport::Pinned(Some(_)))),
        forget_action: format!("/nas/{id}/forget-certificate"),
        test_action: format!("/nas/{id}/test-coa"),
        router_commands: hints::router_commands(signed.app(), &entry.nas),
    };
    Ok(Page::ok(page).into_response())
}

fn facts(words: &Words<'_>, entry: &NasEntry, online: usize) -> Vec<Fact> {
    let nas = &entry.nas;
    let policy = match nas.message_authenticator {
        MessageAuthenticator::Auto { pinned: false } => "Required once the first one was seen",
        MessageAuthenticator::Auto { pinned: true } => "Required, since one was seen",
        MessageAuthenticator::Required => "Required",
        MessageAuthenticator::Optional => "Optional, which is not safe",
    };
    let interval = words.app.interim_interval(nas.id);
    let online_href = Query::new()
        .with("nas", &nas.id.to_string())
        .href("/online");
    let mut facts = vec![
        Fact::new("Address", nas.network.to_string()).copyable(),
        Fact::new("Profile", nas.profile.label()),
        Fact::new(
            "Online",
            thousands(u64::try_from(online).unwrap_or(u64::MAX)),
        )
        .link(online_href),
        Fact::new(
            "Last sign-in",
            ago_or_never(words.now, entry.stats.last_auth()),
        ),
        Fact::new(
            "Last accounting",
            ago_or_never(words.now, entry.stats.last_acct()),
        ),
        Fact::new("CoA port", nas.coa_port.to_string()),
        match nas.coa_form {
            Some(form) => Fact::new("CoA requests", form.label()).note("as the test found out"),
            None => Fact::new("CoA requests", CoaForm::Plain.label()).note("not tested yet"),
        },
        Fact::new("Message-Authenticator", policy),
        Fact::new("Interim records", format!("every {interval} s")).note(
            match nas.interim_interval {
                Some(_) => "set for this NAS",
                None => "by the number of sessions",
            },
        ),
        Fact::new("Shared secret", "stored encrypted"),
    ];
    facts.extend(checks::api_facts(entry));
    facts.extend(radsec::facts(words, entry));
    facts
}

fn counters(entry: &NasEntry) -> Vec<Fact> {
    let stats = &entry.stats;
    let fact =
        |label, counter: &AtomicU64| Fact::new(label, thousands(counter.load(Ordering::Relaxed)));
    vec![
        fact("Accepted", &stats.accepts),
        fact("Rejected", &stats.rejects),
        fact("Accounting records", &stats.accounting),
        fact("Dropped", &stats.dropped),
        fact("Repeated by the router", &stats.duplicates),
    ]
}

fn coa_row(words: &Words<'_>, report: &CoaReport) -> CoaRow {
    let outcome = match &report.outcome {
        CoaOutcome::Confirmed => Badge::new(Tone::Good, "Confirmed"),
        CoaOutcome::Refused(Some(cause)) => Badge::new(
            Tone::Bad,
            format!("Refused: {}", nas_health::error_cause(*cause)),
        ),
        CoaOutcome::Refused(None) => Badge::new(Tone::Bad, "Refused"),
        CoaOutcome::NoAnswer => Badge::new(Tone::Bad, "No answer"),
        CoaOutcome::Failed(why) => Badge::new(Tone::Bad, format!("Not sent: {why}")),
    };
    CoaRow {
        time: words.second(report.at),
        verb: if report.is_disconnect {
            "Disconnect"
        } else {
            "Change speed"
        }
        .to_owned(),
        user_name: report.username.clone(),
        outcome,
    }
}
