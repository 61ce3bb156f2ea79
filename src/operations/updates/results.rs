//! What the unit of root says of its work: lines of JSON in a file that it alone writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::{folder, hand_over, note, pending};
use crate::app::App;
use crate::domain::audit::Actor;
use crate::domain::time::{HOUR, MINUTE, Timestamp};
use crate::operations::{Error, blocking};
use crate::store::updates::{self as rows, UpdateRow};

/// Where `packaging/apply-update` writes: a folder of root's that everybody may read.
pub const RESULTS: &str = "/var/lib/proxpanel-update/results";
/// Octets of it that are read; it holds one update's three lines.
const LONGEST: u64 = 64 << 10;
/// Characters of the end of a log.
const LONGEST_LOG: usize = 8_000;
/// A package that nobody took within this has nobody who takes it.
const TAKEN_WITHIN: i64 = 10 * MINUTE;
/// The package manager waits for others, a copy of the data is made, and the new version is tried out.
const DONE_WITHIN: i64 = 2 * HOUR;

/// How an update stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Waiting,
    Installing,
    Done,
    Failed,
}

impl Outcome {
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Waiting => "handed over",
            Outcome::Installing => "being installed",
            Outcome::Done => "installed",
            Outcome::Failed => "failed",
        }
    }
}

pub fn outcome(row: &UpdateRow) -> Outcome {
    match (row.ended_at, row.started_at, row.problem.is_empty()) {
        (Some(_), _, true) => Outcome::Done,
        (Some(_), _, false) => Outcome::Failed,
        (None, Some(_), _) => Outcome::Installing,
        (None, None, _) => Outcome::Waiting,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Started,
    Ok,
    Failed,
}

#[derive(Deserialize)]
struct Line {
    /// Seconds since 1970.
    at: i64,
    what: What,
    #[serde(default)]
    why: String,
    #[serde(default)]
    log: String,
}

/// Takes over what became of the update that was handed over. Says how it ended, once.
pub async fn follow(app: &App, results: &Path) -> Result<Option<UpdateRow>, Error> {
    let Some((id, was)) = pending(&app.store.view()?)? else {
        return Ok(None);
    };
    let path = results.to_owned();
    let text = blocking(move || read(&path)).await?;
    let now = app.now();
    let row = judged(&was, &text, now);
    if row == was {
        return Ok(None);
    }
    let (kept, is_over) = (row.clone(), row.ended_at.is_some());
    app.store
        .write("update followed", move |tx| {
            rows::put(tx, id, &kept)?;
            if is_over {
                let action = match outcome(&kept) {
                    Outcome::Done => "update installed",
                    _ => "update failed",
                };
                note(tx, &Actor::System("updates"), action, &kept, now)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    if is_over {
        // Nobody wants it any more, whether it was taken or not.
        let folder = folder(app).join(hand_over::READY);
        blocking(move || hand_over::remove(&folder)).await??;
    }
    Ok(is_over.then_some(row))
}

fn judged(was: &UpdateRow, text: &str, now: Timestamp) -> UpdateRow {
    let mut row = was.clone();
    for line in text.lines() {
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            continue;
        };
        let at = line.at.saturating_mul(1_000);
        // Those of an earlier update; the line knows whole seconds only.
        if at.saturating_add(999) < was.handed_over_at {
            continue;
        }
        match line.what {
            What::Started => row.started_at = Some(at),
            What::Ok => row.ended_at = Some(at),
            What::Failed => {
                row.ended_at = Some(at);
                row.problem = match line.why.is_empty() {
                    true => "No reason is given".to_owned(),
                    false => line.why,
                };
                row.log = tail(&line.log);
            }
        }
    }
    let waited = now.since(Timestamp(was.handed_over_at));
    let problem = match outcome(&row) {
        Outcome::Waiting if waited >= TAKEN_WITHIN => {
            "Nobody took the package. The unit proxpanel-update.path is of the Debian package; see: systemctl status proxpanel-update.path"
        }
        Outcome::Installing if waited >= DONE_WITHIN => {
            "It did not come to an end; see: journalctl -u proxpanel-update"
        }
        _ => return row,
    };
    row.ended_at = Some(now.0);
    row.problem = problem.to_owned();
    row
}

fn tail(log: &str) -> String {
    let skipped = log.chars().count().saturating_sub(LONGEST_LOG);
    log.chars().skip(skipped).collect()
}

/// A file that is not there says nothing.
fn read(path: &Path) -> String {
    let mut octets = Vec::new();
    if let Ok(file) = File::open(path) {
        // Half a line is no JSON and says nothing either.
        let _ = file.take(LONGEST).read_to_end(&mut octets);
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_780_000_000_500;

    #[track_caller]
    fn stands(text: &str, after: i64, expected: Outcome) -> UpdateRow {
        let was = UpdateRow {
            handed_over_at: AT,
            ..UpdateRow::default()
        };
        let row = judged(&was, text, Timestamp(AT + after));
        assert_eq!(outcome(&row), expected, "{text}");
        row
    }

    #[test]
    fn lines_say_how_an_update_stands() {
        let started = r#"{"at":1780000000,"what":"started"}"#;
        let ok = r#"{"at":1780000009,"what":"ok"}"#;
        let failed = r#"{"at":1780000009,"what":"failed","why":"no","log":"a\nb"}"#;
        let old = r#"{"at":1779999999,"what":"ok"}"#;
        for (lines, expected) in [
            (vec![], Outcome::Waiting),
            (
                vec!["odd", "{}", r#"{"at":1780000009,"what":"new"}"#],
                Outcome::Waiting,
            ),
            (vec![old], Outcome::Waiting),
            (vec![started], Outcome::Installing),
            (
                vec![started, r#"{"at":1780000009,"wha"#],
                Outcome::Installing,
            ),
            (vec![started, ok], Outcome::Done),
            (vec![started, failed], Outcome::Failed),
        ] {
            stands(&lines.join("\n"), 10_000, expected);
        }
        let row = stands(failed, 10_000, Outcome::Failed);
        assert_eq!((row.problem.as_str(), row.log.as_str()), ("no", "a\nb"));
        let unsaid = stands(r#"{"at":1780000009,"what":"failed"}"#, 0, Outcome::Failed);
        assert_eq!(unsaid.problem, "No reason is given");
    }

    #[test]
    fn what_nobody_takes_or_ends_has_failed() {
        let started = r#"{"at":1780000000,"what":"started"}"#;
        for (text, after, expected) in [
            ("", TAKEN_WITHIN - 1, Outcome::Waiting),
            ("", TAKEN_WITHIN, Outcome::Failed),
            (started, DONE_WITHIN - 1, Outcome::Installing),
            (started, DONE_WITHIN, Outcome::Failed),
        ] {
            stands(text, after, expected);
        }
    }

    #[test]
    fn of_a_long_log_the_end_is_kept() {
        let log = format!("{}end", "ä".repeat(LONGEST_LOG));
        assert_eq!(tail(&log).chars().count(), LONGEST_LOG);
        assert!(tail(&log).ends_with("äend"));
        assert_eq!(tail("short"), "short");
    }
}
