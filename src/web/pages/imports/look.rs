//! The look at a list before it is imported: what would come of it, and how it is to be read.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::WaitingImport;
use crate::domain::Invalid;
use crate::domain::id::PlanId;
use crate::domain::import::{Charset, Choices, Column, DateOrder};
use crate::domain::rate::{Rate, typed_kbps};
use crate::operations::blocking;
use crate::operations::import::{self, ColumnLook, FirstLook, Look, MOST_SHOWN};
use crate::operations::setup::{self, Step, StepState};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Fact, Select, SpeedField, counted};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

use super::{LOOK, PATH, gone, waiting};

/// Where the first run goes on once there are subscribers.
const FIRST_LOGIN: &str = "/setup/login";

/// `GET /subscribers/import/look`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/imports/look.html")]
pub struct LookPage {
    pub shell: Shell,
    pub file: String,
    pub refusal: Option<String>,
    /// What would come of it.
    pub facts: Vec<Fact>,
    pub problems: Vec<ProblemRow>,
    /// How many more there are, or empty.
    pub more_problems: String,
    pub first: Vec<FirstLook>,
    pub columns: Vec<ColumnRow>,
    pub headings: Select,
    pub charset: Select,
    /// Shown where dates such as 03/04/2026 are there.
    pub dates: Option<Select>,
    /// Shown where a row names no plan.
    pub plan: Option<Select>,
    pub new_plans: Vec<NewPlanRow>,
    /// Of plans that are made, where any is.
    pub speed: Option<SpeedOfNew>,
    /// Shown where rows have problems.
    pub may_leave_out: bool,
    pub leaves_out: bool,
    /// `Import 412 subscribers`.
    pub button: String,
    pub may_apply: bool,
}

pub struct ProblemRow {
    pub line: u64,
    pub user_name: String,
    pub texts: Vec<String>,
}

pub struct ColumnRow {
    /// The name of its field.
    pub id: String,
    pub heading: String,
    pub samples: Vec<String>,
    pub becomes: Select,
}

/// A plan that only the list has.
pub struct NewPlanRow {
    pub id: String,
    pub name: String,
    pub means: Select,
}

pub struct SpeedOfNew {
    pub download: SpeedField,
    pub upload: SpeedField,
}

pub async fn look(Administrator(signed): Administrator) -> Reply {
    let Some(import) = waiting(&signed) else {
        return Ok(gone(&signed));
    };
    let form = filled(&import.choices);
    let page = page(&signed, &import, &form, &Problems::default()).await?;
    Ok(Page::ok(page).into_response())
}

/// Takes over how the list is to be read, and looks again.
pub async fn choose(Change { signed, form }: Change) -> Reply {
    let Some(import) = waiting(&signed) else {
        return Ok(gone(&signed));
    };
    let mut problems = Problems::default();
    match parse(&form, &import, &mut problems)? {
        Some(choices) => {
            let by = signed.current.operator.id;
            signed.app().imports.choose(by, choices);
            Ok(signed.htmx.redirect(LOOK))
        }
        None => {
            let page = page(&signed, &import, &form, &problems).await?;
            Ok(Page::unprocessable(page).into_response())
        }
    }
}

/// Imports what was looked at. Whoever changed something since looks once more.
pub async fn apply(Change { signed, form }: Change) -> Reply {
    let Some(import) = waiting(&signed) else {
        return Ok(gone(&signed));
    };
    let by = signed.current.operator.id;
    let mut problems = Problems::default();
    if let Some(choices) = parse(&form, &import, &mut problems)? {
        let only_leaves_out = Choices {
            leaves_out: choices.leaves_out,
            ..import.choices.clone()
        };
        if choices != only_leaves_out {
            signed.app().imports.choose(by, choices);
            let text = "What you changed is taken over. Look what comes of it now, then import.";
            return Ok(done(&signed, Flash::good(text), LOOK));
        }
        let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
        let (name, octets) = (import.name.clone(), Arc::clone(&import.octets));
        let work = move || import::apply(&app, &actor, &name, octets.expose(), &choices);
        if let Some(outcome) = problems.absorb(blocking(work).await?)? {
            signed.app().imports.forget(by);
            return finished(&signed, &outcome);
        }
    }
    let page = page(&signed, &import, &form, &problems).await?;
    Ok(Page::unprocessable(page).into_response())
}

/// Says what was done; the first run goes on where it was.
fn finished(signed: &Signed, outcome: &import::Done) -> Reply {
    let added = counted(outcome.added, "subscriber is", "subscribers are");
    let mut text = format!("{added} imported.");
    if !outcome.plans.is_empty() {
        text.push_str(&format!(
            " Look at the price and the speed of what was made: {}.",
            outcome.plans.join(", ")
        ));
    }
    let progress = setup::progress(signed.app())?;
    let is_first = progress.is_open() && progress.state(Step::Subscriber) == StepState::Open;
    let next = if is_first { FIRST_LOGIN } else { PATH };
    Ok(done(signed, Flash::good(text), next))
}

