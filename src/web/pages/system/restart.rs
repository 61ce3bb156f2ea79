//! Starting the appliance anew: the question, the form, and the page that waits until it is back.

use askama::Template;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::health;
use crate::domain::time::Timestamp;
use crate::operations::restart as verb;
use crate::web::error::{Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};

/// `GET /system/restart`: the question.
#[derive(Template)]
#[template(path = "pages/system/restart.html")]
pub struct RestartPage {
    pub shell: Shell,
    pub configuration: String,
    pub back: &'static str,
}

/// The answer to `POST /system/restart`, which goes on by itself.
#[derive(Template)]
#[template(path = "pages/system/restarting.html")]
pub struct RestartingPage {
    pub shell: Shell,
    /// Leads on once the appliance was started after the form was sent.
    pub wait_href: String,
    pub next: &'static str,
}

const WAIT: &str = "/system/restarting";

pub async fn ask_restart(Administrator(signed): Administrator) -> Reply {
    let page = RestartPage {
        shell: signed.shell("Restart", Nav::System),
        configuration: signed.app().config.source.file().display().to_string(),
        back: health::PATH,
    };
    Ok(Page::ok(page).into_response())
}

/// The page comes with the answer, because the next request finds nobody for a moment.
pub async fn restart(Change { signed, .. }: Change) -> Reply {
    verb::restart(signed.app(), &signed.actor()).await?;
    Ok(Page::ok(waiting(&signed, signed.app().now())).into_response())
}

/// `GET /system/restarting?since=`: asked by the waiting page every second.
pub async fn wait_for_restart(signed: Signed) -> Reply {
    let since = Query::read(&signed.here, &["since"]).number("since");
    match since.map(Timestamp) {
        None => Ok(signed.htmx.redirect(health::PATH)),
        Some(since) if signed.app().started_at > since => {
            let flash = Flash::good("The appliance was started anew.");
            Ok(done(&signed, flash, health::PATH))
        }
        // The one that stops answers to the end; nothing on the page changes.
        Some(_) if signed.htmx.wants_partial => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(since) => Ok(Page::ok(waiting(&signed, since)).into_response()),
    }
}

fn waiting(signed: &Signed, since: Timestamp) -> RestartingPage {
    let query = Query::new().with("since", &since.0.to_string());
    RestartingPage {
        shell: signed.shell("Restarting", Nav::System),
        wait_href: query.href(WAIT),
        next: health::PATH,
    }
}
