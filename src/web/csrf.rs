//! Whether a form was really sent from a page of this panel: its token, and what the browser says of its origin.
//!
//! Each form carries a token that other sites cannot know. The origin is checked besides, so that a leaked token alone does not
//! help.

use axum::http::{HeaderMap, header};

use crate::crypto;

/// The name of the hidden field.
pub const FIELD: &str = "csrf";

/// Whether the browser says that another site made it send this request. `Sec-Fetch-Site` is believed first (Fetch Metadata);
/// browsers leave it out over plain HTTP, where `Origin` tells the same. A request without either comes from no browser of the
/// last years, and the token decides.
pub fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    !matches!((authority, text(header::HOST)), (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host))
}

/// Compares in constant time. An empty token never fits.
pub fn fits(sent: &str, expected: &str) -> bool {
    !expected.is_empty() && crypto::constant_time_eq(sent.as_bytes(), expected.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_recognised() {
        let site = "sec-fetch-site";
        for (headers, foreign) in [
            (&[][..], false),
            (&[(site, "same-origin")][..], false),
            (&[(site, "none")][..], false),
            (&[(site, "same-site")][..], true),
            (&[(site, "cross-site")][..], true),
            (&[(site, "é")][..], true),
            (
                &[
                    (site, "cross-site"),
                    ("origin", "http://panel:80"),
                    ("host", "panel:80"),
                ][..],
                true,
            ),
            (
                &[("origin", "http://panel:8080"), ("host", "PANEL:8080")][..],
                false,
            ),
            (&[("origin", "https://panel"), ("host", "panel")][..], false),
            (
                &[("origin", "http://panel.evil"), ("host", "panel")][..],
                true,
            ),
            (
                &[("origin", "http://panel:8081"), ("host", "panel:8080")][..],
                true,
            ),
            (&[("origin", "null"), ("host", "panel")][..], true),
            (&[("origin", "http://panel")][..], true),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                let name = header::HeaderName::try_from(*name).unwrap();
                map.insert(
                    name,
                    header::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
                );
            }
            assert_eq!(is_foreign(&map), foreign, "{headers:?}");
        }
    }

    #[test]
    fn only_the_same_token_fits() {
        assert!(fits("abc", "abc"));
        for (sent, expected) in [("abd", "abc"), ("ab", "abc"), ("", "abc"), ("", "")] {
            assert!(!fits(sent, expected), "{sent} {expected}");
        }
    }
}