/// Lets the file go.
pub async fn forget(Change { signed, .. }: Change) -> Reply {
    let app = signed.app();
    app.imports.forget(signed.current.operator.id);
    let flash = Flash::good("The file is forgotten. Nothing was imported.");
    Ok(done(&signed, flash, PATH))
}

/// The form as it stands for choices.
fn filled(choices: &Choices) -> FormData {
    let word = |column: &Option<Column>| column.map_or("", Column::word).to_owned();
    let columns = choices.columns.iter().enumerate();
    let mut fields: Vec<(String, String)> = columns
        .map(|(place, column)| (format!("column-{place}"), word(column)))
        .collect();
    let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let charset = choices.charset.map_or("", Charset::word);
    fields.push(one("charset", charset));
    let headings = if choices.has_headings { "yes" } else { "no" };
    fields.push(one("headings", headings));
    let dates = match choices.dates {
        None => "",
        Some(DateOrder::DayFirst) => "day",
        Some(DateOrder::MonthFirst) => "month",
    };
    fields.push(one("dates", dates));
    let plan = choices.plan.map_or_else(String::new, |id| id.to_string());
    fields.push(one("plan", &plan));
    for (name, id) in &choices.same_plans {
        fields.push(one("list_plan", name));
        fields.push(one("same_plan", &id.to_string()));
    }
    let rate = choices.new_rate;
    fields.push(one("download_kbps", &typed_kbps(rate.download_kbps)));
    fields.push(one("upload_kbps", &typed_kbps(rate.upload_kbps)));
    if choices.leaves_out {
        fields.push(one("leave_out", "on"));
    }
    FormData::filled(fields)
}

/// What was chosen; `None` once a problem was noted. Where the letters or the headings are to be read otherwise, what the columns
/// become is guessed anew.
fn parse(
    form: &FormData,
    import: &WaitingImport,
    problems: &mut Problems,
) -> Result<Option<Choices>, Failure> {
    let present = &import.choices;
    let charset = Charset::from_word(form.text("charset"));
    let has_headings = form.text("headings") != "no";
    let mut kbps = |name, present| match form.text(name).trim() {
        // The page asks only where a plan is to be made.
        "" => Some(present),
        typed => problems.take(name, Rate::parse_kbps(typed)),
    };
    let download = kbps("download_kbps", present.new_rate.download_kbps);
    let upload = kbps("upload_kbps", present.new_rate.upload_kbps);
    let columns = match (charset, has_headings) == (present.charset, present.has_headings) {
        true => (0..present.columns.len())
            .map(|place| Column::from_word(form.text(&format!("column-{place}"))))
            .collect(),
        false => {
            let octets = import.octets.expose();
            let guessed = import::choices_as(octets, charset, Some(has_headings));
            match problems.absorb(guessed)? {
                Some(guessed) => guessed.columns,
                None => {
                    // The file is no field of this form.
                    let text = problems.of("file").unwrap_or_default();
                    problems.refuse(text);
                    return Ok(None);
                }
            }
        }
    };
    let mut id = |text: &str| {
        let parsed = text.parse().map(PlanId);
        let parsed = parsed.map_err(|_| Invalid::new("Choose a plan"));
        problems.take("plan", parsed)
    };
    let plan = match form.text("plan") {
        "" => None,
        text => id(text),
    };
    let same = form.all("list_plan").into_iter().zip(form.all("same_plan"));
    let same_plans = same
        .filter(|(_, means)| !means.is_empty())
        .filter_map(|(name, means)| Some((name.to_owned(), id(means)?)))
        .collect();
    let (Some(download), Some(upload)) = (download, upload) else {
        return Ok(None);
    };
    Ok(problems.is_empty().then(|| Choices {
        charset,
        has_headings,
        columns,
        dates: match form.text("dates") {
            "day" => Some(DateOrder::DayFirst),
            "month" => Some(DateOrder::MonthFirst),
            _ => None,
        },
        plan,
        same_plans,
        new_rate: Rate::new(upload, download),
        leaves_out: form.has("leave_out"),
    }))
}

