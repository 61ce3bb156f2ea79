//! The simulator: what a subscriber or a plan gets at some moment, and why. A GET form, so that an answer has an address.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::operations::blocking;
use crate::operations::simulator::{self, Answer, Asked, Change, FIELDS};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Field, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::Words;

/// `GET /simulator`.
#[derive(Template)]
#[template(path = "pages/simulator/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub subscriber: Field,
    pub plan: Select,
    /// The moment as the browser writes it, `2026-12-31T18:30`.
    pub at: Field,
    pub today: Field,
    pub month: Field,
    pub term: Field,
    pub expires: Field,
    pub answer: Option<AnswerPart>,
}

/// What came out, below the form.
#[derive(Template, Clone, Default)]
#[template(path = "pages/simulator/_answer.html")]
pub struct AnswerPart {
    pub title: String,
    pub login: Badge,
    pub facts: Vec<Fact>,
    pub steps: Vec<String>,
    pub changes: Vec<Change>,
    /// Attributes, one a line.
    pub reply: String,
}

pub async fn show(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &FIELDS);
    let asked = asked(&query);
    let mut problems = Problems::default();
    let mut answer = None;
    if asked != Asked::default() {
        let app = Arc::clone(&signed.panel.app);
        let found = blocking(move || answered(&app, &asked)).await??;
        match found {
            Ok(found) => answer = Some(part(found)),
            Err(list) => {
                for (field, problem) in list {
                    problems.add(field, problem);
                }
            }
        }
    }
    let words = Words::of(signed.app());
    let field = |name: &str| Field {
        value: query.get(name).to_owned(),
        error: problems.of(name),
    };
    let page = ShowPage {
        shell: signed.shell("Simulator", Nav::Simulator),
        subscriber: field("subscriber"),
        plan: problems.select(
            "plan",
            words.plan_choices("The subscriber's", query.get("plan")),
        ),
        at: field("at"),
        today: field("today"),
        month: field("month"),
        term: field("term"),
        expires: field("expires"),
        answer,
    };
    Ok(Page::ok(page).into_response())
}

fn asked(query: &Query) -> Asked {
    let text = |name: &str| query.get(name).to_owned();
    Asked {
        subscriber: text("subscriber"),
        plan: text("plan"),
        at: text("at"),
        today: text("today"),
        month: text("month"),
        term: text("term"),
        expires: text("expires"),
    }
}

type Answered = Result<Answer, Vec<simulator::Problem>>;

fn answered(app: &App, asked: &Asked) -> Result<Answered, Failure> {
    Ok(match simulator::read(app, asked)? {
        Ok(question) => Ok(simulator::answer(app, &question)?),
        Err(problems) => Err(problems),
    })
}

fn part(answer: Answer) -> AnswerPart {
    let who = match answer.subscriber.is_empty() {
        true => format!("Plan {}", answer.plan),
        false => format!("{}, plan {}", answer.subscriber, answer.plan),
    };
    let mut facts = vec![
        Fact::new("Speed", &answer.speed),
        Fact::new(
            "Session-Timeout",
            answer
                .session_timeout
                .map_or_else(|| "none".to_owned(), |seconds| format!("{seconds} s")),
        ),
    ];
    let mut add = |label: &str, value: &str| {
        if !value.is_empty() {
            facts.push(Fact::new(label, value));
        }
    };
    add("Quota", &answer.quota);
    add("Used", &answer.used.join(", "));
    add("Free hours", &answer.free_hours);
    AnswerPart {
        title: format!("{who}, {}", answer.at),
        login: match answer.is_accepted {
            true => Badge::new(Tone::Good, "Login accepted"),
            false => Badge::new(Tone::Bad, format!("Rejected: {}", answer.reason)),
        },
        facts,
        steps: answer.steps,
        changes: answer.changes,
        reply: answer.reply.join("\n"),
    }
}
