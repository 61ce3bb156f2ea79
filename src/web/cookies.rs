//! The panel's cookies: reading one, setting one, taking one away. What is in them is decided elsewhere.
//!
//! Invariant: no cookie leaves without `HttpOnly`, `SameSite` and `Path=/`.

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::web::parts::Tone;
use crate::web::query;
use crate::web::shell::{Flash, Theme};

/// The token of a signed-in browser.
pub const SESSION: &str = "session";
/// The token that forms of browsers that are not signed in repeat (double submit).
pub const VISITOR: &str = "visitor";
/// The outcome of the previous form, shown once.
pub const FLASH: &str = "flash";

/// The token of a browser that owes the code of its second factor.
pub const CODE: &str = "code";
/// The colours that an operator chose.
const THEME: &str = "theme";

/// The browser may keep a sign-in so long; the server ends it earlier (`operations::operators`).
const SESSION_DAYS: i64 = 30;
const THEME_DAYS: i64 = 365;
/// The server forgets the password that was right about as soon (`operations::operators`).
const CODE_MINUTES: i64 = 5;
/// A page that is not shown within a minute is not the answer to the form.
const FLASH_SECONDS: i64 = 60;
/// Characters of a flash; the cookie stays far below the 4 kB that browsers keep.
const LONGEST_FLASH: usize = 300;

/// The value of a cookie that the browser sent, or `None`.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).into_iter();
    sent.filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// The colours that the browser was told to use, or those of the installation.
pub fn theme(headers: &HeaderMap, otherwise: Theme) -> Theme {
    read(headers, THEME).map_or(otherwise, |text| Theme::parse(&text))
}

/// The outcome of the previous form, if there is one. What cannot be read is no flash.
pub fn flash(headers: &HeaderMap) -> Option<Flash> {
    let uri: Uri = format!("/?{}", read(headers, FLASH)?).parse().ok()?;
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&uri).ok()?;
    let value = |name| {
        pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    let tone = match value("tone")?.as_str() {
        "good" => Tone::Good,
        "bad" => Tone::Bad,
        _ => Tone::Info,
    };
    Some(Flash {
        tone,
        text: value("text")?.chars().take(LONGEST_FLASH).collect(),
    })
}

pub fn set_session(response: &mut Response, token: &str, is_https: bool) {
    // Lax, so that a link in a message still finds the operator signed in.
    set(
        response,
        SESSION,
        token,
        SameSite::Lax,
        is_https,
        Duration::days(SESSION_DAYS),
    );
}

pub fn set_visitor(response: &mut Response, token: &str, is_https: bool) {
    set(
        response,
        VISITOR,
        token,
        SameSite::Lax,
        is_https,
        Duration::days(1),
    );
}

pub fn set_code(response: &mut Response, token: &str, is_https: bool) {
    set(
        response,
        CODE,
        token,
        SameSite::Strict,
        is_https,
        Duration::minutes(CODE_MINUTES),
    );
}

pub fn set_theme(response: &mut Response, theme: Theme, is_https: bool) {
    set(
        response,
        THEME,
        theme.as_str(),
        SameSite::Lax,
        is_https,
        Duration::days(THEME_DAYS),
    );
}

pub fn set_flash(response: &mut Response, flash: &Flash, is_https: bool) {
    let text: String = flash.text.chars().take(LONGEST_FLASH).collect();
    // The same writing as in addresses: it has no character that a cookie may not hold.
    let value = query::Query::new()
        .with("tone", flash.tone.class())
        .with("text", &text)
        .href("");
    let value = value.trim_start_matches('?');
    set(
        response,
        FLASH,
        value,
        SameSite::Lax,
        is_https,
        Duration::seconds(FLASH_SECONDS),
    );
}

/// Tells the browser to forget a cookie.
pub fn remove(response: &mut Response, name: &'static str, is_https: bool) {
    set(response, name, "", SameSite::Lax, is_https, Duration::ZERO);
}

fn set(
    response: &mut Response,
    name: &'static str,
    value: &str,
    same_site: SameSite,
    is_https: bool,
    kept: Duration,
) {
    let mut cookie = Cookie::build((name, value))
        .http_only(true)
        .same_site(same_site)
        .path("/")
        .max_age(kept)
        .build();
    // Over plain HTTP a browser would throw a Secure cookie away.
    if is_https {
        cookie.set_secure(true);
    }
    if let Ok(value) = HeaderValue::try_from(cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    fn sent(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(line).unwrap())])
    }

    fn written(write: impl Fn(&mut Response)) -> String {
        let mut response = StatusCode::OK.into_response();
        write(&mut response);
        response.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = sent("a=1; xsession=2; session=3; session=4");
        assert_eq!(read(&headers, SESSION).as_deref(), Some("3"));
        assert_eq!(read(&headers, "sess"), None);
        assert_eq!(read(&HeaderMap::new(), SESSION), None);
    }

    #[test]
    fn flags_are_always_there_and_secure_only_over_https() {
        let plain = written(|response| set_session(response, "t0ken", false));
        for part in ["session=t0ken", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(
                plain.split("; ").any(|has| has == part),
                "{part} in {plain}"
            );
        }
        assert!(!plain.contains("Secure"));
        assert!(written(|response| set_session(response, "t", true)).contains("; Secure"));
        assert!(written(|response| remove(response, SESSION, false)).contains("Max-Age=0"));
    }

    #[test]
    fn a_flash_comes_back_as_it_was_and_never_longer_than_it_may_be() {
        for (text, shown) in [
            (
                "Saved; \"a, b\" & c=d\r\n",
                "Saved; \"a, b\" & c=d\r\n".to_owned(),
            ),
            ("علي", "علي".to_owned()),
            (&"x".repeat(301), "x".repeat(300)),
        ] {
            let line = written(|response| set_flash(response, &Flash::bad(text), false));
            let pair = line.split(';').next().unwrap();
            assert_eq!(flash(&sent(pair)), Some(Flash::bad(shown)), "{pair}");
        }
        for broken in ["flash=", "flash=%%%", "flash=text=a", "flash=tone=good"] {
            assert_eq!(flash(&sent(broken)), None, "{broken}");
        }
    }
}
