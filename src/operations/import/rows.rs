//! From a row of a list to somebody who can be added, with everything that stands in the way.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::address::parse_address;
use crate::domain::id::{NasId, PlanId};
use crate::domain::import::{
    Choices, Column, DateOrder, ReadDate, ReadState, is_shortened, read_date,
};
use crate::domain::plan::LONGEST_NAME;
use crate::domain::subscriber::{MacMode, typed};
use crate::domain::text::{self, Username, ascii_digits, fold_case, optional};
use crate::domain::time::{Calendar, Timestamp};
use crate::operations::subscribers::Draft;
use crate::operations::{Error, addresses};
use crate::store::{View, subscribers};

use super::table::{Row, Table};

/// Why a row cannot be imported as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In the file, from 1.
    pub line: u64,
    /// As the file has it; may be empty.
    pub user_name: String,
    /// A sentence each.
    pub texts: Vec<String>,
}

/// Somebody to be added.
pub(super) struct Candidate {
    pub line: u64,
    /// Without a password where one is to be made. Its plan counts where `plan` is here.
    pub draft: Draft,
    pub plan: PlanOf,
    /// Customer since, where the list says.
    pub since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PlanOf {
    Here(PlanId),
    /// Only the list has it, under this name.
    New(String),
}

/// What a row comes to.
pub(super) enum Outcome {
    Candidate(Box<Candidate>),
    /// There is a subscriber of this name already.
    Known,
    Problem(Problem),
}

/// Reads the rows of one list, one after the other.
pub(super) struct Reader<'r> {
    view: &'r View,
    choices: &'r Choices,
    headings: &'r [String],
    order: DateOrder,
    calendar: Calendar,
    now: Timestamp,
    /// Of those for whom the list names none.
    no_plan: Option<PlanId>,
    /// By their names without case.
    plans: HashMap<String, PlanId>,
    nas: HashMap<String, NasId>,
    /// Lines on which a name or an address was met.
    names: HashMap<String, u64>,
    addresses: HashMap<Ipv4Addr, u64>,
}

