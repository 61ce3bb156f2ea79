//! The last lines of the log, kept in memory for a page. The whole log is the journal of the system.
//!
//! Invariant: so many lines of so many octets at most, and whoever reads them holds up nobody who logs.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines that are kept: some days of a quiet machine, minutes of one in trouble.
pub const MOST_LINES: usize = 2_000;
/// Octets of one line; what is longer is cut. With [`MOST_LINES`] it bounds the memory: two megabytes.
pub const LONGEST_LINE: usize = 1_000;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Counts from 1 since the start of the process, so that a page can go on where another ended.
    pub number: u64,
    /// Milliseconds since 1970, UTC.
    pub at: i64,
    pub level: Level,
    /// The part of the program that speaks, such as `proxpanel::jobs::supervisor`.
    pub target: &'static str,
    /// The message, then the fields behind it; without line breaks.
    pub text: String,
}

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    lines: VecDeque<Arc<LogLine>>,
    last: u64,
}

/// The last lines of the log.
#[derive(Debug, Default)]
pub struct LogLines(Mutex<Kept>);

impl LogLines {
    /// All lines that are kept, newest first. The lines themselves are shared, not copied.
    pub fn newest_first(&self) -> Vec<Arc<LogLine>> {
        self.kept().lines.iter().rev().cloned().collect()
    }

    /// Keeps a line; the oldest of too many goes.
    pub fn add(&self, at: i64, level: Level, target: &'static str, text: String) {
        let mut kept = self.kept();
        kept.last += 1;
        let number = kept.last;
        if kept.lines.len() >= MOST_LINES {
            kept.lines.pop_front();
        }
        kept.lines.push_back(Arc::new(LogLine {
            number,
            at,
            level,
            target,
            text,
        }));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer of the log that keeps its lines. It sees what the filter before it lets through.
pub(super) struct Keeper(pub Arc<LogLines>);

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let about = event.metadata();
        let text = words.joined();
        self.0
            .add(wall_clock(), *about.level(), about.target(), text);
    }
}

/// Milliseconds since 1970; a clock before that counts as 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "a line is stamped when it is logged, by whatever part of the program, most of which have no clock"
)]
fn wall_clock() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Gathers the message and the fields of a line.
#[derive(Default)]
struct Words {
    message: Bounded,
    fields: Bounded,
}

impl Words {
    fn joined(self) -> String {
        let Words {
            mut message,
            fields,
        } = self;
        if !message.0.is_empty() && !fields.0.is_empty() {
            // A full line takes no more, which is as good.
            let _ = message.write_char(' ');
        }
        let _ = message.write_str(&fields.0);
        message.0
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A line that is full ends the formatting of what else there is.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => {
                let gap = if self.fields.0.is_empty() { "" } else { " " };
                write!(self.fields, "{gap}{name}={value:?}")
            }
        };
    }
}

/// Text of at most [`LONGEST_LINE`] octets, without characters that would break the line.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for sign in text.chars() {
            let sign = if sign.is_control() { ' ' } else { sign };
            if self.0.len() + sign.len_utf8() > LONGEST_LINE {
                return Err(fmt::Error);
            }
            self.0.push(sign);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What is kept of what `speak` logs at the level info.
    fn kept(speak: impl FnOnce()) -> Vec<Arc<LogLine>> {
        let lines = Arc::new(LogLines::default());
        let log = tracing_subscriber::registry()
            .with(Targets::new().with_default(Level::INFO))
            .with(Keeper(Arc::clone(&lines)));
        tracing::subscriber::with_default(log, speak);
        lines.newest_first()
    }

    #[test]
    fn lines_are_kept_as_they_are_logged_and_the_newest_stands_first() {
        let before = wall_clock();
        let lines = kept(|| {
            tracing::warn!(port = 1812, error = %"no route\nto host", "cannot answer");
            tracing::debug!("not wanted");
            tracing::info!(name = "a b", "");
            tracing::error!(target: "elsewhere", "bad");
        });
        let shown: Vec<(u64, Level, &str, &str)> = lines
            .iter()
            .map(|line| (line.number, line.level, line.target, line.text.as_str()))
            .collect();
        let here = module_path!();
        assert_eq!(
            shown,
            [
                (3, Level::ERROR, "elsewhere", "bad"),
                (2, Level::INFO, here, "name=\"a b\""),
                (
                    1,
                    Level::WARN,
                    here,
                    "cannot answer port=1812 error=no route to host"
                ),
            ]
        );
        assert!(
            lines
                .iter()
                .all(|line| (before..=wall_clock()).contains(&line.at))
        );
    }

    #[test]
    fn the_oldest_lines_go() {
        let lines = LogLines::default();
        for i in 0..MOST_LINES + 3 {
            lines.add(0, Level::INFO, "t", i.to_string());
        }
        let kept = lines.newest_first();
        assert_eq!(kept.len(), MOST_LINES);
        let newest = u64::try_from(MOST_LINES).unwrap() + 3;
        assert_eq!(kept.first().unwrap().number, newest);
        assert_eq!(kept.last().unwrap().number, 4);
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let full = "x".repeat(LONGEST_LINE);
        let many = "ä".repeat(LONGEST_LINE);
        for (message, field, expected) in [
            (full.as_str(), "y", full.clone()),
            (&full[1..], "", full[1..].to_owned() + " "),
            (&many, "", "ä".repeat(LONGEST_LINE / 2)),
            ("m", &full, format!("m f={}", &full[4..])),
        ] {
            let lines = kept(|| match field {
                "" => tracing::info!("{message}"),
                field => tracing::info!(f = %field, "{message}"),
            });
            let text = &lines.first().unwrap().text;
            assert!(text.len() <= LONGEST_LINE);
            assert_eq!(text.trim_end(), expected.trim_end());
        }
    }
}
