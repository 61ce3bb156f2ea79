//! The form of a bandwidth rule: from what was typed to a rule, with every problem beside its field.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::Invalid;
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule, MOST_NAMED};
use crate::domain::id::{PlanId, RuleId, SubscriberId};
use crate::domain::text::{self, Username};
use crate::domain::time::Day;
use crate::domain::window::{Window, parse_minutes};
use crate::operations::bandwidth_rules as verbs;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::page::Page;
use crate::web::parts::{Field, Tick};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

use super::{PATH, found, hints};

const LONGEST_NAME: usize = 80;
/// Octets of the list of user names.
const LONGEST_LIST: usize = 40_000;
const LOWEST_PRIORITY: u16 = 1_000;
/// In the middle, so that there is room on both sides.
const USUAL_PRIORITY: &str = "100";

/// `GET /rules/new`, `GET /rules/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/rules/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub warnings: Vec<String>,
    pub name: Field,
    pub priority: Field,
    pub enabled: bool,
    /// Such as `150%` or `+2M`; empty is unchanged.
    pub download: Field,
    pub upload: Field,
    pub days: Field,
    pub from: Field,
    pub to: Field,
    pub first_day: Field,
    pub last_day: Field,
    pub plans: Vec<Tick>,
    pub plans_problem: Option<String>,
    /// One user name a line.
    pub subscribers: Field,
}

pub async fn new(signed: Signed) -> Reply {
    let form = FormData::filled(vec![
        ("priority", USUAL_PRIORITY.to_owned()),
        ("enabled", "on".to_owned()),
    ]);
    let view = page(&signed, None, &form, &Problems::default());
    Ok(Page::ok(view).into_response())
}

pub async fn create(Work { signed, form }: Work) -> Reply {
    let mut problems = Problems::default();
    if let Some(rule) = parse(signed.app(), &form, &mut problems)? {
        let flash = Flash::good(format!("The rule {} is created.", rule.name));
        let created = verbs::create(signed.app(), &signed.actor(), rule).await;
        if problems.absorb(created)?.is_some() {
            return Ok(done(&signed, flash, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, None, &form, &problems)).into_response())
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let rule = found(signed.app(), id)?;
    let form = filled(&Words::of(signed.app()), &rule);
    let view = FormPage {
        warnings: hints(&signed.app().rules(), &rule),
        ..page(&signed, Some(rule.id), &form, &Problems::default())
    };
    Ok(Page::ok(view).into_response())
}

pub async fn update(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = found(signed.app(), id)?.id;
    let mut problems = Problems::default();
    if let Some(rule) = parse(signed.app(), &form, &mut problems)? {
        let flash = Flash::good(format!("The rule {} is saved.", rule.name));
        let saved = verbs::update(signed.app(), &signed.actor(), id, rule).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, Some(id), &form, &problems)).into_response())
}

fn page(signed: &Signed, id: Option<RuleId>, form: &FormData, problems: &Problems) -> FormPage {
    let field = |name: &str| problems.field(form, name);
    let plans = signed.app().plans();
    let (title, action) = match id {
        None => ("New rule", PATH.to_owned()),
        Some(id) => ("Edit rule", format!("{PATH}/{id}/edit")),
    };
    FormPage {
        shell: signed.shell(title, Nav::Rules),
        action,
        back: PATH.to_owned(),
        is_new: id.is_none(),
        refusal: problems.summary(),
        warnings: Vec::new(),
        name: field("name"),
        priority: field("priority"),
        enabled: form.has("enabled"),
        download: field("download"),
        upload: field("upload"),
        days: field("days"),
        from: field("from"),
        to: field("to"),
        first_day: field("first_day"),
        last_day: field("last_day"),
        plans: plans
            .iter()
            .map(|plan| form.tick("plans", plan.id, &plan.name))
            .collect(),
        plans_problem: problems.of("plans"),
        subscribers: field("subscribers"),
    }
}

