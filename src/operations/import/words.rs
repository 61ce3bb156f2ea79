//! What the command line says of lists: what one would come to, what was done, what was taken back.

use serde::{Deserialize, Serialize};

use crate::domain::text::counted;
use crate::domain::time::{Calendar, Timestamp};

use super::{
    ColumnLook, Done, FirstLook, Look, MOST_SHOWN, Past, PlanLook, Problem, UNDO_DAYS, Undo,
};

/// Characters of a line. A value of a list may be as long as the list.
const LONGEST_LINE: usize = 300;

/// What a list would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub lines: Vec<String>,
    /// What stands in the way of importing it like this, or empty.
    pub obstacle: String,
}

/// Says what a look found. Rows with a problem stand in the way unless they are left out.
pub fn tell(look: &Look, leaves_out: bool) -> Told {
    let rows = counted(look.rows, "row", "rows");
    let mut lines = vec![format!("{rows}, written in {}", look.charset.word())];
    lines.push(entry(look.ready, "to be added"));
    let mut count = |count: usize, what: &str| {
        if count > 0 {
            lines.push(entry(count, what));
        }
    };
    count(look.suspended, "of them suspended");
    count(look.expired, "of them expired");
    count(look.made_passwords, "of them with a password that is made");
    count(look.known, "here already, left as they are");
    count(look.bad, "with a problem");
    if look.lacks_plan {
        lines.push("Some rows name no plan".to_owned());
    }
    let columns = look.columns.iter().zip(1..).map(column_line);
    section(&mut lines, "Columns", columns, look.columns.len());
    let plans = look.plans.iter().map(plan_line);
    section(&mut lines, "Plans", plans, look.plans.len());
    let first = look.first.iter().map(first_line);
    section(&mut lines, "The first of them", first, look.first.len());
    let problems = look.problems.iter().map(problem_line);
    section(&mut lines, "Problems", problems, look.bad);
    Told {
        lines: lines.iter().map(|line| plain(line)).collect(),
        obstacle: match (look.refusal.as_str(), look.bad) {
            ("", 1..) if !leaves_out => hold_up(look.bad),
            (refusal, _) => refusal.to_owned(),
        },
    }
}

/// Why nothing is imported when rows have a problem and nobody said what is to become of them.
pub(super) fn hold_up(bad: usize) -> String {
    let have = counted(bad, "row has", "rows have");
    format!("{have} a problem. Correct the file, or leave such rows out")
}

pub fn done_lines(done: &Done) -> Vec<String> {
    let added = counted(done.added, "subscriber was", "subscribers were");
    let left_out = counted(done.left_out, "row was", "rows were");
    let mut lines = vec![format!(
        "Import {}: {added} added, {left_out} left out",
        done.import
    )];
    if !done.plans.is_empty() {
        lines.push(format!(
            "Plans made, with a price of 0: {}",
            done.plans.join(", ")
        ));
    }
    lines.push(format!(
        "To take it back within {UNDO_DAYS} days: proxpanel import undo {}",
        done.import
    ));
    lines
}

/// A line of the list of imports.
pub fn past_line(past: &Past, calendar: &Calendar) -> String {
    let row = &past.row;
    let outcome = match (row.undone_at, past.may_undo) {
        (Some(at), _) => format!("taken back on {}", calendar.format(Timestamp(at))),
        (None, true) => "can be taken back".to_owned(),
        (None, false) => "cannot be taken back any more".to_owned(),
    };
    plain(&format!(
        "{}  import {}  by {}  {}  {} added, {} left out  {outcome}",
        calendar.format(Timestamp(row.at)),
        past.id,
        row.by,
        row.file,
        row.count,
        row.left_out,
    ))
}

/// What taking an import back did, where `before` is what was said just before it.
pub fn undone_line(import: u32, deleted: usize, before: &Undo) -> String {
    let deleted = counted(deleted, "subscriber was", "subscribers were");
    let mut line = format!("Import {import} is taken back: {deleted} deleted");
    if before.renewed > 0 {
        line.push_str(&format!(", {} renewed since and stay", before.renewed));
    }
    if before.gone > 0 {
        line.push_str(&format!(", {} had been deleted before", before.gone));
    }
    line
}

