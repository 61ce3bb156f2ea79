//! The operator's own things: signed-in browsers and the password.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};

use crate::crypto::{self, Secret};
use crate::domain::Invalid;
use crate::domain::id::OperatorId;
use crate::operations::{Error, operators};
use crate::web::client::local_path;
use crate::web::cookies;
use crate::web::error::{Reply, done};
use crate::web::extract::{Own, Signed};
use crate::web::filters;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::parts::Field;
use crate::web::shell::{Flash, Nav, Shell, Theme};
use crate::web::words::ago;

/// `GET /account/logins`.
#[derive(Template)]
#[template(path = "pages/account/logins.html")]
pub struct LoginsPage {
    pub shell: Shell,
    pub rows: Vec<LoginRow>,
}

#[derive(Clone, Default)]
pub struct LoginRow {
    /// Browser and system, as far as the user agent says.
    pub browser: String,
    pub address: String,
    pub since: String,
    pub last_used: String,
    pub is_this: bool,
    /// `POST` here signs that browser out.
    pub revoke: String,
}

/// `GET /account/password`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/account/password.html")]
pub struct PasswordPage {
    pub shell: Shell,
    pub present: Field,
    pub password: Field,
    pub password_again: Field,
}

/// The signed-in browsers of an operator; each is signed out by a `POST` to `{path}/{browser}/revoke`.
pub fn login_rows(signed: &Signed, id: OperatorId, path: &str) -> Result<Vec<LoginRow>, Error> {
    let app = signed.app();
    let (now, calendar) = (app.now(), app.settings().calendar.clone());
    Ok(operators::logins(app, id)?
        .into_iter()
        .map(|(token, login)| LoginRow {
            browser: browser_name(&login.user_agent),
            address: login.address,
            since: calendar.format_minute(login.created_at),
            last_used: ago(now, login.seen_at),
            is_this: token == signed.current.token_hash,
            revoke: format!("{path}/{}/revoke", crypto::hex(&token)),
        })
        .collect())
}

pub async fn logins(signed: Signed) -> Reply {
    let rows = login_rows(&signed, signed.current.operator.id, "/account/logins")?;
    let shell = signed.shell("Signed-in browsers", Nav::Elsewhere);
    Ok(Page::ok(LoginsPage { shell, rows }).into_response())
}

/// Signs one browser out; `browser` is the hash of its token, in hex.
pub async fn revoke(Path(browser): Path<String>, Own { signed, .. }: Own) -> Reply {
    let operator = &signed.current.operator;
    let known = operators::logins(signed.app(), operator.id)?;
    let found = known
        .into_iter()
        .find(|(token, _)| crypto::hex(token) == browser);
    let (token, _) = found.ok_or(Error::Missing("browser"))?;
    operators::revoke(signed.app(), &signed.actor(), operator.clone(), token).await?;
    Ok(done(
        &signed,
        Flash::good("The browser was signed out."),
        "/account/logins",
    ))
}

pub async fn revoke_others(Own { signed, .. }: Own) -> Reply {
    let operator = &signed.current.operator;
    let mut count = 0_usize;
    for (token, _) in operators::logins(signed.app(), operator.id)? {
        if token != signed.current.token_hash {
            operators::revoke(signed.app(), &signed.actor(), operator.clone(), token).await?;
            count += 1;
        }
    }
    let text = match count {
        0 => "No other browser was signed in.".to_owned(),
        1 => "One other browser was signed out.".to_owned(),
        count => format!("{count} other browsers were signed out."),
    };
    Ok(done(&signed, Flash::good(text), "/account/logins"))
}

pub async fn password(signed: Signed) -> Reply {
    Ok(Page::ok(password_page(&signed, &Problems::default())).into_response())
}

pub async fn change_password(Own { signed, form }: Own) -> Reply {
    let mut problems = Problems::default();
    if form.text("password") != form.text("password_again") {
        problems.add("password_again", Invalid::new("The two passwords differ"));
        return Ok(Page::unprocessable(password_page(&signed, &problems)).into_response());
    }
    let [old, new] = ["present", "password"].map(|name| Secret::new(form.text(name).to_owned()));
    let panel = &signed.panel;
    let changed = operators::change_password(
        &panel.app,
        &panel.throttle,
        &signed.current,
        &signed.actor(),
        old,
        new,
    )
    .await;
    match changed {
        Ok(()) => {
            let flash = Flash::good("Your password was changed. Other browsers were signed out.");
            Ok(done(&signed, flash, "/account/logins"))
        }
        Err(Error::Field { field, problem }) => {
            problems.add(field, problem);
            Ok(Page::unprocessable(password_page(&signed, &problems)).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

fn password_page(signed: &Signed, problems: &Problems) -> PasswordPage {
    PasswordPage {
        shell: signed.shell("Change password", Nav::Elsewhere),
        present: problems.secret("present"),
        password: problems.secret("password"),
        password_again: problems.secret("password_again"),
    }
}

/// Keeps the chosen colours in a cookie, and goes back to the page.
pub async fn theme(Own { signed, form }: Own) -> Response {
    let mut response = signed
        .htmx
        .redirect(local_path(form.text("back")).unwrap_or("/"));
    cookies::set_theme(
        &mut response,
        Theme::parse(form.text("theme")),
        signed.is_https,
    );
    response
}

/// Browsers name their ancestors too, so the youngest names come first.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`, as far as the user agent says.
fn browser_name(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_as_people_know_them() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.8.0", "Unknown browser"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(browser_name(agent), name, "{agent}");
        }
    }
}
