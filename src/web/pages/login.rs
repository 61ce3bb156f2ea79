//! Signing in and out.

use askama::Template;
use axum::extract::Query as Asked;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::crypto::Secret;
use crate::operations::operators::{Entry, SignedIn};
use crate::operations::{self, operators, setup};
use crate::web::client::local_path;
use crate::web::cookies;
use crate::web::error::Reply;
use crate::web::extract::{Own, Signed, Visitor, VisitorForm};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::setup as setup_pages;
use crate::web::parts::Field;
use crate::web::query::Query;
use crate::web::shell::{Bare, Flash};

/// `GET /login`, and `POST /login` when it is refused (422) or throttled (429).
#[derive(Template)]
#[template(path = "pages/login/show.html")]
pub struct ShowPage {
    pub shell: Bare,
    pub name: Field,
    /// One sentence above the form; never says whether the name exists.
    pub refusal: Option<String>,
    /// Where to go afterwards: a path of this panel.
    pub next: String,
}

/// `GET /login/code`, and `POST /login/code` when it is refused (422) or throttled (429).
#[derive(Template)]
#[template(path = "pages/login/code.html")]
pub struct CodePage {
    pub shell: Bare,
    pub code: Field,
    /// Where to go afterwards: a path of this panel.
    pub next: String,
}

fn next_of(asked: &[(String, String)]) -> &str {
    asked
        .iter()
        .find(|(name, _)| name == "next")
        .and_then(|(_, text)| local_path(text))
        .unwrap_or("/")
}

pub async fn show(
    visitor: Visitor,
    signed: Result<Signed, Response>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Reply {
    let next = next_of(&asked);
    if signed.is_ok() {
        return Ok(Redirect::to(next).into_response());
    }
    if setup::is_needed(visitor.app())? {
        return Ok(setup_pages::needed(visitor.bare("").theme));
    }
    let view = ShowPage {
        shell: visitor.bare("Sign in"),
        name: Field::default(),
        refusal: None,
        next: next.to_owned(),
    };
    Ok(visitor.with_token(Page::ok(view).into_response()))
}

pub async fn create(VisitorForm { visitor, form }: VisitorForm) -> Reply {
    let next = local_path(form.text("next")).unwrap_or("/").to_owned();
    let name = form.text("name").trim().to_owned();
    let password = Secret::new(form.text("password").to_owned());
    let (address, user_agent) = (visitor.client.address.clone(), visitor.user_agent.clone());
    let panel = &visitor.panel;
    let (status, refusal) = match operators::sign_in(
        &panel.app,
        &panel.throttle,
        &name,
        password,
        address,
        user_agent,
    )
    .await
    {
        Ok(Entry::In(signed_in)) => return Ok(entered(&visitor, &next, &signed_in)),
        Ok(Entry::Code(token)) => {
            let mut response = Redirect::to(&code_path(&next)).into_response();
            cookies::set_code(&mut response, token.expose(), visitor.client.is_https);
            return Ok(response);
        }
        Err(operations::Error::Refused(text)) => (StatusCode::UNPROCESSABLE_ENTITY, text),
        Err(error @ operations::Error::Throttled) => {
            (StatusCode::TOO_MANY_REQUESTS, error.to_string())
        }
        Err(other) => return Err(other.into()),
    };
    let view = ShowPage {
        shell: visitor.bare("Sign in"),
        name: Field::new(name),
        refusal: Some(format!("{refusal}.")),
        next,
    };
    Ok(visitor.with_token(Page::with_status(status, view).into_response()))
}

/// Lets the browser in, and forgets what it needed on the way.
fn entered(visitor: &Visitor, next: &str, signed_in: &SignedIn) -> Response {
    let mut response = Redirect::to(next).into_response();
    let is_https = visitor.client.is_https;
    cookies::set_session(&mut response, signed_in.token.expose(), is_https);
    for name in [cookies::VISITOR, cookies::CODE] {
        cookies::remove(&mut response, name, is_https);
    }
    response
}

fn code_path(next: &str) -> String {
    let next = if next == "/" { "" } else { next };
    Query::new().with("next", next).href("/login/code")
}

/// The second step, for a browser whose password was right.
pub async fn code(visitor: Visitor, Asked(asked): Asked<Vec<(String, String)>>) -> Reply {
    let next = next_of(&asked);
    let panel = &visitor.panel;
    if !operators::owes_code(&panel.app, &panel.throttle, &visitor.code) {
        return Ok(Redirect::to("/login").into_response());
    }
    let view = CodePage {
        shell: visitor.bare("Code"),
        code: Field::default(),
        next: next.to_owned(),
    };
    Ok(visitor.with_token(Page::ok(view).into_response()))
}

pub async fn confirm(VisitorForm { visitor, form }: VisitorForm) -> Reply {
    let next = local_path(form.text("next")).unwrap_or("/").to_owned();
    let (address, user_agent) = (visitor.client.address.clone(), visitor.user_agent.clone());
    let panel = &visitor.panel;
    let (app, throttle) = (&panel.app, &panel.throttle);
    let typed = form.text("code");
    let confirmed =
        operators::confirm(app, throttle, &visitor.code, typed, address, user_agent).await;
    let (status, refusal) = match confirmed {
        Ok(signed_in) => return Ok(entered(&visitor, &next, &signed_in)),
        Err(operations::Error::Missing(_)) => {
            let mut response = Redirect::to("/login").into_response();
            let flash = Flash::bad("That took too long, or too many codes were wrong. Begin anew.");
            cookies::set_flash(&mut response, &flash, visitor.client.is_https);
            cookies::remove(&mut response, cookies::CODE, visitor.client.is_https);
            return Ok(response);
        }
        Err(operations::Error::Refused(text)) => (StatusCode::UNPROCESSABLE_ENTITY, text),
        Err(error @ operations::Error::Throttled) => {
            (StatusCode::TOO_MANY_REQUESTS, error.to_string())
        }
        Err(other) => return Err(other.into()),
    };
    let view = CodePage {
        shell: visitor.bare("Code"),
        code: Field::wrong("", format!("{refusal}.")),
        next,
    };
    Ok(visitor.with_token(Page::with_status(status, view).into_response()))
}

pub async fn remove(Own { signed, .. }: Own) -> Reply {
    operators::sign_out(signed.app(), signed.current.token_hash).await?;
    let mut response = signed.htmx.redirect("/login");
    cookies::remove(&mut response, cookies::SESSION, signed.is_https);
    Ok(response)
}