fn column_line((column, number): (&ColumnLook, usize)) -> String {
    let becomes = column.becomes.map_or("left out", |becomes| becomes.label());
    let heading = match column.heading.as_str() {
        "" => String::new(),
        heading => format!("{heading}: "),
    };
    match column.samples.is_empty() {
        true => entry(number, &format!("{heading}{becomes}")),
        false => entry(
            number,
            &format!("{heading}{becomes}, such as {}", column.samples.join(" | ")),
        ),
    }
}

fn plan_line(plan: &PlanLook) -> String {
    match plan.here {
        Some(_) => entry(plan.count, &plan.name),
        None => entry(
            plan.count,
            &format!("{}: it is not here, and is made", plan.name),
        ),
    }
}

fn first_line(first: &FirstLook) -> String {
    let expires = match first.expires.as_str() {
        "" => String::new(),
        day => format!("until {day}"),
    };
    let values = [
        &*first.user_name,
        &first.full_name,
        &first.phone,
        &first.plan,
        first.state,
        &expires,
    ];
    let values: Vec<&str> = values
        .into_iter()
        .filter(|value| !value.is_empty())
        .collect();
    format!("  {}", values.join(", "))
}

fn problem_line(problem: &Problem) -> String {
    let who = match problem.user_name.as_str() {
        "" => String::new(),
        name => format!(", {name}"),
    };
    format!("  line {}{who}: {}", problem.line, problem.texts.join("; "))
}

