//! Settings, Security: who needs a second factor, how long browsers stay signed in, and the limits that hold always.

use askama::Template;
use axum::response::IntoResponse;

use crate::app::{App, SignIn};
use crate::operations::operators::{BY_ACCOUNT, BY_ADDRESS, BY_CODE, Pace};
use crate::operations::settings::{self as verbs, MOST_IDLE_HOURS, MOST_LONGEST_DAYS};
use crate::web::error::Reply;
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::parts::{Fact, Field};
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};

use super::saved;

const PATH: &str = "/settings/security";

/// `GET /settings/security`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/security.html")]
pub struct SecurityPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub refusal: Option<String>,
    pub needs_factor: bool,
    pub idle_hours: Field,
    pub longest_days: Field,
    /// What cannot be set here.
    pub facts: Vec<Fact>,
    pub config_file: &'static str,
}

pub async fn show(signed: Signed) -> Reply {
    let sign_in = signed.app().settings().sign_in;
    let mut fields = vec![
        ("idle_hours", sign_in.idle_hours.to_string()),
        ("longest_days", sign_in.longest_days.to_string()),
    ];
    if sign_in.needs_factor {
        fields.push(("needs_factor", "on".to_owned()));
    }
    let form = FormData::filled(fields);
    Ok(Page::ok(page(&signed, &form, &Problems::default())).into_response())
}

pub async fn save(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let idle_hours = number(form.text("idle_hours"), 1, MOST_IDLE_HOURS);
    let longest_days = number(form.text("longest_days"), 1, MOST_LONGEST_DAYS);
    let idle_hours = problems.take("idle_hours", idle_hours);
    let longest_days = problems.take("longest_days", longest_days);
    if let Some((idle_hours, longest_days)) = idle_hours.zip(longest_days) {
        let new = SignIn {
            needs_factor: form.has("needs_factor"),
            idle_hours,
            longest_days,
        };
        let own = signed.current.operator.id;
        let set = verbs::set_security(signed.app(), &signed.actor(), own, new).await;
        if problems.absorb(set)?.is_some() {
            return Ok(saved(&signed, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)).into_response())
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> SecurityPage {
    SecurityPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        // A box has no place for its own problem.
        refusal: problems
            .refusal()
            .or_else(|| problems.of("needs_factor").map(|text| format!("{text}."))),
        needs_factor: form.has("needs_factor"),
        idle_hours: problems.field(form, "idle_hours"),
        longest_days: problems.field(form, "longest_days"),
        facts: facts(signed.app()),
        config_file: crate::config::DEFAULT_PATH,
    }
}

fn facts(app: &App) -> Vec<Fact> {
    let pace = |pace: Pace| {
        format!(
            "{} at once, then one every {} s",
            pace.burst, pace.every_seconds
        )
    };
    let proxies: Vec<String> = app
        .config
        .web
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    let proxies = match proxies.is_empty() {
        true => "None".to_owned(),
        false => proxies.join(", "),
    };
    vec![
        Fact::new("Sign-ins from one address", pace(BY_ADDRESS)),
        Fact::new("Passwords for one name", pace(BY_ACCOUNT)),
        Fact::new("Codes for one name", pace(BY_CODE)),
        Fact::new("Trusted proxies", proxies)
            .note("web.trusted_proxies: whose word on the browser's address is believed"),
    ]
}
