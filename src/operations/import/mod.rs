//! Lists of subscribers from elsewhere (rules.md section 14): read, looked at, imported, taken back.
//!
//! Every format becomes one table (`table`), whose rows become people to be added (`rows`). Invariants: looking changes nothing; an
//! import is one transaction, so all of it is there or nothing; what it made has ids without a gap, so it can be taken back.

mod look;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod undo;
mod wanted;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::allocator;
use crate::app::App;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::SubscriberId;
use crate::domain::import::{Charset, Choices, Column, DateOrder, Orders};
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::rate::Rate;
use crate::domain::text::fold_case;
use crate::store::View;
use crate::store::imports::{self, ImportRow};

use super::subscribers::{self, made_password};
use super::trail::{note, part};
use super::{Error, licence, plans};
use rows::{Candidate, Outcome, PlanOf, Reader};
use table::Table;

pub use look::{ColumnLook, FirstLook, Look, MOST_SHOWN, PlanLook, look};
pub use rows::Problem;
pub use table::{LARGEST, MOST_ROWS};
pub use undo::{Past, UNDO_DAYS, Undo, ask_undo, past, undo};
pub use wanted::{Reading, wanted};
pub use words::{Told, done_lines, past_line, tell, undone_line};

/// Plans that one list may bring along.
const MOST_NEW_PLANS: usize = 100;
/// Of a plan that only the list has, until somebody says otherwise.
const NEW_RATE: (u64, u64) = (10_000, 10_000);

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub import: u32,
    pub added: usize,
    /// Rows that were left out.
    pub left_out: usize,
    pub plans: Vec<String>,
}

/// How a file is most likely meant to be read. Errors: `Field` for one that is no list.
pub fn first_choices(octets: &[u8]) -> Result<Choices, Error> {
    choices_as(octets, None, None)
}

/// The same where the letters, or whether there are headings, were said. Errors: `Field`.
pub fn choices_as(
    octets: &[u8],
    charset: Option<Charset>,
    has_headings: Option<bool>,
) -> Result<Choices, Error> {
    let table = read(octets, charset, has_headings != Some(false))?;
    let guessed = guess(&table.headings);
    let has_headings = has_headings.unwrap_or(guessed.iter().any(Option::is_some));
    Ok(Choices {
        charset,
        has_headings,
        columns: match has_headings {
            true => guessed,
            false => vec![None; table.headings.len()],
        },
        dates: None,
        plan: None,
        same_plans: Vec::new(),
        new_rate: Rate::new(NEW_RATE.0, NEW_RATE.1),
        leaves_out: false,
    })
}

/// What each heading means; of two that mean the same, the first, unless both can.
fn guess(headings: &[String]) -> Vec<Option<Column>> {
    let mut columns: Vec<Option<Column>> = Vec::new();
    for heading in headings {
        let guessed = Column::guess(heading);
        let is_free = |column: &Column| column.takes_several() || !columns.contains(&Some(*column));
        let column = guessed.filter(is_free);
        columns.push(column);
    }
    columns
}

fn read(octets: &[u8], charset: Option<Charset>, has_headings: bool) -> Result<Table, Error> {
    table::read(octets, charset, has_headings).map_err(|problem| Error::Field {
        field: "file",
        problem,
    })
}

/// A list that was read, with what came of each row.
struct Whole {
    table: Table,
    orders: Orders,
    candidates: Vec<Candidate>,
    known: usize,
    problems: Vec<Problem>,
}

impl Whole {
    fn read(app: &App, view: &View, octets: &[u8], choices: &Choices) -> Result<Whole, Error> {
        let table = read(octets, choices.charset, choices.has_headings)?;
        let orders = orders(&table, choices);
        let order = choices.dates.or(orders.shown());
        let order = order.unwrap_or(DateOrder::DayFirst);
        let (mut candidates, mut known, mut problems) = (Vec::new(), 0, Vec::new());
        let mut reader = Reader::new(app, view, &table, choices, order);
        for row in &table.rows {
            match reader.read(row)? {
                Outcome::Candidate(candidate) => candidates.push(*candidate),
                Outcome::Known => known += 1,
                Outcome::Problem(problem) => problems.push(problem),
            }
        }
        drop(reader);
        Ok(Whole {
            table,
            orders,
            candidates,
            known,
            problems,
        })
    }

    /// Names of plans that would be made, as the list writes them first.
    fn new_plans(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for candidate in &self.candidates {
            if let PlanOf::New(name) = &candidate.plan
                && seen.insert(fold_case(name))
            {
                names.push(name.clone());
            }
        }
        names
    }

    fn asks_order(&self, choices: &Choices) -> bool {
        choices.dates.is_none() && self.orders.shown().is_none()
    }

