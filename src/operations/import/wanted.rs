//! How the command line says that a list is to be read: words become [`Choices`], and a word that nothing has is refused.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::Invalid;
use crate::domain::id::PlanId;
use crate::domain::import::{Charset, Choices, Column, DateOrder};
use crate::domain::rate::Rate;
use crate::domain::text::fold_case;
use crate::operations::{Error, plans};

use super::table::Table;
use super::{choices_as, read};

/// What a column becomes that is left out.
const NOTHING: &str = "-";

/// How a list is to be read, as typed; what is not said is as the list looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// `HEADING=FIELD` each: a heading, or the number of a column from 1; the word of a [`Column`], or `-` to leave it out.
    pub columns: Vec<String>,
    /// The first line is a row, too.
    pub no_headings: bool,
    /// The word of a [`Charset`].
    pub charset: Option<String>,
    /// `day-first` or `month-first`.
    pub dates: Option<String>,
    /// Name or number of the plan of rows that name none.
    pub plan: Option<String>,
    /// `NAME=PLAN` each: a plan as the list calls it, and the one here that is meant.
    pub same_plans: Vec<String>,
    /// `DOWN/UP` of plans that are made.
    pub new_plan_speed: Option<String>,
    /// Rows with a problem are left out.
    pub leave_out: bool,
}

/// Understands what was typed. Errors: `Field` for a list that is none, and for a word that nothing has, with the option it is of.
pub fn wanted(app: &App, octets: &[u8], reading: &Reading) -> Result<Choices, Error> {
    let charset = reading.charset.as_deref().map(charset).transpose()?;
    let mut choices = choices_as(octets, charset, has_headings(reading))?;
    let table = read(octets, charset, choices.has_headings)?;
    choices.columns = columns(&table, &choices.columns, &reading.columns)?;
    choices.dates = reading.dates.as_deref().map(order).transpose()?;
    let plan_here = |text: &str| plan_here(app, "plan", text);
    choices.plan = reading.plan.as_deref().map(plan_here).transpose()?;
    for text in &reading.same_plans {
        let same = same_plan(app, &table, &choices.columns, text)?;
        choices.same_plans.push(same);
    }
    if let Some(text) = &reading.new_plan_speed {
        choices.new_rate = speed(text)?;
    }
    choices.leaves_out = reading.leave_out;
    Ok(choices)
}

/// Whoever calls a column by a heading says that there are some.
fn has_headings(reading: &Reading) -> Option<bool> {
    let is_heading = |text: &String| {
        let name = text.rsplit_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.trim().parse::<usize>().is_err())
    };
    match reading.no_headings {
        true => Some(false),
        false => reading.columns.iter().any(is_heading).then_some(true),
    }
}

fn charset(text: &str) -> Result<Charset, Error> {
    Charset::from_word(&text.to_lowercase()).ok_or_else(|| {
        let words = Charset::ALL.map(Charset::word).join(", ");
        Error::field("charset", format!("{text} is none of {words}"))
    })
}

fn order(text: &str) -> Result<DateOrder, Error> {
    match text {
        "day-first" => Ok(DateOrder::DayFirst),
        "month-first" => Ok(DateOrder::MonthFirst),
        _ => Err(Error::field(
            "dates",
            format!("{text} is neither day-first nor month-first"),
        )),
    }
}

fn speed(text: &str) -> Result<Rate, Error> {
    let field = "new-plan-speed";
    let (down, up) = text
        .split_once('/')
        .ok_or_else(|| Error::field(field, format!("{text} is not DOWN/UP, such as 20M/5M")))?;
    let kbps = |text| {
        let told = |problem| Error::field(field, format!("{text}: {problem}"));
        Rate::parse_kbps(text).map_err(told)
    };
    Ok(Rate::new(kbps(up)?, kbps(down)?))
}

fn plan_here(app: &App, field: &'static str, text: &str) -> Result<PlanId, Error> {
    let plan = plans::named(app, text.trim());
    plan.map(|plan| plan.id)
        .ok_or_else(|| Error::field(field, format!("there is no plan {text} here")))
}

/// A name that no row has is a slip of the pen, after which a plan would be made that nobody wants.
fn same_plan(
    app: &App,
    table: &Table,
    columns: &[Option<Column>],
    text: &str,
) -> Result<(String, PlanId), Error> {
    let field = "same-plan";
    let (name, here) = pair(field, text, "NAME=PLAN")?;
    let place = columns
        .iter()
        .position(|known| *known == Some(Column::Plan));
    let is_it = |cell: &str| fold_case(cell.trim()) == fold_case(name);
    let in_list = |place| table.rows.iter().any(|row| is_it(row.cell(place)));
    match place.is_some_and(in_list) {
        true => Ok((name.to_owned(), plan_here(app, field, here)?)),
        false => Err(Error::field(
            field,
            format!("no row of the list names the plan {name}"),
        )),
    }
}

