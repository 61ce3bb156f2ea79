//! Behind the steps: what is still open, and what is worth doing next.

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::demo;
use crate::operations::operators;
use crate::web::error::Reply;
use crate::web::extract::Administrator;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::shell::Bare;

use super::{Frame, StepLink, frame};

/// `GET /setup/done`.
#[derive(Template)]
#[template(path = "pages/setup/done.html")]
pub struct DonePage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    /// Titles and addresses of the steps that are neither done nor skipped.
    pub open: Vec<StepLink>,
    pub next: Vec<NextStep>,
    /// A line to paste that authenticates somebody, or empty.
    pub try_it: String,
}

#[derive(Clone, Default)]
pub struct NextStep {
    pub href: &'static str,
    pub title: &'static str,
    pub text: &'static str,
}

const NEXT: [NextStep; 5] = [
    NextStep {
        href: "/plans",
        title: "Quotas and fair use",
        text: "What your plans give beyond a speed, and more plans.",
    },
    NextStep {
        href: "/settings/certificate",
        title: "A certificate for the panel",
        text: "For a name of your own, so that browsers do not warn.",
    },
    NextStep {
        href: "/operators",
        title: "Operators",
        text: "An account for each of your people.",
    },
    NextStep {
        href: "/settings/backups",
        title: "Backups on another machine",
        text: "So that they do not die with this one.",
    },
    NextStep {
        href: FACTOR,
        title: "A second factor",
        text: "A password that was seen is then not enough.",
    },
];
const FACTOR: &str = "/account/second-factor";

pub async fn done(Administrator(signed): Administrator) -> Reply {
    let app = signed.app();
    let Frame { mut shell, steps } = frame(&signed, "Ready", None)?;
    let open: Vec<StepLink> = steps
        .iter()
        .filter(|step| !step.is_done && !step.is_skipped)
        .cloned()
        .collect();
    if !open.is_empty() {
        shell.title = "Almost ready".to_owned();
    }
    let has_factor = operators::factor_state(app, signed.current.operator.id)?.is_some();
    let try_it = match app.listening().auth.first() {
        Some(server) if demo::is_present(app)? => {
            format!("proxpanel {}", demo::login_command(*server))
        }
        _ => String::new(),
    };
    let next = NEXT
        .into_iter()
        .filter(|next| !(has_factor && next.href == FACTOR));
    let page = DonePage {
        shell,
        steps,
        open,
        next: next.collect(),
        try_it,
    };
    Ok(Page::ok(page).into_response())
}
