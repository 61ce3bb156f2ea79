//! The last lines of the log, newest first, as the daemon keeps them in memory. The whole log is the journal of the system.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;
use tracing::Level;

use crate::app::App;
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::telemetry::{LogLine, MOST_LINES};
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pager::{ActiveFilter, Pager, Paging};
use crate::web::pages;
use crate::web::parts::{Badge, Select, Tone, thousands};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::Words;

/// `GET /system/logs?q=&level=&before=&size=`; htmx gets `LogsPart`, the newest also every 5 s.
#[derive(Template)]
#[template(path = "pages/system/logs.html")]
pub struct LogsPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub q: String,
    pub level: Select,
    pub size: String,
    /// How many lines are kept.
    pub kept: String,
    /// Where more or less is logged.
    pub configuration: String,
    pub part: LogsPart,
}

#[derive(Template, Default)]
#[template(path = "pages/system/_logs.html")]
pub struct LogsPart {
    /// Path and query of this list, which htmx asks for again; empty for older lines, which do not change.
    pub here: String,
    pub filters: Vec<ActiveFilter>,
    pub rows: Vec<LogRow>,
    pub pager: Pager,
    pub updated: String,
}

#[derive(Clone, Default)]
pub struct LogRow {
    pub time: String,
    pub level: Badge,
    pub target: String,
    pub text: String,
}

const PATH: &str = "/system/logs";

/// What can be asked for, each with everything that is more serious.
const LEVELS: [(&str, &str, Level); 3] = [
    ("info", "Notices and worse", Level::INFO),
    ("warn", "Warnings and errors", Level::WARN),
    ("error", "Errors", Level::ERROR),
];

pub async fn logs(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &["q", "level", "before", "size"]);
    let part = part(signed.app(), &query);
    if signed.htmx.wants_partial {
        return Ok(pages::rows(&signed, part, &query.href(PATH)));
    }
    let all = std::iter::once(("", "All lines"));
    let levels = LEVELS.iter().map(|(word, label, _)| (*word, *label));
    let page = LogsPage {
        shell: signed.shell(&tabs::system(PATH).title(), Nav::System),
        tabs: tabs::system(PATH),
        q: query.get("q").to_owned(),
        level: Select::new(all.chain(levels), query.get("level")),
        size: query.get("size").to_owned(),
        kept: thousands(u64::try_from(MOST_LINES).unwrap_or(u64::MAX)),
        configuration: signed.app().config.source.file().display().to_string(),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, query: &Query) -> LogsPart {
    let words = Words::of(app);
    let paging = Paging::of(query);
    let chosen = LEVELS
        .iter()
        .find(|(word, _, _)| *word == query.get("level"));
    let wanted = Wanted {
        level: chosen.map_or(Level::TRACE, |(_, _, level)| *level),
        text: fold_case(query.get("q")),
        before: query.number("before").unwrap_or(u64::MAX),
    };
    let (found, older) = wanted.of(&app.log.newest_first(), paging.limit());
    let rows: Vec<LogRow> = found.iter().map(|line| row(&words, line)).collect();
    let mut chips = pages::Chips::new(PATH, query);
    chips.text();
    chips.plain("level", "level");
    LogsPart {
        here: match query.get("before") {
            "" => query.href(PATH),
            _ => String::new(),
        },
        filters: chips.list,
        pager: Pager::log(PATH, query, paging.size, rows.len(), older),
        rows,
        updated: words.second(words.now),
    }
}

/// Which lines a page shows; all conditions must hold.
struct Wanted {
    /// This level and what is more serious.
    level: Level,
    /// In lower case; empty for any.
    text: String,
    /// Only lines with smaller numbers.
    before: u64,
}

impl Wanted {
    fn fits(&self, line: &LogLine) -> bool {
        // The more serious a level, the smaller it is.
        line.number < self.before
            && line.level <= self.level
            && (self.text.is_empty()
                || fold_case(&line.text).contains(&self.text)
                || line.target.contains(&self.text))
    }

    /// At most `limit` lines, and the cursor of the next page if there are more.
    fn of(&self, lines: &[Arc<LogLine>], limit: usize) -> (Vec<Arc<LogLine>>, Option<u64>) {
        let mut fitting = lines.iter().filter(|line| self.fits(line));
        let found: Vec<Arc<LogLine>> = fitting.by_ref().take(limit).cloned().collect();
        let older = fitting.next().and(found.last()).map(|line| line.number);
        (found, older)
    }
}

fn row(words: &Words<'_>, line: &LogLine) -> LogRow {
    let (tone, word) = match line.level {
        Level::ERROR => (Tone::Bad, "Error"),
        Level::WARN => (Tone::Warn, "Warning"),
        Level::INFO => (Tone::Info, "Notice"),
        Level::DEBUG => (Tone::Quiet, "Debug"),
        Level::TRACE => (Tone::Quiet, "Trace"),
    };
    LogRow {
        time: words.second(Timestamp(line.at)),
        level: Badge::new(tone, word),
        target: line.target.trim_start_matches("proxpanel::").to_owned(),
        text: line.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Arc<LogLine>> {
        let line = |number, level, target, text: &str| {
            Arc::new(LogLine {
                number,
                at: 0,
                level,
                target,
                text: text.to_owned(),
            })
        };
        vec![
            line(5, Level::ERROR, "proxpanel::store", "The Disk is full"),
            line(4, Level::INFO, "proxpanel::daemon", "stopping"),
            line(3, Level::DEBUG, "proxpanel::web", "refused"),
            line(2, Level::WARN, "proxpanel::daemon", "no disk"),
            line(1, Level::INFO, "tantivy", "merged"),
        ]
    }

    #[test]
    fn lines_are_filtered_by_level_and_text_and_paged_by_number() {
        for (level, text, before, limit, expected, older) in [
            (Level::TRACE, "", u64::MAX, 9, vec![5, 4, 3, 2, 1], None),
            (Level::INFO, "", u64::MAX, 9, vec![5, 4, 2, 1], None),
            (Level::WARN, "", u64::MAX, 9, vec![5, 2], None),
            (Level::ERROR, "", u64::MAX, 9, vec![5], None),
            (Level::TRACE, "disk", u64::MAX, 9, vec![5, 2], None),
            (Level::TRACE, "daemon", u64::MAX, 9, vec![4, 2], None),
            (Level::TRACE, "nothing", u64::MAX, 9, vec![], None),
            (Level::TRACE, "", u64::MAX, 2, vec![5, 4], Some(4)),
            (Level::TRACE, "", 4, 2, vec![3, 2], Some(2)),
            (Level::TRACE, "", 2, 2, vec![1], None),
            (Level::WARN, "", u64::MAX, 2, vec![5, 2], None),
        ] {
            let wanted = Wanted {
                level,
                text: text.to_owned(),
                before,
            };
            let (found, cursor) = wanted.of(&lines(), limit);
            let numbers: Vec<u64> = found.iter().map(|line| line.number).collect();
            assert_eq!(
                (numbers, cursor),
                (expected, older),
                "{level} {text} {before}"
            );
        }
    }
}
