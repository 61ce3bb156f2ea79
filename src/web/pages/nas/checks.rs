//! The checks of a router, its API connection, and the buttons that belong to them.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::{CoaOutcome, NasEntry};
use crate::crypto;
use crate::domain::duration::short;
use crate::domain::id::NasId;
use crate::domain::nas::{ApiTransport, CoaForm, UsageSource};
use crate::operations::coa_test::{self, Answer};
use crate::operations::nas_checks::{self, Check, Verdict};
use crate::operations::router_api::{self, Connection};
use crate::operations::{nas as verbs, nas_health};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Tone};
use crate::web::shell::{Flash, Nav, Shell};

use super::PATH;

/// What the page of a NAS loads behind itself: `GET /nas/{id}/checks` by htmx.
#[derive(Template, Default)]
#[template(path = "pages/nas/_checks.html")]
pub struct ChecksPart {
    pub rows: Vec<CheckRow>,
    /// How the API connection does; empty without an API.
    pub connection: Vec<Fact>,
}

#[derive(Clone, Default)]
pub struct CheckRow {
    /// Of the block to copy from.
    pub id: String,
    pub name: &'static str,
    pub verdict: Badge,
    pub says: String,
    pub command: String,
}

/// The same as a page, for browsers without script.
#[derive(Template)]
#[template(path = "pages/nas/checks.html")]
pub struct ChecksPage {
    pub shell: Shell,
    pub name: String,
    pub back: String,
    pub part: ChecksPart,
}