/// A heading, what stands below it, and how much more there is.
fn section(
    lines: &mut Vec<String>,
    title: &str,
    entries: impl Iterator<Item = String>,
    total: usize,
) {
    if total == 0 {
        return;
    }
    lines.push(String::new());
    lines.push(title.to_owned());
    lines.extend(entries.take(MOST_SHOWN));
    let more = total.saturating_sub(MOST_SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
}

fn entry(number: usize, what: &str) -> String {
    format!("{number:>7}  {what}")
}

/// Another's words on a terminal: no escape sequences.
fn plain(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_LINE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PlanId;
    use crate::domain::import::{Charset, Column};
    use crate::store::imports::ImportRow;

    fn look() -> Look {
        Look {
            charset: Charset::Windows1256,
            columns: vec![
                ColumnLook {
                    heading: "login".into(),
                    samples: vec!["ali".into(), "o\x1b[2Jmar".into()],
                    becomes: Some(Column::UserName),
                },
                ColumnLook {
                    heading: "pass".into(),
                    samples: vec![],
                    becomes: Some(Column::Password),
                },
                ColumnLook {
                    heading: String::new(),
                    samples: vec!["xx-00".into()],
                    becomes: None,
                },
            ],
            rows: 60,
            ready: 7,
            known: 1,
            bad: 0,
            problems: vec![],
            refusal: String::new(),
            has_short_dates: false,
            asks_order: false,
            lacks_plan: false,
            plans: vec![
                PlanLook {
                    name: "Home".into(),
                    here: Some(PlanId(1)),
                    count: 4,
                },
                PlanLook {
                    name: "Gold".into(),
                    here: None,
                    count: 3,
                },
            ],
            made_passwords: 2,
            expired: 1,
            suspended: 0,
            first: vec![FirstLook {
                user_name: "ali".into(),
                full_name: String::new(),
                phone: "0771".into(),
                plan: "Home".into(),
                state: "Active",
                expires: "2026-12-31".into(),
            }],
        }
    }

    #[test]
    fn a_look_is_told_in_plain_lines() {
        let told = tell(&look(), false);
        let expected = "\
60 rows, written in windows-1256
      7  to be added
      1  of them expired
      2  of them with a password that is made
      1  here already, left as they are

Columns
      1  login: User name, such as ali | o [2Jmar
      2  pass: Password
      3  left out, such as xx-00

Plans
      4  Home
      3  Gold: it is not here, and is made

The first of them
  ali, 0771, Home, Active, until 2026-12-31";
        assert_eq!(told.lines.join("\n"), expected);
        assert_eq!(told.obstacle, "");
    }

    #[test]
    fn problems_are_told_with_their_lines_and_stand_in_the_way_unless_they_are_left_out() {
        let problem = |line| Problem {
            line,
            user_name: if line == 2 {
                "a b".into()
            } else {
                String::new()
            },
            texts: vec!["x".repeat(200), "y".repeat(200)],
        };
        let mut bad = Look {
            bad: MOST_SHOWN,
            problems: (2..).take(MOST_SHOWN).map(problem).collect(),
            lacks_plan: true,
            rows: 1,
            ready: 0,
            ..look()
        };
        let told = tell(&bad, false);
        assert_eq!(told.lines[0], "1 row, written in windows-1256");
        assert!(told.lines.contains(&"Some rows name no plan".to_owned()));
        assert!(told.lines.contains(&"     50  with a problem".to_owned()));
        let at = told.lines.iter().position(|line| line == "Problems");
        let shown = &told.lines[at.unwrap() + 1..];
        assert!(shown[0].starts_with("  line 2, a b: xxx"));
        assert!(shown[0].contains("x; y"));
        assert!(shown[1].starts_with("  line 3: xxx"));
        assert_eq!(shown[0].chars().count(), LONGEST_LINE);
        assert_eq!(shown.len(), MOST_SHOWN);
        let obstacle = "50 rows have a problem. Correct the file, or leave such rows out";
        assert_eq!(told.obstacle, obstacle);
        assert_eq!(tell(&bad, true).obstacle, "");
        bad.bad = MOST_SHOWN + 1;
        assert_eq!(tell(&bad, true).lines.pop().unwrap(), "  and 1 more");
        bad.refusal = "No.".into();
        for leaves_out in [true, false] {
            assert_eq!(tell(&bad, leaves_out).obstacle, "No.");
        }
    }

    #[test]
    fn what_was_done_is_told_with_the_way_back() {
        let mut done = Done {
            import: 3,
            added: 1,
            left_out: 2,
            plans: vec![],
        };
        let undo = "To take it back within 7 days: proxpanel import undo 3";
        let added = "Import 3: 1 subscriber was added, 2 rows were left out";
        assert_eq!(done_lines(&done), [added, undo]);
        done.plans = vec!["Gold".into(), "Silver".into()];
        let plans = "Plans made, with a price of 0: Gold, Silver";
        assert_eq!(done_lines(&done), [added, plans, undo]);
        let mut before = Undo {
            row: ImportRow::default(),
            refusal: String::new(),
            here: 2,
            online: 0,
            renewed: 0,
            gone: 0,
        };
        assert_eq!(
            undone_line(3, 2, &before),
            "Import 3 is taken back: 2 subscribers were deleted"
        );
        (before.renewed, before.gone) = (1, 4);
        assert_eq!(
            undone_line(3, 1, &before),
            "Import 3 is taken back: 1 subscriber was deleted, 1 renewed since and stay, 4 had been deleted before"
        );
    }

    #[test]
    fn past_imports_say_whether_they_can_be_taken_back() {
        let calendar = Calendar::utc();
        let mut past = Past {
            id: 3,
            row: ImportRow {
                at: 0,
                by: "amal".into(),
                file: "a\tb.csv".into(),
                count: 2,
                left_out: 1,
                ..ImportRow::default()
            },
            may_undo: true,
        };
        let begin = "1970-01-01 00:00:00  import 3  by amal  a b.csv  2 added, 1 left out  ";
        let line = |past: &Past| past_line(past, &calendar).replace(begin, "");
        assert_eq!(line(&past), "can be taken back");
        past.may_undo = false;
        assert_eq!(line(&past), "cannot be taken back any more");
        past.row.undone_at = Some(1_000);
        assert_eq!(line(&past), "taken back on 1970-01-01 00:00:01");
    }
}
