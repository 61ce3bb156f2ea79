//! Who asks and what for: extractors that handlers name in their arguments. What they let through may be trusted.
//!
//! `Signed` for pages, `Administrator` for those that only administrators may see, `Work` for forms of the daily work, `Change`
//! for all other forms that change something, `Own` for forms about the operator's own account, `Visitor` and `VisitorForm` for
//! the pages before sign-in. Invariants: no form gets to a handler without its token, and who must set up a second factor gets
//! to nothing else.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::crypto;
use crate::domain::audit::Actor;
use crate::domain::operator::Role;
use crate::operations::operators::{self, CurrentLogin, Throttle};
use crate::operations::setup;
use crate::web::alerts;
use crate::web::client::{Client, came_from, here};
use crate::web::error::Failure;
use crate::web::form::FormData;
use crate::web::htmx::Htmx;
use crate::web::pages::setup as setup_pages;
use crate::web::query::Query;
use crate::web::shell::{Bare, Flash, Nav, Shell, Theme};
use crate::web::{cookies, csrf};

/// What all handlers share.
#[derive(Clone)]
pub struct Panel {
    pub app: Arc<App>,
    pub throttle: Arc<Throttle>,
}

/// A request of a signed-in operator.
pub struct Signed {
    pub panel: Panel,
    pub current: CurrentLogin,
    pub theme: Theme,
    pub htmx: Htmx,
    /// Path and query of this request.
    pub here: String,
    /// The page from which the browser came.
    pub back: String,
    /// IP address of the browser.
    pub address: String,
    pub is_https: bool,
    /// The outcome of the previous form.
    pub flash: Option<Flash>,
}

impl Signed {
    pub fn app(&self) -> &App {
        &self.panel.app
    }

    /// The operator as the audit log names it.
    pub fn actor(&self) -> Actor {
        let operator = &self.current.operator;
        Actor::Operator {
            id: operator.id,
            name: operator.name.clone(),
            address: self.address.clone(),
        }
    }

    pub fn may_change(&self) -> bool {
        self.current.operator.role.may_change()
    }

    pub fn may_work(&self) -> bool {
        self.current.operator.role.may_work()
    }

    /// The frame of a page.
    pub fn shell(&self, title: &str, nav: Nav) -> Shell {
        Shell {
            title: title.to_owned(),
            nav,
            operator: self.current.operator.name.clone(),
            theme: self.theme,
            may_change: self.may_change(),
            may_work: self.may_work(),
            csrf: self.current.login.csrf.clone(),
            here: self.here.clone(),
            search: String::new(),
            flash: self.flash.clone(),
            alerts: alerts::of(self.app()),
        }
    }

    /// The frame of a page without a menu.
    pub fn bare(&self, title: &str) -> Bare {
        Bare {
            title: title.to_owned(),
            theme: self.theme,
            csrf: self.current.login.csrf.clone(),
            flash: self.flash.clone(),
        }
    }
}

impl FromRequestParts<Panel> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Self, Response> {
        let Ok(htmx) = Htmx::from_request_parts(parts, panel).await;
        match current(&parts.headers, panel)
            .await
            .map_err(IntoResponse::into_response)?
        {
            Some(current) if current.must_enrol && !may_enrol(parts.uri.path()) => {
                Err(htmx.redirect(ENROL))
            }
            Some(current) => {
                let client = Client::of(parts, &panel.app.config.web.trusted_proxies);
                Ok(Signed {
                    panel: panel.clone(),
                    current,
                    theme: cookies::theme(&parts.headers, panel.app.settings().theme),
                    htmx,
                    here: here(&parts.uri),
                    back: came_from(&parts.headers),
                    address: client.address,
                    is_https: client.is_https,
                    flash: cookies::flash(&parts.headers),
                })
            }
            None => Err(must_sign_in(parts, panel, &htmx)),
        }
    }
}

/// Where an operator goes who must set up a second factor before anything else.
const ENROL: &str = "/account/second-factor";