/// Asks the router, for ten seconds at most.
pub async fn checks(Path(id): Path<u32>, signed: Signed) -> Reply {
    let id = NasId(id);
    let checks = nas_checks::run(signed.app(), id).await?;
    let entry = signed.app().nas(id).ok_or(Failure::Missing)?;
    let part = ChecksPart {
        rows: checks
            .into_iter()
            .enumerate()
            .map(|(number, check)| row(number, check))
            .collect(),
        connection: connection(&signed, &entry),
    };
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = ChecksPage {
        shell: signed.shell("Checks", Nav::Nas),
        name: entry.nas.name.clone(),
        back: format!("{PATH}/{id}"),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn row(number: usize, check: Check) -> CheckRow {
    let verdict = match check.verdict {
        Verdict::Good => Badge::new(Tone::Good, "Good"),
        Verdict::Bad => Badge::new(Tone::Bad, "Mend"),
        Verdict::Unknown => Badge::new(Tone::Quiet, "Not known"),
    };
    CheckRow {
        id: format!("check-{number}"),
        name: check.name,
        verdict,
        says: check.says,
        command: check.command,
    }
}

fn connection(signed: &Signed, entry: &NasEntry) -> Vec<Fact> {
    if entry.nas.api.is_none() {
        return Vec::new();
    }
    match router_api::connection(signed.app(), entry.nas.id) {
        Connection::Unused => vec![Fact::new("Connection", "Not used yet")],
        Connection::Connecting => vec![Fact::new("Connection", "Connecting")],
        Connection::Offline {
            lasted,
            error,
            next_try,
        } => vec![
            Fact::new("Connection", format!("Offline for {}", length(lasted)))
                .note(error.unwrap_or_default()),
            Fact::new(
                "Next try",
                format!("in {} at the earliest", length(next_try)),
            ),
        ],
        Connection::Ready {
            lasted,
            identity,
            version,
        } => vec![
            Fact::new("Connection", format!("Open for {}", length(lasted))),
            Fact::new("Name of the router", identity.unwrap_or_default()),
            Fact::new("RouterOS", version.unwrap_or_default()),
        ],
    }
}

fn length(lasted: std::time::Duration) -> String {
    short(i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX))
}

/// What the form says of the API, for the facts of the device.
pub fn api_facts(entry: &NasEntry) -> Vec<Fact> {
    let nas = &entry.nas;
    let Some(api) = &nas.api else {
        return vec![Fact::new("API", "not set up")];
    };
    let host = api.host(&nas.network);
    let host = host.map_or_else(String::new, |host| host.to_string());
    let transport = match &api.transport {
        ApiTransport::Plain => "plain, so the way must be a tunnel",
        ApiTransport::Pinned(_) => "TLS",
        ApiTransport::Authority(_) => "TLS, certificate of your authority",
    };
    let usage = match nas.usage_source {
        UsageSource::Accounting => "RADIUS accounting",
        UsageSource::Api => "API readings",
    };
    let mut facts = vec![
        Fact::new("API", format!("{} at {host} port {}", api.user, api.port)).note(transport),
        Fact::new("Usage comes from", usage),
    ];
    match &api.transport {
        ApiTransport::Pinned(Some(pin)) => facts.push(
            Fact::new("API certificate", fingerprint(pin)).note("SHA-256; another one is refused"),
        ),
        ApiTransport::Pinned(None) => facts.push(Fact::new(
            "API certificate",
            "the first one that it shows is kept",
        )),
        ApiTransport::Plain | ApiTransport::Authority(_) => {}
    }
    facts
}

/// `1f2e 3d4c …`, in groups that can be read aloud.
pub fn fingerprint(pin: &[u8; 32]) -> String {
    let groups: Vec<String> = pin.chunks(2).map(crypto::hex).collect();
    groups.join(" ")
}

/// Trusts the next certificate that the router shows.
pub async fn forget_certificate(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let id = NasId(id);
    verbs::forget_certificate(signed.app(), &signed.actor(), id).await?;
    let flash =
        Flash::good("The certificate is forgotten. The next one that the router shows is kept.");
    Ok(done(&signed, flash, &format!("{PATH}/{id}")))
}

/// Sends a request that changes nothing, and says what came back. Takes six seconds at most.
pub async fn test_coa(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = NasId(id);
    let entry = signed.app().nas(id).ok_or(Failure::Missing)?;
    let answer = coa_test::test(signed.app(), &signed.actor(), id).await?;
    let (tone, text) = told(answer.as_ref(), entry.nas.coa_port);
    Ok(done(&signed, Flash { tone, text }, &format!("{PATH}/{id}")))
}

/// What an answer means for the operator.
fn told(answer: Option<&Answer>, wanted: u16) -> (Tone, String) {
    let Some(answer) = answer else {
        let text = "No answer, in no form and on no port. The router must accept CoA, know this machine by the address of its own RADIUS entry, and no firewall may be in between.";
        return (Tone::Bad, text.to_owned());
    };
    let port = answer.port;
    if port != wanted {
        let text = format!(
            "The router answered on port {port}, not on {wanted}. Change the CoA port under Edit, or the port on the router."
        );
        return (Tone::Warn, text);
    }
    let place = match answer.form {
        CoaForm::Radsec => "in its RadSec connection".to_owned(),
        _ => format!("on port {port}"),
    };
    let form = match answer.form {
        CoaForm::Plain => "",
        CoaForm::Radsec => " It gets them there from now on.",
        CoaForm::MessageAuthenticator => " It wants a Message-Authenticator, and gets it now.",
        CoaForm::Dated => {
            " It wants a Message-Authenticator and an Event-Timestamp, and gets both now."
        }
    };
    match &answer.outcome {
        CoaOutcome::Refused(Some(503)) | CoaOutcome::Confirmed => (
            Tone::Good,
            format!("CoA works: the router answered {place}.{form}"),
        ),
        CoaOutcome::Refused(cause) => {
            let why = cause.map_or_else(|| "no reason".to_owned(), nas_health::error_cause);
            let text = format!("The router answered {place}, and refuses: {why}.{form}");
            (Tone::Warn, text)
        }
        CoaOutcome::NoAnswer | CoaOutcome::Failed(_) => (Tone::Bad, "No answer.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_to_do() {
        let answer = |port, form, cause| Answer {
            port,
            form,
            outcome: CoaOutcome::Refused(cause),
        };
        use CoaForm::{Dated, MessageAuthenticator, Plain, Radsec};
        for (answer, tone, words) in [
            (None, Tone::Bad, "No answer, in no form"),
            (
                Some(answer(3799, Plain, Some(503))),
                Tone::Good,
                "CoA works",
            ),
            (
                Some(answer(1700, Plain, Some(503))),
                Tone::Warn,
                "on port 1700, not on 3799",
            ),
            (
                Some(answer(3799, MessageAuthenticator, Some(503))),
                Tone::Good,
                "wants a Message-Authenticator, and",
            ),
            (
                Some(answer(3799, Dated, Some(503))),
                Tone::Good,
                "and an Event-Timestamp, and gets both",
            ),
            (
                Some(answer(3799, Radsec, Some(503))),
                Tone::Good,
                "answered in its RadSec connection. It gets them there",
            ),
            (
                Some(answer(3799, Plain, Some(501))),
                Tone::Warn,
                "refuses: Administratively Prohibited",
            ),
            (
                Some(answer(3799, Plain, None)),
                Tone::Warn,
                "refuses: no reason",
            ),
        ] {
            let (told, text) = told(answer.as_ref(), 3799);
            assert_eq!(told, tone, "{text}");
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn fingerprints_are_in_groups() {
        let text = fingerprint(&[0xAB; 32]);
        assert!(text.starts_with("abab abab ") && text.len() == 79, "{text}");
    }
}