    /// What stands in the way of the whole.
    fn refusal(&self, app: &App, view: &View, choices: &Choices) -> Result<Option<String>, Error> {
        let times = |column: Column| {
            let same = choices
                .columns
                .iter()
                .filter(|known| **known == Some(column));
            same.count()
        };
        if times(Column::UserName) == 0 {
            return Ok(Some("Say which column holds the user names.".to_owned()));
        }
        let twice = Column::ALL
            .into_iter()
            .find(|column| !column.takes_several() && times(*column) > 1);
        if let Some(column) = twice {
            return Ok(Some(format!("Two columns become: {}.", column.label())));
        }
        if self.asks_order(choices) {
            let text = "Say which way round the dates are: they could be read either way.";
            return Ok(Some(text.to_owned()));
        }
        if self.new_plans().len() > MOST_NEW_PLANS {
            let text = format!(
                "More than {MOST_NEW_PLANS} plans are not here. Does the column really name plans?"
            );
            return Ok(Some(text));
        }
        if self.candidates.is_empty() {
            return Ok(Some(match self.problems.is_empty() {
                true => "All of them are here already.".to_owned(),
                false => "No row can be imported.".to_owned(),
            }));
        }
        match licence::check_room(&app.licence(), view, count_of(self.candidates.len())) {
            Err(Error::Refused(text)) => Ok(Some(text)),
            other => other.map(|()| None),
        }
    }
}

fn count_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Which way round the dates of a list are.
fn orders(table: &Table, choices: &Choices) -> Orders {
    let mut orders = Orders::default();
    for (place, column) in choices.columns.iter().enumerate() {
        if matches!(column, Some(Column::ExpiresAt | Column::CreatedAt)) {
            table
                .rows
                .iter()
                .for_each(|row| orders.note(row.cell(place)));
        }
    }
    orders
}

/// Adds everybody on a list who is not here, in one transaction. Blocks.
///
/// Errors: `Refused` for whatever [`look`] would tell as a refusal, for rows with problems that nobody said to leave out, and for what
/// became impossible since; then nothing was done.
pub fn apply(
    app: &App,
    actor: &Actor,
    file: &str,
    octets: &[u8],
    choices: &Choices,
) -> Result<Done, Error> {
    let view = app.store.view()?;
    let whole = Whole::read(app, &view, octets, choices)?;
    if let Some(refusal) = whole.refusal(app, &view, choices)? {
        return Err(Error::Refused(refusal));
    }
    drop(view);
    if !whole.problems.is_empty() && !choices.leaves_out {
        return Err(Error::Refused(words::hold_up(whole.problems.len())));
    }
    let left_out = whole.known + whole.problems.len();
    let new_plans = whole.new_plans();
    let mut candidates = whole.candidates;
    for candidate in &mut candidates {
        if candidate.draft.password.is_none() {
            candidate.draft.password = Some(Arc::new(made_password()?));
        }
    }
    let (actor, now) = (actor.clone(), app.now());
    let (sealer, settings) = (app.store.sealer().clone(), app.settings());
    let (standing, rate, file) = (app.licence(), choices.new_rate, file.to_owned());
    let made = new_plans.clone();
    let (import, added) = app
        .store
        .write("import subscribers", move |tx| {
            licence::check_room(&standing, tx, count_of(candidates.len()))?;
            let mut plans_made = HashMap::new();
            for name in &new_plans {
                let price = Money {
                    minor: 0,
                    currency: settings.currency,
                };
                let plan = Plan {
                    notes: PLAN_NOTE.to_owned(),
                    ..Plan::new(name, price, rate)
                };
                let id = plans::insert(tx, plan, &actor, now)
                    .map_err(|error| on(format!("Plan {name}"), error))?;
                plans_made.insert(fold_case(name), id);
            }
            let import = imports::next_id(tx)?;
            let mut first = None;
            for candidate in &candidates {
                let mut draft = candidate.draft.clone();
                if let PlanOf::New(name) = &candidate.plan
                    && let Some(id) = plans_made.get(&fold_case(name))
                {
                    draft.plan = *id;
                }
                let one = subscribers::Newcomer {
                    draft: &draft,
                    since: candidate.since.unwrap_or(now),
                    action: "imported",
                };
                let calendar = &settings.calendar;
                let id = subscribers::insert(tx, &one, &sealer, calendar, &actor, now)
                    .map_err(|error| on(format!("Line {}", candidate.line), error))?;
                first.get_or_insert(id);
            }
            let row = ImportRow {
                at: now.0,
                by: actor.name(),
                file: file.clone(),
                first: first.unwrap_or(SubscriberId(0)).0,
                count: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
                left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
                plans: plans_made.values().map(|id| id.0).collect(),
                undone_at: None,
            };
            imports::add(tx, import, &row)?;
            let mut difference = Difference::default();
            difference
                .field("file", "", &file)
                .field("subscribers", "", candidates.len());
            let what = format!("import {import}");
            note(tx, &actor, "imported", &part(&what), difference, now)?;
            Ok::<_, Error>((import, candidates.len()))
        })
        .wait()?;
    allocator::release_unused();
    Ok(Done {
        import,
        added,
        left_out,
        plans: made,
    })
}

/// What stands in the notes of a plan that only the list had.
const PLAN_NOTE: &str = "Made by an import, with a price of 0. Look at its price, speed and term.";

/// Says where in the list something went wrong that was fine when it was looked at.
fn on(place: String, error: Error) -> Error {
    match error {
        Error::Field { problem, .. } => Error::Refused(format!("{place}: {problem}")),
        Error::Refused(text) => Error::Refused(format!("{place}: {text}")),
        other => other,
    }
}
