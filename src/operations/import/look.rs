//! What a list would come to: counts, the first of everything, and what stands in the way. Changes nothing.

use std::collections::HashMap;

use crate::allocator;
use crate::app::App;
use crate::domain::id::PlanId;
use crate::domain::import::{Charset, Choices, Column};
use crate::domain::subscriber::TermState;
use crate::domain::text::fold_case;
use crate::operations::Error;

use super::Whole;
use super::rows::{Candidate, PlanOf, Problem};
use super::table::{Row, Table};

/// Problems that are shown; the rest is counted.
pub const MOST_SHOWN: usize = 50;
/// Rows that are shown as they will be.
const FIRST_ROWS: usize = 5;
/// Values of a column that are shown, and characters of each.
const SAMPLES: usize = 3;
const LONGEST_SAMPLE: usize = 40;

/// What a list comes to, before anything is done. Holds no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub charset: Charset,
    pub columns: Vec<ColumnLook>,
    /// Rows of the file.
    pub rows: usize,
    /// Subscribers that would be added.
    pub ready: usize,
    /// Rows whose user name is taken: those subscribers stay as they are.
    pub known: usize,
    /// Rows with problems, and the first of them.
    pub bad: usize,
    pub problems: Vec<Problem>,
    /// What stands in the way of the whole, or empty.
    pub refusal: String,
    /// Dates such as 03/04/2026 are there; and whether only a person can say what they mean.
    pub has_short_dates: bool,
    pub asks_order: bool,
    /// Whether any row names no plan.
    pub lacks_plan: bool,
    /// Those who would have each plan, most first.
    pub plans: Vec<PlanLook>,
    /// Passwords that would be made.
    pub made_passwords: usize,
    pub expired: usize,
    pub suspended: usize,
    /// The first that would be added.
    pub first: Vec<FirstLook>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLook {
    /// Empty where the file has none.
    pub heading: String,
    /// The first different values: none of a column with passwords, and only the shape of them, such as `xxx-00`, where the column
    /// becomes nothing, since it may hold passwords of another kind.
    pub samples: Vec<String>,
    pub becomes: Option<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLook {
    /// As it is called here, or as the list calls one that is not here.
    pub name: String,
    /// `None` is one that would be made.
    pub here: Option<PlanId>,
    pub count: usize,
}

/// Somebody as he would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstLook {
    pub user_name: String,
    pub full_name: String,
    pub phone: String,
    pub plan: String,
    pub state: &'static str,
    /// The last day that is paid for, or empty.
    pub expires: String,
}

/// What a list would come to. Blocks. Errors: `Field` for a file that is no list.
pub fn look(app: &App, octets: &[u8], choices: &Choices) -> Result<Look, Error> {
    let view = app.store.view()?;
    let whole = Whole::read(app, &view, octets, choices)?;
    let refusal = whole.refusal(app, &view, choices)?;
    let asks_order = whole.asks_order(choices);
    let orders = whole.orders;
    let now = app.now();
    let names: HashMap<PlanId, String> = app
        .plans()
        .iter()
        .map(|plan| (plan.id, plan.name.clone()))
        .collect();
    let name_of = |plan: &PlanOf| match plan {
        PlanOf::Here(id) => names.get(id).cloned().unwrap_or_default(),
        PlanOf::New(name) => name.clone(),
    };
    let calendar = &app.settings().calendar;
    let is_expired =
        |new: &&Candidate| TermState::at(new.draft.expires_at, now) == TermState::Expired;
    let candidates = &whole.candidates;
    let count = |is: &dyn Fn(&&Candidate) -> bool| candidates.iter().filter(is).count();
    let first = candidates.iter().take(FIRST_ROWS).map(|new| FirstLook {
        user_name: new.draft.username.as_str().to_owned(),
        full_name: new.draft.full_name.clone(),
        phone: new.draft.phone.clone(),
        plan: name_of(&new.plan),
        state: match (new.draft.enabled, is_expired(&new)) {
            (false, _) => "Suspended",
            (true, true) => "Expired",
            (true, false) => "Active",
        },
        expires: new
            .draft
            .expires_at
            .map_or_else(String::new, |at| calendar.last_day(at).to_string()),
    });
    let without_plan = |row: &Row| {
        let mut named = choices.columns.iter().enumerate();
        let place = named.find_map(|(at, known)| (*known == Some(Column::Plan)).then_some(at));
        place.is_none_or(|place| row.cell(place).trim().is_empty())
    };
    let look = Look {
        charset: whole.table.charset,
        columns: columns(&whole.table, choices),
        rows: whole.table.rows.len(),
        ready: candidates.len(),
        known: whole.known,
        bad: whole.problems.len(),
        problems: whole.problems.iter().take(MOST_SHOWN).cloned().collect(),
        refusal: refusal.unwrap_or_default(),
        has_short_dates: orders.day_first || orders.month_first || orders.either,
        asks_order,
        lacks_plan: whole.table.rows.iter().any(without_plan),
        plans: plan_looks(candidates, name_of),
        made_passwords: count(&|new| new.draft.password.is_none()),
        expired: count(&|new| new.draft.enabled && is_expired(new)),
        suspended: count(&|new| !new.draft.enabled),
        first: first.collect(),
    };
    drop(whole);
    allocator::release_unused();
    Ok(look)
}

fn columns(table: &Table, choices: &Choices) -> Vec<ColumnLook> {
    let look = |(place, heading): (usize, &String)| {
        let becomes = choices.columns.get(place).copied().flatten();
        let mut samples: Vec<String> = Vec::new();
        let is_secret = becomes == Some(Column::Password);
        for row in table.rows.iter().filter(|_| !is_secret) {
            let value = row.cell(place).trim().chars().take(LONGEST_SAMPLE);
            let value: String = match becomes {
                Some(_) => value.collect(),
                None => value.map(shape).collect(),
            };
            if !value.is_empty() && !samples.contains(&value) {
                samples.push(value);
            }
            if samples.len() == SAMPLES {
                break;
            }
        }
        ColumnLook {
            heading: heading.clone(),
            samples,
            becomes,
        }
    };
    table.headings.iter().enumerate().map(look).collect()
}

fn shape(c: char) -> char {
    match c {
        c if c.is_numeric() => '0',
        c if c.is_alphabetic() => 'x',
        c => c,
    }
}

fn plan_looks(candidates: &[Candidate], name_of: impl Fn(&PlanOf) -> String) -> Vec<PlanLook> {
    let mut counts: HashMap<PlanOf, (usize, String)> = HashMap::new();
    for candidate in candidates {
        let key = match &candidate.plan {
            PlanOf::Here(id) => PlanOf::Here(*id),
            PlanOf::New(name) => PlanOf::New(fold_case(name)),
        };
        let (count, _) = counts
            .entry(key)
            .or_insert_with(|| (0, name_of(&candidate.plan)));
        *count += 1;
    }
    let mut looks: Vec<PlanLook> = counts
        .into_iter()
        .map(|(plan, (count, name))| PlanLook {
            name,
            here: match plan {
                PlanOf::Here(id) => Some(id),
                PlanOf::New(_) => None,
            },
            count,
        })
        .collect();
    looks.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    looks
}
