//! What is shown when a page cannot be: unknown address, refusal, fault, overload.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Bare;

/// 404.
#[derive(Template)]
#[template(path = "pages/errors/not_found.html")]
pub struct NotFoundPage {
    pub shell: Bare,
    pub request_id: String,
}

/// 403: no permission, or a form whose CSRF token does not fit.
#[derive(Template)]
#[template(path = "pages/errors/forbidden.html")]
pub struct ForbiddenPage {
    pub shell: Bare,
    pub text: String,
    pub request_id: String,
}

/// 400, 405, 409, 413, 422 or 429: a rule said no to something that is not a form field.
#[derive(Template)]
#[template(path = "pages/errors/refused.html")]
pub struct RefusedPage {
    pub shell: Bare,
    /// The status, such as `409`.
    pub code: String,
    pub text: String,
    pub back: String,
    pub request_id: String,
}

/// 500: our fault; the cause is in the log only.
#[derive(Template)]
#[template(path = "pages/errors/fault.html")]
pub struct FaultPage {
    pub shell: Bare,
    pub request_id: String,
}

/// 503: the store does not take writes now, or is busy.
#[derive(Template)]
#[template(path = "pages/errors/unavailable.html")]
pub struct UnavailablePage {
    pub shell: Bare,
    /// What is wrong and what still works: `The disk is full. Subscribers can still sign in.`
    pub text: String,
    pub request_id: String,
}
