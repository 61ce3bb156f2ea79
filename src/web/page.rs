//! How a template becomes a response. The only place that renders.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A page or partial with its status: `Page::ok(view)`, `Page::unprocessable(form)`.
pub struct Page<T> {
    pub status: StatusCode,
    pub view: T,
}

impl<T: Template> Page<T> {
    pub fn ok(view: T) -> Self {
        Self {
            status: StatusCode::OK,
            view,
        }
    }

    /// A form that is shown again with its errors.
    pub fn unprocessable(view: T) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            view,
        }
    }

    pub fn with_status(status: StatusCode, view: T) -> Self {
        Self { status, view }
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        // The address of a list gives the page or its rows, depending on who asks.
        let vary = HeaderValue::from_static("HX-Request");
        match self.view.render() {
            Ok(body) => (
                self.status,
                [(header::CONTENT_TYPE, html), (header::VARY, vary)],
                body,
            )
                .into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "This page could not be shown. The cause is in the log.",
                )
                    .into_response()
            }
        }
    }
}