impl<'r> Reader<'r> {
    pub fn new(
        app: &App,
        view: &'r View,
        table: &'r Table,
        choices: &'r Choices,
        order: DateOrder,
    ) -> Reader<'r> {
        let plans = app.plans();
        let here = plans.iter().map(|plan| (plan.name.as_str(), plan.id));
        // One that was chosen and deleted since means nothing.
        let is_here = |id: PlanId| plans.iter().any(|plan| plan.id == id);
        let same = choices.same_plans.iter().filter(|(_, id)| is_here(*id));
        let same = same.map(|(name, id)| (name.as_str(), *id));
        let mut nas = HashMap::new();
        for entry in app.nas_table().all() {
            nas.insert(entry.nas.network.to_string(), entry.nas.id);
            nas.insert(fold_case(&entry.nas.name), entry.nas.id);
        }
        Reader {
            view,
            choices,
            headings: &table.headings,
            order,
            calendar: app.settings().calendar.clone(),
            now: app.now(),
            no_plan: choices.plan.filter(|id| is_here(*id)),
            plans: here
                .chain(same)
                .map(|(name, id)| (fold_case(name), id))
                .collect(),
            nas,
            names: HashMap::new(),
            addresses: HashMap::new(),
        }
    }

    pub fn read(&mut self, row: &Row) -> Result<Outcome, Error> {
        let mut found = Problems::default();
        let written = self.one(row, Column::UserName).trim();
        let name = found.keep(Column::UserName, user_name(written));
        if let Some(name) = &name {
            if subscribers::named(self.view, name.as_str())?.is_some() {
                return Ok(Outcome::Known);
            }
            if let Some(line) = self.names.insert(name.folded(), row.line) {
                found.add(Column::UserName, format!("it stands on line {line}, too"));
            }
        }
        if row.is_too_long(self.headings.len()) {
            let text = "The row has more values than there are columns. Is one with a separator in it not in quotes?";
            found.0.push(text.to_owned());
        }
        let candidate = self.candidate(row, name, &mut found);
        if let Some(address) = candidate.as_ref().and_then(|new| new.draft.static_address) {
            if let Some(line) = self.addresses.insert(address, row.line) {
                let text = format!("it stands on line {line}, too");
                found.add(Column::StaticAddress, text);
            }
            match addresses::check_static(self.view, Some(address), None, None) {
                Err(Error::Field { problem, .. }) => found.add(Column::StaticAddress, problem),
                other => other?,
            }
        }
        Ok(match candidate {
            Some(candidate) if found.0.is_empty() => Outcome::Candidate(Box::new(candidate)),
            _ => Outcome::Problem(Problem {
                line: row.line,
                user_name: written.chars().take(LONGEST_SHOWN).collect(),
                texts: found.0,
            }),
        })
    }

    /// `None` once any problem was noted.
    fn candidate(
        &self,
        row: &Row,
        name: Option<Username>,
        found: &mut Problems,
    ) -> Option<Candidate> {
        let one = |column| self.one(row, column);
        let digits = |column| ascii_digits(one(column));
        let mut keep_text = |column, parse: fn(&str) -> Result<String, Invalid>, text: String| {
            found.keep(column, parse(&text))
        };
        let joined = |column, between| self.all(row, column).join(between);
        let full_name = keep_text(
            Column::FullName,
            typed::full_name,
            joined(Column::FullName, " "),
        );
        let phone = keep_text(Column::Phone, phone, digits(Column::Phone));
        let email = keep_text(Column::Email, typed::email, one(Column::Email).to_owned());
        let address = keep_text(
            Column::Address,
            typed::address,
            joined(Column::Address, ", "),
        );
        let notes = keep_text(Column::Notes, typed::notes, self.notes(row));
        let password = found.keep(Column::Password, password(one(Column::Password)));
        let plan = found.keep(Column::Plan, self.plan(one(Column::Plan)));
        let state = found.keep(Column::State, ReadState::read(one(Column::State)));
        let read = |column| match one(column).trim() {
            text if is_no_date(text) => Ok(None),
            text => read_date(text, self.order).map(Some),
        };
        let expires = found.keep(Column::ExpiresAt, read(Column::ExpiresAt));
        let since = found.keep(Column::CreatedAt, read(Column::CreatedAt));
        let macs = self.all(row, Column::Macs).join(" ");
        let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|');
        let macs = found.keep(Column::Macs, typed::macs(macs.split(is_between)));
        let sessions = digits(Column::MaxSessions);
        let max_sessions = optional(&sessions, typed::max_sessions);
        let max_sessions = found.keep(Column::MaxSessions, max_sessions);
        let static_address = optional(&digits(Column::StaticAddress), parse_address);
        let static_address = found.keep(Column::StaticAddress, static_address);
        let only_nas = optional(one(Column::Nas), |text| self.nas(text));
        let only_nas = found.keep(Column::Nas, only_nas);
        let expires = expires.and_then(|expires| {
            let end = self.end(state?, expires);
            found.keep(Column::State, end)
        });
        let (plan, macs) = (plan?, macs?);
        let here = match &plan {
            PlanOf::Here(id) => *id,
            PlanOf::New(_) => PlanId(0),
        };
        Some(Candidate {
            line: row.line,
            draft: Draft {
                password: password?,
                full_name: full_name?,
                phone: phone?,
                email: email?,
                address: address?,
                notes: notes?,
                enabled: state? != ReadState::Suspended,
                expires_at: expires?,
                max_sessions: max_sessions?,
                mac_mode: if macs.is_empty() {
                    MacMode::Off
                } else {
                    MacMode::Fixed
                },
                macs,
                only_nas: only_nas?,
                static_address: static_address?,
                ..Draft::new(name?, here)
            },
            plan,
            since: since?.map(|date| date.start(&self.calendar)),
        })
    }

    /// The value of the first column that becomes this, or nothing.
    fn one<'t>(&self, row: &'t Row, column: Column) -> &'t str {
        self.places(column)
            .next()
            .map_or("", |place| value(row, place))
    }

    /// The values of all columns that become this, without empty ones.
    fn all<'t>(&self, row: &'t Row, column: Column) -> Vec<&'t str> {
        let values = self.places(column).map(|place| value(row, place).trim());
        values.filter(|value| !value.is_empty()).collect()
    }

    fn places(&self, column: Column) -> impl Iterator<Item = usize> {
        let columns = self.choices.columns.iter().enumerate();
        columns.filter_map(move |(place, known)| (*known == Some(column)).then_some(place))
    }

    /// A line for each column, with its heading where that says something.
    fn notes(&self, row: &Row) -> String {
        let lines = self.places(Column::Notes).filter_map(|place| {
            let value = value(row, place).trim();
            let heading = self.headings.get(place).map_or("", String::as_str);
            match (value.is_empty(), heading) {
                (true, _) => None,
                (false, "") => Some(value.to_owned()),
                (false, heading) if Column::is_plain_note(heading) => Some(value.to_owned()),
                (false, heading) => Some(format!("{heading}: {value}")),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn plan(&self, text: &str) -> Result<PlanOf, Invalid> {
        if text.trim().is_empty() {
            return self.no_plan.map(PlanOf::Here).ok_or_else(|| {
                Invalid::new("the list names none; choose one for those without a plan")
            });
        }
        let name = text::name(text, LONGEST_NAME)?;
        let here = self.plans.get(&fold_case(&name));
        Ok(here.map_or(PlanOf::New(name), |id| PlanOf::Here(*id)))
    }

    fn nas(&self, text: &str) -> Result<NasId, Invalid> {
        let found = self.nas.get(&fold_case(text));
        found
            .copied()
            .ok_or_else(|| Invalid::new("no NAS has this name or address"))
    }

    /// When the term ends. One that is said to be over ends now, where the list does not say when.
    fn end(
        &self,
        state: ReadState,
        expires: Option<ReadDate>,
    ) -> Result<Option<Timestamp>, Invalid> {
        let end = expires.map(|date| date.end(&self.calendar));
        match (state, end) {
            (ReadState::Expired, None) => Ok(Some(self.now)),
            (ReadState::Expired, Some(at)) if at > self.now => {
                Err(Invalid::new("expired, and yet it expires later than today"))
            }
            (_, end) => Ok(end),
        }
    }
}

/// Characters of a user name that cannot be one, as it is shown.
const LONGEST_SHOWN: usize = 60;

/// The cell of a column; what databases write for nothing is nothing.
fn value(row: &Row, place: usize) -> &str {
    match row.cell(place) {
        "NULL" | "\\N" => "",
        value => value,
    }
}

/// What programs write where there is no date.
fn is_no_date(text: &str) -> bool {
    let nothing = ["", "-", "0", "never", "unlimited"];
    nothing.contains(&text.to_lowercase().as_str()) || text.starts_with("0000-00-00")
}

fn user_name(text: &str) -> Result<Username, Invalid> {
    whole(text)?;
    Username::parse(text)
}

fn phone(text: &str) -> Result<String, Invalid> {
    whole(text)?;
    typed::phone(text)
}

fn whole(text: &str) -> Result<(), Invalid> {
    match is_shortened(text) {
        true => Err(Invalid::new(
            "a spreadsheet shortened this number. Format the column as text there, and save it again",
        )),
        false => Ok(()),
    }
}

/// Blanks belong to a password; without one, one is made.
fn password(text: &str) -> Result<Option<Arc<Secret<String>>>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let password = text::ppp_password(text)?;
    Ok(Some(Arc::new(Secret::new(password.to_owned()))))
}

/// What is wrong with a row, each with what it concerns before it.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn keep<T>(&mut self, column: Column, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|problem| self.add(column, problem)).ok()
    }

    fn add(&mut self, column: Column, problem: impl Display) {
        self.0.push(format!("{}: {problem}", column.label()));
    }
}
