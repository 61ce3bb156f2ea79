//! `proxpanel import`: lists of subscribers are read here, and looked at, imported and taken back by whoever owns the data.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{CliError, Place, ask_with, configured, print, step_down};
use crate::control::Request;
use crate::crypto::Secret;
use crate::operations::import::{LARGEST, Reading, Told};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Print what a list of subscribers would come to; nothing is changed
    Look(List),
    /// Add everybody on a list who is not here; all of them, or nobody
    Apply(List),
    /// Print the imports there were
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take an import back: delete whom it added and who has not renewed since
    Undo {
        #[command(flatten)]
        place: Place,
        /// The number of the import
        #[arg(value_name = "N")]
        import: u32,
    },
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// A CSV file; - is standard input
    file: PathBuf,
    /// What a column becomes: its heading, or its number from 1, and a field such as username, or - to leave it out; may be repeated
    #[arg(long = "column", value_name = "HEADING=FIELD")]
    columns: Vec<String>,
    /// The first line is a subscriber, too
    #[arg(long)]
    no_headings: bool,
    /// utf-8, utf-16, windows-1256 or windows-1252 [default: as it looks]
    #[arg(long, value_name = "WORD")]
    charset: Option<String>,
    /// How 03/04/2026 is meant: day-first or month-first [default: as the list shows]
    #[arg(long, value_name = "ORDER")]
    dates: Option<String>,
    /// Name or number of the plan of those for whom the list names none
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// A plan as the list calls it, and the one here that is meant; may be repeated
    #[arg(long = "same-plan", value_name = "NAME=PLAN")]
    same_plans: Vec<String>,
    /// Speed of plans that are made since only the list has them, such as 20M/5M
    #[arg(long, value_name = "DOWN/UP")]
    new_plan_speed: Option<String>,
    /// Leave rows with a problem out, instead of importing nothing
    #[arg(long)]
    leave_out: bool,
}

impl List {
    fn reading(self) -> Reading {
        Reading {
            columns: self.columns,
            no_headings: self.no_headings,
            charset: self.charset,
            dates: self.dates,
            plan: self.plan,
            same_plans: self.same_plans,
            new_plan_speed: self.new_plan_speed,
            leave_out: self.leave_out,
        }
    }
}

pub(super) fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Look(list) => look(list),
        Verb::Apply(list) => {
            let (place, octets) = (list.place.clone(), read(&list.place, &list.file)?);
            let request = Request::ImportApply {
                file: name_of(&list.file),
                reading: list.reading(),
            };
            ask_with(&place, request, octets.expose(), &mut io::stdout().lock())
        }
        Verb::List { place } => print(&place, Request::ImportList),
        Verb::Undo { place, import } => print(&place, Request::ImportUndo { import }),
    }
}

/// Fails where the list cannot be imported like this, after it has said what there is.
fn look(list: List) -> Result<(), CliError> {
    let (place, octets) = (list.place.clone(), read(&list.place, &list.file)?);
    let request = Request::ImportLook {
        reading: list.reading(),
    };
    let mut answer = Vec::new();
    ask_with(&place, request, octets.expose(), &mut answer)?;
    let told: Told = serde_json::from_slice(&answer).map_err(io::Error::from)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in &told.lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    match told.obstacle.is_empty() {
        true => Ok(()),
        false => Err(CliError::Refused(told.obstacle)),
    }
}

/// The whole list. It is opened by whoever calls: the daemon's user can read little.
fn read(place: &Place, path: &Path) -> Result<Secret<Vec<u8>>, CliError> {
    let told = |error| CliError::Refused(format!("cannot read {}: {error}", path.display()));
    let file = opened(path).map_err(told)?;
    step_down::to_owner_of_with(&configured(place)?.data_dir, &file)?;
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    let mut octets = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut octets);
    let octets = Secret::new(octets);
    match read.map_err(told)? > LARGEST {
        true => Err(CliError::Refused(format!(
            "{} is larger than {} MB. Split it into several files",
            path.display(),
            LARGEST >> 20
        ))),
        false => Ok(octets),
    }
}

fn opened(path: &Path) -> io::Result<File> {
    match is_standard_input(path) || step_down::was_handed_over() {
        true => step_down::standard_input(),
        false => File::open(path),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// What the list of imports calls a file.
fn name_of(path: &Path) -> String {
    match path.file_name() {
        Some(name) if !is_standard_input(path) => name.to_string_lossy().into_owned(),
        _ => "standard input".to_owned(),
    }
}