/// What was said of columns, and the guesses for all others. Of two columns that cannot become the same, the one that somebody
/// named does.
fn columns(
    table: &Table,
    guessed: &[Option<Column>],
    said: &[String],
) -> Result<Vec<Option<Column>>, Error> {
    let mut chosen: Vec<Option<Option<Column>>> = vec![None; guessed.len()];
    for text in said {
        let (name, word) = pair("column", text, "HEADING=FIELD")?;
        let place = place(&table.headings, name)?;
        let becomes = match word {
            NOTHING => None,
            word => Some(field_of(word)?),
        };
        if let Some(chosen) = chosen.get_mut(place) {
            *chosen = Some(becomes);
        }
    }
    let is_free =
        |column: &Column| column.takes_several() || !chosen.contains(&Some(Some(*column)));
    let both = chosen.iter().zip(guessed);
    Ok(both
        .map(|(chosen, guessed)| chosen.unwrap_or_else(|| guessed.filter(is_free)))
        .collect())
}

/// The column with this heading, or with this number from 1.
fn place(headings: &[String], name: &str) -> Result<usize, Error> {
    let wanted = fold_case(name);
    let mut same = headings
        .iter()
        .enumerate()
        .filter(|(_, heading)| fold_case(heading) == wanted)
        .map(|(place, _)| place);
    let problem = match (same.next(), same.next()) {
        (Some(place), None) => return Ok(place),
        (Some(_), Some(_)) => format!("several columns are called {name}; say the number of one"),
        _ => {
            let number = name.parse::<usize>().ok();
            let number = number.filter(|number| (1..=headings.len()).contains(number));
            match number.and_then(|number| number.checked_sub(1)) {
                Some(place) => return Ok(place),
                None => format!("no column is called {name}"),
            }
        }
    };
    Err(Error::field("column", problem))
}

fn field_of(word: &str) -> Result<Column, Error> {
    Column::from_word(&word.to_lowercase()).ok_or_else(|| {
        let words = Column::ALL.map(Column::word).join(", ");
        let text =
            format!("{word} is none of {words}, and {NOTHING} for a column that is left out");
        Error::field("column", text)
    })
}

