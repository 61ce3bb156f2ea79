//! What the examination found, worst first, and how the machine does: the same as `proxpanel doctor --quick`.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::operations::blocking;
use crate::operations::doctor::{self, Depth, Finding, Verdict};
use crate::store;
use crate::telemetry::monotonic;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::dashboard::{machine, machine_facts};
use crate::web::parts::{Badge, Fact, Meter, Tone};
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::Words;

pub(super) const PATH: &str = "/system/health";

/// `GET /system/health`; htmx gets `HealthPart`, every 10 s.
#[derive(Template)]
#[template(path = "pages/system/health.html")]
pub struct HealthPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub part: HealthPart,
}

#[derive(Template, Default)]
#[template(path = "pages/system/_health.html")]
pub struct HealthPart {
    /// All findings in one badge.
    pub state: Badge,
    pub rows: Vec<FindingRow>,
    pub machine: Vec<Meter>,
    pub machine_facts: Vec<Fact>,
    pub daemon_facts: Vec<Fact>,
    pub updated: String,
}

#[derive(Clone, Default)]
pub struct FindingRow {
    pub what: String,
    /// The page where it is mended, or empty.
    pub href: String,
    pub state: Badge,
    pub seen: String,
    pub mend: Vec<Piece>,
}

/// A piece of a sentence; commands are shown as such.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Piece {
    pub is_command: bool,
    pub text: String,
}

pub async fn health(signed: Signed) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let part = blocking(move || part(&app)).await?;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = HealthPage {
        shell: signed.shell(&tabs::system(PATH).title(), Nav::System),
        tabs: tabs::system(PATH),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App) -> HealthPart {
    let words = Words::of(app);
    let snapshot = app.telemetry.snapshot(monotonic());
    let running = i64::try_from(snapshot.running.as_millis()).unwrap_or(i64::MAX);
    let findings = doctor::examine(app, Depth::Quick);
    HealthPart {
        state: state(&findings),
        rows: findings.into_iter().map(row).collect(),
        machine: machine(&snapshot.host),
        machine_facts: machine_facts(&snapshot.host, running),
        daemon_facts: daemon_facts(app, &words),
        updated: words.second(words.now),
    }
}

fn state(findings: &[Finding]) -> Badge {
    let count = |verdict| findings.iter().filter(|it| it.verdict == verdict).count();
    match (count(Verdict::Bad), count(Verdict::Warning)) {
        (0, 0) => Badge::new(Tone::Good, "Everything is well"),
        (0, warnings) => Badge::new(Tone::Warn, format!("{warnings} to look at")),
        (bad, 0) => Badge::new(Tone::Bad, format!("{bad} bad")),
        (bad, warnings) => Badge::new(Tone::Bad, format!("{bad} bad, {warnings} to look at")),
    }
}

fn row(finding: Finding) -> FindingRow {
    FindingRow {
        state: match finding.verdict {
            Verdict::Good => Badge::new(Tone::Good, "Good"),
            Verdict::Warning => Badge::new(Tone::Warn, "Look at it"),
            Verdict::Bad => Badge::new(Tone::Bad, "Bad"),
        },
        mend: pieces(&finding.mend),
        what: finding.what,
        href: finding.page,
        seen: finding.seen,
    }
}

/// Commands stand between backticks.
fn pieces(text: &str) -> Vec<Piece> {
    text.split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(i, piece)| Piece {
            is_command: i % 2 == 1,
            text: piece.to_owned(),
        })
        .collect()
}

fn daemon_facts(app: &App, words: &Words<'_>) -> Vec<Fact> {
    let listening = app.listening();
    let list = |name: &str, addresses: &[SocketAddr]| {
        let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        let value = match texts.is_empty() {
            true => "off".to_owned(),
            false => texts.join(", "),
        };
        Fact::new(name, value)
    };
    vec![
        Fact::new("Started", words.minute(app.started_at)),
        Fact::new("Store version", store::newest_version().to_string()),
        list("HTTP", &listening.web),
        list("HTTPS", &listening.https),
        list("Authentication (UDP)", &listening.auth),
        list("Accounting (UDP)", &listening.acct),
        list("RadSec (TCP)", &listening.radsec),
        Fact::new("Data folder", app.store.folder().display().to_string()),
        Fact::new(
            "Configuration",
            app.config.source.file().display().to_string(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart() {
        let said = |text: &str| -> Vec<(bool, String)> {
            let pieces = pieces(text).into_iter();
            pieces.map(|it| (it.is_command, it.text)).collect()
        };
        assert!(said("").is_empty());
        assert_eq!(
            said("run `a b`, then `c`"),
            [
                (false, "run ".to_owned()),
                (true, "a b".to_owned()),
                (false, ", then ".to_owned()),
                (true, "c".to_owned())
            ]
        );
        assert_eq!(said("`a`"), [(true, "a".to_owned())]);
    }

    #[test]
    fn one_badge_says_the_worst() {
        let findings = |bad: usize, warnings: usize| {
            let finding = |verdict| Finding {
                verdict,
                ..Finding::bad("x", "y", "z")
            };
            let mut all = vec![finding(Verdict::Good)];
            all.extend(std::iter::repeat_n(finding(Verdict::Bad), bad));
            all.extend(std::iter::repeat_n(finding(Verdict::Warning), warnings));
            state(&all)
        };
        for (bad, warnings, tone, text) in [
            (0, 0, Tone::Good, "Everything is well"),
            (0, 2, Tone::Warn, "2 to look at"),
            (1, 0, Tone::Bad, "1 bad"),
            (2, 1, Tone::Bad, "2 bad, 1 to look at"),
        ] {
            assert_eq!(findings(bad, warnings), Badge::new(tone, text));
        }
    }
}