/// What such an operator may use: setting it up, and leaving.
fn may_enrol(path: &str) -> bool {
    path.starts_with(ENROL) || path == "/logout" || path == "/account/theme"
}

async fn current(headers: &HeaderMap, panel: &Panel) -> Result<Option<CurrentLogin>, Failure> {
    match cookies::read(headers, cookies::SESSION) {
        Some(token) => Ok(operators::current(&panel.app, &token).await?),
        None => Ok(None),
    }
}

/// Where a browser goes that is not signed in: htmx reloads the page at a 401, and the page leads to the sign-in.
fn must_sign_in(parts: &Parts, panel: &Panel, htmx: &Htmx) -> Response {
    match setup::is_needed(&panel.app) {
        Ok(true) => setup_pages::needed(cookies::theme(&parts.headers, panel.app.settings().theme)),
        Ok(false) if htmx.wants_partial => StatusCode::UNAUTHORIZED.into_response(),
        Ok(false) => {
            let next = if parts.method == Method::GET {
                here(&parts.uri)
            } else {
                came_from(&parts.headers)
            };
            let next = if next == "/" { String::new() } else { next };
            Redirect::to(&Query::new().with("next", &next).href("/login")).into_response()
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

/// A form of the signed-in operator about the own account. No Debug: it may hold a password.
pub struct Own {
    pub signed: Signed,
    pub form: FormData,
}

impl FromRequest<Panel> for Own {
    type Rejection = Response;

    async fn from_request(request: Request, panel: &Panel) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, panel).await?;
        let form = checked(Request::from_parts(parts, body), &signed.current.login.csrf).await;
        Ok(Own {
            signed,
            form: form.map_err(IntoResponse::into_response)?,
        })
    }
}

/// What can be done whatever the licence says: these lead out, or keep the machine and its data. Of the first run the steps that
/// are settings; the others make a NAS, a plan and a subscriber.
const BEYOND_LICENCE: [&str; 8] = [
    "/settings/",
    "/system/",
    "/account/",
    "/operators",
    "/setup/network",
    "/setup/backups",
    "/setup/skip",
    "/setup/dismiss",
];

/// Refuses a form that the licence does not allow now.
pub(super) fn licensed(panel: &Panel, path: &str) -> Result<(), Failure> {
    let is_free = BEYOND_LICENCE.iter().any(|free| path.starts_with(free));
    if is_free || panel.app.licence().allows_changes() {
        return Ok(());
    }
    let text = "The licence does not allow changes now; Settings, Licence says why. Subscribers sign in as before.";
    Err(Failure::Refused(text.to_owned()))
}

/// A request for a page that only administrators may see.
pub struct Administrator(pub Signed);

impl FromRequestParts<Panel> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Self, Response> {
        let signed = Signed::from_request_parts(parts, panel).await?;
        match signed.may_change() {
            true => Ok(Administrator(signed)),
            false => Err(forbidden(&signed)),
        }
    }
}

/// What somebody reads who may not do a thing.
fn forbidden(signed: &Signed) -> Response {
    let text = match signed.current.operator.role {
        Role::Support => "Remote support may not do this. Ask an administrator of the network.",
        _ => "Your account may look at everything and change nothing. Ask an administrator.",
    };
    Failure::Forbidden(text.to_owned()).into_response()
}

/// A form of the daily work: on subscribers, plans, rules, addresses, CDN profiles, sessions and jobs. No Debug: it may hold a
/// password.
pub struct Work {
    pub signed: Signed,
    pub form: FormData,
}

impl FromRequest<Panel> for Work {
    type Rejection = Response;

    async fn from_request(request: Request, panel: &Panel) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let Own { signed, form } = Own::from_request(request, panel).await?;
        licensed(panel, &path).map_err(IntoResponse::into_response)?;
        match signed.may_work() {
            true => Ok(Work { signed, form }),
            false => Err(forbidden(&signed)),
        }
    }
}

/// A form of an administrator: everything that is not daily work. No Debug: it may hold a password.
pub struct Change {
    pub signed: Signed,
    pub form: FormData,
}