/// Both sides of the last `=`: a heading may have others.
fn pair<'t>(field: &'static str, text: &'t str, form: &str) -> Result<(&'t str, &'t str), Error> {
    let both = text.rsplit_once('=');
    let both = both.map(|(left, right)| (left.trim(), right.trim()));
    both.filter(|(left, right)| !left.is_empty() && !right.is_empty())
        .ok_or_else(|| Error::Field {
            field,
            problem: Invalid::new(format!("{text} is not {form}")),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::import::{apply, look};
    use crate::operations::testing::*;

    const LIST: &str = "Kunde,login,Kennwort,Tarif,bis=,X,x\nali,a1,secret-1,Gold,03/04/2026,1,2\n";

    fn here() -> TestApp {
        let it = TestApp::new();
        it.add_plan(plan("Home"));
        it.add_plan(plan("2"));
        it
    }

    fn saying(columns: &[&str]) -> Reading {
        Reading {
            columns: columns.iter().map(|text| (*text).to_owned()).collect(),
            ..Reading::default()
        }
    }

    #[track_caller]
    fn problem(it: &TestApp, reading: &Reading) -> String {
        let refused = wanted(&it.app, LIST.as_bytes(), reading);
        refused.unwrap_err().to_string()
    }

    #[test]
    fn what_nobody_says_is_as_the_list_looks() {
        let it = here();
        let choices = wanted(&it.app, WINDOWS, &Reading::default()).unwrap();
        assert_eq!(choices, choices_as(WINDOWS, None, None).unwrap());
        let said = Reading {
            charset: Some("Windows-1252".into()),
            no_headings: true,
            ..Reading::default()
        };
        let choices = wanted(&it.app, WINDOWS, &said).unwrap();
        assert_eq!(choices.charset, Some(Charset::Windows1252));
        // One line is a list then.
        let choices = wanted(&it.app, b"ali,x\n", &said).unwrap();
        assert_eq!(
            (choices.has_headings, choices.columns),
            (false, vec![None; 2])
        );
    }

    const WINDOWS: &[u8] = b"login,name\nali,\xda\xe1\xed\n";

    #[test]
    fn everything_that_can_be_said_is_a_choice() {
        let it = here();
        let reading = Reading {
            dates: Some("month-first".into()),
            plan: Some("home".into()),
            same_plans: vec!["GOLD=HOME".into()],
            new_plan_speed: Some("20M/512k".into()),
            leave_out: true,
            ..saying(&[
                "kunde=Full_Name",
                "2=username",
                "Kennwort=password",
                "Tarif=plan",
                "bis==expires_at",
                "6=notes",
            ])
        };
        let choices = wanted(&it.app, LIST.as_bytes(), &reading).unwrap();
        let home = plans::named(&it.app, "Home").unwrap().id;
        assert_eq!(
            choices,
            Choices {
                charset: None,
                has_headings: true,
                columns: vec![
                    Some(Column::FullName),
                    Some(Column::UserName),
                    Some(Column::Password),
                    Some(Column::Plan),
                    Some(Column::ExpiresAt),
                    Some(Column::Notes),
                    None,
                ],
                dates: Some(DateOrder::MonthFirst),
                plan: Some(home),
                same_plans: vec![("GOLD".into(), home)],
                new_rate: Rate::new(512, 20_000),
                leaves_out: true,
            }
        );
        let look = look(&it.app, LIST.as_bytes(), &choices).unwrap();
        assert_eq!((look.ready, look.plans[0].here), (1, Some(home)));
        let done = apply(&it.app, &actor(), "f", LIST.as_bytes(), &choices).unwrap();
        assert_eq!((done.added, done.plans), (1, vec![]));
    }

    #[test]
    fn what_is_said_of_a_column_goes_before_every_guess() {
        let it = here();
        let columns = |said: &[&str], list: &str| {
            let choices = wanted(&it.app, list.as_bytes(), &saying(said)).unwrap();
            (choices.has_headings, choices.columns)
        };
        let (user, notes) = (Some(Column::UserName), Some(Column::Notes));
        let list = "login,id,notes\na,b,c\n";
        assert_eq!(columns(&[], list), (true, vec![user, None, notes]));
        // There is one user name only, and as many notes as you like.
        let said = ["id=username"];
        assert_eq!(columns(&said, list), (true, vec![None, user, notes]));
        let said = ["id=notes", "login=-"];
        assert_eq!(columns(&said, list), (true, vec![None, notes, notes]));
        // The last word counts.
        let said = ["id=notes", "2=-"];
        assert_eq!(columns(&said, list), (true, vec![user, None, notes]));
        // A heading is called by its name before its number; a number alone does not say that there are headings.
        let said = ["2=username"];
        assert_eq!(columns(&said, "login,9,2\na,b,c\n").1, [None, None, user]);
        assert_eq!(columns(&said, "ali,x\nomar,y\n"), (false, vec![None, user]));
        assert!(columns(&["b=username"], "a,b\n1,2\n").0);
    }

    #[test]
    fn a_word_that_nothing_has_is_named_with_its_option() {
        let it = here();
        for (said, text) in [
            ("Kunde", "column: Kunde is not HEADING=FIELD"),
            ("=username", "column: =username is not HEADING=FIELD"),
            ("Kunde=", "column: Kunde= is not HEADING=FIELD"),
            ("Kunden=username", "column: no column is called Kunden"),
            ("0=username", "column: no column is called 0"),
            ("8=username", "column: no column is called 8"),
            (
                "x=username",
                "column: several columns are called x; say the number of one",
            ),
            ("Kunde=user", "column: user is none of username, password, "),
        ] {
            let problem = problem(&it, &saying(&[said]));
            assert!(problem.starts_with(text), "{said}: {problem}");
        }
        let plan = || saying(&["Tarif=plan"]);
        for (reading, text) in [
            (
                Reading {
                    charset: Some("latin".into()),
                    ..plan()
                },
                "charset: latin is none of utf-8, utf-16, windows-1256, windows-1252",
            ),
            (
                Reading {
                    dates: Some("year-first".into()),
                    ..plan()
                },
                "dates: year-first is neither day-first nor month-first",
            ),
            (
                Reading {
                    plan: Some("Gold".into()),
                    ..plan()
                },
                "plan: there is no plan Gold here",
            ),
            (
                Reading {
                    same_plans: vec!["Gold".into()],
                    ..plan()
                },
                "same-plan: Gold is not NAME=PLAN",
            ),
            (
                Reading {
                    same_plans: vec!["Gold=Silver".into()],
                    ..plan()
                },
                "same-plan: there is no plan Silver here",
            ),
            (
                Reading {
                    same_plans: vec!["Golf=Home".into()],
                    ..plan()
                },
                "same-plan: no row of the list names the plan Golf",
            ),
            (
                Reading {
                    same_plans: vec!["Gold=Home".into()],
                    ..saying(&["Tarif=-"])
                },
                "same-plan: no row of the list names the plan Gold",
            ),
            (
                Reading {
                    new_plan_speed: Some("20M".into()),
                    ..plan()
                },
                "new-plan-speed: 20M is not DOWN/UP, such as 20M/5M",
            ),
            (
                Reading {
                    new_plan_speed: Some("20M/fast".into()),
                    ..plan()
                },
                "new-plan-speed: fast: A speed in kbit/s",
            ),
        ] {
            let problem = problem(&it, &reading);
            assert!(problem.starts_with(text), "{problem}");
        }
        let empty = wanted(&it.app, b"", &Reading::default()).unwrap_err();
        assert_eq!(empty.to_string(), "file: The file is empty");
    }
}
