//! The few request and response headers by which a handler talks to htmx.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::parts::Tone;

const REQUEST: &str = "hx-request";
const HISTORY_RESTORE: &str = "hx-history-restore-request";
const TARGET: &str = "hx-target";
const TRIGGER: HeaderName = HeaderName::from_static("hx-trigger");
const PUSH_URL: HeaderName = HeaderName::from_static("hx-push-url");
const REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Whether htmx asked, and for which region. A plain browser request has neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Htmx {
    /// True when only the region is wanted; false also when the browser goes back in its history,
    /// which needs the whole page.
    pub wants_partial: bool,
    /// `id` of the element whose content will be replaced, or empty.
    pub target: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Htmx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let text = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        Ok(Self {
            wants_partial: text(REQUEST) == "true" && text(HISTORY_RESTORE) != "true",
            target: text(TARGET).to_owned(),
        })
    }
}

impl Htmx {
    /// Sends the browser to another page: 303 for a plain form, `HX-Redirect` for htmx.
    pub fn redirect(&self, to: &str) -> Response {
        match HeaderValue::try_from(to) {
            Ok(location) if self.wants_partial => {
                (StatusCode::NO_CONTENT, [(REDIRECT, location)]).into_response()
            }
            _ => Redirect::to(to).into_response(),
        }
    }
}

/// Adds a toast to an answer to htmx. `app.js` listens for the event and shows the text as text.
pub fn with_toast(mut response: Response, tone: Tone, text: &str) -> Response {
    let event = serde_json::json!({ "toast": { "tone": tone.class(), "text": text } }).to_string();
    if let Ok(value) = HeaderValue::try_from(ascii(&event)) {
        response.headers_mut().insert(TRIGGER, value);
    }
    response
}

/// Says which address the browser shows after the swap: the list's own, without empty filters.
pub fn with_address(mut response: Response, href: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(href) {
        response.headers_mut().insert(PUSH_URL, value);
    }
    response
}

/// JSON with everything beyond ASCII written as `\uXXXX`: browsers read header bytes as Latin-1, so
/// an Arabic name would arrive broken otherwise.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn read(headers: &[(&str, &str)]) -> Htmx {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        Htmx::from_request_parts(&mut parts, &()).await.unwrap()
    }

    #[tokio::test]
    async fn only_htmx_gets_a_partial_and_never_on_the_way_back() {
        for (headers, wants_partial) in [
            (&[][..], false),
            (&[("hx-request", "true")][..], true),
            (&[("hx-request", "1")][..], false),
            (
                &[
                    ("hx-request", "true"),
                    ("hx-history-restore-request", "true"),
                ][..],
                false,
            ),
        ] {
            assert_eq!(
                read(headers).await.wants_partial,
                wants_partial,
                "{headers:?}"
            );
        }
        assert_eq!(read(&[("hx-target", "rows")]).await.target, "rows");
    }

    #[test]
    fn a_redirect_suits_who_asked() {
        let plain = Htmx::default().redirect("/plans");
        assert_eq!(
            (plain.status(), &plain.headers()["location"]),
            (StatusCode::SEE_OTHER, &HeaderValue::from_static("/plans"))
        );
        let htmx = Htmx {
            wants_partial: true,
            ..Htmx::default()
        }
        .redirect("/plans");
        assert_eq!(
            (htmx.status(), &htmx.headers()["hx-redirect"]),
            (StatusCode::NO_CONTENT, &HeaderValue::from_static("/plans"))
        );
    }

    #[test]
    fn the_address_is_the_one_of_the_list() {
        let response = with_address(StatusCode::OK.into_response(), "/subscribers?state=expired");
        assert_eq!(
            response.headers()["hx-push-url"],
            "/subscribers?state=expired"
        );
        let broken = with_address(StatusCode::OK.into_response(), "/a\r\nX: y");
        assert!(!broken.headers().contains_key("hx-push-url"));
    }

    #[test]
    fn a_toast_is_ascii_json_whatever_the_name() {
        let response = with_toast(
            StatusCode::NO_CONTENT.into_response(),
            Tone::Good,
            "علي \"x\"\r\n😀",
        );
        let header = response.headers()["hx-trigger"].to_str().unwrap();
        assert!(header.is_ascii());
        let event: serde_json::Value = serde_json::from_str(header).unwrap();
        assert_eq!(event["toast"]["text"], "علي \"x\"\r\n😀");
        assert_eq!(event["toast"]["tone"], "good");
    }
}
