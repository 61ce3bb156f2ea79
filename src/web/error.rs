//! When a page cannot be what was asked for: one place that turns refusals and faults into a status and a page, or a toast.
//!
//! A handler returns a `Failure`; [`answer`] wraps all of them, numbers each request, counts it, logs a fault once and renders.
//! Invariant: the inner cause of a fault is logged and never shown.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::crypto;
use crate::operations;
use crate::store::StoreError;
use crate::web::client::came_from;
use crate::web::cookies;
use crate::web::extract::{Panel, Signed};
use crate::web::htmx::{Htmx, with_toast};
use crate::web::page::Page;
use crate::web::pages::errors;
use crate::web::parts::Tone;
use crate::web::shell::{Bare, Flash, Theme};

/// What a handler answers.
pub type Reply = Result<Response, Failure>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a page could not be shown or a form not be carried out. The texts of `Fault` and `Unavailable` are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 404
    #[error("there is no such page")]
    Missing,
    /// 403, with a sentence for the operator.
    #[error("{0}")]
    Forbidden(String),
    /// 409: a rule says no.
    #[error("{0}")]
    Refused(String),
    /// 422: a value that no field of the form shows.
    #[error("{0}")]
    Unfit(String),
    /// 429
    #[error("Too many attempts. Wait a minute, then try again")]
    TooMany,
    /// 400
    #[error("The browser sent something that is not a form of this panel")]
    Garbled,
    /// 405
    #[error("This address does not take such a request")]
    WrongMethod,
    /// 413
    #[error("The form is too large")]
    TooLarge,
    /// 503: the store does not take writes now, or is busy.
    #[error("{cause}")]
    Unavailable { text: &'static str, cause: String },
    /// 500
    #[error("{0}")]
    Fault(String),
}

impl Failure {
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Missing => StatusCode::NOT_FOUND,
            Failure::Forbidden(_) => StatusCode::FORBIDDEN,
            Failure::Refused(_) => StatusCode::CONFLICT,
            Failure::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Failure::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Failure::Garbled => StatusCode::BAD_REQUEST,
            Failure::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the library answered for us, such as an id in an address that is no number.
    fn of_status(status: StatusCode) -> Option<Failure> {
        Some(match status {
            // No address of ours has such a path or query.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Failure::Missing,
            StatusCode::METHOD_NOT_ALLOWED => Failure::WrongMethod,
            StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Failure::Unavailable {
                text: "This takes too long. The appliance may be busy; try again in a minute.",
                cause: "a page took too long".to_owned(),
            },
            status if status.is_server_error() => {
                Failure::Fault(format!("the answer had status {status}"))
            }
            _ => return None,
        })
    }

    /// One sentence for a toast or a page.
    fn words(&self) -> String {
        match self {
            Failure::Unavailable { text, .. } => (*text).to_owned(),
            Failure::Fault(_) => "Something went wrong here. The cause is in the log.".to_owned(),
            told => told.to_string(),
        }
    }
}

