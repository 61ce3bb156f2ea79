//! Who is at the other end of the vendor's page: signing in and out, and forms that carry the token of their browser.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::crypto::{self, Secret};
use crate::vendor::VendorError;
use crate::vendor::api::Counter;
use crate::vendor::desk::Desk;
use crate::vendor::records::Who;
use crate::vendor::sign_in::Login;
use crate::vendor::throttle::Kind;
use crate::web::form::FormData;
use crate::web::page::Page;
use crate::web::shell::{Bare, Flash, Theme};
use crate::web::{cookies, csrf, filters};

/// Characters of the token that the form of a stranger repeats.
const TOKEN_LENGTH: usize = 64;

/// `GET /login`, and the post when it is refused (422) or throttled (429).
#[derive(Template)]
#[template(path = "vendor/sign_in.html")]
pub struct SignInPage {
    pub shell: Bare,
    pub refusal: Option<String>,
}

/// A browser that is signed in.
pub struct Signed {
    counter: Counter,
    login: Login,
    token: String,
    address: String,
    theme: Theme,
    flash: Option<Flash>,
}

impl Signed {
    pub(super) fn desk(&self) -> &Desk {
        &self.counter.desk
    }

    pub(super) fn who(&self) -> Who {
        Who::page(&self.address)
    }

    pub(super) fn shell(&self, title: &str) -> Bare {
        Bare {
            title: title.to_owned(),
            theme: self.theme,
            csrf: self.login.csrf.clone(),
            flash: self.flash.clone(),
        }
    }
}

impl FromRequestParts<Counter> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, counter: &Counter) -> Result<Self, Response> {
        let away = || Redirect::to("/login").into_response();
        let token = cookies::read(&parts.headers, cookies::SESSION).ok_or_else(away)?;
        let desk = &counter.desk;
        let login = desk.logins.find(&token, desk.now()).ok_or_else(away)?;
        Ok(Signed {
            counter: counter.clone(),
            login,
            token,
            address: address(parts),
            theme: cookies::theme(&parts.headers, Theme::Auto),
            flash: cookies::flash(&parts.headers),
        })
    }
}

/// A form of a signed-in browser.
pub struct Form {
    pub signed: Signed,
    pub form: FormData,
}

impl FromRequest<Counter> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, counter: &Counter) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, counter).await?;
        let request = Request::from_parts(parts, body);
        let form = checked(request, &signed.login.csrf).await?;
        Ok(Form { signed, form })
    }
}

async fn checked(request: Request, token: &str) -> Result<FormData, Response> {
    let refuse = |text: &'static str| (StatusCode::FORBIDDEN, text).into_response();
    if csrf::is_foreign(request.headers()) {
        return Err(refuse(
            "This form was sent from another site. Nothing was done.",
        ));
    }
    let form = FormData::read(request)
        .await
        .map_err(|failure| (failure.status(), failure.to_string()).into_response())?;
    if !csrf::fits(form.text(csrf::FIELD), token) {
        return Err(refuse(
            "This form is too old. Open the page again. Nothing was done.",
        ));
    }
    Ok(form)
}

fn address(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(String::new, |ConnectInfo(peer)| {
        peer.ip().to_canonical().to_string()
    })
}

pub(super) async fn sign_in(headers: HeaderMap) -> Result<Response, VendorError> {
    let known =
        cookies::read(&headers, cookies::VISITOR).filter(|token| token.len() == TOKEN_LENGTH);
    let token = match known {
        Some(token) => token,
        None => crypto::random_token()?,
    };
    Ok(sign_in_page(&headers, &token, StatusCode::OK, None))
}

fn sign_in_page(
    headers: &HeaderMap,
    token: &str,
    status: StatusCode,
    refusal: Option<String>,
) -> Response {
    let page = SignInPage {
        shell: Bare {
            title: "Vendor".to_owned(),
            theme: cookies::theme(headers, Theme::Auto),
            csrf: token.to_owned(),
            flash: None,
        },
        refusal,
    };
    let mut response = Page::with_status(status, page).into_response();
    cookies::set_visitor(&mut response, token, true);
    response
}

pub(super) async fn signed_in(
    State(counter): State<Counter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, VendorError> {
    let headers = request.headers().clone();
    let token = cookies::read(&headers, cookies::VISITOR).unwrap_or_default();
    let form = match checked(request, &token).await {
        Ok(form) => form,
        Err(response) => return Ok(response),
    };
    if let Err(refusal) = counter.desk.throttle.admit(Kind::SignIn, peer.ip()) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return Ok(sign_in_page(
            &headers,
            &token,
            status,
            Some(format!("{refusal}.")),
        ));
    }
    let password = Secret::new(form.text("password").to_owned());
    let address = peer.ip().to_canonical().to_string();
    let Some(session) = counter.desk.sign_in(&address, password).await? else {
        let text = "The password is wrong.".to_owned();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(sign_in_page(&headers, &token, status, Some(text)));
    };
    let mut response = Redirect::to("/").into_response();
    cookies::set_session(&mut response, &session, true);
    cookies::remove(&mut response, cookies::VISITOR, true);
    Ok(response)
}

pub(super) async fn sign_out(Form { signed, .. }: Form) -> Response {
    signed.desk().logins.remove(&signed.token);
    let mut response = Redirect::to("/login").into_response();
    cookies::remove(&mut response, cookies::SESSION, true);
    response
}
