//! First run: the one-time link of the installer makes the first operator.

use askama::Template;
use axum::extract::Query as Asked;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::DAY_STARTS;
use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::money::Currency;
use crate::domain::operator::{check_password, parse_name};
use crate::domain::text;
use crate::domain::time::{Calendar, zone_names};
use crate::operations::demo;
use crate::operations::setup::FirstRun;
use crate::operations::{operators, setup};
use crate::web::cookies;
use crate::web::error::Reply;
use crate::web::extract::{Signed, Visitor, VisitorForm};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Fact, Field};
use crate::web::query::Query;
use crate::web::shell::{Bare, Theme};

/// `GET /setup?token=`, and `POST` with errors.
#[derive(Template)]
#[template(path = "pages/setup/show.html")]
pub struct ShowPage {
    pub shell: Bare,
    /// Address of this page, token included.
    pub action: String,
    pub refusal: Option<String>,
    pub isp_name: Field,
    /// IANA name of the time zone.
    pub time_zone: Field,
    /// Names offered while typing.
    pub time_zones: Vec<String>,
    /// ISO 4217 code of new plans.
    pub currency: Field,
    pub name: Field,
    pub password: Field,
    pub password_again: Field,
}

/// `GET /setup/done`: after setup, what the router needs to know.
#[derive(Template)]
#[template(path = "pages/setup/done.html")]
pub struct DonePage {
    pub shell: Bare,
    /// Addresses and ports for the router.
    pub facts: Vec<Fact>,
    /// A line to paste that authenticates somebody, or empty.
    pub try_it: String,
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

/// Characters of the network's name.
pub(super) const LONGEST_NAME: usize = 60;

pub async fn show(visitor: Visitor, Asked(asked): Asked<Vec<(String, String)>>) -> Reply {
    let token = token_of(&asked);
    if !setup::is_valid(visitor.app(), token)? {
        return Ok(closed(&visitor)?);
    }
    let form = FormData::default();
    let view = ShowPage {
        currency: Field::new("USD"),
        ..filled(&visitor, token, &form, &Problems::default(), None)
    };
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
    let again = |problems: &Problems, refusal| {
        let view = filled(&visitor, token, &form, problems, refusal);
        Ok(visitor.with_token(Page::unprocessable(view).into_response()))
    };
    let Some(first) = read(&form, &mut problems) else {
        return again(&problems, None);
    };
    let app = visitor.app();
    let address = visitor.client.address.clone();
    let operator = match setup::complete(app, token, &address, first).await {
        Ok(operator) => operator,
        Err(error) => {
            let refusal = problems.absorb(error)?;
            return again(&problems, refusal);
        }
    };
    let signed_in = operators::let_in(app, operator, address, visitor.user_agent.clone()).await?;
    let mut response = Redirect::to("/setup/done").into_response();
    let is_https = visitor.client.is_https;
    cookies::set_session(&mut response, signed_in.token.expose(), is_https);
    cookies::remove(&mut response, cookies::VISITOR, is_https);
    Ok(response)
}

pub async fn done(signed: Signed, visitor: Visitor) -> Reply {
    let app = signed.app();
    let listening = app.listening();
    let try_it = match listening.auth.first() {
        Some(server) if demo::is_present(app)? => {
            format!("proxpanel {}", demo::login_command(*server))
        }
        _ => String::new(),
    };
    let ports = |listeners: &[std::net::SocketAddr]| {
        let mut ports: Vec<String> = listeners
            .iter()
            .map(|listener| format!("UDP {}", listener.port()))
            .collect();
        ports.dedup();
        ports.join(", ")
    };
    let facts = vec![
        // The address under which the browser found the panel is the best guess of what routers can reach.
        Fact::new("RADIUS server", &visitor.host).copyable(),
        Fact::new("Authentication", ports(&listening.auth)),
        Fact::new("Accounting", ports(&listening.acct)),
        Fact::new("CoA, on the router", "UDP 3799"),
    ];
    Ok(Page::ok(DonePage {
        shell: visitor.bare("Ready"),
        facts,
        try_it,
    })
    .into_response())
}

fn token_of(asked: &[(String, String)]) -> &str {
    asked
        .iter()
        .find(|(name, _)| name == "token")
        .map_or("", |(_, token)| token)
}

fn read(form: &FormData, problems: &mut Problems) -> Option<FirstRun> {
    let isp_name =
        text::line(form.text("isp_name"), LONGEST_NAME).and_then(|name| match name.as_str() {
            "" => Err(Invalid::new("A name is needed")),
            _ => Ok(name),
        });
    let time_zone = form.text("time_zone").trim().to_owned();
    let password = form.text("password");
    let isp_name = problems.take("isp_name", isp_name);
    problems.take("time_zone", Calendar::new(&time_zone, DAY_STARTS));
    let currency = problems.take("currency", Currency::parse(form.text("currency")));
    let operator_name = problems.take("name", parse_name(form.text("name")));
    problems.take("password", check_password(password));
    if password != form.text("password_again") {
        problems.add("password_again", Invalid::new("The two passwords differ"));
    }
    if !problems.is_empty() {
        return None;
    }
    let password = Secret::new(password.to_owned());
    Some(FirstRun {
        isp_name: isp_name?,
        time_zone,
        currency: currency?,
        operator_name: operator_name?,
        password,
    })
}

fn filled(
    visitor: &Visitor,
    token: &str,
    form: &FormData,
    problems: &Problems,
    refusal: Option<String>,
) -> ShowPage {
    ShowPage {
        shell: visitor.bare("Setup"),
        action: Query::new().with("token", token).href("/setup"),
        refusal,
        isp_name: problems.field(form, "isp_name"),
        time_zone: problems.field(form, "time_zone"),
        time_zones: zone_names(),
        currency: problems.field(form, "currency"),
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
            false => "It was used already: the appliance is set up.".to_owned(),
        },
        command: if is_needed { COMMAND } else { "" },
    };
    Ok(Page::with_status(StatusCode::FORBIDDEN, view).into_response())
}