/// The form as it stands for a rule.
fn filled(words: &Words<'_>, rule: &BandwidthRule) -> FormData {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let day = |day: Option<Day>| day.map_or_else(String::new, |day| day.to_string());
    let names = rule.subscribers.iter().map(|id| words.subscriber(*id));
    let names: Vec<String> = names.collect();
    let mut pairs = vec![
        ("name", rule.name.clone()),
        ("priority", rule.priority.to_string()),
        ("download", rule.download.typed()),
        ("upload", rule.upload.typed()),
        ("days", rule.window.days()),
        ("first_day", day(rule.from)),
        ("last_day", day(rule.until)),
        ("subscribers", names.join("\n")),
    ];
    if rule.window.start != rule.window.end {
        pairs.push(("from", time(rule.window.start)));
        pairs.push(("to", time(rule.window.end)));
    }
    if rule.enabled {
        pairs.push(("enabled", "on".to_owned()));
    }
    pairs.extend(rule.plans.iter().map(|id| ("plans", id.to_string())));
    FormData::filled(pairs)
}

/// What was typed as a rule; `None` once any problem was noted. The id is given by the verb.
fn parse(
    app: &App,
    form: &FormData,
    problems: &mut Problems,
) -> Result<Option<BandwidthRule>, Failure> {
    let name = problems.take("name", text::name(form.text("name"), LONGEST_NAME));
    let priority = number(form.text("priority"), 1, LOWEST_PRIORITY);
    let priority = problems.take("priority", priority);
    let download = problems.take("download", Adjust::parse(form.text("download")));
    let upload = problems.take("upload", Adjust::parse(form.text("upload")));
    if (download, upload) == (Some(Adjust::Unchanged), Some(Adjust::Unchanged)) {
        let text = "A rule changes at least one direction";
        problems.add("download", Invalid::new(text));
    }
    let window = window(form, problems);
    let from = problems.take("first_day", optional(form.text("first_day"), Day::parse));
    let until = problems.take("last_day", optional(form.text("last_day"), Day::parse));
    if let (Some(Some(first)), Some(Some(last))) = (from, until)
        && last < first
    {
        problems.add("last_day", Invalid::new("Not before the first day"));
    }
    let plans = plans(app, form, problems);
    let subscribers = subscribers(app, form, problems)?;
    if !problems.is_empty() {
        return Ok(None);
    }
    // Each field that is missing here has noted its problem.
    let rule = || {
        Some(BandwidthRule {
            id: RuleId(0),
            name: name?,
            enabled: form.has("enabled"),
            window: window?,
            from: from?,
            until: until?,
            priority: priority?,
            download: download?,
            upload: upload?,
            plans: plans?,
            subscribers: subscribers?,
        })
    };
    Ok(rule())
}

/// Both times, or neither for whole days.
fn window(form: &FormData, problems: &mut Problems) -> Option<Window> {
    let days = problems.take("days", Window::parse_days(form.text("days")));
    let is_whole = ["from", "to"]
        .iter()
        .all(|name| form.text(name).trim().is_empty());
    let mut minutes = |name: &str| match is_whole {
        true => Some(0),
        false => {
            let minutes = parse_minutes(form.text(name));
            let text = "A time such as 18:00; both, or neither for the whole day";
            problems.take(name, minutes.ok_or_else(|| Invalid::new(text)))
        }
    };
    let (start, end) = (minutes("from"), minutes("to"));
    Some(Window {
        weekdays: days?,
        start: start?,
        end: end?,
    })
}

fn plans(app: &App, form: &FormData, problems: &mut Problems) -> Option<Vec<PlanId>> {
    let mut found = Vec::new();
    for text in form.all("plans") {
        match text.parse().ok().and_then(|id| app.plan(PlanId(id))) {
            Some(plan) => found.push(plan.id),
            None => {
                return problems.take("plans", Err(Invalid::new("A plan is gone. Choose again")));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// User names, one a line, as subscribers.
fn subscribers(
    app: &App,
    form: &FormData,
    problems: &mut Problems,
) -> Result<Option<Vec<SubscriberId>>, Failure> {
    let typed = text::paragraph(form.text("subscribers"), LONGEST_LIST);
    let Some(typed) = problems.take("subscribers", typed) else {
        return Ok(None);
    };
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Result<Vec<Username>, Invalid> = lines
        .map(|line| Username::parse(line).map_err(|why| Invalid::new(format!("{line}: {why}"))))
        .collect();
    let names = names.and_then(|names| match names.len() > MOST_NAMED {
        true => Err(Invalid::new(format!("At most {MOST_NAMED} user names"))),
        false => Ok(names),
    });
    let Some(names) = problems.take("subscribers", names) else {
        return Ok(None);
    };
    let mut found = problems.absorb(verbs::named(app, &names))?;
    if let Some(found) = &mut found {
        found.sort_unstable();
        found.dedup();
    }
    Ok(found)
}