async fn page(
    signed: &Signed,
    import: &WaitingImport,
    form: &FormData,
    problems: &Problems,
) -> Result<LookPage, Failure> {
    let (app, octets) = (Arc::clone(&signed.panel.app), Arc::clone(&import.octets));
    let choices = import.choices.clone();
    let look = blocking(move || import::look(&app, octets.expose(), &choices)).await??;
    let words = Words::of(signed.app());
    let refusal = Some(look.refusal.clone()).filter(|text| !text.is_empty());
    let more = look.bad.saturating_sub(MOST_SHOWN);
    let of_list = look.plans.iter().filter(|plan| plan.here.is_none());
    let new: Vec<&str> = of_list.map(|plan| plan.name.as_str()).collect();
    let same = import
        .choices
        .same_plans
        .iter()
        .map(|(name, _)| name.as_str());
    let means = |name: &str| {
        let mut known = import.choices.same_plans.iter();
        let found = known.find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, id)| id.to_string())
    };
    let new_plans = same.chain(new.iter().copied()).enumerate();
    let new_plans = new_plans.map(|(place, name)| NewPlanRow {
        id: format!("same_plan-{place}"),
        name: name.to_owned(),
        means: words.plan_choices("Make it", &means(name)),
    });
    Ok(LookPage {
        shell: signed.shell("Import subscribers", Nav::Subscribers),
        file: import.name.clone(),
        refusal: problems.summary().or(refusal),
        facts: facts(&look),
        problems: look.problems.iter().map(problem_row).collect(),
        more_problems: match more {
            0 => String::new(),
            more => format!("And {}.", counted(more, "more row", "more rows")),
        },
        first: look.first.clone(),
        columns: columns(&look.columns, form),
        headings: Select::new(
            [("yes", "Headings"), ("no", "A subscriber")],
            form.text("headings"),
        ),
        charset: Select::new(charsets(look.charset), form.text("charset")),
        dates: look.has_short_dates.then(|| dates(look.asks_order, form)),
        plan: look.lacks_plan.then(|| {
            let select = words.plan_choices("None: a problem", form.text("plan"));
            problems.select("plan", select)
        }),
        new_plans: new_plans.collect(),
        speed: (!new.is_empty()).then(|| SpeedOfNew {
            download: problems.speed(form, "download_kbps"),
            upload: problems.speed(form, "upload_kbps"),
        }),
        may_leave_out: look.bad > 0,
        leaves_out: form.has("leave_out"),
        button: format!(
            "Import {}",
            counted(look.ready, "subscriber", "subscribers")
        ),
        may_apply: look.refusal.is_empty(),
    })
}

fn facts(look: &Look) -> Vec<Fact> {
    let mut facts = vec![Fact::new(
        "Added",
        counted(look.ready, "subscriber", "subscribers"),
    )];
    let mut notes = Vec::new();
    for (count, word) in [(look.expired, "expired"), (look.suspended, "suspended")] {
        if count > 0 {
            notes.push(format!("{count} {word}"));
        }
    }
    if !notes.is_empty()
        && let Some(first) = facts.pop()
    {
        facts.push(first.note(format!("{} of them.", notes.join(", "))));
    }
    if look.known > 0 {
        let known = counted(look.known, "row", "rows");
        let note = "The user name is taken. Those subscribers stay as they are.";
        facts.push(Fact::new("Here already", known).note(note));
    }
    if look.bad > 0 {
        facts.push(Fact::new(
            "With a problem",
            counted(look.bad, "row", "rows"),
        ));
    }
    if look.made_passwords > 0 {
        let made = counted(look.made_passwords, "password", "passwords");
        let note = "Made for those without one; their pages show them.";
        facts.push(Fact::new("Made", made).note(note));
    }
    for plan in &look.plans {
        let fact = Fact::new(
            plan.name.clone(),
            counted(plan.count, "subscriber", "subscribers"),
        );
        facts.push(match plan.here {
            Some(id) => fact.link(format!("/plans/{id}/edit")),
            None => fact.note("A plan that is not here: it is made, with a price of 0."),
        });
    }
    facts
}

fn problem_row(problem: &import::Problem) -> ProblemRow {
    ProblemRow {
        line: problem.line,
        user_name: problem.user_name.clone(),
        texts: problem.texts.clone(),
    }
}

fn columns(looks: &[ColumnLook], form: &FormData) -> Vec<ColumnRow> {
    let row = |(place, look): (usize, &ColumnLook)| {
        let id = format!("column-{place}");
        let choices = Column::ALL.map(|column| (column.word(), column.label()));
        let left_out = std::iter::once(("", "Left out"));
        ColumnRow {
            heading: match look.heading.as_str() {
                "" => format!("Column {}", place + 1),
                heading => heading.to_owned(),
            },
            samples: look.samples.clone(),
            becomes: Select::new(left_out.chain(choices), form.text(&id)),
            id,
        }
    };
    looks.iter().enumerate().map(row).collect()
}

fn charsets(found: Charset) -> [(&'static str, String); 5] {
    let label = |charset| match charset {
        Charset::Utf8 => "UTF-8",
        Charset::Utf16 => "UTF-16",
        Charset::Windows1256 => "Windows-1256, Arabic",
        Charset::Windows1252 => "Windows-1252, western",
    };
    let [first, second, third, fourth] =
        Charset::ALL.map(|charset| (charset.word(), label(charset).to_owned()));
    let by_itself = ("", format!("As it looks: {}", label(found)));
    [by_itself, first, second, third, fourth]
}

fn dates(asks: bool, form: &FormData) -> Select {
    let first = if asks { "Choose" } else { "As the others show" };
    let choices = [
        ("", first),
        ("day", "3 April: the day is first"),
        ("month", "4 March: the month is first"),
    ];
    Select::new(choices, form.text("dates"))
}