impl FromRequest<Panel> for Change {
    type Rejection = Response;

    async fn from_request(request: Request, panel: &Panel) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let Own { signed, form } = Own::from_request(request, panel).await?;
        licensed(panel, &path).map_err(IntoResponse::into_response)?;
        match signed.may_change() {
            true => Ok(Change { signed, form }),
            false => Err(forbidden(&signed)),
        }
    }
}

/// Reads a form whose hidden field must hold `token`.
async fn checked(request: Request, token: &str) -> Result<FormData, Failure> {
    refuse_foreign(request.headers())?;
    let form = FormData::read(request).await?;
    refuse_old(form.text(csrf::FIELD), token)?;
    Ok(form)
}

/// Refuses what another site made the browser send.
pub(super) fn refuse_foreign(headers: &HeaderMap) -> Result<(), Failure> {
    match csrf::is_foreign(headers) {
        true => Err(Failure::Forbidden(
            "This form was sent from another site. Nothing was done.".to_owned(),
        )),
        false => Ok(()),
    }
}

/// Refuses a form that does not repeat the token that its page must have had.
pub(super) fn refuse_old(sent: &str, token: &str) -> Result<(), Failure> {
    if csrf::fits(sent, token) {
        return Ok(());
    }
    let text = "This form is too old, or the browser keeps no cookies. Open the page again. Nothing was done.";
    Err(Failure::Forbidden(text.to_owned()))
}

/// A request of a browser that need not be signed in.
pub struct Visitor {
    pub panel: Panel,
    pub client: Client,
    pub user_agent: String,
    /// The host by which the browser knows this panel, without the port.
    pub host: String,
    /// What names a browser that owes the code of its second factor; empty for all others.
    pub code: String,
    theme: Theme,
    flash: Option<Flash>,
    csrf: String,
}

impl Visitor {
    pub fn app(&self) -> &App {
        &self.panel.app
    }

    /// The frame of a page without a menu.
    pub fn bare(&self, title: &str) -> Bare {
        Bare {
            title: title.to_owned(),
            theme: self.theme,
            csrf: self.csrf.clone(),
            flash: self.flash.clone(),
        }
    }

    /// Gives the browser the token that its next form must repeat.
    pub fn with_token(&self, mut response: Response) -> Response {
        cookies::set_visitor(&mut response, &self.csrf, self.client.is_https);
        response
    }
}

impl FromRequestParts<Panel> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Self, Failure> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let csrf = match cookies::read(&parts.headers, cookies::VISITOR)
            .filter(|token| is_token(token))
        {
            Some(known) => known,
            None => crypto::random_token().map_err(|error| Failure::Fault(error.to_string()))?,
        };
        let host = text("host");
        Ok(Visitor {
            panel: panel.clone(),
            client: Client::of(parts, &panel.app.config.web.trusted_proxies),
            user_agent: text("user-agent").to_owned(),
            host: host
                .rsplit_once(':')
                .filter(|(_, port)| !port.ends_with(']'))
                .map_or(host, |(name, _)| name)
                .to_owned(),
            code: cookies::read(&parts.headers, cookies::CODE).unwrap_or_default(),
            theme: cookies::theme(&parts.headers, panel.app.settings().theme),
            flash: cookies::flash(&parts.headers),
            csrf,
        })
    }
}

/// Whether a cookie holds a token that we could have made (`crypto::random_token`).
fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A form of a browser that is not signed in. Its field must repeat the cookie, which no other site can read or set.
pub struct VisitorForm {
    pub visitor: Visitor,
    pub form: FormData,
}

impl FromRequest<Panel> for VisitorForm {
    type Rejection = Failure;

    async fn from_request(request: Request, panel: &Panel) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        // Without the cookie the visitor has a fresh token, which no form can repeat.
        let visitor = Visitor::from_request_parts(&mut parts, panel).await?;
        let form = checked(Request::from_parts(parts, body), &visitor.csrf).await?;
        Ok(VisitorForm { visitor, form })
    }
}
