//! Settings, RADIUS: how long attempts are kept, and where the server listens, which the configuration file says.

use std::net::SocketAddr;

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::operations::settings::{self as verbs, LEAST_ATTEMPT_DAYS, MOST_ATTEMPT_DAYS};
use crate::store::auth_log::MOST_ATTEMPTS;
use crate::web::error::Reply;
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::parts::{Fact, Field, thousands};
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};

use super::saved;

const PATH: &str = "/settings/radius";

/// `GET /settings/radius`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/radius.html")]
pub struct RadiusPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub refusal: Option<String>,
    pub attempt_days: Field,
    /// What bounds the log besides its age, and what a change means.
    pub log_hint: String,
    /// From the configuration file.
    pub facts: Vec<Fact>,
    pub config_file: &'static str,
}

pub async fn show(signed: Signed) -> Reply {
    let days = signed.app().settings().attempt_days.to_string();
    let form = FormData::filled(vec![("attempt_days", days)]);
    Ok(Page::ok(page(&signed, &form, &Problems::default())).into_response())
}

pub async fn save(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let typed = number(
        form.text("attempt_days"),
        LEAST_ATTEMPT_DAYS,
        MOST_ATTEMPT_DAYS,
    );
    if let Some(days) = problems.take("attempt_days", typed) {
        let set = verbs::set_radius(signed.app(), &signed.actor(), days).await;
        if problems.absorb(set)?.is_some() {
            return Ok(saved(&signed, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)).into_response())
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> RadiusPage {
    RadiusPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        refusal: problems.refusal(),
        attempt_days: problems.field(form, "attempt_days"),
        log_hint: format!(
            "At most {} attempts are kept, however young. With fewer days, older ones go little by little with the next \
             attempts, and cannot be brought back.",
            thousands(MOST_ATTEMPTS)
        ),
        facts: facts(signed.app()),
        config_file: crate::config::DEFAULT_PATH,
    }
}

fn facts(app: &App) -> Vec<Fact> {
    let (listening, radius) = (app.listening(), &app.config.radius);
    let radsec = match listening.radsec.is_empty() {
        true => "Off".to_owned(),
        false => addresses(&listening.radsec),
    };
    let coa = radius
        .coa_bind
        .map_or_else(|| "Chosen by the system".to_owned(), |ip| ip.to_string());
    vec![
        Fact::new("Authentication, UDP", addresses(&listening.auth)).note("radius.auth_listen"),
        Fact::new("Accounting, UDP", addresses(&listening.acct)).note("radius.acct_listen"),
        Fact::new("RadSec, TCP", radsec).note("radius.radsec_listen"),
        Fact::new("CoA leaves from", coa).note("radius.coa_bind"),
        Fact::new("Threads for each listener", radius.threads.to_string()).note("radius.threads"),
    ]
}

fn addresses(listeners: &[SocketAddr]) -> String {
    let texts: Vec<String> = listeners.iter().map(SocketAddr::to_string).collect();
    texts.join(", ")
}