impl From<operations::Error> for Failure {
    fn from(error: operations::Error) -> Self {
        use operations::Error;
        match error {
            Error::Refused(text) => Failure::Refused(text),
            Error::Field { field, problem } => {
                Failure::Unfit(format!("{}: {problem}", field.replace('_', " ")))
            }
            Error::Missing(_) => Failure::Missing,
            Error::Throttled => Failure::TooMany,
            Error::NotWhole(_) | Error::Remote(_) | Error::Cancelled => {
                Failure::Refused(error.to_string())
            }
            Error::Store(error) => error.into(),
            Error::Crypto(_)
            | Error::Search(_)
            | Error::Accounting(_)
            | Error::Archive(_)
            | Error::Snapshot(_)
            | Error::Tls(_)
            | Error::Io(_)
            | Error::Interrupted => Failure::Fault(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = match &error {
            StoreError::Busy { .. } => {
                "The appliance is busy and did not take the change. Try again in a moment."
            }
            StoreError::Closed => "The appliance is stopping. Try again in a minute.",
            StoreError::Unwritable { .. } => {
                "Nothing can be saved now; the log says why. Subscribers can still sign in."
            }
            full if full.is_disk_full() => {
                "The disk is full, so nothing can be saved. Subscribers can still sign in. Free some space, then try again."
            }
            StoreError::Fault { .. } => {
                "The disk reported an error. Look whether the change was made before you repeat it. Subscribers can still sign in."
            }
            StoreError::Newer { .. }
            | StoreError::Damaged { .. }
            | StoreError::Unencodable { .. }
            | StoreError::Panicked { .. } => return Failure::Fault(error.to_string()),
        };
        Failure::Unavailable {
            text,
            cause: error.to_string(),
        }
    }
}

impl IntoResponse for Failure {
    /// Only the status; [`answer`] fills in the page, since it knows the request.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Answer to an address that no route has.
pub async fn missing() -> Failure {
    Failure::Missing
}

/// Answer to a method that the address does not take.
pub async fn wrong_method() -> Failure {
    Failure::WrongMethod
}

/// What a handler that panicked answers. The cause was printed by the panic itself.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Failure::Fault("a handler stopped with a panic".to_owned()).into_response()
}

/// What of a request an error page needs.
struct Asked {
    id: String,
    path: String,
    theme: Theme,
    htmx: bool,
    back: String,
    had_flash: bool,
}

/// Middleware around every handler.
pub async fn answer(
    State(panel): State<Panel>,
    htmx: Htmx,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/static/") || path == "/healthz" {
        return next.run(request).await;
    }
    let headers = request.headers();
    let asked = Asked {
        id: crypto::random_bytes::<6>()
            .map_or_else(|_| "unknown".to_owned(), |octets| crypto::hex(&octets)),
        path,
        theme: cookies::theme(headers, panel.app.settings().theme),
        htmx: htmx.wants_partial,
        back: came_from(headers),
        had_flash: cookies::read(headers, cookies::FLASH).is_some(),
    };
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>();
    if let Some(failure) = failure.or_else(|| unexplained(&response)) {
        // Headers that a handler or the library had set, such as `Allow`, stay.
        let kept = std::mem::take(response.headers_mut());
        response = show(&failure, &asked);
        for (name, value) in kept {
            if let Some(name) =
                name.filter(|name| name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH)
            {
                response.headers_mut().append(name, value);
            }
        }
    }
    let counters = &panel.app.telemetry.counters;
    counters.pages.increment();
    if response.status().is_server_error() {
        counters.page_faults.increment();
    }
    if asked.had_flash && !asked.htmx && is_html(&response) {
        cookies::remove(&mut response, cookies::FLASH, false);
    }
    if let Ok(id) = HeaderValue::try_from(&asked.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The failure behind an answer that no handler of ours wrote: the library's are short plain texts.
fn unexplained(response: &Response) -> Option<Failure> {
    if is_html(response) {
        None
    } else {
        Failure::of_status(response.status())
    }
}

fn is_html(response: &Response) -> bool {
    let sent = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    sent.is_some_and(|sent| sent.starts_with("text/html"))
}

fn show(failure: &Failure, asked: &Asked) -> Response {
    let (request, path) = (asked.id.as_str(), asked.path.as_str());
    match failure {
        Failure::Fault(cause) => tracing::error!(request, path, cause, "a page failed"),
        Failure::Unavailable { cause, .. } => {
            tracing::warn!(request, path, cause, "a page could not be served")
        }
        refused => tracing::debug!(request, path, %refused, "a page was refused"),
    }
    if asked.htmx {
        let text = match failure {
            Failure::Fault(_) => format!("{} Request {request}.", failure.words()),
            _ => failure.words(),
        };
        return with_toast(failure.status().into_response(), Tone::Bad, &text);
    }
    page(failure, asked)
}

fn page(failure: &Failure, asked: &Asked) -> Response {
    let status = failure.status();
    let request_id = asked.id.clone();
    let shell = |title: &str| Bare {
        title: title.to_owned(),
        theme: asked.theme,
        ..Bare::default()
    };
    match failure {
        Failure::Missing => {
            let view = errors::NotFoundPage {
                shell: shell("Not found"),
                request_id,
            };
            Page::with_status(status, view).into_response()
        }
        Failure::Forbidden(text) => {
            let view = errors::ForbiddenPage {
                shell: shell("Not allowed"),
                text: text.clone(),
                request_id,
            };
            Page::with_status(status, view).into_response()
        }
        Failure::Fault(_) => {
            let view = errors::FaultPage {
                shell: shell("Fault"),
                request_id,
            };
            Page::with_status(status, view).into_response()
        }
        Failure::Unavailable { text, .. } => {
            let view = errors::UnavailablePage {
                shell: shell("Not now"),
                text: (*text).to_owned(),
                request_id,
            };
            Page::with_status(status, view).into_response()
        }
        refused => {
            let (code, back) = (status.as_u16().to_string(), asked.back.clone());
            let view = errors::RefusedPage {
                shell: shell("Not done"),
                code,
                text: refused.words(),
                back,
                request_id,
            };
            Page::with_status(status, view).into_response()
        }
    }
}

/// After a change: to the page at `href`, which shows `flash` once.
pub fn done(signed: &Signed, flash: Flash, href: &str) -> Response {
    let mut response = signed.htmx.redirect(href);
    cookies::set_flash(&mut response, &flash, signed.is_https);
    response
}

/// After a change that leaves the page as it is: a toast for htmx, else back to the page the form was on.
pub fn stay(signed: &Signed, tone: Tone, text: &str) -> Response {
    if signed.htmx.wants_partial {
        return with_toast(StatusCode::NO_CONTENT.into_response(), tone, text);
    }
    done(
        signed,
        Flash {
            tone,
            text: text.to_owned(),
        },
        &signed.back,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;
    use crate::operations::Error;

    #[test]
    fn each_error_has_its_status_and_only_refusals_are_shown_as_they_are() {
        let inner = || "an inner cause".to_owned();
        let damaged = StoreError::Damaged {
            table: "plans",
            key: inner(),
            what: inner(),
        };
        let field = Error::Field {
            field: "plan_name",
            problem: Invalid::new("Taken"),
        };
        for (error, status, words) in [
            (Error::Refused("No".into()), 409, "No"),
            (field, 422, "plan name: Taken"),
            (Error::Missing("plan"), 404, "there is no such page"),
            (Error::Throttled, 429, "Too many attempts"),
            (
                StoreError::Busy { waiting: 1 }.into(),
                503,
                "The appliance is busy",
            ),
            (StoreError::Closed.into(), 503, "The appliance is stopping"),
            (
                StoreError::Unwritable { reason: inner() }.into(),
                503,
                "Nothing can be saved now",
            ),
            (damaged.into(), 500, "Something went wrong here"),
            (
                StoreError::Panicked { name: "w" }.into(),
                500,
                "Something went wrong here",
            ),
            (
                std::io::Error::other(inner()).into(),
                500,
                "Something went wrong here",
            ),
            (Error::Interrupted, 500, "Something went wrong here"),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.status().as_u16(), status, "{failure}");
            assert!(failure.words().starts_with(words), "{}", failure.words());
            assert!(!failure.words().contains("inner"), "{}", failure.words());
        }
    }

    #[test]
    fn what_the_library_answers_is_explained_and_all_else_is_left_alone() {
        for (status, explained) in [
            (200, None),
            (204, None),
            (303, None),
            (401, None),
            (422, None),
            (400, Some(404)),
            (404, Some(404)),
            (405, Some(405)),
            (413, Some(413)),
            (500, Some(500)),
            (503, Some(503)),
            (504, Some(500)),
        ] {
            let failure = Failure::of_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(
                failure.map(|failure| failure.status().as_u16()),
                explained,
                "{status}"
            );
        }
    }
}
