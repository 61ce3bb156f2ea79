//! The one-time link of the installer, which makes the first operator, and what is said where it does not work.

use askama::Template;
use axum::extract::Query as Asked;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::operator::{check_password, parse_name};
use crate::operations::{operators, setup};
use crate::web::cookies;
use crate::web::error::Reply;
use crate::web::extract::{Visitor, VisitorForm};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::Field;
use crate::web::query::Query;
use crate::web::shell::{Bare, Theme};

/// `GET /setup?token=`, and `POST` with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/link.html")]
pub struct LinkPage {
    pub shell: Bare,
    /// Address of this page, token included.
    pub action: String,
    pub refusal: Option<String>,
    pub name: Field,
    pub password: Field,
    pub password_again: Field,
}

/// Every page while there is no operator (503), and the answer to a link that does not work (403).
#[derive(Template)]
#[template(path = "pages/setup/needed.html")]
pub struct NeededPage {
    pub shell: Bare,
    pub text: String,
    /// What makes a new link, or empty when the way in is to sign in.
    pub command: &'static str,
}

/// The command that prints a setup link.
const COMMAND: &str = "proxpanel setup";

/// What every page says while nobody can sign in.
pub fn needed(theme: Theme) -> Response {
    let view = NeededPage {
        shell: Bare {
            title: "Not set up yet".to_owned(),
            theme,
            ..Bare::default()
        },
        text: "Nobody can sign in before the first operator is made.".to_owned(),
        command: COMMAND,
    };
    Page::with_status(StatusCode::SERVICE_UNAVAILABLE, view).into_response()
}

pub async fn show(visitor: Visitor, Asked(asked): Asked<Vec<(String, String)>>) -> Reply {
    let token = token_of(&asked);
    if !setup::is_valid(visitor.app(), token)? {
        return Ok(closed(&visitor)?);
    }
    let (form, problems) = (FormData::default(), Problems::default());
    let view = page(&visitor, token, &form, &problems);
    Ok(visitor.with_token(Page::ok(view).into_response()))
}

pub async fn create(
    Asked(asked): Asked<Vec<(String, String)>>,
    VisitorForm { visitor, form }: VisitorForm,
) -> Reply {
    let token = token_of(&asked);
    if !setup::is_valid(visitor.app(), token)? {
        return Ok(closed(&visitor)?);
    }
    let mut problems = Problems::default();
    let app = visitor.app();
    let address = visitor.client.address.clone();
    let operator = match read(&form, &mut problems) {
        None => None,
        Some((name, password)) => {
            let made = setup::complete(app, token, &address, &name, password).await;
            problems.absorb(made)?
        }
    };
    let Some(operator) = operator else {
        let view = page(&visitor, token, &form, &problems);
        return Ok(visitor.with_token(Page::unprocessable(view).into_response()));
    };
    let signed_in = operators::let_in(app, operator, address, visitor.user_agent.clone()).await?;
    let mut response = Redirect::to("/setup/operator").into_response();
    let is_https = visitor.client.is_https;
    cookies::set_session(&mut response, signed_in.token.expose(), is_https);
    cookies::remove(&mut response, cookies::VISITOR, is_https);
    Ok(response)
}

fn token_of(asked: &[(String, String)]) -> &str {
    asked
        .iter()
        .find(|(name, _)| name == "token")
        .map_or("", |(_, token)| token)
}

fn read(form: &FormData, problems: &mut Problems) -> Option<(String, Secret<String>)> {
    let password = form.text("password");
    let name = problems.take("name", parse_name(form.text("name")));
    problems.take("password", check_password(password));
    if password != form.text("password_again") {
        problems.add("password_again", Invalid::new("The two passwords differ"));
    }
    match problems.is_empty() {
        true => Some((name?, Secret::new(password.to_owned()))),
        false => None,
    }
}

fn page(visitor: &Visitor, token: &str, form: &FormData, problems: &Problems) -> LinkPage {
    LinkPage {
        shell: visitor.bare("Welcome"),
        action: Query::new().with("token", token).href("/setup"),
        refusal: problems.refusal(),
        name: problems.field(form, "name"),
        password: problems.secret("password"),
        password_again: problems.secret("password_again"),
    }
}

/// What a link says that was used, replaced or mistyped.
fn closed(visitor: &Visitor) -> Result<Response, crate::operations::Error> {
    let is_needed = setup::is_needed(visitor.app())?;
    let view = NeededPage {
        shell: visitor.bare("This link does not work"),
        text: match is_needed {
            true => "It was replaced by a newer one, or is incomplete.".to_owned(),
            false => "It was used already: the first operator is there.".to_owned(),
        },
        command: if is_needed { COMMAND } else { "" },
    };
    Ok(Page::with_status(StatusCode::FORBIDDEN, view).into_response())
}
